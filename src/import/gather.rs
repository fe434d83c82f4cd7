//! `Gathered`: what requests in order say about a load: their rows in a trace, and figures of each class.

use std::fmt::Write as _;

use crate::stats::histogram::Histogram;

use super::routes::{Class, Classes};
use super::sort::Record;

/// Largest number of rows of a trace that is written; with more requests, rows are counts of longer periods.
pub const ROWS_MAX: u64 = 1_000_000;

/// Periods of counts in seconds.
const PERIODS_S: [u64; 8] = [1, 2, 5, 10, 30, 60, 300, 3600];

/// The span over which the highest rate counts as the peak, ms: about as long as users are patient.
const PEAK_MS: i64 = 10_000;

/// How the rows of a trace are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// A row for each moment, to the ms.
    Moments,
    /// A row for each period with requests, and each class; the length of the period in seconds.
    Counts(u64),
}

impl Rows {
    /// The rows for this number of requests over this time: moments where the log has them, counts of a period else. Times in whole
    /// seconds are no moments: all requests of a second would come at its start.
    #[must_use]
    pub fn of(
        requests: u64,
        length_ms: i64,
        whole_seconds: bool,
        classes: usize,
        every_s: Option<u64>,
    ) -> Rows {
        if let Some(every) = every_s {
            return Rows::Counts(every);
        }
        if !whole_seconds && requests <= ROWS_MAX {
            return Rows::Moments;
        }
        let rows =
            |period: u64| (length_ms as u64 / 1000 / period + 1).saturating_mul(classes as u64).min(requests);
        Rows::Counts(PERIODS_S.into_iter().find(|period| rows(*period) <= ROWS_MAX).unwrap_or(3600))
    }
}

/// Figures of a class of requests.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Number of requests.
    pub count: u64,
    /// Answers with a status from 500 on, or none.
    pub failed: u64,
    /// Sizes of answers, bytes.
    pub sizes: Histogram,
    /// Durations with all waiting, microseconds.
    pub durations: Histogram,
}

/// What a log says.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The classes, from the most frequent on.
    pub classes: Vec<Class>,
    /// Figures of each class.
    pub figures: Vec<Figures>,
    /// The moment of the trace's zero, ms since 1970.
    pub zero_ms: i64,
    /// What is added to moments before they are counted, ms.
    late_ms: i64,
    /// The first arrival, ms since 1970.
    pub first_ms: i64,
    /// The last arrival, ms since 1970.
    pub last_ms: i64,
    /// Number of requests.
    pub requests: u64,
    /// Requests a second over the highest ten seconds, or over all of a shorter log.
    pub peak: f64,
    /// Start of these seconds, ms since 1970.
    pub peak_at_ms: i64,
    /// How the rows were made.
    pub rows: Rows,
    /// The rows of the trace, with their header.
    pub trace: String,
    /// Whether each row is one request with its duration.
    has_durations: bool,
}

/// Goes through the requests in order.
///
/// With durations, which all requests must have, each is a row of its own, in counts too. Returns nothing when there are none. An error of the source ends it. `late_ms` is added to each moment before it is
/// counted: a log in whole seconds cuts the rest of the second of an end, which is half a second in the mean.
pub fn gather<E>(
    records: impl Iterator<Item = Result<Record, E>>,
    classes: Classes,
    rows: Rows,
    has_durations: bool,
    late_ms: i64,
) -> Result<Option<Gathered>, E> {
    let mut gathered: Option<Gathered> = None;
    let Classes { classes, of_id } = classes;
    let mut spare = Some(classes);
    let mut window = Window::default();
    let mut period = Period::default();
    for record in records {
        let record = record?;
        let all = gathered.get_or_insert_with(|| {
            Gathered::begin(spare.take().unwrap_or_default(), record.at_ms, rows, (has_durations, late_ms))
        });
        let class = usize::from(of_id[record.route as usize]);
        all.count(class, &record);
        window.add(record.at_ms, all);
        match rows {
            Rows::Moments => all.moment(&record, class),
            Rows::Counts(every_s) => {
                let start = (record.at_ms + late_ms - all.zero_ms) / (every_s as i64 * 1000) * every_s as i64;
                if has_durations {
                    all.counted(start, &record, class);
                    continue;
                }
                if start != period.start {
                    period.flush(all);
                    period.start = start;
                }
                period.counts.resize(all.classes.len(), 0);
                period.counts[class] += 1;
            }
        }
    }
    if let Some(all) = &mut gathered {
        period.flush(all);
        all.peak_at_ms = all.peak_at_ms.max(all.first_ms);
        if all.last_ms - all.first_ms < PEAK_MS {
            all.peak = all.requests as f64 * 1000.0 / (all.last_ms - all.first_ms).max(1000) as f64;
            all.peak_at_ms = all.first_ms;
        }
    }
    Ok(gathered)
}

impl Gathered {
    fn begin(
        classes: Vec<Class>,
        first_ms: i64,
        rows: Rows,
        (has_durations, late_ms): (bool, i64),
    ) -> Gathered {
        let step = match rows {
            Rows::Moments => 1000,
            Rows::Counts(every_s) => every_s as i64 * 1000,
        };
        let figures = vec![Figures::default(); classes.len()];
        Gathered {
            figures,
            classes,
            zero_ms: (first_ms + late_ms).div_euclid(step) * step,
            late_ms,
            first_ms,
            last_ms: first_ms,
            requests: 0,
            peak: 0.0,
            peak_at_ms: first_ms,
            rows,
            trace: header(rows, has_durations).to_owned(),
            has_durations,
        }
    }

    fn count(&mut self, class: usize, record: &Record) {
        self.requests += 1;
        self.last_ms = record.at_ms;
        let figures = &mut self.figures[class];
        figures.count += 1;
        figures.failed += u64::from(record.status >= 500 || record.status == 0);
        if record.bytes != Record::UNKNOWN {
            figures.sizes.record(u64::from(record.bytes));
        }
        if record.duration_us != Record::UNKNOWN {
            figures.durations.record(u64::from(record.duration_us));
        }
    }

    /// A row of a moment.
    fn moment(&mut self, record: &Record, class: usize) {
        let t = record.at_ms - self.zero_ms;
        let name = &self.classes[class].name;
        let written = match t % 1000 {
            0 => write!(self.trace, "{},{name}", t / 1000),
            ms => write!(self.trace, "{}.{ms:03},{name}", t / 1000),
        };
        written.expect("a string takes all");
        self.end_row(record);
    }

    /// A row of one request of a period.
    fn counted(&mut self, start: i64, record: &Record, class: usize) {
        write!(self.trace, "{start},1,{}", self.classes[class].name).expect("a string takes all");
        self.end_row(record);
    }

    fn end_row(&mut self, record: &Record) {
        if self.has_durations {
            let us = record.duration_us;
            write!(self.trace, ",{}.{:06}", us / 1_000_000, us % 1_000_000).expect("a string takes all");
        }
        self.trace.push('\n');
    }

    /// Seconds from the trace's zero to its end: a whole number of seconds or of periods.
    #[must_use]
    pub fn length_s(&self) -> u64 {
        let step = match self.rows {
            Rows::Moments => 1,
            Rows::Counts(every_s) => every_s,
        };
        ((self.last_ms + self.late_ms - self.zero_ms) as u64 / 1000 / step + 1) * step
    }
}

/// The names of the columns. Without counts each row is a moment.
fn header(rows: Rows, has_durations: bool) -> &'static str {
    match (rows, has_durations) {
        (Rows::Moments, false) => "t_s,class\n",
        (Rows::Moments, true) => "t_s,class,duration_s\n",
        (Rows::Counts(_), false) => "t_s,count,class\n",
        (Rows::Counts(_), true) => "t_s,count,class,duration_s\n",
    }
}

/// The counts of the period under way.
#[derive(Debug, Default)]
struct Period {
    start: i64,
    counts: Vec<u64>,
}

impl Period {
    fn flush(&mut self, all: &mut Gathered) {
        for (class, count) in self.counts.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
            writeln!(all.trace, "{},{count},{}", self.start, all.classes[class].name)
                .expect("a string takes all");
            *count = 0;
        }
    }
}

/// Requests of the last ten seconds, in slices of a tenth of a second.
#[derive(Debug)]
struct Window {
    slices: [u64; Window::SLICES],
    slice: i64,
    inside: u64,
}

impl Default for Window {
    fn default() -> Window {
        Window { slices: [0; Window::SLICES], slice: i64::MIN, inside: 0 }
    }
}

impl Window {
    const SLICES: usize = 100;

    fn add(&mut self, at_ms: i64, all: &mut Gathered) {
        let wide = PEAK_MS / Window::SLICES as i64;
        let slice = at_ms.div_euclid(wide);
        let passed = slice.saturating_sub(self.slice).min(Window::SLICES as i64);
        for step in 0..passed {
            let index = (slice - step).rem_euclid(Window::SLICES as i64) as usize;
            self.inside -= self.slices[index];
            self.slices[index] = 0;
        }
        self.slice = slice;
        self.slices[slice.rem_euclid(Window::SLICES as i64) as usize] += 1;
        self.inside += 1;
        let rate = self.inside as f64 * 1000.0 / PEAK_MS as f64;
        if rate > all.peak {
            all.peak = rate;
            all.peak_at_ms = (slice + 1) * wide - PEAK_MS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at_ms: i64, route: u32) -> Result<Record, ()> {
        Ok(Record { at_ms, hash: 0, file: 0, status: 200, route, duration_us: 1000, bytes: 10 })
    }

    fn classes() -> Classes {
        let class = |name: &str| Class { name: name.to_owned(), pattern: String::new(), writes: false };
        Classes { classes: vec![class("a"), class("b")], of_id: vec![0, 1] }
    }

    #[test]
    fn moments_are_rows_to_the_millisecond() {
        let records = [record(1_000_250, 0), record(1_000_250, 1), record(1_002_000, 0)];
        let all = gather(records.into_iter(), classes(), Rows::Moments, false, 0).unwrap().unwrap();
        assert_eq!(all.trace, "t_s,class\n0.250,a\n0.250,b\n2,a\n");
        assert_eq!((all.zero_ms, all.length_s(), all.requests, all.figures[0].count), (1_000_000, 3, 3, 2));
    }

    #[test]
    fn counts_are_rows_of_periods_that_begin_at_whole_ones() {
        let records = [record(65_000, 0), record(66_000, 1), record(67_000, 0), record(125_000, 0)];
        let all = gather(records.into_iter(), classes(), Rows::Counts(60), false, 0).unwrap().unwrap();
        assert_eq!(all.trace, "t_s,count,class\n0,2,a\n0,1,b\n60,1,a\n");
        assert_eq!((all.zero_ms, all.length_s()), (60_000, 120));
    }

    #[test]
    fn with_durations_each_request_has_its_row() {
        let records = || [record(65_000, 0), record(66_000, 1)].into_iter();
        let all = gather(records(), classes(), Rows::Counts(60), true, 0).unwrap().unwrap();
        assert_eq!(all.trace, "t_s,count,class,duration_s\n0,1,a,0.001000\n0,1,b,0.001000\n");
        let all = gather(records(), classes(), Rows::Moments, true, 0).unwrap().unwrap();
        assert_eq!(all.trace, "t_s,class,duration_s\n0,a,0.001000\n1,b,0.001000\n");
    }

    #[test]
    fn the_peak_is_that_of_ten_seconds() {
        let even = (0..600).map(|n| record(n * 100, 0));
        let burst = (0..500).map(|n| record(60_000 + n, 0));
        let all = gather(even.chain(burst), classes(), Rows::Moments, false, 0).unwrap().unwrap();
        assert!((all.peak - 59.5).abs() < 1.0, "{}", all.peak);
        assert!(
            gather(std::iter::empty::<Result<Record, ()>>(), classes(), Rows::Moments, false, 0)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn whole_seconds_and_many_requests_become_counts() {
        assert_eq!(Rows::of(100, 60_000, false, 2, None), Rows::Moments);
        assert_eq!(Rows::of(100, 60_000, true, 2, None), Rows::Counts(1));
        assert_eq!(Rows::of(10_000_000, 86_400_000, false, 12, None), Rows::Counts(2));
        assert_eq!(Rows::of(100, 60_000, false, 2, Some(60)), Rows::Counts(60));
    }
}
