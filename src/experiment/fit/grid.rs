//! `Grid`: the log and the busy times of a box in the same windows.

use crate::model::resource::Meter;
use crate::scenario::Scenario;

use super::FULL;
use super::log::{Busy, Log};
use super::regress::Windows;

/// The sorts of work of some boxes.
pub(super) struct Sorts {
    pub(super) boxes: Vec<BoxSorts>,
}

/// The sorts of work of one box that its requests lead to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BoxSorts {
    /// Their names.
    pub(super) names: Vec<String>,
    /// For each of them its units that one request of each class leads to.
    pub(super) units: Vec<Vec<f64>>,
    /// Core seconds at speed 1 that all its cores do in a second.
    pub(super) capacity: f64,
    /// The same of one core.
    pub(super) speed: f64,
}

impl Sorts {
    /// The sorts of the boxes of these names.
    pub(super) fn of<'a>(scenario: &Scenario, names: impl Iterator<Item = &'a str>) -> Result<Sorts, String> {
        let boxes =
            names.map(|name| BoxSorts::of(scenario, name)).collect::<Result<Vec<BoxSorts>, String>>()?;
        Ok(Sorts { boxes })
    }
}

impl BoxSorts {
    pub(super) fn of(scenario: &Scenario, name: &str) -> Result<BoxSorts, String> {
        let at = scenario.boxes.iter().position(|entry| entry.name == name);
        let at = at.ok_or_else(|| {
            let known: Vec<&str> = scenario.boxes.iter().map(|entry| entry.name.as_str()).collect();
            format!("there is no box `{name}`: there are {}", known.join(", "))
        })?;
        let load = scenario.load();
        let cores: Vec<_> = load
            .resources
            .iter()
            .filter(|row| row.name == name && row.resource.meter == Meter::Cores)
            .collect();
        if cores.is_empty() {
            return Err(format!("`{name}` has no machine of its own whose cores could be busy"));
        }
        let capacity = cores.iter().map(|row| row.capacity()).sum();
        let speed = scenario.boxes[at].spec.machine().map_or(1.0, |machine| machine.speed);
        // The calls of a class are those of the client that sends it.
        let calls = |class: usize| {
            let sends = |client: &&crate::scenario::load::ClientLoad| client.by_class[class].1 > 0.0;
            let client = load.clients.iter().find(sends).or(load.clients.first());
            client.map_or(0.0, |client| client.calls[class][at])
        };
        let calls: Vec<f64> = (0..scenario.classes.len()).map(calls).collect();
        let sorts = scenario.boxes[at].spec.sorts(&scenario.classes).into_iter().filter_map(|sort| {
            let units: Vec<f64> = sort.units.iter().zip(&calls).map(|(unit, calls)| unit * calls).collect();
            units.iter().any(|unit| *unit > 0.0).then_some((sort.name, units))
        });
        let (names, units): (Vec<String>, Vec<Vec<f64>>) = sorts.unzip();
        if names.is_empty() {
            return Err(format!("no request leads to work at `{name}`"));
        }
        Ok(BoxSorts { names, units, capacity, speed })
    }
}

/// The windows of a box.
pub(super) struct Grid {
    pub(super) windows: Windows,
    /// Number of windows in which the box was too full.
    pub(super) left_out: usize,
}

impl Grid {
    /// Puts the requests into the periods of the busy times, or, if those are shorter, the busy times into the periods of the
    /// requests. Windows lie before `until_s` seconds after the log's beginning.
    pub(super) fn of(log: &Log, busy: &Busy, sorts: &BoxSorts, until_s: f64) -> Grid {
        let length = log.period_s.unwrap_or(0.0).max(busy.period_s);
        let offset = busy.after(log);
        // Counts have a grid of their own, which the busy times must follow; else theirs is taken.
        let first = busy.rows.first().map_or(0.0, |row| row.0) + offset;
        let start = match log.period_s {
            Some(period) if period >= busy.period_s => 0.0,
            _ => first - (first / length).floor() * length,
        };
        let count = ((until_s - start) / length).floor().max(0.0) as usize;
        let window = |at_s: f64| {
            let at = ((at_s - start) / length + 1e-9).floor();
            (at >= 0.0 && at < count as f64).then_some(at as usize)
        };
        let mut sums = vec![(0.0, 0_u32); count];
        for (at, value) in &busy.rows {
            if let Some(at) = window(at + offset) {
                sums[at].0 += busy.cores(*value, sorts.capacity, sorts.speed);
                sums[at].1 += 1;
            }
        }
        let mean = |(sum, n): &(f64, u32)| (*n > 0).then(|| sum / f64::from(*n));
        let busy: Vec<Option<f64>> = sums.iter().map(mean).collect();
        let is_full = |busy: &Option<f64>| busy.is_some_and(|busy| busy > FULL * sorts.capacity);
        let left_out = busy.iter().filter(|busy| is_full(busy)).count();
        let busy = busy.into_iter().map(|busy| busy.filter(|_| !is_full(&busy))).collect();
        let mut work = vec![vec![0.0; sorts.names.len()]; count];
        for row in &log.rows {
            let middle = row.at_s + log.period_s.map_or(0.0, |period| period.min(length) / 2.0);
            if let Some(at) = window(middle) {
                let class = usize::from(row.class);
                work[at]
                    .iter_mut()
                    .zip(&sorts.units)
                    .for_each(|(work, units)| *work += row.count * units[class] / length);
            }
        }
        Grid { windows: Windows { work, busy }, left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorts() -> BoxSorts {
        let units = vec![vec![1.0, 0.0], vec![0.0, 2.0]];
        BoxSorts { names: vec!["a".into(), "b".into()], units, capacity: 4.0, speed: 1.0 }
    }

    #[test]
    fn requests_and_busy_times_come_into_the_same_windows() {
        let log =
            Log::parse("# begin: 2026-11-29T10:00:00Z\nt_s,class\n5,a\n29,b\n31,a\n45,a\n95,a\n").unwrap();
        let busy = Busy::parse("time,cpu %\n2026-11-29T10:00:00Z,50\n2026-11-29T10:00:30Z,95\n", None, None)
            .unwrap();
        let grid = Grid::of(&log, &busy, &sorts(), 95.0);
        assert_eq!(grid.windows.work, [vec![1.0 / 30.0, 2.0 / 30.0], vec![2.0 / 30.0, 0.0], vec![0.0, 0.0]]);
        assert_eq!((grid.windows.busy, grid.left_out), (vec![Some(2.0), None, None], 1));
    }

    #[test]
    fn counts_of_minutes_take_the_mean_of_shorter_busy_times() {
        let log = Log::parse("t_s,count,class\n0,60,a\n0,30,b\n60,120,a\n").unwrap();
        let busy = Busy::parse("t,cores\n0,1\n20,2\n40,3\n60,1\n80,1\n100,1\n", None, None).unwrap();
        let grid = Grid::of(&log, &busy, &sorts(), 120.0);
        assert_eq!(grid.windows.work, [vec![1.0, 1.0], vec![2.0, 0.0]]);
        assert_eq!(grid.windows.busy, [Some(2.0), Some(1.0)]);
    }
}
