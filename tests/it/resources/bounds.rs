//! No run gives more answers than the static bounds allow: small designs at random, each with limits of many sorts.

use std::fmt::Write as _;

use outgrow::kernel::random::Seed;
use outgrow::scenario::build::build;

use super::read;
use crate::laws::generator::Dice;

/// Designs that are drawn.
const DESIGNS: u64 = 200;

/// Simulated seconds that are measured.
const MEASURED_S: f64 = 10.0;

/// A design of users, a balancer or none, servers, a helper, and a database of some shape. All times are constant, so that
/// only the arrivals are random.
fn design(seed: u64) -> String {
    let mut dice = Dice::new(seed, "bounds");
    let mut text = format!("[run]\nduration = '{MEASURED_S}s'\nwarmup = '3s'\n[network]\nclient = '2ms'\n");
    let mut add = |line: String| writeln!(text, "{line}").expect("a string takes all");
    let share = dice.whole(10, 90);
    let size = dice.pick(&[0, 2000, 50_000]);
    add(format!(
        "[request.look]\nshare = {share}\nresponse_size = '{size}B'\n[request.buy]\nshare = {}\neffect = 'write'",
        100 - share
    ));
    let behind = dice.one_in(2);
    let rate = dice.between(20.0, 600.0).round();
    let target = if behind { "lb" } else { "web" };
    add(format!("[client.u]\ntarget = '{target}'\nrate = '{rate}/s'\ntimeout = '10min'"));
    if dice.one_in(3) {
        add("profile = { spike = { at = '5s', for = '2s', factor = 3 } }".to_owned());
    }
    if behind {
        add("[balancer.lb]\npublic = true\ntargets = ['web']".to_owned());
        if dice.one_in(2) {
            add(format!("connections = {}\nqueue = {{ limit = 50 }}", dice.whole(1, 40)));
        }
    }
    let (count, cores, workers) = (dice.whole(1, 3), dice.whole(1, 4), dice.pick(&[1, 3, 10, 50, 200]));
    let (cpu, pool) = (dice.between(0.1, 20.0), dice.pick(&[1, 2, 5, 20]));
    add(format!(
        "[server.web]\npublic = true\ncount = {count}\ncores = {cores}\nworkers = {workers}\ndb_pool = {pool}"
    ));
    if dice.one_in(3) {
        add(format!("memory = '1GiB'\nmemory_per_call = '{}MiB'", dice.whole(5, 200)));
    }
    if dice.one_in(4) {
        add(format!("rate_limit = {{ rate = '{}/s', burst = 5 }}", dice.whole(10, 300)));
    }
    let times = dice.whole(1, 3);
    let ask = if dice.one_in(3) {
        format!(
            "{{ transaction = 'db', steps = [{{ query = 'db', times = {times} }}, {{ cpu = '{cpu:.2}ms' }}] }}"
        )
    } else {
        format!("{{ cpu = '{cpu:.2}ms' }}, {{ query = 'db', times = {times} }}")
    };
    let call = match dice.below(3) {
        0 => ", { call = 'help', class = 'buy' }".to_owned(),
        1 => format!(", {{ call = 'help', parallel = {} }}", dice.whole(2, 4)),
        _ => String::new(),
    };
    add(format!("steps = [{ask}{call}]"));
    if !call.is_empty() {
        let (workers, wait) = (dice.pick(&[1, 5, 100]), dice.between(1.0, 200.0));
        add(format!("[server.help]\nworkers = {workers}\nsteps = [{{ wait = '{wait:.1}ms' }}]"));
    }
    let (cores, read, write) = (dice.whole(1, 4), dice.between(0.1, 20.0), dice.between(0.1, 20.0));
    add(format!(
        "[database.db]\ncores = {cores}\nread = '{read:.2}ms'\nwrite = '{write:.2}ms'\ncommit = '1ms'\nconnections = 500"
    ));
    match dice.below(4) {
        0 => add(format!(
            "replicas = {}\nreads = '{}'",
            dice.whole(1, 3),
            dice.pick(&["primary", "replicas", "nearest"])
        )),
        1 => add(format!("topology = 'multi-primary'\nnodes = {}", dice.whole(2, 3))),
        2 => add(format!(
            "read_limit = '{}/s'\nwrite_limit = '{}/s'",
            dice.whole(10, 500),
            dice.whole(10, 500)
        )),
        _ => {}
    }
    if dice.one_in(3) && size > 0 {
        add(format!(
            "[[network.link]]\nbetween = ['web', '{}']\nbandwidth = '{}KB'",
            if behind { "lb" } else { "u" },
            dice.pick(&[200, 2000, 20_000])
        ));
    }
    text
}

#[test]
fn no_run_gives_more_answers_than_the_static_bounds() {
    let (mut full, mut tight) = (0, 0);
    for seed in 0..DESIGNS {
        let text = design(seed);
        let (scenario, _) = read(&text);
        let client = scenario.load().clients.remove(0);
        let record = build(&scenario, Seed::new(seed)).run(scenario.length(), &mut |_| false);
        let answers = record.classes.iter().map(|class| class.completed).sum::<u64>() as f64;
        // What was under way at the start was partly served before.
        let carried = record.carried_in as f64;
        let most = client.answers_max_peak * MEASURED_S;
        // Chance decides how many requests of each class come, and which come during a burst that a limit lets through.
        let chance = 4.0 * most.sqrt() + 10.0;
        assert!(
            answers <= most + carried + chance,
            "seed {seed}: {answers} answers of at most {most} + {carried}\n{text}"
        );
        let issued = record.classes.iter().map(|class| class.issued).sum::<u64>() as f64;
        full += u32::from(most < 0.9 * issued);
        tight += u32::from(most < 0.9 * issued && answers > 0.7 * most);
    }
    // The bounds must say something, and be near.
    assert!(full > DESIGNS as u32 / 3, "only {full} designs are full");
    assert!(tight > full / 2, "of {full} full designs only {tight} come near the bound");
}
