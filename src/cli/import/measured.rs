//! Files that are read as a whole: counts, moments and response times.

use std::fmt::Write as _;

use crate::cli::status::Failure;
use crate::import::clock::shown as moment;
use crate::import::counts::{Counts, Gaps, Moments, Series, period_text};
use crate::import::detect::{Asked, Load, Refusal, Whole, read};
use crate::import::flaw::Flaw;
use crate::import::latency::Latency;
use crate::import::skeleton::counts::{self as text, moments_peak};
use crate::import::skeleton::{Origin, Source, number, rounded};

use super::open::Input;
use super::{Args, Written, refused, shown, unknown};

/// Largest text that is read as a whole, bytes.
const TEXT_BYTES_MAX: usize = 256 << 20;

/// What the files have so far.
pub(super) struct Measured<'a> {
    args: &'a Args,
    origin: Origin,
    load: Option<Load>,
    notes: Vec<String>,
}

impl<'a> Measured<'a> {
    pub(super) fn new(args: &'a Args) -> Measured<'a> {
        Measured { args, origin: Origin::default(), load: None, notes: Vec::new() }
    }

    /// Whether there was a file.
    pub(super) fn is_empty(&self) -> bool {
        self.load.is_none()
    }

    /// Reads a file.
    pub(super) fn read(&mut self, input: &mut Input, whole: Whole, asked: &Asked) -> Result<(), Failure> {
        let mut all = String::new();
        let mut last_line = 0;
        while input.next()? {
            last_line = all.len();
            all.push_str(&String::from_utf8_lossy(input.line()));
            all.push('\n');
            if all.len() > TEXT_BYTES_MAX {
                let message =
                    format!("`{}` has more than {} MiB of counts", input.origin, TEXT_BYTES_MAX >> 20);
                return Err(Failure::failed(message));
            }
        }
        let mut found = read(whole, &all, asked);
        let mut left_out = 0;
        // The last line of a file that is still written, or was cut, may end anywhere.
        if let Err(Refusal::Flaw(flaw)) = &found
            && flaw.line == input.lines
            && !input.ended
            && last_line > 0
            && let Ok(without) = read(whole, &all[..last_line], asked)
        {
            self.notes.push(format!("{}: its last line is cut, and was left out", input.origin));
            left_out = 1;
            found = Ok(without);
        }
        let (name, load) = found.map_err(|refusal| match refusal {
            Refusal::Unknown => unknown(input),
            refusal => refused(&input.origin, refusal),
        })?;
        if input.cut {
            self.notes
                .push(format!("{}: the compressed file is cut; it was read up to the cut", input.origin));
        }
        let file = input.origin.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let source = Source { name: file, sha256: input.sha256()?, lines: input.lines, left_out };
        self.origin.sources.push(source);
        self.origin.format = name;
        self.load = Some(match (self.load.take(), load) {
            (None, load) => load,
            (Some(Load::Counts(before)), Load::Counts(counts)) => {
                Load::Counts(before.join(counts).map_err(Failure::failed)?)
            }
            (Some(Load::Moments(mut before)), Load::Moments(moments)) if before.dated == moments.dated => {
                before.at_ns.extend(moments.at_ns);
                Load::Moments(before)
            }
            _ => return Err(Failure::failed("the files are not of the same kind: import them one by one")),
        });
        Ok(())
    }

    /// The report and the texts of the files.
    pub(super) fn finish(mut self, name: &str) -> Result<Written, Failure> {
        self.origin.zone = self.args.zone.clone().unwrap_or_else(|| "that of the file, else UTC".to_owned());
        match self.load.take() {
            Some(Load::Counts(counts)) => self.counts(counts, name),
            Some(Load::Moments(moments)) => Ok(self.moments(&moments, name)),
            Some(Load::Latency(latency)) => Ok(self.latency(&latency, name)),
            None => Err(Failure::failed("there is no file")),
        }
    }

    fn counts(mut self, counts: Counts, name: &str) -> Result<Written, Failure> {
        let every_ns = self.args.every.map(|every| every.0.as_nanos() as i64).filter(|every| *every > 0);
        let gaps = self.args.gaps.map(Gaps::from);
        let (classes, dated) = (counts.classes.clone(), counts.dated);
        let origin = self.args.files.join(", ");
        let series: Series = counts.series(every_ns, gaps).map_err(|flaw: Flaw| shown(&origin, &flaw))?;
        self.notes.extend(series.notes.iter().cloned());
        let load = text::Load { series: &series, classes: &classes, dated };
        let seconds = series.values.len() as f64 * series.period_ns as f64 / 1e9;
        let mut report = self.head();
        write!(
            report,
            "requests: {}, {}\nrate:     {}/s on average, {}/s in the busiest {}, from {}\ntrace:    {} of {}, a row each\n",
            number(series.requests()),
            load.span(),
            rounded(series.requests() / seconds),
            rounded(series.peak().0),
            period_text(series.period_ns),
            load.peak_at(),
            if series.is_rate { "rates" } else { "counts" },
            period_text(series.period_ns),
        )
        .expect("a string takes all");
        for (class, name) in classes.iter().enumerate() {
            let requests = series.requests_of(class);
            writeln!(report, "class:    {name}, {} requests", number(requests)).expect("a string takes all");
        }
        let (trace, scenario) = (load.trace(&self.origin), load.scenario(name, &self.origin));
        Ok(Written { report: self.with_notes(report), trace: Some(trace), scenario })
    }

    fn moments(mut self, moments: &Moments, name: &str) -> Written {
        self.notes.extend(moments.notes.iter().cloned());
        let mut sorted = moments.at_ns.clone();
        let rising = sorted.is_sorted();
        sorted.sort_unstable();
        if !rising {
            self.notes
                .push("the lines were not in the order of their times: they have been sorted".to_owned());
        }
        let show = |ns: i64| if moments.dated { moment(ns) } else { period_text(ns) };
        let (first, last) = (sorted[0], sorted[sorted.len() - 1]);
        let (peak, at) = moments_peak(&sorted);
        let mean = sorted.len() as f64 * 1e9 / (last - first).max(1_000_000_000) as f64;
        let mut report = self.head();
        write!(
            report,
            "requests: {}, from {} to {}\nrate:     {}/s on average, {}/s in the busiest 10 s, from {}\ntrace:    a row for each request\n",
            sorted.len(),
            show(first),
            show(last),
            rounded(mean),
            rounded(peak),
            show(at)
        )
        .expect("a string takes all");
        let trace = text::moments_trace(moments, &self.origin);
        let scenario = text::moments_scenario(name, moments, &self.origin);
        Written { report: self.with_notes(report), trace: Some(trace), scenario }
    }

    fn latency(mut self, latency: &Latency, name: &str) -> Written {
        let mut report = self.head();
        let at = |share: f64| {
            let found =
                latency.quantiles.iter().find(|(known, _)| *known >= share).or(latency.quantiles.last());
            found.map_or(0.0, |(_, seconds)| seconds * 1000.0)
        };
        let count = latency.count.map_or_else(String::new, |count| format!(" of {count} requests"));
        writeln!(
            report,
            "response times{count}: p50 {} ms, p95 {} ms, p99 {} ms, longest {} ms",
            rounded(at(0.5)),
            rounded(at(0.95)),
            rounded(at(0.99)),
            rounded(at(1.0))
        )
        .expect("a string takes all");
        self.notes.push(
            "the file has no arrivals, so that no trace is written; response times hold all waiting, and are no service demands"
                .to_owned(),
        );
        let scenario = text::latency_scenario(name, latency, &self.origin);
        Written { report: self.with_notes(report), trace: None, scenario }
    }

    fn head(&self) -> String {
        let mut text = String::new();
        for source in &self.origin.sources {
            writeln!(text, "{}: {} lines", source.name, source.lines).expect("a string takes all");
        }
        writeln!(text, "format:   {}", self.origin.format).expect("a string takes all");
        text
    }

    fn with_notes(&self, mut report: String) -> String {
        if !self.notes.is_empty() {
            report.push('\n');
        }
        for note in &self.notes {
            writeln!(report, "note: {note}").expect("a string takes all");
        }
        report
    }
}
