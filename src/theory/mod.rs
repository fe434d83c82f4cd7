//! Closed forms of queueing theory, each with its symbols, units, validity and source.
