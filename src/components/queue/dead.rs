//! Messages that are given up, and their way to the queue of the dead.

use crate::model::ask::{Ask, Verb};
use crate::model::component::Cx;
use crate::model::signal::{About, Outcome};

use super::ready::Message;
use super::{DEAD, EXPIRED, Pull, Queue, timer};

impl Queue {
    /// A message has been pulled too often: it goes to the queue of the dead, if there is one. Until that has it, it stays here, hidden.
    pub(super) fn give_up(&mut self, mut message: Message, cx: &mut Cx<'_>) {
        let Some(dead) = &mut self.dead else {
            cx.count(DEAD);
            self.held -= 1;
            return;
        };
        let to = dead.turn();
        message.pulled = cx.now();
        let number = self.hide(Pull { message: Some(message), by: None });
        let publish = Ask { verb: Verb::Publish, key: 0 };
        let child = cx.ask_for(message.origin, number, to, 0, publish);
        self.hand.wait_for(child, cx);
    }

    /// The queue of the dead has answered. A message that it does not take is sent to it again after the visibility timeout.
    pub(super) fn given_up(&mut self, number: u32, outcome: Outcome, cx: &mut Cx<'_>) {
        let Some(message) = self.pulled[number as usize].message else { return };
        let is_old = cx.now().since(message.accepted) >= self.retention;
        if outcome != Outcome::Ok && !is_old {
            cx.alarm_at(message.pulled + self.visibility, timer::FAILED, About::Number(number));
            return;
        }
        cx.count(if outcome == Outcome::Ok { DEAD } else { EXPIRED });
        self.held -= 1;
        self.end_pull(number);
        self.pull(cx);
    }
}
