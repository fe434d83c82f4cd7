//! The leanest loops that we know for the same workloads: the floor under any simulator of them.
//!
//! A customer is the moment at which it came. Time is a float, a draw is one look into the ziggurat's tables, and the
//! calendar is one moment for each station. [`LACKS`] says what such a loop has not. Each loop returns the mean response
//! time, which [`check`] holds against theory, so that no loop is fast because it does something else.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use outgrow::kernel::random::{KeyedRng, below};
use outgrow::kernel::variate::Variate;
use rand_distr::{Distribution, Exp1};

use crate::bare;

/// What the leanest loops have not, for the summary.
pub(crate) const LACKS: &str = "no requests or calls, no calendar, no classes or outcomes, no names, no seed for each box, \
no clock in whole nanoseconds, no percentiles, series, ledger or fingerprint, no time limits or health checks; \
one sum";

/// An exponential sample of this mean, by the ziggurat.
#[inline(always)]
fn exponential(rng: &mut KeyedRng, mean: f64) -> f64 {
    let sample: f64 = Exp1.sample(rng);
    mean * sample
}

/// M/M/1 at 80 %: the next arrival, the next departure, and how many are inside. Returns the mean response time in
/// seconds, by Little's law from the integral of those inside.
pub(crate) fn mm1(customers: u64) -> f64 {
    let mut rng = KeyedRng::new(1);
    let (mut now, mut departure) = (0.0, NEVER);
    let mut arrival = exponential(&mut rng, 0.0125);
    let (mut inside, mut arrived, mut area) = (0_u32, 0, 0.0);
    while arrived < customers {
        let next = f64::min(arrival, departure);
        area += f64::from(inside) * (next - now);
        now = next;
        if arrival <= departure {
            arrived += 1;
            inside += 1;
            arrival = now + exponential(&mut rng, 0.0125);
            if inside == 1 {
                departure = now + exponential(&mut rng, 0.010);
            }
        } else {
            inside -= 1;
            departure = if inside > 0 { now + exponential(&mut rng, 0.010) } else { NEVER };
        }
    }
    area / customers as f64
}

/// The same by Lindley's recursion: the wait of a customer follows from that of the one before, and there are no events.
/// It is not a simulation that could be extended, but the least work that gives the figure.
pub(crate) fn lindley(customers: u64) -> f64 {
    let mut rng = KeyedRng::new(1);
    let (mut wait, mut sum) = (0.0_f64, 0.0);
    for _ in 0..customers {
        let response = wait + exponential(&mut rng, 0.010);
        sum += response;
        wait = (response - exponential(&mut rng, 0.0125)).max(0.0);
    }
    sum / customers as f64
}

const WEB_SERVERS: usize = 8;
const WEB_CORES: usize = 4;
/// The primary, then the replicas.
const DATABASES: usize = 4;
/// Places of `Tiers::next` behind those of the web servers and the databases.
const ARRIVAL: usize = WEB_SERVERS + DATABASES;
const HOP: usize = ARRIVAL + 1;
const NEVER: f64 = f64::INFINITY;
const CLIENT_WAY: f64 = 0.020;
const ZONE_WAY: f64 = 0.000_05;
const JITTER_STEPS: usize = 1024;

/// A web server: when each core is free again, for whom it works, and who waits.
struct Web {
    ends: [f64; WEB_CORES],
    issued: [f64; WEB_CORES],
    queue: VecDeque<f64>,
}

/// Whom a database answers, and when: it has one core and serves in order, so that this is known on arrival.
struct Answer {
    at: f64,
    issued: f64,
    web: usize,
}

/// A message on its way; only the loop with a network has them.
struct Hop {
    at: f64,
    issued: f64,
    web: usize,
    to: To,
}

#[derive(Clone, Copy)]
enum To {
    Balancer,
    Web,
    Database,
    Back,
}

/// The three tiers. The calendar is one moment for each station, found by looking at all of them.
struct Tiers {
    rng: KeyedRng,
    next: [f64; HOP + 1],
    webs: [Web; WEB_SERVERS],
    outstanding: [u32; WEB_SERVERS],
    databases: [VecDeque<Answer>; DATABASES],
    next_replica: usize,
    hops: BinaryHeap<Hop>,
    jitter: Vec<f64>,
    ended: u64,
    sum: f64,
}

/// Runs the three tiers for `customers` customers; returns the mean response time in seconds. With a network it has the
/// delays and their jitter, but neither time limits nor health checks.
pub(crate) fn tiers(customers: u64, has_network: bool) -> f64 {
    let mut tiers = Tiers::new(has_network);
    while tiers.ended < customers {
        let (mut at, mut now) = (0, tiers.next[0]);
        for (slot, &time) in tiers.next.iter().enumerate() {
            at = if time < now { slot } else { at };
            now = now.min(time);
        }
        match at {
            ARRIVAL => tiers.arrive(now),
            HOP => tiers.land(now),
            _ if at < WEB_SERVERS => tiers.leave_web(at, now),
            _ => tiers.leave_database(at - WEB_SERVERS, now),
        }
    }
    tiers.sum / customers as f64
}

impl Tiers {
    fn new(has_network: bool) -> Tiers {
        let mut rng = KeyedRng::new(1);
        let lognormal = Variate::lognormal(1.0, 0.1);
        let steps = if has_network { JITTER_STEPS } else { 0 };
        let jitter = (0..steps).map(|_| lognormal.draw(&mut rng).as_secs_f64()).collect();
        let web = || Web { ends: [NEVER; WEB_CORES], issued: [0.0; WEB_CORES], queue: VecDeque::new() };
        let mut next = [NEVER; HOP + 1];
        next[ARRIVAL] = 0.0;
        Tiers {
            rng,
            next,
            webs: std::array::from_fn(|_| web()),
            outstanding: [0; WEB_SERVERS],
            databases: std::array::from_fn(|_| VecDeque::new()),
            next_replica: 0,
            hops: BinaryHeap::new(),
            jitter,
            ended: 0,
            sum: 0.0,
        }
    }

    /// One delay of the network, in seconds.
    #[inline]
    fn delay(&mut self, way: f64) -> f64 {
        way * self.jitter[below(&mut self.rng, JITTER_STEPS as u64) as usize]
    }

    /// What happens at once without a network, and after a delay with one.
    #[inline]
    fn hop(&mut self, hop: Hop) {
        if self.jitter.is_empty() {
            return self.follow(hop);
        }
        let way = match hop.to {
            To::Balancer => CLIENT_WAY,
            To::Web | To::Database => ZONE_WAY,
            To::Back => 2.0 * ZONE_WAY,
        };
        let at = hop.at + self.delay(way);
        self.hops.push(Hop { at, ..hop });
        self.next[HOP] = self.hops.peek().map_or(NEVER, |hop| hop.at);
    }

    #[inline]
    fn land(&mut self, now: f64) {
        if let Some(hop) = self.hops.pop() {
            self.next[HOP] = self.hops.peek().map_or(NEVER, |hop| hop.at);
            self.follow(Hop { at: now, ..hop });
        }
    }

    #[inline]
    fn follow(&mut self, hop: Hop) {
        let Hop { at, issued, web, to } = hop;
        match to {
            To::Balancer => self.balance(issued, at),
            To::Web => self.enter_web(web, issued, at),
            To::Database => self.enter_database(web, issued, at),
            To::Back => self.end(web, issued, at),
        }
    }

    #[inline]
    fn arrive(&mut self, now: f64) {
        self.next[ARRIVAL] = now + exponential(&mut self.rng, 1.0 / 2560.0);
        self.hop(Hop { at: now, issued: now, web: 0, to: To::Balancer });
    }

    #[inline]
    fn balance(&mut self, issued: f64, now: f64) {
        let least = self.outstanding.iter().fold(u32::MAX, |least, &calls| least.min(calls));
        let ties: u32 = self.outstanding.iter().map(|&calls| u32::from(calls == least)).sum();
        let nth = below(&mut self.rng, u64::from(ties)) as u32;
        let (mut web, mut before) = (0, 0);
        for (at, &calls) in self.outstanding.iter().enumerate() {
            let is_tie = calls == least;
            web = if is_tie & (before == nth) { at } else { web };
            before += u32::from(is_tie);
        }
        self.outstanding[web] += 1;
        self.hop(Hop { at: now, issued, web, to: To::Web });
    }

    #[inline]
    fn enter_web(&mut self, web: usize, issued: f64, now: f64) {
        match self.webs[web].ends.iter().position(|&end| end == NEVER) {
            Some(core) => self.start(web, core, issued, now),
            None => self.webs[web].queue.push_back(issued),
        }
    }

    #[inline]
    fn start(&mut self, web: usize, core: usize, issued: f64, now: f64) {
        self.webs[web].ends[core] = now + exponential(&mut self.rng, 0.010);
        self.webs[web].issued[core] = issued;
        self.next[web] = self.webs[web].ends.iter().fold(NEVER, |least, &end| least.min(end));
    }

    #[inline]
    fn leave_web(&mut self, web: usize, now: f64) {
        let Web { ends, issued, queue } = &mut self.webs[web];
        let core = ends.iter().position(|&end| end == now).expect("a core is done now");
        let whose = issued[core];
        if let Some(next) = queue.pop_front() {
            self.start(web, core, next, now);
        } else {
            ends[core] = NEVER;
            self.next[web] = ends.iter().fold(NEVER, |least, &end| least.min(end));
        }
        self.hop(Hop { at: now, issued: whose, web, to: To::Database });
    }

    #[inline]
    fn enter_database(&mut self, web: usize, issued: f64, now: f64) {
        let is_write = below(&mut self.rng, 10) == 0;
        let (node, mean) = if is_write { (0, 0.002_734_375) } else { (1 + self.next_replica, 1.0 / 960.0) };
        if !is_write {
            self.next_replica = (self.next_replica + 1) % (DATABASES - 1);
        }
        let free = self.databases[node].back().map_or(now, |last| last.at);
        let at = free + exponential(&mut self.rng, mean);
        if self.databases[node].is_empty() {
            self.next[WEB_SERVERS + node] = at;
        }
        self.databases[node].push_back(Answer { at, issued, web });
    }

    #[inline]
    fn leave_database(&mut self, node: usize, now: f64) {
        if let Some(Answer { issued, web, .. }) = self.databases[node].pop_front() {
            self.next[WEB_SERVERS + node] = self.databases[node].front().map_or(NEVER, |answer| answer.at);
            self.hop(Hop { at: now, issued, web, to: To::Back });
        }
    }

    /// The answer is back at the balancer. Its way to the client changes nothing any more, so that it is only added.
    #[inline]
    fn end(&mut self, web: usize, issued: f64, now: f64) {
        self.outstanding[web] -= 1;
        let way = if self.jitter.is_empty() { 0.0 } else { self.delay(CLIENT_WAY) };
        self.sum += now + way - issued;
        self.ended += 1;
    }
}

// The earliest hop is the greatest, because `BinaryHeap` is a max-heap.
impl Ord for Hop {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at)
    }
}

impl PartialOrd for Hop {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Hop {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Hop {}

/// Holds the loops against what is known, so that none of them is faster because it does something else.
///
/// # Panics
/// When M/M/1 is more than 3 % from `1 / (mu - lambda)`, or the three tiers more than 3 % from the loops by hand.
pub(crate) fn check() {
    const CUSTOMERS: u64 = 1_000_000;
    let mean_of = |sum: u128| sum as f64 / 1e9 / CUSTOMERS as f64;
    let theory = 1.0 / (100.0 - 80.0);
    let cases = [
        ("M/M/1, leanest", mm1(CUSTOMERS), theory),
        ("M/M/1, Lindley", lindley(CUSTOMERS), theory),
        ("M/M/1, by hand", mean_of(bare::mm1(CUSTOMERS)), theory),
        ("three tiers", tiers(CUSTOMERS, false), mean_of(bare::tiers(CUSTOMERS, false))),
        ("three tiers, network", tiers(CUSTOMERS, true), mean_of(bare::tiers(CUSTOMERS, true))),
    ];
    for (name, mean, expected) in cases {
        assert!((mean / expected - 1.0).abs() < 0.03, "{name}: {mean} s, and {expected} s are expected");
    }
}
