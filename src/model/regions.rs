//! Measured round-trip times between the regions of a provider.

use std::sync::OnceLock;

use crate::kernel::time::SimDuration;

/// Built-in tables; `data/SOURCES.md` gives their sources.
const AWS: &str = include_str!("../../data/aws_rtt_ms.csv");
const IBM: &str = include_str!("../../data/ibm_rtt_ms_2026_08.csv");

/// The regions of a provider.
#[derive(Debug)]
pub struct Regions {
    /// Their names, in the order of the table.
    pub names: Vec<&'static str>,
    /// Round-trip times in milliseconds, the mean of both directions; one row for each region.
    round_trips_ms: Vec<Vec<f64>>,
}

impl Regions {
    /// Round-trip time between two different regions; `None` if the table lacks one of them.
    #[must_use]
    pub fn round_trip(&self, a: &str, b: &str) -> Option<SimDuration> {
        let index = |name: &str| self.names.iter().position(|known| *known == name);
        let ms = self.round_trips_ms[index(a)?][index(b)?];
        Some(SimDuration::from_nanos((ms * 1e6).round() as u64))
    }
}

/// The 21 regions of AWS.
#[must_use]
pub fn aws() -> &'static Regions {
    static TABLE: OnceLock<Regions> = OnceLock::new();
    TABLE.get_or_init(|| parse(AWS))
}

/// The 13 regions of IBM Cloud.
#[must_use]
pub fn ibm() -> &'static Regions {
    static TABLE: OnceLock<Regions> = OnceLock::new();
    TABLE.get_or_init(|| parse(IBM))
}

fn parse(table: &'static str) -> Regions {
    let mut lines = table.lines();
    let names: Vec<&'static str> = lines.next().expect("a table has a head").split(',').skip(1).collect();
    let one_way: Vec<Vec<f64>> = lines
        // The cell of a region and itself is empty.
        .map(|line| line.split(',').skip(1).map(|cell| cell.parse().unwrap_or(0.0)).collect())
        .collect();
    let both = |a: usize, b: usize| (one_way[a][b] + one_way[b][a]) / 2.0;
    let row = |a: usize| (0..names.len()).map(|b| both(a, b)).collect();
    let round_trips_ms = (0..names.len()).map(row).collect();
    Regions { names, round_trips_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_those_of_the_tables() {
        let ms = |regions: &Regions, a, b| regions.round_trip(a, b).map(|time| time.as_millis_f64());
        assert_eq!((aws().names.len(), ibm().names.len()), (21, 13));
        assert_eq!(ms(aws(), "ap-northeast-2", "ap-northeast-1"), Some(33.5));
        assert_eq!(ms(aws(), "ap-northeast-1", "ap-northeast-2"), Some(33.5));
        assert_eq!(ms(ibm(), "Dallas", "Toronto"), Some(34.5));
        assert_eq!(ms(aws(), "ap-northeast-2", "seoul"), None);
        for regions in [aws(), ibm()] {
            let all = &regions.names;
            let far = |a: &str, b: &str| {
                a == b || regions.round_trip(a, b).is_some_and(|time| time > SimDuration::from_millis(1))
            };
            assert!(all.iter().all(|a| all.iter().all(|b| far(a, b))));
        }
    }
}
