//! `sessions`: users log in, and a machine or a box that it asks knows them until they have been away for a time.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use std::collections::BTreeMap;

use crate::kernel::random::{Stream, below};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::ledger::{Findings, Ledger, LedgerId};
use crate::model::signal::{About, CallId, Outcome};
use crate::model::site::Site;

use super::keys::Data;
use super::spec::{ServerSpec, SessionsSpec};
use super::stage::{Action, Stage};
use super::{SWEPT, Server, gauges};

/// Time between two looks for sessions that are over, as of Tomcat 10.1: 6 (`processExpiresFrequency`) times 10 s
/// (`backgroundProcessorDelay`) [V].
const SWEEP: SimDuration = SimDuration::from_secs(60);

/// The sessions of the machine, and what they take.
#[derive(Debug)]
pub(super) struct Sessions {
    /// When each user was here last. Its length is at most the number of users within `ttl` and a sweep.
    used: BTreeMap<u64, SimTime>,
    ttl: SimDuration,
    memory: u64,
    /// Where the users themselves keep their sessions: what they have.
    cookies: Option<LedgerId<Cookies>>,
    /// When the first sweep of a process comes.
    phase: Option<Stream>,
}

impl Sessions {
    /// Takes out those that are over. Returns their number.
    fn sweep(&mut self, now: SimTime) -> u64 {
        let (ttl, before) = (self.ttl, self.used.len());
        self.used.retain(|_, used| now.since(*used) < ttl);
        (before - self.used.len()) as u64
    }

    fn bytes(&self) -> u64 {
        self.used.len() as u64 * self.memory
    }
}

/// What the browsers of the users have from one group of servers.
#[derive(Debug, Default)]
struct Cookies {
    /// When each user was here last. Its length is at most the number of users within `ttl` and a sweep.
    used: BTreeMap<u64, SimTime>,
}

impl Ledger for Cookies {
    fn end_warmup(&mut self, _now: SimTime) {}

    fn close_window(&mut self, _now: SimTime) {}

    fn finish(&mut self, _now: SimTime) -> Findings {
        Findings::plain(Vec::new())
    }
}

impl Server {
    /// Adds the stages in which a user is known or logs in. They stand behind those of the work, so that the draws of the work are the
    /// same with and without sessions; a call begins with them.
    pub(super) fn add_sessions(&mut self, sessions: &SessionsSpec, spec: &ServerSpec, site: &Site<'_>) {
        self.stages.push(Stage::of(Action::Finish));
        self.first = self.stages.len() as u16;
        let first = usize::from(self.first);
        let login = sessions.login.as_deref().map(|login| self.stage(login, spec, site));
        let last = first + 1 + usize::from(login.is_some());
        let of_user = |action| Stage { data: Data::User, ..Stage::of(action) };
        match &sessions.store {
            None => {
                let (ttl, memory) = (sessions.ttl(), sessions.memory());
                let cookies = sessions.is_cookie().then_some(LedgerId::NONE);
                self.sessions =
                    Some(Box::new(Sessions { used: BTreeMap::new(), ttl, memory, cookies, phase: None }));
                self.stages.push(Stage::of(Action::Session(last)));
                self.stages.extend(login);
                self.stages.push(Stage::of(Action::LogIn));
            }
            Some(store) => {
                let other = self.other(store, site);
                self.stages.push(of_user(Action::Get(other, last as u16)));
                self.stages.extend(login);
                self.stages.push(of_user(Action::Put(other, first as u16)));
            }
        }
        self.stages.push(Stage::of(Action::Enter));
    }

    /// Looks whether the machine knows the user of a call, which goes on with its work then, or logs in.
    #[cold]
    pub(super) fn recognise(&mut self, call: CallId, at: usize, last: usize, cx: &mut Cx<'_>) {
        cx.get_mut(call).notes.step = at as u16;
        let (user, now) = (cx.user_of(call), cx.now());
        let sessions = self.sessions.as_mut().expect("the stage is there with the sessions");
        let all = match sessions.cookies {
            Some(cookies) => &mut cx.ledger(cookies).used,
            None => &mut sessions.used,
        };
        let is_known = match all.get_mut(&user) {
            Some(used) if now.since(*used) < sessions.ttl => {
                *used = now;
                true
            }
            _ => false,
        };
        if !is_known {
            cx.annotate(call, || "is not known here and logs in".into());
        }
        let ahead = if is_known { last - at + 1 } else { 1 };
        self.proceed(call, ahead as u16, cx);
    }

    /// The user of a call is known: its work begins.
    #[cold]
    pub(super) fn enter(&mut self, call: CallId, cx: &mut Cx<'_>) {
        cx.get_mut(call).notes.step = 0;
        self.proceed(call, 0, cx);
    }

    /// A user has logged in: the machine keeps the session. Returns false if there is no memory for it.
    #[cold]
    pub(super) fn log_in(&mut self, call: CallId, at: usize, cx: &mut Cx<'_>) -> bool {
        let user = cx.user_of(call);
        let sessions = self.sessions.as_mut().expect("the stage is there with the sessions");
        if let Some(cookies) = sessions.cookies {
            let now = cx.now();
            cx.ledger(cookies).used.insert(user, now);
            cx.count(gauges::LOGINS);
            return true;
        }
        let is_new = !sessions.used.contains_key(&user);
        if is_new && sessions.memory > 0 && !cx.reserve_memory(sessions.memory) {
            cx.get_mut(call).notes.step = at as u16;
            if self.door.kills() {
                self.kill(cx);
            } else {
                self.fail(call, Outcome::OutOfMemory, cx);
            }
            return false;
        }
        sessions.used.insert(user, cx.now());
        cx.count(gauges::LOGINS);
        cx.level(gauges::SESSION_BYTES, sessions.bytes());
        true
    }

    /// The process starts, and looks for sessions that are over from a random moment on.
    pub(super) fn begin_sweeps(&mut self, cx: &mut Cx<'_>) {
        if let Some(sessions) = &mut self.sessions {
            if let Some(cookies) = &mut sessions.cookies {
                *cookies = cx.open_ledger(Cookies::default);
            }
            let stream = sessions.phase.get_or_insert_with(|| cx.stream("sessions"));
            let phase = SimDuration::from_nanos(below(stream, SWEEP.as_nanos()));
            cx.alarm(phase, SWEPT, About::Nothing);
        }
    }

    /// Sessions that are over leave the memory of the machine.
    #[cold]
    pub(super) fn sweep(&mut self, cx: &mut Cx<'_>) {
        let Some(sessions) = &mut self.sessions else { return };
        if let Some(cookies) = sessions.cookies {
            let (now, ttl) = (cx.now(), sessions.ttl);
            cx.ledger(cookies).used.retain(|_, used| now.since(*used) < ttl);
        }
        let over = sessions.sweep(cx.now());
        if over > 0 {
            cx.release_memory(over * sessions.memory);
        }
        cx.level(gauges::SESSION_BYTES, sessions.bytes());
        cx.alarm(SWEEP, SWEPT, About::Nothing);
    }

    /// The process is gone, and the sessions that it knew with it.
    pub(super) fn lose_sessions(&mut self, cx: &mut Cx<'_>) {
        let Some(sessions) = &mut self.sessions else { return };
        let bytes = sessions.bytes();
        if bytes > 0 {
            cx.release_memory(bytes);
        }
        sessions.sweep(cx.now());
        cx.count_many(gauges::LOST_SESSIONS, sessions.used.len() as u64);
        sessions.used.clear();
        cx.level(gauges::SESSION_BYTES, 0);
    }
}
