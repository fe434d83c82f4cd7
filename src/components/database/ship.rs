//! `Shipper`: sends a log to other nodes in order, and again if it was lost: from a primary to its replicas, from a
//! node of a ring to the next one.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::call::{Call, Parent};
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, Outcome};

use super::log::Log;
use super::message::{BATCH_MAX, Batch, Mark};
use super::spec::{DatabaseSpec, Sync};
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
    /// The last position that the replica has received, as far as its answers say.
    acked: u64,
    /// The last position that is safe at the replica.
    confirmed: u64,
    /// Number of restarts of the sending. Answers to batches from before a restart say nothing about gaps.
    round: u32,
    in_flight: VecDeque<CallId>,
    /// Whether it has refused, or not answered. Nothing more is sent until it asks for the log, or the timer has tried
    /// again and an answer has arrived.
    stalled: bool,
    /// Time without an answer after which a batch counts as lost, in the best case.
    base: SimDuration,
    /// The same for the next batch; doubled with each loss.
    wait: SimDuration,
    /// When the first batch was lost that has no answer yet.
    lost: Option<SimTime>,
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
    /// Time without an answer after which a batch counts as lost, and whether the round trip comes on top.
    resend: (SimDuration, bool),
    /// Time between two tries when there is no connection.
    reconnect: SimDuration,
    /// Whether what a replica has received is safe there.
    immediate: bool,
    /// Since when the sender is down, or was before its last restart.
    down: SimTime,
}

/// Time of silence after which both ends give the connection up: `wal_receiver_timeout` of PostgreSQL 15,
/// `replica_net_timeout` of MySQL 8.0.
const SILENCE: SimDuration = SimDuration::from_secs(60);

impl Shipper {
    /// Sends log number `log` to others.
    pub(super) fn new<'a>(
        others: impl Iterator<Item = &'a ComponentId>,
        log: u32,
        spec: &DatabaseSpec,
    ) -> Shipper {
        let resend = spec.resend();
        let peer = |&node: &ComponentId| Receiver {
            node,
            sent: 0,
            acked: 0,
            confirmed: 0,
            base: resend.0,
            wait: resend.0,
            lost: None,
            round: 0,
            in_flight: VecDeque::new(),
            stalled: false,
            armed: false,
            seen: 0,
        };
        let peers: Vec<Receiver> = others.map(peer).collect();
        assert!(peers.len() <= 1 << PEER_BITS, "the loader has checked the number of replicas");
        Shipper {
            peers,
            cut: 0,
            log,
            resend,
            reconnect: spec.reconnect(),
            immediate: spec.sync() == Sync::RemoteWrite,
            down: SimTime::ZERO,
        }
    }

    /// Whether there is no receiver.
    pub(super) fn is_idle(&self) -> bool {
        self.peers.is_empty()
    }

    /// Measures the way to each receiver, at the start of the trial.
    pub(super) fn start(&mut self, cx: &Cx<'_>) {
        let (least, with_round_trip) = self.resend;
        for peer in self.peers.iter_mut().filter(|_| with_round_trip) {
            peer.base = least + cx.distance(cx.me(), peer.node).saturating_mul(2);
            peer.wait = peer.base;
        }
    }

    /// Starts sending a log up to `cut`, as a new primary does: no replica has confirmed anything yet. Replicas report
    /// what they have when they refuse the first batch, which is empty.
    pub(super) fn begin(&mut self, log: &Log, cut: u64, cx: &mut Cx<'_>) {
        self.cut = cut;
        for at in 0..self.peers.len() {
            self.forget(at, cx);
            self.send(at, log, false, cx);
        }
    }

    /// Prepares for sending a log up to `cut` after a restart. Each receiver has seen its connection break, and tries
    /// from then on every `reconnect` to have it back.
    pub(super) fn resume(&mut self, cut: u64, cx: &mut Cx<'_>) {
        self.cut = cut;
        let over = cx.now().since(self.down).as_nanos() % self.reconnect.as_nanos();
        let left = if over == 0 { 0 } else { self.reconnect.as_nanos() - over };
        for at in 0..self.peers.len() {
            self.forget(at, cx);
            self.peers[at].stalled = true;
            self.arm(at, SimDuration::from_nanos(left), cx);
        }
    }

    /// Forgets what a receiver has said.
    fn forget(&mut self, at: usize, cx: &mut Cx<'_>) {
        self.restart(at, cx);
        let cut = self.cut;
        let peer = &mut self.peers[at];
        (peer.sent, peer.acked, peer.confirmed) = (cut, 0, 0);
        (peer.armed, peer.stalled, peer.wait, peer.lost) = (false, false, peer.base, None);
    }

    /// Sends the log to a node that asks for it, because it is back. Returns false if it is no receiver.
    pub(super) fn follow(&mut self, node: ComponentId, log: &Log, cx: &mut Cx<'_>) -> bool {
        let Some(at) = self.peers.iter().position(|peer| peer.node == node) else { return false };
        self.send_again(at, log, cx);
        true
    }

    /// A receiver has confirmed that its copy of the log is safe up to a position. Returns whether that is news.
    pub(super) fn confirm(&mut self, node: ComponentId, position: u64) -> bool {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.node == node) else { return false };
        let is_news = position > peer.confirmed;
        peer.confirmed = peer.confirmed.max(position);
        is_news
    }

    /// Stops sending.
    pub(super) fn stop(&mut self, cx: &mut Cx<'_>) {
        (0..self.peers.len()).for_each(|at| self.restart(at, cx));
    }

    /// Drops all state after a crash; the model has forgotten the calls and the timers.
    pub(super) fn crash(&mut self, now: SimTime) {
        self.down = now;
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
        let wait = peer.wait;
        self.arm(at, wait, cx);
    }

    fn arm(&mut self, at: usize, wait: SimDuration, cx: &mut Cx<'_>) {
        let peer = &mut self.peers[at];
        if !peer.armed {
            peer.armed = true;
            peer.seen = peer.acked;
            cx.alarm(wait, timer::RESEND, About::Number(at as u32 | self.log << PEER_BITS));
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
            self.send_again(at, log, cx);
        } else if !peer.in_flight.is_empty() {
            let wait = peer.wait;
            self.arm(at, wait, cx);
        }
    }

    /// Sends the first batch again that has no answer, and waits twice as long for it, as TCP does. After a long silence
    /// there is no connection any more, and it is tried again at equal distances.
    fn send_again(&mut self, at: usize, log: &Log, cx: &mut Cx<'_>) {
        let now = cx.now();
        let reconnect = self.reconnect;
        let peer = &mut self.peers[at];
        peer.stalled = true;
        peer.sent = peer.acked;
        peer.round += 1;
        // Their answers may still come.
        peer.in_flight.clear();
        let silence = now.since(*peer.lost.get_or_insert(now));
        peer.wait = if silence >= SILENCE { reconnect } else { peer.wait.saturating_mul(2) };
        self.send(at, log, false, cx);
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
        let is_late = round != peer.round;
        if outcome != Outcome::Ok {
            if !is_late {
                // It is down, and asks for the log when it is back.
                peer.stalled = true;
                self.restart(at, cx);
            }
            return Answered::Nothing;
        }
        if is_late && peer.lost.is_some() {
            // It was not lost: the way is longer than it was.
            peer.base = peer.base.saturating_mul(2).min(SILENCE);
        }
        (peer.stalled, peer.wait, peer.lost) = (false, peer.base, None);
        let mark = Mark::of(answer);
        if mark.epoch > log.epoch {
            return Answered::Deposed(mark.epoch);
        }
        if mark.epoch < log.epoch {
            if round == peer.round && batch.adopt {
                // It does not follow: it is a primary itself, and asks for the log when it is none any more.
                peer.stalled = true;
                self.restart(at, cx);
            } else if round == peer.round {
                peer.sent = log.common_with(mark);
                self.restart(at, cx);
                self.send(at, log, true, cx);
            }
            return Answered::Nothing;
        }
        let progress = mark.position > peer.acked;
        peer.acked = peer.acked.max(mark.position);
        if self.immediate {
            peer.confirmed = peer.acked;
        }
        if mark.position < batch.to && round == peer.round {
            // Something before this batch is missing at the replica.
            peer.sent = mark.position;
            self.restart(at, cx);
        }
        self.ship_to(at, log, cx);
        if progress { Answered::Progress } else { Answered::Nothing }
    }

    /// The last position that is safe at `needed` replicas or more.
    pub(super) fn confirmed_by(&self, needed: usize) -> u64 {
        // There are few replicas, so a linear search without allocation is enough.
        let at_least = |position: u64| self.peers.iter().filter(|peer| peer.confirmed >= position).count();
        let positions = self.peers.iter().map(|peer| peer.confirmed);
        positions.filter(|&position| at_least(position) >= needed).max().unwrap_or(0)
    }
}
