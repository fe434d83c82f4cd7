//! The rules of the game: signals, calls, components, the recorder and the simulation's loop.

pub mod catalogue;
pub mod component;
pub mod quantity;
pub mod site;
pub mod spec;
