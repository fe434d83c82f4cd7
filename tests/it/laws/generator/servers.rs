//! Layers of servers above databases, with caches, queues and balancers between them.

use std::fmt::Write as _;

use super::{Drawn, Generator, Mood};

/// What the steps of a server may ask.
struct Below {
    /// Boxes to call.
    calls: Vec<String>,
    /// Databases, and caches in front of them.
    queries: Vec<String>,
}

impl Generator {
    /// Writes layers of servers above databases. A server calls only boxes of the next lower layer. Returns the
    /// servers of the top layer.
    pub(super) fn servers(&mut self) -> Vec<String> {
        let least = u64::from(self.mood == Mood::Failover);
        let databases: Vec<String> = (0..self.dice.whole(least, 2)).map(|n| format!("db{n}")).collect();
        let depth = self.dice.whole(1, 3);
        for name in databases.iter().filter(|_| self.mood != Mood::Failover) {
            if self.memos.one_in(4) {
                self.lonely.push(name.clone());
            }
        }
        let mut below = Below { calls: Vec::new(), queries: self.caches(&databases) };
        for layer in (0..depth).rev() {
            let names: Vec<String> = (0..self.dice.whole(1, 2)).map(|n| format!("s{layer}x{n}")).collect();
            for name in &names {
                self.server(name, layer == 0, &below);
            }
            below.calls.clone_from(&names);
            if layer > 0 {
                below.calls.extend(self.between(layer, &names));
            }
        }
        for name in &databases {
            self.database(name);
        }
        below.calls
    }

    /// Writes caches in front of some databases. Returns what a query may ask.
    fn caches(&mut self, databases: &[String]) -> Vec<String> {
        let mut queries = databases.to_vec();
        for database in databases {
            if !self.dice.one_in(4) {
                continue;
            }
            let name = format!("cache-of-{database}");
            let entries = self.dice.pick(&[1, 10, 1000]);
            let is_beside = self.memos.one_in(2);
            if is_beside {
                self.line(format!("[cache.{name}]\nentries = {entries}"));
            } else {
                self.line(format!("[cache.{name}]\ntarget = \"{database}\"\nentries = {entries}"));
            }
            let op = self.time(0.01, 1.0);
            self.line(format!("op = {op}"));
            let (ttl, timeout) = (self.time(10.0, 20_000.0), self.time(1.0, 2000.0));
            let expires = self.dice.one_in(2);
            if expires {
                self.line(format!("ttl = {ttl}"));
            }
            let is_patient = !self.dice.one_in(3) || is_beside;
            if !is_patient {
                self.line(format!("timeout = {timeout}"));
            }
            self.cache_keys(expires, is_beside);
            if is_beside {
                self.beside.push((name.clone(), database.clone()));
            }
            self.place(1);
            self.drawn("cache", &name, vec![name.clone()]);
            queries.push(name);
        }
        queries
    }

    /// Writes a content delivery network in front of a public box, in some scenarios with regions.
    pub(super) fn network_of_edges(&mut self, entrances: &mut Vec<String>) {
        if self.regions.is_empty() || !self.users_dice.one_in(2) {
            return;
        }
        let origin = self.users_dice.name(entrances);
        let regions: Vec<String> = self.regions.iter().map(|region| format!("\"{region}\"")).collect();
        let mut edges: Vec<String> = self.regions.iter().map(|region| format!("edge.{region}")).collect();
        self.line(format!("[cdn.edge]\norigin = \"{origin}\"\nregions = [{}]", regions.join(", ")));
        if self.users_dice.one_in(2) {
            self.line(format!("shield = {}", regions[0]));
            edges.push("edge.shield".to_owned());
        }
        let entries = self.users_dice.pick(&[1, 10, 1000]);
        let more = ["", "coalesce = true", "stale_for = \"1s\"", "ttl_jitter = 0.5", "evict = \"random\""];
        let more = self.users_dice.pick(&more);
        self.line(format!(
            "entries = {entries}\nttl = \"300ms\"\ntimeout = \"1s\"\nconnect_timeout = \"1s\"\n{more}"
        ));
        let negative = self.absents.pick(&["", "negative = \"0s\"", "negative = \"200ms\""]);
        self.line_if(!negative.is_empty(), negative);
        self.drawn("cdn", "edge", edges);
        entrances.push("edge".to_owned());
    }

    /// Writes who is logged in at a server, in some cases.
    fn sessions(&mut self, below: &Below) {
        if self.draft.timeless || !self.users_dice.one_in(5) {
            return;
        }
        let login = match below.queries.first().filter(|_| self.users_dice.one_in(2)) {
            Some(to) if !self.beside.iter().any(|(cache, _)| cache == to) => {
                format!(", login = {{ query = \"{to}\" }}")
            }
            _ => String::new(),
        };
        let store = self.beside.first().map(|(cache, _)| cache.clone());
        match store.filter(|_| self.users_dice.one_in(2)) {
            Some(cache) => self.line(format!("sessions = {{ store = \"{cache}\"{login} }}")),
            None => self.line(format!("sessions = {{ ttl = \"700ms\", memory = \"1MiB\"{login} }}")),
        }
    }

    /// What a cache does with its entries.
    fn cache_keys(&mut self, expires: bool, is_beside: bool) {
        let evict = self.memos.pick(&["lru", "fifo", "random", "lfu", "s3-fifo"]);
        self.line(format!("evict = \"{evict}\""));
        let writes = if is_beside { &["delete", "through", "none"][..] } else { &["delete", "behind"][..] };
        let writes = self.memos.pick(writes);
        self.line(format!("writes = \"{writes}\""));
        let [lease, stale] = [50_000, 1_000_000].map(|micros| self.quoted(micros));
        if self.memos.one_in(2) {
            self.line(format!("coalesce = true\nlease = {lease}"));
        }
        if expires {
            let stale = format!("stale_for = {stale}");
            let keys = ["ttl_jitter = 0.5", "ttl_reset = true", &stale];
            let key = self.memos.pick(&keys);
            self.line(key);
        }
        let negative = self.absents.pick(&[1_000, 500_000]);
        let is_known = self.absents.one_in(2);
        self.line_if(is_known, format!("negative = {}", self.quoted(negative)));
        // A node that refuses is left out for a time that no key says.
        let size = self.memos.pick(&["nodes = 3", "warm = 0.5", "nodes = 1"]);
        self.line_if(size != "nodes = 3" || !self.draft.timeless, size);
    }

    /// Writes a queue or a balancer in front of the servers of a layer, in some cases. Returns their names.
    fn between(&mut self, layer: u64, names: &[String]) -> Vec<String> {
        let mut written = Vec::new();
        if self.dice.one_in(4) {
            let (name, target) = (format!("queue{layer}"), self.dice.name(names));
            let (workers, ack) = (self.dice.pick(&[1, 3, 20]), self.time(0.1, 20.0));
            self.line(format!("[queue.{name}]\ntarget = \"{target}\"\nworkers = {workers}\nack = {ack}"));
            let (looks, pause) = (self.looks.one_in(3), 1000 * self.looks.whole(1, 400));
            let pause = self.quoted(pause);
            self.line_if(looks, format!("poll = {pause}"));
            let visibility = self.time(5.0, 3000.0);
            self.line(format!("visibility = {visibility}"));
            let (limit, receives) = (self.dice.pick(&[1, 20, 5000]), self.dice.whole(1, 4));
            self.line_one_in(2, format!("limit = {limit}"));
            self.line_one_in(2, format!("max_receives = {receives}"));
            let retention = format!("retention = {}", self.quoted(500_000));
            let more = ["", "order = \"lifo\"", &retention, "in_flight = 2"];
            let more = self.memos.pick(&more);
            self.line_if(!more.is_empty(), more);
            self.place(1);
            self.drawn("queue", &name, vec![name.clone()]);
            written.push(name);
        }
        if self.dice.one_in(3) {
            let name = format!("lb{layer}");
            self.balancer(&name, names, false);
            written.push(name);
        }
        written
    }

    /// Notes a box that can fail.
    pub(super) fn drawn(&mut self, kind: &'static str, name: &str, members: Vec<String>) {
        self.boxes.push(Drawn { kind, name: name.to_owned(), members });
    }

    fn server(&mut self, name: &str, public: bool, below: &Below) {
        self.line(format!("[server.{name}]"));
        self.line_if(public, "public = true");
        let host = (!self.machines.is_empty() && self.dice.one_in(5))
            .then(|| self.dice.name(&self.machines.clone()));
        let count = match &host {
            Some(host) => {
                self.line(format!("on = \"{host}\"\nbase_memory = \"16MiB\""));
                1
            }
            None => self.machine(name),
        };
        let members: Vec<String> = match count {
            1 => vec![name.to_owned()],
            _ => (1..=count).map(|n| format!("{name}-{n}")).collect(),
        };
        self.drawn("server", name, members);
        self.server_limits(host.is_none());
        let count = self.dice.whole(1, 3);
        let mut steps = Vec::new();
        let mut least = 0.0;
        for _ in 0..count {
            let (step, work) = self.step(below);
            steps.push(step);
            least += work;
        }
        let asks = steps.iter().any(|step| step.contains("call =") || step.contains("query ="));
        self.line(format!("steps = [{}]", steps.join(", ")));
        self.keeps();
        self.sessions(below);
        let timeout = self.time(1.0, 5000.0);
        let wanted = asks && self.dice.one_in(2);
        self.line_if(wanted, format!("timeout = {timeout}"));
        let connect = self.time(1.0, 1000.0);
        let wanted = asks && self.dice.one_in(4);
        self.line_if(wanted, format!("connect_timeout = {connect}"));
        let (propagates, cancels) = (self.hands.one_in(4), self.hands.one_in(4));
        self.line_if(propagates, "propagate = true");
        self.line_if(asks && cancels, "cancel = true");
        if least > 0.0 && host.is_none() {
            self.least_work.push((name.to_owned(), least));
        }
    }

    /// Writes a machine of its own. Returns the number of machines.
    fn machine(&mut self, name: &str) -> u64 {
        let count = self.dice.pick(&[1, 1, 2, 3]);
        let cores = self.dice.pick(&[1, 1, 2, 4]);
        self.line(format!("count = {count}\ncores = {cores}\nbase_memory = \"16MiB\""));
        let scheduling = self.dice.pick(&["ps", "fifo", "lifo"]);
        self.line(format!("scheduling = \"{scheduling}\""));
        let bends = self.dice.one_in(4);
        self.line_if(bends, "sigma = 0.1\nkappa = 0.01");
        self.line_one_in(4, "speed = 1.7");
        // Sometimes there is memory for only a few dozen calls.
        let memory = if self.dice.one_in(4) { "96MiB" } else { "8GiB" };
        self.line(format!("memory = \"{memory}\""));
        self.container();
        let preempts = self.halts.one_in(2);
        self.line_if(preempts && scheduling == "fifo" && !bends, "preempt = true");
        self.place(count as usize);
        if count == 1 {
            self.machines.push(name.to_owned());
        }
        count
    }

    /// Writes what stops the cores of a machine, sometimes. It has times of its own.
    fn container(&mut self) {
        let (has_quota, has_heap) = (self.halts.one_in(8), self.halts.one_in(8));
        let (quota, burst) = (self.halts.pick(&[20, 50, 90]), self.halts.pick(&[0, 10]));
        let heap = self.halts.pick(&["90MiB", "256MiB"]);
        if !self.draft.timeless {
            self.line_if(
                has_quota,
                format!("cpu_quota = {{ quota = \"{quota}ms\", burst = \"{burst}ms\" }}"),
            );
            self.line_if(
                has_heap,
                format!("gc = {{ heap = \"{heap}\", pause = \"20ms\", per_live_call = \"1ms\" }}"),
            );
        }
    }

    fn server_limits(&mut self, owns: bool) {
        let (workers, queue) = match self.mood {
            Mood::Tiny => (self.dice.pick(&[1, 1, 2]), self.dice.pick(&[0, 0, 1, 3])),
            _ => (self.dice.pick(&[1, 4, 16, 200]), self.dice.pick(&[0, 10, 100, 1000])),
        };
        self.line(format!("workers = {}\nqueue = {queue}", workers.max(self.widest)));
        self.door();
        let backlog = self.dice.whole(1, 20);
        let wanted = self.dice.one_in(4) && !self.draft.timeless;
        self.line_if(wanted, format!("backlog = {backlog}"));
        let health = self.time(0.05, 0.5);
        self.line(format!("health_cpu = {health}"));
        if self.dice.one_in(3) {
            let restart = self.time(1.0, 500.0);
            let swaps = owns && self.halts.one_in(3) && !self.draft.timeless;
            let how = if swaps { "swap\"\nswap = { size = \"64MiB\", penalty = 10 }" } else { "oom-kill\"" };
            self.line(format!("on_memory = \"{how}\nrestart = {restart}"));
        }
        if self.dice.one_in(5) {
            let rate = self.dice.between(1.0, 500.0).ceil();
            let (rate, burst) = (self.rate(rate), self.dice.whole(1, 10));
            let per = self.doors.pick(&["all", "client", "class", "user"]);
            self.line(format!("rate_limit = {{ rate = {rate}, burst = {burst}, per = \"{per}\" }}"));
        }
        let pool = self.dice.pick(&[1, 2, 10]);
        let wanted = self.dice.one_in(2);
        self.pool(wanted, pool);
    }

    /// Writes in which order calls are taken, and which are turned away.
    fn door(&mut self) {
        let order = self.doors.pick(&["fifo", "lifo", "adaptive"]);
        let wanted = self.doors.one_in(3);
        self.line_if(wanted, format!("queue_order = \"{order}\""));
        let age = self.doors.whole(1, 100) * 1000;
        let age = self.quoted(age);
        let (calls, has_limit) = (self.doors.pick(&[1, 3, 20]), self.doors.one_in(8));
        self.line_if(has_limit, format!("limit = {{ calls = {calls} }}"));
        let sheds = self.doors.one_in(6);
        self.line_if(sheds, format!("shed = {{ age = {age} }}"));
        let (share, ending) = (self.doors.pick(&["5%", "100%"]), self.doors.pick(&["failed", "rejected"]));
        let errs = self.doors.one_in(8);
        self.line_if(errs, format!("errors = {{ share = \"{share}\", as = \"{ending}\" }}"));
        let agent = self.halts.one_in(8) && !self.draft.timeless;
        let (every, own) = (self.halts.pick(&["100ms", "2s"]), self.halts.one_in(2));
        self.line_if(
            agent,
            format!("liveness = {{ interval = \"{every}\", timeout = \"50ms\" }}\nhealth_worker = {own}"),
        );
        // These have times of their own.
        let has_gradient = self.doors.one_in(8) && !has_limit && !self.draft.timeless;
        self.line_if(has_gradient, "limit = { gradient = { probe = \"1s\" } }");
    }

    /// How a step calls: with more tries, a circuit breaker, a second call. These have times of their own.
    fn care(&mut self) -> String {
        let mut care = String::new();
        if self.draft.timeless {
            return care;
        }
        let (attempts, pause) = (self.hands.whole(2, 3), self.hands.pick(&["0ms", "1ms", "50ms"]));
        let budget = self.hands.pick(&[
            "",
            ", budget = \"20%\"",
            ", budget = { kind = \"tokens\" }",
            ", budget = { kind = \"concurrency\", min = 1 }",
        ]);
        let rest = self.hands.pick(&[
            "",
            ", writes = true",
            ", on = [\"connect\", \"failed\"]",
            ", chance = \"50%\"",
        ]);
        if self.hands.one_in(3) {
            care += &format!(", retry = {{ attempts = {attempts}, backoff = \"{pause}\"{budget}{rest} }}");
        }
        let breaker = self.hands.pick(&[
            "window = 10, min_calls = 10, open = \"1s\", probes = 2",
            "kind = \"count\", failures = 2, open = \"200ms\", probes = 1",
        ]);
        if self.hands.one_in(5) {
            care += &format!(", breaker = {{ {breaker} }}");
        }
        let (after, hedges) = (self.hands.pick(&["0ms", "5ms", "p90"]), self.hands.whole(2, 5));
        let cancels = self.hands.one_in(2);
        if self.hands.one_in(4) {
            care += &format!(", hedge = {{ after = \"{after}\", attempts = {hedges}, cancel = {cancels} }}");
        }
        care
    }

    /// A step, and the least core time that it takes, in seconds.
    fn step(&mut self, below: &Below) -> (String, f64) {
        let mut least = 0.0;
        let queries = if self.mood == Mood::Failover { 3 } else { 1 };
        let mut step = match self.dice.below(4 + queries) {
            0 if !below.calls.is_empty() => {
                let to = self.dice.name(&below.calls);
                let how =
                    self.dice.pick(&["", "", ", times = 2", ", parallel = 3", ", times = 2, parallel = 2"]);
                format!("{{ call = \"{to}\"{how}{}", self.care())
            }
            1 => {
                let wait = self.dist(0.1, 50.0).0;
                let more = self.doors.whole(1, 1000);
                let more = self.quoted(more);
                let more =
                    if self.doors.one_in(3) { format!(", per_inside = {more}") } else { String::new() };
                format!("{{ wait = {wait}{more}")
            }
            4.. if !below.queries.is_empty() => {
                let to = self.dice.name(&below.queries);
                let how = self.dice.pick(&["", "", "", ", times = 3", ", parts = 5", ", joins = 2"]);
                let care = self.care();
                match self.beside.iter().find(|(cache, _)| *cache == to) {
                    Some((cache, database)) => {
                        format!("{{ cache = \"{cache}\", miss = {{ query = \"{database}\"{care} }}")
                    }
                    None if self.lonely.contains(&to) && !care.contains("hedge") && self.memos.one_in(2) => {
                        format!("{{ query = \"{to}\", swap = true{care}")
                    }
                    // An engine with tables joins nothing across shards.
                    None if self.divides && how == ", joins = 2" => format!("{{ query = \"{to}\"{care}"),
                    None => format!("{{ query = \"{to}\"{how}{care}"),
                }
            }
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
}
