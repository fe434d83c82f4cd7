//! The ring of consistent hashing: points of the targets, sorted by hash.

/// Points on the circle of all 64-bit numbers. A key belongs to the first point at or after its hash.
#[derive(Clone, Debug, Default)]
pub(in crate::queueing) struct Ring {
    /// Hash and target, sorted.
    points: Vec<(u64, usize)>,
}

impl Ring {
    /// A ring of `targets`, given as names and weights. A target of weight 1 has `virtual_nodes` points; every target
    /// with a weight above zero has at least one.
    pub(in crate::queueing) fn new(targets: impl Iterator<Item = (u64, f64)>, virtual_nodes: u32) -> Ring {
        let mut points = Vec::new();
        for (i, (name, weight)) in targets.enumerate() {
            if weight > 0.0 {
                let count = (f64::from(virtual_nodes) * weight).round().max(1.0) as u64;
                points.extend((0..count).map(|node| (mix(mix(name).wrapping_add(node)), i)));
            }
        }
        points.sort_unstable();
        Ring { points }
    }

    /// The targets of all points, once round from that of `key`. A target comes once for each of its points.
    pub(in crate::queueing) fn walk(&self, key: u64) -> impl Iterator<Item = usize> + '_ {
        let hash = mix(key);
        let start = self.points.partition_point(|point| point.0 < hash);
        self.points[start..].iter().chain(&self.points[..start]).map(|point| point.1)
    }

    /// The exact share of the circle of each of `count` targets.
    pub(in crate::queueing) fn shares(&self, count: usize) -> Vec<f64> {
        let mut shares = vec![0.0; count];
        let Some(&(mut before, _)) = self.points.last() else { return shares };
        for &(hash, i) in &self.points {
            shares[i] += hash.wrapping_sub(before) as f64 / u64::MAX as f64;
            before = hash;
        }
        shares
    }
}

/// Spreads a number over all 64 bits: the output step of splitmix64 (Steele, Lea, Flood, 2014).
pub(in crate::queueing) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(names: std::ops::Range<u64>, virtual_nodes: u32) -> Ring {
        Ring::new(names.map(|name| (name, 1.0)), virtual_nodes)
    }

    #[test]
    fn numbers_are_spread_as_the_reference_code_of_splitmix64_does() {
        let gamma = 0x9e37_79b9_7f4a_7c15_u64;
        let first = [0, gamma, gamma.wrapping_mul(2)].map(mix);
        assert_eq!(first, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }

    #[test]
    fn virtual_nodes_even_the_load_out() {
        // Coefficient of variation of the load of ten targets, averaged over two hundred rings.
        for (virtual_nodes, expected) in [(1, 0.88), (10, 0.29), (100, 0.092), (1000, 0.028)] {
            let cv = |k: u64| {
                let shares = ring(k * 10..k * 10 + 10, virtual_nodes).shares(10);
                (shares.iter().map(|share| (share * 10.0 - 1.0).powi(2)).sum::<f64>() / 10.0).sqrt()
            };
            let mean = (0..200).map(cv).sum::<f64>() / 200.0;
            assert!((mean / expected - 1.0).abs() < 0.08, "{virtual_nodes}: {mean}");
        }
    }

    #[test]
    fn a_new_target_takes_its_share_and_moves_nothing_else() {
        let (before, after) = (ring(0..10, 500), ring(0..11, 500));
        let owners = |key| (before.walk(key).next(), after.walk(key).next());
        let moved: Vec<_> = (0..100_000).map(owners).filter(|(old, new)| old != new).collect();
        assert!(moved.iter().all(|(_, new)| *new == Some(10)));
        assert!((moved.len() as f64 / 1e5 * 11.0 - 1.0).abs() < 0.1, "{}", moved.len());
    }

    #[test]
    fn points_follow_the_weights() {
        let ring = Ring::new([(1, 3.0), (2, 1.0), (3, 0.0)].into_iter(), 1000);
        let shares = ring.shares(3);
        assert!((shares[0] - 0.75).abs() < 0.03 && shares[2] == 0.0, "{shares:?}");
    }
}
