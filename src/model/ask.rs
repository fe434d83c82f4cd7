//! `Ask`: what a call asks for, written once by who makes the call; `Verbs`: what a box answers; and `Found`, what a query
//! answers.

/// Keys of data count from 0 and lie close together; from here on they are those of data that do not exist, and lie anywhere.
pub const MISSING: u32 = 1 << 30;

/// From here on keys are those of users, and lie anywhere too.
pub const SPARSE: u32 = 1 << 31;

/// Whether a key is one that no data have, so that a query finds nothing.
#[inline]
#[must_use]
pub const fn is_missing(key: u32) -> bool {
    key >= MISSING && key < SPARSE
}

/// What a call asks for. It stays the same when the call is handed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// What is to be done.
    pub verb: Verb,
    /// The key of the data that it is about, from 0; 0 where the data are one single thing, and where no data are asked
    /// for.
    pub key: u32,
}

/// What a call asks its callee to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Work for a request of a user.
    Work,
    /// A connection. The kernel accepts it as long as the process runs, so that it never reaches a component.
    Connect,
    /// A page that the process itself must answer, with a worker and a little core time. A box that answers work answers
    /// it too.
    Page,
    /// The address that a name stands for.
    Resolve,
    /// An entity of a database, and what the scope says beyond it.
    Query(Scope),
    /// A row, to write it afterwards if it is still the same: its version is the position of the answer.
    Look,
    /// To write a row, if nobody has written it since.
    Swap {
        /// The version that the caller has seen.
        seen: u32,
    },
    /// The value of the key, if it is there: a [`Got`] says so.
    Get,
    /// To keep the value of the key, which the caller has got elsewhere after a [`Got`] that gave it this token.
    Put {
        /// The token.
        token: u32,
        /// The version of the value, as the box has told that has it.
        version: u32,
    },
    /// To take notice that the caller has written the value of the key elsewhere.
    Wrote,
    /// To keep a message until it is pulled.
    Publish,
    /// The next message.
    Pull,
    /// A message from one member of a box to another member of the same box, in a language of their own.
    Own {
        /// Which message it is.
        code: u8,
        /// A small number.
        tag: u16,
        /// A large number.
        word: Word,
    },
}

/// What a query asks for beyond its own entity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// Parts of the entity, such as its attributes, each of which is a row where data are in tables.
    pub parts: u16,
    /// Other entities that the entity refers to.
    pub joins: u16,
    /// Neighbours of each entity that a traversal comes to.
    pub fanout: u16,
    /// Hops of a traversal from the entity.
    pub hops: u8,
    /// Hops of them that the caller has gone itself.
    pub gone: u8,
    /// The shards that are asked.
    pub scatter: Scatter,
}

/// Which shards of a database a query asks, where its data are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scatter(u16);

impl Scatter {
    /// The one that has the key.
    pub const KEY: Scatter = Scatter(0);
    /// All at once.
    pub const ALL: u16 = ONE - 1;

    /// A number of them at once, or [`Scatter::ALL`]. If `partial`, the answer needs only one of them.
    ///
    /// # Panics
    /// If there are more than [`Scatter::ALL`], or none.
    #[must_use]
    pub const fn over(shards: u16, partial: bool) -> Scatter {
        assert!(shards > 0 && shards <= Scatter::ALL, "a scatter asks some shards");
        Scatter(shards | if partial { PARTIAL } else { 0 })
    }

    /// The one with this number, from 0, as a part of a scatter.
    #[must_use]
    pub const fn to(shard: u16) -> Scatter {
        Scatter(ONE | shard)
    }

    /// Of `shards`, the number that are asked at once; `None` if one is asked.
    #[inline]
    #[must_use]
    pub const fn width(self, shards: u16) -> Option<u16> {
        let width = self.0 & Scatter::ALL;
        match self.0 & ONE == 0 && width > 0 {
            true if width > shards => Some(shards),
            true => Some(width),
            false => None,
        }
    }

    /// The shard that it asks as a part of a scatter.
    #[inline]
    #[must_use]
    pub const fn part(self) -> Option<u16> {
        if self.0 & ONE != 0 { Some(self.0 & Scatter::ALL) } else { None }
    }

    /// Whether the answer needs only one of the shards.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.0 & PARTIAL != 0
    }
}

/// The bit of a [`Scatter`] over whose lower bits are the number of one shard.
const ONE: u16 = 1 << 14;

/// The bit of a [`Scatter`] that may be answered in part.
const PARTIAL: u16 = 1 << 15;

/// A number of 64 bits in two halves, which may lie anywhere in memory where a half may: an [`Ask`] is 16 bytes then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word([u32; 2]);

impl Word {
    /// Holds `value`.
    #[must_use]
    pub const fn new(value: u64) -> Word {
        Word([value as u32, (value >> 32) as u32])
    }

    /// The number that it holds.
    #[must_use]
    pub const fn get(self) -> u64 {
        (self.0[1] as u64) << 32 | self.0[0] as u64
    }
}

impl Ask {
    /// Asks for work.
    pub const WORK: Ask = Ask { verb: Verb::Work, key: 0 };
    /// Asks for a connection.
    pub const CONNECT: Ask = Ask { verb: Verb::Connect, key: 0 };
    /// Asks for a page.
    pub const PAGE: Ask = Ask { verb: Verb::Page, key: 0 };
    /// Asks for the address of a name.
    pub const RESOLVE: Ask = Ask { verb: Verb::Resolve, key: 0 };

    /// Asks a database for the entity of a key, and what `scope` says beyond it.
    #[must_use]
    pub const fn query(key: u32, scope: Scope) -> Ask {
        Ask { verb: Verb::Query(scope), key }
    }

    /// Asks for a row, to write it afterwards.
    #[must_use]
    pub const fn look(key: u32) -> Ask {
        Ask { verb: Verb::Look, key }
    }

    /// Asks to write a row, if its version is still the one that was `seen`.
    #[must_use]
    pub const fn swap(key: u32, seen: u32) -> Ask {
        Ask { verb: Verb::Swap { seen }, key }
    }

    /// Asks for the value of a key, if it is there.
    #[must_use]
    pub const fn get(key: u32) -> Ask {
        Ask { verb: Verb::Get, key }
    }

    /// Asks to keep a version of the value of a key.
    #[must_use]
    pub const fn put(key: u32, token: u32, version: u32) -> Ask {
        Ask { verb: Verb::Put { token, version }, key }
    }

    /// Tells that the value of a key is written.
    #[must_use]
    pub const fn wrote(key: u32) -> Ask {
        Ask { verb: Verb::Wrote, key }
    }

    /// Says something to another member of the same box.
    #[must_use]
    pub const fn own(code: u8, tag: u16, word: u64) -> Ask {
        Ask { verb: Verb::Own { code, tag, word: Word::new(word) }, key: 0 }
    }

    /// Whether it asks for a sign of life. Figures leave these calls out of the traffic.
    #[inline]
    #[must_use]
    pub const fn is_check(self) -> bool {
        matches!(self.verb, Verb::Connect | Verb::Page)
    }
}

/// A set of verbs: what a box answers, or what may be asked along an arrow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verbs(u16);

impl Verbs {
    /// Nothing.
    pub const NONE: Verbs = Verbs(0);
    /// [`Verb::Work`], and with it [`Verb::Page`].
    pub const WORK: Verbs = Verbs(1 | PAGE);
    /// [`Verb::Resolve`].
    pub const RESOLVE: Verbs = Verbs(1 << 2);
    /// [`Verb::Query`].
    pub const QUERY: Verbs = Verbs(1 << 3);
    /// [`Verb::Get`], [`Verb::Put`] and [`Verb::Wrote`].
    pub const GET: Verbs = Verbs(1 << 4);
    /// [`Verb::Publish`].
    pub const PUBLISH: Verbs = Verbs(1 << 6);
    /// [`Verb::Pull`].
    pub const PULL: Verbs = Verbs(1 << 7);
    /// [`Verb::Look`] and [`Verb::Swap`].
    pub const SWAP: Verbs = Verbs(1 << 8);

    /// [`Verb::Query`] with a [`Scatter`] over several shards.
    pub const SCATTER: Verbs = Verbs(1 << 9);

    /// The verbs of both sets.
    #[must_use]
    pub const fn and(self, other: Verbs) -> Verbs {
        Verbs(self.0 | other.0)
    }

    /// Whether the two sets have a verb in common.
    #[must_use]
    pub const fn meets(self, other: Verbs) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a verb is in the set. Connections and messages between members are in no set: the model itself answers
    /// connections, and messages stay inside their box.
    #[inline]
    #[must_use]
    pub const fn has(self, verb: Verb) -> bool {
        let bit = match verb {
            Verb::Work => 1,
            Verb::Page => PAGE,
            Verb::Resolve => Verbs::RESOLVE.0,
            Verb::Query(_) => Verbs::QUERY.0,
            Verb::Look | Verb::Swap { .. } => Verbs::SWAP.0,
            Verb::Get | Verb::Put { .. } | Verb::Wrote => Verbs::GET.0,
            Verb::Publish => Verbs::PUBLISH.0,
            Verb::Pull => Verbs::PULL.0,
            Verb::Connect | Verb::Own { .. } => 0,
        };
        self.0 & bit != 0
    }

    /// What one of them is called, and several: "a query", "queries".
    #[must_use]
    pub fn names(self) -> (String, String) {
        let named = NAMES.iter().filter(|(verbs, ..)| self.meets(*verbs));
        let (one, many): (Vec<&str>, Vec<&str>) = named.map(|&(_, one, many)| (one, many)).unzip();
        (one.join(" or "), many.join(" or "))
    }
}

/// The bit of [`Verb::Page`].
const PAGE: u16 = 1 << 1;

/// What messages call them.
const NAMES: [(Verbs, &str, &str); 8] = [
    (Verbs::WORK, "a call", "calls"),
    (Verbs::RESOLVE, "a look-up", "look-ups"),
    (Verbs::QUERY, "a query", "queries"),
    (Verbs::GET, "a get", "gets"),
    (Verbs::PUBLISH, "a publish", "publishes"),
    (Verbs::PULL, "a pull", "pulls"),
    (Verbs::SCATTER, "a query of several shards", "queries of several shards"),
    (Verbs::SWAP, "an optimistic write", "optimistic writes"),
];

/// Bits of an answer that hold a position.
const POSITION_BITS: u32 = 40;

/// What a database answers a query: one word, in [`Call::answer`](super::call::Call::answer).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Position of a write in the log of a database that has one; of a read, the version of the value where a cache wants to know it.
    pub position: u64,
    /// Other entities that the caller must ask for itself, because the database does not.
    pub joins: u16,
    /// Hops of a traversal that are gone when the caller goes the next one; 0 when there is no next one.
    pub gone: u8,
}

impl Found {
    /// As one word.
    ///
    /// # Panics
    /// When the position is 2^40 or more: no trial has as many writes.
    #[must_use]
    pub fn encode(self) -> u64 {
        assert!(self.position < 1 << POSITION_BITS, "a trial has fewer than 2^40 writes");
        u64::from(self.gone) << 56 | u64::from(self.joins) << POSITION_BITS | self.position
    }

    /// What a word says.
    #[must_use]
    pub const fn decode(word: u64) -> Found {
        let position = word & ((1 << POSITION_BITS) - 1);
        Found { position, joins: (word >> POSITION_BITS) as u16, gone: (word >> 56) as u8 }
    }
}

/// What a cache answers a get: one word, in [`Call::answer`](super::call::Call::answer).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// The value.
    Hit,
    /// Nothing. Who asks it elsewhere may put it, with this token; without one the cache would not keep what it gets.
    Miss {
        /// The token.
        token: Option<u32>,
    },
}

impl Got {
    /// As one word.
    #[must_use]
    pub const fn encode(self) -> u64 {
        match self {
            Got::Hit => 0,
            Got::Miss { token: Some(token) } => 1 << 32 | token as u64,
            Got::Miss { token: None } => 2 << 32,
        }
    }

    /// What a word says.
    #[must_use]
    pub const fn decode(word: u64) -> Got {
        match word >> 32 {
            0 => Got::Hit,
            1 => Got::Miss { token: Some(word as u32) },
            _ => Got::Miss { token: None },
        }
    }
}

// Each call carries one.
const _: () = assert!(size_of::<Ask>() == 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_its_verbs_and_their_names() {
        let both = Verbs::QUERY.and(Verbs::GET);
        assert!(both.has(Verb::Query(Scope::default())) && both.has(Verb::Get) && !both.has(Verb::Work));
        assert!(both.meets(Verbs::GET) && !both.meets(Verbs::PULL.and(Verbs::WORK)));
        assert!(Verbs::WORK.has(Verb::Page) && !Verbs::WORK.has(Verb::Connect));
        assert_eq!(both.names(), ("a query or a get".to_owned(), "queries or gets".to_owned()));
    }

    #[test]
    fn words_hold_what_was_put_in() {
        for value in [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX - 1] {
            assert_eq!(Word::new(value).get(), value);
        }
        for (position, joins, gone) in [(0, 0, 0), ((1 << 40) - 1, 0, 0), (7, u16::MAX, u8::MAX), (1, 2, 3)] {
            let found = Found { position, joins, gone };
            assert_eq!(Found::decode(found.encode()), found);
        }
        for got in [
            Got::Hit,
            Got::Miss { token: Some(0) },
            Got::Miss { token: Some(u32::MAX) },
            Got::Miss { token: None },
        ] {
            assert_eq!(Got::decode(got.encode()), got);
        }
    }
}
