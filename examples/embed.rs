//! Runs a scenario from a program and compares it with theory: `cargo run --release --example embed`.
use outgrow::{Diagnostics, Scenario, theory::queues::mm1};

fn main() -> Result<(), Diagnostics> {
    println!("{}", report()?);
    Ok(())
}

/// Mean response time of a core that gets 80 requests a second with 10 ms of work each: measured, and from theory.
pub(crate) fn report() -> Result<String, Diagnostics> {
    let scenario = Scenario::parse(include_str!("../scenarios/00-mm1.toml"))?;
    let measured = scenario.trials(10).run()?.metrics.response_ms.mean;
    let theory_ms = 1e3 * mm1(80.0, 0.010).expect("the core is not overloaded").response;
    Ok(format!("mean response {measured:.1} ms; M/M/1 says {theory_ms:.1} ms"))
}
