//! The one draw that the mechanisms of this layer need. Its bits do not depend on the version of `rand`.

use rand::Rng;

/// A uniform number in [0, 1), of 53 random bits.
pub(super) fn unit(rng: &mut (impl Rng + ?Sized)) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (rng.next_u64() >> 11) as f64 * STEP
}
