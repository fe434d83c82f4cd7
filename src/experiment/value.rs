//! `Figure` and `Named`: the values that results consist of.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A figure with its 95 % interval: a mean over trials, or a percentile over the pooled requests of all trials.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Figure {
    /// The mean over trials; for a percentile, the value over all pooled requests. `None` if too little was measured.
    pub mean: Option<f64>,
    /// Half the width of the 95 % interval; `None` if there are too few trials for an interval.
    pub half_width: Option<f64>,
    /// Lower end of the interval of a percentile, or of a share of rare events. Such an interval is not symmetric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of such an interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// How much stands behind a share or a count of events; absent for other figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rare: Option<Rare>,
    /// The value of each trial; `None` for a trial that measured nothing.
    pub trials: Vec<Option<f64>>,
    /// Of a percentile, the pseudo-value of each trial, by which it is paired with that of another design
    /// ([`crate::stats::quantile`]); empty for other figures.
    #[serde(skip)]
    pub pseudo: Vec<Option<f64>>,
}

impl Figure {
    /// One value a trial that may be paired with those of another design.
    pub(crate) fn pairable(&self) -> &[Option<f64>] {
        if self.pseudo.is_empty() { &self.trials } else { &self.pseudo }
    }
}

/// The evidence behind a share or a count of events, all trials together.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Rare {
    /// Approximate number of independent events, or of clusters of events, by the spread over trials. Of a share above
    /// one half, the events are those that it leaves out: the failures of an availability.
    pub events: f64,
    /// Number of observations: requests, or trials for a count.
    pub of: f64,
}

/// The mean and its interval: `50.2 ± 0.8`, or `120 (115 to 131)` where the interval is not symmetric; `-` where nothing was
/// measured. All numbers have the decimals of the format, as in `{:.1}`.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(mean) = self.mean else { return f.write_str("-") };
        fmt::Display::fmt(&mean, f)?;
        if let Some(half_width) = self.half_width {
            f.write_str(" ± ")?;
            fmt::Display::fmt(&half_width, f)?;
        } else if let (Some(low), Some(high)) = (self.low, self.high) {
            f.write_str(" (")?;
            fmt::Display::fmt(&low, f)?;
            f.write_str(" to ")?;
            fmt::Display::fmt(&high, f)?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// A map that keeps its order: classes and components are in the order of the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Named<T> {
    /// The value with this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Mean, spread and maximum of times whose distribution is not recorded.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Moments {
    /// Arithmetic mean.
    pub mean: Figure,
    /// Standard deviation.
    pub sd: Figure,
    /// The longest of a trial, averaged over trials.
    pub max: Figure,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_printed_with_its_interval() {
        let mean = Figure { mean: Some(50.0), half_width: Some(0.75), ..Figure::default() };
        assert_eq!(format!("{mean:.1}"), "50.0 ± 0.8");
        let percentile = Figure { low: Some(115.0), high: Some(131.0), half_width: None, ..mean };
        assert_eq!(format!("{percentile:.0} {}", Figure::default()), "50 (115 to 131) -");
    }
}
