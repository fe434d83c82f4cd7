//! The page of expressions, in Markdown: the grammar, and every metric with its unit, its direction and what it needs.

use crate::model::gauge::Gauge;
use crate::model::spec::Kind;
use crate::scenario::expression::{Better, Metric, Names, Unit, parse_metric};

/// What the page says of a metric that stands before a comparison.
struct Entry {
    /// How it is written in full.
    written: &'static str,
    /// What it is.
    about: &'static str,
    /// What a scenario must have for it; empty for nothing.
    needs: &'static str,
}

const REPLICAS: &str = "replicas, or writes acknowledged before they are durable";

const ENTRIES: [Entry; 23] = [
    entry("mean(response)", "Mean response time of requests that end ok.", ""),
    entry("p50(response)", "Median of these times.", "20 requests beyond it in each trial"),
    entry("p90(response)", "90th percentile.", "200 requests a trial"),
    entry("p95(response)", "95th percentile.", "400 requests a trial"),
    entry("p99(response)", "99th percentile.", "2000 requests a trial"),
    entry("p999(response)", "99.9th percentile.", "20,000 requests a trial"),
    entry("max(response)", "The longest of a trial, averaged over trials; it grows with the duration.", ""),
    entry("availability", "Share of the ended requests that end ok.", ""),
    entry("error_rate", "Share of the ended requests that do not.", ""),
    entry("errors", "The same, shorter.", ""),
    entry("utilisation(web)", "Busy share of the cores of a box or member.", "cores"),
    entry("queue_len(web)", "Time average of the calls that wait there.", ""),
    entry("throughput", "Requests that end ok, a second.", ""),
    entry("goodput", "Requests that end ok within their `deadline`, a second.", ""),
    entry("lag", "Longest time by which a replica that is up is behind.", REPLICAS),
    entry("lost_writes", "Acknowledged writes that were lost, in a trial.", REPLICAS),
    entry(
        "conflicting_writes",
        "Acknowledged writes that met others that did not know of them.",
        "the same, and `keys` of a class",
    ),
    entry(
        "stale_read_share",
        "Share of the reads that did not see an acknowledged write to their key.",
        "the same, and `keys` of a class",
    ),
    entry("rto", "Longest outage of writes in a trial.", "the same, and an outage"),
    entry("rpo", "Longest time whose acknowledged writes were lost.", "the same, and a loss"),
    entry(
        "collapse_probability",
        "Share of the trials in which the service did not come back after what disturbed it had ended.",
        "a fault that ends, or a profile that rises above its mean",
    ),
    entry("cost_per_hour", "Price of all machines.", "an `instance` with a price"),
    entry("cost_per_million", "Price of a million requests that end ok.", "the same"),
];

const fn entry(written: &'static str, about: &'static str, needs: &'static str) -> Entry {
    Entry { written, about, needs }
}

/// The page, with the figures of these kinds of boxes.
#[must_use]
pub fn expressions(kinds: &[Kind]) -> String {
    let mut page = format!("{HEAD}\n## Metrics\n\n{TABLE}");
    for entry in &ENTRIES {
        let metric = metric_of(entry.written);
        let (unit, better) = (unit(metric.unit()), direction(metric.better()));
        page.push_str(&format!(
            "| `{}` | {} | {unit} | {better} | {} |\n",
            entry.written, entry.about, entry.needs
        ));
    }
    page.push_str(CLASSES);
    page.push_str("\n## Figures of single kinds of boxes\n\n");
    page.push_str(
        "`NAME` is a box or a member. Where one box only has such a figure, its name alone will do: `retries`. A time or a level \
         has `mean(...)` and `max(...)`.\n\n| figure | meaning | unit | better |\n|---|---|---|---|\n",
    );
    for kind in kinds {
        for gauge in kind.gauges {
            let Gauge { name, about, .. } = gauge;
            let (unit, better) = (unit(gauge.unit), direction(gauge.better));
            page.push_str(&format!("| `{name}(NAME)` of a {} | {about} | {unit} | {better} |\n", kind.name));
        }
    }
    page
}

fn metric_of(written: &str) -> Metric {
    parse_metric(written, &Names::plain(&[], &["web"])).expect("a row is a metric")
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "a duration: `300ms`, `1.5s`",
        Unit::Share => "a share: `99.9%`",
        Unit::PerSecond => "a rate: `100/s`",
        Unit::Count => "a number: `50`",
        Unit::Usd => "dollars: `$3.50`, `3.50 USD`",
    }
}

fn direction(better: Option<Better>) -> &'static str {
    match better {
        Some(Better::Less) => "less",
        Some(Better::More) => "more",
        None => "",
    }
}

const HEAD: &str = "# Expressions

The same language stands everywhere: in `[[expect]]` and `[[check]]` of a scenario, in `--expect`, `--slo`, `--fail-on` and
`--metric` on the command line. `outgrow check` reads all expressions of a scenario and refuses what cannot be. This page is made
from the code.

```text
goal        = metric, comparison, bound          p99(response) < 300ms
comparison  = \"<\" | \"<=\" | \">\" | \">=\"
bound       = a quantity in the metric's unit    300ms, 99.9%, 100/s, 50, $3.50
objective   = goal, { \",\", goal }                --slo 'p99 < 300ms, errors < 0.1%', and --expect
regression  = metric, change                     --fail-on 'p99(response) +5%'
metrics     = metric, { \",\", metric }            --metric 'rto, lost_writes, p99(response.post)'
near        = value, (\"±\" | \"+-\"), tolerance     near = \"9.6s ± 0.2s\", of a [[check]]
```

- One condition each: there is no `and`. There is no `==`, because a measured value is never exactly a bound: `lost_writes < 1`.
- A goal *holds* if the whole 95 % interval is on its side of the bound, *fails* if the whole interval is on the other side, and is
  *not shown* otherwise; then the program says how many trials or how much time would show it.
- `[[expect]]` are goals, what users of the design want. They decide the exit status. `[[check]]` are tests of the simulator: what
  theory or the arithmetic of a scenario says must come out, silent except with `run --checks` and `check --run`.
- `during = \"3min..4min\"` and `except = \"3min..4min\"` take a part of the simulated time, counted from its start, warm-up included.
  Only metrics of requests are known of a part: response times, availability, error rate, throughput and goodput.
";

const TABLE: &str = "| metric | meaning | unit of the bound | better | needs |\n|---|---|---|---|---|\n";

const CLASSES: &str = "
Response times, `availability`, `error_rate` and `errors` take a class of requests after a point: `p99(response.view)`,
`availability.post`. `p99` is short for `p99(response)`, and `p99.view` for `p99(response.view)`. Throughput has no direction: of an
open load more is not better, it is more load.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::expression::words;

    #[test]
    fn every_metric_has_a_row() {
        let known: Vec<&str> = words().collect();
        assert_eq!(known.len(), ENTRIES.len());
        for (word, entry) in known.iter().zip(&ENTRIES) {
            assert!(entry.written.starts_with(word), "{} is not {word}", entry.written);
        }
    }
}
