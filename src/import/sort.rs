//! Requests in the order of their arrivals, from more of them than fit into memory: sorted runs and their merge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One request, as it is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its arrival, ms.
    pub at_ms: i64,
    /// A hash of its line, by which the same line in two files is known.
    pub hash: u64,
    /// The file that it was in.
    pub file: u16,
    /// Status of the answer.
    pub status: u16,
    /// The id of its pattern.
    pub route: u32,
    /// Duration in microseconds; [`Record::UNKNOWN`] for none.
    pub duration_us: u32,
    /// Bytes of the answer; [`Record::UNKNOWN`] for none, at most one less.
    pub bytes: u32,
}

impl Record {
    /// In the place of a figure that a line does not have.
    pub const UNKNOWN: u32 = u32::MAX;

    /// Size of a record as bytes.
    pub const BYTES: usize = 32;

    /// The record as bytes, for a file.
    pub fn to_bytes(self) -> [u8; Record::BYTES] {
        let mut bytes = [0; Record::BYTES];
        bytes[..8].copy_from_slice(&self.at_ms.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.hash.to_le_bytes());
        bytes[16..18].copy_from_slice(&self.file.to_le_bytes());
        bytes[18..20].copy_from_slice(&self.status.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.route.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.duration_us.to_le_bytes());
        bytes[28..].copy_from_slice(&self.bytes.to_le_bytes());
        bytes
    }

    /// The record of such bytes.
    pub fn from_bytes(bytes: &[u8; Record::BYTES]) -> Record {
        let four = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        Record {
            at_ms: eight(0) as i64,
            hash: eight(8),
            file: four(16) as u16,
            status: (four(16) >> 16) as u16,
            route: four(20),
            duration_us: four(24),
            bytes: four(28),
        }
    }
}

/// Merges sorted runs into one order. Where two files have the same line at the same time, it counts as often as the file
/// that has it most often.
#[derive(Debug)]
pub struct Merged<R> {
    runs: Vec<R>,
    heads: BinaryHeap<Reverse<(Record, usize)>>,
    /// Requests of the same time and line that were let through, by file, and those of the file before.
    same: Same,
    /// Requests that were in several files.
    pub repeated: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Same {
    at_ms: i64,
    hash: u64,
    file: u16,
    /// Requests of this file so far.
    here: u64,
    /// Requests that were let through.
    passed: u64,
}

impl<R: Iterator<Item = Record>> Merged<R> {
    /// The merge of these runs.
    pub fn new(mut runs: Vec<R>) -> Merged<R> {
        let mut heads = BinaryHeap::new();
        for (index, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next().map(|record| Reverse((record, index))));
        }
        Merged { runs, heads, same: Same::default(), repeated: 0 }
    }

    fn pop(&mut self) -> Option<Record> {
        let Reverse((record, index)) = self.heads.pop()?;
        if let Some(next) = self.runs[index].next() {
            self.heads.push(Reverse((next, index)));
        }
        Some(record)
    }
}

impl<R: Iterator<Item = Record>> Iterator for Merged<R> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            let record = self.pop()?;
            let same = &mut self.same;
            if same.passed == 0 || (same.at_ms, same.hash) != (record.at_ms, record.hash) {
                *same =
                    Same { at_ms: record.at_ms, hash: record.hash, file: record.file, here: 1, passed: 1 };
                return Some(record);
            }
            if same.file != record.file {
                (same.file, same.here) = (record.file, 0);
            }
            same.here += 1;
            if same.here > same.passed {
                same.passed += 1;
                return Some(record);
            }
            self.repeated += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at_ms: i64, hash: u64, file: u16) -> Record {
        Record { at_ms, hash, file, status: 200, route: 7, duration_us: 3, bytes: Record::UNKNOWN }
    }

    #[test]
    fn runs_become_one_order_and_a_line_of_two_files_counts_once() {
        let first = vec![record(1, 5, 0), record(1, 5, 0), record(3, 6, 0)];
        let second = vec![record(1, 5, 1), record(2, 9, 1), record(3, 6, 1), record(3, 6, 1)];
        let mut merged = Merged::new(vec![first.into_iter(), second.into_iter()]);
        let times: Vec<i64> = merged.by_ref().map(|record| record.at_ms).collect();
        assert_eq!(times, [1, 1, 2, 3, 3]);
        assert_eq!(merged.repeated, 2);
    }

    #[test]
    fn a_record_comes_back_from_its_bytes() {
        let one = Record {
            at_ms: -5,
            hash: u64::MAX - 3,
            file: 65535,
            status: 404,
            route: 1 << 31,
            duration_us: 9,
            bytes: 8,
        };
        assert_eq!(Record::from_bytes(&one.to_bytes()), one);
    }
}
