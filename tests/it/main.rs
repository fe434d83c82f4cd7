//! The integration tests, in one program: linking it once is quicker than linking it for each module.

mod cli;
