//! The integration tests, one binary: they link once. One line a module, sorted.

mod cli;
mod docs;
mod errors;
mod examples;
mod server;
