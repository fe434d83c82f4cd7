//! The clock: time, calendar, slab, random streams, fingerprint. Does not know what a request is.

pub mod time;
