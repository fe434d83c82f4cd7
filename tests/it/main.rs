//! Tests of the whole, from scenario text to what a trial leaves behind.

mod replication;
