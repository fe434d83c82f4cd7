//! The three workloads as loops by hand, as one writes them with the parts of the engine. Each loop can do nothing else.
//!
//! They have the samplers and, where they need one, the calendar of the engine, and a sequential generator that costs less
//! than keyed draws. [`LACKS`] says what they have not. The loops of `lean.rs` have less still.

use std::collections::VecDeque;

use outgrow::kernel::calendar::Calendar;
use outgrow::kernel::random::{KeyedRng, below};
use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::kernel::variate::Variate;

/// What the loops by hand have not, for the summary.
pub(crate) const LACKS: &str = "no calls, no components, no classes or outcomes, no names, no draws by key, no percentiles, \
series, ledger or fingerprint; one sum";

/// M/M/1 at 80 %: the next arrival, the next departure, and how many are inside. Returns the sum of the times that the
/// customers spend inside, in nanoseconds, so that nothing is optimised away.
pub(crate) fn mm1(customers: u64) -> u128 {
    let (gap, service) = (Variate::exponential(0.0125), Variate::exponential(0.010));
    let mut rng = KeyedRng::new(1);
    let (mut now, mut departure) = (SimTime::ZERO, SimTime::MAX);
    let mut arrival = now + gap.draw(&mut rng);
    let (mut inside, mut arrived, mut area) = (0_u64, 0, 0_u128);
    while arrived < customers {
        let next = arrival.min(departure);
        area += u128::from(inside) * u128::from(next.since(now).as_nanos());
        now = next;
        if arrival <= departure {
            arrived += 1;
            inside += 1;
            arrival = now + gap.draw(&mut rng);
            if inside == 1 {
                departure = now + service.draw(&mut rng);
            }
        } else {
            inside -= 1;
            departure = if inside > 0 { now + service.draw(&mut rng) } else { SimTime::MAX };
        }
    }
    area
}

const WEB_SERVERS: usize = 8;
const WEB_CORES: u32 = 4;
/// The primary, then the replicas.
const DATABASES: usize = 4;
const TIME_LIMIT: SimDuration = SimDuration::from_secs(30);
const CHECK_EVERY: SimDuration = SimDuration::from_secs(2);
/// Half of the round trips of the scenario: clients to the balancer, and from box to box.
const CLIENT_WAY: f64 = 0.020;
const ZONE_WAY: f64 = 0.000_05;
const JITTER_STEPS: usize = 1024;

/// What happens to a request, by its place in the list of those under way.
#[derive(Clone, Copy)]
enum Event {
    Arrive,
    Balance(u32),
    Web(u32),
    WebDone(u32),
    Query(u32),
    QueryDone(u32),
    BackAtWeb(u32),
    BackAtBalancer(u32),
    BackAtClient(u32),
    TimeLimit,
    Check(u8),
    Checked,
}

#[derive(Clone, Copy)]
struct Request {
    number: u64,
    issued: SimTime,
    web: u8,
    database: u8,
}

/// Cores and a queue, first come, first served.
struct Station {
    free: u32,
    queue: VecDeque<u32>,
    demand: Variate,
}

impl Station {
    fn new(cores: u32, mean: f64) -> Station {
        Station { free: cores, queue: VecDeque::new(), demand: Variate::exponential(mean) }
    }
}

/// The three tiers: Poisson, fewest connections, 8 x 4 cores, a primary or one of three replicas; with or without a
/// network, time limits and checks.
struct Tiers {
    calendar: Calendar<Event>,
    rng: KeyedRng,
    gap: Variate,
    requests: Vec<Request>,
    vacant: Vec<u32>,
    webs: Vec<Station>,
    outstanding: [u32; WEB_SERVERS],
    databases: Vec<Station>,
    next_replica: usize,
    limits: VecDeque<(SimTime, u32, u64)>,
    is_limit_armed: bool,
    jitter: Vec<f64>,
    ended: u64,
    issued: u64,
    sum: u128,
}

/// Runs the three tiers for `customers` customers. Returns the sum of the response times, in nanoseconds.
pub(crate) fn tiers(customers: u64, has_network: bool) -> u128 {
    let mut tiers = Tiers::new(has_network);
    tiers.calendar.schedule(SimTime::from_nanos(1), Event::Arrive);
    if has_network {
        (0..WEB_SERVERS as u8).for_each(|web| tiers.after(CHECK_EVERY, Event::Check(web)));
    }
    while tiers.ended < customers {
        let fired = tiers.calendar.pop_until(SimTime::MAX).expect("arrivals never end");
        tiers.on(fired.event, fired.at);
    }
    tiers.sum
}

impl Tiers {
    fn new(has_network: bool) -> Tiers {
        let mut rng = KeyedRng::new(1);
        let lognormal = Variate::lognormal(1.0, 0.1);
        let mut factor = || lognormal.draw(&mut rng).as_secs_f64();
        let steps = if has_network { JITTER_STEPS } else { 0 };
        let jitter = (0..steps).map(|_| factor()).collect();
        Tiers {
            calendar: Calendar::new(),
            rng,
            gap: Variate::exponential(1.0 / 2560.0),
            requests: Vec::new(),
            vacant: Vec::new(),
            webs: (0..WEB_SERVERS).map(|_| Station::new(WEB_CORES, 0.010)).collect(),
            outstanding: [0; WEB_SERVERS],
            databases: (0..DATABASES)
                .map(|node| Station::new(1, if node == 0 { 0.002_734_375 } else { 1.0 / 960.0 }))
                .collect(),
            next_replica: 0,
            limits: VecDeque::new(),
            is_limit_armed: false,
            jitter,
            ended: 0,
            issued: 0,
            sum: 0,
        }
    }

    #[inline]
    fn after(&mut self, delay: SimDuration, event: Event) {
        let at = self.calendar.now() + delay;
        self.calendar.schedule(at, event);
    }

    /// The next hop: at once without a network, after its delay with one.
    #[inline]
    fn hop(&mut self, way: f64, event: Event, now: SimTime) {
        if self.jitter.is_empty() {
            self.on(event, now);
        } else {
            let step = below(&mut self.rng, JITTER_STEPS as u64) as usize;
            self.after(SimDuration::from_nanos((way * 1e9 * self.jitter[step]) as u64), event);
        }
    }

    #[inline]
    fn on(&mut self, event: Event, now: SimTime) {
        match event {
            Event::Arrive => self.arrive(now),
            Event::Balance(id) => self.balance(id, now),
            Event::Web(id) => self.enter_web(id),
            Event::WebDone(id) => self.leave_web(id, now),
            Event::Query(id) => self.enter_database(id),
            Event::QueryDone(id) => self.leave_database(id, now),
            Event::BackAtWeb(id) => self.hop(ZONE_WAY, Event::BackAtBalancer(id), now),
            Event::BackAtBalancer(id) => {
                self.outstanding[usize::from(self.requests[id as usize].web)] -= 1;
                self.hop(CLIENT_WAY, Event::BackAtClient(id), now);
            }
            Event::BackAtClient(id) => self.end(id, now),
            Event::TimeLimit => self.time_limit(now),
            Event::Check(web) => {
                self.after(CHECK_EVERY, Event::Check(web));
                self.hop(2.0 * ZONE_WAY, Event::Checked, now);
            }
            Event::Checked => {}
        }
    }

    fn arrive(&mut self, now: SimTime) {
        let request = Request { number: self.issued, issued: now, web: 0, database: 0 };
        self.issued += 1;
        let id = if let Some(id) = self.vacant.pop() {
            self.requests[id as usize] = request;
            id
        } else {
            self.requests.push(request);
            self.requests.len() as u32 - 1
        };
        let gap = self.gap.draw(&mut self.rng);
        self.after(gap, Event::Arrive);
        if !self.jitter.is_empty() {
            self.prune_limits();
            self.limits.push_back((now + TIME_LIMIT, id, request.number));
            if !self.is_limit_armed {
                self.is_limit_armed = true;
                self.after(TIME_LIMIT, Event::TimeLimit);
            }
        }
        self.hop(CLIENT_WAY, Event::Balance(id), now);
    }

    /// Forgets the limits of requests that have ended.
    #[inline]
    fn prune_limits(&mut self) {
        while let Some(&(_, id, number)) = self.limits.front()
            && self.requests[id as usize].number != number
        {
            self.limits.pop_front();
        }
    }

    /// No request takes 30 s; the timer is set for the oldest one again.
    fn time_limit(&mut self, now: SimTime) {
        self.prune_limits();
        self.is_limit_armed = !self.limits.is_empty();
        if let Some(&(at, _, _)) = self.limits.front() {
            assert!(at > now, "a request of the bare loop has taken 30 s");
            self.calendar.schedule(at, Event::TimeLimit);
        }
    }

    fn balance(&mut self, id: u32, now: SimTime) {
        let least = *self.outstanding.iter().min().expect("there are web servers");
        let ties = self.outstanding.iter().filter(|&&calls| calls == least).count();
        let skip = if ties == 1 { 0 } else { below(&mut self.rng, ties as u64) as usize };
        let mut fewest = (0..WEB_SERVERS).filter(|&web| self.outstanding[web] == least);
        let web = fewest.nth(skip).expect("one of the ties");
        self.outstanding[web] += 1;
        self.requests[id as usize].web = web as u8;
        self.hop(ZONE_WAY, Event::Web(id), now);
    }

    fn enter_web(&mut self, id: u32) {
        let web = &mut self.webs[usize::from(self.requests[id as usize].web)];
        if web.free == 0 {
            web.queue.push_back(id);
            return;
        }
        web.free -= 1;
        let demand = web.demand.draw(&mut self.rng);
        self.after(demand, Event::WebDone(id));
    }

    fn leave_web(&mut self, id: u32, now: SimTime) {
        let web = &mut self.webs[usize::from(self.requests[id as usize].web)];
        if let Some(next) = web.queue.pop_front() {
            let demand = web.demand.draw(&mut self.rng);
            self.after(demand, Event::WebDone(next));
        } else {
            web.free += 1;
        }
        let is_write = below(&mut self.rng, 10) == 0;
        let node = if is_write { 0 } else { 1 + self.next_replica };
        if !is_write {
            self.next_replica = (self.next_replica + 1) % (DATABASES - 1);
        }
        self.requests[id as usize].database = node as u8;
        self.hop(ZONE_WAY, Event::Query(id), now);
    }

    fn enter_database(&mut self, id: u32) {
        let node = &mut self.databases[usize::from(self.requests[id as usize].database)];
        if node.free == 0 {
            node.queue.push_back(id);
            return;
        }
        node.free -= 1;
        let demand = node.demand.draw(&mut self.rng);
        self.after(demand, Event::QueryDone(id));
    }

    fn leave_database(&mut self, id: u32, now: SimTime) {
        let node = &mut self.databases[usize::from(self.requests[id as usize].database)];
        if let Some(next) = node.queue.pop_front() {
            let demand = node.demand.draw(&mut self.rng);
            self.after(demand, Event::QueryDone(next));
        } else {
            node.free += 1;
        }
        self.hop(ZONE_WAY, Event::BackAtWeb(id), now);
    }

    fn end(&mut self, id: u32, now: SimTime) {
        let request = &mut self.requests[id as usize];
        self.sum += u128::from(now.since(request.issued).as_nanos());
        request.number = u64::MAX;
        self.vacant.push(id);
        self.ended += 1;
    }
}
