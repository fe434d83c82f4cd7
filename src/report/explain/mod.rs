//! What is known of a scenario without simulating it: its diagram, what is asked of every resource, bounds and bottleneck.

mod json;

use super::number::{bytes, number, percent, seconds, time_ms};
use super::text::{NO_BREAK, WIDTH, bold, fitted, paragraph, table, width};
use crate::model::resource::{BYTES, Bound, Full, Meter, Resource, Sort};
use crate::model::spec::{Offered, Rest};
use crate::scenario::load::{ClientLoad, Fall, Missing, ResourceLoad, StaticLoad, Work};
use crate::scenario::{BoxEntry, Scenario, graph};

pub use json::json;

/// The whole report as text, while nobody or somebody is down.
#[must_use]
pub fn text(scenario: &Scenario, missing: &Missing) -> String {
    let load = scenario.load_without(missing);
    let mut out = format!("{}\n\n{}\n", bold(&scenario.title), graph::text(&scenario.boxes));
    out.push_str(&boxes(&load));
    out.push('\n');
    out.push_str(&resources(scenario, &load));
    out.push('\n');
    for client in &load.clients {
        out.push_str(&paragraph(&format!("{}: ", client.name), &bounds(scenario, &load, client)));
    }
    out.push_str(&paragraph("bottleneck: ", &bottleneck(&load)));
    for entry in &scenario.boxes {
        if let Some(starts) = entry.starts {
            out.push_str(&paragraph("members: ", &fleet(scenario, entry, starts)));
        }
    }
    for fall in &load.falls {
        out.push_str(&paragraph("then: ", &falls(scenario, &load, fall)));
    }
    out
}

/// What is to be known of a box whose members come and go.
fn fleet(scenario: &Scenario, entry: &BoxEntry, starts: u32) -> String {
    let all = entry.spec.members();
    let keeps = |other: &&BoxEntry| other.spec.keeps().is_some_and(|keeps| keeps.target == entry.name);
    let by = match (scenario.boxes.iter().find(keeps), &entry.booted_by) {
        (Some(keeper), _) => format!("`{}` decides how many there are", keeper.name),
        (None, Some(switch)) => format!("`{switch}` boots them when it moves the users there"),
        (None, None) => "operations change their number".to_owned(),
    };
    format!("`{}` begins with {starts} of {all} machines, and {by}; above, all {all} count", entry.name)
}

fn boxes(load: &StaticLoad) -> String {
    let asked = load.boxes.iter().filter(|one| one.cpu_s > 0.0 || one.wait_s > 0.0);
    let rows: Vec<Vec<String>> = asked
        .map(|one| {
            vec![
                one.name.clone(),
                number(one.calls_per_s),
                time_ms(one.cpu_s * 1e3, None),
                time_ms(one.wait_s * 1e3, None),
                number(one.calls_per_s * one.cpu_s),
            ]
        })
        .collect();
    table(&["box", "calls/s", "CPU a call", "waiting a call", "core seconds/s"], 1, &rows)
}

/// Every resource of which something is asked, the fullest first.
fn resources(scenario: &Scenario, load: &StaticLoad) -> String {
    let mut asked: Vec<&ResourceLoad> = load.resources.iter().filter(|row| row.peak.all > 0.0).collect();
    asked.sort_by(|a, b| b.peak_utilisation().total_cmp(&a.peak_utilisation()));
    let row = |row: &&ResourceLoad| {
        let mean = needs(row, &row.mean);
        let peak = needs(row, &row.peak);
        let peak = if peak == mean { SAME.to_owned() } else { peak };
        vec![
            name(&row.resource).replace(' ', &NO_BREAK.to_string()),
            row.member.clone(),
            has(row),
            mean,
            peak,
            full_at(scenario, row),
            when_full(&row.resource.full),
        ]
    };
    let rows: Vec<Vec<String>> = asked.iter().map(row).collect();
    let header = ["resource", "of", "has", "needs, mean", "needs, peak", "full at", "when full"];
    // Where a terminal has no room for all, a column that repeats another one goes first. A full line has: texts are wrapped.
    let is_steady = rows.iter().all(|row| row[4] == SAME);
    let first: &[&str] = match (width() >= WIDTH, is_steady) {
        (true, _) => &[],
        (false, true) => &["needs, peak", "has"],
        (false, false) => &["has"],
    };
    fitted(&header, 7, &rows, first)
}

/// In the place of the highest need where it is the mean one.
const SAME: &str = "the same";

/// The name of a resource in the table.
fn name(resource: &Resource) -> &'static str {
    if resource.meter == Meter::Cores { "cores" } else { resource.name }
}

/// A number to three significant digits, which is all that a plan needs.
fn short(value: f64) -> String {
    let rounded = format!("{value:.2e}").parse().unwrap_or(value);
    number(if value.abs() < 1000.0 { rounded } else { libm::round(value) })
}

/// A share in per cent, likewise.
fn rough(share: f64) -> String {
    if share < 0.001 { "< 0.1 %".to_owned() } else { format!("{} %", short(100.0 * share)) }
}

/// An amount of a resource, in its unit.
fn amount(resource: &Resource, amount: f64) -> String {
    match resource.meter {
        Meter::Memory => bytes(amount),
        _ if resource.unit == BYTES => format!("{} MB/s", short(amount / 1e6)),
        _ if resource.sort == Sort::Limit || resource.meter == Meter::Disk => format!("{}/s", short(amount)),
        _ => short(amount),
    }
}

/// What each member has; of memory, what there is for calls.
fn each(resource: &Resource) -> f64 {
    if resource.meter == Meter::Memory { resource.capacity } else { resource.has }
}

fn has(row: &ResourceLoad) -> String {
    let each = amount(&row.resource, each(&row.resource));
    match (row.resource.holders(), row.left) {
        (_, 0) => "none left".to_owned(),
        (1, _) => each,
        (_, left) => format!("{left} x {each}"),
    }
}

/// What is asked of a resource, and the share of it: "16 (320 %)".
fn needs(row: &ResourceLoad, work: &Work) -> String {
    let least = if is_least(&row.resource) { ">= " } else { "" };
    let share = row.used_by(work);
    if share == 0.0 || share.is_infinite() {
        return format!("{least}{}", amount(&row.resource, work.all));
    }
    let all = each(&row.resource) * f64::from(row.left);
    format!("{least}{} ({})", amount(&row.resource, share * all), rough(share))
}

/// Whether more is needed as soon as calls wait for something else.
fn is_least(resource: &Resource) -> bool {
    resource.sort == Sort::Slots && resource.bound == Bound::AtMost
}

/// The rate of the requests that take some of it at which it is full: "6.25 buy/s".
fn full_at(scenario: &Scenario, row: &ResourceLoad) -> String {
    let rate = row.requests.iter().sum::<f64>() / row.utilisation();
    if !rate.is_finite() {
        return "never".to_owned();
    }
    let bound = match row.resource.bound {
        Bound::Exact => "",
        Bound::AtMost => "<= ",
        Bound::About => "~ ",
    };
    let names = classes(scenario, &takers(row));
    let names = if names.is_empty() { String::new() } else { format!(" {names}") };
    format!("{bound}{}{names}/s", number(rate))
}

/// Indices of the classes whose requests take some of it.
fn takers(row: &ResourceLoad) -> Vec<usize> {
    (0..row.requests.len()).filter(|class| row.requests[*class] > 0.0).collect()
}

/// Names of some classes; empty for all of them.
fn classes(scenario: &Scenario, of: &[usize]) -> String {
    let sent = scenario.classes.iter().filter(|class| class.share > 0.0).count();
    if of.len() == sent {
        return String::new();
    }
    let names: Vec<&str> = of.iter().map(|class| scenario.classes[*class].name.as_str()).collect();
    names.join(" and ")
}

/// What happens to calls when a resource is full.
fn when_full(full: &Full) -> String {
    match *full {
        Full::LAGS => "lags behind".to_owned(),
        Full::SHARED => "calls share it".to_owned(),
        Full { places: Some(0), then, .. } => then.to_owned(),
        Full { places: None, longest_s, .. } if longest_s.is_infinite() => "waits".to_owned(),
        Full { places, longest_s, then, .. } => {
            let places = places.map(|places| format!("{} wait", number(places as f64)));
            let longest = longest_s.is_finite().then(|| format!("for {}", seconds(longest_s)));
            let both: Vec<String> = places.or(Some("waits".to_owned())).into_iter().chain(longest).collect();
            format!("{}, then {then}", both.join(" "))
        }
    }
}

/// The asymptotic bounds of one client, as a sentence.
fn bounds(scenario: &Scenario, load: &StaticLoad, client: &ClientLoad) -> String {
    let alone = time_ms(client.demand_s * 1e3, None);
    let alone = format!("one alone takes {alone} at the boxes (network not counted)");
    let most = through(scenario, load, client);
    let retries = match client.attempts {
        1 => String::new(),
        tries => format!("; if they fail, up to {tries} times as many calls: each is tried {tries} times"),
    };
    match client.offered {
        Offered::Open(rate) => {
            format!("{} requests/s{}; {alone}; {most}{retries}", number(rate), highest(client, rate))
        }
        Offered::Closed(users, rest) => {
            let peak = client.peak.as_ref().map_or(String::new(), |peak| match peak.offered {
                Offered::Closed(users, _) => format!(" ({} {})", number(users), peak.when),
                Offered::Open(_) => String::new(),
            });
            let saturation = rest.cycle_s(client.demand_s) / client.demand_max_s;
            let (who, cycle, then) = match rest {
                Rest::Think(think_s) => {
                    (format!("who think for {}", seconds(think_s)), "(Z + D)", "they wait for each other")
                }
                Rest::Pace(pace_s) => {
                    (format!("who issue a request every {}", seconds(pace_s)), "max(P, D)", "they are late")
                }
            };
            let saturation = if saturation.is_finite() {
                format!("; beyond N* = {cycle} / D_max = {} users {then}", number(saturation))
            } else {
                String::new()
            };
            format!(
                "{} users{peak} {who}; {alone}; {most}: min(N / {cycle}, 1 / D_max){saturation}{retries}",
                number(users),
            )
        }
    }
}

/// The highest rates of an open load, as a part of a sentence.
fn highest(client: &ClientLoad, rate: f64) -> String {
    let Some(peak) = &client.peak else { return " whatever happens".to_owned() };
    if !peak.spans.is_empty() {
        let over = |(span_s, rate): &(f64, f64)| format!("{} over {}", number(*rate), seconds(*span_s));
        let spans: Vec<String> = peak.spans.iter().map(over).collect();
        return format!(" on average, at the highest {}", spans.join(", "));
    }
    match peak.offered {
        Offered::Open(most) if most > rate => format!(", {} {}", number(most), peak.when),
        _ => String::new(),
    }
}

/// The most requests of a client that come through.
fn through(scenario: &Scenario, load: &StaticLoad, client: &ClientLoad) -> String {
    let most = client.throughput_max;
    if !most.is_finite() {
        return "nothing limits the throughput".to_owned();
    }
    let asked: f64 = client.by_class.iter().map(|(_, asked)| asked).sum();
    let tight = client.tightest.map(|row| takers(&load.resources[row])).unwrap_or_default();
    let names = classes(scenario, &tight);
    if most >= asked * (1.0 - 1e-9) || names.is_empty() {
        return format!("at most {} requests/s come through", number(most));
    }
    let sum =
        |of: fn(&(f64, f64)) -> f64| tight.iter().map(|class| of(&client.by_class[*class])).sum::<f64>();
    let (through, asked) = (number(sum(|one| one.0)), number(sum(|one| one.1)));
    format!("at most {} requests/s come through whole ({through} of {asked} {names}/s)", number(most))
}

fn bottleneck(load: &StaticLoad) -> String {
    let Some(row) = load.bottleneck() else { return "nothing is asked of any resource".to_owned() };
    let noun = row.resource.noun;
    let of = format!("{} of `{}`", noun.word(), row.member);
    let (mean, peak) = (row.utilisation(), row.peak_utilisation());
    let least = if is_least(&row.resource) { "at least " } else { "" };
    if row.left == 0 {
        return format!("{of}: none is left");
    }
    if row.mean.open > row.capacity() {
        let excess = number(row.excess_calls(&row.mean));
        let full = if row.resource.sort == Sort::Limit { "" } else { "; full from the first seconds on" };
        return format!("{of}, asked for {least}{}: {excess} calls/s cannot be served{full}", percent(mean));
    }
    let when = load.peak_when().unwrap_or_default();
    if row.peak.open > row.capacity() {
        let excess = number(row.excess_calls(&row.peak));
        return format!(
            "{of}, asked for {least}{} {when}, when {excess} calls/s cannot be served, and for {} on average",
            percent(peak),
            percent(mean)
        );
    }
    let (busy, share, room) = (noun.in_use(), percent(mean), number(1.0 / mean));
    let they = if noun.is() == "is" { "it saturates" } else { "they saturate" };
    let at = match row.resource.bound {
        Bound::Exact => format!("at {room} times this load"),
        Bound::AtMost => format!("at {room} times this load or below"),
        Bound::About => format!("at about {room} times this load"),
    };
    let highest =
        if peak > mean * (1.0 + 1e-9) { format!(", {} {when}", percent(peak)) } else { String::new() };
    format!("{of}, {least}{share} {busy}{highest}: {they} {at}")
}

/// What a full resource fills in turn, as a sentence.
fn falls(scenario: &Scenario, load: &StaticLoad, fall: &Fall) -> String {
    let (first, then) = (&load.resources[fall.first], &load.resources[fall.then]);
    let names = classes(scenario, &fall.waiting);
    let each = if names.is_empty() { "request".to_owned() } else { names };
    let (rate, held) = (number(fall.calls_per_s), seconds(libm::round(fall.held_s * 100.0) / 100.0));
    let ended = match fall.limit {
        Some(("", _)) => format!("for up to {held}"),
        Some((key, _)) => format!("until its `{key}` ends that after {held}"),
        None if fall.held_s.is_finite() => format!("for the {held} that it takes to get through the queue"),
        None => "without end".to_owned(),
    };
    let product = if fall.held_s.is_finite() {
        format!(": {rate}/s x {held} > {} of them", number(then.capacity()))
    } else {
        format!(": {rate}/s come and there are {}", number(then.capacity()))
    };
    let dragged = classes(scenario, &fall.dragged);
    let dragged = match fall.dragged.len() {
        0 => String::new(),
        1 => format!(" and {dragged} fails"),
        _ => format!(" and {dragged} fail"),
    };
    let when = match load.peak_when().filter(|_| fall.at_peak) {
        Some(when) => format!("{when} "),
        None => String::new(),
    };
    let what = if first.name == then.name {
        first.resource.noun.word().to_owned()
    } else {
        format!("`{}`", first.name)
    };
    format!(
        "{when}each {each} holds one of {} of `{}` while it waits for {what}, {ended}{product}, so that `{}` is full too{dragged}",
        then.resource.noun.word(),
        then.member,
        then.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::KINDS;
    use crate::model::spec::NoFiles;
    use crate::scenario;

    fn explained(text: &str) -> String {
        self::text(
            &scenario::load("a.toml", text, &[], &NoFiles, KINDS).unwrap().scenario,
            &Missing::default(),
        )
    }

    #[test]
    fn an_open_load_is_told_from_one_that_cannot_be_served() {
        let mm1 = include_str!("../../../scenarios/00-mm1.toml");
        let text = explained(mm1);
        assert!(text.contains("`- box (server)"), "{text}");
        assert!(
            text.contains("the cores of `box`, 80 % busy: they saturate at 1.25 times this load"),
            "{text}"
        );
        let text = explained(&mm1.replace("80/s", "150/s"));
        assert!(text.contains("asked for 150 %: 50 calls/s cannot be served"), "{text}");
    }

    #[test]
    fn the_diagram_tells_what_is_behind_a_name() {
        for (scenario, line) in [
            (include_str!("../../../scenarios/08-balancer-pair.toml"), "`- lb (balancer, with a standby)"),
            (
                include_str!("../../../scenarios/12-primary-dies.toml"),
                "db x3 (database, a primary and 2 replicas)",
            ),
            (include_str!("../../../scenarios/15-ring.toml"), "db x4 (database, a ring, in 4 regions)"),
            (
                include_str!("../../../scenarios/17-two-regions.toml"),
                "web x4 (server, in ap-northeast-2 and us-east-1)",
            ),
        ] {
            let text = explained(scenario);
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_closed_load_has_its_bounds() {
        let text = explained(include_str!("../../../scenarios/00-closed.toml"));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // N / (Z + D) = 20 / 1.05 s, and N* = (1 s + 50 ms) / 50 ms.
        assert!(text.contains("at most 19.05 requests/s come through"), "{text}");
        assert!(text.contains("D_max = 21 users"), "{text}");
    }
}
