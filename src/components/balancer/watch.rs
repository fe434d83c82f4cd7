//! `Balancer`: its checks of the targets, and the operations on it and on them.

use super::jar::Jar;
use super::targets::Change;
use super::upstream::Upstream;
use super::vrrp::Repair;
use super::{Balancer, gauges, timer};
use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, Control, Order};

impl Balancer {
    // Checks

    /// Sets the timers of the first checks.
    pub(super) fn begin_checks(&mut self, cx: &mut Cx<'_>) {
        if let Some(checks) = self.settings.checks {
            let targets = (0..self.targets.all.len()).filter(|&i| self.targets.is_present(i));
            checks.begin_those(targets.map(|i| self.number_of(i)), timer::CHECKS, cx);
        }
    }

    pub(super) fn check(&mut self, number: u32, cx: &mut Cx<'_>) {
        if let (Some(checks), Some(i)) = (self.settings.checks, self.target_of(number)) {
            checks.ask(number, self.targets.all[i].id, timer::CHECKS, cx);
        }
    }

    /// The number under which a target is checked: a member that has gone and come again has another one.
    fn number_of(&self, i: usize) -> u32 {
        u32::from(self.targets.all[i].times) << u16::BITS | i as u32
    }

    /// The target that is checked under a number; `None` if it has gone since.
    fn target_of(&self, number: u32) -> Option<usize> {
        let i = usize::from(number as u16);
        (self.targets.is_present(i) && self.number_of(i) == number).then_some(i)
    }

    /// A check has had no answer in time.
    pub(super) fn check_late(&mut self, probe: CallId, cx: &mut Cx<'_>) {
        if let Some(i) = self.settings.checks.and_then(|checks| checks.give_up(probe, cx)) {
            self.checked(i, false, cx);
        }
    }

    pub(super) fn checked(&mut self, number: u32, good: bool, cx: &mut Cx<'_>) {
        let Some(checks) = self.settings.checks else { return };
        let Some(i) = self.target_of(number) else { return };
        checks.ended(number, timer::CHECKS, cx);
        if !good {
            cx.count(gauges::CHECKS_FAILED);
        }
        let change = self.targets.checked(cx.now(), i, good, &checks);
        self.tell(i, change, cx);
    }

    pub(super) fn readmit(&mut self, i: usize, cx: &mut Cx<'_>) {
        let change = self.targets.readmit(cx.now(), i);
        self.tell(i, change, cx);
    }

    /// Adds a change to the timeline, and continues a slow start.
    pub(super) fn tell(&mut self, i: usize, change: Change, cx: &mut Cx<'_>) {
        let id = self.targets.all[i].id;
        match change {
            Change::None => return,
            Change::Out => cx.note(id, "out of balancer"),
            Change::Back => cx.note(id, "back in balancer"),
        }
        self.grow_later(i, cx);
    }

    pub(super) fn grow_later(&mut self, i: usize, cx: &mut Cx<'_>) {
        if let Some(at) = self.targets.grows_at(i) {
            cx.alarm_at(at, timer::GROW, About::Number(i as u32));
        }
    }

    // Operations ----------------------------------------------------------------------------------------------------

    fn order(&mut self, order: Order, cx: &mut Cx<'_>) {
        if order.code == Order::STOP {
            return self.pair.leave();
        }
        let target = ComponentId::new(order.subject as usize);
        if let (Order::JOIN | Order::JOIN_NOW | Order::LEAVE, Some(i)) =
            (order.code, self.targets.find(target))
        {
            return self.come_or_go(i, order.code, cx);
        }
        let Some(i) = self.targets.find(target).filter(|_| self.pair.is_active) else { return };
        let draining = match order.code {
            Order::GONE => return self.targets.let_go(i),
            Order::DRAIN => true,
            Order::READY => false,
            _ => return,
        };
        if draining == self.targets.draining_since(i).is_some() {
            return;
        }
        let change = self.targets.set_draining(cx.now(), i, draining);
        self.tell(i, change, cx);
        if let (Some(drain), true) = (self.settings.drain, draining) {
            cx.alarm(drain, timer::DRAINED, About::Number(i as u32));
        }
        self.tell_if_drained(i, cx);
    }

    /// A member of a fleet comes or goes. A balancer that is down knows of it when it is back.
    fn come_or_go(&mut self, i: usize, code: u16, cx: &mut Cx<'_>) {
        if code == Order::LEAVE {
            self.targets.leave(cx.now(), i);
            if let Some(drain) = self.settings.drain {
                cx.alarm(drain, timer::DRAINED, About::Number(i as u32));
            }
            return self.tell_if_drained(i, cx);
        }
        let checks = self.settings.checks;
        let change = self.targets.join(cx.now(), i, checks.as_ref());
        if let Some(checks) = checks.filter(|_| cx.works()) {
            checks.begin_one(self.number_of(i), code == Order::JOIN_NOW, timer::CHECKS, cx);
        }
        self.tell(i, change, cx);
    }

    /// Tells the operators when a target that drains has no calls any more.
    #[inline]
    pub(super) fn tell_if_drained(&self, i: usize, cx: &mut Cx<'_>) {
        if self.targets.draining_since(i).is_some() && self.targets.balance.outstanding(i) == 0 {
            let drained = Order { code: Order::DRAINED, subject: cx.me().index() as u32 };
            cx.control(self.targets.all[i].id, SimDuration::ZERO, Control::Order(drained));
        }
    }

    /// The time for draining a target is over: calls that are still there are cut off.
    pub(super) fn drained(&mut self, i: usize, cx: &mut Cx<'_>) {
        let since = self.targets.draining_since(i);
        let is_due = |drain| since.is_some_and(|since| cx.now().since(since) >= drain);
        if !self.settings.drain.is_some_and(is_due) {
            return;
        }
        if self.care.is_some() {
            self.cut_sides(i, cx);
        }
        for place in self.relays.at(i) {
            let child = self.relays.get_mut(place).sent.child;
            self.cut(child, cx);
        }
    }

    pub(super) fn control(&mut self, control: Control, cx: &mut Cx<'_>) {
        match control {
            Control::Crash | Control::PowerOff | Control::Kill => {
                if let Some(after) = self.pair.crash(cx.now()) {
                    cx.alarm(after, timer::TAKE_OVER, About::Nothing);
                }
                self.forget(cx);
            }
            Control::TakeOver => {
                cx.count(gauges::TAKEOVERS);
                self.begin_checks(cx);
            }
            Control::Recover => {
                let hung = std::mem::take(&mut self.hung);
                if self.pair.repair(hung) == Repair::Active {
                    self.forget(cx);
                    self.begin_checks(cx);
                }
            }
            Control::Hang => self.hung = true,
            Control::Order(order) => self.order(order, cx),
            Control::Slow(_)
            | Control::Burden(_)
            | Control::Impair(_)
            | Control::Mend(_)
            | Control::Err(_)
            | Control::Throttle(_)
            | Control::Heal(_) => {}
        }
    }

    /// The process is gone, and all that it knew. Only the cookies are left, because users hold them, and no connection.
    fn forget(&mut self, cx: &mut Cx<'_>) {
        self.targets.reset();
        self.door.crash(cx);
        self.clear_line();
        self.upstream.iter_mut().for_each(Upstream::clear);
        if self.by_connection {
            self.jar.iter_mut().for_each(Jar::clear);
        }
        self.relays.clear();
        self.hand.crash();
        self.care.iter_mut().for_each(|care| care.clear());
    }
}
