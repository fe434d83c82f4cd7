//! Ctrl-C: the first one asks for an orderly end, the second one ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::status::{Failure, Status};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first interrupt is only noted and does not end the program.
pub(super) fn watch() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Status::Interrupted as i32);
        }
    })
    .map_err(|error| Failure::failed(format!("cannot watch for Ctrl-C: {error}")))
}

/// Whether the user has interrupted the program.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
