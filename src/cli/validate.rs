//! `outgrow validate`: compares the simulator with answers that are known without it.

use std::fs;
use std::path::{Path, PathBuf};

use super::output::{JsonOutput, OutputFile, print};
use super::progress::Bar;
use super::status::{Failure, Status};
use super::{Ended, interrupt, panic};
use crate::experiment::validate::coverage::{self, Study};
use crate::experiment::validate::systems::{self, Measurements};
use crate::experiment::validate::uncertain::uncertain;
use crate::experiment::validate::{self, Case, Effort, NotMeasured, Options};
use crate::report::{json, systems as real, validation};
use crate::scenario::suggest::did_you_mean;

/// Mean number of requests of each trial of the study of coverage.
const COVERAGE_REQUESTS: f64 = 6_000.0;

/// Simulate cases with known answers and experiments with real systems, and compare the results with them
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Simulate the long cases too, and as many requests as each needs
    #[arg(long, conflicts_with = "coverage")]
    all: bool,

    /// Only this case, or those whose name, family or system contains this text; may be given several times
    #[arg(long = "case", value_name = "NAME", conflicts_with = "coverage")]
    cases: Vec<String>,

    /// Cases, or measurements, of a file, instead of those that ship
    #[arg(long, value_name = "FILE", conflicts_with = "coverage")]
    file: Option<PathBuf>,

    /// Study the intervals instead: how often they cover a known truth
    #[arg(long)]
    coverage: bool,

    /// Repetitions of the study
    #[arg(long, value_name = "N", default_value_t = 500, requires = "coverage",
          value_parser = clap::value_parser!(u32).range(20..=100_000))]
    repetitions: u32,

    /// Seed of all random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Threads; all cores by default, and the result is the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Write the result as JSON into a file; - is stdout, instead of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write the tables into a page, between its marks <!-- begin cases --> and <!-- end cases --> (and real, or coverage)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cases", "file"])]
    page: Option<PathBuf>,

    /// Print neither table nor progress
    #[arg(long, short)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
A value agrees when it differs by less than 4 standard errors over at least 30 trials and, where
the sample is as large as the case asks for, by less than 2 % (5 % where that size is beyond
reach). Published measurements have a tolerance instead. The tolerance of a real system follows from
its measurement, as docs/validation.md says.

Exit status 4: a value differs, a real system differs without a known reason, or an interval misses.";

/// The result in all formats.
struct Output<'o> {
    text: String,
    json: String,
    /// Parts of a page, each with the name in its marks.
    parts: Vec<(&'o str, String)>,
}

/// Validates.
pub(super) fn run(args: &Args) -> Ended {
    let json = args.json.as_deref().map(JsonOutput::prepare).transpose()?;
    let page = args.page.as_deref().map(page).transpose()?;
    let chosen = if args.coverage { Chosen::default() } else { chosen(args)? };
    interrupt::watch()?;
    panic::running("outgrow validate".into());
    let (status, output) = if args.coverage { study(args) } else { hold(args, &chosen) };
    if let Some((file, mut text)) = page.filter(|_| status != Status::Interrupted) {
        for (name, part) in &output.parts {
            let marks = || {
                Failure::failed(format!(
                    "the page has no marks <!-- begin {name} --> and <!-- end {name} -->"
                ))
            };
            text = validation::within(&text, name, part).ok_or_else(marks)?;
        }
        file.write(&text)?;
    }
    if !args.quiet && !matches!(json, Some(JsonOutput::Stdout)) {
        print(&output.text)?;
    }
    if let Some(json) = json {
        json.write(&output.json)?;
    }
    Ok(status)
}

fn jobs(args: &Args) -> usize {
    args.jobs.map_or(0, usize::from)
}

fn hold<'o>(args: &Args, chosen: &Chosen) -> (Status, Output<'o>) {
    let effort = if args.all { Effort::Full } else { Effort::Short };
    let options = Options { seed: args.seed, jobs: jobs(args), effort };
    let bar = Bar::of(validate::scenarios(&chosen.cases, effort), "scenarios", args.quiet);
    let mut found = validate::run(&chosen.cases, options, &bar);
    found.cases += chosen.unread.len();
    found.not_expressed.splice(0..0, chosen.unread.iter().cloned());
    bar.clear();
    let bar = Bar::of(systems::scenarios(&chosen.real, effort), "experiments", args.quiet);
    match systems::run(&chosen.real, options, &bar) {
        Some(compared) => found.systems = compared,
        None => found.complete = false,
    }
    bar.clear();
    let status = match (found.complete, found.agrees()) {
        (false, _) => Status::Interrupted,
        (true, false) => Status::NotAsExpected,
        (true, true) => Status::Done,
    };
    let cases = if chosen.cases.is_empty() { String::new() } else { validation::text(&found) };
    let output = Output {
        text: cases + &real::text(&found.systems),
        json: json::one(&found),
        parts: vec![("cases", validation::markdown(&found)), ("real", real::markdown(&found.systems))],
    };
    (status, output)
}

fn study<'o>(args: &Args) -> (Status, Output<'o>) {
    let bar = Bar::of(coverage::STEPS, "studies", args.quiet);
    let study = Study {
        seed: args.seed,
        repetitions: args.repetitions,
        jobs: jobs(args),
        requests: COVERAGE_REQUESTS,
    };
    let mut found = coverage::run(study, &bar);
    found.intervals.extend(uncertain(study, coverage::STEPS - 1, &bar));
    bar.clear();
    let status = match (found.complete, found.holds()) {
        (false, _) => Status::Interrupted,
        (true, false) => Status::NotAsExpected,
        (true, true) => Status::Done,
    };
    let output = Output {
        text: validation::coverage_text(&found),
        json: json::one(&found),
        parts: vec![("coverage", validation::coverage_markdown(&found))],
    };
    (status, output)
}

/// The page as an output, and its present text.
fn page(path: &Path) -> Result<(OutputFile, String), Failure> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| Failure::failed(format!("cannot read `{}`: {error}", path.display())))?;
    Ok((OutputFile::prepare(path)?, text))
}

/// What the user asked for.
#[derive(Default)]
struct Chosen {
    cases: Vec<Case>,
    /// Cases of a file that cannot be read.
    unread: Vec<NotMeasured>,
    real: Measurements,
}

fn chosen(args: &Args) -> Result<Chosen, Failure> {
    let ((mut cases, unread), mut real) = match &args.file {
        None => ((validate::built_in(), Vec::new()), systems::built_in()),
        Some(path) => {
            let wrong =
                |why: &dyn std::fmt::Display| Failure::scenario(format!("`{}`: {why}", path.display()));
            let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
            match text.contains("\"comparisons\"") {
                true => (Default::default(), systems::parse(&text).map_err(|reason| wrong(&reason))?),
                false => (validate::parse(&text).map_err(|reason| wrong(&reason))?, Measurements::default()),
            }
        }
    };
    // The name of a case, or of a measurement, and the text that it is found by.
    let names: Vec<(String, String)> = (cases.iter().map(|case| (&case.id, &case.family)))
        .chain(real.comparisons.iter().map(|one| (&one.id, &one.system)))
        .map(|(id, of)| (id.clone(), format!("{id}\n{of}").to_lowercase()))
        .collect();
    for asked in &args.cases {
        if asked.is_empty() || !names.iter().any(|(_, text)| text.contains(&asked.to_lowercase())) {
            let ids = names.iter().map(|(id, _)| id.as_str());
            let help =
                did_you_mean(asked, "there are", ids).map_or(String::new(), |help| format!("; {help}"));
            return Err(Failure::usage(format!("there is no case `{asked}`{help}")));
        }
    }
    // The exact name of a case means that case alone, even if other names contain it.
    let exact = args.cases.iter().all(|asked| names.iter().any(|(id, _)| id == asked));
    let wanted = |id: &str| {
        let text = || names.iter().find(|(known, _)| known == id).map_or("", |(_, text)| text.as_str());
        let fits = |asked: &String| if exact { asked == id } else { text().contains(&asked.to_lowercase()) };
        args.cases.is_empty() || args.cases.iter().any(fits)
    };
    cases.retain(|case| wanted(&case.id));
    real.comparisons.retain(|one| wanted(&one.id));
    let unread = if args.cases.is_empty() { unread } else { Vec::new() };
    Ok(Chosen { cases, unread, real })
}
