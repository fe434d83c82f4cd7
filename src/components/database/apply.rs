//! `Applier`: the workers of a node that apply the logs of others, each in commit order, on the same cores as its reads.

use crate::kernel::random::Stream;
use crate::kernel::variate::Variate;
use crate::model::component::Cx;
use crate::model::machine::Device;

use super::node::timer;

/// Workers of one replica.
pub(super) const WORKERS_MAX: u32 = 256;

/// The workers that apply logs.
#[derive(Debug)]
pub(super) struct Applier {
    /// What each works on: which log, and where in it.
    workers: Vec<Option<(usize, u64)>>,
    /// By log: position of the next write to begin with.
    next: Vec<u64>,
    /// The log from which the next write is taken, if it has one.
    turn: usize,
    demand: Variate,
    stream: Option<Stream>,
}

impl Applier {
    pub(super) fn new(logs: usize, workers: u32, demand: Variate) -> Applier {
        Applier { workers: vec![None; workers as usize], next: vec![1; logs], turn: 0, demand, stream: None }
    }

    /// All workers are idle and begin after what is applied of each log.
    pub(super) fn restart(&mut self, applied: impl IntoIterator<Item = u64>) {
        self.workers.fill(None);
        for (next, applied) in self.next.iter_mut().zip(applied) {
            *next = applied + 1;
        }
    }

    /// Gives idle workers what has been received, from the logs in turn.
    pub(super) fn feed(&mut self, received: impl Fn(usize) -> u64, cx: &mut Cx<'_>) {
        let logs = self.next.len();
        if self.demand.is_constant() && self.demand.mean() == 0.0 {
            for (log, next) in self.next.iter_mut().enumerate() {
                *next = (*next).max(received(log) + 1);
            }
            return;
        }
        while let Some(worker) = self.workers.iter().position(Option::is_none)
            && let Some(log) = (self.turn..self.turn + logs)
                .map(|log| log % logs)
                .find(|&log| self.next[log] <= received(log))
        {
            self.workers[worker] = Some((log, self.next[log]));
            self.next[log] += 1;
            self.turn = (log + 1) % logs;
            let stream = self.stream.get_or_insert_with(|| cx.stream("apply"));
            let demand = self.demand.draw(stream);
            cx.own_work(timer::APPLIED + worker as u16, Device::Cpu, demand);
        }
    }

    /// A worker is done with its write.
    pub(super) fn done(&mut self, worker: usize) {
        self.workers[worker] = None;
    }

    /// Position of the last write of a log before the first that is not done: readers see the writes in commit order.
    pub(super) fn applied(&self, log: usize) -> u64 {
        let working = self.workers.iter().flatten().filter(|work| work.0 == log);
        working.map(|work| work.1).min().unwrap_or(self.next[log]) - 1
    }
}
