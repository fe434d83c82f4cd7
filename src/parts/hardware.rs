//! The hardware keys that every box on a machine of its own shares, and their checks.

use crate::model::catalogue;
use crate::model::hardware::DiskSpec;
use crate::model::quantity::{Bytes, nearest};
use crate::model::spec::{MachineSpec, Problems};

/// Cores of one machine; the largest in the catalogue has 896.
pub const CORES_MAX: u32 = 4096;

/// Memory of a machine that does not say, bytes.
const MEMORY_DEFAULT: u64 = 4 << 30;

/// The hardware keys of a box's table, as they stand there.
#[derive(Clone, Copy, Debug)]
pub struct Hardware<'a> {
    /// `instance`.
    pub instance: Option<&'a str>,
    /// `cores`.
    pub cores: Option<u32>,
    /// `memory`.
    pub memory: Option<Bytes>,
    /// `speed`.
    pub speed: Option<f64>,
    /// `price`.
    pub price: Option<f64>,
}

impl Hardware<'_> {
    /// The machine that the keys describe; explicit keys go before those of the instance.
    #[must_use]
    pub fn machine(&self) -> MachineSpec {
        let instance = self.instance.and_then(catalogue::find);
        MachineSpec {
            cores: self.cores.or(instance.map(|i| i.cores)).unwrap_or(1),
            memory: self.memory.map(|m| m.0).or(instance.map(|i| i.memory_bytes)).unwrap_or(MEMORY_DEFAULT),
            speed: self.speed.or(instance.map(|i| i.speed)).unwrap_or(1.0),
            price: self.price.or(instance.map(|i| i.usd_per_hour)).unwrap_or(0.0),
            limit: None,
            lifo: false,
            sigma: 0.0,
            kappa: 0.0,
            disk: None::<DiskSpec>,
        }
    }

    /// Whether any of the keys is given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.instance.is_some()
            || self.cores.is_some()
            || self.memory.is_some()
            || self.speed.is_some()
            || self.price.is_some()
    }

    /// Checks the keys; `host` is the value of `on`.
    pub fn check(&self, host: Option<&str>, problems: &mut Problems) {
        if host.is_some() && self.is_given() {
            problems.error(
                "on",
                "a box on another's machine has no hardware of its own",
                "drop the hardware keys, or drop `on`",
            );
        }
        if let Some(name) = self.instance
            && catalogue::find(name).is_none()
        {
            problems.error("instance", format!("the catalogue has no `{name}`"), suggestion(name));
        }
        if let Some(cores) = self.cores
            && !(1..=CORES_MAX).contains(&cores)
        {
            let message = format!("a machine has 1 to {CORES_MAX} cores, not {cores}");
            problems.error("cores", message, "scale out with `count` beyond that");
        }
        positive("speed", self.speed, problems);
        if let Some(price) = self.price
            && !(price.is_finite() && price >= 0.0)
        {
            problems.error("price", "a price is a number of USD an hour, zero or more", "");
        }
        if self.memory.is_some_and(|memory| memory.0 == 0) {
            problems.error(
                "memory",
                "a machine without memory can hold no call",
                "leave the key out for 4 GiB",
            );
        }
    }
}

/// A type with a name near `name`, or else the largest: a machine cannot grow without end.
fn suggestion(name: &str) -> String {
    let names: Vec<&str> = catalogue::all().iter().map(|instance| instance.name).collect();
    let largest = catalogue::largest();
    match nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "the catalogue ends at {} with {} vCPUs; see `outgrow list instances`",
            largest.name, largest.cores
        ),
    }
}

/// Checks that a number, if given, is finite and above zero.
pub fn positive(key: &str, value: Option<f64>, problems: &mut Problems) {
    if let Some(value) = value
        && !(value.is_finite() && value > 0.0)
    {
        problems.error(key, format!("`{key}` must be a number above zero, not {value}"), "");
    }
}

/// Checks the contention keys of the universal scalability law.
pub fn check_contention(sigma: f64, kappa: f64, problems: &mut Problems) {
    for (key, value) in [("sigma", sigma), ("kappa", kappa)] {
        if !(0.0..=1.0).contains(&value) {
            problems.error(
                key,
                format!("`{key}` lies between 0 and 1, not {value}"),
                "0 means no contention",
            );
        }
    }
}
