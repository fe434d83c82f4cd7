//! What the users of a client do, as a text in which equal behaviour is equal, however the scenario writes it.

use std::fmt::{self, Write as _};

use crate::kernel::random::{mix, name_hash};

use super::arrivals;
use super::profile::Profile;
use super::spec::ClientSpec;
use super::trace::TraceSpec;

/// What is left of a long text: a hash of its pieces in their order.
struct Digest(u64);

impl fmt::Write for Digest {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0 = mix(self.0, name_hash(piece));
        Ok(())
    }
}

impl ClientSpec {
    /// What its users do; see [`Users::behaviour`](crate::model::spec::Users).
    pub(super) fn behaviour(&self) -> String {
        let arrivals = || arrivals::law(self.arrivals);
        let think_time = || self.think_time().variate();
        let load = match (self.users, self.sessions, self.rate) {
            (Some(users), ..) => match self.pace {
                Some(pace) => format!("{users} users every {pace}"),
                None => format!("{users} users, {:?}", think_time()),
            },
            (None, Some(sessions), _) => {
                let requests = self.requests_a_session();
                format!("{sessions} of {requests:?}, {:?}, {:?}", think_time(), arrivals())
            }
            (None, None, Some(rate)) => format!("{rate}, {:?}", arrivals()),
            (None, None, None) => self.recording(),
        };
        let profile = self.profile.as_ref().map_or(Profile::Constant, |profile| profile.profile());
        let retry = self.retry.as_ref().filter(|retry| retry.attempts > 1);
        let retry = retry.map(|retry| {
            (retry.attempts, retry.backoff(), retry.budget, &retry.on, retry.writes, retry.chance)
        });
        let pinned = self.pinned.filter(|share| share.0 > 0.0).map(|share| (share, self.pin_for));
        let (timeout, resolvers, addresses) = (self.timeout(), self.resolvers(), self.addresses);
        let connections = self.opens().then(|| (self.tls.unwrap_or_default(), self.keep_alive()));
        format!(
            "{load}; {profile:?}; {timeout:?}; {retry:?}; {resolvers}; {pinned:?}; {addresses:?}; {connections:?}"
        )
    }

    /// A recorded load: its hash, as there may be millions of lines.
    fn recording(&self) -> String {
        let mut digest = Digest(0);
        let behaviour = self.trace.as_ref().map(TraceSpec::behaviour);
        write!(digest, "{behaviour:?}").expect("a hash takes all that is written");
        format!("recorded {:x}", digest.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(keys: &str) -> String {
        let spec: ClientSpec = toml::from_str(&format!("target = 'web'\n{keys}")).expect(keys);
        spec.behaviour()
    }

    #[test]
    fn how_a_value_is_written_makes_no_difference() {
        for (one, other) in [
            ("rate = '60/s'", "rate = '3600/min'"),
            ("rate = '60/s'", "rate = '60/s'\narrivals = { dist = 'exponential', batch = 1 }"),
            ("rate = '60/s'", "rate = '60/s'\ntimeout = '30s'\nresolvers = 20\nretry = { attempts = 1 }"),
            ("users = 5", "users = 5\nthink_time = { dist = 'exponential', mean = '7000ms' }"),
            ("sessions = '1/s'", "sessions = '1/s'\nrequests = 10"),
            (
                "users = 5\nprofile = { ramp = { over = '5s' } }",
                "users = 5\nprofile = { ramp = { from = 0, to = 1, over = '5s' } }",
            ),
            (
                "rate = '1/s'\nretry = { attempts = 2 }",
                "rate = '1/s'\nretry = { attempts = 2, factor = 2, jitter = 'none' }",
            ),
        ] {
            assert_eq!(behaviour(one), behaviour(other));
        }
    }

    #[test]
    fn what_users_do_otherwise_makes_a_difference() {
        for (one, other) in [
            ("rate = '60/s'", "rate = '61/s'"),
            ("rate = '60/s'", "sessions = '60/s'"),
            ("rate = '60/s'", "rate = '60/s'\narrivals = { dist = 'constant' }"),
            ("rate = '60/s'", "rate = '60/s'\ntimeout = '29s'"),
            ("users = 5", "users = 5\nthink_time = '7s'"),
            ("users = 5\npace = '7s'", "users = 5\nthink_time = '7s'"),
            ("users = 5\npace = '7s'", "users = 5\npace = '8s'"),
            ("users = 5", "users = 5\npinned = '1%'"),
            ("users = 5", "users = 5\nprofile = { ramp = { over = '5s' } }"),
        ] {
            assert_ne!(behaviour(one), behaviour(other));
        }
    }
}
