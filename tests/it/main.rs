//! All integration tests in one binary, one module a subject.

mod docs;
mod errors;
mod examples;
mod faults;
