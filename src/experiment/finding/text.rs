//! The sentences of findings.

use crate::model::resource::Noun;

use super::super::words::{moment, number, span, with_half_width};
use super::{Finding, Outlier};

impl Finding {
    /// The sentence, without a full stop.
    #[must_use]
    pub fn text(&self) -> String {
        self.cause().or_else(|| self.effect()).unwrap_or_else(|| self.state())
    }

    /// The sentence of what begins an incident.
    fn cause(&self) -> Option<String> {
        Some(match self {
            Finding::NoAcks { away, from_s, outage_s, waited_s } => {
                let names: Vec<String> = away.iter().map(|name| format!("`{name}`")).collect();
                let whom = match names.as_slice() {
                    [] => "replicas that did not confirm them".to_owned(),
                    names => format!("{}, which did not confirm them", names.join(" and ")),
                };
                format!(
                    "{} no write was acknowledged: commits waited {} s for {whom}",
                    span(*from_s, Some(from_s + outage_s)),
                    number(*waited_s)
                )
            }
            Finding::Metastable { .. } => self.metastable(),
            Finding::Fault { verb, of, from_s, until_s, .. } => fault(verb, of, *from_s, *until_s),
            Finding::Switched { .. } => self.switched(),
            Finding::NotSwitched { of, needs } => {
                let names: Vec<String> = needs.iter().map(|name| format!("`{name}`")).collect();
                format!("`{of}` could not move the users to the other site without {}", names.join(" and "))
            }
            Finding::RandomFaults { fault, times } => {
                format!("the {fault} happened {} times a trial", number(*times))
            }
            Finding::Surge { factor, from_s, until_s } => {
                format!("{} {} times as many requests came", span(*from_s, *until_s), number(*factor))
            }
            Finding::Full { of, noun, share, from_s, until_s, need, .. } => {
                let verb = noun.verb();
                let full = format!("{} of `{of}` {verb} full {}", noun.word(), span(*from_s, *until_s));
                match need {
                    Some(need) => format!(
                        "{full}: {} calls a second pass at most, {} come",
                        number(need.pass_per_s),
                        number(need.come_per_s)
                    ),
                    None => format!("{full}: {:.0} % used", 100.0 * share),
                }
            }
            _ => return None,
        })
    }

    /// The sentence of what follows from it.
    fn effect(&self) -> Option<String> {
        Some(match self {
            Finding::Behind { of, noun, need, .. } => format!(
                "once that is widened, {} of `{of}` {} next: {} calls a second pass at most, {} come",
                noun.word(),
                if noun.verb() == "is" { "binds" } else { "bind" },
                number(need.pass_per_s),
                number(need.come_per_s)
            ),
            Finding::Growth { of: Some(of), per_s } => {
                format!("no steady state: the queue at `{of}` grows by {} calls a second", number(*per_s))
            }
            Finding::Backlog { of, per_s } => format!(
                "no steady state: the queue `{of}` grows by {} messages a second, as more come than its workers do",
                number(*per_s)
            ),
            Finding::LagGrowth { of, per_s } => format!(
                "no steady state: the lag of `{of}` grows by {} s every second, as its replicas apply {:.0} % less than is \
                 written",
                number(*per_s),
                100.0 * per_s
            ),
            Finding::Growth { of: None, per_s } => {
                format!("no steady state: {} more requests are under way every second", number(*per_s))
            }
            Finding::Held { of, noun, has, held, waits_for, .. } => format!(
                "dragged along: {held:.0} of {has:.0} {} of `{of}` wait for `{waits_for}`",
                noun.word().trim_start_matches("the ")
            ),
            Finding::Dragged { classes, of } => {
                let (verb, fail) = if classes.len() == 1 { ("calls", "fails") } else { ("call", "fail") };
                format!("dragged along: {} never {verb} `{of}` and {fail} too", classes.join(", "))
            }
            Finding::Users { .. } => self.users(),
            Finding::Retries { inside, outside: Some(outside) } => {
                format!("retries: {} tries a request then, {} otherwise", number(*inside), number(*outside))
            }
            Finding::Retries { inside, outside: None } => {
                format!("retries: {} tries a request", number(*inside))
            }
            Finding::InVain { of, share } => format!(
                "wasted: {:.0} % of the answers of `{of}` came when nobody waited for them any more",
                100.0 * share
            ),
            Finding::Idle { of, busiest, share } => format!(
                "`{of}` is up and had no call, while the cores of `{busiest}` are {:.0} % busy",
                100.0 * share
            ),
            _ => return None,
        })
    }

    /// The sentence of what holds for the whole run.
    fn state(&self) -> String {
        match self {
            Finding::Busiest { .. } => self.busiest(),
            Finding::Wait { of, wait_ms, of_ms, member } => wait(of, *wait_ms, *of_ms, member.as_ref()),
            Finding::Origin { of, outcome, calls, noun, because, requests, share, .. } => {
                let requests = format!("{} % of the requests end {requests}", number(100.0 * share));
                let began = of.as_ref().map(|of| {
                    let calls = number(*calls);
                    let why =
                        because.map_or_else(|| refused(*noun, outcome), |because| format!(" {because}"));
                    format!("; most failures begin at `{of}`: {calls} calls a trial, {outcome}{why}")
                });
                requests + &began.unwrap_or_default()
            }
            Finding::Theory { of, law, relation, theory, unit, measured, half_width } => {
                let measured = match half_width {
                    Some(half_width) => with_half_width(*measured, *half_width),
                    None => number(*measured),
                };
                let at = if of == "system" { String::new() } else { format!(" for `{of}`") };
                format!("theory{at}: {law} says {relation}{} {unit}, measured {measured}", number(*theory))
            }
            _ => unreachable!("the other kinds have their sentence"),
        }
    }

    fn metastable(&self) -> String {
        let Finding::Metastable {
            collapsed,
            trials,
            since_s,
            offered_rps,
            weakest,
            noun,
            capacity_rps,
            cures,
        } = self
        else {
            unreachable!("only asked for this kind")
        };
        let began = match since_s {
            Some(since_s) => {
                format!("what began it was over at {}, and the service did not come back", moment(*since_s))
            }
            None => "overload without a trigger: chance pushed the service over, and it did not come back"
                .to_owned(),
        };
        let word = if since_s.is_some() { "metastable: " } else { "" };
        let trials = format!("{word}{began} in {collapsed} of {trials} trials");
        let load = weakest.as_ref().zip(*capacity_rps).map_or(String::new(), |(name, capacity)| {
            format!(
                "; {} requests a second are {:.0} % of what {} of `{name}` can do ({})",
                number(*offered_rps),
                100.0 * offered_rps / capacity,
                noun.word(),
                number(capacity)
            )
        });
        let cures = match cures.as_slice() {
            [] => String::new(),
            [one] => format!("; with {one} it came back"),
            [some @ .., last] => format!("; with each of {} or {last} it came back", some.join(", ")),
        };
        trials + &load + &cures
    }

    fn switched(&self) -> String {
        let Finding::Switched { of, took_s, noticed_s, decided_s, paused_s } = self else {
            unreachable!("only asked for this kind")
        };
        let paused = if *paused_s < 1.0 {
            String::new()
        } else {
            format!("; for {} of it something that it needs was not there", moment(*paused_s))
        };
        format!(
            "`{of}` moved the users to the other site after {}: {} until a decision began, {} until it was taken, {} for the rest{paused}",
            moment(*took_s),
            moment(*noticed_s),
            moment(*decided_s),
            moment(took_s - noticed_s - decided_s)
        )
    }

    fn users(&self) -> String {
        let Finding::Users { from_s, until_s, failed, failed_outside, available, p99_ms } = self else {
            unreachable!("only asked for this kind")
        };
        let when = span(*from_s, *until_s);
        if *failed < 1.0 {
            let p99 =
                p99_ms.0.map_or(String::new(), |p99| format!(": p99 {} ms in a typical window", number(p99)));
            let else_ = p99_ms.1.map_or(String::new(), |p99| format!(", {} ms otherwise", number(p99)));
            return format!("users saw {when}{p99}{else_}");
        }
        let classes: Vec<String> = match available.as_slice() {
            [(_, share)] => vec![format!("{} % of the requests answered", number(100.0 * share))],
            many => many.iter().map(|(name, share)| format!("{name} {} %", number(100.0 * share))).collect(),
        };
        let outside = if *failed_outside < 1.0 { "none" } else { &number(*failed_outside) };
        let otherwise =
            if *from_s > 0.0 || until_s.is_some() { format!(", {outside} otherwise") } else { String::new() };
        let word = if available.len() > 1 { " available" } else { "" };
        format!(
            "users saw {when}: {}{word}; {} requests a trial failed{otherwise}",
            classes.join(", "),
            number(*failed)
        )
    }

    fn busiest(&self) -> String {
        let Finding::Busiest { of, noun, share, since_s, piled_up_since_s, saturates_rps, .. } = self else {
            unreachable!("only asked for this kind")
        };
        let mut text = format!("{}, more than anything else", noun.is_busy(of, *share));
        if let Some(since_s) = since_s {
            let when =
                if *since_s >= 0.5 { format!("since {}", moment(*since_s)) } else { "from the start".into() };
            text += &format!("; above 90 % {when}");
        }
        if let Some(since_s) = piled_up_since_s {
            text += &format!("; calls have piled up there since {}", moment(*since_s));
        }
        if let Some(rate) = saturates_rps {
            text += &format!("; at this mix they saturate at {} requests a second", number(*rate));
        }
        text
    }
}

fn fault(verb: &str, of: &[String], from_s: f64, until_s: Option<f64>) -> String {
    let names: Vec<String> = of.iter().map(|name| format!("`{name}`")).collect();
    let lasts = until_s.map_or(String::new(), |until_s| format!(", for {}", moment(until_s - from_s)));
    format!("at {} {} {verb}{lasts}", moment(from_s), names.join(" and "))
}

fn wait(of: &str, wait_ms: f64, of_ms: f64, member: Option<&Outlier>) -> String {
    let worst = member.map_or(String::new(), |member| {
        format!("; at `{}` {:.1} times as long as at the others", member.name, member.ratio)
    });
    format!(
        "a request waits {} ms in the queue of `{of}`, {:.0} % of its {} ms{worst}",
        number(wait_ms),
        100.0 * wait_ms / of_ms,
        number(of_ms)
    )
}

/// For want of what calls are refused.
fn refused(noun: Option<Noun>, outcome: &str) -> String {
    match (noun, outcome) {
        (None, _) | (_, "out of memory") => String::new(),
        (Some(noun), "throttled") => format!(" by {}", noun.word()),
        (Some(noun), _) => format!(" for want of {}", noun.word().trim_start_matches("the ")),
    }
}
