//! Turns the parameters of a case into scenarios. The parameters alone decide, never the name of the case.

mod closed;
mod designs;
mod failures;
mod laws;
mod networks;
mod params;
mod replication;
mod station;
mod tries;
mod varying;
mod verbatim;

use super::Effort;
use super::case::Case;
use super::judge::{Rule, is_slow, requests_needed};
use super::quantity::Quantity;
use super::text;
use params::{Params, Reason};

/// Number of independent trials unless a case asks for more. With 8, the heavy tails of Student's t would give false
/// alarms.
pub(super) const TRIALS: u32 = 30;

/// One scenario, and what to read from its trials. A case that compares designs, or the points of a curve, has several.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The scenario.
    pub(super) text: String,
    /// Independent trials.
    pub(super) trials: u32,
    /// How a measured value is compared with the expected one.
    pub(super) rule: Rule,
    /// Keys of expected values, each with the quantity to measure. May contain more keys than the case asks for.
    pub(super) offers: Vec<(String, Quantity)>,
    /// Whether the scenario runs only with [`Effort::Full`].
    pub(super) long: bool,
    /// Whether errors fall with the number of requests; otherwise only with the number of trials, outages or moments.
    pub(super) counts_requests: bool,
}

impl Plan {
    fn new(text: String, offers: Vec<(String, Quantity)>) -> Plan {
        Plan { text, trials: TRIALS, rule: Rule::Statistical, offers, long: false, counts_requests: true }
    }

    fn trials(self, trials: u32) -> Plan {
        Plan { trials, ..self }
    }

    fn rule(self, rule: Rule) -> Plan {
        Plan { rule, ..self }
    }

    /// Marks a plan that measures few moments or events per trial, however many requests it has.
    fn rare(self) -> Plan {
        Plan { counts_requests: false, ..self }
    }
}

/// A case translated to the model.
#[derive(Clone, Debug, Default)]
pub(super) struct Expressed {
    /// The scenarios.
    pub(super) plans: Vec<Plan>,
    /// Expected values that the scenarios do not give, with the reason.
    pub(super) left_out: Vec<(String, Reason)>,
}

/// The input for a kind of case.
pub(super) struct Input<'c> {
    case: &'c Case,
    params: Params<'c>,
    effort: Effort,
}

/// Smallest number of requests to simulate, all trials together, even if a case needs fewer.
const REQUESTS_MIN: f64 = 150_000.0;

/// Number of requests to simulate if a case does not say how many it needs.
const REQUESTS_UNKNOWN: f64 = 800_000.0;

impl Input<'_> {
    /// Duration of each trial in seconds, so that all trials together see the requests that the values of the case
    /// need, up to the cap of the effort. `rate` is in requests a second.
    fn seconds(&self, rate: f64) -> f64 {
        let slow = self.case.samples.iter().any(|(_, samples)| is_slow(*samples));
        let cap = match self.effort {
            Effort::Short if slow => 1_600_000.0,
            Effort::Short => 1_000_000.0,
            Effort::Full => 50_000_000.0,
        };
        let needed = self.case.samples.iter().map(|(_, samples)| requests_needed(*samples) * 1.1);
        let needed = needed.fold(0.0, f64::max);
        let needed = if self.case.samples.is_empty() { REQUESTS_UNKNOWN } else { needed };
        round(needed.clamp(REQUESTS_MIN, cap) / f64::from(TRIALS) / rate)
    }

    /// The keys of expected values that begin with `prefix`, each with the rest of the key.
    fn keys(&self, prefix: &str) -> Vec<(String, String)> {
        let rest = |key: &String| key.strip_prefix(prefix).map(|rest| (key.clone(), rest.to_owned()));
        self.case.expected.iter().filter_map(|(key, _)| rest(key)).collect()
    }

    /// The same for keys whose rest is a number: `mean_at_t5`.
    fn numbered(&self, prefix: &str) -> Vec<(String, f64)> {
        let number = |(key, rest): (String, String)| Some((key, rest.parse().ok()?));
        self.keys(prefix).into_iter().filter_map(number).collect()
    }

    fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.params.has(key))
    }
}

/// Rounds up to two digits, so that scenarios are easy to read.
fn round(seconds: f64) -> f64 {
    let digit = libm::pow(10.0, libm::floor(libm::log10(seconds)) - 1.0);
    (seconds / digit).ceil() * digit
}

/// Makes the plans of one kind of case.
type Kind = for<'a, 'c> fn(&'a Input<'c>) -> Result<Vec<Plan>, Reason>;

/// The kinds, each with parameters that only it has. The first that fits is used.
const KINDS: &[(&[&str], Kind)] = &[
    (&["not_modelled"], verbatim::not_modelled),
    (&["scenario"], verbatim::points),
    (&["sizes"], laws::trace),
    (&["total_capacity"], designs::ladder),
    (&["backends", "policy"], designs::balanced),
    (&["branches"], networks::forked),
    (&["stations"], networks::jackson),
    (&["web"], networks::tiers),
    (&["users"], closed::closed),
    (&["arrival_rates"], station::classes),
    (&["kappa"], laws::scalability),
    (&["heartbeat"], replication::failover),
    (&["write_rate"], replication::lagging),
    (&["mtbf", "mtbf_hours"], failures::failing),
    (&["patience", "patience_mean"], tries::impatient),
    (&["retry"], tries::retrial),
    (&["p_fail"], tries::backing_off),
    (&["max_retries"], tries::timed_out),
    (&["hedge_delay"], tries::hedged),
    (&["ttl"], tries::names),
    (&["request_model"], tries::cached),
    (&["rate_mean"], varying::sinusoid),
    (&["rate_steps"], varying::steps),
    (&["initial"], varying::from_empty),
    (&["arrival_rate", "batch_rate"], station::station),
];

/// Scenarios for a case, and the expected values that they leave out.
///
/// # Errors
/// The reason why there are none.
pub(super) fn express(case: &Case, effort: Effort) -> Result<Expressed, Reason> {
    let input = Input { case, params: Params::new(&case.params), effort };
    let kind = KINDS.iter().find(|(keys, _)| input.has_any(keys));
    let (_, kind) = kind.ok_or_else(|| unknown(case))?;
    let mut plans = kind(&input)?;
    input.params.all_read()?;
    let asked = |key: &str| case.expected.iter().chain(&case.at_most).any(|(known, _)| known == key);
    for plan in &mut plans {
        plan.offers.retain(|(key, _)| asked(key));
        if let (Some(limit), Rule::Statistical) = (case.tolerance, plan.rule) {
            plan.rule = Rule::Near(limit);
        }
    }
    plans.retain(|plan| !plan.offers.is_empty());
    let offered = |key: &str| plans.iter().any(|plan| plan.offers.iter().any(|(known, _)| known == key));
    let left_out: Vec<(String, Reason)> = (case.expected.iter().chain(&case.at_most))
        .filter(|(key, _)| !offered(key))
        .map(|(key, _)| (key.clone(), why_not(key)))
        .collect();
    if plans.is_empty() {
        return Err(left_out
            .first()
            .map_or_else(|| unknown(case), |(key, reason)| format!("{key}: {reason}")));
    }
    Ok(Expressed { plans, left_out })
}

fn unknown(case: &Case) -> Reason {
    let keys: Vec<&str> = case.params.keys().map(String::as_str).collect();
    format!("no kind of case has such parameters ({})", keys.join(", "))
}

const FORMULA: &str = "a parameter of the formula";
const NUMBERS: &str = "a trial records the mean and the highest number inside, not its distribution";
const ONE_NAME: &str = "a client asks for one name";
const LAG: &str = "all writes lag equally here, so only values that do not depend on the distribution of the lag are measured";
const FAILOVERS: &str = "a trial contains one outage";
const LIMIT: &str = "only two choices are modelled, and loads above 0.9 take too long to come to rest";
const HEDGED: &str = "hedged requests are not modelled";

/// Reasons why no quantity of a trial corresponds to an expected value, by the beginning of its key.
const WHY_NOT: &[(&str, &str)] = &[
    ("asympt_var", "it serves to plan the length of runs, and is not a mean of a trial"),
    ("sigma", FORMULA),
    ("mean_batch", FORMULA),
    ("mean_uptime", FORMULA),
    ("mean_downtime", FORMULA),
    ("var_in_system", NUMBERS),
    ("prob_empty", NUMBERS),
    ("p99_in_system", NUMBERS),
    ("approx_", "an approximation, not the truth"),
    ("mean_slowdown", "a trial does not record sizes together with response times"),
    ("prob_any_slow", "a trial does not record which of the calls was slow"),
    ("prob_exactly_", "a trial records only the mean number of tries"),
    ("hit_ratio_ttl_reset", "as in DNS, a hit does not renew the time to live"),
    ("hit_ratio_ttl_fixed_zipf", ONE_NAME),
    ("origin_rate_zipf", ONE_NAME),
    ("time_lag_of_peak", "the levels near the peak differ by less than their error"),
    ("var_at_", "a window records its mean, not the level at one time"),
    ("n_star", "the position of the peak of the other values"),
    ("amdahl_limit", "the limit of an infinite number of cores"),
    ("steady_state", "a limit that is reached only after infinite time"),
    ("prob_read_your_writes", LAG),
    ("prob_ryw", LAG),
    ("p99_lost", "a quantile over trials, not a mean"),
    ("mean_lag", "lag is the age of the oldest missing write, not the time since the last batch"),
    ("max_lag", "the highest over all trials, not a mean"),
    ("utilization_busy_and_up", "the core of a paused box counts as busy"),
    ("mean_sojourn_times_mu_", LIMIT),
    ("availability_one_crew", "faults of several machines are repaired at the same time"),
    ("mttf_system", "it would need trials that are too long to simulate"),
    ("availability", FAILOVERS),
    ("downtime_minutes", "faults of several machines are repaired at the same time"),
    ("p99_9_latency", HEDGED),
    ("p99_latency", HEDGED),
    ("p95_latency", HEDGED),
    ("p50_latency", HEDGED),
    ("mean_latency", HEDGED),
    ("extra_load", HEDGED),
];

fn why_not(key: &str) -> Reason {
    let known = WHY_NOT.iter().find(|(prefix, _)| key.starts_with(prefix));
    known.map_or("no quantity of a trial stands for it", |(_, reason)| reason).to_owned()
}

fn offer<'k>(offers: impl IntoIterator<Item = (&'k str, Quantity)>) -> Vec<(String, Quantity)> {
    offers.into_iter().map(|(key, quantity)| (key.to_owned(), quantity)).collect()
}

/// The quantities of a case with one box called `box`.
fn at_the_box() -> Vec<(String, Quantity)> {
    use Quantity as Q;
    let at = || "box".to_owned();
    let mut offers = offer([
        ("utilization", Q::Utilisation(at())),
        ("mean_in_system", Q::Inside(at())),
        ("mean_in_queue", Q::Queue(at())),
        ("mean_wait", Q::Wait(at())),
        ("var_wait", Q::WaitVariance(at())),
        ("prob_wait", Q::WaitShare(at())),
        ("prob_wait_accepted", Q::WaitShare(at())),
        ("p50_wait", Q::WaitQuantile(at(), 0.5)),
        ("p95_wait", Q::WaitQuantile(at(), 0.95)),
        ("p99_wait", Q::WaitQuantile(at(), 0.99)),
        ("prob_block", Q::Failed),
    ]);
    offers.extend(end_to_end());
    offers
}

/// The quantities of any case: throughput and response times.
fn end_to_end() -> Vec<(String, Quantity)> {
    let mut offers = offer([("throughput", Quantity::Throughput)]);
    for what in ["sojourn", "response"] {
        offers.push((format!("mean_{what}"), Quantity::Response(None)));
        offers.push((format!("sd_{what}"), Quantity::ResponseDeviation));
        for (name, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            offers.push((format!("{name}_{what}"), Quantity::ResponseQuantile(None, q)));
        }
    }
    offers
}
