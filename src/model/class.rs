//! `RequestClass`: one kind of request that clients send.

use crate::kernel::time::SimDuration;

/// One kind of request that clients send: `[request.read]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestClass {
    /// Its name, unique.
    pub name: String,
    /// Share of all requests, 0..1; the shares of a scenario sum to one.
    pub share: f64,
    /// Whether it changes data.
    pub writes: bool,
    /// An answer later than this is not goodput.
    pub deadline: Option<SimDuration>,
    /// Size of the answer in bytes, for links with a bandwidth.
    pub response_bytes: u64,
}
