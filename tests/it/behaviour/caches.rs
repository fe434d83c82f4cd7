//! Caches, in front of a database and beside it.

use super::*;

/// Reads of 10,000 keys by Zipf's law through a cache with these keys, in front of a database that takes no time.
fn zipf(rate: &str, cache: &str) -> String {
    format!(
        "{}[request.read]\nkeys = 10000\nzipf = 0.99\n[cache.memo]\ntarget = 'db'\nop = '0ms'\n{cache}\n\
         [database.db]\nread = '0ms'\n",
        one_box(
            &format!("rate = '{rate}'"),
            "workers = 100000\nmemory = '64GiB'\nsteps = [{ query = 'memo' }]"
        )
        .replace("warmup = '10s'", "warmup = '20s'")
    )
}

/// Reads beside a box `slow` that takes 50 ms without a queue.
fn aside(rate: &str, class: &str, cache: &str) -> String {
    format!(
        "{}{class}[cache.memo]\nop = '0ms'\n{cache}\n[server.slow]\nworkers = 100000\nmemory = '900GiB'\nsteps = [{{ wait = '50ms' }}]\n",
        one_box(
            &format!("rate = '{rate}'"),
            "workers = 100000\nmemory = '900GiB'\nsteps = [{ cache = 'memo', miss = { call = 'slow' } }]"
        )
    )
}

#[test]
fn what_leaves_decides_the_share_of_hits() {
    // Che's approximation for LRU; the exact product form of FIFO and of random eviction, which is the same (Gelenbe 1973).
    for (evict, share) in [("lru", 0.6641), ("fifo", 0.6190), ("random", 0.6190)] {
        let text = zipf("2000/s", &format!("entries = 1000\nevict = '{evict}'"));
        check(&text, &[("memo.hit_share", share - 0.005..=share + 0.005)]);
    }
    // The most popular 1000 of 10,000, which LFU comes to; S3-FIFO lies between.
    let weight = |keys: u32| (1..=keys).map(|rank| libm::pow(f64::from(rank), -0.99)).sum::<f64>();
    let most = weight(1000) / weight(10_000);
    check(&zipf("2000/s", "entries = 1000\nevict = 'lfu'"), &[("memo.hit_share", most - 0.02..=most)]);
    check(&zipf("2000/s", "entries = 1000\nevict = 's3-fifo'"), &[("memo.hit_share", 0.672..=most)]);
}

#[test]
fn beside_a_database_as_in_front_of_it() {
    let class = "[request.read]\nkeys = 10000\nzipf = 0.99\n";
    let text = aside("2000/s", class, "entries = 1000");
    // The box behind is asked for what is missing; a fill that takes 50 ms makes a few more of them.
    check(&text, &[("memo.hit_share", 0.645..=0.67), ("slow.rate", 660.0..=710.0), ("ok", 1.0..=1.0)]);
}

#[test]
fn a_time_to_live_and_one_that_a_hit_starts_anew() {
    // r T / (1 + r T) of the reads hit; if each hit starts the time anew, those that come within T of the one before.
    let text = |keys: &str| {
        let class = "[request.read]\n";
        aside("1/s", class, &format!("ttl = '2s'\n{keys}"))
            .replace("wait = '50ms'", "wait = '0ms'")
            .replace("duration = '100s'", "duration = '20000s'")
    };
    check(&text(""), &[("memo.hit_share", 0.655..=0.678)]);
    check(&text("ttl_reset = true"), &[("memo.hit_share", 0.855..=0.874)]);
    // Times between 1 and 3 s, 2 s on average: the mean of r T / (1 + r T) is not what counts, but the mean of T.
    check(&text("ttl_jitter = '50%'"), &[("memo.hit_share", 0.655..=0.678)]);
}

/// The share of hits of reads at this rate, each of whose answers is kept for this number of seconds.
fn kept_for(rate: f64, seconds: f64) -> f64 {
    rate * seconds / (1.0 + rate * seconds)
}

#[test]
fn what_is_not_there_is_asked_for_each_time_unless_that_is_kept() {
    let at_once = |text: String| {
        text.replace("wait = '50ms'", "wait = '0ms'").replace("duration = '100s'", "duration = '20000s'")
    };
    let absent = "[request.read]\nkeys = 1\nmissing = '100%'\n";
    let all_go_on = [("memo.hit_share", 0.0..=0.0), ("slow.rate", about(1.0, 0.03)), ("ok", 1.0..=1.0)];
    check(&at_once(aside("1/s", absent, "")), &all_go_on);
    let share = kept_for(1.0, 2.0);
    let kept =
        [("memo.hit_share", about(share, 0.015)), ("memo.negative_hits", about(20_000.0 * share, 0.03))];
    check(&at_once(aside("1/s", absent, "negative = '2s'")), &kept);
    // A hit does not start that time anew.
    check(&at_once(aside("1/s", absent, "negative = '2s'\nttl = '2s'\nttl_reset = true")), &kept);
    // Ten keys that are there and ten that are not, of which each is asked for at its share of 20 reads a second.
    let some = "[request.read]\nkeys = 10\nmissing = '40%'\n";
    let hits = 0.6 * kept_for(1.2, 2.0) + 0.4 * kept_for(0.8, 1.0);
    let text = at_once(aside("20/s", some, "ttl = '2s'\nnegative = '1s'")).replace("20000s", "1000s");
    check(&text, &[("memo.hit_share", about(hits, 0.02)), ("memo.entries", 10.0..=20.0)]);
    // In front of a database as beside it.
    let front = zipf("20/s", "ttl = '2s'\nnegative = '1s'\n")
        .replace("keys = 10000\nzipf = 0.99", "keys = 10\nmissing = '40%'")
        .replace("duration = '100s'", "duration = '1000s'");
    check(&front, &[("memo.hit_share", about(hits, 0.02)), ("db.rate", about(20.0 * (1.0 - hits), 0.04))]);
}

#[test]
fn those_who_wait_hear_that_there_is_nothing() {
    // One asks and those who come within its 50 ms wait, although nothing is kept: a question each 50 ms and the time to the next.
    let absent = "[request.read]\nkeys = 1\nmissing = '100%'\n";
    let text = aside("1000/s", absent, "coalesce = true");
    let figures =
        [("slow.rate", about(1.0 / 0.051, 0.03)), ("max_ms", 40.0..=50.1), ("memo.hit_share", 0.0..=0.0)];
    check(&text, &figures);
    // With a time for which it is kept, a question each time that it is over.
    let text = aside("1000/s", absent, "coalesce = true\nnegative = '450ms'");
    check(&text, &[("slow.rate", about(2.0, 0.05)), ("memo.coalesced", about(100.0 * 2.0 * 50.0, 0.1))]);
}

#[test]
fn a_key_that_expires_is_asked_for_by_all_until_one_brings_it() {
    // 1000 reads a second, and 50 ms to get it: 1 + 1000 x 0.05 = 51 questions for each miss. In 100 s the entry expires each
    // second after it was brought the first time.
    let text = |keys: &str| {
        aside("1000/s", "[request.read]\n", &format!("ttl = '1s'\n{keys}")).replace(NEAR, FROM_START)
    };
    let cycles = 100.0 / 1.05;
    // Each answer starts the time to live anew, and the last one comes 50 ms after the first.
    check(&text(""), &[("slow.rate", about(51.0 / 1.1, 0.03))]);
    let one = [
        ("slow.rate", about(cycles / 100.0, 0.05)),
        ("memo.coalesced", about(50.0 * cycles, 0.1)),
        ("ok", 1.0..=1.0),
    ];
    check(&text("coalesce = true"), &one);
    // Nobody waits but the one who brings it. The first time there is nothing old to serve.
    let stale = text("stale_for = '10s'");
    check(
        &stale,
        &[
            ("slow.rate", about((cycles + 50.0) / 100.0, 0.06)),
            ("mean_ms", 0.0..=0.2),
            ("memo.coalesced", 0.0..=0.0),
        ],
    );
}

#[test]
fn one_who_never_brings_it_is_waited_for_no_longer_than_the_lease() {
    // The box behind is down for ten seconds. The first one brings nothing, and each 2 s the next one tries; all others wait.
    let text = aside("10/s", "[request.read]\n", "coalesce = true\nlease = '2s'").replace(NEAR, FROM_START);
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'slow'\nat = '0s'\nfor = '10s'\n";
    let figures = [("unavailable", 0.004..=0.008), ("ok", 0.992..=0.996), ("max_ms", 9_000.0..=12_500.0)];
    check(&format!("{text}{crash}"), &figures);
}

#[test]
fn a_flush_and_a_crash_empty_it_and_warmth_brings_it_back() {
    let flush = "[[fault]]\nkind = 'flush'\ntarget = 'memo'\nat = '50s'\n";
    let text = |cache: &str| {
        format!("{}{flush}", aside("1000/s", "[request.read]\nkeys = 100\n", cache)).replace(NEAR, FROM_START)
    };
    // Hundred keys are brought again, each by those who ask within 50 ms: 1 + 10 x 0.05.
    check(&text(""), &[("memo.fills", about(2.0 * 100.0 * 1.5, 0.15))]);
    check(&text("warm = '100%'\nentries = 100"), &[("memo.fills", about(100.0 * 1.5, 0.2))]);
    // A purge does what a flush does.
    let purge = text("").replace("[[fault]]\nkind = 'flush'", "[[operation]]\nkind = 'purge'");
    let fills = |text: &str| {
        let (scenario, record) = run(text);
        figure(&scenario, &record, "memo.fills")
    };
    assert_eq!(fills(&purge).to_bits(), fills(&text("")).to_bits());
    let crash = text("warm = '100%'\nentries = 100")
        .replace("'flush'", "'crash'")
        .replace("at = '50s'", "at = '50s'\nfor = '1s'");
    check(&crash, &[("ok", 1.0..=1.0), ("memo.fills", 0.0..=0.0), ("slow.rate", about(10.0, 0.2))]);
}

#[test]
fn a_node_that_dies_takes_its_share_with_it() {
    // Four nodes with room for all keys. A dead one has a quarter of the keys, which the others do not have yet.
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'memo.node-2'\nat = '50s'\n";
    let class = "[request.read]\nkeys = 2000\n";
    let text = format!("{}{crash}", aside("2000/s", class, "nodes = 4\nvirtual_nodes = 1000"))
        .replace(NEAR, FROM_START);
    // Each key is brought once by 1.05 callers, who come within 50 ms, and those of the dead node once more.
    check(&text, &[("ok", 1.0..=1.0), ("slow.rate", about(2000.0 * 1.05 * 1.25 / 100.0, 0.06))]);
}

#[test]
fn a_value_that_was_written_meanwhile_may_be_kept() {
    // A reader gets the value in 50 ms; 20 writes a second come meanwhile: 1 - exp(-1) of the values are old when they are kept.
    let classes = "[request.read]\nshare = 1\n[request.write]\neffect = 'write'\nshare = 20\n";
    let text = |keys: &str| aside("21/s", classes, keys).replace("duration = '100s'", "duration = '2000s'");
    let (scenario, record) = run(&text(""));
    let [sets, fills] = ["memo.stale_sets", "memo.fills"].map(|name| figure(&scenario, &record, name));
    assert!(about(0.632, 0.06).contains(&(sets / fills)), "{sets} of {fills}");
    // Where one brings it for all, it is not kept.
    check(&text("coalesce = true"), &[("memo.stale_sets", 0.0..=0.0), ("ok", 1.0..=1.0)]);
    // With "through" the writer brings the new value.
    check(&text("writes = 'through'"), &[("memo.hit_share", 0.99..=1.0)]);
}

/// Reads and writes of one key at these rates, through a cache beside a database; neither takes any time.
fn kept_beside(reads: f64, writes: f64, cache: &str, database: &str) -> String {
    let classes = format!(
        "[request.read]\nkeys = 1\nshare = {reads}\n[request.write]\neffect = 'write'\nkeys = 1\nshare = {writes}\n"
    );
    let rate = reads + writes;
    format!(
        "{}{classes}[cache.memo]\nop = '0ms'\n{cache}\n[database.db]\nread = '0ms'\nwrite = '0ms'\ncommit = '0ms'\n{database}",
        one_box(
            &format!("rate = '{rate}/s'"),
            "workers = 1000\nsteps = [{ cache = 'memo', miss = { query = 'db' } }]"
        )
        .replace("duration = '100s'", "duration = '20000s'")
    )
}

/// The share of reads that get an old value where nobody drops what was written: those at the age a, up to T, are old with the
/// probability 1 - exp(-w a).
fn old_until_it_expires(reads: f64, writes: f64, seconds: f64) -> f64 {
    let old = seconds - (1.0 - libm::exp(-writes * seconds)) / writes;
    reads * old / (1.0 + reads * seconds)
}

#[test]
fn what_nobody_drops_is_old_until_it_expires() {
    let share = old_until_it_expires(5.0, 0.5, 2.0);
    let old = [
        ("memo.stale_read_share", about(share, 0.03)),
        ("memo.stale_reads", about(100_000.0 * share, 0.04)),
        ("memo.stale_sets", 0.0..=0.0),
    ];
    check(&kept_beside(5.0, 0.5, "ttl = '2s'\nwrites = 'none'", ""), &old);
    // The same where writes do not come by the cache, of a cache in front of the database, and of one in front of another cache.
    let past = kept_beside(5.0, 0.5, "ttl = '2s'", "").replace(
        "[{ cache = 'memo', miss = { query = 'db' } }]",
        "[{ cache = 'memo', miss = { query = 'db' }, class = 'read' }, { query = 'db', class = 'write' }]",
    );
    check(&past, &old);
    let front = |cache: &str, steps: &str| {
        kept_beside(5.0, 0.5, cache, "").replace("{ cache = 'memo', miss = { query = 'db' } }", steps)
    };
    let target = "target = 'db'\nttl = '2s'\nwrites = 'none'";
    check(&front(target, "{ query = 'memo' }"), &old);
    let second =
        format!("ttl = '2s'\nwrites = 'none'\ntarget = 'far'\n[cache.far]\n{}", target.replace("2s", "1ns"));
    check(&front(&second, "{ query = 'memo' }"), &old);
    // A copy of an old value is as old as that: what is kept for a second is older where it comes from a cache that keeps it for two.
    let second = "target = 'far'\nttl = '1s'\nwrites = 'none'\n[cache.far]\n".to_owned() + target;
    let (scenario, record) = run(&front(&second, "{ query = 'memo' }"));
    let (older, alone) =
        (figure(&scenario, &record, "memo.stale_read_share"), old_until_it_expires(5.0, 0.5, 1.0));
    assert!(older > 1.5 * alone, "{older} and {alone}");
    // Several nodes of the cache, and shards of the database, some of whose keys have copies.
    let parts = kept_beside(
        50.0,
        5.0,
        "ttl = '2s'\nwrites = 'none'\nnodes = 3",
        "shards = { count = 2, hot = { keys = 3, copies = 2 } }\n",
    )
    .replace("keys = 1\n", "keys = 10\n")
    .replace("20000s", "2000s");
    let (scenario, record) = run(&parts);
    let of_node = |node| figure(&scenario, &record, &format!("memo.node-{node}.stale_reads"));
    let of_all: f64 = (1..=3).map(of_node).sum();
    assert!(about(100_000.0 * share, 0.04).contains(&of_all), "{of_all}");
    // Without writes nothing is old.
    let text = kept_beside(5.0, 0.5, "ttl = '2s'\nwrites = 'none'", "").replace("effect = 'write'\n", "");
    check(&text, &[("memo.stale_reads", 0.0..=0.0)]);
}

#[test]
fn what_is_dropped_or_renewed_is_old_for_the_way_of_that_message() {
    for writes in ["delete", "through"] {
        let cache = format!("writes = '{writes}'");
        check(&kept_beside(5.0, 0.5, &cache, ""), &[("memo.stale_reads", 0.0..=0.0)]);
        // The answer to the writer takes 10 ms, and its message to the cache 10 ms more.
        let text =
            kept_beside(5.0, 0.5, &cache, "").replace("same_zone = '0ms'", "same_zone = '20ms'\njitter = 0");
        // The entry is there then unless nobody has read it since the write before, or it is on its way.
        let there = if writes == "delete" { 5.0 / 5.5 * libm::exp(-0.5 * 0.04) } else { 1.0 };
        let share = there * (1.0 - libm::exp(-0.5 * 0.02));
        // An old value that is brought comes before the message that drops it, but for some of two writes within 20 ms.
        check(&text, &[("memo.stale_read_share", about(share, 0.12)), ("memo.stale_sets", 0.0..=8.0)]);
    }
    // Written behind, the cache is ahead of its database.
    let behind = kept_beside(5.0, 0.5, "target = 'db'\nwrites = 'behind'", "commit = '50ms'")
        .replace("commit = '0ms'\n", "")
        .replace("{ cache = 'memo', miss = { query = 'db' } }", "{ query = 'memo' }");
    check(&behind, &[("memo.stale_reads", 0.0..=0.0), ("memo.hit_share", 0.99..=1.0)]);
}

#[test]
fn a_reader_who_keeps_what_a_replica_has_keeps_the_old_value_until_the_next_write() {
    // A read within the lag L after a write brings the old value, and all reads until the next write get it.
    let link = "[[network.link]]\nbetween = ['db.primary', 'db.replica-1']\nrtt = '200ms'\n";
    let database = "replicas = 1\nreplication = 'async'\nreads = 'replicas'\n";
    let text = kept_beside(5.0, 0.5, "", database) + link;
    let share = 5.0 / 5.5 * (1.0 - libm::exp(-5.5 * 0.1));
    check(&text, &[("memo.stale_read_share", about(share, 0.06))]);
}

#[test]
fn writes_that_are_answered_before_they_are_done() {
    let classes = "[request.write]\neffect = 'write'\nkeys = 10\n";
    let text = |writes: &str| {
        format!(
            "{}{classes}[cache.memo]\ntarget = 'db'\nwrites = '{writes}'\n[database.db]\nwrite = '0ms'\ncommit = '50ms'\n",
            one_box("rate = '1000/s'", "workers = 1000\ndb_pool = 1000\nsteps = [{ query = 'memo' }]")
        )
    };
    check(&text("through"), &[("mean_ms", 50.0..=120.0), ("db.rate", about(1000.0, 0.05))]);
    // Ten keys, of which each is written again before its turn: ten writes for each commit of 50 ms, at most.
    check(
        &text("behind"),
        &[("mean_ms", 0.0..=0.2), ("db.rate", 100.0..=210.0), ("memo.behind", 5.0..=20.0)],
    );
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'memo'\nat = '50s'\nfor = '1s'\n";
    check(&format!("{}{crash}", text("behind")), &[("memo.lost_writes", 5.0..=20.0)]);
}

/// A cold cache in front of a box that does 200 a second, one after the other, and of which 1000 a second ask: E35 of the chapter.
fn cold(slow: &str) -> String {
    format!(
        "[network]\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '300s'\nwarmup = '20s'\n\
         [request.read]\nkeys = 10000\nzipf = 0.99\n\
         [client.users]\nrate = '1000/s'\ntarget = 'box'\ntimeout = '1s'\nretry = {{ attempts = 3, backoff = '100ms', factor = 1 }}\n\
         [server.box]\npublic = true\nworkers = 1000000\nmemory = '9000GiB'\nmemory_per_call = '1KiB'\ntimeout = '1s'\n\
         steps = [{{ cache = 'memo', miss = {{ call = 'slow' }} }}]\n\
         [cache.memo]\nop = '0ms'\nentries = 5100\nwarm = 1.0\n\
         [server.slow]\ncores = 1\nworkers = 1\nscheduling = 'fifo'\nmemory_per_call = '1KiB'\nmemory = '9000GiB'\n{slow}\nsteps = [{{ cpu = '5ms' }}]\n\
         [[fault]]\nkind = 'flush'\ntarget = 'memo'\nat = '60s'\n"
    )
}

#[test]
fn a_cold_cache_stays_cold_behind_a_line_without_end() {
    // 1000 a second with 89.6 % of hits leave 104 of 200. Cold, the line grows beyond what anybody waits for, and nobody brings what
    // it gets: the hottest keys came back in the first second, and no others do.
    let figures = [("throughput@30..59", 950.0..=1050.0), ("throughput@240..300", 380.0..=520.0)];
    check(&cold("queue = 100000000"), &figures);
    // A line of a hundred places turns away, and what is taken is brought.
    let figures = [("throughput@61..77", 700.0..=990.0), ("throughput@100..300", 985.0..=1015.0)];
    check(&cold("queue = 100"), &figures);
}
