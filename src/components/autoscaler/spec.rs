//! What a scenario says about an autoscaler.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use super::Autoscaler;
use super::goal::{Clock, Goal, Watched};
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::fleet::{BOOT, Keeps, Pace, START};
use crate::model::quantity::{Duration, Share};
use crate::model::site::Site;
use crate::model::spec::{Outline, Problems, Spec};

/// Time between two looks: the Horizontal Pod Autoscaler [V].
const EVERY: SimDuration = SimDuration::from_secs(15);

/// Distance from the goal within which it does nothing: the same [V].
const TOLERANCE: f64 = 0.1;

/// Time of which the greatest desire counts downwards: the same [S].
const DOWN_AFTER: SimDuration = SimDuration::from_secs(300);

/// Pause after a step: EC2's simple scaling [V].
const COOLDOWN: SimDuration = SimDuration::from_secs(300);

/// Time over which the metric is a mean [T].
const WINDOW: SimDuration = SimDuration::from_secs(60);

/// Most looks that are remembered; more are the sign of a mistake in a key.
pub(super) const LOOKS_MAX: u64 = 10_000;

/// Most changes of the least size in a day.
const SCHEDULE_MAX: usize = 1_440;

/// How a size follows from the metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// In proportion to the metric over its goal.
    #[default]
    Target,
    /// One machine more or less, and then a pause.
    Step,
}

/// `[autoscaler.NAME]`: decides how many machines a group of servers has.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoscalerSpec {
    /// The group of servers.
    pub target: String,
    /// Least number of machines. Default: 1.
    pub min: Option<u32>,
    /// Greatest number of machines.
    pub max: u32,
    /// What it looks at, on average over `window`. Default: "cpu".
    #[serde(default)]
    pub metric: Watched,
    /// The value that the metric is to have: a share for "cpu", a number for each machine for "inside" and "backlog", a duration for
    /// "age". Default: "60%" for "cpu" [T].
    pub goal: Option<Goal>,
    /// Time between two looks. Default: "15s", as the Horizontal Pod Autoscaler [V].
    pub every: Option<Duration>,
    /// Distance from the goal, as a share of it, within which it does nothing. Default: "10%", as the Horizontal Pod Autoscaler [V].
    pub tolerance: Option<Share>,
    /// Time of which the greatest desire counts when machines are to go. Default: "5min", as the Horizontal Pod Autoscaler [S].
    pub down_after: Option<Duration>,
    /// How a size follows from the metric. Default: "target".
    #[serde(default)]
    pub kind: Way,
    /// For `kind = "step"`: pause after a step. Default: "5min", as EC2 [V].
    pub cooldown: Option<Duration>,
    /// Time over which the metric is a mean. It begins anew when machines come or go. Default: "1min" [T].
    pub window: Option<Duration>,
    /// Time from the order of a machine until it runs. Default: "23s", as EC2 [V].
    pub boot: Option<Duration>,
    /// Time that the process takes to start on it. Default: "10s" [T].
    pub start: Option<Duration>,
    /// Time from then until its balancers check it for the first time. Default: a moment within their interval.
    pub first_check: Option<Duration>,
    /// Number of machines that run besides the members, at their price, and get calls 1.9 s after they are wanted. Default: 0.
    pub warm_pool: Option<u32>,
    /// `min` by the clock, from each time of the day on: [["08:00", 10]]. A trial begins at 00:00. Default: none.
    #[serde(default)]
    pub schedule: Vec<(Clock, u32)>,
    /// Number of machines that the provider has for it. Default: no limit.
    pub quota: Option<u32>,
}

impl AutoscalerSpec {
    pub(super) fn min(&self) -> u32 {
        self.min.unwrap_or(1)
    }

    pub(super) fn every(&self) -> SimDuration {
        self.every.map_or(EVERY, |every| every.0)
    }

    pub(super) fn window(&self) -> SimDuration {
        self.window.map_or(WINDOW, |window| window.0)
    }

    pub(super) fn way(&self) -> super::rule::Way {
        match self.kind {
            Way::Target => super::rule::Way::Target {
                down_after: self.down_after.map_or(DOWN_AFTER, |down_after| down_after.0),
            },
            Way::Step => {
                super::rule::Way::Step { cooldown: self.cooldown.map_or(COOLDOWN, |cooldown| cooldown.0) }
            }
        }
    }

    pub(super) fn tolerance(&self) -> f64 {
        self.tolerance.map_or(TOLERANCE, |tolerance| tolerance.0)
    }

    /// The goal, as a share, a number or seconds.
    pub(super) fn goal(&self) -> f64 {
        self.goal.as_ref().and_then(|goal| goal.value(self.metric).ok()).unwrap_or(0.6)
    }

    fn check_goal(&self, problems: &mut Problems) {
        let example = format!("such as goal = {}", self.metric.example());
        match &self.goal {
            None if self.metric != Watched::Cpu => problems.error("", "`goal` is missing", example),
            None => {}
            Some(goal) => {
                if let Err(message) = goal.value(self.metric) {
                    problems.error("goal", message, example);
                }
            }
        }
    }

    fn check_times(&self, problems: &mut Problems) {
        if self.every().is_zero() {
            problems.error("every", "who looks all the time never goes on", "such as every = \"15s\"");
            return;
        }
        if self.window() < self.every() {
            let message =
                format!("a window is at least the time between two looks, {}", Duration(self.every()));
            problems.error("window", message, "give a longer one, or a shorter `every`");
        }
        let longest = self.every().saturating_mul(LOOKS_MAX);
        let times = [("window", self.window), ("down_after", self.down_after)];
        for (key, _) in times.iter().filter(|(_, time)| time.is_some_and(|time| time.0 > longest)) {
            let message = format!("it would remember more than {LOOKS_MAX} looks");
            problems.error(*key, message, "a longer `every`");
        }
        if self.tolerance() >= 1.0 {
            problems.error("tolerance", "nothing would ever be outside of it", "such as tolerance = \"10%\"");
        }
        if self.kind == Way::Target && self.cooldown.is_some() {
            let help = "a target has `down_after`";
            problems.error("cooldown", "`cooldown` goes with kind = \"step\"", help);
        }
        if self.kind == Way::Step && self.down_after.is_some() {
            problems.error("down_after", "`down_after` goes with kind = \"target\"", "a step has `cooldown`");
        }
    }

    fn check_schedule(&self, problems: &mut Problems) {
        if self.schedule.len() > SCHEDULE_MAX {
            problems.error("schedule", format!("a day has at most {SCHEDULE_MAX} changes"), "");
        }
        for (at, (clock, least)) in self.schedule.iter().enumerate() {
            if !(self.min()..=self.max).contains(least) {
                let message = format!("{least} machines are not {} to {}", self.min(), self.max);
                problems.error(format!("schedule[{at}]"), message, "within `min` and `max`");
            }
            if at > 0 && self.schedule[at - 1].0 >= *clock {
                let help = "the times of a day go forward";
                problems.error(format!("schedule[{at}]"), "it is not later than the one before", help);
            }
        }
    }
}

impl Spec for AutoscalerSpec {
    fn answers(&self) -> Verbs {
        Verbs::NONE
    }

    fn reacts_within(&self) -> SimDuration {
        // A look at the members that are left, and the boot of others.
        self.boot.map_or(BOOT, |boot| boot.0) + self.every()
    }

    fn keeps(&self) -> Option<Keeps> {
        let pace = Pace {
            boot: self.boot.map_or(BOOT, |boot| boot.0),
            start: self.start.map_or(START, |start| start.0),
            first_check: self.first_check.map(|first| first.0),
            warm_pool: self.warm_pool.unwrap_or(0),
            quota: self.quota.unwrap_or(u32::MAX),
        };
        let (target, queue) = (self.target.clone(), self.metric.needs_queue());
        Some(Keeps { target, min: self.min(), max: self.max, pace, queue })
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        if self.min() == 0 {
            problems.error("min", "a group has at least one machine", "min = 1 leaves one");
        }
        if self.min() > self.max {
            let message = format!("`max` is {}, below `min`, {}", self.max, self.min());
            problems.error("max", message, "the greatest number of machines is not below the least");
        }
        self.check_goal(problems);
        self.check_times(problems);
        self.check_schedule(problems);
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Autoscaler::new(self, site))
    }
}
