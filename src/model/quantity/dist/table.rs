//! The table of a distribution in a scenario file, and the check that its parameters fit together.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::super::{Duration, Quantity, Share, nearest};
use super::Random;

/// The parameters of each distribution. `empirical` takes one of its two; all others take all of theirs.
const PARAMETERS: [(&str, &[&str]); 9] = [
    ("uniform", &["min", "max"]),
    ("exponential", &["mean"]),
    ("erlang", &["mean", "k"]),
    ("gamma", &["mean", "cv"]),
    ("lognormal", &["mean", "cv"]),
    ("hyperexponential", &["mean", "cv"]),
    ("pareto", &["mean", "shape"]),
    ("weibull", &["mean", "shape"]),
    ("empirical", &["file", "quantiles", "column", "unit"]),
];

/// All keys that the table of a distribution may have.
const KEYS: [&str; 11] =
    ["dist", "mean", "min", "max", "k", "cv", "shape", "file", "quantiles", "column", "unit"];

/// Highest coefficient of variation, against typing errors; no measured quantity comes near it.
const CV_MAX: f64 = 100.0;
const SHAPE_MAX: f64 = 1_000.0;
const K_MAX: f64 = 1_000.0;
/// Lowest coefficient of variation; anything below is practically constant.
const CV_MIN: f64 = 0.01;

/// The entries of a table, before it is checked that they fit together.
#[derive(Default)]
pub(super) struct Table {
    dist: Option<String>,
    mean: Option<Duration>,
    min: Option<Duration>,
    max: Option<Duration>,
    k: Option<f64>,
    cv: Option<f64>,
    shape: Option<f64>,
    file: Option<String>,
    quantiles: Option<Vec<(Share, Duration)>>,
    column: Option<String>,
    unit: Option<String>,
    /// The parameters that are present, in their order.
    given: Vec<&'static str>,
}

impl Table {
    /// Reads all entries. Errors point at the key or at the value.
    pub(super) fn read<'de, M: MapAccess<'de>>(mut map: M) -> Result<Table, M::Error> {
        let mut table = Table::default();
        while let Some(Key(key)) = map.next_key()? {
            match key {
                "dist" => {
                    let dist: String = map.next_value()?;
                    // Parameters of a distribution that is not known would only be further errors.
                    if !PARAMETERS.iter().any(|(name, _)| *name == dist) {
                        return Err(de::Error::custom(unknown_distribution(&dist)));
                    }
                    table.dist = Some(dist);
                }
                "mean" => table.mean = Some(map.next_value()?),
                "min" => table.min = Some(map.next_value()?),
                "max" => table.max = Some(map.next_value()?),
                "k" => table.k = Some(map.next_value()?),
                "cv" => table.cv = Some(map.next_value()?),
                "shape" => table.shape = Some(map.next_value()?),
                "file" => table.file = Some(map.next_value()?),
                "column" => table.column = Some(map.next_value()?),
                "unit" => table.unit = Some(map.next_value()?),
                _ => table.quantiles = Some(map.next_value()?),
            }
            if key != "dist" {
                table.given.push(key);
            }
        }
        Ok(table)
    }

    /// The name of the distribution, after checking that all of its parameters are present and no others.
    fn checked_name(&self) -> Result<&'static str, String> {
        let Some(dist) = self.dist.as_deref() else {
            return Err("a distribution needs its name: dist = \"exponential\"".into());
        };
        let found = PARAMETERS.iter().find(|(name, _)| *name == dist);
        let (name, parameters) = found.ok_or_else(|| unknown_distribution(dist))?;
        let either = *name == "empirical";
        let list = if either { "file or quantiles".into() } else { parameters.join(" and ") };
        if let Some(extra) = self.given.iter().find(|key| !parameters.contains(key)) {
            return Err(format!("dist = \"{name}\" takes {list}, not {extra}"));
        }
        if either && self.file.is_some() == self.quantiles.is_some() {
            return Err(format!("dist = \"{name}\" takes either {list}"));
        }
        if self.quantiles.is_some() && (self.column.is_some() || self.unit.is_some()) {
            return Err("`column` and `unit` go with `file`".into());
        }
        match parameters.iter().find(|key| !either && !self.given.contains(key)) {
            Some(missing) => Err(format!("dist = \"{name}\" takes {list}; {missing} is missing")),
            None => Ok(name),
        }
    }

    /// The distribution, after checking that it is known, has the parameters that it takes, and each is in its range.
    pub(super) fn into_random(self) -> Result<Random, String> {
        let name = self.checked_name()?;
        // Required parameters are present by now; defaults below are for parameters that the distribution does not use.
        if self.mean.is_some_and(|mean| mean.0.is_zero()) {
            return Err("mean must be above zero".into());
        }
        let mean = self.mean.unwrap_or_default();
        let cv = |min: f64| in_range("cv", self.cv, min, CV_MAX);
        Ok(match name {
            "uniform" => self.uniform()?,
            "exponential" => Random::Exponential { mean },
            "erlang" => Random::Erlang { mean, k: self.stages()? },
            "gamma" => Random::Gamma { mean, cv: cv(CV_MIN)? },
            "lognormal" => Random::Lognormal { mean, cv: cv(CV_MIN)? },
            "hyperexponential" => Random::Hyperexponential { mean, cv: cv(1.0)? },
            "pareto" => Random::Pareto { mean, shape: self.pareto_shape()? },
            "weibull" => Random::Weibull { mean, shape: in_range("shape", self.shape, 0.1, SHAPE_MAX)? },
            _ => self.empirical()?,
        })
    }

    fn uniform(&self) -> Result<Random, String> {
        let (min, max) = (self.min.unwrap_or_default(), self.max.unwrap_or_default());
        if min > max {
            return Err(format!("min is above max: \"{min}\" > \"{max}\""));
        }
        Ok(Random::Uniform { min, max })
    }

    fn stages(&self) -> Result<u32, String> {
        let k = self.k.unwrap_or_default();
        if k.fract() != 0.0 || !(1.0..=K_MAX).contains(&k) {
            return Err(format!("k is a whole number between 1 and {K_MAX}, found {k}"));
        }
        Ok(k as u32)
    }

    fn pareto_shape(&self) -> Result<f64, String> {
        match self.shape {
            Some(shape) if shape <= 1.0 => {
                Err(format!("a pareto with shape {shape} has no finite mean; its shape is above 1"))
            }
            shape => in_range("shape", shape, 1.0, SHAPE_MAX),
        }
    }

    fn empirical(self) -> Result<Random, String> {
        if let Some(file) = self.file {
            let known = self.unit.as_deref().is_none_or(|unit| Duration::UNITS.contains(&unit));
            if !known {
                return Err(format!("unit is one of {}", Duration::UNITS.join(", ")));
            }
            return Ok(Random::File { file, column: self.column, unit: self.unit, samples: Vec::new() });
        }
        let quantiles = self.quantiles.unwrap_or_default();
        if quantiles.is_empty() {
            return Err("quantiles is empty".into());
        }
        let falls = quantiles.windows(2).find(|pair| pair[0].0 >= pair[1].0 || pair[0].1 > pair[1].1);
        if let Some([(share, time), (next_share, next_time)]) = falls {
            return Err(format!(
                "quantiles must ascend, but {share} {time} is followed by {next_share} {next_time}"
            ));
        }
        Ok(Random::Quantiles { quantiles })
    }
}

/// The value of a parameter if it lies between `min` and `max`. NaN does not.
fn in_range(key: &str, value: Option<f64>, min: f64, max: f64) -> Result<f64, String> {
    let value = value.unwrap_or_default();
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(format!("{key} is between {min} and {max}, found {value}"))
}

fn unknown_distribution(name: &str) -> String {
    let names = PARAMETERS.map(|(name, _)| name);
    let help = match nearest(name, &names) {
        _ if name == "constant" => "a constant time is a plain duration: \"5ms\"".into(),
        _ if matches!(name, "normal" | "gaussian") => {
            "no time is negative: take lognormal or gamma, with mean and cv".into()
        }
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => format!("there are: {}", names.join(", ")),
    };
    format!("unknown distribution {name:?}; {help}")
}

/// A key of the table. It is checked while it is read, so that the error points at it.
struct Key(&'static str);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a parameter of a distribution")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
        if let Some(known) = KEYS.iter().find(|known| **known == key) {
            return Ok(Key(known));
        }
        let help = match nearest(key, &KEYS) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None => format!("there are: {}", KEYS.join(", ")),
        };
        Err(E::custom(format!("unknown parameter {key:?}; {help}")))
    }
}
