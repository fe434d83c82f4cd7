//! The timers of a database node, by the codes of their alarms.

/// A flush is over.
pub(super) const FLUSHED: u16 = 0;
/// It is time to send a batch of the log.
pub(super) const SHIP: u16 = 1;
/// A replica, by its number, may have lost a batch.
pub(super) const RESEND: u16 = 2;
/// A batch has arrived.
pub(super) const ARRIVED: u16 = 3;
/// The oldest write that waits for replicas may have waited for its whole time limit.
pub(super) const PATIENCE: u16 = 4;
/// The script of a recovery goes on.
pub(super) const REPLAY: u16 = 5;
/// The node has been copied anew.
pub(super) const REBUILT: u16 = 6;
/// It is time to flush what has been acknowledged before it was durable.
pub(super) const LAZY: u16 = 7;
/// What a replica has received is flushed.
pub(super) const CONFIRMED: u16 = 8;
/// It is time to ask those nodes again that have not answered.
pub(super) const FOLLOW: u16 = 9;
/// The next piece of the data moves to another shard.
pub(super) const MOVE: u16 = 10;
/// A piece that moves may be lost.
pub(super) const STALL: u16 = 11;
/// A worker has applied a write; the code less this number is the number of the worker.
pub(super) const APPLIED: u16 = 256;
