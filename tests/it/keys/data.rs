//! The rows of databases, and those of faults.

use super::{Row, fault};

/// A primary that crashes, its replicas, and what they are asked.
const FAILS: &str = "db.failover.interval=500ms;db.failover.misses=2";

/// Rows of scenarios with a single node.
pub(super) const NODES: &[Row] = &[
    ("database.engine", "server", "", "document"),
    ("database.on", "bare", "", "web"),
    ("database.instance", "server", "", "m7i.large"),
    ("database.cores", "server", "", "2"),
    ("database.memory", "bare", "db.working_set=8GiB", "2GiB"),
    ("database.speed", "server", "", "2"),
    ("database.price", "server", "", "1"),
    ("database.read", "server", "", "3ms"),
    ("database.write", "server", "", "3ms"),
    ("database.lookup", "joins", "", "50us"),
    ("database.commit", "server", "", "9ms"),
    ("database.flush_every", "server", "", "1s"),
    ("database.connections", "server", "", "2"),
    ("database.read_limit", "server", "", "50/s"),
    ("database.write_limit", "server", "", "20/s"),
    ("database.working_set", "server", "", "16GiB"),
    ("database.buffer", "server", "", "2GiB"),
    ("database.skew", "server", "", "0.5"),
    ("database.disk", "server", "", "{ iops = 200 }"),
    ("database.disk.iops", "server", "", "200"),
    ("database.disk.latency", "server", "", "5ms"),
    ("database.sigma", "server", "db.cores=4", "0.5"),
    ("database.kappa", "server", "db.cores=4", "0.5"),
    ("database.nodes", "parts", "", "3"),
    ("database.shards", "bare", "", "{ count = 3 }"),
    ("database.shards.count", "shards", "", "4"),
    ("database.shards.by", "shards", "", "range"),
    ("database.shards.virtual_nodes", "shards", "", "1"),
    ("database.shards.hot", "shards", "", "{ keys = 5, copies = 2 }"),
    ("database.shards.directory", "told", "", "there"),
    ("database.shards.splits", "shards", "db.shards.by=range", "[10, 100]"),
];

/// Rows of scenarios with several nodes.
pub(super) const REPLICAS: &[Row] = &[
    ("database.topology", "peers", "", "ring"),
    ("database.replicas", "data", "", "3"),
    ("database.replication", "data", "", "sync"),
    ("database.sync", "data", "db.replication=sync;db.apply.demand=9ms", "apply"),
    ("database.acks", "data", "db.replication=semi-sync;db.ship.delay=20ms;db.apply.workers=2", "2"),
    ("database.quorum", "data", "db.replication=sync", "1"),
    ("database.semi_sync_timeout", "mute", "db.replication=semi-sync", "1s"),
    ("database.ship", "data", "", "{ every = '500ms' }"),
    ("database.ship.every", "data", "", "500ms"),
    ("database.ship.delay", "data", "", "50ms"),
    ("database.ship.resend", "mute", "", "3s"),
    ("database.ship.reconnect", "data", "", "1s"),
    ("database.apply", "data", "", "{ demand = '9ms' }"),
    ("database.apply.workers", "data", "db.apply.demand=30ms;db.cores=4", "4"),
    ("database.apply.demand", "data", "", "9ms"),
    ("database.apply.commit", "data", "db.replication=sync", "15ms"),
    ("database.reads", "data", "", "primary"),
    ("database.read_your_writes", "return", "db.ship.delay=200ms", "wait-for-position"),
    ("database.primary_for", "return", "db.read_your_writes=primary-for;db.primary_for=1s", "20s"),
    ("database.failover", "data", "", "{ interval = '500ms', misses = 2 }"),
    ("database.failover.preset", "gone", "db.failover.promote=1s", "patroni"),
    ("database.failover.election", "gone", "db.failover.promote=1s", "lease"),
    ("database.failover.interval", "data", FAILS, "700ms"),
    (
        "database.failover.ttl",
        "data",
        "db.failover.preset=patroni;db.failover.loop_wait=1s;db.failover.ttl=2s",
        "5s",
    ),
    (
        "database.failover.loop_wait",
        "data",
        "db.failover.preset=patroni;db.failover.ttl=4s;db.failover.loop_wait=1s",
        "3s",
    ),
    ("database.failover.timeout", "mute", FAILS, "100ms"),
    ("database.failover.misses", "data", FAILS, "3"),
    ("database.failover.pick", "data", FAILS, "db.replica-2"),
    ("database.failover.promote", "data", FAILS, "2s"),
    ("database.failover.reroute", "data", FAILS, "dns"),
    ("database.failover.reroute_delay", "data", FAILS, "1s"),
    ("database.failover.manual", "data", FAILS, "1s"),
    ("database.failover.fenced", "mute", FAILS, "false"),
    (
        "database.failover.discover",
        "mute",
        "db.failover.interval=500ms;db.failover.misses=2;db.failover.fenced=false",
        "800ms",
    ),
    (
        "database.failover.recovery",
        "data",
        "db.ship.every=1s;db.failover.interval=500ms;db.failover.misses=2",
        "script",
    ),
    (
        "database.failover.replay_rate",
        "data",
        "db.ship.every=1s;db.failover.interval=500ms;db.failover.misses=2;db.failover.recovery=script;db.failover.replay_rate=5/s",
        "50/s",
    ),
    (
        "database.failover.rebuild",
        "data",
        "db.ship.every=1s;db.failover.interval=500ms;db.failover.misses=2;db.failover.recovery=rebuild",
        "1s",
    ),
    ("database.retry_down", "limp", "", "300ms"),
];

/// Operations: a key, and two tables that differ by it.
pub(super) const OPERATIONS: &[(&str, &str, &str)] = &[
    ("kind", "kind = 'reshard'\ntarget = 'db'\nat = '2s'\nto = 4", ""),
    (
        "rate",
        "kind = 'reshard'\ntarget = 'db'\nat = '2s'\nto = 4",
        "kind = 'reshard'\ntarget = 'db'\nat = '2s'\nto = 4\nrate = '10MB'",
    ),
    ("kind", "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 1", ""),
    ("kind", "kind = 'purge'\ntarget = 'memo'\nat = '2s'", ""),
    (
        "target",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 3",
        "kind = 'scale'\ntarget = 'spare'\nat = '2s'\nto = 3",
    ),
    (
        "at",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 1",
        "kind = 'scale'\ntarget = 'web'\nat = '3s'\nto = 1",
    ),
    (
        "to",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 3\nboot = '1s'",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 4\nboot = '1s'",
    ),
    (
        "boot",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 3\nboot = '1s'",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 3\nboot = '2s'",
    ),
    (
        "start",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 3\nboot = '1s'",
        "kind = 'scale'\ntarget = 'web'\nat = '2s'\nto = 3\nboot = '1s'\nstart = '1s'",
    ),
    (
        "name",
        "name = 'more'\nkind = 'scale'\ntarget = 'web'\nto = 1\nafter = '2s'\n[[operation]]\nname = 'less'\nkind = 'scale'\ntarget = 'spare'\nto = 3\nafter = '2s'\n[monitor.watch]\nscrape = '1s'\nevaluate = '1s'\n[[monitor.watch.alert]]\non = 'throughput > 1/s'\ncalls = 'more'",
        "name = 'less'\nkind = 'scale'\ntarget = 'web'\nto = 1\nafter = '2s'\n[[operation]]\nname = 'more'\nkind = 'scale'\ntarget = 'spare'\nto = 3\nafter = '2s'\n[monitor.watch]\nscrape = '1s'\nevaluate = '1s'\n[[monitor.watch.alert]]\non = 'throughput > 1/s'\ncalls = 'more'",
    ),
    (
        "after",
        "name = 'more'\nkind = 'scale'\ntarget = 'web'\nto = 1\nafter = '2s'\n[monitor.watch]\nscrape = '1s'\nevaluate = '1s'\n[[monitor.watch.alert]]\non = 'throughput > 1/s'\ncalls = 'more'",
        "name = 'more'\nkind = 'scale'\ntarget = 'web'\nto = 1\nafter = '3s'\n[monitor.watch]\nscrape = '1s'\nevaluate = '1s'\n[[monitor.watch.alert]]\non = 'throughput > 1/s'\ncalls = 'more'",
    ),
];

/// A key of a fault, the scenario that the fault is added to, and the fault without the key's other value and with it.
pub(super) const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("kind", "bare", "kind = 'crash'\ntarget = 'db'", "kind = 'power-off'\ntarget = 'db'"),
    ("kind", "bare", "kind = 'hang'\ntarget = 'db'", "kind = 'pause'\ntarget = 'db'"),
    ("kind", "cache", "kind = 'flush'\ntarget = 'memo'", ""),
    ("kind", "bare", "kind = 'disk-full'\ntarget = 'db'", ""),
    ("kind", "names", "kind = 'dns-empty'\ntarget = 'www'", ""),
    ("kind", "placed", "kind = 'region'\ntarget = 'us-east-1'", "kind = 'zone'\ntarget = 'a'"),
    ("kind", "placed", "kind = 'zone'\ntarget = 'a'", ""),
    ("target", "bare", "kind = 'pause'\ntarget = 'db'", "kind = 'pause'\ntarget = 'web'"),
    (
        "between",
        "bare",
        "kind = 'partition'\nbetween = ['web', 'db']",
        "kind = 'partition'\nbetween = ['users', 'web']",
    ),
    ("at", "bare", "kind = 'crash'\ntarget = 'db'", "kind = 'crash'\ntarget = 'db'\nat = '9s'"),
    ("for", "bare", "kind = 'crash'\ntarget = 'db'", "kind = 'crash'\ntarget = 'db'\nfor = '7s'"),
    (
        "mtbf",
        "bare",
        "kind = 'crash'\ntarget = 'db'\nmtbf = '5s'\nmttr = '1s'",
        "kind = 'crash'\ntarget = 'db'\nmtbf = '8s'\nmttr = '1s'",
    ),
    (
        "mttr",
        "bare",
        "kind = 'crash'\ntarget = 'db'\nmtbf = '5s'\nmttr = '1s'",
        "kind = 'crash'\ntarget = 'db'\nmtbf = '5s'\nmttr = '3s'",
    ),
    (
        "factor",
        "bare",
        "kind = 'slow'\ntarget = 'db'\nfactor = 2",
        "kind = 'slow'\ntarget = 'db'\nfactor = 3",
    ),
    (
        "applies",
        "bare",
        "kind = 'slow'\ntarget = 'db'\nfactor = 3",
        "kind = 'slow'\ntarget = 'db'\nfactor = 3\napplies = 'new'",
    ),
    (
        "as",
        "bare",
        "kind = 'errors'\ntarget = 'web'\nshare = 0.1",
        "kind = 'errors'\ntarget = 'web'\nshare = 0.1\nas = 'rejected'",
    ),
    (
        "time",
        "bare",
        "kind = 'errors'\ntarget = 'web'\nshare = 0.1",
        "kind = 'errors'\ntarget = 'web'\nshare = 0.1\ntime = '1ms'",
    ),
    (
        "share",
        "bare",
        "kind = 'errors'\ntarget = 'web'\nshare = 0.1",
        "kind = 'errors'\ntarget = 'web'\nshare = 0.2",
    ),
    (
        "share",
        "bare",
        "kind = 'packet-loss'\ntarget = 'db'\nshare = 0.1",
        "kind = 'packet-loss'\ntarget = 'db'\nshare = 0.2",
    ),
    (
        "add",
        "bare",
        "kind = 'latency'\ntarget = 'db'\nadd = '20ms'",
        "kind = 'latency'\ntarget = 'db'\nadd = '30ms'",
    ),
    (
        "drain",
        "deployed",
        "kind = 'deploy'\ntarget = 'web'\nfor = '1s'",
        "kind = 'deploy'\ntarget = 'web'\nfor = '1s'\ndrain = '2s'",
    ),
    (
        "grace",
        "deployed",
        "kind = 'deploy'\ntarget = 'web'\nfor = '1s'",
        "kind = 'deploy'\ntarget = 'web'\nfor = '1s'\ngrace = '2s'",
    ),
    (
        "pause",
        "deployed",
        "kind = 'deploy'\ntarget = 'web'\nfor = '1s'",
        "kind = 'deploy'\ntarget = 'web'\nfor = '1s'\npause = '2s'",
    ),
];

/// The fault as a table, at 8 s for 3 s unless it says otherwise; nothing for no fault.
pub(super) fn table(fault: &str) -> String {
    if fault.is_empty() {
        return String::new();
    }
    let random = fault.contains("mtbf");
    let at = if random || fault.contains("\nat = ") { "" } else { "\nat = '8s'" };
    let is_over = random || fault.contains("'flush'");
    let lasts = if is_over || fault.contains("\nfor = ") { "" } else { "\nfor = '3s'" };
    format!("[[fault]]\n{fault}{at}{lasts}\n")
}

/// A scenario for the keys of databases and faults, by its name: `open` is a client, `one` its server.
pub(super) fn base(name: &str, open: &str, one: &str) -> String {
    let pair = || one.replace("[server.web]\n", "[server.web]\ncount = 2\n");
    match name {
        "bare" => format!("{open}target = 'web'\n{one}[database.db]\n"),
        "placed" => format!(
            "[network]\nregions = 'aws'\n{open}target = 'web'\n{}region = 'us-east-1'\nzone = ['a', 'b']\n[database.db]\nregion = 'us-east-1'\n",
            pair()
        ),
        "deployed" => {
            format!("{open}target = 'web'\n{}[database.db]\n", pair())
        }
        "joins" => {
            let one = one.replace("query = 'db'", "query = 'db', joins = 5");
            format!("{open}target = 'web'\n{one}[database.db]\n")
        }
        "shards" => format!("{open}target = 'web'\n{one}[database.db]\nshards = {{ count = 3 }}\n"),
        "told" => format!(
            "{open}target = 'web'\n{one}[database.db]\nshards = {{ count = 3, by = 'directory', directory = 'here' }}\n\
             [cache.here]\n[cache.there]\nop = '5ms'\n"
        ),
        "parts" => format!("{open}target = 'web'\n{one}[database.db]\nengine = 'key-value'\nnodes = 2\n"),
        "peers" => format!(
            "{open}target = 'web'\n{one}[database.db]\ntopology = 'multi-primary'\nnodes = 3\n{}",
            fault("crash", "db.node-1", 10)
        ),
        "data" => {
            format!(
                "{open}target = 'web'\n{one}[database.db]\nreplicas = 2\n{}",
                fault("crash", "db.primary", 10)
            )
        }
        "limp" => {
            format!(
                "{open}target = 'web'\n{one}[database.db]\nreplicas = 2\n{}",
                fault("crash", "db.replica-1", 10)
            )
        }
        "gone" => format!(
            "{open}target = 'web'\n{one}[database.db]\nreplicas = 2\n{}",
            "[[fault]]\nkind = 'crash'\ntarget = 'db.primary'\nat = '2s'\n"
        ),
        "return" => format!(
            "[client.users]\nusers = 20\nthink_time = '300ms'\ntarget = 'web'\n{one}[database.db]\nreplicas = 2\n"
        ),
        "mute" => format!(
            "{open}target = 'web'\n{one}[database.db]\nreplicas = 1\n{}",
            "[[fault]]\nkind = 'partition'\ntarget = 'db.primary'\nat = '10s'\nfor = '2500ms'\n"
        ),
        other => unreachable!("no scenario {other}"),
    }
}
