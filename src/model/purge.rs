//! `Purge`: caches lose their entries because the operators want them to.

use crate::kernel::time::SimDuration;

use super::signal::ComponentId;

/// A purge of some caches.
#[derive(Clone, Debug)]
pub struct Purge {
    /// The place of the operation in the scenario's list.
    pub operation: u32,
    /// The caches.
    pub of: Vec<ComponentId>,
    /// When it comes.
    pub due: Due,
}

/// When an operation comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// This time after the start of the trial.
    Planned(SimDuration),
    /// When the operators are called.
    OnCall {
        /// Time from a call until it comes.
        after: SimDuration,
        /// Whether they have been called, and it has not come yet.
        is_called: bool,
    },
}
