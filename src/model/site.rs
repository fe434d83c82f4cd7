//! Where a component is built: its name, and the ids behind the names it refers to.

/// Where a component is built.
#[derive(Debug)]
pub struct Site<'a> {
    /// Name of the member: `web-2`.
    pub name: &'a str,
}
