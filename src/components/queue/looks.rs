//! Workers that look for messages now and then (short polling), in place of waiting for one.

use crate::kernel::random::unit_open;
use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::signal::About;

use super::{EMPTY_LOOKS, Queue, timer};

impl Queue {
    /// Workers that have just begun, or whose machine has, look for messages, each at a time of its own.
    pub(super) fn begin_looking(&mut self, pause: SimDuration, cx: &mut Cx<'_>) {
        while let Some(machine) = self.pullers.put_to_sleep(cx) {
            let phase = unit_open(self.phases.get_or_insert_with(|| cx.stream("looks")));
            cx.alarm(pause.mul_f64(phase), timer::LOOK, About::Number(machine));
        }
    }

    /// A worker of a machine looks for a message. One that finds none looks again after a pause.
    pub(super) fn look(&mut self, machine: u32, cx: &mut Cx<'_>) {
        self.expire(cx);
        if self.has_some()
            && let Some((to, by)) = self.pullers.take_at(machine, cx)
        {
            self.hand_out(to, by, cx);
        } else if let Some(pause) = self.pause {
            if self.pullers.sleep(machine, cx) {
                cx.count(EMPTY_LOOKS);
            }
            cx.alarm(pause, timer::LOOK, About::Number(machine));
        }
    }
}
