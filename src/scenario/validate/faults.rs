//! Checks of `[[fault]]` tables: names exist, times lie inside the trial, and no key is useless.

use super::diagnostics_at;
use crate::kernel::time::SimDuration;
use crate::model::failing::check_failing;
use crate::model::quantity::{Dist, Duration};
use crate::model::spec::Problems;
use crate::scenario::assemble::Assembly;
use crate::scenario::document::Document;
use crate::scenario::error::Diagnostic;
use crate::scenario::faults::{FaultKind, FaultSpec};
use crate::scenario::seats::{Seat, seats};
use crate::scenario::suggest::did_you_mean;

/// Greatest factor of `slow`; a slower machine practically stands still, and that is `pause`.
const FACTOR_MAX: f64 = 10_000.0;

/// Greatest number of times that a random fault happens to one target in a trial; more would tell nothing new.
const OCCURRENCES_MAX: f64 = 100_000.0;

/// Checks every fault of the scenario.
pub(super) fn check(document: &Document<'_>, assembly: &Assembly, found: &mut Vec<Diagnostic>) {
    let seats = seats(&assembly.boxes);
    for (index, spec) in &assembly.faults {
        let mut check = Check { spec, assembly, seats: &seats, problems: Problems::default() };
        check.run();
        found.extend(diagnostics_at(document, &format!("fault[{index}]"), check.problems));
    }
}

/// Warns of members that are to take the place of others, and are down themselves at that time.
pub(super) fn check_heirs(document: &Document<'_>, assembly: &Assembly, found: &mut Vec<Diagnostic>) {
    if assembly.boxes.iter().all(|entry| entry.spec.heir(&entry.name).is_none()) {
        return;
    }
    let seats = seats(&assembly.boxes);
    // The time from which and until which a planned fault takes a member down; `None` if it does not.
    let down = |spec: &FaultSpec, name: &str| {
        use FaultKind::{Crash, Hang, Pause, PowerOff, Region, Zone};
        let kinds = [Crash, PowerOff, Hang, Pause, Region, Zone];
        let is_hit = seats.iter().any(|seat| {
            seat.plan.name == name && spec.names().iter().any(|(_, target)| seat.is_hit_by(target))
        });
        let at = spec.at.filter(|_| is_hit && kinds.contains(&spec.kind))?.0;
        Some((at, spec.lasts().map_or(SimDuration::MAX, |lasts| at + lasts.0)))
    };
    for entry in &assembly.boxes {
        let Some(heir) = entry.spec.heir(&entry.name) else { continue };
        let times = |name: &str| -> Vec<_> {
            assembly.faults.iter().filter_map(|(_, spec)| down(spec, name)).collect()
        };
        let away = times(&heir.name);
        let lost = times(&heir.of).into_iter().find(|&(at, _)| {
            let wanted = at + heir.after;
            away.iter().any(|&(from, until)| from <= wanted && wanted < until)
        });
        if let Some((at, _)) = lost {
            let mut problems = Problems::default();
            let message =
                format!("`{}` is down itself when `{}` is lost at {}", heir.name, heir.of, Duration(at));
            problems.warn(heir.key, message, "the replica that has received most takes its place");
            found.extend(diagnostics_at(document, &format!("{}.{}", entry.kind, entry.name), problems));
        }
    }
}

struct Check<'a> {
    spec: &'a FaultSpec,
    assembly: &'a Assembly,
    seats: &'a [Seat<'a>],
    problems: Problems,
}

impl Check<'_> {
    fn run(&mut self) {
        self.whom();
        self.when();
        self.useless_keys();
        self.figures();
        for (key, name) in self.spec.names() {
            self.name(&key, name);
        }
        self.sides();
    }

    /// Checks that the fault has a target or two sides, as its kind needs.
    fn whom(&mut self) {
        let FaultSpec { kind, target, between, .. } = self.spec;
        match (target.is_some(), between.is_some()) {
            (false, false) if kind.is_of_links() => {
                let help = "between = [\"web\", \"db\"], or target = \"db\" for between it and all others";
                self.problems.error("", format!("a {} lies between two sides", kind.name()), help);
            }
            (false, false) => {
                let help = "such as target = \"web-2\"";
                self.problems.error("", "a fault needs a target: `target` is missing", help);
            }
            (true, true) => {
                let help = "`target` is short for between it and all others";
                self.problems.error("between", "`target` and `between` say the same thing twice", help);
            }
            _ => {}
        }
    }

    fn when(&mut self) {
        let FaultSpec { kind, at, lasts, mtbf, mttr, .. } = self.spec;
        match (at.is_some(), mtbf.is_some()) {
            (false, false) => {
                let help = "once: at = \"5min\"; again and again: mtbf = \"1h\", mttr = \"5min\"";
                self.problems.error("", "a fault needs a time: `at` is missing", help);
            }
            (true, true) => {
                let help = "drop one of them: a fault happens once, or again and again";
                self.problems.error("mtbf", "`at` and `mtbf` do not go together", help);
            }
            _ => {}
        }
        if mtbf.is_some() && mttr.is_none() {
            self.problems.error("mtbf", "what fails again and again is repaired: `mttr` is missing", "");
        }
        if mtbf.is_some() && *kind == FaultKind::Deploy {
            self.problems.error("mtbf", "a deployment is planned", "use `at`");
        }
        if mtbf.is_some() && lasts.is_some() {
            self.problems.error("for", "`for` goes with `at`", "with `mtbf` it is `mttr`");
        }
        if mttr.is_some() && mtbf.is_none() {
            self.problems.error("mttr", "`mttr` goes with `mtbf`", "with `at` it is `for`");
        }
        if *kind == FaultKind::Deploy && lasts.is_none() {
            let help = "such as for = \"20s\": how long each member is down";
            self.problems.error("", "`for` is missing", help);
        }
        if *kind == FaultKind::Flush && lasts.is_some() {
            let help = "drop the key";
            self.problems.error("for", "a flush is over at once", help);
        }
        if lasts.is_some_and(|lasts| lasts.0.is_zero()) {
            let help = "without the key it lasts until the trial ends";
            self.problems.error("for", "a fault that lasts no time does nothing", help);
        }
        self.moment();
        self.laws();
        self.often();
    }

    /// The number of occurrences in a trial must not exceed what a component can count.
    fn often(&mut self) {
        let (Some(mtbf), Some(mttr)) = (&self.spec.mtbf, &self.spec.mttr) else { return };
        let cycle = mtbf.mean_s() + mttr.mean_s();
        let length = self.assembly.run.length();
        if cycle > 0.0 && length.as_secs_f64() / cycle > OCCURRENCES_MAX {
            let message = format!(
                "the fault would happen more than {OCCURRENCES_MAX} times in a trial of {}",
                Duration(length)
            );
            self.problems.error("mtbf", message, "a longer `mtbf`, or a shorter `run.duration`");
        }
    }

    fn moment(&mut self) {
        let Some(at) = self.spec.at else { return };
        let run = &self.assembly.run;
        if at.0 >= run.length() {
            let message =
                format!("the fault comes at {at}, but the trial ends at {}", Duration(run.length()));
            self.problems.error("at", message, "times count from the start, warm-up included");
        } else if at.0 < run.warmup {
            let message =
                format!("the fault comes at {at}, before the warm-up ends at {}", Duration(run.warmup));
            let help = "what happens in the warm-up is not measured: let it come later, or set run.warmup";
            self.problems.warn("at", message, help);
        }
    }

    fn laws(&mut self) {
        for (key, dist) in [("mtbf", &self.spec.mtbf), ("mttr", &self.spec.mttr)] {
            let Some(dist) = dist else { continue };
            if dist.is_unread() {
                continue;
            }
            if dist.mean_s() <= 0.0 {
                self.problems.error(key, format!("`{key}` must be above zero"), "");
            }
            if let Some(warning) = Dist::warning(dist) {
                self.problems.warn(key, warning, "");
            }
        }
    }

    /// Reports keys that do nothing for this kind, and keys that it needs and lacks.
    fn useless_keys(&mut self) {
        let FaultSpec { kind, between, factor, add, pause, drain, grace, .. } = self.spec;
        let needed = [
            (
                "factor",
                factor.is_some(),
                FaultKind::Slow,
                "such as factor = 3: everything takes three times as long",
            ),
            ("add", add.is_some(), FaultKind::Latency, "such as add = \"100ms\""),
        ];
        for (key, given, owner, help) in needed {
            if *kind == owner && !given {
                self.problems.error("", format!("`{key}` is missing"), help);
            }
            if *kind != owner && given {
                self.problems.error(
                    key,
                    format!("`{key}` goes with kind = \"{}\"", owner.name()),
                    "drop the key",
                );
            }
        }
        self.error_keys();
        if self.spec.applies.is_some() && *kind != FaultKind::Slow {
            self.problems.error("applies", "`applies` goes with kind = \"slow\"", "drop the key");
        }
        let of_deploy = [("pause", pause.is_some()), ("drain", drain.is_some()), ("grace", grace.is_some())];
        for (key, given) in of_deploy {
            if given && *kind != FaultKind::Deploy {
                self.problems.error(key, format!("`{key}` goes with kind = \"deploy\""), "drop the key");
            }
        }
        if between.is_some() && !kind.is_of_links() {
            let help = "`between` goes with \"partition\", \"packet-loss\" and \"latency\"";
            self.problems.error("between", format!("a {} has a target, not two sides", kind.name()), help);
        }
    }

    /// The keys of errors, one of which lost packets have too.
    fn error_keys(&mut self) {
        let FaultSpec { kind, share, ending, time, .. } = self.spec;
        let has_share = [FaultKind::PacketLoss, FaultKind::Errors].contains(kind);
        if has_share && share.is_none() {
            self.problems.error("", "`share` is missing", "such as share = \"2%\"");
        }
        if !has_share && share.is_some() {
            let message = "`share` goes with kind = \"packet-loss\" and kind = \"errors\"";
            self.problems.error("share", message, "drop the key");
        }
        if *kind == FaultKind::Errors {
            check_failing("", *share, *time, &mut self.problems);
            return;
        }
        for (key, given) in [("as", ending.is_some()), ("time", time.is_some())] {
            if given {
                let message = format!("`{key}` goes with kind = \"errors\"");
                self.problems.error(key, message, "drop the key");
            }
        }
    }

    fn figures(&mut self) {
        if let Some(factor) = self.spec.factor
            && !(factor > 1.0 && factor <= FACTOR_MAX)
        {
            let message = format!("`factor` lies above 1 and at most {FACTOR_MAX}, not {factor}");
            self.problems.error("factor", message, "2 is half the speed; kind = \"pause\" stands still");
        }
        if let Some(share) = self.spec.share.filter(|_| self.spec.kind != FaultKind::Errors)
            && !(share.0 > 0.0 && share.0 < 1.0)
        {
            let help = "kind = \"partition\" loses every message";
            self.problems.error("share", "a share of the messages lies above 0 and below 1", help);
        }
        if self.spec.add.is_some_and(|add| add.0.is_zero()) {
            self.problems.error("add", "a latency of zero does nothing", "");
        }
    }

    /// Checks that a name stands for something that this kind of fault can happen to.
    fn name(&mut self, key: &str, name: &str) {
        let kind = self.spec.kind;
        let hit: Vec<&Seat<'_>> = self.seats.iter().filter(|seat| self.stands_for(name, seat)).collect();
        let is_staff = |seat: &Seat<'_>| seat.entry.name == name && seat.is_staff();
        if hit.is_empty() && self.seats.iter().any(is_staff) {
            let message = format!("`{name}` is a switch: it stands outside and does not fail");
            return self.problems.error(key, message, "what it `needs` can");
        }
        if hit.is_empty() {
            let unread = self.assembly.declared.contains_key(name);
            if !unread || matches!(kind, FaultKind::Region | FaultKind::Zone) {
                self.unknown(key, name);
            }
            return;
        }
        if kind.is_of_links() {
            return;
        }
        // A region may hold users besides machines, but a fault of users alone is a mistake.
        if hit.iter().all(|seat| seat.entry.spec.offered().is_some()) {
            let message = format!("`{name}` is a client: users do not fail, what they ask does");
            self.problems.error(key, message, "end its load with a `profile`");
            return;
        }
        let fits = |seat: &&Seat<'_>| match kind {
            FaultKind::Slow | FaultKind::Pause => {
                seat.entry.spec.machine().is_some() || seat.entry.spec.host().is_some()
            }
            _ => kind.happens_to(seat.entry.kind),
        };
        if !hit.iter().any(fits) {
            let wanted = kind.only().first().unwrap_or(&"machine");
            let message = format!("expected a {wanted}, `{name}` is a {}", hit[0].entry.kind);
            self.problems.error(key, message, "");
        }
    }

    fn stands_for(&self, name: &str, seat: &Seat<'_>) -> bool {
        match self.spec.kind {
            FaultKind::Region => seat.is_in_region(name),
            FaultKind::Zone => seat.is_in_zone(name),
            _ if self.spec.kind.is_of_links() => seat.is_called(name),
            _ => seat.is_hit_by(name),
        }
    }

    /// Whether a box that could not be read may be, or stand in, what has this name: its own errors come first.
    fn may_be_unread(&self, name: &str) -> bool {
        let is_read = |declared: &String| self.assembly.boxes.iter().any(|entry| entry.name == *declared);
        let mut unread = self.assembly.declared.keys().filter(|declared| !is_read(declared));
        match self.spec.kind {
            FaultKind::Region | FaultKind::Zone => unread.next().is_some(),
            _ => unread.any(|declared| {
                name.strip_prefix(declared.as_str()).is_some_and(|rest| rest.starts_with(['-', '.']))
            }),
        }
    }

    fn unknown(&mut self, key: &str, name: &str) {
        if self.may_be_unread(name) {
            return;
        }
        let regions = self.seats.iter().filter_map(Seat::region).map(str::to_owned);
        let zones = self.seats.iter().flat_map(|seat| {
            let zone = seat.zone().map(str::to_owned);
            let full = seat.region().zip(seat.zone()).map(|(region, zone)| format!("{region}/{zone}"));
            zone.into_iter().chain(full)
        });
        let boxes = self.assembly.declared.keys().cloned();
        let members = self
            .seats
            .iter()
            .filter(|seat| seat.plan.name != seat.entry.name)
            .map(|seat| seat.plan.name.clone());
        let (what, mut known): (&str, Vec<String>) = match self.spec.kind {
            FaultKind::Region => ("region", regions.collect()),
            FaultKind::Zone => ("zone", zones.collect()),
            _ => ("name", boxes.chain(members).chain(zones).chain(regions).collect()),
        };
        let mut seen = std::collections::BTreeSet::new();
        known.retain(|name| seen.insert(name.clone()));
        let help = if known.is_empty() {
            format!("no box says in which {what} it stands: {what} = \"...\"")
        } else {
            did_you_mean(name, "there are", known.iter().map(String::as_str)).unwrap_or_default()
        };
        self.problems.error(key, format!("unknown {what} `{name}`"), help);
    }

    /// Reports a member that stands on both sides.
    fn sides(&mut self) {
        let Some([left, right]) = &self.spec.between else { return };
        let on = |side: &[String], seat: &Seat<'_>| side.iter().any(|name| seat.is_called(name));
        if let Some(both) = self.seats.iter().find(|seat| on(&left.0, seat) && on(&right.0, seat)) {
            let message = format!("`{}` stands on both sides", both.plan.name);
            self.problems.error("between", message, "");
        }
    }
}
