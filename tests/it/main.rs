//! All integration tests in one binary, one module a subject.

mod balancer;
mod docs;
mod errors;
mod examples;
