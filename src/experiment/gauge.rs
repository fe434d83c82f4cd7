//! `GaugeResult`: the gauges of a component over trials: what its kind counts and measures in addition to the figures
//! of all boxes.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::model::gauge::{Gauge, Reading, Sort};
use crate::model::record::ComponentRecord;
use crate::model::unit::Unit;
use crate::scenario::expression::Stat;

use super::value::{Figure, Named};

/// One gauge of a component, or of all members of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugeResult {
    /// The gauge.
    pub gauge: Gauge,
    /// The reading of each trial.
    trials: Vec<Reading>,
}

impl GaugeResult {
    /// The gauges of a component, from its record in each trial, by their names in the JSON.
    pub(super) fn all(trials: &[&ComponentRecord]) -> Named<GaugeResult> {
        let one = |at: usize| {
            let (gauge, _) = trials[0].gauges[at];
            let readings = trials.iter().map(|record| record.gauges[at].1).collect();
            let result = GaugeResult { gauge: *gauge, trials: readings };
            (result.key(), result)
        };
        Named((0..trials[0].gauges.len()).map(one).collect())
    }

    /// The gauge of a group, from those of its members; `None` without members.
    pub(super) fn pooled(members: &[&GaugeResult]) -> Option<GaugeResult> {
        let (first, rest) = members.split_first()?;
        let mut all = (*first).clone();
        for member in rest {
            all.trials.iter_mut().zip(&member.trials).for_each(|(mine, theirs)| mine.pool(theirs));
        }
        Some(all)
    }

    /// The mean of each trial, or its highest value, in the gauge's unit.
    #[must_use]
    pub fn figure(&self, stat: Stat) -> Figure {
        match self.gauge.sort {
            _ if stat == Stat::Max => return Figure::over(self.trials.iter().map(Reading::max)),
            Sort::Count => return Figure::count(self.trials.iter().map(Reading::mean)),
            Sort::Share => {
                let counts = self.trials.iter().map(|reading| match reading {
                    Reading::Share(yes, all) => (*yes as f64, *all as f64),
                    _ => unreachable!("the readings of a gauge are of its sort"),
                });
                return Figure::share(counts);
            }
            Sort::Time | Sort::Level => {}
        }
        Figure::over(self.trials.iter().map(Reading::mean))
    }

    /// Its name in the JSON, where times are in milliseconds.
    fn key(&self) -> String {
        let Gauge { name, unit, .. } = self.gauge;
        if unit == Unit::Seconds { format!("{name}_ms") } else { name.to_owned() }
    }
}

impl Serialize for GaugeResult {
    /// A figure, or a mean and a max.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scale = if self.gauge.unit == Unit::Seconds { 1e3 } else { 1.0 };
        let figure = |stat| self.figure(stat).scaled(scale);
        match self.gauge.sort {
            Sort::Count | Sort::Share => figure(Stat::Mean).serialize(serializer),
            Sort::Time | Sort::Level => {
                let mut parts = serializer.serialize_struct("GaugeResult", 2)?;
                parts.serialize_field("mean", &figure(Stat::Mean))?;
                parts.serialize_field("max", &figure(Stat::Max))?;
                parts.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tally::Tally;

    #[test]
    fn members_are_pooled_trial_by_trial() {
        let gauge = Gauge::share("hit_share", "Hits.");
        let member = |trials: &[(u64, u64)]| GaugeResult {
            gauge,
            trials: trials.iter().map(|&(yes, all)| Reading::Share(yes, all)).collect(),
        };
        let pooled = GaugeResult::pooled(&[&member(&[(1, 1), (0, 2)]), &member(&[(0, 3), (1, 2)])]).unwrap();
        assert_eq!(pooled.figure(Stat::Mean).trials, [Some(0.25), Some(0.25)]);
        assert_eq!(GaugeResult::pooled(&[]), None);
    }

    #[test]
    fn times_are_in_milliseconds_in_the_json() {
        let mut times = Tally::default();
        [1_000_000, 3_000_000].into_iter().for_each(|nanos| times.record(nanos));
        let gauge = Gauge::time("delay", "Delays.");
        let result = GaugeResult { gauge, trials: vec![Reading::Time(times)] };
        let json = serde_json::to_value(&result).unwrap();
        assert_eq!((json["mean"]["mean"].as_f64(), json["max"]["mean"].as_f64()), (Some(2.0), Some(3.0)));
        assert_eq!((result.figure(Stat::Max).mean, result.key().as_str()), (Some(0.003), "delay_ms"));
    }
}
