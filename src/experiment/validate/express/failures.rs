//! Machines that fail at random and are repaired.

use super::params::{Params, Reason};
use super::text::{client, fifo, public, rate, scenario, steady, time};
use super::{Input, Plan, Quantity, offer, station};

/// Number of failures in a trial, small enough for its timeline to keep all of them and their repairs.
const FAILURES: f64 = 150.0;

/// Machines that fail.
pub(super) fn failing(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    params.only("failure", &["exponential", "independent of load, also when idle"])?;
    params.only("repair", &["exponential"])?;
    if params.has("arrival_rate") {
        return pauses(params);
    }
    let unit = if params.has("mtbf_hours") { "_hours" } else { "" };
    let (mtbf, mttr) = (params.number(&format!("mtbf{unit}"))?, params.number(&format!("mttr{unit}"))?);
    let (machines, least) = (params.count_or("n", 1)?, params.count_or("k", 1)?);
    let horizon = params.maybe("horizon")?;
    let (up, needed) =
        (mtbf / (mtbf + mttr), horizon.unwrap_or(FAILURES / f64::from(machines) * (mtbf + mttr)));
    // Shares of time do not depend on the unit, so hours are simulated as seconds.
    let load = 100.0 / mtbf;
    let boxes = client(&rate(load), "web")
        + &public("web", &format!("count = {machines}"), "{ wait = \"0s\" }")
        + &fault("crash", "web", mtbf, mttr);
    let mut offers = offer([
        ("availability_single", Quantity::Succeeded),
        ("availability_indep_crews", Quantity::UpShare(least as usize, machines as usize)),
        ("failed_request_fraction", Quantity::Failed),
    ]);
    if machines == 1 {
        offers.push(("availability".into(), Quantity::UpShare(1, 1)));
        if let Some(horizon) = horizon {
            offers.push((format!("var_uptime_fraction_T{horizon}"), Quantity::UpSquared(up)));
        }
    }
    Ok(vec![
        Plan::new(scenario(10.0 * mttr, needed, &boxes), offers)
            .trials(if horizon.is_some() { 1300 } else { 400 })
            .rare(),
    ])
}

fn fault(kind: &str, target: &str, mtbf: f64, mttr: f64) -> String {
    format!(
        "[[fault]]\nkind = \"{kind}\"\ntarget = \"{target}\"\nmtbf = \"{}\"\nmttr = \"{}\"\n",
        time(mtbf),
        time(mttr)
    )
}

/// A station that pauses and then continues where it stopped.
fn pauses(params: &Params<'_>) -> Result<Vec<Plan>, Reason> {
    params.only("on_failure", &["queue kept"])?;
    params.only("discipline", &["FIFO"])?;
    let (_, arrivals) = station::arrivals(params)?;
    let work = station::service(params)?;
    let (mtbf, mttr) = (params.number("mtbf")?, params.number("mttr")?);
    let keys = format!("{}\nmemory = \"1TiB\"", fifo(params.count_or("servers", 1)?));
    let boxes = client(&arrivals, "box")
        + &public("box", &keys, &format!("{{ cpu = {work} }}"))
        + &fault("pause", "box", mtbf, mttr);
    let offers = offer([
        ("mean_in_system", Quantity::Inside("box".into())),
        ("mean_sojourn", Quantity::Response(None)),
        ("mean_response", Quantity::Response(None)),
    ]);
    // Outages dominate the mean, and after 3000 of them its error is still 5 %.
    let plan = Plan::new(steady(300.0 * (mtbf + mttr), &boxes), offers);
    Ok(vec![Plan { long: true, ..plan.rare() }])
}
