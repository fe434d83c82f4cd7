//! `Luggage`: what few calls carry, kept apart from the calls so that the others stay small.

use crate::kernel::time::SimTime;

use super::line::Opening;
use super::signal::CallId;

/// What a call may carry.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// The call.
    id: CallId,
    /// A number of the caller's own.
    tag: u32,
    /// How its connection is opened.
    opening: Opening,
    /// The moment after which nobody can use its answer.
    deadline: SimTime,
}

impl Piece {
    /// Nothing, of no call.
    const NONE: Piece =
        Piece { id: CallId::NONE, tag: u32::MAX, opening: Opening::None, deadline: SimTime::MAX };
}

/// What calls carry, each at its place among the calls that are under way.
#[derive(Debug, Default)]
pub(super) struct Luggage(Vec<Piece>);

impl Luggage {
    fn of(&self, id: CallId) -> Piece {
        let piece = self.0.get(id.0.index() as usize).copied();
        piece.filter(|piece| piece.id == id).unwrap_or(Piece::NONE)
    }

    /// What the call carries, to be changed.
    fn of_mut(&mut self, id: CallId) -> &mut Piece {
        let at = id.0.index() as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, Piece::NONE);
        }
        let piece = &mut self.0[at];
        if piece.id != id {
            *piece = Piece { id, ..Piece::NONE };
        }
        piece
    }

    pub(super) fn set_tag(&mut self, id: CallId, tag: u32) {
        self.of_mut(id).tag = tag;
    }

    pub(super) fn set_deadline(&mut self, id: CallId, at: SimTime) {
        self.of_mut(id).deadline = at;
    }

    #[inline(always)]
    pub(super) fn deadline(&self, id: CallId) -> SimTime {
        if self.0.is_empty() { SimTime::MAX } else { self.of(id).deadline }
    }

    pub(super) fn set_opening(&mut self, id: CallId, opening: Opening) {
        self.of_mut(id).opening = opening;
    }

    #[inline(always)]
    pub(super) fn opening(&self, id: CallId) -> Opening {
        if self.0.is_empty() { Opening::None } else { self.of(id).opening }
    }

    /// The call goes on to another callee, to which its caller has opened nothing.
    #[inline(always)]
    pub(super) fn pass_on(&mut self, id: CallId) {
        if self.opening(id) != Opening::None {
            self.set_opening(id, Opening::None);
        }
    }

    pub(super) fn tag(&self, id: CallId) -> Option<u32> {
        Some(self.of(id).tag).filter(|tag| *tag != u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::slab::Slab;

    #[test]
    fn a_call_has_nothing_of_the_one_before_it_in_its_place() {
        let mut slab = Slab::new(());
        let (first, other) = (CallId(slab.insert(())), CallId(slab.insert(())));
        let mut luggage = Luggage::default();
        luggage.set_tag(first, 7);
        assert_eq!((luggage.tag(first), luggage.tag(other)), (Some(7), None));
        slab.remove(first.0);
        let next = CallId(slab.insert(()));
        assert_eq!((next.0.index(), luggage.tag(next)), (first.0.index(), None));
        luggage.set_tag(next, 8);
        assert_eq!((luggage.tag(first), luggage.tag(next)), (None, Some(8)));
    }
}
