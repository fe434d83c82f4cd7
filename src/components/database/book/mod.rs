//! `Book`: what really happened to the data of a replicated database; for results only.
//!
//! It observes the model from outside: nodes, routers and monitors report what they do, and no decision depends on it.
//! A write has a position in the log; the book stores the times and keys of writes that some node may still lack.

mod conflicts;
mod copies;
mod gap;
mod query;
mod record;
mod shelf;
mod tracing;

use std::collections::{BTreeSet, VecDeque};

use crate::kernel::time::{SimDuration, SimTime};

use conflicts::Conflicts;
use copies::{Copies, Holding};
use gap::Gap;
use tracing::Followed;

pub use conflicts::OPEN_MAX;
pub use copies::COMMITS_MAX;
pub use query::{Progress, Query, User, Write};
pub use record::{DataRecord, Outage, Part};
pub use shelf::{Asked, BookId, Shelf};
pub use tracing::{trace_fork, trace_log, trace_write};

/// Largest number of acknowledged writes whose details are kept until every node has received them; of older ones only
/// the number is kept.
pub const TAIL_MAX: usize = 4_000_000;

/// The last write of a user.
#[derive(Clone, Copy, Default, Debug)]
struct Writer {
    identity: u64,
    version: Version,
    key: u32,
}

/// The log of a write, and its position there.
#[derive(Clone, Copy, Default, Debug)]
struct Version {
    log: u16,
    position: u64,
}

/// The account of a node's lag.
#[derive(Clone, Copy, Default, Debug)]
struct Lag {
    /// The time up to which the lag has been added.
    since: SimTime,
    /// Whether the node follows a primary; the primary has no lag.
    follows: bool,
    /// Whether the node is down. It then answers nobody, and has no lag.
    is_down: bool,
    /// When the node came back the last time; 0 if it never went away. What it missed before that is its absence, not its
    /// lag.
    up_since: SimTime,
}

impl Lag {
    /// Whether the node has a lag at all.
    fn counts(self) -> bool {
        self.follows && !self.is_down
    }
}

/// What really happened to the data of one database.
#[derive(Debug)]
pub struct Book {
    record: DataRecord,
    /// The logs: one if only a primary writes, one for each node if all nodes write.
    logs: Vec<Copies>,
    /// The lag of each node.
    lags: Vec<Lag>,
    /// If all nodes write: the writes that they do not know of each other.
    conflicts: Option<Conflicts>,
    /// The last acknowledged write of each key.
    keys: Vec<Version>,
    /// The last acknowledged write of each user, by client and slot.
    users: Vec<Vec<Writer>>,
    /// Details of the last acknowledged writes of a primary, up to the head of the log.
    tail: VecDeque<Write>,
    /// Integral of the lags since the warm-up, in seconds squared, and its start.
    lag_integral: f64,
    measured_from: SimTime,
    /// For each promotion, the epoch and the last common position.
    forks: Vec<(u16, u64)>,
    /// Acknowledged writes that the surviving log lacks and that no recovery has handled yet.
    lost: Vec<Write>,
    /// Keys that the script has written since the last promotion.
    replayed: BTreeSet<u32>,
    /// The time since the last acknowledged write.
    gap: Gap,
    /// Writes of the request that a trace follows.
    followed: Followed,
}

/// Which database a book is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Its place among the books of its database: the number of the shard, from 0.
    pub shard: usize,
    /// Number of nodes.
    pub nodes: usize,
    /// Whether each node has a log of its own, and not only the primary.
    pub all_write: bool,
    /// The age of a write that waits from which on nobody's write is acknowledged in time.
    pub patience: SimDuration,
}

impl Book {
    fn new(subject: Subject) -> Book {
        let Subject { nodes, all_write, patience, .. } = subject;
        Book {
            record: DataRecord::default(),
            logs: vec![Copies::new(nodes); if all_write { nodes } else { 1 }],
            lags: vec![Lag { follows: all_write, ..Lag::default() }; nodes],
            conflicts: all_write.then(Conflicts::new),
            keys: Vec::new(),
            users: Vec::new(),
            tail: VecDeque::new(),
            lag_integral: 0.0,
            measured_from: SimTime::ZERO,
            forks: Vec::new(),
            lost: Vec::new(),
            replayed: BTreeSet::new(),
            gap: Gap::new(patience),
            followed: Followed::default(),
        }
    }

    // Writes and reads ----------------------------------------------------------------------------------------------

    /// Records that a write is asked for.
    pub fn asked(&mut self, now: SimTime) {
        self.gap.asked(now);
    }

    /// Records that a commit waits for replicas.
    pub fn waits(&mut self, now: SimTime) {
        self.gap.waits(now);
    }

    /// Ends the gap since the last acknowledged write, because one is acknowledged.
    fn end_gap(&mut self, now: SimTime) {
        if let Some(outage) = self.gap.acknowledged(now) {
            self.record.add(outage);
        }
    }

    /// Records a write that is acknowledged. Positions must be in order.
    pub fn acknowledge(&mut self, now: SimTime, epoch: u16, position: u64, query: Query) {
        self.record.writes += u64::from(!query.is_replay);
        self.end_gap(now);
        if query.is_replay {
            self.replayed.insert(query.key);
        } else if !self.replayed.is_empty() {
            self.replayed.remove(&query.key);
        }
        if self.forks.last().is_some_and(|&(last, _)| epoch < last) {
            // There are two primaries, and this one's log will not survive.
            self.record.lost_writes += 1;
            if self.lost.len() < TAIL_MAX {
                self.lost.push(Write { at: now, key: query.key });
            }
            return;
        }
        self.remember(now, Version { log: 0, position }, query);
        self.tail.push_back(Write { at: now, key: query.key });
        let lacking = self.logs[0].head.saturating_sub(self.logs[0].received_by_all());
        let lacking = usize::try_from(lacking).unwrap_or(usize::MAX);
        // One more, which tells how far back the writes go that every node has.
        while self.tail.len() > lacking.min(TAIL_MAX) + 1 {
            self.tail.pop_front();
        }
    }

    /// Records a write that is acknowledged at a node, if all nodes write. Of writes to one key that did not know of
    /// each other, the last one stays.
    ///
    /// # Panics
    /// If only a primary writes.
    pub fn write(&mut self, now: SimTime, node: usize, position: u64, query: Query) {
        self.record.writes += 1;
        self.end_gap(now);
        let (log, logs) = (node as u16, &self.logs);
        let known = |log: u16| logs[usize::from(log)].applied(node);
        let settled = |log: u16| logs[usize::from(log)].applied_by_all();
        let conflicts = self.conflicts.as_mut().expect("all nodes write");
        let lost = conflicts.write(query.key, log, position, known, settled);
        self.record.conflicting_writes += lost;
        self.record.lost_writes += lost;
        self.remember(now, Version { log, position }, query);
    }

    /// Stores an acknowledged write, which readers should see.
    fn remember(&mut self, now: SimTime, version: Version, query: Query) {
        let key = query.key as usize;
        if key >= self.keys.len() {
            self.keys.resize(key + 1, Version::default());
        }
        self.keys[key] = version;
        if let Some(user) = query.user {
            *self.writer(user) = Writer { identity: user.identity, version, key: query.key };
        }
        let log = &mut self.logs[usize::from(version.log)];
        log.head = log.head.max(version.position);
        log.committed(now, version.position);
        log.prune();
    }

    /// Records a read that a node has answered. Returns whether it sees the last acknowledged write of its key.
    pub fn read(&mut self, node: usize, query: Query) -> bool {
        let last = self.keys.get(query.key as usize).copied().unwrap_or_default();
        let behind = self.logs.iter().map(|log| log.head.saturating_sub(log.applied(node)));
        self.record.versions_behind += behind.sum::<u64>();
        self.record.reads += 1;
        let is_stale = self.misses(node, last);
        self.record.stale_reads += u64::from(is_stale);
        if let Some(user) = query.user {
            let Writer { identity, version, key } = *self.writer(user);
            let is_own = identity == user.identity && key == query.key;
            self.record.read_your_writes_violations += u64::from(self.misses(node, version) && is_own);
        }
        !is_stale
    }

    /// Whether a node lacks a write.
    fn misses(&self, node: usize, version: Version) -> bool {
        version.position > self.logs[usize::from(version.log)].applied(node)
    }

    /// Records a write that a node without replicas has acknowledged.
    pub fn wrote(&mut self, now: SimTime) {
        self.record.writes += 1;
        self.end_gap(now);
    }

    /// Records a read at a node without replicas, which sees everything.
    pub fn has_read(&mut self) {
        self.record.reads += 1;
    }

    /// Records the loss of `count` acknowledged writes that were only in memory; the last one that was flushed was
    /// acknowledged at `flushed`.
    pub fn lose(&mut self, count: u64, flushed: SimTime) {
        self.record.lost_writes += count;
        let span = if count > 0 { self.gap.last().saturating_since(flushed) } else { SimDuration::ZERO };
        self.record.reach_back(span.as_secs_f64());
    }

    fn writer(&mut self, user: User) -> &mut Writer {
        let (client, slot) = (user.client.index(), user.slot as usize);
        if client >= self.users.len() {
            self.users.resize(client + 1, Vec::new());
        }
        let users = &mut self.users[client];
        if slot >= users.len() {
            users.resize(slot + 1, Writer::default());
        }
        &mut users[slot]
    }

    // Copies --------------------------------------------------------------------------------------------------------

    /// A node tells how far it is.
    pub fn progress(&mut self, now: SimTime, node: usize, progress: Progress) {
        self.account(node, now);
        let Progress { epoch, received, applied, follows } = progress;
        // What a copy of an older log has beyond the common part does not count.
        let later = self.forks.iter().filter(|&&(other, _)| other > epoch);
        let common = later.map(|&(_, start)| start).min().unwrap_or(u64::MAX);
        let holding = Holding { received: received.min(common), applied: applied.min(common) };
        self.logs[0].hold(node, holding);
        self.lags[node].follows = follows;
    }

    /// Records how far a node is with one of the logs, if all nodes write.
    pub fn copied(&mut self, now: SimTime, node: usize, log: usize, received: u64, applied: u64) {
        self.account(node, now);
        self.logs[log].hold(node, Holding { received, applied });
    }

    /// Adds the lag of a node since it was last added: the age of the oldest write that it lacks, which grows by a
    /// second each second.
    fn account(&mut self, node: usize, now: SimTime) {
        let lag = self.lags[node];
        let since = lag.since;
        self.lags[node].since = now;
        if !lag.counts() {
            return;
        }
        let Some(oldest) = self.oldest_lacking(node) else { return };
        let from = since.max(oldest).max(self.measured_from).saturating_since(oldest).as_secs_f64();
        let to = now.saturating_since(oldest).as_secs_f64();
        self.lag_integral += (to * to - from * from).max(0.0) / 2.0;
        self.record.lag_max_s = self.record.lag_max_s.max(to);
    }

    /// The time since which a node is behind: at which the first write of any log that it does not show was acknowledged,
    /// or at which it came back, if that is later; `None` if it shows all.
    fn oldest_lacking(&self, node: usize) -> Option<SimTime> {
        let oldest = self.logs.iter().filter_map(|log| log.oldest_lacking(node)).min()?;
        Some(oldest.max(self.lags[node].up_since))
    }

    /// Records that a node goes down.
    pub fn left(&mut self, now: SimTime, node: usize) {
        self.account(node, now);
        self.lags[node].is_down = true;
    }

    /// Records that a node comes back.
    pub fn returned(&mut self, now: SimTime, node: usize) {
        self.account(node, now);
        self.lags[node].is_down = false;
        self.lags[node].up_since = now;
    }

    // Failover ------------------------------------------------------------------------------------------------------

    /// Records that the primary of this epoch is down. If there is a newer one, nobody misses it.
    pub fn down(&mut self, now: SimTime, epoch: u16) {
        if self.forks.last().is_none_or(|&(last, _)| last <= epoch) {
            self.gap.down(now);
        }
    }

    /// Ends a part of a failover.
    pub fn end_part(&mut self, part: Part, now: SimTime) {
        self.gap.end_part(part, now);
    }

    /// Records that the log continues from `position` at the new primary of `epoch`. Writes acknowledged after that
    /// position are lost.
    pub fn fork(&mut self, now: SimTime, epoch: u16, position: u64) {
        (0..self.lags.len()).for_each(|node| self.account(node, now));
        let lost = self.logs[0].head.saturating_sub(position);
        self.record.lost_writes += lost;
        let kept = self.tail.len() - self.tail.len().min(usize::try_from(lost).unwrap_or(usize::MAX));
        let span = self.tail.back().filter(|_| lost > 0).map_or(SimDuration::ZERO, |last| {
            let recovered = kept.checked_sub(1).map_or(SimTime::ZERO, |kept| self.tail[kept].at);
            last.at.since(recovered)
        });
        self.record.reach_back(span.as_secs_f64());
        self.lost.extend(self.tail.drain(kept..));
        self.logs[0].cut(position);
        let cut = |version: &mut Version| version.position = version.position.min(position);
        self.keys.iter_mut().for_each(cut);
        self.users.iter_mut().flatten().for_each(|writer| cut(&mut writer.version));
        self.forks.push((epoch, position));
        self.replayed.clear();
    }

    /// Whether the key has not been written since the surviving log began, except by the script itself.
    pub fn admits(&self, key: u32) -> bool {
        let start = self.forks.last().map_or(0, |&(_, start)| start);
        let written = self.keys.get(key as usize).is_some_and(|last| last.position > start);
        !written || self.replayed.contains(&key)
    }

    /// Removes and returns the lost writes, for a script.
    pub fn take_lost(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.lost)
    }

    /// Drops the lost writes. Those whose key has been written since count as conflicts.
    pub fn discard(&mut self) {
        for write in self.take_lost() {
            self.record.conflicting_writes += u64::from(!self.admits(write.key));
            self.record.discarded_writes += 1;
        }
    }

    /// Records lost writes that a script has written again, and those that it could not because of a conflict.
    pub fn recovered(&mut self, replayed: u64, conflicting: u64) {
        self.record.replayed_writes += replayed;
        self.record.conflicting_writes += conflicting;
    }
}

impl Book {
    fn end_warmup(&mut self, now: SimTime) {
        (0..self.lags.len()).for_each(|node| self.account(node, now));
        self.measured_from = now;
        self.lag_integral = 0.0;
        let old = std::mem::take(&mut self.record);
        self.record = DataRecord {
            // Lost writes of failovers always count. If all nodes write, only those of the measured time do.
            lost_writes: if self.conflicts.is_some() { 0 } else { old.lost_writes },
            rto_s: old.rto_s,
            rpo_s: old.rpo_s,
            outages: old.outages,
            lag_series_s: old.lag_series_s,
            ..DataRecord::default()
        };
    }

    fn close_window(&mut self, now: SimTime) {
        let lag = |node: usize| {
            let oldest = self.lags[node].counts().then(|| self.oldest_lacking(node)).flatten();
            oldest.map_or(SimDuration::ZERO, |oldest| now.saturating_since(oldest))
        };
        let most = (0..self.lags.len()).map(lag).max().unwrap_or(SimDuration::ZERO);
        self.record.lags.record(most.as_nanos());
        self.record.lag_series_s.push(most.as_secs_f64());
    }

    fn finish(&mut self, now: SimTime) -> DataRecord {
        (0..self.lags.len()).for_each(|node| self.account(node, now));
        if let Some(outage) = self.gap.outage(now) {
            self.record.add(outage);
        }
        let followers = self.lags.iter().filter(|lag| lag.follows).count();
        let over = now.saturating_since(self.measured_from).as_secs_f64() * followers as f64;
        self.record.lag_mean_s = if over > 0.0 { self.lag_integral / over } else { 0.0 };
        std::mem::take(&mut self.record)
    }
}
