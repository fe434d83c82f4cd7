//! What to try next: a command. While something fails it attacks the cause that `why` names; else it asks the next question.

use crate::model::lever::{Effect, Setting};
use crate::model::quantity::Duration;
use crate::scenario::Scenario;
use crate::scenario::levers::levers;
use crate::scenario::load::ResourceLoad;

use super::super::finding::{Attempt, Change, Finding};
use super::super::loss;
use super::super::result::{Answer, RunResult};
use super::cure::{Reload, cures, turned};
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
    let plan = plans(scenario, result, reload).into_iter().next()?;
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
        time(fault.lasts)
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
/// and then what else could help.
pub(in super::super) fn plans(
    scenario: &Scenario,
    result: &RunResult,
    reload: Option<&Reload<'_>>,
) -> Vec<Vec<Change>> {
    let found = cures(scenario, result, reload);
    // What the scenario alone asks too much of must all be widened: that is known before it is tried.
    let by_law: Vec<Change> = found
        .iter()
        .filter(|cause| cause.by_law)
        .filter_map(|cause| cause.changes.first().cloned())
        .collect();
    let causes: Vec<Vec<Change>> = found.into_iter().map(|cause| cause.changes).collect();
    let first: Vec<Change> = causes.iter().filter_map(|changes| changes.first().cloned()).collect();
    // Each alone before it joins those before it.
    let alone_and_together = |many: usize| [vec![first[many - 1].clone()], first[..many].to_vec()];
    let mut plans: Vec<Vec<Change>> =
        (1..=first.len().min(TOGETHER_MAX)).flat_map(alone_and_together).skip(1).collect();
    let is_behind = result.why.iter().any(|finding| matches!(finding, Finding::Behind { .. }));
    if is_behind && (2..=TOGETHER_MAX).contains(&by_law.len()) {
        plans.retain(|plan| *plan != by_law);
        plans.insert(0, by_law);
    }
    let others = causes.iter().flat_map(|changes| changes.iter().skip(1)).map(|change| vec![change.clone()]);
    plans.extend(others);
    plans.extend(first.iter().skip(TOGETHER_MAX).map(|change| vec![change.clone()]));
    if let Some([a, b]) = causes.first().and_then(|changes| changes.get(..2))
        && a.key != b.key
    {
        plans.push(vec![a.clone(), b.clone()]);
    }
    let accepted = |plan: &Vec<Change>| {
        let pairs: Vec<(String, String)> = plan.iter().map(Change::pair).collect();
        reload.is_none_or(|reload| reload(&pairs).is_some())
    };
    plans.retain(accepted);
    plans
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
