//! `Hit`: one request as a log or a load test recorded it, and what reads them from lines.

use super::clock::Moment;
use super::flaw::Flaw;

/// One recorded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit<'l> {
    /// When it came.
    pub at: Moment,
    /// From its first byte to the last one of its answer, in ns: with all waiting.
    pub duration_ns: Option<u64>,
    /// Whether `at` is the end of the request less its duration.
    pub moved: bool,
    /// `GET`.
    pub method: &'l str,
    /// Path, perhaps with host and query.
    pub target: &'l str,
    /// Status of the answer; 0 when there was none.
    pub status: u16,
    /// Bytes of the answer's body.
    pub bytes: Option<u64>,
}

impl Hit<'_> {
    /// A request that was recorded at its end, by its duration.
    pub(super) fn moved_to_start(mut self) -> Self {
        if let Some(duration) = self.duration_ns {
            self.moved = true;
            self.at.ns -= i64::try_from(duration).unwrap_or(i64::MAX).min(self.at.ns);
        }
        self
    }
}

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'l> {
    /// A request.
    Hit(Hit<'l>),
    /// A connection that asked for nothing: a port scan, or encryption spoken to a plain port.
    NoRequest,
    /// A part of the file that is not about a request: a header, or another metric.
    Nothing,
}

/// Reads requests from the lines of a file. `number` counts lines from 1.
pub trait Reader {
    /// What this line is; `take` gets it, since it may borrow from what was parsed.
    ///
    /// # Errors
    /// A line that is not of the format.
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw>;

    /// Seconds by which the zone of its last time is ahead of UTC.
    fn ahead_s(&self) -> i64 {
        0
    }

    /// Whether a time had no zone.
    fn zone_was_missing(&self) -> bool {
        false
    }
}

/// Methods of HTTP, WebDAV and gRPC-web. Anything else in the place of a method is no request.
const METHODS: [&str; 17] = [
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
];

/// Method and target of a request line such as `GET /posts HTTP/1.1`; none when it is no request line.
pub(super) fn request_line(text: &str) -> Option<(&str, &str)> {
    let (method, rest) = text.split_once(' ')?;
    let target = rest.rsplit_once(" HTTP/").map_or(rest, |(target, _)| target).trim_end_matches([' ', '-']);
    (METHODS.contains(&method) && !target.is_empty()).then_some((method, target))
}

/// Whether a word is a method.
pub(super) fn is_method(word: &str) -> bool {
    METHODS.contains(&word)
}

/// A line in words, for tests.
#[cfg(test)]
pub(super) fn said(line: Line<'_>) -> String {
    match line {
        Line::Hit(Hit { at, duration_ns, method, target, status, bytes, .. }) => {
            let ms = at.ns / 1_000_000;
            format!("{ms} {duration_ns:?} {method} {target} {status} {bytes:?}")
        }
        other => format!("{other:?}"),
    }
}
