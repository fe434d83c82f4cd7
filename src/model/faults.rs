//! Faults: what goes wrong in a trial, when, and for how long. They happen to the components from outside, so that a
//! fault more changes nobody's draws and nobody's name.

use std::sync::Arc;

use crate::kernel::random::Stream;
use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;

use super::signal::{ComponentId, Impairment};
use super::troubles::Links;

/// Something that goes wrong, once or again and again.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its own name, which starts its draws.
    pub name: String,
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
        /// How long it lasts; `None`: until the trial ends.
        lasts: Option<SimDuration>,
    },
    /// Again and again, at random.
    Again {
        /// From the start of the trial, or the end of the last time, until it begins: the time between failures.
        after: Variate,
        /// How long it lasts: the time to repair.
        lasts: Variate,
    },
}

/// What a fault does while it lasts.
#[derive(Clone, Debug)]
pub enum Effect {
    /// These machines are down, with all that runs on them.
    Crash(Vec<ComponentId>),
    /// The place where these stand is gone: their machines, and for a pair both halves, so that nobody takes over.
    Disaster(Vec<ComponentId>),
    /// These processes accept calls and never answer.
    Hang(Vec<ComponentId>),
    /// The machines of these components work at a share of their speed. Several such faults multiply.
    Slow {
        /// Whose machines.
        of: Vec<ComponentId>,
        /// The share of the speed that is left, 0..1; at zero they stand still and lose nothing.
        speed: f64,
    },
    /// Something is wrong with these, though they run.
    Impair(Vec<ComponentId>, Impairment),
    /// Something is wrong between two sides. The name stands in timelines.
    Links(String, Arc<Links>),
}

/// A fault of a trial, and whether it lasts at the moment.
#[derive(Debug)]
pub(super) struct Planned {
    pub effect: Arc<Effect>,
    pub when: When,
    pub stream: Stream,
    pub active: bool,
}
