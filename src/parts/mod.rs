//! Parts of boxes: what at least two kinds use and `model` does not need. A part gives verdicts; its box acts on them.

pub mod checks;
pub mod connecting;
pub mod door;
pub mod hand;
pub mod hardware;
pub mod limit;
pub mod members;
#[cfg(test)]
mod script;
