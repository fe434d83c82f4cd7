//! What binds, why, and what to try next: sentences made from measured numbers, never fixed conclusions.

use crate::model::catalogue;
use crate::model::quantity::Rate;
use crate::model::spec::Offered;
use crate::scenario::load::{apply_rate, static_load};
use crate::scenario::{BoxEntry, Scenario};

use super::result::{Answer, Bottleneck, ComponentResult, Figure, Outcomes, Prediction, Relation, RunResult};

/// Members of a group whose mean use is less than this share below the busiest are taken for alike.
const ALIKE: f64 = 0.1;

/// A share above which something is the rule rather than the exception.
const MOSTLY: f64 = 0.5;

/// Slots that are so much busier than the cores behind them bind in their place.
const CLEARLY_BUSIER: f64 = 0.1;

/// From this use on a resource is worth enlarging.
const BUSY: f64 = 0.7;

/// From this use on cores are as good as saturated.
const SATURATED: f64 = 0.9;

/// Windows whose mean must be beyond it: one alone is chance.
const BUSY_WINDOWS: usize = 10;

/// More trials than this are no advice to run: the value is too close to its bound.
pub(super) const TRIALS_ADVISED_MAX: u64 = 1000;

/// A share of the response time that is worth a sentence.
const SHARE_SHOWN: f64 = 0.1;

/// The workers that apply the log are a resource of their own, with as many cores as they are at most.
const APPLIERS: &str = "apply workers";

/// The resource with the highest use.
pub(super) fn bottleneck(scenario: &Scenario, result: &RunResult) -> Option<Bottleneck> {
    let found = busiest(result).into_iter().chain(appliers(scenario, result));
    found.reduce(|most, one| if one.utilisation > most.utilisation { one } else { most })
}

/// The workers who apply the log, by the utilisation law: what a request has them do, times the measured requests.
fn appliers(scenario: &Scenario, result: &RunResult) -> Vec<Bottleneck> {
    let load = static_load(&scenario.boxes, &scenario.classes);
    let rate = |offered: &Offered, most: f64| if let Offered::Open(rate) = offered { *rate } else { most };
    let expected: f64 = load.clients.iter().map(|client| rate(&client.offered, client.throughput_max)).sum();
    let share = result.metrics.throughput_rps.mean.unwrap_or(0.0) / expected;
    let boxes = scenario.boxes.iter().zip(&load.boxes);
    let used = boxes.filter_map(|(entry, one)| Some((entry, share * one.apply_work / apply_rate(entry)?)));
    used.filter(|(_, used)| *used > 0.0)
        .map(|(entry, used)| Bottleneck {
            component: entry.name.clone(),
            resource: APPLIERS,
            utilisation: used.min(1.0),
        })
        .collect()
}

/// The measured resource with the highest use.
fn busiest(result: &RunResult) -> Option<Bottleneck> {
    let all = result.components.iter().flat_map(|(name, component)| {
        uses(name, component).into_iter().map(move |(resource, used)| (name, component, resource, used))
    });
    let (name, component, resource, used) =
        all.reduce(|most, one| if one.3 > most.3 { one } else { most })?;
    if used <= 0.0 {
        return None;
    }
    let mates: Vec<f64> = result
        .components
        .iter()
        .filter(|(_, other)| other.group == component.group)
        .filter_map(|(name, other)| {
            uses(name, other).into_iter().find(|one| one.0 == resource).map(|one| one.1)
        })
        .collect();
    let average = mates.iter().sum::<f64>() / mates.len() as f64;
    let (component, utilisation) = if used - average <= ALIKE * used && mates.len() > 1 {
        (component.group.clone(), average)
    } else {
        (name.to_owned(), used)
    };
    Some(Bottleneck { component, resource, utilisation })
}

/// How busy each resource of a component is. The cores and the disk of a machine count for its host alone.
fn uses(name: &str, component: &ComponentResult) -> Vec<(&'static str, f64)> {
    let mut uses = Vec::new();
    let mean = |figure: &Option<Figure>| figure.as_ref().and_then(|figure| figure.mean);
    let cores = mean(&component.utilisation).unwrap_or(0.0);
    if component.machine.as_ref().is_some_and(|machine| machine.host == name) {
        uses.push(("cpu", cores));
        uses.extend(mean(&component.disk_utilisation).map(|disk| ("disk", disk)));
    }
    if let Some(machine) =
        component.machine.as_ref().filter(|_| count(&component.outcomes.out_of_memory) > 0.0)
    {
        let used = mean(&component.memory_bytes_max).unwrap_or(0.0) / machine.memory_bytes as f64;
        uses.push(("memory", used.min(1.0)));
    }
    let resource = if component.kind == "server" { "workers" } else { "connections" };
    let slots = mean(&component.slots_utilisation).filter(|held| *held > cores + CLEARLY_BUSIER);
    uses.extend(slots.map(|held| (resource, held)));
    uses
}

fn count(figure: &Figure) -> f64 {
    figure.mean.unwrap_or(0.0)
}

/// Why the figures are what they are, the most important first.
pub(super) fn why(scenario: &Scenario, result: &RunResult) -> Vec<String> {
    let mut why = Vec::new();
    why.extend(growth(result));
    why.extend(what_binds(scenario, result));
    // While queues grow, calls of the warm-up are answered in the measured time, and shares of the time mean nothing.
    why.extend(where_time_goes(result).filter(|_| result.steady_state.reached));
    why.extend(failures(result));
    why.extend(one_single_thing(scenario, result));
    why.extend(result.theory.iter().filter_map(prediction));
    why
}

/// Why nearly all reads are stale where nobody would expect it.
fn one_single_thing(scenario: &Scenario, result: &RunResult) -> Option<String> {
    let stale = result.metrics.data.as_ref()?.stale_read_share.mean.filter(|share| *share > MOSTLY)?;
    scenario.classes.iter().all(|class| class.keys.count == 1).then(|| {
        format!(
            "{:.0} % of the reads are stale: without `keys` the data are one single thing, so that a read is stale \
             when any write is missing",
            100.0 * stale
        )
    })
}

fn growth(result: &RunResult) -> Option<String> {
    let growth = result.steady_state.growth_per_s?;
    Some(match &result.steady_state.component {
        Some(component) => {
            format!("no steady state: the queue at `{component}` grows by {} calls a second", number(growth))
        }
        None => format!("no steady state: {} more requests are under way every second", number(growth)),
    })
}

fn what_binds(scenario: &Scenario, result: &RunResult) -> Option<String> {
    let bottleneck = result.bottleneck.as_ref()?;
    let (name, share) = (&bottleneck.component, 100.0 * bottleneck.utilisation);
    let what = match bottleneck.resource {
        "cpu" => "the cores",
        "disk" => "the disk",
        "memory" => "the memory",
        "connections" => "the connections",
        APPLIERS => "the workers that apply the log in the replicas",
        _ => "the workers",
    };
    let mut text = format!("{what} of `{name}` are {share:.0} % busy, more than anything else");
    if bottleneck.resource == "disk" || bottleneck.resource == "memory" {
        text = text.replace(" are ", " is ").replace("busy", "used");
    }
    if let Some(since) = busy_since(result, bottleneck) {
        let when = if since > 0.0 { format!("since {since:.0} s") } else { "from the start".into() };
        text += &format!("; above {:.0} % {when}", 100.0 * SATURATED);
    }
    if let Some(since) = since(result, name).filter(|_| result.steady_state.reached) {
        text += &format!("; calls have piled up there since {since:.0} s");
    }
    let rate = result.metrics.throughput_rps.mean.unwrap_or(0.0);
    // The utilisation law: work for each request stays, so that use grows with the rate. Cores that get in each other's
    // way are busy for longer the more of them are.
    let has_contention = owner(scenario, name)
        .and_then(|entry| entry.spec.machine())
        .is_some_and(|machine| machine.sigma > 0.0 || machine.kappa > 0.0);
    if bottleneck.resource == "cpu"
        && !has_contention
        && result.steady_state.reached
        && bottleneck.utilisation < 0.99
        && rate > 0.0
    {
        text += &format!(
            "; at this mix they saturate at {} requests a second",
            number(rate / bottleneck.utilisation)
        );
    }
    Some(text)
}

/// When the cores that bind were first as good as saturated, on average over the trials and over [`BUSY_WINDOWS`] windows;
/// seconds after the start of the trial.
fn busy_since(result: &RunResult, bottleneck: &Bottleneck) -> Option<f64> {
    if bottleneck.resource != "cpu" {
        return None;
    }
    let name = &bottleneck.component;
    let is_it = |column: &&String| {
        let of = column.strip_prefix("busy:");
        let group = |of| result.components.get(of).map(|one| &one.group);
        of.is_some_and(|of| of == name || group(of) == Some(name))
    };
    let columns: Vec<&String> = result.series.columns.iter().filter(is_it).collect();
    let members: Vec<Vec<f64>> = columns
        .iter()
        .filter_map(|column| Some(result.series.column(column)?.map(|one| one.unwrap_or(0.0)).collect()))
        .collect();
    let mean = |row: usize| members.iter().map(|member| member[row]).sum::<f64>() / members.len() as f64;
    let means: Vec<f64> = (0..result.series.rows.len()).map(mean).collect();
    let is_saturated = |some: &[f64]| some.iter().sum::<f64>() / some.len() as f64 >= SATURATED;
    let first = means.windows(BUSY_WINDOWS).position(is_saturated)?;
    // Cores that are busy by chance for a while are not so for good.
    if is_saturated(&means[first..]) { result.series.rows[first][0] } else { None }
}

/// Since when a component has held more calls than half of what it holds in the end, if that is much more than in the
/// beginning; seconds after the start of the trial.
fn since(result: &RunResult, component: &str) -> Option<f64> {
    let inside: Vec<f64> =
        result.series.column(&format!("inside:{component}"))?.map(|one| one.unwrap_or(0.0)).collect();
    let quarter = inside.len() / 4;
    let average = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    if quarter == 0 {
        return None;
    }
    let (first, last) = (average(&inside[..quarter]), average(&inside[inside.len() - quarter..]));
    if last < 10.0 || last < 3.0 * first {
        return None;
    }
    let calm = inside.iter().rposition(|&calls| calls < last / 2.0)?;
    result.series.rows.get(calm + 1)?[0]
}

/// The component at which requests wait longest, as a share of their response time.
fn where_time_goes(result: &RunResult) -> Option<String> {
    let requests = result.metrics.outcomes.ok.mean.filter(|ok| *ok > 0.0)?;
    let response = result.metrics.response_ms.mean.mean?;
    let waits = result.components.iter().filter_map(|(name, component)| {
        let calls = component.outcomes.ok.mean?;
        Some((name, component.wait_ms.mean.mean? * calls / requests))
    });
    let (name, wait) = waits.reduce(|most, one| if one.1 > most.1 { one } else { most })?;
    let share = wait / response;
    // Calls whose users have given up wait too; with many of them the share is none.
    (SHARE_SHOWN..=1.0).contains(&share).then(|| {
        format!(
            "a request waits {} ms in the queue of `{name}`, {:.0} % of its {} ms",
            number(wait),
            100.0 * share,
            number(response)
        )
    })
}

/// The most frequent way in which requests fail, and where.
fn failures(result: &RunResult) -> Option<String> {
    let all = &result.metrics.outcomes;
    let ended = count(&all.ok) + failed(all).iter().map(|(_, count)| count).sum::<f64>();
    let (how, most) = worst(all)?;
    let share = 100.0 * most / ended;
    let places = result.components.iter().filter_map(|(name, component)| {
        let (local, count) = worst(&component.outcomes)?;
        Some((name, local, count))
    });
    let place = places.reduce(|most, one| if one.2 > most.2 { one } else { most });
    let at = place.map_or(String::new(), |(name, local, calls)| {
        format!("; most calls fail at `{name}`: {} a trial, {local}", number(calls))
    });
    Some(format!("{} % of the requests end {how}{at}", number(share)))
}

fn failed(outcomes: &Outcomes) -> [(&'static str, f64); 5] {
    [
        ("rejected", count(&outcomes.rejected)),
        ("timed out", count(&outcomes.timed_out)),
        ("unavailable", count(&outcomes.unavailable)),
        ("out of memory", count(&outcomes.out_of_memory)),
        ("throttled", count(&outcomes.throttled)),
    ]
}

fn worst(outcomes: &Outcomes) -> Option<(&'static str, f64)> {
    let found = failed(outcomes).into_iter().filter(|(_, count)| *count > 0.0);
    found.reduce(|most, one| if one.1 > most.1 { one } else { most })
}

/// Theory beside measurement. The utilisation law is silent as long as it agrees, as it must; Little's law always is,
/// as the model asserts it.
fn prediction(prediction: &Prediction) -> Option<String> {
    if prediction.quantity == "in_flight_mean" || prediction.quantity == "utilisation" {
        return None;
    }
    let mean = prediction.measured.mean?;
    let measured = match prediction.measured.half_width {
        Some(half_width) => with_half_width(mean, half_width),
        None => number(mean),
    };
    let relation = match prediction.relation {
        Relation::Equal => "",
        Relation::About => "about ",
        Relation::AtMost => "at most ",
        Relation::AtLeast => "at least ",
    };
    let unit = if prediction.quantity == "response_ms" { "ms" } else { "requests a second" };
    let Prediction { component, law, theory, .. } = prediction;
    let at = if component == "system" { String::new() } else { format!(" for `{component}`") };
    Some(format!("theory{at}: {law} says {relation}{} {unit}, measured {measured}", number(*theory)))
}

/// Three significant digits, or all those before the point.
fn number(value: f64) -> String {
    format!("{value:.*}", decimals(value))
}

/// A value and its half-width with as many decimals as give the half-width two significant digits.
fn with_half_width(value: f64, half_width: f64) -> String {
    let decimals = decimals(10.0 * half_width).max(decimals(value));
    format!("{value:.decimals$} ± {half_width:.decimals$}")
}

/// Decimals of three significant digits.
fn decimals(value: f64) -> usize {
    let digits = if value == 0.0 { 0.0 } else { libm::log10(value.abs()).floor() };
    (2.0 - digits).clamp(0.0, 6.0) as usize
}

/// A command that is worth running next.
pub(super) fn next(scenario: &Scenario, result: &RunResult) -> Option<String> {
    let run = format!("outgrow run {}", scenario.origin);
    let undecided = result.expect.iter().find(|verdict| verdict.verdict == Answer::NotShown);
    if let Some(trials) =
        undecided.and_then(|verdict| verdict.trials_needed).filter(|few| *few <= TRIALS_ADVISED_MAX)
    {
        return Some(format!("{run} --trials {trials}"));
    }
    let bottleneck = result.bottleneck.as_ref()?;
    let is_busy = bottleneck.utilisation >= BUSY || !result.steady_state.reached;
    let change = if is_busy { enlarge(scenario, bottleneck) } else { more_load(scenario) };
    Some(format!("{run} --set {}", change?))
}

/// The box that a name, of a box or of a member, stands for.
fn owner<'a>(scenario: &'a Scenario, name: &str) -> Option<&'a BoxEntry> {
    let is_member = |entry: &&BoxEntry| {
        let member = |number| entry.spec.member(&entry.name, number).name;
        (0..entry.spec.members()).any(|number| member(number) == name)
    };
    let boxes = &scenario.boxes;
    boxes.iter().find(|entry| entry.name == name).or_else(|| boxes.iter().find(is_member))
}

/// The override that gives the bottleneck more of what it lacks.
fn enlarge(scenario: &Scenario, bottleneck: &Bottleneck) -> Option<String> {
    let entry = owner(scenario, &bottleneck.component)?;
    let name = &entry.name;
    match bottleneck.resource {
        "cpu" => more_cores(scenario, entry, &bottleneck.component),
        "memory" => {
            entry.spec.machine().map(|machine| format!("{name}.memory={}MiB", 2 * (machine.memory >> 20)))
        }
        APPLIERS => {
            let (workers, machine) = (entry.spec.appliers()?, entry.spec.machine()?);
            if workers < machine.cores {
                Some(format!("{name}.apply.workers={}", (2 * workers).min(machine.cores)))
            } else {
                larger(scenario, entry)
            }
        }
        _ => None,
    }
}

/// More machines for a group, more replicas where reads bind, or else a larger machine.
fn more_cores(scenario: &Scenario, entry: &BoxEntry, component: &str) -> Option<String> {
    let (name, machines) = (&entry.name, entry.spec.machines());
    if entry.spec.appliers().is_some() {
        let primary = format!("{name}.primary");
        let reads_bind = component != primary.as_str();
        return if reads_bind {
            Some(format!("{name}.replicas={machines}"))
        } else {
            larger(scenario, entry)
        };
    }
    if machines > 1 {
        return Some(format!("{name}.count={}", machines + machines.div_ceil(2)));
    }
    larger(scenario, entry)
}

/// The next larger machine of the family, with its price; where the family ends, what the chapter does next: a server is
/// scaled out, and a database gets replicas.
fn larger(scenario: &Scenario, entry: &BoxEntry) -> Option<String> {
    let (name, machine) = (&entry.name, entry.spec.machine()?);
    let table: toml::Table = scenario.text.parse().ok()?;
    let keys = table.get(entry.kind)?.get(name)?;
    let rented = keys.get("instance").and_then(|instance| instance.as_str()).and_then(catalogue::find);
    let Some(rented) = rented.filter(|_| keys.get("cores").is_none()) else {
        return Some(format!("{name}.cores={}", 2 * machine.cores));
    };
    let virtual_ones = catalogue::family(rented.family()).filter(|other| !other.name.contains("metal"));
    let next = virtual_ones.filter(|other| other.cores > rented.cores).min_by_key(|other| other.cores);
    match (next, entry.kind) {
        (Some(next), _) => Some(format!("{name}.instance={} # USD {} an hour", next.name, next.usd_per_hour)),
        (None, "server") => Some(format!("{name}.count=2 # {} is the largest of its family", rented.name)),
        (None, "database") if entry.spec.appliers().is_none() => {
            Some(format!("{name}.replicas=2 # {} is the largest of its family", rented.name))
        }
        (None, _) => None,
    }
}

/// The override that doubles the load, to see what gives way first.
fn more_load(scenario: &Scenario) -> Option<String> {
    let entry = scenario.boxes.iter().find(|entry| entry.spec.offered().is_some())?;
    let table: toml::Table = scenario.text.parse().ok()?;
    let client = table.get(entry.kind)?.get(&entry.name)?;
    let double = |key: &str| {
        let value = client.get(key)?;
        match value.as_integer() {
            Some(users) => Some(users.checked_mul(2)?.to_string()),
            None => value.as_str()?.parse::<Rate>().ok().map(|rate| Rate(2.0 * rate.0).to_string()),
        }
    };
    ["users", "rate", "sessions"]
        .iter()
        .find_map(|key| Some(format!("{}.{key}={}", entry.name, double(key)?)))
}

#[cfg(test)]
mod tests {
    use super::super::data::DataResult;
    use super::super::samples::{from_text, result, scenario, trial};
    use super::*;
    use crate::model::record::TrialRecord;

    fn changed(change: impl Fn(&mut TrialRecord)) -> RunResult {
        let mut records = vec![trial(&[100, 200]), trial(&[100, 200])];
        records.iter_mut().for_each(change);
        result(records)
    }

    #[test]
    fn the_busiest_resource_binds() {
        let found = changed(|_| ()).bottleneck.unwrap();
        assert_eq!((found.component.as_str(), found.resource, found.utilisation), ("box", "cpu", 0.75));
        let disk = changed(|record| {
            record.components[0].machine.as_mut().unwrap().disk_utilisation = Some(0.9);
        });
        assert_eq!(disk.bottleneck.unwrap().resource, "disk");
        // A call that is served on a core also holds a worker: workers bind only if they are clearly busier than the
        // cores.
        let held =
            |share| changed(move |record| record.components[0].slots_held = Some(share)).bottleneck.unwrap();
        assert_eq!((held(0.95).resource, held(0.95).utilisation), ("workers", 0.95));
        assert_eq!(held(0.8).resource, "cpu");
    }

    #[test]
    fn reads_that_are_stale_because_the_data_are_one_thing_are_explained() {
        let why = |share: f64, keys: u32| {
            let mut scenario = scenario("5/s");
            scenario.classes.iter_mut().for_each(|class| class.keys.count = keys);
            let mut result = changed(|_| ());
            let stale_read_share = Figure { mean: Some(share), ..Figure::default() };
            result.metrics.data = Some(DataResult { stale_read_share, ..DataResult::default() });
            one_single_thing(&scenario, &result)
        };
        assert!(why(0.93, 1).unwrap().starts_with("93 % of the reads are stale: without `keys`"));
        assert_eq!((why(0.3, 1), why(0.93, 2)), (None, None));
    }

    #[test]
    fn members_that_are_alike_are_named_together() {
        let group = |busy: f64| {
            changed(move |record| {
                let mut second = record.components[0].clone();
                for (component, name) in [(&mut record.components[0], "web-1"), (&mut second, "web-2")] {
                    (component.name, component.group) = (name.into(), "web".into());
                    component.machine.as_mut().unwrap().host = name.into();
                }
                second.machine.as_mut().unwrap().busy_cores_mean = busy;
                record.components[1] = second;
            })
        };
        let alike = group(1.4).bottleneck.unwrap();
        assert_eq!((alike.component.as_str(), alike.utilisation), ("web", 0.725));
        assert_eq!(group(0.2).bottleneck.unwrap().component, "web-1");
    }

    #[test]
    fn sentences_follow_the_numbers() {
        let calm = changed(|_| ());
        assert_eq!(
            calm.why,
            [
                "the cores of `box` are 75 % busy, more than anything else; at this mix they saturate at 0.267 requests a second"
            ]
        );
        let later =
            changed(|record| record.windows[60..].iter_mut().for_each(|window| window.busy[0] = 0.95));
        assert!(later.why[0].contains("; above 90 % since 6 s; "), "{:?}", later.why);
        let always = changed(|record| record.windows.iter_mut().for_each(|window| window.busy[0] = 0.95));
        assert!(always.why[0].contains("; above 90 % from the start; "), "{:?}", always.why);
        let failing = changed(|record| {
            record.classes[0].issued += 2;
            record.classes[0].outcomes[1] = 2;
            record.components[0].outcomes[1] = 2;
        });
        assert_eq!(
            failing.why[1],
            "50.0 % of the requests end rejected; most calls fail at `box`: 2.00 a trial, rejected"
        );
    }

    #[test]
    fn the_next_command_changes_what_binds() {
        let scenario = |rest: &str| {
            from_text(&format!(
                "[client.users]\n{rest}\ntarget = 'web'\n[server.web]\npublic = true\ncores = 2\nsteps = [{{ cpu = '1ms' }}]\n"
            ))
        };
        let mut result = changed(|_| ());
        let mut with = |component: &str, utilisation: f64, scenario: &Scenario| {
            result.bottleneck =
                Some(Bottleneck { component: component.into(), resource: "cpu", utilisation });
            next(scenario, &result).unwrap()
        };
        let open = scenario("rate = '50/s'");
        assert_eq!(with("web", 0.9, &open), "outgrow run a.toml --set web.cores=4");
        assert_eq!(with("web", 0.1, &open), "outgrow run a.toml --set users.rate=100/s");
        assert_eq!(with("web", 0.1, &scenario("users = 50")), "outgrow run a.toml --set users.users=100");
    }

    #[test]
    fn a_rented_machine_grows_along_its_family_and_at_its_price() {
        let next_of = |keys: &str, kind: &str| {
            let text = format!(
                "[client.users]\nrate = '50/s'\ntarget = 'web'\n[server.web]\npublic = true\ncores = 8\n\
                 steps = [{{ query = 'db' }}]\n[database.db]\n{keys}\n"
            );
            let text = match kind {
                "server" => text
                    .replace("cores = 8", keys)
                    .replace(&format!("[database.db]\n{keys}"), "[database.db]"),
                _ => text,
            };
            let scenario = from_text(&text);
            let component = if kind == "server" { "web" } else { "db" };
            let binds = Bottleneck { component: component.into(), resource: "cpu", utilisation: 0.9 };
            enlarge(&scenario, &binds)
        };
        let check = |keys: &str, kind: &str, expected: &str| {
            assert_eq!(next_of(keys, kind).as_deref(), Some(expected), "{keys}");
        };
        let next = "web.instance=m7i.xlarge # USD 0.2016 an hour";
        check("instance = 'm7i.large'", "server", next);
        check(
            "instance = 'm7i.48xlarge'",
            "server",
            "web.count=2 # m7i.48xlarge is the largest of its family",
        );
        check(
            "instance = 'm7i.48xlarge'",
            "database",
            "db.replicas=2 # m7i.48xlarge is the largest of its family",
        );
        check("instance = 'm7i.large'\nreplicas = 1", "database", "db.replicas=2");
        check("instance = 'm7i.large'\ncores = 3", "database", "db.cores=6");
    }

    #[test]
    fn workers_that_apply_the_log_bind_as_cores_do() {
        // Each of 50 writes a second takes the one worker of the replica 16 ms: 80 % of its time.
        let scenario = from_text(
            "[request.write]\neffect = 'write'\n[client.users]\nrate = '50/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nsteps = [{ query = 'db' }]\n\
             [database.db]\ncores = 4\nreplicas = 1\napply = { demand = '16ms' }\n",
        );
        let mut result = changed(|_| ());
        result.metrics.throughput_rps = Figure::over([50.0]);
        let found = bottleneck(&scenario, &result).unwrap();
        assert_eq!((found.component.as_str(), found.resource), ("db", APPLIERS));
        assert!((found.utilisation - 0.8).abs() < 1e-9);
        result.bottleneck = Some(found);
        assert_eq!(next(&scenario, &result).unwrap(), "outgrow run a.toml --set db.apply.workers=2");
        result.metrics.throughput_rps = Figure::over([5.0]);
        assert_eq!(bottleneck(&scenario, &result).unwrap().resource, "cpu");
    }

    #[test]
    fn numbers_have_three_digits_and_no_more_decimals_than_their_doubt() {
        assert_eq!(
            [number(0.0), number(0.01234), number(9.999), number(12345.6)],
            ["0.00", "0.0123", "10.00", "12346"]
        );
        assert_eq!(with_half_width(50.04, 0.4), "50.04 ± 0.40");
        assert_eq!(with_half_width(191.13, 15.46), "191 ± 15");
    }
}
