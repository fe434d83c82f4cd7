//! Determinism: the same seed gives the same numbers, and what a trial does not touch does not change.
