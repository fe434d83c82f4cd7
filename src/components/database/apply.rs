//! `Applier`: the workers of a node that apply the logs of other nodes, each log in commit order, on the cores that
//! serve its reads.

use crate::kernel::random::Stream;
use crate::kernel::variate::Variate;
use crate::model::component::Cx;
use crate::model::machine::Device;

use super::{gauges, timer};

/// Largest number of workers of a replica.
pub(super) const WORKERS_MAX: u32 = 256;

/// The workers that apply logs.
#[derive(Debug)]
pub(super) struct Applier {
    /// For each worker, the write that it applies: the log, and the position in it.
    workers: Vec<Option<(usize, u64)>>,
    /// For each log, the position of the next write to start.
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

    /// Stops all workers, to continue after the positions `applied`, one for each log.
    pub(super) fn stop(&mut self, applied: impl IntoIterator<Item = u64>, cx: &mut Cx<'_>) {
        self.restart(applied);
        cx.level(gauges::APPLYING, 0);
    }

    /// Makes all workers idle, to continue after the positions `applied`, one for each log.
    pub(super) fn restart(&mut self, applied: impl IntoIterator<Item = u64>) {
        self.workers.fill(None);
        for (next, applied) in self.next.iter_mut().zip(applied) {
            *next = applied + 1;
        }
    }

    /// Gives received writes to idle workers, taking from the logs in turn.
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
        cx.level(gauges::APPLYING, self.workers.iter().flatten().count() as u64);
    }

    /// Notes that a worker has finished its write.
    pub(super) fn done(&mut self, worker: usize) {
        self.workers[worker] = None;
    }

    /// Position up to which all writes of a log are applied. Readers see the writes in commit order, so a later write
    /// that is done does not count.
    pub(super) fn applied(&self, log: usize) -> u64 {
        let working = self.workers.iter().flatten().filter(|work| work.0 == log);
        working.map(|work| work.1).min().unwrap_or(self.next[log]) - 1
    }
}
