//! What outgrow writes down of each request and each box, for the loops of `record.rs`: the same counts, tallies, histograms,
//! time averages and windows, of the same types.
//!
//! The model's own recorder is private to it. This is what is left of it without a warm-up, parts of the time, probes and
//! gauges; [`Books::compare`] holds every figure against a trial of outgrow.

use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::model::record::{ClassWindow, ComponentRecord, ComponentWindow, TrialRecord, Window};
use outgrow::model::signal::Outcome;
use outgrow::stats::batch::BatchMeans;
use outgrow::stats::histogram::Histogram;
use outgrow::stats::occupancy::Occupancy;
use outgrow::stats::tally::Tally;
use outgrow::stats::time_average::TimeAverage;

/// Counts by outcome.
type Outcomes = [u64; Outcome::ALL.len()];

/// The calls of one box.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    arrived: u64,
    outcomes: Outcomes,
    response: Tally,
    waits: Histogram,
    /// Time that its own calls spent inside others, in nanoseconds.
    asked: u128,
    inside: Occupancy,
    /// Calls that wait for a slot, and those that wait for something else while they hold one.
    lined_up: TimeAverage,
    lacking: TimeAverage,
    /// Number of slots; `None` without a limit.
    slots: Option<u32>,
    /// The three integrals at the start of the open window.
    window: [u128; 3],
}

impl Meter {
    pub(crate) fn new(slots: Option<u32>) -> Meter {
        Meter { slots, ..Meter::default() }
    }

    /// A call arrives.
    #[inline]
    pub(crate) fn enter(&mut self, now: SimTime) {
        self.arrived += 1;
        self.inside.enter(now.as_nanos());
    }

    /// A call is answered ok.
    #[inline]
    pub(crate) fn answer_ok(&mut self, now: SimTime, residence: SimDuration, waited: SimDuration) {
        self.inside.leave(now.as_nanos());
        self.outcomes[Outcome::Ok as usize] += 1;
        self.response.record(residence.as_nanos());
        self.waits.record(waited.as_nanos());
    }

    /// A call of its own has been answered after this time inside another box.
    #[inline]
    pub(crate) fn asked(&mut self, residence: SimDuration) {
        self.asked += u128::from(residence.as_nanos());
    }

    fn close_window(&mut self, now: SimTime, length: SimDuration) -> ComponentWindow {
        let nanos = now.as_nanos();
        let after =
            [self.inside.integral(nanos), self.lined_up.integral(nanos), self.lacking.integral(nanos)];
        let before = std::mem::replace(&mut self.window, after);
        let mean = |at: usize| (after[at] - before[at]) as f64 / length.as_nanos() as f64;
        let held = mean(0) - mean(1);
        ComponentWindow {
            inside: mean(0),
            busy: 0.0,
            held: self.slots.map_or(0.0, |slots| (held / f64::from(slots)).clamp(0.0, 1.0)),
            lacking: mean(2),
            ..ComponentWindow::default()
        }
    }

    fn compare(&self, record: &ComponentRecord, now: SimTime) {
        let nanos = now.as_nanos();
        let held = self.inside.mean(nanos) - self.lined_up.mean(nanos);
        let held = self.slots.map(|slots| (held / f64::from(slots)).min(1.0));
        assert_eq!((self.arrived, self.outcomes), (record.arrived, record.outcomes), "{}", record.name);
        assert_eq!((self.response, self.asked), (record.response, record.asked), "{}", record.name);
        assert!(self.waits == record.waits, "the waits at {}", record.name);
        assert_eq!((self.inside.mean(nanos), self.inside.max()), (record.inside_mean, record.inside_max));
        assert_eq!(held, record.slots_held, "{}", record.name);
    }
}

/// The requests of one class.
#[derive(Debug)]
struct Account {
    /// Longest response time that counts as good, in nanoseconds.
    limit: u64,
    issued: u64,
    outcomes: Outcomes,
    good: u64,
    attempts: u64,
    /// The counts at the start of the open window.
    window: ClassWindow,
    /// Response times of the open window, and of those before it.
    responses: Histogram,
    ok: Histogram,
}

impl Account {
    fn new() -> Account {
        Account {
            limit: u64::MAX,
            issued: 0,
            outcomes: Outcomes::default(),
            good: 0,
            attempts: 0,
            window: ClassWindow::default(),
            responses: Histogram::default(),
            ok: Histogram::default(),
        }
    }

    fn window(&mut self) -> ClassWindow {
        let ok = self.outcomes[Outcome::Ok as usize];
        let failed = self.outcomes.iter().sum::<u64>() - ok;
        let now = ClassWindow { issued: self.issued, ok, failed, attempts: self.attempts };
        let before = std::mem::replace(&mut self.window, now);
        ClassWindow {
            issued: now.issued - before.issued,
            ok: now.ok - before.ok,
            failed: now.failed - before.failed,
            attempts: now.attempts - before.attempts,
        }
    }
}

/// A request that ends ok.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) class: u16,
    pub(crate) attempt: u16,
    pub(crate) issued: SimTime,
}

/// Everything that is written down in a trial.
#[derive(Debug)]
pub(crate) struct Books {
    accounts: Vec<Account>,
    pub(crate) meters: Vec<Meter>,
    in_flight: Occupancy,
    batches: BatchMeans,
    windows: Vec<Window>,
    /// The open window: its start, the requests issued before it, and the response times of all classes.
    start: SimTime,
    issued_before: u64,
    responses: Histogram,
}

impl Books {
    pub(crate) fn new(classes: usize, meters: Vec<Meter>) -> Books {
        Books {
            accounts: (0..classes).map(|_| Account::new()).collect(),
            meters,
            in_flight: Occupancy::default(),
            batches: BatchMeans::default(),
            windows: Vec::new(),
            start: SimTime::ZERO,
            issued_before: 0,
            responses: Histogram::default(),
        }
    }

    /// A request begins.
    #[inline(always)]
    pub(crate) fn issue(&mut self, class: u16, now: SimTime) {
        self.accounts[usize::from(class)].issued += 1;
        self.in_flight.enter(now.as_nanos());
    }

    /// A request ends.
    #[inline(always)]
    pub(crate) fn end(&mut self, Ended { class, attempt, issued }: Ended, now: SimTime) {
        let nanos = now.since(issued).as_nanos();
        self.in_flight.leave(now.as_nanos());
        let account = &mut self.accounts[usize::from(class)];
        account.outcomes[Outcome::Ok as usize] += 1;
        account.good += u64::from(nanos <= account.limit);
        account.attempts += u64::from(attempt);
        account.responses.record(nanos);
        self.batches.record(nanos as f64);
    }

    /// Closes the open window. `busy` has the core time that each box used in it, in nanoseconds, and its cores.
    pub(crate) fn close_window(&mut self, now: SimTime, busy: impl Iterator<Item = (usize, u128, u32)>) {
        for account in &mut self.accounts {
            self.responses.merge(&account.responses);
            account.ok.merge(&account.responses);
            account.responses.clear();
        }
        let length = now.since(self.start);
        let issued: u64 = self.accounts.iter().map(|account| account.issued).sum();
        let mut components: Vec<ComponentWindow> =
            self.meters.iter_mut().map(|meter| meter.close_window(now, length)).collect();
        for (place, nanos, cores) in busy {
            components[place].busy = nanos as f64 / (length.as_nanos() as f64 * f64::from(cores));
        }
        self.windows.push(Window {
            start_s: self.start.as_secs_f64(),
            length_s: length.as_secs_f64(),
            issued: issued - self.issued_before,
            ok: self.responses.count(),
            failed: 0,
            p99: (!self.responses.is_empty()).then(|| self.responses.quantile(0.99)),
            response_sum: self.responses.sum(),
            components,
            classes: self.accounts.iter_mut().map(Account::window).collect(),
        });
        (self.start, self.issued_before) = (now, issued);
        self.responses.clear();
    }

    /// Sum of all response times, in nanoseconds.
    pub(crate) fn sum(&self) -> u128 {
        self.accounts.iter().map(|account| account.ok.sum()).sum()
    }

    /// Holds every figure against those of outgrow for the same trial, which ended `now`.
    ///
    /// # Panics
    /// When one differs.
    pub(crate) fn compare(&self, record: &TrialRecord, now: SimTime) {
        for (account, class) in self.accounts.iter().zip(&record.classes) {
            let mine = (account.issued, account.outcomes, account.good, account.attempts);
            assert_eq!(mine, (class.issued, class.outcomes, class.good, class.attempts));
            assert!(account.ok == class.ok, "the response times");
        }
        for (meter, component) in self.meters.iter().zip(&record.components) {
            meter.compare(component, now);
        }
        assert_eq!(self.in_flight.mean(now.as_nanos()), record.in_flight_mean);
        assert!(self.batches == record.batches, "the batch means");
        assert!(self.windows == record.windows, "the windows of the series");
    }
}
