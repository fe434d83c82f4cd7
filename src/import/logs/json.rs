//! Logs with a JSON object on each line: Caddy, Traefik, Envoy, nginx with a JSON format, and one's own.

use serde_json::Value;

use super::duration_ns;
use crate::import::clock::{Clock, Moment, SECOND};
use crate::import::flaw::Flaw;
use crate::import::hit::{Hit, Line, Reader, is_method, request_line};

/// Names of the field with the time of the end of a request, then of its start. Dots go into objects.
const ENDS: [&str; 9] =
    ["time", "ts", "timestamp", "@timestamp", "time_iso8601", "msec", "time_local", "date", "datetime"];
const STARTS: [&str; 5] = ["StartUTC", "StartLocal", "start_time", "started_at", "request_start"];

/// Names of the field with the duration whose unit is known, in ns.
const DURATIONS: [(&str, u64); 16] = [
    ("Duration", 1), // Traefik
    ("duration_ns", 1),
    ("latency_ns", 1),
    ("duration_us", 1_000),
    ("latency_us", 1_000),
    ("duration_ms", 1_000_000),
    ("latency_ms", 1_000_000),
    ("response_time_ms", 1_000_000),
    ("elapsed_ms", 1_000_000),
    ("took_ms", 1_000_000),
    ("durationMs", 1_000_000),
    ("responseTime", 1_000_000), // pino-http
    ("duration_s", 1_000_000_000),
    ("latency_s", 1_000_000_000),
    ("duration_seconds", 1_000_000_000),
    ("request_time", 1_000_000_000), // nginx
];

/// Names whose unit must be told: with a decimal point it is seconds, as Caddy writes it.
const UNCLEAR: [&str; 6] = ["duration", "latency", "response_time", "elapsed", "took", "request_duration"];

const METHODS: [&str; 6] =
    ["method", "request.method", "RequestMethod", "request_method", "http.method", "req.method"];
const TARGETS: [&str; 10] = [
    "uri",
    "request.uri",
    "RequestPath",
    "path",
    "url",
    "request_uri",
    "http.target",
    "req.url",
    "route",
    "target",
];
const STATUSES: [&str; 7] = [
    "status",
    "DownstreamStatus",
    "response_code",
    "status_code",
    "code",
    "http.status_code",
    "res.statusCode",
];
const BYTES: [&str; 7] = [
    "size",
    "DownstreamContentSize",
    "bytes_sent",
    "body_bytes_sent",
    "bytes",
    "response_bytes",
    "content_length",
];

/// The fields that a user named.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The time.
    pub time: Option<String>,
    /// The duration, perhaps with its unit: `took:ms`.
    pub duration: Option<String>,
    /// The class.
    pub class: Option<String>,
}

/// Reads a log of JSON objects.
#[derive(Debug)]
pub struct JsonLines {
    clock: Clock,
    names: Names,
    /// Unit of the user's duration, ns.
    unit_ns: Option<u64>,
    /// Fields that were found, and are looked for first.
    time: Option<(String, bool)>,
}

impl JsonLines {
    /// A reader that knows the usual names of fields.
    ///
    /// # Errors
    /// When the unit of a duration is not known.
    pub fn new(clock: Clock, mut names: Names) -> Result<JsonLines, String> {
        let mut unit_ns = None;
        if let Some(named) = &names.duration
            && let Some((name, unit)) = named.clone().rsplit_once(':')
        {
            let units = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
            let found = units.iter().find(|(known, _)| *known == unit);
            unit_ns = Some(found.ok_or("a unit is one of s, ms, us, ns, as in took:ms")?.1);
            names.duration = Some(name.to_owned());
        }
        Ok(JsonLines { clock, names, unit_ns, time: None })
    }

    /// Whether the line may be one of such a log: an object with a time.
    pub fn fits(&self, line: &str) -> bool {
        serde_json::from_str::<Value>(line)
            .is_ok_and(|value| value.is_object() && self.time_field(&value).is_some())
    }

    /// The name of the field with the time, and whether it is the start.
    fn time_field(&self, value: &Value) -> Option<(String, bool)> {
        if let Some(name) = &self.names.time {
            return get(value, name).map(|_| (name.clone(), is_start(name)));
        }
        let of = |names: &[&str], starts: bool| {
            names.iter().find(|name| get(value, name).is_some()).map(|name| ((*name).to_owned(), starts))
        };
        of(&STARTS, true).or_else(|| of(&ENDS, false))
    }

    fn moment(&mut self, value: &Value) -> Option<(Moment, bool)> {
        if self.time.as_ref().is_none_or(|(name, _)| get(value, name).is_none()) {
            self.time = self.time_field(value);
        }
        let (name, starts) = self.time.as_ref()?;
        let moment = match get(value, name)? {
            Value::String(text) => self.clock.any(text)?,
            Value::Number(number) => Clock::number(&number.to_string())?,
            _ => return None,
        };
        Some((moment, *starts))
    }

    /// The duration; an error when its unit cannot be told.
    fn duration(&self, value: &Value) -> Result<Option<u64>, String> {
        if let Some(name) = &self.names.duration {
            let Some(found) = get(value, name) else { return Ok(None) };
            let unit = self
                .unit_ns
                .or_else(|| unit_of(name))
                .or_else(|| is_fraction(found).then_some(SECOND as u64));
            return scaled(found, unit.ok_or_else(|| unclear(name))?).map(Some);
        }
        if let Some((found, unit)) =
            DURATIONS.iter().find_map(|(name, unit)| Some((get(value, name)?, *unit)))
        {
            return scaled(found, unit).map(Some);
        }
        let Some((name, found)) = UNCLEAR.iter().find_map(|name| Some((*name, get(value, name)?))) else {
            return Ok(None);
        };
        // Envoy's own names stand beside milliseconds.
        let is_envoy = get(value, "response_flags").is_some() || get(value, "upstream_host").is_some();
        match found {
            _ if is_envoy => scaled(found, 1_000_000).map(Some),
            Value::String(text) if text.ends_with('s') => {
                with_unit(text).map(Some).ok_or_else(|| unclear(name))
            }
            found if is_fraction(found) => scaled(found, SECOND as u64).map(Some),
            _ => Err(unclear(name)),
        }
    }
}

impl Reader for JsonLines {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        if line.trim().is_empty() {
            take(Line::Nothing);
            return Ok(());
        }
        let value: Value = serde_json::from_str(line).map_err(|error| broken(number, line, &error))?;
        let Some((at, starts)) = self.moment(&value) else {
            let help = "name it: --time-field NAME";
            return Err(Flaw::whole(number, line, "no field of the object is a time").help(help));
        };
        let duration_ns = self.duration(&value).map_err(|message| {
            Flaw::whole(number, line, message).help("say it: --duration-field NAME:ms, with s, ms, us or ns")
        })?;
        let text = |names: &[&str]| names.iter().find_map(|name| get(&value, name)?.as_str());
        let whole = |names: &[&str]| names.iter().find_map(|name| number_of(get(&value, name)?));
        let line = text(&["request", "request_line"]).and_then(request_line);
        let class = self.names.class.as_deref().and_then(|name| get(&value, name)?.as_str());
        let method = text(&METHODS).filter(|word| is_method(word));
        let target = class.or_else(|| text(&TARGETS)).or(line.map(|(_, target)| target));
        let method = method.or(line.map(|(method, _)| method)).or(target.map(|_| "GET"));
        let (Some(method), Some(target)) = (method, target) else {
            take(Line::NoRequest);
            return Ok(());
        };
        let status = whole(&STATUSES).and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
        let hit = Hit { at, duration_ns, moved: false, method, target, status, bytes: whole(&BYTES) };
        take(Line::Hit(if starts { hit } else { hit.moved_to_start() }));
        Ok(())
    }

    fn ahead_s(&self) -> i64 {
        self.clock.ahead_s
    }

    fn zone_was_missing(&self) -> bool {
        self.clock.zone_was_missing
    }
}

/// The flaw of a line that is no JSON.
pub(in crate::import) fn broken(number: u64, line: &str, error: &serde_json::Error) -> Flaw {
    let mut at = error.column().saturating_sub(1).min(line.len());
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    let end = line[at..].chars().next().map_or(at, |letter| at + letter.len_utf8());
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    Flaw::new(number, line, at..end, format!("this is no JSON: {message}"))
}

/// A field of an object, or of an object within it: `request.method`.
pub(in crate::import) fn get<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    if let Some(found) = value.get(name) {
        return Some(found);
    }
    let (outer, inner) = name.split_once('.')?;
    get(value.get(outer)?, inner)
}

fn is_start(name: &str) -> bool {
    STARTS.contains(&name) || name.to_lowercase().contains("start")
}

fn number_of(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}

fn is_fraction(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('.') && text.parse::<f64>().is_ok(),
        value => value.is_f64(),
    }
}

fn unit_of(name: &str) -> Option<u64> {
    DURATIONS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

fn unclear(name: &str) -> String {
    format!("the unit of the whole number `{name}` is not known: s, ms, us or ns")
}

/// A number of a unit in ns.
fn scaled(value: &Value, unit_ns: u64) -> Result<u64, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let by_float = || {
        let number = text.parse::<f64>().ok().filter(|number| (0.0..1e15).contains(number))?;
        Some((number * unit_ns as f64).round() as u64)
    };
    if text == "-" {
        return Ok(0);
    }
    duration_ns(&text, unit_ns).or_else(by_float).ok_or_else(|| format!("`{text}` is no duration"))
}

/// A duration with its unit, such as Go's `12.5ms`.
pub(in crate::import) fn with_unit(text: &str) -> Option<u64> {
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
    let unit = match &text[end..] {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND as u64,
        _ => return None,
    };
    duration_ns(&text[..end], unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::hit::said;

    fn read(line: &str, names: Names) -> Result<String, Flaw> {
        let mut reader = JsonLines::new(Clock::new(None).unwrap(), names).unwrap();
        let mut shown = String::new();
        reader.line(1, line, &mut |line| {
            shown = said(line);
        })?;
        Ok(shown)
    }

    #[test]
    fn products_name_their_fields_as_they_like() {
        let caddy = r#"{"level":"info","ts":1700000001.5,"request":{"method":"GET","uri":"/a"},"duration":0.5,"size":7,"status":200}"#;
        assert_eq!(
            read(caddy, Names::default()).unwrap(),
            "1700000001000 Some(500000000) GET /a 200 Some(7)"
        );
        let traefik = r#"{"DownstreamContentSize":7,"DownstreamStatus":200,"Duration":500000000,"RequestMethod":"GET","RequestPath":"/a","StartUTC":"2023-11-14T22:13:21Z","time":"2023-11-14T22:13:21Z"}"#;
        assert_eq!(
            read(traefik, Names::default()).unwrap(),
            "1700000001000 Some(500000000) GET /a 200 Some(7)"
        );
        let envoy = r#"{"start_time":"2023-11-14T22:13:21.000Z","method":"GET","path":"/a","response_code":200,"duration":500,"bytes_sent":7,"response_flags":"-"}"#;
        assert_eq!(
            read(envoy, Names::default()).unwrap(),
            "1700000001000 Some(500000000) GET /a 200 Some(7)"
        );
        let nginx = r#"{"msec":"1700000001.500","request":"GET /a HTTP/1.1","status":"200","body_bytes_sent":"7","request_time":"0.500"}"#;
        assert_eq!(
            read(nginx, Names::default()).unwrap(),
            "1700000001000 Some(500000000) GET /a 200 Some(7)"
        );
    }

    #[test]
    fn a_unit_that_is_not_known_is_asked_for() {
        let line = r#"{"time":"2023-11-14T22:13:21Z","path":"/a","latency":12}"#;
        let flaw = read(line, Names::default()).unwrap_err();
        assert!(flaw.message.contains("`latency`") && flaw.help.contains("--duration-field"), "{flaw:?}");
        let names = Names { duration: Some("latency:ms".into()), ..Names::default() };
        assert!(read(line, names).unwrap().contains("Some(12000000)"));
        assert!(read("{\"a\": 1", Names::default()).unwrap_err().message.contains("no JSON"));
        assert!(read(r#"{"path":"/a"}"#, Names::default()).unwrap_err().help.contains("--time-field"));
        assert_eq!(with_unit("12.5ms"), Some(12_500_000));
    }
}
