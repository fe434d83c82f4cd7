//! Balancers and names.

use super::Generator;

/// The policies of a balancer.
pub(crate) const POLICIES: [&str; 9] = [
    "round-robin",
    "weighted",
    "random",
    "least-connections",
    "two-choices",
    "ewma",
    "hash",
    "ip-hash",
    "sticky",
];

impl Generator {
    /// Writes a balancer in front of some boxes.
    pub(super) fn balancer(&mut self, name: &str, targets: &[String], public: bool) {
        let quoted: Vec<String> = targets.iter().map(|name| format!("\"{name}\"")).collect();
        let policy = self.dice.pick(&POLICIES);
        self.line(format!("[balancer.{name}]\ntargets = [{}]\npolicy = \"{policy}\"", quoted.join(", ")));
        self.line_if(public, "public = true");
        let preset = self.dice.pick(&["nginx", "haproxy-3", "aws-alb", "envoy"]);
        let wanted = self.dice.one_in(4) && !self.draft.timeless;
        self.line_if(wanted, format!("preset = \"{preset}\""));
        let decay = self.time(100.0, 10_000.0);
        self.line_if(policy == "ewma", format!("decay = {decay}"));
        let bound = policy == "hash" && self.dice.one_in(2);
        self.line_if(bound, "bounded_load = 1.25\nvirtual_nodes = 20");
        let demand = self.dist(0.01, 2.0).0;
        self.line_one_in(3, format!("demand = {demand}"));
        let judged = self.judges();
        let weighted = !["round-robin", "hash", "ip-hash"].contains(&policy);
        let start = self.time(10.0, 5000.0);
        let wanted = judged && weighted && self.dice.one_in(3);
        self.line_if(wanted, format!("slow_start = {start}"));
        self.limits(policy == "sticky");
        self.keeps();
        let standby = self.dice.one_in(3) && !self.draft.timeless;
        self.line_if(standby, "standby = true");
        self.place(1);
        self.drawn("balancer", name, vec![name.to_owned()]);
    }

    /// Writes checks and ejections. Returns whether there are any.
    fn judges(&mut self) -> bool {
        let checked = self.dice.one_in(2);
        if checked {
            let interval = self.micros(10.0, 2000.0);
            let timeout = self.within(interval);
            let (fall, rise) = (self.dice.whole(1, 4), self.dice.whole(1, 4));
            let kind = self.dice.pick(&["connect", "page"]);
            let interval = self.quoted(interval);
            self.line(format!(
                "health = {{ interval = {interval}, timeout = {timeout}, kind = \"{kind}\", fall = {fall}, rise = {rise} }}"
            ));
        }
        let ejects = self.dice.one_in(3) && !self.draft.timeless;
        if ejects {
            let (failures, base) = (self.dice.whole(1, 5), self.time(50.0, 5000.0));
            let (max, share) = (self.dice.pick(&["6s", "30s"]), self.dice.pick(&[10, 50, 100]));
            let counts = self.dice.pick(&["errors", "connections"]);
            let sweep = if self.dice.one_in(2) { "\"0s\"".to_owned() } else { self.time(50.0, 3000.0) };
            let within = if self.dice.one_in(2) { "\"0s\"".to_owned() } else { self.time(50.0, 3000.0) };
            let (one, probe) = (self.dice.one_in(2), self.dice.one_in(2));
            self.line(format!(
                "ejection = {{ failures = {failures}, base = {base}, max = \"{max}\", max_share = \"{share}%\", counts = \"{counts}\",\
                 sweep = {sweep}, within = {within}, always_one = {one}, probe = {probe} }}"
            ));
        }
        let panic = self.dice.pick(&["0%", "50%", "90%"]);
        let wanted = (checked || ejects) && self.dice.one_in(3);
        self.line_if(wanted, format!("panic = \"{panic}\""));
        checked || ejects
    }

    fn limits(&mut self, is_sticky: bool) {
        let (retries, timeout) = (self.dice.whole(1, 4), self.time(1.0, 2000.0));
        let limited = self.dice.one_in(2);
        self.line_if(limited, format!("timeout = {timeout}"));
        let connect = self.time(1.0, 200.0);
        self.line_one_in(4, format!("connect_timeout = {connect}"));
        if self.dice.one_in(3) {
            let on = self.dice.pick(&["\"connect\"", "\"connect\", \"reset\"", "\"reset\""]);
            let late = if limited && self.dice.one_in(2) { ", \"timeout\"" } else { "" };
            let (at, pause) = (self.dice.pick(&["others", "same"]), self.time(1.0, 1000.0));
            self.line(format!("retries = {retries}\nretries_on = [{on}{late}]\nretries_at = \"{at}\""));
            self.line_one_in(2, format!("retries_pause = {pause}"));
        }
        let (connections, queue, wait) =
            (self.dice.pick(&[1, 10, 50]), self.dice.whole(1, 20), self.time(5.0, 3000.0));
        self.line_one_in(
            4,
            format!("connections = {connections}\nqueue = {{ limit = {queue}, timeout = {wait} }}"),
        );
        let (expire, gone) = (self.time(100.0, 8000.0), self.dice.pick(&["move", "fail"]));
        let sticks = self.dice.one_in(4);
        self.line_if(sticks, format!("sticky = {{ expire = {expire}, gone = \"{gone}\" }}"));
        self.upstream(is_sticky || sticks);
        let drain = self.time(10.0, 5000.0);
        self.line_one_in(4, format!("drain = {drain}"));
    }

    /// Writes a name for some of the entrances.
    pub(super) fn name(&mut self, name: &str, entrances: &[String]) {
        let first = self.dice.below(entrances.len() as u64) as usize;
        let records = &entrances[first..];
        let located = !self.regions.is_empty();
        let policies = ["round-robin", "weighted", "failover", "latency", "geo"];
        let policy = self.dice.pick(&policies[..if located { 5 } else { 3 }]);
        let listed: Vec<String> = records
            .iter()
            .map(|record| match policy {
                "weighted" => format!("{{ to = \"{record}\", weight = {} }}", self.dice.whole(1, 5)),
                _ => format!("\"{record}\""),
            })
            .collect();
        let micros = self.dice.pick(&[0, 100_000, 3_000_000, 60_000_000]);
        let ttl = self.quoted(micros);
        self.line(format!("[dns.{name}]\nrecords = [{}]\nttl = {ttl}", listed.join(", ")));
        self.line(format!("policy = \"{policy}\""));
        if policy == "geo" {
            let (region, record) = (self.dice.pick(&self.regions.clone()), self.dice.name(records));
            self.line(format!("geo = {{ \"{region}\" = \"{record}\" }}"));
        }
        if policy == "failover" || self.dice.one_in(3) {
            let (interval, timeout) = (self.time(100.0, 5000.0), self.time(10.0, 3000.0));
            let misses = self.dice.whole(1, 4);
            self.line(format!(
                "health = {{ interval = {interval}, timeout = {timeout}, misses = {misses} }}"
            ));
        }
        self.drawn("dns", name, vec![name.to_owned()]);
    }
}
