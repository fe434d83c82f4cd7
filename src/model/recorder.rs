//! `Recorder`: counters, tallies and time averages of a trial, and the ledger in which every request ends exactly once.

use std::borrow::Cow;

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::batch::BatchMeans;
use crate::stats::histogram::Histogram;
use crate::stats::occupancy::Occupancy;

use super::call::Request;
use super::gauge::Gauge;
use super::meter::{Inside, Meter};
use super::part::{Part, PartRecord};
use super::record::{ClassRecord, ClassWindow, ComponentWindow, Note, Window};
use super::signal::Outcome;

/// Largest number of entries in a timeline; later ones are dropped.
pub const TIMELINE_MAX: usize = 1000;

/// Requests of one class.
#[derive(Debug)]
struct Account {
    /// Longest response time that counts as good, in nanoseconds.
    limit: u64,
    /// Counts since the start of the trial.
    counts: Counts,
    /// The counts at the end of the warm-up.
    warmup: Counts,
    /// Requests that were issued in the warm-up and ended after it; they are in no other figure.
    carried: Carried,
    /// The counts at the start of the open window.
    window: ClassWindow,
    /// Response times of requests that ended ok in the open window, in nanoseconds.
    responses: Histogram,
    /// Response times of requests that ended ok in closed windows, in nanoseconds.
    ok: Histogram,
    failed: Histogram,
}

/// Numbers of requests of one class, by progress.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    issued: u64,
    outcomes: [u64; Outcome::ALL.len()],
    good: u64,
    attempts: u64,
}

/// Requests that were issued in the warm-up and ended after it.
#[derive(Clone, Copy, Debug, Default)]
struct Carried {
    ended: u64,
    attempts: u64,
    ok: u64,
    good: u64,
}

/// Counters, tallies and time averages of one trial.
#[derive(Debug)]
pub struct Recorder {
    warm: bool,
    pub(super) measured_from: SimTime,
    accounts: Vec<Account>,
    pub(super) meters: Vec<Meter>,
    pub(super) in_flight: Occupancy,
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
    /// Number of requests of all classes that had been issued when it was opened.
    issued_before: u64,
    failed: u64,
    /// Response times of requests that ended ok. Until the window is closed, only of those that no account counts.
    responses: Histogram,
}

impl Recorder {
    /// A recorder without components; `deadlines` are those of the classes.
    pub(super) fn new(deadlines: &[Option<SimDuration>]) -> Recorder {
        Recorder {
            warm: false,
            measured_from: SimTime::ZERO,
            accounts: deadlines.iter().map(|deadline| Account::new(*deadline)).collect(),
            meters: Vec::new(),
            in_flight: Occupancy::default(),
            carried_in: 0,
            batches: BatchMeans::default(),
            windows: Vec::new(),
            window: OpenWindow::default(),
            parts: Vec::new(),
            timeline: Vec::new(),
        }
    }

    /// Measures a part of the time separately.
    pub(super) fn watch(&mut self, part: Part) {
        self.parts.push(PartRecord::new(part, self.accounts.len()));
    }

    /// The records of the parts, at the end of the trial.
    pub(super) fn take_parts(&mut self, now: SimTime) -> Vec<PartRecord> {
        for part in &mut self.parts {
            part.seconds = part.part.seconds(self.measured_from, now);
        }
        std::mem::take(&mut self.parts)
    }

    /// Another component joins, with the gauges of its kind.
    pub(super) fn add_component(&mut self, gauges: &'static [Gauge]) {
        self.meters.push(Meter::new(gauges));
    }

    /// Ends the warm-up: drops all counts but those of the ledgers.
    pub(super) fn end_warmup(&mut self, now: SimTime) {
        self.warm = true;
        self.measured_from = now;
        self.carried_in = self.in_flight.level();
        self.in_flight.reset(now.as_nanos());
        for account in &mut self.accounts {
            account.warmup = account.counts;
            account.ok.clear();
            account.failed.clear();
        }
        for meter in &mut self.meters {
            meter.end_warmup(now);
        }
    }

    /// Counts a request that begins. Returns whether it is in the measured time.
    #[inline(always)]
    pub(super) fn issue(&mut self, class: u16, now: SimTime) -> bool {
        self.accounts[usize::from(class)].counts.issued += 1;
        self.in_flight.enter(now.as_nanos());
        self.warm
    }

    /// A request ends.
    #[inline(always)]
    pub(super) fn end(&mut self, request: &Request, outcome: Outcome, now: SimTime) {
        let nanos = now.since(request.issued).as_nanos();
        self.in_flight.leave(now.as_nanos());
        let account = &mut self.accounts[usize::from(request.class)];
        let is_ok = outcome == Outcome::Ok;
        let is_good = is_ok && nanos <= account.limit;
        // In the warm-up everything is counted and dropped at its end.
        if request.measured || !self.warm {
            account.counts.outcomes[outcome as usize] += 1;
            account.counts.good += u64::from(is_good);
            account.counts.attempts += u64::from(request.attempt);
            if is_ok {
                account.responses.record(nanos);
                if self.warm {
                    self.batches.record(nanos as f64);
                }
            } else {
                account.failed.record(nanos);
            }
        } else {
            self.end_carried(request, is_ok.then_some(nanos), is_good);
        }
        self.window.failed += u64::from(!is_ok);
        if self.warm && !self.parts.is_empty() {
            self.end_in_parts(request, is_ok.then_some(nanos), is_good, now);
        }
    }

    /// Counts a request that was issued in the warm-up and ends after it.
    #[cold]
    fn end_carried(&mut self, request: &Request, ok: Option<u64>, is_good: bool) {
        let carried = &mut self.accounts[usize::from(request.class)].carried;
        carried.ended += 1;
        carried.attempts += u64::from(request.attempt);
        carried.ok += u64::from(ok.is_some());
        carried.good += u64::from(is_good);
        if let Some(nanos) = ok {
            self.window.responses.record(nanos);
        }
    }

    fn end_in_parts(&mut self, request: &Request, ok: Option<u64>, is_good: bool, now: SimTime) {
        let response = ok.map(SimDuration::from_nanos);
        for part in &mut self.parts {
            part.end(now, usize::from(request.class), response, is_good);
        }
    }

    /// Whether the warm-up is over.
    pub(super) fn is_warm(&self) -> bool {
        self.warm
    }

    /// Adds an event of a component to the timeline.
    pub(super) fn note(&mut self, at: SimTime, component: &str, event: impl Into<Cow<'static, str>>) {
        if self.timeline.len() < TIMELINE_MAX {
            self.timeline.push(Note { at, component: component.to_owned(), event: event.into() });
        }
    }

    /// Closes the current window at `now`. `busy` gives for each machine its host, the core time used in the window in
    /// nanoseconds, and the number of cores; `backlogs` the messages that wait in each component.
    pub(super) fn close_window(
        &mut self,
        now: SimTime,
        busy: &[(usize, u128, u32)],
        backlogs: impl Iterator<Item = u64>,
    ) {
        let responses = &mut self.window.responses;
        self.accounts.iter_mut().for_each(|account| account.close_window(responses));
        let length = now.since(self.window.start);
        if length.is_zero() {
            return;
        }
        let classes = self.accounts.iter_mut().map(Account::window).collect();
        let issued: u64 = self.accounts.iter().map(|account| account.counts.issued).sum();
        let mut components: Vec<ComponentWindow> =
            self.meters.iter_mut().map(|meter| meter.close_window(now, length)).collect();
        for (component, waiting) in components.iter_mut().zip(backlogs) {
            component.backlog = waiting as f64;
        }
        for &(host, nanos, cores) in busy {
            components[host].busy = nanos as f64 / (length.as_nanos() as f64 * f64::from(cores));
        }
        let window = &mut self.window;
        self.windows.push(Window {
            start_s: window.start.as_secs_f64(),
            length_s: length.as_secs_f64(),
            issued: issued - window.issued_before,
            ok: window.responses.count(),
            failed: window.failed,
            p99: (!window.responses.is_empty()).then(|| window.responses.quantile(0.99)),
            response_sum: window.responses.sum(),
            components,
            classes,
        });
        window.reopen(now, issued);
    }

    /// The records of the classes, at the end of the trial, after its last window is closed.
    pub(super) fn take_classes(&mut self) -> Vec<ClassRecord> {
        std::mem::take(&mut self.accounts).into_iter().map(Account::finish).collect()
    }

    /// Checks the ledgers at the end of a trial against the requests and calls that are alive: issued = ended + alive
    /// for each class, arrived = left + inside for each component, and Little's law exactly, in nanoseconds.
    ///
    /// # Panics
    /// If a ledger does not balance, which is a defect of the simulator.
    pub(super) fn audit(&self, now: SimTime, alive: &[u64], inside: &[Inside]) {
        for (class, (account, alive)) in self.accounts.iter().zip(alive).enumerate() {
            let ended = account.counts.outcomes.iter().sum::<u64>() + account.carried.ended;
            assert_eq!(
                account.counts.issued,
                ended + alive,
                "requests of class {class} ended more or less than once"
            );
        }
        for (index, (meter, inside)) in self.meters.iter().zip(inside).enumerate() {
            meter.audit(index, now, inside);
        }
    }
}

impl Account {
    fn new(deadline: Option<SimDuration>) -> Account {
        Account {
            limit: deadline.map_or(u64::MAX, SimDuration::as_nanos),
            counts: Counts::default(),
            warmup: Counts::default(),
            carried: Carried::default(),
            window: ClassWindow::default(),
            responses: Histogram::default(),
            ok: Histogram::default(),
            failed: Histogram::default(),
        }
    }

    /// Adds the response times of the open window to those of all classes and to those of earlier windows.
    fn close_window(&mut self, all: &mut Histogram) {
        all.merge(&self.responses);
        self.ok.merge(&self.responses);
        self.responses.clear();
    }

    /// The requests of the window that is being closed.
    fn window(&mut self) -> ClassWindow {
        let Counts { issued, outcomes, attempts, .. } = self.counts;
        let ok = outcomes[Outcome::Ok as usize] + self.carried.ok;
        let ended = outcomes.iter().sum::<u64>() + self.carried.ended;
        let attempts = attempts + self.carried.attempts;
        let now = ClassWindow { issued, ok, failed: ended - ok, attempts };
        let before = std::mem::replace(&mut self.window, now);
        ClassWindow {
            issued: now.issued - before.issued,
            ok: now.ok - before.ok,
            failed: now.failed - before.failed,
            attempts: now.attempts - before.attempts,
        }
    }

    fn finish(mut self) -> ClassRecord {
        let (now, before) = (self.counts, self.warmup);
        let outcomes: [u64; Outcome::ALL.len()] =
            std::array::from_fn(|outcome| now.outcomes[outcome] - before.outcomes[outcome]);
        let good = now.good - before.good;
        self.failed.merge(&self.ok);
        ClassRecord {
            issued: now.issued - before.issued,
            outcomes,
            good,
            attempts: now.attempts - before.attempts,
            response: *self.ok.tally(),
            ok: self.ok,
            ended: self.failed,
            completed: outcomes[Outcome::Ok as usize] + self.carried.ok,
            completed_good: good + self.carried.good,
        }
    }
}

impl OpenWindow {
    /// Opens the next window.
    fn reopen(&mut self, now: SimTime, issued: u64) {
        self.start = now;
        self.issued_before = issued;
        self.failed = 0;
        self.responses.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    /// A meter with two calls: one was inside from 10 to 30 ns, the other is inside since 20 ns.
    fn two_calls() -> Recorder {
        let mut recorder = Recorder::new(&[]);
        recorder.add_component(&[]);
        let meter = &mut recorder.meters[0];
        meter.enter(at(10), false);
        meter.enter(at(20), false);
        meter.answer_ok(at(30), SimDuration::from_nanos(20), SimDuration::ZERO);
        recorder
    }

    #[test]
    fn the_account_of_two_calls_closes_before_and_after_the_warmup() {
        two_calls().audit(at(50), &[], &[Inside { calls: 1, residences: 30 }]);
        let mut recorder = two_calls();
        recorder.end_warmup(at(40));
        recorder.meters[0].fail(at(60), at(20), Outcome::Rejected, false);
        recorder.audit(at(70), &[], &[Inside::default()]);
    }

    #[test]
    #[should_panic(expected = "lost or answered twice")]
    fn a_call_that_is_nowhere_is_found() {
        two_calls().audit(at(50), &[], &[Inside::default()]);
    }

    #[test]
    #[should_panic(expected = "Little's law fails")]
    fn a_residence_that_is_wrong_by_a_nanosecond_is_found() {
        two_calls().audit(at(50), &[], &[Inside { calls: 1, residences: 31 }]);
    }

    /// Ends a request of class 0 after its second try.
    fn end(recorder: &mut Recorder, issued: u64, measured: bool, now: u64, outcome: Outcome) {
        let request = Request { issued: at(issued), measured, attempt: 2, ..Request::BLANK };
        recorder.end(&request, outcome, at(now));
    }

    #[test]
    fn who_is_carried_into_the_measured_time_counts_as_throughput_only() {
        let mut recorder = Recorder::new(&[Some(SimDuration::from_nanos(25))]);
        assert!(!recorder.issue(0, at(1)) && !recorder.issue(0, at(2)));
        end(&mut recorder, 1, false, 5, Outcome::Ok);
        recorder.close_window(at(10), &[], std::iter::empty());
        recorder.end_warmup(at(10));
        assert!(recorder.issue(0, at(11)) && recorder.issue(0, at(12)) && recorder.issue(0, at(13)));
        end(&mut recorder, 2, false, 20, Outcome::Ok);
        end(&mut recorder, 11, true, 31, Outcome::Ok);
        end(&mut recorder, 12, true, 42, Outcome::Ok);
        end(&mut recorder, 13, true, 43, Outcome::Rejected);
        recorder.close_window(at(50), &[], std::iter::empty());
        recorder.audit(at(50), &[0], &[]);
        let window = &recorder.windows[1];
        assert_eq!((window.issued, window.ok, window.failed, window.response_sum), (3, 3, 1, 18 + 20 + 30));
        assert_eq!(recorder.carried_in, 1);
        let class = recorder.take_classes().remove(0);
        assert_eq!((class.issued, class.outcomes[0], class.outcomes[1], class.attempts), (3, 2, 1, 6));
        assert_eq!((class.good, class.completed, class.completed_good), (1, 3, 2));
        assert_eq!((class.ok.count(), class.ok.sum(), class.response.sum()), (2, 50, 50));
        assert_eq!((class.ended.count(), class.ended.sum()), (3, 80));
    }

    #[test]
    #[should_panic(expected = "more or less than once")]
    fn a_request_that_is_forgotten_is_found() {
        let mut recorder = Recorder::new(&[None]);
        recorder.issue(0, at(1));
        recorder.audit(at(2), &[0], &[]);
    }
}
