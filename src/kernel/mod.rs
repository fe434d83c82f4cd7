//! The clock: time, calendar, slab, random streams, samplers, fingerprint. It does not know what a request is.

pub mod calendar;
pub mod date;
pub mod fingerprint;
pub mod headers;
pub mod ln;
pub mod random;
pub mod slab;
pub mod time;
pub mod variate;
mod wheel;
pub mod zipf;
