//! `Regression`: how much of a box's busy time each unit of work costs, from windows in which both were measured.

use crate::kernel::random::{Seed, Stream, unit_open};
use crate::stats::least_squares::Normal;

/// Number of windows in a block of the bootstrap: about half an hour of minutes, within which loads are alike.
const BLOCK: usize = 30;

/// Least number of blocks in the data; where there are fewer windows the blocks are shorter.
const BLOCKS_MIN: usize = 20;

/// Number of resampled regressions. The ends of a 95 % interval then lie at the 25th and the 975th.
const RESAMPLES: usize = 999;

/// Number of windows by which the clocks of the two measurements may differ, either way.
pub const LAG_MAX: i32 = 10;

/// How much less a shift of the clocks must leave over, as a share, to be believed.
const LAG_GAIN: f64 = 0.02;

/// Least number of windows for each column.
const WINDOWS_PER_COLUMN: usize = 5;

/// A number with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitEstimate")]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Work and busy time of a box, window by window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows {
    /// For each window the work a second of each sort.
    pub work: Vec<Vec<f64>>,
    /// For each window the busy cores; none where the window is left out.
    pub busy: Vec<Option<f64>>,
}

/// What a unit of each sort of work costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// Core seconds of a unit of each sort of work.
    pub costs: Vec<Estimate>,
    /// Busy cores without any work; none where it cannot be told from 0, and so is left out.
    pub base: Option<Estimate>,
    /// Condition number of the columns; see [`Normal::condition`].
    pub condition: f64,
    /// Number of windows by which the busy times are late.
    pub lag: i32,
    /// Number of windows that were used.
    pub windows: usize,
    /// The share of the variation of the busy times that the work explains, 0..1.
    pub explained: f64,
}

impl Windows {
    /// Finds the costs. All have to be at least 0, so that no sort of work can pay for another.
    ///
    /// # Errors
    /// A message that says that there are too few windows.
    pub fn regress(&self, seed: u64) -> Result<Regression, String> {
        let sorts = self.work.first().map_or(0, Vec::len);
        let needed = WINDOWS_PER_COLUMN * (sorts + 1);
        let used = self.rows(0, true).len();
        if used < needed {
            return Err(format!(
                "{used} windows have both a load and a busy time: {} costs need at least {needed}",
                sorts + 1
            ));
        }
        let lag = self.lag();
        let mut rows = self.rows(lag, true);
        let mut x = sums(&rows).solve();
        let mut found = intervals(&rows, &x, seed);
        let base = found.pop().filter(|base| base.low > 0.0);
        if base.is_none() {
            // A base load that may be nothing would take from the costs what it wrongly has.
            rows = self.rows(lag, false);
            x = sums(&rows).solve();
            found = intervals(&rows, &x, seed);
        }
        let whole = sums(&rows);
        let mean = rows.iter().map(|(_, y)| y).sum::<f64>() / rows.len() as f64;
        let all: f64 = rows.iter().map(|(_, y)| (y - mean) * (y - mean)).sum();
        let explained = if all > 0.0 { (1.0 - whole.residual(&x) / all).max(0.0) } else { 0.0 };
        Ok(Regression {
            costs: found,
            base,
            condition: whole.condition(),
            lag,
            windows: rows.len(),
            explained,
        })
    }

    /// The rows of the regression when the busy times are `lag` windows late, with a column of the base load or without.
    fn rows(&self, lag: i32, has_base: bool) -> Vec<(Vec<f64>, f64)> {
        let row = |(at, work): (usize, &Vec<f64>)| {
            let late = i64::try_from(at).ok()? + i64::from(lag);
            let busy = (*self.busy.get(usize::try_from(late).ok()?)?)?;
            Some((work.iter().copied().chain(has_base.then_some(1.0)).collect(), busy))
        };
        self.work.iter().enumerate().filter_map(row).collect()
    }

    /// The shift of the clocks that leaves least over; 0 unless another one is better by more than [`LAG_GAIN`].
    fn lag(&self) -> i32 {
        let left = |lag: i32| {
            let rows = self.rows(lag, true);
            let normal = sums(&rows);
            normal.residual(&normal.solve()) / rows.len().max(1) as f64
        };
        let none = left(0);
        let best = (-LAG_MAX..=LAG_MAX).map(|lag| (left(lag), lag)).min_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|(least, _)| *least < none * (1.0 - LAG_GAIN)).map_or(0, |(_, lag)| lag)
    }
}

fn sums(rows: &[(Vec<f64>, f64)]) -> Normal {
    let mut normal = Normal::new(rows.first().map_or(0, |(row, _)| row.len()));
    rows.iter().for_each(|(row, y)| normal.add(row, *y));
    normal
}

/// The 95 % interval of each column by the bootstrap of moving blocks (Kunsch 1989): windows that follow each other are alike,
/// and so are drawn together.
fn intervals(rows: &[(Vec<f64>, f64)], x: &[f64], seed: u64) -> Vec<Estimate> {
    let length = BLOCK.min(rows.len() / BLOCKS_MIN).max(1);
    let blocks = blocks(rows, length);
    let count = rows.len().div_ceil(length);
    let mut stream = Seed::new(seed).stream("fit", "bootstrap");
    let mut found: Vec<Vec<f64>> = vec![Vec::with_capacity(RESAMPLES); x.len()];
    for _ in 0..RESAMPLES {
        let mut sum = Normal::new(x.len());
        (0..count).for_each(|_| sum.merge(&blocks[draw(&mut stream, blocks.len())]));
        found.iter_mut().zip(sum.solve()).for_each(|(of, x)| of.push(x));
    }
    let ends = found.into_iter().zip(x).map(|(mut of, value)| {
        of.sort_by(f64::total_cmp);
        // With few blocks their own spread is too small by sqrt(n / (n - 1)).
        let wider = (count as f64 / (count as f64 - 1.0).max(1.0)).sqrt();
        let low = value - (value - of[RESAMPLES / 40]) * wider;
        let high = value + (of[RESAMPLES - 1 - RESAMPLES / 40] - value) * wider;
        Estimate { value: *value, low: low.max(0.0), high }
    });
    ends.collect()
}

/// The sums of each block of `length` rows, wherever it begins; the last ones go on at the first row.
fn blocks(rows: &[(Vec<f64>, f64)], length: usize) -> Vec<Normal> {
    let block = |from: usize| {
        let mut normal = Normal::new(rows[0].0.len());
        (from..from + length).map(|at| &rows[at % rows.len()]).for_each(|(row, y)| normal.add(row, *y));
        normal
    };
    (0..rows.len()).map(block).collect()
}

fn draw(stream: &mut Stream, below: usize) -> usize {
    ((unit_open(stream) * below as f64) as usize).min(below - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_windows_are_refused() {
        let windows = Windows { work: vec![vec![1.0, 2.0]; 14], busy: vec![Some(1.0); 14] };
        assert!(windows.regress(1).is_err_and(|message| message.contains("at least 15")));
    }
}
