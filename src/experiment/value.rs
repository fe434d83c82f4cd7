//! `Figure` and `Named`: what every part of a result is made of.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// One figure: its mean over trials, or the pooled value of a percentile, with a 95 % interval.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Figure {
    /// Mean over trials; of a percentile the pooled value. `None` when nothing was measured, or too little.
    pub mean: Option<f64>,
    /// Half of the width of the 95 % interval; `None` when there is no ground for an interval.
    pub half_width: Option<f64>,
    /// Lower end of the interval of a percentile, which is not symmetric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of the interval of a percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// One value a trial; `None` for a trial that measured nothing.
    pub trials: Vec<Option<f64>>,
}

/// A map that keeps its order: classes and components stand as in the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Named<T> {
    /// The entry of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Names and values in order.
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
