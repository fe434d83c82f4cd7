//! Errors that a server answers: always, or while a fault lasts.

use crate::kernel::random::{KeyedRng, mix, name_hash, unit_open};
use crate::model::call::Call;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, Failing, Outcome};

use super::{ERROR, PAGE_STEP, Server, gauges};

/// The rules by which a server answers errors.
#[derive(Debug)]
pub(super) struct Errors {
    rules: Vec<Failing>,
    /// Separates the draws of this member from all others.
    salt: u64,
}

impl Errors {
    /// The rule that always holds at the member of this name, if any.
    pub(super) fn new(always: Option<Failing>, name: &str) -> Errors {
        Errors { rules: always.into_iter().collect(), salt: mix(name_hash(name), name_hash("errors")) }
    }

    #[inline(always)]
    pub(super) fn is_none(&self) -> bool {
        self.rules.is_empty()
    }

    /// A fault begins.
    pub(super) fn begin(&mut self, rule: Failing) {
        self.rules.push(rule);
    }

    /// A fault ends.
    pub(super) fn end(&mut self, rule: Failing) {
        if let Some(at) = self.rules.iter().rposition(|known| *known == rule) {
            self.rules.remove(at);
        }
    }

    /// The first rule that hits a call, of those that hit before all work or after it. The draw belongs to the call, to the
    /// member and to the time of its arrival: a request that is tried again is drawn for again, also at the same member.
    fn hit(&self, call: CallId, at_once: bool, cx: &Cx<'_>) -> Option<Failing> {
        let &Call { key, arrived, .. } = cx.get(call);
        let mut rng = KeyedRng::new(mix(mix(key, self.salt), arrived.as_nanos()));
        let hits =
            |rule: &&Failing| unit_open(&mut rng) < rule.share() && rule.at_once().is_some() == at_once;
        self.rules.iter().find(hits).copied()
    }
}

impl Server {
    /// A call begins: whether it is answered with an error and gets no work.
    #[cold]
    pub(super) fn err_at_once(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let Some(rule) = self.errors.hit(call, true, cx) else { return false };
        let Some(time) = rule.at_once() else { return false };
        cx.get_mut(call).notes.left = rule.outcome as u16;
        cx.alarm(time, ERROR, About::Call(call));
        true
    }

    /// Answers a call that was to get no work.
    #[cold]
    pub(super) fn err(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let outcome = Outcome::ALL[usize::from(cx.get(call).notes.left)];
        self.tell_error(call, cx);
        self.leave(call, outcome, cx);
    }

    /// The work for a call is done: how it ends.
    #[cold]
    pub(super) fn err_after_work(&mut self, call: CallId, cx: &mut Cx<'_>) -> Outcome {
        if cx.get(call).notes.step == PAGE_STEP {
            return Outcome::Ok;
        }
        let Some(rule) = self.errors.hit(call, false, cx) else { return Outcome::Ok };
        self.tell_error(call, cx);
        rule.outcome
    }

    fn tell_error(&self, call: CallId, cx: &mut Cx<'_>) {
        cx.count(gauges::ERRORS_ANSWERED);
        cx.annotate(call, || "answers an error of its own".into());
    }
}
