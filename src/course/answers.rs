//! `answers.toml`: what a student said and measured, in order. Each entry has the hash of the one before, so that none can be changed,
//! moved or taken out of the middle without a trace. It does not prove who wrote it, nor that nobody looked first.

use serde::{Deserialize, Serialize};

use crate::scenario::sha256;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.answers/1";

/// Largest size of a file, in bytes.
pub const BYTES_MAX: usize = 256 << 10;

/// Largest number of entries.
pub const ENTRIES_MAX: usize = 1000;

/// Longest number of a student, in bytes.
pub const STUDENT_BYTES_MAX: usize = 64;

/// The hash before the first entry.
const NOTHING: &str = "0000000000000000";

/// The answers of a student.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// [`SCHEMA`].
    pub schema: String,
    /// Number or name of the student.
    pub student: String,
    /// The course, with the hash of its files.
    pub course: String,
    /// Version of the program.
    pub version: String,
    /// What was said and done.
    #[serde(default, rename = "entry")]
    pub entries: Vec<Entry>,
}

/// What a student did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Said what will come out.
    Predict,
    /// Ran it.
    Run,
    /// Said why.
    Why,
    /// Read the hint.
    Hint,
    /// Began again.
    Reset,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The exercise.
    pub id: String,
    /// What was done.
    pub what: What,
    /// The answers as they were typed, or the measured values as they were shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The fingerprint of the runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// Hash of the entry before.
    pub before: String,
    /// Hash of this entry, with that of the one before and the head of the file.
    pub hash: String,
}

impl Answers {
    /// An empty file.
    #[must_use]
    pub fn new(student: &str, course: &str) -> Answers {
        Answers {
            schema: SCHEMA.into(),
            student: student.into(),
            course: course.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            entries: Vec::new(),
        }
    }

    /// Reads a file and checks the chain.
    ///
    /// # Errors
    /// What is wrong: a clause without a full stop.
    pub fn read(text: &str) -> Result<Answers, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("it has more than {} KiB", BYTES_MAX >> 10));
        }
        let answers: Answers = toml::from_str(text).map_err(|error| {
            let at =
                error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            format!("it cannot be read: line {at}: {}", error.message())
        })?;
        if answers.schema != SCHEMA {
            return Err(format!("its schema is `{}`, and this program reads `{SCHEMA}`", answers.schema));
        }
        if !is_student(&answers.student) {
            return Err("its `student` is no number or name".into());
        }
        if answers.entries.len() > ENTRIES_MAX {
            return Err(format!("it has more than {ENTRIES_MAX} entries"));
        }
        let mut before = NOTHING;
        for (at, entry) in answers.entries.iter().enumerate() {
            let number = at + 1;
            if entry.before != before {
                return Err(format!(
                    "entry {number} does not follow the one before it: one was moved or taken out"
                ));
            }
            if entry.hash != answers.hash(entry) {
                return Err(format!(
                    "entry {number} is not as the program wrote it, or the head of the file is not"
                ));
            }
            before = &entry.hash;
        }
        Ok(answers)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// If the file is full.
    pub fn add(
        &mut self,
        id: &str,
        what: What,
        values: Vec<String>,
        fingerprint: &str,
    ) -> Result<(), String> {
        if self.entries.len() == ENTRIES_MAX {
            return Err(format!("the file of answers is full: it has {ENTRIES_MAX} entries"));
        }
        let before = self.entries.last().map_or(NOTHING, |entry| &entry.hash).to_owned();
        let (id, fingerprint) = (id.to_owned(), fingerprint.to_owned());
        let mut entry = Entry { id, what, values, fingerprint, before, hash: String::new() };
        entry.hash = self.hash(&entry);
        self.entries.push(entry);
        Ok(())
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        toml::to_string(self).expect("strings and lists of strings")
    }

    /// The entries of an exercise since it was begun anew for the last time.
    pub fn of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Entry> {
        let own = |entry: &Entry| entry.id == id && entry.what == What::Reset;
        let from = self.entries.iter().rposition(own).map_or(0, |at| at + 1);
        self.entries[from..].iter().filter(move |entry| entry.id == id)
    }

    /// The hash of an entry: of everything that it says and of everything that it follows. Each part has its length before it, so
    /// that no two different entries have the same text.
    fn hash(&self, entry: &Entry) -> String {
        let what = format!("{:?}", entry.what);
        let head =
            [&self.student, &self.course, &self.version, &entry.before, &entry.id, &what, &entry.fingerprint];
        let parts = head.into_iter().chain(&entry.values);
        let text: String = parts.map(|part| format!("{}:{part}\n", part.len())).collect();
        sha256(&text)[..16].to_owned()
    }
}

/// Whether a text can be the number or name of a student: no blanks around it, nothing that a table would misread.
#[must_use]
pub fn is_student(text: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    !text.is_empty() && text.len() <= STUDENT_BYTES_MAX && text.trim() == text && text.chars().all(fine)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled() -> Answers {
        let mut answers = Answers::new("20231234", "chapter@3f9a01c2d4e5");
        let values = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        answers.add("nine-seconds", What::Predict, values(&["20s", "500"]), "").unwrap();
        answers.add("nine-seconds", What::Run, values(&["9.62 s", "12.2"]), "a60c65e06b8bd1f1").unwrap();
        answers.add("nine-seconds", What::Why, values(&["sent"]), "").unwrap();
        answers.add("one-box", What::Predict, values(&["50%"]), "").unwrap();
        answers
    }

    #[test]
    fn a_file_is_read_back_and_a_reset_hides_what_was_before() {
        let mut answers = filled();
        assert_eq!(Answers::read(&answers.text()), Ok(answers.clone()));
        assert_eq!(answers.of("nine-seconds").count(), 3);
        answers.add("nine-seconds", What::Reset, Vec::new(), "").unwrap();
        assert_eq!((answers.of("nine-seconds").count(), answers.of("one-box").count()), (0, 1));
        assert_eq!(answers.entries.len(), 5, "what was said stays");
    }

    #[test]
    fn an_entry_that_was_moved_or_taken_out_is_found() {
        let whole = filled();
        for (change, expected) in [
            ((|a: &mut Answers| drop(a.entries.remove(1))) as fn(&mut Answers), "entry 2 does not follow"),
            (|a| a.entries.swap(0, 3), "entry 1 does not follow"),
            (|a| a.entries[0].values[0] = "10s".into(), "entry 1 is not as"),
            (|a| a.student = "20231235".into(), "entry 1 is not as"),
            (|a| a.course = "chapter@000000000000".into(), "entry 1 is not as"),
            (|a| a.entries[1].fingerprint = "b".into(), "entry 2 is not as"),
        ] {
            let mut answers = whole.clone();
            change(&mut answers);
            let found = Answers::read(&answers.text()).unwrap_err();
            assert!(found.contains(expected), "{found}");
        }
        assert!(Answers::read(&"x".repeat(BYTES_MAX + 1)).unwrap_err().contains("more than 256 KiB"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn a_changed_byte_is_found_or_changes_nothing(at in 0_usize..2000, byte in 32_u8..127) {
            let whole = filled();
            let mut bytes = whole.text().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let text = String::from_utf8(bytes).expect("ASCII");
            if let Ok(read) = Answers::read(&text) {
                prop_assert_eq!(read, whole);
            }
        }
    }
}
