//! scenario

pub mod expression;
