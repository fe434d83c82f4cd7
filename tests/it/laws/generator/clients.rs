//! Clients: their load, how it changes, and their patience.

use std::fmt::Write as _;

use super::{Generator, Mood, REQUESTS};

impl Generator {
    pub(super) fn clients(&mut self, entrances: &[String]) {
        let count = self.dice.whole(1, 3);
        for index in 0..count {
            let mut target = self.dice.name(entrances);
            let named = self.dice.one_in(2);
            if named {
                target = format!("www{index}");
                self.name(&target, entrances);
            }
            self.line(format!("[client.c{index}]\ntarget = \"{target}\""));
            if !self.regions.is_empty() {
                let region = self.dice.pick(&self.regions.clone());
                self.line(format!("region = \"{region}\""));
            }
            self.load(REQUESTS / count as f64);
            self.patience();
            self.opens();
            let (resolvers, pinned) = (self.dice.pick(&[1, 3, 50]), self.dice.pick(&[10, 100]));
            if named {
                self.line_one_in(3, format!("resolvers = {resolvers}"));
                self.line_one_in(4, format!("pinned = \"{pinned}%\""));
            }
        }
    }

    /// Writes a load of about this number of requests.
    fn load(&mut self, requests: f64) {
        let rate = requests / self.seconds;
        let users = self.dice.whole(1, 60);
        match self.dice.below(8) {
            0..=2 => {
                let think = (users as f64 / rate * 1e6).ceil() as u64;
                let think = if self.mood == Mood::Ties { think.div_ceil(1000) * 1000 } else { think };
                self.users = self.users.map(|known| known + users);
                let time = self.quoted(think);
                let law = match self.mood {
                    Mood::Ties => time,
                    _ => format!("{{ dist = \"exponential\", mean = {time} }}"),
                };
                let paced = self.doors.one_in(4);
                let rest = if paced {
                    format!("pace = {}", self.quoted(think))
                } else {
                    format!("think_time = {law}")
                };
                self.line(format!("users = {users}\n{rest}"));
                // A population follows its profile in steps that have a length of their own.
                if let Some((shape, most)) = self.profile().filter(|_| !self.draft.timeless) {
                    self.line(format!("profile = {{ {shape} }}"));
                    self.users = self.users.map(|known| known + users * (most - 1));
                }
            }
            3 | 4 => {
                self.users = None;
                let (rate, think) = (self.rate(rate / 4.0), self.time(1.0, 500.0));
                self.line(format!("sessions = {rate}\nrequests = 4\nthink_time = {think}"));
                self.arrivals();
            }
            5 if self.trace.0.is_empty() && !self.draft.timeless => {
                self.users = None;
                self.recorded(rate);
                let (factor, offset) = (self.dice.pick(&[0.5, 1.0, 3.0]), self.time(1.0, 1000.0));
                let table = format!("{{ file = \"load.csv\", factor = {factor}, offset = {offset} }}");
                let trace = if self.dice.one_in(2) { table } else { "\"load.csv\"".to_owned() };
                self.line(format!("trace = {trace}"));
            }
            _ => {
                self.users = None;
                let rate = self.rate(rate);
                self.line(format!("rate = {rate}"));
                self.arrivals();
            }
        }
    }

    /// Writes the file of a recorded load.
    fn recorded(&mut self, rate: f64) {
        let (mut at, mut text) = (0.0, String::new());
        let counted = self.dice.one_in(2);
        while at < self.seconds + self.warmup {
            if counted {
                let count = self.dice.below((2.0 * rate) as u64 + 2);
                writeln!(text, "{at},{count}").expect("a string takes all");
                at += 1.0;
            } else {
                writeln!(text, "{at:.4}").expect("a string takes all");
                at += self.dice.between(0.1, 10.0) / rate / 2.0;
            }
        }
        self.trace.0 = text;
    }

    fn arrivals(&mut self) {
        if self.mood == Mood::Ties || self.dice.one_in(2) {
            let burst = self.dice.whole(1, 20);
            let laws = [
                "\"constant\"",
                "\"erlang\", k = 4",
                "\"hyperexponential\", cv = 4",
                "\"lognormal\", cv = 3",
            ];
            let law = if self.mood == Mood::Ties { laws[0] } else { self.dice.pick(&laws) };
            self.line(format!("arrivals = {{ dist = {law}, batch = {burst} }}"));
        }
        if let Some((shape, _)) = self.profile() {
            self.line(format!("profile = {{ {shape} }}"));
        }
    }

    /// In a third of the cases, a load profile and its greatest factor.
    fn profile(&mut self) -> Option<(String, u64)> {
        let (half, eighth) = (self.secs(self.seconds / 2.0), self.secs(self.seconds / 16.0));
        self.dice.one_in(3).then(|| match self.dice.below(5) {
            0 => (format!("ramp = {{ from = 0, to = 2, over = {half} }}"), 2),
            1 => (format!("steps = [[\"0s\", 0], [{half}, 2]]"), 2),
            2 => (format!("burst = {{ every = {half}, for = {eighth}, factor = 5 }}"), 5),
            3 => (format!("spike = {{ at = {half}, for = {eighth}, factor = 8 }}"), 8),
            _ => (format!("diurnal = {{ period = {half}, amplitude = 1 }}"), 2),
        })
    }

    fn patience(&mut self) {
        let timeout = match self.mood {
            Mood::Impatient => self.time(0.5, 20.0),
            _ => self.time(20.0, 60_000.0),
        };
        self.line(format!("timeout = {timeout}"));
        let (propagates, cancels) = (self.hands.one_in(4), self.hands.one_in(4));
        self.line_if(propagates, "propagate = true");
        self.line_if(cancels, "cancel = true");
        self.care_for_all(true, true);
        let connect = self.time(1.0, 3000.0);
        self.line_one_in(4, format!("connect_timeout = {connect}"));
        if self.mood == Mood::Impatient || self.dice.one_in(3) {
            let attempts = self.dice.whole(2, 5);
            self.attempts = self.attempts.max(attempts);
            let pause = if self.dice.one_in(3) { "\"0ms\"".to_owned() } else { self.time(1.0, 300.0) };
            let jitter = self.dice.pick(&["none", "full", "equal", "decorrelated"]);
            let (max, budget) = (self.secs(20.0), self.dice.one_in(2) && !self.draft.timeless);
            let budget = if budget { ", budget = \"20%\"" } else { "" };
            self.line(format!(
                "retry = {{ attempts = {attempts}, backoff = {pause}, max = {max}, jitter = \"{jitter}\"{budget} }}"
            ));
        }
    }
}
