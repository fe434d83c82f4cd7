//! outgrow shows where a web architecture breaks before its users do: a discrete-event simulator of the ladder that
//! every system-design course climbs.
//!
//! # A tour
//!
//! A [`Scenario`] is a text that draws an architecture as boxes. It is checked when it is read, and runs as it is or with
//! other values of its keys:
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
//! - [`RunResult`] has everything that was measured: by class of requests, by box, over time, and beside it what theory
//!   says. Each [`result::Figure`] has a mean and a 95 % interval over the trials.
//! - [`Diagnostics`] are what every function returns for a text that is wrong: line, caret, reason, and what would be right.
//! - [`KINDS`] are the boxes that scenarios may use. A kind of your own is a row beside them for
//!   [`Scenario::parse_with`]; [`model`] is what it is made of, and `examples/custom_component.rs` has a whole one.
//! - [`report`] writes results as text, JSON, tables, charts and pages, [`theory`] has the closed forms.
//!
//! The same version, text and seed give the same result on any platform, with any number of threads.
//!
//! # Features
//!
//! All are on by default but `parquet`; the library without them has no clock, no files and no threads.
//!
//! | feature | brings |
//! |---|---|
//! | `cli` | the program `outgrow` |
//! | `charts` | charts as PNG; SVG needs no feature |
//! | `threads` | trials side by side instead of one after the other |
//! | `parquet` | tables of sweeps as Parquet files |

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod components;
#[doc(hidden)]
pub mod experiment;
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
