//! `Ledger`: what the members of one box write down together: for results, and what the browsers of its users keep.
//!
//! A component sees no other component's state. What really became of a thing that several members share, such as the data of
//! a database, is known to all of them together: each of them tells the ledger of their box what it does. The model keeps the
//! ledger, tells it how the trial goes on, and takes its findings; what they are is the business of the kind of box.

use std::any::Any;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::kernel::time::SimTime;

use super::gauge::{GaugeId, Reading};
use super::signal::ComponentId;

/// What the members of one box write down together. What a member does depends on it only where a user brings it along, such as a
/// cookie, which no member owns.
pub trait Ledger: Any + Debug + Send {
    /// The measured time begins.
    fn end_warmup(&mut self, now: SimTime);

    /// A window of the series for charts is over.
    fn close_window(&mut self, now: SimTime);

    /// A fault of the scenario begins, or is over.
    fn turn_fault(&mut self, _now: SimTime, _begins: bool) {}

    /// The trial is over: returns what has been found.
    fn finish(&mut self, now: SimTime) -> Findings;
}

/// What a ledger has found in a trial.
#[derive(Debug)]
pub struct Findings {
    /// Figures of the whole box, which its kind declares with [`Gauge::of_box`](super::gauge::Gauge::of_box).
    pub gauges: Vec<(GaugeId, Reading)>,
    /// The whole record, for a caller that knows its type.
    pub record: Arc<dyn Finding>,
}

impl Findings {
    /// Figures, and no record beside them.
    #[must_use]
    pub fn plain(gauges: Vec<(GaugeId, Reading)>) -> Findings {
        Findings { gauges, record: Arc::new(Plain) }
    }
}

/// Findings of any type, which are `Clone` behind their pointer.
pub trait Finding: Any + Debug + Send + Sync {}

/// What is found where the figures are all.
#[derive(Debug)]
struct Plain;

impl Finding for Plain {}

/// What the ledger of one box has found, in the record of a trial.
#[derive(Clone, Debug)]
pub struct LedgerRecord {
    /// The name of the box.
    pub group: String,
    /// What was found.
    record: Arc<dyn Finding>,
}

impl LedgerRecord {
    /// The findings, if they are of this type.
    #[must_use]
    pub fn find<F: Finding>(&self) -> Option<&F> {
        let record: &dyn Any = &*self.record;
        record.downcast_ref()
    }
}

/// Names a ledger that is kept by the model and has this type.
#[derive(Debug)]
pub struct LedgerId<L> {
    place: usize,
    kind: PhantomData<fn() -> L>,
}

impl<L> LedgerId<L> {
    /// Names no ledger: what a component holds until its `start`.
    pub const NONE: LedgerId<L> = LedgerId { place: usize::MAX, kind: PhantomData };
}

impl<L> Clone for LedgerId<L> {
    fn clone(&self) -> LedgerId<L> {
        *self
    }
}

impl<L> Copy for LedgerId<L> {}

/// The ledgers of all boxes that have opened one.
#[derive(Debug, Default)]
pub(super) struct Ledgers(Vec<(String, Box<dyn Ledger>)>);

impl Ledgers {
    /// The ledger of a box, which is made when no member has opened it before.
    pub(super) fn open<L: Ledger>(&mut self, group: &str, make: impl FnOnce() -> L) -> LedgerId<L> {
        let known = self.0.iter().position(|(name, _)| name == group);
        let place = known.unwrap_or_else(|| {
            self.0.push((group.to_owned(), Box::new(make())));
            self.0.len() - 1
        });
        LedgerId { place, kind: PhantomData }
    }

    /// The ledger of this name.
    ///
    /// # Panics
    /// When it has not been opened, or the members of a box have opened ledgers of several types.
    #[inline]
    pub(super) fn get<L: Ledger>(&mut self, id: LedgerId<L>) -> &mut L {
        let (_, ledger) = self.0.get_mut(id.place).expect("a ledger is opened in `start`");
        let ledger: &mut dyn Any = &mut **ledger;
        ledger.downcast_mut().expect("all members of a box open the same ledger")
    }

    pub(super) fn end_warmup(&mut self, now: SimTime) {
        self.0.iter_mut().for_each(|(_, ledger)| ledger.end_warmup(now));
    }

    pub(super) fn close_window(&mut self, now: SimTime) {
        self.0.iter_mut().for_each(|(_, ledger)| ledger.close_window(now));
    }

    pub(super) fn turn_fault(&mut self, now: SimTime, begins: bool) {
        self.0.iter_mut().for_each(|(_, ledger)| ledger.turn_fault(now, begins));
    }

    /// What each has found, and its readings for the first member of its box, as `first` knows it.
    pub(super) fn finish(
        &mut self,
        now: SimTime,
        first: impl Fn(&str) -> ComponentId,
        mut show: impl FnMut(ComponentId, GaugeId, Reading),
    ) -> Vec<LedgerRecord> {
        let mut records = Vec::new();
        for (group, ledger) in &mut self.0 {
            let Findings { gauges, record } = ledger.finish(now);
            gauges.into_iter().for_each(|(gauge, reading)| show(first(group), gauge, reading));
            records.push(LedgerRecord { group: group.clone(), record });
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Tally(u64);

    impl Finding for u64 {}

    impl Ledger for Tally {
        fn end_warmup(&mut self, _now: SimTime) {
            self.0 = 0;
        }

        fn close_window(&mut self, _now: SimTime) {}

        fn finish(&mut self, _now: SimTime) -> Findings {
            Findings { gauges: Vec::new(), record: Arc::new(self.0) }
        }
    }

    #[test]
    fn members_of_a_box_share_a_ledger_and_others_have_their_own() {
        let mut ledgers = Ledgers::default();
        let ids = ["a", "a", "b"].map(|group| ledgers.open(group, || Tally(0)));
        ids.into_iter().for_each(|id| ledgers.get(id).0 += 1);
        let records = ledgers.finish(SimTime::ZERO, |_| ComponentId::new(0), |_, _, _| {});
        let found: Vec<(&str, Option<u64>)> =
            records.iter().map(|record| (record.group.as_str(), record.find().copied())).collect();
        assert_eq!(found, [("a", Some(2)), ("b", Some(1))]);
    }
}
