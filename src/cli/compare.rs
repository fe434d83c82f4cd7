//! `outgrow compare`: runs the same customers through several designs.

use super::capacity::{FileLoads, Reach, objective, search};
use super::designs::{Given, addressed};
use super::options::{Simulating, expression, precision, share};
use super::output::{JsonOutput, print, say};
use super::pictures::files;
use super::play::page::Opening;
use super::progress::Steps;
use super::shell::typed;
use super::source::Override;
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value, panic};
use crate::experiment::capacity::Knob;
use crate::experiment::compare::{Advice, Asked, CompareResult, Design, compare};
use crate::experiment::curve::{Curve, CurvePoint, Line};
use crate::experiment::result::{Answer, RunResult};
use crate::experiment::runner::{self, Progress as _, RunOptions};
use crate::report;
use crate::scenario::command::quoted;
use crate::scenario::expression::{Expectation, Metric, Regression, parse_fail_on, parse_metrics};
use crate::scenario::vary::Vary;

/// Run the same customers through several designs and say by how much they differ
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Two scenarios or more, as paths or names of built-in ones; the first is the baseline
    #[arg(value_name = "SCENARIO", required = true)]
    designs: Vec<String>,

    /// Change a key in every design, or in one, by its name or number: 'scale-out?web.count=8'
    #[arg(long = "set", value_name = "[DESIGN?]KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Also run the designs over a range: users.rate=50/s..2000/s:12; if designs have ranges of their own, they are
    /// shown by their cost: 'scale-out?web.count=1,2,4'
    #[arg(long = "vary", value_name = "[DESIGN?]KEY=VALUES")]
    vary: Vec<String>,

    /// With --vary: at each value, the highest load that meets this objective
    #[arg(long, value_name = "OBJECTIVE", requires = "vary")]
    slo: Option<String>,

    /// Compare these metrics, as in rto,lost_writes,p99(response.post); by default those that tell most of the designs
    #[arg(long, value_name = "METRICS")]
    metric: Option<String>,

    /// Take a difference for none that matters if it is surely below this share of the baseline's value
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "1%")]
    tolerance: f64,

    /// Names of the designs, in their order, in place of those of their files and changes
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    name: Vec<String>,

    /// End with 4 if a design is worse than the baseline by more than this, as in 'p99(response) +5%'
    #[arg(long, value_name = "LIMIT")]
    fail_on: Vec<String>,

    /// Add trials until the difference of the mean response times is known to this share of the baseline's, as in 2%
    #[arg(long, value_name = "SHARE", value_parser = precision)]
    precision: Option<f64>,

    /// Do not try the advice of `next:` before it is given
    #[arg(long)]
    no_try: bool,

    #[command(flatten)]
    simulating: Simulating,
}

/// Checks everything, then compares.
pub(super) fn run(args: &Args) -> Ended {
    let json = args.simulating.outputs.json()?;
    let pictures = args.simulating.outputs.pictures()?;
    let given = read(args)?;
    let designs = load(args, &given)?;
    let baseline = &designs[0].scenario;
    let fail_on: Result<Vec<Regression>, Failure> =
        args.fail_on.iter().map(|text| expression("--fail-on", text, baseline, parse_fail_on)).collect();
    let fail_on = fail_on?;
    let metrics = args.metric.as_deref().map(|text| metrics(text, &designs)).transpose()?;
    let asked = Asked { metrics, tolerance: args.tolerance, fail_on, precision: args.precision };
    let slo = args.slo.as_deref().map(|text| objective(text, baseline)).transpose()?;
    check_points(args, &given)?;
    let trials = args.simulating.trials.unwrap_or(baseline.run.trials);
    let options = RunOptions {
        seed: args.simulating.seed.unwrap_or(baseline.run.seed),
        trials: 0..trials,
        jobs: args.simulating.jobs(),
        length: baseline.length(),
    };
    interrupt::watch()?;
    let names: Vec<String> = args.designs.iter().map(|design| quoted(design)).collect();
    panic::running(format!("outgrow run {}", names.join(" ")));
    let steps = Steps::new(args.simulating.outputs.quiet);
    steps.now("the designs as they stand".into());
    let reload = |at: usize, changes: &[Override]| {
        let all = [&given[at].overrides[..], changes].concat();
        given[at].source.check(&all).ok().map(|loaded| loaded.scenario)
    };
    let advice = Advice { reload: &reload, tries: !args.no_try };
    let found = compare(&designs, &options, &asked, Some(&advice), &steps);
    let Some(mut found) = found else {
        steps.clear();
        say("interrupted before every design was measured: there is no result");
        return Ok(Status::Interrupted);
    };
    if !args.vary.is_empty() {
        let curve = curve(args, &given, &options, slo.as_deref(), &steps);
        steps.clear();
        found.curve = Some(curve?);
        found.complete &= !steps.interrupted();
    }
    steps.clear();
    if !args.simulating.outputs.quiet && !matches!(json, Some(JsonOutput::Stdout)) {
        print(&report::compare::text(&found))?;
    }
    if let Some(json) = json {
        json.write(&report::json::one(&found))?;
    }
    let opening = || {
        let all = designs.iter().zip(&given).map(|(design, given)| (&design.scenario, &given.overrides[..]));
        let same = (options.seed, trials);
        Ok(Opening { compares: true, ..args.simulating.opening(all, Some(same))? })
    };
    pictures.write(
        || files("", &report::chart::designs::of_compare(&found)),
        || report::html::compare(&found, &designs, &typed()),
        opening,
    )?;
    Ok(verdict(&found, args.simulating.strict))
}

fn verdict(found: &CompareResult, strict: bool) -> Status {
    let fails = |answer: Answer| answer == Answer::Fails || strict && answer == Answer::NotShown;
    let imprecise = found.precision.is_some_and(|precision| !precision.reached);
    if !found.complete && interrupt::interrupted() {
        Status::Interrupted
    } else if imprecise || found.fail_on.iter().any(|one| fails(one.verdict)) {
        Status::NotAsExpected
    } else {
        Status::Done
    }
}

/// Finds the designs, and gives each its own overrides and range.
fn read(args: &Args) -> Result<Vec<Given>, Failure> {
    if args.designs.len() < 2 {
        let only = &args.designs[0];
        return Err(Failure::usage(format!(
            "one design cannot be compared: name a second one, or change it: outgrow compare {only} {only} --set '2?KEY=VALUE'"
        )));
    }
    let mut given = Given::read(&args.designs, &args.overrides, &args.name)?;
    for text in &args.vary {
        let (of, text) = addressed(text, &given)?;
        let vary: Vary = text.parse().map_err(|why| Failure::usage(format!("--vary {text}: {why}")))?;
        for at in of {
            if given[at].vary.replace(vary.clone()).is_some() {
                let message = format!("`{}` is varied twice: a curve has one key", given[at].name);
                return Err(Failure::usage(message + "; outgrow sweep runs grids"));
            }
        }
    }
    for one in &given {
        let Some(vary) = &one.vary else { continue };
        if let Some((key, _)) = one.overrides.iter().find(|(key, _)| one.source.is_same_key(key, &vary.key)) {
            let message = format!("--set {key} and --vary {} contradict each other: leave one out", vary.key);
            return Err(Failure::usage(message));
        }
    }
    if let Some(without) = given.iter().find(|one| !args.vary.is_empty() && one.vary.is_none()) {
        return Err(Failure::usage(format!("`{}` has no --vary, while others have", without.name)));
    }
    for one in &mut given {
        one.overrides = args.simulating.with_timing(&one.source, &one.overrides)?;
    }
    Ok(given)
}

/// Reads metrics against the names of the first design that has them all.
fn metrics(text: &str, designs: &[Design]) -> Result<Vec<Metric>, Failure> {
    let read = |design: &Design| expression("--metric", text, &design.scenario, parse_metrics);
    let others = designs[1..].iter().filter_map(|design| read(design).ok());
    read(&designs[0]).or_else(|failure| others.into_iter().next().ok_or(failure))
}

fn load(args: &Args, given: &[Given]) -> Result<Vec<Design>, Failure> {
    let one = |one: &Given| {
        Ok(Design { name: one.name.clone(), scenario: args.simulating.load(&one.source, &one.overrides)? })
    };
    given.iter().map(one).collect()
}

/// Checks the scenarios of all points, so that hours are not lost when a late one has errors.
fn check_points(args: &Args, given: &[Given]) -> Result<(), Failure> {
    for one in given {
        for set in one.vary.iter().flat_map(Vary::overrides) {
            let warnings = one.source.check(&[&one.overrides[..], &[set]].concat())?.warnings;
            // With an objective the load is searched for, so that the load with the warning is not run.
            if !warnings.is_empty() && args.simulating.strict && args.slo.is_none() {
                return Err(Failure::from(warnings));
            }
        }
    }
    Ok(())
}

/// Runs each design at each of its values. Returns one line for each design.
fn curve(
    args: &Args,
    given: &[Given],
    options: &RunOptions,
    slo: Option<&[Expectation]>,
    steps: &Steps,
) -> Result<Curve, Failure> {
    let mut lines = Vec::new();
    for one in given {
        let vary = one.vary.as_ref().expect("every design has its values");
        let mut points = Vec::new();
        let mut before = None;
        for set in vary.overrides() {
            let value = set.1.clone();
            let what = format!("{} at {}={value}: ", one.name, set.0);
            let overrides = [&one.overrides[..], &[set]].concat();
            let point = match slo {
                Some(slo) => at_capacity(args, one, (&overrides, &value, &what), (slo, &mut before), steps)?,
                None => measured(one, (&overrides, &value, &what), options, steps)?,
            };
            points.extend(point);
            if steps.interrupted() {
                break;
            }
        }
        lines.push(Line::new(&one.name, &vary.key, points));
    }
    Ok(Curve { slo: slo.unwrap_or_default().iter().map(ToString::to_string).collect(), lines })
}

/// The value before, on the way along a curve.
struct Neighbour {
    /// The load that it carries.
    carries: f64,
    /// The load at which its fullest resource is full by the laws.
    law: Option<f64>,
}

/// The overrides of a point, its value, and its name for the progress line.
type At<'a> = (&'a [Override], &'a str, &'a str);

fn measured(
    one: &Given,
    (overrides, value, what): At<'_>,
    options: &RunOptions,
    steps: &Steps,
) -> Result<Option<CurvePoint>, Failure> {
    let scenario = one.source.check(overrides)?.scenario;
    steps.now(what.to_owned());
    let trials = runner::run(&scenario, options, steps);
    let point = || CurvePoint::measured(value, &RunResult::new(&scenario, options, &trials));
    Ok((!trials.records.is_empty()).then(point))
}

fn at_capacity(
    args: &Args,
    one: &Given,
    (overrides, value, what): At<'_>,
    (slo, before): (&[Expectation], &mut Option<Neighbour>),
    steps: &Steps,
) -> Result<Option<CurvePoint>, Failure> {
    let scenario = one.source.check(overrides)?.scenario;
    let knob = Knob::of(&scenario, None).map_err(Failure::usage)?;
    let loads = FileLoads { source: &one.source, overrides, steps, what, limit: None };
    let law = knob.law(&scenario);
    // What one value carries tells what the next one will, as far as the laws know the difference.
    let start = before
        .as_ref()
        .map(|before| before.carries * law.zip(before.law).map_or(1.0, |(now, then)| now / then));
    let found =
        search(&args.simulating, &scenario, (slo, &knob), &loads, Reach { start, ..Reach::default() })?;
    if let Some(carries) = found.as_ref().and_then(|found| found.estimate) {
        *before = Some(Neighbour { carries, law });
    }
    Ok(found.map(|found| CurvePoint::at_capacity(value, found)))
}
