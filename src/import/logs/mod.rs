//! Logs of servers: one request a line.

mod format;
pub mod json;
pub(super) mod known;
pub(super) mod w3c;

pub use format::LogFormat;

use format::duration_ns;
