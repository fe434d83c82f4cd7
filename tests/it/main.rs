//! Integration tests, all in one binary: one module a subject.

mod behaviour;
mod errors;
mod golden;
mod tidy;
