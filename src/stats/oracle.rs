//! The M/M/1 queue by Lindley's recursion, for tests of the estimators: its exact answers are known.

/// Waits of successive customers; service has mean 1, arrivals have rate `rho`.
pub(crate) struct Lindley {
    rho: f64,
    state: u64,
    wait: f64,
}

impl Lindley {
    /// An empty queue at time 0. Different seeds give unrelated paths.
    pub(crate) fn new(rho: f64, seed: u64) -> Lindley {
        Lindley { rho, state: seed.wrapping_mul(0xd134_2543_de82_ef95), wait: 0.0 }
    }

    /// The queue after `customers` customers.
    pub(crate) fn warmed(rho: f64, seed: u64, customers: usize) -> Lindley {
        let mut queue = Lindley::new(rho, seed);
        queue.by_ref().take(customers).for_each(drop);
        queue
    }

    /// Exponential with mean 1, from splitmix64.
    pub(crate) fn exponential(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        -libm::log(((z >> 11) as f64 + 0.5) / (1u64 << 53) as f64)
    }
}

impl Iterator for Lindley {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let wait = self.wait;
        let service = self.exponential();
        let gap = self.exponential() / self.rho;
        self.wait = (wait + service - gap).max(0.0);
        Some(wait)
    }
}
