//! The alerts of monitors: their conditions are read as those of `[[expect]]` are, against the names of the scenario.

use super::BoxEntry;
use super::assemble::Assembly;
use super::document::Document;
use super::error::Diagnostic;
use super::expects::components;
use super::expression::{Comparison, Expectation, Metric, Names, Stat, parse};
use super::suggest::did_you_mean;
use crate::model::ask::Verbs;
use crate::model::gauge::Sort;
use crate::model::rule::{AlertText, Figure, Rule, Summons};
use crate::model::spec::{Kind, Standing};

/// Most samples of response times in buckets that an alert keeps of all its members: each takes 4 KiB.
const TIMES_MAX: u64 = 20_000;

/// Most samples that an alert keeps of all its members.
const SAMPLES_MAX: u64 = 1_000_000;

/// Reads the rules of all boxes that watch others. An error is shown at its position inside the quotes.
pub(super) fn read(
    document: &Document<'_>,
    assembly: &mut Assembly,
    kinds: &[Kind],
    found: &mut Vec<Diagnostic>,
) {
    if assembly.boxes.iter().all(|entry| entry.spec.alerts().is_empty()) {
        return;
    }
    let classes = assembly.classes.iter().map(|class| class.name.clone()).collect();
    let names = Names { classes, components: components(assembly, kinds), is_whole: true };
    let mut rules = Vec::new();
    for (place, entry) in assembly.boxes.iter().enumerate() {
        let mut of_box = Vec::new();
        for alert in entry.spec.alerts() {
            match rule(assembly, &names, &alert) {
                Ok(rule) => of_box.push(rule),
                Err(refusal) => {
                    let path = format!("{}.{}.{}{}", entry.kind, entry.name, alert.key, refusal.key);
                    let inside = refusal.span.and_then(|span| document.inside_string(&path, &span));
                    let span = inside.unwrap_or_else(|| document.span_of(&path));
                    found.push(Diagnostic::error(span, refusal.message).help(refusal.help));
                }
            }
        }
        rules.push((place, of_box));
    }
    for (place, of_box) in rules {
        assembly.boxes[place].spec.set_rules(of_box);
    }
}

/// Why an alert cannot be read.
struct Refusal {
    /// The key with the error, relative to the alert: `.on`.
    key: &'static str,
    /// The bytes of its text that are wrong; `None` for all of it.
    span: Option<std::ops::Range<usize>>,
    message: String,
    help: Option<String>,
}

impl Refusal {
    fn at(key: &'static str, message: impl Into<String>, help: Option<String>) -> Refusal {
        Refusal { key, span: None, message: message.into(), help }
    }
}

fn rule(assembly: &Assembly, names: &Names, alert: &AlertText<'_>) -> Result<Rule, Refusal> {
    let Expectation { metric, comparison, bound } = parse(alert.on, names).map_err(|error| Refusal {
        key: ".on",
        span: Some(error.span),
        message: error.message,
        help: error.help,
    })?;
    let (figure, named) = figure(assembly, &metric)?;
    let of = match (named, alert.of) {
        (Some(named), None) => vec![named],
        (Some(named), Some(_)) => {
            let message = format!("`{metric}` names its box, `{named}`, itself");
            return Err(Refusal::at(".of", message, Some("drop `of`".to_owned())));
        }
        (None, Some(of)) => vec![answering(assembly, names, of)?],
        (None, None) => entrances(assembly),
    };
    if of.is_empty() {
        let help = "such as of = \"web\": the box whose answers count";
        return Err(Refusal::at("", "no box is asked by clients", Some(help.to_owned())));
    }
    let rule = Rule {
        text: super::clean::cleaned(alert.on),
        figure,
        of,
        is_above: matches!(comparison, Comparison::Gt | Comparison::Ge),
        holds_at_bound: matches!(comparison, Comparison::Ge | Comparison::Le),
        bound,
        unit: metric.unit(),
        calls: alert.calls.map(|calls| summons(assembly, alert, calls)).transpose()?,
    };
    is_small(assembly, alert, &rule)?;
    Ok(rule)
}

/// The figure of a metric, and the box or member that the metric names.
fn figure(assembly: &Assembly, metric: &Metric) -> Result<(Figure, Option<String>), Refusal> {
    let class = |name: &Option<String>| -> Option<u16> {
        let name = name.as_ref()?;
        assembly.classes.iter().position(|class| class.name == *name).map(|place| place as u16)
    };
    let refuse = |message: &str| {
        let help = "members can tell error_rate, availability, throughput, p99(response), utilisation(BOX), \
                    queue_len(BOX), and what BOX counts";
        Err(Refusal::at(".on", format!("`{metric}` {message}"), Some(help.to_owned())))
    };
    Ok(match metric {
        Metric::ErrorRate(of) => (Figure::ErrorRate(class(of)), None),
        Metric::Availability(of) => (Figure::Availability(class(of)), None),
        Metric::Throughput => (Figure::Throughput, None),
        Metric::Response { stat: Stat::Mean, class: of } => (Figure::MeanResponse(class(of)), None),
        Metric::Response { stat, class: of } => match stat.tail() {
            Some(tail) => (Figure::Percentile(1.0 - tail, class(of)), None),
            None => return refuse("is not kept: buckets have no longest time"),
        },
        Metric::Utilisation(of) => {
            let has_machine = |entry: &&BoxEntry| {
                let is_of_it = |member| entry.spec.member(&entry.name, member).name == *of;
                let members = entry.spec.members();
                let owns = |member| entry.spec.member(&entry.name, member).machine.is_some();
                let named = entry.name == *of || (0..members).any(is_of_it);
                named && (entry.spec.host().is_some() || (0..members).any(owns))
            };
            if !assembly.boxes.iter().any(|entry| has_machine(&entry)) {
                return Err(Refusal::at(".on", format!("`{of}` has no cores"), None));
            }
            (Figure::Utilisation, Some(of.clone()))
        }
        Metric::QueueLen(of) => (Figure::QueueLen, Some(of.clone())),
        Metric::Gauge { gauge, .. } if gauge.is_of_box => {
            return refuse("is found out at the end of a trial");
        }
        Metric::Gauge { gauge, stat: Stat::Max, .. } if gauge.sort != Sort::Level => {
            return refuse("is not kept: who asks now and then sees no longest time");
        }
        Metric::Gauge { gauge, of, stat } => (Figure::Gauge(*gauge, *stat == Stat::Max), Some(of.clone())),
        Metric::Goodput => return refuse("asks for the deadlines of users, which no box knows"),
        Metric::CostPerHour | Metric::CostPerMillion => return refuse("is on the bill, at the end"),
        _ => return refuse("is found out at the end of a trial"),
    })
}

/// The name of a box or member whose answers count.
fn answering(assembly: &Assembly, names: &Names, of: &str) -> Result<String, Refusal> {
    let Some(known) = names.component(of) else {
        let all = names.components.iter().map(|component| component.name.as_str());
        let message = format!("unknown name `{of}`");
        return Err(Refusal::at(".of", message, did_you_mean(of, "there are", all)));
    };
    let entry = assembly.boxes.iter().find(|entry| entry.name == known.group);
    if entry.is_some_and(|entry| entry.spec.answers() == Verbs::NONE || entry.spec.offered().is_some()) {
        let message = format!("`{of}` answers no requests");
        return Err(Refusal::at(".of", message, Some("such as a server or a balancer".to_owned())));
    }
    Ok(of.to_owned())
}

/// The boxes that clients ask, through names.
fn entrances(assembly: &Assembly) -> Vec<String> {
    let entry = |name: &str| {
        let is_it = |entry: &&BoxEntry| {
            let member = |number| entry.spec.member(&entry.name, number).name == name;
            entry.name == name || (0..entry.spec.members()).any(member)
        };
        assembly.boxes.iter().find(is_it)
    };
    let mut found: Vec<String> = Vec::new();
    let clients = assembly.boxes.iter().filter(|entry| entry.spec.offered().is_some());
    for arrow in clients.flat_map(|client| client.spec.arrows()) {
        let Some(target) = entry(&arrow.to) else { continue };
        let is_name = target.spec.answers().meets(Verbs::RESOLVE);
        let behind = target.spec.arrows().into_iter().map(|record| record.to);
        let all = if is_name { behind.collect() } else { vec![arrow.to] };
        for one in all {
            let is_name = entry(&one).is_some_and(|entry| entry.spec.answers().meets(Verbs::RESOLVE));
            if !is_name && !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

fn summons(assembly: &Assembly, alert: &AlertText<'_>, calls: &str) -> Result<Summons, Refusal> {
    if let Some(name) = alert.switch() {
        if assembly.declared.get(name) == Some(&"switch") {
            return Ok(Summons::Switch(name.to_owned()));
        }
        let switches = assembly.declared.iter().filter(|(_, kind)| **kind == "switch");
        let help = did_you_mean(name, "there are", switches.map(|(name, _)| name.as_str()));
        return Err(Refusal::at(".calls", format!("there is no switch `{name}`"), help));
    }
    let named = |(_, operation): &&(usize, super::OperationSpec)| operation.name.as_deref() == Some(calls);
    let place = assembly.operations.iter().position(|one| named(&one));
    let Some(place) = place else {
        let all = assembly.operations.iter().filter_map(|(_, operation)| operation.name.as_deref());
        let help = did_you_mean(calls, "there are", all);
        let usual =
            "an [[operation]] with name = \"more\" and after = \"5min\", or a switch: \"switch.NAME\"";
        let help = help.or(Some(usual.to_owned()));
        return Err(Refusal::at(".calls", format!("no operation is called `{calls}`"), help));
    };
    if assembly.operations[place].1.at.is_some() {
        let message = format!("the operation `{calls}` comes at a planned time");
        return Err(Refusal::at(".calls", message, Some("give it `after` in place of `at`".to_owned())));
    }
    Ok(Summons::Operation(place as u32))
}

/// Refuses an alert that would take a great deal of memory.
fn is_small(assembly: &Assembly, alert: &AlertText<'_>, rule: &Rule) -> Result<(), Refusal> {
    let of_box = |entry: &BoxEntry| {
        let is_whole = rule.of.contains(&entry.name);
        let plans = (0..entry.spec.members()).map(|member| entry.spec.member(&entry.name, member));
        let is_meant = |name: &String| is_whole || rule.of.contains(name);
        plans.filter(|plan| plan.standing != Standing::Outside && is_meant(&plan.name)).count() as u64
    };
    let members: u64 = assembly.boxes.iter().map(of_box).sum();
    let (samples, most) = (
        members.saturating_mul(alert.samples),
        match rule.figure.needs_times() {
            true => TIMES_MAX,
            false => SAMPLES_MAX,
        },
    );
    if samples > most {
        let message = format!("it would keep {samples} samples, at most {most} are kept");
        return Err(Refusal::at("", message, Some("a shorter `window`, or a longer `scrape`".to_owned())));
    }
    Ok(())
}
