//! The story of one incident: what began it, what was full, who was dragged along, and what users saw.

use std::ops::Range;

use crate::model::resource::{Meter, POOL, Sort};
use crate::model::switching;
use crate::scenario::expression::Stat;
use crate::scenario::faults::{FaultKind, FaultSpec};
use crate::scenario::load::ResourceLoad;
use crate::scenario::{BoxEntry, Scenario};
use crate::stats::series::mean;

use super::super::expect::gauge_of;
use super::super::finding::{Finding, Need};
use super::super::result::RunResult;
use super::course::Course;
use super::full::{Full, depths, full, reach};
use super::incident::Incident;
use super::used;

/// A load that is this many times that of the other windows has risen.
const SURGE: f64 = 1.3;

/// Share of the time that a surge must have left for the load to be compared with.
const CALM: f64 = 0.1;

/// Difference of the tries a request that is worth a sentence.
const TRIES_MORE: f64 = 0.05;

/// Share of answers for nobody that is worth a sentence.
const IN_VAIN: f64 = 0.05;

/// Share of requests whose failure in a class is worth telling.
const FAILED: f64 = 0.000_5;

/// Share of the calls that hold a resource which are at the box that they wait for.
const KEEPS: f64 = 0.9;

/// Most resources that are told of one incident.
const FULL_MAX: usize = 4;

/// What a story is made from.
pub(super) struct Case<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) result: &'a RunResult,
    pub(super) course: &'a Course,
    /// The static model of the resources.
    pub(super) load: Vec<ResourceLoad>,
}

impl Case<'_> {
    /// The story of an incident, the cause first.
    pub(super) fn story(&self, incident: &Incident) -> Vec<Finding> {
        let mut told = self.faults(incident);
        if !told.is_empty() {
            told.extend(self.switches());
        }
        let full = full(self.scenario, self.result, self.course, &incident.rows);
        let (dragged, origins): (Vec<&Full>, Vec<&Full>) =
            full.iter().partition(|one| self.waits_for(one, &full).is_some());
        let began = match (origins.first(), dragged.first()) {
            (Some(origin), _) => Some(origin.group.as_str()),
            (None, Some(one)) => self.waits_for(one, &full),
            (None, None) => None,
        };
        told.extend(origins.iter().take(FULL_MAX).map(|one| self.full(one)));
        told.extend(self.by_law(incident));
        let behind = self.behind(&told, &full);
        told.extend(behind);
        told.extend(self.surge(incident));
        told.extend(dragged.iter().filter_map(|one| self.held(one, &full)));
        told.extend(began.and_then(|group| self.dragged(group, incident)));
        told.push(self.users(incident));
        told.extend(self.retries(incident));
        told
    }

    // What began it -------------------------------------------------------------------------------------------------

    /// The faults that were active when it began, the last that began first. Random faults are counted, as they happen at other
    /// times in each trial.
    fn faults(&self, incident: &Incident) -> Vec<Finding> {
        let first = &self.course.slices[incident.rows.start];
        let (begin_s, end_s) = (first.start_s, first.start_s + 2.0 * first.length_s);
        let planned = self.scenario.faults.iter().filter_map(|fault| self.planned(fault));
        let active = planned.filter(|(_, from_s, until_s)| {
            *from_s <= end_s && until_s.is_none_or(|until_s| until_s >= begin_s)
        });
        let mut active: Vec<(&FaultSpec, f64, Option<f64>)> = active.collect();
        active.sort_by(|a, b| b.1.total_cmp(&a.1));
        let verb = |fault: &FaultSpec| match (fault.kind, &fault.between) {
            (FaultKind::Partition, Some(_)) => "were cut off from each other",
            (kind, _) => kind.happened(),
        };
        let finding = |(fault, from_s, until_s): (&FaultSpec, f64, Option<f64>)| Finding::Fault {
            fault: fault.kind.name(),
            verb: verb(fault),
            of: targets(fault),
            from_s,
            until_s,
        };
        let mut found: Vec<Finding> = active.into_iter().map(finding).collect();
        let trials = self.result.trials as f64;
        let random = self.result.random_faults.iter().filter(|one| one.times > 0);
        found.extend(
            random.map(|one| Finding::RandomFaults {
                fault: one.fault.clone(),
                times: one.times as f64 / trials,
            }),
        );
        found
    }

    /// What the switches between sites did, or could not do.
    fn switches(&self) -> Vec<Finding> {
        let mean = |gauge: &str, of: &str| {
            gauge_of(self.result, gauge, of).and_then(|gauge| gauge.figure(Stat::Mean).mean).unwrap_or(0.0)
        };
        let told = |entry: &BoxEntry| {
            let (of, needs) = (entry.name.clone(), entry.spec.sides()?.needs);
            match (mean(switching::MADE, &of) > 0.0, mean(switching::PAUSES, &of) > 0.0) {
                (true, _) => Some(Finding::Switched {
                    took_s: mean(switching::TOOK, &of),
                    noticed_s: mean(switching::NOTICED, &of),
                    decided_s: mean(switching::DECIDED, &of),
                    paused_s: mean(switching::PAUSED, &of),
                    of,
                }),
                (false, true) => Some(Finding::NotSwitched { of, needs }),
                (false, false) => None,
            }
        };
        self.scenario.boxes.iter().filter_map(told).collect()
    }

    /// A fault with a time, when it begins, and when it ends; `None` for a random one.
    fn planned<'f>(&self, fault: &'f FaultSpec) -> Option<(&'f FaultSpec, f64, Option<f64>)> {
        let from_s = fault.at?.0.as_secs_f64();
        let pause_s = fault.pause.map_or(0.0, |pause| pause.0.as_secs_f64());
        // What a flush has taken away is not back when it is over.
        let lasts = fault.lasts().filter(|_| fault.kind != FaultKind::Flush);
        let lasts_s = lasts.map(|lasts| lasts.0.as_secs_f64());
        let times = if fault.kind == FaultKind::Deploy { self.deployed(fault) } else { 1.0 };
        let until_s = lasts_s.map(|lasts_s| from_s + times * (lasts_s + pause_s));
        Some((fault, from_s, until_s.filter(|until_s| *until_s < self.course.end_s)))
    }

    /// Number of members that a deployment restarts one after another.
    fn deployed(&self, fault: &FaultSpec) -> f64 {
        let members = |name: &String| self.scenario.entry(name).map_or(1, |entry| entry.spec.members());
        targets(fault).iter().map(|name| f64::from(members(name))).sum()
    }

    /// Whether more requests came while it began than otherwise.
    fn surge(&self, incident: &Incident) -> Option<Finding> {
        self.scenario.boxes.iter().find(|entry| entry.spec.changes_load())?;
        let all = self.course.slices.len();
        let rates: Vec<f64> = (0..all).map(|at| self.course.offered(at..at + 1)).collect();
        let mut sorted = rates.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted[all / 2];
        let is_high = |at: &usize| rates[*at] > SURGE * usual;
        // A window in which few requests come is high by chance.
        let around = |at: usize| mean((at..(at + 3).min(all)).map(|at| rates[at])) > SURGE * usual;
        let start = incident.rows.start.saturating_sub(1);
        let from = (start..(start + 4).min(all)).find(|at| is_high(at) && around(*at))?;
        let until = (from..all).find(|at| !is_high(at) && !around(*at)).unwrap_or(all);
        let from = (0..=from).rev().take_while(is_high).last().unwrap_or(from);
        let calm = (all - (until - from)) as f64 > CALM * all as f64;
        let outside = self.course.offered(0..from) * from as f64
            + self.course.offered(until..all) * (all - until) as f64;
        let otherwise = outside / (all - (until - from)) as f64;
        calm.then(|| Finding::Surge {
            factor: self.course.offered(from..until) / otherwise,
            from_s: self.course.slices[from].start_s,
            until_s: self.course.until(&(from..until)),
        })
    }

    // What was full -------------------------------------------------------------------------------------------------

    fn full(&self, one: &Full) -> Finding {
        Finding::Full {
            of: one.of.clone(),
            resource: one.resource,
            noun: one.noun,
            share: one.share,
            from_s: self.since(one),
            until_s: self.course.until(&one.rows),
            need: self.need(&one.group, one.resource),
        }
    }

    /// What a resource is asked for and what it can do when the load is highest, if that is less; by the scenario alone.
    fn need(&self, group: &str, resource: &str) -> Option<Need> {
        let rows = self.load.iter().filter(|row| row.name == group && row.resource.name == resource);
        let row = rows.reduce(|most, one| if used(one) > used(most) { one } else { most })?;
        (used(row) > 1.0 && row.peak.open_calls > 0.0)
            .then(|| Need { come_per_s: row.peak.open_calls, pass_per_s: row.peak.open_calls / used(row) })
    }

    /// Resources that nobody measures and of which more is asked than there is; limits are told where calls are refused.
    fn by_law(&self, incident: &Incident) -> Vec<Finding> {
        let is_it = |row: &&ResourceLoad| {
            matches!(row.resource.meter, Meter::Law | Meter::Gauge(_))
                && !matches!(row.resource.sort, Sort::Limit)
                && row.resource.name != POOL
                && used(row) > 1.0
        };
        let finding = |row: &ResourceLoad| Finding::Full {
            of: row.member.clone(),
            resource: row.resource.name,
            noun: row.resource.noun,
            share: 1.0,
            // What is asked on average fills it from the start.
            from_s: if row.utilisation() > 1.0 { 0.0 } else { self.begins(incident) },
            until_s: self.course.until(&incident.rows),
            need: self.need(&row.name, row.resource.name),
        };
        self.load.iter().filter(is_it).map(finding).collect()
    }

    /// Resources that would be full if those that are let enough through: of which the scenario alone asks for more than there
    /// is when the load is highest. None where what is full is not so for want of itself.
    fn behind(&self, told: &[Finding], full: &[Full]) -> Vec<Finding> {
        let is_short = |finding: &Finding| matches!(finding, Finding::Full { need: Some(_), .. });
        if !told.iter().any(is_short) {
            return Vec::new();
        }
        let mut found: Vec<Finding> = Vec::new();
        for row in self.load.iter().filter(|row| used(row) > 1.0 && row.resource.sort == Sort::Rate) {
            let name = row.resource.name;
            let is_full = full.iter().any(|one| one.group == row.name && one.resource == name);
            let is_known = found.iter().chain(told).any(|one| match one {
                Finding::Behind { of, resource, .. } => *of == row.name && *resource == name,
                Finding::Full { of, resource, .. } => *of == row.member && *resource == name,
                _ => false,
            });
            if let (false, false, Some(need)) = (is_full, is_known, self.need(&row.name, name)) {
                found.push(Finding::Behind {
                    of: row.name.clone(),
                    resource: name,
                    noun: row.resource.noun,
                    need,
                });
            }
        }
        found
    }

    /// When an incident begins; 0 if it does in the first measured window.
    fn begins(&self, incident: &Incident) -> f64 {
        if incident.rows.start == 0 { 0.0 } else { self.course.slices[incident.rows.start].start_s }
    }

    /// When a resource became full; 0 if it was so in the first measured window.
    fn since(&self, one: &Full) -> f64 {
        if one.rows.start == 0 { 0.0 } else { self.course.slices[one.rows.start].start_s }
    }

    /// The box below that a call waits for while it holds a resource: one that is full, or the last one at which nearly all of
    /// those calls are. `None` if the resource is full by itself.
    fn waits_for<'f>(&'f self, one: &Full, full: &'f [Full]) -> Option<&'f str> {
        if !one.is_held() {
            return None;
        }
        let below = reach(self.scenario, &one.group, None);
        let is_below = |name: &str| name != one.group && below.contains(&name);
        let next = full.iter().find(|other| other.depth > one.depth && is_below(&other.group));
        if let Some(next) = next {
            return Some(&next.group);
        }
        if self.need(&one.group, one.resource).is_some() {
            return None;
        }
        let depths = depths(self.scenario);
        let boxes = self.scenario.boxes.iter().map(|entry| entry.name.as_str()).filter(|name| is_below(name));
        let keeps = boxes.filter(|name| self.inside(name, &one.rows) >= KEEPS * one.share * one.has);
        keeps.max_by_key(|name| depths.get(name).copied().unwrap_or(0))
    }

    /// Mean number of calls inside all members of a box.
    fn inside(&self, group: &str, rows: &Range<usize>) -> f64 {
        let of = self.result.components.iter().enumerate().filter(|(_, (_, member))| member.group == group);
        let members: Vec<usize> = of.map(|(at, _)| at).collect();
        mean(
            rows.clone().map(|row| {
                members.iter().map(|at| self.course.slices[row].components[*at].inside).sum::<f64>()
            }),
        )
    }

    /// A resource that calls hold while they wait for a box below.
    fn held(&self, one: &Full, full: &[Full]) -> Option<Finding> {
        let below = self.waits_for(one, full)?;
        let held = self.inside(below, &one.rows).min(one.share * one.has);
        Some(Finding::Held {
            of: one.of.clone(),
            resource: one.resource,
            noun: one.noun,
            has: one.has,
            held: held.round(),
            waits_for: below.to_owned(),
        })
    }

    /// Classes that fail and never come to the box where it began.
    fn dragged(&self, group: &str, incident: &Incident) -> Option<Finding> {
        let clients = self.scenario.boxes.iter().filter(|entry| entry.spec.offered().is_some());
        let clients: Vec<&str> = clients.map(|entry| entry.name.as_str()).collect();
        let calls = |class: usize| {
            clients.iter().any(|client| reach(self.scenario, client, Some(class)).contains(&group))
        };
        let fails =
            |class: &usize| self.course.of_class(*class, incident.rows.clone()).failed_share() > FAILED;
        let classes = (0..self.scenario.classes.len()).filter(fails).filter(|class| !calls(*class));
        let classes: Vec<String> = classes.map(|class| self.scenario.classes[class].name.clone()).collect();
        (!classes.is_empty()).then(|| Finding::Dragged { classes, of: group.to_owned() })
    }

    // What users saw ------------------------------------------------------------------------------------------------

    fn users(&self, incident: &Incident) -> Finding {
        let course = self.course;
        let rows = incident.rows.clone();
        let available = |class: usize| {
            let requests = course.of_class(class, rows.clone());
            (self.scenario.classes[class].name.clone(), 1.0 - requests.failed_share())
        };
        let all = course.requests(0..course.slices.len()).failed;
        let outside = (0..course.slices.len()).filter(|at| !rows.contains(at));
        Finding::Users {
            from_s: self.begins(incident),
            until_s: course.until(&rows),
            failed: incident.failed,
            failed_outside: all - incident.failed,
            available: (0..self.scenario.classes.len()).map(available).collect(),
            p99_ms: (self.p99(rows.clone()), self.p99(outside)),
        }
    }

    /// Median of the 99th percentiles of some windows, in ms.
    fn p99(&self, rows: impl Iterator<Item = usize>) -> Option<f64> {
        let mut values: Vec<f64> = rows.filter_map(|at| self.course.slices[at].p99_ms).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    fn retries(&self, incident: &Incident) -> Option<Finding> {
        let course = self.course;
        let inside = course.requests(incident.rows.clone()).tries();
        let (before, after) = (0..incident.rows.start, incident.rows.end..course.slices.len());
        let (before, after) = (course.requests(before), course.requests(after));
        let ended = before.ok + before.failed + after.ok + after.failed;
        let outside = (ended > 0.0).then(|| (before.attempts + after.attempts) / ended);
        (inside > outside.unwrap_or(1.0).max(1.0) + TRIES_MORE)
            .then_some(Finding::Retries { inside, outside })
    }

    /// The box with the largest share of answers that came in vain.
    pub(super) fn in_vain(&self) -> Option<Finding> {
        let mut groups: std::collections::BTreeMap<&str, (f64, f64)> = std::collections::BTreeMap::new();
        for (_, one) in self.result.components.iter() {
            let sums = groups.entry(&one.group).or_default();
            sums.0 += one.answered_in_vain.mean.unwrap_or(0.0);
            sums.1 += one.outcomes.ok.mean.unwrap_or(0.0);
        }
        let shares = groups.into_iter().map(|(group, (in_vain, all))| (group, in_vain / all));
        let (of, share) = shares
            .filter(|(_, share)| *share > IN_VAIN)
            .reduce(|most, one| if one.1 > most.1 { one } else { most })?;
        Some(Finding::InVain { of: of.to_owned(), share })
    }

    /// A member without a call while its mates have some, and are busy.
    pub(super) fn idle(&self) -> Option<Finding> {
        let all = || self.result.components.iter();
        let busy = |one: &super::super::result::ComponentResult| {
            one.utilisation.as_ref().and_then(|figure| figure.mean).unwrap_or(0.0)
        };
        all().find_map(|(name, one)| {
            // A member that may be off all the time is not idle.
            let is_always_there = self.scenario.entry(&one.group).is_none_or(|entry| entry.starts.is_none());
            let is_idle = is_always_there
                && one.calls.mean == Some(0.0)
                && one.machine.as_ref().is_some_and(|machine| machine.host == name);
            let mates = all().filter(|(_, mate)| mate.group == one.group && mate.calls.mean > Some(0.0));
            let (mate, most) =
                mates.reduce(|most, mate| if busy(mate.1) > busy(most.1) { mate } else { most })?;
            (is_idle && busy(most) > 0.5).then(|| Finding::Idle {
                of: name.to_owned(),
                busiest: mate.to_owned(),
                share: busy(most),
            })
        })
    }
}

/// What a fault happens to.
pub(super) fn targets(fault: &FaultSpec) -> Vec<String> {
    let between = fault.between.iter().flatten();
    fault.target.iter().chain(between).flat_map(|names| names.0.clone()).collect()
}
