//! How cost grows: with pending events, with calls that share a station, with targets of a balancer, with time limits,
//! with users and with time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hint::black_box;

use outgrow::kernel::random::KeyedRng;
use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::kernel::variate::Variate;
use outgrow::queueing::balance::{Balance, Policy};
use outgrow::queueing::station::{Discipline, Entered, Station, StationConfig};

use crate::Hold;
use crate::limits;
use crate::measure::{Row, measure, peak};
use crate::models::{Model, crowd, of_the_summary, run, with_time_limit};

const ROUNDS: usize = 5;
const STEPS: u64 = 1_000_000;

/// A station with processor sharing that always has the same number of calls inside: when one leaves, another enters.
struct Sharing {
    station: Station<u32>,
    demand: Variate,
    rng: KeyedRng,
    now: SimTime,
}

impl Sharing {
    fn new(calls: u32) -> Sharing {
        let station = Station::new(StationConfig::new(Discipline::Ps, 4));
        let mut sharing = Sharing {
            station,
            demand: Variate::exponential(0.01),
            rng: KeyedRng::new(1),
            now: SimTime::ZERO,
        };
        (0..calls).for_each(|_| sharing.enter());
        (0..2 * calls).for_each(|_| sharing.step());
        sharing
    }

    fn enter(&mut self) {
        let demand = self.demand.draw(&mut self.rng).max(SimDuration::from_nanos(1));
        assert_eq!(self.station.enter(self.now, 0, demand), Entered::Started, "all share the cores");
    }

    /// One departure and one arrival.
    fn step(&mut self) {
        self.now = self.station.next_completion().expect("somebody is inside");
        while self.station.complete(self.now).is_some() {
            self.enter();
        }
    }
}

/// A balancer of least connections whose targets have one call each at almost all times.
struct Balancing {
    balance: Balance,
    eligible: Vec<bool>,
    under_way: VecDeque<usize>,
    rng: KeyedRng,
}

impl Balancing {
    fn new(targets: usize) -> Balancing {
        let (weights, names): (Vec<f64>, Vec<u64>) = (0..targets as u64).map(|i| (1.0, i)).unzip();
        let mut balancing = Balancing {
            balance: Balance::new(Policy::LeastConnections, &weights, &names),
            eligible: vec![true; targets],
            under_way: VecDeque::new(),
            rng: KeyedRng::new(1),
        };
        (0..targets).for_each(|_| balancing.send());
        balancing
    }

    fn send(&mut self) {
        let picked = self.balance.pick_of(SimTime::ZERO, &self.eligible, 0, &mut self.rng);
        let picked = picked.expect("all targets are eligible");
        self.balance.sent(picked);
        self.under_way.push_back(picked);
    }

    /// Sends one call, and answers the oldest one.
    fn step(&mut self) {
        self.send();
        let oldest = self.under_way.pop_front().expect("one was sent just now");
        self.balance.answered(SimTime::ZERO, oldest, SimDuration::ZERO);
    }
}

/// Nanoseconds per event of each model.
fn of_models(models: &[Model], customers: u64) -> Vec<f64> {
    let scenarios: Vec<_> = models.iter().map(|model| model.scenario(customers)).collect();
    let events: Vec<u64> = scenarios.iter().map(|scenario| run(scenario).events).collect();
    let runs: Vec<_> = scenarios.iter().map(|scenario| move || _ = black_box(run(scenario).events)).collect();
    let row = |at: usize| Row { name: models[at].name, per: events[at], work: &runs[at] };
    measure(&(0..models.len()).map(row).collect::<Vec<_>>(), ROUNDS)
}

fn print_table(title: &str, unit: &str, rows: &[(&str, f64)]) {
    println!("\n{title:<42} {unit:>12} {:>8}", "ratio");
    for (name, each) in rows {
        println!("{name:<42} {each:>12.1} {:>8.2}", each / rows[0].1);
    }
}

/// Prints all tables that take seconds.
pub(crate) fn tables() {
    pending();
    users();
    sharing();
    balancing();
    time_limit();
    limits::tables();
    bytes_a_user();
    memory(&[1_000_000, 10_000_000]);
}

fn pending() {
    const PENDING: [(&str, u64); 6] = [
        ("10", 10),
        ("100", 100),
        ("1000", 1000),
        ("10 000", 10_000),
        ("100 000", 100_000),
        ("1 000 000", 1_000_000),
    ];
    let holds = PENDING.map(|(_, pending)| RefCell::new(Hold::new(pending)));
    let steps: Vec<_> =
        holds.iter().map(|hold| move || (0..STEPS).for_each(|_| hold.borrow_mut().step())).collect();
    let row = |at: usize| Row { name: PENDING[at].0, per: STEPS, work: &steps[at] };
    let best = measure(&(0..PENDING.len()).map(row).collect::<Vec<_>>(), ROUNDS);
    let rows: Vec<(&str, f64)> = PENDING.iter().map(|&(name, _)| name).zip(best).collect();
    print_table("the calendar alone, pending events", "ns/event", &rows);
}

fn users() {
    let models = [crowd("1000 users", "1000", 1e3), crowd("1 000 000 users", "1000000", 1e6)];
    let best = of_models(&models, 1_000_000);
    print_table(
        "a scenario, users who think",
        "ns/event",
        &[(models[0].name, best[0]), (models[1].name, best[1])],
    );
}

fn sharing() {
    const CALLS: [(&str, u32); 4] = [("10", 10), ("100", 100), ("1000", 1000), ("5000", 5000)];
    let stations = CALLS.map(|(_, calls)| RefCell::new(Sharing::new(calls)));
    let steps: Vec<_> =
        stations.iter().map(|it| move || (0..STEPS).for_each(|_| it.borrow_mut().step())).collect();
    let row = |at: usize| Row { name: CALLS[at].0, per: STEPS, work: &steps[at] };
    let best = measure(&(0..CALLS.len()).map(row).collect::<Vec<_>>(), ROUNDS);
    let rows: Vec<(&str, f64)> = CALLS.iter().map(|&(name, _)| name).zip(best).collect();
    print_table("processor sharing, calls inside", "ns/call", &rows);
}

fn balancing() {
    const TARGETS: [(&str, usize); 4] = [("8", 8), ("32", 32), ("100", 100), ("1000", 1000)];
    let balancers = TARGETS.map(|(_, targets)| RefCell::new(Balancing::new(targets)));
    let steps: Vec<_> =
        balancers.iter().map(|it| move || (0..STEPS).for_each(|_| it.borrow_mut().step())).collect();
    let row = |at: usize| Row { name: TARGETS[at].0, per: STEPS, work: &steps[at] };
    let best = measure(&(0..TARGETS.len()).map(row).collect::<Vec<_>>(), ROUNDS);
    let rows: Vec<(&str, f64)> = TARGETS.iter().map(|&(name, _)| name).zip(best).collect();
    print_table("least connections, targets", "ns/call", &rows);
}

fn time_limit() {
    const CUSTOMERS: u64 = 1_000_000;
    let models =
        [with_time_limit("without (a year)", "8760h"), with_time_limit("30 s, never reached", "30s")];
    let events: Vec<u64> = models.iter().map(|model| run(&model.scenario(CUSTOMERS)).events).collect();
    let best = of_models(&models, CUSTOMERS);
    let each = |at: usize| best[at] * events[at] as f64 / CUSTOMERS as f64;
    print_table(
        "three tiers, time limit",
        "ns/request",
        &[(models[0].name, each(0)), (models[1].name, each(1))],
    );
}

/// Memory per additional user in bytes: the difference between two populations of thinking users.
fn bytes_a_user() {
    let all = Model::all();
    let at = |name: &str| all.iter().position(|model| model.name == name).expect("a model of this name");
    let few = peak(at("1000 users"), 10_000);
    let many = peak(at("1 000 000 users"), 3_000_000);
    if let (Some(few), Some(many)) = (few, many) {
        println!("\n{:<42} {:>12.0}", "bytes a user who thinks", (many - few) / 999_000.0);
    }
}

/// Prints the peak memory of the models, one column for each number of customers.
pub(crate) fn memory(customers: &[u64]) {
    print!("\n{:<42}", "peak memory, MiB, customers:");
    customers.iter().for_each(|customers| print!(" {customers:>12}"));
    println!();
    for (at, model) in of_the_summary().iter().enumerate() {
        print!("{:<42}", model.name);
        for &customers in customers {
            let shown =
                peak(at, customers).map_or("-".to_owned(), |bytes| format!("{:.1}", bytes / 1048576.0));
            print!(" {shown:>12}");
        }
        println!();
    }
}
