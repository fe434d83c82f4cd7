//! The hardware keys that every box on a machine of its own shares, and their checks.

use std::ops::Range;

use crate::model::catalogue::{self, Instance};
use crate::model::hardware::DiskSpec;
use crate::model::lever::{Lever, Setting};
use crate::model::quantity::{Bytes, nearest};
use crate::model::resource;
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
            preempts: false,
            sigma: 0.0,
            kappa: 0.0,
            swap: None,
            quota: None,
            disk: None::<DiskSpec>,
        }
    }

    /// The levers that make the machine larger: the next type of its family, or twice the cores where their number is the
    /// scenario's own. `machine` is what the keys and the rest of the box make of it, `of` are the numbers of the members
    /// that have one, `resources` what a larger one relieves.
    #[must_use]
    pub fn larger(&self, machine: &MachineSpec, resources: &'static [&'static str], of: Range<u32>) -> Lever {
        let grown = |cores: u32, speed: f64| MachineSpec {
            cores,
            speed,
            limit: machine.limit.map(|_| cores),
            ..machine.clone()
        };
        // Cores that slow each other down may do no more work when there are more of them.
        let does_more = |machine_then: MachineSpec| machine_then.work_rate() > machine.work_rate();
        let Some(rented) = self.rented() else {
            let now = Setting::Whole(machine.cores);
            let next = now.twice(f64::from(CORES_MAX));
            let next = next.filter(|_| does_more(grown(2 * machine.cores, machine.speed)));
            return Lever::relief("cores", (now, next), resources, of);
        };
        let speed = |instance: &Instance| self.speed.unwrap_or(instance.speed);
        let next = larger_of_family(rented).filter(|next| does_more(grown(next.cores, speed(next))));
        let price = next.filter(|_| self.price.is_none()).map(|next| next.usd_per_hour);
        let values = (Setting::Word(rented.name), next.map(|next| Setting::Word(next.name)));
        Lever { price, ..Lever::relief("instance", values, resources, of) }
    }

    /// The lever that doubles the machine's memory.
    #[must_use]
    pub fn more_memory(&self, machine: &MachineSpec, of: Range<u32>) -> Lever {
        let now = Setting::Bytes(machine.memory);
        Lever::relief("memory", (now, now.twice(f64::INFINITY)), &[resource::MEMORY], of)
    }

    /// Why no larger machine can be had; `None` where one can, or where the machine is of no type.
    #[must_use]
    pub fn is_largest(&self) -> Option<String> {
        let rented = self.rented().filter(|rented| larger_of_family(rented).is_none())?;
        Some(format!("{} is the largest of its family", rented.name))
    }

    /// The type whose cores the machine has.
    fn rented(&self) -> Option<&'static Instance> {
        self.instance.and_then(catalogue::find).filter(|_| self.cores.is_none())
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

/// The next larger type of the same family; a machine without a hypervisor is another product.
fn larger_of_family(rented: &Instance) -> Option<&'static Instance> {
    let virtual_ones = catalogue::family(rented.family()).filter(|other| !other.name.contains("metal"));
    virtual_ones.filter(|other| other.cores > rented.cores).min_by_key(|other| other.cores)
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

#[cfg(test)]
mod tests {
    use super::super::script::{keys, words};
    use super::*;
    use crate::model::lever::Effect;

    const NOTHING: Hardware<'static> =
        Hardware { instance: None, cores: None, memory: None, speed: None, price: None };

    #[test]
    fn a_machine_has_what_its_keys_say_or_else_what_its_type_has() {
        let machine = NOTHING.machine();
        assert_eq!((machine.cores, machine.memory), (1, 4 << 30));
        assert_eq!((machine.speed, machine.price), (1.0, 0.0));
        let rented = Hardware { instance: Some("m7i.large"), ..NOTHING };
        let machine = rented.machine();
        assert_eq!((machine.cores, machine.memory, machine.price), (2, 8 << 30, 0.1008));
        let own =
            Hardware { cores: Some(7), memory: Some(Bytes(9)), speed: Some(3.0), price: Some(0.5), ..rented };
        let machine = own.machine();
        assert_eq!((machine.cores, machine.memory, machine.speed, machine.price), (7, 9, 3.0, 0.5));
        let given = [
            NOTHING,
            Hardware { instance: Some("m7i.large"), ..NOTHING },
            Hardware { cores: Some(1), ..NOTHING },
            Hardware { memory: Some(Bytes(1)), ..NOTHING },
            Hardware { speed: Some(1.0), ..NOTHING },
            Hardware { price: Some(0.0), ..NOTHING },
        ];
        assert_eq!(given.map(|keys| keys.is_given()), [false, true, true, true, true, true]);
    }

    #[test]
    fn a_larger_machine_is_the_next_of_its_family_or_has_twice_the_cores() {
        let rented = |name| Hardware { instance: Some(name), ..NOTHING };
        let larger = |keys: Hardware<'_>| keys.larger(&keys.machine(), &["cores"], 0..3);
        let lever = larger(rented("m7i.large"));
        assert_eq!((lever.key.as_ref(), lever.now), ("instance", Setting::Word("m7i.large")));
        assert_eq!((lever.next, lever.price), (Some(Setting::Word("m7i.xlarge")), Some(0.2016)));
        assert_eq!(lever.effect, Effect::Relief { resources: &["cores"], of: 0..3 });
        assert_eq!(larger(Hardware { price: Some(1.0), ..rented("m7i.large") }).price, None);
        // Not the metal type of the same size, and nothing beyond the largest.
        assert_eq!(larger(rented("m7i.24xlarge")).next, Some(Setting::Word("m7i.48xlarge")));
        assert_eq!(larger(rented("m7i.48xlarge")).next, None);
        let end = rented("m7i.48xlarge").is_largest();
        assert_eq!(end.as_deref(), Some("m7i.48xlarge is the largest of its family"));
        assert_eq!((rented("m7i.large").is_largest(), NOTHING.is_largest()), (None, None));
        // Whose number of cores is the scenario's own.
        let lever = larger(Hardware { cores: Some(6), ..rented("m7i.large") });
        assert_eq!((lever.key.as_ref(), lever.now), ("cores", Setting::Whole(6)));
        assert_eq!((lever.next, lever.price), (Some(Setting::Whole(12)), None));
        assert_eq!(larger(Hardware { cores: Some(CORES_MAX), ..NOTHING }).next, None);
    }

    #[test]
    fn a_larger_machine_that_does_no_more_work_is_none() {
        // With kappa = .01 the law has its peak at 10 cores.
        for (cores, next) in [(4, Some(Setting::Whole(8))), (16, None)] {
            let keys = Hardware { cores: Some(cores), ..NOTHING };
            let mut machine = keys.machine();
            machine.kappa = 0.01;
            assert_eq!(keys.larger(&machine, &["cores"], 0..1).next, next, "{cores}");
        }
        // A process that uses two cores uses four of a larger machine, because its limit is that of its machine.
        let keys = Hardware { cores: Some(2), ..NOTHING };
        let mut machine = keys.machine();
        machine.limit = Some(2);
        assert_eq!(keys.larger(&machine, &["cores"], 0..1).next, Some(Setting::Whole(4)));
        let fast = Hardware { speed: Some(2.0), instance: Some("m7i.large"), ..NOTHING };
        let next = fast.larger(&fast.machine(), &["cores"], 0..1).next;
        assert_eq!(next, Some(Setting::Word("m7i.xlarge")));
        let more = keys.more_memory(&keys.machine(), 0..2);
        assert_eq!((more.key.as_ref(), more.next), ("memory", Some(Setting::Bytes(8 << 30))));
    }

    #[test]
    fn keys_of_a_machine_are_checked() {
        let wrong = |hardware: Hardware<'_>| keys(|problems| hardware.check(None, problems));
        assert!(wrong(NOTHING).is_empty());
        let good = Hardware {
            instance: Some("m7i.large"),
            cores: Some(CORES_MAX),
            memory: Some(Bytes(1)),
            speed: Some(0.1),
            price: Some(0.0),
        };
        assert!(wrong(good).is_empty());
        for cores in [0, CORES_MAX + 1] {
            assert_eq!(wrong(Hardware { cores: Some(cores), ..NOTHING }), ["cores"]);
        }
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(wrong(Hardware { speed: Some(speed), ..NOTHING }), ["speed"]);
        }
        for price in [-0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(wrong(Hardware { price: Some(price), ..NOTHING }), ["price"]);
        }
        assert_eq!(wrong(Hardware { memory: Some(Bytes(0)), ..NOTHING }), ["memory"]);
        assert_eq!(keys(|problems| good.check(Some("db"), problems)), ["on"]);
        assert!(keys(|problems| NOTHING.check(Some("db"), problems)).is_empty());
        assert!(keys(|problems| positive("x", None, problems)).is_empty());
        let said =
            |name| words(|problems| Hardware { instance: Some(name), ..NOTHING }.check(None, problems));
        assert_eq!(said("m7i.larg"), "the catalogue has no `m7i.larg`; did you mean `m7i.large`?");
        assert!(
            said("a thing of another cloud").contains("the catalogue ends at "),
            "{}",
            said("nothing like it")
        );
        for (sigma, kappa, wrong) in [(0.0, 1.0, &[][..]), (1.1, 0.0, &["sigma"]), (0.5, -0.1, &["kappa"])] {
            assert_eq!(keys(|problems| check_contention(sigma, kappa, problems)), wrong);
        }
    }
}
