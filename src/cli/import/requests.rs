//! The pass over requests: from lines to a sorted trace with classes.

use std::fmt::Write as _;

use crate::cli::status::Failure;
use crate::import::flaw::Flaw;
use crate::import::gather::{Gathered, ROWS_MAX, Rows, gather};
use crate::import::hit::{Hit, Line, Reader};
use crate::import::routes::Routes;
use crate::import::skeleton::{self, Origin, Source};
use crate::import::sort::Record;

use super::open::Input;
use super::spill::{self, Sorter};
use super::{Args, Written, shown};

/// Lines that cannot be read, after which the rest is not tried if they are most of a file.
const BAD_MAX: u64 = 1000;

/// Longest time that one import may cover, ms: beyond it a date is wrong.
const SPAN_MAX_MS: i64 = 400 * 86_400_000;

/// Everything that is read, over all files.
pub(super) struct Pass<'a> {
    args: &'a Args,
    routes: Routes,
    sorter: Sorter,
    origin: Origin,
    /// The extreme moments, each with the file and the line that has it.
    first: Option<(i64, String, u64)>,
    last: Option<(i64, String, u64)>,
    /// Whether all times are whole seconds.
    whole_seconds: bool,
    /// Whether moments are ends less durations.
    moved: bool,
    /// Lines without a request, such as port scans.
    no_request: u64,
    zone_was_missing: bool,
    /// Requests with a duration.
    timed: u64,
    bad: u64,
    notes: Vec<String>,
    requests: u64,
}

/// What the lines of one file come to.
#[derive(Default)]
struct OfFile {
    bad: u64,
    first_bad: Option<Flaw>,
    left_out: u64,
}

impl<'a> Pass<'a> {
    pub(super) fn new(args: &'a Args) -> Pass<'a> {
        Pass {
            args,
            routes: Routes::new(args.routes.clone()),
            sorter: Sorter::new(),
            origin: Origin::default(),
            first: None,
            last: None,
            whole_seconds: true,
            moved: false,
            no_request: 0,
            zone_was_missing: false,
            timed: 0,
            bad: 0,
            notes: Vec::new(),
            requests: 0,
        }
    }

    /// Whether there was no file.
    pub(super) fn is_empty(&self) -> bool {
        self.origin.sources.is_empty()
    }

    /// Reads all lines of a file.
    pub(super) fn read(
        &mut self,
        input: &mut Input,
        format: String,
        mut reader: Box<dyn Reader>,
    ) -> Result<(), Failure> {
        let tells_files = self.args.files.len() > 1 && !self.args.keep_repeated;
        let file = if tells_files { self.origin.sources.len() as u16 } else { 0 };
        let mut found = OfFile::default();
        while input.next()? {
            let bytes = input.line();
            let lossy = String::from_utf8_lossy(bytes);
            if lossy.is_empty() {
                continue;
            }
            let mut failed = None;
            let number = input.lines;
            let hash = if tells_files { hash(bytes) } else { 0 };
            let read = reader.line(number, &lossy, &mut |line| {
                failed = self.take(line, file, hash, (&input.origin, number), &mut found).err();
            });
            if let Some(failure) = failed {
                return Err(failure);
            }
            if let Err(flaw) = read {
                if !input.ended {
                    self.notes.push(format!("{}: its last line is cut, and was left out", input.origin));
                    found.left_out += 1;
                    continue;
                }
                found.bad += 1;
                found.first_bad.get_or_insert(flaw);
                if found.bad >= BAD_MAX && found.bad * 2 > number {
                    break;
                }
            }
        }
        self.judge(input, &found)?;
        if input.cut {
            self.notes
                .push(format!("{}: the compressed file is cut; it was read up to the cut", input.origin));
        }
        self.origin.ahead_s = reader.ahead_s();
        self.zone_was_missing |= reader.zone_was_missing();
        let name = input.origin.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let source = Source {
            name,
            sha256: input.sha256()?,
            lines: input.lines,
            left_out: found.left_out + found.bad,
        };
        self.origin.sources.push(source);
        if !self.origin.format.split(", ").any(|known| known == format) {
            let separator = if self.origin.format.is_empty() { "" } else { ", " };
            write!(self.origin.format, "{separator}{format}").expect("a string takes all");
        }
        Ok(())
    }

    /// Decides about the lines of a file that could not be read.
    fn judge(&mut self, input: &Input, found: &OfFile) -> Result<(), Failure> {
        let Some(flaw) = &found.first_bad else { return Ok(()) };
        self.bad += found.bad;
        let (bad, lines) = (found.bad, input.lines);
        let of = if bad == 1 { "1 line".to_owned() } else { format!("{bad} lines") };
        if self.args.skip_bad && bad * 2 < lines {
            self.notes.push(format!(
                "{}: {of} of {lines} could not be read, and were left out; the first is line {}: {}",
                input.origin, flaw.line, flaw.message
            ));
            return Ok(());
        }
        let help = match flaw.help.as_str() {
            "" if bad * 2 < lines => {
                format!("{of} of {lines} cannot be read; --skip-bad leaves them out")
            }
            "" => format!("{of} of {lines} cannot be read; is the log of another format? See --log-format"),
            help => help.to_owned(),
        };
        Err(shown(&input.origin, &flaw.clone().help(help)))
    }

    fn take(
        &mut self,
        line: Line<'_>,
        file: u16,
        hash: u64,
        (origin, number): (&str, u64),
        found: &mut OfFile,
    ) -> Result<(), Failure> {
        match line {
            Line::Nothing => {}
            Line::NoRequest => {
                self.no_request += 1;
                found.left_out += 1;
            }
            Line::Hit(hit) => {
                let at_ms = hit.at.ns.div_euclid(1_000_000);
                let place = || (at_ms, origin.to_owned(), number);
                if self.first.as_ref().is_none_or(|(first, ..)| at_ms < *first) {
                    self.first = Some(place());
                }
                if self.last.as_ref().is_none_or(|(last, ..)| at_ms > *last) {
                    self.last = Some(place());
                }
                self.whole_seconds &= hit.at.whole;
                self.moved |= hit.moved;
                self.timed += u64::from(hit.duration_ns.is_some());
                self.requests += 1;
                let record = self.record(&hit, at_ms, file, hash);
                self.sorter.add(record)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, hit: &Hit<'_>, at_ms: i64, file: u16, hash: u64) -> Record {
        let below = |value: u64| u32::try_from(value).unwrap_or(Record::UNKNOWN - 1).min(Record::UNKNOWN - 1);
        Record {
            at_ms,
            hash,
            file,
            status: hit.status,
            route: self.routes.id(hit.method, hit.target),
            duration_us: hit.duration_ns.map_or(Record::UNKNOWN, |ns| below(ns / 1000)),
            bytes: hit.bytes.map_or(Record::UNKNOWN, below),
        }
    }

    fn nothing(&self) -> Failure {
        let files: Vec<&str> = self.origin.sources.iter().map(|source| source.name.as_str()).collect();
        Failure::failed(format!("there is no request in `{}`", files.join("`, `")))
    }

    /// Sorts and writes everything: the report, the trace and the scenario.
    pub(super) fn finish(mut self, name: &str) -> Result<Written, Failure> {
        let (Some(first), Some(last)) = (self.first.take(), self.last.take()) else {
            return Err(self.nothing());
        };
        if last.0 - first.0 > SPAN_MAX_MS {
            return Err(Failure::failed(format!(
                "line {} of `{}` is of {}, and line {} of `{}` of {}: more than 400 days lie between them, so that one of the \
                 dates is wrong",
                first.2,
                first.1,
                self.origin.moment(first.0),
                last.2,
                last.1,
                self.origin.moment(last.0)
            )));
        }
        self.origin.zone = match (self.zone_was_missing, &self.args.zone) {
            (false, _) => "that of the log".to_owned(),
            (true, Some(zone)) => zone.clone(),
            (true, None) => "UTC, since the log has none".to_owned(),
        };
        if self.zone_was_missing && self.args.zone.is_none() {
            self.notes.push("the times have no zone, and are taken as UTC: --zone says another".to_owned());
        }
        let classes = std::mem::replace(&mut self.routes, Routes::new(Vec::new())).classes();
        let every_s = self.args.every.map(|every| (every.0.as_secs_f64().round() as u64).max(1));
        let rows =
            Rows::of(self.requests, last.0 - first.0, self.whole_seconds, classes.classes.len(), every_s);
        let sorter = std::mem::replace(&mut self.sorter, Sorter::new());
        let (mut merged, broken) = sorter.merged();
        let records = merged.by_ref().map(Ok::<Record, Failure>);
        // A row each is what `fit` needs; a trace of very many requests has counts alone.
        let each = self.timed == self.requests && self.requests <= ROWS_MAX && self.args.every.is_none();
        let late_ms = if self.whole_seconds && self.moved { 500 } else { 0 };
        let gathered = gather(records, classes, rows, each, late_ms)?.ok_or_else(|| self.nothing())?;
        if let Some(error) = broken.borrow().as_ref() {
            return Err(spill::failed(error));
        }
        if merged.repeated > 0 {
            let lines = if merged.repeated == 1 {
                "1 line stands".to_owned()
            } else {
                format!("{} lines stand", merged.repeated)
            };
            self.notes.push(format!("{lines} in two files, and count once; --keep-repeated counts all, as for the logs of several servers"));
        }
        let report = self.report(&gathered);
        let trace = Some(skeleton::trace(&gathered, &self.origin));
        let scenario = skeleton::scenario(name, &gathered, &self.origin);
        Ok(Written { report, trace, scenario })
    }

    /// What was found, for people.
    fn report(&self, all: &Gathered) -> String {
        let mut text = String::new();
        for source in &self.origin.sources {
            writeln!(text, "{}: {} lines", source.name, source.lines).expect("a string takes all");
        }
        let (first, last) = (self.origin.moment(all.first_ms), self.origin.moment(all.last_ms));
        let mean = all.requests as f64 * 1000.0 / ((all.last_ms - all.first_ms) as f64).max(1000.0);
        let rounded = skeleton::rounded;
        write!(
            text,
            "format:   {}\nrequests: {}, from {first} to {last}\nrate:     {}/s on average, {}/s in the busiest 10 s, from {}\n",
            self.origin.format,
            all.requests,
            rounded(mean),
            rounded(all.peak),
            self.origin.moment(all.peak_at_ms)
        )
        .expect("a string takes all");
        let rows = match all.rows {
            Rows::Moments => "a row for each request, to the millisecond".to_owned(),
            Rows::Counts(every) if self.args.every.is_some() => format!("counts of {every} s, as asked"),
            Rows::Counts(every) if self.whole_seconds => {
                format!("counts of {every} s: the log has whole seconds")
            }
            Rows::Counts(every) => {
                format!("counts of {every} s: there are more requests than rows that can be used")
            }
        };
        writeln!(text, "trace:    {rows}\n").expect("a string takes all");
        let width = all.classes.iter().map(|class| class.name.len()).max().unwrap_or(0);
        for (class, figures) in all.classes.iter().zip(&all.figures).filter(|(_, figures)| figures.count > 0)
        {
            let share = figures.count as f64 * 100.0 / all.requests as f64;
            writeln!(text, "{:width$}  {:>6}%  {}", class.name, rounded(share), class.pattern)
                .expect("a string takes all");
        }
        let mut notes = self.notes.clone();
        if self.no_request > 0 {
            let lines = if self.no_request == 1 {
                "1 line is".to_owned()
            } else {
                format!("{} lines are", self.no_request)
            };
            notes.push(format!("{lines} about no request, such as a port scan: left out"));
        }
        if all.figures.iter().any(|figures| figures.durations.max().is_some()) {
            notes.push("durations in a log hold all waiting: they are no service demands, and no `cpu` is made from them; see outgrow fit".to_owned());
        }
        notes.push("client addresses and query strings are not written".to_owned());
        text.push('\n');
        for note in notes {
            writeln!(text, "note: {note}").expect("a string takes all");
        }
        text
    }
}

/// A hash of a line (FNV-1a over eight bytes at a time), by which the same line in two files is known.
fn hash(line: &[u8]) -> u64 {
    let mix = |hash: u64, value: u64| (hash ^ value).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    let mut chunks = line.chunks_exact(8);
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for chunk in chunks.by_ref() {
        let value = chunk.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        hash = mix(hash, value);
    }
    let rest = chunks.remainder().iter().fold(line.len() as u64, |value, byte| value << 8 | u64::from(*byte));
    mix(mix(hash, rest), rest)
}
