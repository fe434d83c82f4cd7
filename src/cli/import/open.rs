//! Files to import: compressed or not, in UTF-8 or UTF-16, with their hash and the progress of reading them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use crate::cli::interrupt;
use crate::cli::output;
use crate::cli::status::Failure;

/// Bytes from which a format is told.
const SAMPLE_BYTES: u64 = 256 << 10;

/// Longest line.
const LINE_BYTES_MAX: usize = 4 << 20;

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

/// What a reader of raw bytes notes on its way.
#[derive(Debug, Default)]
struct Noted {
    hash: Sha256,
}

/// Raw bytes, hashed and counted as they pass.
struct Raw {
    from: Box<dyn Read>,
    noted: Arc<Mutex<Noted>>,
    bar: ProgressBar,
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if interrupt::interrupted() {
            return Err(io::Error::other(INTERRUPTED));
        }
        let count = self.from.read(into)?;
        self.noted.lock().expect("nothing fails while the lock is held").hash.update(&into[..count]);
        self.bar.inc(count as u64);
        Ok(count)
    }
}

/// The message of an interrupt while reading.
pub(super) const INTERRUPTED: &str = "interrupted";

/// A file that is being read, line by line.
pub(super) struct Input {
    /// Its name as the user gave it.
    pub(super) origin: String,
    text: Box<dyn BufRead>,
    noted: Arc<Mutex<Noted>>,
    /// The beginning of its text.
    pub(super) sample: String,
    /// Whether the sample is all of it.
    pub(super) whole: bool,
    /// Whether a compressed file ended before its end.
    pub(super) cut: bool,
    /// Lines so far.
    pub(super) lines: u64,
    /// The line that was read last, without its end.
    line: Vec<u8>,
    /// Whether that line had an end.
    pub(super) ended: bool,
}

impl Input {
    /// Opens a file, or stdin for `-`.
    pub(super) fn open(argument: &str, bar: &ProgressBar) -> Result<Input, Failure> {
        let fail = |error: &io::Error| Failure::failed(format!("cannot read `{argument}`: {error}"));
        let from: Box<dyn Read> = if argument == "-" {
            Box::new(io::stdin())
        } else {
            let path = Path::new(argument);
            if path.is_dir() {
                return Err(Failure::failed(format!("cannot read `{argument}`: it is a folder")));
            }
            output::claim_input(path)
                .map_err(|why| Failure::failed(format!("cannot read `{argument}`: {why}")))?;
            Box::new(File::open(path).map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    Failure::failed(format!("cannot read `{argument}`: there is no such file"))
                }
                _ => fail(&error),
            })?)
        };
        let noted = Arc::new(Mutex::new(Noted::default()));
        let raw = Raw { from, noted: Arc::clone(&noted), bar: bar.clone() };
        let mut raw = BufReader::with_capacity(BUFFER, raw);
        let is_gz = raw.fill_buf().map_err(|error| fail(&error))?.starts_with(&[0x1f, 0x8b]);
        let mut bytes: Box<dyn BufRead> = if is_gz {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(raw)))
        } else {
            Box::new(raw)
        };
        let mut cut = false;
        let mut start = Vec::new();
        read_some(&mut bytes, 3, &mut start, &mut cut).map_err(|error| fail(&error))?;
        let mut text: Box<dyn BufRead> = match start[..] {
            [0xff, 0xfe, ..] => Box::new(BufReader::new(Utf16::new(start[2..].to_vec(), bytes, false))),
            [0xfe, 0xff, ..] => Box::new(BufReader::new(Utf16::new(start[2..].to_vec(), bytes, true))),
            [0xef, 0xbb, 0xbf] => bytes,
            _ => Box::new(Cursor::new(start).chain(bytes)),
        };
        let mut sample = Vec::new();
        read_some(&mut text, SAMPLE_BYTES, &mut sample, &mut cut).map_err(|error| fail(&error))?;
        let whole = (sample.len() as u64) < SAMPLE_BYTES;
        let shown = String::from_utf8_lossy(&sample).into_owned();
        let text = Box::new(Cursor::new(sample).chain(text));
        let origin = if argument == "-" { "<stdin>".to_owned() } else { argument.to_owned() };
        Ok(Input { origin, text, noted, sample: shown, whole, cut, lines: 0, line: Vec::new(), ended: true })
    }

    /// Reads the next line; false at the end. A compressed file that is cut ends at the cut.
    pub(super) fn next(&mut self) -> Result<bool, Failure> {
        self.line.clear();
        self.ended = false;
        loop {
            let buffer = match self.text.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    self.cut = true;
                    &[]
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(&error)),
            };
            if buffer.is_empty() {
                break;
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.line.extend_from_slice(&buffer[..end.unwrap_or(used)]);
            self.text.consume(used);
            if end.is_some() {
                self.ended = true;
                break;
            }
            if self.line.len() > LINE_BYTES_MAX {
                let message = format!(
                    "`{}`: line {} has more than {} MiB: it is no text of lines",
                    self.origin,
                    self.lines + 1,
                    LINE_BYTES_MAX >> 20
                );
                return Err(Failure::failed(message));
            }
        }
        if self.line.is_empty() && !self.ended {
            return Ok(false);
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        self.lines += 1;
        Ok(true)
    }

    /// The bytes of the line that was read last.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// SHA-256 of all bytes so far, in hexadecimal digits. Reads to the end first.
    pub(super) fn sha256(&mut self) -> Result<String, Failure> {
        while self.next()? {}
        let hash = self.noted.lock().expect("nothing fails while the lock is held").hash.clone();
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn failed(&self, error: &io::Error) -> Failure {
        let why = error.to_string();
        if why == INTERRUPTED {
            return Failure::new(crate::cli::status::Status::Interrupted, INTERRUPTED);
        }
        Failure::failed(format!("cannot read `{}` behind line {}: {why}", self.origin, self.lines))
    }
}

/// Reads at most `most` bytes more; notes a compressed stream that ends too early.
fn read_some(from: &mut impl Read, most: u64, into: &mut Vec<u8>, cut: &mut bool) -> io::Result<()> {
    match from.take(most).read_to_end(into) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => *cut = true,
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    Ok(())
}

/// UTF-16 as UTF-8: what PowerShell writes.
struct Utf16<R> {
    /// Bytes that were read and are not decoded.
    pending: Vec<u8>,
    from: R,
    big_endian: bool,
    /// The decoded text, and how much of it was handed on.
    ready: Vec<u8>,
    used: usize,
    /// The first half of a pair.
    half: Option<u16>,
}

impl<R: Read> Utf16<R> {
    fn new(pending: Vec<u8>, from: R, big_endian: bool) -> Utf16<R> {
        Utf16 { pending, from, big_endian, ready: Vec::new(), used: 0, half: None }
    }

    fn refill(&mut self) -> io::Result<()> {
        (self.used, self.ready) = (0, Vec::new());
        while self.ready.is_empty() {
            let mut buffer = [0; 8192];
            let count = self.from.read(&mut buffer)?;
            self.pending.extend_from_slice(&buffer[..count]);
            let units = self.half.take().into_iter().chain(self.pending.chunks_exact(2).map(|pair| {
                let pair = [pair[0], pair[1]];
                if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
            }));
            let mut units: Vec<u16> = units.collect();
            self.pending.drain(..self.pending.len() / 2 * 2);
            if count > 0 && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
                self.half = units.pop();
            }
            let text: String =
                char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            self.ready = text.into_bytes();
            if count == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.used == self.ready.len() {
            self.refill()?;
        }
        let count = into.len().min(self.ready.len() - self.used);
        into[..count].copy_from_slice(&self.ready[self.used..self.used + count]);
        self.used += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_becomes_utf_8_wherever_it_is_cut() {
        let text = "time,n\r\n0,5 \u{1f600}\u{e9}\n".repeat(900);
        for big_endian in [false, true] {
            let units = text.encode_utf16();
            let bytes: Vec<u8> = units
                .flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect();
            let mut decoded = String::new();
            Utf16::new(bytes[..1].to_vec(), &bytes[1..], big_endian).read_to_string(&mut decoded).unwrap();
            assert_eq!(decoded, text);
        }
    }
}
