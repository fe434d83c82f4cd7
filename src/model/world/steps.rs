//! What a trace tells of the signals and steps of the requests that it follows.

use super::super::call::Call;
use super::super::signal::{CallId, ComponentId, Signal};
use super::super::trace::{Step, What};
use super::World;

impl World {
    /// Tells the trace what has arrived for the request that it follows.
    #[cold]
    pub(in crate::model) fn tell_signal(&mut self, to: ComponentId, signal: Signal) {
        let (Signal::Call(id) | Signal::Reply(id, _) | Signal::Done(id)) = signal else { return };
        let Some(call) = self.calls.get(id.0).copied() else { return };
        match signal {
            Signal::Reply(_, outcome) => self.mark(to, id, What::Receive(outcome)),
            Signal::Done(_) => self.mark(to, id, What::Done),
            _ => {}
        }
        self.tell(to, call.client, call.number, |world| {
            let name = |component: ComponentId| &world.infos[component.index()].name;
            match signal {
                Signal::Reply(_, outcome) => {
                    format!("gets the answer of {}: {}", name(call.callee), outcome.name())
                }
                Signal::Done(_) => "the work is done".into(),
                _ => format!("receives a call from {}", name(call.caller)),
            }
        });
    }

    /// Adds a step of a call to the trace if its request is traced.
    #[inline]
    pub(in crate::model) fn mark(&mut self, component: ComponentId, id: CallId, what: What) {
        if self.trace.is_some() {
            self.mark_call(component, id, what);
        }
    }

    #[cold]
    fn mark_call(&mut self, component: ComponentId, id: CallId, what: What) {
        let Some(&Call { waited, client, number, .. }) = self.calls.get(id.0) else { return };
        if self.follows(client, number) {
            let step = Step { waited, call: Some(id), ..self.step(component, what) };
            self.keep(step);
        }
    }

    /// Adds a step of a client's request to the trace if it is traced.
    #[inline]
    pub(in crate::model) fn mark_request(&mut self, client: ComponentId, number: u64, what: What) {
        if self.follows(client, number) {
            let step = self.step(client, what);
            self.keep(step);
        }
    }

    fn step(&self, component: ComponentId, what: What) -> Step {
        let component = self.infos[component.index()].name.clone();
        Step { at: self.now(), component, call: None, waited: Default::default(), what }
    }

    fn follows(&self, client: ComponentId, number: u64) -> bool {
        self.trace.as_ref().is_some_and(|trace| trace.follows(client, number))
    }

    fn keep(&mut self, step: Step) {
        if let Some(trace) = &mut self.trace {
            trace.push_step(step);
        }
    }
}
