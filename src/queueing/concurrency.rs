//! `Concurrency`: how many calls may be inside at once: a fixed number, or one that follows the time that answers take.

use crate::kernel::time::{SimDuration, SimTime};

/// Time after which a limit is set anew, as Envoy's `concurrency_update_interval` in its example.
const WINDOW: SimDuration = SimDuration::from_millis(100);

/// Number of answers that tell the time of a call with few others inside, as Envoy's `request_count`.
const ANSWERS: u32 = 50;

/// Number of windows at the least limit after which that time is measured again, as in Envoy.
const LOW_WINDOWS: u32 = 5;

/// The greatest limit, as Envoy's `max_concurrency_limit`: it is reached where nothing is slow.
const LIMIT_MAX: f64 = 1000.0;

/// The bounds of the gradient, as in Envoy: within one window a limit is at most halved or doubled.
const GRADIENT: (f64, f64) = (0.5, 2.0);

/// A limit on the calls inside.
#[derive(Clone, Debug)]
pub enum Concurrency {
    /// Always the same number.
    Fixed(u32),
    /// Follows the time that answers take.
    Gradient(Gradient),
}

impl Concurrency {
    /// Whether one more call may enter where a number of calls are inside.
    #[must_use]
    pub fn lets_in(&mut self, now: SimTime, inside: u64) -> bool {
        if let Concurrency::Gradient(gradient) = self {
            gradient.turn(now);
        }
        inside < u64::from(self.calls())
    }

    /// A call that has come at `arrived` is answered.
    pub fn answered(&mut self, now: SimTime, arrived: SimTime) {
        if let Concurrency::Gradient(gradient) = self {
            gradient.answered(now, arrived);
        }
    }

    /// The number of calls that may be inside at once.
    #[must_use]
    pub fn calls(&self) -> u32 {
        match self {
            Concurrency::Fixed(calls) => *calls,
            Concurrency::Gradient(gradient) => gradient.limit as u32,
        }
    }

    /// The process has crashed: nothing is known of the time that answers take.
    pub fn clear(&mut self) {
        if let Concurrency::Gradient(gradient) = self {
            *gradient = Gradient::new(gradient.probe, gradient.min, gradient.buffer);
        }
    }
}

/// A limit that falls while answers take longer than with few calls inside, as Envoy's adaptive concurrency:
///
/// new limit = limit * least time * (1 + buffer) / time of the last answers + sqrt(limit).
///
/// It rests where that time is the least time * (1 + buffer) / (1 - 1 / sqrt(limit)). Times are means over a window; Envoy
/// takes medians.
#[derive(Clone, Debug)]
pub struct Gradient {
    probe: SimDuration,
    min: u32,
    buffer: f64,
    limit: f64,
    /// The mean time of an answer with few calls inside, in seconds.
    least_s: f64,
    phase: Phase,
    /// Answers in this phase, and the sum of their times in seconds.
    answers: u32,
    sum_s: f64,
    /// Windows in a row at whose end the limit was the least.
    low: u32,
    /// When the least time is measured again.
    probe_at: SimTime,
}

/// What a limit is at.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// It is at its least while the time of an answer is measured on calls that have come since; then it is what it was.
    Probe { since: SimTime, before: f64 },
    /// It is set anew at the end of a window.
    Window { until: SimTime },
}

impl Gradient {
    /// A limit that is `min`, above zero, until the time of an answer is known. That is measured again after `probe`; answers
    /// may take longer by the share `buffer`.
    ///
    /// # Panics
    /// When `min` is zero.
    #[must_use]
    pub fn new(probe: SimDuration, min: u32, buffer: f64) -> Gradient {
        assert!(min > 0, "a limit lets at least one call in");
        let limit = f64::from(min);
        let phase = Phase::Probe { since: SimTime::ZERO, before: limit };
        Gradient {
            probe,
            min,
            buffer,
            limit,
            least_s: 0.0,
            phase,
            answers: 0,
            sum_s: 0.0,
            low: 0,
            probe_at: SimTime::ZERO,
        }
    }

    /// Ends the window whose time is over.
    fn turn(&mut self, now: SimTime) {
        let Phase::Window { until } = self.phase else { return };
        if now < until {
            return;
        }
        // A window without answers says nothing.
        if self.answers > 0 {
            self.adjust();
        }
        if now >= self.probe_at || self.low >= LOW_WINDOWS {
            let before = std::mem::replace(&mut self.limit, f64::from(self.min));
            self.begin(Phase::Probe { since: now, before });
        } else {
            self.begin(Phase::Window { until: now + WINDOW });
        }
    }

    /// Sets the limit anew, by the answers of the last window.
    fn adjust(&mut self) {
        let mean_s = self.sum_s / f64::from(self.answers);
        let gradient = (self.least_s * (1.0 + self.buffer) / mean_s).clamp(GRADIENT.0, GRADIENT.1);
        let min = f64::from(self.min);
        self.limit = (self.limit * gradient + self.limit.sqrt()).clamp(min, LIMIT_MAX.max(min));
        self.low = if self.limit <= min { self.low + 1 } else { 0 };
    }

    fn begin(&mut self, phase: Phase) {
        (self.phase, self.answers, self.sum_s) = (phase, 0, 0.0);
    }

    fn answered(&mut self, now: SimTime, arrived: SimTime) {
        self.turn(now);
        if let Phase::Probe { since, .. } = self.phase
            && arrived < since
        {
            return;
        }
        self.answers += 1;
        self.sum_s += now.since(arrived).as_secs_f64();
        if let Phase::Probe { before, .. } = self.phase
            && self.answers == ANSWERS
        {
            // At a moment without any delay there is nothing to compare with.
            self.least_s = (self.sum_s / f64::from(ANSWERS)).max(1e-9);
            (self.limit, self.low) = (before, 0);
            self.probe_at = now + self.probe;
            self.begin(Phase::Window { until: now + WINDOW });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_millis(ms)
    }

    /// Answers one call each millisecond from `from` on; each has taken `took` ms, which may depend on the limit.
    fn serve(limit: &mut Concurrency, (from, to): (u64, u64), took: impl Fn(u32) -> u64) {
        for now in from..to {
            let _ = limit.lets_in(ms(now), 0);
            let took = took(limit.calls());
            limit.answered(ms(now), ms(now - took));
        }
    }

    fn gradient(min: u32) -> Concurrency {
        Concurrency::Gradient(Gradient::new(SimDuration::from_secs(60), min, 0.25))
    }

    #[test]
    fn a_fixed_limit_counts_who_is_inside() {
        let mut limit = Concurrency::Fixed(2);
        assert_eq!([0, 1, 2, 3].map(|inside| limit.lets_in(ms(0), inside)), [true, true, false, false]);
    }

    #[test]
    fn it_is_least_until_fifty_answers_are_known() {
        let mut limit = gradient(3);
        serve(&mut limit, (1000, 1049), |_| 20);
        assert_eq!(limit.calls(), 3);
        serve(&mut limit, (1049, 1300), |_| 20);
        assert!(limit.calls() > 3, "{limit:?}");
        serve(&mut limit, (1300, 10_000), |_| 20);
        assert_eq!(limit.calls(), 1000, "nothing is slow");
        limit.clear();
        assert_eq!(limit.calls(), 3);
    }

    #[test]
    fn it_rests_where_the_formula_says() {
        let mut limit = gradient(3);
        // A station of 20 cores and 20 ms: beyond 20 calls each takes 1 ms more.
        serve(&mut limit, (1000, 50_000), |calls| u64::from(calls.max(20)));
        // L / 20 = 1.25 / (1 - 1 / sqrt(L)) has the solution 30.5.
        assert!((29..=32).contains(&limit.calls()), "{limit:?}");
    }

    #[test]
    fn the_least_time_is_measured_again_on_calls_that_come_since() {
        let mut limit = gradient(3);
        serve(&mut limit, (1000, 60_900), |calls| u64::from(calls.max(20)));
        let before = limit.calls();
        // After 60 s the limit falls. Calls that came before say nothing, then 50 measure.
        let lows: Vec<u64> = (60_900..62_000)
            .filter(|&now| {
                let _ = limit.lets_in(ms(now), 0);
                limit.answered(ms(now), ms(now - 20));
                limit.calls() == 3
            })
            .collect();
        assert!((65..=75).contains(&lows.len()), "{} ms", lows.len());
        assert!(limit.calls() >= before, "it goes on from where it was");
    }

    #[test]
    fn a_limit_that_stays_at_its_least_measures_again() {
        let mut limit = gradient(5);
        serve(&mut limit, (1000, 1100), |_| 1);
        // A gradient of 1/2 leaves L = L / 2 + sqrt(L) = 4, so that a limit of at least 5 stays there. Everything takes ten times as long for good.
        serve(&mut limit, (1100, 20_000), |_| 10);
        assert!(limit.calls() > 100, "what is slow is no more than usual: {limit:?}");
    }
}
