//! What to try next: a command. While something fails it attacks the cause that `why` names; else it asks the next question.

use crate::model::lever::{Effect, Setting};
use crate::model::quantity::Duration;
use crate::scenario::Scenario;
use crate::scenario::levers::levers;
use crate::scenario::load::ResourceLoad;

use super::super::finding::{Attempt, Change, Finding};
use super::super::loss;
use super::super::result::{Answer, RunResult};
use super::cure::{Reload, Together, cures, turned};
use super::incident::fails;
use super::used;

/// More trials than this are no advice to run: the value is too close to its bound.
pub(in super::super) const TRIALS_ADVISED_MAX: u64 = 1000;

/// Most causes that are attacked together.
const TOGETHER_MAX: usize = 3;

/// Use of a resource from which on there is little more load to ask for.
const NEARLY_FULL: f64 = 0.8;

/// Least use of a resource at which the load that fills it is a question.
const USED: f64 = 0.01;

/// A command that is worth running next, without trying anything.
#[must_use]
pub fn next(scenario: &Scenario, result: &RunResult, reload: Option<&Reload<'_>>) -> Option<String> {
    if !fails(result) {
        return question(scenario, result);
    }
    let plan = plans(scenario, result, reload).0.into_iter().next()?;
    Some(command(scenario, &plan, &["not tried"]))
}

/// The next question about a system in which nothing fails: more trials, or the load at which the first resource is full.
pub(in super::super) fn question(scenario: &Scenario, result: &RunResult) -> Option<String> {
    let undecided = result.expect.iter().find(|verdict| verdict.verdict == Answer::NotShown);
    let trials = undecided.and_then(|verdict| verdict.trials_needed).filter(|few| *few <= TRIALS_ADVISED_MAX);
    if let Some(trials) = trials {
        return Some(format!("{} --trials {trials}", scenario.command(&[])));
    }
    if let Some(machine) = untried(scenario, result) {
        return Some(dies(scenario, &machine, "not tried"));
    }
    let load = scenario.load().resources;
    let first = load.iter().filter(|row| used(row) > USED);
    let first = first.reduce(|most, one| if used(one) > used(most) { one } else { most });
    scenario.boxes.iter().find_map(|entry| {
        let levers = levers(scenario, entry);
        let lever = levers.iter().find(|lever| matches!(lever.effect, Effect::Load(..)))?;
        let filled = first.and_then(|row| filling(lever.now, &lever.effect, row).map(|value| (row, value)));
        let Some((row, value)) = filled else {
            return Some(command(scenario, &[turned(entry, lever)?], &[]));
        };
        let change =
            Change { key: format!("{}.{}", entry.name, lever.key), value: value.to_string(), comment: None };
        (scenario.boxes.len() > 1).then_some(())?;
        let reason = format!("{} of `{}` would be full", row.resource.noun.word(), row.name);
        Some(command(scenario, &[change], &[&reason]))
    })
}

/// The machine whose death is the next question: where nothing fails, no fault is planned, and the load is so near to the
/// highest one that more of it is no question.
pub(in super::super) fn untried(scenario: &Scenario, result: &RunResult) -> Option<String> {
    let is_near_full = scenario.load().resources.iter().any(|row| used(row) >= NEARLY_FULL);
    let is_undecided = result.expect.iter().any(|verdict| verdict.verdict == Answer::NotShown);
    let is_asked = is_near_full && !is_undecided && scenario.faults.is_empty() && !fails(result);
    is_asked.then(|| loss::weakest(scenario)).flatten()
}

/// The command in which a machine dies.
pub(in super::super) fn dies(scenario: &Scenario, machine: &str, note: &str) -> String {
    let fault = loss::crash(scenario, machine);
    let time = |time: Option<Duration>| time.map_or(String::new(), |time| time.to_string());
    let value = format!(
        "{{kind=\"{}\",target=\"{machine}\",at=\"{}\",for=\"{}\"}}",
        fault.kind.name(),
        time(fault.at),
        time(fault.lasts())
    );
    let change = Change { key: "fault".to_owned(), value, comment: Some(format!("`{machine}` dies")) };
    command(scenario, &[change], &[note])
}

/// The load at which a resource is full, of two digits; `None` where it cannot be simulated.
fn filling(now: Setting, effect: &Effect, row: &ResourceLoad) -> Option<Setting> {
    let Effect::Load(least, most) = effect else { return None };
    let number = now.number()? / used(row);
    let number: f64 = format!("{number:.1e}").parse().expect("a number that was printed can be read");
    let number = if number >= 10.0 { number.round() } else { number };
    if !(*least..=*most).contains(&number) || number <= now.number()? {
        return None;
    }
    Some(match now {
        Setting::Whole(_) => Setting::Whole(number as u32),
        Setting::PerS(_) => Setting::PerS(number),
        _ => Setting::Number(number),
    })
}

/// What is worth trying, in this order: what could take away the first cause, the second, both together, the third, all three,
/// and then what else could help. The first of them, as many as the number says, are alternatives of which each is worth a try.
pub(in super::super) fn plans(
    scenario: &Scenario,
    result: &RunResult,
    reload: Option<&Reload<'_>>,
) -> (Vec<Together>, usize) {
    let found = cures(scenario, result, reload);
    // What the scenario alone asks too much of must all be widened: that is known before it is tried.
    let by_law: Vec<&Together> =
        found.iter().filter(|cause| cause.by_law).filter_map(|cause| cause.alternatives.first()).collect();
    let causes: Vec<&[Together]> = found.iter().map(|cause| cause.alternatives.as_slice()).collect();
    let first: Vec<&Together> = causes.iter().filter_map(|alternatives| alternatives.first()).collect();
    // Each alone before it joins those before it.
    let alone_and_together = |many: usize| [first[many - 1].clone(), joined(&first[..many])];
    let mut plans: Vec<Together> =
        (1..=first.len().min(TOGETHER_MAX)).flat_map(alone_and_together).skip(1).collect();
    let is_behind = result.why.iter().any(|finding| matches!(finding, Finding::Behind { .. }));
    if is_behind && (2..=TOGETHER_MAX).contains(&by_law.len()) {
        let by_law = joined(&by_law);
        plans.retain(|plan| *plan != by_law);
        plans.insert(0, by_law);
    }
    plans.extend(causes.iter().flat_map(|alternatives| alternatives.iter().skip(1)).cloned());
    plans.extend(first.iter().skip(TOGETHER_MAX).map(|changes| (*changes).clone()));
    let pair = causes.first().and_then(|alternatives| match alternatives {
        [a, b, ..] if !a.iter().any(|one| b.iter().any(|other| one.key == other.key)) => {
            Some(joined(&[a, b]))
        }
        _ => None,
    });
    // Where too much is asked by the scenario alone, nothing else can do.
    let is_short = found.iter().any(|cause| cause.by_law);
    let each = found.first().filter(|cause| cause.each && !is_short);
    if let Some(cause) = each {
        plans.retain(|plan| !cause.alternatives.contains(plan));
        plans.splice(0..0, cause.alternatives.iter().cloned().chain(pair));
    } else {
        plans.extend(pair);
    }
    let accepted = |plan: &Together| {
        let pairs: Vec<(String, String)> = plan.iter().map(Change::pair).collect();
        reload.is_none_or(|reload| reload(&pairs).is_some())
    };
    plans.retain(accepted);
    let each =
        each.map_or(0, |cause| plans.iter().take_while(|plan| cause.alternatives.contains(plan)).count());
    (plans, each)
}

/// Says where the service did not come back what brings it back, of what was tried.
pub(in super::super) fn name_cures(result: &mut RunResult) {
    let words = |attempt: &Attempt| {
        let pairs = attempt.changes.iter().map(|change| format!("{}={}", change.key, change.value));
        pairs.collect::<Vec<String>>().join(" and ")
    };
    let back = result.tried.iter().filter(|attempt| attempt.recovers == Some(true));
    let works: Vec<String> = back.map(words).collect();
    for finding in &mut result.why {
        if let Finding::Metastable { cures, .. } = finding {
            cures.clone_from(&works);
        }
    }
}

/// All changes of several alternatives.
fn joined(all: &[&Together]) -> Together {
    all.iter().flat_map(|changes| changes.iter().cloned()).collect()
}

/// The command after trying: the attempt that solves the problem with the fewest changes, or else the one that helps most.
pub(in super::super) fn best(scenario: &Scenario, tried: &[Attempt]) -> Option<String> {
    let helps = tried.iter().filter(|one| one.helps);
    let better = |a: &&Attempt, b: &&Attempt| {
        let solved = a.solves.cmp(&b.solves);
        let fewer = if a.solves && b.solves {
            b.changes.len().cmp(&a.changes.len())
        } else {
            std::cmp::Ordering::Equal
        };
        solved.then(fewer).then(a.available.total_cmp(&b.available))
    };
    // The first of equal ones was thought of first.
    let best = helps.rev().max_by(better)?;
    let note: &[&str] = if best.solves { &[] } else { &["better, but not enough"] };
    Some(command(scenario, &best.changes, note))
}

/// The command with some changes, and a comment of their prices, reasons and notes.
fn command(scenario: &Scenario, changes: &[Change], notes: &[&str]) -> String {
    let line = scenario.command(&changes.iter().map(Change::pair).collect::<Vec<_>>());
    let mut comments: Vec<&str> = changes.iter().filter_map(|change| change.comment.as_deref()).collect();
    comments.extend(notes);
    if comments.is_empty() { line } else { format!("{line} # {}", comments.join("; ")) }
}
