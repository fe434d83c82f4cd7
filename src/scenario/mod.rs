//! Scenario files: from TOML text to a checked [`Scenario`], or to a list of everything that is wrong with the text.

mod alerts;
mod assemble;
pub mod build;
pub mod changes;
mod clean;
pub mod command;
pub mod document;
pub mod error;
mod expects;
pub mod expression;
pub mod faults;
mod fitting;
pub mod foreign;
pub mod graph;
pub mod handbook;
pub mod levers;
pub mod load;
pub mod names;
pub mod operations;
pub mod overrides;
pub mod places;
mod read;
pub mod reference;
mod reserve;
pub mod schema;
mod seats;
mod sections;
pub mod suggest;
mod switches;
#[cfg(test)]
mod toys;
mod validate;
pub mod vary;

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use self::assemble::{Assembly, TOO_LARGE, assemble};
use self::clean::cleaned;
use self::document::Document;
use self::error::{Diagnostic, Diagnostics};
use self::expression::{Expectation, Metric, Near};
use self::faults::FaultSpec;
use self::operations::OperationSpec;
use self::places::Ways;
pub use self::validate::USERS_MAX;
use self::validate::validate;
use crate::kernel::time::SimDuration;
use crate::model::gauge::Gauge;
use crate::model::network::NetworkSettings;
use crate::model::part::Part;
use crate::model::spec::{Files, Kind, MemberPlan, Problems, RequestClass, Severity, Spec, Standing};

/// A scenario that has been checked and can be built.
#[derive(Debug)]
pub struct Scenario {
    /// The title; the file's name if the text gives none.
    pub title: String,
    /// The chapter of the book that the scenario belongs to.
    pub chapter: Option<String>,
    /// The file's name as the user gave it.
    pub origin: String,
    /// The text that was read, with the overrides written into it.
    pub text: String,
    /// These overrides: keys and values.
    pub set: Vec<(String, String)>,
    /// SHA-256 of `text`, in hexadecimal digits.
    pub sha256: String,
    /// How long and how often to simulate.
    pub run: Run,
    /// At least one; the shares sum to one.
    pub classes: Vec<RequestClass>,
    /// Round-trip times.
    pub network: NetworkSettings,
    /// Connections between places that differ from the usual ones.
    pub ways: Ways,
    /// All boxes, sorted by kind and name.
    pub boxes: Vec<BoxEntry>,
    /// Planned faults, in the order of the text.
    pub faults: Vec<FaultSpec>,
    /// What the operators do, in the order of the text.
    pub operations: Vec<OperationSpec>,
    /// Goals, in the order of the text.
    pub expects: Vec<Expect>,
    /// Tests of the simulator, in the order of the text.
    pub checks: Vec<Check>,
}

impl Scenario {
    /// Whether nothing happens at a planned time: no fault, and no load that changes. Any stretch of a trial is then like
    /// any other.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        let comes_and_goes = |entry: &BoxEntry| entry.starts.is_some();
        let changes = |entry: &BoxEntry| entry.spec.changes_load() || comes_and_goes(entry);
        self.faults.is_empty() && self.operations.is_empty() && !self.boxes.iter().any(changes)
    }

    /// The box of this name; `None` if there is none.
    pub fn entry(&self, name: &str) -> Option<&BoxEntry> {
        self.boxes.iter().find(|entry| entry.name == name)
    }
}

/// How long and how often to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Simulated time that is measured.
    pub duration: SimDuration,
    /// Simulated time before the measured time. It is not measured, and shorter than `duration`.
    pub warmup: SimDuration,
    /// Number of independent trials.
    pub trials: u32,
    /// The seed of all random numbers.
    pub seed: u64,
}

impl Run {
    /// The simulated time of a trial: warm-up and measured time.
    pub fn length(&self) -> SimDuration {
        SimDuration::from_nanos(self.duration.as_nanos().saturating_add(self.warmup.as_nanos()))
    }
}

/// One box of the diagram.
#[derive(Debug)]
pub struct BoxEntry {
    /// Name of its kind: `server` of `[server.web]`.
    pub kind: &'static str,
    /// What its kind counts and measures.
    pub gauges: &'static [Gauge],
    /// Its own name: `web` of `[server.web]`.
    pub name: String,
    /// The content of its table.
    pub spec: Box<dyn Spec>,
    /// The regions in which its members stand, in turn; empty if the scenario has no regions.
    pub regions: Vec<String>,
    /// The zones in which its members stand, in turn; empty if all boxes stand in one zone.
    pub zones: Vec<String>,
    /// Of a box whose members come and go: the number of members at the start.
    pub starts: Option<u32>,
    /// The switch whose decision boots its members, if one does.
    pub booted_by: Option<String>,
}

impl BoxEntry {
    /// Whether a figure of it can be known: its kind shows it, and if it asks which data each request is for, a class of
    /// requests has `keys`.
    pub fn knows(&self, gauge: &Gauge, classes: &[RequestClass]) -> bool {
        self.spec.shows(gauge) && (!gauge.is_by_key || classes.iter().any(|class| class.keys.is_given))
    }

    /// Whether it has its place in a scenario though no request reaches it: it watches others, or decides about them.
    fn works_aside(&self) -> bool {
        self.spec.keeps().is_some() || self.spec.sides().is_some() || !self.spec.alerts().is_empty()
    }

    /// Number of its members that have a machine; of a box on another's machine, or without any, number of its members.
    pub fn machines(&self) -> u32 {
        let plans = (0..self.spec.members()).map(|member| self.spec.member(&self.name, member));
        let has_machine = |plan: &MemberPlan| plan.machine.is_some();
        match plans.clone().filter(has_machine).count() {
            0 => plans.filter(|plan| plan.standing != Standing::Outside).count() as u32,
            machines => machines as u32,
        }
    }
}

/// A goal of the design: `[[expect]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// The comparison that must hold.
    pub that: Expectation,
    /// The comparison as written in the file.
    pub text: String,
    /// The part of the simulated time that counts; `None` for all of the measured time.
    pub window: Option<Window>,
}

/// A part of the simulated time, as read and as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The part.
    pub part: Part,
    /// The part as written: `during 211s..213s`.
    pub text: String,
}

/// A test of the simulator: `[[check]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What must come out.
    pub claim: Claim,
    /// The key `that` as written.
    pub text: String,
    /// The key `near` as written.
    pub near: Option<String>,
    /// The part of the simulated time that counts; `None` for all of the measured time.
    pub window: Option<Window>,
}

/// What a check demands.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// A comparison.
    Bound(Expectation),
    /// A metric that stays near a value.
    Near(Metric, Near),
}

/// A scenario, and warnings to read before its results are trusted.
#[derive(Debug)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// Warnings only, no errors; may be empty.
    pub warnings: Diagnostics,
}

/// Parts of a scenario that are left out, neither read nor checked. A command that does not need a part must not fail
/// because of an error in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Without {
    /// Leave out `[[fault]]`.
    pub faults: bool,
    /// Leave out `[[expect]]` and `[[check]]`.
    pub expects: bool,
}

/// Reads and checks a scenario. `origin` is the name of the text in messages. `overrides` are keys and the values
/// that are written to them first; with any, the tests of the simulator are left out. `files` reads the files that the
/// scenario names. `kinds` are the known kinds of boxes.
///
/// # Errors
/// All errors and warnings, in the order of the text. Spans point into the text with the overrides written into it.
/// Errors of the overrides themselves have a text of their own, one line for each override.
pub fn load(
    origin: &str,
    text: &str,
    overrides: &[(String, String)],
    files: &dyn Files,
    kinds: &[Kind],
) -> Result<Loaded, Diagnostics> {
    load_without(Without::default(), origin, text, overrides, files, kinds)
}

/// Reads and checks a scenario like [`load()`], but leaves out the parts that `without` names.
///
/// # Errors
/// As [`load()`].
pub fn load_without(
    without: Without,
    origin: &str,
    text: &str,
    overrides: &[(String, String)],
    files: &dyn Files,
    kinds: &[Kind],
) -> Result<Loaded, Diagnostics> {
    let overridden = match overrides {
        [] => Cow::Borrowed(text),
        _ => Cow::Owned(overrides::apply(origin, text, overrides)?),
    };
    let text = overridden.as_ref();
    let document = Document::parse(text).map_err(|found| Diagnostics::new(origin, text, found))?;
    let mut assembly = assemble(&document, kinds);
    if without.faults {
        assembly.faults.clear();
    }
    if !overrides.is_empty() {
        // Checks are for the scenario as it is.
        assembly.checks.clear();
    }
    if without.expects {
        assembly.expects.clear();
        assembly.checks.clear();
    }
    let mut found = std::mem::take(&mut assembly.found);
    if assembly.is_too_large {
        // What follows from the tables that are not read would hide the cause.
        found.retain(|item| item.severity == Severity::Error && item.message.starts_with(TOO_LARGE));
        return Err(Diagnostics::new(origin, text, found));
    }
    read_files(&document, &mut assembly, files, &mut found);
    reserve::reserve(&document, &mut assembly, &mut found);
    switches::take_sides(&document, &mut assembly, &mut found);
    alerts::read(&document, &mut assembly, kinds, &mut found);
    validate(&document, &assembly, &mut found);
    let (expects, checks) = expects::expects(&document, &assembly, kinds, &mut found);
    let found = Diagnostics::new(origin, text, found);
    if found.has_errors() {
        return Err(found);
    }
    let scenario = Scenario { set: overrides.to_vec(), ..scenario(origin, text, assembly, expects, checks) };
    Ok(Loaded { scenario, warnings: found })
}

fn read_files(
    document: &Document<'_>,
    assembly: &mut Assembly,
    files: &dyn Files,
    found: &mut Vec<Diagnostic>,
) {
    for entry in &mut assembly.boxes {
        let mut problems = Problems::default();
        entry.spec.read_files(files, &mut problems);
        found.extend(validate::diagnostics(document, entry, problems));
    }
    for (index, fault) in &mut assembly.faults {
        let mut problems = Problems::default();
        for (key, dist) in [("mtbf", &mut fault.mtbf), ("mttr", &mut fault.mttr)] {
            if let Some(dist) = dist {
                dist.resolve(key, files, &mut problems);
            }
        }
        found.extend(validate::diagnostics_at(document, &format!("fault[{index}]"), problems));
    }
}

fn scenario(
    origin: &str,
    text: &str,
    assembly: Assembly,
    expects: Vec<Expect>,
    checks: Vec<Check>,
) -> Scenario {
    Scenario {
        title: cleaned(assembly.title.as_deref().unwrap_or(origin)),
        chapter: assembly.chapter.as_deref().map(cleaned),
        origin: origin.to_owned(),
        text: text.to_owned(),
        set: Vec::new(),
        sha256: sha256(text),
        run: assembly.run,
        classes: assembly.classes,
        network: assembly.network,
        ways: assembly.ways,
        boxes: assembly.boxes,
        faults: assembly.faults.into_iter().map(|(_, fault)| fault).collect(),
        operations: assembly.operations.into_iter().map(|(_, operation)| operation).collect(),
        expects,
        checks,
    }
}

/// The SHA-256 of a text, 64 hexadecimal digits.
#[must_use]
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all that is written");
        hex
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::toys::{KINDS, LADDER};
    use super::*;
    use crate::model::spec::NoFiles;

    fn try_load(text: &str) -> Result<Loaded, Diagnostics> {
        load("a.toml", text, &[], &NoFiles, &KINDS)
    }

    /// Fails unless loading `text` gives exactly these errors: the text under the span, and the message.
    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = try_load(text).expect_err(text);
        let found: Vec<(&str, &str)> =
            found.items.iter().map(|item| (&text[item.span.clone()], item.message.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_scenario_is_read_with_its_defaults() {
        let Loaded { scenario, warnings } = try_load(LADDER).unwrap();
        assert!(warnings.is_empty(), "{warnings}");
        assert_eq!(scenario.run.warmup, SimDuration::from_secs(60));
        assert_eq!((scenario.run.trials, scenario.run.seed), (10, 1));
        assert_eq!(scenario.network.client, SimDuration::from_millis(40));
        let shares: Vec<(&str, f64, bool)> =
            scenario.classes.iter().map(|class| (class.name.as_str(), class.share, class.writes)).collect();
        assert_eq!(shares, [("read", 0.9, false), ("write", 0.1, true)]);
        let names: Vec<&str> = scenario.boxes.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["users", "db", "www", "web"]);
        assert_eq!(scenario.title, "Ladder");
    }

    #[test]
    fn what_is_left_out_cannot_be_wrong() {
        let text = format!(
            "{LADDER}[[fault]]\nat = '2h'\ntarget = 'web-1'\nkind = 'crash'\n\
             [[expect]]\nthat = 'throughput > 1/s'\nduring = '1h..2h'\n"
        );
        let left = |faults, expects| {
            let found = load_without(Without { faults, expects }, "a.toml", &text, &[], &NoFiles, &KINDS);
            found.map_err(|found| found.items.len()).map(|loaded| loaded.scenario.faults.len())
        };
        assert_eq!(left(false, false), Err(2));
        assert_eq!((left(true, false), left(false, true), left(true, true)), (Err(1), Err(1), Ok(0)));
    }

    #[test]
    fn a_scenario_can_go_to_other_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Scenario>();
    }

    #[test]
    fn the_hash_is_that_of_the_text() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn without_classes_there_is_one_that_reads() {
        let text = LADDER
            .replace("[request.read]\nshare = 90\n[request.write]\nshare = 10\neffect = \"write\"\n", "");
        let classes = try_load(&text).unwrap().scenario.classes;
        assert_eq!((classes.len(), classes[0].name.as_str(), classes[0].share), (1, "request", 1.0));
    }

    #[test]
    fn all_errors_of_a_file_come_at_once() {
        check(
            "tilte = 'x'\n[run]\nduration = '5 parsecs'\ntrials = 0\n[request.a]\nshare = -1\n[sever.web]\n\
             [server.web]\nwokers = 5\ncores = 1\n[client.web]\nx = 1\n[client.users]\ntarget = 'db'\nrate = '1/s'\n",
            &[
                ("tilte", "unknown key `tilte`"),
                ("'5 parsecs'", "expected a duration such as \"5ms\", found \"5 parsecs\""),
                ("-1", "expected a weight of 0 or more, found -1"),
                ("sever", "unknown kind of box `sever`"),
                ("web", "the name `web` is taken by a client"),
                ("wokers", "unknown key `wokers`"),
                ("web", "missing key `target`"),
                ("x", "unknown key `x`"),
                ("'db'", "unknown name `db`"),
            ],
        );
    }

    #[test]
    fn tables_must_have_the_right_shape_and_names() {
        check(
            "[server]\ncores = 2\n[server.\"a.b\"]\n[server.-x]\n[[client.users]]\n[expect]\nthat = 1\n[request]\nread = 3\n",
            &[
                ("cores", "expected a table, found an integer"),
                ("\"a.b\"", "a name cannot hold '.'"),
                ("-x", "a name starts with a letter"),
                ("users", "expected a table, found an array"),
                ("expect", "expected a list of expectations"),
                ("read", "expected a table, found an integer"),
            ],
        );
        check("[dns.run]\nrecords = []\n", &[("run", "a box cannot be called `run`")]);
    }

    #[test]
    fn overrides_are_read_like_the_text() {
        let set = |key: &str, value: &str| {
            let crlf = format!("\u{feff}{}", LADDER.replace('\n', "\r\n"));
            load("a.toml", &crlf, &[(key.to_owned(), value.to_owned())], &NoFiles, &KINDS)
        };
        let loaded = set("run.trials", "3").unwrap().scenario;
        assert_eq!((loaded.run.trials, loaded.boxes.len()), (3, 4));
        assert_eq!(loaded.sha256, sha256(&loaded.text));
        let found = set("users.rate", "3 parsecs").unwrap_err();
        assert_eq!(&found.text[found.items[0].span.clone()], "\"3 parsecs\"");
        assert_eq!(set("wbe.count", "3").unwrap_err().origin, "command line");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n){0,200}") {
            let _ = try_load(&text).map_err(|found| found.render(false));
        }

        #[test]
        fn no_damage_to_a_good_text_makes_it_panic(at in 0..LADDER.len(), cut in 0..40usize, put in "[\\[\\]{}='\"a1.\n-]{0,4}") {
            let end = (at + cut).min(LADDER.len());
            let text = format!("{}{put}{}", &LADDER[..at], &LADDER[end..]);
            let _ = try_load(&text).map_err(|found| found.render(true));
        }
    }
}
