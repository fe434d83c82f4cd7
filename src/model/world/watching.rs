//! What monitors see of members: the counters that their processes keep.

use super::{Status, World};
use crate::kernel::time::SimDuration;
use crate::model::exported::Exported;
use crate::model::gauge::Reading;
use crate::model::machine::Machine;
use crate::model::network::Place;
use crate::model::rule::Figure;
use crate::model::sample::Sample;
use crate::model::signal::{ComponentId, Outcome};

impl World {
    /// A member keeps counters of its answers from now on.
    pub(in crate::model) fn export(&mut self, member: ComponentId, with_times: bool) {
        let classes = self.response_bytes.len();
        let exported = &mut self.recorder.meters[member.index()].exported;
        let exported = exported.get_or_insert_with(|| Box::new(Exported::new(classes)));
        if with_times {
            exported.keep_times();
        }
    }

    /// Counts an answer at a process that keeps counters. What its kernel refuses for it, it does not see.
    #[cold]
    pub(super) fn count_exported(
        &mut self,
        from: ComponentId,
        class: u16,
        outcome: Outcome,
        residence: SimDuration,
    ) {
        let works = matches!(self.infos[from.index()].process(), Status::Up | Status::Closing);
        if let Some(exported) = self.recorder.meters[from.index()].exported.as_mut().filter(|_| works) {
            exported.count(class, outcome, residence);
        }
    }

    /// Whether a member answers a question of a monitor now: it works, and no partition lies between them.
    pub(in crate::model) fn answers_to(&self, monitor: ComponentId, member: ComponentId) -> bool {
        let info = &self.infos[member.index()];
        // A driver is a part of its caller, not a process that can be asked.
        let works = matches!(info.status, Status::Up | Status::Closing) && info.place != Place::DRIVER;
        works && self.troubles.connect(monitor, member)
    }

    /// Writes what a member says about a figure into `sample`. Returns false if it knows no such figure.
    pub(in crate::model) fn sample(&self, member: ComponentId, figure: Figure, sample: &mut Sample) -> bool {
        let (now, info) = (self.now(), &self.infos[member.index()]);
        let meter = &self.recorder.meters[member.index()];
        let machine = info.machine.map(|id| &self.machines[id.index()]);
        (sample.at, sample.process) = (now, info.falls);
        let told = match figure {
            Figure::Utilisation => {
                // The machine counts, not the process.
                sample.process = 0;
                machine.map(|one| (one.used(now) as f64, f64::from(one.cores) * now.as_nanos() as f64))
            }
            Figure::QueueLen => {
                let own = machine.filter(|machine| machine.host == member);
                let for_cores = own.map_or(0, Machine::waiting);
                Some(((meter.queue.level() + for_cores) as f64, 1.0))
            }
            Figure::Gauge(gauge, _) => {
                // The recorder begins anew at the end of the warm-up.
                sample.process = u32::from(self.recorder.is_warm());
                meter.dials.now(&gauge).map(|read| match read {
                    Reading::Count(count) => (count as f64, 0.0),
                    Reading::Share(yes, all) => (yes as f64, all as f64),
                    Reading::Time(times) => (times.sum() as f64 / 1e9, times.count() as f64),
                    Reading::Level(level, _) => (level, 1.0),
                })
            }
            _ => meter.exported.as_ref().map(|exported| answers(exported, figure, &mut sample.times)),
        };
        if let Some(told) = told {
            (sample.part, sample.whole) = told;
        }
        told.is_some()
    }
}

/// The two counters of a figure of answers. Fills `times` with the response times.
fn answers(exported: &Exported, figure: Figure, times: &mut [u64]) -> (f64, f64) {
    let class = match figure {
        Figure::ErrorRate(class) | Figure::Availability(class) => class,
        Figure::MeanResponse(class) | Figure::Percentile(_, class) => class,
        _ => None,
    };
    times.fill(0);
    let (mut all, mut ok, mut time) = (0, 0, 0);
    for answers in exported.of(class) {
        all += answers.all;
        ok += answers.ok;
        time += answers.time;
        times.iter_mut().zip(&answers.times).for_each(|(sum, count)| *sum += count);
    }
    match figure {
        Figure::ErrorRate(_) => ((all - ok) as f64, all as f64),
        Figure::Availability(_) => (ok as f64, all as f64),
        Figure::MeanResponse(_) => (time as f64 / 1e9, ok as f64),
        _ => (ok as f64, 0.0),
    }
}
