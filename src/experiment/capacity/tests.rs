//! The search against systems whose capacity is known in closed form.

use super::super::runner::Unwatched;
use super::*;
use crate::components::KINDS;
use crate::model::spec::NoFiles;
use crate::scenario::error::Diagnostics;
use crate::scenario::expression::{Names, parse_slo};
use crate::scenario::load;
use crate::theory::networks::{ClosedStation, closed};

struct Text<'a>(&'a str);

impl Loads for Text<'_> {
    type Error = Diagnostics;

    fn scenario(&self, overrides: &[(String, String)]) -> Result<Scenario, Diagnostics> {
        load("a.toml", self.0, overrides, &NoFiles, KINDS).map(|loaded| loaded.scenario)
    }

    fn trying(&self, _number: usize, _load: &str) {}
}

/// The capacity of a text by the clients' own knob.
fn find(text: &str, slo: &str, seed: u64, trials: u32) -> CapacityResult {
    up_to(None, text, slo, seed, trials)
}

/// The same with a load that is wanted.
fn up_to(goal: Option<f64>, text: &str, slo: &str, seed: u64, trials: u32) -> CapacityResult {
    let knob = Knob::of(&Text(text).scenario(&[]).unwrap(), None).unwrap();
    let slo = parse_slo(slo, &Names::plain(&["request"], &["box"])).unwrap();
    let question = Question {
        slo: &slo,
        knob: &knob,
        seed,
        trials,
        jobs: 0,
        may_stretch: true,
        beyond: true,
        start: None,
        goal,
    };
    capacity(&question, &Text(text), &Unwatched).unwrap().unwrap()
}

/// One core with exponential work of 10 ms, first come, first served.
fn one_core(client: &str, duration: &str) -> String {
    format!(
        "[run]\nduration = '{duration}'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [client.users]\n{client}\ntarget = 'box'\ntimeout = '1h'\n\
         [server.box]\npublic = true\ncores = 1\nscheduling = 'fifo'\nworkers = 1000000\nqueue = 1000000\n\
         memory = '64GiB'\nmemory_per_call = '1KiB'\n\
         steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]\n"
    )
}

#[test]
fn the_capacity_of_a_closed_system_is_that_of_mean_value_analysis() {
    // The machine repairman: think 1 s, serve 10 ms. The mean response time is exact by MVA.
    let mean = |users: u32| closed(users, 1.0, &[ClosedStation { demand: 0.01, cores: 1 }]).response;
    let exact = (1..400).find(|&users| mean(users) >= 0.1).unwrap() - 1;
    let found = find(
        &one_core("users = 10\nthink_time = { dist = 'exponential', mean = '1s' }", "100s"),
        "mean < 100ms",
        3,
        8,
    );
    assert_eq!(found.load.unit, LoadUnit::Users);
    let (low, high) = (found.low.unwrap(), found.high.unwrap());
    assert!(low <= f64::from(exact) && f64::from(exact) <= high && high - low <= 8.0, "{low} {exact} {high}");
    assert!(found.collapse.is_none(), "closed load cannot overrun the server: {:?}", found.collapse);
}

#[test]
fn an_objective_may_be_met_always_or_never() {
    let text = one_core("users = 10\nthink_time = '1s'", "20s");
    let never = find(&text, "mean < 1ms", 1, 3);
    assert_eq!((never.verdict, never.estimate, never.tried_to), (Found::NeverMet, None, 10.0));
    assert_eq!(never.binding.as_deref(), Some("mean(response) < 1ms"));
    assert_eq!(never.points[0].load, 1.0);
}

#[test]
fn a_probe_that_ends_before_its_requests_do_is_no_sign_of_a_capacity() {
    // The core is shared: of hundreds that come in a probe of 2 s, the few with the least work end at once, and the others have not
    // timed out yet. Those that end have a mean of less than 1.5 s at 24 and at 240 times the capacity too.
    let text = one_core("rate = '240/s'", "20s").replace("timeout = '1h'", "timeout = '10s'");
    let text = text.replace("scheduling = 'fifo'\n", "").replace("[run]\n", "[run]\nwarmup = '10s'\n");
    let found = find(&text, "mean < 1500ms, errors < 1%", 1, 4);
    // By M/M/1 the mean is 1.5 s at 99.3/s.
    let (low, high) = (found.low.unwrap(), found.high.unwrap());
    assert!(found.verdict == Found::Found && low > 85.0 && high < 115.0, "{low} to {high}");
    let carried = found.points.iter().filter(|point| point.margin.is_some_and(|margin| margin < 0.0));
    assert!(carried.clone().count() > 0 && carried.clone().all(|point| point.load < 115.0));
}

#[test]
fn a_load_whose_messages_pile_up_is_not_carried() {
    // Who sends a message is answered at once, and the machine has cores to spare. The one worker does 50 a second.
    let text = "[run]\nduration = '60s'\nwarmup = '5s'\n[client.users]\nrate = '10/s'\ntarget = 'web'\n\
                [server.web]\npublic = true\ncores = 8\nworkers = 1000\nsteps = [{ cpu = '1ms' }, { call = 'photos' }]\n\
                [queue.photos]\ntarget = 'mill'\n[server.mill]\ncores = 4\nsteps = [{ cpu = '20ms' }]\n";
    let found = find(text, "mean < 100ms, errors < 1%", 1, 4);
    let (low, high) = (found.low.unwrap(), found.high.unwrap());
    // A growth by a few per cent is as small as chance in a minute.
    assert!(low <= 53.0 && high >= 49.5 && high - low < 5.0, "{low} to {high}");
    let why = found.grows.unwrap();
    assert!(why.starts_with("the queue `photos` grows without end, at "), "{why}");
    let beyond = found.points.last().unwrap();
    assert!(!beyond.steady && beyond.backlog_grows && beyond.times_are_steady() && beyond.margin.is_none());
    assert_eq!(found.collapse.unwrap().how, "no steady state");
}

#[test]
fn no_load_above_the_goal_is_tried_if_the_goal_is_met() {
    let text = one_core("rate = '10/s'", "100s");
    let found = up_to(Some(40.0), &text, "mean < 100ms", 1, 3);
    assert_eq!(
        (found.verdict, found.estimate, found.low, found.high),
        (Found::MetAtTheGoal, None, Some(40.0), None)
    );
    let at = found.at.unwrap();
    // M/M/1: 10 ms / (1 - 0.4).
    assert!((at.mean_ms.mean.unwrap() - 16.67).abs() < 0.7, "{:?}", at.mean_ms);
    assert!((at.load, at.trials, found.tried_to) == (40.0, 3, 40.0) && found.collapse.is_none());
    // M/M/1: the mean is 100 ms at 90/s.
    let missed = up_to(Some(97.0), &text, "mean < 100ms", 1, 3);
    assert_eq!(missed.verdict, Found::Found);
    assert!(
        missed.low.unwrap() <= 90.0 && 90.0 <= missed.high.unwrap(),
        "{:?} {:?}",
        missed.low,
        missed.high
    );
    let never = up_to(Some(40.0), &text, "mean < 1ms", 1, 3);
    assert_eq!(never.verdict, Found::NeverMet);
}

#[test]
fn the_page_tells_the_limits_of_the_search() {
    assert_eq!(search::PROBE_SHORTER, 10);
    let page = include_str!("../../../docs/decide.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let per_cent = |share: f64| format!("{:.0} %", 100.0 * share);
    for words in [
        format!("narrowed to {} of the load", per_cent(search::WIDTH)),
        format!("Within {} of such a load", per_cent(search::REACH)),
        format!("{} trials of a tenth of the time", search::PROBE_TRIALS),
        format!("At most {} loads are simulated", search::LOADS_MAX),
        format!("more than {} of the requests are under way", per_cent(margin::OPEN_MAX)),
        format!("falls by more than {} beyond", per_cent(search::FALL)),
        format!("bracketed to {}", per_cent(search::COLLAPSE_WIDTH)),
        format!("up to {} times the highest load", 1 << search::COLLAPSE_DOUBLINGS),
    ] {
        assert!(page.contains(&words), "the page does not say: {words}");
    }
}
