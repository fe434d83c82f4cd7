//! Replicas that lag, and what a failover loses.

use super::params::Reason;
use super::text::time;
use super::{Input, Plan, Quantity, offer};

/// Keys of a database whose operations take no time, so that only replication does.
const FREE: &str = "connections = 100000\nread = \"0ms\"\nwrite = \"0ms\"\ncommit = \"0ms\"\nreplicas = 1\n\
                    apply = { demand = \"0ms\" }";

/// Seconds from the start in which the primary does not crash.
const QUIET: f64 = 10.0;

fn database(run: &str, classes: &str, load: f64, keys: &str) -> String {
    format!(
        "[run]\n{run}\n[network]\nclient = \"0ms\"\nsame_zone = \"0ms\"\njitter = 0\n{classes}\
         [client.users]\ntarget = \"web\"\nrate = \"{load}/s\"\ntimeout = \"1h\"\n\
         [server.web]\npublic = true\nworkers = 100000\ndb_pool = 100000\nmemory = \"1TiB\"\nsteps = [{{ query = \"db\" }}]\n\
         [database.db]\n{FREE}\n{keys}\n"
    )
}

const WRITES: &str = "[request.write]\neffect = \"write\"\n";
const MIXED: &str = "[request.read]\nshare = 1\n[request.write]\nshare = 1\neffect = \"write\"\n";

/// A crash of the primary at a time that is uniform over this many seconds. It is not repaired within a trial.
fn crash(over: f64) -> String {
    let (from, to) = (time(QUIET), time(QUIET + over));
    format!(
        "[[fault]]\nkind = \"crash\"\ntarget = \"db.primary\"\nmttr = \"1000h\"\n\
         mtbf = {{ dist = \"uniform\", min = \"{from}\", max = \"{to}\" }}\n"
    )
}

/// Reads from a replica that lags, and a failover to it.
pub(super) fn lagging(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let writes = params.number("write_rate")?;
    if params.has("period") {
        return batches(input, writes);
    }
    params.only("lag", &["exponential", "deterministic", "constant"])?;
    let lag = params.number("lag_mean")?;
    let ship = format!("ship = {{ delay = \"{}\" }}", time(lag));
    let reads = input.seconds(2.0 * writes).min(200_000.0 / writes);
    let run = format!("warmup = \"10s\"\nduration = \"{}\"", time(reads));
    let readers = Plan::new(
        database(&run, MIXED, 2.0 * writes, &ship),
        offer([
            ("prob_stale_read_slave", Quantity::StaleReads),
            ("mean_versions_behind", Quantity::VersionsBehind),
        ]),
    );
    let lost = offer([
        ("mean_lost_writes_on_failover", Quantity::LostWrites),
        ("prob_no_loss", Quantity::NothingLost),
    ]);
    Ok(vec![readers, lost_writes(writes, &ship, lag, lost)])
}

/// A log that is shipped in batches.
fn batches(input: &Input<'_>, writes: f64) -> Result<Vec<Plan>, Reason> {
    let (period, transfer) = (input.params.number("period")?, input.params.number("transfer")?);
    let ship = format!("ship = {{ every = \"{}\", delay = \"{}\" }}", time(period), time(transfer));
    let mean = input.case.value("mean_lost_writes_on_failover").unwrap_or_default();
    let lost = offer([
        ("mean_lost_writes_on_failover", Quantity::LostWrites),
        ("var_lost_writes", Quantity::LostSquared(mean)),
    ]);
    Ok(vec![lost_writes(writes, &ship, period, lost)])
}

/// A plan with one failover in each trial.
fn lost_writes(writes: f64, ship: &str, over: f64, lost: Vec<(String, Quantity)>) -> Plan {
    let failover = "failover = { interval = \"200ms\", misses = 2, promote = \"100ms\" }";
    let run = format!("warmup = \"0s\"\nduration = \"{}\"", time(QUIET + over + 4.0));
    Plan::new(database(&run, WRITES, writes, &format!("{ship}\n{failover}\n{}", crash(over))), lost)
        .trials(1000)
        .rare()
}

/// The length of an outage, and the requests that fail in it.
pub(super) fn failover(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let (interval, misses) = (params.number("heartbeat")?, params.count("misses")?);
    let promotion = params.number("promotion")?;
    params.number("mtbf")?;
    params.only(
        "detection_rule",
        &["declared dead `misses` heartbeat periods after the last heartbeat received"],
    )?;
    let length = QUIET + interval + interval * f64::from(misses) + promotion + 20.0;
    let failover = |load: f64, key: &str, quantity| {
        let keys = format!(
            "failover = {{ interval = \"{}\", misses = {misses}, promote = \"{}\" }}\n{}",
            time(interval),
            time(promotion),
            crash(interval)
        );
        let run = format!("warmup = \"0s\"\nduration = \"{}\"", time(length));
        Plan::new(database(&run, WRITES, load, &keys), offer([(key, quantity)])).trials(200).rare()
    };
    // The outage ends with the first write after the promotion. 200 writes a second make that wait negligible.
    let mut plans = vec![failover(200.0, "mean_outage", Quantity::Outage)];
    for (key, rate) in input.numbered("lost_writes_per_failover_if_rate") {
        plans.push(failover(rate, &key, Quantity::FailedInOutage));
    }
    Ok(plans)
}
