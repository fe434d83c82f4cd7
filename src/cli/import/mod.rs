//! `outgrow import`: a trace and a scenario from logs and other measurements of a load.

mod measured;
mod open;
mod requests;
mod spill;

use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{OutputFile, print, say};
use super::source::Source;
use super::status::{Failure, Status};
use super::{Ended, interrupt};
use crate::import::counts::table::{Layout, What};
use crate::import::counts::{Gaps, Meaning};
use crate::import::detect::{Asked, Found, Refusal, detect};
use crate::import::flaw::Flaw;
use crate::import::latency::UNITS;
use crate::import::logs::json::Names;
use crate::import::routes::Override;
use crate::import::skeleton::TRACE;
use crate::model::quantity::Duration;
use crate::scenario::foreign;

use self::open::Input;

/// Make a trace and a scenario from a server's log, counts over time or a load test
///
/// Reads access logs of nginx, Apache and IIS, of AWS load balancers and CloudFront, and JSON lines; counts by CloudWatch, Prometheus, Grafana, Azure
/// Functions and any table; results of k6, vegeta, hey, oha and HdrHistogram; compressed by gzip or not. Writes NAME.trace.csv
/// and NAME.toml, in which each value says whether it was measured or assumed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of one kind, in any order, or - for stdin
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,

    /// Name of what is written. Default: that of the first file without its ending
    #[arg(long, value_name = "NAME")]
    out: Option<PathBuf>,

    /// The server's own line of its log's format, of nginx or Apache
    #[arg(long, value_name = "LINE")]
    log_format: Option<String>,

    /// What the numbers of a table or document are, where it does not say so
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    what: Option<WhatArg>,

    /// Length of the period of each count, such as 60s. For logs: write counts of such periods instead of moments
    #[arg(long, value_name = "DURATION")]
    every: Option<Duration>,

    /// Tables: the column of the counts, by its name or its number from 1
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,

    /// Counts: what happened in periods that are missing
    #[arg(long, value_enum, value_name = "HOW")]
    gaps: Option<GapsArg>,

    /// Unit of response times, where the file does not say so
    #[arg(long, value_name = "UNIT", value_parser = ["s", "ms", "us", "ns"])]
    unit: Option<String>,

    /// Zone of times without one, such as Asia/Seoul. Default: UTC
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,

    /// Put requests into one class, as in 'GET /api/*=api'
    #[arg(long = "route", value_name = "ROUTE", value_parser = Override::new)]
    routes: Vec<Override>,

    /// JSON lines: name of the field with the time
    #[arg(long, value_name = "NAME")]
    time_field: Option<String>,

    /// JSON lines: name of the field with the duration, and its unit, as in took:ms
    #[arg(long, value_name = "NAME")]
    duration_field: Option<String>,

    /// JSON lines: name of the field with the class of a request. Default: by method and path
    #[arg(long, value_name = "NAME")]
    class_field: Option<String>,

    /// Count a line in every file that has it, as for the logs of several servers. Default: once, as for a rotation
    #[arg(long)]
    keep_repeated: bool,

    /// Leave out lines that cannot be read, and say how many
    #[arg(long)]
    skip_bad: bool,

    /// Overwrite the files of an earlier import
    #[arg(long)]
    force: bool,

    /// Print no progress
    #[arg(long, short)]
    quiet: bool,
}

/// What numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum WhatArg {
    /// Requests of a period, beside its time
    Counts,
    /// Requests a second, beside a time
    Rates,
    /// All requests since a start, beside a time
    Counter,
    /// Times of requests
    Moments,
    /// Times between requests
    Gaps,
    /// Response times
    Durations,
}

impl From<WhatArg> for What {
    fn from(what: WhatArg) -> What {
        match what {
            WhatArg::Counts => What::Values(Meaning::Count),
            WhatArg::Rates => What::Values(Meaning::Rate),
            WhatArg::Counter => What::Values(Meaning::Counter),
            WhatArg::Moments => What::Moments,
            WhatArg::Gaps => What::Gaps,
            WhatArg::Durations => What::Durations,
        }
    }
}

/// What happened in periods without a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum GapsArg {
    /// Nobody asked
    Zero,
    /// As many asked as in the period before
    Hold,
    /// It is not known: an error
    Error,
}

impl From<GapsArg> for Gaps {
    fn from(gaps: GapsArg) -> Gaps {
        match gaps {
            GapsArg::Zero => Gaps::Zero,
            GapsArg::Hold => Gaps::Hold,
            GapsArg::Error => Gaps::Error,
        }
    }
}

/// What an import comes to.
struct Written {
    /// What was found, for people.
    report: String,
    /// The trace; none for files without arrivals.
    trace: Option<String>,
    scenario: String,
}

/// Reads all files, writes the trace and the scenario, and checks them.
pub(super) fn run(args: &Args) -> Ended {
    interrupt::watch()?;
    let mut files = args.files.clone();
    // The order of the files on the command line does not change a byte of what is written.
    files.sort();
    files.dedup();
    let outputs = Outputs::prepare(args)?;
    let asked = Asked {
        zone: args.zone.clone(),
        log_format: args.log_format.clone(),
        names: Names {
            time: args.time_field.clone(),
            duration: args.duration_field.clone(),
            class: args.class_field.clone(),
        },
        layout: Layout {
            what: args.what.map(What::from),
            column: args.column.clone(),
            per_s: args
                .unit
                .as_deref()
                .and_then(|unit| UNITS.iter().find(|(name, _)| *name == unit))
                .map(|(_, per_s)| *per_s),
        },
    };
    let bar = bar(&files, args.quiet);
    let mut pass = requests::Pass::new(args);
    let mut measured = measured::Measured::new(args);
    for file in &files {
        let mut input = Input::open(file, &bar)?;
        if input.sample.starts_with(TRACE) {
            let message = format!(
                "`{file}` is a trace already: play it by trace = {{ file = \"{file}\", class = \"file\" }}"
            );
            return Err(Failure::failed(message));
        }
        let found =
            detect(&input.sample, input.whole, &asked).map_err(|refusal| refused(&input.origin, refusal))?;
        match found {
            Found::Requests(name, reader) => pass.read(&mut input, name, reader)?,
            Found::Whole(whole) => measured.read(&mut input, whole, &asked)?,
            Found::Unknown => return Err(unknown(&input)),
        }
        if !pass.is_empty() && !measured.is_empty() {
            return Err(Failure::failed("the files are not of the same kind: import them one by one"));
        }
    }
    bar.finish_and_clear();
    let written =
        if measured.is_empty() { pass.finish(&outputs.name)? } else { measured.finish(&outputs.name)? };
    if let Some(trace) = &written.trace {
        outputs.trace.write(trace)?;
    }
    outputs.scenario.write(&written.scenario)?;
    print(&written.report)?;
    checked(&outputs, written.trace.is_some())
}

/// The files that are written.
struct Outputs {
    /// The name of both, perhaps with a folder.
    name: String,
    trace: OutputFile,
    scenario: OutputFile,
}

impl Outputs {
    fn prepare(args: &Args) -> Result<Outputs, Failure> {
        let name = match &args.out {
            Some(name) => name.to_string_lossy().trim_end_matches(".toml").to_owned(),
            None => stem(&args.files[0]),
        };
        let open = |file: String| {
            let path = Path::new(&file);
            if path.symlink_metadata().is_ok() && !args.force {
                return Err(Failure::failed(format!(
                    "`{file}` exists, and is not overwritten: give another --out, or --force"
                )));
            }
            let whole = |path: &Path| std::fs::canonicalize(path).ok();
            let is_read = |file: &&String| whole(path).is_some_and(|own| whole(Path::new(file)) == Some(own));
            if let Some(read) = args.files.iter().find(is_read) {
                return Err(Failure::usage(format!("`{read}` is read by this command: name another --out")));
            }
            OutputFile::prepare(path)
        };
        let trace = open(format!("{name}.trace.csv"))?;
        let scenario = open(format!("{name}.toml"))?;
        Ok(Outputs { name, trace, scenario })
    }
}

/// The name of a file without folders and endings: `access` of `/var/log/access.log.1.gz`.
fn stem(file: &str) -> String {
    if file == "-" {
        return "imported".to_owned();
    }
    let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
    let stem = name.trim_start_matches('.').split('.').next().unwrap_or_default();
    if stem.is_empty() { "imported".to_owned() } else { stem.to_owned() }
}

/// Checks what was written, as `outgrow check` does.
fn checked(outputs: &Outputs, has_trace: bool) -> Ended {
    let file = format!("{}.toml", outputs.name);
    let loaded = Source::find(&file)?.check(&[])?;
    if !loaded.warnings.is_empty() {
        say(&loaded.warnings.render(true));
    }
    let trace = if has_trace { format!("{}.trace.csv and ", outputs.name) } else { String::new() };
    print(&format!("\nwrote {trace}{file}; try: outgrow run {file}\n"))?;
    Ok(Status::Done)
}

/// A file that nothing reads.
fn unknown(input: &Input) -> Failure {
    let origin = &input.origin;
    if input.sample.trim().is_empty() {
        return Failure::failed(format!("`{origin}` is empty"));
    }
    if let Some(what) = foreign::looks_like(&input.sample).filter(|what| *what != foreign::LOG) {
        return Failure::failed(format!(
            "`{origin}` is no log: it looks like {what}; `outgrow new NAME` writes a scenario to start from"
        ));
    }
    if foreign::is_scenario(&input.sample) {
        return Failure::failed(format!("`{origin}` is no log: it is a scenario; try: outgrow run {origin}"));
    }
    let (number, line) =
        input.sample.lines().enumerate().find(|(_, line)| !line.trim().is_empty()).unwrap_or((0, ""));
    let line: String = line.chars().take(300).collect();
    let flaw = Flaw::whole(number as u64 + 1, &line, "this is of no format that is known")
        .help("give the server's own line: --log-format '$remote_addr - [$time_local] \"$request\" $status $body_bytes_sent'");
    shown(origin, &flaw)
}

fn refused(origin: &str, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Option(message) => Failure::usage(message),
        Refusal::Flaw(flaw) => shown(origin, &flaw),
        Refusal::Unknown => Failure::failed(format!("`{origin}` is of no format that is known")),
    }
}

/// A fault of a line as a message with line and caret.
fn shown(origin: &str, flaw: &Flaw) -> Failure {
    let mut end = flaw.text.len().min(flaw.span.end + 200);
    while !flaw.text.is_char_boundary(end) {
        end += 1;
    }
    let text = flaw.text[..end].replace(|letter: char| letter.is_control() && letter != '\t', "?");
    let same_length = text.len() == end;
    let span = if same_length { flaw.span.start.min(end)..flaw.span.end.min(end) } else { 0..text.len() };
    if flaw.line == 0 {
        let help = if flaw.help.is_empty() { String::new() } else { format!("; {}", flaw.help) };
        return Failure::failed(format!("`{origin}`: {}{help}", flaw.message));
    }
    let snippet = Snippet::source(text.as_str())
        .line_start(flaw.line as usize)
        .path(origin)
        .annotation(AnnotationKind::Primary.span(span));
    let help = (!flaw.help.is_empty()).then(|| Level::HELP.message(flaw.help.as_str()));
    let report = [Level::ERROR.primary_title(flaw.message.as_str()).element(snippet).elements(help)];
    Failure { status: Status::Failed, text: Renderer::styled().render(&report) }
}

/// A bar of the bytes of all files, on a terminal only.
fn bar(files: &[String], quiet: bool) -> ProgressBar {
    let size = |file: &String| std::fs::metadata(file).map(|found| found.len()).ok();
    let total: Option<u64> = files.iter().map(size).sum();
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
    let template = match total {
        Some(_) => "{bar:40} {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes}, {binary_bytes_per_sec}",
    };
    let style =
        ProgressStyle::with_template(template).expect("the template is well formed").progress_chars("=> ");
    ProgressBar::with_draw_target(total, target).with_style(style)
}
