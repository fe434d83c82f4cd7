//! Randomness: seeds, named streams, and generators for the draws that belong to one request.
//!
//! Nothing here has a state that two users share. A component that is added, or a draw more of one request, so changes
//! no number that anybody else sees. That is what makes comparisons of two scenarios fair (common random numbers).

use std::convert::Infallible;

use rand::rand_core::utils;
use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

/// 2^64 divided by the golden ratio, odd: the step of the SplitMix64 sequence.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The source of all randomness of an experiment, or of one trial of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed(u64);

impl Seed {
    /// The seed that the user gave. Any number is as good as any other.
    #[must_use]
    pub const fn new(seed: u64) -> Seed {
        Seed(seed)
    }

    /// The seed of the experiment's trial number `index`.
    #[must_use]
    pub const fn trial(self, index: u64) -> Seed {
        Seed(scramble(scramble(self.0).wrapping_add(index)))
    }

    /// The stream that `owner` draws from for `purpose`, such as "users" and "arrivals".
    #[must_use]
    pub fn stream(self, owner: &str, purpose: &str) -> Stream {
        let mut seed = [0; 32];
        let words = [self.0, name_hash(owner), name_hash(purpose)];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(seed))
    }

    /// The key of a [`KeyedRng`] for the draws of the owner with this [`name_hash`] for the request `number`.
    #[inline]
    #[must_use]
    pub const fn key(self, owner_hash: u64, number: u64) -> u64 {
        mix(mix(self.0, owner_hash), number)
    }
}

/// A component's own random numbers: ChaCha8, whose streams from different seeds are independent by design.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

/// The random numbers of one request at one owner: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", OOPSLA 2014). A new one is made for every few draws, so it must cost nothing to make.
#[derive(Clone, Debug)]
pub struct KeyedRng(u64);

impl KeyedRng {
    /// The generator of this key, see [`Seed::key`].
    #[inline]
    #[must_use]
    pub const fn new(key: u64) -> KeyedRng {
        KeyedRng(key)
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(dst)
    }
}

impl TryRng for KeyedRng {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| (bits >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(GOLDEN);
        Ok(finish(self.0))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(dst, || self.try_next_u64())
    }
}

/// A hash of a name that never changes: FNV-1a over the bytes, then a finisher for the upper bits.
#[must_use]
pub const fn name_hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash: u64 = 0xCBF2_9CE4_8422_2325;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        i += 1;
    }
    finish(hash)
}

/// Two words into one: the upper half of their 128-bit product xor its lower half, as in wyhash. The constants keep
/// small numbers, zero above all, from making small products. The order of the words matters.
#[inline]
#[must_use]
pub const fn mix(a: u64, b: u64) -> u64 {
    let product = (a ^ 0xA076_1D64_78BD_642F) as u128 * (b ^ 0xE703_7ED1_A0B4_28DB) as u128;
    (product >> 64) as u64 ^ product as u64
}

/// A uniform number of 53 bits in the open interval (0, 1): never 0, never 1.
#[inline]
pub fn unit_open(rng: &mut impl Rng) -> f64 {
    const ULP: f64 = 1.0 / (1_u64 << 53) as f64;
    // Replace zero, one value of 2^53, by half of the smallest other value.
    ((rng.next_u64() >> 11) as f64 * ULP).max(ULP / 2.0)
}

/// A uniform whole number below `n`. The probabilities differ by at most a share of n in 2^64 (Lemire, "Fast random
/// integer generation in an interval", 2019, without the rejection). No trial is long enough to show that.
///
/// # Panics
/// When `n` is zero.
#[inline]
pub fn below(rng: &mut impl Rng, n: u64) -> u64 {
    assert!(n > 0, "no number is below zero");
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

/// One step of SplitMix64 from `word`.
const fn scramble(word: u64) -> u64 {
    finish(word.wrapping_add(GOLDEN))
}

/// The output function of SplitMix64: a bijection in which every bit depends on every bit.
#[inline]
const fn finish(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: usize = 64;
    /// The chi-square quantile of 63 degrees of freedom at 0.9999: a sound generator fails once in 10^4 seeds.
    const CHI_SQUARE_63: f64 = 113.5;

    fn chi_square(values: impl Iterator<Item = usize>) -> f64 {
        let mut counts = [0.0_f64; CELLS];
        values.for_each(|value| counts[value] += 1.0);
        let expected = counts.iter().sum::<f64>() / CELLS as f64;
        counts.iter().map(|count| (count - expected) * (count - expected) / expected).sum()
    }

    fn first(seed: u64, owner: u64, number: u64) -> u64 {
        KeyedRng::new(Seed::new(seed).key(owner, number)).next_u64()
    }

    #[test]
    fn thirty_two_bits_are_the_upper_half_of_sixty_four() {
        let key = Seed::new(1).key(2, 3);
        let (mut half, mut whole) = (KeyedRng::new(key), KeyedRng::new(key));
        assert!((0..9).all(|_| u64::from(half.next_u32()) == whole.next_u64() >> 32));
    }

    #[test]
    fn draws_of_consecutive_requests_are_uniform_in_upper_and_lower_bits() {
        for seed in [0, 1, 7, u64::MAX] {
            let draws = || (0..100_000).map(|number| first(seed, name_hash("web-1"), number));
            let (upper, lower) = (draws().map(|d| (d >> 58) as usize), draws().map(|d| d as usize % CELLS));
            assert!(chi_square(upper) < CHI_SQUARE_63);
            assert!(chi_square(lower) < CHI_SQUARE_63);
        }
    }

    #[test]
    fn neighbours_know_nothing_of_each_other() {
        let owners: Vec<u64> = (0..1000).map(|i| name_hash(&format!("web-{i}"))).collect();
        // The pairs (this, next) of requests, of owners, of seeds and of draws fill an 8 x 8 grid evenly.
        let cell = |a: u64, b: u64| ((a >> 61) * 8 + (b >> 61)) as usize;
        let numbers = (0..100_000).map(|n| cell(first(1, owners[0], n), first(1, owners[0], n + 1)));
        assert!(chi_square(numbers) < CHI_SQUARE_63);
        let pairs = (0..99_900).map(|i| (i % 999, i as u64 / 999));
        let between_owners = pairs.map(|(o, n)| cell(first(1, owners[o], n), first(1, owners[o + 1], n)));
        assert!(chi_square(between_owners) < CHI_SQUARE_63);
        let seeds = (0..100_000).map(|s| cell(first(s, owners[0], 5), first(s + 1, owners[0], 5)));
        assert!(chi_square(seeds) < CHI_SQUARE_63);
        let draws = (0..100_000).map(|n| {
            let mut rng = KeyedRng::new(Seed::new(1).key(owners[0], n));
            cell(rng.next_u64(), rng.next_u64())
        });
        assert!(chi_square(draws) < CHI_SQUARE_63);
    }

    #[test]
    fn keyed_draws_do_not_correlate_across_owners() {
        let unit =
            |owner: &str, n| unit_open(&mut KeyedRng::new(Seed::new(3).key(name_hash(owner), n))) - 0.5;
        let count = 100_000;
        let covariance: f64 = (0..count).map(|n| unit("lb", n) * unit("db", n)).sum::<f64>() / count as f64;
        // The variance of one uniform number is 1/12; four standard errors.
        assert!((covariance * 12.0).abs() < 4.0 / f64::from(count as u32).sqrt());
    }

    #[test]
    fn bytes_are_those_of_the_words() {
        let both = |rng: &mut dyn FnMut() -> u64, bytes: [u8; 16]| {
            let words: Vec<u8> = (0..2).flat_map(|_| rng().to_le_bytes()).collect();
            assert_eq!(bytes.to_vec(), words);
        };
        let stream = || Seed::new(1).stream("web", "crash");
        let keyed = || KeyedRng::new(7);
        let (mut of_stream, mut of_key) = ([0; 16], [0; 16]);
        stream().fill_bytes(&mut of_stream);
        keyed().fill_bytes(&mut of_key);
        let (mut stream, mut keyed) = (stream(), keyed());
        both(&mut || stream.next_u64(), of_stream);
        both(&mut || keyed.next_u64(), of_key);
    }

    #[test]
    fn streams_differ_by_seed_owner_and_purpose() {
        let seed = Seed::new(1);
        let mut firsts = [
            seed.stream("a", "b"),
            seed.stream("b", "a"),
            seed.stream("ab", ""),
            Seed::new(2).stream("a", "b"),
            seed.trial(0).stream("a", "b"),
            seed.trial(1).stream("a", "b"),
            Seed::new(2).trial(0).stream("a", "b"),
        ]
        .map(|mut stream| stream.next_u64());
        firsts.sort_unstable();
        assert!(firsts.is_sorted_by(|a, b| a < b));
        assert_eq!(seed.stream("a", "b").next_u64(), seed.stream("a", "b").next_u64());
    }

    #[test]
    fn the_bits_never_change() {
        // The sequence that is published with the reference implementation for the seed 1234567.
        let mut keyed = KeyedRng::new(1_234_567);
        let published = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([(); 3].map(|()| keyed.next_u64()), published);
        assert_eq!(name_hash("web-1"), 17_687_519_785_067_183_837);
        assert_eq!(mix(1, 2), 17_835_814_974_728_543_209);
        assert_eq!(Seed::new(1).key(name_hash("web-1"), 41), 12_388_212_745_266_828_880);
        assert_eq!(Seed::new(1).trial(3), Seed::new(12_773_366_489_153_039_575));
        assert_eq!(Seed::new(1).stream("users", "arrivals").next_u64(), 17_854_402_251_822_860_379);
    }

    #[test]
    fn the_unit_interval_is_open() {
        struct Fixed(u64);
        impl TryRng for Fixed {
            type Error = Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Infallible> {
                Ok(self.0 as u32)
            }
            fn try_next_u64(&mut self) -> Result<u64, Infallible> {
                Ok(self.0)
            }
            fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
                dst.fill(self.0 as u8);
                Ok(())
            }
        }
        assert!(unit_open(&mut Fixed(0)) > 0.0);
        assert!(unit_open(&mut Fixed(u64::MAX)) < 1.0);
        assert_eq!(below(&mut Fixed(u64::MAX), 10), 9);
        assert_eq!(below(&mut Fixed(0), 10), 0);
    }
}
