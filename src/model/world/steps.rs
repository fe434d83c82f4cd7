//! Steps of the request that a trace follows, beside its lines.

use super::super::call::Call;
use super::super::signal::{CallId, ComponentId};
use super::super::trace::{Step, What};
use super::World;

impl World {
    /// Notes a step of a call if the trace follows its request.
    #[inline]
    pub(in crate::model) fn mark(&mut self, component: ComponentId, id: CallId, what: What) {
        if self.trace.is_some() {
            self.mark_call(component, id, what);
        }
    }

    #[cold]
    fn mark_call(&mut self, component: ComponentId, id: CallId, what: What) {
        let Some(&Call { waited, client, number, .. }) = self.calls.get(id.0) else { return };
        let step = Step { waited, ..self.step(component, what) };
        self.keep(client, number, Step { call: Some(id), ..step });
    }

    /// Notes a step of a client's request itself if the trace follows it.
    #[inline]
    pub(in crate::model) fn mark_request(&mut self, client: ComponentId, number: u64, what: What) {
        if self.trace.is_some() {
            let step = self.step(client, what);
            self.keep(client, number, step);
        }
    }

    fn step(&self, component: ComponentId, what: What) -> Step {
        let component = self.infos[component.index()].name.clone();
        Step { at: self.now(), component, call: None, waited: Default::default(), what }
    }

    fn keep(&mut self, client: ComponentId, number: u64, step: Step) {
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.follows(client, number)) {
            trace.push_step(step);
        }
    }
}
