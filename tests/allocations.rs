//! Events take no memory from the allocator: the second half of a trial allocates only what its windows need, for any
//! number of requests. This test is a binary of its own, because the counting allocator serves the whole process.

use std::alloc::System;
use std::fs;
use std::path::Path;

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::load;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allowed allocations for each window: the lists of what each component and each class did, and of the core time of each
/// machine.
const A_WINDOW: usize = 3;

/// Allowed allocations for each look-up of a name: the lists of requests that wait for it. Each resolver makes one
/// look-up in a time to live.
const A_LOOKUP: usize = 2;

/// Other allowed allocations: queues and lists that reach a new greatest length, merged batches, lines of the
/// timeline.
const BESIDES: usize = 40;

fn allocations() -> usize {
    let stats = COUNTING.stats();
    stats.allocations + stats.reallocations
}

/// Runs a scenario's first trial. Returns the events and allocations of its second half, and the allowed number of
/// allocations.
fn second_half(path: &str, duration: &str) -> (u64, usize, usize) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a scenario");
    let overrides = [("run.duration", duration), ("run.warmup", "0s")];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let loaded = load(path, &text, &overrides, &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}"));
    let scenario = loaded.scenario;
    let mut simulation = build(&scenario, Seed::new(1).trial(0));
    let (mut windows, mut at_half, mut at_end) = (0, None, 0);
    let record = simulation.run(scenario.length(), &mut |share| {
        if share >= 0.5 {
            windows += 1;
            at_end = allocations();
            at_half.get_or_insert(at_end);
        }
        false
    });
    let names = record.components.iter().filter(|component| component.kind == "dns");
    let lookups = names.map(|name| name.arrived).sum::<u64>() as usize / 2;
    let allowed = A_WINDOW * windows + A_LOOKUP * lookups + BESIDES;
    (record.events / 2, at_end - at_half.expect("a trial has two halves"), allowed)
}

#[test]
fn an_event_takes_no_memory_from_the_allocator() {
    let runs = [
        // The three tiers of the benchmark: without and with network, time limits and checks.
        ("benches/models/three-tiers.toml", "20s"),
        ("benches/models/three-tiers-network.toml", "20s"),
        // Replication: the primary crashes in the second half and is replaced.
        ("scenarios/12-primary-dies.toml", "8min"),
    ];
    for (path, duration) in runs {
        let (events, allocations, allowed) = second_half(path, duration);
        assert!(events > 100_000, "{path}: {events} events show little");
        assert!(
            allocations <= allowed,
            "{path}: {allocations} allocations in {events} events, {allowed} allowed"
        );
    }
}
