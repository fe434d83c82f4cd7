//! `Book`: what the alerts of a monitor are worth, held against the faults of the scenario, of which the monitor knows nothing.
//!
//! An *incident* begins with a fault. It lasts until no fault is active any more and the windows hold nothing of their time, and as
//! long after that as the condition of an alert holds without a break. Each time that an alert begins to fire is one of three: the
//! first of an incident, which has a delay; another one of the same incident, a flap if this alert has fired in it before; or
//! outside of any incident, a false alert.

use super::{ALERT_DELAY, FALSE_ALERTS, FLAPS, MISSED};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::gauge::Reading;
use crate::model::ledger::{Findings, Ledger};
use crate::stats::tally::Tally;

/// A stretch of time with faults and their after-effects.
#[derive(Clone, Debug)]
struct Incident {
    began: SimTime,
    /// When the last fault ended; `None` while one is active.
    ended: Option<SimTime>,
    /// Whether an alert has fired in it, or fired already when it began.
    is_told: bool,
    /// Whether each alert has begun to fire in it.
    fired: Vec<bool>,
}

/// What is known of the alerts of a monitor.
#[derive(Debug)]
pub(super) struct Book {
    /// Time for which a fault can show in figures after its end: window, `for`, and one scrape and one evaluation.
    reach: SimDuration,
    /// Number of faults that are active.
    active: u64,
    incident: Option<Incident>,
    /// Whether each alert fires.
    firing: Vec<bool>,
    /// Whether the condition of an alert holds, as the monitor last found.
    holds: bool,
    /// When the monitor was last heard of outside.
    pub(super) beat: SimTime,
    /// Whether the monitor has been found silent.
    pub(super) is_silent: bool,
    delays: Tally,
    false_alerts: u64,
    missed: u64,
    flaps: u64,
}

impl Book {
    pub(super) fn new(alerts: usize, reach: SimDuration) -> Book {
        Book {
            reach,
            active: 0,
            incident: None,
            firing: vec![false; alerts],
            holds: false,
            beat: SimTime::ZERO,
            is_silent: false,
            delays: Tally::default(),
            false_alerts: 0,
            missed: 0,
            flaps: 0,
        }
    }

    pub(super) fn fires(&self, alert: usize) -> bool {
        self.firing[alert]
    }

    /// The monitor, or who watches it, has found whether the condition of any alert holds.
    pub(super) fn find(&mut self, now: SimTime, holds: bool) {
        self.close(now);
        self.holds = holds;
    }

    /// An alert begins to fire.
    pub(super) fn fire(&mut self, now: SimTime, alert: usize) {
        self.firing[alert] = true;
        self.close(now);
        let Some(incident) = &mut self.incident else {
            self.false_alerts += 1;
            return;
        };
        if !std::mem::replace(&mut incident.is_told, true) {
            self.delays.record(now.since(incident.began).as_nanos());
        }
        self.flaps += u64::from(std::mem::replace(&mut incident.fired[alert], true));
    }

    /// An alert fires no longer.
    pub(super) fn resolve(&mut self, alert: usize) {
        self.firing[alert] = false;
    }

    /// Ends the incident if it is over by now.
    fn close(&mut self, now: SimTime) {
        let Some(incident) = &self.incident else { return };
        let is_over = incident.ended.is_some_and(|ended| now.since(ended) > self.reach);
        if is_over && !self.holds {
            self.missed += u64::from(!incident.is_told);
            self.incident = None;
        }
    }
}

impl Ledger for Book {
    fn end_warmup(&mut self, _now: SimTime) {
        self.delays = Tally::default();
        (self.false_alerts, self.missed, self.flaps) = (0, 0, 0);
    }

    fn close_window(&mut self, _now: SimTime) {}

    fn turn_fault(&mut self, now: SimTime, begins: bool) {
        self.close(now);
        if !begins {
            self.active = self.active.saturating_sub(1);
            if let Some(incident) = self.incident.as_mut().filter(|_| self.active == 0) {
                incident.ended = Some(now);
            }
            return;
        }
        self.active += 1;
        let fresh = Incident {
            began: now,
            ended: None,
            is_told: self.firing.contains(&true),
            fired: self.firing.clone(),
        };
        self.incident.get_or_insert(fresh).ended = None;
    }

    fn finish(&mut self, now: SimTime) -> Findings {
        self.close(now);
        // An incident that is not over yet has been missed if there was time enough to find it.
        let late = self.incident.as_ref().filter(|one| !one.is_told && now.since(one.began) > self.reach);
        let missed = self.missed + u64::from(late.is_some());
        let gauges = vec![
            (ALERT_DELAY, Reading::Time(self.delays)),
            (FALSE_ALERTS, Reading::Count(self.false_alerts)),
            (MISSED, Reading::Count(missed)),
            (FLAPS, Reading::Count(self.flaps)),
        ];
        Findings::plain(gauges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    fn book() -> Book {
        Book::new(2, SimDuration::from_secs(100))
    }

    /// The mean delay in seconds, false alerts, missed incidents and flaps at the end.
    fn found(mut book: Book, now: u64) -> (f64, f64, f64, f64) {
        let read: Vec<f64> = book.finish(at(now)).gauges.iter().map(|(_, reading)| reading.mean()).collect();
        (read[0], read[1], read[2], read[3])
    }

    #[test]
    fn the_first_alert_of_an_incident_has_a_delay_and_others_do_not() {
        let mut book = book();
        book.turn_fault(at(1000), true);
        book.fire(at(1360), 0);
        book.fire(at(1400), 1);
        book.resolve(0);
        book.fire(at(1500), 0);
        assert_eq!(found(book, 2000), (360.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn an_alert_is_false_once_the_effects_of_a_fault_are_over() {
        for (fires, false_alerts) in [(1110, 0.0), (1111, 1.0)] {
            let mut book = book();
            book.turn_fault(at(1000), true);
            book.turn_fault(at(1010), false);
            book.fire(at(fires), 0);
            let (delay, number, missed, _) = found(book, 2000);
            assert_eq!((number, missed, delay.is_nan()), (false_alerts, false_alerts, false_alerts > 0.0));
        }
    }

    #[test]
    fn what_holds_without_a_break_is_still_the_same_incident() {
        let mut book = book();
        book.turn_fault(at(1000), true);
        book.find(at(1100), true);
        book.turn_fault(at(1200), false);
        book.find(at(1900), true);
        book.fire(at(2000), 1);
        book.find(at(2010), false);
        book.fire(at(2100), 0);
        assert_eq!(found(book, 3000), (1000.0, 1.0, 0.0, 0.0));
    }

    #[test]
    fn an_incident_that_nobody_is_told_of_is_missed() {
        let mut twice = book();
        twice.turn_fault(at(1000), true);
        twice.turn_fault(at(1050), true);
        twice.turn_fault(at(1060), false);
        assert_eq!(found(twice, 1101).2, 1.0);
        let mut soon = book();
        soon.turn_fault(at(1000), true);
        assert_eq!(found(soon, 1099).2, 0.0);
        // An alert that fires already tells of it.
        let mut told = book();
        told.fire(at(900), 0);
        told.turn_fault(at(1000), true);
        assert_eq!(found(told, 2000).2, 0.0);
    }
}
