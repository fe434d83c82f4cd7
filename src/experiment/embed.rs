//! `Scenario`: the interface of the library. A scenario has a text and changes of its keys, and can be run.

use super::advise;
use super::attempt::try_advice;
use super::result::RunResult;
use super::runner::{RunOptions, Unwatched, run};
use crate::components::KINDS;
use crate::model::spec::{Files, Kind, NoFiles};
use crate::scenario::error::Diagnostics;
use crate::scenario::{Loaded, load};

/// Name of the text in diagnostics, and title of a scenario that has none.
const ORIGIN: &str = "scenario";

/// A scenario for programs: its text, and the keys that the program changes in it.
///
/// A change is checked when the scenario runs, as `--set` of the command line is:
///
/// ```
/// # let text = "[client.users]\nrate = '20/s'\ntarget = 'box'\n[server.box]\npublic = true\nsteps = [{ cpu = '5ms' }]";
/// let scenario = outgrow::Scenario::parse(text)?;
/// let mistaken = scenario.set("box.cors", 2).run().unwrap_err();
/// assert!(mistaken.to_string().contains("unknown key `cors`"));
/// # Ok::<(), outgrow::Diagnostics>(())
/// ```
#[derive(Clone)]
pub struct Scenario<'a> {
    text: &'a str,
    kinds: &'a [Kind],
    files: &'a dyn Files,
    jobs: usize,
    tries: bool,
    changes: Vec<(String, String)>,
}

impl<'a> Scenario<'a> {
    /// The scenario with this text, with boxes of [`KINDS`] and without files.
    ///
    /// # Errors
    /// All mistakes in the text, each with its line, the reason and a suggestion.
    pub fn parse(text: &'a str) -> Result<Scenario<'a>, Diagnostics> {
        Scenario::parse_with(text, KINDS, &NoFiles)
    }

    /// The same, with other kinds of box; `files` reads the files that the text names.
    ///
    /// # Errors
    /// As [`Scenario::parse`].
    pub fn parse_with(
        text: &'a str,
        kinds: &'a [Kind],
        files: &'a dyn Files,
    ) -> Result<Scenario<'a>, Diagnostics> {
        let scenario = Scenario { text, kinds, files, jobs: 0, tries: false, changes: Vec::new() };
        scenario.load()?;
        Ok(scenario)
    }

    /// The scenario with another value of a key, such as `web.cores`. The last value of a key counts.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl ToString) -> Scenario<'a> {
        self.changes.push((key.to_owned(), value.to_string()));
        self
    }

    /// The scenario with another number of trials, at least 1.
    #[must_use]
    pub fn trials(self, trials: u32) -> Scenario<'a> {
        self.set("run.trials", trials)
    }

    /// The scenario with another seed, from which all random numbers come.
    #[must_use]
    pub fn seed(self, seed: u64) -> Scenario<'a> {
        self.set("run.seed", seed)
    }

    /// The scenario with another number of threads; 0, the default, means one thread for each core. The result does not
    /// depend on it. Without the feature `threads` the number has no effect.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Scenario<'a> {
        self.jobs = jobs;
        self
    }

    /// The scenario whose advice is tried before it is given, as the command line does: that costs about as much as the run.
    #[must_use]
    pub fn with_tries(mut self) -> Scenario<'a> {
        self.tries = true;
        self
    }

    /// The checked scenario and the warnings of the check.
    ///
    /// # Errors
    /// All mistakes in the text and in the changes.
    pub fn load(&self) -> Result<Loaded, Diagnostics> {
        load(ORIGIN, self.text, &self.changes, self.files, self.kinds)
    }

    /// The result of all trials together.
    ///
    /// # Errors
    /// All mistakes in the changes.
    pub fn run(&self) -> Result<RunResult, Diagnostics> {
        let scenario = self.load()?.scenario;
        let options = RunOptions {
            seed: scenario.run.seed,
            trials: 0..scenario.run.trials,
            jobs: self.jobs,
            length: scenario.length(),
        };
        let trials = run(&scenario, &options, &Unwatched);
        let mut result = RunResult::new(&scenario, &options, &trials);
        let reload = |changes: &[(String, String)]| {
            let all = [self.changes.as_slice(), changes].concat();
            load(ORIGIN, self.text, &all, self.files, self.kinds).ok().map(|loaded| loaded.scenario)
        };
        result.next = advise::next(&scenario, &result, Some(&reload));
        if self.tries {
            try_advice(&scenario, &options, &mut result, &trials.records, &reload, &Unwatched);
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[run]\nduration = '20s'\n[client.users]\nrate = '50/s'\ntarget = 'box'\n\
                        [server.box]\npublic = true\nsteps = [{ cpu = '10ms' }]\n";

    #[test]
    fn changes_count_in_the_run_and_not_before() {
        let scenario = Scenario::parse(TEXT).unwrap();
        let run = |cores| scenario.clone().set("box.cores", cores).trials(2).seed(7).jobs(1).run().unwrap();
        let (one, two) = (run(1), run(2));
        assert_eq!((one.trials, one.seed, one.scenario.title.as_str()), (2, 7, "scenario"));
        let busy = |result: &RunResult| result.components.get("box").unwrap().utilisation.clone().unwrap();
        let ratio = busy(&one).mean.unwrap() / busy(&two).mean.unwrap();
        // Work in progress at the end of a trial makes a small difference.
        assert!((ratio - 2.0).abs() < 0.02, "{ratio}");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let found = Scenario::parse("[sever.web]").err().unwrap().to_string();
        assert!(found.contains("unknown kind of box `sever`") && found.contains("scenario:1:2"), "{found}");
        let found = Scenario::parse(TEXT).unwrap().trials(0).run().unwrap_err().to_string();
        assert!(found.contains("trials = 0"), "{found}");
    }
}
