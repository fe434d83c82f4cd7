//! Operations on components: crashes, power failures, hangs, repairs, slow machines.

use super::super::call::{Awaited, Call, Connection, Stage};
use super::super::event::Event;
use super::super::line::Opening;
use super::super::machine::Device;
use super::super::signal::{CallId, ComponentId, Control, Outcome};
use super::super::trace::What;
use super::{Status, World};

impl World {
    /// Takes a component down, whose machine lives on or has no power. Calls inside it are lost: their callers see the connection
    /// break, or hear nothing. Calls that it made are forgotten. Its work and its timers become invalid.
    fn take_down(&mut self, component: ComponentId, status: Status) {
        self.note(component, if status == Status::Silent { "power off" } else { "crash" });
        self.lose_process(component, status);
    }

    /// The process of a component is gone, with everything in it.
    pub(super) fn lose_process(&mut self, component: ComponentId, status: Status) {
        self.ceases(component);
        let info = &mut self.infos[component.index()];
        info.set_process(status);
        info.begin_epoch();
        info.falls += 1;
        info.blackouts += u32::from(status == Status::Silent);
        if let Some(exported) = &mut self.recorder.meters[component.index()].exported {
            exported.clear();
        }
        self.set_waiting(component, 0, 0);
        self.lose_calls(component);
        self.stop_work(component);
    }

    /// Notes when a process that works ceases to.
    fn ceases(&mut self, component: ComponentId) {
        let now = self.now();
        let info = &mut self.infos[component.index()];
        if matches!(info.process(), Status::Up | Status::Closing) {
            info.fell = now;
        }
    }

    /// A power failure of a component's machine is over. If it has crashed besides, its machine refuses calls from now on.
    pub(in crate::model) fn light(&mut self, component: ComponentId) {
        let info = &mut self.infos[component.index()];
        info.dark = info.dark.saturating_sub(1);
        if info.dark == 0 && info.process() == Status::Silent && info.causes > 1 && !info.is_off {
            info.set_process(Status::Down);
        }
    }

    /// Removes the work of a component from the stations of its machine.
    fn stop_work(&mut self, component: ComponentId) {
        let now = self.now();
        let Some(id) = self.infos[component.index()].machine else { return };
        for device in [Device::Cpu, Device::Disk] {
            if device == Device::Disk && self.machines[id.index()].disk.is_none() {
                continue;
            }
            let station = &mut self.machines[id.index()].armed(device).station;
            station.remove_if(now, |job| job.owner() == component);
            self.rearm(id, device);
        }
    }

    /// Also cancels what a component has started at its crash, such as the takeover by its standby.
    pub(in crate::model) fn silence(&mut self, component: ComponentId) {
        self.infos[component.index()].begin_epoch();
    }

    fn lose_calls(&mut self, component: ComponentId) {
        let now = self.now();
        let touched: Vec<(CallId, Call)> = self
            .calls
            .iter()
            .filter(|(_, call)| call.callee == component || call.caller == component)
            .map(|(key, call)| (CallId(key), *call))
            .collect();
        let is_dark = self.infos[component.index()].process() == Status::Silent;
        for (id, call) in touched {
            if call.caller == component {
                self.abandon(id);
            }
            if call.callee == component && call.stage == Stage::Unacknowledged {
                self.luggage.set_opening(id, Opening::Closed);
            }
            // A dead process has handed its answers to its kernel, which sends them as long as its machine has power.
            if call.callee == component && call.stage == Stage::AnswerUnacknowledged && is_dark {
                self.lose(id);
            }
            if call.callee == component && call.stage == Stage::Inside {
                let meter = &mut self.recorder.meters[component.index()];
                if !call.ask.is_check() {
                    meter.lose(now, call.arrived);
                    meter.own[Outcome::Unavailable as usize] += 1;
                } else {
                    meter.end_probe(now, call.arrived);
                }
                self.break_connection(id);
            }
        }
    }

    /// Makes the caller of a lost call see its connection break. A machine that has no power or stands still tells nobody.
    fn break_connection(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id.0) else { return };
        let info = &self.infos[call.callee.index()];
        let is_silent = info.status == Status::Paused || info.process() == Status::Silent;
        call.stage = Stage::Answered;
        call.connection = Connection::Broken;
        let call = *call;
        self.mark(call.callee, id, What::Leave(Some(Outcome::Unavailable)));
        if call.awaited != Awaited::Yes {
            self.calls.remove(id.0);
            return;
        }
        let at = self.asker_of(call.caller, id);
        let delay = if is_silent { None } else { self.delay(call.callee, at, call.key) };
        // What resets a connection is sent once.
        match delay {
            Some(_) => {
                self.post(id, delay, Event::Reply { to: call.caller, id, outcome: Outcome::Unavailable });
            }
            None => self.lose(id),
        }
    }

    /// Makes the process hang: it accepts calls, but neither its work nor its timers go on. Other components on its
    /// machine are not affected.
    fn hang(&mut self, component: ComponentId) {
        self.ceases(component);
        let info = &mut self.infos[component.index()];
        info.set_process(Status::Hung);
        info.begin_epoch();
        self.stop_taking(component);
        self.note(component, "hang");
        self.stop_work(component);
    }

    pub(super) fn note(&mut self, component: ComponentId, event: &'static str) {
        let now = self.now();
        self.recorder.note(now, &self.infos[component.index()].name, event);
    }

    /// Changes the speed of a component's machine, and so of everything that runs on it, or of what comes to its cores from now on.
    fn slow(&mut self, component: ComponentId, control: Control) {
        let (Control::Slow(millionths) | Control::Burden(millionths)) = control else { return };
        let speed = f64::from(millionths) / 1e6;
        let now = self.now();
        let Some(id) = self.infos[component.index()].machine else { return };
        if matches!(control, Control::Slow(_)) {
            self.machines[id.index()].set_speed(now, speed);
            self.rearm(id, Device::Cpu);
        } else {
            self.machines[id.index()].burden = 1.0 / speed;
        }
        self.note(component, if speed == 1.0 { "normal speed" } else { "slow" });
    }

    fn recover(&mut self, component: ComponentId) {
        if self.infos[component.index()].process() == Status::Hung {
            self.take_down(component, Status::Down);
        }
        self.infos[component.index()].set_process(Status::Up);
        self.note(component, "recover");
    }

    fn take_over(&mut self, component: ComponentId) {
        let info = &mut self.infos[component.index()];
        info.set_process(Status::Up);
        info.half_down = true;
        self.note(component, "take over");
    }

    /// A component takes no new calls from now on, of which the timeline tells. Returns false if it does not work, so that those
    /// inside never end.
    pub(in crate::model) fn close(&mut self, component: ComponentId) -> bool {
        let works = self.close_quietly(component);
        if works {
            self.note(component, "closing");
        }
        works
    }

    /// The same, of which the timeline does not tell.
    pub(in crate::model) fn close_quietly(&mut self, component: ComponentId) -> bool {
        let info = &mut self.infos[component.index()];
        let works = info.process() == Status::Up;
        if works {
            info.set_process(Status::Closing);
        }
        works
    }

    /// Whether no call is inside a component.
    pub(in crate::model) fn is_empty(&self, component: ComponentId) -> bool {
        self.recorder.meters[component.index()].inside.level() == 0
    }

    /// A fault that made a component hang is over. Returns false if a kill has ended it already.
    pub(in crate::model) fn wakes(&mut self, component: ComponentId) -> bool {
        let freed = &mut self.infos[component.index()].freed;
        let hangs = *freed == 0;
        *freed = freed.saturating_sub(1);
        hangs
    }

    /// Carries out the model's part of an operation before the component is notified. Returns false if the component is
    /// not notified. Several faults may keep a component down; it recovers when the last of them ends.
    pub(in crate::model) fn operate(&mut self, component: ComponentId, control: Control) -> bool {
        let info = &mut self.infos[component.index()];
        let status = info.process();
        match control {
            Control::Crash | Control::Kill => {
                if control == Control::Kill && status == Status::Hung {
                    info.freed += std::mem::take(&mut info.causes);
                }
                info.causes += 1;
                if matches!(status, Status::Down | Status::Silent) {
                    return false;
                }
                self.take_down(component, Status::Down);
            }
            Control::PowerOff => {
                info.causes += 1;
                info.dark += 1;
                if status == Status::Silent {
                    return false;
                }
                self.take_down(component, Status::Silent);
            }
            Control::Hang => {
                info.causes += 1;
                if !matches!(status, Status::Up | Status::Closing) {
                    return false;
                }
                self.hang(component);
            }
            Control::Recover if info.replaced > 0 => {
                info.replaced -= 1;
                return false;
            }
            Control::Recover => {
                info.causes = info.causes.saturating_sub(1);
                if matches!(status, Status::Up | Status::Closing) {
                    // The crashed half of a pair is repaired.
                    return std::mem::take(&mut info.half_down);
                }
                if info.causes > 0 || info.is_off {
                    return false;
                }
                self.recover(component);
            }
            Control::TakeOver => {
                if !matches!(status, Status::Down | Status::Silent) {
                    return false;
                }
                (info.causes, info.dark) = (0, 0);
                self.take_over(component);
            }
            Control::Slow(_) | Control::Burden(_) => self.slow(component, control),
            Control::Impair(impairment) => self.note(component, impairment.events().0),
            Control::Mend(impairment) => self.note(component, impairment.events().1),
            Control::Err(_) => self.note(component, "errors"),
            Control::Heal(_) => self.note(component, "no errors"),
            Control::Order(_) | Control::Throttle(_) => {}
        }
        true
    }
}
