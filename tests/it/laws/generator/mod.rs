//! Random scenarios: each seed gives a topology with its load, its limits and its faults.
//!
//! All kinds of boxes and of faults are drawn. A scenario can be written a second time with all its times multiplied
//! and all its rates divided by a factor. This works where no key of it has a default or a constant that is a time, so
//! that a `timeless` scenario leaves such things out.

mod clients;
mod databases;
mod dice;
pub(crate) mod entrances;
mod faults;
mod fleets;
mod monitors;
mod servers;
mod switches;
mod wires;
mod wrong;

use outgrow::model::spec::Files;

pub(crate) use dice::Dice;
pub(super) use wrong::{Wrong, wrong};

/// The kind of scenario that a generator prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// A bit of everything.
    Any,
    /// Constant times on a coarse grid and no network, so that many events happen at one instant.
    Ties,
    /// Few workers, and short queues or none.
    Tiny,
    /// Work that often takes no time.
    Nothing,
    /// Users who give up before they are served, and try again.
    Impatient,
    /// Databases of several nodes that fail, with a monitor that promotes others.
    Failover,
}

impl Mood {
    /// All moods.
    pub(crate) const ALL: [Mood; 6] =
        [Mood::Any, Mood::Ties, Mood::Tiny, Mood::Nothing, Mood::Impatient, Mood::Failover];
}

/// How a scenario is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    /// All times are multiplied and all rates are divided by it.
    pub(crate) stretch: u64,
    /// Whether everything is left out that has a time of its own, which no key of the scenario stretches.
    pub(crate) timeless: bool,
}

impl Draft {
    /// The usual one: everything, at its own pace.
    pub(crate) const ALL: Draft = Draft { stretch: 1, timeless: false };
}

/// Regions of the cloud provider that scenarios stand in.
const REGIONS: [&str; 6] =
    ["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-2", "ap-southeast-1", "sa-east-1"];

/// Approximate number of requests of a trial.
const REQUESTS: f64 = 600.0;

/// A scenario, and facts about its text that the checkers need.
pub(crate) struct Generated {
    /// The text of the scenario.
    pub(crate) text: String,
    /// The recorded load, if it has one.
    pub(crate) trace: Trace,
    /// Greatest number of users of all clients together; `None` unless all are closed populations.
    pub(crate) users: Option<u64>,
    /// Greatest number of tries of a request.
    pub(crate) attempts: u64,
    /// Servers, each with the least core time of an answered call, in seconds at speed 1.
    pub(crate) least_work: Vec<(String, f64)>,
}

/// The file of a recorded load, called `load.csv`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(pub(crate) String);

impl Files for Trace {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == "load.csv" { Ok(self.0.clone()) } else { Err("there is no such file".to_owned()) }
    }
}

/// A box of the scenario that can fail.
struct Drawn {
    kind: &'static str,
    name: String,
    /// Its members, or itself.
    members: Vec<String>,
}

/// The state of the generator.
struct Generator {
    dice: Dice,
    /// Dice for orders, priorities and limits, which leave the draws of all else as they are.
    doors: Dice,
    /// For what stops processes and cores, so that everything else stays as it was without it.
    halts: Dice,
    /// Dice for how boxes call each other.
    hands: Dice,
    /// Dice for the care that users and balancers take.
    manners: Dice,
    /// Databases of one node, whose rows may be written optimistically.
    lonely: Vec<String>,
    /// Dice for caches, and those that stand beside their database, with its name.
    memos: Dice,
    beside: Vec<(String, String)>,
    /// Dice for keys that no data have.
    absents: Dice,
    /// Dice for data that are divided, and the databases whose data are.
    shards: Dice,
    moves: Dice,
    /// Dice for directories of shards.
    homes: Dice,
    /// Dice for workers that look for messages now and then.
    looks: Dice,
    sharded: Vec<String>,
    /// Whether data are divided, for which each class asks for several keys.
    divides: bool,
    /// Dice for sessions and for edges near users.
    users_dice: Dice,
    /// Dice for connections.
    wires: Dice,
    /// Dice for members that come and go.
    fleets: Dice,
    /// Dice for switches between sites.
    sites: Dice,
    /// Dice for monitors.
    monitors: Dice,
    /// Number of workers that a call takes at once, at most.
    widest: u64,
    mood: Mood,
    draft: Draft,
    text: String,
    trace: Trace,
    /// The classes that the scenario names.
    classes: Vec<&'static str>,
    seconds: f64,
    warmup: f64,
    /// The regions of the scenario; none if it has no map.
    regions: Vec<&'static str>,
    /// Whether a box stands in the zone `a`.
    zoned: bool,
    boxes: Vec<Drawn>,
    /// Servers that others may share the machine of.
    machines: Vec<String>,
    users: Option<u64>,
    attempts: u64,
    least_work: Vec<(String, f64)>,
}

/// The scenario of a seed.
pub(crate) fn generate(seed: u64, mood: Mood, draft: Draft) -> Generated {
    let mut generator = Generator {
        dice: Dice::new(seed, "scenario"),
        doors: Dice::new(seed, "doors"),
        manners: Dice::new(seed, "manners"),
        lonely: Vec::new(),
        memos: Dice::new(seed, "memos"),
        absents: Dice::new(seed, "absents"),
        beside: Vec::new(),
        shards: Dice::new(seed, "shards"),
        moves: Dice::new(seed, "moves"),
        homes: Dice::new(seed, "homes"),
        looks: Dice::new(seed, "looks"),
        sharded: Vec::new(),
        divides: false,
        hands: Dice::new(seed, "hands"),
        users_dice: Dice::new(seed, "users"),
        wires: Dice::new(seed, "wires"),
        fleets: Dice::new(seed, "fleets"),
        sites: Dice::new(seed, "sites"),
        monitors: Dice::new(seed, "monitors"),
        halts: Dice::new(seed, "halts"),
        widest: 1,
        mood,
        draft,
        text: String::new(),
        trace: Trace::default(),
        classes: Vec::new(),
        seconds: 0.0,
        warmup: 0.0,
        regions: Vec::new(),
        zoned: false,
        boxes: Vec::new(),
        machines: Vec::new(),
        users: Some(0),
        attempts: 1,
        least_work: Vec::new(),
    };
    generator.frame();
    let mut entrances = generator.servers();
    if generator.dice.one_in(2) {
        generator.balancer("lb", &entrances.clone(), true);
        entrances.push("lb".to_owned());
    }
    generator.network_of_edges(&mut entrances);
    generator.clients(&entrances);
    generator.faults();
    generator.fleets();
    generator.switches();
    generator.directories();
    generator.reshards();
    generator.purges();
    generator.watch();
    let Generator { text, trace, users, attempts, least_work, .. } = generator;
    Generated { text, trace, users, attempts, least_work }
}

impl Generator {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn line_if(&mut self, wanted: bool, line: impl AsRef<str>) {
        if wanted {
            self.line(line);
        }
    }

    /// Writes a line once in `n` times. The text is drawn in any case.
    fn line_one_in(&mut self, n: u64, line: impl AsRef<str>) {
        let wanted = self.dice.one_in(n);
        self.line_if(wanted, line);
    }

    /// A number of microseconds between two limits in milliseconds. In the mood of ties it is one of whole milliseconds.
    fn micros(&mut self, low_ms: f64, high_ms: f64) -> u64 {
        let ms = self.dice.between(low_ms, high_ms);
        match self.mood {
            Mood::Ties => ms.ceil() as u64 * 1000,
            _ => (ms * 1000.0).ceil() as u64,
        }
    }

    /// A duration as the scenario writes it.
    fn quoted(&self, micros: u64) -> String {
        format!("\"{}us\"", micros * self.draft.stretch)
    }

    /// A duration of `seconds`.
    fn secs(&self, seconds: f64) -> String {
        self.quoted((seconds * 1e6).round() as u64)
    }

    /// A duration between two limits in milliseconds.
    fn time(&mut self, low_ms: f64, high_ms: f64) -> String {
        let micros = self.micros(low_ms, high_ms);
        self.quoted(micros)
    }

    /// A duration above zero that is no longer than another one.
    fn within(&mut self, micros: u64) -> String {
        let part = (micros as f64 * self.dice.unit()).ceil() as u64;
        self.quoted(part)
    }

    /// A rate as the scenario writes it.
    fn rate(&self, per_second: f64) -> String {
        format!("\"{}/s\"", per_second / self.draft.stretch as f64)
    }

    /// A constant or random time, and its least possible value in seconds.
    fn dist(&mut self, low_ms: f64, high_ms: f64) -> (String, f64) {
        if self.mood == Mood::Nothing && self.dice.one_in(2) {
            return ("\"0ms\"".to_owned(), 0.0);
        }
        let micros = self.micros(low_ms, high_ms);
        let mean = self.quoted(micros);
        let law = if self.mood == Mood::Ties { 0 } else { self.dice.below(9) };
        let law = match law {
            0 => return (mean, micros as f64 / 1e6),
            1 => "\"lognormal\", cv = 2",
            2 => "\"erlang\", k = 3",
            3 => "\"hyperexponential\", cv = 3",
            4 => "\"gamma\", cv = 0.2",
            5 => "\"weibull\", shape = 2",
            6 => "\"pareto\", shape = 2.5",
            7 => return (format!("{{ dist = \"uniform\", min = \"0ms\", max = {mean} }}"), 0.0),
            _ => "\"exponential\"",
        };
        (format!("{{ dist = {law}, mean = {mean} }}"), 0.0)
    }

    /// Writes `[run]`, `[network]` and the classes.
    fn frame(&mut self) {
        self.seconds = self.dice.pick(&[2.0, 10.0, 40.0]);
        self.warmup = self.dice.pick(&[0.0, 0.0, self.seconds / 4.0]);
        let (seconds, warmup) = (self.secs(self.seconds), self.secs(self.warmup));
        let seed = self.dice.below(1000);
        self.line(format!("[run]\nduration = {seconds}\nwarmup = {warmup}\nseed = {seed}\ntrials = 2"));
        self.network();
        let count = self.dice.below(4) as usize;
        self.classes = ["read", "write", "search"][..count].to_vec();
        self.divides = self.shards.one_in(2) && count > 0;
        for class in self.classes.clone() {
            self.class(class);
        }
    }

    fn network(&mut self) {
        if self.mood != Mood::Ties && self.dice.one_in(3) && !self.draft.timeless {
            let count = self.dice.whole(2, 3) as usize;
            while self.regions.len() < count {
                let region = self.dice.pick(&REGIONS);
                if !self.regions.contains(&region) {
                    self.regions.push(region);
                }
            }
            self.line("[network]\nregions = \"aws\"");
        } else if self.mood == Mood::Ties || self.dice.one_in(3) {
            self.line("[network]\nclient = \"0ms\"\nsame_zone = \"0ms\"\nother_zone = \"0ms\"");
        } else if self.dice.one_in(2) || self.draft.timeless {
            let (client, same, other) = (self.time(1.0, 200.0), self.time(0.01, 5.0), self.time(0.1, 9.0));
            let jitter = self.dice.pick(&[0.0, 0.1, 1.0]);
            self.line(format!(
                "[network]\nclient = {client}\nsame_zone = {same}\nother_zone = {other}\njitter = {jitter}"
            ));
        }
    }

    fn class(&mut self, class: &str) {
        let share = self.dice.whole(1, 9);
        self.line(format!("[request.{class}]\nshare = {share}"));
        let writes = class == "write" || self.dice.one_in(5);
        self.line_if(writes, "effect = \"write\"");
        let is_kept = !writes && !self.regions.is_empty() && self.users_dice.one_in(2);
        self.line_if(is_kept, "cacheable = true");
        let deadline = self.time(1.0, 1000.0);
        self.line_one_in(3, format!("deadline = {deadline}"));
        let keys = self.dice.pick(&[1, 2, 10, 1000, 100_000]);
        let zipf = self.dice.pick(&["", "zipf = 0.5", "zipf = 0.99", "zipf = 2.0"]);
        let has_keys = self.dice.one_in(2);
        if has_keys && (keys > 1 || !self.divides) {
            self.line(format!("keys = {keys}"));
            self.line_if(keys > 1, zipf);
        } else if self.divides {
            let keys = self.shards.pick(&[2, 10, 1000]);
            self.line(format!("keys = {keys}"));
        }
        let is_given = self.divides || has_keys;
        let missing = self.absents.pick(&["10%", "100%"]);
        let may_miss = self.absents.one_in(2) && is_given && !writes;
        self.line_if(may_miss, format!("missing = \"{missing}\""));
        let kilobytes = self.dice.pick(&[1, 100, 5000]);
        self.line_one_in(5, format!("response_size = \"{kilobytes}kB\""));
        let (priority, units) = (self.doors.below(4), self.doors.pick(&[2, 3]));
        let (has_priority, is_wide) = (self.doors.one_in(2), self.doors.one_in(6));
        self.line_if(has_priority, format!("priority = {priority}"));
        self.line_if(is_wide, format!("units = {units}"));
        self.widest = self.widest.max(if is_wide { units } else { 1 });
    }

    /// Writes where a box of `members` machines stands.
    fn place(&mut self, members: usize) {
        if !self.regions.is_empty() {
            let regions = self.regions.clone();
            let count = if members > 1 { 1 + self.dice.below(members.min(3) as u64) } else { 1 };
            let chosen: Vec<String> =
                (0..count).map(|_| format!("\"{}\"", self.dice.pick(&regions))).collect();
            match chosen.as_slice() {
                [one] => self.line(format!("region = {one}")),
                several => self.line(format!("region = [{}]", several.join(", "))),
            }
        }
        if self.dice.one_in(4) {
            let zone = if members > 1 { "[\"a\", \"b\"]" } else { "\"a\"" };
            self.zoned = true;
            self.line(format!("zone = {zone}"));
        }
    }
}
