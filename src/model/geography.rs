//! Where the regions of providers are on the globe.

use std::sync::OnceLock;

/// A city for each region; `data/SOURCES.md` gives the source.
const TABLE: &str = include_str!("../../data/regions.csv");

/// Mean radius of the earth in kilometres.
const RADIUS_KM: f64 = 6371.0;

/// Latitude and longitude in radians.
type Spot = (f64, f64);

fn spots() -> &'static [(&'static str, Spot)] {
    static SPOTS: OnceLock<Vec<(&str, Spot)>> = OnceLock::new();
    SPOTS.get_or_init(|| {
        let spot = |line: &'static str| {
            let cells: Vec<&str> = line.split(',').collect();
            let radians = |cell: &str| cell.parse::<f64>().expect("an angle").to_radians();
            (cells[0], (radians(cells[2]), radians(cells[3])))
        };
        TABLE.lines().skip(1).map(spot).collect()
    })
}

fn spot(region: &str) -> Option<Spot> {
    spots().iter().find(|(name, _)| *name == region).map(|(_, spot)| *spot)
}

/// Whether the table contains a region.
#[must_use]
pub fn knows(region: &str) -> bool {
    spot(region).is_some()
}

/// Distance between two regions along the globe in kilometres (haversine formula); `None` if the table lacks one of
/// them.
#[must_use]
pub fn distance_km(a: &str, b: &str) -> Option<f64> {
    let ((lat_a, lon_a), (lat_b, lon_b)) = (spot(a)?, spot(b)?);
    let half = |angle: f64| {
        let sin = libm::sin(angle / 2.0);
        sin * sin
    };
    let chord = half(lat_b - lat_a) + libm::cos(lat_a) * libm::cos(lat_b) * half(lon_b - lon_a);
    Some(2.0 * RADIUS_KM * libm::asin(chord.sqrt().min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::regions::{aws, ibm};

    #[test]
    fn all_regions_have_a_place() {
        assert!(aws().names.iter().chain(&ibm().names).all(|region| knows(region)));
        assert!(!knows("seoul"));
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        // Seoul-Tokyo 1160 km, Sao Paulo-Cape Town 6350 km, London-Sydney 16 990 km.
        for (a, b, km) in [
            ("ap-northeast-2", "ap-northeast-1", 1160.0),
            ("sa-east-1", "af-south-1", 6350.0),
            ("London", "Sydney", 16_990.0),
        ] {
            let found = distance_km(a, b).unwrap();
            assert!((found / km - 1.0).abs() < 0.01, "{a} to {b}: {found} km");
        }
        assert_eq!(distance_km("ap-northeast-2", "ap-northeast-2"), Some(0.0));
    }
}
