//! What a scenario says about a monitor.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use super::track::Merge;
use super::{Called, Monitor, Outside};
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::ledger::LedgerId;
use crate::model::quantity::Duration;
use crate::model::rule::{AlertText, Rule};
use crate::model::site::{Site, Standing};
use crate::model::spec::{MemberPlan, Outline, Problems, Spec};

/// Time between two questions to a member, and between two looks at the conditions: Prometheus [S].
const INTERVAL: SimDuration = SimDuration::from_secs(60);

/// Time over which a figure is taken [T].
const WINDOW: SimDuration = SimDuration::from_secs(300);

/// Least time between two questions to a member, and between two looks at the conditions.
const INTERVAL_MIN: SimDuration = SimDuration::from_millis(1);

/// Most alerts of a monitor.
const ALERTS_MAX: usize = 100;

/// Most samples of a member in a window.
const SAMPLES_MAX: u64 = 10_000;

/// `[monitor.NAME]`: asks the members of other boxes for figures, and raises alerts.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorSpec {
    /// Time between two questions to a member. Default: "1min", as Prometheus [S].
    pub scrape: Option<Duration>,
    /// Time between two looks at the conditions of the alerts. Default: "1min", as Prometheus [S].
    pub evaluate: Option<Duration>,
    /// Time after which silence is an alert: of all members that an alert asks, or of the monitor itself, for which somebody
    /// outside listens. Default: none, silence is calm [T].
    pub absent: Option<Duration>,
    /// The alerts.
    #[serde(default)]
    pub alert: Vec<AlertSpec>,
    /// The conditions, once the loader has read them.
    #[serde(skip)]
    pub(super) rules: Vec<Rule>,
}

/// `[[monitor.NAME.alert]]`: a condition, and what follows if it holds for some time.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSpec {
    /// The condition, in the language of `[[expect]]`: "error_rate > 1%".
    pub on: String,
    /// The box or member of whose answers error_rate, availability, response and throughput are. Default: the boxes that clients
    /// ask.
    pub of: Option<String>,
    /// Time over which the figure is taken. Default: "5min" [T].
    pub window: Option<Duration>,
    /// Time for which the condition must hold before the alert fires. Default: "0s" [T].
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// How percentiles of several members become one. Default: "buckets".
    pub merge: Option<Merge>,
    /// What it sets going when it fires: the `[[operation]]` of this name, or the decision of a switch, "switch.NAME". Default: none, it
    /// is only recorded.
    pub calls: Option<String>,
}

impl AlertSpec {
    pub(super) fn window(&self) -> SimDuration {
        self.window.map_or(WINDOW, |window| window.0)
    }

    pub(super) fn lasts(&self) -> SimDuration {
        self.lasts.map_or(SimDuration::ZERO, |lasts| lasts.0)
    }

    pub(super) fn merge(&self) -> Merge {
        self.merge.unwrap_or_default()
    }
}

impl MonitorSpec {
    pub(super) fn scrape(&self) -> SimDuration {
        self.scrape.map_or(INTERVAL, |scrape| scrape.0)
    }

    pub(super) fn evaluate(&self) -> SimDuration {
        self.evaluate.map_or(INTERVAL, |evaluate| evaluate.0)
    }

    pub(super) fn absent(&self) -> Option<SimDuration> {
        self.absent.map(|absent| absent.0)
    }

    /// Number of samples of a member that a window of an alert can hold, with the one before it.
    pub(super) fn samples(&self, alert: &AlertSpec) -> u64 {
        alert.window().as_nanos() / self.scrape().as_nanos().max(1) + 2
    }

    /// Longest time from the end of a fault until no alert can begin to fire because of it.
    pub(super) fn reach(&self) -> SimDuration {
        let longest = self.alert.iter().map(|alert| alert.window() + alert.lasts()).max();
        longest.unwrap_or(SimDuration::ZERO) + self.scrape() + self.evaluate()
    }

    fn check_alert(&self, at: usize, alert: &AlertSpec, problems: &mut Problems) {
        let key = |name: &str| format!("alert[{at}].{name}");
        if alert.window().is_zero() {
            problems.error(key("window"), "a window of no time holds no sample", "such as window = \"5min\"");
        } else if alert.window() < self.scrape() {
            let message = format!(
                "a window of {} holds at most one sample: members are asked every {}",
                Duration(alert.window()),
                Duration(self.scrape())
            );
            problems.warn(key("window"), message, "a window is several times `scrape`");
        }
        if self.samples(alert) > SAMPLES_MAX {
            let message = format!("the window would hold more than {SAMPLES_MAX} samples of each member");
            problems.error(key("window"), message, "a longer `scrape`");
        }
        let is_percentile = ["p5", "p9"].iter().any(|start| alert.on.trim_start().starts_with(start));
        if alert.merge() == Merge::Average && !is_percentile {
            let help = "drop `merge`, or write such as on = \"p99(response) > 300ms\"";
            problems.error(key("merge"), "only percentiles are merged in different ways", help);
        }
    }
}

/// The name of the member that listens for a monitor from outside.
pub(super) fn outside(name: &str) -> String {
    format!("{name}.outside")
}

impl Spec for MonitorSpec {
    fn answers(&self) -> Verbs {
        Verbs::NONE
    }

    fn members(&self) -> u32 {
        1 + u32::from(self.absent.is_some())
    }

    fn member(&self, name: &str, member: u32) -> MemberPlan {
        let (name, standing) = match member {
            0 => (name.to_owned(), Standing::Entry),
            _ => (outside(name), Standing::Outside),
        };
        MemberPlan { name, machine: None, standing }
    }

    fn calls_switches(&self) -> Vec<String> {
        self.alerts().iter().filter_map(|alert| alert.switch().map(str::to_owned)).collect()
    }

    fn alerts(&self) -> Vec<AlertText<'_>> {
        let all = self.alert.iter().enumerate();
        all.map(|(at, alert)| AlertText {
            key: format!("alert[{at}]"),
            on: &alert.on,
            of: alert.of.as_deref(),
            calls: alert.calls.as_deref(),
            samples: self.samples(alert),
        })
        .collect()
    }

    fn set_rules(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        for (key, time) in [("scrape", self.scrape()), ("evaluate", self.evaluate())] {
            if time < INTERVAL_MIN {
                let message = format!("who does this every {} does nothing else", Duration(time));
                problems.error(key, message, format!("such as {key} = \"1min\"; at least 1ms"));
            }
        }
        let longest = self.scrape().max(self.evaluate());
        if let Some(absent) = self.absent().filter(|absent| *absent <= longest) {
            let message = format!(
                "silence of {} is usual: it asks or looks every {}",
                Duration(absent),
                Duration(longest)
            );
            problems.error("absent", message, "several times `scrape` and `evaluate`");
        }
        if self.alert.is_empty() {
            let help = "[[monitor.NAME.alert]] with on = \"error_rate > 1%\"";
            problems.warn("", "a monitor without an alert tells nobody anything", help);
        }
        if self.alert.len() > ALERTS_MAX {
            problems.error("alert", format!("a monitor has at most {ALERTS_MAX} alerts"), "");
        }
        for (at, alert) in self.alert.iter().enumerate() {
            self.check_alert(at, alert, problems);
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        match self.absent().filter(|_| site.member > 0) {
            None => Box::new(Monitor::new(self, site)),
            Some(absent) => Box::new(Outside {
                absent,
                evaluate: self.evaluate(),
                calls: self.rules.iter().map(|rule| Called::of(rule, site)).collect(),
                reach: self.reach(),
                book: LedgerId::NONE,
            }),
        }
    }
}
