//! Connections to databases: a query takes one of the pool, a transaction holds one over its steps, and a call waits for
//! one no longer than the limit of the pool.

use crate::kernel::time::SimDuration;
use crate::kernel::time::SimTime;
use crate::model::ask::{Ask, Scope};
use crate::model::component::Cx;
use crate::model::machine::Device;
use crate::model::signal::{About, CallId, Outcome};
use crate::parts::door::rank_of;
use crate::parts::members::Members;
use crate::queueing::pool::{Acquire, Granted, Pool};

use super::calls::ordinal;
use super::spec::ServerSpec;
use super::wires::Wires;
use super::{Action, CONNECT_DRAW, CONNECT_STEP, OPENS, POOL_LIMIT, Server, gauges};

/// Connections to one database.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) targets: Members,
    pub(super) pool: Pool<CallId>,
    /// The rank of the calls of each class, as of a door.
    ranks: Vec<u8>,
    /// Longest wait for a connection.
    limit: SimDuration,
    /// Whether the timer of the limit is set.
    is_armed: bool,
    /// Those that are open, if they take a round trip to open.
    wires: Option<Wires>,
}

impl Connections {
    pub(super) fn new(
        targets: Members,
        pool: Pool<CallId>,
        ranks: Vec<u8>,
        spec: &ServerSpec,
    ) -> Connections {
        let wires = spec.lasting().map(|lasting| Wires::new(lasting, SimTime::ZERO));
        Connections { targets, pool, ranks, limit: spec.pool_timeout(), is_armed: false, wires }
    }

    pub(super) fn crash(&mut self, cx: &Cx<'_>) {
        self.pool.clear();
        self.is_armed = false;
        if let Some(wires) = &mut self.wires {
            wires.restart(cx);
        }
    }
}

impl Server {
    /// Works for the connection of a call, if it was opened for this call. Returns whether there is such work.
    #[cold]
    pub(super) fn make_connection(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let Some(cost) = self.connect_cpu.as_ref().filter(|_| cx.is_first(call)) else { return false };
        let demand = cx.demand(call, cost, CONNECT_DRAW);
        if demand.is_zero() {
            return false;
        }
        cx.get_mut(call).notes.step = CONNECT_STEP;
        cx.work(call, Device::Cpu, demand);
        true
    }

    /// The work for the connection of a call is done.
    #[cold]
    pub(super) fn connection_made(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let notes = &mut cx.get_mut(call).notes;
        notes.step = 0;
        self.begin_work(call, cx);
    }

    /// A call takes a connection, or waits for one.
    pub(super) fn connect(&mut self, call: CallId, database: usize, cx: &mut Cx<'_>) {
        if self.takes_care && self.is_denied(call, cx) {
            return;
        }
        if self.has_transaction(call, database, cx) {
            return self.query(call, database, cx);
        }
        let connections = &mut self.databases[database];
        let ranks = &connections.ranks;
        match connections.pool.acquire_as(cx.now(), call, || rank_of(ranks, call, cx)) {
            Acquire::Granted => {
                self.tell_held(cx);
                self.connected(call, cx);
            }
            Acquire::Queued => {
                if !std::mem::replace(&mut connections.is_armed, true) {
                    cx.alarm(connections.limit, POOL_LIMIT, About::Number(database as u32));
                }
                cx.annotate(call, || "waits for a connection to the database".into());
                self.tell_waiting(cx);
            }
            Acquire::Full | Acquire::Displaced(..) => {
                unreachable!("as many may wait for a connection as there are workers")
            }
        }
    }

    /// A call has its connection: it asks its query, or begins its transaction.
    fn connected(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if self.has_wires {
            self.take_wire(call, cx);
        }
        let stage = &self.stages[usize::from(cx.get(call).notes.step)];
        match stage.action {
            // Many transactions may be empty, and many queries refused before they are sent: they must not go on inside one another.
            Action::Begin(..) => self.begun.push_back(call),
            Action::Query(..) if stage.calling.is_some() => self.begun.push_back(call),
            Action::Query(database, ..) => self.query(call, database, cx),
            _ => unreachable!("only queries and transactions take connections"),
        }
    }

    /// A call goes on with the connection that it has got.
    pub(super) fn go_on_with(&mut self, call: CallId, cx: &mut Cx<'_>) {
        match self.stages[usize::from(cx.get(call).notes.step)].action {
            Action::Query(database, ..) => self.query(call, database, cx),
            _ => self.go_on(call, cx),
        }
    }

    /// A call takes an open connection, or its first query opens one.
    #[cold]
    fn take_wire(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let (Action::Query(database, ..) | Action::Begin(database, _)) =
            self.stages[usize::from(cx.get(call).notes.step)].action
        else {
            return;
        };
        let Connections { targets, wires: Some(wires), .. } = &mut self.databases[database] else { return };
        let opens = wires.take(cx.falls(targets.first()), cx.now());
        cx.share(gauges::CONNECTS_PER_REQUEST, opens);
        if opens {
            cx.count(gauges::CONNECTS);
            cx.get_mut(call).notes.flags |= OPENS;
        }
    }

    /// A call has asked another box: a database over the connection that the call has, which its first query opens if it is new.
    #[cold]
    pub(super) fn use_wire(&self, call: CallId, child: CallId, cx: &mut Cx<'_>) {
        let notes = cx.get(call).notes;
        let Action::Query(database, ..) = self.stages[usize::from(notes.step)].action else { return };
        if notes.flags & OPENS != 0 {
            cx.get_mut(call).notes.flags &= !OPENS;
            cx.open_for(child, 1);
        } else if self.databases[database].wires.is_some() {
            cx.send_over_open(child);
        }
    }

    /// A call asks its database over its connection.
    pub(super) fn query(&mut self, call: CallId, database: usize, cx: &mut Cx<'_>) {
        let notes = cx.get(call).notes;
        let ordinal = ordinal(call, notes.pending, cx);
        let stage = &self.stages[usize::from(notes.step)];
        let Action::Query(_, _, scope) = stage.action else { return };
        let (takes_care, swaps) = (stage.calling.is_some(), stage.swaps);
        let scope = match notes.pending {
            0 => scope,
            // The next hop of a traversal, if the database cannot traverse.
            hop if scope.hops > 0 => Scope { parts: 0, gone: hop as u8, ..scope },
            _ => Scope::default(),
        };
        let key = self.data_key(call, ordinal, cx);
        let ask = if swaps { Ask::look(key) } else { Ask::query(key, scope) };
        if takes_care {
            self.run_errand(call, ordinal, ask, cx);
        } else {
            let to = self.databases[database].targets.turn();
            self.send(call, to, ordinal, ask, cx);
        }
    }

    /// Tells the model how many calls wait for a connection.
    pub(super) fn tell_waiting(&mut self, cx: &mut Cx<'_>) {
        let for_connections = self.databases.iter().map(|database| database.pool.waiting()).sum();
        self.door.set_waiting_inside(for_connections, cx);
    }

    /// Tells the model how many connections calls hold.
    pub(super) fn tell_held(&self, cx: &mut Cx<'_>) {
        let held = self.databases.iter().map(|database| u64::from(database.pool.held())).sum();
        cx.level(gauges::POOL_HELD, held);
    }

    /// Whether a call asks its query over the connection of its transaction.
    pub(super) fn has_transaction(&self, call: CallId, database: usize, cx: &Cx<'_>) -> bool {
        let stage = &self.stages[usize::from(cx.get(call).notes.step)];
        matches!(stage.action, Action::Query(..)) && stage.open.contains(&database)
    }

    /// A connection is given back, which may be broken: the next call that waits for one has it.
    pub(super) fn give_back(&mut self, database: usize, is_open: bool, cx: &mut Cx<'_>) {
        let mut is_open = is_open;
        if let Some(wires) = &mut self.databases[database].wires {
            wires.give_back(std::mem::replace(&mut is_open, true), cx.now());
        }
        while let Some(Granted { job, waited }) = self.databases[database].pool.release(cx.now()) {
            cx.get_mut(job).waited += waited;
            cx.time(gauges::POOL_WAIT, waited);
            self.tell_waiting(cx);
            if self.propagates && self.is_useless(job, cx) {
                self.fail(job, Outcome::TimedOut, cx);
                continue;
            }
            return self.connected(job, cx);
        }
        self.tell_held(cx);
    }

    /// A call ends within transactions: their connections are given back.
    pub(super) fn roll_back(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let step = usize::from(cx.get(call).notes.step);
        let open = self.stages.get(step).map_or(0, |stage| stage.open.len());
        for at in (0..open).rev() {
            let database = self.stages[step].open[at];
            self.give_back(database, true, cx);
        }
    }

    /// The limit of a pool is reached: the calls that have waited that long fail.
    pub(super) fn pool_limit(&mut self, database: usize, cx: &mut Cx<'_>) {
        let now = cx.now();
        loop {
            let connections = &mut self.databases[database];
            let Some(call) = connections.pool.expire(now, connections.limit) else { break };
            cx.get_mut(call).waited += connections.limit;
            cx.count(gauges::POOL_TIMEOUTS);
            self.fail(call, Outcome::TimedOut, cx);
        }
        let connections = &mut self.databases[database];
        connections.is_armed = connections.pool.waiting() > 0;
        if connections.is_armed {
            let left = connections.limit - connections.pool.oldest_wait(now);
            cx.alarm(left, POOL_LIMIT, About::Number(database as u32));
        }
        self.tell_waiting(cx);
    }
}
