//! Questions and answers in JSON.

use std::collections::BTreeMap;

use outgrow::KINDS;
use outgrow::experiment::capacity::Knob;
use outgrow::experiment::compare::{self, Asked as Wanted, Design};
use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{self, Progress, RunOptions};
use outgrow::model::spec::Files;
use outgrow::report;
use outgrow::scenario::{self, Scenario};
use outgrow::stats::binomial::clopper_pearson;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{board, lesson, traces};

/// Asked at the end of each window of a trial, with the number of the trial and the share of its time that has passed. A
/// return value other than 0 stops the run.
pub(super) type Asked = dyn Fn(u32, f64) -> u32 + Sync;

/// What a page asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// Name of the scenario in messages and results.
    #[serde(default)]
    name: String,
    /// Its text.
    #[serde(default)]
    toml: String,
    /// Overrides, as key and value.
    #[serde(default)]
    set: Vec<(String, String)>,
    /// The files that it names, by path.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Keys whose values are wanted, as `keys`: null where the text does not have them.
    #[serde(default)]
    keys: Vec<String>,
    /// Another design, for `compare`: this one is the baseline.
    #[serde(default)]
    other: Option<Other>,
    /// A step of the course instead of a scenario.
    #[serde(default)]
    lesson: Option<lesson::Lesson>,
    /// A number of events, and the number of trials that could have had one, instead of a scenario: the share is wanted.
    #[serde(default)]
    proportion: Option<(u32, u32)>,
    /// Another load, in the unit of `board.load`.
    #[serde(default)]
    load: Option<f64>,
    /// Number of trials instead of the scenario's own.
    #[serde(default)]
    trials: Option<u32>,
    /// Number of the first trial.
    #[serde(default)]
    first: u32,
    /// Parts of the answer.
    #[serde(default)]
    want: Vec<Want>,
    /// Which requests to follow, for `traces`.
    #[serde(default)]
    follow: Option<traces::Follow>,
}

/// Another design.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    name: String,
    toml: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A part of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Want {
    /// `text`: the text of the scenario with the overrides in it, the overrides as `set`, and `warnings` about it.
    Text,
    /// `board`: the boxes, arrows and load for a picture.
    Board,
    /// `brief`: a few figures of the result.
    Brief,
    /// `result`: all of it, as `outgrow run --json` writes it.
    Result,
    /// `charts`: the charts as SVG.
    Charts,
    /// `traces`: the ways of some requests.
    Traces,
    /// `compare`: the differences of the other design, as `outgrow compare --json` writes them.
    Compare,
}

/// The answer to a question: an object with the parts that are wanted, or with `error`, as the command line prints it.
pub(super) fn answer(question: &[u8], asked: &Asked) -> String {
    let answer = serde_json::from_slice(question)
        .map_err(|error| format!("the page asks a wrong question: {error}"))
        .and_then(|question| parts(&question, asked));
    answer.unwrap_or_else(|error| json!({ "error": error })).to_string()
}

fn parts(question: &Question, asked: &Asked) -> Result<Value, String> {
    if let Some(lesson) = &question.lesson {
        let watch = Watch { asked, stopped: Default::default() };
        return Ok(json!({ "lesson": lesson::lesson(lesson, &watch)? }));
    }
    if let Some((of, trials)) = question.proportion {
        let (low, high) = clopper_pearson(of.min(trials), trials.max(1));
        return Ok(json!({ "low": low, "high": high }));
    }
    let mut answer = json!({});
    let mut set = question.set.clone();
    let mut found = load(question, &set)?;
    if let Some(load_now) = question.load {
        set.extend(Knob::of(&found.scenario, None)?.overrides(load_now));
        found = load(question, &set)?;
    }
    if !question.keys.is_empty() {
        answer["keys"] = values(&found.scenario.text, &question.keys);
    }
    let scenario = &found.scenario;
    let wants = |part: Want| question.want.contains(&part);
    if wants(Want::Text) {
        answer["text"] = scenario.text.clone().into();
        answer["set"] = json!(set);
        let warnings = &found.warnings;
        answer["warnings"] = if warnings.is_empty() { "".into() } else { warnings.to_string().into() };
    }
    if wants(Want::Board) {
        answer["board"] = board::board(scenario);
    }
    if let Some(follow) = question.follow.as_ref().filter(|_| wants(Want::Traces)) {
        answer["traces"] = traces::traces(scenario, question.first, follow, asked);
    }
    if let Some(other) = question.other.as_ref().filter(|_| wants(Want::Compare)) {
        answer["compare"] = compared(load(question, &set)?.scenario, question, other, asked)?;
    }
    if [Want::Brief, Want::Result, Want::Charts].into_iter().any(wants) {
        let result = simulated(scenario, question, asked)?;
        if wants(Want::Brief) {
            answer["brief"] = brief(&result);
        }
        if wants(Want::Charts) {
            let charts = report::chart::of_run(&result);
            answer["charts"] =
                charts.iter().map(|chart| json!({ "name": chart.name, "svg": chart.svg() })).collect();
        }
        if wants(Want::Result) {
            answer["result"] = serde_json::to_value(&result).map_err(|error| error.to_string())?;
        }
    }
    Ok(answer)
}

fn load(question: &Question, set: &[(String, String)]) -> Result<scenario::Loaded, String> {
    let files = Given(&question.files);
    scenario::load(&question.name, &question.toml, set, &files, KINDS).map_err(|found| found.to_string())
}

/// Files that came with the question.
struct Given<'a>(&'a BTreeMap<String, String>);

impl Files for Given<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let text = self.0.get(path).cloned();
        text.ok_or_else(|| {
            "this page does not hold the file: outgrow play puts files of 1 MiB in all into it".into()
        })
    }
}

/// The values that a text gives to keys, as JSON.
fn values(text: &str, keys: &[String]) -> Value {
    let document: Option<Value> = toml::from_str(text).ok();
    let value = |key: &String| {
        let path = scenario::overrides::path(text, key)?;
        path.split('.').try_fold(document.as_ref()?, below).cloned()
    };
    keys.iter().map(|key| (key.clone(), value(key).unwrap_or(Value::Null))).collect()
}

/// The value below a step of a path: the name of a key, or the number of one of several tables, such as faults.
fn below<'a>(at: &'a Value, step: &str) -> Option<&'a Value> {
    match at {
        Value::Array(some) => some.get(step.parse::<usize>().ok()?),
        _ => at.get(step),
    }
}

/// The other design against the scenario, trial by trial.
fn compared(scenario: Scenario, question: &Question, other: &Other, asked: &Asked) -> Result<Value, String> {
    let files = Given(&other.files);
    let found =
        scenario::load(&other.name, &other.toml, &[], &files, KINDS).map_err(|found| found.to_string())?;
    let options = options(&scenario, question);
    let design = |name: &str, scenario: Scenario| Design { name: name.into(), scenario };
    let designs = [design(&question.name, scenario), design(&other.name, found.scenario)];
    let watch = Watch { asked, stopped: Default::default() };
    let result = compare::compare(&designs, &options, &Wanted::default(), None, &watch)
        .ok_or("stopped before both designs were measured: there is no result")?;
    serde_json::to_value(&result).map_err(|error| error.to_string())
}

fn options(scenario: &Scenario, question: &Question) -> RunOptions {
    let trials = question.trials.unwrap_or(scenario.run.trials);
    RunOptions {
        seed: scenario.run.seed,
        trials: question.first..question.first.saturating_add(trials),
        jobs: 1,
        length: scenario.length(),
    }
}

fn simulated(scenario: &Scenario, question: &Question, asked: &Asked) -> Result<RunResult, String> {
    let options = options(scenario, question);
    let trials = runner::run(scenario, &options, &Watch { asked, stopped: Default::default() });
    if trials.records.is_empty() {
        return Err("stopped before a trial got beyond its warm-up: there is no result".into());
    }
    Ok(RunResult::new(scenario, &options, &trials))
}

/// The figures that a curve over the load needs.
fn brief(result: &RunResult) -> Value {
    let metrics = &result.metrics;
    json!({
        "fingerprint": result.fingerprint,
        "events": result.events,
        "steady": result.steady_state.reached,
        "offered_rps": metrics.offered_rps.mean,
        "throughput_rps": metrics.throughput_rps.mean,
        "availability": metrics.availability.mean,
        "mean_ms": metrics.response_ms.mean.mean,
        "p99_ms": metrics.response_ms.p99.mean,
        "cost_usd_per_hour": metrics.cost_usd_per_hour.mean,
        "rto_s": metrics.data.as_ref().and_then(|data| data.rto_s.as_ref()?.mean),
        "lost_writes": metrics.data.as_ref().and_then(|data| data.lost_writes.mean),
    })
}

/// Hands progress to the page, and keeps its wish to stop.
struct Watch<'a> {
    asked: &'a Asked,
    stopped: std::sync::atomic::AtomicBool,
}

impl Progress for Watch<'_> {
    fn advanced(&self, trial: u32, share: f64) {
        if (self.asked)(trial, share) != 0 {
            self.stopped.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn interrupted(&self) -> bool {
        self.stopped.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[run]\nduration = '20s'\ntrials = 2\n[client.users]\nrate = '50/s'\ntarget = 'box'\n\
                        [server.box]\npublic = true\nsteps = [{ cpu = '10ms' }]\n";

    fn asked(more: Value) -> Value {
        let mut question = json!({ "name": "a.toml", "toml": TEXT });
        question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_str(&answer(question.to_string().as_bytes(), &|_, _| 0)).unwrap()
    }

    #[test]
    fn the_result_is_that_of_the_library() {
        let own = outgrow::Scenario::parse(TEXT).unwrap().run().unwrap();
        let answer = asked(json!({ "want": ["brief", "result"] }));
        assert_eq!(answer["brief"]["fingerprint"], own.fingerprint);
        assert_eq!(answer["result"]["events"], own.events);
    }

    #[test]
    fn another_load_is_written_into_the_text() {
        let answer = asked(json!({ "want": ["text", "board"], "load": 70.0 }));
        assert!(answer["text"].as_str().unwrap().contains("rate = \"70/s\""), "{answer}");
        assert_eq!(answer["board"]["load"]["own"], 70.0);
        assert_eq!(answer["board"]["boxes"][0]["client"], true);
    }

    #[test]
    fn files_come_with_the_question() {
        let text = TEXT.replace("rate = '50/s'", "trace = 'times.csv'");
        let more = json!({ "toml": text, "trials": 1, "want": ["brief"] });
        let error = asked(more.clone())["error"].as_str().unwrap().to_owned();
        assert!(error.contains("does not hold the file"), "{error}");
        let mut more = more;
        more["files"] = json!({ "times.csv": "1\n2\n3\n" });
        let answer = asked(more);
        assert!(answer["brief"]["events"].as_u64().unwrap() > 3, "{answer}");
    }

    #[test]
    fn values_of_keys_are_those_of_the_text() {
        let keys = ["run.trials", "users.rate", "box.cores", "box.steps.0.cpu", "no.such"];
        let answer = asked(json!({ "keys": keys }));
        let wanted = json!({
            "run.trials": 2, "users.rate": "50/s", "box.cores": null, "box.steps.0.cpu": "10ms", "no.such": null
        });
        assert_eq!(answer["keys"], wanted);
    }

    #[test]
    fn a_comparison_is_that_of_the_library() {
        let faster = TEXT.replace("10ms", "5ms");
        let other = json!({ "name": "b.toml", "toml": faster });
        let answer = asked(json!({ "want": ["compare"], "other": other }));
        let compared = &answer["compare"];
        assert_eq!((&compared["paired"], &compared["trials"]), (&json!(true), &json!(2)));
        let own = outgrow::Scenario::parse(TEXT).unwrap().run().unwrap();
        assert_eq!(compared["designs"][0]["fingerprint"], own.fingerprint);
        assert_eq!(compared["differences"][0]["design"], "b.toml");
    }

    #[test]
    fn a_share_has_its_exact_interval() {
        let answer = asked(json!({ "proportion": [4, 20] }));
        let end = |name: &str| (1000.0 * answer[name].as_f64().unwrap()).round();
        assert_eq!((end("low"), end("high")), (57.0, 437.0), "{answer}");
        assert_eq!(asked(json!({ "proportion": [0, 20] }))["low"], 0.0);
    }

    #[test]
    fn mistakes_are_told_as_on_the_command_line() {
        let error = asked(json!({ "set": [["box.cors", "2"]] }))["error"].as_str().unwrap().to_owned();
        assert!(error.contains("unknown key `cors`"), "{error}");
        let error = answer(b"{", &|_, _| 0);
        assert!(error.contains("wrong question"), "{error}");
    }

    #[test]
    fn requests_are_followed_from_box_to_box() {
        let follow = json!({ "from_s": 2.0, "until_s": 3.0, "every": 1, "most": 20 });
        let answer = asked(json!({ "want": ["traces"], "follow": follow }));
        let calls = answer["traces"]["calls"].as_array().unwrap();
        assert_eq!(calls.len(), 20);
        for call in calls {
            let way: Vec<u64> =
                call["way"].as_array().unwrap().iter().map(|step| step[2].as_u64().unwrap()).collect();
            assert_eq!(way, [0, 1, 0, 1], "it leaves, arrives, leaves and arrives: {call}");
            assert_eq!(call["outcome"], "ok");
        }
    }
}
