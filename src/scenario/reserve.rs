//! Groups whose members come and go have places for the greatest number of members from the start, so that names and streams of
//! random numbers do not move.

use super::BoxEntry;
use super::assemble::Assembly;
use super::document::Document;
use super::error::Diagnostic;
use super::operations::{OperationKind, OperationSpec, keeps_entries};
use super::suggest::did_you_mean;
use super::validate::diagnostics_at;
use crate::model::ask::Verbs;
use crate::model::fleet::Keeps;
use crate::model::quantity::Duration;
use crate::model::spec::Problems;

/// Checks operations and the boxes that decide how many members others have, and reserves places.
pub(super) fn reserve(document: &Document<'_>, assembly: &mut Assembly, found: &mut Vec<Diagnostic>) {
    let keepers: Vec<(String, Keeps)> = assembly
        .boxes
        .iter()
        .filter_map(|entry| Some((format!("{}.{}", entry.kind, entry.name), entry.spec.keeps()?)))
        .collect();
    for (number, (table, keeps)) in keepers.iter().enumerate() {
        let mut problems = Problems::default();
        let other = keepers[..number].iter().find(|(_, other)| other.target == keeps.target);
        if let Some((other, _)) = other {
            let message = format!("`{}` is the target of `{other}` already", keeps.target);
            problems.error("target", message, "one of them decides how many members there are");
        } else {
            keep(assembly, keeps, &mut problems);
        }
        found.extend(diagnostics_at(document, table, problems));
    }
    let operations = assembly.operations.clone();
    for (index, operation) in &operations {
        let mut problems = Problems::default();
        moment(assembly, operation, &mut problems);
        idle_keys(operation, &mut problems);
        let keeper = keepers.iter().find(|(_, keeps)| keeps.target == operation.target);
        match (operation.kind, keeper) {
            (OperationKind::Scale, Some((table, _))) => {
                let message = format!("`{table}` decides how many members `{}` has", operation.target);
                problems.error("target", message, "drop the operation, or the autoscaler");
            }
            (OperationKind::Scale, None) => scale(assembly, operation, &mut problems),
            (OperationKind::Reshard, _) => reshard(assembly, operation, &mut problems),
            (OperationKind::Purge, _) => purge(assembly, operation, &mut problems),
        }
        found.extend(diagnostics_at(document, &format!("operation[{index}]"), problems));
    }
}

fn moment(assembly: &Assembly, operation: &OperationSpec, problems: &mut Problems) {
    let length = assembly.run.length();
    let calls = || {
        let alerts = assembly.boxes.iter().flat_map(|entry| entry.spec.alerts());
        alerts.filter_map(|alert| alert.calls.map(str::to_owned)).collect::<Vec<String>>()
    };
    match (operation.at, operation.after) {
        (Some(at), None) if at.0 >= length => {
            let message = format!("the operation comes at {at}, but the trial ends at {}", Duration(length));
            problems.error("at", message, "times count from the start, warm-up included");
        }
        (Some(_), None) => {}
        (Some(_), Some(_)) => {
            let help = "`at` is a planned time, `after` is that from the call of an alert";
            problems.error("after", "`at` and `after` do not go together", help);
        }
        (None, None) => {
            let help = "such as at = \"5min\"; or after = \"5min\" with a name that an alert calls";
            problems.error("", "`at` is missing: when do they do it?", help);
        }
        (None, Some(_)) => match &operation.name {
            None => {
                let help = "such as name = \"more\"; an alert has calls = \"more\" then";
                problems.error("after", "nobody can call an operation without a `name`", help);
            }
            Some(name) if !calls().contains(name) => {
                let message = format!("no alert calls `{name}`, so that it is never done");
                let help = format!("calls = \"{name}\" in an alert of a monitor");
                problems.warn("after", message, help);
            }
            Some(_) => {}
        },
    }
    if let Some(name) = &operation.name {
        let named = |(_, other): &&(usize, OperationSpec)| other.name.as_ref() == Some(name);
        if assembly.operations.iter().filter(named).count() > 1 {
            problems.error(
                "name",
                format!("several operations are called `{name}`"),
                "each has its own name",
            );
        }
    }
}

/// Keys of another kind of operation.
fn idle_keys(operation: &OperationSpec, problems: &mut Problems) {
    let OperationSpec { boot, start, after, .. } = operation;
    let of_scale = [("boot", boot.is_some()), ("start", start.is_some())];
    let (rate, to) = (("rate", operation.rate.is_some()), ("to", operation.to.is_some()));
    let others = match operation.kind {
        OperationKind::Scale => vec![rate],
        OperationKind::Reshard => [&of_scale[..], &[("after", after.is_some())]].concat(),
        OperationKind::Purge => [&of_scale[..], &[to, rate]].concat(),
    };
    for (key, _) in others.into_iter().filter(|(_, is_given)| *is_given) {
        let message = format!("`{key}` does nothing in an operation of the kind `{}`", operation.kind.name());
        problems.error(key, message, "drop the key");
    }
}

/// Data move to another number of shards.
fn reshard(assembly: &mut Assembly, operation: &OperationSpec, problems: &mut Problems) {
    if operation.to.is_none() {
        return problems.error("", "`to` is missing", "such as to = 5: the number of shards");
    }
    if operation.rate.is_some_and(|rate| rate.0 == 0) {
        return problems.error(
            "rate",
            "nothing ever moves at this rate",
            "such as rate = \"50MB\", a second",
        );
    }
    let Some(entry) = assembly.boxes.iter_mut().find(|entry| entry.name == operation.target) else {
        if !assembly.declared.contains_key(&operation.target) {
            let names = assembly.declared.keys().map(String::as_str);
            let help = did_you_mean(&operation.target, "there are", names).unwrap_or_default();
            problems.error("target", format!("unknown name `{}`", operation.target), help);
        }
        return;
    };
    if !entry.spec.reshard(operation.reshard(), problems) {
        let message = format!("the data of `{}` are in one piece", entry.name);
        let help = "say how they are divided: shards = { count = 4 } of a database";
        problems.error("target", message, help);
    }
}

/// Caches lose their entries.
fn purge(assembly: &Assembly, operation: &OperationSpec, problems: &mut Problems) {
    let target = &operation.target;
    let members = |entry: &BoxEntry| {
        let entry_name = &entry.name;
        (0..entry.spec.members()).any(|member| entry.spec.member(entry_name, member).name == *target)
    };
    let is_meant = |entry: &&BoxEntry| entry.name == *target || members(entry);
    match assembly.boxes.iter().find(is_meant) {
        Some(entry) if !keeps_entries(entry.kind) => {
            let message = format!("a {} keeps no entries that could be dropped", entry.kind);
            problems.error("target", message, "the target is a cache or a content delivery network");
        }
        None if !assembly.declared.contains_key(target) => {
            let caches = assembly.boxes.iter().filter(|entry| keeps_entries(entry.kind));
            let help = did_you_mean(target, "there are", caches.map(|entry| entry.name.as_str()));
            problems.error("target", format!("unknown name `{target}`"), help.unwrap_or_default());
        }
        _ => {}
    }
}

fn scale(assembly: &mut Assembly, operation: &OperationSpec, problems: &mut Problems) {
    match operation.to {
        None => return problems.error("", "`to` is missing", "such as to = 6: the number of machines"),
        Some(0) => {
            let help = "to = 1 leaves one; kind = \"power-off\" of a [[fault]] takes all";
            return problems.error("to", "a group has at least one machine", help);
        }
        Some(_) => {}
    }
    let Some(at) = place(assembly, &operation.target, problems) else { return };
    let entry = &assembly.boxes[at];
    let starts = entry.starts.unwrap_or_else(|| entry.spec.members());
    let most = entry.spec.members().max(operation.size());
    settle(&mut assembly.boxes[at], starts, most);
}

fn keep(assembly: &mut Assembly, keeps: &Keeps, problems: &mut Problems) {
    let Some(at) = place(assembly, &keeps.target, problems) else { return };
    let feeds = |entry: &BoxEntry| {
        let asks = entry.spec.arrows().iter().any(|arrow| arrow.to == keeps.target);
        entry.spec.answers().meets(Verbs::PUBLISH) && asks
    };
    if let Some(key) = keeps.queue
        && !assembly.boxes.iter().any(feeds)
    {
        let message = format!("no queue hands `{}` its work, so that nothing waits for it", keeps.target);
        problems.error(key, message, "metric = \"cpu\", or \"inside\" for the calls inside");
    }
    if keeps.min > keeps.max {
        // Its own check says so.
        return;
    }
    let starts = assembly.boxes[at].spec.members().max(keeps.min);
    if starts > keeps.max {
        let message = format!("`{}` begins with {starts} machines", keeps.target);
        return problems.error("max", message, format!("at least {starts}, or a smaller `count` there"));
    }
    if starts > keeps.pace.quota {
        let message = format!("`{}` begins with {starts} machines", keeps.target);
        return problems.error("quota", message, format!("at least {starts}"));
    }
    settle(&mut assembly.boxes[at], starts, keeps.max);
}

/// The place of a box whose members can come and go; `None`, with a problem, if they cannot.
fn place(assembly: &mut Assembly, target: &str, problems: &mut Problems) -> Option<usize> {
    let Some(at) = assembly.boxes.iter().position(|entry| entry.name == target) else {
        if !assembly.declared.contains_key(target) {
            let servers = assembly.declared.iter().filter(|(_, kind)| **kind == "server");
            let help = did_you_mean(target, "there are", servers.map(|(name, _)| name.as_str()));
            problems.error("target", format!("unknown name `{target}`"), help.unwrap_or_default());
        }
        return None;
    };
    let entry = &mut assembly.boxes[at];
    let members = entry.spec.members();
    if !entry.spec.reserve(members) {
        let message = format!("the machines of a {} do not come and go", entry.kind);
        problems.error("target", message, "the target is a server");
        return None;
    }
    let entry = &assembly.boxes[at];
    if let Some(host) = entry.spec.host() {
        let message =
            format!("`{target}` runs on the machine of `{host}`, and has none that could come or go");
        problems.error("target", message, "give it machines of its own: drop its `on`");
        return None;
    }
    if let Some(guest) = assembly.boxes.iter().find(|other| other.spec.host() == Some(target)) {
        let message = format!("`{}` runs on a machine of `{target}`, which could go", guest.name);
        problems.error("target", message, format!("give `{}` a machine of its own", guest.name));
        return None;
    }
    let members: Vec<String> = (0..members).map(|member| entry.spec.member(target, member).name).collect();
    let asks = |other: &&BoxEntry| {
        let to = |name: &str| name == target || members.iter().any(|member| member == name);
        !other.spec.follows_members() && other.spec.arrows().iter().any(|arrow| to(&arrow.to))
    };
    if let Some(caller) = assembly.boxes.iter().find(asks) {
        let message = format!("`{}` does not hear which machines of `{target}` are up", caller.name);
        problems.error("target", message, "a balancer or a queue does: put one between them");
        return None;
    }
    Some(at)
}

fn settle(entry: &mut BoxEntry, starts: u32, most: u32) {
    if entry.spec.reserve(most) {
        entry.starts = Some(starts);
    }
}
