//! No key does nothing: a key changes what a scenario that is made for it measures. A key of a box or of a fault that no row names
//! fails the suite, and so does a row whose key changes nothing.

mod data;
mod near;

use std::collections::BTreeSet;
use std::fmt::Write;

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::load;
use outgrow::scenario::schema::schema;
use rayon::prelude::*;
use serde_json::Value;

/// The box of each kind in the scenarios below.
const NAMES: [(&str, &str); 11] = [
    ("autoscaler", "up"),
    ("client", "users"),
    ("dns", "www"),
    ("balancer", "lb"),
    ("server", "web"),
    ("database", "db"),
    ("cache", "memo"),
    ("cdn", "edge"),
    ("queue", "jobs"),
    ("switch", "over"),
    ("monitor", "watch"),
];

/// Keys that change nothing in a run, and why they are there.
const OTHERS: [(&str, &str); 13] = [
    ("autoscaler.target", "required"),
    ("client.target", "required: another one is another scenario"),
    ("client.trace", "names a file: tests of traces read some"),
    ("cache.target", "without it callers fill the cache, by another step"),
    ("queue.target", "required"),
    ("cdn.origin", "required"),
    ("switch.from", "required"),
    ("switch.to", "required"),
    ("dns.geo", "tests of regions"),
    ("monitor.alert", "the keys of an alert have rows"),
    ("balancer.public", "without it a client that names the box is an error"),
    ("server.public", "without it a client that names the box is an error"),
    ("server.steps", "required"),
];

const HEAD: &str = "[run]\nduration = '30s'\nwarmup = '0s'\n\
                    [request.read]\nkeys = 1000\nzipf = 0.9\nshare = 70\n[request.write]\neffect = 'write'\nkeys = 1000\nshare = 30\n";

fn fault(kind: &str, target: &str, at: u32) -> String {
    format!("[[fault]]\nkind = '{kind}'\ntarget = '{target}'\nat = '{at}s'\nfor = '4s'\n")
}

/// A scenario for the keys of a kind, by its name.
fn base(name: &str) -> String {
    let web = "[server.web]\ncount = 2\nworkers = 4\nsteps = [{ wait = { dist = 'exponential', mean = '20ms' } }]\n";
    let behind = format!(
        "[balancer.lb]\npublic = true\ntargets = ['web', 'spare']\n{web}[server.spare]\nsteps = [{{ wait = '25ms' }}]\n"
    );
    let troubles = fault("crash", "web-1", 5) + &fault("hang", "web-2", 12);
    let open = "[client.users]\nrate = '100/s'\ntimeout = '3s'\n";
    let closed = "[client.users]\nusers = 60\nthink_time = '300ms'\ntimeout = '3s'\n";
    let one =
        "[server.web]\npublic = true\nworkers = 4\nqueue = 20\nsteps = [{ cpu = '8ms' }, { query = 'db' }]\n";
    let data = "[database.db]\nworking_set = '8GiB'\nbuffer = '1GiB'\ndisk = {}\n";
    let cuts =
        fault("crash", "db", 10) + &fault("power-off", "db", 24) + &fault("slow", "db", 18) + "factor = 6\n";
    HEAD.to_owned()
        + &match name {
            "balancer" => format!("{open}target = 'lb'\n{behind}{troubles}"),
            "busy" => format!(
                "{open}target = 'lb'\n{}",
                behind.replace("workers = 4", "workers = 1").replace("25ms", "200ms")
            ),
            "crowd" => format!("{closed}target = 'lb'\n{behind}{troubles}"),
            "pair" => format!("{open}target = 'lb'\n{behind}{}", fault("crash", "lb", 10)),
            "dark" => format!("{open}target = 'lb'\n{behind}{}", fault("power-off", "web-1", 10)),
            "deploy" => format!("{open}target = 'lb'\n{behind}{}", fault("deploy", "web", 5)),
            "edge" => format!("{open}target = 'web'\n{one}{data}{}", fault("power-off", "web", 10)),
            "names" => {
                let dark = fault("power-off", "spare", 8);
                let more = "[server.spare]\npublic = true\nsteps = [{ wait = '10ms' }]\n";
                format!(
                    "{open}target = 'www'\n[dns.www]\nrecords = ['web', 'spare']\nttl = '3s'\n{one}{data}{more}{dark}"
                )
            }
            "users" => format!("{closed}target = 'web'\n{one}{data}"),
            "paced" => format!("{}target = 'web'\n{one}{data}", closed.replace("think_time", "pace")),
            "visits" => format!(
                "[client.users]\nsessions = '20/s'\nrequests = 5\nthink_time = '300ms'\ntarget = 'web'\n{one}{data}"
            ),
            "server" => format!("{open}target = 'web'\n{one}{data}{cuts}"),
            "cache" => format!(
                "{open}target = 'web'\n{}[database.db]\n[cache.memo]\ntarget = 'db'\nentries = 100\n{}",
                one.replace("'db'", "'memo'"),
                fault("slow", "db", 10) + "factor = 40\n"
            ),
            "cdn" | "cdn-small" | "logins" | "cookies" | "stored" | "sites" => {
                near::base(name, open, closed, one, data)
            }
            "small" => {
                base("cache")[HEAD.len()..].replace("entries = 100\n", "memory = '100KiB'\nitem = '1KiB'\n")
            }
            "dead" => base("queue")[HEAD.len()..].to_owned() + "[queue.lost]\ntarget = 'mill'\n",
            "auto" => auto(open),
            "watch" | "dead-watch" => near::watch(name, open),
            "queue" => format!(
                "{open}target = 'web'\n[server.web]\npublic = true\nsteps = [{{ call = 'jobs' }}]\n[queue.jobs]\ntarget = 'mill'\n[server.mill]\nworkers = 4\nsteps = [{{ wait = '35ms' }}]\n{}",
                fault("crash", "mill", 10)
            ),
            other => data::base(other, open, one),
        }
}

/// An autoscaler, and a load that grows and shrinks.
fn auto(open: &str) -> String {
    let open = open.replace("timeout", "profile = { steps = [['0s', 1], ['8s', 3], ['18s', 1]] }\ntimeout");
    format!(
        "{open}target = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\nhealth = {{ interval = '1s' }}\n\
         [server.web]\nsteps = [{{ cpu = '8ms' }}]\n[autoscaler.up]\ntarget = 'web'\nmax = 8\nevery = '1s'\n\
         window = '2s'\nboot = '500ms'\nstart = '500ms'\n"
    )
}

/// A key, the scenario made for it, what is set besides, and the key's other value.
type Row = (&'static str, &'static str, &'static str, &'static str);

const CLIENTS: &[Row] = &[
    ("client.users", "users", "", "70"),
    ("client.think_time", "users", "", "400ms"),
    ("client.pace", "paced", "", "400ms"),
    ("client.rate", "server", "", "90/s"),
    ("client.arrivals", "server", "", "{ dist = 'constant' }"),
    ("client.sessions", "visits", "", "25/s"),
    ("client.requests", "visits", "", "7"),
    ("client.profile", "server", "", "{ steps = [['0s', 1], ['10s', 2]] }"),
    ("client.timeout", "server", "", "200ms"),
    ("client.arrivals.dist", "server", "", "constant"),
    ("client.arrivals.cv", "server", "users.arrivals.dist=lognormal;users.arrivals.cv=1", "3"),
    ("client.arrivals.k", "server", "users.arrivals.dist=erlang;users.arrivals.k=2", "5"),
    ("client.arrivals.batch", "server", "users.arrivals.dist=exponential", "3"),
    ("client.profile.ramp", "server", "", "{ over = '20s', to = 2 }"),
    ("client.profile.steps", "server", "", "[['0s', 1], ['10s', 2]]"),
    ("client.profile.period", "server", "users.profile.steps=[['0s', 1], ['4s', 2]]", "8s"),
    ("client.profile.spike", "server", "", "{ at = '5s', for = '5s', factor = 3 }"),
    ("client.profile.burst", "server", "", "{ every = '5s', for = '1s', factor = 3 }"),
    ("client.profile.diurnal", "server", "", "{ amplitude = 0.5, period = '20s' }"),
    ("client.connect_timeout", "edge", "", "100ms"),
    ("client.addresses", "names", "", "1"),
    ("client.resolvers", "names", "", "5"),
    ("client.addresses", "names", "", "1"),
    ("client.pinned", "names", "", "0.5"),
    ("client.pin_for", "names", "users.pinned=0.5", "10s"),
    ("dns.records", "names", "", "['web']"),
    ("dns.ttl", "names", "", "2s"),
    ("dns.policy", "names", "", "weighted"),
    ("dns.health", "names", "", "{}"),
    ("dns.health.interval", "names", "www.health.interval=2s", "1s"),
    ("dns.health.timeout", "names", "www.health.interval=1s", "500ms"),
    ("dns.health.misses", "names", "www.health.interval=500ms;www.health.timeout=300ms", "1"),
    ("client.retry", "server", "", "{ attempts = 3 }"),
    ("client.retry.attempts", "server", "users.retry.attempts=3", "4"),
    ("client.retry.backoff", "server", "users.retry.attempts=3", "250ms"),
    ("client.retry.factor", "server", "users.retry.attempts=3", "5"),
    ("client.retry.max", "server", "users.retry.attempts=3", "150ms"),
    ("client.retry.jitter", "server", "users.retry.attempts=3", "full"),
    ("client.retry.budget", "server", "users.retry.attempts=3", "0.01"),
    ("client.retry.on", "server", "users.retry.attempts=3", "[\"connect\"]"),
    ("client.retry.writes", "server", "users.retry.attempts=3;users.timeout=200ms", "false"),
    ("client.retry.chance", "server", "users.retry.attempts=3", "0.5"),
    ("client.tls", "users", "", "none"),
    ("client.tls", "users", "users.keep_alive=1s", "'1.2'"),
    ("client.keep_alive", "users", "", "0s"),
    ("client.keep_alive", "users", "users.tls=none", "200ms"),
    ("client.breaker", "server", "", "{ window = 20, open = '2s' }"),
    ("client.breaker.kind", "server", "users.breaker.open=2s", "count"),
    ("client.breaker.failures", "server", "users.breaker.kind=count", "2"),
    ("client.breaker.window", "server", "users.breaker.open=2s", "10"),
    (
        "client.breaker.min_calls",
        "server",
        "users.breaker.window=3000;users.breaker.share=0.02;users.breaker.open=2s",
        "3000",
    ),
    ("client.breaker.share", "server", "users.breaker.window=20;users.breaker.open=2s", "0.2"),
    ("client.breaker.open", "server", "users.breaker.window=20;users.breaker.open=2s", "1s"),
    ("client.breaker.probes", "server", "users.breaker.window=20;users.breaker.open=2s", "1"),
    ("client.breaker.on", "server", "users.breaker.window=20;users.breaker.open=2s", "[\"conflict\"]"),
    ("client.hedge", "server", "", "{ after = '30ms' }"),
    ("client.hedge.after", "server", "users.hedge.after=20ms", "p90"),
    ("client.hedge.attempts", "server", "users.hedge.after=20ms", "3"),
    ("client.hedge.cancel", "server", "users.hedge.after=20ms", "true"),
    ("client.hedge.writes", "server", "users.hedge.after=20ms", "true"),
    ("client.throttle", "server", "", "{ k = 1.1, window = '5s' }"),
    ("client.throttle.k", "server", "users.throttle.k=1.5;users.throttle.window=5s", "1.1"),
    ("client.throttle.window", "server", "users.throttle.k=1.5;users.throttle.window=5s", "2s"),
    ("client.throttle.aggression", "server", "users.throttle.k=1.5;users.throttle.window=5s", "2"),
    ("client.propagate", "server", "web.propagate=true;users.timeout=200ms", "true"),
    ("client.cancel", "server", "users.timeout=200ms", "true"),
];

const BALANCERS: &[Row] = &[
    ("balancer.targets", "balancer", "", "['web']"),
    ("balancer.weights", "balancer", "", "[3, 1]"),
    ("balancer.preset", "balancer", "", "nginx"),
    ("balancer.policy", "balancer", "", "least-connections"),
    ("balancer.distinct", "balancer", "lb.policy=two-choices", "false"),
    ("balancer.virtual_nodes", "balancer", "lb.policy=hash", "7"),
    ("balancer.bounded_load", "balancer", "lb.policy=hash", "1.1"),
    ("balancer.decay", "balancer", "lb.policy=ewma", "50ms"),
    ("balancer.instance", "balancer", "lb.demand=1ms", "m7i.large"),
    ("balancer.cores", "balancer", "lb.demand=8ms", "4"),
    ("balancer.speed", "balancer", "lb.demand=1ms", "2"),
    ("balancer.price", "balancer", "", "1"),
    ("balancer.demand", "balancer", "", "1ms"),
    ("balancer.limit", "busy", "", "{ calls = 2 }"),
    ("balancer.limit.calls", "busy", "lb.limit.calls=4", "2"),
    ("balancer.limit.gradient", "busy", "", "{}"),
    ("balancer.limit.gradient.probe", "busy", "lb.limit.gradient.min=3", "5s"),
    ("balancer.limit.gradient.min", "busy", "lb.limit.gradient.probe=60s", "5"),
    ("balancer.limit.gradient.buffer", "busy", "lb.limit.gradient.probe=60s", "80%"),
    ("balancer.connections", "balancer", "", "3"),
    ("balancer.queue", "balancer", "lb.connections=3", "{ limit = 5 }"),
    ("balancer.queue.limit", "balancer", "lb.connections=3;lb.queue.limit=5", "9"),
    ("balancer.queue.timeout", "balancer", "lb.connections=3;lb.queue.limit=500", "100ms"),
    ("balancer.timeout", "balancer", "", "500ms"),
    ("balancer.connect_timeout", "dark", "lb.retries=1", "500ms"),
    ("balancer.health", "balancer", "", "{}"),
    ("balancer.health.interval", "balancer", "lb.health.interval=1s", "500ms"),
    ("balancer.health.timeout", "balancer", "lb.health.interval=500ms;lb.health.kind=page", "100ms"),
    ("balancer.health.fall", "balancer", "lb.health.interval=500ms", "1"),
    ("balancer.health.rise", "balancer", "lb.health.interval=500ms", "4"),
    ("balancer.health.kind", "balancer", "lb.health.interval=500ms", "page"),
    ("balancer.ejection", "balancer", "", "{ max_share = 0.5 }"),
    ("balancer.ejection.failures", "balancer", "lb.ejection.max_share=0.5", "2"),
    ("balancer.ejection.base", "balancer", "lb.ejection.max_share=0.5", "3s"),
    (
        "balancer.ejection.max",
        "pair",
        "lb.timeout=30ms;lb.ejection.max_share=0.5;lb.ejection.base=1s;lb.ejection.failures=1;lb.ejection.sweep=0s",
        "1s",
    ),
    ("balancer.ejection.max_share", "balancer", "lb.ejection.failures=2", "0.5"),
    ("balancer.ejection.always_one", "balancer", "lb.ejection.failures=2", "true"),
    ("balancer.ejection.sweep", "balancer", "lb.ejection.max_share=0.5;lb.ejection.base=2s", "0s"),
    (
        "balancer.ejection.within",
        "pair",
        "lb.timeout=30ms;lb.ejection.max_share=0.5;lb.ejection.base=1s;lb.ejection.failures=4",
        "20s",
    ),
    (
        "balancer.ejection.probe",
        "balancer",
        "lb.ejection.max_share=0.5;lb.ejection.base=1s;lb.ejection.sweep=0s",
        "true",
    ),
    (
        "balancer.ejection.counts",
        "busy",
        "lb.ejection.max_share=0.5;lb.ejection.failures=1;web.queue=1",
        "connections",
    ),
    ("balancer.panic", "balancer", "lb.health.interval=500ms", "0.9"),
    ("balancer.retries", "balancer", "", "1"),
    ("balancer.retries_on", "balancer", "lb.retries=1;lb.timeout=200ms", "[\"timeout\"]"),
    ("balancer.retries_at", "balancer", "lb.retries=1", "same"),
    ("balancer.retries_budget", "balancer", "lb.retries=1", "0.01"),
    ("balancer.breaker", "balancer", "", "{ window = 20, open = '2s' }"),
    ("balancer.breaker.kind", "balancer", "lb.breaker.open=2s", "count"),
    ("balancer.breaker.failures", "balancer", "lb.breaker.kind=count", "2"),
    ("balancer.breaker.window", "balancer", "lb.breaker.open=2s", "10"),
    (
        "balancer.breaker.min_calls",
        "balancer",
        "lb.breaker.window=3000;lb.breaker.share=0.02;lb.breaker.open=2s",
        "3000",
    ),
    ("balancer.breaker.share", "balancer", "lb.breaker.window=20;lb.breaker.open=2s", "0.2"),
    ("balancer.breaker.open", "balancer", "lb.breaker.window=20;lb.breaker.open=2s", "1s"),
    ("balancer.breaker.probes", "balancer", "lb.breaker.window=20;lb.breaker.open=2s", "1"),
    ("balancer.breaker.on", "balancer", "lb.breaker.window=20;lb.breaker.open=2s", "[\"conflict\"]"),
    ("balancer.hedge", "balancer", "", "{ after = '30ms' }"),
    ("balancer.hedge.after", "balancer", "lb.hedge.after=20ms", "p90"),
    ("balancer.hedge.attempts", "balancer", "lb.hedge.after=20ms", "3"),
    ("balancer.hedge.cancel", "balancer", "lb.hedge.after=20ms", "true"),
    ("balancer.hedge.writes", "balancer", "lb.hedge.after=20ms", "true"),
    ("balancer.throttle", "balancer", "", "{ k = 1.1, window = '5s' }"),
    ("balancer.throttle.k", "balancer", "lb.throttle.k=1.5;lb.throttle.window=5s", "1.1"),
    ("balancer.throttle.window", "balancer", "lb.throttle.k=1.5;lb.throttle.window=5s", "2s"),
    ("balancer.throttle.aggression", "balancer", "lb.throttle.k=1.5;lb.throttle.window=5s", "2"),
    ("balancer.retries_pause", "balancer", "lb.retries=1", "300ms"),
    ("balancer.slow_start", "balancer", "lb.health.interval=500ms", "5s"),
    ("balancer.sticky", "crowd", "lb.health.interval=500ms", "{}"),
    ("balancer.sticky.gone", "crowd", "lb.policy=sticky;lb.health.interval=500ms", "fail"),
    ("balancer.sticky.expire", "crowd", "lb.policy=sticky;lb.health.interval=500ms", "310ms"),
    ("balancer.standby", "pair", "", "true"),
    ("balancer.drain", "deploy", "", "10s"),
    ("balancer.idle_timeout", "crowd", "users.tls=none", "200ms"),
    ("balancer.max_requests", "crowd", "users.tls=none", "3"),
    ("balancer.mode", "crowd", "", "connection"),
    ("balancer.upstream", "crowd", "", "{}"),
    ("balancer.upstream.keep_alive", "crowd", "lb.upstream.idle=5", "200ms"),
    ("balancer.upstream.idle", "crowd", "lb.upstream.keep_alive=20s", "1"),
    ("balancer.target_connections", "busy", "web.queue=0", "1"),
    ("balancer.target_queue", "busy", "lb.target_connections=1", "{ limit = 1 }"),
    ("balancer.target_queue.limit", "busy", "lb.target_connections=1;lb.target_queue.limit=5", "1"),
    ("balancer.target_queue.timeout", "busy", "lb.target_connections=1;lb.target_queue.limit=500", "10ms"),
    ("balancer.connect_cpu", "crowd", "users.keep_alive=0s", "1ms"),
];

const SERVERS: &[Row] = &[
    ("server.count", "balancer", "", "3"),
    ("server.on", "queue", "", "mill"),
    ("server.instance", "server", "", "m7i.large"),
    ("server.cores", "server", "", "4"),
    ("server.memory", "server", "", "800MiB"),
    ("server.speed", "server", "", "2"),
    ("server.price", "server", "", "1"),
    ("server.scheduling", "server", "", "fifo"),
    ("server.preempt", "server", "web.scheduling=fifo;web.cores=1;request.write.priority=1", "true"),
    ("server.workers", "server", "", "2"),
    ("server.queue", "server", "", "3"),
    ("server.queue_order", "server", "web.workers=2", "lifo"),
    ("server.queue_order", "server", "web.workers=2", "adaptive"),
    ("server.shed", "server", "web.workers=2", "{ age = '20ms' }"),
    ("server.shed.age", "server", "web.workers=2", "20ms"),
    ("server.shed.codel", "server", "web.workers=2", "{}"),
    ("server.backlog", "server", "", "30"),
    ("server.overflow", "server", "web.workers=1;web.queue=0;web.backlog=1", "refuse"),
    ("server.overflow", "server", "web.queue=3;web.backlog=5", "refuse"),
    ("server.base_memory", "server", "web.memory=800MiB", "790MiB"),
    ("server.memory_per_call", "server", "web.memory=800MiB", "100MiB"),
    ("server.on_memory", "server", "web.memory=800MiB;web.memory_per_call=100MiB", "oom-kill"),
    ("server.restart", "server", "web.memory=800MiB;web.memory_per_call=100MiB;web.on_memory=oom-kill", "2s"),
    ("server.timeout", "server", "", "20ms"),
    ("server.connect_timeout", "server", "", "20ms"),
    ("server.idle_timeout", "users", "users.tls=none", "200ms"),
    ("server.max_requests", "users", "users.tls=none", "3"),
    ("server.connect_cpu", "users", "users.keep_alive=0s", "1ms"),
    ("server.health_cpu", "balancer", "lb.health.kind=page", "5ms"),
    ("server.propagate", "server", "users.propagate=true;users.timeout=200ms", "true"),
    ("server.cancel", "server", "users.cancel=true;users.timeout=200ms", "true"),
    ("server.rate_limit", "server", "", "{ rate = '50/s' }"),
    ("server.rate_limit.rate", "server", "web.rate_limit.rate=50/s", "60/s"),
    ("server.rate_limit.burst", "server", "web.rate_limit.rate=50/s", "3"),
    ("server.rate_limit.per", "server", "web.rate_limit.rate=50/s", "class"),
    ("server.limit", "server", "", "{ calls = 3 }"),
    ("server.limit.calls", "server", "web.limit.calls=5", "3"),
    ("server.limit.gradient", "server", "", "{}"),
    ("server.limit.gradient.probe", "server", "web.limit.gradient.min=3", "5s"),
    ("server.limit.gradient.min", "server", "web.limit.gradient.probe=60s", "5"),
    ("server.limit.gradient.buffer", "server", "web.limit.gradient.probe=60s", "80%"),
    ("server.db_pool", "server", "", "1"),
    ("server.db_pool.size", "server", "", "1"),
    ("server.db_pool.wait", "server", "web.db_pool.size=1", "1ms"),
    ("server.db_pool.idle", "server", "web.db_pool.size=10", "10ms"),
    ("server.db_pool.life", "server", "web.db_pool.size=10", "100ms"),
    ("server.db_pool.min", "server", "web.db_pool.idle=10ms", "5"),
    ("server.pool_min", "server", "web.count=2;db.connections=1", "1"),
    ("server.pool_timeout", "server", "web.db_pool=1", "1ms"),
    ("server.health_worker", "balancer", "web.workers=1;web.queue=500;lb.health.kind=page", "true"),
    ("server.liveness", "balancer", "", "{ interval = '1s' }"),
    ("server.liveness.interval", "balancer", "web.liveness.fall=1", "500ms"),
    ("server.liveness.timeout", "balancer", "web.liveness.interval=1s", "100ms"),
    ("server.liveness.fall", "balancer", "web.liveness.interval=500ms", "1"),
    ("server.liveness.kind", "balancer", "web.liveness.interval=1s", "connect"),
    ("server.liveness.initial", "balancer", "web.liveness.interval=1s", "3s"),
    ("server.on_memory", "server", "web.memory=600MiB;web.memory_per_call=100MiB", "swap"),
    (
        "server.swap",
        "server",
        "web.memory=600MiB;web.memory_per_call=100MiB;web.on_memory=swap",
        "{ size = '200MiB' }",
    ),
    (
        "server.swap.size",
        "server",
        "web.memory=600MiB;web.memory_per_call=100MiB;web.on_memory=swap",
        "200MiB",
    ),
    (
        "server.swap.penalty",
        "server",
        "web.memory=600MiB;web.memory_per_call=100MiB;web.on_memory=swap",
        "10",
    ),
    ("server.gc", "server", "", "{}"),
    ("server.gc.heap", "server", "web.gc.live=64MiB", "200MiB"),
    ("server.gc.live", "server", "web.gc.heap=256MiB", "100MiB"),
    ("server.gc.allocate", "server", "web.gc.heap=256MiB", "2MiB"),
    ("server.gc.pause", "server", "web.gc.heap=256MiB", "70ms"),
    ("server.gc.per_live_call", "server", "web.gc.heap=256MiB", "20ms"),
    ("server.cpu_quota", "server", "", "{ quota = '20ms' }"),
    ("server.cpu_quota.quota", "server", "web.cpu_quota.quota=60ms", "30ms"),
    ("server.cpu_quota.period", "server", "web.cpu_quota.quota=30ms", "50ms"),
    ("server.cpu_quota.burst", "server", "web.cpu_quota.quota=50ms", "20ms"),
    ("server.errors", "server", "", "{ share = 0.1 }"),
    ("server.errors.share", "server", "web.errors.share=10%", "20%"),
    ("server.errors.as", "server", "web.errors.share=10%", "rejected"),
    ("server.errors.time", "server", "web.errors.share=10%", "1ms"),
    ("server.sessions", "users", "", "{ memory = '1MiB' }"),
    ("server.sessions.memory", "logins", "", "1MiB"),
    ("server.sessions.ttl", "logins", "", "250ms"),
    ("server.sessions.store", "stored", "", "kept"),
    ("server.sessions.cookie", "cookies", "", "true"),
    ("server.sessions.login", "users", "web.sessions.ttl=300ms", "{ query = 'db' }"),
    ("server.sigma", "server", "web.cores=4", "0.1"),
    ("server.kappa", "server", "web.cores=4", "0.1"),
];

const CACHES: &[Row] = &[
    ("cache.entries", "cache", "", "200"),
    ("cache.ttl", "cache", "", "2s"),
    ("cache.op", "cache", "", "3ms"),
    ("cache.timeout", "cache", "", "10ms"),
    ("cache.ttl_jitter", "cache", "memo.ttl=2s", "0.5"),
    ("cache.ttl_reset", "cache", "memo.ttl=2s", "true"),
    ("cache.evict", "cache", "", "fifo"),
    ("cache.evict", "cache", "memo.evict=fifo", "random"),
    ("cache.evict", "cache", "memo.evict=random", "lfu"),
    ("cache.evict", "cache", "memo.evict=lfu", "s3-fifo"),
    ("cache.coalesce", "cache", "memo.ttl=1s", "true"),
    ("cache.lease", "cache", "memo.ttl=1s;memo.coalesce=true", "20ms"),
    ("cache.stale_for", "cache", "memo.ttl=1s", "1s"),
    ("cache.negative", "cache", "request.read.missing=0.5", "1s"),
    ("cache.warm", "cache", "", "1.0"),
    ("cache.writes", "cache", "", "through"),
    ("cache.writes", "cache", "memo.writes=through", "behind"),
    ("cache.writes", "cache", "memo.writes=behind", "none"),
    ("cache.nodes", "cache", "", "3"),
    ("cache.virtual_nodes", "cache", "memo.nodes=3", "10"),
    ("cache.memory", "small", "", "200KiB"),
    ("cache.item", "small", "", "2KiB"),
    ("cache.cores", "cache", "memo.op=12ms", "4"),
    ("cache.speed", "cache", "", "2"),
    ("cache.price", "cache", "", "1"),
    ("cache.instance", "cache", "", "m7i.large"),
];

const QUEUES: &[Row] = &[
    ("queue.workers", "queue", "", "3"),
    ("queue.limit", "queue", "", "30"),
    ("queue.ack", "queue", "", "30ms"),
    ("queue.visibility", "queue", "", "30ms"),
    ("queue.dead", "dead", "jobs.visibility=30ms;jobs.max_receives=2", "lost"),
    ("queue.retention", "queue", "", "100ms"),
    ("queue.in_flight", "queue", "jobs.workers=4", "2"),
    ("queue.poll", "queue", "", "200ms"),
    ("queue.order", "queue", "", "lifo"),
    ("queue.max_receives", "queue", "jobs.visibility=30ms", "2"),
];

const AUTOSCALERS: &[Row] = &[
    ("autoscaler.min", "auto", "", "2"),
    ("autoscaler.max", "auto", "", "2"),
    ("autoscaler.metric", "auto", "up.goal=0.8", "inside"),
    ("autoscaler.goal", "auto", "", "80%"),
    ("autoscaler.every", "auto", "", "2s"),
    ("autoscaler.tolerance", "auto", "", "60%"),
    ("autoscaler.down_after", "auto", "", "3s"),
    ("autoscaler.kind", "auto", "", "step"),
    ("autoscaler.cooldown", "auto", "up.kind=step", "2s"),
    ("autoscaler.window", "auto", "", "5s"),
    ("autoscaler.boot", "auto", "", "2s"),
    ("autoscaler.start", "auto", "", "2s"),
    ("autoscaler.first_check", "auto", "", "3s"),
    ("autoscaler.warm_pool", "auto", "", "1"),
    ("autoscaler.schedule", "auto", "", "[['00:00:05', 4]]"),
    ("autoscaler.quota", "auto", "", "2"),
];

/// Everything that a trial of a scenario measures with these overrides, as text.
fn measured(name: &str, sets: &[(String, String)]) -> Result<String, String> {
    measured_text(&base(name), sets)
}

fn measured_text(text: &str, sets: &[(String, String)]) -> Result<String, String> {
    let loaded = load("keys.toml", text, sets, &NoFiles, KINDS);
    let scenario = loaded.map_err(|found| found.render(false))?.scenario;
    Ok(format!("{:?}", build(&scenario, Seed::new(1)).run(scenario.length(), &mut |_progress| false)))
}

/// The override that sets a key of a kind.
fn set_of(key: &str, value: &str) -> (String, String) {
    let (kind, rest) = key.split_once('.').expect("a key has its kind before it");
    let (_, name) = NAMES.iter().find(|(known, _)| *known == kind).expect("the kind is known");
    (format!("{name}.{rest}"), value.to_owned())
}

/// What is wrong with a row, if anything.
fn trouble(&(key, name, given, value): &Row) -> Option<String> {
    let given: Vec<(String, String)> = given
        .split(';')
        .filter_map(|set| set.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let with: Vec<_> = given.iter().cloned().chain([set_of(key, value)]).collect();
    match (measured(name, &given), measured(name, &with)) {
        (Ok(before), Ok(after)) if before == after => Some(format!("{key} = {value} changes nothing")),
        (Ok(_), Ok(_)) => None,
        (Err(found), _) | (_, Err(found)) => Some(format!("{key} = {value}\n{found}")),
    }
}

fn rows() -> Vec<Row> {
    let near = [near::NETWORKS, near::SWITCHES, near::MONITORS].concat();
    [CLIENTS, BALANCERS, SERVERS, CACHES, &near, QUEUES, AUTOSCALERS, data::NODES, data::REPLICAS].concat()
}

#[test]
fn each_key_changes_what_a_scenario_made_for_it_measures() {
    let mut text = String::new();
    let rows = rows();
    let found: Vec<String> = rows.par_iter().filter_map(trouble).collect();
    for trouble in &found {
        writeln!(text, "{trouble}").expect("a string grows");
    }
    assert!(found.is_empty(), "{} of {}\n{text}", found.len(), rows.len());
}

#[test]
fn each_key_of_a_fault_changes_what_happens() {
    let keys: BTreeSet<&str> = data::FAULTS.iter().map(|row| row.0).collect();
    let root = schema(KINDS);
    for key in properties(&root, &root["properties"]["fault"]["items"]).expect("a fault has keys").keys() {
        assert!(keys.contains(key.as_str()), "no row shows that `{key}` of a fault does something");
    }
    data::FAULTS.par_iter().for_each(|(key, name, fault, other)| {
        let [before, after] = [fault, other].map(|fault| {
            let text = base(name) + &data::table(fault);
            measured_text(&text, &[]).unwrap_or_else(|found| panic!("{key}: {found}"))
        });
        assert!(before != after, "{key}: {fault:?} and {other:?} do the same");
    });
}

#[test]
fn each_key_of_an_operation_changes_what_happens() {
    let keys: BTreeSet<&str> = data::OPERATIONS.iter().map(|row| row.0).collect();
    let root = schema(KINDS);
    let known = properties(&root, &root["properties"]["operation"]["items"]);
    for key in known.expect("an operation has keys").keys() {
        assert!(keys.contains(key.as_str()), "no row shows that `{key}` of an operation does something");
    }
    data::OPERATIONS.par_iter().for_each(|(key, row, other)| {
        let [before, after] = [row, other].map(|operation| {
            let table = if operation.is_empty() { "" } else { "[[operation]]\n" };
            let data = || base("shards").replace("shards = {", "working_set = '20MB'\nshards = {");
            let whole = match row {
                _ if row.contains("reshard") => data(),
                _ if row.contains("purge") => base("cache"),
                _ => base("dark"),
            };
            let text = format!("{whole}{table}{operation}\n");
            measured_text(&text, &[]).unwrap_or_else(|found| panic!("{key}: {found}"))
        });
        assert!(before != after, "{key}: {row:?} and {other:?} do the same");
    });
}

/// The properties of an object behind references, and behind an option of one.
fn properties<'a>(root: &'a Value, of: &'a Value) -> Option<&'a serde_json::Map<String, Value>> {
    let mut at = of;
    while let Some(name) = at["$ref"].as_str() {
        at = root.pointer(name.trim_start_matches('#'))?;
    }
    let options = at["anyOf"].as_array();
    let inner = options
        .filter(|all| all.iter().any(|one| one["type"] == "null"))
        .and_then(|all| all.iter().find(|one| one["$ref"].is_string()));
    match inner {
        Some(inner) => properties(root, inner),
        None => at["properties"].as_object(),
    }
}

#[test]
fn each_key_has_a_row_or_a_reason() {
    let root = schema(KINDS);
    let told: BTreeSet<&str> = rows().iter().map(|row| row.0).chain(OTHERS.map(|(key, _)| key)).collect();
    for (kind, _) in NAMES {
        let table = &root["properties"][kind]["additionalProperties"];
        for (key, value) in properties(&root, table).expect("a kind has keys") {
            let path = format!("{kind}.{key}");
            let inner = properties(&root, value).into_iter().flatten();
            let all = std::iter::once(path.clone()).chain(inner.map(|(key, _)| format!("{path}.{key}")));
            for path in all.filter(|path| !path.ends_with(".region") && !path.ends_with(".zone")) {
                assert!(told.contains(path.as_str()), "no row shows that `{path}` does something");
            }
        }
    }
}
