//! Hit ratios of caches that drop the least recently used key.

/// Probabilities of `keys` keys by rank under Zipf's law: proportional to rank^-`exponent`. They sum to 1.
///
/// # Panics
/// When there are no keys.
#[must_use]
pub fn zipf(keys: usize, exponent: f64) -> Vec<f64> {
    assert!(keys > 0, "a law of keys has keys");
    let weights: Vec<f64> = (1..=keys).map(|rank| libm::pow(rank as f64, -exponent)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// **An approximation** of the share of hits of an LRU cache with room for `capacity` keys, when each request draws its
/// key independently with these probabilities and a miss fills at once.
///
/// Source: H. Che, Y. Tung, Z. Wang, Hierarchical web caching systems, IEEE JSAC 20 (2002). A key stays until T
/// requests pass without it. T is the same for all keys: the root of sum (1 - exp(-p T)) = capacity. The hit ratio is
/// sum p (1 - exp(-p T)). Its error is below 0.1 points even for tens of keys. It is 1 if every key fits and 0 if
/// there is no room.
#[must_use]
pub fn lru_hit_ratio(probabilities: &[f64], capacity: usize) -> f64 {
    let groups: Vec<Group> = probabilities.iter().map(|&p| Group { p, keys: 1.0 }).collect();
    hit_ratio(&groups, capacity as f64)
}

/// The approximation of [`lru_hit_ratio`] for `keys` keys under Zipf's law, for any number of keys. Ranks beyond the
/// first thousand form groups one per cent wide, whose weight is the integral of the law.
///
/// # Panics
/// When there are no keys.
#[must_use]
pub fn zipf_hit_ratio(keys: u64, exponent: f64, capacity: u64) -> f64 {
    assert!(keys > 0, "a law of keys has keys");
    let mut groups = Vec::new();
    let mut rank = 1;
    while rank <= keys {
        let last = if rank <= 1000 { rank } else { (rank + rank / 100).min(keys) };
        let count = (last - rank + 1) as f64;
        let p = if count == 1.0 {
            libm::pow(rank as f64, -exponent)
        } else {
            integral(rank as f64 - 0.5, last as f64 + 0.5, exponent) / count
        };
        groups.push(Group { p, keys: count });
        rank = last + 1;
    }
    let total: f64 = groups.iter().map(|group| group.p * group.keys).sum();
    for group in &mut groups {
        group.p /= total;
    }
    hit_ratio(&groups, capacity as f64)
}

/// The integral of x^-`exponent` between two bounds.
#[must_use]
pub fn integral(from: f64, to: f64, exponent: f64) -> f64 {
    let power = 1.0 - exponent;
    if power.abs() < 1e-9 {
        return libm::log(to / from);
    }
    (libm::pow(to, power) - libm::pow(from, power)) / power
}

/// Keys of equal probability.
struct Group {
    p: f64,
    keys: f64,
}

fn hit_ratio(groups: &[Group], capacity: f64) -> f64 {
    let requested: f64 = groups.iter().filter(|group| group.p > 0.0).map(|group| group.keys).sum();
    if capacity >= requested {
        return 1.0;
    }
    let time = characteristic_time(groups, capacity);
    groups.iter().map(|group| -group.keys * group.p * libm::expm1(-group.p * time)).sum()
}

/// The time T, in requests, after which the expected number of different keys asked for is `capacity`.
///
/// The expected number of keys in time T is concave and at most T. So Newton's method starts at or left of the root,
/// and approaches it without passing it.
fn characteristic_time(groups: &[Group], capacity: f64) -> f64 {
    const STEPS_MAX: usize = 100;
    const PRECISION: f64 = 1e-9;
    let mut time = capacity;
    for _ in 0..STEPS_MAX {
        let (mut keys, mut slope) = (0.0, 0.0);
        for group in groups {
            let absent = libm::exp(-group.p * time);
            keys += group.keys * (1.0 - absent);
            slope += group.keys * group.p * absent;
        }
        let step = (capacity - keys) / slope;
        time += step;
        // "At most", because without room both sides are 0.
        if step.abs() <= PRECISION * time {
            break;
        }
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close::assert_close;

    #[test]
    fn cache_lru_zipf_small() {
        let approximation = lru_hit_ratio(&zipf(40, 0.9), 8);
        assert!((approximation - 0.42568970339359613).abs() < 1e-8);
        assert!((approximation - 0.4263619991524205).abs() < 0.001, "the exact value is near");
    }

    #[test]
    fn groups_of_ranks_change_nothing_that_matters() {
        for exponent in [0.8, 0.99, 1.0, 1.2] {
            let all = zipf(200_000, exponent);
            for capacity in [500, 20_000, 150_000] {
                let exact = lru_hit_ratio(&all, capacity);
                let grouped = zipf_hit_ratio(200_000, exponent, capacity as u64);
                assert!((exact - grouped).abs() < 1e-4, "{exponent} {capacity}: {exact} {grouped}");
            }
        }
    }

    #[test]
    fn a_million_keys() {
        let known = [(0.8, [0.100, 0.232, 0.487, 0.810]), (0.99, [0.384, 0.566, 0.766, 0.926])];
        for (exponent, ratios) in known {
            let probabilities = zipf(1_000_000, exponent);
            for (capacity, ratio) in [1_000, 10_000, 100_000, 500_000].into_iter().zip(ratios) {
                let hits = lru_hit_ratio(&probabilities, capacity);
                assert!((hits - ratio).abs() < 0.005, "Zipf {exponent}, {capacity} keys: {hits}");
            }
        }
    }

    #[test]
    fn the_edges() {
        let uniform = [0.01; 100];
        assert_close(lru_hit_ratio(&uniform, 25), 0.25);
        assert_eq!((lru_hit_ratio(&uniform, 0), lru_hit_ratio(&uniform, 100)), (0.0, 1.0));
        assert_eq!(lru_hit_ratio(&[0.5, 0.5, 0.0], 2), 1.0);
    }
}
