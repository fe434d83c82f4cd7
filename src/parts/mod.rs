//! Parts of boxes: what at least two kinds use and `model` does not need. A part gives verdicts; its box acts on them.

pub mod breaker;
pub mod budget;
pub mod calling;
pub mod checks;
pub mod connecting;
pub mod connections;
pub mod door;
pub mod failure;
pub mod hand;
pub mod hardware;
pub mod hedge;
pub mod legs;
pub mod limit;
pub mod members;
pub mod retry;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tables;
pub mod throttle;
