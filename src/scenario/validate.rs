//! Checks of a scenario beyond its grammar: names, kinds, addresses, cycles, limits, and enough capacity.

mod capacity;
mod classes;
mod connections;
mod faults;
mod places;
mod sites;
mod tries;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use super::assemble::Assembly;
use super::document::Document;
use super::error::Diagnostic;
use super::load::{Missing, StaticLoad, static_load};
pub(super) use super::seats::MEMBERS_MAX;
use super::suggest::did_you_mean;
use super::{BoxEntry, Run};
use crate::model::spec::{Arrow, Offered, Outline, Problem, Problems, Severity};

/// Greatest number of trials; more do not improve any interval.
const TRIALS_MAX: u32 = 100_000;

/// Greatest number of users of one client; each is simulated.
pub const USERS_MAX: f64 = 1e7;

/// Greatest number of requests of one trial; more would take days.
pub(super) const REQUESTS_MAX: f64 = 1e11;

/// Rough memory of a simulated user, for the estimate in the message.
const USER_BYTES: f64 = 100.0;

/// Rough memory of a member with its queue and its histograms, for the estimate in the message.
const MEMBER_BYTES: f64 = 100e3;

/// Rough number of events of a request through two or three boxes, for the estimate in the message.
const EVENTS_PER_REQUEST: f64 = 10.0;

/// Checks everything, and adds all errors and warnings to `found`.
pub(super) fn validate(document: &Document<'_>, assembly: &Assembly, found: &mut Vec<Diagnostic>) {
    let mut check = Check::new(document, assembly, found);
    check.run(&assembly.run);
    check.members();
    check.clients();
    check.arrows();
    check.hosts();
    check.specs();
    check.cycles();
    classes::check(document, assembly, check.found);
    places::check(document, assembly, check.found);
    faults::check(document, assembly, check.found);
    faults::check_heirs(document, assembly, check.found);
    users::check(document, assembly, check.found);
    // With errors, the checks below would only repeat them in other words.
    if !has_errors(check.found) {
        check.reachability();
        let load = static_load(&assembly.boxes, &assembly.classes, &assembly.ways, &Missing::default());
        check.resources(&load);
        check.sites(&load);
        check.pools();
        check.connections();
        check.closed_users(&load);
        check.time_goes_on(&load);
        check.tries();
        check.patience(&load);
    }
}

fn has_errors(found: &[Diagnostic]) -> bool {
    found.iter().any(|item| item.severity == Severity::Error)
}

/// The problems of one box as diagnostics.
pub(super) fn diagnostics(document: &Document<'_>, entry: &BoxEntry, problems: Problems) -> Vec<Diagnostic> {
    diagnostics_at(document, &format!("{}.{}", entry.kind, entry.name), problems)
}

/// The problems of the table at a path as diagnostics.
pub(super) fn diagnostics_at(document: &Document<'_>, table: &str, problems: Problems) -> Vec<Diagnostic> {
    let diagnostic = |problem: Problem| {
        let span = document.span_of(&format!("{table}.{}", problem.key));
        Diagnostic { severity: problem.severity, ..Diagnostic::error(span, problem.message) }
            .help(problem.help)
    };
    problems.items.into_iter().map(diagnostic).collect()
}

fn path(entry: &BoxEntry, key: &str) -> String {
    format!("{}.{}.{key}", entry.kind, entry.name)
}

struct Check<'a, 't> {
    document: &'a Document<'t>,
    assembly: &'a Assembly,
    entries: BTreeMap<&'a str, &'a BoxEntry>,
    /// Boxes that refer to a missing name, or to a box of the wrong kind.
    misdirected: BTreeSet<&'a str>,
    /// Whether everything could be read. Otherwise something that seems missing may only be unreadable.
    all_read: bool,
    found: &'a mut Vec<Diagnostic>,
}

impl<'a, 't> Check<'a, 't> {
    fn new(
        document: &'a Document<'t>,
        assembly: &'a Assembly,
        found: &'a mut Vec<Diagnostic>,
    ) -> Check<'a, 't> {
        let entries = assembly.boxes.iter().map(|entry| (entry.name.as_str(), entry)).collect();
        let all_read = !has_errors(found);
        Check { document, assembly, entries, misdirected: BTreeSet::new(), all_read, found }
    }

    fn error(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        let span = self.document.span_of(path);
        self.found.push(Diagnostic::error(span, message).help(help.into()));
    }

    fn warn(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        let span = self.document.span_of(path);
        self.found.push(Diagnostic::warning(span, message).help(help.into()));
    }

    fn run(&mut self, run: &Run) {
        if run.duration.is_zero() {
            self.error(
                "run.duration",
                "a duration of zero measures nothing",
                "give a duration such as \"10min\"",
            );
        }
        if !(1..=TRIALS_MAX).contains(&run.trials) {
            let message = format!("expected 1 to {TRIALS_MAX} trials, found {}", run.trials);
            self.error("run.trials", message, "");
        }
    }

    fn members(&mut self) {
        let mut total = 0_u64;
        for entry in &self.assembly.boxes {
            let members = entry.spec.members();
            let at = path(entry, "count");
            if members == 0 {
                self.error(&at, format!("`{}` has no machine", entry.name), "expected a count of 1 or more");
            }
            let before = total;
            total += u64::from(members);
            if before <= u64::from(MEMBERS_MAX) && total > u64::from(MEMBERS_MAX) {
                let memory = quantity(total as f64 * MEMBER_BYTES / 1e9);
                let message =
                    format!("{total} machines and other boxes would take about {memory} GB of memory");
                self.error(&at, message, format!("a scenario has at most {MEMBERS_MAX} of them"));
            }
            self.member_names(entry);
        }
    }

    /// Reports a box with the name of a member of a group.
    fn member_names(&mut self, entry: &BoxEntry) {
        let Some((group, number)) = entry.name.rsplit_once('-') else { return };
        let members = self.entries.get(group).map_or(1, |group| group.spec.members());
        let Some(member) = number.parse::<u32>().ok().filter(|number| (1..=members).contains(number)) else {
            return;
        };
        let name = self.entries.get(group).map(|other| other.spec.member(group, member - 1).name);
        if name.as_ref() == Some(&entry.name) {
            let message = format!("the name `{}` is taken by a member of `{group}`", entry.name);
            self.error(
                &path(entry, ""),
                message,
                format!("the {members} members of `{group}` are `{group}-1` and so on"),
            );
        }
    }

    fn clients(&mut self) {
        let (mut requests, mut population) = (0.0, 0.0);
        let length = self.assembly.run.length().as_secs_f64();
        for entry in &self.assembly.boxes {
            match entry.spec.offered() {
                Some(Offered::Closed(users, _)) if users > USERS_MAX => {
                    let memory = quantity(users * USER_BYTES / 1e9);
                    let message = format!("{users} users would take about {memory} GB of memory");
                    self.error(
                        &path(entry, "users"),
                        message,
                        format!("a client has at most {USERS_MAX} users"),
                    );
                }
                Some(Offered::Closed(users, _)) => {
                    let before = population;
                    population += users;
                    if before <= USERS_MAX && population > USERS_MAX {
                        let message = format!("with these the clients have {population} users together");
                        let help = format!("all clients together have at most {USERS_MAX} users");
                        self.error(&path(entry, "users"), message, help);
                    }
                }
                Some(Offered::Open(rate)) => {
                    requests += rate * length;
                    self.requests(entry, requests);
                }
                _ => {}
            }
        }
        if self.all_read && !self.assembly.boxes.iter().any(|entry| entry.spec.offered().is_some()) {
            self.error(
                "",
                "the scenario has no client, so that no request is sent",
                "add a table `[client.users]`",
            );
        }
    }

    fn requests(&mut self, entry: &BoxEntry, requests: f64) {
        if requests > REQUESTS_MAX {
            let events = quantity(requests * EVENTS_PER_REQUEST);
            let message =
                format!("a trial would have {} requests, about {events} events", quantity(requests));
            let help = format!(
                "a trial has at most {} requests: lower the rate or the duration",
                quantity(REQUESTS_MAX)
            );
            self.error(&path(entry, "rate"), message, help);
        }
    }

    fn arrows(&mut self) {
        for entry in &self.assembly.boxes {
            for arrow in entry.spec.arrows() {
                let fault = self.arrow_fault(entry, &arrow);
                if let Some((message, help)) = fault {
                    self.misdirected.insert(&entry.name);
                    self.error(&path(entry, &arrow.key), message, help);
                }
            }
        }
    }

    fn arrow_fault(&self, from: &BoxEntry, arrow: &Arrow) -> Option<(String, String)> {
        let to = arrow.to.as_str();
        if !self.assembly.declared.contains_key(to) {
            return Some((format!("unknown name `{to}`"), self.names_like(to, arrow)));
        }
        let is_client = self.entries.get(to).is_some_and(|entry| entry.spec.offered().is_some());
        if is_client {
            return Some((format!("`{to}` is a client, and clients answer no calls"), String::new()));
        }
        if !self.fits(to, arrow) {
            let message = format!("`{to}` cannot answer {}", arrow.asks.names().0);
            return Some((message, self.who_answers(arrow)));
        }
        let is_private = self.entries.get(to).is_some_and(|entry| !entry.spec.is_public());
        (arrow.public && is_private).then(|| {
            let message = format!("`{}` cannot reach `{to}`, which has no public address", from.name);
            (message, "put it behind a balancer, or give it a public address: public = true".to_owned())
        })
    }

    /// Whether a box answers what an arrow asks. A box that could not be read gets the benefit of the doubt.
    fn fits(&self, name: &str, arrow: &Arrow) -> bool {
        self.entries.get(name).is_none_or(|entry| entry.spec.answers().meets(arrow.asks))
    }

    /// The names that may stand at the end of an arrow.
    fn answering(&self, arrow: &Arrow) -> impl Iterator<Item = &'a str> {
        let names = self.assembly.declared.keys().map(String::as_str);
        names.filter(|name| self.fits(name, arrow))
    }

    /// A help line with the names that the arrow may point to.
    fn names_like(&self, name: &str, arrow: &Arrow) -> String {
        did_you_mean(name, "there are", self.answering(arrow)).unwrap_or_default()
    }

    /// A help line that says what boxes an arrow leads to.
    fn who_answers(&self, arrow: &Arrow) -> String {
        let key = arrow.key.rsplit('.').next().unwrap_or(&arrow.key);
        let many = arrow.asks.names().1;
        let example = self.answering(arrow).find(|name| self.entries.contains_key(name));
        let such_as = example.map_or(String::new(), |name| format!(", such as `{name}`"));
        match key.split_once('[') {
            Some((list, _)) => format!("`{list}` are boxes that answer {many}{such_as}"),
            None => format!("a `{key}` goes to a box that answers {many}{such_as}"),
        }
    }

    fn hosts(&mut self) {
        for entry in &self.assembly.boxes {
            let Some(host) = entry.spec.host() else { continue };
            let machines = self.assembly.boxes.iter().filter(|entry| entry.spec.machine().is_some());
            let names = machines.map(|machine| machine.name.as_str()).filter(|name| *name != entry.name);
            let fault = match self.entries.get(host) {
                None if self.assembly.declared.contains_key(host) => None,
                None => {
                    let help = did_you_mean(host, "there are", names).unwrap_or_default();
                    Some((format!("unknown name `{host}`"), help))
                }
                Some(_) if host == entry.name => {
                    Some((format!("`{host}` cannot run on itself"), String::new()))
                }
                Some(other) => match other.spec.host() {
                    Some(third) => Some((
                        format!("`{host}` itself runs on `{third}`"),
                        format!("write on = \"{third}\""),
                    )),
                    None if other.spec.machine().is_none() => {
                        Some((format!("`{host}` is a {}, not a machine", other.kind), String::new()))
                    }
                    None => None,
                },
            };
            if let Some((message, help)) = fault {
                self.misdirected.insert(&entry.name);
                self.error(&path(entry, "on"), message, help);
            } else {
                self.host_is_one_machine(entry, host);
            }
        }
    }

    /// Warns if the host is a group: the box runs on its first machine alone.
    fn host_is_one_machine(&mut self, entry: &BoxEntry, host: &str) {
        let members = self.entries.get(host).map_or(1, |host| host.spec.members());
        if members > 1 {
            let message = format!("`{}` runs on `{host}-1` alone", entry.name);
            let help =
                format!("`{host}` is a group of {members} machines: keep one apart for what is shared");
            self.warn(&path(entry, "on"), message, help);
        }
    }

    fn specs(&mut self) {
        let kinds = self.assembly.declared.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
        let boxes = self.assembly.boxes.iter();
        let regions = boxes.map(|entry| (entry.name.as_str(), entry.regions.as_slice())).collect();
        let length = self.assembly.run.length();
        let answers =
            self.assembly.boxes.iter().map(|entry| (entry.name.as_str(), entry.spec.answers())).collect();
        let boxes = self.assembly.boxes.iter();
        let divided = boxes.filter_map(|entry| Some((entry.name.as_str(), entry.spec.divided()?))).collect();
        let outline = Outline { kinds, answers, divided, regions, classes: &self.assembly.classes, length };
        for entry in
            self.assembly.boxes.iter().filter(|entry| !self.misdirected.contains(entry.name.as_str()))
        {
            let mut problems = Problems::default();
            entry.spec.check(&outline, &mut problems);
            self.found.extend(diagnostics(self.document, entry, problems));
        }
    }

    /// Reports every arrow that closes a cycle, with the path from the box that it goes back to.
    fn cycles(&mut self) {
        let mut done = BTreeSet::new();
        if self.entries.len() < self.assembly.boxes.len() {
            // If a name is given twice, it is unclear which box an arrow leads to.
            return;
        }
        for entry in &self.assembly.boxes {
            self.cycles_from(entry, &mut Vec::new(), &mut done);
        }
    }

    fn cycles_from(&mut self, entry: &'a BoxEntry, above: &mut Vec<&'a str>, done: &mut BTreeSet<&'a str>) {
        if done.contains(entry.name.as_str()) {
            return;
        }
        above.push(&entry.name);
        for arrow in entry.spec.arrows() {
            let Some(to) = self.entries.get(arrow.to.as_str()).copied() else { continue };
            if to.spec.offered().is_some() {
                continue;
            }
            match above.iter().position(|name| *name == to.name) {
                Some(start) => {
                    let cycle = format!("{} -> {}", above[start..].join(" -> "), to.name);
                    let help = "a call that comes back would go round for ever";
                    self.error(&path(entry, &arrow.key), format!("the calls go in a circle: {cycle}"), help);
                }
                None => self.cycles_from(to, above, done),
            }
        }
        above.pop();
        done.insert(&entry.name);
    }

    fn reachability(&mut self) {
        let clients = self.assembly.boxes.iter().filter(|entry| entry.spec.offered().is_some());
        let mut to_visit: Vec<&BoxEntry> = clients.collect();
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        while let Some(entry) = to_visit.pop() {
            if !reached.insert(&entry.name) {
                continue;
            }
            let arrows = entry.spec.arrows();
            let names = arrows.iter().map(|arrow| arrow.to.as_str()).chain(entry.spec.host());
            to_visit.extend(names.filter_map(|name| self.entries.get(name).copied()));
        }
        let needed: Vec<String> = self
            .assembly
            .boxes
            .iter()
            .filter_map(|entry| entry.spec.sides())
            .flat_map(|sides| sides.needs)
            .collect();
        let is_alone = |entry: &&BoxEntry| {
            let is_aside = entry.works_aside() || needed.contains(&entry.name);
            !reached.contains(entry.name.as_str()) && !is_aside
        };
        for entry in self.assembly.boxes.iter().filter(is_alone) {
            let message = format!("no request reaches `{}`", entry.name);
            self.warn(&path(entry, ""), message, "point a box at it, or take it out");
        }
    }

    /// Reports users who neither think nor wait for anything: they would send requests at one moment for ever.
    fn time_goes_on(&mut self, load: &StaticLoad) {
        let network = &self.assembly.network;
        let no_distance = network.client.is_zero() && network.same_zone.is_zero();
        for client in load.clients.iter().filter(|_| no_distance) {
            let entry = self.entries[client.name.as_str()];
            if client.throughput_max.is_infinite() {
                let message = format!("the users of `{}` ask without end at one moment", client.name);
                let help = "nothing takes time: give a `think_time`, a network or a step with some";
                self.error(&path(entry, "users"), message, help);
            }
        }
    }
}

/// A number with three significant digits, without trailing zeros: 1.2, 0.034, 1e12.
fn quantity(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().expect("a printed number is a number");
    if rounded != 0.0 && !(1e-4..1e7).contains(&rounded) {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
}

#[cfg(test)]
mod tests;
