//! `Shipper`: sends a log to other nodes in order, and again if it was lost: from a primary to its replicas, from a
//! node of a ring to the next one.

use std::collections::VecDeque;

use crate::kernel::time::SimDuration;
use crate::model::call::{Call, Parent};
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, Outcome};

use super::log::Log;
use super::message::{BATCH_MAX, Batch, Mark};
use super::timer;

/// Largest number of batches in transit to one replica, like the window of a connection; then the primary waits.
const WINDOW: usize = 256;

/// Number of bits for the replica in the number of a call, whose other bits are the round, and in the number of a
/// timer, whose other bits are the log.
pub(super) const PEER_BITS: u32 = 8;

/// The meaning of an answer for the primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answered {
    /// Nothing new.
    Nothing,
    /// A replica holds more of the log than before.
    Progress,
    /// There is a newer primary, of this epoch.
    Deposed(u16),
}

/// What the sender knows of one receiver.
#[derive(Debug)]
struct Receiver {
    node: ComponentId,
    /// The last position that was sent.
    sent: u64,
    /// The last position that the replica has confirmed.
    acked: u64,
    /// Number of restarts of the sending. Answers to batches from before a restart say nothing about gaps.
    round: u32,
    in_flight: VecDeque<CallId>,
    /// Whether it has refused, or not answered. Nothing more is sent until the timer has tried again and an answer has
    /// arrived.
    stalled: bool,
    armed: bool,
    /// `acked` when the timer was armed.
    seen: u64,
}

/// Sends the log.
#[derive(Debug)]
pub(super) struct Shipper {
    peers: Vec<Receiver>,
    /// Position up to which the log may be sent; later writes wait for the next batch.
    cut: u64,
    /// Number of the log, among those that the node sends.
    log: u32,
    /// Time without an answer after which a batch counts as lost.
    resend: SimDuration,
}

impl Shipper {
    /// Sends log number `log` to others.
    pub(super) fn new<'a>(
        others: impl Iterator<Item = &'a ComponentId>,
        log: u32,
        resend: SimDuration,
    ) -> Shipper {
        let peer = |&node: &ComponentId| Receiver {
            node,
            sent: 0,
            acked: 0,
            round: 0,
            in_flight: VecDeque::new(),
            stalled: false,
            armed: false,
            seen: 0,
        };
        let peers: Vec<Receiver> = others.map(peer).collect();
        assert!(peers.len() <= 1 << PEER_BITS, "the loader has checked the number of replicas");
        Shipper { peers, cut: 0, log, resend }
    }

    /// Whether there is no receiver.
    pub(super) fn is_idle(&self) -> bool {
        self.peers.is_empty()
    }

    /// Starts sending a log up to `cut`, as a primary does that is new or was down: no replica has confirmed anything
    /// yet. Replicas report what they have when they refuse the first batch, which is empty.
    pub(super) fn begin(&mut self, log: &Log, cut: u64, cx: &mut Cx<'_>) {
        self.cut = cut;
        for at in 0..self.peers.len() {
            let peer = &mut self.peers[at];
            (peer.sent, peer.acked, peer.armed, peer.stalled) = (cut, 0, false, false);
            self.restart(at, cx);
            self.send(at, log, false, cx);
        }
    }

    /// Stops sending.
    pub(super) fn stop(&mut self, cx: &mut Cx<'_>) {
        (0..self.peers.len()).for_each(|at| self.restart(at, cx));
    }

    /// Drops all state after a crash; the model has forgotten the calls and the timers.
    pub(super) fn crash(&mut self) {
        for peer in &mut self.peers {
            peer.in_flight.clear();
            peer.armed = false;
            peer.round += 1;
        }
    }

    /// Sends to each replica what it has not been sent, up to `cut`.
    pub(super) fn ship(&mut self, log: &Log, cut: u64, cx: &mut Cx<'_>) {
        self.cut = cut;
        for at in 0..self.peers.len() {
            self.ship_to(at, log, cx);
        }
    }

    fn ship_to(&mut self, at: usize, log: &Log, cx: &mut Cx<'_>) {
        while !self.peers[at].stalled
            && self.peers[at].sent < self.cut
            && self.peers[at].in_flight.len() < WINDOW
        {
            self.send(at, log, false, cx);
        }
    }

    fn send(&mut self, at: usize, log: &Log, adopt: bool, cx: &mut Cx<'_>) {
        let peer = &mut self.peers[at];
        let to = self.cut.max(peer.sent).min(peer.sent + BATCH_MAX);
        let batch = Batch { epoch: log.epoch, from: peer.sent + 1, to, adopt };
        let number = at as u32 | peer.round << PEER_BITS;
        let call = cx.ask(Parent::Number(number), peer.node, to, batch.ask());
        peer.sent = to;
        peer.in_flight.push_back(call);
        self.arm(at, cx);
    }

    fn arm(&mut self, at: usize, cx: &mut Cx<'_>) {
        let peer = &mut self.peers[at];
        if !peer.armed {
            peer.armed = true;
            peer.seen = peer.acked;
            cx.alarm(self.resend, timer::RESEND, About::Number(at as u32 | self.log << PEER_BITS));
        }
    }

    /// Forgets the batches in transit.
    fn restart(&mut self, at: usize, cx: &mut Cx<'_>) {
        let peer = &mut self.peers[at];
        peer.round += 1;
        for call in peer.in_flight.drain(..) {
            cx.abandon(call);
        }
    }

    /// Sends again what a replica has not answered, when its timer fires.
    pub(super) fn resend(&mut self, number: u32, log: &Log, cx: &mut Cx<'_>) {
        let at = (number & ((1 << PEER_BITS) - 1)) as usize;
        let peer = &mut self.peers[at];
        peer.armed = false;
        let silent = !peer.in_flight.is_empty() && peer.acked == peer.seen;
        if silent || peer.stalled {
            peer.stalled = true;
            peer.sent = peer.acked;
            self.restart(at, cx);
            self.send(at, log, false, cx);
        } else if !peer.in_flight.is_empty() {
            self.arm(at, cx);
        }
    }

    /// Handles an answer of a replica.
    pub(super) fn answered(
        &mut self,
        call: CallId,
        outcome: Outcome,
        log: &Log,
        cx: &mut Cx<'_>,
    ) -> Answered {
        let &Call { parent: Parent::Number(number), answer, .. } = cx.get(call) else {
            return Answered::Nothing;
        };
        let batch = Batch::of(cx.get(call).ask());
        let (at, round) = ((number & ((1 << PEER_BITS) - 1)) as usize, number >> PEER_BITS);
        let peer = &mut self.peers[at];
        if let Some(place) = peer.in_flight.iter().position(|&other| other == call) {
            peer.in_flight.remove(place);
        }
        if outcome != Outcome::Ok {
            peer.stalled = true;
            self.restart(at, cx);
            self.arm(at, cx);
            return Answered::Nothing;
        }
        peer.stalled = false;
        let mark = Mark::of(answer);
        if mark.epoch > log.epoch {
            return Answered::Deposed(mark.epoch);
        }
        if mark.epoch < log.epoch {
            if round == peer.round && batch.adopt {
                // It does not follow: it is a primary itself, or is about to become one.
                peer.stalled = true;
                self.restart(at, cx);
                self.arm(at, cx);
            } else if round == peer.round {
                peer.sent = log.common_with(mark);
                self.restart(at, cx);
                self.send(at, log, true, cx);
            }
            return Answered::Nothing;
        }
        let progress = mark.position > peer.acked;
        peer.acked = peer.acked.max(mark.position);
        if mark.position < batch.to && round == peer.round {
            // Something before this batch is missing at the replica.
            peer.sent = mark.position;
            self.restart(at, cx);
        }
        self.ship_to(at, log, cx);
        if progress { Answered::Progress } else { Answered::Nothing }
    }

    /// The last position that at least `needed` replicas have confirmed.
    pub(super) fn confirmed_by(&self, needed: usize) -> u64 {
        // There are few replicas, so a linear search without allocation is enough.
        let at_least = |position: u64| self.peers.iter().filter(|peer| peer.acked >= position).count();
        let positions = self.peers.iter().map(|peer| peer.acked);
        positions.filter(|&position| at_least(position) >= needed).max().unwrap_or(0)
    }
}
