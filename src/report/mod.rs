//! Reports: results and scenarios as text and data, one file for each format. Nothing here simulates.

pub mod capacity;
pub mod chart;
pub mod chrome;
pub mod climb;
pub mod compare;
pub mod explain;
pub mod fit;
pub mod html;
pub mod json;
pub mod korean;
pub mod lang;
pub mod list;
pub mod number;
#[cfg(feature = "parquet")]
pub mod parquet;
mod spans;
pub mod sparkline;
pub mod summary;
pub mod sweep;
pub mod systems;
pub mod table;
pub mod tables;
mod text;
pub mod trace;
pub mod validation;
pub mod year;

pub use text::fit;
