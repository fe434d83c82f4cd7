//! `Switch`: people, or checks, who move the users from one site to another when the first is lost.
//!
//! ```text
//! watch --3 checks, or an alert--> decide --machines boot--> step --> step --> done
//!    ^------- the site is back -------'
//! ```
//!
//! A switch stands outside the sites, so that none of them takes it along. What it needs to decide and to act may not.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

mod gauges;
mod site;
mod spec;

pub use gauges::GAUGES;
pub use spec::{By, SwitchSpec, Word};

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::call::Parent;
use crate::model::component::{Component, Cx};
use crate::model::signal::{About, Alarm, ComponentId, Control, Order, Outcome, Signal};
use crate::model::site::Site;
use crate::model::switching::Moves;
use crate::parts::checks::Timers;

use site::{CHECKS, Lookout};

/// The timers of the checks.
const TIMERS: Timers = Timers { next: CHECK, late: LATE };
const CHECK: u16 = 0;
const LATE: u16 = 1;
/// A part of the time of a decision or of a step is over, unless another one has begun since.
const PART: u16 = 2;

/// Time between two looks at what the switch needs, and between two orders of machines that could not be had.
const LOOK: SimDuration = SimDuration::from_secs(1);

/// What a switch is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It watches the site.
    Watching,
    /// Somebody decides.
    Deciding,
    /// A step is being done.
    Doing(usize),
    /// A number of members are to become primary, as the end of a step.
    Promoting(usize, usize),
    /// Machines boot before a step, or after the last one.
    Booting(usize),
    /// The other site has taken over.
    Done,
}

/// A switch in a simulation.
#[derive(Debug)]
struct Switch {
    after: SimDuration,
    steps: Vec<(Word, SimDuration)>,
    is_cold: bool,
    moves: Moves,
    lookout: Lookout,
    state: State,
    /// Time that the decision or the step still takes.
    left: SimDuration,
    /// The part of it that is passing; zero while something is missing.
    part: SimDuration,
    /// Number of parts that have begun, so that the timers of others are known.
    parts: u32,
    /// Since when something that it needs is missing.
    missed: Option<SimTime>,
    /// When the site was lost, and when the present state began.
    lost: SimTime,
    since: SimTime,
    noticed: SimDuration,
    decided: SimDuration,
    paused: SimDuration,
    booted: Option<SimDuration>,
    done: [Option<SimDuration>; 2],
}

impl Switch {
    fn new(spec: &SwitchSpec, site: &Site<'_>) -> Switch {
        let moves = site.moves.cloned().unwrap_or_default();
        Switch {
            after: spec.after(),
            steps: spec.steps(),
            is_cold: !spec.warm,
            lookout: Lookout::new(&moves.from),
            moves,
            state: State::Watching,
            left: SimDuration::ZERO,
            part: SimDuration::ZERO,
            parts: 0,
            missed: None,
            lost: SimTime::ZERO,
            since: SimTime::ZERO,
            noticed: SimDuration::ZERO,
            decided: SimDuration::ZERO,
            paused: SimDuration::ZERO,
            booted: None,
            done: [None; 2],
        }
    }

    fn tell(&self, to: &[ComponentId], code: u16, cx: &mut Cx<'_>) {
        for to in to {
            cx.control(*to, SimDuration::ZERO, Control::Order(Order::about(code, *to)));
        }
    }

    // The decision --------------------------------------------------------------------------------------------------

    /// Begins a decision, unless one is under way or has been taken.
    fn begin(&mut self, cx: &mut Cx<'_>) {
        if self.state != State::Watching {
            return;
        }
        let now = cx.now();
        self.lost = self.lookout.lost_at(cx).unwrap_or(now);
        self.noticed = now.since(self.lost);
        self.paused = SimDuration::ZERO;
        cx.note(cx.me(), "decision begins");
        self.tell(&self.moves.heirs, Order::LOST, cx);
        self.enter(State::Deciding, self.after, cx);
    }

    /// Ends a decision that has not been taken.
    fn call_off(&mut self, cx: &mut Cx<'_>) {
        if self.state == State::Deciding {
            cx.note(cx.me(), "decision called off");
            cx.count(gauges::CALLED_OFF);
            self.state = State::Watching;
            self.missed = None;
            self.parts += 1;
        }
    }

    fn checked(&mut self, number: u32, is_good: bool, cx: &mut Cx<'_>) {
        let was_lost = self.lookout.is_lost();
        self.lookout.ended(number, is_good, cx);
        match (was_lost, self.lookout.is_lost()) {
            // Whom alerts call does not look himself.
            (false, true) if !self.moves.is_called => self.begin(cx),
            (true, false) => self.call_off(cx),
            _ => {}
        }
    }

    // Time that passes only while everything is there --------------------------------------------------------------

    fn enter(&mut self, state: State, time: SimDuration, cx: &mut Cx<'_>) {
        (self.state, self.since, self.left) = (state, cx.now(), time);
        self.go_on(cx);
    }

    /// Lets a part of the time pass, if everything is there.
    fn go_on(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.parts += 1;
        let missing =
            self.moves.needs.iter().find(|members| !self.helps(members, cx)).map(|members| members[0]);
        match (missing, self.missed) {
            (Some(missing), None) => {
                cx.count(gauges::PAUSES);
                let event = format!("cannot go on without {}", cx.name(missing));
                cx.note_of(cx.me(), event);
                self.missed = Some(now);
            }
            (None, Some(since)) => {
                cx.note(cx.me(), "goes on");
                self.paused += now.since(since);
                self.missed = None;
                if self.state == State::Deciding {
                    // The site may be back as well: nobody decides before it has been checked once more.
                    self.left = self.left.max(CHECKS.interval + LOOK);
                }
            }
            _ => {}
        }
        self.part = if missing.is_some() { SimDuration::ZERO } else { self.left.min(LOOK) };
        let next = if missing.is_some() { LOOK } else { self.part };
        if next.is_zero() {
            return self.time_is_over(cx);
        }
        cx.alarm(next, PART, About::Number(self.parts));
    }

    /// Whether a member of a box that the switch needs works, and reaches both sites.
    fn helps(&self, members: &[ComponentId], cx: &Cx<'_>) -> bool {
        let reaches = |of: ComponentId, to: &ComponentId| of == *to || cx.reaches(of, *to);
        members.iter().any(|&of| {
            cx.is_usable(of)
                && self.moves.from.iter().flatten().any(|to| reaches(of, to))
                && self.moves.to.iter().any(|to| reaches(of, to))
        })
    }

    fn part_is_over(&mut self, cx: &mut Cx<'_>) {
        if let State::Booting(step) = self.state {
            self.order_machines(cx);
            return self.await_machines(step, cx);
        }
        self.left = self.left - self.part;
        if self.left.is_zero() && self.missed.is_none() {
            return self.time_is_over(cx);
        }
        self.go_on(cx);
    }

    fn time_is_over(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Deciding => self.decide(cx),
            State::Doing(step) => self.finish(step, cx),
            _ => {}
        }
    }

    // The steps -----------------------------------------------------------------------------------------------------

    /// The decision is taken.
    fn decide(&mut self, cx: &mut Cx<'_>) {
        self.decided = cx.now().since(self.since);
        cx.note(cx.me(), "decided");
        self.tell(&self.moves.heirs, Order::DECIDED, cx);
        if self.is_cold {
            self.tell(&self.moves.caches, Order::EMPTY, cx);
        }
        self.order_machines(cx);
        self.step(0, cx);
    }

    /// Begins a step; after the last one the switch is done.
    fn step(&mut self, step: usize, cx: &mut Cx<'_>) {
        let word = self.steps.get(step).copied();
        let needs_machines = word.is_none_or(|(word, _)| word == Word::Dns);
        if needs_machines && self.booted.is_none() {
            (self.state, self.since) = (State::Booting(step), cx.now());
            return self.await_machines(step, cx);
        }
        let Some((word, time)) = word else { return self.end(cx) };
        if word == Word::Db {
            self.tell(&self.moves.heirs, Order::HAND_OVER, cx);
        }
        self.enter(State::Doing(step), time, cx);
    }

    /// The time of a step is over.
    fn finish(&mut self, step: usize, cx: &mut Cx<'_>) {
        if self.steps[step].0 == Word::Db {
            self.state = State::Promoting(step, self.moves.heirs.len());
            return self.tell(&self.moves.heirs, Order::PROMOTE, cx);
        }
        self.tell(&self.moves.names, Order::MOVE, cx);
        cx.note(cx.me(), "names lead to the other site");
        self.next(step, cx);
    }

    fn promoted(&mut self, cx: &mut Cx<'_>) {
        if let State::Promoting(step, left) = self.state {
            self.state = State::Promoting(step, left.saturating_sub(1));
            if left <= 1 {
                self.next(step, cx);
            }
        }
    }

    fn next(&mut self, step: usize, cx: &mut Cx<'_>) {
        self.done[self.steps[step].0.index()] = Some(cx.now().since(self.since));
        self.step(step + 1, cx);
    }

    fn end(&mut self, cx: &mut Cx<'_>) {
        self.state = State::Done;
        cx.note(cx.me(), "switched");
        cx.count(gauges::SWITCHES);
        cx.time(gauges::SWITCH, cx.now().since(self.lost));
        cx.time(gauges::NOTICED, self.noticed);
        cx.time(gauges::DECIDED, self.decided);
        cx.time(gauges::PAUSED, self.paused);
        cx.time(gauges::BOOT, self.booted.unwrap_or(SimDuration::ZERO));
        for (done, gauge) in self.done.into_iter().zip(gauges::STEPS) {
            if let Some(time) = done {
                cx.time(gauge, time);
            }
        }
    }

    // Machines ------------------------------------------------------------------------------------------------------

    fn order_machines(&self, cx: &mut Cx<'_>) {
        for (first, wanted) in &self.moves.fleets {
            cx.want_members(*first, *wanted);
        }
    }

    /// Goes on with a step if each group has a machine that is up and none that boots; otherwise waits.
    fn await_machines(&mut self, step: usize, cx: &mut Cx<'_>) {
        let is_there = |(first, _): &(ComponentId, u32)| {
            let size = cx.size_of_fleet(*first);
            size.up > 0 && size.up == size.coming
        };
        // No timer of the wait is about what follows.
        self.parts += 1;
        if self.moves.fleets.iter().all(is_there) {
            self.booted = Some(cx.now().since(self.since));
            return self.step(step, cx);
        }
        cx.alarm(LOOK, PART, About::Number(self.parts));
    }
}

impl Component for Switch {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.lookout.begin(TIMERS, cx);
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Alarm(Alarm { code: CHECK, about: About::Number(number) }) => {
                self.lookout.ask(number, TIMERS, cx);
            }
            Signal::Alarm(Alarm { code: LATE, about: About::Call(check) }) => {
                if let Some(number) = CHECKS.give_up(check, cx) {
                    self.checked(number, false, cx);
                }
            }
            Signal::Alarm(Alarm { code: PART, about: About::Number(part) }) if part == self.parts => {
                self.part_is_over(cx);
            }
            Signal::Reply(check, outcome) => {
                if let Parent::Number(number) = cx.get(check).parent {
                    self.checked(number, outcome == Outcome::Ok, cx);
                }
            }
            Signal::Control(Control::Order(Order { code, .. })) => match (code, self.state) {
                (Order::DECIDE, _) => self.begin(cx),
                (Order::CALL_OFF, _) => self.call_off(cx),
                (Order::PROMOTED, _) => self.promoted(cx),
                (Order::SIZE, State::Booting(step)) => self.await_machines(step, cx),
                _ => {}
            },
            _ => {}
        }
    }
}
