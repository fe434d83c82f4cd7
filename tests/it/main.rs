//! The integration tests, one binary: they link once. One line a module, sorted.

mod laws;
mod theory;
