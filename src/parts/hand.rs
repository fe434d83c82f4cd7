//! `Hand`: how a box asks others: how long it waits for each answer, and whether it tries again.
//!
//! The box makes the call and tells its hand. When the hand's timer rings, it returns what has become late, and when a
//! try has failed, it says whether another one follows. What that means for the call is for the box to decide.

use rand::Rng;

use crate::kernel::random::unit_open;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::call::Parent;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, RequestId};
use crate::queueing::backoff::Backoff;
use crate::queueing::deadlines::Deadlines;
use crate::queueing::retry_budget::RetryBudget;

use super::failure::{Failure, Failures};

/// What a hand waits for.
pub trait Errand: Copy {
    /// Whether its answer is still waited for.
    fn is_awaited(&self, cx: &Cx<'_>) -> bool;
}

impl Errand for CallId {
    #[inline]
    fn is_awaited(&self, cx: &Cx<'_>) -> bool {
        cx.find(*self).is_some_and(|call| call.parent != Parent::None)
    }
}

/// One try of a request. It begins before its call: first its name is resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Try {
    /// The request.
    pub request: RequestId,
    /// Number of the try, 1 for the first.
    pub attempt: u16,
}

impl Errand for Try {
    #[inline]
    fn is_awaited(&self, cx: &Cx<'_>) -> bool {
        cx.find_request(self.request)
            .is_some_and(|request| request.attempt == self.attempt && !request.pausing)
    }
}

/// What follows a try that has failed.
#[derive(Clone, Debug)]
pub struct Retries {
    /// Tries in all, the first included.
    pub attempts: u16,
    /// Pauses before the tries after the first.
    pub backoff: Backoff,
    /// Bound on the retries of all requests together.
    pub budget: Option<RetryBudget>,
    /// The failures after which another try follows.
    pub on: Failures,
    /// Whether a write is sent again that may have been done.
    pub writes: bool,
    /// Share of the failures after which another try follows.
    pub chance: f64,
}

/// Why a try is the last one, or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// Another try follows. It is paid from the budget.
    Yes,
    /// None follows.
    No,
    /// One would follow, but the budget has nothing left.
    Refused,
}

impl Retries {
    /// No try after the first.
    #[must_use]
    pub const fn none() -> Retries {
        Retries {
            attempts: 1,
            backoff: Backoff::NONE,
            budget: None,
            on: Failures::ALL,
            writes: true,
            chance: 1.0,
        }
    }

    /// The pause after the try of number `attempt`, where `last` is the pause before that try, or zero.
    pub fn pause(&self, attempt: u16, last: SimDuration, rng: &mut impl Rng) -> SimDuration {
        self.backoff.delay(u32::from(attempt), last, rng)
    }

    /// Whether another try follows the one of number `attempt`, which has failed. Draws once, where chance decides.
    pub fn again(
        &mut self,
        attempt: u16,
        failure: Failure,
        is_write: bool,
        now: SimTime,
        rng: &mut impl Rng,
    ) -> Again {
        let may_repeat = self.writes || !is_write || !failure.may_be_done();
        if attempt >= self.attempts || !may_repeat || !self.on.contains(failure) {
            return Again::No;
        }
        if self.chance < 1.0 && unit_open(rng) >= self.chance {
            return Again::No;
        }
        let pays = self.budget.as_mut().is_none_or(|budget| budget.try_retry(now));
        if pays { Again::Yes } else { Again::Refused }
    }
}

/// How one box asks others.
#[derive(Debug)]
pub struct Hand<E> {
    limits: Option<Deadlines<E>>,
    timer: u16,
    /// What follows a try that has failed.
    pub retries: Retries,
}

impl<E: Errand> Hand<E> {
    /// A hand that waits for `patience`, or without end, and then has an alarm of code `timer`, after which the box must
    /// call [`Hand::late`].
    #[must_use]
    pub fn new(patience: Option<SimDuration>, timer: u16, retries: Retries) -> Hand<E> {
        Hand { limits: patience.map(Deadlines::new), timer, retries }
    }

    /// Whether there is a budget, to which [`Hand::begin`], [`Hand::tried`] and [`Hand::end`] must be told.
    #[inline(always)]
    pub const fn counts(&self) -> bool {
        self.retries.budget.is_some()
    }

    /// A request begins, which counts for the budget of retries.
    #[inline(always)]
    pub fn begin(&mut self, now: SimTime) {
        if let Some(budget) = &mut self.retries.budget {
            budget.begin(now);
        }
    }

    /// A try has ended; `is_paid` tells whether the budget has paid for it.
    #[inline(always)]
    pub fn tried(&mut self, is_paid: bool, is_ok: bool) {
        if let Some(budget) = &mut self.retries.budget {
            budget.tried(is_ok, is_paid);
        }
    }

    /// A try has ended without a result; `is_paid` tells whether the budget has paid for it.
    pub fn given_up(&mut self, is_paid: bool) {
        if let Some(budget) = &mut self.retries.budget {
            budget.given_up(is_paid);
        }
    }

    /// A request ends.
    #[inline(always)]
    pub fn end(&mut self) {
        if let Some(budget) = &mut self.retries.budget {
            budget.end();
        }
    }

    /// Waits for an answer from now on.
    #[inline(always)]
    pub fn wait_for(&mut self, errand: E, cx: &mut Cx<'_>) {
        if let Some(limits) = &mut self.limits
            && let Some(at) = limits.push(cx.now(), errand, |errand| errand.is_awaited(cx))
        {
            cx.alarm_at(at, self.timer, About::Nothing);
        }
    }

    /// The timer has rung: an errand whose answer is late. To be called until `None`, which sets the timer again.
    pub fn late(&mut self, cx: &mut Cx<'_>) -> Option<E> {
        let limits = self.limits.as_mut()?;
        let late = limits.expired(cx.now(), |errand| errand.is_awaited(cx));
        if late.is_none()
            && let Some(at) = limits.rearm()
        {
            cx.alarm_at(at, self.timer, About::Nothing);
        }
        late
    }

    /// The box has crashed: waits for nothing.
    pub fn crash(&mut self) {
        if let Some(limits) = &mut self.limits {
            limits.clear();
        }
        if let Some(budget) = &mut self.retries.budget {
            budget.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{TICK, call, play};
    use super::*;
    use crate::queueing::backoff::Jitter;
    use crate::queueing::retry_budget::ShareBudget;

    const TIMER: u16 = 7;

    fn patient(retries: Retries) -> Hand<CallId> {
        Hand::new(Some(SimDuration::from_secs(3)), TIMER, retries)
    }

    fn retries(budget: Option<RetryBudget>) -> Retries {
        let base = SimDuration::from_secs(1);
        Retries {
            attempts: 3,
            backoff: Backoff { base, factor: 2.0, max: SimDuration::from_secs(10), jitter: Jitter::None },
            budget,
            on: Failures::ALL,
            writes: true,
            chance: 1.0,
        }
    }

    #[test]
    fn an_answer_is_late_after_the_patience_and_only_if_it_is_awaited() {
        let mut hand = patient(Retries::none());
        let mut calls = Vec::new();
        play(9, move |(second, code), cx| match (second, code) {
            (0..=2, TICK) => {
                calls.push(call(cx));
                hand.wait_for(calls[second as usize], cx);
            }
            // The second one has been answered, or given up.
            (3, TIMER) => {
                assert_eq!(hand.late(cx), Some(calls[0]));
                cx.abandon(calls[1]);
                assert_eq!(hand.late(cx), None);
            }
            (5, TIMER) => assert_eq!((hand.late(cx), hand.late(cx)), (Some(calls[2]), None)),
            (_, TIMER) => panic!("nothing is late at {second} s"),
            _ => {}
        });
    }

    #[test]
    fn a_hand_without_patience_sets_no_timer() {
        play(9, |(_, code), cx| {
            assert_eq!(code, TICK);
            let mut hand = Hand::new(None, TIMER, Retries::none());
            hand.wait_for(call(cx), cx);
            assert_eq!(hand.late(cx), None);
        });
    }

    #[test]
    fn a_crash_forgets_what_was_waited_for() {
        let mut hand = patient(Retries::none());
        play(9, move |(second, code), cx| match (second, code) {
            (0, TICK) => {
                hand.wait_for(call(cx), cx);
                hand.crash();
            }
            (_, TIMER) => assert_eq!(hand.late(cx), None),
            _ => {}
        });
    }

    /// What follows tries of these numbers, which have timed out.
    fn follows(hand: &mut Hand<CallId>, attempts: [u16; 3]) -> [Again; 3] {
        let mut rng = crate::kernel::random::KeyedRng::new(1);
        let retries = &mut hand.retries;
        attempts.map(|attempt| retries.again(attempt, Failure::Timeout, false, SimTime::ZERO, &mut rng))
    }

    #[test]
    fn tries_end_with_their_number_or_with_the_budget() {
        use Again::{No, Refused, Yes};
        assert_eq!(follows(&mut patient(Retries::none()), [1, 2, 3]), [No; 3]);
        assert_eq!(follows(&mut patient(retries(None)), [1, 2, 3]), [Yes, Yes, No]);
        // Half a retry a request, and no reserve.
        let budget = RetryBudget::Share(ShareBudget::new(0.5, 0.0, SimDuration::from_secs(10)));
        let mut hand = patient(retries(Some(budget)));
        (0..4).for_each(|_| hand.begin(SimTime::ZERO));
        assert_eq!(follows(&mut hand, [1, 1, 1]), [Yes, Yes, Refused]);
        hand.crash();
        assert_eq!(follows(&mut hand, [1, 1, 1]), [Refused; 3]);
    }

    #[test]
    fn tries_end_with_a_failure_after_which_none_follows() {
        let mut rng = crate::kernel::random::KeyedRng::new(1);
        let on = Failures::of(&[Failure::Connect, Failure::Timeout]);
        let mut some = Retries { on, writes: false, ..retries(None) };
        let mut again =
            |failure, is_write| some.again(1, failure, is_write, SimTime::ZERO, &mut rng) == Again::Yes;
        assert_eq!(
            Failure::ALL.map(|failure| again(failure, false)),
            [true, false, true, false, false, false]
        );
        // A write that may have been done is not sent again.
        assert!(again(Failure::Connect, true) && !again(Failure::Timeout, true));
        let mut half = Retries { chance: 0.5, ..retries(None) };
        let tries = 10_000;
        let again = (0..tries)
            .filter(|_| half.again(1, Failure::Timeout, false, SimTime::ZERO, &mut rng) == Again::Yes)
            .count();
        assert!(again.abs_diff(tries / 2) < 200, "{again}");
    }

    #[test]
    fn pauses_grow_by_the_backoff() {
        let mut rng = crate::kernel::random::KeyedRng::new(1);
        let hand = patient(retries(None));
        let pauses = [1, 2].map(|attempt| hand.retries.pause(attempt, SimDuration::ZERO, &mut rng));
        assert_eq!(pauses, [SimDuration::from_secs(1), SimDuration::from_secs(2)]);
    }
}
