//! Scenarios that make gauges move.

use super::{BALANCED, CLASSES, PUBLISHED, QUERIES, crash, replicated};

/// The kind of a box, the box, those of its gauges that a scenario makes move, and the scenario.
pub(super) type Mover = (&'static str, &'static str, Vec<&'static str>, String);

/// Scenarios that make gauges move.
pub(super) fn movers() -> Vec<Mover> {
    let some =
        vec![sheds(), errs(), kills(), throttles(), collects(), logs_in(), divides(), moves(), scales()];
    let some = [some, vec![alerts()]].concat();
    let some = [some, switches()].concat();
    [movers_before_servers(), some, doors(), careful(), movers_from_servers_on(), caches()].concat()
}

/// Data that are divided, of which a part is down.
fn divides() -> Mover {
    let text = "[request.read]\nkeys = 1000\n[client.users]\nrate = '100/s'\ntarget = 'web'\n[server.web]\npublic = true\n\
             steps = [{ query = 'db' }, { query = 'db', scatter = 'all', partial = true }]\n\
             [database.db]\nshards = { count = 3 }\n"
                .to_owned()
                + &crash("db.shard-2");
    ("database", "db", vec!["hottest_share", "partial"], text)
}

/// Data that move to another shard.
fn moves() -> Mover {
    let text = "[request.read]\nkeys = 1000\n[client.users]\nrate = '10/s'\ntarget = 'web'\n[server.web]\npublic = true\n\
             steps = [{ query = 'db' }]\n[database.db]\nworking_set = '100MB'\nshards = { count = 3 }\n\
             [[operation]]\nkind = 'reshard'\ntarget = 'db'\nat = '15s'\nto = 4\n"
        .to_owned();
    ("database", "db", vec!["moved_keys", "moved_bytes", "move_s"], text)
}

fn movers_before_servers() -> Vec<Mover> {
    let balanced = |keys: &str, rest: &str| format!("{BALANCED}{keys}\n{rest}");
    vec![
        ("client", "users", vec!["retries", "retries_refused"], {
            "[client.users]\nrate = '100/s'\ntarget = 'web'\ntimeout = '1ms'\n\
             retry = { attempts = 3, backoff = '1ms', budget = 0.1 }\n\
             [server.web]\npublic = true\nsteps = [{ wait = '20ms' }]\n"
                .to_owned()
        }),
        ("client", "users", vec!["lookups", "lookups_failed"], {
            "[client.users]\nrate = '10/s'\ntarget = 'www'\n[dns.www]\nrecords = ['web']\nttl = '1s'\n\
             [server.web]\npublic = true\nsteps = [{ wait = '20ms' }]\n\
             [[fault]]\nkind = 'dns-empty'\ntarget = 'www'\nat = '20s'\nfor = '10s'\n"
                .to_owned()
        }),
        ("client", "users", vec!["next_addresses"], {
            "[client.users]\nrate = '10/s'\ntarget = 'www'\n[dns.www]\nrecords = ['web']\nttl = '1s'\n\
             [server.web]\npublic = true\ncount = 2\nsteps = [{ wait = '20ms' }]\n"
                .to_owned()
                + &crash("web-2")
        }),
        ("client", "users", vec!["connects", "connects_per_request", "reset_on_idle"], {
            "[client.users]\nusers = 100\nthink_time = { dist = 'exponential', mean = '500ms' }\ntarget = 'web'\nkeep_alive = '2s'\n\
             [server.web]\npublic = true\nidle_timeout = '1s'\nsteps = [{ wait = '20ms' }]\n"
                .to_owned()
        }),
        ("server", "web", vec!["connects", "connects_per_request"], {
            format!("{QUERIES}db_pool = {{ idle = '10ms' }}\n[database.db]\nread = '1ms'\n")
        }),
        ("server", "web", vec!["pool_timeouts"], {
            format!("{QUERIES}db_pool = 1\npool_timeout = '50ms'\n[database.db]\nread = '100ms'\n")
        }),
        ("dns", "www", vec!["withdrawals"], {
            "[client.users]\nrate = '10/s'\ntarget = 'www'\n\
             [dns.www]\nrecords = ['web']\nhealth = { interval = '2s', misses = 2 }\n\
             [server.web]\npublic = true\ncount = 2\nsteps = [{ wait = '20ms' }]\n"
                .to_owned()
                + &crash("web-2")
        }),
        ("balancer", "lb", vec!["retries", "ejections"], {
            balanced("retries = 1\nejection = { failures = 2, max_share = 0.9 }", &crash("web-1"))
        }),
        ("balancer", "lb", vec!["sessions_lost", "checks_failed"], {
            balanced("policy = 'sticky'\nhealth = { interval = '1s', fall = 1 }", &crash("web-1"))
        }),
        ("balancer", "lb", vec!["connects", "connects_per_request", "reset_on_idle"], {
            "[network]\nsame_zone = '40ms'\n[client.users]\nusers = 5\ntarget = 'lb'\n\
             think_time = { dist = 'exponential', mean = '500ms' }\n[server.web]\nidle_timeout = '500ms'\nsteps = [{ cpu = '1ms' }]\n\
             [balancer.lb]\npublic = true\ntargets = ['web']\nupstream = {}\n"
                .to_owned()
        }),
        ("balancer", "lb", vec!["fail_open"], {
            balanced("panic = 0.9\nhealth = { interval = '1s', fall = 1 }", &crash("web-1"))
        }),
        ("balancer", "lb", vec!["timeouts", "queue_timeouts"], {
            balanced("timeout = '100ms'\nconnections = 1\nqueue = { limit = 100, timeout = '50ms' }", "")
                .replace("cpu = '1ms'", "wait = '1s'")
        }),
        ("balancer", "lb", vec!["takeovers"], balanced("standby = true", &crash("lb"))),
        ("balancer", "lb", vec!["limit"], balanced("limit = { gradient = {} }", "")),
    ]
}

/// A server that asks another one, which fails each call, with a step with these keys.
fn asks(keys: &str) -> String {
    format!(
        "[client.users]\nrate = '100/s'\ntarget = 'web'\ntimeout = '40ms'\ncancel = true\n\
         [server.web]\npublic = true\ncancel = true\nsteps = [{{ call = 'api', {keys} }}]\n\
         [server.api]\nrate_limit = {{ rate = '50/s', burst = 1 }}\n\
         steps = [{{ wait = {{ dist = 'exponential', mean = '20ms' }} }}, {{ wait = '5ms' }}]\n"
    )
}

/// Servers that take care with their calls.
fn careful() -> Vec<Mover> {
    let hedge = asks("hedge = { after = '10ms' }").replace("'50/s'", "'5000/s'");
    let late = "[client.users]\nrate = '120/s'\ntarget = 'lb'\ntimeout = '100ms'\npropagate = true\n\
                [balancer.lb]\npublic = true\ntargets = ['web']\n\
                [server.web]\nworkers = 1\npropagate = true\nsteps = [{ wait = '10ms' }]\n";
    let queued = "[client.users]\nrate = '120/s'\ntarget = 'lb'\ntimeout = '100ms'\npropagate = true\ncancel = true\n\
                  [balancer.lb]\npublic = true\ntargets = ['web']\nconnections = 1\nqueue = { limit = 1000 }\n\
                  [server.web]\nsteps = [{ wait = '10ms' }]\n";
    let refused = "[client.users]\nrate = '100/s'\ntarget = 'lb'\n\
                   [balancer.lb]\npublic = true\ntargets = ['web']\nretries = 1\nretries_on = ['rejected']\n\
                   retries_at = 'same'\nretries_budget = { kind = 'tokens' }\n\
                   [server.web]\nrate_limit = { rate = '10/s', burst = 1 }\nsteps = [{ wait = '1ms' }]\n";
    let work = "rate_limit = { rate = '30/s', burst = 1 }\nworkers = 1000\n\
                steps = [{ wait = { dist = 'exponential', mean = '20ms' } }]\n";
    let user = |keys: &str| {
        format!("[client.users]\nrate = '100/s'\ntarget = 'web'\n{keys}\n[server.web]\npublic = true\n{work}")
    };
    let lb = |keys: &str| {
        format!(
            "[client.users]\nrate = '200/s'\ntarget = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\n\
             {keys}\n[server.web]\ncount = 2\n{work}"
        )
    };
    vec![
        ("server", "web", vec!["retries", "retries_refused"], asks("retry = { attempts = 3, budget = 0.1 }")),
        ("server", "web", vec!["hedges", "hedges_won"], hedge),
        ("server", "api", vec!["cancelled"], asks("times = 1")),
        ("server", "web", vec!["throttled_locally"], asks("throttle = {}").replace("'50/s'", "'20/s'")),
        ("database", "db", vec!["swaps", "conflicts"], {
            "[client.users]\nrate = '100/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nsteps = [{ query = 'db', swap = true }]\n[database.db]\n"
                .to_owned()
        }),
        ("client", "users", vec!["hedges", "hedges_won"], user("hedge = { after = '10ms' }")),
        ("client", "users", vec!["breaker_opened", "breaker_denied"], user("breaker = { open = '1s' }")),
        ("client", "users", vec!["throttled_locally"], user("throttle = {}")),
        ("balancer", "lb", vec!["hedges", "hedges_won"], lb("hedge = { after = '10ms' }")),
        ("balancer", "lb", vec!["breaker_opened", "breaker_denied"], lb("breaker = { open = '1s' }")),
        ("balancer", "lb", vec!["throttled_locally"], lb("throttle = {}")),
        (
            "server",
            "web",
            vec!["breaker_opened", "breaker_denied"],
            asks("breaker = { share = '30%', open = '1s' }"),
        ),
        ("server", "web", vec!["dropped_late"], late.to_owned()),
        ("balancer", "lb", vec!["cancelled"], queued.replace("propagate = true\n", "")),
        ("balancer", "lb", vec!["dropped_late"], queued.replace("cancel = true\n", "")),
        ("balancer", "lb", vec!["retries_refused"], refused.to_owned()),
    ]
}

/// A cache with these keys beside a box that takes 50 ms; with 'w' there are writes too.
fn beside(cache: &str, kind: char) -> String {
    let write = if kind == 'w' { "[request.write]\neffect = 'write'\n" } else { "" };
    format!(
        "[request.read]\n{write}[client.users]\nrate = '200/s'\ntarget = 'web'\n\
         [server.web]\npublic = true\nworkers = 1000\nsteps = [{{ cache = 'memo', miss = {{ call = 'slow' }} }}]\n\
         [cache.memo]\nttl = '500ms'\n{cache}\n[server.slow]\nworkers = 1000\nsteps = [{{ wait = '50ms' }}]\n"
    )
}

/// Caches, in front of a database and beside one.
fn caches() -> Vec<Mover> {
    vec![
        ("cache", "memo", vec!["hit_share", "evictions", "expired", "fills", "entries"], {
            let cached = QUERIES.replace("'db'", "'memo'");
            format!(
                "[request.read]\nkeys = 50\n{cached}[database.db]\n\
                 [cache.memo]\ntarget = 'db'\nentries = 20\nttl = '100ms'\n"
            )
        }),
        ("cache", "memo", vec!["duplicate_fills", "stale_sets"], beside("", 'w')),
        ("cache", "memo", vec!["coalesced"], beside("coalesce = true", 'r')),
        ("cache", "memo", vec!["stale_reads", "stale_read_share"], {
            let data = "keys = 5\n[request.write]\neffect = 'write'\nkeys = 5\n[database.db]\n";
            beside("writes = 'none'", 'r')
                .replace("[request.read]\n", &format!("[request.read]\n{data}"))
                .replace("call = 'slow'", "query = 'db'")
        }),
        ("cache", "memo", vec!["negative_hits"], {
            let absent = "[request.read]\nkeys = 50\nmissing = '50%'\n";
            beside("negative = '1s'", 'r').replace("[request.read]\n", absent)
        }),
        ("cdn", "edge", vec!["negative_hits"], cdn("").replace("keys = 50", "keys = 50\nmissing = '50%'")),
        ("cdn", "edge", vec!["hit_share", "entries", "bytes_out"], cdn("")),
        ("cdn", "edge", vec!["evictions", "expired", "fills"], cdn("entries = 20\nttl = '500ms'\n")),
        ("cdn", "edge", vec!["duplicate_fills"], cdn("ttl = '500ms'\n")),
        ("cdn", "edge", vec!["coalesced"], cdn("ttl = '500ms'\ncoalesce = true\n")),
        ("cdn", "edge", vec!["stale_served"], cdn("ttl = '500ms'\nstale_for = '5s'\n")),
        ("cache", "memo", vec!["stale_served"], beside("stale_for = '10s'", 'r')),
        ("cache", "memo", vec!["behind", "lost_writes"], {
            let cached = QUERIES.replace("'db'", "'memo'");
            format!(
                "[request.write]\neffect = 'write'\nkeys = 50\n{cached}[database.db]\ncommit = '200ms'\n\
                 [cache.memo]\ntarget = 'db'\nwrites = 'behind'\n{}",
                crash("memo")
            )
        }),
    ]
}

/// Users far from the origin, and an edge near them with these keys.
fn cdn(keys: &str) -> String {
    format!(
        "[network]\nregions = 'aws'\n[request.photo]\nkeys = 50\ncacheable = true\nresponse_size = '1KiB'\n\
         [client.users]\nrate = '200/s'\ntarget = 'edge'\nregion = 'us-east-1'\n\
         [server.web]\npublic = true\nregion = 'ap-northeast-2'\nsteps = [{{ wait = '1ms' }}]\n\
         [cdn.edge]\norigin = 'web'\nregions = ['us-east-1']\n{keys}"
    )
}

/// Users who log in at a machine that dies.
fn logs_in() -> Mover {
    let users = "[client.users]\nusers = 100\nthink_time = '1s'\ntarget = 'web'\n\
                 [server.web]\npublic = true\nsessions = {}\nsteps = [{ cpu = '1ms' }]\n";
    ("server", "web", vec!["logins", "lost_sessions", "session_bytes"], users.to_owned() + &crash("web"))
}

/// A server that drops what has waited too long.
fn sheds() -> Mover {
    ("server", "web", vec!["shed"], {
        "[client.users]\nrate = '120/s'\ntarget = 'web'\n\
         [server.web]\npublic = true\nworkers = 1\nshed = { age = '100ms' }\nsteps = [{ wait = '10ms' }]\n"
            .to_owned()
    })
}

/// A server that answers errors.
fn errs() -> Mover {
    ("server", "web", vec!["errors_answered"], {
        "[client.users]\nrate = '20/s'\ntarget = 'web'\n\
         [server.web]\npublic = true\nerrors = { share = '10%' }\nsteps = [{ wait = '10ms' }]\n"
            .to_owned()
    })
}

/// Servers with limits at their doors.
fn doors() -> Vec<Mover> {
    vec![
        ("server", "web", vec!["limit"], {
            "[client.users]\nrate = '120/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nlimit = { calls = 3 }\nsteps = [{ wait = '10ms' }]\n"
                .to_owned()
        }),
        ("server", "web", vec!["workers_held"], {
            "[client.users]\nrate = '20/s'\ntarget = 'web'\n[request.page]\n[request.report]\nunits = 3\n\
             [server.web]\npublic = true\nsteps = [{ wait = '10ms' }]\n"
                .to_owned()
        }),
        ("server", "web", vec!["displaced"], {
            "[client.users]\nrate = '120/s'\ntarget = 'web'\n[request.paid]\n[request.free]\npriority = 1\n\
             [server.web]\npublic = true\nworkers = 1\nqueue = 5\nsteps = [{ wait = '10ms' }]\n"
                .to_owned()
        }),
    ]
}

/// An autoscaler of servers whose load grows and shrinks.
fn scales() -> Mover {
    ("autoscaler", "up", vec!["members", "scaled_up", "scaled_down", "react"], {
        "[client.users]\nrate = '150/s'\nprofile = { steps = [['0s', 1], ['6s', 3], ['20s', 1]] }\ntarget = 'lb'\n\
             [balancer.lb]\npublic = true\ntargets = ['web']\n[server.web]\nsteps = [{ cpu = '4ms' }]\n\
             [autoscaler.up]\ntarget = 'web'\nmax = 4\nevery = '1s'\nwindow = '1s'\ndown_after = '0s'\n\
             boot = '100ms'\nstart = '100ms'\n"
                .to_owned()
    })
}

/// Two sites of which one is lost for good, and needs tools for a switch that are gone for a time; and one that is back before that.
fn switches() -> Vec<Mover> {
    let sites = "[client.users]\nrate = '10/s'\ntarget = 'www'\n[dns.www]\nrecords = ['one', 'other']\nttl = '1s'\n\
                 [server.one]\npublic = true\nsteps = [{ query = 'db' }]\n[server.other]\npublic = true\nsteps = [{ query = 'db' }]\n\
                 [database.db]\nreplicas = 1\nreads = 'primary'\n[server.tools]\nsteps = [{ cpu = '1ms' }]\n\
                 [switch.over]\nfrom = ['one', 'db.primary']\nto = ['other', 'db.replica-1']\nneeds = ['tools']\nafter = '3s'\n\
                 steps = [['dns', '1s'], ['db', '1s']]\n\
                 [[fault]]\nkind = 'crash'\ntarget = 'one'\nat = '6s'\n";
    let gone =
        crash("tools").replace("20.5s", "30s") + "[run]\nduration = '95s'\nwarmup = '5s'\ntrials = 2\n";
    let all = ["switches", "switch", "noticed", "decided", "boot", "step_db", "step_dns", "paused", "pauses"];
    let back = "for = '25s'\n";
    vec![
        ("switch", "over", all.to_vec(), format!("{sites}{gone}")),
        ("switch", "over", vec!["called_off"], format!("{sites}{back}").replace("'3s'", "'30s'")),
    ]
}

/// An alert that comes late, that comes again, that comes without a fault, and a fault of which it says nothing.
fn alerts() -> Mover {
    ("monitor", "watch", vec!["alert_delay", "false_alerts", "missed", "flaps"], {
        let errors = |at: u32, share: u32, lasts: u32| {
            format!(
                "[[fault]]\nkind = 'errors'\ntarget = 'web'\nshare = '{share}%'\nat = '{at}s'\nfor = '{lasts}s'\n"
            )
        };
        "[client.users]\nrate = '50/s'\nprofile = { steps = [['0s', 1], ['32s', 0.1], ['35s', 1]] }\ntarget = 'web'\n\
             [server.web]\npublic = true\nsteps = [{ cpu = '1ms' }]\n[monitor.watch]\nscrape = '500ms'\nevaluate = '500ms'\n\
             [[monitor.watch.alert]]\non = 'throughput < 30/s'\nwindow = '1s'\n"
            .to_owned()
            + &errors(10, 100, 2)
            + &errors(13, 100, 2)
            + &errors(24, 5, 1)
    })
}

/// A server whose quota is used up.
fn throttles() -> Mover {
    ("server", "web", vec!["throttled_time"], {
        "[client.users]\nrate = '20/s'\ntarget = 'web'\n\
         [server.web]\npublic = true\ncpu_quota = { quota = '25ms' }\nsteps = [{ cpu = '10ms' }]\n"
            .to_owned()
    })
}

/// A server with a small heap.
fn collects() -> Mover {
    ("server", "web", vec!["gc_pause"], {
        "[client.users]\nrate = '20/s'\ntarget = 'web'\n\
         [server.web]\npublic = true\ngc = { heap = '80MiB' }\nsteps = [{ cpu = '10ms' }]\n"
            .to_owned()
    })
}

/// A server that hangs and is killed.
fn kills() -> Mover {
    ("server", "web", vec!["killed"], {
        "[client.users]\nrate = '20/s'\ntarget = 'web'\n\
         [server.web]\npublic = true\nliveness = { interval = '1s' }\nsteps = [{ wait = '10ms' }]\n\
         [[fault]]\nkind = 'hang'\ntarget = 'web'\nat = '20s'\n"
            .to_owned()
    })
}

fn movers_from_servers_on() -> Vec<Mover> {
    vec![
        ("server", "web", vec!["oom_kills", "restarts"], {
            "[client.users]\nrate = '120/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\ncores = 1\nworkers = 1000\nmemory = '2GiB'\n\
             base_memory = '512MiB'\nmemory_per_call = '4MiB'\non_memory = 'oom-kill'\nsteps = [{ cpu = '10ms' }]\n"
                .to_owned()
        }),
        ("server", "web", vec!["overflows"], {
            "[client.users]\nrate = '60/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nworkers = 1\nqueue = 0\nbacklog = 1\nsteps = [{ wait = '20ms' }]\n"
                .to_owned()
        }),
        ("server", "web", vec!["timeouts"], {
            format!("{QUERIES}timeout = '5ms'\n[database.db]\nread = '20ms'\n")
        }),
        ("server", "web", vec!["pool_wait", "pool_held"], {
            format!("{QUERIES}db_pool = 1\n[database.db]\ncores = 8\nread = '8ms'\n")
        }),
        ("database", "db", vec!["hit_share", "page_reads", "flushes"], {
            format!("{CLASSES}{QUERIES}[database.db]\nworking_set = '4GiB'\nbuffer = '3GiB'\ndisk = {{}}\n")
        }),
        ("database", "db", vec!["reroutes"], {
            format!("{CLASSES}{QUERIES}[database.db]\nreplicas = 2\n") + &crash("db.replica-1")
        }),
        ("database", "db", vec!["failovers"], {
            let failover = "failover = { interval = '1s', misses = 2, promote = '1s' }";
            format!("{CLASSES}{QUERIES}[database.db]\nreplicas = 2\n{failover}\n") + &crash("db.primary")
        }),
        (
            "database",
            "db",
            vec!["applying", "lag", "stale_reads", "stale_read_share", "own_writes_missed"],
            { replicated("ship = { every = '1s' }") },
        ),
        ("database", "db", vec!["lost_writes", "discarded_writes", "rto", "rpo"], {
            let failover = "failover = { interval = '1s', misses = 2, promote = '1s' }";
            replicated(&format!("ship = {{ every = '1s' }}\n{failover}")) + &crash("db.primary")
        }),
        ("database", "db", vec!["replayed_writes", "conflicting_writes"], {
            let failover = "failover = { interval = '1s', misses = 2, promote = '1s', recovery = 'script' }";
            // With more keys some of the lost ones have not been written since.
            replicated(&format!("ship = {{ every = '2s' }}\n{failover}")).replace("keys = 50", "keys = 2000")
                + &crash("db.primary")
        }),
        ("queue", "jobs", vec!["duplicates", "expired"], {
            "[client.users]\nrate = '100/s'\ntarget = 'jobs'\n\
             [queue.jobs]\ntarget = 'mill'\nvisibility = '10ms'\nretention = '1s'\n\
             [server.mill]\npublic = true\nsteps = [{ wait = { dist = 'exponential', mean = '20ms' } }]\n"
                .replace("target = 'jobs'", "target = 'web'")
                + "[server.web]\npublic = true\nsteps = [{ call = 'jobs' }]\n"
        }),
        ("queue", "jobs", vec!["published", "processed", "depth", "age", "completion", "empty_looks"], {
            format!("{PUBLISHED}poll = '3ms'\n[server.mill]\nsteps = [{{ cpu = '8ms' }}]\n")
        }),
        ("queue", "jobs", vec!["redelivered", "dead"], {
            format!(
                "{PUBLISHED}visibility = '10ms'\nmax_receives = 2\n[server.mill]\nsteps = [{{ wait = '20ms' }}]\n"
            )
        }),
    ]
}
