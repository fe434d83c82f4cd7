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
    /// The keys that its queries ask for.
    pub keys: KeySpace,
}

/// The keys of a database that the queries of a class ask for, one each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeySpace {
    /// How many there are, at least 1; with one the database is a single thing that is read and written.
    pub count: u32,
    /// Exponent of their popularity by Zipf's law; 0 makes them all alike.
    pub zipf: f64,
}

impl Default for KeySpace {
    fn default() -> KeySpace {
        KeySpace { count: 1, zipf: 0.0 }
    }
}
