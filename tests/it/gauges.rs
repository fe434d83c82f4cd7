//! Every figure that a kind of box declares in its row of `KINDS`: some scenario makes it move, and from the row it reaches the
//! JSON, the tables, expectations, the summary and the reference page.

mod movers;

use std::fs;

use outgrow::components::KINDS;
use outgrow::experiment::result::{Answer, RunResult};
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::model::spec::NoFiles;
use outgrow::model::unit::Unit;
use outgrow::report::tables::tables;
use outgrow::scenario::load;
use serde_json::Value;

use crate::golden::root;
use movers::movers;

/// Short trials, two of them.
const RUN: &str = "[run]\nduration = '40s'\nwarmup = '5s'\ntrials = 2\n";

/// Users who come back, a balancer with some keys, and three servers with next to nothing to do.
const BALANCED: &str = "[client.users]\nusers = 300\nthink_time = '1s'\ntarget = 'lb'\n\
                        [server.web]\ncount = 3\nsteps = [{ cpu = '1ms' }]\n\
                        [balancer.lb]\npublic = true\ntargets = ['web']\n";

/// An open stream of requests that a server answers with a query.
const QUERIES: &str = "[client.users]\nrate = '100/s'\ntarget = 'web'\n\
                       [server.web]\npublic = true\nsteps = [{ query = 'db' }]\n";

/// An open stream of requests, each of which publishes a message.
const PUBLISHED: &str = "[client.users]\nrate = '100/s'\ntarget = 'web'\n\
                         [server.web]\npublic = true\nsteps = [{ call = 'jobs' }]\n\
                         [queue.jobs]\ntarget = 'mill'\n";

/// A write for every read.
const CLASSES: &str = "[request.read]\n[request.write]\neffect = 'write'\n";

/// A crash of ten seconds.
fn crash(target: &str) -> String {
    format!("[[fault]]\nkind = 'crash'\ntarget = '{target}'\nat = '20.5s'\nfor = '10s'\n")
}

/// Users who come back to write and read the same few keys of a database with replicas and these keys.
fn replicated(keys: &str) -> String {
    format!(
        "[request.read]\nkeys = 50\n[request.write]\neffect = 'write'\nkeys = 50\n\
         [client.users]\nusers = 100\nthink_time = '500ms'\ntarget = 'web'\n\
         [server.web]\npublic = true\nsteps = [{{ query = 'db' }}]\n[database.db]\nreplicas = 2\n{keys}\n"
    )
}

/// The result of a scenario, which also expects some things.
fn result(text: &str, expects: &[String]) -> RunResult {
    let expects: String = expects.iter().map(|that| format!("[[expect]]\nthat = \"{that}\"\n")).collect();
    let head = if text.contains("[run]") { "" } else { RUN };
    let text = format!("{head}{text}{expects}");
    let loaded = load("test.toml", &text, &[], &NoFiles, KINDS);
    let scenario = loaded.unwrap_or_else(|found| panic!("{text}\n{}", found.render(false))).scenario;
    let options = RunOptions { seed: 1, trials: 0..scenario.run.trials, jobs: 0, length: scenario.length() };
    RunResult::new(&scenario, &options, &run(&scenario, &options, &Unwatched))
}

#[test]
fn every_gauge_of_every_kind_moves_somewhere() {
    let moved: Vec<(&str, &str)> = movers()
        .into_iter()
        .flat_map(|(kind, _, gauges, _)| gauges.into_iter().map(move |gauge| (kind, gauge)))
        .collect();
    for kind in KINDS {
        for gauge in kind.gauges {
            assert!(
                moved.contains(&(kind.name, gauge.name)),
                "no scenario moves `{}` of {}",
                gauge.name,
                kind.name
            );
        }
    }
}

#[test]
fn a_gauge_that_moves_reaches_json_tables_expectations_and_the_summary() {
    for (kind, name, gauges, text) in movers() {
        let row = KINDS.iter().find(|row| row.name == kind).expect("the kind is in the table");
        let declared =
            |name: &str| row.gauges.iter().find(|gauge| gauge.name == name).expect("it is declared");
        let in_seconds = |name: &str| declared(name).unit == Unit::Seconds;
        let zero = |name: &str| if in_seconds(name) { "0s" } else { "0" };
        let expects: Vec<String> =
            gauges.iter().map(|gauge| format!("{gauge}({name}) >= {}", zero(gauge))).collect();
        let result = result(&text, &expects);
        let json = serde_json::to_value(&result).expect("a result is plain JSON");
        let summary = anstream::adapter::strip_str(&outgrow::report::summary::text(&result)).to_string();
        let csv = tables(std::slice::from_ref(&result));
        let (_, components) =
            csv.iter().find(|(file, _)| *file == "components.csv").expect("a table of components");
        for (gauge, verdict) in gauges.iter().zip(&result.expect) {
            let value = verdict.value.unwrap_or_else(|| panic!("{verdict:?}\n{text}"));
            assert!(
                value > 0.0 && verdict.verdict != Answer::Fails,
                "{gauge} of {name}: {verdict:?}\n{text}"
            );
            let key = if in_seconds(gauge) { format!("{gauge}_ms") } else { (*gauge).to_owned() };
            let parts = json["components"].as_object().expect("a map");
            let is_there = |part: &Value| part["group"] == name && part["gauges"].get(&key).is_some();
            assert!(parts.values().any(is_there), "{gauge} of {name} is not in the JSON");
            let column =
                components.columns().iter().any(|column| column.starts_with(&format!("gauges_{key}")));
            assert!(column, "{gauge} is not in components.csv");
            let words = gauge.replace('_', " ");
            let is_told = |line: &str| line.contains(&words) && line.contains(&format!(" {name} "));
            let is_told_as_data = declared(gauge).is_of_box;
            assert!(
                is_told_as_data || summary.lines().any(is_told),
                "{gauge} of {name} is not in the summary:\n{summary}"
            );
        }
    }
}

#[test]
fn every_gauge_is_on_the_reference_page_and_has_a_name_of_its_own() {
    let page = fs::read_to_string(root().join("docs/scenarios.md")).expect("the page is there");
    let metrics =
        ["utilisation", "queue_len", "throughput", "goodput", "availability", "error_rate", "errors"];
    for kind in KINDS {
        for (at, gauge) in kind.gauges.iter().enumerate() {
            let line = format!("| `{}` | {} | {} |", gauge.name, gauge.description(), gauge.about);
            assert!(page.lines().any(|known| known == line), "{line}");
            assert!(gauge.about.ends_with('.') && !metrics.contains(&gauge.name), "{}", gauge.name);
            assert!(
                kind.gauges[..at].iter().all(|other| other.name != gauge.name),
                "{} is there twice",
                gauge.name
            );
        }
    }
}

#[test]
fn the_name_of_a_group_stands_for_all_its_members() {
    let text = format!("{QUERIES}count = 2\ndb_pool = 1\n[database.db]\ncores = 8\nread = '15ms'\n")
        .replace("100/s", "200/s");
    let text = text + &crash("web");
    let expects = ["restarts(web-1)", "restarts(web-2)", "restarts(web)"].map(|of| format!("{of} > 0"));
    let times = ["pool_wait(web-1)", "pool_wait(web-2)", "pool_wait(web)", "max(pool_wait(web))"];
    let expects = [&expects[..], &times.map(|of| format!("{of} > 0s"))].concat();
    let result = result(&text, &expects);
    let value = |at: usize| result.expect[at].value.unwrap_or_else(|| panic!("{:?}", result.expect[at]));
    assert_eq!((value(0), value(1), value(2)), (1.0, 1.0, 2.0));
    let (one, other, both, longest) = (value(3), value(4), value(5), value(6));
    assert!(
        one.min(other) <= both && both <= one.max(other) && both < longest,
        "{one} {other} {both} {longest}"
    );
}

/// Two databases, of which one ships its log a hundred times as often.
const TWO: &str = "[request.read]\nkeys = 50\n[request.write]\neffect = 'write'\nkeys = 50\n\
                   [client.users]\nrate = '200/s'\ntarget = 'web'\n\
                   [server.web]\npublic = true\nsteps = [{ query = 'a' }, { query = 'b' }]\n\
                   [database.a]\nreplicas = 1\nship = { every = '10ms' }\n\
                   [database.b]\nreplicas = 1\nship = { every = '1s' }\n";

#[test]
fn two_databases_have_figures_of_their_own() {
    let shares = ["stale_read_share(a) < 10%", "stale_read_share(b) > 10%", "stale_read_share > 0%"];
    let lags = ["lag(a) < 500ms", "lag(b) > 900ms", "mean(lag(b)) < 900ms"];
    let result =
        result(TWO, &[lags, shares].concat().iter().map(|&that| that.to_owned()).collect::<Vec<_>>());
    let answers: Vec<(&str, Answer)> =
        result.expect.iter().map(|verdict| (verdict.that.as_str(), verdict.verdict)).collect();
    assert!(answers.iter().all(|(_, answer)| *answer == Answer::Holds), "{:#?}", result.expect);
    // What all say together is what each has said: the longest lag, and the sum of what was lost.
    let data = result.metrics.data.as_ref().expect("both are replicated");
    let lag = |at: usize| result.expect[at].value.expect("it is measured");
    assert!((data.lag_ms_max.mean.expect("it is measured") / 1e3 - lag(1)).abs() < 1e-6);
    assert!(lag(0) < lag(1));
}

#[test]
fn what_is_stale_is_unknown_without_keys() {
    let text = TWO.replace("keys = 50\n", "");
    let result = result(&text, &[]);
    let data = result.metrics.data.as_ref().expect("both are replicated");
    for figure in [&data.stale_reads, &data.stale_read_share, &data.conflicting_writes] {
        assert_eq!(figure.mean, None);
    }
    assert!(data.lag_ms_max.mean.is_some());
    let shown: Vec<&str> = result
        .components
        .iter()
        .flat_map(|(_, one)| one.gauges.iter())
        .map(|(_, one)| one.gauge.name)
        .collect();
    assert!(shown.contains(&"lag") && !shown.contains(&"stale_reads"), "{shown:?}");
    let summary = outgrow::report::summary::text(&result);
    assert!(summary.contains("stale reads: not known without `keys`"), "{summary}");
}

#[test]
fn a_figure_that_tells_why_calls_fail_is_in_the_sentence_about_them() {
    let text = |idle: &str| {
        format!(
            "[network]\nsame_zone = '40ms'\n[client.users]\nusers = 20\ntarget = 'lb'\n\
             think_time = {{ dist = 'exponential', mean = '500ms' }}\n\
             [server.web]\ncount = 20\nidle_timeout = '{idle}'\nsteps = [{{ cpu = '1ms' }}]\n\
             [balancer.lb]\npublic = true\ntargets = ['web']\npolicy = 'random'\nupstream = {{}}\n"
        )
    };
    let told = |text: &str| {
        result(text, &[]).why.iter().any(|found| found.text().contains("because they had been idle"))
    };
    assert!(told(&text("500ms")));
    assert!(!told(&text("1h")));
    // Those of a machine that is down are many more, and have another cause.
    let down = text("500ms") + "[[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '10s'\nfor = '30s'\n";
    assert!(!told(&down));
}
