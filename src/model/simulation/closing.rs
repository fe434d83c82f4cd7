//! The end of a trial: what has been measured becomes its record.

use super::Simulation;
use crate::kernel::time::SimTime;
use crate::model::data::{Book, DataRecord};
use crate::model::machine::mean_over;
use crate::model::record::{ComponentRecord, MachineRecord, Stop, TrialRecord};
use crate::model::world::World;

impl Simulation {
    /// Closes the books at the moment that the trial has reached.
    pub(super) fn finish(&mut self, stop: Stop, now: SimTime) -> TrialRecord {
        self.close_window(now);
        let world = &mut self.world;
        world.audit(now);
        let components = (0..world.infos.len()).map(|index| component_record(world, index, now)).collect();
        let data = close_books(&mut world.books, now);
        let recorder = &mut world.recorder;
        TrialRecord {
            data,
            stop,
            measured: now.saturating_since(recorder.measured_from),
            events: world.calendar.fired(),
            fingerprint: world.fingerprint.value(),
            in_flight_mean: recorder.in_flight.mean(now.as_nanos()),
            carried_in: recorder.carried_in,
            components,
            classes: recorder.take_classes(),
            batches: std::mem::take(&mut recorder.batches),
            parts: recorder.take_parts(now),
            windows: std::mem::take(&mut recorder.windows),
            timeline: std::mem::take(&mut recorder.timeline),
        }
    }
}

/// What became of the data of all replicated databases; `None` without any.
fn close_books(books: &mut [Book], now: SimTime) -> Option<DataRecord> {
    let (first, rest) = books.split_first_mut()?;
    let mut record = first.finish(now);
    rest.iter_mut().for_each(|book| record.merge(&book.finish(now)));
    Some(record)
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
            price: machine.price,
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
