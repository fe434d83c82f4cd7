//! Random designs: a seed is a scenario with a topology of its database, machines, limits and a load, some of them at the
//! end of what a scenario may say.

use std::fmt::Write as _;

use outgrow::kernel::random::{Seed, Stream, below};

/// Draws from the seed's stream.
struct Dice(Stream);

impl Dice {
    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[below(&mut self.0, choices.len() as u64) as usize]
    }

    /// One of some lines, each with its newline; an empty one stands for none.
    fn line(&mut self, text: &mut String, choices: &[&str]) {
        let line = self.pick(choices);
        if !line.is_empty() {
            writeln!(text, "{line}").expect("a string takes all");
        }
    }
}

const LOADS: [&str; 10] = [
    "rate = '60/s'",
    "rate = '3600/min'",
    "rate = '200000000/s'",
    "rate = '0.000001/s'",
    "users = 40",
    "users = 10000000",
    "users = 3000000\nprofile = { spike = { at = '10s', for = '10s', factor = 3 } }",
    "users = 8000000\nprofile = { steps = [['0s', 0.5]] }",
    "sessions = '5/s'",
    "sessions = '70000000/s'\nrequests = 2",
];

/// Lines of a machine, with a type of the catalogue or without.
const MACHINES: [&str; 10] = [
    "",
    "cores = 2",
    "cores = 4096",
    "cores = 3000",
    "instance = 'm7i.large'",
    "instance = 'm7i.48xlarge'",
    "instance = 'm7i.large'\ncores = 3",
    "instance = 'u7i-8tb.112xlarge'",
    "cores = 8\nsigma = 0.5\nkappa = 0.1",
    "instance = 'r7i.xlarge'\nprice = 0.1",
];

/// Databases by their topology.
const DATABASES: [&str; 14] = [
    "",
    "on = 'web'",
    "replicas = 1",
    "replicas = 3\nreads = 'primary'",
    "replicas = 200\napply = { workers = 2 }",
    "replicas = 2\nreplication = 'semi-sync'\nacks = 2\nfailover = {}",
    "topology = 'multi-primary'\nnodes = 3",
    "topology = 'multi-primary'\nnodes = 64",
    "topology = 'ring'\nnodes = 4\napply = { workers = 256 }",
    "engine = 'key-value'",
    "engine = 'key-value'\nnodes = 3",
    "engine = 'document'\nnodes = 1000",
    "engine = 'column'\nnodes = 1\nread_limit = '3000/s'",
    "flush_every = '2s'\nwrite_limit = '1000/s'",
];

/// The scenario of a seed.
pub(crate) fn design(seed: u64) -> String {
    let mut dice = Dice(Seed::new(seed).stream("advice", "design"));
    let mut text = String::new();
    dice.line(&mut text, &["[run]\nduration = '30s'\nwarmup = '1s'", "[run]\nduration = '10min'"]);
    writeln!(text, "[request.read]\nkeys = 1000\n[request.write]\neffect = 'write'\nkeys = 1000")
        .expect("fits");
    let long = text.contains("10min");
    for client in 0..dice.pick(&[1, 1, 2]) {
        writeln!(text, "[client.c{client}]\ntarget = 'front'").expect("a string takes all");
        // A trial of ten minutes with the highest rates would have too many requests.
        let fits = |load: &&str| !(long && load.contains("000000/s'"));
        // All clients together have a limit, so that only one of them may have millions of users.
        let alone = |load: &&str| !(load.contains("users =") && text.contains("users ="));
        let loads: Vec<&str> = LOADS.into_iter().filter(fits).filter(alone).collect();
        dice.line(&mut text, &loads);
    }
    writeln!(text, "[balancer.front]\npublic = true\ntargets = ['web']").expect("a string takes all");
    dice.line(
        &mut text,
        &["", "connections = 10", "demand = '0.1ms'\ncores = 2", "instance = 'c7i.48xlarge'"],
    );
    writeln!(text, "[server.web]\nsteps = [{{ cpu = '5ms' }}, {{ query = 'db' }}, {{ call = 'side' }}]")
        .expect("a string takes all");
    let machine = dice.pick(&MACHINES);
    writeln!(text, "{machine}").expect("a string takes all");
    // Thousands of members are slow to check.
    let most = if dice.pick(&[true, false, false, false]) { "count = 3000" } else { "count = 2" };
    dice.line(&mut text, &["", "", "count = 3", most]);
    dice.line(&mut text, &["", "memory = '768MiB'", "memory = '536870913B'", "scheduling = 'fifo'"]);
    dice.line(&mut text, &["", "workers = 1", "db_pool = 1", "rate_limit = { rate = '10/s' }"]);
    // A box that is called as a second machine of `web` would be, unless there are several already.
    let side = if text.contains("count = ") { "side" } else { dice.pick(&["side", "web-2", "web-3"]) };
    text = text.replace("call = 'side'", &format!("call = '{side}'"));
    writeln!(text, "[server.{side}]\nsteps = [{{ cpu = '1ms' }}]").expect("a string takes all");
    dice.line(
        &mut text,
        &["", "on = 'web'", "count = 5", "cores = 1\nbase_memory = '1MiB'\nmemory = '1100KiB'"],
    );
    let database = dice.pick(&DATABASES);
    writeln!(text, "[database.db]\n{database}").expect("a string takes all");
    if !database.starts_with("on") {
        let machine = dice.pick(&MACHINES);
        writeln!(text, "{machine}").expect("a string takes all");
        dice.line(
            &mut text,
            &["", "", "working_set = '2GiB'", "working_set = '1GiB'\ndisk = { iops = 600000000 }"],
        );
    }
    text
}
