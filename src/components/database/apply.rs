//! `Applier`: the workers of a replica that apply the log in commit order, on the same cores as its reads.

use crate::kernel::random::Stream;
use crate::kernel::variate::Variate;
use crate::model::component::Cx;
use crate::model::machine::Device;

use super::node::timer;

/// Workers of one replica.
pub(super) const WORKERS_MAX: u32 = 256;

/// A worker that has nothing to do.
const IDLE: u64 = 0;

/// The workers that apply the log.
#[derive(Debug)]
pub(super) struct Applier {
    /// Position that each works on.
    workers: Vec<u64>,
    /// Position of the next write to begin with.
    next: u64,
    demand: Variate,
    stream: Option<Stream>,
}

impl Applier {
    pub(super) fn new(workers: u32, demand: Variate) -> Applier {
        Applier { workers: vec![IDLE; workers as usize], next: 1, demand, stream: None }
    }

    /// All workers are idle and begin after `applied`.
    pub(super) fn restart(&mut self, applied: u64) {
        self.workers.fill(IDLE);
        self.next = applied + 1;
    }

    /// Gives idle workers what has been received; the position up to which everything is applied.
    pub(super) fn feed(&mut self, received: u64, cx: &mut Cx<'_>) -> u64 {
        if self.demand.is_constant() && self.demand.mean() == 0.0 {
            self.next = self.next.max(received + 1);
            return self.applied();
        }
        while self.next <= received
            && let Some(worker) = self.workers.iter().position(|&position| position == IDLE)
        {
            self.workers[worker] = self.next;
            self.next += 1;
            let stream = self.stream.get_or_insert_with(|| cx.stream("apply"));
            let demand = self.demand.draw(stream);
            cx.own_work(timer::APPLIED + worker as u16, Device::Cpu, demand);
        }
        self.applied()
    }

    /// A worker is done with its write.
    pub(super) fn done(&mut self, worker: usize) {
        self.workers[worker] = IDLE;
    }

    /// Position of the last write before the first that is not done: readers see the writes in commit order.
    fn applied(&self) -> u64 {
        let working = self.workers.iter().copied().filter(|&position| position != IDLE);
        working.min().unwrap_or(self.next) - 1
    }
}
