//! `Book`: what really became of the data of a replicated database, for results only.
//!
//! It is an instrument outside the model: nodes, routers and monitors tell it what they do, and none of them decides by
//! it. A write has a position in the log; here are kept the times and keys of those that somebody may still lack.

use std::collections::{BTreeSet, VecDeque};

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::histogram::Histogram;

use super::signal::ComponentId;

/// Acknowledged writes of which the details are kept until every node has received them; of older ones the number alone.
pub const TAIL_MAX: usize = 4_000_000;

/// Moments of commits that are kept until every node has applied them.
pub const COMMITS_MAX: usize = 4_000_000;

/// A write that a client has been told is safe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Write {
    /// When it was acknowledged.
    pub at: SimTime,
    /// Its key.
    pub key: u32,
}

/// A user of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct User {
    /// The client.
    pub client: ComponentId,
    /// The user's place there, which another may have had before.
    pub slot: u32,
    /// Who it is.
    pub identity: u64,
}

/// What a user has written last.
#[derive(Clone, Copy, Default, Debug)]
struct Writer {
    identity: u64,
    position: u64,
    key: u32,
}

/// A query, as the book sees it.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The key that it asks for.
    pub key: u32,
    /// Who asks; `None` when the user never comes back.
    pub user: Option<User>,
    /// Whether a script brings a lost write back.
    pub is_replay: bool,
}

/// How far a node is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Whose log it has.
    pub epoch: u16,
    /// Up to where it holds the log.
    pub received: u64,
    /// Up to where it shows it.
    pub applied: u64,
    /// Whether it follows a primary rather than being one.
    pub follows: bool,
}

/// What one node has.
#[derive(Clone, Copy, Default, Debug)]
struct Holding {
    received: u64,
    applied: u64,
    /// Since when its lag has been accounted for.
    since: SimTime,
    /// Whether it counts: the primary has no lag.
    follows: bool,
}

/// The parts of an outage of writes, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// Until the monitor declares the primary dead.
    Detect,
    /// Until a replica is chosen.
    Elect,
    /// Until it has applied all that it has received.
    CatchUp,
    /// Until it takes writes.
    Promote,
    /// Until a write is acknowledged again.
    Reroute,
}

impl Part {
    /// All parts, in order.
    pub const ALL: [Part; 5] = [Part::Detect, Part::Elect, Part::CatchUp, Part::Promote, Part::Reroute];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Part::Detect => "detect",
            Part::Elect => "elect",
            Part::CatchUp => "catch_up",
            Part::Promote => "promote",
            Part::Reroute => "reroute",
        }
    }
}

/// A time in which no write was acknowledged, because the primary was gone.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Outage {
    /// When the primary was lost, seconds after the start of the trial.
    pub start_s: f64,
    /// Length of each part in the order of [`Part::ALL`], s; a primary that comes back by itself has the last one only.
    pub parts_s: [f64; Part::ALL.len()],
}

impl Outage {
    /// Its whole length in seconds.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.parts_s.iter().sum()
    }
}

/// What became of the data in one trial. Counts are of the measured time, but for failovers, which always count.
#[derive(Clone, Debug, Default)]
pub struct DataRecord {
    /// Writes that were acknowledged.
    pub writes: u64,
    /// Reads that were answered.
    pub reads: u64,
    /// Reads that did not see an acknowledged write to their key.
    pub stale_reads: u64,
    /// Acknowledged writes, of any key, that the node of a read had not applied, summed over the reads.
    pub versions_behind: u64,
    /// Reads that did not see the user's own last acknowledged write, which was to their key.
    pub read_your_writes_violations: u64,
    /// Acknowledged writes that a new primary had not received.
    pub lost_writes: u64,
    /// Lost writes that a script brought back.
    pub replayed_writes: u64,
    /// Lost writes that could not come back, and writes of two primaries to the same key, of which one was lost.
    pub conflicting_writes: u64,
    /// Acknowledged writes that were thrown away when their node was brought back into line.
    pub discarded_writes: u64,
    /// Longest outage of writes after a loss of the primary, s.
    pub rto_s: Option<f64>,
    /// Longest time of which the acknowledged writes were lost, s.
    pub rpo_s: Option<f64>,
    /// Time average over the replicas of their lag, s: the age of the oldest acknowledged write not applied.
    pub lag_mean_s: f64,
    /// Longest lag of any replica, s.
    pub lag_max_s: f64,
    /// Lag of the replica that was furthest behind at the end of each window of the series, ns.
    pub lags: Histogram,
    /// The same in the order of the windows, s, warm-up included.
    pub lag_series_s: Vec<f64>,
    /// Outages of writes.
    pub outages: Vec<Outage>,
}

/// What really became of the data of one database.
#[derive(Debug)]
pub struct Book {
    group: String,
    record: DataRecord,
    holdings: Vec<Holding>,
    /// Position of the last acknowledged write.
    head: u64,
    /// Position of the last acknowledged write of each key.
    keys: Vec<u64>,
    /// By client and the user's place: the last acknowledged write.
    users: Vec<Vec<Writer>>,
    /// Details of the last acknowledged writes, up to `head`.
    tail: VecDeque<Write>,
    /// Position and moment of the last write of each flush.
    commits: VecDeque<(u64, SimTime)>,
    /// Integral of the lags since the warm-up, s * s, and since when.
    lag_integral: f64,
    measured_from: SimTime,
    /// Epoch and last common position of every promotion.
    forks: Vec<(u16, u64)>,
    /// Acknowledged writes that the surviving log lacks and that nobody has dealt with.
    lost: Vec<Write>,
    /// Keys that the script has written since the last promotion.
    replayed: BTreeSet<u32>,
    /// The outage under way: its start, and the end of its last part.
    outage: Option<(Outage, SimTime)>,
}

impl Book {
    pub(super) fn new(group: &str, nodes: usize) -> Book {
        Book {
            group: group.to_owned(),
            record: DataRecord::default(),
            holdings: vec![Holding::default(); nodes],
            head: 0,
            keys: Vec::new(),
            users: Vec::new(),
            tail: VecDeque::new(),
            commits: VecDeque::new(),
            lag_integral: 0.0,
            measured_from: SimTime::ZERO,
            forks: Vec::new(),
            lost: Vec::new(),
            replayed: BTreeSet::new(),
            outage: None,
        }
    }

    pub(super) fn group(&self) -> &str {
        &self.group
    }

    // Writes and reads ----------------------------------------------------------------------------------------------

    /// A client is told that its write is safe. Positions come in order.
    pub fn acknowledge(&mut self, now: SimTime, epoch: u16, position: u64, query: Query) {
        self.record.writes += u64::from(!query.is_replay);
        if query.is_replay {
            self.replayed.insert(query.key);
        } else if !self.replayed.is_empty() {
            self.replayed.remove(&query.key);
        }
        if self.forks.last().is_some_and(|&(last, _)| epoch < last) {
            // Two primaries: this one's log will not survive.
            self.record.lost_writes += 1;
            self.lost.push(Write { at: now, key: query.key });
            return;
        }
        self.end_part(Part::Reroute, now);
        self.head = self.head.max(position);
        let key = query.key as usize;
        if key >= self.keys.len() {
            self.keys.resize(key + 1, 0);
        }
        self.keys[key] = position;
        if let Some(user) = query.user {
            *self.writer(user) = Writer { identity: user.identity, position, key: query.key };
        }
        self.tail.push_back(Write { at: now, key: query.key });
        match self.commits.back_mut() {
            Some((last, at)) if *at == now => *last = position,
            _ => self.commits.push_back((position, now)),
        }
        self.prune();
    }

    /// A read is answered by a node.
    pub fn read(&mut self, node: usize, query: Query) {
        let applied = self.holdings[node].applied;
        let key = self.keys.get(query.key as usize).copied().unwrap_or(0);
        self.record.reads += 1;
        self.record.stale_reads += u64::from(key > applied);
        self.record.versions_behind += self.head.saturating_sub(applied);
        if let Some(user) = query.user {
            let Writer { identity, position, key } = *self.writer(user);
            let is_own = identity == user.identity && key == query.key;
            self.record.read_your_writes_violations += u64::from(position > applied && is_own);
        }
    }

    /// A node without replicas has acknowledged a write.
    pub fn wrote(&mut self, now: SimTime) {
        self.record.writes += 1;
        self.end_part(Part::Reroute, now);
    }

    /// A node without replicas has answered a read, which sees all that it has.
    pub fn has_read(&mut self) {
        self.record.reads += 1;
    }

    /// Acknowledged writes were in memory only when it was lost, the first of them for `age`.
    pub fn lose(&mut self, count: u64, age: SimDuration) {
        self.record.lost_writes += count;
        self.record.rpo_s = Some(self.record.rpo_s.unwrap_or(0.0).max(age.as_secs_f64()));
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
        // What a copy of an older log holds beyond the common part counts for nothing.
        let later = self.forks.iter().filter(|&&(other, _)| other > epoch);
        let common = later.map(|&(_, start)| start).min().unwrap_or(u64::MAX);
        let holding = &mut self.holdings[node];
        (holding.received, holding.applied) = (received.min(common), applied.min(common));
        holding.follows = follows;
    }

    /// Adds the lag of a node since it was last accounted for: the age of the oldest write that it lacks, which rises by
    /// a second a second.
    fn account(&mut self, node: usize, now: SimTime) {
        let Holding { applied, since, follows, .. } = self.holdings[node];
        self.holdings[node].since = now;
        if !follows {
            return;
        }
        let Some(oldest) = self.oldest_after(applied) else { return };
        let from = since.max(oldest).max(self.measured_from).saturating_since(oldest).as_secs_f64();
        let to = now.saturating_since(oldest).as_secs_f64();
        self.lag_integral += (to * to - from * from).max(0.0) / 2.0;
        self.record.lag_max_s = self.record.lag_max_s.max(to);
    }

    /// When the first acknowledged write after `position` was acknowledged.
    fn oldest_after(&self, position: u64) -> Option<SimTime> {
        if position >= self.head {
            return None;
        }
        let at = self.commits.partition_point(|&(last, _)| last <= position);
        self.commits.get(at).map(|&(_, at)| at)
    }

    /// Forgets what everybody has.
    fn prune(&mut self) {
        let received = self.holdings.iter().map(|holding| holding.received).min().unwrap_or(0);
        let lacking = usize::try_from(self.head.saturating_sub(received)).unwrap_or(usize::MAX);
        while self.tail.len() > lacking.min(TAIL_MAX) {
            self.tail.pop_front();
        }
        let applied = self.holdings.iter().map(|holding| holding.applied).min().unwrap_or(0);
        while self.commits.len() > COMMITS_MAX
            || self.commits.front().is_some_and(|&(last, _)| last <= applied)
        {
            self.commits.pop_front();
        }
    }

    // Failover ------------------------------------------------------------------------------------------------------

    /// The primary is gone.
    pub fn primary_lost(&mut self, now: SimTime) {
        if self.outage.is_none() {
            let outage = Outage { start_s: now.as_secs_f64(), ..Outage::default() };
            self.outage = Some((outage, now));
        }
    }

    /// A part of the outage is over. [`Part::Reroute`] is over with the first acknowledged write, and the outage with it.
    pub fn end_part(&mut self, part: Part, now: SimTime) {
        let Some((outage, since)) = &mut self.outage else { return };
        outage.parts_s[part as usize] += now.since(*since).as_secs_f64();
        *since = now;
        if part == Part::Reroute {
            let length = outage.length_s();
            self.record.rto_s = Some(self.record.rto_s.unwrap_or(0.0).max(length));
            self.record.outages.push(*outage);
            self.outage = None;
        }
    }

    /// The log goes on from `position` at the new primary of `epoch`: what was acknowledged after it is lost.
    pub fn fork(&mut self, now: SimTime, epoch: u16, position: u64) {
        (0..self.holdings.len()).for_each(|node| self.account(node, now));
        let lost = self.head.saturating_sub(position);
        self.record.lost_writes += lost;
        let kept = self.tail.len() - self.tail.len().min(usize::try_from(lost).unwrap_or(usize::MAX));
        let span = match (self.tail.get(kept), self.tail.back()) {
            (Some(first), Some(last)) => {
                let until = self.outage.map_or(0.0, |(outage, _)| outage.start_s).max(last.at.as_secs_f64());
                until - first.at.as_secs_f64()
            }
            _ => 0.0,
        };
        self.record.rpo_s = Some(self.record.rpo_s.unwrap_or(0.0).max(span));
        self.lost.extend(self.tail.drain(kept..));
        self.cut_commits(position);
        self.head = self.head.min(position);
        self.keys.iter_mut().for_each(|last| *last = (*last).min(position));
        self.users.iter_mut().flatten().for_each(|writer| writer.position = writer.position.min(position));
        for holding in &mut self.holdings {
            holding.applied = holding.applied.min(position);
            holding.received = holding.received.min(position);
        }
        self.forks.push((epoch, position));
        self.replayed.clear();
    }

    /// Forgets the moments of commits after `position`.
    fn cut_commits(&mut self, position: u64) {
        while let Some(&(last, at)) = self.commits.back()
            && last > position
        {
            self.commits.pop_back();
            let before = self.commits.back().map_or(0, |&(before, _)| before);
            if before < position && self.head >= position {
                // The flush in which the logs part: some of its writes survive.
                self.commits.push_back((position, at));
                break;
            }
        }
    }

    /// Whether the last surviving log has no write to a key after it began, but those of the script itself.
    pub fn admits(&self, key: u32) -> bool {
        let start = self.forks.last().map_or(0, |&(_, start)| start);
        let written = self.keys.get(key as usize).is_some_and(|&last| last > start);
        !written || self.replayed.contains(&key)
    }

    /// The lost writes, for a script.
    pub fn take_lost(&mut self) -> Vec<Write> {
        std::mem::take(&mut self.lost)
    }

    /// The lost writes are thrown away; those are conflicts whose key has been written since.
    pub fn discard(&mut self) {
        for write in self.take_lost() {
            self.record.conflicting_writes += u64::from(!self.admits(write.key));
            self.record.discarded_writes += 1;
        }
    }

    /// Lost writes that a script has brought back, and that it could not because of others.
    pub fn recovered(&mut self, replayed: u64, conflicting: u64) {
        self.record.replayed_writes += replayed;
        self.record.conflicting_writes += conflicting;
    }

    // The trial -----------------------------------------------------------------------------------------------------

    pub(super) fn end_warmup(&mut self, now: SimTime) {
        (0..self.holdings.len()).for_each(|node| self.account(node, now));
        self.measured_from = now;
        self.lag_integral = 0.0;
        let old = std::mem::take(&mut self.record);
        self.record = DataRecord {
            lost_writes: old.lost_writes,
            rto_s: old.rto_s,
            rpo_s: old.rpo_s,
            outages: old.outages,
            lag_series_s: old.lag_series_s,
            ..DataRecord::default()
        };
    }

    pub(super) fn close_window(&mut self, now: SimTime) {
        let lag = |holding: &Holding| {
            let oldest = holding.follows.then(|| self.oldest_after(holding.applied)).flatten();
            oldest.map_or(SimDuration::ZERO, |oldest| now.saturating_since(oldest))
        };
        let most = self.holdings.iter().map(lag).max().unwrap_or(SimDuration::ZERO);
        self.record.lags.record(most.as_nanos());
        self.record.lag_series_s.push(most.as_secs_f64());
    }

    /// Closes the book.
    pub(super) fn finish(&mut self, now: SimTime) -> DataRecord {
        (0..self.holdings.len()).for_each(|node| self.account(node, now));
        if let Some((mut outage, since)) = self.outage.take() {
            outage.parts_s[Part::Reroute as usize] += now.since(since).as_secs_f64();
            self.record.rto_s = Some(self.record.rto_s.unwrap_or(0.0).max(outage.length_s()));
            self.record.outages.push(outage);
        }
        let followers = self.holdings.iter().filter(|holding| holding.follows).count();
        let over = now.saturating_since(self.measured_from).as_secs_f64() * followers as f64;
        self.record.lag_mean_s = if over > 0.0 { self.lag_integral / over } else { 0.0 };
        std::mem::take(&mut self.record)
    }
}

impl DataRecord {
    /// Adds another database of the same trial: counts add up, of the times the longest counts.
    pub fn merge(&mut self, other: &DataRecord) {
        self.writes += other.writes;
        self.reads += other.reads;
        self.stale_reads += other.stale_reads;
        self.versions_behind += other.versions_behind;
        self.read_your_writes_violations += other.read_your_writes_violations;
        self.lost_writes += other.lost_writes;
        self.replayed_writes += other.replayed_writes;
        self.conflicting_writes += other.conflicting_writes;
        self.discarded_writes += other.discarded_writes;
        self.rto_s = longest(self.rto_s, other.rto_s);
        self.rpo_s = longest(self.rpo_s, other.rpo_s);
        self.lag_mean_s = self.lag_mean_s.max(other.lag_mean_s);
        self.lag_max_s = self.lag_max_s.max(other.lag_max_s);
        self.lags.merge(&other.lags);
        for (mine, theirs) in self.lag_series_s.iter_mut().zip(&other.lag_series_s) {
            *mine = mine.max(*theirs);
        }
        self.outages.extend_from_slice(&other.outages);
    }

    /// Share of the reads that were stale, 0..1; `None` without reads.
    #[must_use]
    pub fn stale_read_share(&self) -> Option<f64> {
        (self.reads > 0).then(|| self.stale_reads as f64 / self.reads as f64)
    }
}

fn longest(left: Option<f64>, right: Option<f64>) -> Option<f64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.max(right)),
        (one, other) => one.or(other),
    }
}
