//! `Legs`: the calls that are out for one answer, where a second call may follow a slow first one.

use crate::model::signal::CallId;
use crate::queueing::circuit_breaker::Pass;

use super::hedge::HEDGES_MAX;

/// One call that has had no answer yet.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    /// The call.
    pub call: CallId,
    /// What the circuit breaker has given it.
    pub pass: Pass,
    /// Whether the budget of tries has paid for it.
    pub is_paid: bool,
    /// Whether it is not the first call for its answer.
    pub is_hedge: bool,
}

/// The calls that are out for one answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Legs([Option<Leg>; HEDGES_MAX as usize]);

impl Legs {
    /// A call has been sent.
    ///
    /// # Panics
    /// When as many as possible are out.
    pub fn add(&mut self, leg: Leg) {
        let place = self.0.iter_mut().find(|place| place.is_none());
        *place.expect("a hedge has a limit") = Some(leg);
    }

    /// Takes out the call that has been answered.
    pub fn take(&mut self, call: CallId) -> Option<Leg> {
        self.0.iter_mut().find(|leg| leg.is_some_and(|leg| leg.call == call))?.take()
    }

    /// The calls that are out.
    pub fn iter(&self) -> impl Iterator<Item = Leg> {
        self.0.into_iter().flatten()
    }

    /// Whether none is out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::{call, play};
    use super::*;

    #[test]
    fn each_call_is_taken_once() {
        play(1, |_, cx| {
            let calls = [call(cx), call(cx)];
            let mut legs = Legs::default();
            assert!(legs.is_empty());
            for (at, call) in calls.into_iter().enumerate() {
                legs.add(Leg { call, pass: Pass::default(), is_paid: at > 0, is_hedge: at > 0 });
            }
            assert_eq!(
                legs.iter().map(|leg| (leg.call, leg.is_hedge)).collect::<Vec<_>>(),
                [(calls[0], false), (calls[1], true)]
            );
            assert!(legs.take(calls[0]).is_some() && legs.take(calls[0]).is_none() && !legs.is_empty());
            assert!(legs.take(calls[1]).is_some_and(|leg| leg.is_paid) && legs.is_empty());
        });
    }
}
