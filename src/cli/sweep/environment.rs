//! `--shard env`: the shard that an engine gives to this process in the environment.

use super::super::shard::Shard;

/// The number of all shards, where an engine does not say it, or where its array has only some of them.
pub(super) const SHARDS: &str = "OUTGROW_SHARDS";

/// An engine that runs the same command many times, with a number in the environment.
struct Engine {
    /// The variable with the number of this process.
    index: &'static str,
    count: Count,
}

/// How an engine counts.
enum Count {
    /// From this number on; the variable has the number of all.
    From(usize, &'static str),
    /// From first to last by steps, as the user chose. Some engines allow gaps, and say how many there are.
    Range { first: &'static str, last: &'static str, step: &'static str, count: Option<&'static str> },
}

/// Slurm, AWS Batch, Kubernetes (Indexed Jobs), Grid Engine, HyperQueue, GitLab CI.
const ENGINES: [Engine; 6] = [
    Engine {
        index: "SLURM_ARRAY_TASK_ID",
        count: Count::Range {
            first: "SLURM_ARRAY_TASK_MIN",
            last: "SLURM_ARRAY_TASK_MAX",
            step: "SLURM_ARRAY_TASK_STEP",
            count: Some("SLURM_ARRAY_TASK_COUNT"),
        },
    },
    Engine { index: "AWS_BATCH_JOB_ARRAY_INDEX", count: Count::From(0, "AWS_BATCH_JOB_ARRAY_SIZE") },
    Engine { index: "JOB_COMPLETION_INDEX", count: Count::From(0, SHARDS) },
    Engine {
        index: "SGE_TASK_ID",
        count: Count::Range {
            first: "SGE_TASK_FIRST",
            last: "SGE_TASK_LAST",
            step: "SGE_TASK_STEPSIZE",
            count: None,
        },
    },
    Engine { index: "HQ_TASK_ID", count: Count::From(1, SHARDS) },
    Engine { index: "CI_NODE_INDEX", count: Count::From(1, "CI_NODE_TOTAL") },
];

/// Variables of the environment.
struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    /// The text of a variable. Empty ones, and those of Grid Engine outside an array, are as good as not set.
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|text| !text.trim().is_empty() && text != "undefined")
    }

    fn number(&self, name: &str) -> Result<usize, String> {
        let text = self.text(name).ok_or_else(|| format!("{name} is not set"))?;
        text.trim().parse().map_err(|_| format!("{name}={text} is no whole number"))
    }
}

/// The shard in this process's environment, and the variable that says so with its value.
///
/// # Errors
/// In words, when no engine is there, when two are, or when the numbers make no sense.
#[allow(clippy::disallowed_methods, reason = "an engine says here which points this process runs")]
pub(super) fn here() -> Result<(Shard, String), String> {
    find(&|name| std::env::var(name).ok())
}

fn find(environment: &dyn Fn(&str) -> Option<String>) -> Result<(Shard, String), String> {
    let variables = Variables(environment);
    let seen: Vec<&Engine> = ENGINES.iter().filter(|engine| variables.text(engine.index).is_some()).collect();
    let names = |engines: &mut dyn Iterator<Item = &Engine>| {
        engines.map(|engine| engine.index).collect::<Vec<_>>().join(", ")
    };
    let engine = match seen[..] {
        [engine] => engine,
        [] => {
            let known = names(&mut ENGINES.iter());
            return Err(format!("none of these is set: {known}; without them --shard I/N says the shard"));
        }
        _ => {
            let both = names(&mut seen.iter().copied());
            return Err(format!("{both} are set, and only one can say the shard: --shard I/N"));
        }
    };
    let index = variables.number(engine.index)?;
    let all = variables.text(SHARDS).map(|_| variables.number(SHARDS)).transpose()?;
    let (first, of, step) = match (&engine.count, all) {
        (Count::Range { .. }, Some(all)) => (1, all, 1),
        (Count::Range { .. }, None) => range(engine, &variables)?,
        (Count::From(first, name), all) => {
            let of = variables.number(name)?;
            if let Some(other) = all.filter(|all| *all != of) {
                return Err(format!("{name}={of} and {SHARDS}={other} contradict each other"));
            }
            (*first, of, 1)
        }
    };
    let away = index.checked_sub(first).filter(|away| away % step == 0).map(|away| away / step);
    let shard = away.filter(|away| *away < of).and_then(|away| Shard::new(away + 1, of).ok());
    let shard = shard.ok_or_else(|| {
        format!("{}={index} is none of {of} shards, which count from {first}", engine.index)
    })?;
    Ok((shard, format!("{}={index}", engine.index)))
}

/// First number, number of shards and step of an array that must be a whole one.
fn range(engine: &Engine, variables: &Variables<'_>) -> Result<(usize, usize, usize), String> {
    let Count::Range { first, last, step, count } = &engine.count else {
        unreachable!("only engines with a range are asked for it")
    };
    let (from, to, by) = (variables.number(first)?, variables.number(last)?, variables.number(step)?);
    if by == 0 || from > to {
        return Err(format!("{first}={from}, {last}={to} and {step}={by} are no array"));
    }
    let of = (to - from) / by + 1;
    let counted = count.map(|name| variables.number(name)).transpose()?.unwrap_or(of);
    // Some tasks of a lost sweep, submitted again, must not take themselves for a sweep of their own.
    if counted != of || from > 1 || of == 1 {
        return Err(format!(
            "the array has {counted} of the tasks from {from} to {to}, which may be some of a larger one: set {SHARDS} \
             to the number of all shards, and number the tasks from 1"
        ));
    }
    Ok((from, of, by))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shard, or what is wrong, in an environment of `NAME=VALUE` words.
    fn of(words: &str) -> Result<String, String> {
        let lookup = |name: &str| {
            let mut pairs = words.split_whitespace().filter_map(|word| word.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        find(&lookup).map(|(shard, from)| format!("{shard} {from}"))
    }

    /// The variables of a Slurm array: `id min max step count`.
    fn slurm(numbers: &str) -> String {
        let names = ["ID", "MIN", "MAX", "STEP", "COUNT"];
        let one = |(name, number)| format!("SLURM_ARRAY_TASK_{name}={number} ");
        names.iter().zip(numbers.split(' ')).map(one).collect()
    }

    #[test]
    fn each_engine_is_read_in_its_own_way() {
        for (words, shard) in [
            (slurm("3 1 8 1 8"), "3/8 SLURM_ARRAY_TASK_ID=3"),
            (slurm("0 0 7 1 8"), "1/8 SLURM_ARRAY_TASK_ID=0"),
            (slurm("8 0 12 4 4"), "3/4 SLURM_ARRAY_TASK_ID=8"),
            (slurm("5 5 5 1 1") + "OUTGROW_SHARDS=8", "5/8 SLURM_ARRAY_TASK_ID=5"),
            (
                "AWS_BATCH_JOB_ARRAY_INDEX=7 AWS_BATCH_JOB_ARRAY_SIZE=8".into(),
                "8/8 AWS_BATCH_JOB_ARRAY_INDEX=7",
            ),
            ("JOB_COMPLETION_INDEX=0 OUTGROW_SHARDS=8".into(), "1/8 JOB_COMPLETION_INDEX=0"),
            (
                "SGE_TASK_ID=4 SGE_TASK_FIRST=1 SGE_TASK_LAST=4 SGE_TASK_STEPSIZE=1".into(),
                "4/4 SGE_TASK_ID=4",
            ),
            ("HQ_TASK_ID=2 OUTGROW_SHARDS=8 SGE_TASK_ID=undefined".into(), "2/8 HQ_TASK_ID=2"),
            ("CI_NODE_INDEX=8 CI_NODE_TOTAL=8".into(), "8/8 CI_NODE_INDEX=8"),
            ("CI_NODE_INDEX=1 CI_NODE_TOTAL=1".into(), "1/1 CI_NODE_INDEX=1"),
        ] {
            assert_eq!(of(&words).as_deref(), Ok(shard), "{words}");
        }
    }

    #[test]
    fn what_is_missing_doubled_or_absurd_is_refused_with_its_reason() {
        for (words, why) in [
            (String::new(), "none of these is set: SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX"),
            (
                slurm("3 1 8 1 8") + "JOB_COMPLETION_INDEX=2",
                "SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX are set",
            ),
            ("SLURM_ARRAY_TASK_ID=3".into(), "SLURM_ARRAY_TASK_MIN is not set"),
            (slurm("x 1 8 1 8"), "SLURM_ARRAY_TASK_ID=x is no whole number"),
            (slurm("1 1 7 1 3"), "the array has 3 of the tasks from 1 to 7"),
            (slurm("9 9 16 1 8"), "may be some of a larger one: set OUTGROW_SHARDS"),
            (slurm("3 3 3 1 1"), "set OUTGROW_SHARDS"),
            (slurm("1 1 1 1 1"), "set OUTGROW_SHARDS"),
            (slurm("9 1 8 1 8"), "SLURM_ARRAY_TASK_ID=9 is none of 8 shards"),
            (slurm("2 0 12 4 4"), "SLURM_ARRAY_TASK_ID=2 is none of 4 shards"),
            (slurm("3 8 1 1 8"), "are no array"),
            (slurm("3 1 8 0 8"), "are no array"),
            (slurm("0 0 7 1 8") + "OUTGROW_SHARDS=8", "is none of 8 shards, which count from 1"),
            ("AWS_BATCH_JOB_ARRAY_INDEX=7".into(), "AWS_BATCH_JOB_ARRAY_SIZE is not set"),
            ("AWS_BATCH_JOB_ARRAY_INDEX=8 AWS_BATCH_JOB_ARRAY_SIZE=8".into(), "=8 is none of 8 shards"),
            (
                "AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=8 OUTGROW_SHARDS=4".into(),
                "AWS_BATCH_JOB_ARRAY_SIZE=8 and OUTGROW_SHARDS=4 contradict",
            ),
            ("JOB_COMPLETION_INDEX=3".into(), "OUTGROW_SHARDS is not set"),
            ("JOB_COMPLETION_INDEX=-1 OUTGROW_SHARDS=8".into(), "JOB_COMPLETION_INDEX=-1 is no whole number"),
            ("JOB_COMPLETION_INDEX=0 OUTGROW_SHARDS=0".into(), "is none of 0 shards"),
            ("JOB_COMPLETION_INDEX=0 OUTGROW_SHARDS=99999".into(), "is none of 99999 shards"),
            ("SGE_TASK_ID=4 SGE_TASK_FIRST=1 SGE_TASK_LAST=4".into(), "SGE_TASK_STEPSIZE is not set"),
            ("SGE_TASK_ID=undefined".into(), "none of these is set"),
            ("HQ_TASK_ID=0 OUTGROW_SHARDS=8".into(), "HQ_TASK_ID=0 is none of 8 shards, which count from 1"),
            ("CI_NODE_INDEX=1".into(), "CI_NODE_TOTAL is not set"),
            ("CI_NODE_INDEX=9 CI_NODE_TOTAL=8".into(), "CI_NODE_INDEX=9 is none of 8"),
            ("CI_NODE_INDEX= CI_NODE_TOTAL=8".into(), "none of these is set"),
        ] {
            let said = of(&words).unwrap_err();
            assert!(said.contains(why), "{words}: {said}");
        }
    }
}
