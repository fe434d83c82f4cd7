//! `Profile`: how the load of a client changes over time, as a factor of its rate or of its users.

mod spec;

use std::f64::consts::TAU;

pub use spec::ProfileSpec;

/// A growth of the integral that rounding does not lose: the profile is above 0 where it grows by that.
pub(super) const SOME_AREA: f64 = 1e-6;

/// A factor over time. Its integral is known, so that arrivals of any kind can be placed exactly.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// Always 1.
    Constant,
    /// 1 + amplitude sin(2 pi t / period).
    Sine {
        /// Height of the wave.
        amplitude: f64,
        /// Seconds.
        period: f64,
    },
    /// Straight pieces.
    Pieces {
        /// The pieces, in order of time.
        pieces: Vec<Piece>,
        /// What repeats, if anything does, and the integral over it.
        cycle: Option<(Cycle, f64)>,
    },
}

/// The part of a profile that repeats for ever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    /// Where it begins, seconds.
    pub start: f64,
    /// Its length, seconds.
    pub length: f64,
}

impl Cycle {
    /// The number of whole cycles before `t`, and the moment of the first one that is like `t`.
    fn fold(self, t: f64) -> (f64, f64) {
        let whole = ((t - self.start) / self.length).floor().max(0.0);
        (whole, t - whole * self.length)
    }
}

/// A straight piece of a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    start: f64,
    end: f64,
    from: f64,
    to: f64,
    area_before: f64,
}

impl Piece {
    fn factor(&self, t: f64) -> f64 {
        if self.from == self.to {
            return self.from;
        }
        self.from + (self.to - self.from) * (t - self.start) / (self.end - self.start)
    }

    /// Its start in seconds, and the factors there and at its end.
    pub(super) fn knot(&self) -> (f64, f64, f64) {
        (self.start, self.from, self.to)
    }

    fn area_to(&self, t: f64) -> f64 {
        self.area_before + (t - self.start) * (self.from + self.factor(t)) / 2.0
    }
}

/// A time in which a profile does not both rise and fall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Where it begins, seconds.
    pub start: f64,
    /// Where it ends, seconds; infinite for the last one.
    pub end: f64,
    /// The factor at its start.
    pub from: f64,
    /// The factor at its end, before any jump there.
    pub to: f64,
}

impl Profile {
    /// Straight stretches from knots (start in seconds, factor there, factor at the end). The last one goes on until the
    /// end of the part that repeats, or for ever.
    #[must_use]
    pub fn steps(knots: &[(f64, f64, f64)], cycle: Option<Cycle>) -> Profile {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut area = 0.0;
        let last_end = cycle.map_or(f64::INFINITY, |cycle| cycle.start + cycle.length);
        for (index, &(start, from, to)) in knots.iter().enumerate() {
            let end = knots.get(index + 1).map_or(last_end, |next| next.0);
            if end <= start {
                continue;
            }
            let piece = Piece { start, end, from, to, area_before: area };
            area = if end.is_finite() { area + (end - start) * (from + to) / 2.0 } else { area };
            pieces.push(piece);
        }
        if pieces.iter().all(|piece| piece.from == 1.0 && piece.to == 1.0) && !pieces.is_empty() {
            return Profile::Constant;
        }
        let cycle = cycle.map(|cycle| (cycle, area - area_of(&pieces, cycle.start)));
        Profile::Pieces { pieces, cycle }
    }

    /// A wave of this height and period.
    #[must_use]
    pub fn sine(amplitude: f64, period: f64) -> Profile {
        if amplitude == 0.0 { Profile::Constant } else { Profile::Sine { amplitude, period } }
    }

    /// The factor at `t` seconds.
    #[must_use]
    pub fn factor(&self, t: f64) -> f64 {
        match self {
            Profile::Constant => 1.0,
            Profile::Sine { amplitude, period } => 1.0 + amplitude * libm::sin(TAU * t / period),
            Profile::Pieces { pieces, cycle } => {
                let t = cycle.map_or(t, |(cycle, _)| cycle.fold(t).1);
                piece_at(pieces, t).factor(t)
            }
        }
    }

    /// The integral of the factor from 0 to `t` seconds.
    #[must_use]
    pub fn area(&self, t: f64) -> f64 {
        match self {
            Profile::Constant => t,
            Profile::Sine { amplitude, period } => {
                t + amplitude * period / TAU * (1.0 - libm::cos(TAU * t / period))
            }
            Profile::Pieces { pieces, cycle: None } => area_of(pieces, t),
            Profile::Pieces { pieces, cycle: Some((cycle, area)) } => {
                let (whole, t) = cycle.fold(t);
                whole * area + area_of(pieces, t)
            }
        }
    }

    /// The stretch that begins at `t` seconds: until the profile jumps, bends or turns.
    #[must_use]
    pub fn stretch(&self, t: f64) -> Stretch {
        /// The least length of a stretch: rounding must not stop the clock.
        const LEAST_S: f64 = 1e-6;
        match self {
            Profile::Constant => Stretch { start: t, end: f64::INFINITY, from: 1.0, to: 1.0 },
            Profile::Sine { period, .. } => {
                // It turns at a quarter and at three quarters of each period.
                let turns = (2.0 * t / period + 0.5).floor();
                let end = ((turns + 0.5) * period / 2.0).max(t + LEAST_S);
                Stretch { start: t, end, from: self.factor(t), to: self.factor(end) }
            }
            Profile::Pieces { pieces, cycle } => {
                let (whole, folded) = cycle.map_or((0.0, t), |(cycle, _)| cycle.fold(t));
                let piece = piece_at(pieces, folded);
                let end = piece.end + cycle.map_or(0.0, |(cycle, _)| whole * cycle.length);
                Stretch { start: t, end: end.max(t + LEAST_S), from: piece.factor(folded), to: piece.to }
            }
        }
    }

    /// Returns the moment, in seconds, at which a rising `stretch` of this profile reaches `goal`.
    #[must_use]
    pub fn reaches(&self, stretch: Stretch, goal: f64) -> f64 {
        let Stretch { start, end, from, to } = stretch;
        if goal <= from || !end.is_finite() {
            return start;
        }
        if let Profile::Sine { amplitude, period } = self {
            // The wave rises from a quarter before a whole period to a quarter after it.
            let angle = libm::asin(((goal - 1.0) / amplitude).clamp(-1.0, 1.0));
            return ((start / period).round() * period + angle / TAU * period).clamp(start, end);
        }
        (start + (end - start) * (goal - from) / (to - from)).min(end)
    }

    /// Returns the factor in the long run: the mean over what repeats, or the last factor; 0 without knots.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Profile::Constant | Profile::Sine { .. } => 1.0,
            Profile::Pieces { cycle: Some((cycle, area)), .. } => area / cycle.length,
            Profile::Pieces { pieces, cycle: None } => pieces.last().map_or(0.0, |piece| piece.to),
        }
    }

    /// The highest factor of all.
    #[must_use]
    pub fn max(&self) -> f64 {
        match self {
            Profile::Constant => 1.0,
            Profile::Sine { amplitude, .. } => 1.0 + amplitude,
            Profile::Pieces { pieces, .. } => {
                pieces.iter().fold(0.0, |max, piece| piece.from.max(piece.to).max(max))
            }
        }
    }

    /// Returns the first moment, in seconds, at which the integral has grown by `area` since `from`; infinite when it never
    /// does. It is found by bisection, which is exact for every shape and passes over windows of factor 0.
    #[must_use]
    pub fn after(&self, from: f64, area: f64) -> f64 {
        /// A hundred years: nothing is simulated that long.
        const HORIZON_S: f64 = 3.2e9;
        if *self == Profile::Constant {
            return from + area;
        }
        let goal = self.area(from) + area;
        let (mut low, mut step) = (from, 1e-3);
        while self.area(low + step) < goal {
            low += step;
            step *= 2.0;
            if low > HORIZON_S {
                return f64::INFINITY;
            }
        }
        let mut high = low + step;
        while high - low > 5e-10 {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            if self.area(middle) < goal { low = middle } else { high = middle }
        }
        high
    }
}

/// The integral of the pieces from 0 to `t` seconds; 0 without any.
fn area_of(pieces: &[Piece], t: f64) -> f64 {
    if pieces.is_empty() { 0.0 } else { piece_at(pieces, t).area_to(t) }
}

fn piece_at(pieces: &[Piece], t: f64) -> Piece {
    let index = pieces.partition_point(|piece| piece.start <= t);
    pieces[index.max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zero_window() -> Profile {
        Profile::steps(&[(0.0, 0.0, 0.0), (5.0, 10.0, 10.0)], Some(Cycle { start: 0.0, length: 10.0 }))
    }

    fn of(keys: &str) -> Profile {
        toml::from_str::<ProfileSpec>(keys).expect(keys).profile()
    }

    #[test]
    fn a_window_of_zero_is_passed_over() {
        let profile = zero_window();
        assert!((profile.after(0.0, 1.0) - 5.1).abs() < 1e-9);
        assert!((profile.after(9.95, 1.0) - 15.05).abs() < 1e-9);
        assert!((profile.area(20.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_load_that_ends_for_ever_ends_the_arrivals() {
        let profile = Profile::steps(&[(0.0, 1.0, 1.0), (10.0, 0.0, 0.0)], None);
        assert_eq!(profile.after(9.0, 2.0), f64::INFINITY);
    }

    #[test]
    fn ramps_and_sines_invert() {
        let ramp = Profile::steps(&[(0.0, 0.0, 2.0), (10.0, 2.0, 2.0)], None);
        // The integral of t/5 is t^2/10: it reaches 4.9 at 7.
        assert!((ramp.after(0.0, 4.9) - 7.0).abs() < 1e-8);
        let sine = Profile::Sine { amplitude: 0.6, period: 20.0 };
        let t = sine.after(3.0, 11.0);
        assert!((sine.area(t) - sine.area(3.0) - 11.0).abs() < 1e-8);
        assert!((sine.factor(5.0) - 1.6).abs() < 1e-12);
    }

    #[test]
    fn bursts_begin_a_period_after_the_start() {
        let burst = of("burst = { every = '10s', for = '2s', factor = 5 }");
        for (t, factor) in
            [(0.0, 1.0), (9.9, 1.0), (10.0, 5.0), (11.9, 5.0), (12.1, 1.0), (20.0, 5.0), (105.0, 1.0)]
        {
            assert_eq!(burst.factor(t), factor, "at {t}");
        }
        assert!((burst.area(100.0) - (100.0 + 9.0 * 2.0 * 4.0)).abs() < 1e-9);
        assert!((burst.mean() - 1.8).abs() < 1e-12);
    }

    #[test]
    fn a_profile_that_changes_nothing_is_none() {
        for keys in [
            "steps = [['0s', 1]]",
            "steps = [['0s', 1], ['1s', 1.0]]\nperiod = '2s'",
            "spike = { at = '1s', for = '1s', factor = 1 }",
            "burst = { every = '2s', for = '1s', factor = 1 }",
            "diurnal = { amplitude = 0 }",
            "ramp = { from = 1, over = '5s' }",
        ] {
            assert_eq!(of(keys), Profile::Constant, "{keys}");
        }
    }

    #[test]
    fn stretches_end_where_the_profile_turns() {
        let burst = of("burst = { every = '10s', for = '2s', factor = 5 }");
        let ends: Vec<f64> = [0.0, 10.0, 12.0, 20.0, 32.0].map(|t| burst.stretch(t).end).into();
        assert_eq!(ends, [10.0, 12.0, 20.0, 22.0, 40.0]);
        let day = Profile::sine(0.5, 24.0);
        assert_eq!([0.0, 6.0, 18.0].map(|t| day.stretch(t).end), [6.0, 18.0, 30.0]);
        let rise = day.stretch(18.0);
        assert!((day.factor(day.reaches(rise, 1.2)) - 1.2).abs() < 1e-9);
        let ramp = of("ramp = { over = '100s' }");
        assert!((ramp.reaches(ramp.stretch(0.0), 0.25) - 25.0).abs() < 1e-9);
    }
}
