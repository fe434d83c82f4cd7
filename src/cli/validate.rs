//! `outgrow validate`: compares the simulator with answers that are known without it.

use std::fs;
use std::path::{Path, PathBuf};

use super::output::{JsonOutput, OutputFile, print};
use super::progress::Bar;
use super::status::{Failure, Status};
use super::{Ended, interrupt, panic};
use crate::experiment::validate::coverage::{self, Study};
use crate::experiment::validate::{self, Case, Effort, Options};
use crate::report::{json, validation};
use crate::scenario::suggest::did_you_mean;

/// Mean number of requests of each trial of the study of coverage.
const COVERAGE_REQUESTS: f64 = 6_000.0;

/// Simulate cases with known answers, and compare the results with them
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Simulate the long cases too, and as many requests as each needs
    #[arg(long, conflicts_with = "coverage")]
    all: bool,

    /// Only this case, or those whose name or family contains this text; may be given several times
    #[arg(long = "case", value_name = "NAME", conflicts_with = "coverage")]
    cases: Vec<String>,

    /// Cases of a file, instead of those that ship
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

    /// Write the tables into a page, between its marks <!-- begin cases --> and <!-- end cases --> (or coverage)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cases", "file"])]
    page: Option<PathBuf>,

    /// Print neither table nor progress
    #[arg(long, short)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
A value agrees when it differs by less than 4 standard errors over at least 30 trials and, where
the sample is as large as the case asks for, by less than 2 % (5 % where that size is beyond
reach). Published measurements have a tolerance instead.

Exit status 4: a value differs, or an interval misses.";

/// The result in all formats.
struct Output<'o> {
    text: String,
    json: String,
    part: String,
    /// Name in the marks on a page.
    name: &'o str,
}

/// Validates.
pub(super) fn run(args: &Args) -> Ended {
    let json = args.json.as_deref().map(JsonOutput::prepare).transpose()?;
    let page = args.page.as_deref().map(page).transpose()?;
    let cases = if args.coverage { Vec::new() } else { chosen(args)? };
    interrupt::watch()?;
    panic::running("outgrow validate".into());
    let (status, output) = if args.coverage { study(args) } else { hold(args, &cases) };
    if let Some((file, text)) = page.filter(|_| status != Status::Interrupted) {
        let marks = || {
            Failure::failed(format!(
                "the page has no marks <!-- begin {0} --> and <!-- end {0} -->",
                output.name
            ))
        };
        file.write(&validation::within(&text, output.name, &output.part).ok_or_else(marks)?)?;
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

fn hold<'o>(args: &Args, cases: &[Case]) -> (Status, Output<'o>) {
    let effort = if args.all { Effort::Full } else { Effort::Short };
    let bar = Bar::of(validate::scenarios(cases, effort), "scenarios", args.quiet);
    let found = validate::run(cases, Options { seed: args.seed, jobs: jobs(args), effort }, &bar);
    bar.clear();
    let status = match (found.complete, found.agrees()) {
        (false, _) => Status::Interrupted,
        (true, false) => Status::NotAsExpected,
        (true, true) => Status::Done,
    };
    let output = Output {
        text: validation::text(&found),
        json: json::one(&found),
        part: validation::markdown(&found),
        name: "cases",
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
    let found = coverage::run(study, &bar);
    bar.clear();
    let status = match (found.complete, found.holds()) {
        (false, _) => Status::Interrupted,
        (true, false) => Status::NotAsExpected,
        (true, true) => Status::Done,
    };
    let output = Output {
        text: validation::coverage_text(&found),
        json: json::one(&found),
        part: validation::coverage_markdown(&found),
        name: "coverage",
    };
    (status, output)
}

/// The page as an output, and its present text.
fn page(path: &Path) -> Result<(OutputFile, String), Failure> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| Failure::failed(format!("cannot read `{}`: {error}", path.display())))?;
    Ok((OutputFile::prepare(path)?, text))
}

/// The cases that the user asked for.
fn chosen(args: &Args) -> Result<Vec<Case>, Failure> {
    let all = match &args.file {
        None => validate::built_in(),
        Some(path) => {
            let wrong =
                |why: &dyn std::fmt::Display| Failure::scenario(format!("`{}`: {why}", path.display()));
            let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
            validate::parse(&text).map_err(|reason| wrong(&reason))?
        }
    };
    for asked in &args.cases {
        if !all.iter().any(|case| fits(case, asked)) {
            let names = all.iter().map(|case| case.id.as_str());
            let help =
                did_you_mean(asked, "there are", names).map_or(String::new(), |help| format!("; {help}"));
            return Err(Failure::usage(format!("there is no case `{asked}`{help}")));
        }
    }
    let wanted = |case: &Case| args.cases.is_empty() || args.cases.iter().any(|asked| fits(case, asked));
    // The exact name of a case means that case alone, even if other names contain it.
    let exact = |asked: &String| all.iter().any(|case| case.id == *asked);
    if args.cases.iter().all(exact) && !args.cases.is_empty() {
        return Ok(all.iter().filter(|case| args.cases.contains(&case.id)).cloned().collect());
    }
    Ok(all.iter().filter(|case| wanted(case)).cloned().collect())
}

fn fits(case: &Case, asked: &str) -> bool {
    let asked = asked.to_lowercase();
    !asked.is_empty()
        && (case.id.to_lowercase().contains(&asked) || case.family.to_lowercase().contains(&asked))
}
