//! Logs of servers: one request a line.

mod format;
pub mod json;
pub(super) mod known;

pub use format::LogFormat;

use format::duration_ns;
