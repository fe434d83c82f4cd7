//! Runs a scenario from a program: `cargo run --example embed`.
use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::{self, build::build};

fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let sets: Vec<(String, String)> = std::env::args()
        .skip(2)
        .map(|a| {
            let (k, v) = a.split_once('=').unwrap();
            (k.into(), v.into())
        })
        .collect();
    let loaded = scenario::load("x.toml", &text, &sets, &NoFiles, KINDS)
        .unwrap_or_else(|e| panic!("{}", e.render(false)));
    let s = loaded.scenario;
    let t0 = std::time::Instant::now();
    let mut n = 0;
    let mut ev = 0;
    let mut means = vec![];
    for i in 0..s.run.trials.min(5) {
        let mut sim = build(&s, Seed::new(s.run.seed).trial(i.into()));
        let r = sim.run(s.length(), &mut |_| false);
        n += r.classes.iter().map(|c| c.issued).sum::<u64>();
        ev += r.events;
        means.push(r.classes[0].response.mean() / 1e6);
        println!(
            "{i}: events {} fp {:016x} mean {:.3} ms p99 {:.1} outcomes {:?} inflight {:.3}",
            r.events,
            r.fingerprint,
            r.classes[0].response.mean() / 1e6,
            r.classes[0].ok.quantile(0.99) as f64 / 1e6,
            r.classes[0].outcomes,
            r.in_flight_mean
        );
        for c in &r.components {
            if i == 0 {
                println!(
                    "   {} {} arrived {} inside {:.3} queue {:.3} wait {:.3}ms {:?}",
                    c.kind,
                    c.name,
                    c.arrived,
                    c.inside_mean,
                    c.queue_mean,
                    c.wait.mean() / 1e6,
                    c.machine.as_ref().map(|m| (m.busy_cores_mean, m.cores, m.memory_max >> 20))
                );
            }
        }
    }
    let el = t0.elapsed().as_secs_f64();
    println!(
        "mean {:.3}  {:.0} ns/request {:.0} ns/event",
        means.iter().sum::<f64>() / means.len() as f64,
        el * 1e9 / n as f64,
        el * 1e9 / ev as f64
    );
}
