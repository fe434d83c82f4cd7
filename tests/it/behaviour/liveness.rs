//! Checks that kill a process, and checks with a worker of their own.

use super::*;

/// Times of an event of a component, in seconds.
fn times(record: &TrialRecord, name: &str, event: &str) -> Vec<f64> {
    let notes = record.timeline.iter().filter(|note| note.component == name && note.event == event);
    notes.map(|note| note.at.as_secs_f64()).collect()
}

/// How often an event of the box happened.
fn noted(record: &TrialRecord, event: &str) -> usize {
    times(record, "box", event).len()
}

/// One trial with each of some seeds.
fn trials(toml: &str, count: u64) -> Vec<TrialRecord> {
    let loaded = load("test.toml", toml, &[], &Known, KINDS).unwrap_or_else(|found| panic!("{found}"));
    let scenario = loaded.scenario;
    (1..=count).map(|seed| build(&scenario, Seed::new(seed)).run(scenario.length(), &mut |_| false)).collect()
}

/// A server with these keys, which hangs from 40 s to 90 s.
fn hangs(keys: &str) -> String {
    one_box("rate = '5/s'\ntimeout = '1s'", &format!("{keys}\nsteps = [{{ cpu = '1ms' }}]"))
        + "[[fault]]\nkind = 'hang'\ntarget = 'box'\nat = '40s'\nfor = '50s'\n"
}

#[test]
fn a_process_that_hangs_is_killed_and_is_back_after_its_restart() {
    // The next check comes within 10 s, and has no answer for 1 s; two more need 10 + 1 s each: 23 to 33 s, 28 on average.
    let records = trials(&hangs("liveness = {}\nrestart = '4s'"), 60);
    let delays: Vec<f64> = records
        .iter()
        .map(|record| {
            let killed = times(record, "box", "killed");
            assert_eq!(killed.len(), 1, "{killed:?}");
            // The hang that was to last until 90 s is over for the new process.
            let back = killed[0] + 4.0;
            assert!(
                (times(record, "box", "recover")[0] - back).abs() < 1e-6 && noted(record, "recover") == 1
            );
            assert_eq!(times(record, "box", "crash"), killed);
            killed[0] - 40.0
        })
        .collect();
    assert!(delays.iter().all(|delay| (23.0..=33.0).contains(delay)), "{delays:?}");
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    assert!((mean - 28.0).abs() < 1.5, "{mean}");
}

#[test]
fn a_restart_outlasts_the_hang_that_it_cures() {
    let records = trials(&hangs("liveness = { interval = '5s', fall = 1 }\nrestart = '49s'"), 5);
    for record in &records {
        let killed = times(record, "box", "killed");
        assert!((41.0..=46.0).contains(&killed[0]), "{killed:?}");
        assert!(
            (times(record, "box", "recover")[0] - killed[0] - 49.0).abs() < 1e-6
                && noted(record, "recover") == 1
        );
    }
}

#[test]
fn a_process_that_works_is_never_killed_and_a_connection_proves_little() {
    let idle =
        one_box("rate = '100/s'", "liveness = { interval = '1s', fall = 1 }\nsteps = [{ cpu = '5ms' }]");
    check(&idle, &[("box.crashes", 0.0..=0.0), ("ok", 1.0..=1.0)]);
    // The kernel of a process that hangs accepts connections.
    for record in
        trials(&hangs("backlog = 1000\nliveness = { interval = '1s', fall = 1, kind = 'connect' }"), 3)
    {
        assert!(times(&record, "box", "killed").is_empty());
    }
    // Until its listen queue is full: 5/s fill 20 places in 4 s.
    let full = "queue = 0\nbacklog = 20\nliveness = { interval = '1s', fall = 1, kind = 'connect' }";
    for record in trials(&hangs(full), 3) {
        let killed = times(&record, "box", "killed");
        assert!((42.0..=48.0).contains(&killed[0]), "{killed:?}");
    }
}

#[test]
fn the_first_checks_wait_for_the_start() {
    // Nobody answers while a call of 20 s holds the only worker.
    let text = one_box(
        "rate = '1/s'\ntimeout = '1s'",
        "workers = 1\nliveness = { interval = '2s', fall = 1, initial = '15s' }\nrestart = '3s'\nsteps = [{ wait = '1000s' }]",
    );
    for record in trials(&text, 3) {
        let (killed, back) = (times(&record, "box", "killed"), times(&record, "box", "recover"));
        assert!((16.0..=18.1).contains(&killed[0]), "{killed:?}");
        assert!(back.iter().zip(&killed[1..]).all(|(back, next)| (16.0..=18.1).contains(&(next - back))));
    }
}

/// Three servers with two workers each, which do 150/s together, with checks that need a page; 185/s for a minute.
fn pages(keys: &str) -> String {
    format!(
        "{NEAR}[client.users]\nrate = '185/s'\ntimeout = '10s'\ntarget = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\n\
         health = {{ kind = 'page', interval = '2s', timeout = '2s', fall = 3 }}\n\
         [server.web]\ncount = 3\nworkers = 2\ncores = 2\nqueue = 150\n{keys}\n\
         steps = [{{ wait = {{ dist = 'exponential', mean = '40ms' }} }}]\n"
    )
}

#[test]
fn checks_that_wait_for_a_worker_turn_a_slow_tier_into_a_dead_one() {
    let count = |record: &TrialRecord, event: &str| -> usize {
        (1..=3).map(|number| times(record, &format!("web-{number}"), event).len()).sum()
    };
    let liveness = "liveness = { interval = '2s', timeout = '1s', fall = 3 }";
    let [plain, killed, own] = [String::new(), liveness.into(), format!("{liveness}\nhealth_worker = true")]
        .map(|keys| trials(&pages(&keys), 1).remove(0));
    assert!(count(&plain, "out of balancer") >= 3 && count(&plain, "killed") == 0);
    assert!(count(&killed, "killed") >= 6, "{}", count(&killed, "killed"));
    assert_eq!((count(&own, "killed"), count(&own, "out of balancer")), (0, 0));
    let ok = |record: &TrialRecord| record.classes[0].completed as f64 / record.measured.as_secs_f64();
    // A worker for the page: all of what the workers can do. With none, and with kills, it is less.
    assert!((ok(&own) / 150.0 - 1.0).abs() < 0.05, "{}", ok(&own));
    assert!(ok(&killed) < 0.8 * ok(&own), "{} of {}", ok(&killed), ok(&own));
}
