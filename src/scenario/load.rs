//! The operational laws applied to a scenario before any simulation: calls, demands, utilisations and bounds.

use std::collections::BTreeMap;

use super::BoxEntry;
use crate::model::spec::{Demand, MachineSpec, Offered, RequestClass, Surplus};

/// The load that the clients of a scenario put on its boxes, on average.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticLoad {
    /// Every box, in the scenario's order.
    pub boxes: Vec<BoxLoad>,
    /// Every group of machines, in the order of the boxes that own them.
    pub machines: Vec<MachineLoad>,
    /// Every client, in the scenario's order.
    pub clients: Vec<ClientLoad>,
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
    /// Core seconds at speed 1 that each of its replicas needs to apply the log of a second. Closed clients count
    /// with the bound of their throughput.
    pub apply_work: f64,
    /// `apply_work` of open clients alone, whose load does not depend on response times.
    pub open_apply_work: f64,
}

/// The load on one group of machines, by all boxes that share it.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineLoad {
    /// The box that owns the machines.
    pub name: String,
    /// Number of machines.
    pub members: u32,
    /// Cores of each.
    pub cores: u32,
    /// The most work that all of them together can do in a second, in core seconds at speed 1.
    pub capacity: f64,
    /// Work that arrives in a second from open clients alone, in the same unit. It does not depend on response times.
    pub open_work: f64,
    /// Work that arrives in a second from all clients. Closed clients count with the bound of their throughput.
    pub work: f64,
    /// `work / capacity` (utilisation law, U = X D). Above 1 if the machines cannot do the work.
    pub utilisation: f64,
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
    /// The machines with the highest utilisation; `None` if no machine has any work.
    pub fn bottleneck(&self) -> Option<&MachineLoad> {
        let busy = self.machines.iter().filter(|machine| machine.utilisation > 0.0);
        busy.reduce(|most, machine| if machine.utilisation > most.utilisation { machine } else { most })
    }

    /// Growth of the queues on these machines, in calls a second: calls beyond what the machines can serve. 0 below
    /// saturation.
    pub fn growth_per_s(&self, machine: &MachineLoad, boxes: &[BoxEntry]) -> f64 {
        let excess = (1.0 - machine.capacity / machine.open_work).max(0.0);
        let guests = boxes.iter().zip(&self.boxes).filter(|(entry, _)| owner(entry) == machine.name);
        let calls: f64 = guests.filter(|(_, load)| load.cpu_s > 0.0).map(|(_, load)| load.calls_per_s).sum();
        if machine.open_work > 0.0 { excess * calls } else { 0.0 }
    }
}

/// The load of a scenario. Its names must have been checked, and its calls must have no cycle.
pub fn static_load(boxes: &[BoxEntry], classes: &[RequestClass]) -> StaticLoad {
    let graph = CallGraph::new(boxes, classes);
    let mut load =
        StaticLoad { boxes: idle_boxes(boxes), machines: idle_machines(boxes), clients: Vec::new() };
    for (at, entry) in boxes.iter().enumerate() {
        let Some(offered) = entry.spec.offered() else { continue };
        let visits = graph.visits(at);
        let client = client_load(entry, offered, &visits, boxes, &load.machines);
        add(&mut load, &client, &visits, boxes);
        load.clients.push(client);
    }
    for machine in &mut load.machines {
        machine.utilisation = machine.work / machine.capacity;
    }
    for one in load.boxes.iter_mut().filter(|one| one.calls_per_s > 0.0) {
        // Until here these are sums over all calls of a second.
        one.cpu_s /= one.calls_per_s;
        one.wait_s /= one.calls_per_s;
    }
    load
}

/// Calls and work of one request of a client at one box, averaged over the classes.
#[derive(Clone, Copy, Debug, Default)]
struct Visit {
    calls: f64,
    cpu_s: f64,
    wait_s: f64,
    apply_s: f64,
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
    fn visits(&self, client: usize) -> Vec<Visit> {
        let mut total = vec![Visit::default(); self.demands.len()];
        for (class, spec) in self.classes.iter().enumerate() {
            let calls = self.calls(client, class);
            for (at, calls) in calls.into_iter().enumerate() {
                let calls = calls * spec.share;
                let demand = &self.demands[at][class];
                total[at].calls += calls;
                total[at].cpu_s += calls * demand.cpu_s;
                total[at].wait_s += calls * demand.wait_s;
                total[at].apply_s += calls * demand.apply_s;
                for &(to, surplus) in &self.surplus[at][class] {
                    total[to].cpu_s += calls * surplus.cpu_s;
                    total[to].wait_s += calls * surplus.wait_s;
                }
            }
        }
        total
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
    machines: &[MachineLoad],
) -> ClientLoad {
    let seconds = |(visit, entry): (&Visit, &BoxEntry)| visit.wait_s + visit.cpu_s / speed(entry, boxes);
    let demand_s: f64 = visits.iter().zip(boxes).map(seconds).sum();
    let share = |machine: &MachineLoad| {
        let guests = visits.iter().zip(boxes).filter(|(_, entry)| owner(entry) == machine.name);
        guests.map(|(visit, _)| visit.cpu_s).sum::<f64>() / machine.capacity
    };
    let demand_max_s = machines.iter().map(share).fold(0.0, f64::max);
    let asked = match offered {
        Offered::Open(rate) => rate,
        Offered::Closed(users, think_s) => users / (think_s + demand_s),
    };
    let throughput_max = asked.min(1.0 / demand_max_s);
    ClientLoad { name: entry.name.clone(), offered, demand_s, demand_max_s, throughput_max }
}

fn add(load: &mut StaticLoad, client: &ClientLoad, visits: &[Visit], boxes: &[BoxEntry]) {
    let (rate, is_open) = match client.offered {
        Offered::Open(rate) => (rate, true),
        Offered::Closed(..) => (client.throughput_max, false),
    };
    // The rate of closed users who neither think nor wait is unbounded. Count it as no load.
    let rate = if rate.is_finite() { rate } else { 0.0 };
    for ((one, visit), entry) in load.boxes.iter_mut().zip(visits).zip(boxes) {
        one.calls_per_s += rate * visit.calls;
        one.cpu_s += rate * visit.cpu_s;
        one.wait_s += rate * visit.wait_s;
        one.apply_work += rate * visit.apply_s;
        one.open_apply_work += if is_open { rate * visit.apply_s } else { 0.0 };
        if let Some(machine) = load.machines.iter_mut().find(|machine| machine.name == owner(entry)) {
            machine.work += rate * visit.cpu_s;
            machine.open_work += if is_open { rate * visit.cpu_s } else { 0.0 };
        }
    }
}

/// The most work that the apply workers of one replica can do in a second, in core seconds at speed 1. Each worker
/// uses at most one core. `None` for a box without replicas.
pub fn apply_rate(entry: &BoxEntry) -> Option<f64> {
    let (workers, machine) = (entry.spec.appliers()?, entry.spec.machine()?);
    Some(f64::from(workers.min(machine.cores)) * machine.speed)
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
    let idle = |entry: &BoxEntry| BoxLoad {
        name: entry.name.clone(),
        calls_per_s: 0.0,
        cpu_s: 0.0,
        wait_s: 0.0,
        apply_work: 0.0,
        open_apply_work: 0.0,
    };
    boxes.iter().map(idle).collect()
}

fn idle_machines(boxes: &[BoxEntry]) -> Vec<MachineLoad> {
    let owners = boxes.iter().filter(|entry| entry.spec.host().is_none());
    let idle = |entry: &BoxEntry| {
        let machine = entry.spec.machine()?;
        let members = entry.spec.machines();
        Some(MachineLoad {
            name: entry.name.clone(),
            members,
            cores: machine.cores,
            capacity: f64::from(members) * work_rate(&machine),
            open_work: 0.0,
            work: 0.0,
            utilisation: 0.0,
        })
    };
    owners.filter_map(idle).collect()
}

/// The most work that a machine can do in a second, in core seconds at speed 1: speed x max over m <= c of m / (1 +
/// sigma (m-1) + kappa m (m-1)), the universal scalability law. The law has its peak at m = sqrt((1 - sigma) / kappa)
/// (Gunther 2007).
fn work_rate(machine: &MachineSpec) -> f64 {
    let most = f64::from(machine.limit.map_or(machine.cores, |limit| limit.min(machine.cores)).max(1));
    let peak = ((1.0 - machine.sigma).max(0.0) / machine.kappa).sqrt();
    let below = if peak.is_finite() { peak.floor().clamp(1.0, most) } else { most };
    let at = |m: f64| m / (1.0 + machine.sigma * (m - 1.0) + machine.kappa * m * (m - 1.0));
    machine.speed * at(below).max(at((below + 1.0).min(most)))
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
        near(load.machines[0].utilisation, 200.0 * 0.001);
        near(load.machines[1].utilisation, 100.0 * 0.008 / 2.0);
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
            assert!(
                load.machines.iter().all(|machine| machine.open_work == 0.0 && machine.utilisation <= 1.0)
            );
        }
    }

    #[test]
    fn boxes_on_one_machine_add_up() {
        let scenario = toy(&LADDER.replace("read = \"1ms\"", "read = \"1ms\"\non = \"web\""));
        let load = static_load(&scenario.boxes, &scenario.classes);
        assert_eq!(load.machines.len(), 1);
        near(load.machines[0].utilisation, (100.0 * 0.008 + 200.0 * 0.001) / 2.0);
    }

    #[test]
    fn a_saturated_box_grows_by_what_it_cannot_serve() {
        let Scenario { boxes, classes, .. } = toy(&LADDER.replace("100/s", "400/s"));
        let load = static_load(&boxes, &classes);
        let web = load.machines.iter().find(|machine| machine.name == "web").unwrap();
        near(web.utilisation, 1.6);
        near(load.growth_per_s(web, &boxes), 150.0);
    }

    #[test]
    fn contention_bends_the_capacity_where_the_law_has_its_peak() {
        let mut machine = toy(LADDER).entry("web").unwrap().spec.machine().unwrap();
        (machine.cores, machine.sigma, machine.kappa) = (1000, 0.02773, 1.044e-4);
        let best =
            (1..=1000).map(f64::from).map(|m| m / (1.0 + 0.02773 * (m - 1.0) + 1.044e-4 * m * (m - 1.0)));
        near(work_rate(&machine), best.fold(0.0, f64::max));
        (machine.cores, machine.sigma, machine.kappa, machine.speed) = (4, 0.0, 0.0, 1.5);
        near(work_rate(&machine), 6.0);
    }
}
