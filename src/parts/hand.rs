//! `Hand`: how a box asks others: how long it waits for each answer, and whether it tries again.
//!
//! The box makes the call and tells its hand. When the hand's timer rings, it returns what has become late, and when a
//! try has failed, it says whether another one follows. What that means for the call is for the box to decide.

use rand::Rng;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::call::Parent;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, RequestId};
use crate::queueing::backoff::Backoff;
use crate::queueing::deadlines::Deadlines;
use crate::queueing::retry_budget::RetryBudget;

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
}

/// How one box asks others.
#[derive(Debug)]
pub struct Hand<E> {
    limits: Option<Deadlines<E>>,
    timer: u16,
    retries: Option<Retries>,
}

impl<E: Errand> Hand<E> {
    /// A hand that waits for `patience`, or without end, and then has an alarm of code `timer`, after which the box must
    /// call [`Hand::late`].
    #[must_use]
    pub fn new(patience: Option<SimDuration>, timer: u16, retries: Option<Retries>) -> Hand<E> {
        Hand { limits: patience.map(Deadlines::new), timer, retries }
    }

    /// A request begins, which earns its share of the budget for retries.
    #[inline(always)]
    pub fn earn(&mut self, now: SimTime) {
        if let Some(Retries { budget: Some(budget), .. }) = &mut self.retries {
            budget.request(now);
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

    /// Whether another try follows the one of number `attempt`, which has failed. If so, it is paid from the budget.
    pub fn tries_again(&mut self, attempt: u16, now: SimTime) -> bool {
        self.retries.as_mut().is_some_and(|Retries { attempts, budget, .. }| {
            attempt < *attempts && budget.as_mut().is_none_or(|budget| budget.try_retry(now))
        })
    }

    /// Whether the try of number `attempt` is not the last one: if no other follows it, the budget has refused that.
    pub fn has_tries_left(&self, attempt: u16) -> bool {
        self.retries.as_ref().is_some_and(|retries| attempt < retries.attempts)
    }

    /// The pause after the try of number `attempt`, where `last` is the pause before that try, or zero.
    pub fn pause(&self, attempt: u16, last: SimDuration, rng: &mut impl Rng) -> SimDuration {
        let backoff = self.retries.as_ref().map(|retries| &retries.backoff);
        backoff.map_or(SimDuration::ZERO, |backoff| backoff.delay(u32::from(attempt), last, rng))
    }

    /// The box has crashed: waits for nothing.
    pub fn crash(&mut self) {
        if let Some(limits) = &mut self.limits {
            limits.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{TICK, call, play};
    use super::*;
    use crate::queueing::backoff::Jitter;

    const TIMER: u16 = 7;

    fn patient(retries: Option<Retries>) -> Hand<CallId> {
        Hand::new(Some(SimDuration::from_secs(3)), TIMER, retries)
    }

    fn retries(budget: Option<RetryBudget>) -> Retries {
        let base = SimDuration::from_secs(1);
        Retries {
            attempts: 3,
            backoff: Backoff { base, factor: 2.0, max: SimDuration::from_secs(10), jitter: Jitter::None },
            budget,
        }
    }

    #[test]
    fn an_answer_is_late_after_the_patience_and_only_if_it_is_awaited() {
        let mut hand = patient(None);
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
            let mut hand = Hand::new(None, TIMER, None);
            hand.wait_for(call(cx), cx);
            assert_eq!(hand.late(cx), None);
        });
    }

    #[test]
    fn a_crash_forgets_what_was_waited_for() {
        let mut hand = patient(None);
        play(9, move |(second, code), cx| match (second, code) {
            (0, TICK) => {
                hand.wait_for(call(cx), cx);
                hand.crash();
            }
            (_, TIMER) => assert_eq!(hand.late(cx), None),
            _ => {}
        });
    }

    #[test]
    fn tries_end_with_their_number_or_with_the_budget() {
        assert!(!patient(None).tries_again(1, SimTime::ZERO));
        let mut hand = patient(Some(retries(None)));
        assert_eq!([1, 2, 3].map(|attempt| hand.tries_again(attempt, SimTime::ZERO)), [true, true, false]);
        // Half a retry a request, and no reserve.
        let budget = RetryBudget::new(0.5, 0.0, SimDuration::from_secs(10));
        let mut hand = patient(Some(retries(Some(budget))));
        (0..4).for_each(|_| hand.earn(SimTime::ZERO));
        assert_eq!([1, 1, 1].map(|attempt| hand.tries_again(attempt, SimTime::ZERO)), [true, true, false]);
    }

    #[test]
    fn pauses_grow_by_the_backoff() {
        let mut rng = crate::kernel::random::KeyedRng::new(1);
        let hand = patient(Some(retries(None)));
        let pauses = [1, 2].map(|attempt| hand.pause(attempt, SimDuration::ZERO, &mut rng));
        assert_eq!(pauses, [SimDuration::from_secs(1), SimDuration::from_secs(2)]);
    }
}
