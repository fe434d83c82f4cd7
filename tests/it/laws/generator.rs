//! Random scenarios: each seed gives a topology with its load and its limits.

use std::fmt::Write as _;

use outgrow::kernel::random::{Seed, Stream, below, unit_open};

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
}

impl Mood {
    /// All moods.
    pub(crate) const ALL: [Mood; 5] = [Mood::Any, Mood::Ties, Mood::Tiny, Mood::Nothing, Mood::Impatient];
}

const POLICIES: [&str; 8] =
    ["round-robin", "weighted", "random", "least-connections", "two-choices", "ewma", "hash", "ip-hash"];

/// Approximate number of requests of a trial.
const REQUESTS: f64 = 800.0;

/// A scenario, and facts about its text that the checkers need.
pub(crate) struct Generated {
    /// The text of the scenario.
    pub(crate) text: String,
    /// Greatest number of users of all clients together; `None` unless all are closed populations.
    pub(crate) users: Option<u64>,
    /// Greatest number of tries of a request.
    pub(crate) attempts: u64,
    /// Servers, each with the least core time of an answered call, in seconds at speed 1.
    pub(crate) least_work: Vec<(String, f64)>,
}

/// Random choices from the seed's stream.
struct Dice(Stream);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        below(&mut self.0, n)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A log-uniform number between the limits: all magnitudes are equally likely.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low * libm::pow(high / low, unit_open(&mut self.0))
    }
}

/// The state of the generator.
struct Generator {
    dice: Dice,
    mood: Mood,
    text: String,
    classes: Vec<&'static str>,
    seconds: f64,
    users: Option<u64>,
    attempts: u64,
    least_work: Vec<(String, f64)>,
}

/// The scenario of a seed.
pub(crate) fn generate(seed: u64, mood: Mood) -> Generated {
    let mut generator = Generator {
        dice: Dice(Seed::new(seed).stream("laws", "scenario")),
        mood,
        text: String::new(),
        classes: Vec::new(),
        seconds: 0.0,
        users: Some(0),
        attempts: 1,
        least_work: Vec::new(),
    };
    generator.frame();
    let mut entrances = generator.boxes();
    if generator.dice.one_in(2) {
        let balancer = generator.balancer(&entrances);
        entrances.push(balancer);
    }
    generator.clients(&entrances);
    let Generator { text, users, attempts, least_work, .. } = generator;
    Generated { text, users, attempts, least_work }
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

    /// A duration between two limits. In the mood of ties it is a whole number of milliseconds.
    fn time(&mut self, low_ms: f64, high_ms: f64) -> String {
        let ms = self.dice.between(low_ms, high_ms);
        match self.mood {
            Mood::Ties => format!("{}ms", ms.ceil()),
            _ => format!("{}us", (ms * 1000.0).ceil()),
        }
    }

    /// A constant or random time, and its least possible value in seconds.
    fn dist(&mut self, low_ms: f64, high_ms: f64) -> (String, f64) {
        if self.mood == Mood::Nothing && self.dice.one_in(2) {
            return ("\"0ms\"".to_owned(), 0.0);
        }
        let mean = self.time(low_ms, high_ms);
        let law = if self.mood == Mood::Ties { 0 } else { self.dice.below(6) };
        let law = match law {
            0 => return (format!("\"{mean}\""), seconds(&mean)),
            1 => "\"lognormal\", cv = 2",
            2 => "\"erlang\", k = 3",
            3 => "\"hyperexponential\", cv = 3",
            _ => "\"exponential\"",
        };
        (format!("{{ dist = {law}, mean = \"{mean}\" }}"), 0.0)
    }

    /// Writes `[run]`, `[network]` and the classes.
    fn frame(&mut self) {
        self.seconds = self.dice.pick(&[2.0, 10.0, 60.0]);
        let warmup = self.dice.pick(&[0.0, 0.0, self.seconds / 4.0]);
        let (seconds, seed) = (self.seconds, self.dice.below(1000));
        self.line(format!("[run]\nduration = \"{seconds}s\"\nwarmup = \"{warmup}s\"\nseed = {seed}"));
        if self.mood == Mood::Ties || self.dice.one_in(3) {
            self.line("[network]\nclient = \"0ms\"\nsame_zone = \"0ms\"");
        } else if self.dice.one_in(2) {
            let (client, zone) = (self.time(1.0, 200.0), self.time(0.01, 5.0));
            let jitter = self.dice.pick(&[0.0, 0.1, 1.0]);
            self.line(format!("[network]\nclient = \"{client}\"\nsame_zone = \"{zone}\"\njitter = {jitter}"));
        }
        let count = self.dice.below(3) as usize;
        self.classes = ["read", "write", "search"][..count].to_vec();
        for class in self.classes.clone() {
            let share = 1 + self.dice.below(9);
            self.line(format!("[request.{class}]\nshare = {share}"));
            self.line_if(class == "write", "effect = \"write\"");
            let deadline = self.time(1.0, 1000.0);
            let limited = self.dice.one_in(3);
            self.line_if(limited, format!("deadline = \"{deadline}\""));
        }
    }

    /// Writes layers of servers above databases. A server calls only servers of the next lower layer. Returns the
    /// servers of the top layer.
    fn boxes(&mut self) -> Vec<String> {
        let databases: Vec<String> = (0..self.dice.below(3)).map(|n| format!("db{n}")).collect();
        let depth = 1 + self.dice.below(3);
        let mut below: Vec<String> = Vec::new();
        let mut machines: Vec<String> = Vec::new();
        for layer in (0..depth).rev() {
            let width = 1 + self.dice.below(2);
            let names: Vec<String> = (0..width).map(|n| format!("s{layer}x{n}")).collect();
            for name in &names {
                let host = (!machines.is_empty() && self.dice.one_in(5))
                    .then(|| machines[self.dice.below(machines.len() as u64) as usize].clone());
                if host.is_none() {
                    machines.push(name.clone());
                }
                self.server(name, layer == 0, host.as_deref(), &below, &databases);
            }
            below = names;
        }
        for name in &databases {
            self.database(name, &machines);
        }
        below
    }

    fn server(&mut self, name: &str, public: bool, host: Option<&str>, others: &[String], dbs: &[String]) {
        self.line(format!("[server.{name}]"));
        self.line_if(public, "public = true");
        match host {
            Some(host) => self.line(format!("on = \"{host}\"\nbase_memory = \"16MiB\"")),
            None => self.machine(),
        }
        let (workers, queue) = match self.mood {
            Mood::Tiny => (self.dice.pick(&[1, 1, 2]), self.dice.pick(&[0, 0, 1, 3])),
            _ => (self.dice.pick(&[1, 4, 16, 200]), self.dice.pick(&[0, 10, 100, 1000])),
        };
        self.line(format!("workers = {workers}\nqueue = {queue}"));
        let backlog = 1 + self.dice.below(20);
        let with_backlog = self.dice.one_in(4);
        self.line_if(with_backlog, format!("backlog = {backlog}"));
        self.server_limits();
        let count = 1 + self.dice.below(3);
        let mut steps = Vec::new();
        let mut least = 0.0;
        for _ in 0..count {
            let (step, work) = self.step(others, dbs);
            steps.push(step);
            least += work;
        }
        self.line(format!("steps = [{}]", steps.join(", ")));
        if least > 0.0 && host.is_none() {
            self.least_work.push((name.to_owned(), least));
        }
    }

    fn machine(&mut self) {
        let count = self.dice.pick(&[1, 1, 2, 3]);
        let cores = self.dice.pick(&[1, 1, 2, 4]);
        self.line(format!("count = {count}\ncores = {cores}\nbase_memory = \"16MiB\""));
        let scheduling = self.dice.pick(&["ps", "fifo", "lifo"]);
        self.line(format!("scheduling = \"{scheduling}\""));
        let contended = self.dice.one_in(4);
        self.line_if(contended, "sigma = 0.1\nkappa = 0.01");
        let fast = self.dice.one_in(4);
        self.line_if(fast, "speed = 1.7");
        // Sometimes there is memory for only a few dozen calls.
        let memory = if self.dice.one_in(4) { "96MiB" } else { "8GiB" };
        self.line(format!("memory = \"{memory}\""));
    }

    fn server_limits(&mut self) {
        if self.dice.one_in(3) {
            let restart = self.time(1.0, 500.0);
            self.line(format!("on_memory = \"oom-kill\"\nrestart = \"{restart}\""));
        }
        if self.dice.one_in(5) {
            let rate = self.dice.between(1.0, 500.0).ceil();
            let burst = 1 + self.dice.below(10);
            self.line(format!("rate_limit = {{ rate = \"{rate}/s\", burst = {burst} }}"));
        }
        if self.dice.one_in(2) {
            let pool = self.dice.pick(&[1, 2, 10]);
            self.line(format!("db_pool = {pool}"));
        }
    }

    /// A step, and the least core time that it takes, in seconds.
    fn step(&mut self, others: &[String], databases: &[String]) -> (String, f64) {
        let mut least = 0.0;
        let mut step = match self.dice.below(5) {
            0 if !others.is_empty() => {
                let to = &others[self.dice.below(others.len() as u64) as usize];
                let how =
                    self.dice.pick(&["", "", ", times = 2", ", parallel = 3", ", times = 2, parallel = 2"]);
                format!("{{ call = \"{to}\"{how}")
            }
            1 if !databases.is_empty() => {
                let to = &databases[self.dice.below(databases.len() as u64) as usize];
                let how = self.dice.pick(&["", "", ", times = 3"]);
                format!("{{ query = \"{to}\"{how}")
            }
            2 => format!("{{ wait = {}", self.dist(0.1, 50.0).0),
            _ => {
                let (time, shortest) = self.dist(0.1, 20.0);
                least = shortest;
                format!("{{ cpu = {time}")
            }
        };
        if self.dice.one_in(4) {
            let share = self.dice.pick(&["0%", "10%", "50%", "100%"]);
            write!(step, ", chance = \"{share}\"").expect("a string takes all");
            least = 0.0;
        }
        if !self.classes.is_empty() && self.dice.one_in(4) {
            let class = self.dice.pick(&self.classes.clone());
            write!(step, ", class = \"{class}\"").expect("a string takes all");
            least = 0.0;
        }
        (step + " }", least)
    }

    fn database(&mut self, name: &str, machines: &[String]) {
        self.line(format!("[database.{name}]"));
        if self.dice.one_in(3) {
            let host = &machines[self.dice.below(machines.len() as u64) as usize];
            self.line(format!("on = \"{host}\""));
        } else {
            let cores = self.dice.pick(&[1, 2, 8]);
            self.line(format!("cores = {cores}"));
            let slow = self.dice.one_in(3);
            self.line_if(slow, "working_set = \"40GiB\"\nbuffer = \"2GiB\"");
        }
        let connections = if self.mood == Mood::Tiny { 1 } else { self.dice.pick(&[1, 5, 100]) };
        self.line(format!("connections = {connections}"));
        for key in ["read", "write", "commit"] {
            let (time, _) = self.dist(0.1, 10.0);
            self.line(format!("{key} = {time}"));
        }
    }

    /// Writes a balancer in front of all entrances. Returns its name.
    fn balancer(&mut self, entrances: &[String]) -> String {
        let targets: Vec<String> = entrances.iter().map(|name| format!("\"{name}\"")).collect();
        let policy = self.dice.pick(&POLICIES);
        self.line(format!("[balancer.lb]\npublic = true\ntargets = [{}]", targets.join(", ")));
        self.line(format!("policy = \"{policy}\""));
        let (demand, interval, timeout) =
            (self.dist(0.01, 2.0).0, self.time(10.0, 2000.0), self.time(1.0, 500.0));
        for line in [
            format!("demand = {demand}"),
            format!(
                "health = {{ interval = \"{interval}\", kind = \"page\", fall = 2, rise = 1 }}\npanic = \"50%\""
            ),
            "ejection = { failures = 3, base = \"500ms\", max_share = \"50%\" }".to_owned(),
            "retries = 2".to_owned(),
            format!("timeout = \"{timeout}\""),
            "connections = 10\nqueue = { limit = 5, timeout = \"20ms\" }".to_owned(),
            "sticky = { expire = \"3s\" }".to_owned(),
        ] {
            let wanted = self.dice.one_in(3);
            self.line_if(wanted, line);
        }
        "lb".to_owned()
    }

    fn clients(&mut self, entrances: &[String]) {
        let count = 1 + self.dice.below(3);
        for index in 0..count {
            let mut target = entrances[self.dice.below(entrances.len() as u64) as usize].clone();
            if self.dice.one_in(2) {
                target = self.name(index, entrances);
            }
            self.line(format!("[client.c{index}]\ntarget = \"{target}\""));
            self.load(REQUESTS / count as f64);
            self.patience();
        }
    }

    /// Writes a DNS name for some or all of the entrances. Returns it.
    fn name(&mut self, index: u64, entrances: &[String]) -> String {
        let first = self.dice.below(entrances.len() as u64) as usize;
        let records: Vec<String> = entrances[first..].iter().map(|name| format!("\"{name}\"")).collect();
        let ttl = self.dice.pick(&["0s", "100ms", "3s", "60s"]);
        let policy = self.dice.pick(&["round-robin", "weighted"]);
        let name = format!("www{index}");
        self.line(format!("[dns.{name}]\nrecords = [{}]", records.join(", ")));
        self.line(format!("ttl = \"{ttl}\"\npolicy = \"{policy}\""));
        name
    }

    /// Writes a load of about this number of requests.
    fn load(&mut self, requests: f64) {
        let rate = requests / self.seconds;
        let kind = self.dice.below(3);
        let users = 1 + self.dice.below(60);
        match kind {
            0 => {
                let think = (users as f64 / rate * 1000.0).ceil();
                self.users = self.users.map(|known| known + users);
                self.line(format!("users = {users}"));
                let law = if self.mood == Mood::Ties {
                    format!("\"{think}ms\"")
                } else {
                    format!("{{ dist = \"exponential\", mean = \"{think}ms\" }}")
                };
                self.line(format!("think_time = {law}"));
            }
            1 => {
                self.users = None;
                let (rate, think) = (rate / 4.0, self.time(1.0, 500.0));
                self.line(format!("sessions = \"{rate}/s\"\nrequests = 4\nthink_time = \"{think}\""));
            }
            _ => {
                self.users = None;
                self.line(format!("rate = \"{rate}/s\""));
            }
        }
        if kind > 0 && (self.mood == Mood::Ties || self.dice.one_in(2)) {
            let burst = 1 + self.dice.below(20);
            let law = match self.mood {
                Mood::Ties => "\"constant\"".to_owned(),
                _ => self
                    .dice
                    .pick(&["\"erlang\", k = 4", "\"hyperexponential\", cv = 4", "\"constant\""])
                    .into(),
            };
            self.line(format!("arrivals = {{ dist = {law}, batch = {burst} }}"));
        }
        if let Some((shape, most)) = self.profile() {
            self.line(format!("profile = {{ {shape} }}"));
            if kind == 0 {
                self.users = self.users.map(|known| known + users * (most - 1));
            }
        }
    }

    /// In a third of the cases, a load profile and its greatest factor.
    fn profile(&mut self) -> Option<(String, u64)> {
        let half = self.seconds / 2.0;
        self.dice.one_in(3).then(|| match self.dice.below(4) {
            0 => (format!("ramp = {{ from = 0, to = 2, over = \"{half}s\" }}"), 2),
            1 => (format!("steps = [[\"0s\", 0], [\"{half}s\", 2]]"), 2),
            2 => (format!("burst = {{ every = \"{half}s\", for = \"{}s\", factor = 5 }}", half / 8.0), 5),
            _ => (format!("diurnal = {{ period = \"{half}s\", amplitude = 1 }}"), 2),
        })
    }

    fn patience(&mut self) {
        let timeout = match self.mood {
            Mood::Impatient => self.time(0.5, 20.0),
            _ => self.time(20.0, 60_000.0),
        };
        self.line(format!("timeout = \"{timeout}\""));
        if self.mood == Mood::Impatient || self.dice.one_in(3) {
            let attempts = 2 + self.dice.below(4);
            self.attempts = self.attempts.max(attempts);
            let pause = if self.dice.one_in(3) { "0ms".to_owned() } else { self.time(1.0, 300.0) };
            let jitter = self.dice.pick(&["none", "full", "equal", "decorrelated"]);
            let budget = self.dice.pick(&["", ", budget = \"20%\""]);
            self.line(format!(
                "retry = {{ attempts = {attempts}, backoff = \"{pause}\", jitter = \"{jitter}\"{budget} }}"
            ));
        }
    }
}

/// The seconds of a duration that this generator wrote.
fn seconds(time: &str) -> f64 {
    match time.strip_suffix("ms") {
        Some(number) => number.parse::<f64>().expect("a number") / 1e3,
        None => time.trim_end_matches("us").parse::<f64>().expect("a number") / 1e6,
    }
}
