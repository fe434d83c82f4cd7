//! The ends of windows and of a trial: what has been measured becomes its record.

use super::Simulation;
use crate::kernel::time::SimTime;
use crate::model::faults::When;
use crate::model::ledger::LedgerRecord;
use crate::model::machine::mean_over;
use crate::model::record::{ComponentRecord, MachineRecord, Stop, TrialRecord};
use crate::model::signal::ComponentId;
use crate::model::world::World;

impl Simulation {
    /// Closes the open window.
    pub(super) fn close_window(&mut self, now: SimTime) {
        let world = &mut self.world;
        self.busy.clear();
        self.busy.extend(world.machines.iter_mut().map(|machine| machine.window_busy(now)));
        let backlogs = world.infos.iter().map(|info| info.backlog.waiting);
        world.recorder.close_window(now, &self.busy, backlogs);
    }

    /// Closes the books at the moment that the trial has reached.
    pub(super) fn finish(&mut self, stop: Stop, now: SimTime) -> TrialRecord {
        self.close_window(now);
        let random = self.faults.iter().filter(|fault| matches!(fault.when, When::Again { .. }));
        let random_faults = random.map(|fault| (fault.row, fault.times)).collect();
        let world = &mut self.world;
        world.audit(now);
        let ledgers = finish_ledgers(world, now);
        let components = (0..world.infos.len()).map(|index| component_record(world, index, now)).collect();
        let recorder = &mut world.recorder;
        TrialRecord {
            stop,
            measured: now.saturating_since(recorder.measured_from),
            events: world.calendar.fired(),
            fingerprint: world.fingerprint.value(),
            in_flight_mean: recorder.in_flight.mean(now.as_nanos()),
            carried_in: recorder.carried_in,
            components,
            classes: recorder.take_classes(),
            ledgers,
            batches: std::mem::take(&mut recorder.batches),
            parts: recorder.take_parts(now),
            windows: std::mem::take(&mut recorder.windows),
            timeline: std::mem::take(&mut recorder.timeline),
            random_faults,
        }
    }
}

/// Closes the ledgers. What they show of a whole box stands at its first member.
fn finish_ledgers(world: &mut World, now: SimTime) -> Vec<LedgerRecord> {
    let World { ledgers, infos, recorder, .. } = world;
    let first = |group: &str| {
        let place = infos.iter().position(|info| info.group == group);
        ComponentId::new(place.expect("a ledger is opened by a member of its box"))
    };
    ledgers.finish(now, first, |component, gauge, reading| {
        recorder.meters[component.index()].dials.show(gauge, reading);
    })
}

fn component_record(world: &mut World, index: usize, now: SimTime) -> ComponentRecord {
    let info = &world.infos[index];
    let measured = now.saturating_since(world.recorder.measured_from);
    let machine = info.machine.map(|id| {
        let machine = &world.machines[id.index()];
        MachineRecord {
            host: world.infos[machine.host.index()].name.clone(),
            cores: machine.cores,
            busy_cores_mean: machine.busy_cores_mean(now, measured),
            memory_max: machine.memory.max_used(),
            memory_total: machine.memory.total(),
            disk_utilisation: machine.disk_utilisation(now, measured),
            price: machine.cost(now, measured),
            rented: machine.rented(now, measured),
        }
    });
    let meter = std::mem::take(&mut world.recorder.meters[index]);
    let slots_held = meter.slots_held(now);
    // The host of a machine has the queue for its cores as well.
    let own =
        info.machine.map(|id| &world.machines[id.index()]).filter(|machine| machine.host.index() == index);
    let (for_cores, queue_max) =
        own.map_or((0, meter.queue.max()), |machine| (machine.queue_integral(now), machine.queue_max()));
    ComponentRecord {
        name: info.name.clone(),
        group: info.group.clone(),
        kind: info.kind,
        arrived: meter.arrived,
        outcomes: meter.outcomes,
        own: meter.own,
        passed: meter.passed,
        in_vain: meter.in_vain,
        dropped: meter.dropped,
        passed_on: meter.passed_on,
        gauges: meter.dials.read(now),
        response: meter.response,
        wait: *meter.waits.tally(),
        inside_mean: meter.inside.mean(now.as_nanos()),
        inside_max: meter.inside.max(),
        queue_mean: mean_over(meter.queue.integral(now.as_nanos()) + for_cores, measured),
        queue_max,
        slots_held,
        waits: meter.waits,
        asked: meter.asked,
        machine,
    }
}
