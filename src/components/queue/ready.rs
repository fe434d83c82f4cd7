//! The messages that wait for a worker.

use std::collections::VecDeque;

use super::Order;
use crate::kernel::time::SimTime;
use crate::model::call::Origin;

/// A message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    /// The request that it comes from, so that the target draws this request's work.
    pub(super) origin: Origin,
    pub(super) accepted: SimTime,
    /// The rank of its class: lower ones are pulled first.
    pub(super) rank: u8,
    /// When it was pulled last.
    pub(super) pulled: SimTime,
    /// Number of times that it was pulled.
    pub(super) receives: u32,
}

/// The messages that wait, those of each rank in a line, the first at the front.
#[derive(Debug)]
pub(super) struct Ready(Vec<VecDeque<Message>>);

impl Ready {
    /// A line for each rank of the classes.
    pub(super) fn new(ranks: &[u8]) -> Ready {
        let lines = ranks.iter().max().map_or(1, |most| usize::from(*most) + 1);
        Ready(vec![VecDeque::new(); lines])
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(VecDeque::len).sum()
    }

    pub(super) fn push(&mut self, message: Message) {
        self.0[usize::from(message.rank)].push_back(message);
    }

    pub(super) fn push_front(&mut self, message: Message) {
        self.0[usize::from(message.rank)].push_front(message);
    }

    /// The message that is pulled next.
    pub(super) fn next(&mut self, order: Order) -> Option<Message> {
        let line = self.0.iter_mut().find(|line| !line.is_empty())?;
        match order {
            Order::Fifo => line.pop_front(),
            Order::Lifo => line.pop_back(),
        }
    }

    /// When the first message of the lines was accepted that came before the first of all others.
    pub(super) fn oldest(&self) -> Option<SimTime> {
        self.0.iter().filter_map(VecDeque::front).map(|message| message.accepted).min()
    }

    pub(super) fn drop_oldest(&mut self) {
        let fronts = self.0.iter_mut().filter(|line| !line.is_empty());
        if let Some(line) = fronts.min_by_key(|line| line.front().map(|message| message.accepted)) {
            line.pop_front();
        }
    }
}
