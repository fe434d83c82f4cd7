//! What is known of a scenario without simulating it: its diagram, demands, utilisations, bounds and bottleneck.

use super::number::{number, percent, seconds, time_ms};
use super::text::{bold, paragraph, table};
use crate::model::spec::Offered;
use crate::scenario::load::{ClientLoad, ResourceLoad, StaticLoad, static_load};
use crate::scenario::{Scenario, graph};

/// The whole report as text.
#[must_use]
pub fn text(scenario: &Scenario) -> String {
    let load = static_load(&scenario.boxes, &scenario.classes);
    let mut out = format!("{}\n\n{}\n", bold(&scenario.title), graph::text(&scenario.boxes));
    out.push_str(&boxes(&load));
    out.push('\n');
    out.push_str(&machines(&load));
    out.push('\n');
    for client in &load.clients {
        let peak = scenario.entry(&client.name).and_then(|entry| entry.spec.peak());
        out.push_str(&paragraph(&format!("{}: ", client.name), &bounds(client, peak)));
    }
    out.push_str(&paragraph("bottleneck: ", &bottleneck(scenario, &load)));
    out
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

fn machines(load: &StaticLoad) -> String {
    let row = |machine: &ResourceLoad| {
        vec![
            machine.name.clone(),
            machine.resource.holders().to_string(),
            machine.resource.has.to_string(),
            number(machine.capacity()),
            number(machine.work),
            percent(machine.utilisation),
        ]
    };
    let rows: Vec<Vec<String>> = load.machines().map(row).collect();
    table(&["machine", "count", "cores", "capacity/s", "work/s", "utilisation"], 1, &rows)
}

/// The asymptotic bounds of one client, as a sentence; `peak` is the highest rate of its load.
fn bounds(client: &ClientLoad, peak: Option<f64>) -> String {
    let alone = time_ms(client.demand_s * 1e3, None);
    let most = if client.throughput_max.is_finite() {
        format!("at most {} requests/s come through", number(client.throughput_max))
    } else {
        "nothing limits the throughput".to_owned()
    };
    match client.offered {
        Offered::Open(rate) => format!(
            "{} requests/s whatever happens{}; one alone takes {alone} at the boxes (network not counted); {most}",
            number(rate),
            peak.filter(|peak| *peak > rate * 1.001)
                .map_or_else(String::new, |peak| format!(", {} at the highest", number(peak))),
        ),
        Offered::Closed(users, think_s) => {
            let saturation = (think_s + client.demand_s) / client.demand_max_s;
            let saturation = if saturation.is_finite() {
                format!(
                    "; beyond N* = (Z + D) / D_max = {} users they wait for each other",
                    number(saturation)
                )
            } else {
                String::new()
            };
            format!(
                "{} users who think for {}; one alone takes {alone} at the boxes (network not counted); {most}: \
                 min(N / (Z + D), 1 / D_max){saturation}",
                number(users),
                seconds(think_s),
            )
        }
    }
}

fn bottleneck(scenario: &Scenario, load: &StaticLoad) -> String {
    let Some(machine) = load.bottleneck() else { return "no box works".to_owned() };
    let growth = load.growth_per_s(machine, &scenario.boxes);
    let utilisation = percent(machine.utilisation);
    if growth > 0.0 {
        let growth = number(growth);
        return format!(
            "{} of `{}`, asked for {utilisation}: {growth} calls/s cannot be served",
            machine.resource.noun.word(),
            machine.name
        );
    }
    if machine.utilisation == 0.0 {
        return "no box works".to_owned();
    }
    let room = number(1.0 / machine.utilisation);
    let noun = machine.resource.noun.word();
    format!("{noun} of `{}`, {utilisation} busy: they saturate at {room} times this load", machine.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::KINDS;
    use crate::model::spec::NoFiles;
    use crate::scenario;

    fn explained(text: &str) -> String {
        self::text(&scenario::load("a.toml", text, &[], &NoFiles, KINDS).unwrap().scenario)
    }

    #[test]
    fn an_open_load_is_told_from_one_that_cannot_be_served() {
        let mm1 = include_str!("../../scenarios/00-mm1.toml");
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
            (include_str!("../../scenarios/08-balancer-pair.toml"), "`- lb (balancer, with a standby)"),
            (
                include_str!("../../scenarios/12-primary-dies.toml"),
                "db x3 (database, a primary and 2 replicas)",
            ),
            (include_str!("../../scenarios/15-ring.toml"), "db x4 (database, a ring, in 4 regions)"),
            (
                include_str!("../../scenarios/17-two-regions.toml"),
                "web x4 (server, in ap-northeast-2 and us-east-1)",
            ),
        ] {
            let text = explained(scenario);
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_closed_load_has_its_bounds() {
        let text = explained(include_str!("../../scenarios/00-closed.toml"));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // N / (Z + D) = 20 / 1.05 s, and N* = (1 s + 50 ms) / 50 ms.
        assert!(text.contains("at most 19.05 requests/s come through"), "{text}");
        assert!(text.contains("D_max = 21 users"), "{text}");
    }
}
