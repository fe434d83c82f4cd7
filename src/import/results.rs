//! Results of load tests, request by request: k6, vegeta and hey.

use serde_json::Value;

use super::clock::{Clock, Moment, SECOND};
use super::flaw::Flaw;
use super::hit::{Hit, Line, Reader, is_method};
use super::logs::json::{broken, get};

/// The reader of the results whose first lines these are, and its name.
#[must_use]
pub fn detect(lines: &[&str]) -> Option<(&'static str, Box<dyn Reader>)> {
    let first = *lines.first()?;
    if first.starts_with("metric_name,timestamp,metric_value") {
        return Some(("k6 CSV", Box::new(K6Csv { columns: Columns::default() })));
    }
    if first.starts_with("response-time,DNS+dialup,") {
        return Some(("hey CSV", Box::new(Hey)));
    }
    if first.starts_with('{') {
        let value: Value = serde_json::from_str(first).ok()?;
        let is_k6 =
            matches!(value["type"].as_str(), Some("Metric" | "Point")) && value.get("metric").is_some();
        if is_k6 {
            return Some(("k6 JSON", Box::new(K6Json)));
        }
        let is_vegeta = ["timestamp", "latency", "seq", "code"].iter().all(|name| value.get(name).is_some());
        return is_vegeta.then(|| ("vegeta JSON", Box::new(VegetaJson) as Box<dyn Reader>));
    }
    lines
        .iter()
        .all(|line| vegeta_csv(line).is_some())
        .then(|| ("vegeta CSV", Box::new(VegetaCsv) as Box<dyn Reader>))
}

/// A request of a load test. k6 notes its end, the others its start.
fn hit<'l>(
    at: Moment,
    duration_ns: u64,
    method: &'l str,
    target: &'l str,
    status: u16,
    bytes: Option<u64>,
) -> Hit<'l> {
    let method = if is_method(method) { method } else { "GET" };
    Hit { at, duration_ns: Some(duration_ns), moved: false, method, target, status, bytes }
}

/// Milliseconds as a decimal number, in ns.
fn millis(text: &str) -> Option<u64> {
    let ms: f64 = text.parse().ok().filter(|ms| (0.0..1e12).contains(ms))?;
    Some((ms * 1e6).round() as u64)
}

/// `k6 run --out json=...`: one line for each metric of each request.
#[derive(Debug)]
struct K6Json;

impl Reader for K6Json {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        // Most lines are about other metrics.
        if !line.contains("\"http_req_duration\"") || !line.contains("\"Point\"") {
            let is_object = line.trim_end().ends_with('}') || line.trim().is_empty();
            if !is_object {
                return Err(Flaw::whole(number, line, "this is no JSON: the object does not end"));
            }
            take(Line::Nothing);
            return Ok(());
        }
        let value: Value = serde_json::from_str(line).map_err(|error| broken(number, line, &error))?;
        let text = |name: &str| get(&value, name).and_then(Value::as_str);
        let at = text("data.time").and_then(|time| Clock::new(None).ok()?.iso(time));
        let duration = get(&value, "data.value").and_then(|value| millis(&value.to_string()));
        let (Some(at), Some(duration)) = (at, duration) else {
            return Err(Flaw::whole(number, line, "the point has no `time` or no `value`"));
        };
        let target = text("data.tags.name").or_else(|| text("data.tags.url")).unwrap_or("/");
        let status = text("data.tags.status").and_then(|status| status.parse().ok()).unwrap_or(0);
        let method = text("data.tags.method").unwrap_or("GET");
        take(Line::Hit(hit(at, duration, method, target, status, None).moved_to_start()));
        Ok(())
    }
}

/// Where the columns of k6's CSV stand.
#[derive(Debug, Default)]
struct Columns {
    timestamp: usize,
    value: usize,
    method: Option<usize>,
    name: Option<usize>,
    status: Option<usize>,
    all: usize,
}

/// `k6 run --out csv=...`.
#[derive(Debug)]
struct K6Csv {
    columns: Columns,
}

impl Reader for K6Csv {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        let fields = split(line);
        if line.starts_with("metric_name,") {
            let find = |name: &str| fields.iter().position(|field| *field == name);
            self.columns = Columns {
                timestamp: find("timestamp").unwrap_or(1),
                value: find("metric_value").unwrap_or(2),
                method: find("method"),
                name: find("name").or_else(|| find("url")),
                status: find("status"),
                all: fields.len(),
            };
            take(Line::Nothing);
            return Ok(());
        }
        let columns = &self.columns;
        if fields.len() != columns.all {
            let message = format!("{} fields where the header has {}", fields.len(), columns.all);
            return Err(Flaw::whole(number, line, message));
        }
        if fields[0] != "http_req_duration" {
            take(Line::Nothing);
            return Ok(());
        }
        let (time, value) = (fields[columns.timestamp], fields[columns.value]);
        let at = Clock::new(None).ok().and_then(|mut clock| clock.any(time));
        let at = at.ok_or_else(|| Flaw::field(number, line, time, format!("`{time}` is no time")))?;
        let duration =
            millis(value).ok_or_else(|| Flaw::field(number, line, value, "expected milliseconds"))?;
        let field = |column: Option<usize>| {
            column.and_then(|column| fields.get(column).copied()).filter(|it| !it.is_empty())
        };
        let status = field(columns.status).and_then(|status| status.parse().ok()).unwrap_or(0);
        let (method, target) = (field(columns.method).unwrap_or("GET"), field(columns.name).unwrap_or("/"));
        take(Line::Hit(hit(at, duration, method, target, status, None).moved_to_start()));
        Ok(())
    }
}

/// `hey -o csv`: durations in seconds and offsets from the start of the test.
#[derive(Debug)]
struct Hey;

impl Reader for Hey {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        if line.starts_with("response-time,") {
            take(Line::Nothing);
            return Ok(());
        }
        let fields = split(line);
        let [duration, .., status, offset] = fields[..] else {
            return Err(Flaw::whole(number, line, "expected eight fields"));
        };
        if fields.len() != 8 {
            return Err(Flaw::whole(number, line, format!("{} fields where hey writes 8", fields.len())));
        }
        let seconds = |field: &str| Clock::number(field).filter(|at| !at.dated);
        let at = seconds(offset).ok_or_else(|| Flaw::field(number, line, offset, "expected seconds"))?;
        let length =
            seconds(duration).ok_or_else(|| Flaw::field(number, line, duration, "expected seconds"))?;
        let status = status.parse().map_err(|_| Flaw::field(number, line, status, "expected a status"))?;
        take(Line::Hit(hit(
            Moment { whole: false, ..at },
            length.ns.unsigned_abs(),
            "GET",
            "/",
            status,
            None,
        )));
        Ok(())
    }
}

/// `vegeta encode --to json`.
#[derive(Debug)]
struct VegetaJson;

impl Reader for VegetaJson {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        if line.trim().is_empty() {
            take(Line::Nothing);
            return Ok(());
        }
        let value: Value = serde_json::from_str(line).map_err(|error| broken(number, line, &error))?;
        let at = value["timestamp"].as_str().and_then(|time| Clock::new(None).ok()?.iso(time));
        let (Some(at), Some(latency)) = (at, value["latency"].as_u64()) else {
            return Err(Flaw::whole(number, line, "the result has no `timestamp` or no `latency`"));
        };
        let text = |name: &str| value[name].as_str();
        let status = value["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
        let (method, target) = (text("method").unwrap_or("GET"), text("url").unwrap_or("/"));
        take(Line::Hit(hit(at, latency, method, target, status, value["bytes_in"].as_u64())));
        Ok(())
    }
}

/// `vegeta encode --to csv`: no header; time in ns, status, latency in ns, bytes out, bytes in, error, body, attack, number,
/// and in later versions method and address.
#[derive(Debug)]
struct VegetaCsv;

/// The fields of such a line; none when it is of another format.
fn vegeta_csv(line: &str) -> Option<(i64, u16, u64, u64, Vec<&str>)> {
    let fields = split(line);
    if fields.len() < 9 || fields[0].len() != 19 {
        return None;
    }
    let at: i64 = fields[0].parse().ok().filter(|at| *at > 100_000_000 * SECOND)?;
    Some((at, fields[1].parse().ok()?, fields[2].parse().ok()?, fields[4].parse().ok()?, fields))
}

impl Reader for VegetaCsv {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        let Some((ns, status, latency, bytes, fields)) = vegeta_csv(line) else {
            return Err(Flaw::whole(
                number,
                line,
                "expected the fields of vegeta: time in ns, status, latency in ns, bytes",
            ));
        };
        let at = Moment { ns, whole: false, dated: true };
        let field = |index: usize| fields.get(index).copied().filter(|field| !field.is_empty());
        let (method, target) = (field(9).unwrap_or("GET"), field(10).unwrap_or("/"));
        take(Line::Hit(hit(at, latency, method, target, status, Some(bytes))));
        Ok(())
    }
}

/// The fields of a line of CSV, without the quotes around them.
fn split(line: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                fields.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.push(&line[start..]);
    fields.into_iter().map(|field| field.trim().trim_matches('"')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let (name, mut reader) = detect(&lines).expect(text);
        let mut all = vec![name.to_owned()];
        for (number, line) in (1..).zip(lines) {
            reader
                .line(number, line, &mut |line| {
                    if let Line::Hit(hit) = line {
                        let ms = hit.duration_ns.unwrap_or(0) / 1_000_000;
                        all.push(format!(
                            "{} {ms} {} {} {}",
                            hit.at.ns / 1_000_000,
                            hit.method,
                            hit.target,
                            hit.status
                        ));
                    }
                })
                .unwrap();
        }
        all
    }

    #[test]
    fn every_tool_is_known_by_its_first_line() {
        let k6 = "metric_name,timestamp,metric_value,check,error,error_code,group,method,name,proto,scenario,status,subproto,tls_version,url,extra_tags\n\
                  http_reqs,1595325560,1.000000,,,,,GET,http://test.k6.io,HTTP/1.1,default,200,,,http://test.k6.io,\n\
                  http_req_duration,1595325560,221.899000,,,,,GET,http://test.k6.io/a,HTTP/1.1,default,200,,,http://test.k6.io/a,\n";
        assert_eq!(read(k6), ["k6 CSV", "1595325559778 221 GET http://test.k6.io/a 200"]);
        let k6 = "{\"type\":\"Metric\",\"data\":{\"name\":\"http_req_duration\"},\"metric\":\"http_req_duration\"}\n\
                  {\"type\":\"Point\",\"data\":{\"time\":\"2020-07-21T10:19:20.5+00:00\",\"value\":500.0,\"tags\":{\"method\":\"POST\",\"name\":\"http://a/b\",\"status\":\"201\"}},\"metric\":\"http_req_duration\"}\n";
        assert_eq!(read(k6), ["k6 JSON", "1595326760000 500 POST http://a/b 201"]);
        let hey = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n0.0250,0.0001,0.0000,0.0001,0.0004,0.0001,200,1.5000\n";
        assert_eq!(read(hey), ["hey CSV", "1500 25 GET / 200"]);
        let vegeta = "{\"attack\":\"\",\"seq\":0,\"code\":200,\"timestamp\":\"2025-03-15T14:30:01.25Z\",\"latency\":12345678,\"bytes_out\":0,\"bytes_in\":1024,\"error\":\"\",\"method\":\"GET\",\"url\":\"http://a/v1\"}\n";
        assert_eq!(read(vegeta), ["vegeta JSON", "1742049001250 12 GET http://a/v1 200"]);
        let vegeta = "1742049001250000000,200,12345678,0,1024,\"\",,,0,GET,http://a/v1,\n";
        assert_eq!(read(vegeta), ["vegeta CSV", "1742049001250 12 GET http://a/v1 200"]);
        assert!(detect(&["0,5"]).is_none());
    }
}
