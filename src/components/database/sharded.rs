//! `Sharded`: sends each query to the shard that has its key, and there to a node. It is a part of the driver in each caller, and
//! costs nothing.

use rand::Rng;

use crate::kernel::random::below;
use crate::model::ask::{Ask, Found, MISSING, Scatter, Scope, Verb};
use crate::model::call::{Call, Parent};
use crate::model::component::{Component, Cx};
use crate::model::signal::{About, Alarm, CallId, ComponentId, Control, Outcome, Signal};
use crate::model::site::Site;
use crate::queueing::placement::Placement;

use super::book::Asked;
use super::directory::Directory;
use super::gauges;
use super::message::order;
use super::moves::Moves;
use super::router::Router;
use super::spec::DatabaseSpec;
use super::timer;

/// Purpose of the draw of the further shards that a query asks.
const OTHERS: u64 = 0;

/// The nodes of one shard.
#[derive(Debug)]
enum Shard {
    One(ComponentId),
    Several(Box<Router>),
}

impl Shard {
    fn has(&self, node: ComponentId) -> bool {
        match self {
            Shard::One(one) => *one == node,
            Shard::Several(router) => router.has(node),
        }
    }

    fn primary(&self) -> ComponentId {
        match self {
            Shard::One(one) => *one,
            Shard::Several(router) => router.primary(),
        }
    }
}

/// The driver of a database whose data are divided by key.
#[derive(Debug)]
pub struct Sharded {
    placement: Placement,
    /// Where the shard of a key is asked for first.
    directory: Option<Box<Directory>>,
    /// What the operators do with the division.
    moves: Option<Box<Moves>>,
    shards: Vec<Shard>,
    asked: Asked,
    /// Whether each class writes.
    writes: Vec<bool>,
    /// Whether the start value of the hash is drawn: each trial has another one, and which node has the most popular key is chance.
    draws_salt: bool,
}

impl Sharded {
    /// The driver of the database that `spec` describes.
    #[must_use]
    pub fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Sharded {
        let shard = |shard: u32| match spec.is_replicated() {
            true => Shard::Several(Box::new(Router::new(spec, shard, site))),
            false => Shard::One(spec.node_ids(shard, site)[0]),
        };
        let placement = spec.placement(site.classes, 0);
        Sharded {
            directory: Directory::new(spec, site).map(Box::new),
            moves: Moves::new(spec, &placement, site).map(Box::new),
            placement,
            shards: (0..spec.partitions()).map(shard).collect(),
            asked: Asked::NONE,
            writes: site.classes.iter().map(|class| class.writes).collect(),
            draws_salt: !spec.is_sharded(),
        }
    }

    /// A query comes. Where there is a directory, that is asked first, unless the query is a part of another or asks all shards.
    #[inline]
    fn take(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let Some(directory) = &mut self.directory else { return self.route(call, cx) };
        let Ask { verb, key } = cx.get(call).ask();
        let needs_none = matches!(verb, Verb::Query(Scope { scatter, .. })
            if scatter.part().is_some() || scatter.width(Scatter::ALL) == Some(Scatter::ALL));
        if needs_none { self.route(call, cx) } else { directory.look_up(call, key, cx) }
    }

    /// The directory has answered the ask for the shard of a query. A read whose shard is not known goes to all of them.
    fn told(&mut self, asked: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let Parent::Call(call) = cx.get(asked).parent else { return };
        if outcome != Outcome::Ok {
            cx.annotate(call, || "does not learn the shard of its key".into());
            return cx.reply(call, outcome);
        }
        let knows = self.directory.as_mut().is_none_or(|directory| directory.knows(asked, cx));
        let &Call { class, .. } = cx.get(call);
        let Ask { verb, key } = cx.get(call).ask();
        match verb {
            Verb::Query(scope) if !knows && !self.writes[usize::from(class)] => {
                let home = self.home(key);
                self.scatter(call, home, Scope { scatter: Scatter::over(Scatter::ALL, false), ..scope }, cx);
            }
            _ => self.route(call, cx),
        }
    }

    /// Hands a query to the shard of its key, or asks several.
    #[inline]
    fn route(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let Ask { verb, key } = cx.get(call).ask();
        let home = self.home(key);
        match verb {
            Verb::Query(scope) if scope.scatter != Scatter::KEY => match scope.scatter.part() {
                Some(shard) => self.hand(call, usize::from(shard), cx),
                None => self.scatter(call, home, scope, cx),
            },
            Verb::Query(_) if self.placement.copies(key) > 1 => self.copy(call, home, cx),
            _ => self.hand(call, home, cx),
        }
    }

    /// The shard that has a key now.
    #[inline]
    fn home(&self, key: u32) -> usize {
        // In ranges a key that no data have is looked for where it would be.
        let key = if self.placement.is_in_order() { key & !MISSING } else { key };
        match &self.moves {
            None => self.placement.of(key),
            Some(moves) => moves.of(key, &self.placement),
        }
    }

    /// Hands a read to one of the shards that have a copy of its key, at random; a write goes to all of them.
    fn copy(&mut self, call: CallId, home: usize, cx: &mut Cx<'_>) {
        let &Call { class, .. } = cx.get(call);
        let Ask { verb: Verb::Query(scope), key } = cx.get(call).ask() else { return };
        let (copies, shards) = (self.placement.copies(key), self.shards.len());
        if !self.writes[usize::from(class)] {
            let copy = below(&mut cx.rng(call, OTHERS), copies as u64) as usize;
            return self.hand(call, (home + copy) % shards, cx);
        }
        self.begin(call, copies, cx);
        for shard in (home..home + copies).map(|shard| shard % shards) {
            self.part(call, shard, key, scope, cx);
        }
    }

    /// Asks several shards the same at once: that of the key, and others that follow it in order, from a random one on. Each part is a call
    /// to the driver itself, which goes on as any query does.
    fn scatter(&mut self, call: CallId, home: usize, scope: Scope, cx: &mut Cx<'_>) {
        let key = cx.get(call).ask().key;
        let shards = self.moves.as_ref().map_or(self.shards.len(), |moves| moves.shards(&self.placement));
        let width = scope.scatter.width(shards as u16).map_or(1, usize::from);
        let others = shards - 1;
        let from = if width < shards { below(&mut cx.rng(call, OTHERS), others as u64) as usize } else { 0 };
        self.begin(call, width, cx);
        for part in 0..width {
            let shard = if part == 0 { home } else { (home + 1 + (from + part - 1) % others) % shards };
            self.part(call, shard, key, scope, cx);
        }
    }

    /// A query waits for this number of parts.
    fn begin(&self, call: CallId, parts: usize, cx: &mut Cx<'_>) {
        let notes = &mut cx.get_mut(call).notes;
        (notes.pending, notes.left, notes.step) = (parts as u16, 0, Outcome::Ok as u16);
        notes.mark = parts as u64;
    }

    /// Asks a shard for its part of a query.
    fn part(&self, call: CallId, shard: usize, key: u32, scope: Scope, cx: &mut Cx<'_>) {
        let scope = Scope { scatter: Scatter::to(shard as u16), ..scope };
        cx.ask(Parent::Call(call), cx.me(), shard as u64 + 1, Ask::query(key, scope));
    }

    /// A part of a query is answered. With the last one the query is, as the first of its parts that has failed.
    fn gathered(&mut self, part: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let Parent::Call(call) = cx.get(part).parent else { return };
        let notes = &mut cx.get_mut(call).notes;
        notes.pending -= 1;
        if outcome != Outcome::Ok {
            notes.left += 1;
            if notes.step == Outcome::Ok as u16 {
                notes.step = outcome as u16;
            }
        }
        let (pending, failed, worst) = (notes.pending, notes.left, Outcome::ALL[usize::from(notes.step)]);
        if pending > 0 {
            return;
        }
        let Verb::Query(Scope { scatter, .. }) = cx.get(call).ask().verb else { return };
        let width = cx.get(call).notes.mark;
        cx.get_mut(call).answer = Found::default().encode();
        if failed == 0 {
            cx.reply(call, Outcome::Ok);
        } else if scatter.is_partial() && u64::from(failed) < width {
            cx.count(gauges::PARTIAL);
            cx.annotate(call, || format!("is answered without {failed} of {width} shards"));
            cx.reply(call, Outcome::Ok);
        } else {
            cx.reply(call, worst);
        }
    }

    fn hand(&mut self, call: CallId, shard: usize, cx: &mut Cx<'_>) {
        self.asked.count(shard, cx);
        match &mut self.shards[shard] {
            Shard::One(node) => cx.forward(call, *node),
            Shard::Several(router) => router.route(call, cx),
        }
    }

    /// Goes on with the data that move.
    fn go_on(&mut self, signal: Signal, cx: &mut Cx<'_>) -> bool {
        let Some(moves) = &mut self.moves else { return false };
        let shards = &self.shards;
        let primary = |shard: usize| shards[shard].primary();
        match signal {
            Signal::Alarm(Alarm { code: timer::MOVE, .. }) => moves.next(&self.placement, primary, cx),
            Signal::Alarm(Alarm { code: timer::STALL, about: About::Number(number) }) => {
                moves.stalled(number, cx);
            }
            Signal::Reply(call, outcome) => {
                return moves.answered(call, outcome, &self.placement, primary, cx);
            }
            _ => return false,
        }
        true
    }

    fn router_of(&mut self, node: ComponentId) -> Option<&mut Router> {
        match self.shards.iter_mut().find(|shard| shard.has(node))? {
            Shard::One(_) => None,
            Shard::Several(router) => Some(router),
        }
    }
}

impl Component for Sharded {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.asked = Asked::open(self.shards.len(), cx);
        if let Some(moves) = &self.moves {
            moves.start(cx);
        }
        if self.draws_salt {
            self.placement.set_salt(cx.stream("partition").next_u64());
        }
        for shard in &mut self.shards {
            if let Shard::Several(router) = shard {
                router.open(cx);
            }
        }
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.take(call, cx),
            Signal::Returned(call, from) => match self.router_of(from) {
                Some(router) => router.returned(call, from, cx),
                // The node of the key is down, and no other node has the key.
                None => cx.reply(call, Outcome::Unavailable),
            },
            Signal::Passed(call, outcome) => {
                let node = cx.get(call).callee;
                if let Some(router) = self.router_of(node) {
                    router.passed(call, outcome, cx);
                }
            }
            Signal::Control(Control::Order(given)) => {
                let (shard, _) = order::of(given.subject);
                if let Some(Shard::Several(router)) = self.shards.get_mut(shard) {
                    router.order(given, cx);
                }
            }
            Signal::Reply(..) | Signal::Alarm(_) if self.go_on(signal, cx) => {}
            Signal::Reply(asked, outcome)
                if self.directory.as_ref().is_some_and(|directory| directory.is_asked(asked, cx)) =>
            {
                self.told(asked, outcome, cx);
            }
            Signal::Reply(part, outcome) => self.gathered(part, outcome, cx),
            _ => {}
        }
    }
}
