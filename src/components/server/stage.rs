//! `Stage`: a step of a server, ready to run: names have become indices, and the steps of transactions stand in a row.

use crate::kernel::random::unit_open;
use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;
use crate::model::ask::{Scope, Verb};
use crate::model::class::priorities;
use crate::model::component::Cx;
use crate::model::site::Site;
use crate::parts::calling::Calling;
use crate::parts::members::Members;
use crate::queueing::pool::{Order, Pool};

use super::Server;
use super::connections::Connections;
use super::keys::Data;
use super::spec::ServerSpec;
use super::step::Step;

/// Purposes of draws for each step: the even number is for its demand, the odd one for whether it is taken.
pub(super) const DRAWS_A_STEP: u64 = 2;

/// What a step does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Cpu(Variate),
    Wait(Variate),
    /// A wait that is longer by this time for each other call inside.
    Crowded(Variate, SimDuration),
    /// Index of the connection pool, number of repetitions, and what the query asks for beyond one entity.
    Query(usize, u16, Scope),
    /// Index of the targets, number of repetitions, number of parallel calls.
    Call(usize, u16, u16),
    /// A transaction begins: index of the connection pool, and of the step that ends it.
    Begin(usize, usize),
    /// It ends, and gives the connection back.
    End(usize),
    /// A cache is asked: index of the targets, and of the last step that a hit makes superfluous.
    Get(usize, u16),
    /// The cache gets what it did not have: index of the targets, and of the step that asked it.
    Put(usize, u16),
    /// The machine looks whether it knows the user: index of the last step that this makes superfluous.
    Session(usize),
    /// The user has logged in.
    LogIn,
    /// The user is known: the work begins.
    Enter,
    /// The work is over, where steps of another sort stand behind it.
    Finish,
}

/// A step, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) action: Action,
    pub(super) chance: Option<f64>,
    pub(super) class: Option<u16>,
    /// The care that it takes with its calls, if any.
    pub(super) calling: Option<Box<Calling>>,
    /// The data that it asks for.
    pub(super) data: Data,
    /// Whether its query is an optimistic write.
    pub(super) swaps: bool,
    /// The pools of which a call holds a connection in this step, one for each transaction around it.
    pub(super) open: Vec<usize>,
}

impl Server {
    /// Adds the stages of some steps, around which the transactions in `open` are.
    pub(super) fn stages(
        &mut self,
        steps: &[Step],
        open: &mut Vec<usize>,
        spec: &ServerSpec,
        site: &Site<'_>,
    ) {
        for step in steps {
            let at = self.stages.len();
            let mut stage = self.stage(step, spec, site);
            stage.open.clone_from(open);
            self.stages.push(stage);
            if let (Action::Get(cache, _), Some(miss)) = (&self.stages[at].action, &step.miss) {
                let cache = *cache;
                self.aside(at, cache, miss, open, spec, site);
                continue;
            }
            let Action::Begin(database, _) = self.stages[at].action else { continue };
            open.push(database);
            self.stages(&step.steps, open, spec, site);
            let end = self.stages.len();
            self.stages[at].action = Action::Begin(database, end);
            let action = Action::End(database);
            self.stages.push(Stage { open: open.clone(), ..Stage::of(action) });
            open.pop();
        }
    }

    /// Adds the stages that follow a question to a cache at `at` which it cannot answer.
    fn aside(
        &mut self,
        at: usize,
        cache: usize,
        miss: &Step,
        open: &[usize],
        spec: &ServerSpec,
        site: &Site<'_>,
    ) {
        let mut stage = self.stage(miss, spec, site);
        (stage.open, stage.data) = (open.to_vec(), Data::OfStep(at as u16));
        self.stages.push(stage);
        let end = self.stages.len();
        self.stages[at].action = Action::Get(cache, end as u16);
        self.stages.push(Stage { open: open.to_vec(), ..Stage::of(Action::Put(cache, at as u16)) });
    }

    pub(super) fn stage(&mut self, step: &Step, spec: &ServerSpec, site: &Site<'_>) -> Stage {
        let times = step.times.unwrap_or(1) as u16;
        let action = match step {
            Step { cpu: Some(dist), .. } => Action::Cpu(dist.variate()),
            Step { wait: Some(dist), per_inside: Some(each), .. } => Action::Crowded(dist.variate(), each.0),
            Step { wait: Some(dist), .. } => Action::Wait(dist.variate()),
            Step { query: Some(name), .. } => {
                Action::Query(self.database(name, spec, site), times, step.scope())
            }
            Step { transaction: Some(name), .. } => Action::Begin(self.database(name, spec, site), 0),
            Step { call: Some(name), .. } => {
                Action::Call(self.other(name, site), times, step.parallel.unwrap_or(1) as u16)
            }
            Step { cache: Some(name), .. } => Action::Get(self.other(name, site), 0),
            _ => unreachable!("the loader has checked that a step does one thing"),
        };
        let asks = matches!(action, Action::Query(..) | Action::Call(..));
        let takes_care = !step.calling().is_empty() || step.swap || (spec.cancel && asks);
        let class =
            step.class.as_ref().and_then(|name| site.classes.iter().position(|class| class.name == *name));
        Stage {
            chance: step.chance.map(|chance| chance.0),
            class: class.map(|index| index as u16),
            swaps: step.swap,
            calling: takes_care.then(|| Box::new(step.calling().calling())),
            ..Stage::of(action)
        }
    }

    fn database(&mut self, name: &str, spec: &ServerSpec, site: &Site<'_>) -> usize {
        if let Some(known) = self.databases.iter().position(|connections| connections.targets.name() == name)
        {
            return known;
        }
        let pool = Pool::new(spec.db_pool(), spec.workers(), Order::Fifo);
        let ranks = priorities(site.classes);
        let connections = Connections::new(Members::new(name, site), pool, ranks, spec);
        self.databases.push(connections);
        self.databases.len() - 1
    }

    pub(super) fn other(&mut self, name: &str, site: &Site<'_>) -> usize {
        if let Some(known) = self.others.iter().position(|targets| targets.name() == name) {
            return known;
        }
        self.others_query.push(!site.answers[site.find(name).index()].has(Verb::Work));
        self.others.push(Members::new(name, site));
        self.others.len() - 1
    }
}

impl Stage {
    /// A step that all calls take, without care.
    pub(super) fn of(action: Action) -> Stage {
        Stage {
            action,
            chance: None,
            class: None,
            calling: None,
            data: Data::Own,
            swaps: false,
            open: Vec::new(),
        }
    }

    /// Whether a call takes this step.
    #[inline]
    pub(super) fn is_taken(&self, key: u64, class: u16, at: usize, cx: &Cx<'_>) -> bool {
        if self.class.is_some_and(|only| only != class) {
            return false;
        }
        match self.chance {
            Some(chance) => unit_open(&mut cx.rng_of(key, at as u64 * DRAWS_A_STEP + 1)) < chance,
            None => true,
        }
    }
}
