//! Connections that are kept from call to call: what one costs, how long both sides keep it, and the call that meets its end.
//!
//! Nothing happens while a connection is idle: its caller looks at it when it wants to use it again. The callee closes it when it has
//! been idle for the callee's time, and the caller hears so half a round trip later. A call that is sent less than a round trip
//! before that comes too late, and is lost.

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::gauge::GaugeId;
use crate::model::line::Keep;
use crate::model::quantity::{Dist, Duration};
use crate::model::signal::{CallId, ComponentId};
use crate::model::spec::{Closes, Problems};

/// The time for which a box keeps connections to it that are idle: 75 s, as nginx [V: ngx_http_core_module, `keepalive_timeout`].
const IDLE: SimDuration = SimDuration::from_secs(75);

/// Why a call ends unavailable that was sent over a connection which its callee was closing.
pub const RESET: &str = "over connections that it was closing because they had been idle";

/// A connection that is open and not in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Since when.
    pub since: SimTime,
    /// Number of times that the callee had been taken down by then.
    falls: u32,
    /// Number of power failures among them, of which nobody is told.
    blackouts: u32,
    /// Number of calls that went over it.
    pub calls: u32,
}

/// How a call goes to its callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over a connection that is opened for it.
    Opened,
    /// Over the one that was kept.
    Kept,
    /// Over the one that was kept, which its callee closes before the call comes.
    Closed,
    /// Over the one that was kept, of which its callee knows nothing any more, because it has had no power.
    Forgotten,
}

impl Kept {
    /// The connection over which an answer to the `calls`-th call has just come; `None` if the callee closes it.
    #[must_use]
    pub fn after(calls: u32, to: ComponentId, cx: &Cx<'_>) -> Option<Kept> {
        let is_open = calls < cx.keep_of(to).calls;
        is_open.then(|| Kept { since: cx.now(), falls: cx.falls(to), blackouts: cx.blackouts(to), calls })
    }

    /// How a call goes now for which there is this connection, which its caller keeps for the time `keep_alive`.
    #[must_use]
    pub fn way(&self, to: ComponentId, keep_alive: SimDuration, cx: &Cx<'_>) -> Way {
        let idle = cx.now().since(self.since);
        let limit = cx.keep_of(to).idle;
        let (falls, blackouts) = (cx.falls(to) - self.falls, cx.blackouts(to) - self.blackouts);
        if idle >= keep_alive.min(limit) || falls != blackouts {
            return Way::Opened;
        }
        if blackouts > 0 {
            return Way::Forgotten;
        }
        let me = cx.me();
        let round_trip = cx.distance(me, to) + cx.distance(to, me);
        if limit - idle <= round_trip { Way::Closed } else { Way::Kept }
    }
}

/// The gauges at which a kind of box counts its connections.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Connections that were opened.
    pub connects: GaugeId,
    /// The share of the calls for which one was.
    pub per_request: GaugeId,
    /// Calls over a connection that its callee was closing.
    pub resets: GaugeId,
}

impl Way {
    /// Tells the model about a call that has just been made, and counts it; a new connection takes `trips` round trips.
    pub fn send(self, call: CallId, trips: u8, counts: &Counts, cx: &mut Cx<'_>) {
        cx.share(counts.per_request, self == Way::Opened);
        match self {
            Way::Opened => {
                cx.count(counts.connects);
                cx.open_for(call, trips);
            }
            Way::Closed => {
                cx.count(counts.resets);
                cx.send_over_closed(call);
            }
            Way::Forgotten => cx.send_over_closed(call),
            Way::Kept => cx.send_over_open(call),
        }
    }
}

/// What a box says about the connections to it.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// The key `idle_timeout`.
    pub idle_timeout: Option<Duration>,
    /// The key `max_requests`.
    pub max_requests: Option<u32>,
    /// The key `connect_cpu`.
    pub connect_cpu: Option<&'a Dist>,
}

impl Keeping<'_> {
    /// How long it keeps connections.
    #[must_use]
    pub fn keep(&self) -> Keep {
        let idle = self.idle_timeout.map_or(IDLE, |time| time.0);
        Keep { idle, calls: self.max_requests.unwrap_or(u32::MAX) }
    }

    /// The same, for checks.
    #[must_use]
    pub fn closes(&self) -> Closes {
        let keys = [
            ("idle_timeout", self.idle_timeout.is_some()),
            ("max_requests", self.max_requests.is_some()),
            ("connect_cpu", self.connect_cpu.is_some()),
        ];
        let given = keys.into_iter().find(|(_, given)| *given).map(|(key, _)| key);
        Closes { idle: self.keep().idle, key: "idle_timeout", given }
    }

    /// Checks the keys.
    pub fn check(&self, problems: &mut Problems) {
        if self.max_requests == Some(0) {
            let help = "leave the key out for no limit, or 1 for a connection for each";
            problems.error("max_requests", "a connection serves at least one request", help);
        }
        if let Some(warning) = self.connect_cpu.and_then(Dist::warning) {
            problems.warn("connect_cpu", warning, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Control;
    use crate::parts::script::{keys, play_beside};

    /// The other side closes a connection after 10 s, and after three calls.
    const KEEP: Keep = Keep { idle: SimDuration::from_secs(10), calls: 3 };

    #[test]
    fn a_connection_is_used_until_its_end_is_nearer_than_the_other_side() {
        let mut kept = None;
        play_beside(KEEP, SimDuration::from_secs(2), 12, move |second, other, cx| {
            let kept =
                *kept.get_or_insert_with(|| Kept::after(1, other, cx).expect("two more calls go over it"));
            assert!(Kept::after(2, other, cx).is_some() && Kept::after(3, other, cx).is_none());
            let way = match second {
                0..=7 => Way::Kept,
                8..=9 => Way::Closed,
                _ => Way::Opened,
            };
            assert_eq!(kept.way(other, SimDuration::MAX, cx), way, "{second} s");
            let own = kept.way(other, SimDuration::from_secs(5), cx);
            assert_eq!(own, if second < 5 { Way::Kept } else { Way::Opened }, "{second} s");
        });
    }

    #[test]
    fn who_has_lost_its_power_forgets_and_who_crashes_says_so() {
        let mut kept = None;
        play_beside(Keep::ALL, SimDuration::ZERO, 12, move |second, other, cx| {
            let now = SimDuration::ZERO;
            if second == 0 || second == 6 {
                kept = Kept::after(1, other, cx);
            }
            let way = kept.expect("it is kept from the first second on").way(other, SimDuration::MAX, cx);
            let expected = match second {
                0..=2 | 6..=7 => Way::Kept,
                3..=5 => Way::Forgotten,
                _ => Way::Opened,
            };
            assert_eq!(way, expected, "{second} s");
            match second {
                2 => cx.control(other, now, Control::PowerOff),
                4 | 8 => cx.control(other, now, Control::Recover),
                7 => cx.control(other, now, Control::Crash),
                // Without power after a crash: its end was told.
                9 => cx.control(other, now, Control::PowerOff),
                _ => {}
            }
        });
    }

    #[test]
    fn what_a_box_says_of_its_connections_has_defaults_and_bounds() {
        let nothing = Keeping { idle_timeout: None, max_requests: None, connect_cpu: None };
        assert_eq!(nothing.keep(), Keep { idle: SimDuration::from_secs(75), calls: u32::MAX });
        assert_eq!((nothing.closes().given, nothing.closes().idle), (None, SimDuration::from_secs(75)));
        let some = Keeping { max_requests: Some(7), ..nothing };
        assert_eq!((some.keep().calls, some.closes().given), (7, Some("max_requests")));
        assert!(keys(|problems| some.check(problems)).is_empty());
        let none = Keeping { max_requests: Some(0), ..nothing };
        assert_eq!(keys(|problems| none.check(problems)), ["max_requests"]);
    }
}
