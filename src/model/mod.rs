//! The rules of the game: signals, calls, components, the recorder and the simulation's loop.

pub mod address;
pub mod call;
pub mod catalogue;
pub mod class;
pub mod component;
pub mod data;
mod event;
pub mod faults;
pub mod geography;
pub mod hardware;
pub mod machine;
pub mod network;
pub mod part;
pub mod quantity;
pub mod record;
pub mod recorder;
pub mod regions;
pub mod signal;
pub mod simulation;
pub mod site;
pub mod spec;
pub mod strict;
pub mod trace;
pub mod troubles;
mod world;
