//! `outgrow sweep plan`: prints a job file that runs a sweep in shards on an engine. It runs and submits nothing.

mod estimate;
mod job;

use std::path::{Path, PathBuf};

use self::job::Job;
use super::super::Ended;
use super::super::output::{print, say};
use super::super::shard::{SHARDS_MAX, Shard};
use super::super::status::{Failure, Status};
use super::asked::{Asked, Prepared};

/// Parts of a sweep for each worker. Points near saturation cost more, and small parts even that out.
const PARTS_EACH: usize = 4;

/// Workers of a cluster, whose size is not known here.
const WORKERS: usize = 8;

/// Print a job file that runs a sweep in shards on Slurm, Kubernetes or another engine
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    asked: Asked,

    /// The engine that runs the shards
    #[arg(long)]
    engine: Engine,

    /// Number of shards; by default four for each worker, and at most one for each point
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=SHARDS_MAX as i64))]
    shards: Option<u32>,

    /// Greatest number of shards at once; by default the cores of this machine for parallel and snakemake, else 8
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=SHARDS_MAX as i64))]
    workers: Option<u32>,

    /// Threads of each shard
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,

    /// The folder for the parts
    #[arg(long, value_name = "DIR", default_value = "parts/")]
    out: PathBuf,

    /// The file for the whole table, as .csv, .json or .parquet
    #[arg(long, value_name = "FILE", default_value = "all.csv")]
    table: PathBuf,

    /// The container image, for kubernetes and aws-batch
    #[arg(long, default_value = concat!("outgrow:", env!("CARGO_PKG_VERSION")))]
    image: String,

    /// Do not estimate how long the sweep takes
    #[arg(long, short)]
    quiet: bool,
}

/// What runs the shards of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    Slurm,
    Kubernetes,
    AwsBatch,
    Parallel,
    Snakemake,
    Hyperqueue,
}

/// Checks all points, prints the job, and says on stderr how long it will take.
pub(super) fn run(args: &Args) -> Ended {
    if args.asked.argument() == "-" {
        return Err(Failure::usage("no job can read this stdin: give the scenario as a file"));
    }
    let prepared = args.asked.prepare(false, |points| (0..points).collect())?;
    let workers = args.workers.map_or_else(|| args.engine.workers(), |workers| workers as usize);
    let shards = args.shards.map_or(PARTS_EACH * workers, |shards| shards as usize);
    let shards = shards.min(prepared.points.len()).min(SHARDS_MAX);
    let workers = workers.min(shards);
    if args.engine == Engine::AwsBatch && shards < 2 {
        return Err(Failure::usage("an array of AWS Batch has at least two jobs: --shards 2 or more"));
    }
    refuse_folders(args.engine, &prepared)?;
    print(&job(args, &prepared, shards, workers).text(args.engine))?;
    if !args.quiet {
        say(&estimate::text(&args.asked, &prepared, (shards, workers, usize::from(args.jobs))));
    }
    Ok(Status::Done)
}

impl Engine {
    /// The number of shards at once, unless it is given.
    fn workers(self) -> usize {
        match self {
            Engine::Parallel | Engine::Snakemake => {
                std::thread::available_parallelism().map_or(WORKERS, usize::from)
            }
            Engine::Slurm | Engine::Kubernetes | Engine::AwsBatch | Engine::Hyperqueue => WORKERS,
        }
    }
}

/// Fails if an engine gets the files of the scenario by their names alone, and one of them is in another folder.
fn refuse_folders(engine: Engine, prepared: &Prepared) -> Result<(), Failure> {
    let in_a_folder = |name: &&String| Path::new(name).components().count() > 1;
    let named = prepared.plan.files.keys().find(in_a_folder);
    match named.filter(|_| matches!(engine, Engine::Kubernetes | Engine::AwsBatch)) {
        Some(name) => Err(Failure::usage(format!(
            "the scenario names `{name}`, and this engine gets no folders: put the file beside the scenario"
        ))),
        None => Ok(()),
    }
}

fn job(args: &Args, prepared: &Prepared, shards: usize, workers: usize) -> Job {
    let argument = args.asked.argument();
    let path = Path::new(argument);
    // A built-in scenario has no file.
    let files = path.is_file().then(|| {
        let folder = path.parent().unwrap_or(Path::new(""));
        let named = prepared.plan.files.keys().map(|name| folder.join(name));
        std::iter::once(path.to_owned())
            .chain(named)
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    });
    let mut options = args.asked.words(&prepared.base);
    options.extend(["--jobs".into(), args.jobs.to_string()]);
    Job {
        points: prepared.points.len(),
        shards,
        workers,
        jobs: usize::from(args.jobs),
        scenario: argument.to_owned(),
        options,
        folder: args.out.join("").to_string_lossy().into_owned(),
        table: args.table.to_string_lossy().into_owned(),
        image: args.image.clone(),
        files,
    }
}

/// The names of the parts with a placeholder for the number of the part, and the digits of that number.
fn pattern(shards: usize) -> (String, usize) {
    let name = Shard::all(shards).next().map(Shard::file).unwrap_or_default();
    let number = name.split('-').nth(1).unwrap_or_default();
    (name.replacen(number, "{shard}", 1), number.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_the_names_of_parts() {
        assert_eq!(pattern(8), ("part-{shard}-of-008.csv".into(), 3));
        assert_eq!(pattern(1), ("part-{shard}-of-001.csv".into(), 3));
        assert_eq!(pattern(4000), ("part-{shard}-of-4000.csv".into(), 4));
    }
}
