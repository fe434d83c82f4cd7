//! `Handover`: how a replica becomes primary because a switch between sites says so.
//!
//! People do what the monitor of a failover does: they keep the old primary from writing, let the replica apply what it has, and
//! make it primary. They reach machines by other ways than the network of the callers, so that all of it are orders.

use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::signal::{ComponentId, Control, Order};
use crate::model::site::Site;

use super::gauges;
use super::message::order;

/// How far a replica is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nothing is asked of it.
    Idle,
    /// It applies what it has.
    Applying,
    /// It has applied all of it.
    Applied,
}

/// The part of a node in a switch between sites.
#[derive(Debug)]
pub(super) struct Handover {
    switch: Option<ComponentId>,
    router: ComponentId,
    /// This node, as the subject of an order to the router.
    subject: u32,
    others: Vec<ComponentId>,
    stage: Stage,
    /// Whether it is to be primary now.
    is_wanted: bool,
}

impl Handover {
    pub(super) fn new(subject: (u32, usize), others: Vec<ComponentId>, site: &Site<'_>) -> Handover {
        let (shard, index) = subject;
        Handover {
            switch: site.switch,
            router: site.find(site.group),
            subject: order::subject(shard, index),
            others,
            stage: Stage::Idle,
            is_wanted: false,
        }
    }

    /// Keeps the others from being primary of an epoch below this one.
    pub(super) fn begin(&mut self, epoch: u16, cx: &mut Cx<'_>) {
        self.stage = Stage::Applying;
        for other in &self.others {
            let fence = Order { code: order::FENCE, subject: u32::from(epoch) };
            cx.control(*other, SimDuration::ZERO, Control::Order(fence));
        }
    }

    /// Whether nothing is asked of it.
    pub(super) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// It is to be primary as soon as it has applied everything.
    pub(super) fn want(&mut self) {
        self.is_wanted = self.stage != Stage::Idle;
    }

    /// It has applied all that it has. Returns whether that is news.
    pub(super) fn has_applied(&mut self) -> bool {
        let is_news = self.stage == Stage::Applying;
        if is_news {
            self.stage = Stage::Applied;
        }
        is_news
    }

    /// Whether it is to be primary now.
    pub(super) fn is_due(&self) -> bool {
        self.stage == Stage::Applied && self.is_wanted
    }

    /// It is primary: the callers and the switch hear of it.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>) {
        (self.stage, self.is_wanted) = (Stage::Idle, false);
        cx.note(cx.me(), "new primary");
        cx.count(gauges::FAILOVERS);
        let route = Order { code: order::ROUTE, subject: self.subject };
        cx.control(self.router, SimDuration::ZERO, Control::Order(route));
        if let Some(switch) = self.switch {
            let promoted = Order::about(Order::PROMOTED, cx.me());
            cx.control(switch, SimDuration::ZERO, Control::Order(promoted));
        }
    }
}
