//! Rules of the code: allowed imports, the head of every file, and what no trial may use.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use outgrow::components::KINDS;

use crate::golden::{compare, files_below, golden_file, root, scenarios};

/// The layers from the bottom up. A layer imports only layers of earlier lines; layers of one line do not import each
/// other.
const LAYERS: [&[&str]; 10] = [
    &["kernel", "stats", "theory"],
    &["queueing", "import"],
    &["model"],
    &["parts"],
    &["components"],
    &["scenario"],
    &["experiment"],
    &["report"],
    &["course"],
    &["cli"],
];

/// Words that code must not use, and the layers in which they are allowed.
const BANNED: [(&str, &[&str]); 6] = [
    ("HashMap", &[]),
    ("HashSet", &[]),
    ("std::time::Instant", &["cli", "main.rs"]),
    ("SystemTime", &["cli", "main.rs"]),
    ("std::env", &["cli", "main.rs"]),
    ("println!", &["cli", "main.rs"]),
];

/// Greatest number of lines of a file.
const LINES_MAX: usize = 500;

/// The same for tests and benchmarks, whose functions do not depend on each other.
const TEST_LINES_MAX: usize = 600;

/// Marks of sources: read in the primary text, on a secondary page, computed from published data, chosen for
/// teaching.
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

    /// The text before the tests.
    fn code(&self) -> &str {
        self.text.split_once("#[cfg(test)]\nmod tests {").map_or(self.text.as_str(), |(code, _)| code)
    }

    /// The path of the module: `components::server::spec`.
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

/// The lines of a text without comments, because prose is not code.
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

/// What a file imports, as absolute paths: `[components, database, book, Book]` of `super::book::Book` in
/// `components/database/node.rs`.
fn imports(source: &Source) -> BTreeSet<Vec<String>> {
    let module = source.module();
    let text: Vec<&str> = code_lines(source.code()).collect();
    let text = text.join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("::") {
        let start = text[..at].rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let first = &text[start.map_or(0, |start| start + 1)..at];
        let ups = first.split("::").filter(|part| *part == "super").count();
        let rest = &text[at + 2..];
        if (first != "crate" && ups != first.split("::").count()) || rest.starts_with("super::") {
            continue;
        }
        let base = if first == "crate" { &[][..] } else { &module[..module.len().saturating_sub(ups)] };
        for name in heads(rest) {
            let path = base.iter().copied().chain(name.split("::")).filter(|part| !part.is_empty());
            found.insert(path.map(str::to_owned).collect());
        }
    }
    found
}

/// The paths at the start of a text: one, or those of a list in braces, each with what stands before the braces.
fn heads(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let Some(list) = rest.strip_prefix('{').filter(|_| path.is_empty() || path.ends_with("::")) else {
        return vec![path.trim_end_matches(':').to_owned()];
    };
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in list.char_indices() {
        match c {
            ',' | '}' if depth == 0 => {
                let inner = heads(list[start..at].trim());
                names.extend(inner.into_iter().map(|name| format!("{path}{name}")));
                start = at + 1;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && c == '}' && start == at + 1 {
            break;
        }
    }
    names
}

/// The modules of its own layer that a file imports, as files or folders right below the layer.
fn siblings(source: &Source) -> BTreeSet<String> {
    let own =
        imports(source).into_iter().filter(|path| path.first().is_some_and(|layer| layer == source.layer()));
    own.filter_map(|path| path.get(1).cloned()).collect()
}

/// By folder: which of its files and folders import which others, somewhere inside.
type Edges = BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>>;

fn edges(sources: &[Source]) -> Edges {
    let owned = |source: &Source| source.module().into_iter().map(str::to_owned).collect::<Vec<String>>();
    let mut modules = BTreeSet::new();
    for module in sources.iter().map(owned) {
        modules.extend((1..=module.len()).map(|length| module[..length].to_vec()));
    }
    let mut edges = Edges::new();
    for source in sources {
        let module = owned(source);
        for path in imports(source) {
            let common = module.iter().zip(&path).take_while(|(own, other)| own == other).count();
            // A folder and what stands in it are one thing: there only siblings count.
            if common < module.len() && common < path.len() && modules.contains(&path[..=common]) {
                let folder = edges.entry(module[..common].to_vec()).or_default();
                folder.entry(module[common].clone()).or_default().insert(path[common].clone());
            }
        }
    }
    edges
}

/// Everything that a module imports, through others too.
fn reached<'e>(module: &str, edges: &'e BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'e String> {
    let mut reached: BTreeSet<&String> = BTreeSet::new();
    let mut to_visit: Vec<&String> = edges.get(module).into_iter().flatten().collect();
    while let Some(next) = to_visit.pop() {
        if reached.insert(next) {
            to_visit.extend(edges.get(next).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn no_two_modules_of_a_folder_import_each_other_in_a_circle() {
    for (folder, edges) in edges(&sources()) {
        for module in edges.keys() {
            let reached = reached(module, &edges);
            let circle = reached.contains(module);
            assert!(!circle, "{}: {module} imports itself through {reached:?}", folder.join("/"));
        }
    }
}

#[test]
fn circles_are_seen_at_every_depth() {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let folder = |others: &[Source]| edges(others).remove(&vec!["model".to_owned(), "a".to_owned()]);
    let both = [
        source("model/a/b.rs", "use super::c::{\n    D,\n    E,\n};\n"),
        source("model/a/c/mod.rs", "use crate::model::a::{x::Y, b};\n"),
        source("model/a/x.rs", "// use super::b::Z;\n"),
    ];
    let edges = folder(&both).expect("the folder has imports");
    assert!(reached("b", &edges).contains(&"b".to_owned()) && !edges.contains_key("x"), "{edges:?}");
    assert!(edges["c"].contains("x"), "{edges:?}");
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
        let most = if path.starts_with(root().join("src")) { LINES_MAX } else { TEST_LINES_MAX };
        assert!(lines <= most, "{} has {lines} lines, at most {most}", path.display());
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

/// Files of the layers above `scenario` that write or read scenarios for others: the samples of tests, and the generator
/// of validation cases, which writes scenario text as a user would.
const WRITERS: [&str; 2] = ["experiment/samples.rs", "experiment/validate/express/"];

/// Names of kinds that are also ordinary words: `queue` heads a column of tables about any box.
const ALSO_WORDS: [&str; 1] = ["queue"];

#[test]
fn what_is_said_of_scenarios_names_no_kind_and_reads_no_toml() {
    let kinds = KINDS.iter().map(|kind| kind.name).filter(|name| !ALSO_WORDS.contains(name));
    let kinds: Vec<String> = kinds.map(|name| format!("\"{name}\"")).collect();
    let is_writer = |source: &&Source| WRITERS.iter().any(|writer| source.name.starts_with(writer));
    let is_above = |source: &&Source| ["experiment", "report"].contains(&source.layer());
    let all = sources();
    let judged = all.iter().filter(is_above).filter(|source| !is_writer(source));
    for source in judged.filter(|source| !source.name.ends_with("/tests.rs")) {
        for line in code_lines(source.code()) {
            assert!(!line.contains("toml"), "{} reads TOML: ask the specs instead: {line}", source.name);
            let named = kinds.iter().find(|kind| line.contains(*kind));
            assert!(named.is_none(), "{} names a kind of box: ask its spec instead: {line}", source.name);
        }
    }
}

/// The boxes of the second half of the chapter: the kind, and its file or folder below `components`.
const SECOND_HALF: [(&str, &str); 6] = [
    ("cache", "cache"),
    ("cdn", "cache"),
    ("queue", "queue"),
    ("autoscaler", "autoscaler"),
    ("switch", "switch"),
    ("monitor", "monitor"),
];

/// A fault that only some kinds can have names them, and an alert that calls a switch is written `calls = "switch.NAME"`.
const NAMES_KINDS: [&str; 3] = ["components/mod.rs", "scenario/faults/mod.rs", "scenario/alerts.rs"];

#[test]
fn a_box_is_one_folder_and_one_row() {
    for (kind, folder) in SECOND_HALF {
        assert!(KINDS.iter().filter(|row| row.name == kind).count() == 1, "{kind} has one row");
        let own = [format!("components/{folder}/"), format!("components/{folder}.rs")];
        for source in sources() {
            let is_own = own.iter().any(|own| source.name.starts_with(own.as_str()));
            if is_own || NAMES_KINDS.contains(&source.name.as_str()) {
                continue;
            }
            let compares =
                [format!("== \"{kind}\""), format!("!= \"{kind}\""), format!("components::{folder}")];
            for line in code_lines(source.code()) {
                let found = compares.iter().any(|words| line.contains(words.as_str()));
                assert!(!found, "{} names the box {kind}: {line}", source.name);
            }
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

/// Words that hide a quantity or a subject: comments and pages say which number, time or person they mean.
const VAGUE: [&str; 5] = ["so many", "so often", "so long", "such a one", "whoever"];

/// The words of a page, or of the comments of a source file, without punctuation and with one space around each.
fn prose(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a text");
    let is_page = path.extension().is_some_and(|extension| extension == "md");
    let comment = |line: &'_ str| line.split_once("//").map_or("", |(_, comment)| comment).to_owned();
    let prose: Vec<String> =
        text.lines().map(|line| if is_page { line.to_owned() } else { comment(line) }).collect();
    let words = prose.iter().flat_map(|line| line.split_whitespace());
    let bare = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    format!(" {} ", bare.collect::<Vec<_>>().join(" "))
}

#[test]
fn comments_and_pages_name_their_quantities() {
    let code =
        ["src", "tests", "benches", "examples"].into_iter().flat_map(|folder| files_below(folder, "rs"));
    let pages = files_below("docs", "md")
        .into_iter()
        .chain([root().join("README.md"), root().join("CONTRIBUTING.md")]);
    let mut wrong = String::new();
    for path in code.chain(pages).filter(|path| !path.to_string_lossy().ends_with(".ko.md")) {
        let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
        let prose = prose(&path);
        for words in VAGUE {
            for (at, _) in prose.match_indices(&format!(" {words} ")) {
                let context: String = prose[at..].chars().take(60).collect();
                writeln!(wrong, "{name}: {context}").expect("a string takes all");
            }
        }
    }
    assert!(wrong.is_empty(), "name the quantity or the subject instead:\n{wrong}");
}

/// The page of all shipped scenarios, with names, titles and questions.
fn index() -> String {
    let mut page = "# Scenarios\n\nEach asks a question and checks the answer, which [stands on a page](../docs/expected.md): \
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
