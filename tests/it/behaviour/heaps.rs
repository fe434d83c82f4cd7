//! Heaps that are collected, and memory beyond the machine's.

use outgrow::model::record::Window;

use super::*;

/// The mean and the number of a figure of the box that is a time, in seconds.
fn times(record: &TrialRecord, name: &str) -> (f64, f64) {
    use outgrow::model::gauge::Reading;
    let component = record.components.iter().find(|one| one.name == "box").expect("there is a box");
    match component.gauges.iter().find(|(gauge, _)| gauge.name == name).map(|(_, reading)| reading) {
        Some(Reading::Time(tally)) => (tally.mean() / 1e9, tally.count() as f64),
        other => panic!("{name}: {other:?}"),
    }
}

/// A runtime whose heap has room for 192 MiB of garbage, and calls that leave 1 MiB each.
fn heap(rate: u32, keys: &str) -> String {
    one_box(
        &format!("rate = '{rate}/s'\narrivals = {{ dist = 'constant' }}"),
        &format!("workers = 4\nqueue = 100000\nsteps = [{{ cpu = '2ms' }}]\ngc = {{ {keys} }}"),
    )
}

#[test]
fn pauses_come_as_often_as_calls_fill_the_heap() {
    // rate * allocate / (heap - live) = 96 / 192 = 0.5 a second, 50 ms each: 2.5 % of the time.
    let (_, record) = run(&heap(96, "heap = '256MiB', live = '64MiB', allocate = '1MiB', pause = '50ms'"));
    let (mean, number) = times(&record, "gc_pause");
    assert!((mean - 0.05).abs() < 1e-9 && (49.0..=52.0).contains(&number), "{number} pauses of {mean} s");
    // The cores do no work of the calls meanwhile, and nobody is lost.
    check(&heap(96, ""), &[("ok", 1.0..=1.0), ("box.busy", about(0.192, 0.01)), ("max_ms", 50.0..=65.0)]);
    // The calls inside add their share to a pause. At most 4 hold a worker.
    let (_, record) = run(&heap(96, "per_live_call = '10ms'"));
    let (mean, _) = times(&record, "gc_pause");
    assert!((0.06..=0.09).contains(&mean), "{mean} s");
}

#[test]
fn pauses_take_their_share_of_what_the_cores_can_do() {
    // Each call costs 2 ms of the core and 1/192 of a pause of 192 ms: 333/s instead of 500/s.
    check(
        &heap(500, "pause = '192ms'").replace("100000", "10"),
        &[("throughput", about(1000.0 / 3.0, 0.02))],
    );
}

#[test]
fn a_heap_that_is_full_at_once_ends_the_process() {
    // 192 calls that wait hold all of it.
    let text = one_box(
        "rate = '20/s'\ntimeout = '1h'",
        "workers = 200\nrestart = '5s'\ngc = {}\nsteps = [{ wait = '1000s' }]",
    );
    let (_, record) = run(&text.replace("warmup = '10s'", "warmup = '0s'"));
    let first = record.timeline.iter().find(|note| note.event == "crash").expect("it dies").at.as_secs_f64();
    // 191 calls at 20/s, and a pause of 50 ms.
    assert!((7.0..=12.5).contains(&first), "{first}");
    let few = text.replace("workers = 200", "workers = 150");
    check(&few, &[("box.crashes", 0.0..=0.0)]);
}

#[test]
fn calls_that_wait_for_a_collector_keep_it_busy_when_the_spike_is_over() {
    // The case of garbage collection of Huang and others, OSDI 2022: 256 MiB, 100 threads, jobs of 100 ms, 220/s and 40 more or
    // fewer. 32 cores do 320/s without pauses; with c calls inside, which hold 1 MiB each, one of 150 ms comes after 192 - c calls, so
    // that 320 / (1 + 48 / (192 - c)) pass: 250/s with the 22 that 220/s need, 210/s with all 100 threads.
    let text = "[run]\nduration = '260s'\nwarmup = '0s'\n[network]\nclient = '0ms'\n[client.users]\nrate = '220/s'\n\
                arrivals = { dist = 'constant' }\ntarget = 'box'\ntimeout = '1h'\n\
                profile = { steps = [['0s', 1], ['20s', 1.1818], ['40s', 1], ['100s', 0.8182]] }\n\
                [server.box]\npublic = true\ncores = 32\nworkers = 100\nqueue = 100000\nmemory_per_call = '1KiB'\n\
                gc = { heap = '256MiB', live = '64MiB', allocate = '1MiB', pause = '150ms' }\nsteps = [{ cpu = '100ms' }]\n";
    let (_, record) = run(text);
    // Answers a second, and their mean time in seconds, in a part of the trial.
    let of = |from: f64, until: f64| {
        let inside =
            |window: &&Window| window.start_s >= from && window.start_s + window.length_s <= until + 1e-6;
        let some: Vec<&Window> = record.windows.iter().filter(inside).collect();
        let ok: u64 = some.iter().map(|window| window.ok).sum();
        let time: u128 = some.iter().map(|window| window.response_sum).sum();
        (ok as f64 / some.iter().map(|window| window.length_s).sum::<f64>(), time as f64 * 1e-9 / ok as f64)
    };
    let (calm, stuck, after) = (of(10.0, 20.0), of(60.0, 100.0), of(240.0, 260.0));
    assert!((calm.0 - 220.0).abs() < 6.0 && calm.1 < 0.3, "{calm:?}");
    assert!(
        (stuck.0 - 210.0).abs() < 6.0 && stuck.1 > 1.0,
        "20 s after the spike it is as busy as in it: {stuck:?}"
    );
    assert!((after.0 - 180.0).abs() < 6.0 && after.1 < 0.3, "only less load ends it: {after:?}");
}

#[test]
fn a_hundredth_of_the_memory_on_a_disk_makes_work_eleven_times_slower() {
    // 900 MiB and a call of 100 MiB are 1000 MiB, of which 10 are beyond 990 MiB: 1 + 1000 / 100.
    let keys =
        "memory = '990MiB'\nbase_memory = '900MiB'\nmemory_per_call = '100MiB'\nsteps = [{ cpu = '10ms' }]";
    let user = "users = 1\nthink_time = '10ms'";
    check(&one_box(user, &format!("on_memory = 'swap'\n{keys}")), &[("mean_ms", 109.99..=110.01)]);
    let slow = format!("on_memory = 'swap'\nswap = {{ penalty = 10000 }}\n{keys}");
    check(&one_box(user, &slow), &[("mean_ms", 1009.9..=1010.1)]);
    check(&one_box(user, keys), &[("out_of_memory", 1.0..=1.0)]);
}

#[test]
fn goodput_falls_off_a_cliff_where_memory_ends() {
    // At 120/s on 100/s the memory is full after 44.8 s, as without swap. From then on the queue grows the faster the slower the
    // work is, until the swap is full too: 2 GiB are 512 calls, and at 120/s that is 4.3 s.
    let text = one_box(
        "rate = '120/s'\narrivals = { dist = 'constant' }",
        &format!("{}on_memory = 'swap'\n", super::MEMORY.replace("workers = 1000", "workers = 10000")),
    );
    check(
        &text.replace("duration = '100s'\nwarmup = '10s'", "duration = '90s'\nwarmup = '0s'"),
        &[
            ("throughput@0..44", 99.0..=100.1),
            ("throughput@46..49", 0.0..=10.0),
            ("box.crash_s", 48.5..=50.0),
            ("box.memory_max_mib", 6100.0..=6144.0),
            ("throughput@61..90", 97.0..=100.1),
        ],
    );
}
