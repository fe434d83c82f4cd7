//! Several stations: open networks, tiers behind balancers, and calls that fork.

use serde_json::Value;

use super::params::{Params, Reason};
use super::text::{SHARED, client, cpu, exponential, fifo, public, rate, server, steady};
use super::{Input, Plan, Quantity, end_to_end, offer};

/// Largest number of visits of a request; a case whose requests make more visits is not expressed.
const VISITS_MAX: usize = 48;

/// Share of the requests below which further visits are left out: they change no measured value.
const NOBODY: f64 = 1e-7;

struct Station {
    name: String,
    mean: f64,
    cores: u32,
    /// The next station, and the probability of going there; otherwise the request leaves.
    next: Option<(usize, f64)>,
}

/// An open network in which each station has at most one successor. A request follows a chain of visits and leaves it
/// somewhere. Calls cannot go in a circle, so each further visit is its own box on the machine of the station.
pub(super) fn jackson(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let load = if params.has("gamma") { params.number("gamma")? } else { params.number("arrival_rate")? };
    params.only("discipline", &["FIFO"])?;
    let stations = stations(params)?;
    let mut chain = Vec::new();
    let (mut at, mut left) = (Some(0), 1.0);
    while let Some(index) = at {
        let next = stations[index].next;
        chain.push((index, next.map_or(0.0, |(_, chance)| chance)));
        left *= next.map_or(0.0, |(_, chance)| chance);
        at = next.filter(|_| left > NOBODY).map(|(next, _)| next);
        if chain.len() > VISITS_MAX {
            return Err("a request visits too many stations before it leaves".into());
        }
    }
    let boxes = client(&rate(load), &stations[0].name) + &visits(&stations, &chain);
    let mut offers = end_to_end();
    for (index, station) in stations.iter().enumerate() {
        let name = || station.name.clone();
        offers.push((format!("mean_in_station{}", index + 1), Quantity::InStation(name())));
        offers.push((format!("mean_in_{}", name()), Quantity::InStation(name())));
        offers.push((format!("utilization_station{}", index + 1), Quantity::Utilisation(name())));
        offers.push((format!("utilization_{}", name()), Quantity::Utilisation(name())));
        offers.push((format!("throughput_{}", name()), Quantity::RateOf(name())));
        offers.push((format!("mean_visits_{}", name()), Quantity::VisitsOf(name())));
    }
    Ok(vec![Plan::new(steady(input.seconds(load), &boxes), offers)])
}

fn stations(params: &Params<'_>) -> Result<Vec<Station>, Reason> {
    let list = params.value("stations").and_then(Value::as_array).ok_or("it has no list `stations`")?;
    let routing = params.value("routing").map(|rows| {
        let row = |row: &Value| row.as_array().map(|row| row.iter().filter_map(Value::as_f64).collect());
        rows.as_array().and_then(|rows| rows.iter().map(row).collect::<Option<Vec<Vec<f64>>>>())
    });
    let mut stations = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let of = Params::new(value.as_object().ok_or("`stations` holds more than objects")?);
        let name = of.word("name", "")?;
        let next = match &routing {
            None => (index + 1 < list.len()).then_some((index + 1, 1.0)),
            Some(rows) => next(rows.as_ref().ok_or("`routing` is no matrix")?, index)?,
        };
        stations.push(Station {
            name: if name.is_empty() { format!("station{}", index + 1) } else { name.to_owned() },
            mean: 1.0 / of.number("mu")?,
            cores: of.count_or("c", 1)?,
            next,
        });
        of.all_read()?;
    }
    if stations.is_empty()
        || stations.iter().any(|station| station.next.is_some_and(|(to, _)| to >= list.len()))
    {
        return Err("`routing` leads to stations that there are not".into());
    }
    Ok(stations)
}

fn next(rows: &[Vec<f64>], index: usize) -> Result<Option<(usize, f64)>, Reason> {
    let row = rows.get(index).ok_or("`routing` has too few rows")?;
    let mut ways = row.iter().copied().enumerate().filter(|(_, chance)| *chance > 0.0);
    let first = ways.next();
    if ways.next().is_some() {
        return Err("a step that calls one of several boxes by chance is not modelled".into());
    }
    Ok(first)
}

/// The boxes of a chain of visits, each with the probability of going on to the next.
fn visits(stations: &[Station], chain: &[(usize, f64)]) -> String {
    let name = |visit: usize| {
        let (station, _) = chain[visit];
        let first = chain.iter().position(|(known, _)| *known == station) == Some(visit);
        if first {
            stations[station].name.clone()
        } else {
            format!("{}-visit{visit}", stations[station].name)
        }
    };
    let mut boxes = String::new();
    for (visit, (index, chance)) in chain.iter().enumerate() {
        let station = &stations[*index];
        let mut steps = cpu(station.mean);
        if visit + 1 < chain.len() {
            let chance = if *chance < 1.0 { format!(", chance = {chance}") } else { String::new() };
            steps += &format!(", {{ call = \"{}\"{chance} }}", name(visit + 1));
        }
        let keys = if name(visit) == station.name {
            fifo(station.cores)
        } else {
            format!("{SHARED}\non = \"{}\"", station.name)
        };
        let make = if visit == 0 { public } else { server };
        boxes += &make(&name(visit), &keys, &steps);
    }
    boxes
}

/// Web servers, then replicas for the reads and the primary for the writes, each group behind a balancer.
pub(super) fn tiers(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let load = params.number("arrival_rate")?;
    let reads = params.number("read_fraction")?;
    let (web, slaves, master) = (params.part("web")?, params.part("slaves")?, params.part("master")?);
    let mut boxes = format!("[request.read]\nshare = {reads}\n[request.write]\nshare = {}\n", 1.0 - reads);
    boxes += &client(&rate(load), "lb");
    let balancer = |name: &str, target: &str, tier: &Params<'_>, public: bool| -> Result<String, Reason> {
        let policy = super::designs::policy(tier)?;
        Ok(format!("[balancer.{name}]\npublic = {public}\ntargets = [\"{target}\"]\n{policy}\n"))
    };
    let group = |tier: &Params<'_>| -> Result<(String, f64), Reason> {
        let (n, cores) = (tier.count_or("n", 1)?, tier.count_or("c", 1)?);
        Ok((format!("count = {n}\n{}", fifo(cores)), 1.0 / tier.number("mu")?))
    };
    boxes += &balancer("lb", "web", &web, true)?;
    boxes += &balancer("reads", "slave", &slaves, false)?;
    let ((web_keys, web_mean), (slave_keys, slave_mean), (master_keys, master_mean)) =
        (group(&web)?, group(&slaves)?, group(&master)?);
    let steps = "{ call = \"reads\", class = \"read\" }, { call = \"master\", class = \"write\" }";
    boxes += &server("web", &web_keys, &format!("{}, {steps}", cpu(web_mean)));
    boxes += &server("slave", &slave_keys, &cpu(slave_mean));
    boxes += &server("master", &master_keys, &cpu(master_mean));
    [web, slaves, master].iter().try_for_each(Params::all_read)?;
    let mut offers = end_to_end();
    offers.extend(
        ["web", "slave", "master"]
            .map(|name| (format!("utilization_{name}"), Quantity::Utilisation(name.into()))),
    );
    for (index, class) in ["read", "write"].iter().enumerate() {
        offers.push((format!("mean_sojourn_{class}"), Quantity::Response(Some(index))));
        for (name, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            offers.push((format!("{name}_sojourn_{class}"), Quantity::ResponseQuantile(Some(index), q)));
        }
    }
    Ok(vec![Plan::new(steady(input.seconds(load), &boxes), offers)])
}

/// Parallel calls to several boxes. The request is answered when the last of them is.
pub(super) fn forked(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let (branches, mean) = (params.count("branches")?, params.number("service_mean")?);
    let front = public("front", SHARED, &format!("{{ call = \"branch\", parallel = {branches} }}"));
    let is_delay = params.value("servers").and_then(Value::as_str) == Some("inf");
    let (load, branch) = if is_delay {
        // Calls do not wait for each other, so any load will do.
        let step = format!("{{ wait = {} }}", exponential(mean));
        (params.maybe("arrival_rate")?.unwrap_or(20.0), server("branch", SHARED, &step))
    } else {
        let keys = format!("count = {branches}\n{}", fifo(params.count_or("servers", 1)?));
        (params.number("arrival_rate")?, server("branch", &keys, &cpu(mean)))
    };
    let boxes = client(&rate(load), "front") + &front + &branch;
    let mut offers = end_to_end();
    offers.extend(offer([("utilization", Quantity::Utilisation("branch".into()))]));
    Ok(vec![Plan::new(steady(input.seconds(load), &boxes), offers)])
}
