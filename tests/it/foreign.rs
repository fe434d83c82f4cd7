//! Kinds of boxes from outside the crate stand wherever their verbs fit: behind a name, a balancer and a query. What they
//! note about a call stays with them, and all boxes on the way of a request see one key.

use std::collections::{BTreeMap, BTreeSet};

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::SimDuration;
use outgrow::model::ask::{Ask, Verbs};
use outgrow::model::call::{Notes, Parent};
use outgrow::model::component::{Component, Cx};
use outgrow::model::record::{ComponentRecord, Stop, TrialRecord};
use outgrow::model::signal::{About, ComponentId, Outcome, Signal};
use outgrow::model::site::Site;
use outgrow::model::spec::{Arrow, Demand, Kind, NoFiles, RequestClass, Spec};
use outgrow::scenario::{self, build::build};
use schemars::JsonSchema;
use serde::Deserialize;

/// One trial of a scenario that may have the kinds of this file.
fn run(text: &str) -> TrialRecord {
    let own = [
        Kind::of::<ProxySpec>("proxy", "Hands each query on and keeps notes about it."),
        Kind::of::<MemoSpec>("memo", "Answers a query itself once it has seen the answer."),
        Kind::of::<DeskSpec>("desk", "Answers each call after a pause."),
    ];
    let kinds: Vec<Kind> = KINDS.iter().copied().chain(own).collect();
    let loaded = scenario::load("foreign.toml", text, &[], &NoFiles, &kinds);
    let scenario = loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario;
    build(&scenario, Seed::new(1).trial(0)).run(scenario.length(), &mut |_| false)
}

fn component<'a>(trial: &'a TrialRecord, name: &str) -> &'a ComponentRecord {
    trial.components.iter().find(|component| component.name == name).expect(name)
}

fn arrow(key: &str, to: &str, asks: Verbs) -> Arrow {
    Arrow { key: key.to_owned(), to: to.to_owned(), asks, public: false }
}

// A proxy that keeps notes --------------------------------------------------------------------------------------------

/// `[proxy.NAME]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProxySpec {
    target: String,
    /// What it notes about each call.
    note: u16,
}

impl Spec for ProxySpec {
    fn arrows(&self) -> Vec<Arrow> {
        vec![arrow("target", &self.target, Verbs::QUERY)]
    }

    fn answers(&self) -> Verbs {
        Verbs::QUERY
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        Demand { calls: vec![(self.target.clone(), 1.0)], ..Demand::default() }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Proxy { target: site.find(&self.target), note: self.note })
    }
}

struct Proxy {
    target: ComponentId,
    note: u16,
}

impl Component for Proxy {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => {
                let note = self.note;
                let notes =
                    Notes { step: note, left: note, pending: note, flags: note as u8, mark: u64::from(note) };
                cx.get_mut(call).notes = notes;
                cx.forward(call, self.target);
            }
            Signal::Returned(call, _) => cx.reply(call, Outcome::Unavailable),
            _ => {}
        }
    }
}

/// Users who read and write, and what a server asks: the database or a proxy before it. Only the database takes time.
fn replicated(asked: &str, note: u16) -> String {
    format!(
        "[run]\nduration = '10s'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\njitter = 0\n\
         [request.read]\nshare = 90\nkeys = 1000\n[request.write]\nshare = 10\neffect = 'write'\nkeys = 1000\n\
         [client.users]\nusers = 50\nthink_time = '200ms'\ntarget = 'web'\n\
         [server.web]\npublic = true\nsteps = [{{ query = '{asked}' }}]\n\
         [proxy.front]\ntarget = 'db'\nnote = {note}\n\
         [database.db]\nread = '1ms'\nwrite = '2ms'\ncommit = '1ms'\nreplicas = 2\nreads = 'replicas'\n\
         read_your_writes = 'wait-for-position'\n"
    )
}

/// What users and nodes see: answers, and the sum of the response times in ns.
fn figures(trial: &TrialRecord) -> Vec<(u64, [u64; Outcome::ALL.len()], u128)> {
    let of_class = trial.classes.iter().map(|class| (class.issued, class.outcomes, class.ended.sum()));
    let nodes = ["db.primary", "db.replica-1", "db.replica-2"].map(|name| component(trial, name));
    let of_node = nodes.into_iter().map(|node| (node.arrived, node.outcomes, node.response.sum()));
    of_class.chain(of_node).collect()
}

#[test]
fn notes_of_a_proxy_say_nothing_to_a_database() {
    let alone = run(&replicated("db", 0));
    let expected = figures(&alone);
    assert!(alone.classes[0].outcomes[0] > 1000, "there are reads");
    for note in 0..=16 {
        let behind = run(&replicated("front", note));
        assert_eq!(component(&behind, "front").passed_on, component(&behind, "front").arrived);
        assert_eq!(figures(&behind), expected, "with {note} in all notes");
    }
}

// A box that keeps answers --------------------------------------------------------------------------------------------

/// `[memo.NAME]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemoSpec {
    target: String,
    /// The first try of each request fails. A second one must ask for the same key.
    #[serde(default)]
    moody: bool,
}

impl Spec for MemoSpec {
    fn arrows(&self) -> Vec<Arrow> {
        vec![arrow("target", &self.target, Verbs::QUERY)]
    }

    fn answers(&self) -> Verbs {
        Verbs::QUERY
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        Demand { calls: vec![(self.target.clone(), 1.0)], ..Demand::default() }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        let target = site.find(&self.target);
        Box::new(Memo { target, moody: self.moody, known: BTreeSet::new(), failed: BTreeMap::new() })
    }
}

struct Memo {
    target: ComponentId,
    moody: bool,
    known: BTreeSet<u32>,
    /// By request, the key that its first try has asked for.
    failed: BTreeMap<u64, u32>,
}

impl Component for Memo {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => {
                let (number, key) = (cx.get(call).number, cx.get(call).ask().key);
                if self.moody {
                    match self.failed.insert(number, key) {
                        None => return cx.reply(call, Outcome::Rejected),
                        Some(first) => assert_eq!(key, first, "a retry asks for the same key"),
                    }
                }
                if self.known.contains(&key) {
                    cx.reply(call, Outcome::Ok);
                } else {
                    // Ordinal 0 hands on what was asked, key included.
                    cx.call(Parent::Call(call), self.target, 0);
                }
            }
            Signal::Reply(child, outcome) => {
                if let Parent::Call(call) = cx.get(child).parent {
                    self.known.insert(cx.get(child).ask().key);
                    cx.get_mut(call).answer = cx.get(child).answer;
                    cx.reply(call, outcome);
                }
            }
            _ => {}
        }
    }
}

/// One user at a time, who reads one of 50 keys 20 times a second, from a database of two nodes behind `boxes`.
fn memos(client: &str, boxes: &str) -> TrialRecord {
    run(&format!(
        "[run]\nduration = '60s'\nwarmup = '0s'\n[request.read]\nkeys = 50\n\
         [client.users]\ntarget = 'web'\nusers = 1\nthink_time = '1ms'\n{client}\n\
         [server.web]\npublic = true\nsteps = [{{ query = 'outer' }}]\n{boxes}\n\
         [database.db]\nengine = 'key-value'\nnodes = 2\n"
    ))
}

#[test]
fn all_boxes_on_the_way_see_one_key() {
    let trial = memos("", "[memo.outer]\ntarget = 'inner'\n[memo.inner]\ntarget = 'db'");
    assert!(trial.classes[0].outcomes[0] > 1000, "every key is asked for");
    assert_eq!(trial.classes[0].in_flight() + trial.classes[0].outcomes[0], trial.classes[0].issued);
    for name in ["inner", "db"] {
        assert_eq!(component(&trial, name).arrived, 50, "each key is missed once at {name}");
    }
}

#[test]
fn a_retry_asks_for_the_same_key() {
    let retry = "retry = { attempts = 2, backoff = '1ms' }";
    let trial = memos(retry, "[memo.outer]\ntarget = 'db'\nmoody = true");
    let class = &trial.classes[0];
    assert!(class.outcomes[0] > 500 && class.attempts == 2 * class.outcomes[0], "{:?}", class.outcomes);
}

// A box that works ----------------------------------------------------------------------------------------------------

/// `[desk.NAME]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeskSpec {
    /// A box that it asks for the wrong thing.
    nags: Option<String>,
    /// It asks as if it were a member of that box.
    #[serde(default)]
    lies: bool,
}

impl Spec for DeskSpec {
    fn arrows(&self) -> Vec<Arrow> {
        self.nags.iter().map(|to| arrow("nags", to, Verbs::QUERY)).collect()
    }

    fn is_public(&self) -> bool {
        true
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        let ask = if self.lies { Ask::own(13, 1, 1) } else { Ask::WORK };
        Box::new(Desk { nags: self.nags.as_ref().map(|to| (site.find(to), ask)) })
    }
}

struct Desk {
    nags: Option<(ComponentId, Ask)>,
}

impl Component for Desk {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match (signal, self.nags) {
            (Signal::Call(call), None) => {
                cx.alarm(SimDuration::from_millis(5), 0, About::Call(call));
            }
            (Signal::Call(call), Some((to, ask))) => {
                cx.ask(Parent::Call(call), to, 1, ask);
            }
            (Signal::Alarm(alarm), _) => {
                if let About::Call(call) = alarm.about {
                    cx.reply(call, Outcome::Ok);
                }
            }
            _ => {}
        }
    }
}

fn desk(target: &str, boxes: &str) -> TrialRecord {
    run(&format!(
        "[run]\nduration = '20s'\nwarmup = '0s'\n[client.users]\nrate = '100/s'\ntarget = '{target}'\n{boxes}\n"
    ))
}

#[test]
fn a_box_from_outside_stands_behind_a_name_and_behind_a_balancer() {
    for (target, boxes) in [
        ("www", "[dns.www]\nrecords = ['desk']\nhealth = { interval = '2s' }\n[desk.desk]"),
        (
            "lb",
            "[balancer.lb]\npublic = true\ntargets = ['desk']\nhealth = { kind = 'page' }\nretries = 1\n[desk.desk]",
        ),
    ] {
        let trial = desk(target, boxes);
        let class = &trial.classes[0];
        assert_eq!(trial.stop, Stop::Finished);
        assert!(class.issued > 1500, "{target}: {}", class.issued);
        assert_eq!(class.issued, class.outcomes[0] + class.in_flight(), "{target}: all are answered");
        assert!(component(&trial, "desk").outcomes[0] >= class.outcomes[0], "{target}");
    }
}

#[test]
#[should_panic(expected = "`desk` asks `db` for what it does not answer: Work")]
fn a_question_to_the_wrong_box_is_an_assertion_that_names_both() {
    desk("desk", "[desk.desk]\nnags = 'db'\n[database.db]");
}

#[test]
#[should_panic(expected = "`desk` asks `db` for what it does not answer: Own")]
fn a_message_between_members_comes_from_no_other_box() {
    desk("desk", "[desk.desk]\nnags = 'db'\nlies = true\n[database.db]\nreplicas = 1");
}
