//! A row of numbers as a line of small bars.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars for at most `width` groups of neighbouring values. A bar shows the highest value of its group, so that a short
/// peak does not vanish in an average. The lowest bar is zero.
#[must_use]
pub fn sparkline(values: &[f64], width: usize) -> String {
    let highest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let columns = values.len().min(width);
    let group =
        |column: usize| &values[column * values.len() / columns..(column + 1) * values.len() / columns];
    let peak =
        |column: usize| group(column).iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let level = |value: f64| if highest > 0.0 { (value / highest * 7.0).round() as usize } else { 0 };
    (0..columns).map(|column| BLOCKS[level(peak(column))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_follow_the_values() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[0.0, 0.0], 8), "▁▁");
        assert_eq!(sparkline(&[], 8), "");
    }

    #[test]
    fn a_peak_survives_where_there_is_no_room() {
        let mut values = [1.0; 600];
        values[299] = 10.0;
        let line = sparkline(&values, 60);
        assert_eq!((line.chars().count(), line.chars().filter(|block| *block == '█').count()), (60, 1));
        assert_eq!(sparkline(&[f64::NAN, 1.0], 2), "▁█");
    }
}
