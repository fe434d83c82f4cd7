//! Outages of writes: how long they last by the clock of those who write, and what they are spent on.

use std::sync::{Arc, Mutex};

use outgrow::components::database::Outage;
use outgrow::model::ask::Ask;
use outgrow::model::call::Parent;
use outgrow::model::signal::{About, Outcome};

use super::*;

/// Time between two writes of a [`Writer`].
const EVERY: SimDuration = SimDuration::from_millis(10);

/// Writes at equal distances, and keeps a log of the times at which its writes are acknowledged, in seconds.
struct Writer {
    web: ComponentId,
    log: Arc<Mutex<Vec<f64>>>,
}

impl Component for Writer {
    fn start(&mut self, cx: &mut Cx<'_>) {
        cx.alarm(EVERY, 0, About::Nothing);
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Alarm(_) => {
                cx.ask(Parent::Number(0), self.web, 0, Ask::WORK);
                cx.alarm(EVERY, 0, About::Nothing);
            }
            Signal::Reply(_, Outcome::Ok) => {
                self.log.lock().expect("one thread").push(cx.now().as_secs_f64());
            }
            _ => {}
        }
    }
}

/// The longest time between two acknowledged writes of a trial's log, in seconds.
fn longest_gap(log: &[f64]) -> f64 {
    log.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
}

/// The longest outage of a trial.
fn longest(trial: &TrialRecord) -> Outage {
    *data(trial).longest_outage().expect("an outage")
}

/// The parts of the longest outage that take longer than nothing.
fn parts(trial: &TrialRecord) -> Vec<Part> {
    let outage = longest(trial);
    let parts = Part::ALL.into_iter().zip(outage.parts_s);
    parts.filter(|&(_, length_s)| length_s > 1e-6).map(|(part, _)| part).collect()
}

const SLOWLY: &str = "duration = '150s'\nwarmup = '0s'\ntrials = 4";

#[test]
fn rto_is_the_time_between_two_acknowledged_writes_whatever_fails() {
    for fault in [
        "kind = 'crash'\ntarget = 'db.primary'",
        "kind = 'hang'\ntarget = 'db.primary'",
        "kind = 'power-off'\ntarget = 'db.primary'",
        "kind = 'pause'\ntarget = 'db.primary'",
        "kind = 'partition'\nbetween = ['db.primary', ['db.replica-1', 'db.monitor', 'web']]",
    ] {
        let db = format!("{FREE}\nfailover = {{ preset = 'patroni' }}");
        let text = format!(
            "{}[[fault]]\nat = '60s'\n{fault}\n",
            scenario_text(SLOWLY, WRITES, "rate = '20/s'\ntimeout = '5s'", &db)
        );
        let logs: Vec<Arc<Mutex<Vec<f64>>>> = (0..4).map(|_| Arc::default()).collect();
        let trials = run_with(&text, |sim, trial| {
            let writer = Writer { web: ComponentId::new(5), log: logs[trial as usize].clone() };
            sim.add(outsider("writer", Box::new(writer)));
        });
        for (trial, log) in trials.iter().zip(&logs) {
            let (gap, outage) = (longest_gap(&log.lock().expect("done")), longest(trial));
            assert!(gap > 20.0, "{fault}: {gap} s");
            assert!((outage.length_s() - gap).abs() < 0.02, "{fault}: {outage:?}, not {gap} s");
            assert_eq!(data(trial).rto_s, Some(outage.length_s()));
            assert!((outage.start_s - 60.0).abs() < 0.02, "{fault}: {outage:?}");
        }
    }
}

#[test]
fn a_fault_at_a_round_time_meets_every_phase_of_the_polls() {
    // Three polls 10 s apart and a promotion of 2 s: 22 to 32 s, mean 27 s, standard deviation 2.9 s, at any time.
    for at in [100.0, 103.0] {
        let db = format!("{FREE}\nfailover = {{ preset = 'patroni' }}");
        let text =
            scenario_text("duration = '135s'\nwarmup = '0s'\ntrials = 40", WRITES, "rate = '20/s'", &db);
        let trials = run_with(&text, |sim, _| operate(sim, &[(at, PRIMARY, Control::Crash)]));
        let rto: Vec<f64> = trials.iter().map(|trial| data(trial).rto_s.expect("an outage")).collect();
        assert!(rto.iter().all(|rto| (22.0..32.2).contains(rto)), "{rto:?}");
        let mean = rto.iter().sum::<f64>() / 40.0;
        let sd = (rto.iter().map(|rto| (rto - mean) * (rto - mean)).sum::<f64>() / 39.0).sqrt();
        assert!((mean - 27.0).abs() < 1.4 && (2.2..3.6).contains(&sd), "{at} s: {mean} s, sd {sd} s");
    }
}

#[test]
fn a_lease_expires_after_silence_as_after_a_death() {
    // From ttl - loop_wait to ttl, and 2 s for the promotion.
    let silent = "kind = 'hang'\ntarget = 'db.primary'";
    let cut = "kind = 'partition'\nbetween = ['db.primary', ['db.replica-1', 'db.monitor', 'web']]";
    let dead = "kind = 'crash'\ntarget = 'db.primary'";
    let dark = "kind = 'power-off'\ntarget = 'db.primary'";
    let stopped = "kind = 'pause'\ntarget = 'db.primary'\nfor = '65s'";
    for (keys, low, high) in [("", 20.0, 30.0), (", ttl = '60s', loop_wait = '40s'", 20.0, 60.0)] {
        let mut all = Vec::new();
        for fault in [silent, cut, dead, dark, stopped] {
            let db =
                format!("{FREE}\nfailover = {{ preset = 'patroni'{keys} }}\n[[fault]]\n{fault}\nat = '100s'");
            let run_ = "duration = '170s'\nwarmup = '0s'\ntrials = 12";
            for trial in run(&scenario_text(run_, WRITES, "rate = '20/s'\ntimeout = '1s'", &db)) {
                let found =
                    trial.timeline.iter().find(|note| note.event == "new primary").expect("a failover");
                let after = found.at.as_secs_f64() - 100.0 - 2.0;
                assert!((low..high + 0.1).contains(&after), "{keys} {fault}: {after} s");
                all.push(after);
            }
        }
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let (expected, sd) = ((low + high) / 2.0, (high - low) / 12.0_f64.sqrt());
        // The phases of the 12 trials are the same for each fault.
        assert!((mean - expected).abs() < 3.0 * sd / 12.0_f64.sqrt(), "{keys}: {mean} s");
    }
}

#[test]
fn a_crash_at_a_round_time_meets_every_phase_of_the_batches() {
    // Batches of a second: 20 writes/s x U(0, 1 s) are lost, 10 on average, and half a second of them.
    let db = format!("{FREE}\nship = {{ every = '1s' }}\nfailover = {{ interval = '1s', misses = 3 }}");
    let text = scenario_text("duration = '80s'\nwarmup = '0s'\ntrials = 60", WRITES, "rate = '20/s'", &db);
    let trials = run_with(&text, |sim, _| operate(sim, &[(60.0, PRIMARY, Control::Crash)]));
    check("lost", mean(&trials, |trial| data(trial).lost_writes as f64), 10.0, 0.0);
    check("rpo", mean(&trials, |trial| data(trial).rpo_s.expect("a failover")), 0.5, 0.0);
    check("rto", mean(&trials, |trial| data(trial).rto_s.expect("an outage")), 0.05 + 2.5 + 3.0 + 0.05, 0.0);
}

#[test]
fn a_decision_is_called_off_when_the_primary_is_back() {
    let crash = |lasts: &str| {
        let db = format!(
            "{FREE}\nfailover = {{ interval = '1s', misses = 3, manual = '30s', promote = '3s' }}\n[[fault]]\n\
             kind = 'crash'\ntarget = 'db.primary'\nat = '60.5s'\nfor = '{lasts}'"
        );
        run(&scenario_text("duration = '180s'\nwarmup = '0s'\ntrials = 5", WRITES, "rate = '20/s'", &db))
    };
    for trial in crash("10s") {
        let events: Vec<&str> = trial.timeline.iter().map(|note| &*note.event).collect();
        assert_eq!(events, ["crash", "primary declared dead", "recover", "failover called off"]);
        let outage = longest(&trial);
        assert!((10.0..10.6).contains(&outage.length_s()), "{outage:?}");
        assert_eq!((data(&trial).outages.len(), parts(&trial)), (1, vec![Part::Down, Part::Detect]));
    }
    // A person decides after 32 to 33 s, and the promotion takes 3 s.
    for trial in crash("45s") {
        let outage = longest(&trial);
        assert!((35.0..36.2).contains(&outage.length_s()), "{outage:?}");
        let decided = [Part::Detect, Part::Decide, Part::Promote, Part::Reroute];
        assert_eq!(parts(&trial), decided);
    }
}

#[test]
fn a_restart_is_an_outage_of_one_part() {
    let db = format!("{FREE}\n[[fault]]\nkind = 'crash'\ntarget = 'db.primary'\nat = '30s'\nfor = '2.3s'");
    let text = scenario_text("duration = '60s'\nwarmup = '0s'\ntrials = 5", WRITES, "rate = '20/s'", &db);
    for trial in run(&text) {
        assert_eq!(parts(&trial), [Part::Down]);
        assert!((2.3..2.9).contains(&longest(&trial).length_s()));
    }
}

#[test]
fn an_outage_for_want_of_acknowledgements_is_one_too() {
    let outage = |timeout: &str| {
        let db = format!(
            "{FREE}\nreplication = 'semi-sync'\nsemi_sync_timeout = '{timeout}'\n[[fault]]\nkind = 'crash'\n\
             target = 'db.replica-1'\nat = '60s'\nfor = '60s'"
        );
        let load = "rate = '20/s'\ntimeout = '10min'";
        run(&scenario_text("duration = '180s'\nwarmup = '0s'\ntrials = 3", WRITES, load, &db))
    };
    for (timeout, length) in [("1d", 60.0), ("10s", 10.0)] {
        for trial in outage(timeout) {
            assert_eq!(parts(&trial), [Part::Acks]);
            let outage = longest(&trial);
            assert!((length - 0.2..length + 1.5).contains(&outage.length_s()), "{timeout}: {outage:?}");
        }
    }
}

/// How long after `back` seconds the replica of a trial is up to date again: its lag is then below 100 ms.
fn late(trial: &TrialRecord, back: f64) -> f64 {
    let lags = &data(trial).lag_series_s;
    let window_s = trial.windows[0].length_s;
    let behind = lags.iter().rposition(|&lag| lag > 0.1).expect("it was behind");
    (behind + 1) as f64 * window_s - back
}

#[test]
fn after_a_restart_of_the_primary_its_replica_follows_when_it_tries_again() {
    // It has seen its connection break, and tries every `reconnect` from then on.
    for (reconnect, down, after) in [("5s", 2.3, 2.7), ("5s", 12.5, 2.5), ("60s", 2.7, 57.3)] {
        let db = format!(
            "{FREE}\nship = {{ reconnect = '{reconnect}' }}\n[[fault]]\nkind = 'crash'\ntarget = 'db.primary'\nat = \
             '30s'\nfor = '{down}s'"
        );
        let text =
            scenario_text("duration = '100s'\nwarmup = '0s'\ntrials = 2", WRITES, "rate = '20/s'", &db);
        for trial in run(&text) {
            let late = late(&trial, 30.0 + down);
            assert!((after - 0.5..after + 0.6).contains(&late), "{reconnect}, {down} s: {late} s");
        }
    }
}

#[test]
fn after_a_partition_a_replica_follows_when_tcp_tries_again() {
    // Tries come 0.2, 0.6, 1.4, 3, 6.2, 12.6 and 25.4 s after the first batch that was lost. Measured with PostgreSQL:
    // 0.02, 3.2 and 6.4 s.
    for (partition, after) in [(3.0, 0.05), (10.0, 2.65), (20.0, 5.45)] {
        let db = format!(
            "{FREE}\n[[fault]]\nkind = 'partition'\nbetween = ['db.primary', 'db.replica-1']\nat = '30s'\nfor = \
             '{partition}s'"
        );
        let text = scenario_text("duration = '80s'\nwarmup = '0s'\ntrials = 2", WRITES, "rate = '50/s'", &db);
        for trial in run(&text) {
            let late = late(&trial, 30.0 + partition);
            assert!((after - 0.5..after + 0.7).contains(&late), "{partition} s: {late} s");
        }
    }
}

#[test]
fn a_leader_that_stood_still_takes_no_writes_when_it_goes_on() {
    let db = format!(
        "{FREE}\nfailover = {{ preset = 'patroni' }}\n[[fault]]\nkind = 'pause'\ntarget = 'db.primary'\nat = '60s'\nfor = '60s'"
    );
    let load = "rate = '20/s'\ntimeout = '2s'";
    for trial in run(&scenario_text("duration = '150s'\nwarmup = '0s'\ntrials = 4", WRITES, load, &db)) {
        // Those that were on their way when it stopped; at most a second of them [measured: 9 with Patroni 4.1.5].
        assert!(data(&trial).lost_writes <= 20, "{} lost", data(&trial).lost_writes);
        assert!(data(&trial).lag_series_s.last().is_some_and(|&lag| lag < 0.5), "it follows the new primary");
    }
}

#[test]
fn commits_wait_for_a_replica_that_stands_still_and_are_released_together() {
    // Measured with MariaDB: 196 commits wait, the first of them for 10.08 s. With PostgreSQL, whose `sync` has no limit,
    // one waits as long as its standby stands still.
    let run_ = "duration = '60s'\nwarmup = '5s'\ntrials = 3";
    let stop = "[[fault]]\nkind = 'pause'\ntarget = 'db.replica-1'\nat = '20s'\n";
    for (mode, stopped, longest_s) in [("semi-sync", 20, 10.0), ("sync", 12, 12.0)] {
        let db = format!("{FREE}\nreplication = '{mode}'\n{stop}for = '{stopped}s'");
        let load = "rate = '20/s'\ntimeout = '60s'";
        for trial in run(&scenario_text(run_, WRITES, load, &db)) {
            let outage = longest(&trial);
            assert_eq!(parts(&trial), [Part::Acks], "{mode}");
            assert!((longest_s - 0.01..longest_s + 0.4).contains(&outage.length_s()), "{mode}: {outage:?}");
            let response = &trial.classes[0].response;
            let highest_s = response.max().unwrap_or(0) as f64 / 1e9;
            assert!((longest_s - 0.3..longest_s + 0.1).contains(&highest_s), "{mode}: {highest_s} s");
            // They wait for 5 s on average, over all writes of 60 s.
            let waited = response.mean() / 1e9 * response.count() as f64 / (longest_s / 2.0);
            assert!((waited / (20.0 * longest_s) - 1.0).abs() < 0.25, "{mode}: {waited} commits waited");
        }
    }
}
