//! Faults of all kinds, planned and random.

use super::{Generator, Mood};

/// Faults of boxes that any machine or process can have.
const OF_BOXES: [&str; 5] = ["crash", "crash", "power-off", "hang", "partition"];

impl Generator {
    pub(super) fn faults(&mut self) {
        if self.mood == Mood::Failover {
            let lost: Vec<String> = self.members("database", |name| name.ends_with(".primary"));
            for target in lost {
                let kind = self.dice.pick(&["crash", "power-off", "hang", "pause", "partition"]);
                let silent = ["partition", "power-off"].contains(&kind);
                let kind = if silent && self.draft.timeless { "crash" } else { kind };
                self.fault(kind, &format!("target = \"{target}\""), "");
            }
        }
        for _ in 0..self.dice.pick(&[0, 1, 1, 2, 4]) {
            self.any_fault();
        }
    }

    /// The members of the boxes of a kind that fulfil a condition.
    fn members(&self, kind: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
        let of_kind = self.boxes.iter().filter(|drawn| drawn.kind == kind);
        of_kind.flat_map(|drawn| &drawn.members).filter(|name| fits(name)).cloned().collect()
    }

    /// All members, and all boxes.
    fn everyone(&self) -> Vec<String> {
        let members = self.boxes.iter().flat_map(|drawn| drawn.members.iter().cloned());
        let mut all: Vec<String> = members.collect();
        all.extend(self.boxes.iter().map(|drawn| drawn.name.clone()));
        all.sort();
        all.dedup();
        all
    }

    fn any_fault(&mut self) {
        let nodes = |name: &str| !name.ends_with(".monitor");
        match self.dice.below(10) {
            0 => {
                let mut machines = self.members("database", nodes);
                machines.extend(self.members("server", nodes));
                let target = format!("target = \"{}\"", self.dice.name(&machines));
                let factor = self.dice.pick(&[1.5, 3.0, 100.0, 9999.0]);
                // Work that is longer is rounded to nanoseconds.
                let is_new = self.doors.one_in(3) && !self.draft.timeless;
                let applies = if is_new { "\napplies = \"new\"" } else { "" };
                self.fault("slow", &target, &format!("factor = {factor}{applies}"));
            }
            1 => {
                let mut machines = self.members("database", nodes);
                machines.extend(self.members("server", nodes));
                let target = format!("target = \"{}\"", self.dice.name(&machines));
                self.fault("pause", &target, "");
            }
            2 => self.link(),
            3 => {
                let databases = self.members("database", nodes);
                if !databases.is_empty() {
                    let target = format!("target = \"{}\"", self.dice.name(&databases));
                    self.fault("disk-full", &target, "");
                }
            }
            4 => {
                let names = self.members("dns", |_| true);
                if !names.is_empty() {
                    let target = format!("target = \"{}\"", self.dice.name(&names));
                    self.fault("dns-empty", &target, "");
                }
            }
            5 if !self.draft.timeless => self.place_fault(),
            6 => self.deploy(),
            _ => {
                let kind = self.dice.pick(&OF_BOXES);
                let silent = ["partition", "power-off"].contains(&kind);
                let kind = if silent && self.draft.timeless { "crash" } else { kind };
                let target = format!("target = \"{}\"", self.dice.name(&self.everyone()));
                self.fault(kind, &target, "");
            }
        }
    }

    /// Writes a fault of a zone or of a region.
    fn place_fault(&mut self) {
        let regions = self.regions.clone();
        if !regions.is_empty() && self.text.contains("region = ") && self.dice.one_in(2) {
            let used: Vec<&str> = regions
                .into_iter()
                .filter(|region| {
                    let of_boxes = self.text.split("[client.").next().unwrap_or_default();
                    let mut lines = of_boxes.lines().filter(|line| line.starts_with("region = "));
                    lines.any(|line| line.contains(region))
                })
                .collect();
            if !used.is_empty() {
                let target = format!("target = \"{}\"", self.dice.pick(&used));
                self.fault("region", &target, "");
            }
        } else if self.zoned {
            self.fault("zone", "target = \"a\"", "");
        }
    }

    /// Writes a fault of messages.
    fn link(&mut self) {
        let kinds = ["partition", "latency", "packet-loss"];
        let kind = if self.draft.timeless { "latency" } else { self.dice.pick(&kinds) };
        let add = self.time(1.0, 3000.0);
        let extra = match kind {
            "packet-loss" => format!("share = \"{}%\"", self.dice.pick(&[1, 20, 90])),
            "latency" => format!("add = {add}"),
            _ => String::new(),
        };
        let everyone = self.everyone();
        let (one, other) = (self.dice.name(&everyone), self.dice.name(&everyone));
        let of = |name: &str| {
            let group = self.boxes.iter().find(|drawn| drawn.members.iter().any(|member| member == name));
            group.map_or(name.to_owned(), |drawn| drawn.name.clone())
        };
        if of(&one) == of(&other) || self.dice.one_in(2) {
            self.fault(kind, &format!("target = \"{one}\""), &extra);
        } else {
            self.fault(kind, &format!("between = [\"{one}\", \"{other}\"]"), &extra);
        }
    }

    fn deploy(&mut self) {
        let servers: Vec<String> = self
            .boxes
            .iter()
            .filter(|drawn| drawn.kind == "server")
            .map(|drawn| drawn.name.clone())
            .collect();
        let (target, at) = (self.dice.name(&servers), self.moment());
        let (lasts, pause) = (self.time(10.0, 3000.0), self.time(10.0, 3000.0));
        self.line(format!(
            "[[fault]]\nkind = \"deploy\"\ntarget = \"{target}\"\nat = {at}\nfor = {lasts}\npause = {pause}"
        ));
        let (is_told, has_grace) = (self.halts.one_in(3), self.halts.one_in(2));
        let (drain, grace) = (self.halts.pick(&["20ms", "2s"]), self.halts.pick(&["0s", "15ms", "1s"]));
        if !self.draft.timeless {
            self.line_if(is_told, format!("drain = \"{drain}\""));
            self.line_if(has_grace, format!("grace = \"{grace}\""));
        }
    }

    /// A moment of the trial.
    fn moment(&mut self) -> String {
        let micros = (0.98 * self.dice.unit() * (self.seconds + self.warmup) * 1e6) as u64;
        self.quoted(if self.mood == Mood::Ties { micros / 100_000 * 100_000 } else { micros })
    }

    /// Writes a fault that comes once, or again and again.
    fn fault(&mut self, kind: &str, whom: &str, extra: &str) {
        self.line(format!("[[fault]]\nkind = \"{kind}\"\n{whom}\n{extra}"));
        let (mtbf, mttr) = (self.time(200.0, 20_000.0), self.time(10.0, 10_000.0));
        let (at, lasts) = (self.moment(), self.time(10.0, 20_000.0));
        if self.dice.one_in(3) {
            self.line(format!("mtbf = {mtbf}\nmttr = {mttr}"));
        } else {
            self.line(format!("at = {at}"));
            let ends = !self.dice.one_in(4);
            self.line_if(ends, format!("for = {lasts}"));
        }
    }
}
