//! The parts of a sweep: where they are, how they fit together, and what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::super::journal::{self, Content, Header};
use super::super::shard::Shard;
use super::command::command;
use crate::report::table::Row;
use crate::scenario::command::quoted;

/// Greatest number of points that a message names.
const NAMED_MAX: usize = 5;

/// Extension of journals.
const JOURNAL: &str = "journal";

/// The parts of one sweep.
pub(super) struct Parts {
    /// The part that was read first decides which sweep this is.
    pub(super) header: Header,
    /// The results of all parts together, by point.
    pub(super) rows: BTreeMap<usize, Row>,
    /// The journals, with their shards and numbers of points.
    read: Vec<(PathBuf, Header, usize)>,
    /// The folder that was searched, if one was.
    folder: Option<PathBuf>,
}

impl Parts {
    /// Reads all parts. Returns them with what is wrong with those that do not fit, in words.
    ///
    /// # Errors
    /// In words, when there is no part that can be read.
    pub(super) fn read(paths: &[PathBuf]) -> Result<(Parts, Vec<String>), String> {
        let (mut wrong, mut parts): (Vec<String>, Option<Parts>) = (Vec::new(), None);
        let folder = paths.iter().find(|path| path.is_dir()).cloned();
        for path in journals(paths)? {
            let content = match journal::read(&path) {
                Ok(content) => content,
                Err(why) => {
                    wrong.push(format!(
                        "cannot read `{}`: {why}; a part is what sweep --shard has written, with its journal beside it",
                        path.display()
                    ));
                    continue;
                }
            };
            let parts = parts.get_or_insert_with(|| Parts {
                header: content.header.clone(),
                rows: BTreeMap::new(),
                read: Vec::new(),
                folder: folder.clone(),
            });
            wrong.extend(parts.add(path, content).err());
        }
        match parts {
            Some(parts) => Ok((parts, wrong)),
            None => Err(wrong.join("\n")),
        }
    }

    /// Adds a part, unless it is of another sweep or contradicts the others.
    fn add(&mut self, path: PathBuf, part: Content) -> Result<(), String> {
        let shown = path.display();
        if let Some((first, ..)) = self.read.first() {
            let differences = self.header.differences(&part.header);
            if !differences.is_empty() {
                let differences = differences.join("; ").replace(" there and ", " in the second, ");
                let differences = differences.replace(" here", " in the first");
                let first = first.display();
                return Err(format!("`{first}` and `{shown}` are parts of different sweeps: {differences}"));
            }
        }
        let other =
            part.rows.iter().find(|(point, row)| self.rows.get(point).is_some_and(|known| known != *row));
        if let Some((point, _)) = other {
            return Err(format!("`{shown}` has point {point} again, with other results"));
        }
        let points = part.rows.len();
        self.rows.extend(part.rows);
        self.read.push((path, part.header, points));
        Ok(())
    }

    /// The points without a result.
    pub(super) fn missing(&self) -> Vec<usize> {
        (0..self.header.plan.points).filter(|point| !self.rows.contains_key(point)).collect()
    }

    /// How many points are missing, and for each part that lacks some, the command that runs them. At most `lines` of these.
    pub(super) fn said(&self, missing: &[usize], lines: usize) -> String {
        let mut text = format!(
            "{} of {} points are missing ({})",
            missing.len(),
            self.header.plan.points,
            named(missing)
        );
        let lacking = self.lacking(missing);
        for line in lacking.iter().take(lines) {
            text += &format!("\n{line}");
        }
        if lacking.len() > lines {
            text += &format!("\nand {} other parts", lacking.len() - lines);
        }
        text
    }

    /// A line for each part that lacks points: which, and the command that runs them.
    fn lacking(&self, missing: &[usize]) -> Vec<String> {
        let missing: BTreeSet<usize> = missing.iter().copied().collect();
        let of = self.read.iter().filter_map(|(_, header, _)| header.shard).map(Shard::of).max();
        let Some(of) = of else { return self.whole() };
        let one = |shard: Shard| {
            let points = shard.points(self.header.plan.points);
            let lacks: Vec<usize> = points.iter().copied().filter(|point| missing.contains(point)).collect();
            if lacks.is_empty() {
                return None;
            }
            let there = self.read.iter().find(|(_, header, _)| header.shard == Some(shard));
            let out = match (there, &self.folder) {
                (Some((path, ..)), _) => path.with_extension(""),
                (None, Some(folder)) => folder.join(shard.file()),
                (None, None) => PathBuf::from(shard.file()),
            };
            let state = if there.is_some() { "lacks" } else { "has no part, and lacks" };
            let command =
                format!("{} --shard {shard} --out {} --resume", command(&self.header), path_word(&out));
            let (count, all) = (lacks.len(), points.len());
            Some(format!("shard {shard} {state} {count} of {all} points ({}): {command}", named(&lacks)))
        };
        Shard::all(of).filter_map(one).collect()
    }

    /// The same for sweeps in one piece.
    fn whole(&self) -> Vec<String> {
        let one = |(path, header, points): &(PathBuf, Header, usize)| {
            let out = path.with_extension("");
            format!(
                "`{}` is a sweep in one piece and has {points} of {} points: {} --out {} --resume",
                path.display(),
                header.plan.points,
                command(header),
                path_word(&out)
            )
        };
        self.read.iter().map(one).collect()
    }
}

/// A path as a word of a shell.
fn path_word(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// The first of some points.
fn named(points: &[usize]) -> String {
    let named: Vec<String> = points.iter().take(NAMED_MAX).map(usize::to_string).collect();
    let more = if points.len() > NAMED_MAX { ", .." } else { "" };
    named.join(", ") + more
}

/// The journals of these parts: of a folder all that stand below it, of a file the one beside it, or else itself. Each
/// once, in the order of their names within a folder.
fn journals(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut all: Vec<PathBuf> = Vec::new();
    for path in paths {
        let beside = journal::beside(path);
        let found = if path.is_dir() {
            let found = below(path)?;
            if found.is_empty() {
                return Err(format!("`{}` has no parts: no file there ends with .{JOURNAL}", path.display()));
            }
            found
        } else {
            vec![if beside.is_file() { beside } else { path.clone() }]
        };
        for path in found {
            if !all.contains(&path) {
                all.push(path);
            }
        }
    }
    Ok(all)
}

fn below(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("cannot read `{}`: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        if kind.is_dir() {
            found.extend(below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == JOURNAL) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
