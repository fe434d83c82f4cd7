//! Single stations with open arrivals: M/M/c, M/G/1, GI/M/c, bounded queues, shared cores, infinite servers, batches.

use super::params::{Params, Reason, whole};
use super::text::{OPEN, SHARED, client, exponential, fifo, public, rate, steady, time};
use super::{Input, Plan, Quantity, at_the_box, offer};

/// The discipline of classes of which the first goes first, without taking a core from another one.
const RANKS: &str = "priority nonpreemptive";

/// One station.
pub(super) fn station(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let (load, arrivals) = arrivals(params)?;
    let keys = keys(params)?;
    let work = service(params)?;
    let step = match keys {
        None => format!("{{ wait = {work} }}"),
        Some(_) => format!("{{ cpu = {work} }}"),
    };
    let keys = keys.unwrap_or_else(|| SHARED.to_owned());
    let boxes = client(&arrivals, "box") + &public("box", &keys, &step);
    Ok(vec![Plan::new(steady(input.seconds(load), &boxes), at_the_box())])
}

/// The load in requests a second, and the keys of the client that issues it.
pub(super) fn arrivals(params: &Params<'_>) -> Result<(f64, String), Reason> {
    if params.has("batch_rate") {
        let batch = params.word("batch", "geometric mean 1")?;
        let mean = batch.strip_prefix("geometric mean ").and_then(|mean| mean.parse::<f64>().ok());
        let mean = mean.ok_or_else(|| format!("batches of {batch} are not modelled"))?;
        let load = params.number("batch_rate")? * mean;
        return Ok((
            load,
            format!("{}\narrivals = {{ dist = \"exponential\", batch = {mean} }}", rate(load)),
        ));
    }
    let load = params.number("arrival_rate")?;
    let gaps = params.word("interarrival", "exponential")?;
    let cv = || -> Result<f64, Reason> {
        match params.maybe("interarrival_cv")? {
            Some(cv) => Ok(cv),
            None => params.number("interarrival_scv").map(f64::sqrt),
        }
    };
    let shape = match gaps {
        "exponential" | "poisson" | "Poisson" => return Ok((load, rate(load))),
        "deterministic" | "constant" => "dist = \"constant\"".to_owned(),
        "gamma" | "lognormal" | "hyperexponential" => format!("dist = \"{gaps}\", cv = {}", cv()?),
        _ => {
            let stages = gaps.strip_prefix("erlang").and_then(|stages| match stages {
                "" => params.count("interarrival_k").ok(),
                _ => stages.parse::<u32>().ok(),
            });
            let stages =
                stages.ok_or_else(|| format!("times between arrivals of the law {gaps} are not modelled"))?;
            format!("dist = \"erlang\", k = {stages}")
        }
    };
    Ok((load, format!("{}\narrivals = {{ {shape} }}", rate(load))))
}

/// The distribution of the work, written as in a scenario.
pub(super) fn service(params: &Params<'_>) -> Result<String, Reason> {
    let law = params.word("service", "exponential")?;
    let scv = params.maybe("service_scv")?;
    let mean = match params.maybe("service_mean")? {
        Some(mean) if mean > 0.0 => mean,
        Some(_) => return Err("`service_mean` is not positive".into()),
        None => 1.0 / params.number("service_rate")?,
    };
    let with_cv = |scv: Option<f64>| {
        let scv = scv.ok_or("it has no `service_scv`")?;
        Ok(format!("{{ dist = \"{law}\", mean = \"{}\", cv = {} }}", time(mean), scv.sqrt()))
    };
    match law {
        "exponential" => Ok(exponential(mean)),
        "deterministic" | "constant" => Ok(format!("\"{}\"", time(mean))),
        "erlang" => {
            Ok(format!("{{ dist = \"erlang\", mean = \"{}\", k = {} }}", time(mean), params.count("k")?))
        }
        "gamma" => with_cv(scv),
        "lognormal" => {
            if let (Some(mu), Some(sigma)) = (params.maybe("ln_mu")?, params.maybe("ln_sigma")?) {
                let told = libm::exp(mu + sigma * sigma / 2.0);
                if (told / mean - 1.0).abs() > 1e-6 {
                    return Err("its `ln_mu` and `ln_sigma` do not give its `service_mean`".into());
                }
                return with_cv(Some(libm::expm1(sigma * sigma)));
            }
            with_cv(scv)
        }
        "hyperexponential" => {
            if params.has("p") {
                let (p, one, two) = (params.number("p")?, params.number("rate1")?, params.number("rate2")?);
                if (p / one / ((1.0 - p) / two) - 1.0).abs() > 1e-6 {
                    return Err(
                        "a hyperexponential law whose two parts bring unequal work is not modelled".into()
                    );
                }
            }
            with_cv(scv)
        }
        _ => Err(format!("work of the law {law} is not modelled")),
    }
}

/// The keys of the box; `None` for a pure delay.
fn keys(params: &Params<'_>) -> Result<Option<String>, Reason> {
    let discipline = discipline(params)?;
    params.only("share", &["min(1,c/n)"])?;
    if params.value("servers").and_then(serde_json::Value::as_str) == Some("inf") {
        return Ok(None);
    }
    let cores = params.count_or("servers", 1)?;
    let Some(capacity) = params.maybe("capacity_total")? else {
        return Ok(Some(
            format!("{}\ncores = {cores}", if discipline == "ps" { SHARED } else { OPEN })
                .replace("fifo", discipline),
        ));
    };
    let capacity = whole("capacity_total", capacity)?;
    let queue = capacity.checked_sub(cores).ok_or("`capacity_total` is below `servers`")?;
    if discipline == "ps" {
        return Ok(Some(format!("cores = {cores}\nworkers = {capacity}\nqueue = 0")));
    }
    Ok(Some(format!("scheduling = \"{discipline}\"\ncores = {cores}\nworkers = {cores}\nqueue = {queue}")))
}

/// The `scheduling` of the box for the discipline of the case.
pub(super) fn discipline(params: &Params<'_>) -> Result<&'static str, Reason> {
    match params.word("discipline", "FIFO")? {
        "FIFO" | "FCFS" => Ok("fifo"),
        "LIFO" | "LCFS" => Ok("lifo"),
        "PS" => Ok("ps"),
        priority if priority.contains("priority") => Err("queues with priorities are not modelled".into()),
        other => Err(format!("the discipline {other} is not modelled")),
    }
}

/// Several classes of requests at one box.
pub(super) fn classes(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let has_ranks = params.word("discipline", "FIFO")? == RANKS;
    let discipline = if has_ranks { "fifo" } else { discipline(params)? };
    let rates = params.list("arrival_rates")?;
    let means = match params.has("service_means") {
        true => params.list("service_means")?,
        false => vec![params.number("service_mean")?; rates.len()],
    };
    let laws = params.value("services").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    if means.len() != rates.len() || !(laws.is_empty() || laws.len() == rates.len()) {
        return Err("its lists have different lengths".into());
    }
    let (mut boxes, mut steps) = (String::new(), Vec::new());
    let mut offers = offer([("utilization", Quantity::Utilisation("box".into()))]);
    for (index, (rate, mean)) in rates.iter().zip(&means).enumerate() {
        let class = index + 1;
        boxes += &format!("[request.class{class}]\nshare = {rate}\n");
        if has_ranks {
            boxes += &format!("priority = {index}\n");
        }
        let work = match laws.get(index).and_then(serde_json::Value::as_str).unwrap_or("exponential") {
            "exponential" => exponential(*mean),
            "deterministic" => format!("\"{}\"", time(*mean)),
            law => return Err(format!("work of the law {law} is not modelled for classes")),
        };
        steps.push(format!("{{ cpu = {work}, class = \"class{class}\" }}"));
        offers.push((format!("mean_sojourn_class{class}"), Quantity::Response(Some(index))));
        offers.push((format!("mean_wait_class{class}"), Quantity::WaitOfClass(index, *mean)));
        offers.push((format!("mean_in_class{class}"), Quantity::InsideOfClass(index)));
    }
    let cores = params.count_or("servers", 1)?;
    let keys = match discipline {
        "ps" => format!("{SHARED}\ncores = {cores}"),
        // Priorities order those who wait for a worker, of whom each core has one.
        _ if has_ranks => {
            fifo(cores).replace("workers = 100000", &format!("workers = {cores}\nqueue = 100000"))
        }
        _ => fifo(cores),
    };
    let load = rates.iter().sum();
    boxes += &client(&rate(load), "box");
    boxes += &public("box", &keys, &steps.join(", "));
    Ok(vec![Plan::new(steady(input.seconds(load), &boxes), offers)])
}
