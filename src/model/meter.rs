//! `Meter`: the counters of one component in a trial, with the ledger in which every call that arrived leaves once.

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::histogram::Histogram;
use crate::stats::occupancy::Occupancy;
use crate::stats::tally::Tally;
use crate::stats::time_average::TimeAverage;

use super::exported::Exported;
use super::gauge::{Dials, Gauge};
use super::record::ComponentWindow;
use super::signal::Outcome;

/// The counters of one component.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub arrived: u64,
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Failures that began here, by outcome: it gave the outcome itself, or nothing answered in its place.
    pub own: [u64; Outcome::ALL.len()],
    /// Number of failures that came from another component.
    pub passed: u64,
    /// Number of calls answered ok for which nobody waited any more.
    pub in_vain: u64,
    pub dropped: u64,
    pub passed_on: u64,
    /// The gauges of the component.
    pub dials: Dials,
    /// What its process counts for a monitor that watches it; behind a pointer, because it is mostly absent.
    pub exported: Option<Box<Exported>>,
    pub response: Tally,
    pub waits: Histogram,
    /// Total time that its own calls spent inside other components, in nanoseconds.
    pub asked: u128,
    pub inside: Occupancy,
    pub queue: TimeAverage,
    /// Largest number of calls in work at the same time; `None` without a limit.
    pub slots: Option<u32>,
    /// Number of calls that wait for one of these slots.
    pub lined_up: TimeAverage,
    /// Total time inside of the calls that have left and are not in `response`, since the start of the trial, in
    /// nanoseconds.
    residences: u128,
    /// 1 while a call that holds a slot waits for something that the component has a limited number of, such as a connection
    /// of its pool; else 0.
    pub lacking: TimeAverage,
    /// What the integrals and counts were at the start of the current window.
    window: Mark,
}

/// Integrals and counts at one moment, to find what a window adds to them.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    inside: u128,
    lined_up: u128,
    lacking: u128,
}

/// The calls inside a component at the end of a trial.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inside {
    pub(super) calls: u64,
    /// Sum of the times since they arrived, in nanoseconds.
    pub(super) residences: u128,
}

impl Meter {
    pub(super) fn new(gauges: &'static [Gauge]) -> Meter {
        Meter { dials: Dials::new(gauges), ..Meter::default() }
    }

    /// Counts a call that arrives. A probe counts as inside, but not as traffic.
    #[inline]
    pub(super) fn enter(&mut self, now: SimTime, is_probe: bool) {
        self.arrived += u64::from(!is_probe);
        self.inside.enter(now.as_nanos());
    }

    /// Takes back the arrival of a call that comes in vain: the kernel has dropped its attempt to connect.
    pub(super) fn turn_back(&mut self, now: SimTime, is_probe: bool) {
        self.arrived -= u64::from(!is_probe);
        self.inside.leave(now.as_nanos());
    }

    /// Counts a call that leaves and is not in `response`; it arrived at `arrived`.
    #[inline]
    fn leave(&mut self, now: SimTime, arrived: SimTime) {
        self.inside.leave(now.as_nanos());
        self.residences += u128::from(now.since(arrived).as_nanos());
    }

    /// Counts a call that is answered ok.
    #[inline]
    pub(super) fn answer_ok(&mut self, now: SimTime, residence: SimDuration, waited: SimDuration) {
        self.inside.leave(now.as_nanos());
        self.outcomes[Outcome::Ok as usize] += 1;
        self.response.record(residence.as_nanos());
        self.waits.record(waited.as_nanos());
    }

    /// Counts a call that is answered with another outcome, which another component gave first if it `failed_below`.
    pub(super) fn fail(&mut self, now: SimTime, arrived: SimTime, outcome: Outcome, failed_below: bool) {
        self.leave(now, arrived);
        self.outcomes[outcome as usize] += 1;
        self.own[outcome as usize] += u64::from(!failed_below);
        self.passed += u64::from(failed_below);
    }

    /// Counts a probe that is answered or lost.
    pub(super) fn end_probe(&mut self, now: SimTime, arrived: SimTime) {
        self.leave(now, arrived);
    }

    /// Counts a call that is forwarded.
    pub(super) fn pass_on(&mut self, now: SimTime, arrived: SimTime) {
        self.leave(now, arrived);
        self.passed_on += 1;
    }

    /// Counts a call that is lost in a crash.
    pub(super) fn lose(&mut self, now: SimTime, arrived: SimTime) {
        self.leave(now, arrived);
        self.dropped += 1;
    }

    pub(super) fn end_warmup(&mut self, now: SimTime) {
        self.arrived = 0;
        self.outcomes = [0; Outcome::ALL.len()];
        (self.own, self.passed, self.in_vain) = ([0; Outcome::ALL.len()], 0, 0);
        self.dropped = 0;
        self.passed_on = 0;
        self.dials.end_warmup(now);
        self.residences += self.response.sum();
        self.response = Tally::default();
        self.waits.clear();
        self.asked = 0;
        self.inside.reset(now.as_nanos());
        self.queue.reset(now.as_nanos());
        self.lined_up.reset(now.as_nanos());
        self.lacking.reset(now.as_nanos());
        self.window = Mark::default();
    }

    /// Mean share of the slots that calls held, 0..1; `None` without a limit. A call that is inside and does not wait
    /// for a slot holds one.
    pub(super) fn slots_held(&self, now: SimTime) -> Option<f64> {
        let now = now.as_nanos();
        // Messages of other members of the box hold no slot, and may be inside while all slots are held.
        let held = self.inside.mean(now) - self.lined_up.mean(now);
        self.slots.map(|slots| (held / f64::from(slots)).min(1.0))
    }

    /// Notes how many calls wait for a slot, and how many wait for something else while they hold one.
    pub(super) fn set_waiting(&mut self, now: SimTime, for_slots: u64, with_slots: u64) {
        let now = now.as_nanos();
        self.lined_up.set(now, for_slots);
        self.queue.set(now, for_slots + with_slots);
        let lacks = u64::from(with_slots > 0);
        if lacks != self.lacking.level() {
            self.lacking.set(now, lacks);
        }
    }

    /// What happened since the last window was closed, `length` ago.
    pub(super) fn close_window(&mut self, now: SimTime, length: SimDuration) -> ComponentWindow {
        let nanos = now.as_nanos();
        let before = self.window;
        self.window = Mark {
            inside: self.inside.integral(nanos),
            lined_up: self.lined_up.integral(nanos),
            lacking: self.lacking.integral(nanos),
        };
        let mean = |after: u128, before: u128| (after - before) as f64 / length.as_nanos() as f64;
        let inside = mean(self.window.inside, before.inside);
        let held = inside - mean(self.window.lined_up, before.lined_up);
        ComponentWindow {
            inside,
            backlog: 0.0,
            busy: 0.0,
            held: self.slots.map_or(0.0, |slots| (held / f64::from(slots)).clamp(0.0, 1.0)),
            lacking: mean(self.window.lacking, before.lacking),
        }
    }

    pub(super) fn audit(&self, index: usize, now: SimTime, inside: &Inside) {
        assert_eq!(
            self.inside.level(),
            inside.calls,
            "calls at component {index} are lost or answered twice"
        );
        // Little's law for this very trial: the integral of the number of calls inside equals the sum of their times
        // inside.
        let residences = self.residences + self.response.sum() + inside.residences;
        assert_eq!(residences, self.inside.whole(now.as_nanos()), "Little's law fails at component {index}");
    }
}
