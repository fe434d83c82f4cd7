//! Integration tests, all in one binary: one module a subject.

mod errors;
