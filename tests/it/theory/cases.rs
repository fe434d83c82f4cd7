//! The cases as scenarios: for each its text, the number of trials, and what is measured for each expected value.

mod dynamics;
mod networks;
mod stations;

use super::measure::Quantity::{self, *};
use dynamics::{time_varying, tries};
use networks::{closed_loops, designs, networks, parallel};
use stations::{other_queues, poisson_queues, shared_cores};

/// One scenario for a case. A case that compares designs, or points of a curve, has several.
pub(crate) struct Case {
    /// As in `tests/data/cases.json`.
    pub(crate) id: &'static str,
    /// The scenario.
    pub(crate) text: String,
    /// Independent trials.
    pub(crate) trials: u64,
    /// Key of each expected value, and how it is measured.
    pub(crate) quantities: Vec<(&'static str, Quantity)>,
}

/// Trials of a case where nothing asks for more.
const TRIALS: u64 = 30;

/// Cases that one simulation each shows exactly: see `exact.rs`.
pub(crate) const EXACT: &[&str] = &["fluid-dd1-overload", "trace-5jobs"];

/// Cases of which only the closed forms of `outgrow::theory` are held against the expected values: see
/// `closed_forms.rs`.
pub(crate) const CLOSED_FORMS_ONLY: &[&str] =
    &["availability-2of3", "availability-single-onoff", "cache-lru-zipf-small"];

/// Cases that no scenario can express yet, and why.
pub(crate) const NOT_EXPRESSIBLE: &[(&str, &str)] = &[
    ("lb-p2c-n100", "two-choices takes two different targets; here both may be the same"),
    ("lb-pod-supermarket-limit", "the limit of infinitely many targets"),
    ("priority-nonpreemptive-mm1", "queues with priorities are not modelled"),
    (
        "erlang-a-c10-rho110",
        "calls that wait are not withdrawn when their user gives up, and limits are constant",
    ),
    ("timeout-deterministic-c1", "calls that wait are not withdrawn when their user gives up"),
    ("breakdown-mm1-resume", "a crash loses the calls inside; a pause that keeps them is not modelled"),
    ("failover-outage", "scenarios have no faults at random times yet"),
    ("retrial-mm1", "pauses between tries are not exponential"),
    ("hedge-lognormal", "hedged requests are not modelled"),
    ("replication-async-exp-lag", "replicas apply in commit order, not each write on its own"),
    ("replication-log-shipping", "the log is shipped as it is written, not in batches"),
];

/// Expected values of the cases above that no quantity of a trial stands for, and why.
pub(crate) const NOT_MEASURED: &[(&str, &str, &str)] = &[
    ("*", "asympt_var_timeavg_number", "sizes runs; it is no mean of a trial"),
    ("*", "sigma", "a parameter of the formula"),
    ("*", "var_in_system", "a trial keeps the average and the greatest number inside, not its square"),
    ("*", "prob_empty", "a trial keeps the average and the greatest number inside, not its distribution"),
    ("*", "p99_in_system", "a trial keeps the average and the greatest number inside, not its distribution"),
    ("*", "approx_kingman_vut_wait", "an approximation, not the truth"),
    ("*", "approx_klb_wait", "an approximation, not the truth"),
    ("*", "mean_slowdown", "a trial does not keep sizes beside response times"),
    ("*", "mean_slowdown_small", "a trial does not keep sizes beside response times"),
    ("*", "mean_slowdown_large", "a trial does not keep sizes beside response times"),
    ("fanout-max20", "prob_any_slow", "a trial does not tell which of the calls was slow"),
    ("backoff-geometric", "prob_exactly_3_attempts", "a trial keeps the mean number of tries only"),
    ("cache-ttl-dns", "hit_ratio_ttl_reset_single", "a hit does not renew the time to live, as in DNS"),
    ("cache-ttl-dns", "hit_ratio_ttl_fixed_zipf", "a client asks for one name"),
    ("cache-ttl-dns", "origin_rate_zipf", "a client asks for one name"),
    ("mt-m-inf-sinusoid", "time_lag_of_peak", "the levels beside the peak differ by less than their error"),
    ("mt-m-inf-sinusoid", "var_at_t5", "a window keeps the average over its time, not the level at a moment"),
    (
        "batch-arrivals-mx-m-1",
        "mean_batch",
        "a parameter; the mean number in the system shows the second moment",
    ),
    ("usl-curve", "n_star", "where the curve of the other values has its peak"),
    ("usl-curve", "amdahl_limit_without_kappa", "the limit of an infinite number of cores"),
    ("mm1-transient-from-empty", "steady_state", "measured in mm1-rho80"),
];

/// All cases that are simulated, by family.
pub(crate) fn families() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("poisson queues", poisson_queues()),
        ("other queues", other_queues()),
        ("shared cores", shared_cores()),
        ("networks", networks()),
        ("designs", designs()),
        ("closed loops", closed_loops()),
        ("parallel", parallel()),
        ("tries", tries()),
        ("time-varying", time_varying()),
    ]
}

/// Nothing is rejected, and memory is no limit.
const OPEN: &str =
    "workers = 100000\nmemory_per_call = \"1KiB\"\nbase_memory = \"1MiB\"\nscheduling = \"fifo\"";

/// The same, with the cores shared by all.
const SHARED: &str = "workers = 100000\nmemory_per_call = \"1KiB\"\nbase_memory = \"1MiB\"";

/// A run of so many seconds after a warm-up, without any network in between.
fn scenario(warmup: f64, seconds: f64, boxes: &str) -> String {
    format!(
        "[run]\nwarmup = \"{warmup}s\"\nduration = \"{seconds}s\"\n\
         [network]\nclient = \"0ms\"\nsame_zone = \"0ms\"\njitter = 0\n{boxes}"
    )
}

/// Users of one box.
fn client(load: &str, target: &str) -> String {
    format!("[client.users]\ntarget = \"{target}\"\ntimeout = \"10h\"\n{load}\n")
}

/// A box of such keys that does one step.
fn server(name: &str, keys: &str, steps: &str) -> String {
    format!("[server.{name}]\n{keys}\nsteps = [{steps}]\n")
}

fn public(name: &str, keys: &str, steps: &str) -> String {
    server(name, &format!("public = true\n{keys}"), steps)
}

fn cpu(milliseconds: f64) -> String {
    format!("{{ cpu = {{ dist = \"exponential\", mean = \"{milliseconds}ms\" }} }}")
}

/// One box, open arrivals.
fn single(id: &'static str, seconds: f64, load: &str, keys: &str, step: &str) -> Case {
    let boxes = client(load, "box") + &public("box", keys, step);
    Case { id, text: scenario(seconds / 20.0, seconds, &boxes), trials: TRIALS, quantities: at_the_box() }
}

/// What a case with one box called `box` may ask for, under the keys of the data file.
fn at_the_box() -> Vec<(&'static str, Quantity)> {
    let mut quantities = vec![
        ("utilization", Utilisation("box")),
        ("mean_in_system", Inside("box")),
        ("mean_in_queue", Queue("box")),
        ("mean_wait", Wait("box")),
        ("var_wait", WaitVariance("box")),
        ("prob_wait", WaitShare("box")),
        ("prob_wait_accepted", WaitShare("box")),
        ("p50_wait", WaitQuantile("box", 0.5)),
        ("p95_wait", WaitQuantile("box", 0.95)),
        ("p99_wait", WaitQuantile("box", 0.99)),
        ("prob_block", Failed),
    ];
    quantities.extend(end_to_end());
    quantities
}

/// What any case may ask for.
fn end_to_end() -> Vec<(&'static str, Quantity)> {
    let every = usize::MAX;
    vec![
        ("throughput", Throughput),
        ("mean_sojourn", Response(0, every)),
        ("sd_sojourn", ResponseDeviation),
        ("p50_sojourn", ResponseQuantile(0, every, 0.5)),
        ("p95_sojourn", ResponseQuantile(0, every, 0.95)),
        ("p99_sojourn", ResponseQuantile(0, every, 0.99)),
        ("mean_response", Response(0, every)),
        ("sd_response", ResponseDeviation),
        ("p50_response", ResponseQuantile(0, every, 0.5)),
        ("p95_response", ResponseQuantile(0, every, 0.95)),
        ("p99_response", ResponseQuantile(0, every, 0.99)),
    ]
}
