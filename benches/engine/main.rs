//! What the engine costs: the calendar alone, whole scenarios, and both beside the least that any program must do.
//!
//! `cargo bench --bench engine` runs criterion and then prints all tables. `cargo bench --bench engine -- summary` prints
//! the ratios to the loops by hand and to the leanest loops, `-- record` only what one record a request would gain, `-- growth` how
//! cost and memory grow, `-- memory` the memory of 10^8 requests. `--row record 1000000` runs one row of the table of `record` once,
//! for a profiler.

mod bare;
mod books;
mod growth;
mod hops;
mod lean;
mod limits;
mod measure;
mod models;
mod record;
mod summary;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use outgrow::kernel::calendar::Calendar;
use outgrow::kernel::random::{KeyedRng, Seed, Stream};
use outgrow::kernel::time::SimTime;
use outgrow::kernel::variate::Variate;

use measure::MEMORY_OF;
use models::{Model, run};

/// A calendar with a constant number of pending events at exponential times ahead, and the generator of further ones.
pub(crate) struct Hold {
    calendar: Calendar<u64>,
    ahead: Variate,
    rng: KeyedRng,
}

impl Hold {
    pub(crate) fn new(pending: u64) -> Hold {
        let mut rng = KeyedRng::new(1);
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
    pub(crate) fn step(&mut self) {
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

fn draws(c: &mut Criterion) {
    let mut group = c.benchmark_group("draw");
    let variate = Variate::exponential(1.0);
    let mut keyed = KeyedRng::new(1);
    group.bench_function("exponential, keyed", |b| b.iter(|| variate.draw(&mut keyed)));
    let mut stream: Stream = Seed::new(1).stream("bench", "draws");
    group.bench_function("exponential, stream", |b| b.iter(|| variate.draw(&mut stream)));
    group.finish();
}

fn scenarios(c: &mut Criterion) {
    const FEW: u64 = 100_000;
    let mut group = c.benchmark_group("customers");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).throughput(Throughput::Elements(FEW));
    group.bench_function("M/M/1, leanest loop", |b| b.iter(|| black_box(lean::mm1(FEW))));
    group.bench_function("M/M/1 by hand", |b| b.iter(|| black_box(bare::mm1(FEW))));
    for model in models::of_the_summary() {
        let scenario = model.scenario(FEW);
        group.bench_function(model.name, |b| b.iter(|| black_box(run(&scenario).events)));
    }
    group.finish();
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == MEMORY_OF) {
        let number = |offset: usize| arguments[at + offset].parse::<u64>().expect("a model and a number");
        return measure::print_peak(&Model::all()[number(1) as usize], number(2));
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--row") {
        let customers = arguments[at + 2].parse().expect("a number of customers");
        return record::run_row(&arguments[at + 1], customers);
    }
    let wants = |table: &str| arguments.iter().any(|argument| argument == table);
    let only = ["summary", "record", "growth", "memory"].iter().any(|table| wants(table));
    if !only {
        let mut criterion = Criterion::default().configure_from_args();
        calendar(&mut criterion);
        draws(&mut criterion);
        scenarios(&mut criterion);
        criterion.final_summary();
    }
    lean::check();
    record::check();
    // `cargo test --benches` passes no `--bench`: it wants to know only whether everything runs.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if wants("summary") || !only {
        summary::tables();
    }
    if wants("record") {
        summary::one_record();
    }
    if wants("growth") || !only {
        growth::tables();
    }
    if wants("memory") {
        growth::memory(&[1_000_000, 100_000_000]);
    }
}
