//! From a document to sections and boxes: reads every table as its type, and collects the errors.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::Document;
use super::error::{Diagnostic, ITEMS_MAX};
use super::faults::FaultSpec;
use super::names::Names;
use super::operations::OperationSpec;
use super::places::Ways;
use super::read::read;
use super::schema::required_keys;
use super::sections::{CheckTable, Effect, ExpectTable, NetworkTable, RequestTable, RunTable};
use super::suggest::{did_you_mean, nearest, with_article};
use super::{BoxEntry, Run};
use crate::model::class::{KeySpace, PRIORITY_MAX};
use crate::model::network::NetworkSettings;
use crate::model::spec::{Kind, RequestClass, Spec};
use crate::model::strict::read_strictly;

/// Top-level keys that are not kinds of boxes.
pub(super) const SECTIONS: [&str; 9] =
    ["title", "chapter", "run", "request", "network", "fault", "operation", "expect", "check"];

/// Keys of every box that say where it stands.
pub(super) const WHERE: [&str; 2] = ["region", "zone"];

/// Greatest number of boxes that a file may declare; more are the output of a faulty program.
const BOXES_MAX: usize = 1_000;

/// Greatest number of keys of a class; each takes a few bytes of memory.
const KEYS_MAX: u32 = 10_000_000;

/// Greatest length of a name; longer names do not fit into tables.
const NAME_BYTES_MAX: usize = 64;

/// The content of a document. A part with an error is replaced by its default, and the error is in `found`.
pub(super) struct Assembly {
    pub(super) title: Option<String>,
    pub(super) chapter: Option<String>,
    pub(super) run: Run,
    pub(super) network: NetworkSettings,
    pub(super) ways: Ways,
    pub(super) classes: Vec<RequestClass>,
    /// The boxes that could be read, sorted by kind and name.
    pub(super) boxes: Vec<BoxEntry>,
    /// Kind of every box that the file declares, including those that could not be read.
    pub(super) declared: BTreeMap<String, &'static str>,
    /// Each with its index in the file.
    pub(super) faults: Vec<(usize, FaultSpec)>,
    /// Each with its index in the file.
    pub(super) operations: Vec<(usize, OperationSpec)>,
    /// Each with its index in the file.
    pub(super) expects: Vec<(usize, ExpectTable)>,
    /// The checks, each with its index in the file.
    pub(super) checks: Vec<(usize, CheckTable)>,
    pub(super) found: Vec<Diagnostic>,
    /// Whether the file declares more boxes than are read. `found` then has the error that says so.
    pub(super) is_too_large: bool,
}

/// How the error of a file with too many boxes begins.
pub(super) const TOO_LARGE: &str = "the scenario has ";

/// Reads all tables of the document.
pub(super) fn assemble(document: &Document<'_>, kinds: &[Kind]) -> Assembly {
    let mut reader = Reader { document, found: Vec::new() };
    let is_too_large = reader.has_too_many_boxes(kinds);
    // Nothing else is read of such a file, so that its one error comes at once.
    let kinds = if is_too_large { &[] } else { kinds };
    reader.unknown_sections(kinds);
    let run = reader.section("run", read_strictly::<RunTable>).unwrap_or_default();
    let network = reader.section("network", read_strictly::<NetworkTable>).unwrap_or_default();
    let (boxes, declared) = reader.boxes(kinds);
    Assembly {
        title: reader.section("title", read_strictly::<String>),
        chapter: reader.section("chapter", read_strictly::<String>),
        run: run_of(&run),
        ways: Ways::new(network.regions, network.link.clone()),
        network: reader.network(&network),
        classes: reader.classes(),
        boxes,
        declared,
        operations: reader.list("operation", "operations", read_strictly::<OperationSpec>),
        faults: reader.list("fault", "faults", read_strictly::<FaultSpec>),
        expects: reader.list("expect", "expectations", read_strictly::<ExpectTable>),
        checks: reader.list("check", "checks", read_strictly::<CheckTable>),
        found: reader.found,
        is_too_large,
    }
}

fn run_of(table: &RunTable) -> Run {
    let duration = table.duration.0;
    let warmup = table.warmup.as_ref().map_or_else(|| duration.mul_f64(0.1), |warmup| warmup.0);
    Run { duration, warmup, trials: table.trials, seed: table.seed }
}

struct Reader<'d, 't> {
    document: &'d Document<'t>,
    found: Vec<Diagnostic>,
}

impl<'t> Reader<'_, 't> {
    fn section<T>(
        &mut self,
        path: &str,
        load: impl Fn(toml::de::ValueDeserializer<'t>) -> Result<T, toml::de::Error>,
    ) -> Option<T> {
        let value = self.document.value(path)?;
        read(value, &self.document.span_of(path), &Vec::new, load, &mut self.found)
    }

    /// Reads the keys of a box that belong to its kind: all but the keys that say where it stands.
    fn box_table(&mut self, path: &str, kind: &Kind) -> Option<Box<dyn Spec>> {
        let mut value = self.document.value(path)?.clone();
        if let DeValue::Table(table) = value.get_mut() {
            WHERE.iter().for_each(|key| drop(table.remove(*key)));
        }
        let first = self.found.len();
        let spec =
            read(&value, &self.document.span_of(path), &|| required_keys(kind), kind.load, &mut self.found);
        // The kind does not know the keys that say where a box stands, so suggest them here.
        for item in &mut self.found[first..] {
            let key = item.message.strip_prefix("unknown key `").and_then(|rest| rest.strip_suffix('`'));
            if let Some(near) = key.and_then(|key| nearest(key, WHERE)) {
                item.help = Some(format!("did you mean `{near}`?"));
            }
        }
        spec
    }

    /// The names at a key; empty if the key is not given.
    fn names_at(&mut self, path: &str) -> Vec<String> {
        self.section(path, read_strictly::<Names>).unwrap_or_default().0
    }

    /// Whether there are more boxes than are read; reports it at the first one beyond.
    fn has_too_many_boxes(&mut self, kinds: &[Kind]) -> bool {
        let root = self.document.root();
        let tables = kinds.iter().filter_map(|kind| root.get(kind.name)?.get_ref().as_table());
        let mut names = tables.flat_map(|table| table.keys());
        let beyond = names.nth(BOXES_MAX).map(Spanned::span);
        let count = BOXES_MAX + 1 + names.count();
        let Some(span) = beyond else { return false };
        let message = format!("{TOO_LARGE}{count} boxes, at most {BOXES_MAX} are read");
        let help = "members that are alike are one box: `count = 1200`".to_owned();
        self.found.push(Diagnostic::error(span, message).help(help));
        true
    }

    fn unknown_sections(&mut self, kinds: &[Kind]) {
        let known = || SECTIONS.into_iter().chain(kinds.iter().map(|kind| kind.name));
        for (key, value) in self.document.root() {
            let name = key.get_ref().as_ref();
            if known().any(|known| known == name) {
                continue;
            }
            let is_table = value.get_ref().is_table();
            let what = if is_table { "kind of box" } else { "key" };
            let unknown = Diagnostic::error(key.span(), format!("unknown {what} `{name}`"));
            // Only the first `ITEMS_MAX` errors are shown, so do not search for suggestions for the others.
            let help = || match (not_modelled(name), nearest(name, known())) {
                (Some(help), _) => Some(help),
                (None, None) if is_table => {
                    did_you_mean(name, "boxes are", kinds.iter().map(|kind| kind.name))
                }
                _ => did_you_mean(name, "known are", known()),
            };
            let is_shown = self.found.len() < ITEMS_MAX;
            self.found.push(unknown.help(is_shown.then(help).flatten()));
        }
    }

    fn network(&mut self, table: &NetworkTable) -> NetworkSettings {
        if !(table.jitter.is_finite() && (0.0..=10.0).contains(&table.jitter)) {
            let span = self.document.span_of("network.jitter");
            let message = format!("expected a coefficient of variation from 0 to 10, found {}", table.jitter);
            self.found.push(Diagnostic::error(span, message));
        }
        NetworkSettings {
            client: table.client.0,
            same_zone: table.same_zone.0,
            other_zone: table.other_zone.0,
            jitter: table.jitter,
        }
    }

    /// The request classes, with shares scaled to a sum of one. Without any table, the one class `request` that
    /// reads.
    fn classes(&mut self) -> Vec<RequestClass> {
        let names = self.names_under("request");
        if names.is_empty() {
            return vec![class("request", &RequestTable::default())];
        }
        let tables: Vec<RequestTable> = names
            .iter()
            .map(|name| {
                let path = format!("request.{name}");
                self.section(&path, read_strictly::<RequestTable>).unwrap_or_default()
            })
            .collect();
        self.key_spaces(&names, &tables);
        self.priorities(&names, &tables);
        for (name, _) in names.iter().zip(&tables).filter(|(_, table)| table.units == Some(0)) {
            let span = self.document.span_of(&format!("request.{name}.units"));
            let none = Diagnostic::error(span, "a request that takes no worker is not worked on");
            self.found.push(none.help("expected 1 or more".to_owned()));
        }
        self.no_write_is_kept(&names, &tables);
        self.no_class_is_all(&names);
        let total: f64 = tables.iter().map(|table| table.share.0).sum();
        if !(total > 0.0 && total.is_finite()) {
            let message = format!("the shares of the request classes sum to {total}");
            let sum = Diagnostic::error(self.document.span_of("request"), message);
            self.found.push(sum.help("give at least one class a share above 0".to_owned()));
        }
        let mut classes: Vec<RequestClass> =
            names.iter().zip(&tables).map(|(name, table)| class(name, table)).collect();
        classes.iter_mut().for_each(|class| class.share /= total);
        classes
    }

    /// Reports classes that write and are to be kept by a content delivery network.
    fn no_write_is_kept(&mut self, names: &[String], tables: &[RequestTable]) {
        let is_wrong = |table: &RequestTable| table.cacheable && table.effect == Effect::Write;
        for (name, _) in names.iter().zip(tables).filter(|(_, table)| is_wrong(table)) {
            let span = self.document.span_of(&format!("request.{name}.cacheable"));
            let fault =
                Diagnostic::error(span, format!("`{name}` writes: the answer to a write is kept by nobody"));
            self.found.push(fault.help("drop the key".to_owned()));
        }
    }

    /// Reports the names `all` and `system`, which stand for all classes and for all boxes together in tables.
    fn no_class_is_all(&mut self, names: &[String]) {
        for name in names.iter().filter(|name| ["all", "system"].contains(&name.as_str())) {
            let span = self.document.span_of(&format!("request.{name}"));
            let fault = Diagnostic::error(span, format!("a class cannot be called `{name}`"));
            self.found.push(fault.help("tables use this name for everything together".to_owned()));
        }
    }

    fn priorities(&mut self, names: &[String], tables: &[RequestTable]) {
        let mut all_known = true;
        let mut first = None;
        for (name, table) in names.iter().zip(tables) {
            let Some(priority) = table.priority else { continue };
            let span = self.document.span_of(&format!("request.{name}.priority"));
            if priority > u32::from(PRIORITY_MAX) {
                all_known = false;
                let message = format!("expected a priority from 0 to {PRIORITY_MAX}, found {priority}");
                let help = "0 goes first".to_owned();
                self.found.push(Diagnostic::error(span.clone(), message).help(help));
            }
            first.get_or_insert(span);
        }
        let is_alike =
            tables.iter().all(|table| table.priority.unwrap_or(0) == tables[0].priority.unwrap_or(0));
        if let Some(span) = first.filter(|_| all_known && is_alike) {
            let message = if tables.len() == 1 {
                "there is no other class before which these requests could go".to_owned()
            } else {
                "all classes have the same priority, so that nobody goes first".to_owned()
            };
            let help = "give another class a priority, or leave the key out".to_owned();
            self.found.push(Diagnostic::warning(span, message).help(help));
        }
    }

    fn key_spaces(&mut self, names: &[String], tables: &[RequestTable]) {
        for (name, table) in names.iter().zip(tables) {
            let fault = match (table.keys, table.zipf) {
                (Some(count), _) if !(1..=KEYS_MAX).contains(&count) => {
                    Some(("keys", format!("expected 1 to {KEYS_MAX} keys, found {count}")))
                }
                (None, Some(_)) => Some(("zipf", "`zipf` does nothing without `keys`".to_owned())),
                (None, _) if table.missing.is_some() => {
                    Some(("missing", "`missing` does nothing without `keys`".to_owned()))
                }
                _ if table.missing.is_some() && table.effect == Effect::Write => Some((
                    "missing",
                    "a write makes what is not there, so that only reads miss it".to_owned(),
                )),
                (_, Some(zipf)) if !(zipf.is_finite() && (0.0..=10.0).contains(&zipf)) => {
                    Some(("zipf", format!("expected an exponent from 0 to 10, found {zipf}")))
                }
                _ => None,
            };
            if let Some((key, message)) = fault {
                let span = self.document.span_of(&format!("request.{name}.{key}"));
                self.found.push(Diagnostic::error(span, message));
            }
        }
    }

    /// The names of the tables under a top-level key, in order. Values that are not tables and invalid names are
    /// reported.
    fn names_under(&mut self, section: &str) -> Vec<String> {
        let Some((key, value)) = self.document.root().get_key_value(section) else { return Vec::new() };
        let Some(table) = self.table_of_tables(section, key.span(), value) else { return Vec::new() };
        let mut names = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(fault) = bad_name(name) {
                let fault = Diagnostic::error(key.span(), fault);
                let help = "names are of letters that are not capitals, digits, `_` and `-`, and start with a letter";
                let help = help.to_owned();
                self.found.push(fault.help(help));
            } else if value.get_ref().is_table() {
                names.push(name.to_owned());
            } else {
                let message = format!("expected a table, found {}", with_article(value.get_ref().type_str()));
                let help = format!("`{section}` holds named tables: write `[{section}.NAME]` above the keys");
                self.found.push(Diagnostic::error(key.span(), message).help(help));
            }
        }
        names
    }

    fn table_of_tables<'d>(
        &mut self,
        section: &str,
        span: std::ops::Range<usize>,
        value: &'d Spanned<DeValue<'t>>,
    ) -> Option<&'d DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let message = format!("expected a table, found {}", with_article(value.get_ref().type_str()));
            let help = format!("name it: `[{section}.NAME]`");
            self.found.push(Diagnostic::error(span, message).help(help));
        }
        table
    }

    fn boxes(&mut self, kinds: &[Kind]) -> (Vec<BoxEntry>, BTreeMap<String, &'static str>) {
        let mut kinds: Vec<&Kind> = kinds.iter().collect();
        kinds.sort_by_key(|kind| kind.name);
        let mut boxes = Vec::new();
        let mut declared: BTreeMap<String, &'static str> = BTreeMap::new();
        for kind in &kinds {
            for name in self.names_under(kind.name) {
                let path = format!("{}.{name}", kind.name);
                self.name_is_free(&path, &name, &declared);
                declared.entry(name.clone()).or_insert(kind.name);
                let [regions, zones] = WHERE.map(|key| self.names_at(&format!("{path}.{key}")));
                if let Some(spec) = self.box_table(&path, kind) {
                    let own = spec.regions().into_iter().map(|(_, region)| region);
                    let regions = own.chain(regions).collect();
                    let (kind, gauges) = (kind.name, kind.gauges);
                    let starts = None;
                    let booted_by = None;
                    boxes.push(BoxEntry { kind, gauges, name, spec, regions, zones, starts, booted_by });
                }
            }
        }
        self.declare_unknown(&kinds, &mut declared);
        (boxes, declared)
    }

    /// Declares the names in tables of unknown kinds too: that the kind is unknown is an error already, and the names would
    /// only be further ones.
    fn declare_unknown(&self, kinds: &[&Kind], declared: &mut BTreeMap<String, &'static str>) {
        let is_known = |name: &str| SECTIONS.contains(&name) || kinds.iter().any(|kind| kind.name == name);
        let unknown = self.document.root().iter().filter(|(key, _)| !is_known(key.get_ref().as_ref()));
        let tables = unknown.filter_map(|(_, value)| value.get_ref().as_table());
        for (name, _) in tables.flat_map(|table| table.iter()).filter(|(_, value)| value.get_ref().is_table())
        {
            declared.entry(name.get_ref().as_ref().to_owned()).or_insert("box");
        }
    }

    fn name_is_free(&mut self, path: &str, name: &str, declared: &BTreeMap<String, &'static str>) {
        let span = self.document.span_of(path);
        if let Some(other) = declared.get(name) {
            let twice = Diagnostic::error(span, format!("the name `{name}` is taken by a {other}"));
            self.found.push(twice.help("names are unique among all boxes".to_owned()));
        } else if SECTIONS.contains(&name) {
            self.found.push(Diagnostic::error(span, format!("a box cannot be called `{name}`")));
        }
    }

    /// The tables of a list such as `[[expect]]`, each with its index in the file.
    fn list<T>(
        &mut self,
        section: &str,
        what: &str,
        load: impl Fn(toml::de::ValueDeserializer<'t>) -> Result<T, toml::de::Error>,
    ) -> Vec<(usize, T)> {
        let Some((key, value)) = self.document.root().get_key_value(section) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            let fault = Diagnostic::error(key.span(), format!("expected a list of {what}"));
            self.found.push(fault.help(format!("write `[[{section}]]` with two brackets")));
            return Vec::new();
        };
        (0..items.len())
            .filter_map(|at| Some((at, self.section(&format!("{section}[{at}]"), &load)?)))
            .collect()
    }
}

/// What to do for a part that is no kind of box; `None` if it is not known as one.
fn not_modelled(name: &str) -> Option<String> {
    let parts = [
        ("lambda", "a function"),
        ("function", "a function"),
        ("gateway", "a gateway"),
        ("proxy", "a proxy"),
        ("pgbouncer", "a pooler of connections"),
        ("pooler", "a pooler of connections"),
        ("storage", "storage of objects"),
        ("websocket", "a long connection"),
    ];
    let (_, what) = parts.into_iter().find(|(word, _)| name.eq_ignore_ascii_case(word))?;
    Some(format!("{what} is not a kind of its own: docs/how-do-i.md says what comes nearest"))
}

fn class(name: &str, table: &RequestTable) -> RequestClass {
    RequestClass {
        name: name.to_owned(),
        share: table.share.0,
        writes: table.effect == Effect::Write,
        deadline: table.deadline.as_ref().map(|deadline| deadline.0),
        response_bytes: table.response_size.0,
        cacheable: table.cacheable,
        keys: KeySpace {
            count: table.keys.unwrap_or(1),
            zipf: table.zipf.unwrap_or(0.0),
            missing: table.missing.map_or(0.0, |share| share.0),
            is_given: table.keys.is_some(),
        },
        clients: table.clients.clone(),
        // A greater one is an error.
        units: table.units.unwrap_or(1),
        priority: table.priority.map_or(0, |priority| priority.min(u32::from(PRIORITY_MAX)) as u8),
    }
}

/// The reason why this is not a valid name; `None` if it is valid.
fn bad_name(name: &str) -> Option<String> {
    let is_letter = |c: char| c.is_alphabetic() && !c.is_uppercase();
    let allowed = |c: char| is_letter(c) || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() {
        return Some("a name cannot be empty".to_owned());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("a name has at most {NAME_BYTES_MAX} characters"));
    }
    if let Some(bad) = name.chars().find(|c| !allowed(*c)) {
        return Some(format!("a name cannot hold {bad:?}"));
    }
    (!name.starts_with(is_letter)).then(|| "a name starts with a letter".to_owned())
}
