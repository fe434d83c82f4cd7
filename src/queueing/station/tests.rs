//! The station against an exact trace, a naive oracle, closed forms and its conservation laws.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Discipline, Done, Entered, Station, StationConfig};
use crate::kernel::time::{SimDuration, SimTime};

const SECOND: f64 = 1e9;

fn at(nanos: f64) -> SimTime {
    SimTime::from_nanos(nanos as u64)
}

fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn exponential(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    -mean * libm::log(1.0 - unit(rng))
}

/// An event that happens to a station from outside.
#[derive(Clone, Copy, Debug)]
enum Act {
    Enter(usize, u64),
    Speed(f64),
    Remove(usize),
}

/// Applies `acts` to the station, each at its time, and passes every completion to `seen`.
fn drive(station: &mut Station<usize>, acts: &[(u64, Act)], mut seen: impl FnMut(u64, Done<usize>)) {
    for &(time, act) in acts {
        complete_until(station, SimTime::from_nanos(time), &mut seen);
        let now = SimTime::from_nanos(time);
        match act {
            Act::Enter(job, demand) => {
                assert_ne!(station.enter(now, job, SimDuration::from_nanos(demand)), Entered::Full)
            }
            Act::Speed(factor) => station.set_speed(now, factor),
            Act::Remove(residue) => {
                station.remove_if(now, |job| job % 7 == residue);
            }
        }
        assert!(station.waiting() == 0 || station.busy_cores() > 0.0, "no core idles while its queue waits");
    }
    complete_until(station, SimTime::MAX, &mut seen);
}

fn complete_until(station: &mut Station<usize>, end: SimTime, seen: &mut impl FnMut(u64, Done<usize>)) {
    while let Some(due) = station.next_completion().filter(|&due| due <= end) {
        while let Some(done) = station.complete(due) {
            seen(due.as_nanos(), done);
        }
    }
}

/// The same station by brute force: it keeps the rest of each job's demand, in real time.
struct Oracle {
    config: StationConfig,
    factor: f64,
    serving: Vec<(usize, f64)>,
    queue: Vec<(usize, f64)>,
    now: f64,
    ends: Vec<Option<f64>>,
}

impl Oracle {
    fn run(config: StationConfig, acts: &[(u64, Act)], jobs: usize) -> Vec<Option<f64>> {
        let (serving, queue, ends) = (Vec::new(), Vec::new(), vec![None; jobs]);
        let mut oracle = Oracle { config, factor: 1.0, serving, queue, now: 0.0, ends };
        for &(time, act) in acts {
            oracle.advance(time as f64);
            match act {
                Act::Enter(job, demand) => oracle.queue.push((job, demand as f64)),
                Act::Speed(factor) => oracle.factor = factor,
                Act::Remove(residue) => {
                    oracle.serving.retain(|(job, _)| job % 7 != residue);
                    oracle.queue.retain(|(job, _)| job % 7 != residue);
                }
            }
            oracle.start();
        }
        oracle.advance(f64::INFINITY);
        oracle.ends
    }

    fn start(&mut self) {
        let limit = self.config.limit.map_or(usize::MAX, |limit| limit as usize);
        while self.serving.len() < limit && !self.queue.is_empty() {
            let next = if self.config.lifo { self.queue.len() - 1 } else { 0 };
            self.serving.push(self.queue.remove(next));
        }
    }

    fn rate(&self) -> f64 {
        let n = self.serving.len() as f64;
        let m = n.min(f64::from(self.config.cores));
        let StationConfig { speed, sigma, kappa, .. } = self.config;
        m / (1.0 + sigma * (m - 1.0) + kappa * m * (m - 1.0)) / n * speed * self.factor
    }

    fn advance(&mut self, until: f64) {
        while !self.serving.is_empty() && self.factor > 0.0 {
            let rate = self.rate();
            let least = self.serving.iter().map(|job| job.1).fold(f64::INFINITY, f64::min);
            let step = (least / rate).min(until - self.now);
            self.now += step;
            self.serving.iter_mut().for_each(|job| job.1 -= step * rate);
            for &(job, _) in self.serving.iter().filter(|job| job.1 <= 1e-3) {
                self.ends[job] = Some(self.now);
            }
            self.serving.retain(|job| job.1 > 1e-3);
            self.start();
            if self.now >= until {
                break;
            }
        }
        self.now = until;
    }
}

fn random_acts(seed: u64, jobs: usize, gap: f64, demand: f64) -> Vec<(u64, Act)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut time = 0.0;
    let mut acts = Vec::new();
    for job in 0..jobs {
        time += exponential(&mut rng, gap);
        acts.push((time as u64, Act::Enter(job, exponential(&mut rng, demand) as u64)));
        if job % 50 == 49 {
            let act = if rng.next_u64() % 2 == 0 {
                Act::Speed([0.0, 0.3, 1.0, 2.5][(rng.next_u64() % 4) as usize])
            } else {
                Act::Remove((rng.next_u64() % 7) as usize)
            };
            acts.push((time as u64 + 1, act));
            time += 2.0;
        }
    }
    acts.push((time as u64 + 1, Act::Speed(1.0)));
    acts
}

fn ends(config: StationConfig, acts: &[(u64, Act)], jobs: usize) -> Vec<Option<f64>> {
    let mut ends = vec![None; jobs];
    drive(&mut Station::new(config), acts, |now, done| ends[done.job] = Some(now as f64));
    ends
}

#[track_caller]
fn agrees_with_oracle(config: StationConfig, acts: &[(u64, Act)], jobs: usize, tolerance_ns: f64) {
    let (ours, oracle) = (ends(config, acts, jobs), Oracle::run(config, acts, jobs));
    assert!(ours.iter().flatten().count() > jobs / 2, "most jobs are done");
    for (job, pair) in ours.iter().zip(&oracle).enumerate() {
        let same = match pair {
            (Some(a), Some(b)) => (a - b).abs() <= tolerance_ns,
            (a, b) => a == b,
        };
        assert!(same, "job {job}: {pair:?} under {config:?}");
    }
}

#[test]
fn who_goes_first_takes_a_core_and_the_other_resumes() {
    let mut station = Station::new(StationConfig::new(Discipline::Fifo, 1));
    let at = |ms: u64| SimTime::ZERO + SimDuration::from_millis(ms);
    // Jobs are numbered by their rank in the tens.
    let rank = |job: &u32| (job / 10) as u8;
    let enter = |station: &mut Station<u32>, now: u64, job: u32, demand: u64| match station.enter(
        at(now),
        job,
        SimDuration::from_millis(demand),
    ) {
        Entered::Waits => station.prefer(at(now), rank).is_some(),
        _ => true,
    };
    assert!(enter(&mut station, 0, 20, 10));
    assert!(!enter(&mut station, 1, 21, 10), "of the same rank nobody gives way");
    assert!(enter(&mut station, 4, 10, 3), "it takes the core");
    assert!(!enter(&mut station, 5, 11, 1), "and waits for its own kind, before the others");
    let mut ends = Vec::new();
    while let Some(next) = station.next_completion() {
        while let Some(done) = station.complete(next) {
            ends.push((
                done.job,
                next.since(SimTime::ZERO).as_nanos() / 1_000_000,
                done.waited.as_nanos() / 1_000_000,
            ));
        }
    }
    // 20 had 4 of its 10 ms, gave way for 4 ms, and ended first of its rank.
    assert_eq!(ends, [(10, 7, 0), (11, 8, 2), (20, 14, 4), (21, 24, 13)]);
    assert_eq!(station.work_done(at(24)), 24e6);
    assert_eq!(station.queue_integral(at(24)), 19_000_000);
}

#[test]
fn completes_the_exact_trace() {
    let cases = [
        (Discipline::Fifo, 1, [3.0, 4.0, 6.0, 6.5, 7.5]),
        (Discipline::Fifo, 2, [3.0, 2.0, 4.0, 3.5, 7.0]),
        (Discipline::Lifo, 1, [3.0, 6.5, 5.5, 3.5, 7.5]),
        (Discipline::Ps, 1, [6.375, 4.25, 6.875, 4.0, 7.5]),
        (Discipline::Ps, 2, [3.5, 7.0 / 3.0, 4.0, 17.0 / 6.0, 7.0]),
    ];
    let sizes = [3.0, 1.0, 2.0, 0.5, 1.0];
    let enters = [0.0, 1.0, 1.5, 2.0, 6.0].iter().zip(sizes).enumerate();
    let acts: Vec<_> = enters
        .map(|(job, (time, size))| ((time * SECOND) as u64, Act::Enter(job, (size * SECOND) as u64)))
        .collect();
    for (discipline, cores, expected) in cases {
        let ends = ends(StationConfig::new(discipline, cores), &acts, 5);
        for (end, expected) in ends.iter().zip(expected) {
            let late = end.expect("all are done") - expected * SECOND;
            assert!((0.0..2.0).contains(&late.round()), "{discipline:?} {cores}: {ends:?}");
        }
    }
}

#[test]
fn agrees_with_a_naive_oracle() {
    // Starts are rounded up to ticks, and in a busy period of hundreds of jobs these parts add up; one lost at speed
    // 2.5 takes eight times as long at speed 0.3.
    let tolerance_ns = 1000.0;
    for seed in 0..8 {
        for (cores, limit) in [(1, Some(1)), (4, Some(4)), (3, Some(2)), (1, None), (4, None), (2, Some(9))] {
            let plain = StationConfig { limit, speed: 1.25, ..StationConfig::new(Discipline::Ps, cores) };
            let acts = random_acts(seed, 1000, 1e6, 1e6 * f64::from(cores));
            agrees_with_oracle(plain, &acts, 1000, tolerance_ns);
            let contended = StationConfig { sigma: 0.05, kappa: 0.01, ..plain };
            agrees_with_oracle(contended, &acts, 1000, tolerance_ns);
        }
    }
}

#[test]
fn last_come_first_started_agrees_exactly() {
    // Here a tick can change the order, so that only runs with whole nanoseconds can be compared.
    for cores in [1, 4] {
        let mut acts = random_acts(1, 2000, 1e6, 1e6 * f64::from(cores));
        acts.retain(|(_, act)| !matches!(act, Act::Speed(_)));
        agrees_with_oracle(StationConfig::new(Discipline::Lifo, cores), &acts, 2000, 0.0);
    }
}

#[test]
fn stays_exact_when_the_virtual_clock_runs_for_days() {
    // Giant jobs keep the station from becoming empty, so that the clock is only rewound, about 10^4 times.
    let mut acts: Vec<_> = (0..3).map(|job| (0, Act::Enter(job, 4_000_000_000_000_000))).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut time = 0.0;
    for job in 3..20_000 {
        time += exponential(&mut rng, 60.0 * SECOND);
        acts.push((time as u64, Act::Enter(job, exponential(&mut rng, 30.0 * SECOND) as u64)));
    }
    // Their own ends are beyond the precision of the oracle's floats, so they are removed before.
    acts.extend((0..3).map(|residue| (time as u64 + 1, Act::Remove(residue))));
    agrees_with_oracle(StationConfig::new(Discipline::Ps, 4), &acts, 20_000, 10.0);
}

#[test]
fn mean_response_time_of_shared_cores_ignores_the_distribution() {
    // M/M/4 at rho 0.9 responds in 2.969 service times, and sharing is insensitive to the distribution of demand.
    for constant in [false, true] {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let (jobs, service) = (400_000, 1e6);
        let (mut time, mut acts, mut entered) = (0.0, Vec::new(), Vec::new());
        for job in 0..jobs {
            time += exponential(&mut rng, service / 3.6);
            let demand = if constant { service } else { exponential(&mut rng, service) };
            acts.push((time as u64, Act::Enter(job, demand as u64)));
            entered.push(time);
        }
        let mut total = 0.0;
        let mut station = Station::new(StationConfig::new(Discipline::Ps, 4));
        drive(&mut station, &acts, |now, done| total += now as f64 - entered[done.job]);
        let mean = total / jobs as f64 / service;
        assert!((mean - 2.969).abs() < 0.12, "constant {constant}: {mean}");
    }
}

#[test]
fn busy_time_equals_the_service_given() {
    let acts = random_acts(3, 2000, 1e6, 3e6);
    let plain: Vec<_> = acts.iter().copied().filter(|(_, act)| !matches!(act, Act::Speed(_))).collect();
    for (limit, tolerance) in [(Some(4), 0.0), (None, 2000.0), (Some(6), 2000.0)] {
        let mut station = Station::new(StationConfig { limit, ..StationConfig::new(Discipline::Ps, 4) });
        let mut last = 0;
        drive(&mut station, &plain, |now, _| last = now);
        for now in [at(last as f64), at(last as f64 * 2.0)] {
            let (busy, work) = (station.busy_integral(now) as f64, station.work_done(now));
            assert!(busy > 1e9 && (busy - work).abs() <= tolerance, "limit {limit:?}: {busy} {work}");
        }
    }
}

#[test]
fn work_in_progress_counts_as_done() {
    for discipline in [Discipline::Fifo, Discipline::Ps] {
        let mut station = Station::new(StationConfig { speed: 2.0, ..StationConfig::new(discipline, 1) });
        assert_eq!(station.enter(SimTime::ZERO, 'a', SimDuration::from_secs(8)), Entered::Started);
        assert_eq!(station.work_done(at(3.0 * SECOND)), 6.0 * SECOND);
        station.set_speed(at(3.0 * SECOND), 0.0);
        assert_eq!(station.next_completion(), None);
        assert_eq!(station.work_done(at(5.0 * SECOND)), 6.0 * SECOND);
        station.set_speed(at(5.0 * SECOND), 0.5);
        assert_eq!(station.next_completion(), Some(at(7.0 * SECOND)));
        assert_eq!(station.remove_if(at(6.0 * SECOND), |_| true), 1);
        assert_eq!(station.work_done(at(9.0 * SECOND)), 7.0 * SECOND);
        assert_eq!(station.busy_integral(at(9.0 * SECOND)), 6_000_000_000);
    }
}

#[test]
fn throughput_follows_the_scalability_law() {
    // SPEC SDM91 after Gunther: a station of n cores that always has n jobs inside, each of one core-millisecond.
    let (sigma, kappa) = (0.02773, 1.044e-4);
    for n in [1, 8, 97, 216] {
        let config = StationConfig { sigma, kappa, ..StationConfig::new(Discipline::Ps, n) };
        let mut station = Station::new(config);
        let demand = SimDuration::from_millis(1);
        let entered: Vec<_> =
            (0..n).filter(|&job| station.enter(SimTime::ZERO, job, demand) != Entered::Full).collect();
        let mut done = 0;
        let mut now = SimTime::ZERO;
        while done < 100 * n {
            now = station.next_completion().expect("jobs are inside");
            while let Some(Done { job, .. }) = station.complete(now) {
                done += 1;
                assert_ne!(station.enter(now, job, demand), Entered::Full);
            }
        }
        let nf = f64::from(n);
        let law = nf / (1.0 + sigma * (nf - 1.0) + kappa * nf * (nf - 1.0));
        let throughput = f64::from(done) / (now.as_secs_f64() * 1e3);
        assert_eq!(entered.len() as u32, n);
        assert!((throughput / law - 1.0).abs() < 1e-4, "{n}: {throughput} against {law}");
    }
}

#[test]
fn first_come_is_first_to_start() {
    let acts = random_acts(7, 3000, 1e6, 3.5e6);
    let enters: Vec<_> = acts.into_iter().filter(|(_, act)| matches!(act, Act::Enter(..))).collect();
    for limit in [4, 6] {
        let config = StationConfig { limit: Some(limit), ..StationConfig::new(Discipline::Fifo, 4) };
        let mut starts = vec![0; enters.len()];
        let note = |_: u64, done: Done<usize>| starts[done.job] = enters[done.job].0 + done.waited.as_nanos();
        drive(&mut Station::new(config), &enters, note);
        assert!(starts.is_sorted(), "limit {limit}");
        assert!(starts.iter().zip(&enters).any(|(start, enter)| *start > enter.0), "some have waited");
    }
}

#[test]
fn a_full_queue_turns_away() {
    let config = StationConfig { queue_limit: 2, ..StationConfig::new(Discipline::Fifo, 1) };
    let mut station = Station::new(config);
    let entered: Vec<_> =
        (0..4).map(|job| station.enter(SimTime::ZERO, job, SimDuration::from_secs(1))).collect();
    assert_eq!(entered, [Entered::Started, Entered::Waits, Entered::Waits, Entered::Full]);
    assert_eq!(station.queue_integral(at(0.5 * SECOND)), 1_000_000_000);
    assert_eq!((station.in_service(), station.waiting()), (1, 2));
    let done: Vec<_> = [1.0, 2.0].iter().filter_map(|time| station.complete(at(time * SECOND))).collect();
    assert_eq!(done[1], Done { job: 1, waited: SimDuration::from_secs(1) });
    assert_eq!(station.busy_integral(at(2.5 * SECOND)), 2_500_000_000);
    // One job has waited one second and one two seconds.
    assert_eq!(station.queue_integral(at(2.5 * SECOND)), 3_000_000_000);
}

#[test]
fn who_is_thrown_out_of_the_queue_has_waited_until_then() {
    let mut station = Station::new(StationConfig::new(Discipline::Fifo, 1));
    for job in 0..4 {
        assert_ne!(station.enter(SimTime::ZERO, job, SimDuration::from_secs(10)), Entered::Full);
    }
    assert_eq!(station.remove_if(at(2.0 * SECOND), |&job| job % 2 == 0), 2);
    // The first job has left its core to the second, and the last job still waits.
    assert_eq!(station.queue_integral(at(3.0 * SECOND)), (2 + 2 + 3) * 1_000_000_000);
}

#[test]
#[should_panic(expected = "was missed")]
fn a_missed_completion_is_a_defect() {
    let mut station = Station::new(StationConfig::new(Discipline::Fifo, 1));
    assert_eq!(station.enter(SimTime::ZERO, 0, SimDuration::from_secs(1)), Entered::Started);
    station.complete(at(2.0 * SECOND));
}
