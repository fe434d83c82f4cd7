//! Sorting of more requests than fit into memory: runs in temporary files.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::rc::Rc;

use crate::cli::status::Failure;
use crate::import::sort::{Merged, Record};

/// Requests that are kept in memory: 48 MB of them.
const RECORDS_MAX: usize = 1_500_000;

/// Takes requests in any order, and gives them back by arrival.
pub(super) struct Sorter {
    records: Vec<Record>,
    runs: Vec<File>,
    most: usize,
}

impl Sorter {
    pub(super) fn new() -> Sorter {
        Sorter { records: Vec::new(), runs: Vec::new(), most: RECORDS_MAX }
    }

    pub(super) fn add(&mut self, record: Record) -> Result<(), Failure> {
        if self.records.len() == self.most {
            self.spill().map_err(|error| failed(&error))?;
        }
        self.records.push(record);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.records.sort_unstable();
        let mut file = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
        for record in &self.records {
            file.write_all(&record.to_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        self.records.clear();
        Ok(())
    }

    /// All requests by arrival, and the place where a run notes why it could not be read to its end.
    pub(super) fn merged(mut self) -> (Merged<Run>, Broken) {
        let broken = Broken::default();
        self.records.sort_unstable();
        let run = |file| Run::File(BufReader::with_capacity(1 << 18, file), Rc::clone(&broken));
        let mut runs: Vec<Run> = self.runs.into_iter().map(run).collect();
        runs.push(Run::Memory(self.records.into_iter()));
        (Merged::new(runs), broken)
    }
}

pub(super) fn failed(error: &io::Error) -> Failure {
    Failure::failed(format!("cannot sort in the folder of temporary files: {error}"))
}

/// Why a run could not be read to its end.
pub(super) type Broken = Rc<RefCell<Option<io::Error>>>;

/// A sorted run.
pub(super) enum Run {
    File(BufReader<File>, Broken),
    Memory(std::vec::IntoIter<Record>),
}

impl Iterator for Run {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        match self {
            Run::Memory(records) => records.next(),
            Run::File(file, broken) => {
                let mut bytes = [0; Record::BYTES];
                match file.read_exact(&mut bytes) {
                    Ok(()) => Some(Record::from_bytes(&bytes)),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
                    Err(error) => {
                        *broken.borrow_mut() = Some(error);
                        None
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_fit_into_memory_come_back_in_order() {
        let mut sorter = Sorter { most: 10, ..Sorter::new() };
        for n in 0..105_u64 {
            let at_ms = (n * 37 % 105) as i64;
            let record = Record { at_ms, hash: n, file: 0, status: 0, route: 0, duration_us: 0, bytes: 0 };
            sorter.add(record).unwrap();
        }
        let times: Vec<i64> = sorter.merged().0.map(|record| record.at_ms).collect();
        assert_eq!(times, (0..105).collect::<Vec<i64>>());
    }
}
