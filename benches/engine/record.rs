//! The three tiers by hand with everything that outgrow writes down: with one record a request, and with a call a hop.
//!
//! All loops draw as outgrow does, by seed, name and number of the request, send their messages through the calendar, and
//! keep the fingerprint. So [`check`] can hold every event and every figure against a trial of outgrow. What a scenario may
//! have besides is not there ([`LACKS`]): the ratio of outgrow to the first loop is the most that one record a request could
//! gain, and the ratio of the loops to each other is what it gains by itself.

use std::hint::black_box;

use outgrow::kernel::calendar::Calendar;
use outgrow::kernel::fingerprint::Fingerprint;
use outgrow::kernel::random::{KeyedRng, Seed, Stream, mix, name_hash, unit_open};
use outgrow::kernel::slab::Key;
use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::kernel::variate::Variate;
use outgrow::model::record::TrialRecord;
use outgrow::model::simulation::{LIVE_CALLS_MAX, WINDOWS};
use outgrow::queueing::balance::{Balance, Policy};
use outgrow::queueing::deadlines::Deadlines;
use outgrow::queueing::memory::Memory;
use outgrow::queueing::pool::{Order, Pool};
use outgrow::queueing::station::{Discipline, Done, Entered, Station, StationConfig};

use crate::books::{Books, Meter};
use crate::hops::{
    AT_BALANCER, AT_DATABASE, AT_WEB, Bare, Begun, CallAHop, Hops, Relayed, Roomy, Stay, Told,
};
use crate::{bare, lean, models};

/// What these loops have not, for the summary.
pub(crate) const LACKS: &str = "no boxes but these, no steps, no retries, time limits that end a request, cancelled calls, \
faults, delays or traces, no full queue or memory, no warm-up";

const RATE: f64 = 2560.0;
const TIME_LIMIT: SimDuration = SimDuration::from_secs(3600);

/// The boxes by their places, as outgrow numbers them.
const BALANCER: usize = 0;
const USERS: usize = 1;
const PRIMARY: usize = 2;
const REPLICA: usize = PRIMARY + 1;
const REPLICAS: usize = 3;
const WEB: usize = REPLICA + REPLICAS;
const WEB_SERVERS: usize = 8;

const WORKERS: u32 = 100_000;
const MEMORY: u64 = 4 << 30;
const PROCESS: u64 = 512 << 20;
const MEMORY_PER_CALL: u64 = 1 << 10;

/// Purposes of draws, as those of outgrow.
const CLASS: u64 = 1;
const CHOICE: u64 = 1;
const SHARE_OF_READS: f64 = 0.9;
const READ: u16 = 0;
/// What tells the calls of a web server's second and third step apart, for replicas and for the primary.
const ORDINALS: [u64; 2] = [2 << 32 | 1 << 16, 3 << 32 | 1 << 16];

/// Number of gaps between arrivals that are drawn at a time.
const GAPS: usize = 16;

/// The kinds of signals in the fingerprint.
mod signal {
    pub(super) const CALL: u64 = 1;
    pub(super) const DONE: u64 = 2;
    pub(super) const OK: u64 = 16;
    pub(super) const ARRIVE: u64 = 256;
}

/// What happens, in two whole words: a key, and the kind with the place of the box.
#[derive(Clone, Copy)]
struct Event {
    id: u64,
    rest: u64,
}

mod kind {
    pub(super) const CALL: u64 = 0;
    pub(super) const REPLY: u64 = 1;
    pub(super) const CPU: u64 = 2;
    pub(super) const ARRIVE: u64 = 3;
    pub(super) const LIMIT: u64 = 4;
}

impl Event {
    #[inline(always)]
    fn new(kind: u64, to: usize, id: u64) -> Event {
        Event { id, rest: kind | (to as u64) << 8 }
    }

    #[inline(always)]
    fn kind(self) -> u64 {
        self.rest % (1 << 8)
    }

    #[inline(always)]
    fn to(self) -> usize {
        (self.rest >> 8) as usize
    }

    #[inline(always)]
    fn key(self) -> Key {
        Key::from_bits(self.id)
    }
}

/// A box with its machine.
struct Place {
    name: u64,
    /// The hash of its group's name, for draws.
    salt: u64,
    station: Station<Key>,
    /// The pending completion, and its number.
    at: SimTime,
    seq: u64,
    demand: Variate,
    slots: Pool<Key>,
    memory: Memory,
    queue_max: u64,
    cores: u32,
    window_from: u128,
    /// The replica that gets its next call.
    next_replica: usize,
}

impl Place {
    fn new(name: &str, group: &str, cores: u32, mean: f64, slots: u32) -> Place {
        let mut memory = Memory::new(MEMORY);
        assert!(slots == u32::MAX || memory.reserve(PROCESS), "the process fits");
        Place {
            name: name_hash(name),
            salt: name_hash(group),
            station: Station::new(StationConfig::new(Discipline::Fifo, cores)),
            at: SimTime::MAX,
            seq: u64::MAX,
            demand: Variate::exponential(mean),
            slots: Pool::new(slots, 0, Order::Fifo),
            memory,
            queue_max: 0,
            cores,
            window_from: 0,
            next_replica: 0,
        }
    }

    /// All boxes, in their order.
    fn all() -> Vec<Place> {
        let replica =
            |number| Place::new(&format!("replica-{}", number + 1), "replica", 1, 0.001_041_667, WORKERS);
        let web = |number| Place::new(&format!("web-{}", number + 1), "web", 4, 0.010, WORKERS);
        let mut places = vec![
            Place::new("lb", "lb", 1, 0.0, u32::MAX),
            Place::new("users", "users", 1, 0.0, u32::MAX),
            Place::new("primary", "primary", 1, 0.002_734_375, WORKERS),
        ];
        places.extend((0..REPLICAS).map(replica));
        places.extend((0..WEB_SERVERS).map(web));
        places
    }

    /// A call takes a worker and its memory.
    #[inline(always)]
    fn seat(&mut self) {
        let fits = self.slots.try_take() && self.memory.reserve(MEMORY_PER_CALL);
        assert!(fits, "there are more workers and memory than calls");
    }

    /// It gives both back.
    #[inline(always)]
    fn stand_up(&mut self, now: SimTime) {
        self.memory.release(MEMORY_PER_CALL);
        let granted = self.slots.release(now);
        assert!(granted.is_none(), "nobody waits for a worker");
    }
}

/// The three tiers, with their requests in a store `H`.
struct Tiers<H> {
    calendar: Calendar<Event>,
    hops: H,
    places: Vec<Place>,
    balance: Balance,
    eligible: Vec<bool>,
    books: Books,
    fingerprint: Fingerprint,
    seed: Seed,
    stream: Stream,
    /// Gaps in seconds that have been drawn, the next one last.
    gaps: Vec<f64>,
    limits: Deadlines<Key>,
    issued: u64,
}

/// Runs the three tiers for the time in which `customers` customers come, with their requests in a store `H`.
fn tiers<H: Hops>(customers: u64) -> Tiers<H> {
    let length = SimDuration::from_nanos((customers as f64 / RATE * 1e9).round() as u64);
    let step = length.as_nanos().div_ceil(WINDOWS).max(1);
    let mut tiers = Tiers::<H>::new();
    tiers.schedule_arrival();
    for window in 1..=length.as_nanos().div_ceil(step) {
        let until = SimTime::from_nanos((window * step).min(length.as_nanos()));
        tiers.advance(until);
        tiers.close_window(until);
    }
    tiers
}

impl<H: Hops> Tiers<H> {
    fn new() -> Tiers<H> {
        let seed = Seed::new(1);
        let slots = |place: usize| (place >= PRIMARY).then_some(WORKERS);
        let meters = (0..WEB + WEB_SERVERS).map(|place| Meter::new(slots(place))).collect();
        let names: Vec<u64> = (0..WEB_SERVERS as u64).collect();
        Tiers {
            calendar: Calendar::new(),
            hops: H::new(),
            places: Place::all(),
            balance: Balance::new(Policy::LeastConnections, &[1.0; WEB_SERVERS], &names),
            eligible: vec![true; WEB_SERVERS],
            books: Books::new(2, meters),
            fingerprint: Fingerprint::new(),
            seed,
            stream: seed.stream("users", "arrivals"),
            gaps: Vec::new(),
            limits: Deadlines::new(TIME_LIMIT),
            issued: 0,
        }
    }

    /// Handles every event up to `until`.
    fn advance(&mut self, until: SimTime) {
        while let Some(fired) = self.calendar.pop_until(until) {
            let event = fired.event;
            match event.kind() {
                kind::CALL => self.arrive(event.to(), event.key()),
                kind::REPLY => self.come_back(event.to(), event.key()),
                kind::CPU => self.depart(event.to(), fired.seq),
                kind::ARRIVE => self.issue(),
                _ => unreachable!("no request takes an hour"),
            }
            assert!(self.hops.len() <= LIVE_CALLS_MAX, "a queue grows without end");
        }
    }

    fn close_window(&mut self, now: SimTime) {
        let busy = self.places.iter_mut().enumerate().filter(|(at, _)| *at != USERS).map(|(at, place)| {
            let integral = place.station.busy_integral(now);
            (at, integral - std::mem::replace(&mut place.window_from, integral), place.cores)
        });
        self.books.close_window(now, busy);
    }

    /// A component gets a signal about a request.
    #[inline(always)]
    fn deliver(&mut self, to: usize, kind: u64, number: u64) {
        self.fingerprint.add(self.calendar.now(), self.places[to].name, kind, number);
    }

    #[inline(always)]
    fn rng(&self, at: usize, key: u64, purpose: u64) -> KeyedRng {
        KeyedRng::new(mix(key, self.places[at].salt.wrapping_add(purpose)))
    }

    /// Holds every event and every figure against those of outgrow for the same trial, which ended `now`.
    fn compare(&self, record: &TrialRecord, now: SimTime) {
        assert_eq!(self.fingerprint.value(), record.fingerprint, "the same events in the same order");
        assert_eq!(self.calendar.fired(), record.events);
        self.books.compare(record, now);
        let measured = record.measured.as_nanos() as f64;
        for (place, component) in self.places.iter().zip(&record.components).skip(PRIMARY) {
            let machine = component.machine.as_ref().expect("a server has a machine");
            assert_eq!(place.station.busy_integral(now) as f64 / measured, machine.busy_cores_mean);
            assert_eq!(place.station.queue_integral(now) as f64 / measured, component.queue_mean);
            assert_eq!(place.queue_max, component.queue_max);
            assert_eq!(place.memory.max_used(), machine.memory_max);
        }
    }

    // The client ----------------------------------------------------------------------------------------------------

    /// A user comes.
    #[inline(always)]
    fn issue(&mut self) {
        self.deliver(USERS, signal::ARRIVE, u64::MAX);
        let now = self.calendar.now();
        let number = self.issued;
        self.issued += 1;
        let key = self.seed.key(self.places[USERS].salt, number);
        let class = u16::from(unit_open(&mut KeyedRng::new(mix(key, CLASS))) > SHARE_OF_READS);
        self.books.issue(class, now);
        let request = self.hops.begin(Begun { key, number, class, issued: now });
        let hops = &self.hops;
        if let Some(at) = self.limits.push(now, request, |request| hops.awaits(*request)) {
            self.calendar.schedule(at, Event::new(kind::LIMIT, USERS, 0));
        }
        let call = self.hops.call(request, USERS, BALANCER);
        self.calendar.schedule_now(Event::new(kind::CALL, BALANCER, call.bits()));
        self.schedule_arrival();
    }

    #[inline(always)]
    fn schedule_arrival(&mut self) {
        if self.gaps.is_empty() {
            self.draw_gaps();
        }
        let gap = self.gaps.pop().expect("some have just been drawn");
        let at = self.calendar.now() + SimDuration::from_sample_secs(gap);
        self.calendar.schedule(at, Event::new(kind::ARRIVE, USERS, 0));
    }

    #[inline(never)]
    fn draw_gaps(&mut self) {
        let gaps = &mut self.gaps;
        Variate::exponential(1.0).sample_many(GAPS, &mut self.stream, |gap| gaps.push(gap / RATE));
        gaps.reverse();
    }

    // The boxes -----------------------------------------------------------------------------------------------------

    /// A call comes to a box.
    #[inline(always)]
    fn arrive(&mut self, to: usize, id: Key) {
        let now = self.calendar.now();
        let depth = depth_of(to);
        let told = self.hops.arrive(id, depth, now);
        self.books.meters[to].enter(now);
        self.deliver(to, signal::CALL, told.number);
        if depth == AT_BALANCER {
            self.balance(id, told.key);
        } else {
            self.serve(to, id, told);
        }
    }

    /// The balancer sends a call to the web server with the fewest.
    #[inline(always)]
    fn balance(&mut self, id: Key, key: u64) {
        let now = self.calendar.now();
        assert!(self.places[BALANCER].slots.try_take(), "it has no limit");
        let mut rng = self.rng(BALANCER, key, CHOICE);
        let picked = self.balance.pick_of(now, &self.eligible, key, &mut rng);
        let target = picked.expect("all web servers are eligible");
        let child = self.hops.send(id, AT_WEB, BALANCER, WEB + target, key);
        self.balance.sent(target);
        self.hops.relay(id, child, target, now);
        self.calendar.schedule_now(Event::new(kind::CALL, WEB + target, child.bits()));
    }

    /// A server begins with a call.
    #[inline(always)]
    fn serve(&mut self, at: usize, id: Key, told: Told) {
        let now = self.calendar.now();
        let mut rng = self.rng(at, told.key, 0);
        let place = &mut self.places[at];
        place.seat();
        let demand = place.demand.draw(&mut rng);
        if demand.is_zero() {
            return self.go_on(at, id, told);
        }
        match place.station.enter(now, id, demand) {
            Entered::Started => self.arm(at),
            Entered::Waits => place.queue_max = place.queue_max.max(place.station.waiting() as u64),
            Entered::Full => unreachable!("the queue of a station has no limit"),
        }
    }

    /// Arms the completion of a box if its next departure is earlier than the armed one.
    #[inline(always)]
    fn arm(&mut self, at: usize) {
        let place = &mut self.places[at];
        if let Some(next) = place.station.next_completion()
            && next < place.at
        {
            place.at = next;
            place.seq = self.calendar.schedule(next, Event::new(kind::CPU, at, 0));
        }
    }

    /// Handles the completion event of a box, if it is the valid one.
    #[inline(always)]
    fn depart(&mut self, at: usize, seq: u64) {
        let now = self.calendar.now();
        let place = &mut self.places[at];
        if place.seq != seq {
            return;
        }
        place.at = SimTime::MAX;
        while let Some(Done { job, waited }) = self.places[at].station.complete(now) {
            let told = self.hops.done(job, depth_of(at), waited);
            self.deliver(at, signal::DONE, told.number);
            self.go_on(at, job, told);
            if self.places[at].station.next_completion().is_none_or(|next| next > now) {
                break;
            }
        }
        self.arm(at);
    }

    /// The work for a call is done: a web server asks a database, and a database answers.
    #[inline(always)]
    fn go_on(&mut self, at: usize, id: Key, told: Told) {
        if at < WEB {
            return self.leave(at, AT_DATABASE, id);
        }
        let node = if told.class == READ {
            let next = &mut self.places[at].next_replica;
            let node = REPLICA + *next;
            *next = if *next + 1 == REPLICAS { 0 } else { *next + 1 };
            node
        } else {
            PRIMARY
        };
        let key = mix(told.key, ORDINALS[usize::from(told.class)]);
        let child = self.hops.send(id, AT_DATABASE, at, node, key);
        self.calendar.schedule_now(Event::new(kind::CALL, node, child.bits()));
    }

    /// A server answers a call, and has a worker more.
    #[inline(always)]
    fn leave(&mut self, at: usize, depth: usize, id: Key) {
        self.places[at].stand_up(self.calendar.now());
        self.reply(at, depth, id);
    }

    /// A box answers a call.
    #[inline(always)]
    fn reply(&mut self, at: usize, depth: usize, id: Key) {
        let now = self.calendar.now();
        let Stay { arrived, waited, caller } = self.hops.answer(id, depth);
        let residence = now.since(arrived);
        self.books.meters[at].answer_ok(now, residence, waited);
        self.books.meters[caller].asked(residence);
        self.calendar.schedule_now(Event::new(kind::REPLY, caller, id.bits()));
    }

    /// An answer comes to who has asked.
    #[inline(always)]
    fn come_back(&mut self, to: usize, id: Key) {
        let now = self.calendar.now();
        let number = self.hops.number(id);
        self.deliver(to, signal::OK, number);
        match to {
            USERS => {
                let ended = self.hops.end(id);
                self.books.end(ended, now);
            }
            BALANCER => {
                let Relayed { id, target, at } = self.hops.relayed(id);
                self.balance.answered(now, target, now.since(at));
                let granted = self.places[BALANCER].slots.release(now);
                assert!(granted.is_none(), "nobody waits for a connection");
                self.reply(BALANCER, AT_BALANCER, id);
            }
            _ => {
                let call = self.hops.parent(id);
                self.leave(to, AT_WEB, call);
            }
        }
    }
}

/// The depth of the calls that come to a box.
#[inline(always)]
fn depth_of(place: usize) -> usize {
    if place == BALANCER {
        AT_BALANCER
    } else if place < WEB {
        AT_DATABASE
    } else {
        AT_WEB
    }
}

/// Runs the loop with one record a request. Returns the sum of the response times in nanoseconds.
pub(crate) fn one_record(customers: u64) -> u128 {
    tiers::<Bare>(customers).books.sum()
}

/// Runs the loop with one record a request that has room for what a call of outgrow keeps.
pub(crate) fn roomy_record(customers: u64) -> u128 {
    tiers::<Roomy>(customers).books.sum()
}

/// Runs the loop with a call a hop. Returns the sum of the response times in nanoseconds.
pub(crate) fn call_a_hop(customers: u64) -> u128 {
    tiers::<CallAHop>(customers).books.sum()
}

/// Holds all loops against a trial of outgrow.
///
/// # Panics
/// When an event or a figure differs.
pub(crate) fn check() {
    const CUSTOMERS: u64 = 100_000;
    let [_, model, _] = models::of_the_summary();
    let scenario = model.scenario(CUSTOMERS);
    let record = models::run(&scenario);
    let end = SimTime::ZERO + scenario.length().measured;
    tiers::<Bare>(CUSTOMERS).compare(&record, end);
    tiers::<Roomy>(CUSTOMERS).compare(&record, end);
    tiers::<CallAHop>(CUSTOMERS).compare(&record, end);
}

/// Runs one row of the table once, so that a profiler can count it alone.
///
/// # Panics
/// When there is no such row.
pub(crate) fn run_row(row: &str, customers: u64) {
    match row {
        "lean" => _ = black_box(lean::tiers(customers, false)),
        "bare" => _ = black_box(bare::tiers(customers, false)),
        "record" => _ = black_box(one_record(customers)),
        "roomy" => _ = black_box(roomy_record(customers)),
        "calls" => _ = black_box(call_a_hop(customers)),
        "outgrow" => {
            let [_, model, _] = models::of_the_summary();
            black_box(models::run(&model.scenario(customers)).events);
        }
        _ => panic!("the rows are lean, bare, record, roomy, calls and outgrow"),
    }
}
