//! Non-negative least squares: what each unit of several causes contributes to a sum, where nothing can contribute less than
//! nothing.

/// How often the active set changes at most, for each column; beyond it the best so far is given (a circle of rounding errors).
const TURNS_PER_COLUMN: usize = 10;

/// Largest number of sweeps of Jacobi's method; it needs fewer than ten for a dozen columns.
const SWEEPS_MAX: usize = 60;

/// The sums of a least-squares problem: of `y` against `k` columns. Rows can be added in any grouping, so that parts of the data
/// are combined without looking at them again.
#[derive(Clone, Debug, PartialEq)]
pub struct Normal {
    k: usize,
    /// The sums of products of columns, `k` rows of `k`.
    xx: Vec<f64>,
    /// The sums of products of a column and `y`.
    xy: Vec<f64>,
    /// The sum of the squares of `y`.
    yy: f64,
}

impl Normal {
    /// No rows of `k` columns yet.
    #[must_use]
    pub fn new(k: usize) -> Normal {
        Normal { k, xx: vec![0.0; k * k], xy: vec![0.0; k], yy: 0.0 }
    }

    /// Adds a row. It has as many numbers as there are columns.
    pub fn add(&mut self, row: &[f64], y: f64) {
        assert_eq!(row.len(), self.k, "a row has one number for each column");
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row.iter().enumerate() {
                self.xx[i * self.k + j] += a * b;
            }
            self.xy[i] += a * y;
        }
        self.yy += y * y;
    }

    /// Adds the rows of another part of the same problem.
    pub fn merge(&mut self, other: &Normal) {
        self.xx.iter_mut().zip(&other.xx).for_each(|(sum, more)| *sum += more);
        self.xy.iter_mut().zip(&other.xy).for_each(|(sum, more)| *sum += more);
        self.yy += other.yy;
    }

    /// The sum of the squares of what `x` leaves over.
    #[must_use]
    pub fn residual(&self, x: &[f64]) -> f64 {
        let cross: f64 = x.iter().zip(&self.xy).map(|(x, xy)| x * xy).sum();
        let square: f64 = (0..self.k).map(|i| x[i] * self.times(i, x)).sum();
        (self.yy - 2.0 * cross + square).max(0.0)
    }

    /// The non-negative `x` with the least residual (Lawson and Hanson 1974, chapter 23, on the normal equations of columns
    /// scaled to length 1). A column of zeros gets 0.
    #[must_use]
    pub fn solve(&self) -> Vec<f64> {
        let scaled = self.scaled();
        let z = scaled.active_set();
        let lengths = self.lengths();
        z.iter().zip(lengths).map(|(z, length)| if length > 0.0 { z / length } else { 0.0 }).collect()
    }

    /// The condition number of the columns scaled to length 1: the largest singular value divided by the smallest. Beyond 30
    /// columns are hardly told apart (Belsley, Kuh and Welsch 1980); infinite where one is the sum of others.
    #[must_use]
    pub fn condition(&self) -> f64 {
        let values = self.scaled().eigenvalues();
        let most = values.iter().copied().fold(0.0, f64::max);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        // Rounding leaves some 1e-16 of the largest where the least is 0.
        if least > most * 1e-14 { (most / least).sqrt() } else { f64::INFINITY }
    }

    /// The `i`-th row of the sums of products, times `x`.
    fn times(&self, i: usize, x: &[f64]) -> f64 {
        (0..self.k).map(|j| self.xx[i * self.k + j] * x[j]).sum()
    }

    fn lengths(&self) -> Vec<f64> {
        (0..self.k).map(|i| self.xx[i * self.k + i].sqrt()).collect()
    }

    /// The same problem with columns of length 1.
    fn scaled(&self) -> Normal {
        let lengths = self.lengths();
        let one = |i: usize| if lengths[i] > 0.0 { 1.0 / lengths[i] } else { 0.0 };
        let mut scaled = self.clone();
        for i in 0..self.k {
            for j in 0..self.k {
                scaled.xx[i * self.k + j] *= one(i) * one(j);
            }
            scaled.xy[i] *= one(i);
        }
        scaled
    }

    /// Lawson and Hanson's algorithm: columns enter while they would lessen the residual, and leave at 0.
    fn active_set(&self) -> Vec<f64> {
        let mut x = vec![0.0; self.k];
        let mut free = vec![false; self.k];
        let tolerance = 1e-12 * self.xy.iter().fold(0.0, |most: f64, xy| most.max(xy.abs()));
        for _ in 0..TURNS_PER_COLUMN * self.k {
            let gain = |i: usize, x: &[f64]| self.xy[i] - self.times(i, x);
            let best = (0..self.k).filter(|i| !free[*i]).max_by(|a, b| gain(*a, &x).total_cmp(&gain(*b, &x)));
            let Some(best) = best.filter(|best| gain(*best, &x) > tolerance) else { break };
            free[best] = true;
            loop {
                let Some(z) = self.solve_free(&free) else {
                    // The column is a sum of those that are in already.
                    free[best] = false;
                    return x;
                };
                let step =
                    (0..self.k).filter(|i| free[*i] && z[*i] <= 0.0).map(|i| (x[i] / (x[i] - z[i]), i));
                let Some((step, out)) = step.min_by(|a, b| a.0.total_cmp(&b.0)) else {
                    x = z;
                    break;
                };
                x.iter_mut().zip(&z).for_each(|(x, z)| *x += step * (z - *x));
                (x[out], free[out]) = (0.0, false);
                if !free.iter().any(|free| *free) {
                    break;
                }
            }
        }
        x
    }

    /// The least squares of some of the columns, the others at 0, by Cholesky's method; `None` if one depends on others.
    fn solve_free(&self, free: &[bool]) -> Option<Vec<f64>> {
        let of: Vec<usize> = (0..self.k).filter(|i| free[*i]).collect();
        let m = of.len();
        let mut lower = vec![0.0; m * m];
        for a in 0..m {
            for b in 0..=a {
                let inner: f64 = (0..b).map(|c| lower[a * m + c] * lower[b * m + c]).sum();
                let rest = self.xx[of[a] * self.k + of[b]] - inner;
                if a != b {
                    lower[a * m + b] = rest / lower[b * m + b];
                } else if rest > 1e-13 {
                    lower[a * m + a] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        let mut y = vec![0.0; m];
        for a in 0..m {
            let inner: f64 = (0..a).map(|c| lower[a * m + c] * y[c]).sum();
            y[a] = (self.xy[of[a]] - inner) / lower[a * m + a];
        }
        let mut x = vec![0.0; self.k];
        for a in (0..m).rev() {
            let inner: f64 = (a + 1..m).map(|c| lower[c * m + a] * x[of[c]]).sum();
            x[of[a]] = (y[a] - inner) / lower[a * m + a];
        }
        Some(x)
    }

    /// The eigenvalues of the sums of products, by Jacobi's rotations (Golub and Van Loan, section 8.5).
    fn eigenvalues(&self) -> Vec<f64> {
        let k = self.k;
        let mut a = self.xx.clone();
        for _ in 0..SWEEPS_MAX {
            let off: f64 = (0..k)
                .flat_map(|i| (0..i).map(move |j| (i, j)))
                .map(|(i, j)| a[i * k + j] * a[i * k + j])
                .sum();
            if off < 1e-30 {
                break;
            }
            for p in 0..k {
                for q in p + 1..k {
                    rotate(&mut a, k, p, q);
                }
            }
        }
        (0..k).map(|i| a[i * k + i].max(0.0)).collect()
    }
}

/// Turns rows and columns `p` and `q` of a symmetric matrix so that the product of the two becomes 0.
fn rotate(a: &mut [f64], k: usize, p: usize, q: usize) {
    let off = a[p * k + q];
    if off == 0.0 {
        return;
    }
    let tau = (a[q * k + q] - a[p * k + p]) / (2.0 * off);
    let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
    let t = if tau == 0.0 { 1.0 } else { t };
    let c = 1.0 / (1.0 + t * t).sqrt();
    let s = t * c;
    for i in 0..k {
        let (left, right) = (a[i * k + p], a[i * k + q]);
        (a[i * k + p], a[i * k + q]) = (c * left - s * right, s * left + c * right);
    }
    for i in 0..k {
        let (left, right) = (a[p * k + i], a[q * k + i]);
        (a[p * k + i], a[q * k + i]) = (c * left - s * right, s * left + c * right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(rows: &[(&[f64], f64)]) -> Normal {
        let mut normal = Normal::new(rows[0].0.len());
        rows.iter().for_each(|(row, y)| normal.add(row, *y));
        normal
    }

    fn near(found: &[f64], expected: &[f64]) {
        let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(close && found.len() == expected.len(), "{found:?}, not {expected:?}");
    }

    #[test]
    fn exact_data_give_their_causes() {
        let rows: Vec<([f64; 3], f64)> = (0..20)
            .map(|i| {
                let i = f64::from(i);
                ([i % 7.0, 100.0 + i * i, 1.0], 0.005 * (i % 7.0) + 0.04 * (100.0 + i * i) + 0.4)
            })
            .collect();
        let rows: Vec<(&[f64], f64)> = rows.iter().map(|(row, y)| (&row[..], *y)).collect();
        let normal = problem(&rows);
        near(&normal.solve(), &[0.005, 0.04, 0.4]);
        assert!(normal.residual(&normal.solve()) < 1e-9);
        let (mut first, second) = (problem(&rows[..7]), problem(&rows[7..]));
        first.merge(&second);
        near(&first.solve(), &normal.solve());
    }

    #[test]
    fn nothing_is_negative() {
        // Without the bound: 2 and -1. With it: x = (6 + 1) / (4 + 1) on the first alone.
        near(&problem(&[(&[2.0, 1.0], 3.0), (&[1.0, 1.0], 1.0)]).solve(), &[1.4, 0.0]);
        near(&problem(&[(&[1.0, 0.0], -1.0), (&[0.0, 1.0], 2.0)]).solve(), &[0.0, 2.0]);
        near(&problem(&[(&[1.0], -1.0)]).solve(), &[0.0]);
        // All sets of free columns of a problem: the best one that is not negative.
        let rows: [(&[f64], f64); 4] = [
            (&[1.0, 2.0, 3.0], 1.0),
            (&[2.0, 1.0, 1.0], 3.0),
            (&[0.0, 1.0, 4.0], 2.0),
            (&[5.0, 1.0, 0.0], 4.0),
        ];
        let normal = problem(&rows);
        let best = (0..8)
            .map(|set| [set & 1 > 0, set & 2 > 0, set & 4 > 0])
            .filter_map(|free| normal.solve_free(&free))
            .filter(|x| x.iter().all(|x| *x >= 0.0))
            .map(|x| normal.residual(&x))
            .fold(f64::INFINITY, f64::min);
        assert!((normal.residual(&normal.solve()) - best).abs() < 1e-12);
    }

    #[test]
    fn the_condition_is_that_of_the_angle_between_columns() {
        // Two columns of length 1 with a cosine of c have eigenvalues 1 + c and 1 - c.
        let (c, s) = (0.8, 0.6);
        let found = problem(&[(&[1.0, c], 0.0), (&[0.0, s], 0.0)]).condition();
        assert!((found - (1.8f64 / 0.2).sqrt()).abs() < 1e-9, "{found}");
        // Three, of which the first and the last are at right angles: 1 and 1 +- the root of the sum of both squared cosines.
        let (a, b) = (0.6f64, 0.3f64);
        let far = (1.0 - b * b / (1.0 - a * a)).sqrt();
        let rows: [(&[f64], f64); 3] =
            [(&[1.0, a, 0.0], 0.0), (&[0.0, 0.8, b / 0.8], 0.0), (&[0.0, 0.0, far], 0.0)];
        let root = libm::hypot(a, b);
        let found = problem(&rows).condition();
        assert!((found - ((1.0 + root) / (1.0 - root)).sqrt()).abs() < 1e-9, "{found}");
        assert_eq!(problem(&[(&[1.0, 2.0], 0.0), (&[3.0, 6.0], 0.0)]).condition(), f64::INFINITY);
        near(&[problem(&[(&[1.0, 0.0], 0.0), (&[0.0, 9.0], 0.0)]).condition()], &[1.0]);
    }

    #[test]
    fn a_column_that_is_another_one_is_left_out() {
        let found = problem(&[(&[1.0, 2.0], 2.0), (&[3.0, 6.0], 6.0)]).solve();
        assert!((found[0] + 2.0 * found[1] - 2.0).abs() < 1e-9, "{found:?}");
    }
}
