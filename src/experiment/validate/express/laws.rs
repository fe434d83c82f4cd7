//! Cases without randomness, and the universal scalability law.

use super::params::Reason;
use super::text::{SHARED, client, cpu, public, scenario, time};
use super::{Input, Plan, Quantity, Rule, offer};

/// One nanosecond, plus what is lost in printing, in seconds.
const TO_THE_NANOSECOND: f64 = 1.01e-9;

/// Known jobs on one machine. Each job has its own client, whose trace holds one arrival, and its own box, which does
/// the work. All boxes share the machine of the first. Keys name the discipline and the number of cores:
/// `completions_ps_c2`.
pub(super) fn trace(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let (arrivals, sizes) = (input.params.list("arrivals")?, input.params.list("sizes")?);
    if arrivals.len() != sizes.len() {
        return Err("its lists have different lengths".into());
    }
    let last = arrivals.iter().copied().fold(0.0, f64::max) + sizes.iter().sum::<f64>();
    let mut plans = Vec::new();
    for (key, rest) in input.keys("completions_") {
        // The first entry stands for its whole list: `c2[0]` or `ps_c2[0]`.
        let Some(rest) = rest.strip_suffix("[0]") else { continue };
        let (scheduling, rest) = rest.strip_prefix("ps_").map_or(("fifo", rest), |rest| ("ps", rest));
        let Some(cores) = rest.strip_prefix('c').and_then(|cores| cores.parse::<u32>().ok()) else {
            continue;
        };
        let (mut boxes, mut offers) = (String::new(), Vec::new());
        for (job, (at, size)) in arrivals.iter().zip(&sizes).enumerate() {
            let machine = match job {
                0 => format!("cores = {cores}\nscheduling = \"{scheduling}\""),
                _ => "on = \"job0\"\nbase_memory = \"1MiB\"".to_owned(),
            };
            boxes +=
                &format!("[client.user{job}]\ntarget = \"job{job}\"\ntimeout = \"10h\"\ntrace = \"{at}\"\n");
            boxes += &public(&format!("job{job}"), &machine, &format!("{{ cpu = \"{}\" }}", time(*size)));
            offers.push((
                key.replace("[0]", &format!("[{job}]")),
                Quantity::AnsweredAt(format!("job{job}"), *at),
            ));
        }
        let text = scenario(0.0, (last + 1.0).ceil(), &boxes);
        plans.push(Plan::new(text, offers).trials(1).rule(Rule::Exact(TO_THE_NANOSECOND)));
    }
    Ok(plans)
}

/// The universal scalability law: as many users as cores, without think time, so that throughput is what the law
/// predicts.
pub(super) fn scalability(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let (single, sigma, kappa) = (params.number("lam")?, params.number("sigma")?, params.number("kappa")?);
    let peak = libm::sqrt((1.0 - sigma) / kappa);
    let mut points = input.numbered("throughput_n");
    points.extend(input.keys("peak_throughput").into_iter().map(|(key, _)| (key, peak.round())));
    let point = |(key, users): (String, f64)| {
        let contention = format!("{SHARED}\ncores = {users}\nsigma = {sigma}\nkappa = {kappa}");
        let boxes = client(&format!("users = {users}\nthink_time = \"0ms\""), "box")
            + &public("box", &contention, &cpu(1.0 / single));
        let seconds = (if users < 8.0 { 5000.0 } else { 1000.0 }) / single;
        Plan::new(scenario(seconds / 10.0, seconds, &boxes), offer([(key.as_str(), Quantity::Throughput)]))
    };
    Ok(points.into_iter().map(point).collect())
}
