//! Reports: results and scenarios as text and data. One file a format; none of them simulates anything.

pub mod explain;
pub mod json;
pub mod list;
pub mod number;
pub mod sparkline;
pub mod summary;
mod text;
pub mod trace;
pub mod validation;
