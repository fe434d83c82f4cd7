//! `Keys`: which key a query asks for.

use crate::kernel::random::below;
use crate::kernel::zipf::Zipf;
use crate::model::call::{Call, NOBODY};
use crate::model::class::KeySpace;
use crate::model::component::Cx;
use crate::model::data::{Query, User};
use crate::model::signal::CallId;
use crate::model::site::Site;

use super::message::kind;

/// Purpose of the draw of a query's key.
const KEY: u64 = 2;

/// How the key of a query is drawn.
#[derive(Debug)]
enum Law {
    One,
    Uniform(u32),
    Zipf(Zipf),
}

impl Law {
    fn new(space: KeySpace) -> Law {
        match space {
            KeySpace { count: 1, .. } => Law::One,
            KeySpace { count, zipf } if zipf > 0.0 => Law::Zipf(Zipf::new(u64::from(count), zipf)),
            KeySpace { count, .. } => Law::Uniform(count),
        }
    }
}

/// The keys of the queries of each class.
#[derive(Debug)]
pub(super) struct Keys(Vec<Law>);

impl Keys {
    pub(super) fn new(site: &Site<'_>) -> Keys {
        Keys(site.classes.iter().map(|class| Law::new(class.keys)).collect())
    }

    /// What a call asks for, and for whom.
    pub(super) fn query(&self, call: CallId, cx: &Cx<'_>) -> Query {
        let &Call { user, identity, client, notes, answer, .. } = cx.get(call);
        if notes.step == kind::REPLAY {
            return Query { key: answer as u32, user: None, is_replay: true };
        }
        Query {
            key: self.draw(call, cx),
            is_replay: false,
            user: (user != NOBODY).then_some(User { client, slot: user, identity }),
        }
    }

    /// The key that a query asks for: the same at every member.
    pub(super) fn draw(&self, call: CallId, cx: &Cx<'_>) -> u32 {
        match &self.0[usize::from(cx.get(call).class)] {
            Law::One => 0,
            Law::Uniform(count) => below(&mut cx.rng(call, KEY), u64::from(*count)) as u32,
            Law::Zipf(law) => law.draw(&mut cx.rng(call, KEY)) as u32 - 1,
        }
    }
}
