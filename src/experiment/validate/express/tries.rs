//! Users who retry or give up, and names that are cached.

use serde_json::Value;

use super::params::Reason;
use super::text::{SHARED, client, exponential, fifo, public, rate, scenario, server, steady, time};
use super::{Input, Plan, Quantity, offer, station};

/// Load in requests a second of boxes where calls do not wait for each other, so that any load will do.
const ANY_LOAD: f64 = 100.0;

/// Tries that fail at random after a fixed time, with growing pauses between them.
pub(super) fn backing_off(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let attempts = params.count("max_retries")? + 1;
    let (chance, latency) = (params.number("p_fail")?, params.number("attempt_latency")?);
    let pauses = format!(
        "backoff = \"{}\", factor = {}, max = \"{}\"",
        time(params.number("base")?),
        params.number("factor")?,
        time(params.number("cap")?)
    );
    // A box without memory for a single call refuses every call.
    let no_memory = "memory = \"2MiB\"\nbase_memory = \"1MiB\"\nmemory_per_call = \"2MiB\"";
    let steps = format!("{{ wait = \"{}\" }}, {{ call = \"broken\", chance = {chance} }}", time(latency));
    let seconds = input.seconds(ANY_LOAD).min(200.0);
    let plan = |jitter: &str, offers| {
        let retry = format!("retry = {{ attempts = {attempts}, {pauses}, jitter = \"{jitter}\" }}");
        let boxes = client(&format!("{}\n{retry}", rate(ANY_LOAD)), "box")
            + &public("box", SHARED, &steps)
            + &server("broken", no_memory, "{ cpu = \"1ms\" }");
        Plan::new(scenario(10.0, seconds, &boxes), offers)
    };
    Ok(vec![
        plan(
            "none",
            offer([
                ("prob_success", Quantity::Succeeded),
                ("mean_attempts", Quantity::Attempts),
                ("retry_amplification", Quantity::Attempts),
                ("mean_total_backoff_no_jitter", Quantity::Pauses(latency)),
                ("mean_total_time_no_jitter", Quantity::Ended),
            ]),
        ),
        plan("full", offer([("mean_total_backoff_full_jitter", Quantity::Pauses(latency))])),
    ])
}

/// A pure delay with a time limit; retries follow without a pause.
pub(super) fn timed_out(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    params.only("backend", &["pure delay"])?;
    let attempts = params.count("max_retries")? + 1;
    let load = format!(
        "[client.users]\n{}\ntarget = \"box\"\ntimeout = \"{}\"\nretry = {{ attempts = {attempts}, backoff = \"0ms\" }}\n",
        rate(ANY_LOAD),
        time(params.number("timeout")?)
    );
    let step = format!("{{ wait = {} }}", exponential(params.number("latency_mean")?));
    let offers = offer([
        ("prob_success", Quantity::Succeeded),
        ("mean_time_given_success", Quantity::Response(None)),
        ("p99_time_given_success", Quantity::ResponseQuantile(None, 0.99)),
        ("mean_attempts", Quantity::Attempts),
        ("prob_timeout_per_attempt", Quantity::FailedTries),
    ]);
    Ok(vec![Plan::new(steady(input.seconds(ANY_LOAD), &(load + &public("box", SHARED, &step))), offers)])
}

/// Hedged requests. Only the response time without hedging is measured.
pub(super) fn hedged(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    params.number("hedge_delay")?;
    let mu = params.maybe("ln_mu")?.ok_or("it has no `ln_mu`")?;
    let sigma = params.number("ln_sigma")?;
    let mean = libm::exp(mu + sigma * sigma / 2.0);
    let cv = libm::sqrt(libm::expm1(sigma * sigma));
    let step = format!("{{ wait = {{ dist = \"lognormal\", mean = \"{}\", cv = {cv} }} }}", time(mean));
    let boxes = client(&rate(ANY_LOAD), "box") + &public("box", SHARED, &step);
    let offers = offer([
        ("mean_latency_unhedged", Quantity::Response(None)),
        ("p99_latency_unhedged", Quantity::ResponseQuantile(None, 0.99)),
    ]);
    Ok(vec![Plan::new(steady(input.seconds(ANY_LOAD), &boxes), offers)])
}

/// Calls that leave the queue after a fixed time. A balancer admits as many calls as there are cores; the others wait
/// in its queue.
pub(super) fn impatient(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    params.only("discipline", &["FIFO"])?;
    if params.word("patience_kind", params.word("patience", "exponential").unwrap_or("deterministic"))?
        != "deterministic"
    {
        return Err("a waiting call gives up after a constant time here, not after a random one".into());
    }
    let patience = params.number("patience")?;
    let (load, arrivals) = station::arrivals(params)?;
    let work = station::service(params)?;
    let cores = params.count_or("servers", 1)?;
    let boxes = client(&arrivals, "lb")
        + &format!(
            "[balancer.lb]\npublic = true\ntargets = [\"box\"]\nconnections = {cores}\n\
             queue = {{ limit = 100000, timeout = \"{}\" }}\n",
            time(patience)
        )
        + &server("box", &fifo(cores), &format!("{{ cpu = {work} }}"));
    let lb = || "lb".to_owned();
    let offers = offer([
        ("prob_wait", Quantity::WaitShareOfAll(lb())),
        ("prob_abandon", Quantity::Failed),
        ("mean_queue_time_all", Quantity::WaitOfAll(lb())),
        ("mean_in_queue", Quantity::Queue(lb())),
        ("throughput", Quantity::Throughput),
        ("utilization", Quantity::Utilisation("box".into())),
    ]);
    Ok(vec![Plan::new(steady(input.seconds(load), &boxes), offers)])
}

/// Rejected calls that retry until they are served; not modelled.
pub(super) fn retrial(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let law = input.params.word("retry", "")?;
    Err(format!("pauses between tries are constant or uniform ({law})"))
}

/// Names whose cached addresses expire.
pub(super) fn names(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    for ignored in ["keys", "zipf_alpha", "rate_total", "reset_example"] {
        params.value(ignored);
    }
    let (ttl, load) = (params.number("ttl")?, params.number("rate_single")?);
    let boxes = client(&format!("{}\nresolvers = 1", rate(load)), "www")
        + &format!("[dns.www]\nrecords = [\"box\"]\nttl = \"{}\"\n", time(ttl))
        + &public("box", SHARED, "{ cpu = \"1ms\" }");
    let offers = offer([("hit_ratio_ttl_fixed_single", Quantity::HitsBefore("www".into()))]);
    Ok(vec![Plan::new(scenario(4.0 * ttl, 700.0 * ttl, &boxes), offers)])
}

/// Caches that evict; not modelled.
pub(super) fn cached(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let _: Option<&Value> = input.params.value("request_model");
    Err("no box stores single keys and evicts them; `theory::cache` computes the hit ratio by Che's approximation".into())
}
