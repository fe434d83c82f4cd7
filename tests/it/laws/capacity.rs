//! More capacity never gives less throughput, where this is a theorem.
//!
//! It is none in general: a request that is let in because a queue is longer may keep two shorter ones out, a faster
//! first station may change the order at the second, and who waits no longer may find the next box full. It is one for a
//! single station and an open stream, if each request brings the same work whatever the capacity is:
//!
//! * first come, first served, without limits: with more or faster cores, no request ends later (the vector of Kiefer
//!   and Wolfowitz, 1955, is smaller in each component);
//! * shared cores, where each of n calls gets min(1, c / n) of a core: the same, by induction over departures, because
//!   fewer calls are inside at any time;
//! * a pool of workers is such a station too, if the work is a `wait`;
//! * with a bounded queue and constant work: with more workers, or a longer queue, no fewer requests have been served at
//!   any time (Sonderman, 1979).

use super::generator::{Dice, Trace};
use super::{broken, read, run, seeds};

/// A station of a random load: the scenario's text up to the keys that give its capacity.
struct Case {
    text: String,
    /// Settings of the capacity, in growing order.
    capacities: Vec<String>,
}

/// Draws a case of one of the four kinds above.
fn case(seed: u64) -> Case {
    let mut dice = Dice::new(seed, "capacity");
    let (rate, ms) = (dice.between(20.0, 400.0).ceil(), dice.between(1.0, 20.0));
    let laws = ["\"exponential\"", "\"lognormal\", cv = 2", "\"erlang\", k = 3", "\"pareto\", shape = 2.5"];
    let random = format!("{{ dist = {}, mean = \"{ms}ms\" }}", dice.pick(&laws));
    let arrivals = dice.pick(&["\"exponential\"", "\"constant\"", "\"hyperexponential\", cv = 4"]);
    let batch = dice.whole(1, 9);
    let head = format!(
        "[run]\nduration = \"10s\"\nwarmup = \"0s\"\nseed = {}\n[network]\nclient = \"1ms\"\njitter = 0\n\
         [client.u]\ntarget = \"s\"\nrate = \"{rate}/s\"\ntimeout = \"1h\"\n\
         arrivals = {{ dist = {arrivals}, batch = {batch} }}\n\
         [server.s]\npublic = true\nmemory_per_call = \"1KiB\"\n",
        dice.below(1000)
    );
    let free = "workers = 100000\n";
    let n = dice.whole(1, 4);
    let (keys, capacities) = match dice.below(4) {
        kind @ (0 | 1) => {
            let scheduling = ["fifo", "ps"][kind as usize];
            let keys = format!("{free}scheduling = \"{scheduling}\"\nsteps = [{{ cpu = {random} }}]\n");
            let more = [
                format!("cores = {n}"),
                format!("cores = {n}\nspeed = 1.5"),
                format!("cores = {}\nspeed = 1.5", n + 1),
            ];
            (keys, more.to_vec())
        }
        2 => {
            let keys = format!("queue = 1000000\nsteps = [{{ wait = {random} }}]\n");
            (keys, (n..n + 3).map(|workers| format!("workers = {workers}")).collect())
        }
        _ => {
            let keys = format!("steps = [{{ wait = \"{ms}ms\" }}]\n");
            let queue = dice.below(6);
            let more = [(n, queue), (n, queue + 1), (n + 1, queue + 1)];
            (keys, more.map(|(workers, queue)| format!("workers = {workers}\nqueue = {queue}")).to_vec())
        }
    };
    Case { text: head + &keys, capacities }
}

/// The number of requests that were answered until the end of each window.
fn answered(text: &str) -> Vec<u64> {
    let record = run(&read(text, &Trace::default()));
    let mut sum = 0;
    let mut add = |ok: u64| {
        sum += ok;
        sum
    };
    record.windows.iter().map(|window| add(window.ok)).collect()
}

#[test]
fn more_capacity_never_gives_less_throughput() {
    let mut more = 0;
    let mut found = Vec::new();
    for seed in seeds(40) {
        let Case { text, capacities } = case(seed);
        let served: Vec<Vec<u64>> =
            capacities.iter().map(|keys| answered(&format!("{text}{keys}\n"))).collect();
        for (pair, keys) in served.windows(2).zip(capacities.windows(2)) {
            let why = broken(|| {
                let late = pair[0].iter().zip(&pair[1]).position(|(less, more)| less > more);
                assert!(late.is_none(), "less in window {late:?} with {}", keys[1]);
            });
            found.extend(why.map(|why| format!("seed {seed}: {why}\n{text}{}", keys[0])));
            more += u64::from(pair[0].last() < pair[1].last());
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n----\n"));
    assert!(more > 10, "capacity never mattered: {more}");
}
