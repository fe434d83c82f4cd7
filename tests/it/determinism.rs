//! Determinism: the same seed gives the same numbers, and unrelated boxes do not change a request.

use std::fmt::Debug;

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::SimTime;
use outgrow::model::record::{ComponentRecord, TrialRecord};
use outgrow::model::spec::NoFiles;
use outgrow::model::trace::{Sample, Trace, What};
use outgrow::scenario::{Scenario, build::build, load};

const RUN: &str = "[run]\nduration = \"60s\"\nwarmup = \"6s\"\n";

const CLASSES: &str = "[request.read]\nshare = 4\n[request.write]\nshare = 1\neffect = \"write\"\n";

const USERS: &str = "[client.users]\nusers = 60\nthink_time = { dist = \"exponential\", mean = \"1s\" }\n\
                     target = \"www\"\ntimeout = \"200ms\"\nretry = { attempts = 3, jitter = \"full\" }\n";

const NAME: &str = "[dns.www]\nrecords = [\"web\"]\nttl = \"3s\"\npolicy = \"weighted\"\n";

const WEB: &str = "[server.web]\npublic = true\ncount = 2\nworkers = 8\nqueue = 4\n\
                   steps = [{ cpu = { dist = \"exponential\", mean = \"10ms\" } }, { query = \"db\", times = 2 },\n\
                   { wait = { dist = \"lognormal\", mean = \"5ms\", cv = 2 }, chance = \"30%\" }]\n";

const DATABASE: &str = "[database.db]\ncores = 2\nconnections = 10\n";

/// A client and a box that have nothing to do with the ladder.
const NEIGHBOURS: &str = "[client.neighbours]\nrate = \"50/s\"\ntarget = \"house\"\n\
                          [server.house]\npublic = true\nsteps = [{ cpu = { dist = \"exponential\", mean = \"9ms\" } }]\n";

fn text(tables: &[&str]) -> String {
    [&[RUN, CLASSES], tables].concat().concat()
}

fn ladder() -> String {
    text(&[USERS, NAME, WEB, DATABASE])
}

fn read(text: &str) -> Scenario {
    load("determinism.toml", text, &[], &NoFiles, KINDS)
        .unwrap_or_else(|found| panic!("{}", found.render(false)))
        .scenario
}

fn trial(text: &str, seed: u64, index: u64) -> TrialRecord {
    let scenario = read(text);
    build(&scenario, Seed::new(seed).trial(index)).run(scenario.length(), &mut |_| false)
}

fn run(text: &str) -> TrialRecord {
    trial(text, 1, 0)
}

/// All fields of a record, with all digits.
fn everything(record: &impl Debug) -> String {
    format!("{record:?}")
}

/// Fails unless two records are the same. Does not print them, because they have long histograms.
#[track_caller]
fn assert_same(a: &impl Debug, b: &impl Debug, what: &str) {
    assert!(everything(a) == everything(b), "{what} differs");
}

fn component<'a>(record: &'a TrialRecord, name: &str) -> &'a ComponentRecord {
    record.components.iter().find(|component| component.name == name).expect("the box is there")
}

/// Fails unless all boxes of the ladder have the same figures in both records.
#[track_caller]
fn assert_same_ladder(a: &TrialRecord, b: &TrialRecord) {
    for name in ["users", "www", "web-1", "web-2", "db"] {
        assert_same(component(a, name), component(b, name), name);
    }
}

#[test]
fn the_same_seed_gives_the_same_trial() {
    assert_same(&run(&ladder()), &run(&ladder()), "the second run");
}

#[test]
fn another_seed_and_another_trial_are_others() {
    let fingerprints =
        [(1, 0), (1, 1), (2, 0), (2, 1)].map(|(seed, index)| trial(&ladder(), seed, index).fingerprint);
    for (index, fingerprint) in fingerprints.iter().enumerate() {
        assert!(!fingerprints[..index].contains(fingerprint), "{fingerprints:x?}");
    }
}

/// The first trial of `00-mm1` at its own seed must have this fingerprint on every platform. A change of the
/// trajectory needs a line in CHANGELOG.md. The numbers of events and requests show how large a difference is.
#[test]
fn the_golden_trial_has_its_fingerprint() {
    let record = run(include_str!("../../scenarios/00-mm1.toml"));
    let found = (format!("{:016x}", record.fingerprint), record.events, record.classes[0].issued);
    assert_eq!(found, ("1fdbf66b122de17b".to_owned(), 595_024, 143_889));
}

#[test]
fn an_idle_box_changes_nothing() {
    let alone = run(&ladder());
    for idle in [
        "[server.idle]\nsteps = [{ cpu = \"1ms\" }]\n",
        "[database.attic]\ncores = 4\n",
        "[server.a]\ncount = 9\nsteps = [{ wait = \"1s\" }]\n",
    ] {
        let beside = run(&(ladder() + idle));
        assert_eq!((alone.fingerprint, alone.events), (beside.fingerprint, beside.events));
        assert_same(&alone.classes, &beside.classes, "the requests");
        assert_same_ladder(&alone, &beside);
    }
}

#[test]
fn a_profile_that_changes_nothing_changes_nothing() {
    let alone = run(&ladder());
    for profile in ["steps = [[\"0s\", 1]]", "spike = { at = \"1s\", for = \"1s\", factor = 1 }"] {
        let users = USERS.trim_end().to_owned() + &format!("\nprofile = {{ {profile} }}\n");
        assert_eq!(run(&ladder().replace(USERS, &users)).fingerprint, alone.fingerprint, "{profile}");
    }
}

#[test]
fn busy_neighbours_change_no_one_elses_numbers() {
    let alone = run(&ladder());
    let beside = run(&(ladder() + NEIGHBOURS));
    assert!(component(&beside, "house").arrived > 1000);
    assert_same_ladder(&alone, &beside);
    let renamed = NEIGHBOURS.replace("house", "zoo").replace("neighbours", "animals");
    assert_same_ladder(&alone, &run(&(ladder() + &renamed)));
}

#[test]
fn the_order_of_a_file_does_not_matter() {
    let reordered = [DATABASE, WEB, NAME, USERS, CLASSES, RUN].concat();
    assert_same(&run(&ladder()), &run(&reordered), "the reordered file");
}

#[test]
fn following_a_request_changes_nothing() {
    let scenario = read(&ladder());
    let mut watched = build(&scenario, Seed::new(1).trial(0));
    watched.follow(Trace::new(None, 41));
    let mut asked = 0;
    let record = watched.run(scenario.length(), &mut |_| {
        asked += 1;
        false
    });
    assert!(asked > 100 && watched.trace().len() > 4, "{asked} questions, {} lines", watched.trace().len());
    assert_same(&run(&ladder()), &record, "the watched run");
}

#[test]
fn a_longer_run_begins_with_the_shorter_one() {
    let cold = ladder().replace("warmup = \"6s\"", "warmup = \"0s\"");
    let short = run(&cold);
    let long = run(&cold.replace("duration = \"60s\"", "duration = \"120s\""));
    // The windows of the longer run are twice as long.
    for (pair, window) in short.windows.chunks(2).zip(&long.windows) {
        let sum = (pair[0].issued + pair[1].issued, pair[0].ok + pair[1].ok, pair[0].failed + pair[1].failed);
        assert_eq!(sum, (window.issued, window.ok, window.failed), "at {} s", window.start_s);
        assert_eq!(pair[0].response_sum + pair[1].response_sum, window.response_sum);
        for (index, inside) in window.components.iter().map(|one| one.inside).enumerate() {
            let mean = f64::midpoint(pair[0].components[index].inside, pair[1].components[index].inside);
            assert!((mean - inside).abs() < 1e-9, "{mean} and {inside} at {} s", window.start_s);
        }
    }
    assert_eq!((short.windows.len(), long.windows.len()), (600, 600));
}

#[test]
fn every_design_sees_the_same_customers() {
    let design = |keys: &str| {
        run(&format!(
            "{RUN}{CLASSES}[client.users]\nrate = \"100/s\"\ntarget = \"web\"\ntimeout = \"1h\"\n\
             [server.web]\npublic = true\nworkers = 1000\nmemory_per_call = \"1KiB\"\n{keys}\n\
             steps = [{{ cpu = {{ dist = \"exponential\", mean = \"9ms\" }} }}]\n"
        ))
    };
    let issued = |record: &TrialRecord| -> Vec<u64> {
        let windows = record.windows.iter().map(|window| window.issued);
        windows.chain(record.classes.iter().map(|class| class.issued)).collect()
    };
    let one = design("cores = 1");
    for keys in ["cores = 4", "count = 4", "cores = 1\nscheduling = \"fifo\"", "cores = 1\nspeed = 2"] {
        assert_eq!(issued(&one), issued(&design(keys)), "{keys}");
    }
}

/// A scenario in which all times are multiplied by `unit` and all rates divided by it. Cores serve one call after
/// another, because the shares of a shared core are rounded to nanoseconds.
fn scaled(unit: u32) -> String {
    let ms = |times: u32| format!("\"{}ms\"", times * unit);
    [
        format!("[run]\nduration = {}\nwarmup = {}\n", ms(20_000), ms(1000)),
        format!("[network]\nclient = {}\nsame_zone = {}\njitter = 0\n", ms(6), ms(2)),
        format!("[client.stream]\nrate = \"{}/s\"\narrivals = {{ dist = \"constant\" }}\n", 64 / unit),
        format!(
            "target = \"web\"\ntimeout = {}\nretry = {{ attempts = 2, backoff = {} }}\n",
            ms(150),
            ms(10)
        ),
        format!(
            "[client.users]\nusers = 7\nthink_time = {}\ntarget = \"web\"\ntimeout = {}\n",
            ms(90),
            ms(300)
        ),
        "[server.web]\npublic = true\nworkers = 3\nqueue = 5\nscheduling = \"fifo\"\n".to_owned(),
        format!("steps = [{{ cpu = {} }}, {{ wait = {} }}, {{ call = \"app\" }}]\n", ms(11), ms(3)),
        format!("[server.app]\nscheduling = \"fifo\"\nsteps = [{{ cpu = {} }}]\n", ms(5)),
    ]
    .concat()
}

#[test]
fn time_has_no_unit_of_its_own() {
    // All times are constant, so that everything doubles exactly.
    let [one, two] = [1, 2].map(|unit| run(&scaled(unit)));
    let (a, b) = (&one.classes[0], &two.classes[0]);
    assert!(a.outcomes.iter().filter(|count| **count > 0).count() > 1, "{:?}", a.outcomes);
    assert_eq!((a.issued, a.outcomes, a.attempts), (b.issued, b.outcomes, b.attempts));
    assert_eq!((2 * a.ok.sum(), 2 * a.ended.sum()), (b.ok.sum(), b.ended.sum()));
    assert_eq!((one.events, one.in_flight_mean), (two.events, two.in_flight_mean));
    for (a, b) in one.components.iter().zip(&two.components) {
        assert_eq!((a.arrived, a.outcomes, a.queue_max), (b.arrived, b.outcomes, b.queue_max), "{}", a.name);
        assert_eq!((2 * a.wait.sum(), 2 * a.response.sum()), (b.wait.sum(), b.response.sum()), "{}", a.name);
        assert_eq!((a.inside_mean, a.queue_mean), (b.inside_mean, b.queue_mean), "{}", a.name);
    }
}

#[test]
fn random_times_scale_but_for_their_rounding() {
    let response = |unit: u32| {
        let record = run(&format!(
            "[run]\nduration = \"{}s\"\nwarmup = \"0s\"\n[client.users]\nrate = \"{}/s\"\ntarget = \"box\"\ntimeout = \"1h\"\n\
             [network]\nclient = \"{}ms\"\n[server.box]\npublic = true\nworkers = 10000\nmemory_per_call = \"1KiB\"\n\
             steps = [{{ cpu = {{ dist = \"exponential\", mean = \"{}ms\" }} }}]\n",
            60 * unit,
            80 / unit,
            40 * unit,
            10 * unit
        ));
        (record.classes[0].issued, record.events, record.classes[0].response.mean())
    };
    let (one, two) = (response(1), response(2));
    assert_eq!((one.0, one.1), (two.0, two.1));
    let ratio = two.2 / one.2;
    assert!((ratio - 2.0).abs() < 1e-6, "{ratio}");
}

/// The times at which the first 150 requests of an open stream are answered by one first-come-first-served machine.
fn answers(keys: &str) -> Vec<SimTime> {
    let scenario = read(&format!(
        "[run]\nduration = \"4s\"\nwarmup = \"0s\"\n[network]\njitter = 0\n\
         [client.users]\nrate = \"100/s\"\ntarget = \"box\"\ntimeout = \"1h\"\narrivals = {{ dist = \"exponential\", batch = 3 }}\n\
         [server.box]\npublic = true\nscheduling = \"fifo\"\nworkers = 10000\nmemory_per_call = \"1KiB\"\n{keys}\n\
         steps = [{{ cpu = {{ dist = \"lognormal\", mean = \"18ms\", cv = 2 }} }}]\n"
    ));
    let answer = |number| {
        let mut simulation = build(&scenario, Seed::new(3).trial(0));
        simulation.follow(Trace::new(None, number));
        let _record = simulation.run(scenario.length(), &mut |_| false);
        let last = simulation.trace().last().expect("the request has been issued");
        if last.text.starts_with("ends") { last.at } else { SimTime::MAX }
    };
    (0..150).map(answer).collect()
}

#[test]
fn more_cores_and_faster_ones_delay_nobody() {
    let two = answers("cores = 2");
    let answered = two.iter().filter(|at| **at < SimTime::MAX).count();
    assert!(answered > 100, "{answered} answers");
    for keys in ["cores = 3", "cores = 8", "cores = 2\nspeed = 1.25"] {
        let more = answers(keys);
        assert!(two.iter().zip(&more).all(|(two, more)| more <= two), "{keys}");
        assert!(two.iter().zip(&more).any(|(two, more)| more < two), "{keys}");
    }
}

#[test]
fn a_sample_of_requests_changes_nothing_and_keeps_its_limits() {
    let scenario = read(&ladder());
    let traced = |sample: Option<Sample>| {
        let mut simulation = build(&scenario, Seed::new(1).trial(0));
        if let Some(sample) = sample {
            simulation.follow(Trace::sample(sample));
        }
        let record = simulation.run(scenario.length(), &mut |_| false);
        (everything(&record), simulation.steps().to_vec(), simulation.trace().len())
    };
    let at = |seconds: u64| SimTime::from_nanos(seconds * 1_000_000_000);
    let sample = Sample { from: at(20), until: at(30), every: 1, most: usize::MAX };
    let (plain, steps, _) = traced(None);
    assert!(steps.is_empty());
    // The times of the requests of a sample that begin.
    let begun = |sample: Sample| {
        let (record, steps, lines) = traced(Some(sample));
        assert!(record == plain && lines == 0, "the sample {sample:?} leaves a trace in the result");
        let begins = steps.iter().filter(|step| step.what == What::Begin).map(|step| step.at);
        let begins: Vec<SimTime> = begins.collect();
        assert!(begins.iter().all(|begin| (sample.from..sample.until).contains(begin)));
        begins
    };
    let all = begun(sample);
    // 60 users who think for a second and wait for a tenth of one.
    assert!((400..700).contains(&all.len()), "{}", all.len());
    let third = begun(Sample { every: 3, ..sample });
    assert!((all.len() / 4..all.len() / 2).contains(&third.len()), "{} of {}", third.len(), all.len());
    assert!(third.iter().all(|begin| all.contains(begin)));
    assert_eq!(begun(Sample { most: 50, ..sample }), all[..50]);
}
