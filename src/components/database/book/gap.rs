//! `Gap`: the time since the last acknowledged write. It is an outage if something kept writes from being acknowledged.
//!
//! One clock serves all figures of an outage: it begins with the last acknowledged write and ends with the next one,
//! whatever the cause is. A cause that tells nobody, such as a hang, is known by the writes that wait.

use crate::kernel::time::{SimDuration, SimTime};

use super::record::{Outage, Part};

/// What has happened since the last acknowledged write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// The age of a write that waits from which on its gap is an outage.
    patience: SimDuration,
    /// The last acknowledged write.
    last: Option<SimTime>,
    /// The first write that was asked for since.
    asked: Option<SimTime>,
    /// Since when commits wait for replicas.
    waits: Option<SimTime>,
    /// What else has happened, if anything has.
    trouble: Option<Trouble>,
}

/// Events of an outage.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    /// The first of them.
    at: SimTime,
    /// Whether the process or the machine of the primary was down, or another node was promoted.
    is_outage: bool,
    /// Whether another node was promoted.
    promoted: bool,
    /// The end of the last part that has ended.
    since: Option<SimTime>,
    parts_s: [f64; Part::ALL.len()],
}

impl Gap {
    pub(super) fn new(patience: SimDuration) -> Gap {
        Gap { patience, last: None, asked: None, waits: None, trouble: None }
    }

    /// The last acknowledged write; the start of the trial if there was none.
    pub(super) fn last(&self) -> SimTime {
        self.last.unwrap_or(SimTime::ZERO)
    }

    /// A write is asked for.
    pub(super) fn asked(&mut self, now: SimTime) {
        self.asked.get_or_insert(now);
    }

    /// A commit begins to wait for replicas, and no other one waits.
    pub(super) fn waits(&mut self, now: SimTime) {
        self.waits.get_or_insert(now);
    }

    /// The primary is down.
    pub(super) fn down(&mut self, now: SimTime) {
        self.waits = None;
        self.trouble(now).is_outage = true;
    }

    /// A part of a failover has ended.
    pub(super) fn end_part(&mut self, part: Part, now: SimTime) {
        self.waits = None;
        let start = self.start(now);
        let trouble = self.trouble(now);
        trouble.promoted |= part == Part::Promote;
        trouble.is_outage |= part == Part::Promote;
        trouble.parts_s[part as usize] += now.since(trouble.since.unwrap_or(start)).as_secs_f64();
        trouble.since = Some(now);
    }

    fn trouble(&mut self, now: SimTime) -> &mut Trouble {
        self.trouble.get_or_insert(Trouble {
            at: now,
            is_outage: false,
            promoted: false,
            since: None,
            parts_s: [0.0; Part::ALL.len()],
        })
    }

    /// The start of the gap: the last acknowledged write, or else the first event.
    fn start(&self, now: SimTime) -> SimTime {
        let first = [self.asked, self.trouble.map(|trouble| trouble.at)].into_iter().flatten().min();
        self.last.or(first).unwrap_or(now)
    }

    /// A write is acknowledged. Returns the outage that it ends, if there was one.
    #[inline]
    pub(super) fn acknowledged(&mut self, now: SimTime) -> Option<Outage> {
        let outage = self.outage(now);
        *self = Gap { last: Some(now), asked: None, waits: None, trouble: None, patience: self.patience };
        outage
    }

    /// The outage of which this gap is a part, if it lasts until `now`; `None` if nothing is wrong.
    #[inline]
    pub(super) fn outage(&self, now: SimTime) -> Option<Outage> {
        let is_known = self.trouble.is_some_and(|trouble| trouble.is_outage);
        let is_waited = self.asked.is_some_and(|asked| now.saturating_since(asked) >= self.patience);
        (is_known || is_waited).then(|| self.whole(now))
    }

    #[cold]
    fn whole(&self, now: SimTime) -> Outage {
        let start = self.start(now);
        let mut parts_s = self.trouble.map_or([0.0; Part::ALL.len()], |trouble| trouble.parts_s);
        let mut since = self.trouble.and_then(|trouble| trouble.since).unwrap_or(start);
        let promoted = self.trouble.is_some_and(|trouble| trouble.promoted);
        let mut end = |part: Part, at: SimTime| {
            parts_s[part as usize] += at.saturating_since(since).as_secs_f64();
            since = since.max(at);
        };
        match self.waits {
            Some(_) if !promoted => end(Part::Acks, now),
            Some(waits) => {
                end(Part::Reroute, waits);
                end(Part::Acks, now);
            }
            None => end(if promoted { Part::Reroute } else { Part::Down }, now),
        }
        Outage { start_s: start.as_secs_f64(), parts_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    /// A gap that begins at 10 s.
    fn gap() -> Gap {
        let mut gap = Gap::new(SimDuration::from_secs(1));
        assert_eq!(gap.acknowledged(at(10)), None);
        gap
    }

    /// The parts of an outage that are not empty, in seconds.
    fn parts(outage: Outage) -> Vec<(Part, f64)> {
        let parts = Part::ALL.into_iter().zip(outage.parts_s);
        parts.filter(|&(_, length_s)| length_s > 0.0).collect()
    }

    #[test]
    fn a_time_in_which_nobody_writes_is_no_outage() {
        let mut idle = gap();
        idle.asked(at(500));
        assert_eq!(idle.acknowledged(at(500)), None);
    }

    #[test]
    fn whatever_the_cause_an_outage_begins_with_the_last_acknowledged_write() {
        let mut down = gap();
        down.down(at(11));
        assert_eq!(parts(down.acknowledged(at(15)).expect("an outage")), [(Part::Down, 5.0)]);
        let mut silent = gap();
        silent.asked(at(11));
        assert_eq!(parts(silent.acknowledged(at(15)).expect("an outage")), [(Part::Down, 5.0)]);
        let mut waiting = gap();
        waiting.asked(at(11));
        waiting.waits(at(11));
        assert_eq!(parts(waiting.acknowledged(at(15)).expect("an outage")), [(Part::Acks, 5.0)]);
    }

    #[test]
    fn the_parts_of_a_failover_add_up_to_its_outage() {
        let mut gap = gap();
        gap.asked(at(11));
        for (part, end) in [(Part::Detect, 14), (Part::Elect, 15), (Part::CatchUp, 16), (Part::Promote, 18)] {
            gap.end_part(part, at(end));
        }
        gap.asked(at(19));
        gap.waits(at(20));
        let outage = gap.acknowledged(at(25)).expect("an outage");
        assert_eq!(outage.start_s, 10.0);
        let expected = [
            (Part::Detect, 4.0),
            (Part::Elect, 1.0),
            (Part::CatchUp, 1.0),
            (Part::Promote, 2.0),
            (Part::Reroute, 2.0),
            (Part::Acks, 5.0),
        ];
        assert_eq!(parts(outage), expected);
        assert_eq!(outage.length_s(), 15.0);
    }
}
