//! The cost of a time limit that is almost never reached, for three ways to keep it: the way of `queueing/deadlines.rs`
//! and two others.

use std::cell::RefCell;

use outgrow::kernel::calendar::Calendar;
use outgrow::kernel::random::KeyedRng;
use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::kernel::variate::Variate;
use outgrow::queueing::deadlines::Deadlines;

use crate::measure::{Row, measure};

const LIMIT: SimDuration = SimDuration::from_secs(10);
const REQUESTS_PER_S: f64 = 100_000.0;
const STEPS: u64 = 1_000_000;
const ROUNDS: usize = 5;

/// A way to keep the limits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// No limits.
    None,
    /// One queue of all limits, and a timer for the oldest that still matters.
    Queue,
    /// A timer for each waiter, set again if it fires too early.
    Timers,
    /// An event for each limit, ignored when it fires.
    Events,
}

const WAYS: [(&str, Way); 4] = [
    ("without", Way::None),
    ("a queue behind one timer", Way::Queue),
    ("a timer for each who waits", Way::Timers),
    ("an event for each limit", Way::Events),
];

/// The events of the calendar. A request is identified by its waiter and its number.
#[derive(Clone, Copy)]
enum Event {
    End(u32),
    Oldest,
    Limit(u32, u32),
}

/// The current request of a waiter.
#[derive(Clone, Copy)]
struct Waiter {
    request: u32,
    limit: SimTime,
    has_timer: bool,
}

/// A fixed number of waiters; each sends the next request as soon as it has an answer.
struct Crowd {
    way: Way,
    calendar: Calendar<Event>,
    rng: KeyedRng,
    answer: Variate,
    waiters: Vec<Waiter>,
    deadlines: Deadlines<(u32, u32)>,
}

impl Crowd {
    fn new(way: Way, count: u32) -> Crowd {
        let nobody = Waiter { request: 0, limit: SimTime::ZERO, has_timer: false };
        let mut crowd = Crowd {
            way,
            calendar: Calendar::new(),
            rng: KeyedRng::new(1),
            answer: Variate::exponential(f64::from(count) / REQUESTS_PER_S),
            waiters: vec![nobody; count as usize],
            deadlines: Deadlines::new(LIMIT),
        };
        (0..count).for_each(|who| crowd.ask(who));
        // Runs until the system is steady: as many limits expire as are set.
        while crowd.calendar.now() < SimTime::ZERO + LIMIT + LIMIT {
            crowd.step();
        }
        crowd
    }

    fn ask(&mut self, who: u32) {
        let now = self.calendar.now();
        let waiter = &mut self.waiters[who as usize];
        waiter.request += 1;
        let request = waiter.request;
        match self.way {
            Way::None => {}
            Way::Queue => {
                let waiters = &self.waiters;
                let matters = |&(who, request): &(u32, u32)| waiters[who as usize].request == request;
                if let Some(at) = self.deadlines.push(now, (who, request), matters) {
                    self.calendar.schedule(at, Event::Oldest);
                }
            }
            Way::Timers => {
                waiter.limit = now + LIMIT;
                if !waiter.has_timer {
                    waiter.has_timer = true;
                    self.calendar.schedule(now + LIMIT, Event::Limit(who, request));
                }
            }
            Way::Events => {
                self.calendar.schedule(now + LIMIT, Event::Limit(who, request));
            }
        }
        self.calendar.schedule(now + self.answer.draw(&mut self.rng), Event::End(who));
    }

    /// Runs to the next answer. A limit that is reached has no effect, because that is rare in this model.
    fn step(&mut self) {
        loop {
            let fired = self.calendar.pop_until(SimTime::MAX).expect("everybody waits");
            match fired.event {
                Event::End(who) => return self.ask(who),
                Event::Oldest => {
                    let waiters = &self.waiters;
                    let matters = |&(who, request): &(u32, u32)| waiters[who as usize].request == request;
                    while self.deadlines.expired(fired.at, matters).is_some() {}
                    if let Some(at) = self.deadlines.rearm() {
                        self.calendar.schedule(at, Event::Oldest);
                    }
                }
                Event::Limit(who, request) if self.way == Way::Timers => {
                    let waiter = &mut self.waiters[who as usize];
                    waiter.has_timer = waiter.limit > fired.at;
                    if waiter.has_timer {
                        self.calendar.schedule(waiter.limit, Event::Limit(who, request));
                    }
                }
                Event::Limit(..) => {}
            }
        }
    }
}

/// Prints the cost of a request for each way, with few and with many waiters.
pub(crate) fn tables() {
    for count in [10, 1000, 100_000] {
        let crowds = WAYS.map(|(_, way)| RefCell::new(Crowd::new(way, count)));
        let steps: Vec<_> =
            crowds.iter().map(|crowd| move || (0..STEPS).for_each(|_| crowd.borrow_mut().step())).collect();
        let row = |at: usize| Row { name: WAYS[at].0, per: STEPS, work: &steps[at] };
        let best = measure(&(0..WAYS.len()).map(row).collect::<Vec<_>>(), ROUNDS);
        println!("\n{:<42} {:>12} {:>8}", format!("a time limit, {count} who wait"), "ns/request", "more");
        for ((name, _), each) in WAYS.iter().zip(&best) {
            println!("{name:<42} {each:>12.1} {:>8.1}", each - best[0]);
        }
    }
}
