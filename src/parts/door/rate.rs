//! `Rate`: a limit on the rate of calls, of all together or of each caller apart.

use crate::model::call::Call;
use crate::model::component::Cx;
use crate::model::signal::CallId;
use crate::queueing::buckets::Buckets;
use crate::queueing::token_bucket::TokenBucket;

/// Whose calls share a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Those of a client.
    Client,
    /// Those of a class.
    Class,
    /// Those of a user. A user who makes one request only has a full bucket of its own, and always passes.
    User,
}

/// A limit on the rate of calls.
#[derive(Clone, Debug)]
pub enum Rate {
    /// One bucket for all.
    All(TokenBucket),
    /// A bucket for each.
    Each(Whose, Buckets),
}

impl Rate {
    /// One bucket, or one for each of `whose`, that is full at the beginning.
    #[must_use]
    pub fn new(bucket: TokenBucket, whose: Option<Whose>) -> Rate {
        match whose {
            None => Rate::All(bucket),
            Some(whose) => Rate::Each(whose, Buckets::new(bucket)),
        }
    }

    /// Whether a call passes, which takes a token.
    pub(super) fn passes(&mut self, call: CallId, cx: &Cx<'_>) -> bool {
        match self {
            Rate::All(bucket) => bucket.try_take(cx.now()),
            Rate::Each(whose, buckets) => {
                let &Call { client, class, identity, .. } = cx.get(call);
                let key = match whose {
                    Whose::Client => client.index() as u64,
                    Whose::Class => u64::from(class),
                    Whose::User if identity == 0 => return true,
                    Whose::User => identity,
                };
                buckets.try_take(cx.now(), key)
            }
        }
    }

    /// The process has started again: all buckets are full.
    pub(super) fn clear(&mut self) {
        match self {
            Rate::All(bucket) => bucket.fill(),
            Rate::Each(_, buckets) => buckets.clear(),
        }
    }
}
