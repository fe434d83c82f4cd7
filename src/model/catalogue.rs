//! The instance catalogue: the machine types that can be rented, with their speed and price.

use std::sync::OnceLock;

/// The table that is built in; `data/SOURCES.md` gives its source. On-demand prices in us-east-1 of 2026-07-20.
const TABLE: &str = include_str!("../../data/aws_instances_us_east_1.csv");

/// The type whose cores have speed 1: a current machine of medium speed, which the first scenarios use.
const REFERENCE: &str = "m7i.large";

/// A machine type that can be rented by the hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its name: "m7i.large".
    pub name: &'static str,
    /// Number of virtual cores.
    pub cores: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// On-demand price in USD an hour.
    pub usd_per_hour: f64,
    /// Baseline network bandwidth in Mbit a second; bursts above it are ignored.
    pub network_mbps: f64,
    /// Speed of a core: CoreMark per virtual core, relative to the reference type m7i.large.
    ///
    /// A type without a measurement takes the speed of a similar type: among the measured types that share the longest
    /// beginning of the family name, the one with most cores, because cores of large machines tend to be slower.
    pub speed: f64,
    /// Measured CoreMark of the whole machine, in iterations a second; `None` if no measurement was published.
    pub coremark: Option<f64>,
}

impl Instance {
    /// The part of the name before the point: "m7i".
    #[must_use]
    pub fn family(&self) -> &'static str {
        family_of(self.name)
    }

    fn coremark_per_core(&self) -> Option<f64> {
        self.coremark.map(|coremark| coremark / f64::from(self.cores))
    }
}

/// All types in the order of the table, in which each family is together.
#[must_use]
pub fn all() -> &'static [Instance] {
    static ALL: OnceLock<Vec<Instance>> = OnceLock::new();
    ALL.get_or_init(|| with_speeds(TABLE.lines().skip(1).map(parse).collect()))
}

/// The type with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Instance> {
    all().iter().find(|instance| instance.name == name)
}

/// All types of a family ("m7i") in the order of the table: by size, with the metal types beside those of their size.
pub fn family(name: &str) -> impl Iterator<Item = &'static Instance> {
    all().iter().filter(move |instance| instance.family() == name)
}

/// The largest type: the one with most cores, and among these the one with most memory.
#[must_use]
pub fn largest() -> &'static Instance {
    all()
        .iter()
        .max_by_key(|instance| (instance.cores, instance.memory_bytes))
        .expect("the catalogue has rows")
}

/// The type whose cores have speed 1.
#[must_use]
pub fn reference() -> &'static Instance {
    find(REFERENCE).expect("the reference type is in the catalogue")
}

fn family_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(family, _)| family)
}

/// A row of the table. Its speed is set when all rows are known.
fn parse(row: &'static str) -> Instance {
    let cells: Vec<&'static str> = row.split(',').collect();
    let number = |column: usize| cells[column].parse::<f64>().ok();
    let required =
        |column: usize| number(column).expect("the shipped catalogue has this number in every row");
    Instance {
        name: cells[0],
        cores: required(1) as u32,
        memory_bytes: required(2) as u64 * 1024 * 1024,
        usd_per_hour: required(3),
        network_mbps: required(4),
        speed: 1.0,
        coremark: number(7),
    }
}

fn with_speeds(mut instances: Vec<Instance>) -> Vec<Instance> {
    let reference = instances.iter().find(|instance| instance.name == REFERENCE);
    let unit = reference.and_then(Instance::coremark_per_core).expect("the reference type is measured");
    let speeds: Vec<f64> = instances.iter().map(|instance| per_core(instance, &instances) / unit).collect();
    for (instance, speed) in instances.iter_mut().zip(speeds) {
        instance.speed = speed;
    }
    instances
}

/// CoreMark per core, of the type itself or of the similar type that stands for it.
fn per_core(instance: &Instance, instances: &[Instance]) -> f64 {
    let alike = |other: &Instance| {
        instance.family().bytes().zip(other.family().bytes()).take_while(|(a, b)| a == b).count()
    };
    let kin = || {
        let measured = instances.iter().filter(|other| other.coremark.is_some());
        measured.max_by_key(|other| (alike(other), other.cores)).and_then(Instance::coremark_per_core)
    };
    instance.coremark_per_core().or_else(kin).expect("the catalogue has measured types")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_makes_sense() {
        assert_eq!(all().len(), 211);
        for instance in all() {
            assert!(instance.cores >= 1 && instance.memory_bytes >= 512 << 20, "{instance:?}");
            assert!(instance.usd_per_hour > 0.0 && instance.network_mbps > 0.0, "{instance:?}");
            assert!((0.2..3.0).contains(&instance.speed), "{instance:?}");
        }
    }

    #[test]
    fn the_reference_type_has_speed_one() {
        let large = find("m7i.large").expect("it is in the table");
        assert_eq!((large.cores, large.memory_bytes, large.usd_per_hour), (2, 8 << 30, 0.1008));
        assert_eq!((large.speed, large), (1.0, reference()));
        assert_eq!(find("m7i.colossal"), None);
    }

    #[test]
    fn a_core_of_a_virtual_m7i_costs_the_same_in_every_size() {
        // The smaller bare-metal type costs a tenth more; it is another product.
        for instance in family("m7i").filter(|instance| !instance.name.contains("metal")) {
            let price = instance.usd_per_hour / f64::from(instance.cores);
            assert!((price - 0.0504).abs() < 1e-12, "{instance:?}");
        }
        assert_eq!(family("m7i").count(), 11);
    }

    #[test]
    fn the_catalogue_ends() {
        assert_eq!((largest().name, largest().cores), ("u7in-32tb.224xlarge", 896));
        assert_eq!(family("m8i").map(|instance| instance.cores).max(), Some(384));
    }

    #[test]
    fn an_unmeasured_type_is_as_fast_as_its_next_of_kin() {
        let speed = |name: &str| find(name).expect(name).speed;
        assert_eq!(find("u7in-32tb.224xlarge").expect("it is in the table").coremark, None);
        assert_eq!(speed("u7in-32tb.224xlarge"), speed("u7i-8tb.112xlarge"));
        assert_eq!(speed("x8i.96xlarge"), speed("x8i.32xlarge"));
    }
}
