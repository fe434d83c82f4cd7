//! `Keys`: which key of the data a request asks for, by the law of its class.

use super::call::asked_by;
use crate::kernel::random::{KeyedRng, below, mix, name_hash};
use crate::kernel::zipf::Zipf;

use super::class::{KeySpace, RequestClass};

/// How a key is drawn.
#[derive(Debug)]
enum Law {
    One,
    Uniform(u32),
    Zipf(Zipf),
}

/// The keys of one class.
#[derive(Debug)]
struct Space {
    law: Law,
    /// The hash of the class's name. Every box on the way of a request sees the same key, whatever its own name is.
    salt: u64,
}

/// The keys of all classes.
#[derive(Debug)]
pub(super) struct Keys(Vec<Space>);

impl Keys {
    pub(super) fn new(classes: &[RequestClass]) -> Keys {
        let space = |class: &RequestClass| Space { law: Law::new(class.keys), salt: name_hash(&class.name) };
        Keys(classes.iter().map(space).collect())
    }

    /// Returns the key, from 0, of one of several asks that belong to a call with this class and `trail`. A class with one
    /// key draws nothing.
    #[inline]
    pub(super) fn draw(&self, class: u16, trail: u32, ordinal: u64) -> u32 {
        let Space { law, salt } = &self.0[usize::from(class)];
        let rng = || KeyedRng::new(mix(u64::from(follow(trail, ordinal)), *salt));
        match law {
            Law::One => 0,
            Law::Uniform(count) => below(&mut rng(), u64::from(*count)) as u32,
            Law::Zipf(law) => law.draw(&mut rng()) as u32 - 1,
        }
    }
}

impl Law {
    fn new(space: KeySpace) -> Law {
        match space {
            KeySpace { count: 1, .. } => Law::One,
            KeySpace { count, zipf, .. } if zipf > 0.0 => Law::Zipf(Zipf::new(u64::from(count), zipf)),
            KeySpace { count, .. } => Law::Uniform(count),
        }
    }
}

/// Returns where the draws of keys start for a request, or for a call that serves no request.
#[inline]
pub(super) fn trail_of(key: u64) -> u32 {
    (key >> 32) as u32
}

/// Returns the trail of one of several calls for one parent; ordinal 0 keeps the parent's, and copies of one ask have the same.
#[inline]
pub(super) fn follow(trail: u32, ordinal: u64) -> u32 {
    match asked_by(ordinal) {
        0 => trail,
        ordinal => trail_of(mix(u64::from(trail), ordinal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u32, zipf: f64) -> Keys {
        Keys(vec![Space { law: Law::new(KeySpace { count, zipf, is_given: true }), salt: name_hash("read") }])
    }

    /// Shares of keys 0 and 1 among the draws of many requests, and the largest key.
    fn draw_many(keys: &Keys) -> (f64, f64, u32) {
        let draws: Vec<u32> =
            (0..100_000_u64).map(|number| keys.draw(0, trail_of(mix(9, number)), 5)).collect();
        let share = |key| draws.iter().filter(|&&drawn| drawn == key).count() as f64 / draws.len() as f64;
        (share(0), share(1), draws.iter().copied().max().unwrap_or(0))
    }

    #[test]
    fn keys_follow_the_law_of_their_class() {
        assert_eq!(draw_many(&keys(1, 0.0)), (1.0, 0.0, 0));
        let (first, second, last) = draw_many(&keys(10, 0.0));
        assert!((first - 0.1).abs() < 0.005 && (second - 0.1).abs() < 0.005 && last == 9);
        // Under Zipf's law with exponent 1, ranks 1 and 2 of 10 have shares of 1/H and 1/2H with H = 2.929.
        let (first, second, last) = draw_many(&keys(10, 1.0));
        assert!((first - 0.3414).abs() < 0.005 && (second - 0.1707).abs() < 0.005 && last == 9);
    }

    #[test]
    fn one_step_asks_for_one_key_and_two_steps_for_two() {
        let keys = keys(1_000_000, 0.0);
        assert_eq!(keys.draw(0, 7, 1 << 32), keys.draw(0, 7, 1 << 32));
        assert_ne!(keys.draw(0, 7, 1 << 32), keys.draw(0, 7, 2 << 32));
        assert_ne!(keys.draw(0, 7, 1 << 32), keys.draw(0, 8, 1 << 32));
        // What is handed on keeps where its draws start.
        assert_eq!(keys.draw(0, follow(7, 0), 1 << 32), keys.draw(0, 7, 1 << 32));
    }
}
