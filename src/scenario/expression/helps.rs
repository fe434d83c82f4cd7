//! Helps for what people write instead of an expression: other names of metrics, `==`, and two conditions in one.

use std::ops::Range;

use super::{ExpressionError, Metric, Unit};

/// Names that other programs give to metrics, and what to write here.
const SYNONYMS: [(&str, &str); 14] = [
    ("latency", RESPONSE),
    ("response_time", RESPONSE),
    ("duration", RESPONSE),
    ("percentile", RESPONSE),
    ("median", "the median is p50(response)"),
    ("average", "the average is mean(response)"),
    ("avg", "the average is mean(response)"),
    ("rps", RATE),
    ("qps", RATE),
    ("tps", RATE),
    ("cpu", "the busy share of cores is utilisation(web)"),
    ("uptime", "the share of requests that end well is availability"),
    ("downtime", "the longest outage of writes is rto; the share of requests that end well is availability"),
    ("cost", "there are: cost_per_hour, cost_per_million"),
];

const RESPONSE: &str = "response times need a figure: p99(response) or, shorter, p99";
const RATE: &str = "requests that end a second are throughput; those that end well and in time, goodput";

/// What to do with two conditions.
pub(super) const ONE_CONDITION: &str = "one condition each: write two [[expect]]";

/// What to write instead of a metric's name in another program; `None` if it is not known as one.
pub(super) fn of_synonym(word: &str) -> Option<&'static str> {
    SYNONYMS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, help)| *help)
}

/// Why a scenario has no such metric of data: it has no replicas, or does not say which data requests are for.
pub(super) fn without_data(metric: &str, span: Range<usize>, has_data: bool) -> ExpressionError {
    let (message, help) = if has_data {
        (
            format!("{metric} is not known where no class of requests has `keys`"),
            "with `keys = 10000` in a [request.NAME], each query is for one of 10000 things",
        )
    } else {
        (
            format!("the scenario has no replicas, so there is no {metric}"),
            "a box has it that keeps copies of its data, or acknowledges writes before they are on its disk",
        )
    };
    ExpressionError { span, message, help: Some(help.to_owned()) }
}

/// What to write instead of `lost_writes == 0`: `rest` begins with the sign that stands after the metric. `None` if it
/// is not a sign of equality.
pub(super) fn instead_of_equality(metric: &Metric, rest: &str) -> Option<String> {
    let rest = rest.trim_start();
    if let Some(turned) = ["=<", "=>"].into_iter().find(|sign| rest.starts_with(sign)) {
        return Some(format!("write {}", if turned == "=<" { "<=" } else { ">=" }));
    }
    let bound = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?.trim();
    Some(match (bound, metric.unit()) {
        ("0", Unit::Count) => format!("write `{metric} < 1`"),
        ("0" | "0%", Unit::Share) => format!("write `{metric} < 0.1%`: no run shows that something never happens"),
        _ => "a measured value is never exactly a bound: write < or >, and in [[check]] `near = \"9.6s ± 0.2s\"`".into(),
    })
}

/// Where a second condition begins in the text after a comparison: at `and`, `or`, `&&`, `||` or a comma. `None` where
/// there is none.
pub(super) fn joint(text: &str) -> Option<Range<usize>> {
    let words = [" and ", " or ", "&&", "||", ","];
    let (at, word) = words.into_iter().filter_map(|word| Some((text.find(word)?, word))).min()?;
    // In `5,000` the comma stands between thousands.
    if word == "," && text[at + 1..].starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let blanks = word.len() - word.trim_start().len();
    Some(at + blanks..at + blanks + word.trim().len())
}
