//! What nodes tell the book: queries, who asks them, and how far a node is.

use crate::kernel::time::SimTime;
use crate::model::signal::ComponentId;

/// A write that a client has been told is safe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Write {
    /// When it was acknowledged.
    pub at: SimTime,
    /// Its key.
    pub key: u32,
}

/// A user of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct User {
    /// The client.
    pub client: ComponentId,
    /// The user's place there, which another may have had before.
    pub slot: u32,
    /// Who it is.
    pub identity: u64,
}

/// A query, as the book sees it.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The key that it asks for.
    pub key: u32,
    /// Who asks; `None` when the user never comes back.
    pub user: Option<User>,
    /// Whether a script brings a lost write back.
    pub is_replay: bool,
}

/// How far a node is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Whose log it has.
    pub epoch: u16,
    /// Up to where it holds the log.
    pub received: u64,
    /// Up to where it shows it.
    pub applied: u64,
    /// Whether it follows a primary rather than being one.
    pub follows: bool,
}
