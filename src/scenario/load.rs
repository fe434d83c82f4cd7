//! The operational laws applied to a scenario before any simulation: calls, demands, utilisations and bounds.

use std::collections::BTreeMap;
use std::ops::Range;

use super::BoxEntry;
use crate::model::class::shares;
use crate::model::resource::{Meter, POOL, Resource};
use crate::model::spec::{Demand, Offered, Pooled, RequestClass, Surplus};

/// The load that the clients of a scenario put on its boxes, on average.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticLoad {
    /// Every box, in the scenario's order.
    pub boxes: Vec<BoxLoad>,
    /// Every resource of every box, in the scenario's order of the boxes that have them.
    pub resources: Vec<ResourceLoad>,
    /// Every client, in the scenario's order.
    pub clients: Vec<ClientLoad>,
    /// The answers that open clients lead to, between boxes.
    pub flows: Vec<Flow>,
}

/// The answers from one box to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The box that answers.
    pub from: String,
    /// The box that has asked.
    pub to: String,
    /// Bytes a second.
    pub bytes_per_s: f64,
}

/// The load on one box, all members together.
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

/// The load on one resource of a box, all members together. Boxes that share a machine share its cores.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceLoad {
    /// The box that has it.
    pub name: String,
    /// What it is.
    pub resource: Resource,
    /// Work that arrives in a second from open clients alone, in the unit of the resource's demand. It does not depend on
    /// response times. 0 where the demand is not known.
    pub open_work: f64,
    /// Work that arrives in a second from all clients. Closed clients count with the bound of their throughput.
    pub work: f64,
    /// `work / capacity` (utilisation law, U = X D). Above 1 if the machines cannot do the work.
    pub utilisation: f64,
}

impl ResourceLoad {
    /// What all members together can do in a second, or hold at once.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        f64::from(self.resource.holders()) * self.resource.capacity
    }
}

/// The best performance that one client could get if there were no other client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientLoad {
    /// The client's name.
    pub name: String,
    /// The load that it offers.
    pub offered: Offered,
    /// Seconds that one request takes in an otherwise idle system, with its steps one after the other, without the
    /// network (D).
    pub demand_s: f64,
    /// Seconds that one request keeps the most loaded group of machines busy, divided by the group's capacity
    /// (D_max).
    pub demand_max_s: f64,
    /// The most requests a second that it can complete: min(rate, 1/D_max) if open, min(N/(Z+D), 1/D_max) if closed
    /// (asymptotic bounds; Denning and Buzen 1978). Infinite if nothing takes time.
    pub throughput_max: f64,
}

impl StaticLoad {
    /// The cores of every group of machines.
    pub fn machines(&self) -> impl Iterator<Item = &ResourceLoad> {
        self.resources.iter().filter(|one| one.resource.meter == Meter::Cores)
    }

    /// The pools of connections whose demand is known.
    pub fn pools(&self) -> impl Iterator<Item = &ResourceLoad> {
        self.resources.iter().filter(|one| one.resource.name == POOL && one.work > 0.0)
    }

    /// The machines, or the pools of connections, with the highest utilisation; `None` if nothing has any work.
    pub fn bottleneck(&self) -> Option<&ResourceLoad> {
        let busy = self.machines().chain(self.pools()).filter(|one| one.utilisation > 0.0);
        busy.reduce(|most, machine| if machine.utilisation > most.utilisation { machine } else { most })
    }

    /// Growth of the queues on these machines, in calls a second: calls beyond what the machines can serve. 0 below
    /// saturation.
    pub fn growth_per_s(&self, machine: &ResourceLoad, boxes: &[BoxEntry]) -> f64 {
        let excess = (1.0 - machine.capacity() / machine.open_work).max(0.0);
        let guests = boxes.iter().zip(&self.boxes).filter(|(entry, _)| owner(entry) == machine.name);
        let calls: f64 = guests.filter(|(_, load)| load.cpu_s > 0.0).map(|(_, load)| load.calls_per_s).sum();
        if machine.open_work > 0.0 { excess * calls } else { 0.0 }
    }
}

/// The load of a scenario. Its names must have been checked, and its calls must have no cycle.
pub fn static_load(boxes: &[BoxEntry], classes: &[RequestClass]) -> StaticLoad {
    let graph = CallGraph::new(boxes, classes);
    let mut load = StaticLoad {
        boxes: idle_boxes(boxes),
        resources: idle_resources(boxes, classes),
        clients: Vec::new(),
        flows: Vec::new(),
    };
    fill_pools(&mut load.resources, boxes, &graph);
    let places = places(boxes, &load.resources);
    for (at, entry) in boxes.iter().enumerate() {
        let Some(offered) = entry.spec.offered() else { continue };
        let visits = graph.visits(at, &entry.name);
        let client = client_load(entry, offered, &visits, boxes, &load);
        add(&mut load, &client, &visits, &places);
        if let Offered::Open(rate) = offered {
            graph.add_flows(&mut load.flows, boxes, &visits, rate);
        }
        load.clients.push(client);
    }
    for one in &mut load.resources {
        one.utilisation = one.work / one.capacity();
    }
    for one in load.boxes.iter_mut().filter(|one| one.calls_per_s > 0.0) {
        // Until here these are sums over all calls of a second.
        one.cpu_s /= one.calls_per_s;
        one.wait_s /= one.calls_per_s;
    }
    load
}

/// Calls and work of one request of a client at one box, averaged over the classes.
#[derive(Clone, Debug, Default)]
struct Visit {
    calls: f64,
    /// The same calls, by class.
    by_class: Vec<f64>,
    cpu_s: f64,
    wait_s: f64,
}

impl Visit {
    /// What it takes of a resource of the box, without what others on the same machine take.
    fn demand(&self, resource: &Resource) -> f64 {
        match resource.meter {
            // What a query asks for beyond its own entity is in the work, but not in the demand of a call.
            Meter::Cores => self.cpu_s,
            _ => self.by_class.iter().zip(&resource.demand).map(|(calls, demand)| calls * demand).sum(),
        }
    }
}

/// Each box's demand for each class, and the boxes in an order with callers before callees.
struct CallGraph<'a> {
    classes: &'a [RequestClass],
    demands: Vec<Vec<Demand>>,
    /// For each box and class: the cost of its queries at other boxes beyond one call each, by the index of the other
    /// box.
    surplus: Vec<Vec<Vec<(usize, Surplus)>>>,
    index: BTreeMap<&'a str, usize>,
    order: Vec<usize>,
}

impl<'a> CallGraph<'a> {
    fn new(boxes: &'a [BoxEntry], classes: &'a [RequestClass]) -> CallGraph<'a> {
        let index: BTreeMap<&str, usize> =
            boxes.iter().enumerate().map(|(at, entry)| (entry.name.as_str(), at)).collect();
        let members = |name: &str| index.get(name).map_or(0, |&at| boxes[at].spec.members());
        let demand = |entry: &BoxEntry| {
            let by_class = classes.iter().map(|class| shared_out(entry.spec.demand(class), members));
            by_class.collect()
        };
        let mut demands: Vec<Vec<Demand>> = boxes.iter().map(demand).collect();
        let surplus = demands.iter_mut().map(|by_class| surplus(by_class, classes, boxes, &index)).collect();
        let mut graph = CallGraph { classes, demands, surplus, index, order: Vec::new() };
        let mut seen = vec![false; boxes.len()];
        for at in 0..boxes.len() {
            graph.visit_after_callees(at, &mut seen);
        }
        graph.order.reverse();
        graph
    }

    fn visit_after_callees(&mut self, at: usize, seen: &mut [bool]) {
        if std::mem::replace(&mut seen[at], true) {
            return;
        }
        let names = self.demands[at].iter().flat_map(|demand| &demand.calls).map(|(to, _)| to.as_str());
        let callees: Vec<usize> = names.filter_map(|to| self.index.get(to).copied()).collect();
        for callee in callees {
            self.visit_after_callees(callee, seen);
        }
        self.order.push(at);
    }

    /// Calls and work of one request of the client at each box.
    fn visits(&self, client: usize, name: &str) -> Vec<Visit> {
        let mut total = vec![Visit::default(); self.demands.len()];
        for (class, share) in shares(self.classes, name).into_iter().enumerate() {
            let calls = self.calls(client, class);
            for (at, calls) in calls.into_iter().enumerate() {
                let calls = calls * share;
                let demand = &self.demands[at][class];
                total[at].calls += calls;
                total[at].by_class.push(calls);
                total[at].cpu_s += calls * demand.cpu_s;
                total[at].wait_s += calls * demand.wait_s;
                for &(to, surplus) in &self.surplus[at][class] {
                    total[to].cpu_s += calls * surplus.cpu_s;
                    total[to].wait_s += calls * surplus.wait_s;
                }
            }
        }
        total
    }

    /// Adds the answers that `rate` requests a second lead to.
    fn add_flows(&self, flows: &mut Vec<Flow>, boxes: &[BoxEntry], visits: &[Visit], rate: f64) {
        for (at, visit) in visits.iter().enumerate() {
            for (class, calls) in visit.by_class.iter().enumerate().filter(|(_, calls)| **calls > 0.0) {
                let bytes = self.classes[class].response_bytes as f64;
                for (name, times) in self.demands[at][class].calls.iter().filter(|_| bytes > 0.0) {
                    let bytes_per_s = rate * calls * times * bytes;
                    flows.push(Flow { from: name.clone(), to: boxes[at].name.clone(), bytes_per_s });
                }
            }
        }
    }

    /// Calls to each box that one request of a class leads to (forced flow law).
    fn calls(&self, client: usize, class: usize) -> Vec<f64> {
        let mut calls = vec![0.0; self.demands.len()];
        calls[client] = 1.0;
        for &at in &self.order {
            let here = calls[at];
            for (to, times) in self.demands[at][class].calls.iter().filter(|_| here > 0.0) {
                if let Some(&to) = self.index.get(to.as_str()) {
                    calls[to] += here * times;
                }
            }
        }
        calls
    }
}

/// The cost of a box's queries, by class, at other boxes beyond one call each: index of the other box, and cost. The
/// calls that the queries lead to are added to `demands`.
fn surplus(
    demands: &mut [Demand],
    classes: &[RequestClass],
    boxes: &[BoxEntry],
    index: &BTreeMap<&str, usize>,
) -> Vec<Vec<(usize, Surplus)>> {
    let of = |(demand, class): (&mut Demand, &RequestClass)| {
        let mut all = Vec::new();
        for (to, times, asks) in std::mem::take(&mut demand.queries) {
            let Some(&at) = index.get(to.as_str()) else { continue };
            let Surplus { cpu_s, wait_s, calls } = boxes[at].spec.surplus(class, asks);
            demand.calls.push((to, times * calls));
            all.push((at, Surplus { cpu_s: times * cpu_s, wait_s: times * wait_s, calls }));
        }
        all
    };
    demands.iter_mut().zip(classes).map(of).collect()
}

/// Turns calls that are spread over several boxes into calls to each box, in proportion to weight times number of
/// machines.
fn shared_out(mut demand: Demand, members: impl Fn(&str) -> u32) -> Demand {
    let spread = std::mem::take(&mut demand.spread);
    let weights: Vec<f64> = spread.iter().map(|(name, weight)| weight * f64::from(members(name))).collect();
    let total: f64 = weights.iter().sum();
    if total > 0.0 {
        let shares = weights.iter().map(|weight| weight / total);
        demand.calls.extend(spread.into_iter().map(|(name, _)| name).zip(shares));
    }
    demand
}

fn client_load(
    entry: &BoxEntry,
    offered: Offered,
    visits: &[Visit],
    boxes: &[BoxEntry],
    load: &StaticLoad,
) -> ClientLoad {
    let seconds = |(visit, entry): (&Visit, &BoxEntry)| visit.wait_s + visit.cpu_s / speed(entry, boxes);
    let demand_s: f64 = visits.iter().zip(boxes).map(seconds).sum();
    let share = |machine: &ResourceLoad| {
        let guests = visits.iter().zip(boxes).filter(|(_, entry)| owner(entry) == machine.name);
        guests.map(|(visit, _)| visit.cpu_s).sum::<f64>() / machine.capacity()
    };
    let held = |(visit, entry): (&Visit, &BoxEntry)| {
        let pool = load.resources.iter().find(|one| one.resource.name == POOL && one.name == entry.name);
        pool.map_or(0.0, |pool| visit.demand(&pool.resource) / pool.capacity())
    };
    let held = visits.iter().zip(boxes).map(held);
    let demand_max_s = load.machines().map(share).chain(held).fold(0.0, f64::max);
    let asked = match offered {
        Offered::Open(rate) => rate,
        Offered::Closed(users, think_s) => users / (think_s + demand_s),
    };
    let throughput_max = asked.min(1.0 / demand_max_s);
    ClientLoad { name: entry.name.clone(), offered, demand_s, demand_max_s, throughput_max }
}

/// What a call takes of the pools of connections: the time for which it holds one, without waits and without the network.
fn fill_pools(resources: &mut [ResourceLoad], boxes: &[BoxEntry], graph: &CallGraph<'_>) {
    for one in resources.iter_mut().filter(|one| one.resource.name == POOL) {
        let Some(entry) = boxes.iter().find(|entry| entry.name == one.name) else { continue };
        let held = |pool: &Pooled| -> Vec<f64> {
            let Some(&to) = graph.index.get(pool.to.as_str()) else { return Vec::new() };
            let answer_s = |demand: &Demand| demand.cpu_s / speed(&boxes[to], boxes) + demand.wait_s;
            let answers = graph.demands[to].iter().map(answer_s);
            answers.zip(&pool.holds).map(|(answer_s, (answers, own_s))| answers * answer_s + own_s).collect()
        };
        let held = entry.spec.pools(graph.classes).iter().map(held).collect::<Vec<_>>();
        let most = held.into_iter().max_by(|a, b| a.iter().sum::<f64>().total_cmp(&b.iter().sum()));
        one.resource.demand = most.unwrap_or_default();
    }
}

fn add(load: &mut StaticLoad, client: &ClientLoad, visits: &[Visit], places: &[Place]) {
    let (rate, is_open) = match client.offered {
        Offered::Open(rate) => (rate, true),
        Offered::Closed(..) => (client.throughput_max, false),
    };
    // The rate of closed users who neither think nor wait is unbounded. Count it as no load.
    let rate = if rate.is_finite() { rate } else { 0.0 };
    for (one, visit) in load.boxes.iter_mut().zip(visits) {
        one.calls_per_s += rate * visit.calls;
        one.cpu_s += rate * visit.cpu_s;
        one.wait_s += rate * visit.wait_s;
    }
    for (visit, place) in visits.iter().zip(places) {
        let is_shared = |one: &&mut ResourceLoad| one.resource.meter == Meter::Cores;
        let mut add = |used: &mut ResourceLoad| {
            let work = rate * visit.demand(&used.resource);
            used.work += work;
            used.open_work += if is_open { work } else { 0.0 };
        };
        load.resources[place.own.clone()].iter_mut().filter(|one| !is_shared(one)).for_each(&mut add);
        load.resources[place.machine.clone()].iter_mut().filter(is_shared).for_each(&mut add);
    }
}

/// Where the resources of a box stand among all.
struct Place {
    own: Range<usize>,
    /// Those of the box on whose machine it runs, which may be itself.
    machine: Range<usize>,
}

fn places(boxes: &[BoxEntry], resources: &[ResourceLoad]) -> Vec<Place> {
    let mut rows: BTreeMap<&str, Range<usize>> = BTreeMap::new();
    for (at, one) in resources.iter().enumerate() {
        rows.entry(&one.name).or_insert(at..at).end = at + 1;
    }
    let of = |name: &str| rows.get(name).cloned().unwrap_or_default();
    boxes.iter().map(|entry| Place { own: of(&entry.name), machine: of(owner(entry)) }).collect()
}

/// The box on whose machines this one runs.
fn owner(entry: &BoxEntry) -> &str {
    entry.spec.host().unwrap_or(&entry.name)
}

fn speed(entry: &BoxEntry, boxes: &[BoxEntry]) -> f64 {
    let host = boxes.iter().find(|other| other.name == owner(entry));
    host.and_then(|host| host.spec.machine()).map_or(1.0, |machine| machine.speed)
}

fn idle_boxes(boxes: &[BoxEntry]) -> Vec<BoxLoad> {
    let idle =
        |entry: &BoxEntry| BoxLoad { name: entry.name.clone(), calls_per_s: 0.0, cpu_s: 0.0, wait_s: 0.0 };
    boxes.iter().map(idle).collect()
}

fn idle_resources(boxes: &[BoxEntry], classes: &[RequestClass]) -> Vec<ResourceLoad> {
    let idle = |entry: &BoxEntry| {
        let name = entry.name.clone();
        let load = move |resource: Resource| ResourceLoad {
            name: name.clone(),
            resource,
            open_work: 0.0,
            work: 0.0,
            utilisation: 0.0,
        };
        entry.spec.resources(classes).into_iter().map(load)
    };
    boxes.iter().flat_map(idle).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::super::toys::{LADDER, toy};
    use super::*;

    fn near(left: f64, right: f64) {
        assert!((left - right).abs() <= 1e-9 * right.abs().max(1.0), "{left} is not {right}");
    }

    #[test]
    fn an_open_load_follows_the_forced_flow_and_utilisation_laws() {
        let scenario = toy(LADDER);
        let load = static_load(&scenario.boxes, &scenario.classes);
        let calls: Vec<(&str, f64)> =
            load.boxes.iter().map(|one| (one.name.as_str(), one.calls_per_s)).collect();
        assert_eq!(calls, [("users", 100.0), ("db", 200.0), ("www", 100.0), ("web", 100.0)]);
        let cores: Vec<&ResourceLoad> = load.machines().collect();
        near(cores[0].utilisation, 200.0 * 0.001);
        near(cores[1].utilisation, 100.0 * 0.008 / 2.0);
        assert_eq!(load.bottleneck().unwrap().name, "web");
        near(load.clients[0].demand_s, 0.010);
        near(load.clients[0].demand_max_s, 0.004);
    }

    #[test]
    fn closed_users_are_bounded_by_thought_or_by_the_bottleneck() {
        for (users, bound) in [(10, 10.0 / 1.010), (10_000, 250.0)] {
            let rate = format!("users = {users}\nthink_time = \"1s\"");
            let scenario = toy(&LADDER.replace("rate = \"100/s\"", &rate));
            let load = static_load(&scenario.boxes, &scenario.classes);
            near(load.clients[0].throughput_max, bound);
            assert!(load.machines().all(|machine| machine.open_work == 0.0 && machine.utilisation <= 1.0));
        }
    }

    #[test]
    fn boxes_on_one_machine_add_up() {
        let scenario = toy(&LADDER.replace("read = \"1ms\"", "read = \"1ms\"\non = \"web\""));
        let load = static_load(&scenario.boxes, &scenario.classes);
        let cores: Vec<&ResourceLoad> = load.machines().collect();
        assert_eq!(cores.len(), 1);
        near(cores[0].utilisation, (100.0 * 0.008 + 200.0 * 0.001) / 2.0);
    }

    #[test]
    fn a_saturated_box_grows_by_what_it_cannot_serve() {
        let Scenario { boxes, classes, .. } = toy(&LADDER.replace("100/s", "400/s"));
        let load = static_load(&boxes, &classes);
        let web = load.machines().find(|machine| machine.name == "web").unwrap();
        near(web.utilisation, 1.6);
        near(load.growth_per_s(web, &boxes), 150.0);
    }
}
