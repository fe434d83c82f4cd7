//! `Component`: the one trait that every box of the diagram implements.

/// A box of the diagram.
pub trait Component: Send {}
