//! Reports: results and scenarios as text and data. One file a format; none of them simulates anything.

pub mod chart;
pub mod chrome;
pub mod explain;
pub mod html;
pub mod json;
pub mod list;
pub mod number;
mod spans;
pub mod sparkline;
pub mod summary;
pub mod table;
pub mod tables;
mod text;
pub mod trace;
