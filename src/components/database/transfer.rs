//! `Transfer`: when batches of the log are sent, and how long they take in addition to the network's time.

use crate::kernel::random::unit_open;
use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, Outcome};

use super::spec::DatabaseSpec;
use super::timer;

/// How batches are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    /// Time between two batches; `None` if one is sent after every flush.
    every: Option<SimDuration>,
    /// Time from the start of the trial to the first batch.
    phase: SimDuration,
    delay: SimDuration,
}

impl Transfer {
    pub(super) fn new(spec: &DatabaseSpec) -> Transfer {
        Transfer {
            phase: SimDuration::ZERO,
            every: spec.ship.and_then(|ship| ship.every).map(|every| every.0),
            delay: spec.ship.and_then(|ship| ship.delay).map_or(SimDuration::ZERO, |delay| delay.0),
        }
    }

    /// Whether a batch is sent as soon as there is something to send.
    pub(super) fn is_immediate(&self) -> bool {
        self.every.is_none()
    }

    /// Starts the timer of the batches, at a random time within their interval.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        if let Some(every) = self.every {
            self.phase = every.mul_f64(unit_open(&mut cx.stream("batches")));
            cx.alarm(self.phase, timer::SHIP, About::Nothing);
        }
    }

    /// Sets the timer of the next batch.
    pub(super) fn tick(&self, cx: &mut Cx<'_>) {
        if let Some(every) = self.every {
            let since = cx.now().as_nanos() + every.as_nanos() - self.phase.as_nanos();
            let over = since % every.as_nanos();
            cx.alarm(SimDuration::from_nanos(every.as_nanos() - over), timer::SHIP, About::Nothing);
        }
    }

    /// Starts the transfer of a batch that the network has delivered. Returns whether the transfer takes no time.
    pub(super) fn is_over(&self, call: CallId, cx: &mut Cx<'_>) -> bool {
        if !self.delay.is_zero() {
            cx.alarm(self.delay, timer::ARRIVED, About::Call(call));
        }
        self.delay.is_zero()
    }

    /// Whether a batch has arrived. If its sender went down during the transfer, it has not, and is answered as
    /// unavailable.
    pub(super) fn is_whole(&self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let whole = self.delay.is_zero() || cx.is_awaited(call);
        if !whole {
            cx.reply(call, Outcome::Unavailable);
        }
        whole
    }
}
