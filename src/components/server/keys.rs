//! The keys of the data that steps ask for.

use crate::kernel::random::mix;
use crate::model::ask::SPARSE;
use crate::model::component::Cx;
use crate::model::signal::CallId;

/// Apart from the keys of other data in the same store.
const USER_SALT: u64 = 0x5e55_1045;

/// The data that a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Those of a key that it draws itself.
    Own,
    /// Those of another step: that of the cache which did not have them.
    OfStep(u16),
    /// The session of the user.
    User,
}

/// The ordinal from which the key of the data is drawn, for all stages of one step: the cache and the box behind it are asked for the
/// same.
pub(super) const fn key_ordinal(at: u16) -> u64 {
    (at as u64 + 1) << 32 | 1 << 16
}

/// The key under which a store keeps the session of the user of a call.
pub(super) fn user_key(call: CallId, cx: &Cx<'_>) -> u32 {
    SPARSE | (mix(USER_SALT, cx.user_of(call)) >> 32) as u32
}
