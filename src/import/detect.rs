//! What a file is, told by its beginning, and the reading of files that are read as a whole.

use serde_json::Value;

use super::clock::Clock;
use super::counts::json as monitoring;
use super::counts::table::{self, Content, Layout, What};
use super::counts::{Counts, Meaning, Moments, azure};
use super::flaw::Flaw;
use super::hit::Reader;
use super::latency::{self, Latency};
use super::logs::json::{JsonLines, Names};
use super::logs::w3c::W3c;
use super::logs::{LogFormat, known};
use super::results;

/// Number of lines from which a format is told.
const LOOK_AT: usize = 100;

/// What a user says about the files.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The zone of times without one.
    pub zone: Option<String>,
    /// The server's own line of its log's format.
    pub log_format: Option<String>,
    /// Names of fields of JSON objects.
    pub names: Names,
    /// What the numbers of a table are, and where.
    pub layout: Layout,
}

/// What a file is.
pub enum Found {
    /// A request on each line: what it is called, and what reads it.
    Requests(String, Box<dyn Reader>),
    /// Something that is read as a whole.
    Whole(Whole),
    /// Nothing that is known.
    Unknown,
}

/// A file that is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Invocations of Azure Functions.
    Azure,
    /// A distribution by HdrHistogram.
    Hgrm,
    /// A JSON document: counts of monitoring, or a summary of a load test.
    Json,
    /// A table.
    Table,
}

/// What such a file has.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Counts or rates.
    Counts(Counts),
    /// Moments of requests.
    Moments(Moments),
    /// Only response times.
    Latency(Latency),
}

/// Why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An option is wrong.
    Option(String),
    /// A line is, or may be read in several ways.
    Flaw(Flaw),
    /// It is of no format that is known.
    Unknown,
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Refusal {
        Refusal::Flaw(flaw)
    }
}

/// What a file is whose text begins so. `whole` says that this is all of it; else its last line may be cut.
///
/// # Errors
/// When an option is wrong, or the text may be read in several ways.
pub fn detect(sample: &str, whole: bool, asked: &Asked) -> Result<Found, Refusal> {
    let clock = Clock::new(asked.zone.as_deref()).map_err(Refusal::Option)?;
    let mut lines: Vec<&str> = sample.lines().collect();
    if !whole && lines.len() > 1 {
        lines.pop();
    }
    let mut lines: Vec<&str> =
        lines.into_iter().filter(|line| !line.trim().is_empty()).take(LOOK_AT).collect();
    // The last line of a file may be cut too.
    if lines.len() > 2 && lines.len() < LOOK_AT {
        lines.pop();
    }
    if let Some(format) = &asked.log_format {
        let read =
            LogFormat::new(format, clock).map_err(|why| Refusal::Option(format!("--log-format: {why}")))?;
        return Ok(Found::Requests("the format of --log-format".to_owned(), Box::new(read)));
    }
    let Some(first) = lines.first() else { return Ok(Found::Unknown) };
    if let Some((name, reader)) = results::detect(&lines) {
        return Ok(Found::Requests(name.to_owned(), reader));
    }
    if is_json(first.trim()) {
        let reader = JsonLines::new(clock.clone(), asked.names.clone()).map_err(Refusal::Option)?;
        if lines.iter().filter(|line| reader.fits(line)).count() * 2 > lines.len() {
            return Ok(Found::Requests("JSON lines".to_owned(), Box::new(reader)));
        }
        return Ok(Found::Whole(Whole::Json));
    }
    if let Some((name, format)) = known::detect(&lines, &clock)? {
        return Ok(Found::Requests(name, Box::new(format)));
    }
    if let Some((name, reader)) = W3c::detect(&lines, &clock) {
        return Ok(Found::Requests(name.to_owned(), Box::new(reader)));
    }
    if azure::fits(first) {
        return Ok(Found::Whole(Whole::Azure));
    }
    if latency::is_hgrm(&lines) {
        return Ok(Found::Whole(Whole::Hgrm));
    }
    if table::fits(&lines, &clock) {
        return Ok(Found::Whole(Whole::Table));
    }
    Ok(Found::Unknown)
}

/// Whether a first line may begin a JSON document: an object, or a list of values. A table of a scenario is none.
fn is_json(line: &str) -> bool {
    let of_list = |rest: &str| {
        let rest = rest.trim_start();
        rest.is_empty() || rest.starts_with(['{', '[', '"'])
    };
    line.starts_with('{') || line.strip_prefix('[').is_some_and(of_list)
}

/// Reads a file as a whole. Returns its name with its content.
///
/// # Errors
/// When an option is wrong, a line is, or the text may be read in several ways.
pub fn read(whole: Whole, text: &str, asked: &Asked) -> Result<(String, Load), Refusal> {
    let clock = Clock::new(asked.zone.as_deref()).map_err(Refusal::Option)?;
    let load = match whole {
        Whole::Azure => ("Azure Functions 2019".to_owned(), Load::Counts(azure::read(text)?)),
        Whole::Hgrm => ("HdrHistogram".to_owned(), Load::Latency(latency::hgrm(text, asked.layout.per_s)?)),
        Whole::Table => match table::read(text, &asked.layout, clock)? {
            Content::Counts(counts) => (format!("a table of {}", noun(counts.meaning)), Load::Counts(counts)),
            Content::Moments(moments) => ("moments of requests".to_owned(), Load::Moments(moments)),
            Content::Durations(samples) => ("durations".to_owned(), Load::Latency(Latency::of(samples))),
        },
        Whole::Json => {
            let value: Value = serde_json::from_str(text).map_err(|error| broken_document(text, &error))?;
            let meaning = match asked.layout.what {
                Some(What::Values(meaning)) => Some(meaning),
                _ => None,
            };
            if let Some(name) = monitoring::fits(&value) {
                (name.to_owned(), Load::Counts(monitoring::read(&value, meaning, clock)?))
            } else if latency::is_oha(&value) {
                ("oha JSON".to_owned(), Load::Latency(latency::oha(&value)?))
            } else {
                return Err(Refusal::Unknown);
            }
        }
    };
    Ok(load)
}

fn noun(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Count => "counts",
        Meaning::Rate => "rates",
        Meaning::Counter => "a counter",
    }
}

/// The line of a document at which it stops to be JSON.
fn broken_document(text: &str, error: &serde_json::Error) -> Flaw {
    let number = error.line().max(1);
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let mut at = error.column().saturating_sub(1).min(line.len());
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    let end = line[at..].chars().next().map_or(at, |letter| at + letter.len_utf8());
    Flaw::new(number as u64, line, at..end, format!("this is no JSON: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a file of each format.
    const SEEDS: [&str; 17] = [
        "1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a?b=1 HTTP/1.1\" 200 23 \"-\" \"x \\\" y\" 0.123\n",
        "1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 23 \"-\" \"x\" 1234\n",
        "http 2018-07-02T22:23:00.186641Z app/l/5 1.1.1.1:2 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \"GET http://e:80/ HTTP/1.1\" \"c\" - - arn\n",
        "{\"level\":\"info\",\"ts\":1646861401.52,\"request\":{\"method\":\"GET\",\"uri\":\"/\"},\"duration\":0.001,\"size\":10,\"status\":200}\n",
        "metric_name,timestamp,metric_value,check,error,error_code,group,method,name,status\nhttp_req_duration,1595325560,221.8,,,,,GET,http://a/b,200\n",
        "{\"type\":\"Point\",\"metric\":\"http_req_duration\",\"data\":{\"time\":\"2017-05-09T14:34:45.23+02:00\",\"value\":459.8,\"tags\":{\"url\":\"http://a\"}}}\n",
        "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n0.02,0.1,0.0,0.1,0.4,0.1,200,1.5\n",
        "{\"attack\":\"\",\"seq\":0,\"code\":200,\"timestamp\":\"2019-03-01T12:00:00.1Z\",\"latency\":5,\"bytes_in\":5}\n",
        "1551441600000000001,200,5000000,0,512,\"\",,,0,GET,http://a/items/1,\n",
        "{\"Datapoints\":[{\"Timestamp\":\"2026-11-23T10:02:00Z\",\"Sum\":3.0},{\"Timestamp\":\"2026-11-23T10:03:00Z\",\"Sum\":4.0}]}\n",
        "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":\"x_total\"},\"values\":[[1,\"1\"],[16,\"2\"]]}]}}\n",
        "\"Time\",\"web\"\n2026-11-23 10:00:00,10.5 req/s\n2026-11-23 10:01:00,1.1 K req/s\n",
        "time;n\r\n0,5;600\r\n60,5;7\r\n120,5;8\r\n",
        "HashOwner,HashApp,HashFunction,Trigger,1,2,3\na,b,c,http,1,2,3\n",
        "  Value  Percentile TotalCount 1/(1-Percentile)\n\n 0.9 0.000000 1 1.00\n 4.0 1.000000 101 inf\n",
        "0.5\n1.25\n1.5e3\n",
        "#Fields: date time cs-method cs-uri-stem sc-status time-taken\n2026-11-23 10:00:01 GET /a 200 250\n",
    ];

    /// Goes the whole way of a text. Nothing is expected but an end.
    fn go(text: &str, asked: &Asked) -> bool {
        match detect(text, true, asked) {
            Ok(Found::Requests(_, mut reader)) => {
                let mut all = true;
                for (number, line) in (1..).zip(text.lines()) {
                    let flaw = reader.line(number, line, &mut |_| {}).err();
                    // A caret stands within its line, between characters.
                    let sound = flaw.as_ref().is_none_or(|flaw| flaw.text.get(flaw.span.clone()).is_some());
                    assert!(sound, "{flaw:?}");
                    all &= flaw.is_none();
                }
                all
            }
            Ok(Found::Whole(whole)) => match read(whole, text, asked) {
                Ok((_, Load::Counts(counts))) => counts.series(None, None).is_ok(),
                Ok(_) => true,
                Err(Refusal::Flaw(flaw)) => {
                    assert!(flaw.text.get(flaw.span.clone()).is_some(), "{flaw:?}");
                    false
                }
                Err(_) => false,
            },
            _ => false,
        }
    }

    #[test]
    fn whatever_a_file_holds_it_is_read_or_refused() {
        let mut state = 7_u64;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        let layout = |what| Layout { what, column: None, per_s: Some(1e3) };
        let asked = [
            Asked::default(),
            Asked { layout: layout(Some(What::Moments)), ..Asked::default() },
            Asked {
                layout: layout(Some(What::Values(Meaning::Counter))),
                zone: Some("Asia/Seoul".into()),
                ..Asked::default()
            },
            Asked { layout: layout(Some(What::Gaps)), ..Asked::default() },
        ];
        let odd = [
            "\"",
            ",",
            ";",
            "[",
            "]",
            "\\",
            "é",
            "\u{1f600}",
            "-",
            "0",
            "99999999999999999999",
            "\n",
            " ",
            ":",
            "{",
            "}",
            "\t",
            "e9",
            "\u{0}",
        ];
        let mut sound = 0;
        for _ in 0..6000 {
            let mut text = SEEDS[below(SEEDS.len())].repeat(1 + below(4));
            for _ in 0..below(4) {
                let mut at = below(text.len());
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                match below(3) {
                    0 => text.insert_str(at, odd[below(odd.len())]),
                    1 if at > 0 => text.truncate(at),
                    _ => {
                        let end = text[at..].chars().next().map_or(at, |letter| at + letter.len_utf8());
                        text.replace_range(at..end, odd[below(odd.len())]);
                    }
                }
            }
            sound += u32::from(go(&text, &asked[below(asked.len())]));
        }
        // Some of them are as they were.
        assert!((1000..5500).contains(&sound), "{sound} of 6000 are read");
    }
}
