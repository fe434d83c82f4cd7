//! What boxes know about users, and what clients say of theirs.

/// Who the users of a client are, whatever the design that they ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    /// Whether a user asks more than once, so that a box can know it again.
    pub come_back: bool,
    /// A text that is equal for two clients if and only if their users ask the same things at the same times, as far as
    /// the clients alone decide: how a value is written, and whether a default is, makes no difference.
    pub behaviour: String,
}

/// A fact about its callers that a box must know, with the key that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// The user, who is sent to where it was before.
    User(&'static str),
    /// The user, apart from all others.
    Apart(&'static str),
    /// The user, at the member where it was before.
    Here(&'static str),
    /// The region in which the user is.
    Region(&'static str),
}
