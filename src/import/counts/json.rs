//! Counts in JSON: CloudWatch's statistics and data, and ranges of Prometheus.

use serde_json::Value;

use crate::import::clock::Clock;
use crate::import::flaw::Flaw;
use crate::import::logs::json::get;

use super::{Counts, Gaps, Meaning, Row};

/// Whether a document is of one of the forms, and its name.
#[must_use]
pub fn fits(value: &Value) -> Option<&'static str> {
    if value.get("Datapoints").is_some() {
        return Some("CloudWatch get-metric-statistics");
    }
    if value.get("MetricDataResults").is_some() {
        return Some("CloudWatch get-metric-data");
    }
    (get(value, "data.resultType").is_some()).then_some("Prometheus query_range")
}

/// The counts of a document. `asked` is what the user says that the values are.
///
/// # Errors
/// When the values may be counts or rates, or something is missing.
pub fn read(value: &Value, asked: Option<Meaning>, clock: Clock) -> Result<Counts, Flaw> {
    if let Some(points) = value.get("Datapoints") {
        return statistics(value, points, asked, clock);
    }
    match value.get("MetricDataResults") {
        Some(results) => metric_data(results, asked, clock),
        None => prometheus(value, asked),
    }
}

fn fault(message: impl Into<String>) -> Flaw {
    Flaw::whole(0, "", message)
}

fn counts(rows: Vec<Row>, meaning: Meaning, gaps: Gaps, notes: Vec<String>) -> Counts {
    Counts { rows, classes: Vec::new(), meaning, dated: true, gaps, notes }
}

/// `aws cloudwatch get-metric-statistics`.
fn statistics(
    value: &Value,
    points: &Value,
    asked: Option<Meaning>,
    mut clock: Clock,
) -> Result<Counts, Flaw> {
    let points = points.as_array().ok_or_else(|| fault("`Datapoints` is no list"))?;
    let mut rows = Vec::new();
    let mut unit = "";
    let mut statistic = "";
    for (index, point) in points.iter().enumerate() {
        let named =
            |names: &[&'static str]| names.iter().find_map(|name| Some((*name, point.get(name)?.as_f64()?)));
        let Some((name, found)) = named(&["Sum", "SampleCount", "Average"]) else {
            return Err(fault(format!("point {} of `Datapoints` has no `Sum`", index + 1))
                .help("ask for it: aws cloudwatch get-metric-statistics ... --statistics Sum"));
        };
        unit = point.get("Unit").and_then(Value::as_str).unwrap_or(unit);
        statistic = name;
        let time = point.get("Timestamp").and_then(Value::as_str).unwrap_or_default();
        let at = clock.any(time).ok_or_else(|| fault(format!("point {}: `{time}` is no time", index + 1)))?;
        rows.push(Row { at_ns: at.ns, value: found, class: 0, line: 0 });
    }
    let is_rate = unit.ends_with("/Second");
    if statistic == "Average" && !is_rate && asked.is_none() {
        let label = value.get("Label").and_then(Value::as_str).unwrap_or("the metric");
        return Err(fault(format!(
            "the points have only the `Average` of {label}, which is no number of requests"
        ))
        .help("ask for the sum: --statistics Sum; or say what it is: --as rates"));
    }
    let meaning = asked.unwrap_or(if is_rate { Meaning::Rate } else { Meaning::Count });
    let notes =
        vec![format!("`{statistic}` of each period; CloudWatch keeps no point where nothing happened")];
    Ok(counts(rows, meaning, Gaps::Zero, notes))
}

/// `aws cloudwatch get-metric-data`.
fn metric_data(results: &Value, asked: Option<Meaning>, mut clock: Clock) -> Result<Counts, Flaw> {
    let results = results.as_array().ok_or_else(|| fault("`MetricDataResults` is no list"))?;
    let [result] = &results[..] else {
        let labels: Vec<&str> = results.iter().filter_map(|result| result.get("Label")?.as_str()).collect();
        return Err(fault(format!("there are {} series: {}", results.len(), labels.join(", ")))
            .help("keep one of them, such as by jq '.MetricDataResults |= .[0:1]'"));
    };
    let list = |name: &str| result.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (times, values) = (list("Timestamps"), list("Values"));
    if times.len() != values.len() {
        return Err(fault(format!("{} times and {} values", times.len(), values.len())));
    }
    let mut rows = Vec::new();
    for (time, value) in times.iter().zip(&values) {
        let at = time.as_str().and_then(|text| clock.any(text)).or_else(|| Clock::number(&time.to_string()));
        let (Some(at), Some(value)) = (at, value.as_f64()) else {
            return Err(fault(format!("`{time}` with `{value}` is no time with a number")));
        };
        rows.push(Row { at_ns: at.ns, value, class: 0, line: 0 });
    }
    let notes = vec!["CloudWatch keeps no point where nothing happened".to_owned()];
    Ok(counts(rows, asked.unwrap_or(Meaning::Count), Gaps::Zero, notes))
}

/// `/api/v1/query_range`: a rate, an increase, or a raw counter, which only its user or its name tells.
fn prometheus(value: &Value, asked: Option<Meaning>) -> Result<Counts, Flaw> {
    let series = get(value, "data.result")
        .and_then(Value::as_array)
        .ok_or_else(|| fault("`data.result` is no list"))?;
    if get(value, "data.resultType").and_then(Value::as_str) != Some("matrix") {
        return Err(
            fault("it is the answer to a query of one moment").help("ask for a range: /api/v1/query_range")
        );
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut falls = false;
    for (class, one) in series.iter().enumerate() {
        let mut last = f64::NEG_INFINITY;
        for point in one.get("values").and_then(Value::as_array).into_iter().flatten() {
            let at = point.get(0).and_then(|at| Clock::number(&at.to_string()));
            let found = point.get(1).and_then(Value::as_str).and_then(|text| text.parse::<f64>().ok());
            let (Some(at), Some(found)) = (at, found.filter(|found| *found >= 0.0)) else {
                return Err(fault(format!("`{point}` is no time with a number of requests")));
            };
            falls |= found < last;
            last = found;
            rows.push(Row {
                at_ns: at.ns / 1_000_000 * 1_000_000,
                value: found,
                class: class as u16,
                line: 0,
            });
        }
    }
    let name = series.iter().find_map(|one| get(one, "metric.__name__")?.as_str()).unwrap_or_default();
    let meaning = match asked {
        Some(meaning) => meaning,
        None if name.ends_with("_total") || name.ends_with("_count") => Meaning::Counter,
        None if name.contains("rate") || name.contains("per_second") => Meaning::Rate,
        None => {
            let rising = if falls { "" } else { "; the values never fall, as those of a counter" };
            return Err(fault(format!(
                "the query's values may be requests a second, as of rate(), or requests of a step, as of increase(){rising}"
            ))
            .help("--as rates, --as counts or --as counter decides"));
        }
    };
    let mut notes = Vec::new();
    if series.len() > 1 {
        notes.push(format!("{} series are added up", series.len()));
    }
    let classes = if series.len() > 1 {
        (0..series.len()).map(|index| index.to_string()).collect()
    } else {
        Vec::new()
    };
    let mut all = Counts { classes, ..counts(rows, meaning, Gaps::Error, notes) };
    if series.len() > 1 {
        if meaning == Meaning::Counter {
            all.rows.sort_by_key(|row| (row.at_ns, row.class));
            all.differences();
            all.meaning = Meaning::Count;
        }
        all.add_up();
    }
    Ok(all)
}

impl Counts {
    /// All classes as one.
    fn add_up(&mut self) {
        self.rows.sort_by_key(|row| row.at_ns);
        self.rows.dedup_by(|next, kept| {
            let same = next.at_ns == kept.at_ns;
            if same {
                kept.value += next.value;
            }
            same
        });
        self.rows.iter_mut().for_each(|row| row.class = 0);
        self.classes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, asked: Option<Meaning>) -> Result<Counts, Flaw> {
        read(&serde_json::from_str(text).unwrap(), asked, Clock::new(None).unwrap())
    }

    #[test]
    fn cloudwatch_is_in_any_order_and_leaves_gaps() {
        let text = r#"{"Label":"RequestCount","Datapoints":[
            {"Timestamp":"2026-11-23T10:02:00Z","Sum":30.0,"Unit":"Count"},
            {"Timestamp":"2026-11-23T10:00:00Z","Sum":60.0,"Unit":"Count"},
            {"Timestamp":"2026-11-23T10:01:00Z","Sum":90.0,"Unit":"Count"},
            {"Timestamp":"2026-11-23T10:04:00Z","Sum":12.0,"Unit":"Count"}]}"#;
        let series = load(text, None).unwrap().series(None, None).unwrap();
        assert_eq!(series.values, [[60.0], [90.0], [30.0], [0.0], [12.0]]);
        let average = text.replace("Sum", "Average");
        assert!(load(&average, None).unwrap_err().help.contains("--statistics Sum"));
    }

    #[test]
    fn a_range_of_prometheus_says_what_it_is_by_its_name_only() {
        let range = |name: &str, values: &str| {
            format!(
                r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{{name}}},"values":{values}}}]}}}}"#
            )
        };
        let rates = range("", r#"[[1700000000,"10.5"],[1700000015.001,"9"],[1700000030,"12"]]"#);
        assert!(load(&rates, None).unwrap_err().help.contains("--as rates"));
        let series = load(&rates, Some(Meaning::Rate)).unwrap().series(None, None).unwrap();
        assert_eq!((series.values.len(), series.is_rate), (3, true));
        let counter = range(
            r#""__name__":"http_requests_total""#,
            r#"[[1700000000,"100"],[1700000015,"130"],[1700000030,"145"]]"#,
        );
        let series = load(&counter, None).unwrap().series(None, None).unwrap();
        assert_eq!(series.values, [[30.0], [15.0]]);
    }
}
