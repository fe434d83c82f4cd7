//! `Moves`: data that move to another number of shards, one piece after another, while queries go on.
//!
//! The keys move in the order of a hash. A key that has not moved is asked for at its old place; once it has, at the new one. A piece
//! is read from the disk of one primary and written to that of another, and the next piece is due when the rate allows it.

use crate::kernel::random::mix;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::ask::Ask;
use crate::model::call::Parent;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, Outcome};
use crate::model::site::Site;
use crate::queueing::placement::Placement;

use super::message::kind;
use super::spec::DatabaseSpec;
use super::{gauges, timer};

/// Bytes of one piece: EBS counts operations on a disk of up to 256 KiB as one [V].
const PIECE: u64 = 256 * 1024;

/// Keys that are looked at to find out which share of all moves; of more keys some are taken at random.
const LOOKED_AT: u32 = 1 << 20;

/// Keys that are tried to find one that moves, for the ends of a piece.
const TRIES: u64 = 1000;

/// Time after which a piece is tried again whose ends could not be reached [T].
const AGAIN: SimDuration = SimDuration::from_secs(1);

/// Time after which a piece without an answer is given up and tried again [T].
const STALL: SimDuration = SimDuration::from_secs(10);

/// How far a piece has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The next one is not due yet.
    Waits,
    Reads(CallId),
    Writes(CallId),
}

/// Data on their way to another number of shards.
#[derive(Debug)]
pub(super) struct Moves {
    /// Where each key lies afterwards.
    to: Placement,
    keys: u32,
    at: SimDuration,
    /// Time from one piece to the next, at least.
    interval: SimDuration,
    /// Keys and bytes that move, and the number of pieces.
    moving: u64,
    bytes: u64,
    pieces: u64,
    /// Pieces that have moved, and the hash below which keys have.
    done: u64,
    below: u64,
    phase: Phase,
    /// Number of pieces that were begun, which tells a stall of an old one.
    begun: u32,
    /// When the present piece was begun, and the first one.
    since: SimTime,
    started: SimTime,
}

/// Where a key comes in the order of the move.
fn place_of(key: u32) -> u64 {
    mix(mix(1, u64::from(key)), 2)
}

impl Moves {
    /// The move that operators plan for a database; `None` if its data stay where they are.
    pub(super) fn new(spec: &DatabaseSpec, from: &Placement, site: &Site<'_>) -> Option<Moves> {
        let plan = spec.reshard?;
        let to = spec.placement_among(plan.to, site.classes, 0);
        let keys = site.classes.iter().map(|class| class.keys.count).max().unwrap_or(1);
        let looked = keys.min(LOOKED_AT);
        let any =
            |number: u32| if keys > looked { (place_of(number) % u64::from(keys)) as u32 } else { number };
        let moving = (0..looked).map(any).filter(|&key| from.of(key) != to.of(key)).count() as u64;
        let moving = moving * u64::from(keys) / u64::from(looked);
        let size = spec.working_set.map_or(0, |bytes| bytes.0);
        let bytes = (u128::from(size) * u128::from(moving) / u128::from(keys)) as u64;
        Some(Moves {
            to,
            keys,
            at: plan.at,
            interval: SimDuration::from_sample_secs(PIECE as f64 / plan.rate.0 as f64),
            moving,
            bytes,
            pieces: bytes.div_ceil(PIECE),
            done: 0,
            below: 0,
            phase: Phase::Waits,
            begun: 0,
            since: SimTime::ZERO,
            started: SimTime::ZERO,
        })
    }

    pub(super) fn start(&self, cx: &mut Cx<'_>) {
        cx.alarm(self.at, timer::MOVE, About::Nothing);
    }

    /// Whether all data have moved.
    pub(super) fn is_over(&self) -> bool {
        self.begun > 0 && self.done == self.pieces
    }

    /// Which shard has a key now.
    #[inline]
    pub(super) fn of(&self, key: u32, from: &Placement) -> usize {
        let has_moved = self.is_over() || place_of(key) < self.below;
        if has_moved { self.to.of(key) } else { from.of(key) }
    }

    /// The number of shards that have some data now.
    pub(super) fn shards(&self, from: &Placement) -> usize {
        match (self.begun, self.is_over()) {
            (0, _) => from.shards(),
            (_, true) => self.to.shards(),
            (_, false) => from.shards().max(self.to.shards()),
        }
    }

    /// The shards between which a piece moves: those of some key that does.
    fn ends(&self, from: &Placement) -> Option<[usize; 2]> {
        let any = |number: u64| (mix(mix(self.done, number), 3) % u64::from(self.keys)) as u32;
        let ends = |number: u64| [from.of(any(number)), self.to.of(any(number))];
        (0..TRIES).map(ends).find(|[old, new]| old != new)
    }

    /// The next piece is due. `primary` tells the primary of a shard.
    pub(super) fn next(&mut self, from: &Placement, primary: impl Fn(usize) -> ComponentId, cx: &mut Cx<'_>) {
        if self.begun == 0 {
            self.started = cx.now();
            cx.note(cx.me(), "data begin to move");
        }
        if self.phase != Phase::Waits || self.is_over() {
            return;
        }
        self.begun += 1;
        self.since = cx.now();
        let ends = self.ends(from).filter(|_| self.pieces > 0);
        let Some([old, new]) = ends.map(|ends| ends.map(primary)) else {
            self.done = self.pieces;
            return self.finish(cx);
        };
        if cx.takes_work(old) && cx.takes_work(new) {
            self.phase = Phase::Reads(self.copy(old, cx));
        } else {
            cx.alarm(AGAIN, timer::MOVE, About::Nothing);
        }
    }

    /// Asks a primary to read or to write a piece.
    fn copy(&self, at: ComponentId, cx: &mut Cx<'_>) -> CallId {
        cx.alarm(STALL, timer::STALL, About::Number(self.begun));
        cx.ask(Parent::Number(self.begun), at, self.done, Ask::own(kind::COPY, 0, 1))
    }

    /// A primary has read or written a piece, or could not. Returns whether the answer was one to the move.
    pub(super) fn answered(
        &mut self,
        call: CallId,
        outcome: Outcome,
        from: &Placement,
        primary: impl Fn(usize) -> ComponentId,
        cx: &mut Cx<'_>,
    ) -> bool {
        match self.phase {
            Phase::Reads(asked) if asked == call => {
                let new = self.ends(from).map(|[_, new]| primary(new)).filter(|_| outcome == Outcome::Ok);
                match new {
                    Some(new) => self.phase = Phase::Writes(self.copy(new, cx)),
                    None => self.again(cx),
                }
            }
            Phase::Writes(asked) if asked == call => {
                if outcome == Outcome::Ok {
                    self.moved(cx);
                } else {
                    self.again(cx);
                }
            }
            _ => return false,
        }
        true
    }

    /// A piece has moved, and its keys with it.
    fn moved(&mut self, cx: &mut Cx<'_>) {
        let part =
            |all: u64, done: u64| (u128::from(all) * u128::from(done) / u128::from(self.pieces)) as u64;
        let more = |all: u64| part(all, self.done + 1) - part(all, self.done);
        let (keys, bytes) = (more(self.moving), more(self.bytes));
        cx.count_many(gauges::MOVED_KEYS, keys);
        cx.count_many(gauges::MOVED_BYTES, bytes);
        self.done += 1;
        self.below = part(u64::MAX, self.done);
        self.phase = Phase::Waits;
        if self.is_over() {
            self.finish(cx);
        } else {
            cx.alarm_at(cx.now().max(self.since + self.interval), timer::MOVE, About::Nothing);
        }
    }

    fn finish(&self, cx: &mut Cx<'_>) {
        cx.time(gauges::MOVE, cx.now().since(self.started));
        cx.note_of(cx.me(), format!("{} keys have moved", self.moving));
    }

    /// A piece could not be read or written, and is tried again.
    fn again(&mut self, cx: &mut Cx<'_>) {
        self.phase = Phase::Waits;
        cx.alarm(AGAIN, timer::MOVE, About::Nothing);
    }

    /// Gives up on a piece that has had no answer.
    pub(super) fn stalled(&mut self, number: u32, cx: &mut Cx<'_>) {
        if let Phase::Reads(call) | Phase::Writes(call) = self.phase
            && number == self.begun
        {
            cx.abandon(call);
            self.again(cx);
        }
    }
}
