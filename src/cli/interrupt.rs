//! Ctrl-C: the first asks for an orderly end, the second does not wait for it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::status::{Failure, Status};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt does not end the program but is noted.
pub(super) fn watch() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Status::Interrupted as i32);
        }
    })
    .map_err(|error| Failure::failed(format!("cannot watch for Ctrl-C: {error}")))
}

/// Whether the user has had enough.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
