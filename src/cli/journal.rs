//! `Journal`: the finished points of a sweep, one line of JSON for each. A line is on the disk before the next point
//! starts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};
use serde_json::Value;

use super::holder::holder;
use super::output::write_new;
use super::shard::Shard;
use super::status::Failure;
use crate::report::sweep::Columns;
use crate::report::table::Row;
use crate::scenario::sha256;

/// Name and version of the format.
const SCHEMA: &str = "outgrow.sweep-journal/3";

/// Greatest number of characters of a value in a message.
const SHOWN_MAX: usize = 60;

/// Everything that decides the results of a sweep.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Plan {
    /// Version of the simulator.
    pub(super) version: String,
    /// Title of the scenario.
    pub(super) title: String,
    /// SHA-256 of its text.
    pub(super) sha256: String,
    /// SHA-256 of each file that it names.
    pub(super) files: BTreeMap<String, String>,
    /// Overrides that hold for all points.
    pub(super) set: Vec<(String, String)>,
    /// Varied keys and their values.
    pub(super) vary: Vec<(String, Vec<String>)>,
    /// The seed, if not the scenario's own.
    pub(super) seed: Option<u64>,
    /// The trials of a point, if not the scenario's own.
    pub(super) trials: Option<u32>,
    /// Number of points of the whole grid.
    pub(super) points: usize,
    /// The metrics that have columns of their own.
    pub(super) columns: Columns,
}

/// The first line of a journal.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Header {
    schema: String,
    /// SHA-256 of the plan.
    sha256: String,
    /// The scenario's file as it was given. A sweep of the same text under another name is the same sweep.
    pub(super) file: String,
    /// The part of the points; `None` for all of them.
    pub(super) shard: Option<Shard>,
    /// The plan of the sweep.
    pub(super) plan: Plan,
}

impl Header {
    pub(super) fn new(plan: Plan, file: String, shard: Option<Shard>) -> Header {
        Header { schema: SCHEMA.into(), sha256: digest(&plan), file, shard, plan }
    }

    /// Number of points of the part.
    pub(super) fn points(&self) -> usize {
        self.shard.map_or(self.plan.points, |shard| shard.points(self.plan.points).len())
    }

    /// The part in words.
    pub(super) fn part(&self) -> String {
        self.shard.map_or("all points".into(), |shard| format!("shard {shard}"))
    }

    /// The differences between this journal and another one, in words; empty if both are of the same part of the same sweep.
    fn differences_of_parts(&self, other: &Header) -> Vec<String> {
        let mut differences = self.differences(other);
        if self.shard != other.shard {
            differences.push(format!("it has {} there and {} here", other.part(), self.part()));
        }
        differences
    }

    /// The differences between this sweep and that of another journal, in words; empty if they are the same sweep.
    pub(super) fn differences(&self, other: &Header) -> Vec<String> {
        if self.sha256 == other.sha256 {
            return Vec::new();
        }
        let (here, there) = (object(&self.plan), object(&other.plan));
        let shown = |value: Option<&Value>| {
            let text = value.map_or("nothing".into(), Value::to_string);
            match text.char_indices().nth(SHOWN_MAX) {
                Some((end, _)) => format!("{} ..", &text[..end]),
                None => text,
            }
        };
        let differs = |(key, value): (&String, &Value)| {
            let other = there.get(key);
            let (here, there) = (shown(Some(value)), shown(other));
            (other != Some(value)).then(|| match here == there {
                true => format!("{key} differs"),
                false => format!("{key} is {there} there and {here} here"),
            })
        };
        here.iter().filter_map(differs).collect()
    }
}

fn object(plan: &Plan) -> Row {
    match serde_json::to_value(plan) {
        Ok(Value::Object(object)) => object,
        _ => unreachable!("a plan has named parts and string keys"),
    }
}

fn digest(plan: &Plan) -> String {
    sha256(&Value::Object(object(plan)).to_string())
}

/// One finished point.
#[derive(serde::Serialize, serde::Deserialize)]
struct Line {
    point: usize,
    row: Row,
}

/// What stands between a line and its checksum.
const CHECK: &str = ",\"sha256\":\"";

/// The line with the SHA-256 of all that stands before it, so that a changed digit is found.
fn signed(line: &Line) -> String {
    let text = serde_json::to_string(line).expect("strings and numbers");
    let body = text.strip_suffix('}').expect("an object ends with a brace");
    format!("{body}{CHECK}{}\"}}\n", sha256(body))
}

/// The line, if its checksum is right.
fn checked(line: &[u8]) -> Option<Line> {
    let (body, check) = std::str::from_utf8(line).ok()?.trim_end().rsplit_once(CHECK)?;
    let is_right = check.strip_suffix("\"}")? == sha256(body);
    is_right.then(|| serde_json::from_str(&format!("{body}}}")).ok()).flatten()
}

/// The content of a journal.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) header: Header,
    pub(super) rows: BTreeMap<usize, Row>,
    /// Number of bytes up to the end of the last whole line.
    whole: u64,
}

/// The path of the journal beside an output file.
pub(super) fn beside(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}

/// Reads a journal. Its last line may be incomplete, if the program was killed while it wrote the line; it is
/// ignored.
pub(super) fn read(path: &Path) -> Result<Content, String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is not a file".into());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().filter(|line| line.ends_with(b"\n")).unwrap_or_default();
    let header: Header =
        serde_json::from_slice(first).map_err(|_| "it is not a journal of a sweep".to_owned())?;
    if header.schema != SCHEMA || header.sha256 != digest(&header.plan) {
        return Err("its first line is not that of a sweep of this version".into());
    }
    let mut content = Content { whole: first.len() as u64, rows: BTreeMap::new(), header };
    let mut number = 1;
    let mut torn = None;
    for line in lines {
        number += 1;
        if let Some(line) = torn {
            return Err(format!("line {line} is damaged"));
        }
        let point = line.ends_with(b"\n").then(|| checked(line)).flatten();
        let Some(Line { point, row }) = point.filter(|line| line.point < content.header.plan.points) else {
            torn = Some(number);
            continue;
        };
        if content.rows.insert(point, row.clone()).is_some_and(|earlier| earlier != row) {
            return Err(format!("line {number} has point {point} again, with other results"));
        }
        content.whole += line.len() as u64;
    }
    Ok(content)
}

/// A journal that is open for writing. Its file is locked as long as this is alive, and no longer than the process.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Begins a journal. An existing one is an error, because it may hold hours of work.
    pub(super) fn create(path: &Path, header: &Header) -> Result<Journal, Failure> {
        match Journal::begin(path, header)? {
            true => Journal::open(path),
            false => Err(Failure::failed(in_the_way(path, header))),
        }
    }

    /// Opens the journal of an interrupted sweep, or begins one if there is none. Returns it with the rows of
    /// finished points.
    pub(super) fn resume(path: &Path, header: &Header) -> Result<(Journal, BTreeMap<usize, Row>), Failure> {
        // If another process begins it at the same moment, one of both gets the lock.
        Journal::begin(path, header)?;
        // Read when it is locked: the process that had it before may have gone on, or removed it.
        let journal = Journal::open(path)?;
        let content = read(path)
            .map_err(|why| Failure::failed(format!("cannot go on with `{}`: {why}", path.display())))?;
        let differences = header.differences_of_parts(&content.header);
        if !differences.is_empty() {
            let differences = differences.join("; ");
            let message = format!("`{}` is the journal of another sweep: {differences}", path.display());
            return Err(Failure::failed(message));
        }
        journal.file.set_len(content.whole).map_err(|error| failed(path, &error))?;
        Ok((journal, content.rows))
    }

    /// Writes the header, whole or not at all, so that every journal has one. Returns whether there was none.
    fn begin(path: &Path, header: &Header) -> Result<bool, Failure> {
        let line = serde_json::to_string(header).expect("strings, lists and numbers") + "\n";
        write_new(path, line.as_bytes())
    }

    /// Opens the file, unless another process has it open.
    fn open(path: &Path) -> Result<Journal, Failure> {
        let file = File::options().append(true).open(path).map_err(|error| failed(path, &error))?;
        match FileExt::try_lock(&file) {
            Err(TryLockError::WouldBlock) => {
                let process = holder(&file).map_or(String::new(), |process| format!(", process {process}"));
                Err(Failure::failed(format!(
                    "`{}` belongs to a sweep that is running{process}: wait for its end, or stop it",
                    path.display()
                )))
            }
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Journal { file, path: path.to_owned() }),
        }
    }

    /// Appends a point. It is on the disk when this returns.
    pub(super) fn append(&mut self, point: usize, row: &Row) -> Result<(), Failure> {
        let text = signed(&Line { point, row: row.clone() });
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| failed(&self.path, &error))
    }

    /// Removes the journal: the sweep is complete and its output written.
    pub(super) fn remove(self) -> Result<(), Failure> {
        fs::remove_file(&self.path).map_err(|error| failed(&self.path, &error))
    }
}

/// What is there where a journal should begin, and what to do about it.
fn in_the_way(path: &Path, header: &Header) -> String {
    let shown = path.display();
    let content = match read(path) {
        Ok(content) => content,
        Err(why) => return format!("`{shown}` is in the way: {why}; name another --out, or remove the file"),
    };
    let differences = header.differences_of_parts(&content.header);
    if differences.is_empty() {
        let (done, all) = (content.rows.len(), header.points());
        return format!(
            "`{shown}` has {done} of {all} points of this very sweep: --resume goes on with it; to begin again, \
             remove the file"
        );
    }
    let differences = differences.join("; ");
    format!("`{shown}` is left from another sweep: {differences}; name another --out, or remove the file")
}

fn failed(path: &Path, why: &io::Error) -> Failure {
    Failure::failed(format!("cannot write `{}`: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn header(seed: u64) -> Header {
        let plan = Plan {
            version: "0".into(),
            title: "t".into(),
            sha256: "s".into(),
            files: BTreeMap::new(),
            set: vec![("a.b".into(), "1".into())],
            vary: vec![("c.d".into(), vec!["1".into(), "2".into()])],
            seed: Some(seed),
            trials: None,
            points: 2,
            columns: Columns::default(),
        };
        Header::new(plan, "x.toml".into(), None)
    }

    fn row(value: f64) -> Row {
        Row::from_iter([("x".to_owned(), json!(value)), ("y".to_owned(), Value::Null)])
    }

    /// Creates a journal with one point. Returns the content of its file.
    fn one_point(path: &Path) -> Vec<u8> {
        Journal::create(path, &header(1)).unwrap().append(1, &row(0.1)).unwrap();
        fs::read(path).unwrap()
    }

    #[test]
    fn wherever_it_is_torn_whole_lines_count_and_it_comes_to_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let rows = [row(0.1), row(0.2)];
        let mut journal = Journal::create(&path, &header(1)).unwrap();
        let head = fs::metadata(&path).unwrap().len() as usize;
        rows.iter().enumerate().for_each(|(point, row)| journal.append(point, row).unwrap());
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        let lines = |end: usize| bytes[..end].iter().filter(|byte| **byte == b'\n').count();
        for end in head..=bytes.len() {
            fs::write(&path, &bytes[..end]).unwrap();
            let (mut journal, known) = Journal::resume(&path, &header(1)).unwrap();
            assert_eq!(known.len(), lines(end) - 1, "{end}");
            for (point, row) in rows.iter().enumerate().skip(known.len()) {
                journal.append(point, row).unwrap();
            }
            assert!(fs::read(&path).unwrap() == bytes, "{end}");
        }
    }

    #[test]
    fn two_sweeps_do_not_write_one_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let mut first = Journal::create(&path, &header(1)).unwrap();
        let said = Journal::resume(&path, &header(1)).unwrap_err().text;
        assert!(said.contains("belongs to a sweep that is running"), "{said}");
        first.append(1, &row(0.1)).unwrap();
        drop(first);
        let (journal, rows) = Journal::resume(&path, &header(1)).unwrap();
        assert_eq!(rows.len(), 1);
        journal.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_journal_of_another_sweep_is_told_by_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        one_point(&path);
        let said = Journal::resume(&path, &header(2)).unwrap_err().text;
        assert!(said.contains("another sweep: seed is 1 there and 2 here"), "{said}");
        let shard = Header { shard: Some("1/2".parse().unwrap()), ..header(1) };
        let said = Journal::resume(&path, &shard).unwrap_err().text;
        assert!(said.contains("it has all points there and shard 1/2 here"), "{said}");
        let in_the_way = |header| Journal::create(&path, &header).unwrap_err().text;
        assert!(in_the_way(header(1)).contains("1 of 2 points of this very sweep: --resume"));
        assert!(in_the_way(header(2)).contains("left from another sweep: seed is 1 there and 2 here"));
        assert!(in_the_way(shard).contains("all points there and shard 1/2 here"));
        fs::write(&path, "notes").unwrap();
        assert!(in_the_way(header(1)).contains("in the way: it is not a journal"));
    }

    #[test]
    fn what_is_damaged_or_something_else_is_no_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let text = String::from_utf8(one_point(&path)).unwrap();
        let line = text.lines().last().unwrap();
        for (bad, why) in [
            (String::new(), "not a journal"),
            ("a,b\n1,2\n".into(), "not a journal"),
            (text.replace("\"seed\":1", "\"seed\":2"), "first line"),
            (format!("{text}{{\n{line}\n"), "line 3 is damaged"),
            (format!("{text}{}", signed(&Line { point: 1, row: row(0.2) })), "line 3 has point 1 again"),
            (format!("{}{line}\n", text.replace("0.1", "0.2")), "line 2 is damaged"),
        ] {
            fs::write(&path, &bad).unwrap();
            let found = read(&path).unwrap_err();
            assert!(found.contains(why), "{bad}: {found}");
        }
        assert!(read(folder.path()).unwrap_err().contains("not a file"));
    }

    proptest! {
        #[test]
        fn numbers_come_back_to_the_bit(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let text = serde_json::to_string(&Line { point: 0, row: row(number) }).unwrap();
            let line: Line = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(line.row["x"].as_f64().unwrap().to_bits(), bits);
        }
    }
}
