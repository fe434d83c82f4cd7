//! Addresses, and the answers of name servers.

use crate::kernel::time::SimDuration;

/// The time to live is stored in milliseconds, so that an answer fits into a call.
const TTL_UNIT_NANOS: u64 = 1_000_000;

/// The answer of a name server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The number of the list of addresses; see [`Cx::listed`](super::component::Cx::listed).
    pub list: u32,
    /// How long the answer may be cached; whole milliseconds, at most 49 days.
    pub ttl: SimDuration,
}

impl Answer {
    /// Packs the answer into the number that a call carries back.
    #[must_use]
    pub fn encode(self) -> u64 {
        let ttl = (self.ttl.as_nanos() / TTL_UNIT_NANOS).min(u64::from(u32::MAX));
        ttl << 32 | u64::from(self.list)
    }

    /// Unpacks an answer.
    #[must_use]
    pub fn decode(packed: u64) -> Answer {
        Answer {
            list: (packed & u64::from(u32::MAX)) as u32,
            ttl: SimDuration::from_nanos((packed >> 32) * TTL_UNIT_NANOS),
        }
    }
}

/// The `n`th public address, from the block that RFC 5737 reserves for documentation; numbers beyond its end start
/// again.
#[must_use]
pub fn public(n: usize) -> String {
    format!("203.0.113.{}", 1 + n % 254)
}

/// The `n`th private address.
#[must_use]
pub fn private(n: usize) -> String {
    format!("10.0.{}.{}", n / 254 % 256, 1 + n % 254)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_survives_packing() {
        let answer = Answer { list: 70_000, ttl: SimDuration::from_secs(60) };
        assert_eq!(Answer::decode(answer.encode()), answer);
    }

    #[test]
    fn addresses_stay_in_their_blocks() {
        assert_eq!(public(0), "203.0.113.1");
        assert_eq!(private(300), "10.0.1.47");
    }
}
