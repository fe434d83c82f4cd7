//! Databases: single nodes of any engine, primaries with replicas and a failover, and nodes that all take writes.

use super::{Generator, Mood};

impl Generator {
    pub(super) fn database(&mut self, name: &str) {
        let shape = if self.mood == Mood::Failover { self.dice.below(3) } else { self.dice.below(6) };
        // The table of a failover comes last, because it has no other place for its keys.
        self.line(format!("[database.{name}]"));
        let members = match shape {
            _ if self.lonely.iter().any(|lonely| lonely == name) => self.single(name),
            0 | 1 => self.replicas(name),
            2 | 3 => self.nodes(name),
            _ => self.single(name),
        };
        self.drawn("database", name, members);
    }

    /// Writes what every shape has. `engine` is an engine with tables or a key-value engine.
    fn node(&mut self, alone: bool) {
        let connections = if self.mood == Mood::Tiny { 1 } else { self.dice.pick(&[1, 5, 20, 100]) };
        self.line(format!("connections = {connections}"));
        for key in ["read", "write", "commit"] {
            let (time, _) = self.dist(0.1, 10.0);
            self.line(format!("{key} = {time}"));
        }
        let lookup = self.time(0.01, 0.1);
        self.line(format!("lookup = {lookup}"));
        let (reads, writes) = (self.dice.between(5.0, 500.0).ceil(), self.dice.between(5.0, 500.0).ceil());
        for (key, rate) in [("read_limit", reads), ("write_limit", writes)] {
            let rate = self.rate(rate);
            let wanted = self.dice.one_in(8) && !self.draft.timeless;
            self.line_if(wanted, format!("{key} = {rate}"));
        }
        let flush = self.time(1.0, 2000.0);
        let wanted = alone && self.dice.one_in(3);
        self.line_if(wanted, format!("flush_every = {flush}"));
    }

    fn cores(&mut self) {
        let cores = self.dice.pick(&[1, 2, 8]);
        self.line(format!("cores = {cores}"));
        if self.dice.one_in(3) && !self.draft.timeless {
            let set = self.dice.pick(&[
                "working_set = \"40GiB\"\nbuffer = \"2GiB\"",
                "working_set = \"8GiB\"\nmemory = \"4GiB\"",
            ]);
            self.line(set);
            let (iops, latency) = (self.dice.pick(&[50, 3000]), self.time(0.1, 10.0));
            self.line_one_in(2, format!("disk = {{ iops = {iops}, latency = {latency} }}"));
        }
    }

    /// Divides the data among shards, or not. Returns the names of the shards; of data in one piece that of the database.
    fn divide(&mut self, name: &str) -> Vec<String> {
        if !self.divides {
            return vec![name.to_owned()];
        }
        // The servers are written by now.
        let scatter = self.shards.pick(&["", ", scatter = 2", ", scatter = \"all\", partial = true"]);
        let plain = format!("query = \"{name}\"");
        let pieces: Vec<String> = self.text.split(&plain).map(str::to_owned).collect();
        self.text = pieces[0].clone();
        for rest in &pieces[1..] {
            let step = rest.lines().next().unwrap_or_default();
            let may = !step.contains("hedge") && !step.contains("swap");
            self.text += &format!("{plain}{}{rest}", if may { scatter } else { "" });
        }
        let count = self.shards.pick(&[2, 3, 7]);
        let by = self.shards.pick(&["ring", "hash", "mod", "range"]);
        self.line(format!("shards = {{ count = {count}, by = \"{by}\" }}"));
        self.sharded.push(name.to_owned());
        (1..=count).map(|shard| format!("{name}.shard-{shard}")).collect()
    }

    fn single(&mut self, name: &str) -> Vec<String> {
        let mut members = vec![name.to_owned()];
        if !self.machines.is_empty() && self.dice.one_in(4) {
            let host = self.dice.name(&self.machines.clone());
            self.line(format!("on = \"{host}\""));
        } else {
            // A row that is written optimistically is one of data in one piece.
            if !self.lonely.iter().any(|lonely| lonely == name) {
                members = self.divide(name);
            }
            self.cores();
            self.place(1);
        }
        if self.dice.one_in(3) {
            let engine = self.dice.pick(&["relational", "document", "column", "graph"]);
            self.line(format!("engine = \"{engine}\""));
        }
        self.node(true);
        members
    }

    /// Writes nodes that all take writes. Returns their names.
    fn nodes(&mut self, name: &str) -> Vec<String> {
        let (topology, nodes) = (self.dice.pick(&["multi-primary", "ring"]), self.dice.whole(2, 4));
        self.line(format!("topology = \"{topology}\"\nnodes = {nodes}"));
        self.cores();
        self.node(false);
        let reads = self.dice.pick(&["replicas", "nearest"]);
        self.line_one_in(2, format!("reads = \"{reads}\""));
        self.place(nodes as usize);
        self.shipping();
        (1..=nodes).map(|node| format!("{name}.node-{node}")).collect()
    }

    fn shipping(&mut self) {
        let retry = self.time(1.0, 5000.0);
        self.line(format!("retry_down = {retry}"));
        let (delay, resend) = (self.time(1.0, 2000.0), self.time(2500.0, 9000.0));
        let every = self.time(1.0, 3000.0);
        let every = if self.dice.one_in(2) { format!("every = {every}, ") } else { String::new() };
        let delay = if self.dice.one_in(2) { format!("delay = {delay}, ") } else { String::new() };
        let reconnect = self.time(10.0, 5000.0);
        self.line(format!("ship = {{ {every}{delay}resend = {resend}, reconnect = {reconnect} }}"));
        let (workers, demand) = (self.dice.pick(&[1, 2, 8]), self.dist(0.1, 30.0).0);
        self.line_one_in(2, format!("apply = {{ workers = {workers}, demand = {demand} }}"));
    }

    /// Writes a primary with replicas. Returns the names of its members.
    fn replicas(&mut self, name: &str) -> Vec<String> {
        let count = self.dice.pick(&[1, 2, 2, 3, 5]);
        self.line(format!("replicas = {count}"));
        let shards = self.divide(name);
        self.cores();
        self.node(false);
        self.acknowledgements(count);
        self.place(count as usize + 1);
        self.shipping();
        let fails_over = self.mood == Mood::Failover || self.dice.one_in(2);
        if fails_over {
            self.failover(name, count);
        }
        let of_shard = |shard: &String| {
            let mut members = vec![format!("{shard}.primary")];
            members.extend((1..=count).map(|replica| format!("{shard}.replica-{replica}")));
            members.extend(fails_over.then(|| format!("{shard}.monitor")));
            members
        };
        shards.iter().flat_map(of_shard).collect()
    }

    fn acknowledgements(&mut self, replicas: u64) {
        let (replication, some) =
            (self.dice.pick(&["async", "semi-sync", "sync"]), self.dice.whole(1, replicas));
        self.line(format!("replication = \"{replication}\""));
        let limit = self.time(1.0, 10_000.0);
        match replication {
            "semi-sync" => {
                self.line(format!("semi_sync_timeout = {limit}"));
                self.line_one_in(2, format!("acks = {some}"));
            }
            "sync" => self.line_one_in(2, format!("quorum = {some}")),
            _ => {}
        }
        let sync = self.dice.pick(&["remote-write", "flush", "apply"]);
        let wanted = replication != "async" && self.dice.one_in(2);
        self.line_if(wanted, format!("sync = \"{sync}\""));
        let reads = self.dice.pick(&["primary", "replicas", "nearest"]);
        self.line(format!("reads = \"{reads}\""));
        if reads != "primary" && self.dice.one_in(2) {
            let cure = self.dice.pick(&["primary-for", "session", "wait-for-position"]);
            let time = self.time(1.0, 5000.0);
            self.line(format!("read_your_writes = \"{cure}\""));
            self.line_if(cure == "primary-for", format!("primary_for = {time}"));
        }
    }

    fn failover(&mut self, name: &str, replicas: u64) {
        if !self.draft.timeless && self.dice.one_in(4) {
            let preset =
                self.dice.pick(&["orchestrator", "patroni", "rds-multi-az", "rds-cluster", "aurora"]);
            self.line(format!("failover = {{ preset = \"{preset}\" }}"));
            return;
        }
        let interval = self.micros(20.0, 1200.0);
        let timeout = self.within(interval);
        let (lease, ttl) = (self.dice.one_in(3), self.quoted(3 * interval));
        let (misses, promote) = (self.dice.pick(&[1, 2, 3, 5]), self.dist(1.0, 3000.0).0);
        let interval = self.quoted(interval);
        let watch = if lease {
            format!("election = \"lease\", ttl = {ttl}, loop_wait = {interval}, timeout = {timeout}")
        } else {
            format!("interval = {interval}, timeout = {timeout}, misses = {misses}")
        };
        let mut keys = vec![watch, format!("promote = {promote}")];
        let named = format!("{name}.replica-{}", self.dice.whole(1, replicas));
        let mut pick = self.dice.pick(&["most-received", "most-applied", named.as_str()]);
        if self.sharded.iter().any(|sharded| sharded == name) && pick == named {
            pick = "most-applied";
        }
        keys.push(format!("pick = \"{pick}\""));
        let (reroute, delay) = (self.dice.pick(&["proxy", "dns", "vip"]), self.time(1.0, 10_000.0));
        keys.push(format!("reroute = \"{reroute}\", reroute_delay = {delay}"));
        let manual = self.time(100.0, 10_000.0);
        if self.dice.one_in(6) {
            keys.push(format!("manual = {manual}"));
        }
        let discover = self.time(10.0, 20_000.0);
        if self.dice.one_in(2) {
            keys.push(format!("fenced = false, discover = {discover}"));
        }
        let (rebuild, rate) = (self.time(10.0, 20_000.0), self.dice.between(1.0, 2000.0).ceil());
        keys.push(match self.dice.below(3) {
            0 => format!("recovery = \"rebuild\", rebuild = {rebuild}"),
            1 => format!("recovery = \"script\", replay_rate = {}", self.rate(rate)),
            _ => "recovery = \"discard\"".to_owned(),
        });
        self.line(format!("failover = {{ {} }}", keys.join(", ")));
    }
}
