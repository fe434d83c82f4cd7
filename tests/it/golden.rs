//! Every shipped scenario has a golden file: the fingerprint and the main figures of its first trial. `UPDATE=1`
//! rewrites them. A change shows in the diff, and needs a line in the changelog.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::{ClassRecord, ComponentRecord, TrialRecord};
use outgrow::model::signal::Outcome;
use outgrow::model::spec::Files;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};

/// Simulated time of a golden run. It is long enough for most scenarios, and short enough to run all of them.
pub(super) const DURATION: &str = "60s";

/// Scenarios with a simulated time of their own: a longer one for those whose events take longer, a shorter one for
/// heavy traffic.
const OF_THEIR_OWN: &[(&str, &str)] = &[
    ("03-column", "5min"),
    ("03-document", "5min"),
    ("03-graph", "5min"),
    ("03-key-value", "5min"),
    ("03-relational", "5min"),
    ("05-one-big-box-dies", "8min"),
    ("07-web-server-dies", "9min"),
    ("08-balancer-dies", "8min"),
    ("08-balancer-pair", "8min"),
    ("11-all-replicas-die", "8min"),
    ("11-replica-dies", "8min"),
    ("12-primary-dies", "8min"),
    ("13-stale-promotion", "230s"),
    ("14-split-brain", "380s"),
    ("15-broken-ring", "100s"),
    ("16-dns-round-robin", "8min"),
    ("16-dns-with-checks", "8min"),
    ("17-two-regions", "11min"),
    ("18-whole-chapter", "11min"),
    ("53-standby", "40min"),
    ("million-users", "11s"),
    ("56-alarm", "125min"),
];

/// The folder of this package.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files with this extension below a folder of the package, sorted; none if there is no such folder.
pub(super) fn files_below(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Compares a text with a file of the package, and returns what differs. `UPDATE=1` rewrites the file instead.
pub(super) fn compare(path: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, text).expect("a place for the file");
        return Ok(());
    }
    let known = fs::read_to_string(path).unwrap_or_default();
    if known == text {
        Ok(())
    } else {
        Err(format!("{} is not current: UPDATE=1 rewrites it", path.display()))
    }
}

/// All shipped scenarios: the path below `scenarios` without extension, and the full path.
pub(super) fn scenarios() -> Vec<(String, PathBuf)> {
    let below = root().join("scenarios");
    let name = |path: &Path| {
        let relative = path.strip_prefix(&below).expect("it is below").with_extension("");
        relative.to_str().expect("a name in ASCII").replace(std::path::MAIN_SEPARATOR, "/")
    };
    files_below("scenarios", "toml").into_iter().map(|path| (name(&path), path)).collect()
}

/// The golden file of a scenario.
pub(super) fn golden_file(name: &str) -> PathBuf {
    root().join("tests/golden").join(format!("{}.txt", name.replace('/', "--")))
}

/// Files beside a scenario: the folder from which paths lead to them.
pub(super) struct Beside(pub(super) PathBuf);

impl Files for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.0.join(path)).map_err(|_| format!("there is no {path:?}"))
    }
}

/// The scenario, with the simulated time of its golden run, which is returned too.
pub(super) fn shortened(name: &str, path: &Path) -> (Scenario, &'static str) {
    let text = fs::read_to_string(path).expect("a scenario");
    let duration =
        OF_THEIR_OWN.iter().find(|(known, _)| *known == name).map_or(DURATION, |(_, duration)| duration);
    let overrides = [("run.duration", duration), ("run.warmup", "10s")];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let folder = Beside(path.parent().expect("a folder").to_owned());
    let loaded = load(name, &text, &overrides, &folder, KINDS).unwrap_or_else(|found| panic!("{found}"));
    (loaded.scenario, duration)
}

fn golden(name: &str, path: &Path) -> String {
    let (scenario, duration) = shortened(name, path);
    let mut simulation = build(&scenario, Seed::new(scenario.run.seed).trial(0));
    let record = simulation.run(scenario.length(), &mut |_| false);
    shown(&scenario, duration, &record)
}

fn shown(scenario: &Scenario, duration: &str, record: &TrialRecord) -> String {
    let mut out = format!(
        "{}\nfingerprint {:016x}\nevents {}\nmeasured {duration} after 10s of warm-up, trial 0\n\n",
        scenario.title, record.fingerprint, record.events
    );
    for (class, spec) in record.classes.iter().zip(&scenario.classes) {
        class_line(&mut out, &spec.name, class);
    }
    out.push('\n');
    for component in record.components.iter().filter(|component| component.kind != "client") {
        component_line(&mut out, component);
    }
    for note in &record.timeline {
        writeln!(out, "{} {} {}", note.at, note.component, note.event).expect("a string takes all");
    }
    out
}

fn class_line(out: &mut String, name: &str, class: &ClassRecord) {
    let ms = |nanos: u64| nanos as f64 / 1e6;
    write!(out, "{name}: issued {}", class.issued).expect("a string takes all");
    for (outcome, count) in Outcome::ALL.into_iter().zip(class.outcomes).filter(|(_, count)| *count > 0) {
        write!(out, ", {} {count}", outcome.name()).expect("a string takes all");
    }
    if class.response.count() == 0 {
        return writeln!(out).expect("a string takes all");
    }
    let (mean, p99) = (class.response.mean() / 1e6, ms(class.ok.quantile(0.99)));
    writeln!(out, "; mean {mean:.3} ms, p99 {p99:.3} ms").expect("a string takes all");
}

fn component_line(out: &mut String, component: &ComponentRecord) {
    let ComponentRecord { name, kind, arrived, .. } = component;
    write!(out, "{kind} {name}: calls {arrived}, inside {:.4}", component.inside_mean)
        .expect("a string takes all");
    write!(out, ", queue {:.4}", component.queue_mean).expect("a string takes all");
    if let Some(machine) = &component.machine {
        write!(out, ", busy {:.4} of {}", machine.busy_cores_mean, machine.cores)
            .expect("a string takes all");
    }
    out.push('\n');
}

#[test]
fn every_scenario_does_what_it_did() {
    let wrong: Vec<String> = scenarios()
        .iter()
        .filter_map(|(name, path)| compare(&golden_file(name), &golden(name, path)).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_golden_file_has_its_scenario() {
    let known: Vec<PathBuf> = scenarios().iter().map(|(name, _)| golden_file(name)).collect();
    for file in files_below("tests/golden", "txt") {
        assert!(known.contains(&file), "{} has no scenario", file.display());
    }
}

#[test]
fn every_scenario_asks_a_question_and_leaves_the_answer_to_a_page() {
    let answers = fs::read_to_string(root().join("docs/expected.md")).expect("a page");
    for (name, path) in scenarios() {
        let text = fs::read_to_string(&path).expect("a scenario");
        let comments: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        let first = comments.iter().find(|line| !line.starts_with("#:"));
        assert!(
            first.is_some_and(|line| line.starts_with("# Question: ")),
            "{name} begins with its question"
        );
        assert!(comments.iter().any(|line| line.starts_with("# Source")), "{name} has no sources");
        assert!(!text.contains("# Expect"), "{name} gives its answer away");
        assert!(answers.contains(&format!("\n## {name}\n")), "docs/expected.md has no answer to {name}");
        assert!(
            ["\n[[expect]]\n", "\n[[check]]\n"].iter().any(|table| text.contains(table)),
            "{name} expects nothing"
        );
        assert!(text.contains("\ntitle "), "{name} has no title");
    }
}
