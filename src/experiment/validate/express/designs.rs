//! Balancers in front of several servers, and designs of the same capacity compared.

use serde_json::Value;

use super::params::{Params, Reason};
use super::text::{client, cpu, fifo, public, rate, server, steady};
use super::{Input, Plan, Quantity, Rule, end_to_end, offer};

/// Number of backends that stands for infinitely many; the bias is of the order of one over it.
const MANY: u32 = 1000;

/// Highest utilisation of many backends. Above it they take too long to reach steady state, and [`MANY`] are too few for the
/// limit.
const LIMIT_RHO_MAX: f64 = 0.901;

/// Policies of balancers, as lines of a scenario.
const RANDOM: &str = "policy = \"random\"";
const ROUND_ROBIN: &str = "policy = \"round-robin\"";
const LEAST: &str = "policy = \"least-connections\"";
const TWO: &str = "policy = \"two-choices\"";
const ANY_TWO: &str = "policy = \"two-choices\"\ndistinct = false";

/// The policy of a balancer, with its keys, as in a scenario.
pub(super) fn policy(params: &Params<'_>) -> Result<&'static str, Reason> {
    params.only("ties", &["uniform"])?;
    let choices = params.maybe("d")?.unwrap_or(2.0);
    match params.word("policy", "random")? {
        "random" => Ok(RANDOM),
        "round_robin" | "rr" => Ok(ROUND_ROBIN),
        "jsq" | "least_connections" => Ok(LEAST),
        "pod" if choices == 2.0 => Ok(TWO),
        "podr" if choices == 2.0 => Ok(ANY_TWO),
        "pod" | "podr" => Err(format!("a choice among {choices} backends is not modelled, only among two")),
        other => Err(format!("the policy {other} is not modelled")),
    }
}

/// A number of machines behind a balancer.
fn behind(policy: &str, load: f64, machines: u32, cores: u32, mean: f64) -> String {
    client(&rate(load), "lb")
        + &format!("[balancer.lb]\npublic = true\ntargets = [\"web\"]\n{policy}\n")
        + &server("web", &format!("count = {machines}\n{}", fifo(cores)), &cpu(mean))
}

/// One balancing policy.
pub(super) fn balanced(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    if params.value("N").and_then(Value::as_str) == Some("inf") {
        return limit(input);
    }
    let policy = policy(params)?;
    let (machines, mean) = (params.count("backends")?, params.number("service_mean")?);
    let cores = params.count_or("servers_per_backend", 1)?;
    if let Some(each) = params.value("arrival_rate_per_backend") {
        let each: Vec<f64> = each.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        let plan = |rho: &f64| {
            let load = rho * f64::from(machines);
            let key = format!("mean_sojourn_times_mu_rho{:03.0}", rho * mean * 1000.0);
            let boxes = behind(policy, load * mean, machines, cores, 1.0);
            Plan::new(steady(input.seconds(load), &boxes), offer([(key.as_str(), Quantity::Response(None))]))
        };
        return Ok(each.iter().filter(|rho| **rho <= LIMIT_RHO_MAX).map(plan).collect());
    }
    let load = params.number("arrival_rate")?;
    let mut offers = end_to_end();
    offers.extend(offer([
        ("mean_in_system", Quantity::Inside("lb".into())),
        ("utilization", Quantity::Utilisation("web".into())),
    ]));
    Ok(vec![Plan::new(steady(input.seconds(load), &behind(policy, load, machines, cores, mean)), offers)])
}

/// The limit of infinitely many backends, in units of the mean service time. Keys give the load in thousandths and the
/// number of choices: `mean_sojourn_times_mu_rho900_d2`.
fn limit(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    policy(&input.params)?;
    let mut plans = Vec::new();
    for (key, rest) in input.keys("mean_sojourn_times_mu_rho") {
        let Some(rho) = rest.strip_suffix("_d2").and_then(|rho| rho.parse::<f64>().ok()) else { continue };
        let rho = rho / 1000.0;
        if rho > LIMIT_RHO_MAX {
            continue;
        }
        let boxes = behind(TWO, rho * f64::from(MANY), MANY, 1, 1.0);
        let seconds = 60.0 / (1.0 - rho);
        let plan = Plan::new(steady(seconds, &boxes), offer([(key.as_str(), Quantity::Response(None))]));
        plans.push(Plan { long: true, ..plan.rule(Rule::Near(0.02)) });
    }
    Ok(plans)
}

/// Six designs of the same capacity.
pub(super) fn ladder(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let load = params.number("arrival_rate")?;
    let (slow, fast) = (params.number("service_mean_slow")?, params.number("service_mean_fast")?);
    let machines = params.count("n")?;
    let capacity = params.number("total_capacity")?;
    if (f64::from(machines) / slow / capacity - 1.0).abs() > 1e-6
        || (1.0 / fast / capacity - 1.0).abs() > 1e-6
    {
        return Err("its designs have different capacities".into());
    }
    let one = |cores, mean| client(&rate(load), "box") + &public("box", &fifo(cores), &cpu(mean));
    let many = |policy| behind(policy, load, machines, 1, slow);
    let designs = [
        ("fast_single", one(1, fast)),
        ("central_queue", one(machines, slow)),
        ("jsq", many(LEAST)),
        ("p2c", many(TWO)),
        ("round_robin", many(ROUND_ROBIN)),
        ("random", many(RANDOM)),
    ];
    // The number of requests is given for the worst design; the others need no more.
    let seconds = input.seconds(load) / 3.0;
    let plan = |(key, boxes): (&str, String)| {
        Plan::new(steady(seconds, &boxes), offer([(key, Quantity::Response(None))]))
    };
    Ok(designs.into_iter().map(plan).collect())
}
