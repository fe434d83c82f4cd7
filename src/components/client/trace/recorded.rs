//! `Recorded`: what a file says about the requests of the past: their moments, their counts in periods, or their rates.

use std::sync::Arc;

use crate::kernel::headers::{COUNTS, RATES, TIMES};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::columns::{Columns, Pick};
use crate::model::quantity::Duration;

use super::super::profile::{Cycle, Profile};
use super::part::{Lines, Marks, Part, period};
use crate::model::moments::times;

/// Largest number of lines of a trace file.
const LINES_MAX: usize = 10_000_000;

/// The highest rate of a trace, requests a second: beyond it a trial does not come to its end.
const RATE_MAX: f64 = 1e7;

/// A name that many programs give to the column of the counts, whatever they are.
const VALUE: &str = "value";

/// How the lines of a file are to be taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout<'a> {
    /// Seconds of the period of each count.
    pub(super) every_s: Option<f64>,
    /// Whether counts are replayed as they are.
    pub(super) exact: Option<bool>,
    pub(super) time: Option<Pick<'a>>,
    pub(super) count: Option<Pick<'a>>,
    /// Which of the lines.
    pub(super) part: Part<'a>,
    /// Whether each line names a class.
    pub(super) has_classes: bool,
}

/// The name of the column of the classes.
const CLASS: &str = "class";

/// What a file was read as.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) recorded: Recorded,
    /// The classes of its lines, where each line has one.
    pub(super) marks: Option<Marks>,
    /// What the user should know.
    pub(super) doubts: Vec<Doubt>,
}

/// Something about a file that its user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// A recorded load.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// The times of the requests, in order.
    Moments(Arc<[SimTime]>),
    /// The start of each period in seconds and the number of its requests, which come at any time within it.
    Counts {
        /// In order of time.
        counts: Arc<[(f64, f64)]>,
        /// Length of each period, seconds.
        period_s: f64,
    },
    /// Rates over time, requests a second.
    Rates {
        /// The rate as a factor of 1/s.
        profile: Profile,
        /// Where it ends, seconds.
        end_s: f64,
    },
}

impl Recorded {
    /// Reads a file, and says what its user should know about it.
    pub(super) fn parse(text: &str, layout: Layout<'_>) -> Result<Read, String> {
        let columns = Columns::read(text)?;
        if columns.len() > LINES_MAX {
            return Err(format!("more than {LINES_MAX} lines"));
        }
        let noted = columns.note("every").and_then(|every| every.parse::<Duration>().ok());
        let noted_s = noted.map(|every| every.0.as_secs_f64()).filter(|every| *every > 0.0);
        let layout = Layout { every_s: layout.every_s.or(noted_s), ..layout };
        let Chosen { time, count, class } = choose(&columns, layout)?;
        let mut doubts = Vec::new();
        let times = times(&columns, time)?;
        let rising = times.seconds.windows(2).all(|pair| pair[0] <= pair[1]);
        if !rising {
            let message = "the lines are not in the order of their times: they have been sorted".to_owned();
            doubts.push(Doubt { message, help: "a log is written when requests end, not when they come" });
        }
        if count.is_some() && columns.may_be_decimal() {
            let message =
                "each line has been read as a time and a count, not as a number with a decimal comma";
            let help = "a header line such as `second,count` ends the doubt; else write decimal points";
            doubts.push(Doubt { message: message.into(), help });
        }
        let mut lines = Lines::read(&columns, &times.seconds, count, class)?;
        lines.keep(layout.part, times.begin, count.map(|count| is_rate(&columns.name(count))))?;
        if class.is_some() && !layout.has_classes {
            lines.add_up();
        }
        let recorded = match count {
            Some(count) if !(layout.every_s.is_none() && lines.are_moments()) => {
                Recorded::of_rows(&lines.rows, &columns.name(count), layout, &mut doubts)?
            }
            _ => {
                let at = |(time, _): &(f64, f64)| SimTime::ZERO + SimDuration::from_sample_secs(*time);
                Recorded::Moments(lines.rows.iter().map(at).collect())
            }
        };
        let marks = layout.has_classes.then(|| lines.marks());
        if marks.is_some() && matches!(recorded, Recorded::Rates { .. }) {
            return Err("rates have no classes of their own: give counts, and not `exact = false`".into());
        }
        Ok(Read { recorded, marks, doubts })
    }

    /// The times and counts of lines in order.
    fn of_rows(
        rows: &[(f64, f64)],
        name: &str,
        layout: Layout<'_>,
        doubts: &mut Vec<Doubt>,
    ) -> Result<Recorded, String> {
        let is_rate = is_rate(name);
        let period_s = match layout.every_s {
            Some(every) => every,
            None => {
                let period = period(rows, is_rate)?;
                if period > 1.0 && !is_rate {
                    let message = format!("each count has been taken as the requests of {period} s");
                    doubts.push(Doubt { message, help: "say so by `every`, such as every = \"60s\"" });
                }
                period
            }
        };
        // Lines of several classes stand for the same period.
        let is_near = |pair: &[(f64, f64)]| {
            let distance = pair[1].0 - pair[0].0;
            distance < period_s * (1.0 - 1e-6) && !(layout.has_classes && distance == 0.0)
        };
        if !is_rate && rows.windows(2).any(is_near) {
            return Err(format!("two lines are less than {period_s} s apart, the period of each count"));
        }
        let to_rate = if is_rate { 1.0 } else { 1.0 / period_s };
        if let Some((time, count)) = rows.iter().find(|(_, count)| count * to_rate > RATE_MAX) {
            return Err(format!("{count} at {time} s: a load has at most {RATE_MAX} requests a second"));
        }
        if rows.iter().all(|(_, count)| *count == 0.0) {
            return Err("all counts are 0: nobody ever comes".into());
        }
        if !layout.exact.unwrap_or(!is_rate) {
            return Ok(rates(rows, period_s, to_rate, is_rate));
        }
        if is_rate {
            return Err("its rates are no numbers of requests that could be replayed: drop `exact`".into());
        }
        Ok(Recorded::Counts { counts: rows.into(), period_s })
    }

    /// Requests a second: their mean over the trace.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Recorded::Moments(moments) => moments.len() as f64 / self.length_s(),
            Recorded::Counts { counts, .. } => {
                counts.iter().map(|(_, count)| count).sum::<f64>() / self.length_s()
            }
            Recorded::Rates { profile, end_s } => profile.area(*end_s) / end_s,
        }
    }

    /// Requests a second: the most over a span of `span_s` seconds, over one of its periods where that is longer, or over all
    /// of it where that is shorter.
    pub(super) fn highest(&self, span_s: f64) -> f64 {
        let span_s = span_s.min(self.length_s());
        match self {
            Recorded::Moments(moments) => {
                let span = SimDuration::from_sample_secs(span_s);
                let inside = |first: usize| {
                    let until = moments[first] + span;
                    moments[first..].partition_point(|moment| *moment < until)
                };
                (0..moments.len()).map(inside).max().unwrap_or(0) as f64 / span_s
            }
            Recorded::Counts { counts, period_s } => {
                let span_s = span_s.max(*period_s);
                let mut most: f64 = 0.0;
                let (mut first, mut inside) = (0, 0.0);
                for (start, count) in counts.iter() {
                    inside += count;
                    // The first period that lies within the span that ends with this one.
                    while counts[first].0 < start + period_s - span_s * (1.0 + 1e-9) {
                        inside -= counts[first].1;
                        first += 1;
                    }
                    most = most.max(inside);
                }
                most / span_s
            }
            Recorded::Rates { profile, .. } => {
                let Profile::Pieces { pieces, .. } = profile else { return profile.max() };
                let over = |start: f64| (profile.area(start + span_s) - profile.area(start)) / span_s;
                pieces.iter().map(|piece| over(piece.knot().0)).fold(0.0, f64::max)
            }
        }
    }

    /// The length of the trace from 0 to its end, seconds: after the last moment there is a mean gap.
    pub(in super::super) fn length_s(&self) -> f64 {
        match self {
            Recorded::Moments(moments) => {
                let [first, .., last] = moments[..] else { return moments[0].as_secs_f64() + 1.0 };
                let gap = last.since(first).as_secs_f64() / (moments.len() - 1) as f64;
                last.as_secs_f64() + if gap > 0.0 { gap } else { 1.0 }
            }
            Recorded::Counts { counts, period_s } => counts[counts.len() - 1].0 + period_s,
            Recorded::Rates { end_s, .. } => *end_s,
        }
    }

    /// The rates as a profile that is played from `offset` seconds on, again and again.
    pub(in super::super) fn repeated(profile: &Profile, end_s: f64, offset: f64) -> Profile {
        let Profile::Pieces { pieces, .. } = profile else { return profile.clone() };
        let mut knots: Vec<(f64, f64, f64)> =
            pieces.iter().map(|piece| piece.knot()).filter(|knot| knot.0 < end_s).collect();
        knots.iter_mut().for_each(|knot| knot.0 += offset);
        if offset > 0.0 {
            knots.insert(0, (0.0, 0.0, 0.0));
        }
        Profile::steps(&knots, Some(Cycle { start: offset, length: end_s }))
    }
}

/// Whether a column of this name has rates.
fn is_rate(name: &str) -> bool {
    RATES.iter().any(|piece| name.contains(piece))
}

/// The columns of a file.
struct Chosen {
    time: usize,
    /// That of the counts; none for moments.
    count: Option<usize>,
    /// That of the classes.
    class: Option<usize>,
}

/// Chooses the columns by the user's word, by their names, or by their order.
fn choose(columns: &Columns<'_>, layout: Layout<'_>) -> Result<Chosen, String> {
    let width = columns.width();
    let named = |known: &[&str]| (0..width).find(|column| known.contains(&columns.name(*column).as_str()));
    let rate = |column: &usize| is_rate(&columns.name(*column));
    let class = named(&[CLASS]);
    if class.is_none() && (layout.has_classes || !layout.part.only.is_empty()) {
        return Err(format!("no column of it is called `{CLASS}`"));
    }
    let time = match layout.time {
        Some(pick) => columns.find(pick)?,
        None => named(&TIMES).unwrap_or(0),
    };
    let count = match layout.count {
        Some(pick) => Some(columns.find(pick)?),
        None if layout.time.is_some() && width > 2 => None,
        None => named(&COUNTS)
            .or_else(|| named(&[VALUE]))
            .or_else(|| (0..width).find(rate))
            .filter(|column| *column != time),
    };
    let count = match (count, width - usize::from(class.is_some())) {
        (None, 1) => None,
        (None, 2) if class.is_none() && (layout.time.is_none() || columns.header.is_none()) => {
            Some(1 - time.min(1))
        }
        // Besides the times and classes a log has durations and the like.
        (None, _) if layout.time.is_some() || (class.is_some() && named(&TIMES).is_some()) => None,
        (None, _) => {
            return Err(format!(
                "it has {width} columns: say which has the times and which the counts, such as time = 1 and count = 2"
            ));
        }
        (Some(count), _) => Some(count),
    };
    Ok(Chosen { time, count, class })
}

/// Counts and rates as a rate over time. A period that no line is about has no requests; a rate holds until the next.
fn rates(rows: &[(f64, f64)], period_s: f64, to_rate: f64, holds: bool) -> Recorded {
    let mut knots: Vec<(f64, f64, f64)> = Vec::new();
    if rows[0].0 > 0.0 {
        knots.push((0.0, 0.0, 0.0));
    }
    for (index, (time, count)) in rows.iter().enumerate() {
        let rate = count * to_rate;
        knots.push((*time, rate, rate));
        let is_gap = rows.get(index + 1).is_some_and(|next| next.0 > time + period_s * (1.0 + 1e-6));
        if is_gap && !holds {
            knots.push((time + period_s, 0.0, 0.0));
        }
    }
    let end_s = rows[rows.len() - 1].0 + period_s;
    knots.push((end_s, 0.0, 0.0));
    Recorded::Rates { profile: Profile::steps(&knots, None), end_s }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Recorded, Vec<Doubt>) {
        let read = Recorded::parse(text, Layout::default()).expect(text);
        (read.recorded, read.doubts)
    }

    fn counts(text: &str) -> (f64, Vec<(f64, f64)>) {
        let (Recorded::Counts { counts, period_s }, _) = parse(text) else { panic!("{text}: no counts") };
        (period_s, counts.to_vec())
    }

    #[test]
    fn a_line_with_one_number_is_a_moment() {
        for text in ["seconds\n0.5\n1.25\n", "\u{feff}0.5\n1.25\n", "# log\n\ntime\n1.25\n0.5\n"] {
            let moments = [500_000_000, 1_250_000_000].map(SimTime::from_nanos);
            assert_eq!(parse(text).0, Recorded::Moments(moments.into()), "{text}");
        }
        assert_eq!(parse("0.5\n1.25\n").1, []);
        assert_eq!(parse("1.25\n0.5\n").1.len(), 1);
    }

    #[test]
    fn a_count_is_of_the_distance_of_the_lines() {
        let minutes = "0,600\n60,600\n120,600\n";
        assert_eq!(counts(minutes), (60.0, vec![(0.0, 600.0), (60.0, 600.0), (120.0, 600.0)]));
        assert_eq!((parse(minutes).0.mean(), parse(minutes).0.highest(1.0)), (10.0, 10.0));
        assert!(parse(minutes).1[0].message.contains("the requests of 60 s"));
        assert_eq!(counts("# every: 60s\n0,6\n7200,6\n").0, 60.0);
        assert_eq!(counts("0,6\n0.5,6\n").0, 0.5);
        assert_eq!(counts("0,600\n60,60\n180,60\n240,60\n").0, 60.0);
        assert_eq!(counts("second,n\n2,10\n5,20\n6,20\n8,4\n").0, 1.0);
        assert_eq!(counts("2017-08-04T13:23:00Z,3\n2017-08-04T13:24:00Z,4\n").1, [(0.0, 3.0), (60.0, 4.0)]);
        assert!(Recorded::parse("0,1\n1.3,1\n7.9,2", Layout::default()).is_err());
    }

    #[test]
    fn a_column_is_chosen_by_its_name_or_by_its_number() {
        let text = "t_s,count,class\n0,5,a\n1,6,b\n";
        assert_eq!(counts(text).1, [(0.0, 5.0), (1.0, 6.0)]);
        let layout =
            Layout { time: Some(Pick::Number(1)), count: Some(Pick::Number(3)), ..Layout::default() };
        let Recorded::Counts { counts, .. } = Recorded::parse("0,x,5\n1,y,6\n", layout).unwrap().recorded
        else {
            panic!("no counts")
        };
        assert_eq!(*counts, [(0.0, 5.0), (1.0, 6.0)]);
        assert!(
            Recorded::parse("0,x,5\n1,y,6\n", Layout::default()).is_err_and(|text| text.contains("time = 1"))
        );
    }

    #[test]
    fn a_line_may_name_its_class() {
        let layout = Layout { has_classes: true, ..Layout::default() };
        let read = |text: &str| Recorded::parse(text, layout);
        let found = read("t_s,class\n0.5,b\n0.25,a\n0.5,a\n").unwrap();
        let moments = [250_000_000, 500_000_000, 500_000_000].map(SimTime::from_nanos);
        assert_eq!(found.recorded, Recorded::Moments(moments.into()));
        let marks = found.marks.unwrap();
        assert_eq!((marks.names, &*marks.lines), (vec!["a".to_owned(), "b".to_owned()], &[0, 1, 0][..]));
        // A count of 1 at times of their own is a moment too.
        let moments = read("t_s,count,class\n0.25,1,a\n0.5,1,b\n0.5,1,a\n").unwrap();
        assert_eq!(moments.recorded, found.recorded);
        let counts = read("t_s,count,class\n0,5,a\n0,6,b\n60,7,a\n").unwrap();
        let rows = [(0.0, 5.0), (0.0, 6.0), (60.0, 7.0)];
        assert_eq!(counts.recorded, Recorded::Counts { counts: rows.into(), period_s: 60.0 });
        assert!(read("0,5\n1,6\n").is_err_and(|message| message.contains("no column")));
        assert!(read("t,rate,class\n0,5,a\n1,6,b\n").is_err_and(|message| message.contains("rates have")));
        // Without classes their lines are added up.
        assert_eq!(self::counts("t_s,count,class\n0,5,a\n0,6,b\n60,7,a\n").1, [(0.0, 11.0), (60.0, 7.0)]);
        assert_eq!(parse("t_s,class\n0.5,b\n0.25,a\n").0.length_s(), 0.75);
    }

    #[test]
    fn rates_hold_until_the_next_line() {
        let (Recorded::Rates { profile, end_s }, _) = parse("time,rate\n2,10\n5,20\n") else { panic!() };
        for (t, rate) in [(0.0, 0.0), (2.5, 10.0), (4.5, 10.0), (5.5, 20.0), (8.5, 0.0)] {
            assert_eq!(profile.factor(t), rate, "at {t}");
        }
        assert_eq!(end_s, 8.0);
        let layout = Layout { exact: Some(false), every_s: Some(1.0), ..Layout::default() };
        let Recorded::Rates { profile, .. } = Recorded::parse("2,10\n5,20\n", layout).unwrap().recorded
        else {
            panic!()
        };
        assert_eq!([2.5, 3.5, 5.5, 6.5].map(|t| profile.factor(t)), [10.0, 0.0, 20.0, 0.0]);
    }

    #[test]
    fn a_bad_trace_says_what_is_wrong() {
        for (bad, message) in [
            ("", "no line"),
            ("header\n", "no line"),
            ("1\n2\nx\n", "line 3"),
            ("1\n1,2\n", "fields"),
            ("1,2,3\n", "3 columns"),
            ("0\nnan\n", "line 2"),
            ("0,999999999\n", "at most"),
            ("0,1\n0,x\n", "line 2"),
            ("0,0\n1,0\n", "nobody"),
        ] {
            let found = Recorded::parse(bad, Layout::default()).expect_err(bad);
            assert!(found.contains(message), "{bad:?}: {found}");
        }
        assert!(parse("0,5\n1,5\n2,5\n").1[0].message.contains("decimal comma"));
    }
}
