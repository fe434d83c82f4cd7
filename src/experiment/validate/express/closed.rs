//! Closed populations: one station (the repairman model), or several in turn.

use serde_json::Value;

use super::params::Reason;
use super::text::{SHARED, client, cpu, exponential, fifo, public, server, steady};
use super::{Input, Plan, Quantity, at_the_box, end_to_end};

/// Default names of the stations, by the number of stations.
const NAMES: [&[&str]; 4] = [&[], &["box"], &["web", "db"], &["web", "app", "db"]];

/// Users who think, send a request, and wait for the answer.
pub(super) fn closed(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let (users, think) = (params.count("users")?, params.number("think_mean")?);
    params.only("think", &["exponential"])?;
    let load = format!("users = {users}\nthink_time = {}", exponential(think));
    let disciplines = disciplines(input)?;
    let keys = |index: usize, cores: u32| {
        let is_ps = disciplines.get(index.min(disciplines.len() - 1)).is_some_and(|one| one == "PS");
        if is_ps { format!("{SHARED}\ncores = {cores}") } else { fifo(cores) }
    };
    if !params.has("demands") {
        let (mean, cores) = (params.number("service_mean")?, params.count_or("servers", 1)?);
        let boxes = client(&load, "box") + &public("box", &keys(0, cores), &cpu(mean));
        let throughput = (f64::from(users) / (think + mean)).min(f64::from(cores) / mean);
        return Ok(vec![Plan::new(steady(seconds(input, throughput, think), &boxes), at_the_box())]);
    }
    let demands = params.list("demands")?;
    let names: Vec<String> = match params.value("names").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => match NAMES.get(demands.len()) {
            Some(names) => names.iter().map(|name| (*name).to_owned()).collect(),
            None => (1..=demands.len()).map(|index| format!("station{index}")).collect(),
        },
    };
    if names.len() != demands.len() {
        return Err("it has not as many `names` as `demands`".into());
    }
    let calls: Vec<String> = names.iter().map(|name| format!("{{ call = \"{name}\" }}")).collect();
    let mut boxes = client(&load, "front") + &public("front", SHARED, &calls.join(", "));
    let mut offers = end_to_end();
    for (index, (name, demand)) in names.iter().zip(&demands).enumerate() {
        boxes += &server(name, &keys(index, 1), &cpu(*demand));
        offers.push((format!("mean_response_{name}"), Quantity::ResponseAt(name.clone())));
        offers.push((format!("utilization_{name}"), Quantity::Utilisation(name.clone())));
        offers.push((format!("mean_in_{name}"), Quantity::Inside(name.clone())));
    }
    let (total, most) = (demands.iter().sum::<f64>(), demands.iter().copied().fold(0.0, f64::max));
    let throughput = (f64::from(users) / (think + total)).min(1.0 / most);
    Ok(vec![Plan::new(steady(seconds(input, throughput, think), &boxes), offers)])
}

/// The discipline of each station; a single entry applies to all.
fn disciplines(input: &Input<'_>) -> Result<Vec<String>, Reason> {
    let params = &input.params;
    if let Some(list) = params.value("disciplines").and_then(Value::as_array) {
        return Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    let one = params.word("discipline", "FIFO")?;
    match one {
        "FIFO" | "FCFS" | "PS" | "PS or FIFO-exp" => Ok(vec![one.to_owned()]),
        other => Err(format!("the discipline {other} is not modelled")),
    }
}

/// Duration of a trial in seconds, long enough for every user to think about 100 times.
fn seconds(input: &Input<'_>, throughput: f64, think: f64) -> f64 {
    input.seconds(throughput).max(100.0 * think)
}
