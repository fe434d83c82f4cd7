//! `Relays`: the calls that a balancer has sent on and not answered.

use super::spec::RETRIES_MAX;
use crate::kernel::time::SimTime;
use crate::model::signal::{CallId, Outcome};
use crate::queueing::circuit_breaker::Pass;

/// A call that was sent to a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// The call; none between two tries.
    pub child: CallId,
    /// The target that has it.
    pub target: u16,
    /// When it was sent there.
    pub at: SimTime,
    /// What the circuit breaker has given it.
    pub pass: Pass,
    /// Whether it is not the first call of its try.
    pub is_hedge: bool,
}

/// A call on its way through the balancer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relay {
    /// The call that came in.
    pub call: CallId,
    /// The call that went out for it last.
    pub sent: Sent,
    /// When its try began.
    pub began: SimTime,
    /// Number of second calls of the try.
    pub hedges: u16,
    /// Number of targets that have failed to take it.
    pub tries: u16,
    /// How the last of them failed.
    pub outcome: Outcome,
    tried: [u16; RETRIES_MAX as usize],
}

impl Relay {
    /// A call that has just been sent to its first target.
    pub(super) fn new(call: CallId, sent: Sent) -> Relay {
        Relay {
            call,
            sent,
            began: sent.at,
            hedges: 0,
            tries: 0,
            outcome: Outcome::Unavailable,
            tried: [0; RETRIES_MAX as usize],
        }
    }

    /// The targets that have failed to take it.
    pub(super) fn tried(&self) -> &[u16] {
        &self.tried[..usize::from(self.tries)]
    }

    /// Its target has failed it.
    pub(super) fn give_up_target(&mut self, outcome: Outcome) {
        (self.sent.child, self.outcome, self.hedges) = (CallId::NONE, outcome, 0);
        self.tried[usize::from(self.tries)] = self.sent.target;
        self.tries += 1;
    }
}

/// All calls on their way, each in a place whose number the call's notes hold.
#[derive(Debug, Default)]
pub(super) struct Relays {
    places: Vec<Option<Relay>>,
    free: Vec<u32>,
}

impl Relays {
    /// Takes a call in. Returns its place.
    pub(super) fn insert(&mut self, relay: Relay) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(relay);
            return place;
        }
        self.places.push(Some(relay));
        self.places.len() as u32 - 1
    }

    /// The call in a place.
    pub(super) fn get_mut(&mut self, place: u32) -> &mut Relay {
        self.places[place as usize].as_mut().expect("a call that is inside has its place")
    }

    /// The call in a place, if there is one.
    pub(super) fn find(&self, place: u32) -> Option<&Relay> {
        self.places.get(place as usize)?.as_ref()
    }

    /// The call in a place leaves. Returns the call that came in.
    pub(super) fn remove(&mut self, place: u32) -> CallId {
        let relay = self.places[place as usize].take().expect("a call leaves once");
        self.free.push(place);
        relay.call
    }

    /// Returns the places of the calls that a target has. Linear in all calls: only for rare events.
    pub(super) fn at(&self, target: usize) -> Vec<u32> {
        let places = self.places.iter().enumerate();
        let is_at =
            |relay: &Relay| usize::from(relay.sent.target) == target && relay.sent.child != CallId::NONE;
        let at = places.filter(|(_, relay)| relay.as_ref().is_some_and(is_at));
        at.map(|(place, _)| place as u32).collect()
    }

    /// A crash: nothing is left.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
    }
}
