//! `Line`: the calls that wait at the balancer because every target has as many calls as it may have.

use super::spec::QueueSpec;
use super::{Balancer, gauges, timer};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, Outcome};
use crate::parts::door::rank_of;
use crate::queueing::pool::{Acquire, Granted, Order, Pool};

/// Calls that wait for a place at any target: those of the highest priority first, and of these the one that came first.
#[derive(Debug)]
pub(super) struct Line {
    /// A pool of one slot, which the line itself holds: a call that gets it leaves the line.
    queue: Pool<CallId>,
    /// The rank of the calls of each class, as of a door.
    ranks: Vec<u8>,
    /// Longest wait.
    timeout: Option<SimDuration>,
    /// Whether the timer of the longest wait is set.
    is_armed: bool,
}

impl Line {
    /// A line in which nobody waits.
    pub(super) fn new(spec: Option<QueueSpec>, ranks: Vec<u8>) -> Line {
        let mut queue = Pool::new(1, spec.map_or(u32::MAX, |spec| spec.limit), Order::Fifo);
        assert!(queue.try_take(), "the slot of a new pool is free");
        let timeout = spec.and_then(|spec| spec.timeout).map(|timeout| timeout.0);
        Line { queue, ranks, timeout, is_armed: false }
    }

    /// Number of calls that wait.
    #[inline(always)]
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// The call whose turn it is leaves the line.
    fn next(&mut self, now: SimTime) -> Option<Granted<CallId>> {
        if self.waiting() > 0 { self.queue.release(now) } else { None }
    }
}

impl Balancer {
    /// Whether calls wait for a place at a target.
    #[inline(always)]
    pub(super) fn has_line(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.waiting() > 0)
    }

    /// A call finds no target. It waits if one of those that it has not `tried` is only full. Returns whether it does, or has been
    /// turned away for want of room.
    #[cold]
    pub(super) fn stand_in_line(&mut self, call: CallId, tried: &[u16], cx: &mut Cx<'_>) -> bool {
        let Some(line) = self.line.as_mut().filter(|_| self.targets.any_full(tried)) else { return false };
        let ranks = &line.ranks;
        match line.queue.acquire_as(cx.now(), call, || rank_of(ranks, call, cx)) {
            Acquire::Full => self.turn_away(call, cx),
            answer => {
                cx.annotate(call, || "waits for a target that has room".into());
                if let (Some(timeout), false) = (line.timeout, line.is_armed) {
                    line.is_armed = true;
                    cx.alarm(timeout, timer::LINE, About::Nothing);
                }
                if let Acquire::Displaced(other, waited) = answer {
                    cx.get_mut(other).waited += waited;
                    cx.annotate(other, || "loses its place to a request of a higher priority".into());
                    self.turn_away(other, cx);
                }
                self.tell_line(cx);
            }
        }
        true
    }

    /// Ends a call that waits for a target, or may not wait.
    fn turn_away(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.end_unsent(call, Outcome::Rejected, cx);
    }

    /// Ends a call that is at no target.
    fn end_unsent(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let place = cx.get(call).notes.mark as u32;
        let tries = self.relays.find(place).filter(|relay| relay.call == call).map(|relay| relay.tries);
        match tries {
            Some(tries) => {
                self.hand.given_up(tries > 0);
                self.finish(place, outcome, cx);
            }
            None => self.leave(call, outcome, cx),
        }
    }

    /// Sends calls that wait to targets that have room. Without any target in service they end.
    #[cold]
    pub(super) fn serve_line(&mut self, cx: &mut Cx<'_>) {
        loop {
            let is_up = self.targets.any_eligible();
            if is_up && !self.targets.has_room() {
                break;
            }
            let Some(Granted { job: call, waited }) = self.line.as_mut().and_then(|line| line.next(cx.now()))
            else {
                break;
            };
            cx.get_mut(call).waited += waited;
            if !is_up {
                self.end_unsent(call, Outcome::Unavailable, cx);
            } else if cx.is_late(call) {
                cx.count(gauges::DROPPED_LATE);
                self.end_unsent(call, Outcome::TimedOut, cx);
            } else {
                self.send_waiter(call, cx);
            }
        }
        self.tell_line(cx);
    }

    /// A call has waited for a target that has room, and there is one. A try after the first goes where it has not been, if it can.
    fn send_waiter(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let place = cx.get(call).notes.mark as u32;
        let relay = self.relays.find(place).copied().filter(|relay| relay.call == call);
        let other = relay.and_then(|relay| self.choose(call, relay.tried(), cx));
        let target = other.or_else(|| self.choose(call, &[], cx)).expect("there is a target that has room");
        if relay.is_some() {
            self.send_again(call, place, target, cx);
        } else {
            self.send_first(call, target, cx);
        }
    }

    /// The longest wait for a target is over: calls that have waited for that time are rejected.
    pub(super) fn line_late(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        loop {
            let Some(line) = &mut self.line else { return };
            let Some(timeout) = line.timeout else { return };
            let Some(call) = line.queue.expire(now, timeout) else {
                line.is_armed = line.waiting() > 0;
                if line.is_armed {
                    cx.alarm(timeout - line.queue.oldest_wait(now), timer::LINE, About::Nothing);
                }
                break;
            };
            cx.get_mut(call).waited += timeout;
            cx.count(gauges::QUEUE_TIMEOUTS);
            self.turn_away(call, cx);
        }
        self.tell_line(cx);
    }

    /// A call that may be waiting for a target is cancelled. Returns whether it was.
    pub(super) fn leave_line(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let waits = self.line.as_mut().is_some_and(|line| line.queue.withdraw(|job| *job == call));
        if waits {
            self.end_unsent(call, Outcome::TimedOut, cx);
            self.tell_line(cx);
        }
        waits
    }

    /// The process is gone: nobody waits.
    pub(super) fn clear_line(&mut self) {
        if let Some(line) = &mut self.line {
            line.queue.clear();
            assert!(line.queue.try_take(), "the slot of an empty pool is free");
            line.is_armed = false;
        }
    }

    fn tell_line(&mut self, cx: &mut Cx<'_>) {
        let waiting = self.line.as_ref().map_or(0, Line::waiting);
        self.door.set_waiting_inside(waiting, cx);
    }
}
