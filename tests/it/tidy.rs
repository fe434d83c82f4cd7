//! Habits of the code, checked: who may import whom, what stands at the top of a file, and what no trial may touch.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use outgrow::components::KINDS;

use crate::golden::{compare, files_below, golden_file, root, scenarios};

/// The layers from the bottom up. A layer imports only what stands before it; those of one line do not know each
/// other.
const LAYERS: [&[&str]; 9] = [
    &["kernel", "stats", "theory"],
    &["queueing"],
    &["model"],
    &["parts"],
    &["components"],
    &["scenario"],
    &["experiment"],
    &["report"],
    &["cli"],
];

/// What no trial may touch, and where it is allowed after all.
const BANNED: [(&str, &[&str]); 6] = [
    ("HashMap", &[]),
    ("HashSet", &[]),
    ("std::time::Instant", &["cli", "main.rs"]),
    ("SystemTime", &["cli", "main.rs"]),
    ("std::env", &["cli", "main.rs"]),
    ("println!", &["cli", "main.rs"]),
];

/// A longer file is two.
const LINES_MAX: usize = 600;

/// Read in the primary text, on a secondary page, computed from published data, chosen for teaching.
const MARKS: [char; 4] = ['V', 'S', 'C', 'T'];

/// A source file: its path below `src`, and its text.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn layer(&self) -> &str {
        self.name.split_once('/').map_or(self.name.as_str(), |(layer, _)| layer)
    }

    /// The text before its tests.
    fn code(&self) -> &str {
        self.text.split_once("#[cfg(test)]\nmod tests {").map_or(self.text.as_str(), |(code, _)| code)
    }

    /// The module that it is, as a path: `components::server::spec`.
    fn module(&self) -> Vec<&str> {
        let name = self.name.trim_end_matches(".rs").trim_end_matches("/mod");
        name.split('/').collect()
    }
}

fn sources() -> Vec<Source> {
    let below = root().join("src");
    let read = |path: PathBuf| Source {
        name: path.strip_prefix(&below).expect("below src").to_str().expect("ASCII").replace('\\', "/"),
        text: fs::read_to_string(&path).expect("a source file"),
    };
    files_below("src", "rs").into_iter().map(read).collect()
}

/// Lines without comments: what is said in prose is no import.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

/// The first names of all paths that begin with this word: `model` and `kernel` of `crate::{model::.., kernel::..}`.
fn first_names<'t>(text: &'t str, prefix: &str) -> Vec<&'t str> {
    let name = |text: &'t str| {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        &text[..end]
    };
    let mut names = Vec::new();
    for line in code_lines(text) {
        for (at, _) in line.match_indices(prefix) {
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            names.push(name(&line[at + prefix.len()..]));
        }
    }
    names
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|layers| layers.contains(&layer))
}

#[test]
fn a_layer_imports_only_what_stands_below_it() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = source.layer();
        for imported in first_names(source.code(), "crate::") {
            assert!(!imported.is_empty(), "{}: write one path a line after crate::", source.name);
            let allowed = match (rank(own), rank(imported)) {
                (Some(_), Some(_)) if own == imported => true,
                (Some(own), Some(imported)) => imported < own,
                _ => false,
            };
            if !allowed {
                wrong.push(format!("{} may not import {imported}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_the_library_is_a_layer() {
    for source in sources().iter().filter(|source| source.name.contains('/')) {
        assert!(rank(source.layer()).is_some(), "{} is in no layer", source.name);
    }
}

/// The modules of its own layer that a file imports, as files or folders right below the layer.
fn siblings(source: &Source) -> BTreeSet<String> {
    let module = source.module();
    let mut found: BTreeSet<String> = BTreeSet::new();
    let absolute = format!("crate::{}::", source.layer());
    found.extend(first_names(source.code(), &absolute).into_iter().map(str::to_owned));
    // `super::` of a file right below the layer is the layer; one `super::` more for each folder.
    let relative = "super::".repeat(module.len() - 1);
    found.extend(first_names(source.code(), &relative).into_iter().map(str::to_owned));
    found
}

#[test]
fn no_two_modules_of_a_layer_import_each_other_in_a_circle() {
    let sources = sources();
    let mut edges: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module().len() >= 2) {
        let module = source.module();
        let key = (module[0].to_owned(), module[1].to_owned());
        let found = siblings(source);
        edges.entry(key).or_default().extend(found.into_iter().filter(|name| *name != module[1]));
    }
    for (layer, module) in edges.keys() {
        let mut reached: BTreeSet<&String> = BTreeSet::new();
        let mut to_visit: Vec<&String> = edges[&(layer.clone(), module.clone())].iter().collect();
        while let Some(next) = to_visit.pop() {
            assert!(next != module, "{layer}: {module} imports itself through {reached:?}");
            if reached.insert(next) {
                to_visit.extend(edges.get(&(layer.clone(), next.clone())).into_iter().flatten());
            }
        }
    }
}

#[test]
fn a_component_never_imports_another() {
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    for source in
        sources().iter().filter(|source| source.layer() == "components" && source.module().len() >= 2)
    {
        for sibling in siblings(source) {
            let own = source.module()[1] == sibling;
            let other = kinds.contains(&sibling.as_str());
            assert!(own || !other, "{} may not import {sibling}", source.name);
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let tests = files_below("tests", "rs").into_iter().chain(files_below("benches", "rs"));
    let all = files_below("src", "rs").into_iter().chain(tests).chain(files_below("examples", "rs"));
    for path in all {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(text.starts_with("//! "), "{} does not open with //!", path.display());
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines, at most {LINES_MAX}", path.display());
    }
}

#[test]
fn no_trial_touches_the_world() {
    for source in sources() {
        for (word, allowed) in BANNED {
            let here = code_lines(source.code()).any(|line| line.contains(word));
            let may = allowed.contains(&source.layer());
            assert!(!here || may, "{} may not use {word}", source.name);
        }
    }
}

#[test]
fn every_mark_of_a_source_is_known() {
    for source in sources() {
        for (at, _) in source.text.match_indices('[') {
            let mut after = source.text[at + 1..].chars();
            let (Some(mark), Some(end)) = (after.next(), after.next()) else { continue };
            let is_mark = mark.is_ascii_uppercase() && (end == ']' || end == ':');
            let is_doc =
                source.text[..at].lines().next_back().is_some_and(|line| line.trim_start().starts_with("//"));
            assert!(!(is_mark && is_doc) || MARKS.contains(&mark), "{}: [{mark}] is no mark", source.name);
        }
    }
}

/// The page of all scenarios that ship: names, titles and questions.
fn index() -> String {
    let mut page = "# Scenarios\n\nEach asks a question, says what to expect and why, and checks it: \
                    `outgrow run NAME`.\n\n| name | title | question |\n|---|---|---|\n"
        .to_owned();
    for (name, path) in scenarios() {
        let text = fs::read_to_string(&path).expect("a scenario");
        let title = text.lines().find_map(|line| line.strip_prefix("title")).unwrap_or_default();
        let title = title.trim_start_matches([' ', '=']).trim_matches('"');
        let comments = text.lines().skip_while(|line| !line.starts_with("# Question: "));
        let question = comments.take_while(|line| line.starts_with('#') && !line.starts_with("# Expect"));
        let question: Vec<&str> =
            question.map(|line| line.trim_start_matches("# Question:").trim_matches(['#', ' '])).collect();
        let question = question.join(" ");
        writeln!(page, "| [{name}]({name}.toml) | {title} | {question} |").expect("a string takes all");
    }
    page
}

#[test]
fn every_scenario_has_a_golden_file_and_a_place_in_the_index() {
    for (name, _) in scenarios() {
        assert!(golden_file(&name).exists(), "{name} has no golden file");
    }
    compare(&root().join("scenarios/README.md"), &index()).unwrap_or_else(|message| panic!("{message}"));
}
