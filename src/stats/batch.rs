//! Batch means of a series of unknown length in bounded memory.

/// Greatest number of batches held. When it is reached, neighbours merge: half the number remain, each twice as long.
pub const BATCHES_MAX: usize = 512;

/// Sums of consecutive batches of equal length. From the 256th value on there are always 256 to 512 batches.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchMeans {
    sums: Vec<f64>,
    length: u64,
    open_sum: f64,
    open_count: u64,
}

impl Default for BatchMeans {
    fn default() -> BatchMeans {
        BatchMeans { sums: Vec::new(), length: 1, open_sum: 0.0, open_count: 0 }
    }
}

impl BatchMeans {
    /// Adds the next value of the series.
    #[inline]
    pub fn record(&mut self, value: f64) {
        self.open_sum += value;
        self.open_count += 1;
        if self.open_count == self.length {
            self.close_batch();
        }
    }

    fn close_batch(&mut self) {
        if self.sums.len() == BATCHES_MAX {
            // The batch just completed has the old length: it becomes the first half of the open batch.
            self.sums = self.sums.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
            self.length *= 2;
        } else {
            self.sums.push(self.open_sum);
            (self.open_sum, self.open_count) = (0.0, 0);
        }
    }

    /// Values in each batch, a power of two.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The means of the complete batches, in order. The last, incomplete batch is left out; it is less than 1/256 of
    /// the series.
    #[must_use]
    pub fn means(&self) -> Vec<f64> {
        self.sums.iter().map(|sum| sum / self.length as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_the_series_cut_in_equal_parts() {
        let mut batches = BatchMeans::default();
        for count in 1..=100_000u64 {
            batches.record(count as f64);
            let held = batches.sums.len();
            assert!(held <= BATCHES_MAX && held as u64 >= count.min(256));
            assert!(count - held as u64 * batches.length() <= batches.length());
        }
        let length = batches.length();
        assert_eq!(length, 256);
        for (index, mean) in batches.means().into_iter().enumerate() {
            let first = index as u64 * length + 1;
            assert_eq!(mean, (first + first + length - 1) as f64 / 2.0);
        }
    }
}
