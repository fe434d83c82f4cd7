//! `Series`: what happened in each window of time, averaged over the trials.

/// Averages over trials in windows of time, as a table.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Series {
    /// Length of a window in seconds; the last one of the warm-up may be shorter.
    pub window_s: f64,
    /// Names of the columns; `t_s` is the start of the window, counted from the start of the trial, warm-up included.
    pub columns: Vec<String>,
    /// One row for each window; `None` if nothing was measured.
    pub rows: Vec<Vec<Option<f64>>>,
    /// The lowest and the highest trial of the columns that charts show with a band: a pair for each window.
    #[serde(skip)]
    pub bands: Vec<(&'static str, Vec<(f64, f64)>)>,
}

impl Series {
    /// The lowest and the highest trial of a column in each window; empty where it has no band.
    #[must_use]
    pub fn band(&self, name: &str) -> &[(f64, f64)] {
        self.bands.iter().find(|(known, _)| *known == name).map_or(&[], |(_, ends)| ends)
    }

    /// The values of the column with this name.
    pub fn column(&self, name: &str) -> Option<impl Iterator<Item = Option<f64>>> {
        let at = self.columns.iter().position(|known| known == name)?;
        Some(self.rows.iter().map(move |row| row[at]))
    }
}
