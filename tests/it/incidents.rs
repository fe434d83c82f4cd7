//! Incidents whose cause is known: the first reason names it, and the advice takes it away or is said not to.

mod chains;

use std::fs;
use std::path::PathBuf;

use outgrow::Scenario;
use outgrow::experiment::result::{Answer, RunResult};

/// An incident: its file, words of the first reason, and the keys of the advice.
struct Incident {
    file: &'static str,
    /// Words that the first reason must have: the box, and what of it.
    names: &'static [&'static str],
    /// What is advised.
    next: Next,
}

/// What the advice must be.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// It turns one of these keys, and then nothing fails any more.
    Solves(&'static [&'static str]),
    /// It turns this key, and says that this is not enough.
    Helps(&'static str),
    /// Nothing that was tried helps, so that there is none.
    Nothing,
}

use Next::{Helps, Nothing, Solves};

const INCIDENTS: &[Incident] = &[
    Incident { file: "workers", names: &["`web`", "the workers"], next: Solves(&["web.workers"]) },
    Incident { file: "helper", names: &["`pay`", "the workers"], next: Solves(&["pay.workers"]) },
    Incident { file: "sale", names: &["`pg`", "the cores"], next: Solves(&["payment.workers", "pg.cores"]) },
    Incident { file: "messenger", names: &["`db`", "connections"], next: Solves(&["db.connections"]) },
    Incident {
        file: "pool",
        names: &["`app`", "the connections to databases"],
        next: Solves(&["app.db_pool"]),
    },
    Incident { file: "name", names: &["`web-1`", "crashed"], next: Solves(&["www.health.interval"]) },
    Incident {
        file: "storm",
        names: &["metastable", "the cores of `s`"],
        next: Solves(&["u.retry.budget", "u.retry.attempts"]),
    },
    Incident {
        file: "acks",
        names: &["`db.replica-1`", "no write was acknowledged"],
        next: Solves(&["db.semi_sync_timeout", "db.replicas"]),
    },
    Incident { file: "rate-limit", names: &["`s`", "the rate limit"], next: Solves(&["s.rate_limit.rate"]) },
    Incident {
        file: "write-limit",
        names: &["`db`", "the limit on writes"],
        next: Solves(&["db.write_limit"]),
    },
    Incident { file: "memory", names: &["`s`", "memory"], next: Solves(&["s.memory"]) },
    Incident { file: "link", names: &["link"], next: Nothing },
    Incident { file: "balancer", names: &["`lb`", "connections"], next: Solves(&["lb.connections"]) },
    Incident {
        file: "no-checks",
        names: &["`web-2`", "crashed"],
        next: Solves(&["lb.health.interval", "lb.retries"]),
    },
    Incident { file: "slow", names: &["`db`", "slow"], next: Solves(&["db.cores", "db.replicas"]) },
    Incident { file: "hang", names: &["`db`", "hung"], next: Nothing },
    Incident { file: "partition", names: &["`web`", "cut off"], next: Helps("web.connect_timeout") },
    Incident {
        file: "lag",
        names: &["`db.replica-1`", "the apply workers"],
        next: Solves(&["db.apply.workers"]),
    },
    Incident { file: "cores", names: &["`web`", "the cores"], next: Solves(&["web.cores"]) },
    Incident { file: "disk", names: &["`db`", "the disk"], next: Solves(&["db.disk.iops", "db.replicas"]) },
    Incident { file: "spike", names: &["`s`", "the cores"], next: Solves(&["s.cores"]) },
    Incident { file: "sticky", names: &["`pod-2`", "the cores of `pod-1`"], next: Helps("pod") },
];

/// The text of an incident.
fn text(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/incidents");
    fs::read_to_string(folder.join(format!("{file}.toml"))).expect("an incident has a file")
}

fn run(text: &str, changes: &[(String, String)]) -> RunResult {
    let scenario = Scenario::parse(text).unwrap_or_else(|found| panic!("{found}\n{text}"));
    let changed = changes.iter().fold(scenario, |scenario, (key, value)| scenario.set(key, value));
    changed.jobs(1).with_tries().run().unwrap_or_else(|found| panic!("{found}"))
}

/// The overrides of a command.
fn overrides(command: &str) -> Vec<(String, String)> {
    let command = command.split(" # ").next().expect("a command");
    let sets = command.split(" --set ").skip(1).map(|set| set.trim_matches('\''));
    sets.map(|set| set.split_once('=').expect("a key and a value"))
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

/// What is wrong with the story of an incident; `None` if nothing is.
fn complaint(incident: &Incident) -> Option<String> {
    let text = text(incident.file);
    let result = run(&text, &[]);
    let first = result.reasons().into_iter().next().unwrap_or_default();
    let told = || {
        format!(
            "{}: {:#?}\ntried {:#?}\nnext {:?}",
            incident.file,
            result.reasons(),
            result.tried,
            result.next
        )
    };
    if !incident.names.iter().all(|word| first.contains(word)) {
        return Some(format!("the first reason does not name {:?}\n{}", incident.names, told()));
    }
    let Some(next) = &result.next else {
        return (!matches!(incident.next, Nothing)).then(|| format!("no advice\n{}", told()));
    };
    let changes = overrides(next);
    if changes
        .iter()
        .any(|(key, _)| key.ends_with(".rate") && !key.contains("limit") || key.ends_with(".users"))
    {
        return Some(format!("more load while something fails\n{}", told()));
    }
    // What the loader refuses panics here.
    let after = run(&text, &changes);
    let is_better = next.contains("better, but not enough");
    let holds = after.expect.iter().all(|goal| goal.verdict != Answer::Fails);
    match incident.next {
        Solves(keys) => {
            let is_it = changes.iter().all(|(key, _)| keys.contains(&key.as_str()));
            (!is_it || is_better || !holds && after.steady_state.reached)
                .then(|| format!("other advice than {keys:?}\n{}", told()))
        }
        Helps(key) => {
            let is_it = changes.iter().any(|(turned, _)| turned.starts_with(key));
            (!is_it).then(|| format!("other advice than {key}\n{}", told()))
        }
        Nothing => Some(format!("nothing can help\n{}", told())),
    }
}

#[test]
fn the_first_reason_names_the_cause_and_the_advice_cures_it() {
    let complaints: Vec<String> = INCIDENTS.iter().filter_map(complaint).collect();
    assert!(
        complaints.is_empty(),
        "{} of {}\n{}",
        complaints.len(),
        INCIDENTS.len(),
        complaints.join("\n\n")
    );
}

#[test]
fn three_limits_that_are_passed_at_once_are_widened_together() {
    // At twelve times the load: payment 192 %, the cores of `pg` 132 %, those of `web` 120 %.
    let result = run(&text("ticket"), &[]);
    let told = result.reasons().join("\n");
    for words in
        ["the workers of `payment` are full", "the cores of `pg` bind next", "the cores of `web` bind next"]
    {
        assert!(told.contains(words), "{words} is not in\n{told}");
    }
    let together = &result.tried[0];
    let keys: Vec<&str> = together.changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["payment.workers", "pg.cores", "web.count"], "{together:?}");
    assert!(together.helps && together.available > 0.99, "{together:?}");
    assert!(
        result.next.as_deref().is_some_and(|next| keys.iter().all(|key| next.contains(key))),
        "{:?}",
        result.next
    );
}

#[test]
fn what_was_tried_does_not_depend_on_the_number_of_threads() {
    let text = text("helper");
    let json = |jobs: usize| {
        let scenario = Scenario::parse(&text).expect("a scenario");
        let result = scenario.jobs(jobs).with_tries().run().expect("a result");
        assert!(!result.tried.is_empty());
        serde_json::to_string(&result).expect("a result is data")
    };
    assert_eq!(json(1), json(3));
}

#[test]
fn a_failure_is_booked_where_it_began() {
    let result = run(&text("messenger"), &[]);
    let of = |name: &str| {
        let failures = &result.components.get(name).expect("a box").failures;
        let own: f64 = failures.own.iter().filter_map(|(_, figure)| figure.mean).sum();
        (own, failures.passed_on.mean.unwrap_or_default())
    };
    let (db, web, lb) = (of("db"), of("web"), of("lb"));
    assert!(db.0 > 500.0 && db.1 == 0.0, "{db:?}");
    assert_eq!((web.0, lb.0), (0.0, 0.0));
    // Those on the way when the trial ends.
    assert!((db.0 - web.1).abs() < 5.0 && (web.1 - lb.1).abs() < 5.0, "{db:?} {web:?} {lb:?}");
}

#[test]
fn a_service_that_does_not_come_back_is_metastable() {
    let result = run(&text("storm"), &[]);
    let collapse = result.collapse.as_ref().expect("a fault has ended");
    assert!(collapse.of > 0 && collapse.since_s == Some(25.0), "{collapse:?}");
    assert!(!result.steady_state.reached);
    // Half of the load is below what the retries can keep up.
    let half = run(&text("storm"), &[("u.rate".into(), "30/s".into())]);
    assert_eq!(half.collapse.as_ref().map(|collapse| collapse.of), Some(0));
    assert!(half.steady_state.reached);
    let short = run(&text("storm"), &[("run.duration".into(), "25s".into())]);
    assert!(short.collapse.is_none());
    assert!(
        short.warnings.iter().any(|warning| warning.starts_with("too short to tell")),
        "{:?}",
        short.warnings
    );
}

/// A core that is five times slower for a while, under retries: whether it comes back is a toss ("Metastable Failures in the
/// Wild", OSDI 2022).
const TOSS: &str = "[run]\nduration = '60s'\nwarmup = '5s'\ntrials = 12\n[client.u]\nrate = '380/s'\ntarget = 's'\n\
    timeout = '3s'\nretry = { attempts = 5, backoff = '1us', factor = 1 }\n[network]\nclient = '0ms'\n\
    [server.s]\npublic = true\ncores = 1\nscheduling = 'fifo'\nworkers = 100000\nqueue = 0\nmemory = '900GiB'\n\
    memory_per_call = '1KiB'\nsteps = [{ cpu = '1ms' }]\n\
    [[fault]]\nkind = 'slow'\ntarget = 's'\nat = '20s'\nfor = '9.2s'\nfactor = 5\n";

#[test]
fn the_figures_of_a_toss_are_told_by_world() {
    let result = run(TOSS, &[]);
    let collapse = result.collapse.as_ref().expect("a fault has ended");
    assert!(collapse.of > 0 && collapse.of < collapse.trials, "some of the trials: {collapse:?}");
    let worlds = result.worlds.as_ref().expect("there are both");
    let (back, gone) = (&worlds.recovered, &worlds.collapsed);
    assert_eq!((gone.trials as u32, (back.trials + gone.trials) as u32), (collapse.of, collapse.trials));
    let available = |metrics: &outgrow::experiment::result::Metrics| metrics.availability.mean.unwrap();
    assert!(available(&back.metrics) > 0.95 && available(&gone.metrics) < 0.5);
    // The mean over all is that of neither, and lies between them by their numbers of requests.
    let all = available(&result.metrics);
    assert!(available(&gone.metrics) < all && all < available(&back.metrics), "{all}");
    let text = outgrow::report::summary::text(&result);
    assert!(
        text.contains("in which the service came back") && text.contains("in which it did not"),
        "{text}"
    );
    let json = serde_json::to_value(&result).expect("a result is data");
    assert_eq!(json["worlds"]["collapsed"]["trials"], collapse.of);
    // Where all trials are alike there is one world.
    assert!(run(TOSS, &[("fault.0.for".into(), "2s".into())]).worlds.is_none());
}

/// A run of the toss with these goals; the core is slow for the time `lasts`.
fn toss_with(goals: &[&str], lasts: &str) -> RunResult {
    let goals: String = goals.iter().map(|that| format!("[[expect]]\nthat = '{that}'\n")).collect();
    run(&format!("{TOSS}{goals}"), &[("fault.0.for".into(), lasts.into())])
}

#[test]
fn the_goals_of_a_toss_are_judged_by_world() {
    let goals = ["availability > 99%", "p99 < 10min", "availability > 1%", "collapse_probability < 1%"];
    let result = toss_with(&goals, "9.2s");
    let [good, long, any, toss] = &result.expect[..] else { panic!("four goals: {:?}", result.expect) };
    let worlds = good.by_world.as_ref().expect("it is judged in both");
    let (back, gone) = (&worlds.recovered, &worlds.collapsed);
    assert_eq!((back.verdict, gone.verdict, good.verdict), (Answer::Holds, Answer::Fails, Answer::Fails));
    assert_eq!(Some(gone.trials as u32), result.collapse.as_ref().map(|collapse| collapse.of));
    assert!(back.low > Some(0.99) && gone.high < Some(0.99) && gone.value < Some(0.6), "{worlds:?}");
    // The value of the verdict itself is over all trials, and lies between.
    assert!(gone.value < good.value && good.value < back.value, "{good:?}");
    // Response times of a world that never comes to rest are not short for good.
    let verdicts = |of: &outgrow::experiment::result::Verdict| {
        of.by_world.as_ref().map(|worlds| [worlds.recovered.verdict, worlds.collapsed.verdict])
    };
    assert_eq!(verdicts(long), Some([Answer::Holds, Answer::NotShown]));
    assert_eq!((verdicts(any), any.verdict), (Some([Answer::Holds; 2]), Answer::Holds));
    // How often it happens is a figure of both worlds together.
    assert_eq!((verdicts(toss), toss.verdict), (None, Answer::Fails));
    let text = outgrow::report::summary::text(&result);
    let said = format!("in the {} trials that came back (holds)", back.trials);
    assert!(text.contains(&said) && text.contains("that did not (fails)"), "{text}");
    let json = serde_json::to_value(&result).expect("a result is data");
    let json = &json["expect"][0];
    assert_eq!(
        (&json["verdict"], &json["by_world"]["recovered"]["verdict"]),
        (&"fails".into(), &"holds".into())
    );
    assert_eq!(json["by_world"]["collapsed"]["value"].as_f64(), gone.value);
}

#[test]
fn a_world_of_one_trial_shows_nothing_yet() {
    let result = toss_with(&["availability > 99%"], "9.15s");
    assert_eq!(result.worlds.as_ref().map(|worlds| worlds.collapsed.trials), Some(1), "one of twelve");
    let goal = &result.expect[0];
    // Twice as many trials may be expected to have two that collapse.
    assert_eq!((goal.verdict, goal.trials_needed), (Answer::NotShown, Some(2 * result.trials as u64)));
    assert!(
        goal.by_world.as_ref().is_some_and(|worlds| worlds.recovered.verdict == Answer::Holds),
        "{goal:?}"
    );
}

#[test]
fn nothing_is_too_short_to_tell_where_the_service_works_again() {
    let text = std::fs::read_to_string(crate::golden::root().join("scenarios/12-primary-dies.toml")).unwrap();
    let result = run(&text, &[("run.trials".into(), "2".into())]);
    assert!(
        !result.warnings.iter().any(|warning| warning.contains("too short to tell")),
        "{:?}",
        result.warnings
    );
}
