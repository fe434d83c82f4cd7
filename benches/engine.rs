//! What the engine costs: the calendar alone, whole scenarios, and both beside the least that any program must do.
//!
//! `cargo bench --bench engine` runs criterion and then prints a summary. `cargo bench --bench engine -- summary` prints
//! the summary alone, which takes about ten seconds.

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use outgrow::components::KINDS;
use outgrow::kernel::calendar::Calendar;
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::SimTime;
use outgrow::kernel::variate::Variate;
use outgrow::model::record::TrialRecord;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};

/// Customers of a timed run.
const CUSTOMERS: u64 = 1_000_000;

/// Customers of the run that shows whether memory grows with the length of a run.
const CUSTOMERS_LONG: u64 = 10_000_000;

/// Timed runs of each model in the summary, in turn; the fastest counts, since whatever else the machine does only adds.
const ROUNDS: usize = 5;

/// The argument under which this program runs one model in a process of its own, to read its memory.
const MEMORY_OF: &str = "--memory-of";

const MM1: &str = r#"
[network]
client = "0ms"

[client.users]
rate    = "80/s"
target  = "box"
timeout = "1h"

[server.box]
public          = true
scheduling      = "fifo"
workers         = 100000
queue           = 0
memory_per_call = "1KiB"
steps           = [{ cpu = { dist = "exponential", mean = "10ms" } }]
"#;

const TIERS: &str = r#"
[client.users]
rate    = "400/s"
target  = "web"
timeout = "30s"

[server.web]
public     = true
cores      = 4
scheduling = "fifo"
db_pool    = 50
steps      = [
  { cpu = { dist = "exponential", mean = "8ms" } },
  { query = "db" },
]

[database.db]
cores = 1
read  = { dist = "exponential", mean = "1.5ms" }
"#;

const NO_DELAY: &str = "[network]\nclient = \"0ms\"\nsame_zone = \"0ms\"\n";

/// A model of the summary: its name, its scenario, and its arrivals a second.
struct Model {
    name: &'static str,
    text: String,
    rate: u64,
}

fn models() -> [Model; 3] {
    [
        Model { name: "M/M/1", text: MM1.to_owned(), rate: 80 },
        Model { name: "three tiers", text: format!("{NO_DELAY}{TIERS}"), rate: 400 },
        Model { name: "three tiers, with a network", text: TIERS.to_owned(), rate: 400 },
    ]
}

impl Model {
    /// The scenario, for so long that about that many customers come.
    fn scenario(&self, customers: u64) -> Scenario {
        let duration = format!("{}s", customers / self.rate);
        let overrides = [("run.duration", duration.as_str()), ("run.warmup", "0s")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        match load(self.name, &self.text, &overrides, &NoFiles, KINDS) {
            Ok(loaded) => loaded.scenario,
            Err(found) => panic!("{}", found.render(false)),
        }
    }
}

fn run(scenario: &Scenario) -> TrialRecord {
    build(scenario, Seed::new(1)).run(scenario.length(), &mut |_progress| false)
}

fn issued(record: &TrialRecord) -> u64 {
    record.classes.iter().map(|class| class.issued).sum()
}

/// M/M/1 at 80 % by hand: the next arrival, the next departure, and how many are inside. Returns the sum of the times
/// that the customers spend inside, so that nothing is optimised away.
fn bare_mm1(customers: u64) -> u128 {
    let (gap, service) = (Variate::exponential(0.0125), Variate::exponential(0.010));
    let mut rng = Seed::new(1).stream("bare", "all");
    let (mut now, mut departure) = (SimTime::ZERO, SimTime::MAX);
    let mut arrival = now + gap.draw(&mut rng);
    let (mut inside, mut arrived, mut area) = (0_u64, 0, 0_u128);
    while arrived < customers {
        let next = arrival.min(departure);
        area += u128::from(inside) * u128::from(next.since(now).as_nanos());
        now = next;
        if arrival <= departure {
            arrived += 1;
            inside += 1;
            arrival = now + gap.draw(&mut rng);
            if inside == 1 {
                departure = now + service.draw(&mut rng);
            }
        } else {
            inside -= 1;
            departure = if inside > 0 { now + service.draw(&mut rng) } else { SimTime::MAX };
        }
    }
    area
}

/// A calendar with so many pending events, exponential times ahead, and the generator of further ones.
struct Hold {
    calendar: Calendar<u64>,
    ahead: Variate,
    rng: outgrow::kernel::random::Stream,
}

impl Hold {
    fn new(pending: u64) -> Hold {
        let mut rng = Seed::new(1).stream("hold", "times");
        let (mut calendar, ahead) = (Calendar::new(), Variate::exponential(1.0));
        for event in 0..pending {
            calendar.schedule(SimTime::ZERO + ahead.draw(&mut rng), event);
        }
        // Once through, so that what is measured is the steady state.
        let mut hold = Hold { calendar, ahead, rng };
        (0..pending).for_each(|_| hold.step());
        hold
    }

    /// Takes the next event and schedules it anew.
    fn step(&mut self) {
        let fired = self.calendar.pop_until(SimTime::MAX).expect("as many events are pending as at first");
        self.calendar.schedule(fired.at + self.ahead.draw(&mut self.rng), fired.event);
    }
}

fn calendar(c: &mut Criterion) {
    let mut group = c.benchmark_group("hold");
    for exponent in 2..=6 {
        let pending = 10_u64.pow(exponent);
        let mut hold = Hold::new(pending);
        group.bench_function(BenchmarkId::from_parameter(pending), |b| b.iter(|| hold.step()));
    }
    group.finish();
}

fn scenarios(c: &mut Criterion) {
    const FEW: u64 = 100_000;
    let mut group = c.benchmark_group("customers");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).throughput(Throughput::Elements(FEW));
    group.bench_function("bare M/M/1", |b| b.iter(|| black_box(bare_mm1(FEW))));
    for model in models() {
        let scenario = model.scenario(FEW);
        group.bench_function(model.name, |b| b.iter(|| black_box(run(&scenario).events)));
    }
    group.finish();
}

/// Nanoseconds that `work` takes.
#[expect(clippy::disallowed_types, reason = "a benchmark is about the wall clock")]
fn nanos(work: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// One line a model: what a customer costs, and how it compares with the loop by hand.
fn summary() {
    let models = models();
    let scenarios: Vec<Scenario> = models.iter().map(|model| model.scenario(CUSTOMERS)).collect();
    let mut bare = f64::INFINITY;
    let mut best = vec![f64::INFINITY; models.len()];
    let mut counts = vec![(0, 0); models.len()];
    for _ in 0..ROUNDS {
        bare = bare.min(
            nanos(|| {
                black_box(bare_mm1(CUSTOMERS));
            }) / CUSTOMERS as f64,
        );
        for (at, scenario) in scenarios.iter().enumerate() {
            let mut record = None;
            let time = nanos(|| record = Some(run(scenario)));
            let record = record.expect("it has run");
            counts[at] = (issued(&record), record.events);
            best[at] = best[at].min(time / counts[at].0 as f64);
        }
    }
    println!("\n{:<28} {:>12} {:>8} {:>10} {:>9}", "", "ns/customer", "ratio", "events", "ns/event");
    println!("{:<28} {bare:>12.0} {:>8.1}", "bare M/M/1", 1.0);
    for (at, model) in models.iter().enumerate() {
        let (customers, events) = counts[at];
        let each = best[at];
        let an_event = each * customers as f64 / events as f64;
        println!("{:<28} {each:>12.0} {:>8.1} {events:>10} {an_event:>9.0}", model.name, each / bare);
    }
    println!("\n{:<28} {:>12} {:>12}", "peak memory, MiB, customers:", CUSTOMERS, CUSTOMERS_LONG);
    for (at, model) in models.iter().enumerate() {
        let peak = |customers| peak_mib(at, customers).map_or("-".to_owned(), |mib| format!("{mib:.1}"));
        println!("{:<28} {:>12} {:>12}", model.name, peak(CUSTOMERS), peak(CUSTOMERS_LONG));
    }
}

/// Peak memory of a run in a process of its own; `None` where the system does not tell.
fn peak_mib(model: usize, customers: u64) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let arguments = [MEMORY_OF.to_owned(), model.to_string(), customers.to_string()];
    let output = Command::new(program).args(arguments).output().ok()?;
    let kib: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Runs a model and prints the peak of this process's memory in KiB.
fn print_peak(model: usize, customers: u64) {
    black_box(run(&models()[model].scenario(customers)).events);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("{}", peak.trim().trim_end_matches(" kB"));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == MEMORY_OF) {
        let number = |offset: usize| arguments[at + offset].parse::<u64>().expect("a model and a number");
        return print_peak(number(1) as usize, number(2));
    }
    let only_summary = arguments.iter().any(|argument| argument == "summary");
    if !only_summary {
        let mut criterion = Criterion::default().configure_from_args();
        calendar(&mut criterion);
        scenarios(&mut criterion);
        criterion.final_summary();
    }
    // `cargo test --benches` passes no `--bench`: it wants to know only whether everything runs.
    if arguments.iter().any(|argument| argument == "--bench") {
        summary();
    }
}
