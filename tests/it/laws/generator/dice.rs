//! Random choices from the stream of a seed.

use outgrow::kernel::random::{Seed, Stream, below, unit_open};

/// Random choices. The same seed gives the same ones.
pub(crate) struct Dice(Stream);

impl Dice {
    /// The dice of a seed, for one purpose.
    pub(crate) fn new(seed: u64, purpose: &'static str) -> Self {
        Dice(Seed::new(seed).stream("laws", purpose))
    }

    /// A whole number from 0 to `n - 1`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        below(&mut self.0, n)
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn whole(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `n` times on average.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// One of the names.
    pub(crate) fn name(&mut self, names: &[String]) -> String {
        names[self.below(names.len() as u64) as usize].clone()
    }

    /// A log-uniform number between the limits: all magnitudes are equally likely.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low * libm::pow(high / low, unit_open(&mut self.0))
    }

    /// A uniform number between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        unit_open(&mut self.0)
    }
}
