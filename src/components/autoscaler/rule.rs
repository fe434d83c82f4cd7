//! `Rule`: how many members there are to be, from what the metric was.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};

/// How a size follows from the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In proportion, as the Horizontal Pod Autoscaler. Downwards, the greatest desire of the last `down_after` counts.
    Target { down_after: SimDuration },
    /// One member more or less, and then nothing for the cooldown, as EC2's simple scaling.
    Step { cooldown: SimDuration },
}

/// The rule of one autoscaler, and what it remembers.
#[derive(Debug)]
pub(super) struct Rule {
    pub way: Way,
    /// The value that the metric is to have.
    pub goal: f64,
    /// Distance from the goal, as a share of it, within which nothing follows.
    pub tolerance: f64,
    /// Least and greatest number of members.
    pub bounds: (u32, u32),
    /// What was desired, and when, in the time that counts downwards.
    desires: VecDeque<(SimTime, u32)>,
    /// When the last step was taken.
    stepped: Option<SimTime>,
}

impl Rule {
    /// A rule that has not decided anything yet, and remembers up to this number of desires.
    pub(super) fn new(way: Way, goal: f64, tolerance: f64, bounds: (u32, u32), desires: usize) -> Rule {
        let desires = VecDeque::with_capacity(desires);
        Rule { way, goal, tolerance, bounds, desires, stepped: None }
    }

    /// Forgets what was desired: there were this number of members all the time.
    pub(super) fn begin(&mut self, now: SimTime, size: u32) {
        self.desires.clear();
        self.desires.push_back((now, size));
        self.stepped = None;
    }

    /// Returns the number of members that are wanted, where `wanted` are so far, and the metric of the `up` ones has this value.
    pub(super) fn decide(&mut self, now: SimTime, wanted: u32, up: u32, value: f64) -> u32 {
        let size = match self.way {
            Way::Target { down_after } => self.in_proportion(now, wanted, up, value, down_after),
            Way::Step { cooldown } => self.step(now, wanted, up, value, cooldown),
        };
        self.bounded(size)
    }

    /// A size within the bounds.
    pub(super) fn bounded(&self, size: u32) -> u32 {
        size.clamp(self.bounds.0, self.bounds.1)
    }

    fn in_proportion(
        &mut self,
        now: SimTime,
        wanted: u32,
        up: u32,
        value: f64,
        down_after: SimDuration,
    ) -> u32 {
        let ratio = value / self.goal;
        let is_near = (ratio - 1.0).abs() <= self.tolerance + 1e-9;
        // What is a whole number but for rounding is this number.
        let share = (f64::from(up) * ratio - 1e-9).ceil().max(0.0) as u32;
        let desire = self.bounded(if is_near { wanted } else { share });
        while self.desires.front().is_some_and(|(at, _)| now.since(*at) > down_after) {
            self.desires.pop_front();
        }
        self.desires.push_back((now, desire));
        if desire >= wanted {
            return desire;
        }
        let most = self.desires.iter().map(|(_, desire)| *desire).max().unwrap_or(desire);
        most.min(wanted)
    }

    fn step(&mut self, now: SimTime, wanted: u32, up: u32, value: f64, cooldown: SimDuration) -> u32 {
        if self.stepped.is_some_and(|at| now.since(at) < cooldown) {
            return wanted;
        }
        let (up, goal) = (f64::from(up), self.goal);
        let size = if value > goal * (1.0 + self.tolerance) {
            self.bounded(wanted + 1)
        } else if up > 1.0 && value * up / (up - 1.0) < goal * (1.0 - self.tolerance) {
            // One fewer, and the others are still below the goal.
            self.bounded(wanted.saturating_sub(1))
        } else {
            wanted
        };
        if size != wanted {
            self.stepped = Some(now);
        }
        size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    fn rule(way: Way) -> Rule {
        let mut rule = Rule::new(way, 0.6, 0.1, (1, 20), 100);
        rule.begin(at(0), 4);
        rule
    }

    #[test]
    fn sizes_are_in_proportion_outside_the_tolerance() {
        let way = Way::Target { down_after: SimDuration::ZERO };
        let size = |up: u32, value: f64| rule(way).decide(at(15), 4, up, value);
        assert_eq!([size(4, 0.9), size(4, 0.65), size(4, 0.55), size(4, 0.67)], [6, 4, 4, 5]);
        assert_eq!([size(4, 0.3), size(4, 0.01), size(4, 0.0), size(40, 1.0)], [2, 1, 1, 20]);
        // Two members are up while two boot: what they need is what both pairs are to do.
        assert_eq!(size(2, 0.9), 3);
    }

    #[test]
    fn downwards_the_greatest_desire_of_a_time_counts() {
        let mut rule = rule(Way::Target { down_after: SimDuration::from_secs(60) });
        let mut wanted = 4;
        let mut sizes = Vec::new();
        for (secs, value) in [(15, 0.9), (30, 0.3), (45, 0.3), (60, 0.3), (75, 0.3), (90, 0.2)] {
            wanted = rule.decide(at(secs), wanted, wanted, value);
            sizes.push(wanted);
        }
        assert_eq!(sizes, [6, 6, 6, 6, 6, 3]);
    }

    #[test]
    fn a_step_is_one_member_and_then_a_pause() {
        let mut rule = rule(Way::Step { cooldown: SimDuration::from_secs(300) });
        assert_eq!(rule.decide(at(15), 4, 4, 1.0), 5);
        assert_eq!(rule.decide(at(30), 5, 4, 1.0), 5);
        assert_eq!(rule.decide(at(315), 5, 5, 1.0), 6);
        // Five members would be at 72 %, so that the sixth stays; at 36 % it goes.
        assert_eq!(rule.decide(at(615), 6, 6, 0.6), 6);
        assert_eq!(rule.decide(at(630), 6, 6, 0.3), 5);
    }
}
