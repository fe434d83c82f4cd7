//! Collapse: trials in which the service did not come back after what had pushed it over was long gone (a metastable failure).

use std::collections::BTreeSet;

use crate::model::record::{FAULTS, Note, TrialRecord, Window};
use crate::model::simulation::Length;
use crate::scenario::Scenario;
use crate::scenario::faults::{FaultKind, FaultSpec};
use crate::stats::binomial::clopper_pearson;

use super::value::Figure;

/// A trial whose good answers are less than this share of the requests has collapsed.
const COLLAPSED: f64 = 0.9;

/// After a trigger the load is the same, or less, if it is at most this many times the good answers before.
const SAME_LOAD: f64 = 1.05;

/// A load that is this many times its mean is a stretch above it.
const SURGE: f64 = 1.2;

/// Least number of windows after a trigger that show whether the service comes back.
const WINDOWS_MIN: usize = 10;

/// In how many trials the service did not come back.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Collapse {
    /// Number of trials that could tell.
    pub trials: u32,
    /// Number of those that collapsed.
    pub of: u32,
    /// Lower end of the 95 % interval of the probability of a collapse, 0..1.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// When the last trigger ended, in seconds after the start of the trial; `None` where chance did it without any.
    pub since_s: Option<f64>,
    /// The two worlds, by the share of the requests that were answered after the trigger: those trials that collapsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapsed: Option<World>,
    /// Those that came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<World>,
    /// Whether each trial collapsed; `None` for one that is too short to tell.
    #[serde(skip)]
    pub by_trial: Vec<Option<bool>>,
}

impl Collapse {
    /// The probability of a collapse, with its interval.
    pub(super) fn figure(&self) -> Figure {
        let one = |collapsed: &Option<bool>| collapsed.map(|collapsed| f64::from(u8::from(collapsed)));
        Figure {
            mean: Some(f64::from(self.of) / f64::from(self.trials)),
            low: Some(self.low),
            high: Some(self.high),
            trials: self.by_trial.iter().map(one).collect(),
            ..Figure::default()
        }
    }
}

/// Trials that ended alike.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct World {
    /// Lowest share of the requests that were answered after the trigger, 0..1.
    pub available_min: f64,
    /// The highest.
    pub available_max: f64,
}

/// What was found about collapses.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// There was nothing from which the service had to come back.
    Untried,
    /// The trials end too early after the trigger: they should have this measured time at least, in seconds.
    TooShort(f64),
    /// What the trials show.
    Shown(Collapse),
}

/// What pushed a trial over: when it began and when it ended, in seconds after the start of the trial.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trigger {
    begin_s: f64,
    end_s: f64,
}

/// In how many of the trials the service did not come back.
pub(super) fn collapse(scenario: &Scenario, records: &[TrialRecord], length: Length) -> Verdict {
    let patience_s = longest_patience(scenario);
    let warmup_s = length.warmup.as_secs_f64();
    let triggers: Vec<Option<Trigger>> =
        records.iter().map(|record| trigger(scenario, record, warmup_s)).collect();
    if triggers.iter().all(Option::is_none) {
        return without_trigger(scenario, records, warmup_s);
    }
    let end_s = warmup_s + length.measured.as_secs_f64();
    let judged: Vec<Option<(bool, f64)>> = records
        .iter()
        .zip(&triggers)
        .map(|(record, trigger)| {
            let trigger = trigger.filter(|_| !lasts_to_the_end(scenario, record))?;
            judge(record, trigger, patience_s, warmup_s)
        })
        .collect();
    let last_s = triggers.iter().flatten().map(|trigger| trigger.end_s).fold(0.0, f64::max);
    if judged.iter().all(Option::is_none) {
        let window_s = records[0].windows.iter().map(|window| window.length_s).fold(0.0, f64::max);
        let needed_s = last_s + 2.0 * patience_s + (WINDOWS_MIN as f64 + 2.0) * window_s;
        // Where the service already works at the end, although what pushed it over may last, there is nothing to wait for.
        let is_back = records.iter().all(works_at_the_end);
        return if needed_s > end_s && !is_back {
            Verdict::TooShort(1.05 * (needed_s - warmup_s))
        } else {
            Verdict::Untried
        };
    }
    shown(&judged, Some(last_s))
}

/// Whether the requests of the last windows of a trial are answered.
fn works_at_the_end(record: &TrialRecord) -> bool {
    let last = &record.windows[record.windows.len().saturating_sub(WINDOWS_MIN)..];
    let issued: u64 = last.iter().map(|window| window.issued).sum();
    let ok: u64 = last.iter().map(|window| window.ok).sum();
    ok as f64 >= COLLAPSED * issued as f64
}

fn shown(judged: &[Option<(bool, f64)>], since_s: Option<f64>) -> Verdict {
    let trials = judged.iter().flatten().count() as u32;
    let of = judged.iter().flatten().filter(|(collapsed, _)| *collapsed).count() as u32;
    let world = |which: bool| {
        let shares =
            judged.iter().flatten().filter(|(collapsed, _)| *collapsed == which).map(|(_, share)| *share);
        let ends =
            shares.fold((f64::INFINITY, 0.0_f64), |(low, high), share| (low.min(share), high.max(share)));
        ends.0.is_finite().then_some(World { available_min: ends.0, available_max: ends.1 })
    };
    let (low, high) = clopper_pearson(of, trials);
    let by_trial = judged.iter().map(|one| one.map(|(collapsed, _)| collapsed)).collect();
    let (collapsed, recovered) = (world(true), world(false));
    Verdict::Shown(Collapse { trials, of, low, high, since_s, collapsed, recovered, by_trial })
}

/// The longest time for which a user waits for an answer, in seconds.
fn longest_patience(scenario: &Scenario) -> f64 {
    let clients = scenario.boxes.iter().filter(|entry| entry.spec.offered().is_some());
    let all = clients.filter_map(|entry| entry.spec.patience());
    all.map(|(_, patience)| patience.as_secs_f64()).fold(0.0, f64::max)
}

/// The last thing that pushed the trial over: a fault that ended, or a stretch of a load above its mean.
fn trigger(scenario: &Scenario, record: &TrialRecord, warmup_s: f64) -> Option<Trigger> {
    // A fault that never ends leaves nothing to come back to.
    if scenario.faults.iter().any(|fault| fault.at.is_some() && fault.lasts().is_none()) {
        return None;
    }
    let faults = planned(scenario, record).into_iter().chain(random(scenario, record));
    let surge = surge(scenario, record, warmup_s);
    let found = faults.chain(surge).filter(|one| one.end_s > warmup_s);
    found.reduce(|last, one| if one.end_s > last.end_s { one } else { last })
}

/// The planned faults that end.
fn planned(scenario: &Scenario, record: &TrialRecord) -> Vec<Trigger> {
    let trigger = |fault: &FaultSpec| {
        let begin_s = fault.at?.0.as_secs_f64();
        let end_s = begin_s + fault.lasts()?.0.as_secs_f64();
        // A deployment goes on until its last member is back.
        let known = ends(record).filter(|end| *end >= begin_s && fault.kind == FaultKind::Deploy);
        Some(Trigger { begin_s, end_s: known.fold(end_s, f64::max) })
    };
    scenario.faults.iter().filter_map(trigger).collect()
}

/// Times at which faults of a trial ended.
fn ends(record: &TrialRecord) -> impl Iterator<Item = f64> {
    record.timeline.iter().filter(|note| is_end(note)).map(|note| note.at.as_secs_f64())
}

/// Whether an event ends a fault.
fn is_end(note: &Note) -> bool {
    FAULTS.iter().any(|(_, end)| *end == note.event)
}

/// Whether a random fault lasts when the trial ends: then nothing shows whether the service would come back.
fn lasts_to_the_end(scenario: &Scenario, record: &TrialRecord) -> bool {
    let mut lasting: BTreeSet<&str> = BTreeSet::new();
    for note in &record.timeline {
        if is_end(note) {
            lasting.remove(&*note.component);
        } else if FAULTS.iter().any(|(begin, _)| *begin == note.event) {
            lasting.insert(&note.component);
        }
    }
    !lasting.is_empty() && scenario.faults.iter().any(|fault| fault.mtbf.is_some())
}

/// The last random fault that ended: what began it is the last event before that is no end.
fn random(scenario: &Scenario, record: &TrialRecord) -> Option<Trigger> {
    scenario.faults.iter().find(|fault| fault.mtbf.is_some())?;
    let last = record.timeline.iter().rposition(is_end)?;
    let begin =
        record.timeline[..last].iter().rfind(|note| note.component == record.timeline[last].component)?;
    Some(Trigger { begin_s: begin.at.as_secs_f64(), end_s: record.timeline[last].at.as_secs_f64() })
}

/// The last stretch of a planned load above its mean.
fn surge(scenario: &Scenario, record: &TrialRecord, warmup_s: f64) -> Option<Trigger> {
    scenario.boxes.iter().find(|entry| entry.spec.changes_load() && entry.spec.peak().is_some())?;
    let windows: Vec<&Window> = record.windows.iter().filter(|window| window.start_s >= warmup_s).collect();
    let issued: Vec<f64> = windows.iter().map(|window| window.issued as f64 / window.length_s).collect();
    let mean = issued.iter().sum::<f64>() / issued.len() as f64;
    // Three windows together: one alone may be high by chance.
    let high: Vec<bool> =
        issued.windows(3).map(|some| some.iter().sum::<f64>() / 3.0 > SURGE * mean).collect();
    let last = high.iter().rposition(|is_high| *is_high)?;
    let first = high[..last].iter().rposition(|is_high| !is_high).map_or(0, |calm| calm + 1);
    Some(Trigger {
        begin_s: windows[first].start_s,
        end_s: windows[last + 2].start_s + windows[last + 2].length_s,
    })
}

/// Whether a trial collapsed, and the share of its requests that were answered after the trigger; `None` if it is too short to
/// tell.
fn judge(record: &TrialRecord, trigger: Trigger, patience_s: f64, warmup_s: f64) -> Option<(bool, f64)> {
    let before =
        |window: &&Window| window.start_s >= warmup_s && window.start_s + window.length_s <= trigger.begin_s;
    let from_s = trigger.end_s + 2.0 * patience_s;
    let after: Vec<&Window> = record.windows.iter().filter(|window| window.start_s >= from_s).collect();
    if after.len() < WINDOWS_MIN {
        return None;
    }
    let before = rates(record.windows.iter().filter(before))?;
    // Who comes back late has come back.
    let last = after.len() - (after.len() / 10).max(WINDOWS_MIN);
    let end = rates(after[last..].iter().copied())?;
    let after = rates(after.into_iter())?;
    let share = (after.ok / after.issued).min(1.0);
    let is_down = share < COLLAPSED && end.ok < COLLAPSED * end.issued;
    Some((is_down && after.issued < SAME_LOAD * before.ok, share))
}

/// Requests a second.
struct Rates {
    issued: f64,
    ok: f64,
}

/// The rates in some windows; `None` without any requests.
fn rates<'a>(windows: impl Iterator<Item = &'a Window>) -> Option<Rates> {
    let sum = windows.fold((0.0, 0.0, 0.0), |(seconds, issued, ok), window| {
        (seconds + window.length_s, issued + window.issued as f64, ok + window.ok as f64)
    });
    (sum.1 > 0.0).then(|| Rates { issued: sum.1 / sum.0, ok: sum.2 / sum.0 })
}

/// Whether the scenario asks for more than there is, so that no chance is needed.
fn has_too_little(scenario: &Scenario) -> bool {
    scenario.load().resources.iter().any(|row| row.peak_utilisation() > 1.0)
}

/// Without any trigger: a good half, and then one in which less than nine tenths are answered, although the machines could do
/// the work. Chance has pushed it over.
fn without_trigger(scenario: &Scenario, records: &[TrialRecord], warmup_s: f64) -> Verdict {
    if !scenario.is_constant() || has_too_little(scenario) {
        return Verdict::Untried;
    }
    let judge = |record: &TrialRecord| {
        let windows: Vec<&Window> =
            record.windows.iter().filter(|window| window.start_s >= warmup_s).collect();
        let (first, second) = windows.split_at(windows.len() / 2);
        let (first, second) = (rates(first.iter().copied())?, rates(second.iter().copied())?);
        let share = (second.ok / second.issued).min(1.0);
        let is_same_load = second.issued < SAME_LOAD * first.issued;
        Some((first.ok >= COLLAPSED * first.issued && share < COLLAPSED && is_same_load, share))
    };
    let judged: Vec<Option<(bool, f64)>> = records.iter().map(judge).collect();
    let collapses = judged.iter().flatten().any(|(collapsed, _)| *collapsed);
    if collapses { shown(&judged, None) } else { Verdict::Untried }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{from_text, options, trial};
    use super::*;

    /// The verdict on three trials of 12 s, of which the first `of` answer 20 of 100 requests a window from 4 s on. Their core is
    /// slow from 3 to 4 s.
    fn verdict(of: usize, timeout: &str, fault: &str) -> Verdict {
        let scenario = from_text(&format!(
            "[run]\nduration = '10s'\nwarmup = '2s'\n[client.u]\nrate = '100/s'\ntarget = 's'\ntimeout = '{timeout}'\n\
             [server.s]\npublic = true\nsteps = [{{ cpu = '1ms' }}]\n{fault}"
        ));
        let record = |number: usize| {
            let mut record = trial(&[100]);
            for window in &mut record.windows {
                (window.issued, window.ok, window.failed) = (10, 10, 0);
                if number < of && window.start_s > 4.0 {
                    (window.ok, window.failed) = (2, 8);
                }
            }
            record
        };
        let records: Vec<TrialRecord> = (0..3).map(record).collect();
        collapse(&scenario, &records, options(3).length)
    }

    const SLOW: &str = "[[fault]]\nkind = 'slow'\ntarget = 's'\nat = '3s'\nfor = '1s'\nfactor = 5\n";

    #[test]
    fn who_does_not_come_back_after_the_trigger_has_collapsed() {
        let Verdict::Shown(found) = verdict(1, "1s", SLOW) else { panic!("no verdict") };
        assert_eq!((found.trials, found.of, found.since_s), (3, 1, Some(4.0)));
        assert_eq!(found.by_trial, [Some(true), Some(false), Some(false)]);
        let worlds = (found.collapsed.unwrap(), found.recovered.unwrap());
        assert!((worlds.0.available_max - 0.2).abs() < 1e-9 && worlds.1.available_min == 1.0);
        let Verdict::Shown(none) = verdict(0, "1s", SLOW) else { panic!("no verdict") };
        assert_eq!((none.of, none.collapsed, none.low), (0, None, 0.0));
    }

    #[test]
    fn a_random_fault_that_lasts_to_the_end_is_nothing_to_come_back_from() {
        let text = "[run]\nduration = '10s'\nwarmup = '2s'\n[client.u]\nrate = '100/s'\ntarget = 's'\ntimeout = '1s'\n\
            [server.s]\npublic = true\nsteps = [{ cpu = '1ms' }]\n[[fault]]\nkind = 'crash'\ntarget = 's'\n\
            mtbf = '4s'\nmttr = '1s'\n";
        let scenario = from_text(text);
        let of = |events: &[(u64, &'static str)]| {
            let mut record = trial(&[100]);
            for window in &mut record.windows {
                let ok = if window.start_s > 4.0 { 2 } else { 10 };
                (window.issued, window.ok, window.failed) = (10, ok, 10 - ok);
            }
            let note = |(at, event): &(u64, &'static str)| Note {
                at: crate::kernel::time::SimTime::ZERO + crate::kernel::time::SimDuration::from_secs(*at),
                component: "s".into(),
                event: (*event).into(),
            };
            record.timeline = events.iter().map(note).collect();
            collapse(&scenario, &[record], options(1).length)
        };
        let Verdict::Shown(found) = of(&[(3, "crash"), (4, "recover")]) else { panic!("no verdict") };
        assert_eq!(found.of, 1, "it did not come back");
        let lasts = of(&[(3, "crash"), (4, "recover"), (5, "crash")]);
        assert!(!matches!(lasts, Verdict::Shown(_)), "{lasts:?}");
    }

    #[test]
    fn a_trial_that_ends_too_early_tells_nothing() {
        assert!(matches!(verdict(1, "5s", SLOW), Verdict::TooShort(needed_s) if needed_s > 10.0));
    }

    #[test]
    fn without_a_trigger_chance_alone_can_do_it() {
        assert_eq!(verdict(0, "1s", ""), Verdict::Untried);
        // Seven tenths of the first half are good: that is no good half.
        assert_eq!(verdict(3, "1s", ""), Verdict::Untried);
    }
}
