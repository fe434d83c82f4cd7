//! `Follow`: how a node that is back asks the others to send it their logs again, until they have answered.

use crate::kernel::time::SimDuration;
use crate::model::ask::Ask;
use crate::model::call::Parent;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, Outcome};

use super::message::{Message, kind};
use super::timer;

/// Answer of a node that sends its log to the one that asks.
pub(super) const TAKEN: u64 = 1;

/// Asks for the logs of others.
#[derive(Debug)]
pub(super) struct Follow {
    /// The other nodes, and whether each still has to answer.
    others: Vec<(ComponentId, bool)>,
    /// Time between two tries.
    every: SimDuration,
    /// Whether one of them sends all that there is.
    one_is_enough: bool,
    /// Whether the timer of the next try runs.
    armed: bool,
}

impl Follow {
    pub(super) fn new(
        others: impl Iterator<Item = ComponentId>,
        every: SimDuration,
        one_is_enough: bool,
    ) -> Follow {
        Follow { others: others.map(|node| (node, false)).collect(), every, one_is_enough, armed: false }
    }

    /// Asks all of them.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_>) {
        self.others.iter_mut().for_each(|(_, missing)| *missing = true);
        self.ask(cx);
    }

    /// Asks those again that have not answered, when the timer fires.
    pub(super) fn again(&mut self, cx: &mut Cx<'_>) {
        self.armed = false;
        self.ask(cx);
    }

    fn ask(&mut self, cx: &mut Cx<'_>) {
        let mut asked = false;
        for (number, &(node, _)) in self.others.iter().enumerate().filter(|(_, other)| other.1) {
            let ask = Ask::own(kind::FOLLOW, 0, number as u64);
            cx.ask(Parent::Number(number as u32), node, u64::from(kind::FOLLOW), ask);
            asked = true;
        }
        if asked && !self.armed {
            self.armed = true;
            cx.alarm(self.every, timer::FOLLOW, About::Nothing);
        }
    }

    /// Handles an answer.
    pub(super) fn answered(&mut self, call: CallId, outcome: Outcome, cx: &Cx<'_>) {
        let call = cx.get(call);
        let Some(Message { word, .. }) = Message::of(call.ask()) else { return };
        if outcome == Outcome::Ok {
            self.others[word as usize].1 = false;
            if self.one_is_enough && call.answer == TAKEN {
                self.stop();
            }
        }
    }

    /// Asks nobody any more.
    pub(super) fn stop(&mut self) {
        self.others.iter_mut().for_each(|(_, missing)| *missing = false);
    }

    /// Handles a crash of the node: the timer is gone.
    pub(super) fn crash(&mut self) {
        self.armed = false;
        self.stop();
    }
}
