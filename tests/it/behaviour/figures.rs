//! Figures of a trial, by name.

use outgrow::model::record::{ClassRecord, ComponentRecord, TrialRecord};
use outgrow::model::signal::Outcome;
use outgrow::scenario::Scenario;

/// The figure with this name: of all requests, of a class, of a component, or of a part of the time.
pub(super) fn figure(scenario: &Scenario, record: &TrialRecord, name: &str) -> f64 {
    if let Some(pair) = name.strip_prefix("larger(") {
        let (a, b) = pair.trim_end_matches(')').split_once(',').expect("larger(a,b)");
        return of_component(record, a, "share").max(of_component(record, b, "share"));
    }
    if let Some((what, part)) = name.split_once('@') {
        let (from, to) = part.split_once("..").expect("a part of the time is from..to");
        return in_part(record, what, seconds(from), seconds(to));
    }
    let Some((owner, what)) = name.rsplit_once('.') else {
        return of_requests(record, &record.classes, name);
    };
    match scenario.classes.iter().position(|class| class.name == owner) {
        Some(class) => of_requests(record, &record.classes[class..=class], what),
        None => of_component(record, owner, what),
    }
}

fn seconds(text: &str) -> f64 {
    text.parse().expect("seconds")
}

fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

fn ms(nanos: f64) -> f64 {
    nanos / 1e6
}

fn of_requests(record: &TrialRecord, classes: &[ClassRecord], what: &str) -> f64 {
    let measured = record.measured.as_secs_f64();
    let sum = |of: fn(&ClassRecord) -> u64| classes.iter().map(of).sum::<u64>();
    let ended = sum(|class| class.outcomes.iter().sum());
    if let Some(outcome) = Outcome::ALL.into_iter().find(|outcome| outcome.name() == what) {
        let count: u64 = classes.iter().map(|class| class.outcomes[outcome as usize]).sum();
        return ratio(count, ended);
    }
    match what {
        "issued" => sum(|class| class.issued) as f64,
        "offered" => sum(|class| class.issued) as f64 / measured,
        "throughput" => sum(|class| class.completed) as f64 / measured,
        "goodput" => sum(|class| class.completed_good) as f64 / measured,
        "attempts" => ratio(sum(|class| class.attempts), ended),
        "share" => ratio(sum(|class| class.issued), record.classes.iter().map(|class| class.issued).sum()),
        "mean_ms" => ms(classes.iter().map(|class| class.response.sum() as f64).sum::<f64>()
            / sum(|class| class.response.count()) as f64),
        "p99_ms" => quantile_ms(classes, 0.99),
        "p999_ms" => quantile_ms(classes, 0.999),
        "max_ms" => ms(classes.iter().filter_map(|class| class.response.max()).max().unwrap_or(0) as f64),
        "ended_ms" => ms(classes[0].ended.mean()),
        _ => panic!("no figure of requests is called {what}"),
    }
}

fn quantile_ms(classes: &[ClassRecord], q: f64) -> f64 {
    assert!(classes.len() == 1, "a percentile is that of one class");
    ms(classes[0].ended.quantile(q) as f64)
}

fn in_part(record: &TrialRecord, what: &str, from: f64, to: f64) -> f64 {
    let inside = |start: f64, length: f64| start >= from - 1e-3 && start + length <= to + 1e-3;
    let windows: Vec<_> =
        record.windows.iter().filter(|window| inside(window.start_s, window.length_s)).collect();
    let length: f64 = windows.iter().map(|window| window.length_s).sum();
    assert!(length > (to - from) * 0.9, "the windows cover {length} s of {from}..{to}");
    let count: u64 = windows
        .iter()
        .map(|window| match what {
            "offered" => window.issued,
            "throughput" => window.ok,
            _ => panic!("no figure of a part is called {what}"),
        })
        .sum();
    count as f64 / length
}

fn of_component(record: &TrialRecord, name: &str, what: &str) -> f64 {
    let found = record.components.iter().find(|component| component.name == name);
    let component = found.unwrap_or_else(|| panic!("no class and no box is called {name}"));
    let measured = record.measured.as_secs_f64();
    match what {
        "rate" => component.arrived as f64 / measured,
        "ok_rate" => component.outcomes[Outcome::Ok as usize] as f64 / measured,
        "share" => ratio(component.arrived, servers(record).map(|server| server.arrived).sum()),
        "dropped" => component.dropped as f64,
        "inside" => component.inside_mean,
        "inside_max" => component.inside_max as f64,
        "queue" => component.queue_mean,
        "queue_max" => component.queue_max as f64,
        "slots_held" => component.slots_held.expect("the component has a bound on its workers"),
        "crash_s" => moments(record, name, "crash")[0],
        "recover_s" => moments(record, name, "recover")[0],
        "crashes" => moments(record, name, "crash").len() as f64,
        _ => match component.gauges.iter().find(|(gauge, _)| gauge.name == what) {
            Some((_, reading)) => reading.mean(),
            None => of_machine(component, what),
        },
    }
}

fn servers(record: &TrialRecord) -> impl Iterator<Item = &ComponentRecord> {
    record.components.iter().filter(|component| component.kind == "server")
}

fn moments(record: &TrialRecord, name: &str, event: &str) -> Vec<f64> {
    let notes = record.timeline.iter().filter(|note| note.component == name && note.event == event);
    notes.map(|note| note.at.as_secs_f64()).collect()
}

fn of_machine(component: &ComponentRecord, what: &str) -> f64 {
    let machine = component.machine.as_ref().expect("the box runs on a machine");
    match what {
        "busy" => machine.busy_cores_mean,
        "utilisation" => machine.busy_cores_mean / f64::from(machine.cores),
        "cores" => f64::from(machine.cores),
        "price" => machine.price,
        "memory_mib" => (machine.memory_total >> 20) as f64,
        "memory_max_mib" => (machine.memory_max >> 20) as f64,
        "disk" => machine.disk_utilisation.unwrap_or(0.0),
        _ => panic!("no figure of a box is called {what}"),
    }
}
