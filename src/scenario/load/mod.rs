//! The operational laws applied to a scenario before any simulation: what calls take of every resource, at the mean and at
//! the highest load, and the bounds that follow.

mod bounds;
mod fall;
mod graph;
mod missing;
mod takes;

use super::places::Ways;
use super::{BoxEntry, Scenario};
use crate::model::resource::{Meter, Resource};
use crate::model::spec::RequestClass;

pub use bounds::ClientLoad;
use bounds::Traffic;
pub use fall::Fall;
use graph::CallGraph;
pub use missing::Missing;
use takes::{Take, takes};

/// The load that the clients of a scenario put on its boxes.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticLoad {
    /// Every box, in the scenario's order.
    pub boxes: Vec<BoxLoad>,
    /// Every resource of every box, in the scenario's order of the boxes that have them, and then the links with a bandwidth.
    pub resources: Vec<ResourceLoad>,
    /// Every client, in the scenario's order.
    pub clients: Vec<ClientLoad>,
    /// What resources that are full fill in turn.
    pub falls: Vec<Fall>,
    /// Where calls go: for each box, the indices of those that it calls.
    pub callees: Vec<Vec<usize>>,
}

/// The load on one box on average, all members together.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxLoad {
    /// The box's name.
    pub name: String,
    /// Calls a second. Closed clients count with the bound of their throughput.
    pub calls_per_s: f64,
    /// Core seconds at speed 1 that a call takes, averaged over the calls.
    pub cpu_s: f64,
    /// Seconds without a core that a call takes, averaged over the calls.
    pub wait_s: f64,
}

/// The load on one resource, all the members that have it together. Boxes that share a machine share its cores.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceLoad {
    /// The box that has it, or the two ends of a link.
    pub name: String,
    /// The members that have it: the name of the box if all do that can, else theirs.
    pub member: String,
    /// The path of the key in the scenario that says what each of them has.
    pub path: String,
    /// What it is.
    pub resource: Resource,
    /// Number of the members that have it and are up.
    pub left: u32,
    /// What is asked of it on average.
    pub mean: Work,
    /// What is asked of it when all clients are at their highest at the same time.
    pub peak: Work,
    /// Requests a second of each class that take some of it, on average.
    pub requests: Vec<f64>,
}

/// What is asked of a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// By open clients alone, in a second, in the unit of the resource's demand; of slots, what they hold at a time. It does
    /// not depend on response times. 0 where the demand is not known.
    pub open: f64,
    /// By all clients. Closed clients count with the bound of their throughput.
    pub all: f64,
    /// Calls a second of open clients that take some of it.
    pub open_calls: f64,
}

impl ResourceLoad {
    /// A resource of which nothing is asked.
    fn idle(name: String, member: String, path: String, resource: Resource) -> ResourceLoad {
        let (mean, peak, requests) = (Work::default(), Work::default(), Vec::new());
        let left = resource.holders();
        ResourceLoad { name, member, path, resource, left, mean, peak, requests }
    }

    /// What all members that are up can do together in a second, or hold at once.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        f64::from(self.left) * self.resource.capacity
    }

    /// The share of its capacity that some work uses; 0 where there is no work.
    #[must_use]
    pub fn used_by(&self, work: &Work) -> f64 {
        if work.all > 0.0 { work.all / self.capacity() } else { 0.0 }
    }

    /// What is asked of it on average, divided by its capacity (utilisation law, U = X D). Above 1 if it cannot do that.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        self.used_by(&self.mean)
    }

    /// The same when the load is highest.
    #[must_use]
    pub fn peak_utilisation(&self) -> f64 {
        self.used_by(&self.peak)
    }

    /// Calls a second of open clients that it cannot serve; 0 below saturation.
    #[must_use]
    pub fn excess_calls(&self, work: &Work) -> f64 {
        if work.open > 0.0 { (1.0 - self.capacity() / work.open).max(0.0) * work.open_calls } else { 0.0 }
    }
}

impl StaticLoad {
    /// The cores of every group of machines.
    pub fn machines(&self) -> impl Iterator<Item = &ResourceLoad> {
        self.resources.iter().filter(|one| one.resource.meter == Meter::Cores)
    }

    /// When the load is highest, as the end of a sentence; `None` if it is always the same.
    #[must_use]
    pub fn peak_when(&self) -> Option<String> {
        let mut peaks = self.clients.iter().filter_map(|client| client.peak.as_ref());
        let first = peaks.next()?;
        Some(if peaks.next().is_some() {
            "when all loads are at their highest".to_owned()
        } else {
            first.when.clone()
        })
    }

    /// The slots that calls hold while they are in the box that has a resource, whether they wait for it or not; `None`
    /// where their number has no limit.
    #[must_use]
    pub fn door(&self, row: &ResourceLoad) -> Option<&ResourceLoad> {
        let is_door = |one: &&ResourceLoad| one.name == row.name && one.resource.meter == Meter::Slots;
        let mut doors = self.resources.iter().filter(is_door);
        // Of a primary and replicas the one at the same members.
        doors.clone().find(|one| one.resource.of == row.resource.of).or_else(|| doors.next())
    }

    /// Number of calls for which the box of a resource has room, waiting for it and in work; infinite without a limit.
    #[must_use]
    pub fn places(&self, row: &ResourceLoad) -> f64 {
        let of = |row: &ResourceLoad| {
            let places = row.resource.full.places.map_or(f64::INFINITY, |places| places as f64);
            f64::from(row.left) * (places + row.resource.capacity)
        };
        match row.resource.meter {
            Meter::Cores | Meter::Disk => self.door(row).map_or(f64::INFINITY, of),
            _ => of(row),
        }
    }

    /// The resource with the highest utilisation, when the load is highest; `None` if nothing is asked of any.
    #[must_use]
    pub fn bottleneck(&self) -> Option<&ResourceLoad> {
        let busy = self.resources.iter().filter(|one| one.peak_utilisation() > 0.0);
        busy.reduce(|most, one| if one.peak_utilisation() > most.peak_utilisation() { one } else { most })
    }
}

impl Scenario {
    /// Its load.
    #[must_use]
    pub fn load(&self) -> StaticLoad {
        self.load_without(&Missing::default())
    }
}

/// The load of a scenario. Its names must have been checked, and its calls must have no cycle.
#[must_use]
pub fn static_load(
    boxes: &[BoxEntry],
    classes: &[RequestClass],
    ways: &Ways,
    missing: &Missing,
) -> StaticLoad {
    let graph = CallGraph::new(boxes, classes, missing);
    let mut resources = idle_resources(boxes, classes);
    for row in &mut resources {
        row.left -= missing.among(&row.name, &row.resource.of);
    }
    let takes = takes(&graph, &mut resources, ways);
    let clients = 0..boxes.len();
    let traffic: Vec<Traffic> =
        clients.filter_map(|at| Traffic::new(&graph, at, &takes, &resources)).collect();
    let mut boxes = idle_boxes(boxes);
    for client in &traffic {
        add_calls(&mut boxes, client, &graph);
        add_work(&mut resources, client, &takes);
    }
    for one in boxes.iter_mut().filter(|one| one.calls_per_s > 0.0) {
        // Until here these are sums over all calls of a second.
        one.cpu_s /= one.calls_per_s;
        one.wait_s /= one.calls_per_s;
    }
    let falls = fall::falls(&graph, &resources, &traffic);
    let callees = (0..boxes.len()).map(|at| graph.callees(at)).collect();
    let clients = traffic.into_iter().map(|one| one.client).collect();
    StaticLoad { boxes, resources, clients, falls, callees }
}

/// Adds the calls of a client to all boxes.
fn add_calls(boxes: &mut [BoxLoad], client: &Traffic, graph: &CallGraph<'_>) {
    let rate = client.rate(false);
    for (class, calls) in client.calls.iter().enumerate() {
        for (at, calls) in calls.all.iter().enumerate().filter(|(_, calls)| **calls > 0.0) {
            let calls = rate * client.shares[class] * calls;
            let demand = &graph.demands[at][class];
            boxes[at].calls_per_s += calls;
            boxes[at].cpu_s += calls * demand.cpu_s;
            boxes[at].wait_s += calls * demand.wait_s;
            for beyond in &graph.beyond[at][class] {
                boxes[beyond.to].cpu_s += calls * beyond.cost.cpu_s;
                boxes[beyond.to].wait_s += calls * beyond.cost.wait_s;
                let others = calls * beyond.queries * beyond.cost.others;
                let other = &graph.demands[beyond.to][class];
                boxes[beyond.to].calls_per_s += others;
                boxes[beyond.to].cpu_s += others * other.cpu_s;
                boxes[beyond.to].wait_s += others * other.wait_s;
                boxes[beyond.to].cpu_s += calls * beyond.cost.others * beyond.cost.cpu_s;
                boxes[beyond.to].wait_s += calls * beyond.cost.others * beyond.cost.wait_s;
            }
        }
    }
}

/// Adds what the requests of a client take to all resources.
fn add_work(rows: &mut [ResourceLoad], client: &Traffic, takes: &[Take]) {
    let rates = [client.rate(false), client.rate(true)];
    let mut takers = vec![vec![false; client.shares.len()]; rows.len()];
    for take in takes {
        let row = &mut rows[take.row];
        for (class, share) in client.shares.iter().enumerate() {
            let calls = client.calls[class].all[take.at] * share;
            if calls * take.all[class] == 0.0 {
                continue;
            }
            takers[take.row][class] = true;
            for (work, rate) in [&mut row.mean, &mut row.peak].into_iter().zip(rates) {
                work.all += rate * calls * take.all[class];
                if client.is_open() {
                    work.open += rate * calls * take.all[class];
                    work.open_calls += rate * calls * take.visits[class];
                }
            }
        }
    }
    for (row, takes) in rows.iter_mut().zip(takers) {
        row.requests.resize(takes.len(), 0.0);
        for (class, _) in takes.iter().enumerate().filter(|(_, takes)| **takes) {
            row.requests[class] += rates[0] * client.shares[class];
        }
    }
}

/// The box on whose machines this one runs.
fn owner(entry: &BoxEntry) -> &str {
    entry.spec.host().unwrap_or(&entry.name)
}

fn idle_boxes(boxes: &[BoxEntry]) -> Vec<BoxLoad> {
    let idle =
        |entry: &BoxEntry| BoxLoad { name: entry.name.clone(), calls_per_s: 0.0, cpu_s: 0.0, wait_s: 0.0 };
    boxes.iter().map(idle).collect()
}

fn idle_resources(boxes: &[BoxEntry], classes: &[RequestClass]) -> Vec<ResourceLoad> {
    let idle = |entry: &BoxEntry| {
        let (name, members) = (entry.name.clone(), holders(entry));
        let all: Vec<ResourceLoad> = entry
            .spec
            .resources(classes)
            .into_iter()
            .map(|resource| {
                let member = label(entry, &resource, members);
                let path = format!("{}.{name}.{}", entry.kind, resource.key);
                ResourceLoad::idle(name.clone(), member, path, resource)
            })
            .collect();
        all
    };
    boxes.iter().flat_map(idle).collect()
}

/// Number of members of a box that have any resource: not those that only lead to others.
fn holders(entry: &BoxEntry) -> u32 {
    entry.machines()
}

/// The members that have a resource, as a table names them.
fn label(entry: &BoxEntry, resource: &Resource, members: u32) -> String {
    let name = |number| entry.spec.member(&entry.name, number).name;
    match resource.holders() {
        holders if holders == members => entry.name.clone(),
        1 => name(resource.of.start),
        holders => {
            let (first, last) = (name(resource.of.start), name(resource.of.end - 1));
            let number = last.rsplit(['-', '.']).next().unwrap_or_default();
            let role = |name: &str| name.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
            if first[..role(&first)] != last[..role(&last)] || role(&last) == last.len() {
                return format!("{first}..{last}");
            }
            if holders == 2 { format!("{first}, {number}") } else { format!("{first}..{number}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::toys::{LADDER, toy};
    use super::*;

    fn near(left: f64, right: f64) {
        assert!((left - right).abs() <= 1e-9 * right.abs().max(1.0), "{left} is not {right}");
    }

    #[test]
    fn an_open_load_follows_the_forced_flow_and_utilisation_laws() {
        let scenario = toy(LADDER);
        let load = scenario.load();
        let calls: Vec<(&str, f64)> =
            load.boxes.iter().map(|one| (one.name.as_str(), one.calls_per_s)).collect();
        assert_eq!(calls, [("users", 100.0), ("db", 200.0), ("www", 100.0), ("web", 100.0)]);
        let cores: Vec<&ResourceLoad> = load.machines().collect();
        near(cores[0].utilisation(), 200.0 * 0.001);
        near(cores[1].utilisation(), 100.0 * 0.008 / 2.0);
        assert_eq!(load.bottleneck().unwrap().name, "web");
        near(load.clients[0].demand_s, 0.010);
        near(load.clients[0].demand_max_s, 0.004);
    }

    #[test]
    fn closed_users_are_bounded_by_thought_or_by_the_bottleneck() {
        for (users, bound) in [(10, 10.0 / 1.010), (10_000, 250.0)] {
            let rate = format!("users = {users}\nthink_time = \"1s\"");
            let scenario = toy(&LADDER.replace("rate = \"100/s\"", &rate));
            let load = scenario.load();
            near(load.clients[0].throughput_max, bound);
            assert!(load.machines().all(|machine| machine.mean.open == 0.0 && machine.utilisation() <= 1.0));
        }
    }

    #[test]
    fn boxes_on_one_machine_add_up() {
        let scenario = toy(&LADDER.replace("read = \"1ms\"", "read = \"1ms\"\non = \"web\""));
        let load = scenario.load();
        let cores: Vec<&ResourceLoad> = load.machines().collect();
        assert_eq!(cores.len(), 1);
        near(cores[0].utilisation(), (100.0 * 0.008 + 200.0 * 0.001) / 2.0);
    }

    #[test]
    fn a_saturated_box_grows_by_what_it_cannot_serve() {
        let load = toy(&LADDER.replace("100/s", "400/s")).load();
        let web = load.machines().find(|machine| machine.name == "web").unwrap();
        near(web.utilisation(), 1.6);
        near(web.excess_calls(&web.mean), 150.0);
    }
}
