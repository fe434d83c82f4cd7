//! The files that are written: a trace with its sources, and a scenario that runs, with a mark at each value that says whether
//! it was measured or assumed.

pub mod counts;

use std::fmt::Write as _;

use super::clock::shown_in;
use super::gather::{Gathered, Rows};
use crate::stats::histogram::Histogram;

/// The first line of a trace.
pub const TRACE: &str = "# outgrow import";

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Lines.
    pub lines: u64,
    /// Lines that were left out.
    pub left_out: u64,
}

/// What is known about the way from the files to the trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The files, by name.
    pub sources: Vec<Source>,
    /// What they are: "combined with $request_time in seconds".
    pub format: String,
    /// The zone of their times.
    pub zone: String,
    /// Seconds by which it is ahead of UTC.
    pub ahead_s: i64,
}

impl Origin {
    /// A moment in ms since 1970 as text, in the zone of the files.
    #[must_use]
    pub fn moment(&self, ms: i64) -> String {
        shown_in(ms * 1_000_000, self.ahead_s)
    }
}

/// The trace with its header.
#[must_use]
pub fn trace(gathered: &Gathered, origin: &Origin) -> String {
    let mut text = header(origin);
    let (first, last) = (origin.moment(gathered.first_ms), origin.moment(gathered.last_ms));
    writeln!(text, "# {} requests, from {first} to {last}", gathered.requests).expect("a string takes all");
    begin(&mut text, &origin.moment(gathered.zero_ms));
    if let Rows::Counts(every_s) = gathered.rows {
        writeln!(text, "# every: {every_s}s").expect("a string takes all");
    }
    text + &gathered.trace
}

/// The line with the moment at which the times of a trace begin; none where they are seconds from a start.
pub(super) fn begin(text: &mut String, moment: &str) {
    if moment.contains('T') {
        writeln!(text, "# begin: {moment}").expect("a string takes all");
    }
}

/// The lines at the head of a trace that say where it is from.
pub(super) fn header(origin: &Origin) -> String {
    let mut text = format!("{TRACE}\n");
    for source in &origin.sources {
        let left_out = if source.left_out == 0 {
            String::new()
        } else {
            format!(", {} of them left out", source.left_out)
        };
        writeln!(
            text,
            "# source: {}, {} lines{left_out}, sha256 {}",
            source.name, source.lines, source.sha256
        )
        .expect("a string takes all");
    }
    writeln!(text, "# format: {}", origin.format).expect("a string takes all");
    writeln!(text, "# zone: {}", origin.zone).expect("a string takes all");
    text
}

/// CPU time of a request at the server and at the database, until they are fitted: seconds.
const CPU_S: f64 = 0.005;
const QUERY_S: f64 = 0.002;

/// How busy the assumed machines are at the peak.
const BUSY: f64 = 0.5;

/// Longest simulated time that a skeleton starts with, seconds: more takes long to run.
const LENGTH_MAX_S: u64 = 3600;

/// Cores that are about half busy at a peak.
fn cores(peak: f64, cpu_s: f64) -> u64 {
    (peak * cpu_s / BUSY).ceil().max(1.0) as u64
}

/// The scenario of a log, whose trace is in `NAME.trace.csv`.
#[must_use]
pub fn scenario(name: &str, gathered: &Gathered, origin: &Origin) -> String {
    let mut text = head(name, origin);
    let length = gathered.length_s();
    run_table(&mut text, length);
    let (first, last) = (origin.moment(gathered.first_ms), origin.moment(gathered.last_ms));
    let load = format!("{} requests, from {first} to {last}", gathered.requests);
    let how = match gathered.rows {
        Rows::Moments => "each at its moment".to_owned(),
        Rows::Counts(1) => "counted by second".to_owned(),
        Rows::Counts(every) => format!("counted by {every} s"),
    };
    let peak_at_s = (gathered.peak_at_ms - gathered.zero_ms) as f64 / 1000.0;
    client_table(&mut text, name, &busiest(peak_at_s, length), &format!("{load}, {how}"), true);
    classes(&mut text, gathered);
    boxes(&mut text, gathered.peak, "the busiest 10 s");
    text
}

/// The part of a long trace that is played first: an hour around its peak; empty for all of it.
pub(super) fn busiest(peak_at_s: f64, length_s: u64) -> String {
    if length_s <= LENGTH_MAX_S {
        return String::new();
    }
    let hours = length_s / 3600;
    let hour = ((peak_at_s / 3600.0) as u64).min(hours.saturating_sub(1));
    format!(", from = \"{hour}h\", to = \"{}h\"", hour + 1)
}

/// The head of a scenario, up to its title.
pub(super) fn head(name: &str, origin: &Origin) -> String {
    let title = name.rsplit(['/', '\\']).next().unwrap_or(name).replace(['"', '\\'], "");
    let files: Vec<&str> = origin.sources.iter().map(|source| source.name.as_str()).collect();
    format!(
        "#:schema ./scenario.schema.json\n\
         # Question: what breaks first when this load grows?\n\
         #\n\
         # Written by `outgrow import` from {} ({}).\n\
         # `measured:` marks what the files say, `assumed:` what they do not: put your own values there.\n\
         # Durations in a log hold all waiting. They are no service demands: a `cpu` made from them would count waiting twice.\n\
         title = \"{title}\"\n\n",
        files.join(", ").replace(['\n', '\r'], " "),
        origin.format
    )
}

/// The table `[run]`.
pub(super) fn run_table(text: &mut String, length_s: u64) {
    let (length, why) = if length_s <= LENGTH_MAX_S {
        (length_s, "measured: the length of the trace")
    } else {
        (LENGTH_MAX_S, "assumed: the busiest hour is enough to begin with")
    };
    write!(
        text,
        "[run]\n\
         duration = \"{length}s\"  # {why}\n\
         warmup = \"0s\"  # assumed: the trace begins with an empty service\n\
         trials = 5  # assumed: enough for a first look\n\n"
    )
    .expect("a string takes all");
}

/// The table of the client that plays the trace.
pub(super) fn client_table(text: &mut String, name: &str, part: &str, load: &str, classes: bool) {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let class = if classes { ", class = \"file\"" } else { "" };
    write!(
        text,
        "[client.users]\n\
         target = \"web\"  # assumed: one group of servers answers all\n\
         trace = {{ file = \"{file}.trace.csv\"{class}{part}, factor = 1.0 }}  # measured: {load}\n\
         timeout = \"30s\"  # assumed: the patience of users\n\n"
    )
    .expect("a string takes all");
}

/// The tables of the classes.
fn classes(text: &mut String, gathered: &Gathered) {
    for (class, figures) in
        gathered.classes.iter().zip(&gathered.figures).filter(|(_, figures)| figures.count > 0)
    {
        let share = figures.count as f64 * 100.0 / gathered.requests as f64;
        writeln!(text, "[request.{}]  # measured: {}", class.name, class.pattern)
            .expect("a string takes all");
        writeln!(text, "share = {}  # measured: {} requests", rounded(share), figures.count)
            .expect("a string takes all");
        let (effect, why) = if class.writes { ("write", "writes") } else { ("read", "reads") };
        writeln!(text, "effect = \"{effect}\"  # assumed: its method {why}").expect("a string takes all");
        if figures.sizes.mean() > 0.0 {
            let sizes = quantiles(&figures.sizes, |bytes| format!("{bytes} B"));
            writeln!(
                text,
                "response_size = \"{}B\"  # measured: the mean; {sizes}",
                figures.sizes.mean().round()
            )
            .expect("a string takes all");
        }
        if figures.durations.max().is_some() {
            let durations = quantiles(&figures.durations, |us| millis(us as f64 / 1000.0));
            writeln!(text, "# measured: answered with all waiting in {durations}")
                .expect("a string takes all");
        }
        if figures.failed > 0 {
            let share = figures.failed as f64 * 100.0 / figures.count as f64;
            writeln!(text, "# measured: {}% failed, with a status from 500 on or none", rounded(share))
                .expect("a string takes all");
        }
        text.push('\n');
    }
}

/// A server, a database and a goal; their sizes follow from the peak.
pub(super) fn boxes(text: &mut String, peak: f64, when: &str) {
    let (web, db) = (cores(peak, CPU_S), cores(peak, QUERY_S));
    let of_peak = format!("at most half busy at {}/s, {when}", rounded(peak));
    write!(
        text,
        "[server.web]\n\
         public = true\n\
         cores = {web}  # assumed: {of_peak}\n\
         workers = {}  # assumed: enough\n\
         steps = [\n  \
           {{ cpu = {{ dist = \"exponential\", mean = \"{}ms\" }} }},  # assumed: `outgrow fit` finds it\n  \
           {{ query = \"db\" }},  # assumed: one query a request\n\
         ]\n\n\
         [database.db]\n\
         cores = {db}  # assumed: {of_peak}\n\
         read = {{ dist = \"exponential\", mean = \"{}ms\" }}  # assumed: `outgrow fit` finds it\n\
         write = {{ dist = \"exponential\", mean = \"{}ms\" }}  # assumed: `outgrow fit` finds it\n\n\
         [[expect]]\n\
         that = \"p99 < 500ms\"  # assumed: your objective\n\n\
         [[expect]]\n\
         that = \"errors < 0.1%\"  # assumed: your objective\n",
        (web * 50).max(200),
        CPU_S * 1000.0,
        QUERY_S * 1000.0,
        QUERY_S * 1000.0,
    )
    .expect("a string takes all");
}

fn quantiles(of: &Histogram, show: impl Fn(u64) -> String) -> String {
    let shown = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]
        .map(|(name, q)| format!("{name} {}", show(of.quantile(q))));
    shown.join(", ")
}

fn millis(ms: f64) -> String {
    format!("{} ms", rounded(ms))
}

/// A number of requests: whole, or to a thousandth where rates add up to no whole number.
#[must_use]
pub fn number(value: f64) -> String {
    format!("{}", (value * 1000.0).round() / 1000.0)
}

/// A number with four significant digits at most.
#[must_use]
pub fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let places = (3 - libm::log10(value.abs()).floor() as i32).clamp(0, 9) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
