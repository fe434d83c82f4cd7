//! `Dist`: a random length of time in a scenario file, "5ms" or `{ dist = "exponential", mean = "4ms" }`.

mod samples;
mod table;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::table::Table;
use super::{Duration, Quantity, QuantityError, Share};
use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;
use crate::model::problems::{Files, Problems};

/// Greatest coefficient of variation of a lognormal time for which intervals of ten trials of 10,000 requests are about
/// right: at 2 those of the mean response time in front of one core cover 90 %, at 4 they cover 78 %.
const CV_MAX: f64 = 2.5;

/// A length of time that may be random: a plain duration is constant, a table names a distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Dist(Law);

#[derive(Clone, Debug, PartialEq)]
enum Law {
    Constant(Duration),
    Random(Random),
}

/// A distribution and its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "dist", rename_all = "lowercase")]
#[schemars(deny_unknown_fields)]
enum Random {
    /// Every time between two limits is as likely.
    Uniform { min: Duration, max: Duration },
    /// No memory: the time still to go does not depend on the time gone by.
    Exponential { mean: Duration },
    /// The sum of k exponential times.
    Erlang { mean: Duration, k: u32 },
    /// By mean and coefficient of variation (standard deviation / mean).
    Gamma { mean: Duration, cv: f64 },
    /// By mean and coefficient of variation (standard deviation / mean).
    Lognormal { mean: Duration, cv: f64 },
    /// A mixture of two exponentials with balanced means; coefficient of variation at least 1.
    Hyperexponential { mean: Duration, cv: f64 },
    /// Heavy tail: P(X > x) falls as x to the power of -shape. Shape above 1; the variance is infinite up to 2.
    Pareto { mean: Duration, shape: f64 },
    /// Shape 1 is exponential, less is more variable.
    Weibull { mean: Duration, shape: f64 },
    /// Measured quantiles, straight lines between them: `[["0%", "1ms"], ["50%", "5ms"], ["100%", "80ms"]]`. What
    /// lies below the first is as long as the first, what lies above the last is as long as the last.
    #[serde(rename = "empirical")]
    Quantiles { quantiles: Vec<(Share, Duration)> },
    /// Measured samples: a file with a duration, or a number in `unit`, on each line. `column` is the name of the column
    /// or its number from 1. Default of `unit`: what the name of the column says, such as `duration_ms`, else seconds.
    #[serde(rename = "empirical")]
    File {
        file: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        column: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        #[serde(skip)]
        samples: Vec<SimDuration>,
    },
}

impl Dist {
    /// A constant time.
    #[must_use]
    pub fn constant(time: SimDuration) -> Dist {
        Dist(Law::Constant(Duration(time)))
    }

    /// An exponential distribution with this mean.
    ///
    /// # Panics
    /// If the mean is zero.
    #[must_use]
    pub fn exponential(mean: SimDuration) -> Dist {
        assert!(!mean.is_zero(), "an exponential time has a mean above zero");
        Dist(Law::Random(Random::Exponential { mean: Duration(mean) }))
    }

    /// The sampler, which gives seconds.
    ///
    /// # Panics
    /// If the samples of a file have not been read: call [`Dist::resolve`] first.
    #[must_use]
    pub fn variate(&self) -> Variate {
        match &self.0 {
            Law::Constant(time) => Variate::constant(time.0.as_secs_f64()),
            Law::Random(random) => random.variate(),
        }
    }

    /// Mean in seconds; 0 until the samples of a file have been read.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match &self.0 {
            Law::Random(Random::File { samples, .. }) if samples.is_empty() => 0.0,
            _ => self.variate().mean(),
        }
    }

    /// Whether it names a file of samples that has not been read.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(&self.0, Law::Random(Random::File { samples, .. }) if samples.is_empty())
    }

    /// A warning that users should read before they trust the results; `None` if there is none.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        match &self.0 {
            Law::Random(Random::Pareto { shape, .. }) if *shape <= 2.0 => Some(format!(
                "a pareto with shape {shape} has an infinite variance, so that confidence intervals are not valid"
            )),
            Law::Random(Random::Pareto { shape, .. }) if *shape <= 3.0 => Some(format!(
                "the wait behind times of a pareto with shape {shape} has an infinite variance, so that the intervals of its \
                 mean are not valid"
            )),
            Law::Random(Random::Lognormal { cv, .. }) if *cv > CV_MAX => Some(format!(
                "with a `cv` of {cv} a few very long times decide the mean wait: its intervals are too short unless there are \
                 millions of requests"
            )),
            Law::Random(Random::Quantiles { quantiles }) => {
                let (share, time) = quantiles.last().filter(|(share, _)| share.0 < 1.0)?;
                Some(format!("the quantiles end at {share}: no time will be longer than {time}"))
            }
            _ => None,
        }
    }

    /// Reads the file of samples if the distribution names one. `key` is the key of the distribution in the table of
    /// its box, for messages.
    pub fn resolve(&mut self, key: &str, files: &dyn Files, problems: &mut Problems) {
        let Law::Random(Random::File { file, column, unit, samples }) = &mut self.0 else { return };
        let layout = (column.as_deref(), unit.as_deref());
        match files.read(file).and_then(|text| samples::read(file, &text, layout)) {
            Ok((read, doubt)) => {
                *samples = read;
                if let Some(doubt) = doubt {
                    problems.warn(format!("{key}.file"), doubt, "say so by `unit`, such as unit = \"ms\"");
                }
            }
            Err(message) => {
                let help = "each line holds one duration or number of seconds; # starts a comment";
                problems.error(format!("{key}.file"), message, help);
            }
        }
    }
}

impl Random {
    fn variate(&self) -> Variate {
        let secs = |time: &Duration| time.0.as_secs_f64();
        match self {
            Random::Uniform { min, max } => Variate::uniform(secs(min), secs(max)),
            Random::Exponential { mean } => Variate::exponential(secs(mean)),
            Random::Erlang { mean, k } => Variate::erlang(secs(mean), *k),
            Random::Gamma { mean, cv } => Variate::gamma(secs(mean), *cv),
            Random::Lognormal { mean, cv } => Variate::lognormal(secs(mean), *cv),
            Random::Hyperexponential { mean, cv } => Variate::hyperexponential(secs(mean), *cv),
            Random::Pareto { mean, shape } => Variate::pareto(secs(mean), *shape),
            Random::Weibull { mean, shape } => Variate::weibull(secs(mean), *shape),
            Random::Quantiles { quantiles } => Variate::quantiles(&with_ends(quantiles)),
            Random::File { samples, .. } => {
                let secs: Vec<f64> = samples.iter().map(|sample| sample.as_secs_f64()).collect();
                Variate::samples(&secs)
            }
        }
    }
}

/// The quantiles as points (probability, seconds), extended to reach from 0 to 1.
fn with_ends(quantiles: &[(Share, Duration)]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> =
        quantiles.iter().map(|(share, time)| (share.0, time.0.as_secs_f64())).collect();
    let (first, last) = (points[0], points[points.len() - 1]);
    if first.0 > 0.0 {
        points.insert(0, (0.0, first.1));
    }
    if last.0 < 1.0 {
        points.push((1.0, last.1));
    }
    points
}

impl<'de> Deserialize<'de> for Dist {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dist, D::Error> {
        deserializer.deserialize_any(DistVisitor)
    }
}

struct DistVisitor;

impl<'de> Visitor<'de> for DistVisitor {
    type Value = Dist;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"5ms\" or { dist = \"exponential\", mean = \"5ms\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Dist, E> {
        let time = text.parse::<Duration>().map_err(E::custom)?;
        Ok(Dist(Law::Constant(time)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Dist, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Dist, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Dist, E> {
        let time = Duration::from_number(number).map_err(E::custom)?;
        Ok(Dist(Law::Constant(time)))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Dist, M::Error> {
        let random = Table::read(map)?.into_random().map_err(de::Error::custom)?;
        Ok(Dist(Law::Random(random)))
    }
}

impl Serialize for Dist {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Law::Constant(time) => time.serialize(serializer),
            Law::Random(random) => random.serialize(serializer),
        }
    }
}

impl fmt::Display for Dist {
    /// As a scenario file writes it, without the quotes around a plain duration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let random = match &self.0 {
            Law::Constant(time) => return write!(f, "{time}"),
            Law::Random(random) => random,
        };
        let mut text = String::new();
        random.serialize(toml::ser::ValueSerializer::new(&mut text)).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl FromStr for Dist {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Dist, QuantityError> {
        if !text.trim_start().starts_with('{') {
            return text.parse().map(|time| Dist(Law::Constant(time)));
        }
        let table = toml::de::ValueDeserializer::parse(text.trim()).and_then(Dist::deserialize);
        table.map_err(|error| QuantityError::new(error.message()))
    }
}

impl JsonSchema for Dist {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a duration, or a table that names a distribution and its parameters",
            "anyOf": [Duration::json_schema(generator), Random::json_schema(generator)],
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn dist(text: &str) -> Dist {
        text.parse().expect(text)
    }

    fn refusal(text: &str) -> String {
        text.parse::<Dist>().expect_err(text).to_string()
    }

    #[test]
    fn every_distribution_is_read_and_printed() {
        for text in [
            "5ms",
            "{ dist = \"uniform\", min = \"1ms\", max = \"4ms\" }",
            "{ dist = \"exponential\", mean = \"4ms\" }",
            "{ dist = \"erlang\", mean = \"4ms\", k = 3 }",
            "{ dist = \"gamma\", mean = \"4ms\", cv = 0.5 }",
            "{ dist = \"lognormal\", mean = \"4ms\", cv = 2.0 }",
            "{ dist = \"hyperexponential\", mean = \"4ms\", cv = 2.0 }",
            "{ dist = \"pareto\", mean = \"4ms\", shape = 2.5 }",
            "{ dist = \"weibull\", mean = \"4ms\", shape = 0.7 }",
            "{ dist = \"empirical\", quantiles = [[\"50%\", \"5ms\"], [\"100%\", \"80ms\"]] }",
            "{ dist = \"empirical\", file = \"x.csv\" }",
            "{ dist = \"empirical\", file = \"x.csv\", column = \"2\", unit = \"ms\" }",
        ] {
            assert_eq!(dist(text).to_string(), text);
        }
    }

    #[test]
    fn refusals_name_the_right_parameters() {
        for (table, message) in [
            (r#"mean = "4ms""#, r#"a distribution needs its name: dist = "exponential""#),
            (
                r#"dist = "exponental", mean = "4ms""#,
                r#"unknown distribution "exponental"; did you mean "exponential"?"#,
            ),
            (
                r#"dist = "constant", mean = "4ms""#,
                r#"unknown distribution "constant"; a constant time is a plain duration: "5ms""#,
            ),
            (
                r#"dist = "normal", mean = "4ms", sd = "1ms""#,
                r#"unknown distribution "normal"; no time is negative: take lognormal or gamma, with mean and cv"#,
            ),
            (r#"dist = "gamma", mean = "4ms""#, r#"dist = "gamma" takes mean and cv; cv is missing"#),
            (r#"dist = "exponential", mean = "4ms", cv = 1"#, r#"dist = "exponential" takes mean, not cv"#),
            (r#"dist = "empirical""#, r#"dist = "empirical" takes either file or quantiles"#),
            (r#"dist = "gamma", mena = "4ms""#, r#"unknown parameter "mena"; did you mean "mean"?"#),
            (r#"dist = "gamma", mean = "0ms", cv = 1"#, "mean must be above zero"),
            (r#"dist = "gamma", mean = 4, cv = 1"#, r#"a duration needs a unit: "4ms" or "4s""#),
            (r#"dist = "gamma", mean = "4ms", cv = 0"#, "cv is between 0.01 and 100, found 0"),
            (r#"dist = "gamma", mean = "4ms", cv = nan"#, "cv is between 0.01 and 100, found NaN"),
            (r#"dist = "hyperexponential", mean = "4ms", cv = 0.5"#, "cv is between 1 and 100, found 0.5"),
            (
                r#"dist = "erlang", mean = "4ms", k = 2.5"#,
                "k is a whole number between 1 and 1000, found 2.5",
            ),
            (r#"dist = "erlang", mean = "4ms", k = 0"#, "k is a whole number between 1 and 1000, found 0"),
            (
                r#"dist = "pareto", mean = "4ms", shape = 1"#,
                "a pareto with shape 1 has no finite mean; its shape is above 1",
            ),
            (r#"dist = "uniform", min = "4ms", max = "1ms""#, r#"min is above max: "4ms" > "1ms""#),
            (r#"dist = "empirical", quantiles = []"#, "quantiles is empty"),
            (
                r#"dist = "empirical", quantiles = [["9%", "2s"], ["9%", "3s"]]"#,
                "quantiles must ascend, but 9% 2s is followed by 9% 3s",
            ),
            (
                r#"dist = "empirical", quantiles = [["9%", "2s"], ["10%", "1s"]]"#,
                "quantiles must ascend, but 9% 2s is followed by 10% 1s",
            ),
        ] {
            assert_eq!(refusal(&format!("{{ {table} }}")), message, "{table}");
        }
        assert_eq!(refusal("5"), r#"a duration needs a unit: "5ms" or "5s""#);
    }

    #[test]
    fn errors_point_at_the_key_or_the_value() {
        fn span(text: &str) -> &str {
            let table = toml::from_str::<BTreeMap<String, Dist>>(text);
            &text[table.expect_err(text).span().expect("it has a place")]
        }
        assert_eq!(span(r#"cpu = { dist = "gamma", mena = "4ms" }"#), "mena");
        assert_eq!(span(r#"cpu = { dist = "gamma", mean = "4 ms.", cv = 1 }"#), r#""4 ms.""#);
        assert_eq!(span("cpu = 5"), "5");
    }

    #[test]
    fn doubtful_distributions_warn() {
        let pareto =
            |shape: f64| dist(&format!("{{ dist = \"pareto\", mean = \"4ms\", shape = {shape:?} }}"));
        let begins =
            |shape: f64, words: &str| pareto(shape).warning().is_some_and(|text| text.starts_with(words));
        assert!(begins(2.0, "a pareto with shape 2 has an infinite variance"));
        assert!(begins(3.0, "the wait behind times of a pareto with shape 3 has an infinite variance"));
        assert_eq!(pareto(3.1).warning(), None);
        let cut = dist(r#"{ dist = "empirical", quantiles = [["50%", "5ms"], ["99%", "80ms"]] }"#);
        assert_eq!(cut.warning(), Some("the quantiles end at 99%: no time will be longer than 80ms".into()));
    }

    #[test]
    fn samplers_have_the_mean_and_the_variation_that_were_asked_for() {
        for (text, mean, cv2) in [
            (r#""#, 0.005, 0.0),
            (r#"dist = "uniform", min = "0s", max = "2s""#, 1.0, 1.0 / 3.0),
            (r#"dist = "exponential", mean = "4ms""#, 0.004, 1.0),
            (r#"dist = "erlang", mean = "2s", k = 4"#, 2.0, 0.25),
            (r#"dist = "gamma", mean = "2s", cv = 0.5"#, 2.0, 0.25),
            (r#"dist = "lognormal", mean = "2s", cv = 3"#, 2.0, 9.0),
            (r#"dist = "hyperexponential", mean = "2s", cv = 3"#, 2.0, 9.0),
            (r#"dist = "pareto", mean = "2s", shape = 3"#, 2.0, 1.0 / 3.0),
            (r#"dist = "weibull", mean = "2s", shape = 1"#, 2.0, 1.0),
            // Half of the times are 1 s, a quarter is spread between 1 s and 3 s, a quarter is 3 s.
            (r#"dist = "empirical", quantiles = [["50%", "1s"], ["75%", "3s"]]"#, 1.75, 37.0 / 147.0),
        ] {
            let dist = if text.is_empty() { dist("5ms") } else { dist(&format!("{{ {text} }}")) };
            let variate = dist.variate();
            assert!((variate.mean() - mean).abs() < 1e-12 * mean, "{dist}: mean {}", variate.mean());
            assert!((variate.cv2() - cv2).abs() < 1e-9, "{dist}: cv2 {}", variate.cv2());
        }
    }

    struct OneFile(&'static str);

    impl Files for OneFile {
        fn read(&self, path: &str) -> Result<String, String> {
            if path == "x.csv" { Ok(self.0.into()) } else { Err(format!("there is no {path:?}")) }
        }
    }

    fn resolved(file: &str, text: &'static str) -> (Dist, Problems) {
        let mut problems = Problems::default();
        let mut empirical = dist(&format!("{{ dist = \"empirical\", file = {file:?} }}"));
        empirical.resolve("steps[0].cpu", &OneFile(text), &mut problems);
        (empirical, problems)
    }

    #[test]
    fn samples_are_read_from_their_file() {
        let (empirical, problems) = resolved("x.csv", "\u{feff}# measured\r\n5ms\r\n\r\n0.25\r\n");
        assert!(problems.items.is_empty());
        assert_eq!(empirical.variate().mean(), 0.1275);
        let Law::Random(Random::File { samples, .. }) = empirical.0 else { panic!("it is still a file") };
        assert_eq!(samples, [SimDuration::from_millis(5), SimDuration::from_millis(250)]);
        for (file, text, message) in [
            ("y.csv", "", r#"there is no "y.csv""#),
            ("x.csv", "# nothing", r#""x.csv": no line with numbers"#),
            ("x.csv", "a,b\n1,2", r#""x.csv" has 2 columns: say which, such as column = "a""#),
            ("x.csv", "1\nfast", r#"line 2 of "x.csv": expected a duration such as "5ms", found "fast""#),
            ("x.csv", "-1", r#"line 1 of "x.csv": a duration must not be negative, found "-1""#),
        ] {
            let (_, problems) = resolved(file, text);
            assert_eq!(
                (problems.items[0].key.as_str(), problems.items[0].message.as_str()),
                ("steps[0].cpu.file", message)
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            name in select(vec!["gamma", "lognormal", "hyperexponential", "pareto", "weibull"]),
            nanos in 1..u64::MAX,
            number in 1.001..100.0,
        ) {
            let parameter = if matches!(name, "pareto" | "weibull") { "shape" } else { "cv" };
            let text = format!("{{ dist = \"{name}\", mean = \"{nanos}ns\", {parameter} = {number:?} }}");
            let read = dist(&text);
            prop_assert_eq!(read.to_string().parse(), Ok(read));
        }
    }
}
