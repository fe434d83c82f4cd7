//! Faults: what goes wrong in a trial, when, and for how long. They act on components from outside, so that adding a
//! fault changes no draw and no name of anything else.

use std::sync::Arc;

use crate::kernel::random::Stream;
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;

use super::signal::{ComponentId, Failing, Impairment};
use super::troubles::Links;

/// Something that goes wrong, once or repeatedly.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its name; the seed of its draws.
    pub name: String,
    /// Its place in the scenario's list of faults. A fault that each of several members has on its own has one place.
    pub row: usize,
    /// When it begins and ends.
    pub when: When,
    /// What it does.
    pub effect: Effect,
}

/// When a fault begins and ends.
#[derive(Clone, Debug)]
pub enum When {
    /// Once.
    Once {
        /// Time after the start of the trial.
        at: SimDuration,
        /// How long it lasts; `None` if until the end of the trial.
        lasts: Option<SimDuration>,
    },
    /// Repeatedly, at random.
    Again {
        /// Time from the start of the trial, or from the end of the previous occurrence, until it begins: the time
        /// between failures.
        after: Variate,
        /// How long each occurrence lasts: the time to repair.
        lasts: Variate,
    },
}

/// What a fault does while it lasts.
#[derive(Clone, Debug)]
pub enum Effect {
    /// The processes of these components are dead; their machines live.
    Crash(Vec<ComponentId>),
    /// The machines of these components have no power, and everything that runs on them is silent.
    PowerOff(Vec<ComponentId>),
    /// The whole place of these components has no power: their machines, and both halves of a pair, so that no standby takes
    /// over.
    Disaster(Vec<ComponentId>),
    /// These components accept calls and never answer.
    Hang(Vec<ComponentId>),
    /// The machines of these components stand still, with everything that runs on them, and lose nothing.
    Pause(Vec<ComponentId>),
    /// The machines of these components run at a share of their speed. Several such faults multiply.
    Slow {
        /// The components.
        of: Vec<ComponentId>,
        /// The remaining share of the speed, above 0 and up to 1.
        speed: f64,
        /// What is slower.
        slowness: Slowness,
    },
    /// These components restart one after another, as planned.
    Deploy(Deployment),
    /// These components are impaired but run.
    Impair(Vec<ComponentId>, Impairment),
    /// These components answer calls with errors by this rule.
    Errors(Vec<ComponentId>, Failing),
    /// Messages between two sides are disturbed. The name is shown in timelines.
    Links(String, Arc<Links>),
}

/// What is slower on a slow machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slowness {
    /// The cores, and so all work while the fault lasts.
    Cores,
    /// The work that comes to the cores while the fault lasts, to its end.
    NewWork,
}

/// A deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// What restarts, in order.
    pub members: Vec<Restart>,
    /// How long each member is down.
    pub down: SimDuration,
    /// Pause after a member is back.
    pub pause: SimDuration,
    /// Time from telling the routers of a member to its stop; `None` if they are told only when they drain on their own, and say
    /// when they have done.
    pub told: Option<SimDuration>,
    /// Longest time for which a member that takes no new calls ends those inside, before it stops.
    pub grace: SimDuration,
}

/// A member of a deployment.
#[derive(Clone, Debug)]
pub struct Restart {
    /// The component.
    pub of: ComponentId,
    /// Those who hear of it before it stops, and the longest time for which each of them drains it.
    pub routers: Vec<(ComponentId, SimDuration)>,
    /// Whether it says goodbye before it stops.
    pub announced: bool,
}

/// What a deployment does with the member whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It has not begun.
    Next,
    /// It waits until this number of routers have no calls there any more.
    Draining { awaited: usize },
    /// Its routers have been told, and it works until it stops.
    Leaving,
    /// It takes no new calls, and ends those inside, at most until this moment.
    Closing { until: SimTime },
    /// It is down.
    Down,
}

/// A fault of a trial, and whether it is active now.
#[derive(Debug)]
pub(super) struct Planned {
    pub effect: Arc<Effect>,
    pub when: When,
    pub stream: Stream,
    pub active: bool,
    pub row: usize,
    /// How often it began in the measured time, or lasted at its start.
    pub times: u64,
    /// Of a deployment: the member whose turn it is.
    pub member: usize,
    /// What happens to that member.
    pub stage: Stage,
    /// When the next step is due, once there has been one.
    pub due: Option<SimTime>,
}
