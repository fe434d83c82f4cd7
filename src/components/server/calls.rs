//! The calls of a server to other boxes, and the callers that wait for it no longer.

use crate::model::ask::{Ask, Found, Scope};
use crate::model::call::{Call, Parent};
use crate::model::component::Cx;
use crate::model::signal::{CallId, ComponentId, Outcome};
use crate::parts::failure::Failure;

use super::errands::has_errands;
use super::keys::{Data, key_ordinal, user_key};
use super::{Action, CANCELLED, ENDED, Server, gauges};

impl Server {
    // Answers ---------------------------------------------------------------------------------------------------------

    /// Handles the answer of a child call, or its failure.
    #[inline(always)]
    pub(super) fn reply(&mut self, child: CallId, outcome: Outcome, late: Option<Failure>, cx: &mut Cx<'_>) {
        let &Call { parent, answer, connection, .. } = cx.get(child);
        let Parent::Call(call) = parent else { return self.live(parent, outcome, cx) };
        if self.takes_care && cx.tag(child).is_some() {
            return self.errand_answered(
                child,
                outcome,
                late.or_else(|| Failure::of(connection, outcome)),
                cx,
            );
        }
        self.resolve(call, outcome, Found::decode(answer), cx);
    }

    /// A call has what its step asked for, or will not get it: returns its connection to the pool, then continues it. The
    /// call may have ended, because another branch of its step has failed; only queries hold a connection, and they have
    /// no branches.
    #[inline(always)]
    pub(super) fn resolve(&mut self, call: CallId, outcome: Outcome, rest: Found, cx: &mut Cx<'_>) {
        let Some(notes) = cx.find(call).map(|parent| parent.notes) else { return };
        if notes.flags & ENDED != 0 {
            return;
        }
        if self.has_cache && self.is_of_cache(call, outcome, rest.encode(), cx) {
            return;
        }
        if let Action::Query(database, ..) = self.stages[usize::from(notes.step)].action
            && !self.has_transaction(call, database, cx)
        {
            let is_open = !matches!(outcome, Outcome::Unavailable | Outcome::TimedOut);
            self.give_back(database, is_open, cx);
        }
        self.answered(call, outcome, rest, cx);
    }

    // Calls -----------------------------------------------------------------------------------------------------------

    /// Calls another box, with the server's time limit.
    #[inline]
    pub(super) fn send(
        &mut self,
        call: CallId,
        to: ComponentId,
        ordinal: u64,
        ask: Ask,
        cx: &mut Cx<'_>,
    ) -> CallId {
        let child = cx.ask(Parent::Call(call), to, ordinal, ask);
        self.hand.wait_for(child, cx);
        if self.has_wires {
            self.use_wire(call, child, cx);
        }
        if self.propagates {
            let at = (cx.now() + self.limit).min(cx.deadline(call));
            cx.set_deadline(child, at);
        }
        child
    }

    /// Handles time limits that are reached: their calls fail.
    pub(super) fn lose_patience(&mut self, cx: &mut Cx<'_>) {
        while let Some(child) = self.hand.late(cx) {
            cx.count(gauges::TIMEOUTS);
            let failure = Server::lateness(child, cx);
            self.reply(child, Outcome::TimedOut, Some(failure), cx);
            if self.cancels {
                cx.cancel(child);
            } else {
                cx.abandon(child);
            }
        }
    }

    pub(super) fn ask(&mut self, call: CallId, other: usize, parallel: u16, cx: &mut Cx<'_>) {
        cx.get_mut(call).notes.pending = parallel;
        let takes_care = self.stages[usize::from(cx.get(call).notes.step)].calling.is_some();
        for branch in 0..parallel {
            let ordinal = ordinal(call, branch, cx);
            let ask = if self.others_query[other] {
                Ask::query(self.data_key(call, ordinal, cx), Scope::default())
            } else {
                Ask::WORK
            };
            if !takes_care {
                let to = self.others[other].turn();
                self.send(call, to, ordinal, ask, cx);
            } else if !self.run_errand(call, ordinal, ask, cx) {
                return;
            }
        }
    }

    /// The key of the data that a step asks for. What a cache did not have is asked for elsewhere by the same key.
    pub(super) fn data_key(&self, call: CallId, ordinal: u64, cx: &Cx<'_>) -> u32 {
        match self.stages[usize::from(cx.get(call).notes.step)].data {
            Data::Own => cx.data_key(call, ordinal),
            Data::OfStep(step) => cx.data_key(call, key_ordinal(step)),
            Data::User => user_key(call, cx),
        }
    }

    /// Handles an answer for the current step of `call`. `rest` is what a database has left for the caller to ask.
    #[inline]
    pub(super) fn answered(&mut self, call: CallId, outcome: Outcome, rest: Found, cx: &mut Cx<'_>) {
        let notes = &mut cx.get_mut(call).notes;
        if outcome != Outcome::Ok {
            self.fail(call, outcome, cx);
            return;
        }
        if let Action::Call(other, _, parallel) = self.stages[usize::from(notes.step)].action {
            notes.pending -= 1;
            if notes.pending > 0 {
                return;
            }
            notes.left -= 1;
            if notes.left > 0 {
                if !self.drops(call, cx) {
                    self.ask(call, other, parallel, cx);
                }
                return;
            }
        } else if let Action::Query(database, _, Scope { hops, .. }) =
            self.stages[usize::from(notes.step)].action
        {
            let is_traversal = hops > 0;
            notes.pending = match rest {
                Found { gone: hop @ 1.., .. } => u16::from(hop),
                Found { joins: entities @ 1.., .. } => entities,
                // The next of several entities, if any.
                _ if notes.pending > 0 && !is_traversal => notes.pending - 1,
                _ => 0,
            };
            if notes.pending == 0 {
                notes.left -= 1;
            }
            if notes.left > 0 {
                if !self.drops(call, cx) {
                    self.connect(call, database, cx);
                }
                return;
            }
        }
        self.go_on(call, cx);
    }

    // Calls that nobody waits for -------------------------------------------------------------------------------------

    /// Whether nobody can use the answer to a call any more, as far as the server knows.
    #[cold]
    pub(super) fn is_useless(&self, call: CallId, cx: &mut Cx<'_>) -> bool {
        if cx.get(call).notes.flags & CANCELLED != 0 {
            return true;
        }
        let is_late = self.propagates && cx.is_late(call);
        if is_late {
            cx.count(gauges::DROPPED_LATE);
            cx.annotate(call, || "is dropped: its deadline has passed".into());
        }
        is_late
    }

    /// Drops a call that is useless before the next repetition of its step. Returns whether it did.
    fn drops(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let may_be = self.propagates || cx.get(call).notes.flags & CANCELLED != 0;
        let is_useless = may_be && self.is_useless(call, cx);
        if is_useless {
            self.fail(call, Outcome::TimedOut, cx);
        }
        is_useless
    }

    /// The caller of a call waits for it no longer.
    #[cold]
    pub(super) fn cancelled(&mut self, call: CallId, cx: &mut Cx<'_>) {
        cx.count(gauges::CANCELLED);
        cx.annotate(call, || "is cancelled".into());
        if self.door.withdraw(call, cx) {
            return cx.reply(call, Outcome::TimedOut);
        }
        let step = usize::from(cx.get(call).notes.step);
        match self.stages.get(step).map(|stage| &stage.action) {
            Some(&(Action::Query(database, ..) | Action::Begin(database, _)))
                if self.databases[database].pool.withdraw(|job| *job == call) =>
            {
                self.tell_waiting(cx);
                self.fail(call, Outcome::TimedOut, cx);
            }
            // One that has no errand yet waits for something else, such as the time of an error.
            Some(Action::Query(..) | Action::Call(..)) if self.cancels && has_errands(call, cx) => {
                self.stop_errands(call, cx);
                self.resolve(call, Outcome::TimedOut, Found::default(), cx);
            }
            Some(Action::Cpu(_) | Action::Wait(_) | Action::Crowded(..)) if cx.is_revoked(call) => {
                cx.stop_work(call);
                self.fail(call, Outcome::TimedOut, cx);
            }
            _ => cx.get_mut(call).notes.flags |= CANCELLED,
        }
    }
}

/// A number that differs for each child call of a call: from step, repetition and branch. Never 0, which would pass the
/// call's own draws on to the child.
#[inline]
pub(super) fn ordinal(call: CallId, branch: u16, cx: &Cx<'_>) -> u64 {
    let notes = cx.get(call).notes;
    (u64::from(notes.step) + 1) << 32 | u64::from(notes.left) << 16 | u64::from(branch)
}
