//! Logs in the extended format of the W3C, whose `#Fields:` line names their columns: CloudFront and IIS.

use crate::import::clock::Clock;
use crate::import::flaw::Flaw;
use crate::import::hit::{Hit, Line, Reader, is_method};

use super::duration_ns;

/// The columns that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Date,
    Time,
    Method,
    Target,
    Status,
    Bytes,
    Duration,
    Other,
}

/// Names of columns; those of CloudFront and of IIS.
const NAMES: [(&str, Column); 7] = [
    ("date", Column::Date),
    ("time", Column::Time),
    ("cs-method", Column::Method),
    ("cs-uri-stem", Column::Target),
    ("sc-status", Column::Status),
    ("sc-bytes", Column::Bytes),
    ("time-taken", Column::Duration),
];

/// Reads such a log. Its times are those of the ends of requests, in UTC.
#[derive(Debug)]
pub(in crate::import) struct W3c {
    clock: Clock,
    columns: Vec<Column>,
    /// CloudFront writes tabs and seconds, IIS blanks and milliseconds.
    is_cloudfront: bool,
}

impl W3c {
    /// The reader of a log whose first lines these are, and its name.
    pub(in crate::import) fn detect(lines: &[&str], clock: &Clock) -> Option<(&'static str, W3c)> {
        let fields = lines.iter().take(10).find_map(|line| line.strip_prefix("#Fields:"))?;
        let mut reader =
            W3c { clock: clock.clone(), columns: Vec::new(), is_cloudfront: fields.contains(" x-edge-") };
        reader.named(fields);
        let has = |column: Column| reader.columns.contains(&column);
        if !(has(Column::Time) && has(Column::Target)) {
            return None;
        }
        Some((if reader.is_cloudfront { "CloudFront" } else { "W3C extended, as IIS writes it" }, reader))
    }

    fn named(&mut self, fields: &str) {
        let column =
            |name: &str| NAMES.iter().find(|(known, _)| *known == name).map_or(Column::Other, |(_, it)| *it);
        self.columns = fields.split_whitespace().map(column).collect();
    }
}

impl Reader for W3c {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        if let Some(comment) = line.strip_prefix('#') {
            // IIS names its columns anew whenever it starts.
            if let Some(fields) = comment.strip_prefix("Fields:") {
                self.named(fields);
            }
            take(Line::Nothing);
            return Ok(());
        }
        let separator = if self.is_cloudfront { '\t' } else { ' ' };
        let fields: Vec<&str> = line.split(separator).collect();
        if fields.len() != self.columns.len() {
            let message = format!("{} fields where #Fields names {}", fields.len(), self.columns.len());
            return Err(Flaw::whole(number, line, message));
        }
        let field = |wanted: Column| {
            let found = self.columns.iter().zip(&fields).find(|(column, _)| **column == wanted);
            found.map(|(_, field)| *field).filter(|field| *field != "-")
        };
        let (date, time) = (field(Column::Date).unwrap_or_default(), field(Column::Time).unwrap_or_default());
        let unit = if self.is_cloudfront { 1_000_000_000 } else { 1_000_000 };
        let wrong = |text: &str, what: &str| {
            Flaw::field(number, line, text, format!("expected {what}, found `{text}`"))
        };
        let duration_ns = field(Column::Duration)
            .map(|text| duration_ns(text, unit).ok_or_else(|| wrong(text, "a duration")))
            .transpose()?;
        let bytes = field(Column::Bytes)
            .map(|text| text.parse().map_err(|_| wrong(text, "a number of bytes")))
            .transpose()?;
        let status = field(Column::Status).and_then(|text| text.parse().ok()).unwrap_or(0);
        let (method, target) = (field(Column::Method).unwrap_or("GET"), field(Column::Target).unwrap_or("/"));
        let at = self
            .clock
            .iso(&format!("{date}T{time}Z"))
            .ok_or_else(|| wrong(if time.is_empty() { line } else { time }, "a time"))?;
        if !is_method(method) {
            take(Line::NoRequest);
            return Ok(());
        }
        take(Line::Hit(
            Hit { at, duration_ns, moved: false, method, target, status, bytes }.moved_to_start(),
        ));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_with_the_fields_says_where_they_are() {
        let iis = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port sc-status time-taken\n\
                   2026-11-23 10:00:01 10.0.0.1 GET /a q=1 443 200 250\n2026-11-23 10:00:02 10.0.0.1 GET /a - 443 2x0 x\n";
        let lines: Vec<&str> = iis.lines().collect();
        let (name, mut reader) = W3c::detect(&lines, &Clock::new(None).unwrap()).unwrap();
        assert!(name.contains("IIS"));
        let mut seen = Vec::new();
        for (number, line) in (1..).zip(&lines[..3]) {
            reader
                .line(number, line, &mut |line| {
                    if let Line::Hit(hit) = line {
                        seen.push((hit.at.ns / 1_000_000, hit.target.to_owned(), hit.status));
                    }
                })
                .unwrap();
        }
        assert_eq!(seen, [(1_795_428_000_750, "/a".to_owned(), 200)]);
        let flaw = reader.line(4, lines[3], &mut |_| {}).unwrap_err();
        assert_eq!(&lines[3][flaw.span], "x");
        assert!(W3c::detect(&["# a comment", "0,5"], &Clock::new(None).unwrap()).is_none());
    }
}
