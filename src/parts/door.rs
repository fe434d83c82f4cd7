//! `Door`: what a box lets in. A call passes the rate limit, gets a slot, or waits for one, and then takes its memory.
//!
//! A slot is a worker or a connection: a call holds it from its grant to its answer. The door returns a verdict for each
//! call and leaves the answer to its box. Calls that have waited are handed out one after the other by [`Door::next`],
//! not from inside [`Door::leave`], so that a long queue of empty calls does not end on the stack.

mod limits;
mod rate;

pub use limits::Limits;
pub use rate::{Rate, Whose};

use std::collections::VecDeque;

use crate::kernel::time::SimDuration;
use crate::model::call::Connection;
use crate::model::component::Cx;
use crate::model::listen::Listen;
use crate::model::signal::{About, CallId, Outcome};
use crate::queueing::codel::Codel;
use crate::queueing::pool::{Acquire, Granted, Pool};

/// What becomes of a call at a door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds a slot: the box begins with it.
    Enter,
    /// It waits: [`Door::next`] will return it, or [`Door::overdue`].
    Wait,
    /// The kernel drops the attempt to connect: the box says so by [`Cx::drop_attempt`], and the caller's kernel tries again.
    Drop,
    /// It has waited too long when it gets its slot, which has passed on: the box rejects it.
    Shed,
    /// It has lost its place in the full queue to a call of a higher rank: the box rejects it.
    Displaced,
    /// It is turned away and holds nothing: the box answers it with this outcome.
    Away(Outcome),
    /// There is no memory for it, so that the operating system kills the process: the box lets itself crash.
    Kill,
}

/// A call that waits for a slot.
#[derive(Clone, Copy, Debug)]
struct Waiter {
    call: CallId,
    /// Whether it takes memory with its slot.
    needs_memory: bool,
    /// Number of slots that it takes.
    units: u32,
    fate: Fate,
}

/// What becomes of a call that waits no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It has a slot, and begins.
    Begins,
    /// It has a slot, and has waited too long for it.
    Late,
    /// It has none, because another call has taken its place.
    Displaced,
}

/// The door of one box.
#[derive(Debug)]
pub struct Door {
    limits: Limits,
    slots: Pool<Waiter>,
    /// Calls that have been granted a slot and have not begun, and those that have lost their place.
    granted: VecDeque<Waiter>,
    /// Memory that the process holds, bytes.
    memory: u64,
    /// Calls that hold a slot and wait for something else.
    waiting_inside: usize,
    /// Whether the timer of the queue is set.
    is_armed: bool,
    /// Whether calls meet limits before they ask for a slot, or take several.
    is_guarded: bool,
    /// Whether a free slot is not given to everybody, or somebody looks at how soon it is.
    is_choosy: bool,
}

impl Door {
    /// An open door through which nobody has come.
    ///
    /// # Panics
    /// When there is no slot.
    #[must_use]
    pub fn new(limits: Limits) -> Door {
        Door {
            slots: Pool::new(limits.slots, limits.queue.saturating_add(limits.backlog), limits.order),
            granted: VecDeque::new(),
            memory: 0,
            waiting_inside: 0,
            is_armed: false,
            is_choosy: limits.codel.is_some() || !limits.units.is_empty(),
            is_guarded: limits.limit.is_some()
                || limits.rates.iter().any(Option::is_some)
                || !limits.units.is_empty(),
            limits,
        }
    }

    /// The trial begins: tells the model the number of slots and the length of the listen queue, where they are limited.
    pub fn start(&self, cx: &mut Cx<'_>) {
        let Limits { queue, backlog, refuses, .. } = self.limits;
        if backlog > 0 {
            cx.listen(Listen { behind: u64::from(queue), length: u64::from(backlog), refuses });
        }
        if self.limits.slots < u32::MAX {
            cx.limit_slots(self.limits.slots);
        }
        self.show_limit(cx);
    }

    // A call --------------------------------------------------------------------------------------------------------

    /// A call comes; `rate` is the index of the rate limit that applies to it.
    #[inline(always)]
    pub fn admit(&mut self, call: CallId, rate: usize, cx: &mut Cx<'_>) -> Verdict {
        if self.is_guarded
            && let Some(outcome) = self.stop(call, rate, cx)
        {
            return Verdict::Away(outcome);
        }
        self.line_up(call, true, cx)
    }

    /// The outcome of a call that is beyond a limit; `None` when it may ask for a slot.
    #[inline(never)]
    fn stop(&mut self, call: CallId, rate: usize, cx: &mut Cx<'_>) -> Option<Outcome> {
        if let Some(Some(rate)) = self.limits.rates.get_mut(rate)
            && !rate.passes(call, cx)
        {
            return Some(Outcome::Throttled);
        }
        let (limit, _) = self.limits.limit.as_mut()?;
        let inside = u64::from(self.slots.holders()) + self.slots.waiting() as u64;
        let lets_in = limit.lets_in(cx.now(), inside);
        self.show_limit(cx);
        if !lets_in {
            cx.annotate(call, || "is one too many inside".into());
        }
        (!lets_in).then_some(Outcome::Rejected)
    }

    /// A call is answered, which tells how long answers take.
    fn learn(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if let Some((limit, _)) = &mut self.limits.limit {
            limit.answered(cx.now(), cx.get(call).arrived);
            self.show_limit(cx);
        }
    }

    fn show_limit(&self, cx: &mut Cx<'_>) {
        if let Some((limit, gauge)) = &self.limits.limit {
            cx.level(*gauge, u64::from(limit.calls()));
        }
    }

    /// A call comes that needs a slot and nothing else; it leaves by [`Door::leave_slot`].
    pub fn admit_to_slot(&mut self, call: CallId, cx: &mut Cx<'_>) -> Verdict {
        self.line_up(call, false, cx)
    }

    /// A call that has entered is about to be answered: gives its memory and its slot back.
    #[inline(always)]
    pub fn leave(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if self.is_guarded {
            return self.leave_guarded(call, cx);
        }
        self.free(cx);
        self.leave_slot(cx);
    }

    /// The same for a call that has come by [`Door::admit_to_slot`].
    #[inline(always)]
    pub fn leave_slot(&mut self, cx: &mut Cx<'_>) {
        self.give_back(1, cx);
    }

    #[inline(never)]
    fn leave_guarded(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.learn(call, cx);
        self.free(cx);
        self.give_back(self.units_of(call, cx), cx);
    }

    /// A call gives back the slots that it holds.
    #[inline(always)]
    fn give_back(&mut self, units: u32, cx: &mut Cx<'_>) {
        if !self.limits.units.is_empty() {
            return self.give_back_many(units, cx);
        }
        if let Some(granted) = self.slots.release(cx.now()) {
            self.grant(granted, cx);
        }
    }

    /// The same where calls take several slots: they pass on to those whose turn it is, as far as there are enough.
    #[cold]
    fn give_back_many(&mut self, units: u32, cx: &mut Cx<'_>) {
        self.slots.release_wide(units);
        self.pass_on(cx);
    }

    /// Grants slots to those in line for whom there are enough, where calls take several.
    #[cold]
    fn pass_on(&mut self, cx: &mut Cx<'_>) {
        while let Some(granted) = self.slots.next_wide(cx.now(), |waiter: &Waiter| waiter.units) {
            self.grant(granted, cx);
        }
        self.show_held(cx);
    }

    fn show_held(&self, cx: &mut Cx<'_>) {
        if let Some(gauge) = self.limits.held {
            cx.level(gauge, u64::from(self.slots.held()));
        }
    }

    /// The number of slots that a call takes, but for a check.
    fn units_of(&self, call: CallId, cx: &Cx<'_>) -> u32 {
        self.limits.units.get(usize::from(cx.get(call).class)).copied().unwrap_or(1)
    }

    /// Whether [`Door::next`] has somebody to return.
    #[inline(always)]
    pub fn has_next(&self) -> bool {
        !self.granted.is_empty()
    }

    /// The call that has been granted a slot first and has not begun, and what becomes of it; never [`Verdict::Wait`].
    /// To be called until `None` at the end of each signal.
    pub fn next(&mut self, cx: &mut Cx<'_>) -> Option<(CallId, Verdict)> {
        let waiter = self.granted.pop_front()?;
        let verdict = match waiter.fate {
            Fate::Begins => self.seat(waiter.call, waiter.needs_memory, cx),
            Fate::Late => {
                self.give_back(waiter.units, cx);
                Verdict::Shed
            }
            Fate::Displaced => Verdict::Displaced,
        };
        Some((waiter.call, verdict))
    }

    /// The timer of the queue has rung: a call that has waited too long. It has left the queue and holds nothing. To be
    /// called until `None`, which sets the timer again.
    pub fn overdue(&mut self, cx: &mut Cx<'_>) -> Option<CallId> {
        let (now, timeout) = (cx.now(), self.limits.queue_timeout?);
        if let Some(Waiter { call, .. }) = self.slots.expire(now, timeout) {
            cx.get_mut(call).waited += timeout;
            return Some(call);
        }
        if !self.limits.units.is_empty() {
            // Those behind somebody who has left may find enough slots.
            self.pass_on(cx);
        }
        self.tell_waiting(cx);
        self.is_armed = self.slots.waiting() > 0;
        if self.is_armed {
            cx.alarm(timeout - self.slots.oldest_wait(now), self.limits.timer, About::Nothing);
        }
        None
    }

    /// Whether a process that finds no memory is killed.
    #[must_use]
    pub fn kills(&self) -> bool {
        self.limits.kills
    }

    /// Number of calls that hold slots.
    #[must_use]
    pub fn holders(&self) -> u32 {
        self.slots.holders()
    }

    /// A call that may be waiting for a slot waits no longer. Returns whether it did.
    pub fn withdraw(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let has_waited = self.slots.withdraw(|waiter| waiter.call == call);
        if has_waited {
            if !self.limits.units.is_empty() {
                self.pass_on(cx);
            }
            self.tell_waiting(cx);
        }
        has_waited
    }

    /// A number of calls that hold a slot wait for something else from now on.
    pub fn set_waiting_inside(&mut self, calls: usize, cx: &mut Cx<'_>) {
        self.waiting_inside = calls;
        self.tell_waiting(cx);
    }

    /// A call takes a slot, or lines up for one.
    #[inline(always)]
    fn line_up(&mut self, call: CallId, needs_memory: bool, cx: &mut Cx<'_>) -> Verdict {
        if !self.is_choosy && self.slots.try_take() {
            return self.seat(call, needs_memory, cx);
        }
        self.line_up_behind(Waiter { call, needs_memory, units: 1, fate: Fate::Begins }, cx)
    }

    /// The same where no slot is free, or a free one is not given to everybody.
    #[inline(never)]
    fn line_up_behind(&mut self, waiter: Waiter, cx: &mut Cx<'_>) -> Verdict {
        let Waiter { call, needs_memory, .. } = waiter;
        // A check has no class: it goes first.
        let rank = if needs_memory { rank_of(&self.limits.ranks, call, cx) } else { 0 };
        let answer = if self.limits.units.is_empty() {
            self.slots.acquire_as(cx.now(), waiter, || rank)
        } else {
            let units = if needs_memory { self.units_of(call, cx) } else { 1 };
            self.slots.acquire_wide(cx.now(), Waiter { units, ..waiter }, rank, units)
        };
        self.show_held(cx);
        match answer {
            Acquire::Granted => {
                self.is_late(SimDuration::ZERO, cx);
                self.seat(call, needs_memory, cx)
            }
            Acquire::Queued => self.wait(cx),
            Acquire::Displaced(other, waited) => {
                cx.get_mut(other.call).waited += waited;
                self.granted.push_back(Waiter { fate: Fate::Displaced, ..other });
                self.wait(cx)
            }
            Acquire::Full => self.turn_away(call, cx),
        }
    }

    /// A call has its slot, and takes its memory.
    #[inline(always)]
    fn seat(&mut self, call: CallId, needs_memory: bool, cx: &mut Cx<'_>) -> Verdict {
        if !needs_memory || self.reserve(cx) { Verdict::Enter } else { self.stand_up(call, cx) }
    }

    /// A call with a slot finds no memory.
    #[cold]
    fn stand_up(&mut self, call: CallId, cx: &mut Cx<'_>) -> Verdict {
        // A process that is killed gives nothing back before its end.
        if !self.limits.kills {
            self.give_back(self.units_of(call, cx), cx);
        }
        self.out_of_memory()
    }

    #[inline(never)]
    fn wait(&mut self, cx: &mut Cx<'_>) -> Verdict {
        self.tell_waiting(cx);
        if let Some(timeout) = self.limits.queue_timeout
            && !std::mem::replace(&mut self.is_armed, true)
        {
            cx.alarm(timeout, self.limits.timer, About::Nothing);
        }
        Verdict::Wait
    }

    #[cold]
    fn turn_away(&mut self, call: CallId, cx: &mut Cx<'_>) -> Verdict {
        if self.limits.backlog == 0 {
            return Verdict::Away(Outcome::Rejected);
        }
        if !self.limits.refuses {
            return Verdict::Drop;
        }
        cx.get_mut(call).connection = Connection::Refused;
        Verdict::Away(Outcome::Unavailable)
    }

    #[cold]
    fn out_of_memory(&self) -> Verdict {
        if self.limits.kills { Verdict::Kill } else { Verdict::Away(Outcome::OutOfMemory) }
    }

    /// A call that waited gets a slot.
    #[inline(never)]
    fn grant(&mut self, Granted { job, waited }: Granted<Waiter>, cx: &mut Cx<'_>) {
        cx.get_mut(job.call).waited += waited;
        self.tell_waiting(cx);
        // A check is no call of a user: it is answered however long it has waited.
        let is_late = job.needs_memory && self.is_late(waited, cx);
        self.granted.push_back(Waiter { fate: if is_late { Fate::Late } else { Fate::Begins }, ..job });
    }

    /// Whether a call that gets its slot after a wait is to be dropped.
    fn is_late(&mut self, waited: SimDuration, cx: &Cx<'_>) -> bool {
        let drops = self.limits.codel.as_mut().is_some_and(|codel| codel.drops(cx.now(), waited));
        drops || self.limits.age.is_some_and(|age| waited > age)
    }

    fn tell_waiting(&self, cx: &mut Cx<'_>) {
        cx.set_waiting(self.slots.waiting(), self.waiting_inside);
    }

    // Memory --------------------------------------------------------------------------------------------------------

    /// Takes the memory of one call; false when the machine has not that much left.
    #[inline(always)]
    fn reserve(&mut self, cx: &mut Cx<'_>) -> bool {
        let bytes = self.limits.memory_per_call;
        let fits = bytes == 0 || cx.reserve_memory(bytes);
        if fits {
            self.memory += bytes;
        }
        fits
    }

    /// Gives the memory of one call back.
    #[inline(always)]
    fn free(&mut self, cx: &mut Cx<'_>) {
        let bytes = self.limits.memory_per_call;
        if bytes > 0 {
            self.memory -= bytes;
            cx.release_memory(bytes);
        }
    }

    /// The process starts: takes its own memory. False, and nothing is taken, when the machine has not that much left.
    pub fn boot(&mut self, cx: &mut Cx<'_>) -> bool {
        let bytes = self.limits.base_memory;
        let fits = bytes == 0 || cx.reserve_memory(bytes);
        if fits {
            self.memory += bytes;
        }
        fits
    }

    /// The process is gone: its memory and all slots are free, and nobody waits. The model has dropped its calls.
    pub fn crash(&mut self, cx: &mut Cx<'_>) {
        if self.memory > 0 {
            cx.release_memory(self.memory);
        }
        self.memory = 0;
        self.slots.clear();
        self.granted.clear();
        self.show_held(cx);
        self.waiting_inside = 0;
        self.is_armed = false;
        self.limits.codel.iter_mut().for_each(Codel::clear);
        self.limits.rates.iter_mut().flatten().for_each(Rate::clear);
        self.limits.limit.iter_mut().for_each(|(limit, _)| limit.clear());
        self.show_limit(cx);
    }
}

/// The rank of a call by its class; 0 where no class goes before another.
#[inline]
pub fn rank_of(ranks: &[u8], call: CallId, cx: &Cx<'_>) -> u8 {
    ranks.get(usize::from(cx.get(call).class)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
