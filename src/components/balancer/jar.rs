//! `Jar`: the cookies that keep users with their target. The users hold them: they outlive a crash of the balancer. Where connections
//! keep users with their target it is the table of those, which does not.

use std::collections::BTreeMap;

use crate::kernel::time::{SimDuration, SimTime};

/// Number of cookies below which expired ones are kept.
const SWEEP_MIN: usize = 4096;

/// The target of each user.
#[derive(Debug)]
pub(super) struct Jar {
    cookies: BTreeMap<u64, Cookie>,
    expire: SimDuration,
    /// Whether a call fails if the user's target is out of service; otherwise the user is moved.
    pub fails: bool,
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Cookie {
    target: u16,
    used: SimTime,
}

impl Jar {
    /// An empty jar. A cookie expires when it is not used for the time `expire`.
    pub(super) fn new(expire: SimDuration, fails: bool) -> Jar {
        Jar { cookies: BTreeMap::new(), expire, fails, sweep_at: SWEEP_MIN }
    }

    /// Returns the target that a user belongs to, if any.
    pub(super) fn target(&self, now: SimTime, user: u64) -> Option<usize> {
        let cookie = self.cookies.get(&user)?;
        (now.since(cookie.used) < self.expire).then_some(usize::from(cookie.target))
    }

    /// Nobody belongs to a target any more.
    pub(super) fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Gives a user a cookie for a target.
    pub(super) fn put(&mut self, now: SimTime, user: u64, target: usize) {
        self.cookies.insert(user, Cookie { target: target as u16, used: now });
        if self.cookies.len() >= self.sweep_at {
            let expire = self.expire;
            self.cookies.retain(|_, cookie| now.since(cookie.used) < expire);
            self.sweep_at = SWEEP_MIN.max(2 * self.cookies.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_lasts_while_it_is_used() {
        let at = |secs| SimTime::ZERO + SimDuration::from_secs(secs);
        let mut jar = Jar::new(SimDuration::from_secs(10), false);
        jar.put(at(0), 7, 2);
        assert_eq!((jar.target(at(9), 7), jar.target(at(9), 8)), (Some(2), None));
        jar.put(at(9), 7, 2);
        assert_eq!((jar.target(at(18), 7), jar.target(at(19), 7)), (Some(2), None));
    }

    #[test]
    fn expired_cookies_are_swept() {
        let mut jar = Jar::new(SimDuration::from_secs(10), false);
        for n in 0..100_000 {
            jar.put(SimTime::ZERO + SimDuration::from_millis(10 * n), n, 0);
        }
        assert!(jar.cookies.len() <= 2 * SWEEP_MIN, "{}", jar.cookies.len());
    }
}
