//! Distributions of response times: HdrHistogram's `.hgrm`, the summary of oha, and columns of durations.

use serde_json::Value;

use super::flaw::Flaw;
use super::logs::json::get;

/// Largest number of quantiles of a distribution that is written.
const QUANTILES: [f64; 20] = [
    0.0, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995,
    0.999, 1.0,
];

/// Units of durations, and how many of each are a second.
pub const UNITS: [(&str, f64); 4] = [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)];

/// A distribution of durations.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// Shares with their durations in seconds; both ascend.
    pub quantiles: Vec<(f64, f64)>,
    /// Number of durations, if it is known.
    pub count: Option<u64>,
    /// Requests a second of the test, if they are known.
    pub rate: Option<f64>,
}

impl Latency {
    /// The distribution of samples in seconds.
    #[must_use]
    pub fn of(mut samples: Vec<f64>) -> Latency {
        samples.sort_by(f64::total_cmp);
        let last = samples.len().saturating_sub(1);
        let at = |share: f64| samples.get((share * last as f64).round() as usize).copied().unwrap_or(0.0);
        let quantiles = QUANTILES.iter().map(|share| (*share, at(*share))).collect();
        Latency { quantiles, count: Some(samples.len() as u64), rate: None }
    }

    /// As the table of a distribution in a scenario.
    #[must_use]
    pub fn table(&self) -> String {
        let pair = |(share, seconds): &(f64, f64)| {
            format!("[\"{}%\", \"{}ms\"]", trimmed(share * 100.0, 4), trimmed(seconds * 1000.0, 6))
        };
        let pairs: Vec<String> = self.quantiles.iter().map(pair).collect();
        format!("{{ dist = \"empirical\", quantiles = [{}] }}", pairs.join(", "))
    }
}

fn trimmed(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Whether a text is a `.hgrm` file.
#[must_use]
pub fn is_hgrm(sample: &[&str]) -> bool {
    let header =
        |line: &&str| line.contains("Value") && line.contains("Percentile") && line.contains("TotalCount");
    sample.iter().take(5).any(header)
}

/// Reads a `.hgrm` file. The unit of its values is in its header, as vegeta writes it, or the user says it.
///
/// # Errors
/// When a line is no quantile, or the unit is not known.
pub fn hgrm(text: &str, per_s: Option<f64>) -> Result<Latency, Flaw> {
    let mut quantiles: Vec<(f64, f64)> = Vec::new();
    let mut count = None;
    let (number, header) =
        (1..).zip(text.lines()).find(|(_, line)| line.contains("Percentile")).unwrap_or((1, ""));
    let told = UNITS.iter().find(|(name, _)| header.contains(&format!("({name})"))).map(|(_, unit)| *unit);
    let per_s = per_s.or(told).ok_or_else(|| {
        Flaw::whole(number, header, "the unit of the values does not stand in the header")
            .help("say it: --unit ms, with s, ms, us or ns")
    })?;
    for (number, line) in (1..).zip(text.lines()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.is_empty() || fields[0].starts_with('#') || line.contains("Percentile") {
            continue;
        }
        let numbers = [0, 1].map(|index| fields.get(index).and_then(|field| field.parse::<f64>().ok()));
        let [Some(value), Some(share)] = numbers else {
            return Err(Flaw::whole(
                number,
                line,
                "expected a value and a share, as HdrHistogram writes them",
            ));
        };
        if !(0.0..=1.0).contains(&share) || !(0.0..1e12).contains(&value) {
            return Err(Flaw::whole(
                number,
                line,
                "a share lies between 0 and 1, and a value is not negative",
            ));
        }
        count = fields.get(2).and_then(|field| field.parse().ok()).or(count);
        let seconds = value / per_s;
        match quantiles.last() {
            Some((last, before)) if share < *last || seconds < *before => {
                return Err(Flaw::whole(number, line, "the shares and values of a distribution rise"));
            }
            Some((last, _)) if share == *last => {}
            _ => quantiles.push((share, seconds)),
        }
    }
    if quantiles.is_empty() {
        return Err(Flaw::whole(1, "", "there is no quantile"));
    }
    Ok(Latency { quantiles: thinned(quantiles), count, rate: None })
}

/// At most twenty of the quantiles: those that are nearest to the usual shares.
fn thinned(all: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if all.len() <= QUANTILES.len() {
        return all;
    }
    let nearest = |share: f64| {
        let distance = |one: &&(f64, f64)| (one.0 - share).abs();
        *all.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).expect("there are quantiles")
    };
    let mut kept: Vec<(f64, f64)> = QUANTILES.iter().map(|share| nearest(*share)).collect();
    kept.dedup_by(|a, b| a.0 == b.0);
    kept
}

/// Whether a document is the summary of oha.
#[must_use]
pub fn is_oha(value: &Value) -> bool {
    value.get("latencyPercentiles").is_some() && value.get("summary").is_some()
}

/// Reads the summary of oha.
///
/// # Errors
/// When it has no percentiles.
pub fn oha(value: &Value) -> Result<Latency, Flaw> {
    let number = |name: &str| get(value, &format!("summary.{name}")).and_then(Value::as_f64);
    let mut quantiles: Vec<(f64, f64)> = Vec::new();
    if let Some(fastest) = number("fastest") {
        quantiles.push((0.0, fastest));
    }
    for (name, found) in value["latencyPercentiles"].as_object().into_iter().flatten() {
        let share = name.trim_start_matches('p').parse::<f64>().ok().map(|share| share / 100.0);
        let (Some(share), Some(seconds)) = (share, found.as_f64()) else { continue };
        quantiles.push((share, seconds));
    }
    if let Some(slowest) = number("slowest") {
        quantiles.push((1.0, slowest));
    }
    quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
    quantiles.dedup_by(|a, b| a.0 == b.0);
    if quantiles.len() < 3 || quantiles.windows(2).any(|pair| pair[0].1 > pair[1].1) {
        return Err(Flaw::whole(0, "", "`latencyPercentiles` has no rising percentiles"));
    }
    let rate = number("requestsPerSec");
    let count = rate.zip(number("total")).map(|(rate, total)| (rate * total).round() as u64);
    Ok(Latency { quantiles, count, rate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_of_samples_has_their_ends() {
        let latency = Latency::of((0..=1000).rev().map(|n| f64::from(n) / 1000.0).collect());
        assert_eq!((latency.quantiles[0], latency.quantiles[19]), ((0.0, 0.0), (1.0, 1.0)));
        assert_eq!(latency.quantiles[7], (0.5, 0.5));
        assert!(latency.table().contains("[\"97.5%\", \"975ms\"]"), "{}", latency.table());
    }

    #[test]
    fn hgrm_files_are_read() {
        let text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n       0.500 0.000000000000          1           1.00\n       \
                    1.250 0.500000000000        500           2.00\n      9.000 1.000000000000       1000            inf\n\
                    #[Mean    =        1.400, StdDeviation   =        0.900]\n";
        let latency = hgrm(text, Some(1e3)).unwrap();
        assert_eq!(latency.quantiles, [(0.0, 0.0005), (0.5, 0.00125), (1.0, 0.009)]);
        assert_eq!(latency.count, Some(1000));
        assert!(hgrm("Value Percentile TotalCount\n5 0.5 1\n4 0.6 2\n", Some(1.0)).is_err());
        assert!(hgrm(text, None).unwrap_err().help.contains("--unit ms"));
        assert_eq!(hgrm(&text.replace("Value ", "Value(ms) "), None).unwrap(), latency);
    }

    #[test]
    fn the_summary_of_oha_has_percentiles() {
        let text = r#"{"summary":{"successRate":1.0,"total":2.0,"slowest":0.5,"fastest":0.001,"average":0.02,"requestsPerSec":50.0},
            "latencyPercentiles":{"p10":0.01,"p50":0.02,"p99":0.3,"p99.9":0.4}}"#;
        let latency = oha(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!((latency.quantiles.len(), latency.count, latency.rate), (6, Some(100), Some(50.0)));
        assert_eq!(latency.quantiles[4].1, 0.4);
    }
}
