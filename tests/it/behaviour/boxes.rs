//! Databases, names, and machines with their steps.

use super::*;
use outgrow::theory::cache::zipf_hit_ratio;

// Databases -----------------------------------------------------------------------------------------------------------

fn with_database(client: &str, server: &str, database: &str) -> String {
    let server = format!("{server}\nsteps = [{{ query = 'db' }}]");
    format!("{}[database.db]\n{database}\n", one_box(client, &server))
}

#[test]
fn a_connection_too_many_is_rejected() {
    // Erlang's B formula for one connection and one erlang.
    check(
        &with_database("rate = '100/s'", "workers = 1000", "connections = 1\nread = '10ms'"),
        &[("rejected", about(0.5, 0.08)), ("db.inside", 0.0..=1.0)],
    );
}

#[test]
fn a_pool_caps_at_its_size_over_the_time_it_is_held() {
    // Two connections, each held for 20 ms, allow 100 queries a second, although the database could do more.
    check(
        &with_database("rate = '200/s'", "workers = 50\nqueue = 0\ndb_pool = 2", "cores = 16\nread = '20ms'"),
        &[("throughput", 99.5..=100.1), ("db.inside", 1.99..=2.0), ("db.utilisation", 0.12..=0.13)],
    );
}

#[test]
fn writes_that_wait_share_a_flush() {
    // Flushes of 10 ms allow 100 lone commits a second. Here 10 commits share a flush: each waits for half a flush on
    // average, and then takes part in one.
    let text = with_database(
        "rate = '1000/s'",
        "workers = 1000\ndb_pool = 1000",
        "cores = 64\nwrite = '1us'\ncommit = '10ms'\nconnections = 1000",
    );
    check(
        &format!("{text}[request.write]\neffect = 'write'\n"),
        &[("throughput", about(1000.0, 0.02)), ("mean_ms", about(15.0, 0.02))],
    );
}

#[test]
fn a_lone_writer_pays_every_flush() {
    let text = with_database("users = 1\nthink_time = '0s'", "", "write = '1us'\ncommit = '10ms'");
    check(
        &format!("{text}[request.write]\neffect = 'write'\n"),
        &[("throughput", about(99.99, 0.001)), ("mean_ms", 10.0..=10.01)],
    );
}

#[test]
fn what_the_buffer_misses_is_read_from_the_disk() {
    let pages = |gib: u64| (gib << 30) / (16 << 10);
    let miss = 1.0 - zipf_hit_ratio(pages(64), 0.99, pages(8));
    let database = "cores = 8\nmemory = '16GiB'\nbuffer = '8GiB'\nworking_set = '64GiB'\nread = '1us'\ndisk = { iops = 1000, latency = '1ms' }";
    let text = with_database(
        "rate = '500/s'",
        "workers = 1000\ndb_pool = 1000",
        &format!("{database}\nconnections = 1000"),
    );
    check(&text, &[("db.disk", about(0.5 * miss, 0.08)), ("ok", 1.0..=1.0)]);
    // Data that fit into the buffer are never read again.
    check(&text.replace("64GiB", "8GiB"), &[("db.disk", 0.0..=0.0)]);
}

// Names ---------------------------------------------------------------------------------------------------------------

fn two_boxes(client: &str, dns: &str) -> String {
    let steps = "public = true\nsteps = [{ cpu = '1ms' }]\n";
    format!(
        "{NEAR}[client.users]\ntarget = 'www'\n{client}\n[dns.www]\n{dns}\n[server.a]\n{steps}[server.b]\n{steps}"
    )
}

#[test]
fn a_resolver_asks_once_in_a_time_to_live() {
    // A lookup every 1 s of time to live and 0.1 s until the next request.
    check(
        &two_boxes("rate = '10/s'\nresolvers = 1", "records = ['a']\nttl = '1s'"),
        &[("www.rate", about(1.0 / 1.1, 0.05))],
    );
    check(
        &two_boxes("rate = '10/s'\nresolvers = 1", "records = ['a']\nttl = '1h'"),
        &[("www.rate", 0.0..=0.0)],
    );
    check(&two_boxes("rate = '10/s'", "records = ['a']\nttl = '0s'"), &[("www.rate", about(10.0, 0.15))]);
}

#[test]
fn records_are_given_in_turn_or_by_weight() {
    check(&two_boxes("rate = '100/s'", "records = ['a', 'b']\nttl = '0s'"), &[("a.share", 0.4999..=0.5001)]);
    let weighted = "records = [{ to = 'a', weight = 3 }, 'b']\nttl = '0s'\npolicy = 'weighted'";
    check(&two_boxes("rate = '100/s'", weighted), &[("a.share", about(0.75, 0.03))]);
}

#[test]
fn a_record_of_a_group_stands_for_all_its_machines() {
    let text = two_boxes("rate = '90/s'", "records = ['a']\nttl = '0s'")
        .replace("[server.a]\n", "[server.a]\ncount = 3\n");
    check(&text, &[("a-1.share", 0.333..=0.334), ("a-2.share", 0.333..=0.334), ("a-3.share", 0.333..=0.334)]);
}

#[test]
fn long_lives_of_answers_unbalance_the_boxes() {
    // Two resolvers serve two thirds and one third of the users, and each keeps one address for the whole run.
    let text = two_boxes("rate = '100/s'\nresolvers = 2", "records = ['a', 'b']\nttl = '1h'");
    check(&text, &[("larger(a,b)", about(2.0 / 3.0, 0.03))]);
}

// Machines ------------------------------------------------------------------------------------------------------------

#[test]
fn boxes_on_one_machine_share_its_cores() {
    // Each of the two boxes alone keeps the core half busy.
    let text = with_database("rate = '100/s'", "workers = 1000", "on = 'box'\nread = '5ms'")
        .replace("steps = [", "steps = [{ cpu = '5ms' }, ");
    check(&text, &[("box.utilisation", 0.97..=1.0), ("db.utilisation", 0.97..=1.0)]);
    let apart = text.replace("on = 'box'\n", "");
    check(&apart, &[("box.utilisation", about(0.5, 0.05)), ("db.utilisation", about(0.5, 0.05))]);
}

#[test]
fn cores_are_shared_as_the_scheduling_says() {
    // Three calls of 100 ms, 10 ms apart, on one core.
    for (scheduling, mean, max) in [("fifo", 190.0, 280.0), ("lifo", 190.0, 290.0), ("ps", 280.0, 285.0)] {
        let server = format!("scheduling = '{scheduling}'\nsteps = [{{ cpu = '100ms' }}]");
        let text = one_box("trace = 'three.csv'", &server).replace(NEAR, FROM_START);
        check(&text, &[("mean_ms", about(mean, 1e-6)), ("max_ms", about(max, 0.01)), ("ok", 1.0..=1.0)]);
    }
}

#[test]
fn steps_may_be_for_one_class_or_for_a_share() {
    let classes = "[request.a]\nshare = 20\n[request.b]\nshare = 80\n";
    let server = "cores = 4\nsteps = [{ cpu = '10ms', class = 'a' }, { cpu = '20ms', chance = '25%' }]";
    // 20 x 10 ms plus 100 x 25 % x 20 ms of work a second, on four cores.
    let text = format!("{}{classes}", one_box("rate = '100/s'", server));
    check(
        &text,
        &[("box.busy", about(0.7, 0.08)), ("a.share", about(0.2, 0.08)), ("b.mean_ms", about(5.0, 0.1))],
    );
}

#[test]
fn a_fan_out_waits_for_the_last_answer() {
    let other = "[server.leaf]\ncores = 4096\nworkers = 100000\nmemory = '1TiB'\nsteps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]\n";
    let text = |step: &str| {
        let server = format!("workers = 10000\nmemory = '1TiB'\nsteps = [{{ call = 'leaf', {step} }}]");
        format!("{}{other}", one_box("rate = '20/s'", &server))
    };
    // The mean of the largest of ten exponential times is 1 + 1/2 + ... + 1/10 times their mean.
    check(&text("parallel = 10"), &[("mean_ms", about(29.29, 0.06)), ("leaf.rate", about(200.0, 0.1))]);
    check(&text("times = 10"), &[("mean_ms", about(100.0, 0.04)), ("leaf.rate", about(200.0, 0.1))]);
    check(
        &text("times = 3, parallel = 2"),
        &[("mean_ms", about(45.0, 0.04)), ("leaf.rate", about(120.0, 0.1))],
    );
}

#[test]
fn an_instance_sets_cores_memory_and_price() {
    let text = one_box("rate = '100/s'", "instance = 'm7i.large'\nsteps = [{ cpu = '10ms' }]");
    let expect =
        [("box.cores", 2.0..=2.0), ("box.memory_mib", 8192.0..=8192.0), ("box.price", about(0.1008, 1e-6))];
    check(&text, &expect);
    let speed = outgrow::model::catalogue::find("m7i.large").expect("it is in the catalogue").speed;
    check(&text, &[("box.busy", about(1.0 / speed, 0.06))]);
    // A key of its own takes precedence over the instance.
    check(&text.replace("instance", "cores = 3\ninstance"), &[("box.cores", 3.0..=3.0)]);
}

#[test]
fn the_round_trip_is_paid_once_a_hop() {
    let text = with_database("rate = '50/s'", "", "read = '1us'")
        .replace("client = '0ms'\nsame_zone = '0ms'", "client = '40ms'\nsame_zone = '2ms'\njitter = 0");
    check(&text, &[("mean_ms", 42.0..=42.1)]);
}

#[test]
fn an_answer_after_the_deadline_is_no_goodput() {
    // An exponential time of mean 10 ms is below 10 ms with probability 1 - 1/e.
    let server = "workers = 1000\nsteps = [{ wait = { dist = 'exponential', mean = '10ms' } }]";
    let text = format!("{}[request.read]\ndeadline = '10ms'\n", one_box("rate = '200/s'", server));
    check(&text, &[("throughput", about(200.0, 0.04)), ("goodput", about(126.4, 0.06)), ("ok", 1.0..=1.0)]);
}
