//! The station's two modes against a plain virtual clock: one heap, no short cuts. Departures must agree to the
//! nanosecond, because one nanosecond changes the whole trajectory after it.

use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::entry::{Entry, Serve, Service};
use super::shared::{Scaling, Shared};
use super::{Discipline, Station, StationConfig};
use crate::kernel::time::{SimDuration, SimTime};

/// Nanoseconds of demand within which a job is done, as in [`Shared`].
const DUE_WITHIN_NS: f64 = 1e-3;
/// The clock's greatest value, as in [`Shared`].
const CLOCK_MAX: f64 = (1_u64 << 36) as f64;

/// Equal shares by the textbook: all jobs in one heap, with the scaling law and the ceiling as written.
struct Plain {
    tags: BinaryHeap<Entry<u64, usize>>,
    scaling: Scaling,
    started: u64,
    speed: f64,
    rate: f64,
    clock: f64,
    updated: u64,
}

impl Plain {
    fn new(scaling: Scaling, speed: f64) -> Plain {
        let tags = BinaryHeap::new();
        Plain { tags, scaling, started: 0, speed, rate: speed, clock: 0.0, updated: 0 }
    }

    fn next_completion(&self) -> Option<SimTime> {
        let left = ordered(self.tags.peek().filter(|_| self.speed > 0.0)?.key) - self.clock;
        let ticks = if left <= DUE_WITHIN_NS { 0 } else { (left / self.rate).ceil() as u64 };
        Some(SimTime::from_nanos(self.updated.saturating_add(ticks)))
    }

    fn advance(&mut self, now: SimTime) {
        let now = now.as_nanos();
        if !self.tags.is_empty() {
            self.clock += (now - self.updated) as f64 * self.rate;
        }
        self.updated = now;
        if self.clock > CLOCK_MAX {
            let moved =
                |entry: Entry<u64, usize>| Entry { key: key(ordered(entry.key) - self.clock), ..entry };
            self.tags = std::mem::take(&mut self.tags).into_iter().map(moved).collect();
            self.clock = 0.0;
        }
    }

    fn adjust_rate(&mut self) {
        if self.tags.is_empty() {
            self.clock = 0.0;
            return;
        }
        let Scaling { cores, sigma, kappa } = self.scaling;
        let n = self.tags.len() as f64;
        let m = n.min(f64::from(cores));
        self.rate = m / (n * (1.0 + sigma * (m - 1.0) + kappa * m * (m - 1.0))) * self.speed;
    }

    fn start(&mut self, now: SimTime, service: Service<usize>) {
        self.advance(now);
        let key = key(self.clock + service.demand.as_nanos() as f64);
        self.tags.push(Entry { key, started: self.started, service });
        self.started += 1;
        self.adjust_rate();
    }

    fn take_due(&mut self, now: SimTime) -> Option<usize> {
        if self.speed == 0.0 {
            return None;
        }
        self.advance(now);
        let tag = ordered(self.tags.peek()?.key);
        if tag > self.clock + DUE_WITHIN_NS {
            return None;
        }
        let entry = self.tags.pop()?;
        self.clock = self.clock.max(tag);
        self.adjust_rate();
        Some(entry.service.job)
    }

    fn set_speed(&mut self, now: SimTime, speed: f64) {
        self.advance(now);
        self.speed = speed;
        self.adjust_rate();
    }

    fn remove_if(&mut self, now: SimTime, gone: impl Fn(&usize) -> bool) {
        self.advance(now);
        self.tags.retain(|entry| !gone(&entry.service.job));
        self.adjust_rate();
    }
}

/// A float as an integer of the same order: the sign bit turned, and all bits of a negative number.
fn key(tag: f64) -> u64 {
    let bits = tag.to_bits();
    bits ^ (((bits as i64 >> 63) as u64) | (1 << 63))
}

fn ordered(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key ^ (1 << 63) } else { !key })
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Enter(u64),
    Speed(f64),
    Remove(usize),
}

/// Acts and the nanoseconds before each. At a small scale many jobs come and leave at the same time; at scale 10^10
/// the clock is set back.
fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
    let scale = prop_oneof![Just(4), Just(1_000), Just(1_000_000), Just(10_000_000_000_u64)];
    scale.prop_flat_map(|scale| {
        let act = prop_oneof![
            12 => (1..=2 * scale).prop_map(Act::Enter),
            4 => Just(Act::Enter(scale)),
            1 => prop_oneof![Just(0.0), Just(0.3), Just(1.0), Just(2.5)].prop_map(Act::Speed),
            1 => (0..7_usize).prop_map(Act::Remove),
        ];
        let gap = prop_oneof![3 => 0..=scale, 2 => Just(scale / 2), 1 => Just(0)];
        prop::collection::vec((gap, act), 1..300)
    })
}

fn service(job: usize, demand: u64) -> Service<usize> {
    Service { job, demand: SimDuration::from_nanos(demand), waited: SimDuration::ZERO }
}

/// Completes all jobs due up to `until` on both, and compares them at every completion.
fn complete(plain: &mut Plain, shared: &mut Shared<usize>, until: SimTime) -> Result<(), TestCaseError> {
    loop {
        let next = plain.next_completion();
        prop_assert_eq!(next, shared.next_completion());
        prop_assert_eq!(plain.tags.len(), shared.len());
        let Some(now) = next.filter(|&next| next <= until) else { return Ok(()) };
        prop_assert_eq!(plain.take_due(now), shared.take_due(now).map(|service| service.job));
    }
}

proptest! {
    /// Random arrivals, demands, cores, contention, crashes and changes of speed. The number of jobs inside crosses
    /// the number of cores and the length of the sorted list many times, in both directions.
    #[test]
    fn shares_to_the_nanosecond_as_the_plain_clock_does(
        acts in acts(),
        cores in prop_oneof![1..6_u32, Just(20)],
        speed in prop_oneof![Just(1.0), Just(0.97), Just(1.25)],
        contention in prop_oneof![2 => Just((0.0, 0.0)), 1 => Just((0.05, 0.01))],
    ) {
        let scaling = Scaling { cores, sigma: contention.0, kappa: contention.1 };
        let (mut plain, mut shared) = (Plain::new(scaling, speed), Shared::new(scaling, speed));
        let mut now = SimTime::ZERO;
        for (job, &(gap, act)) in acts.iter().enumerate() {
            now += SimDuration::from_nanos(gap);
            complete(&mut plain, &mut shared, now)?;
            match act {
                Act::Enter(demand) => {
                    plain.start(now, service(job, demand));
                    shared.start(now, service(job, demand));
                }
                Act::Speed(factor) => {
                    plain.set_speed(now, speed * factor);
                    shared.set_speed(now, speed * factor);
                }
                Act::Remove(residue) => {
                    plain.remove_if(now, |job| job % 7 == residue);
                    shared.remove_if(now, |job| job % 7 == residue);
                }
            }
        }
        complete(&mut plain, &mut shared, SimTime::MAX)?;
    }

    /// With a core for each job, equal shares give the same departures as first come, first served, to the
    /// nanosecond. This includes exactly as many jobs as cores, and a station that stands still.
    #[test]
    fn with_a_core_for_each_job_sharing_is_fifo(
        enters in prop::collection::vec((0..2_000_u64, 1..3_000_u64), 1..40),
        stop in 0..40_usize,
    ) {
        let cores = enters.len() as u32;
        let departures = |discipline| {
            let mut station = Station::new(StationConfig::new(discipline, cores));
            let (mut now, mut seen) = (SimTime::ZERO, Vec::new());
            let mut run = |station: &mut Station<usize>, until: SimTime| {
                while let Some(due) = station.next_completion().filter(|&due| due <= until) {
                    seen.extend(std::iter::from_fn(|| station.complete(due)).map(|done| (due, done.job)));
                }
            };
            for (job, &(gap, demand)) in enters.iter().enumerate() {
                now += SimDuration::from_nanos(gap);
                run(&mut station, now);
                let _ = station.enter(now, job, SimDuration::from_nanos(demand));
                if job == stop || job == stop + 2 {
                    station.set_speed(now, if job == stop { 0.0 } else { 1.0 });
                }
            }
            station.set_speed(now, 1.0);
            run(&mut station, SimTime::MAX);
            seen
        };
        prop_assert_eq!(departures(Discipline::Ps), departures(Discipline::Fifo));
    }
}

#[test]
fn crosses_the_borders_of_cores_and_list_both_ways() {
    // Two cores: 40 jobs come one by one, a job leaves with about every third, and then all leave.
    let scaling = Scaling { cores: 2, sigma: 0.0, kappa: 0.0 };
    let (mut plain, mut shared) = (Plain::new(scaling, 1.0), Shared::new(scaling, 1.0));
    let mut most = 0;
    for job in 0..40 {
        let (now, demand) = (SimTime::from_nanos(10 * job as u64), 60 + 97 * job as u64 % 31);
        complete(&mut plain, &mut shared, now).expect("the same");
        plain.start(now, service(job, demand));
        shared.start(now, service(job, demand));
        most = most.max(shared.len());
    }
    complete(&mut plain, &mut shared, SimTime::MAX).expect("the same");
    assert!(most > 20 && shared.len() == 0, "{most} were inside at once, and {} are", shared.len());
}
