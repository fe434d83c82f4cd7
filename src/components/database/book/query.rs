//! What nodes report to the book: queries, their users, and how far a node is.

use crate::kernel::time::SimTime;
use crate::model::signal::ComponentId;

/// A write that has been acknowledged.
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
    /// The slot of the user there, which another user may have had before.
    pub slot: u32,
    /// The identity of the user.
    pub identity: u64,
}

/// A query, as the book sees it.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The key that it asks for.
    pub key: u32,
    /// The user; `None` if users make one request only.
    pub user: Option<User>,
    /// Whether a script writes a lost write again.
    pub is_replay: bool,
}

/// The position of a node.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The epoch of its log.
    pub epoch: u16,
    /// The position up to which it has received the log.
    pub received: u64,
    /// The position up to which it has applied the log.
    pub applied: u64,
    /// Whether it follows a primary, and is none itself.
    pub follows: bool,
}
