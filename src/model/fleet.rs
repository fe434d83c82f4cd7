//! `Fleet`: a group whose members come and go. Each of its members is off, boots, is up or drains.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use crate::kernel::time::{SimDuration, SimTime};

use super::signal::ComponentId;

/// Time until a machine that is ordered runs: EC2 [V: 22.6 to 25.8 s].
pub const BOOT: SimDuration = SimDuration::from_secs(23);

/// Time that a process takes to start on it [T].
pub const START: SimDuration = SimDuration::from_secs(10);

/// Time in which a machine of a warm pool gets calls: EC2, a hibernated one [V].
const WARM_START: SimDuration = SimDuration::from_millis(1900);

/// A group whose members come and go, as planned.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The name of the group.
    pub name: String,
    /// All its members, those that are off at the start among them, in the order of their numbers.
    pub members: Vec<ComponentId>,
    /// Number of members that are up at the start: the first ones.
    pub starts: u32,
    /// Those who send calls to members, and hear which of them come and go.
    pub routers: Vec<Router>,
    /// The box that decides how many members there are, if it is not the operators.
    pub keeper: Option<ComponentId>,
    /// How members come.
    pub pace: Pace,
    /// The sizes that the operators order, in the order of their times.
    pub orders: Vec<Scale>,
    /// The sizes that they order when they are called.
    pub on_call: Vec<OnCall>,
}

/// A box that sends calls to the members of a fleet.
#[derive(Clone, Copy, Debug)]
pub struct Router {
    /// The box.
    pub id: ComponentId,
    /// Longest time for which it drains a member; `None` if it does not say when a member has none of its calls any more.
    pub drains: Option<SimDuration>,
    /// Whether it is a queue, whose messages wait for members.
    pub is_queue: bool,
}

/// How the members of a fleet come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Time from the order of a machine until it runs.
    pub boot: SimDuration,
    /// Time that the process takes to start on it.
    pub start: SimDuration,
    /// Time until its balancers check it for the first time; `None` for their own.
    pub first_check: Option<SimDuration>,
    /// Number of machines that are kept ready besides the members.
    pub warm_pool: u32,
    /// Number of machines that there are.
    pub quota: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { boot: BOOT, start: START, first_check: None, warm_pool: 0, quota: u32::MAX }
    }
}

/// An order of the operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scale {
    /// Time after the start of the trial, or after the call.
    pub at: SimDuration,
    /// Number of members from then on.
    pub to: u32,
    /// Time from the order of a machine until it runs.
    pub boot: SimDuration,
    /// Time that the process takes to start on it.
    pub start: SimDuration,
}

/// An order that the operators give some time after they have been called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OnCall {
    /// The place of the operation in the scenario's list.
    pub operation: u32,
    /// The order, whose time counts from the call.
    pub scale: Scale,
    /// Whether they have been called, and have not given it yet.
    pub is_called: bool,
}

/// What a box says about the number of members of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeps {
    /// The other box.
    pub target: String,
    /// The least number.
    pub min: u32,
    /// The greatest number.
    pub max: u32,
    /// How members come.
    pub pace: Pace,
    /// The key that needs a queue from which the target gets its work; `None` if no key does.
    pub queue: Option<&'static str>,
}

/// The number of members of a fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Size {
    /// Members that are up, whether they work or not.
    pub up: u32,
    /// Members that are up or boot.
    pub coming: u32,
}

/// What the operators see of a member that works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sight {
    /// Core time that its machine has used since the start of the trial, in core-nanoseconds.
    pub busy: u128,
    /// Number of its cores.
    pub cores: u32,
    /// Calls inside it times nanoseconds, since the start of the trial.
    pub inside: u128,
}

/// The messages that wait in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Backlog {
    /// Their number.
    pub waiting: u64,
    /// When the oldest of them was accepted; `None` if none waits.
    pub oldest: Option<SimTime>,
}

/// The state of a member of a fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// There is no machine.
    Off,
    /// Its machine is in the warm pool, ready from this moment on.
    Warm(SimTime),
    /// Its machine boots, or its process starts.
    Booting,
    /// It gets calls.
    Up,
    /// It waits until this number of routers have none of its calls any more.
    Draining { awaited: usize },
    /// It takes no new calls, and ends those inside, at most until this moment.
    Closing { until: SimTime },
}

impl State {
    pub(super) fn is_coming(self) -> bool {
        matches!(self, State::Booting | State::Up)
    }
}

/// A member of a fleet in a trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub of: ComponentId,
    pub state: State,
    /// When its machine was ordered.
    pub since: SimTime,
    /// When its next step is due.
    pub due: Option<SimTime>,
    /// Whether it was found dead at the last look.
    pub was_dead: bool,
}

/// A fleet in a trial.
#[derive(Debug)]
pub(super) struct Running {
    pub plan: Fleet,
    pub places: Vec<Place>,
    /// Number of members that are wanted.
    pub wanted: u32,
    /// The last shortage that the timeline tells of: what was wanted, and what there is.
    pub told: Option<(u32, u32)>,
    /// Number of the operators' orders that have been carried out.
    pub done: usize,
}

impl Running {
    pub(super) fn new(plan: Fleet) -> Running {
        let place = |(number, &of): (usize, &ComponentId)| Place {
            of,
            state: if number < plan.starts as usize { State::Up } else { State::Off },
            since: SimTime::ZERO,
            due: None,
            was_dead: false,
        };
        let places = plan.members.iter().enumerate().map(place).collect();
        Running { places, wanted: plan.starts, told: None, done: 0, plan }
    }

    pub(super) fn size(&self) -> Size {
        let count = |is: fn(State) -> bool| self.places.iter().filter(|place| is(place.state)).count() as u32;
        Size { up: count(|state| state == State::Up), coming: count(State::is_coming) }
    }

    /// Number of machines that are not off.
    pub(super) fn machines(&self) -> u32 {
        self.places.iter().filter(|place| place.state != State::Off).count() as u32
    }

    /// Time until a member whose machine is ordered now, and which is in this state, is up.
    pub(super) fn wait(&self, now: SimTime, state: State) -> SimDuration {
        match state {
            State::Warm(ready) => ready.saturating_since(now) + WARM_START,
            _ => self.plan.pace.boot + self.plan.pace.start,
        }
    }
}
