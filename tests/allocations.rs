//! What happens for each event takes no memory from the allocator: a trial's second half allocates what its windows need,
//! however many requests they hold. A binary of its own, because the allocator that counts is there for the whole process.

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

/// Allocations that a window may take: the lists of what was inside each box and of how busy it was, and of the core time
/// of each machine.
const A_WINDOW: usize = 3;

/// Allocations that a look-up of a name may take: the lists of who waits for it. There is one a resolver and time to live.
const A_LOOKUP: usize = 2;

/// Allocations besides: queues and lists that grow to a new high, the batches that are merged, lines of the timeline.
const BESIDES: usize = 40;

fn allocations() -> usize {
    let stats = COUNTING.stats();
    stats.allocations + stats.reallocations
}

/// Runs a scenario's first trial; the events of its second half, its allocations, and as many as it may take.
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
        // The three tiers of the benchmark, without and with a network, time limits and checks.
        ("benches/models/three-tiers.toml", "20s"),
        ("benches/models/three-tiers-network.toml", "20s"),
        // Replicas, whose primary dies in the second half and is replaced.
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
