//! Scales: map values to positions, and choose round numbers as ticks.

use super::plot::{Axis, Scale, Unit};

/// Factor by which a logarithmic axis extends below the lowest and above the highest value.
const LOG_ROOM: f64 = 1.2;

/// An axis that ends later than this, in seconds, has minutes and seconds at its ticks.
const CLOCK_FROM_S: f64 = 120.0;

/// An axis with known ends.
#[derive(Clone, Debug)]
pub(super) struct Ruler {
    scale: Scale,
    unit: Unit,
    low: f64,
    high: f64,
    /// The only values with ticks; empty for round values.
    at: Vec<f64>,
}

impl Ruler {
    /// The axis that covers all finite values.
    pub(super) fn around(axis: &Axis, values: impl Iterator<Item = f64>) -> Ruler {
        let finite = values.chain(axis.reach).filter(|value| value.is_finite());
        let (mut low, mut high) = finite
            .filter(|value| axis.scale != Scale::Log || *value > 0.0)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = (1.0, 1.0);
        }
        let (low, high) = match axis.scale {
            Scale::Linear => (low.min(0.0), if high > 0.0 { high } else { 1.0 }),
            Scale::Span | Scale::Nines if low < high => (low, high),
            Scale::Span | Scale::Nines => (low, low + 1.0),
            Scale::Log => (low / LOG_ROOM, high * LOG_ROOM),
        };
        Ruler { scale: axis.scale, unit: axis.unit, low, high, at: axis.at.clone() }
    }

    /// The same axis with some space above the highest value.
    pub(super) fn with_room(mut self) -> Ruler {
        if self.scale == Scale::Linear {
            self.high *= 1.06;
            if self.unit == Unit::Share {
                self.high = self.high.min(1.0f64.max(self.high / 1.06));
            }
        }
        self
    }

    pub(super) const fn high(&self) -> f64 {
        self.high
    }

    pub(super) const fn low(&self) -> f64 {
        self.low
    }

    /// The position of a value: 0 at the start of the axis, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let stretched = |value: f64| match self.scale {
            Scale::Linear | Scale::Span => value,
            Scale::Log => libm::log10(value.clamp(self.low, self.high)),
            Scale::Nines => nines(value),
        };
        (stretched(value) - stretched(self.low)) / (stretched(self.high) - stretched(self.low))
    }

    /// Ticks at round values, at most about `most` of them, each with its text.
    pub(super) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let values = match self.scale {
            _ if !self.at.is_empty() => {
                self.at.iter().copied().step_by(self.at.len().div_ceil(most.max(1))).collect()
            }
            Scale::Linear | Scale::Span => self.round_values(most),
            Scale::Log => self.decades(most),
            Scale::Nines => vec![0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999],
        };
        let step = values.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let inside = values.into_iter().filter(|value| {
            let place = self.place(*value);
            (-1e-9..=1.0 + 1e-9).contains(&place)
        });
        inside.map(|value| (value, self.written(value, step))).collect()
    }

    fn round_values(&self, most: usize) -> Vec<f64> {
        let rough = (self.high - self.low) / most.max(1) as f64;
        let step = if self.unit == Unit::Seconds { round_time(rough) } else { above(rough) };
        let first = libm::ceil(self.low / step - 1e-9);
        (0..=2 * most)
            .map(|n| (first + n as f64) * step)
            .take_while(|value| *value <= self.high * (1.0 + 1e-9))
            .collect()
    }

    /// Powers of ten, with as many multiples of them as there is space for.
    fn decades(&self, most: usize) -> Vec<f64> {
        let first = libm::floor(libm::log10(self.low) + 1e-9) as i32;
        let last = libm::ceil(libm::log10(self.high) - 1e-9) as i32;
        let all = |factors: &[f64]| -> Vec<f64> {
            let powers = (first..=last).map(|power| libm::pow(10.0, f64::from(power)));
            let values = powers.flat_map(|power| factors.iter().map(move |factor| factor * power));
            values.filter(|value| (self.low * 0.999..=self.high * 1.001).contains(value)).collect()
        };
        let finest = [&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0][..], &[1.0, 2.0, 5.0], &[1.0]];
        // Without many decades the finest ticks are needed for there to be two at all.
        let is_wide = self.high / self.low > 5.0;
        let finest = finest.into_iter().skip(usize::from(is_wide));
        finest.map(all).find(|values| values.len() <= most + 1).unwrap_or_default()
    }

    fn written(&self, value: f64, step: f64) -> String {
        match self.unit {
            Unit::Count => scaled(value, step),
            Unit::Seconds if self.high > CLOCK_FROM_S => clock(value),
            Unit::Seconds | Unit::Usd => plain(value, step),
            Unit::Share if self.scale == Scale::Nines => format!("{} %", trimmed(value * 100.0, 5)),
            Unit::Share => format!("{} %", plain(value * 100.0, step * 100.0)),
            Unit::Ms if value == 0.0 => "0".to_owned(),
            Unit::Ms => {
                // A linear axis has one unit; the decades of a logarithmic one have each their own.
                let of = if self.scale == Scale::Log { value.abs() } else { self.high };
                let (size, name) = match of {
                    small if small < 1.0 => (1e-3, "µs"),
                    middle if middle < 1000.0 => (1.0, "ms"),
                    _ => (1e3, "s"),
                };
                let written = if self.scale == Scale::Log {
                    trimmed(value / size, if size > 1.0 { 2 } else { 1 })
                } else {
                    plain(value / size, step / size)
                };
                format!("{written} {name}")
            }
        }
    }
}

/// Minutes and seconds: `3:05`; hours too, where there are any: `1:00:00`.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let (minutes, seconds) = (whole / 60, whole % 60);
    match minutes / 60 {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{:02}:{seconds:02}", minutes % 60),
    }
}

/// The number of nines of a share: 1 for 90 %, 2 for 99 %.
fn nines(share: f64) -> f64 {
    -libm::log10((1.0 - share).max(1e-12))
}

/// The smallest of 1, 2, 5, 10, ... that is at least `value`.
fn above(value: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(value)));
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|round| *round >= value * (1.0 - 1e-9))
        .unwrap_or(value)
}

/// A round step of time: seconds, minutes or hours.
fn round_time(seconds: f64) -> f64 {
    let steps = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 21_600.0,
        43_200.0, 86_400.0,
    ];
    if !(1.0..=86_400.0).contains(&seconds) {
        return above(seconds);
    }
    steps.into_iter().find(|step| *step >= seconds * (1.0 - 1e-9)).unwrap_or(86_400.0)
}

/// A number with k or M if the axis is large.
fn scaled(value: f64, step: f64) -> String {
    match value.abs() {
        large if large >= 1e6 => format!("{}M", plain(value / 1e6, step / 1e6)),
        large if large >= 1e3 => format!("{}k", plain(value / 1e3, step / 1e3)),
        _ => plain(value, step),
    }
}

/// A number with enough decimals to differ from its neighbours at distance `step`.
fn plain(value: f64, step: f64) -> String {
    let decimals = if step.is_finite() && step > 0.0 { -libm::floor(libm::log10(step) + 1e-9) } else { 2.0 };
    trimmed(value, decimals.clamp(0.0, 6.0) as usize + 1)
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value + 0.0);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(axis: &Axis, values: &[f64], most: usize) -> Vec<String> {
        Ruler::around(axis, values.iter().copied()).ticks(most).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_short() {
        let count = Axis::linear("", Unit::Count);
        assert_eq!(ticks(&count, &[9000.0], 5), ["0", "2k", "4k", "6k", "8k"]);
        assert_eq!(ticks(&count, &[0.5], 5), ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(ticks(&count, &[2.6e6, f64::NAN], 5), ["0", "1M", "2M"]);
        assert_eq!(ticks(&count, &[], 2), ["0", "0.5", "1"]);
        let only = Axis { scale: Scale::Span, at: vec![1.0, 2.0, 3.0], ..count.clone() };
        assert_eq!(ticks(&only, &[1.0, 2.0, 3.0], 5), ["1", "2", "3"], "only what was run");
        assert_eq!(ticks(&only, &[1.0, 2.0, 3.0], 2), ["1", "3"]);
        let share = Axis::linear("", Unit::Share);
        assert_eq!(ticks(&share, &[1.0], 4), ["0 %", "50 %", "100 %"]);
        let time = Axis { scale: Scale::Span, ..Axis::linear("", Unit::Seconds) };
        assert_eq!(
            ticks(&time, &[0.0, 540.0], 9),
            ["0:00", "1:00", "2:00", "3:00", "4:00", "5:00", "6:00", "7:00", "8:00", "9:00"]
        );
    }

    #[test]
    fn times_have_their_unit_at_every_tick() {
        let log = Axis::log("", Unit::Ms);
        assert_eq!(ticks(&log, &[0.4, 3000.0], 5), ["1 ms", "10 ms", "100 ms", "1 s"]);
        assert_eq!(ticks(&log, &[30.0, 180.0, 0.0], 5), ["50 ms", "100 ms", "200 ms"]);
        assert_eq!(ticks(&log, &[50.0], 5), ["50 ms", "60 ms"]);
        // One unit on a linear axis.
        let linear = Axis::linear("", Unit::Ms);
        assert_eq!(ticks(&linear, &[1800.0], 4), ["0", "0.5 s", "1 s", "1.5 s"]);
        assert_eq!(ticks(&linear, &[2.0], 4), ["0", "0.5 ms", "1 ms", "1.5 ms", "2 ms"]);
        assert_eq!(ticks(&linear, &[0.8], 4), ["0", "200 µs", "400 µs", "600 µs", "800 µs"]);
    }

    #[test]
    fn nines_are_equally_far_from_each_other() {
        let axis = Axis { scale: Scale::Nines, ..Axis::linear("", Unit::Share) };
        let ruler = Ruler::around(&axis, [0.0, 0.999].into_iter());
        assert!((ruler.place(0.99) - 2.0 / 3.0).abs() < 1e-9);
        let written: Vec<String> = ruler.ticks(9).into_iter().map(|(_, text)| text).collect();
        assert_eq!(written, ["0 %", "50 %", "90 %", "99 %", "99.9 %"]);
    }

    #[test]
    fn places_go_from_end_to_end() {
        let ruler = Ruler::around(&Axis::log("", Unit::Ms), [1.0, 100.0].into_iter());
        assert!((ruler.place(10.0) - 0.5).abs() < 1e-9 && ruler.place(1.0) + ruler.place(100.0) - 1.0 < 1e-9);
        assert_eq!(ruler.place(0.0), 0.0, "what no logarithm shows stands at the end");
    }
}
