//! `Heir`: a member that takes over from another one, as a scenario names it.

use crate::kernel::time::SimDuration;

/// A member that takes over from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heir {
    /// The key that names it.
    pub key: &'static str,
    /// The name of the member that it takes over from.
    pub of: String,
    /// Its own name.
    pub name: String,
    /// Time from the loss until it takes over.
    pub after: SimDuration,
}
