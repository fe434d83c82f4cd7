//! `Gauge`: a figure that one kind of box counts or measures, declared in the kind's row of `KINDS`.
//!
//! A kind lists its gauges once, and a component writes to them by [`GaugeId`], which is an index into that list. Results,
//! expectations, tables and the reference page all read the list, so that a new figure is one line there.
//!
//! ```
//! use outgrow::model::gauge::{Gauge, GaugeId};
//!
//! pub const GAUGES: &[Gauge] = &[Gauge::count("copies", "Calls of which a copy was sent.")];
//! const COPIES: GaugeId = GaugeId::of("copies", GAUGES);
//! // In the component: cx.count(COPIES);
//! ```

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::tally::Tally;
use crate::stats::time_average::TimeAverage;

use super::unit::{Better, Unit};

/// What a gauge records, and how the readings of several members become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Events of a trial. Members add up.
    Count,
    /// The part of some events to which something applies, 0 to 1. The events of all members are pooled.
    Share,
    /// Durations, of which the mean and the longest are kept. The durations of all members are pooled.
    Time,
    /// A level over time, of which the time average and the highest are kept. The averages of members add up; the highest
    /// is that of one member.
    Level,
}

impl Sort {
    /// Its name on the reference page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Sort::Count => "count",
            Sort::Share => "share",
            Sort::Time => "time",
            Sort::Level => "level",
        }
    }

    /// Whether a gauge has a highest value beside its mean.
    #[must_use]
    pub const fn has_max(self) -> bool {
        matches!(self, Sort::Time | Sort::Level)
    }
}

/// A figure that one kind of box counts or measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// Its name in results and expectations: lower case, words joined by `_`.
    pub name: &'static str,
    /// The unit in which bounds on it are kept.
    pub unit: Unit,
    /// What it records.
    pub sort: Sort,
    /// One sentence for the reference page, with its full stop.
    pub about: &'static str,
    /// Whether its name alone stands for its highest value rather than for its mean.
    pub is_highest: bool,
    /// Whether it is a figure of the whole box, which a single member does not have.
    pub is_of_box: bool,
    /// Of a figure of the whole box: whether it stands in the table of figures, because the section about data does not tell it.
    pub is_in_table: bool,
    /// The direction in which it gets better; `None` where neither more nor less is better in itself.
    pub better: Option<Better>,
    /// Whether it asks which data each request is for, so that it is unknown where no class of requests has `keys`.
    pub is_by_key: bool,
    /// Of a count of calls that end unavailable: why they do, as the end of a sentence.
    pub because: Option<&'static str>,
}

impl Gauge {
    /// A gauge that counts events.
    #[must_use]
    pub const fn count(name: &'static str, about: &'static str) -> Gauge {
        Gauge::new(name, Unit::Count, Sort::Count, about)
    }

    /// A gauge of the share of events to which something applies.
    #[must_use]
    pub const fn share(name: &'static str, about: &'static str) -> Gauge {
        Gauge::new(name, Unit::Share, Sort::Share, about)
    }

    /// A gauge of durations.
    #[must_use]
    pub const fn time(name: &'static str, about: &'static str) -> Gauge {
        Gauge::new(name, Unit::Seconds, Sort::Time, about)
    }

    /// A gauge of a level, such as the length of a queue.
    #[must_use]
    pub const fn level(name: &'static str, about: &'static str) -> Gauge {
        Gauge::new(name, Unit::Count, Sort::Level, about)
    }

    const fn new(name: &'static str, unit: Unit, sort: Sort, about: &'static str) -> Gauge {
        let (is_highest, is_of_box, is_in_table, is_by_key) = (false, false, false, false);
        let (better, because) = (None, None);
        Gauge { name, unit, sort, about, is_highest, is_of_box, is_in_table, better, is_by_key, because }
    }

    /// What it records, in the words of the reference page: `level, its highest value, of the whole box`.
    #[must_use]
    pub fn description(&self) -> String {
        let highest = if self.is_highest { ", its highest value" } else { "" };
        let of_box = if self.is_of_box { ", of the whole box" } else { "" };
        format!("{}{highest}{of_box}", self.sort.name())
    }

    /// The same, of which less is better.
    #[must_use]
    pub const fn less_is_better(self) -> Gauge {
        Gauge { better: Some(Better::Less), ..self }
    }

    /// The same, of which more is better.
    #[must_use]
    pub const fn more_is_better(self) -> Gauge {
        Gauge { better: Some(Better::More), ..self }
    }

    /// The same, as a count of calls that end unavailable, which says why they do.
    #[must_use]
    pub const fn because(self, because: &'static str) -> Gauge {
        Gauge { because: Some(because), ..self }
    }

    /// The same, in seconds: a level that is an age.
    #[must_use]
    pub const fn in_seconds(self) -> Gauge {
        Gauge { unit: Unit::Seconds, ..self }
    }

    /// The same, whose name alone stands for its highest value.
    #[must_use]
    pub const fn highest(self) -> Gauge {
        Gauge { is_highest: true, ..self }
    }

    /// The same, as a figure that asks which data each request is for.
    #[must_use]
    pub const fn by_key(self) -> Gauge {
        Gauge { is_by_key: true, ..self }
    }

    /// The same, as a figure of the whole box that the section about data does not tell.
    #[must_use]
    pub const fn in_table(self) -> Gauge {
        Gauge { is_in_table: true, ..self.of_box() }
    }

    /// The same, as a figure of the whole box that the ledger of its members finds: a [`super::ledger::Ledger`].
    #[must_use]
    pub const fn of_box(self) -> Gauge {
        Gauge { is_of_box: true, ..self }
    }
}

/// The place of a gauge in the list of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaugeId(usize);

impl GaugeId {
    /// The gauge of this name. Make it a constant: a name that is not in the list then does not compile.
    ///
    /// # Panics
    /// If the list has no such name.
    #[must_use]
    pub const fn of(name: &str, gauges: &[Gauge]) -> GaugeId {
        let mut at = 0;
        while at < gauges.len() {
            if same(gauges[at].name.as_bytes(), name.as_bytes()) {
                return GaugeId(at);
            }
            at += 1;
        }
        panic!("the kind declares no gauge of this name")
    }
}

/// Whether two texts are equal, for constants, which cannot call `==`.
const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// What one gauge of one component has recorded in the measured time of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Number of events.
    Count(u64),
    /// Number of events to which it applies, and number of all.
    Share(u64, u64),
    /// Durations, in nanoseconds.
    Time(Tally),
    /// Time average, and the highest level, in the unit of the gauge.
    Level(f64, f64),
}

impl Reading {
    /// The count, the share, the mean of the durations in seconds, or the time average. NaN if nothing was recorded
    /// that could have a share or a mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Reading::Count(count) => *count as f64,
            Reading::Share(yes, all) => *yes as f64 / *all as f64,
            Reading::Time(times) => times.mean() / NANOS_PER_S,
            Reading::Level(mean, _) => *mean,
        }
    }

    /// The longest duration in seconds, or the highest level; NaN if there is none.
    #[must_use]
    pub fn max(&self) -> f64 {
        match self {
            Reading::Count(_) | Reading::Share(..) => f64::NAN,
            Reading::Time(times) => times.max().map_or(f64::NAN, |max| max as f64 / NANOS_PER_S),
            Reading::Level(_, max) => *max,
        }
    }

    /// Adds what another member of the group has recorded in the same trial.
    ///
    /// # Panics
    /// If the other reading is of another sort.
    pub fn pool(&mut self, other: &Reading) {
        match (self, other) {
            (Reading::Count(mine), Reading::Count(theirs)) => *mine += theirs,
            (Reading::Share(yes, all), Reading::Share(their_yes, their_all)) => {
                *yes += their_yes;
                *all += their_all;
            }
            (Reading::Time(mine), Reading::Time(theirs)) => mine.merge(theirs),
            (Reading::Level(mean, max), Reading::Level(their_mean, their_max)) => {
                *mean += their_mean;
                *max = max.max(*their_max);
            }
            (mine, other) => unreachable!("{mine:?} and {other:?} are of one gauge"),
        }
    }
}

/// Nanoseconds in a second.
const NANOS_PER_S: f64 = 1e9;

/// The gauges of one component, in the order of its kind's list.
#[derive(Debug, Default)]
pub(super) struct Dials {
    gauges: &'static [Gauge],
    dials: Vec<Dial>,
}

#[derive(Clone, Copy, Debug)]
enum Dial {
    Count(u64),
    Share(u64, u64),
    Time(Tally),
    Level(TimeAverage),
    /// What the ledger of the box has found.
    OfBox(Option<Reading>),
}

impl Dials {
    pub(super) fn new(gauges: &'static [Gauge]) -> Dials {
        let dial = |gauge: &Gauge| match gauge.sort {
            _ if gauge.is_of_box => Dial::OfBox(None),
            Sort::Count => Dial::Count(0),
            Sort::Share => Dial::Share(0, 0),
            Sort::Time => Dial::Time(Tally::default()),
            Sort::Level => Dial::Level(TimeAverage::default()),
        };
        Dials { gauges, dials: gauges.iter().map(dial).collect() }
    }

    #[inline]
    pub(super) fn count(&mut self, id: GaugeId, events: u64) {
        match &mut self.dials[id.0] {
            Dial::Count(count) => *count += events,
            _ => self.refuse(id, Sort::Count),
        }
    }

    #[inline]
    pub(super) fn share(&mut self, id: GaugeId, applies: bool) {
        match &mut self.dials[id.0] {
            Dial::Share(yes, all) => {
                *yes += u64::from(applies);
                *all += 1;
            }
            _ => self.refuse(id, Sort::Share),
        }
    }

    #[inline]
    pub(super) fn time(&mut self, id: GaugeId, time: SimDuration) {
        match &mut self.dials[id.0] {
            Dial::Time(times) => times.record(time.as_nanos()),
            _ => self.refuse(id, Sort::Time),
        }
    }

    #[inline]
    pub(super) fn level(&mut self, id: GaugeId, now: SimTime, level: u64) {
        match &mut self.dials[id.0] {
            Dial::Level(average) => average.set(now.as_nanos(), level),
            _ => self.refuse(id, Sort::Level),
        }
    }

    #[cold]
    fn refuse(&self, id: GaugeId, sort: Sort) {
        let Gauge { name, sort: declared, .. } = self.gauges[id.0];
        panic!("the gauge `{name}` is declared as a {}, not as a {}", declared.name(), sort.name());
    }

    /// What a gauge has recorded so far, or a level now; `None` for one that is not declared here, or only known at the end.
    pub(super) fn now(&self, gauge: &Gauge) -> Option<Reading> {
        let place = self.gauges.iter().position(|known| known.name == gauge.name)?;
        Some(match &self.dials[place] {
            Dial::Count(count) => Reading::Count(*count),
            Dial::Share(yes, all) => Reading::Share(*yes, *all),
            Dial::Time(times) => Reading::Time(*times),
            Dial::Level(average) => Reading::Level(average.level() as f64, average.max() as f64),
            Dial::OfBox(_) => return None,
        })
    }

    /// Drops what was recorded in the warm-up. A level keeps its value.
    pub(super) fn end_warmup(&mut self, now: SimTime) {
        for dial in &mut self.dials {
            match dial {
                Dial::Count(count) => *count = 0,
                Dial::Share(yes, all) => (*yes, *all) = (0, 0),
                Dial::Time(times) => *times = Tally::default(),
                Dial::Level(average) => average.reset(now.as_nanos()),
                Dial::OfBox(reading) => *reading = None,
            }
        }
    }

    /// The ledger of the box shows what it has found.
    pub(super) fn show(&mut self, id: GaugeId, reading: Reading) {
        match &mut self.dials[id.0] {
            Dial::OfBox(shown) => *shown = Some(reading),
            _ => panic!("the gauge `{}` is not declared as one of the whole box", self.gauges[id.0].name),
        }
    }

    /// What each gauge has recorded up to `now`, without those that only another member shows.
    pub(super) fn read(&self, now: SimTime) -> Vec<(&'static Gauge, Reading)> {
        let read = |dial: &Dial| match dial {
            Dial::Count(count) => Some(Reading::Count(*count)),
            Dial::Share(yes, all) => Some(Reading::Share(*yes, *all)),
            Dial::Time(times) => Some(Reading::Time(*times)),
            Dial::Level(average) => Some(Reading::Level(average.mean(now.as_nanos()), average.max() as f64)),
            Dial::OfBox(reading) => *reading,
        };
        let read = self.gauges.iter().zip(self.dials.iter().map(read));
        read.filter_map(|(gauge, reading)| Some((gauge, reading?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAUGES: &[Gauge] = &[
        Gauge::count("tries", "Tries."),
        Gauge::share("hit_share", "Hits."),
        Gauge::time("delay", "Delays."),
        Gauge::level("depth", "Depth."),
    ];
    const TRIES: GaugeId = GaugeId::of("tries", GAUGES);
    const HIT_SHARE: GaugeId = GaugeId::of("hit_share", GAUGES);
    const DELAY: GaugeId = GaugeId::of("delay", GAUGES);
    const DEPTH: GaugeId = GaugeId::of("depth", GAUGES);

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    /// A try, a miss and a hit, delays of 1 s and 3 s, and a depth of 4 for half of the time.
    fn used() -> Dials {
        let mut dials = Dials::new(GAUGES);
        dials.count(TRIES, 1);
        [false, true].into_iter().for_each(|hit| dials.share(HIT_SHARE, hit));
        [1, 3].into_iter().for_each(|s| dials.time(DELAY, SimDuration::from_secs(s)));
        dials.level(DEPTH, at(5), 4);
        dials
    }

    fn figures(dials: &Dials, now: u64) -> Vec<(f64, f64)> {
        dials.read(at(now)).iter().map(|(_, reading)| (reading.mean(), reading.max())).collect()
    }

    #[test]
    fn each_sort_has_its_mean_and_its_highest() {
        let read = figures(&used(), 10);
        assert_eq!((read[0].0, read[1].0, read[2], read[3]), (1.0, 0.5, (2.0, 3.0), (2.0, 4.0)));
        assert!(read[0].1.is_nan() && read[1].1.is_nan());
    }

    #[test]
    fn the_warmup_is_forgotten_but_not_the_level() {
        let mut dials = used();
        dials.end_warmup(at(10));
        let read = figures(&dials, 20);
        assert_eq!((read[0].0, read[3]), (0.0, (4.0, 4.0)));
        assert!(read[1].0.is_nan() && read[2].0.is_nan() && read[2].1.is_nan());
    }

    #[test]
    fn members_are_pooled_by_what_they_recorded() {
        let pooled: Vec<(f64, f64)> = used()
            .read(at(10))
            .into_iter()
            .zip(Dials::new(GAUGES).read(at(10)))
            .map(|((_, mut one), (_, other))| {
                one.pool(&other);
                (one.mean(), one.max())
            })
            .collect();
        assert_eq!((pooled[1].0, pooled[2], pooled[3]), (0.5, (2.0, 3.0), (2.0, 4.0)));
    }

    #[test]
    #[should_panic(expected = "the gauge `tries` is declared as a count, not as a share")]
    fn a_gauge_that_is_used_as_another_sort_is_found() {
        used().share(TRIES, true);
    }
}
