//! Each sort of resource at 80 % and at 120 %: it is named in both, warned of in the second, and no run exceeds its bound.

use super::{explained, read, result};

/// Something that is full at a rate of 100 requests a second.
struct Sort {
    name: &'static str,
    /// How `explain` names it.
    named: &'static str,
    text: &'static str,
    /// Whether the answers are limited too: users do not wait for what happens after the answer.
    limits: bool,
}

const HEAD: &str = "network = { client = '1ms', same_zone = '0ms' }\n";

const SORTS: &[Sort] = &[
    Sort {
        name: "cores",
        named: "the cores of `s`",
        text: "server.s = { public = true, steps = [{ cpu = '10ms' }] }",
        limits: true,
    },
    Sort {
        name: "disk",
        named: "the disk of `db`",
        // 38.7 % of the reads miss the buffer cache.
        text: "server.s = { public = true, cores = 8, steps = [{ call = 'db' }] }\n\
               database.db = { cores = 64, working_set = '100GiB', buffer = '1GiB', read = '0.1ms', disk = { iops = 38.7 } }",
        limits: true,
    },
    Sort {
        name: "workers",
        named: "the workers of `s`",
        text: "server.s = { public = true, workers = 10, steps = [{ wait = '100ms' }] }",
        limits: true,
    },
    Sort {
        name: "workers that wait for a helper",
        named: "the workers of `s`",
        text: "server.s = { public = true, workers = 10, steps = [{ wait = '20ms' }, { call = 'help', times = 2 }, { call = 'help', parallel = 8 }] }\n\
               server.help = { count = 8, cores = 8, steps = [{ cpu = '10ms' }, { wait = '50ms', chance = 0.0 }, { wait = '16.666667ms' }] }",
        limits: true,
    },
    Sort {
        name: "pool",
        named: "the connections to databases of `s`",
        text: "server.s = { public = true, cores = 8, db_pool = 5, steps = [{ query = 'db' }] }\n\
               database.db = { cores = 64, read = '50ms' }",
        limits: true,
    },
    Sort {
        name: "pool of a transaction",
        named: "the connections to databases of `s`",
        text: "server.s = { public = true, cores = 64, db_pool = 5, steps = [{ transaction = 'db', steps = [{ query = 'db' }, { cpu = '15ms' }, { call = 'help' }] }] }\n\
               server.help = { steps = [{ wait = '15ms' }] }\n\
               database.db = { cores = 64, read = '20ms' }",
        limits: true,
    },
    Sort {
        name: "connections of a balancer",
        named: "the connections of `lb`",
        text: "balancer.lb = { public = true, targets = ['web'], connections = 10 }\n\
               server.web = { workers = 200, steps = [{ wait = '100ms' }] }",
        limits: true,
    },
    Sort {
        name: "connections of a database",
        named: "the connections of `db`",
        text: "server.s = { public = true, cores = 8, steps = [{ call = 'db' }] }\n\
               database.db = { cores = 64, connections = 10, read = '100ms' }",
        limits: true,
    },
    Sort {
        name: "memory",
        named: "the memory of `s`",
        text: "server.s = { public = true, memory = '1GiB', memory_per_call = '51.2MiB', steps = [{ wait = '100ms' }] }",
        limits: true,
    },
    Sort {
        name: "rate limit",
        named: "the rate limit of `s`",
        text: "server.s = { public = true, cores = 8, rate_limit = { rate = '100/s', burst = 5 }, steps = [{ cpu = '1ms' }] }",
        limits: true,
    },
    Sort {
        name: "limit on reads",
        named: "the limit on reads of `db`",
        text: "server.s = { public = true, cores = 8, steps = [{ call = 'db' }] }\n\
               database.db = { cores = 64, read_limit = '100/s' }",
        limits: true,
    },
    Sort {
        name: "limit on writes",
        named: "the limit on writes of `db`",
        text: "server.s = { public = true, cores = 8, steps = [{ call = 'db' }] }\n\
               database.db = { cores = 64, write_limit = '100/s' }\nrequest.w = { effect = 'write' }",
        limits: true,
    },
    Sort {
        name: "link",
        named: "the link of `s to u`",
        text: "server.s = { public = true, cores = 8, steps = [{ cpu = '1ms' }] }\n\
               network.link = [{ between = ['s', 'u'], bandwidth = '10MB' }]\nrequest.r = { response_size = '100KB' }",
        limits: true,
    },
    Sort {
        name: "cores of a replica",
        named: "the cores of `db.replica-1`",
        text: "server.s = { public = true, cores = 8, steps = [{ call = 'db' }] }\n\
               database.db = { replicas = 1, connections = 5000, read = '10ms' }",
        limits: true,
    },
    Sort {
        name: "apply workers",
        named: "the apply workers of `db.replica-1`",
        text: "server.s = { public = true, cores = 8, steps = [{ call = 'db' }] }\n\
               database.db = { cores = 8, replicas = 1, write = '10ms' }\nrequest.w = { effect = 'write' }",
        limits: false,
    },
    Sort {
        name: "workers of a queue",
        named: "the workers of `q`",
        text: "server.s = { public = true, cores = 8, steps = [{ call = 'q' }] }\n\
               queue.q = { target = 'help', workers = 10 }\nserver.help = { count = 2, steps = [{ wait = '100ms' }] }",
        limits: false,
    },
];

fn at(sort: &Sort, rate: u32) -> String {
    let head = if sort.text.contains("network.") {
        "network.client = '1ms'\nnetwork.same_zone = '0ms'\n"
    } else {
        HEAD
    };
    let target = if sort.text.starts_with("balancer") { "lb" } else { "s" };
    format!("{head}client.u = {{ target = '{target}', rate = '{rate}/s' }}\n{}\n", sort.text)
}

#[test]
fn each_sort_is_named_at_80_percent_and_no_queue_grows() {
    for sort in SORTS {
        let (scenario, warnings) = read(&at(sort, 80));
        assert_eq!(warnings, Vec::<String>::new(), "{}", sort.name);
        let said = explained(&scenario);
        let named = format!("bottleneck: {}, ", sort.named);
        assert!(said.contains(&named), "{}: {named}\n{said}", sort.name);
        let result = result(&scenario, 1, 10, 60);
        assert!(result.steady_state.reached, "{}: {:?}", sort.name, result.steady_state);
    }
}

#[test]
fn each_sort_is_warned_of_at_120_percent_and_no_run_exceeds_its_bound() {
    for sort in SORTS {
        let (scenario, warnings) = read(&at(sort, 120));
        let warned = warnings.iter().any(|one| one.starts_with(sort.named) && one.contains("120 %"));
        assert!(warned, "{}: {warnings:#?}", sort.name);
        let said = explained(&scenario);
        assert!(said.contains(&format!("bottleneck: {}, asked for", sort.named)), "{}: {said}", sort.name);
        let most = scenario.load().clients[0].throughput_max;
        assert!((most - if sort.limits { 100.0 } else { 120.0 }).abs() < 0.5, "{}: {most}", sort.name);
        let result = result(&scenario, 1, 10, 60);
        let answers = result.metrics.throughput_rps.mean.expect("a trial");
        assert!(answers <= most * 1.03, "{}: {answers} of {most}", sort.name);
        if sort.limits {
            assert!(answers > most * 0.85, "{}: {answers} of {most}: something else limits it", sort.name);
        }
    }
}

/// The bottleneck of a run has the name of the resource that binds, not of those that calls hold meanwhile.
#[test]
fn the_bottleneck_of_a_run_is_the_resource_that_binds() {
    for sort in SORTS.iter().filter(|sort| sort.limits) {
        let (scenario, _) = read(&at(sort, 120));
        let load = scenario.load();
        let row = load.bottleneck().expect("something works");
        let found = result(&scenario, 1, 10, 60).bottleneck.expect("something binds");
        assert_eq!(found.resource, row.resource.name, "{}: {found:?}", sort.name);
        let is_it = found.component == row.name || found.component == row.member;
        assert!(is_it, "{}: {found:?} is not {}", sort.name, row.member);
    }
}
