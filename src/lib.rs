//! outgrow shows where a web architecture breaks before its users do: a discrete-event simulator of the ladder that
//! every system-design course climbs.
//!
//! # A tour
//!
//! A [`Scenario`] is a text that describes an architecture as boxes. It is checked when it is read, and can be run with the
//! values in the text or with other values of its keys:
//!
//! ```
//! use outgrow::{Diagnostics, Scenario};
//!
//! let shop = r#"
//! [run]
//! duration = "1min"
//!
//! [client.users]
//! rate   = "80/s"
//! target = "web"
//!
//! [server.web]
//! public = true
//! cores  = 1
//! steps  = [{ cpu = { dist = "exponential", mean = "10ms" } }]
//! "#;
//! let shop = Scenario::parse(shop)?.trials(10);
//! let (one, two) = (shop.run()?, shop.set("web.cores", 2).run()?);
//!
//! let [before, after] = [&one, &two].map(|result| &result.metrics.response_ms.mean);
//! println!("one core: {before:.1} ms, two cores: {after:.1} ms");
//! assert!(before.mean > after.mean);
//! # Ok::<(), Diagnostics>(())
//! ```
//!
//! - [`RunResult`] contains everything that was measured: by class of requests, by box, and over time; and the predictions
//!   of theory. Each [`result::Figure`] has a mean and a 95 % interval over the trials.
//! - [`Diagnostics`] are returned for a text with mistakes: line, caret, reason, and a suggestion.
//! - [`KINDS`] are the kinds of box that scenarios may use. To add a kind of your own, give [`Scenario::parse_with`] one more
//!   row. It is built from [`model`]; `examples/custom_component.rs` is a complete example.
//! - [`report`] writes results as text, JSON, tables, charts and pages; [`theory`] has the formulas.
//!
//! The same version, text and seed give the same result on any platform, with any number of threads.
//!
//! # Features
//!
//! All are on by default but `parquet` and `playground`; the library without them has no clock, no files and no threads.
//!
//! | feature | brings |
//! |---|---|
//! | `cli` | the program `outgrow` |
//! | `schema` | JSON schemas of the kinds of boxes; without it each allows anything |
//! | `charts` | charts as PNG; SVG needs no feature |
//! | `threads` | trials side by side instead of one after the other |
//! | `playground` | the page of `outgrow play` inside the program; `playground/build.sh --program` builds both |
//! | `parquet` | tables of sweeps as Parquet files |

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod components;
#[doc(hidden)]
pub mod course;
#[doc(hidden)]
pub mod experiment;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod import;
pub mod kernel;
pub mod model;
pub mod parts;
#[doc(hidden)]
pub mod queueing;
pub mod report;
#[doc(hidden)]
pub mod scenario;
#[doc(hidden)]
pub mod stats;
pub mod theory;

pub use components::KINDS;
pub use experiment::embed::Scenario;
#[doc(inline)]
pub use experiment::result;
pub use experiment::result::RunResult;
pub use model::spec::{Files, NoFiles};
pub use scenario::Loaded;
pub use scenario::error::{Diagnostic, Diagnostics};
