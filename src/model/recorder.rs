//! `Recorder`: counters, tallies and time averages of a trial, and the ledger in which every request ends exactly once.

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::batch::BatchMeans;
use crate::stats::histogram::Histogram;
use crate::stats::tally::Tally;
use crate::stats::time_average::TimeAverage;

use super::call::Request;
use super::part::{Part, PartRecord};
use super::record::{ClassRecord, Note, Window};
use super::signal::Outcome;

/// Entries of a timeline; what comes later is counted, not kept.
pub const TIMELINE_MAX: usize = 1000;

/// What one component did.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub arrived: u64,
    pub outcomes: [u64; Outcome::ALL.len()],
    pub dropped: u64,
    pub passed_on: u64,
    /// What the component itself counts.
    pub counts: Vec<(&'static str, u64)>,
    pub response: Tally,
    pub wait: Tally,
    pub waits: Histogram,
    /// Time that its own calls spent inside other components, ns.
    pub asked: u128,
    pub inside: TimeAverage,
    pub queue: TimeAverage,
    /// How many calls may be in work at once, where that is limited.
    pub slots: Option<u32>,
    /// Calls that wait for one of these slots.
    pub lined_up: TimeAverage,
    /// Since the start of the trial, warm-up included.
    ledger: CallLedger,
    /// `inside.integral` at the start of the current window.
    window_integral: u128,
}

/// Calls since the start of the trial: arrived = left + inside, and the residences add up.
#[derive(Debug, Default)]
struct CallLedger {
    arrived: u64,
    left: u64,
    /// Sums of the moments of arrival and of leaving, ns.
    arrived_sum: u128,
    left_sum: u128,
    /// Integral of calls inside until the warm-up's end, ns.
    integral: u128,
}

/// Counts since the start of the trial, a class.
#[derive(Clone, Copy, Debug, Default)]
struct ClassLedger {
    issued: u64,
    ended: u64,
}

/// Counters, tallies and time averages of one trial.
#[derive(Debug)]
pub struct Recorder {
    warm: bool,
    pub(super) measured_from: SimTime,
    pub(super) classes: Vec<ClassRecord>,
    deadlines: Vec<Option<SimDuration>>,
    ledger: Vec<ClassLedger>,
    pub(super) meters: Vec<Meter>,
    pub(super) in_flight: TimeAverage,
    pub(super) carried_in: u64,
    pub(super) batches: BatchMeans,
    pub(super) windows: Vec<Window>,
    window: OpenWindow,
    parts: Vec<PartRecord>,
    pub(super) timeline: Vec<Note>,
}

/// The window that is being filled.
#[derive(Debug, Default)]
struct OpenWindow {
    start: SimTime,
    issued: u64,
    ok: u64,
    failed: u64,
    responses: Histogram,
}

impl Recorder {
    /// A recorder of no component yet; `deadlines` are those of the classes.
    pub(super) fn new(deadlines: Vec<Option<SimDuration>>) -> Recorder {
        Recorder {
            warm: false,
            measured_from: SimTime::ZERO,
            classes: vec![ClassRecord::default(); deadlines.len()],
            ledger: vec![ClassLedger::default(); deadlines.len()],
            deadlines,
            meters: Vec::new(),
            in_flight: TimeAverage::default(),
            carried_in: 0,
            batches: BatchMeans::default(),
            windows: Vec::new(),
            window: OpenWindow::default(),
            parts: Vec::new(),
            timeline: Vec::new(),
        }
    }

    /// A part of the time is measured on its own.
    pub(super) fn watch(&mut self, part: Part) {
        self.parts.push(PartRecord::new(part, self.classes.len()));
    }

    /// The parts, once the trial is over.
    pub(super) fn take_parts(&mut self, now: SimTime) -> Vec<PartRecord> {
        for part in &mut self.parts {
            part.seconds = part.part.seconds(self.measured_from, now);
        }
        std::mem::take(&mut self.parts)
    }

    /// Another component joins.
    pub(super) fn add_component(&mut self) {
        self.meters.push(Meter::default());
    }

    /// Ends the warm-up: what was counted is forgotten, the ledgers go on.
    pub(super) fn end_warmup(&mut self, now: SimTime) {
        self.warm = true;
        self.measured_from = now;
        self.carried_in = self.in_flight.level();
        self.in_flight.reset(now.as_nanos());
        for class in &mut self.classes {
            *class = ClassRecord::default();
        }
        for meter in &mut self.meters {
            meter.end_warmup(now);
        }
    }

    /// A request begins; tells whether it counts.
    #[inline]
    pub(super) fn issue(&mut self, class: u16, now: SimTime) -> bool {
        let class = usize::from(class);
        self.classes[class].issued += 1;
        self.ledger[class].issued += 1;
        self.window.issued += 1;
        self.in_flight.add(now.as_nanos(), 1);
        self.warm
    }

    /// A request ends.
    #[inline]
    pub(super) fn end(&mut self, request: &Request, outcome: Outcome, now: SimTime) {
        let index = usize::from(request.class);
        let response = now.since(request.issued);
        let nanos = response.as_nanos();
        let ok = outcome == Outcome::Ok;
        let good = ok && self.deadlines[index].is_none_or(|deadline| response <= deadline);
        self.ledger[index].ended += 1;
        self.in_flight.add(now.as_nanos(), -1);
        let class = &mut self.classes[index];
        class.completed += u64::from(ok);
        class.completed_good += u64::from(good);
        self.window.end(ok, nanos);
        if self.warm {
            for part in &mut self.parts {
                part.end(now, index, ok.then_some(response), good);
            }
        }
        // Before the end of the warm-up everything counts, to be forgotten with it.
        if self.warm && !request.measured {
            return;
        }
        class.outcomes[outcome as usize] += 1;
        class.good += u64::from(good);
        class.attempts += u64::from(request.attempt);
        if ok {
            class.ok.record(nanos);
            class.response.record(nanos);
            if self.warm {
                self.batches.record(nanos as f64);
            }
        } else {
            // Those that ended ok join them at the end of the trial.
            class.ended.record(nanos);
        }
    }

    /// Something happened to a component.
    pub(super) fn note(&mut self, at: SimTime, component: &str, event: &'static str) {
        if self.timeline.len() < TIMELINE_MAX {
            self.timeline.push(Note { at, component: component.to_owned(), event });
        }
    }

    /// Closes the current window at `now`; `busy` is the core time used in it, ns, by the component whose machine it is.
    pub(super) fn close_window(&mut self, now: SimTime, busy: &[(usize, u128, u32)]) {
        let length = now.since(self.window.start);
        if length.is_zero() {
            return;
        }
        let inside = self.meters.iter_mut().map(|meter| meter.window_mean(now, length)).collect();
        let mut shares = vec![0.0; self.meters.len()];
        for &(host, nanos, cores) in busy {
            shares[host] = nanos as f64 / (length.as_nanos() as f64 * f64::from(cores));
        }
        let window = &mut self.window;
        self.windows.push(Window {
            start_s: window.start.as_secs_f64(),
            length_s: length.as_secs_f64(),
            issued: window.issued,
            ok: window.ok,
            failed: window.failed,
            p99: (!window.responses.is_empty()).then(|| window.responses.quantile(0.99)),
            response_sum: window.responses.sum(),
            inside,
            busy: shares,
        });
        window.clear(now);
    }

    /// Checks the ledgers at the end of a trial: issued = ended + alive for each class, arrived = left + inside for each
    /// component, and Little's law exactly, in nanoseconds.
    ///
    /// # Panics
    /// When an account does not close: a defect of the simulator.
    pub(super) fn audit(&self, now: SimTime, alive: &[u64]) {
        for (class, (ledger, alive)) in self.ledger.iter().zip(alive).enumerate() {
            assert_eq!(
                ledger.issued,
                ledger.ended + alive,
                "requests of class {class} ended more or less than once"
            );
        }
        for (index, meter) in self.meters.iter().enumerate() {
            meter.audit(index, now);
        }
    }
}

impl Meter {
    /// A call arrives; a probe is inside like any other, but no part of the traffic that figures tell about.
    #[inline]
    pub(super) fn enter(&mut self, now: SimTime, is_probe: bool) {
        self.arrived += u64::from(!is_probe);
        self.ledger.arrived += 1;
        self.ledger.arrived_sum += u128::from(now.as_nanos());
        self.inside.add(now.as_nanos(), 1);
    }

    /// A call that arrived at some time leaves, answered or lost.
    #[inline]
    fn leave(&mut self, now: SimTime) {
        self.ledger.left += 1;
        self.ledger.left_sum += u128::from(now.as_nanos());
        self.inside.add(now.as_nanos(), -1);
    }

    /// A call is answered.
    #[inline]
    pub(super) fn answer(&mut self, now: SimTime, arrived: SimTime, waited: SimDuration, outcome: Outcome) {
        self.leave(now);
        self.outcomes[outcome as usize] += 1;
        if outcome == Outcome::Ok {
            self.response.record(now.since(arrived).as_nanos());
            self.wait.record(waited.as_nanos());
            self.waits.record(waited.as_nanos());
        }
    }

    /// A probe is answered, or lost.
    pub(super) fn end_probe(&mut self, now: SimTime) {
        self.leave(now);
    }

    /// A call is handed on.
    pub(super) fn pass_on(&mut self, now: SimTime) {
        self.leave(now);
        self.passed_on += 1;
    }

    /// A call is lost in a crash.
    pub(super) fn lose(&mut self, now: SimTime) {
        self.leave(now);
        self.dropped += 1;
    }

    /// The component has seen one more of something that it counts.
    pub(super) fn count(&mut self, what: &'static str) {
        match self.counts.iter_mut().find(|(name, _)| *name == what) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((what, 1)),
        }
    }

    fn end_warmup(&mut self, now: SimTime) {
        self.arrived = 0;
        self.outcomes = [0; Outcome::ALL.len()];
        self.dropped = 0;
        self.passed_on = 0;
        self.counts.clear();
        self.response = Tally::default();
        self.wait = Tally::default();
        self.waits.clear();
        self.asked = 0;
        self.ledger.integral += self.inside.integral(now.as_nanos());
        self.inside.reset(now.as_nanos());
        self.queue.reset(now.as_nanos());
        self.lined_up.reset(now.as_nanos());
        self.window_integral = 0;
    }

    /// Share of the slots that calls have held: whoever is inside and does not wait for one has one.
    pub(super) fn slots_held(&self, now: SimTime) -> Option<f64> {
        let now = now.as_nanos();
        self.slots.map(|slots| (self.inside.mean(now) - self.lined_up.mean(now)) / f64::from(slots))
    }

    /// Time average of calls inside since the last window was closed.
    fn window_mean(&mut self, now: SimTime, length: SimDuration) -> f64 {
        let integral = self.inside.integral(now.as_nanos());
        let mean = (integral - self.window_integral) as f64 / length.as_nanos() as f64;
        self.window_integral = integral;
        mean
    }

    fn audit(&self, index: usize, now: SimTime) {
        let ledger = &self.ledger;
        let inside = self.inside.level();
        assert_eq!(
            ledger.arrived,
            ledger.left + inside,
            "calls at component {index} are lost or answered twice"
        );
        // Little's law path by path: the integral of calls inside is the sum of their residences.
        let integral = ledger.integral + self.inside.integral(now.as_nanos());
        let residences =
            ledger.left_sum + u128::from(inside) * u128::from(now.as_nanos()) - ledger.arrived_sum;
        assert_eq!(residences, integral, "Little's law fails at component {index}");
    }
}

impl OpenWindow {
    #[inline]
    fn end(&mut self, ok: bool, nanos: u64) {
        if ok {
            self.ok += 1;
            self.responses.record(nanos);
        } else {
            self.failed += 1;
        }
    }

    fn clear(&mut self, now: SimTime) {
        self.start = now;
        self.issued = 0;
        self.ok = 0;
        self.failed = 0;
        self.responses.clear();
    }
}
