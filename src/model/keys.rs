//! `Keys`: which key of the data a request asks for, by the law of its class.

use super::ask::MISSING;
use super::call::asked_by;
use crate::kernel::random::{KeyedRng, below, mix, name_hash, unit_open};
use crate::kernel::zipf::Zipf;

use super::class::{KeySpace, RequestClass};

/// How a key is drawn.
#[derive(Debug)]
enum Law {
    One,
    Uniform(u32),
    Zipf(Zipf),
}

/// Apart from the draw of the key itself: whether it is one that no data have.
const MISSING_SALT: u64 = 0x6d15_51c6;

/// The keys of one class.
#[derive(Debug)]
struct Space {
    law: Law,
    /// The hash of the class's name. Every box on the way of a request sees the same key, whatever its own name is.
    salt: u64,
    /// Share of the asks that are for keys which no data have.
    missing: f64,
}

/// The keys of all classes.
#[derive(Debug)]
pub(super) struct Keys(Vec<Space>);

impl Keys {
    pub(super) fn new(classes: &[RequestClass]) -> Keys {
        let space = |class: &RequestClass| Space {
            law: Law::new(class.keys),
            salt: name_hash(&class.name),
            missing: class.keys.missing,
        };
        Keys(classes.iter().map(space).collect())
    }

    /// Returns the key, from 0, of one of several asks that belong to a call with this class and `trail`. A class with one
    /// key draws nothing. Keys that no data have are from [`MISSING`] on.
    #[inline]
    pub(super) fn draw(&self, class: u16, trail: u32, ordinal: u64) -> u32 {
        let Space { law, salt, missing } = &self.0[usize::from(class)];
        let rng = || KeyedRng::new(mix(u64::from(follow(trail, ordinal)), *salt));
        let key = match law {
            Law::One => 0,
            Law::Uniform(count) => below(&mut rng(), u64::from(*count)) as u32,
            Law::Zipf(law) => law.draw(&mut rng()) as u32 - 1,
        };
        // A draw of its own, so that the key stays the same whatever the share is.
        let rng = || KeyedRng::new(mix(u64::from(follow(trail, ordinal)), *salt ^ MISSING_SALT));
        if *missing > 0.0 && unit_open(&mut rng()) < *missing { MISSING | key } else { key }
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
    use crate::model::ask::is_missing;

    fn keys(count: u32, zipf: f64) -> Keys {
        with_missing(count, zipf, 0.0)
    }

    fn with_missing(count: u32, zipf: f64, missing: f64) -> Keys {
        let law = Law::new(KeySpace { count, zipf, missing, is_given: true });
        Keys(vec![Space { law, salt: name_hash("read"), missing }])
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
    fn a_share_of_the_asks_is_for_keys_that_no_data_have() {
        let (all, some) = (keys(1000, 0.99), with_missing(1000, 0.99, 0.3));
        let mut missing = 0;
        for number in 0..100_000_u64 {
            let trail = trail_of(mix(9, number));
            let (key, drawn) = (all.draw(0, trail, 5), some.draw(0, trail, 5));
            assert_eq!(drawn & !MISSING, key, "the key is the same but for that");
            missing += u32::from(is_missing(drawn));
        }
        assert!((29_500..30_500).contains(&missing), "{missing}");
        assert_eq!(with_missing(1, 0.0, 1.0).draw(0, 7, 5), MISSING);
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
