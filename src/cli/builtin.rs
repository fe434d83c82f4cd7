//! The scenarios that ship with the program.

use crate::scenario::suggest::did_you_mean;

/// A built-in scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its number and name, as in the name of its file: `01-single-server`.
    pub name: &'static str,
    /// The text of the scenario.
    pub text: &'static str,
}

impl Builtin {
    /// The number before the name, which is the step of the chapter; empty if there is none.
    #[must_use]
    pub fn number(&self) -> &'static str {
        self.numbered().map_or("", |(number, _)| number)
    }

    fn numbered(&self) -> Option<(&'static str, &'static str)> {
        self.name.split_once('-').filter(|(number, _)| number.parse::<u32>().is_ok())
    }

    /// The name without the number: `single-server`. Some have no number.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.numbered().map_or(self.name, |(_, rest)| rest)
    }
}

macro_rules! builtin {
    ($name:literal) => {
        Builtin { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }
    };
}

/// All built-in scenarios, sorted by name.
pub const BUILTINS: &[Builtin] = &[
    builtin!("00-closed"),
    builtin!("00-from-zero-to-millions"),
    builtin!("00-mm1"),
    builtin!("00-mm4"),
    builtin!("00-ps"),
    builtin!("01-single-server"),
    builtin!("02-database-split-off"),
    builtin!("03-column"),
    builtin!("03-document"),
    builtin!("03-graph"),
    builtin!("03-key-value"),
    builtin!("03-relational"),
    builtin!("04-scale-up"),
    builtin!("05-one-big-box-dies"),
    builtin!("05-scale-up-wall"),
    builtin!("06-scale-out"),
    builtin!("07-web-server-dies"),
    builtin!("08-balancer-dies"),
    builtin!("08-balancer-pair"),
    builtin!("09-primary-and-replicas"),
    builtin!("10-replica-lag"),
    builtin!("11-all-replicas-die"),
    builtin!("11-replica-dies"),
    builtin!("12-primary-dies"),
    builtin!("13-stale-promotion"),
    builtin!("14-split-brain"),
    builtin!("15-broken-ring"),
    builtin!("15-multi-primary"),
    builtin!("15-ring"),
    builtin!("16-dns-round-robin"),
    builtin!("16-dns-with-checks"),
    builtin!("17-two-regions"),
    builtin!("18-whole-chapter"),
    builtin!("19-scale-out-at-cost"),
    builtin!("19-scale-up-at-cost"),
    builtin!("20-cache"),
    builtin!("21-queue"),
    builtin!("22-retry-storm"),
    builtin!("23-metastable"),
    builtin!("24-coin-toss"),
    builtin!("25-checks-amplify"),
    builtin!("26-waiting-lines"),
    builtin!("27-memory-cliff"),
    builtin!("28-hedging"),
    builtin!("29-priorities"),
    builtin!("30-thread-exhaustion"),
    builtin!("31-keep-alive"),
    builtin!("32-deploy"),
    builtin!("33-fast-failing"),
    builtin!("34-pool"),
    builtin!("35-backoff"),
    builtin!("40-cache-aside"),
    builtin!("41-stampede"),
    builtin!("42-cold-cache"),
    builtin!("43-far-readers"),
    builtin!("43-photo-stack"),
    builtin!("44-sticky-or-store"),
    builtin!("45-photo-queue"),
    builtin!("46-too-late"),
    builtin!("47-inversion"),
    builtin!("48-day"),
    builtin!("49-hot-shard"),
    builtin!("50-reshard"),
    builtin!("51-scatter"),
    builtin!("52-two-sites"),
    builtin!("53-standby"),
    builtin!("54-one-box"),
    builtin!("55-nines"),
    builtin!("56-alarm"),
    builtin!("58-one-rack"),
    builtin!("million-users"),
];

macro_rules! step {
    ($name:literal) => {
        Builtin { name: $name, text: include_str!(concat!("../../ladder/", $name, ".toml")) }
    };
}

/// The steps of the ladder to a million users that are no scenarios of the chapter, in order. The list of scenarios leaves
/// them out.
pub const STEPS: &[Builtin] = &[
    step!("millions-1-one-box"),
    step!("millions-2-two-boxes"),
    step!("millions-3-replica"),
    step!("millions-4-edge"),
    step!("millions-5-stateless"),
    step!("millions-6-queue"),
];

/// The scenario with this name, with or without its number.
#[must_use]
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().chain(STEPS).find(|builtin| builtin.name == name || builtin.short_name() == name)
}

/// The help line for an unknown name.
#[must_use]
pub fn suggestion(name: &str) -> String {
    let names = BUILTINS.iter().chain(STEPS).map(Builtin::short_name);
    did_you_mean(name, "built-in scenarios", names).expect("there are built-in scenarios")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_found_with_and_without_its_number() {
        assert_eq!(find("single-server").unwrap().name, "01-single-server");
        assert_eq!(find("01-single-server"), find("single-server"));
        assert_eq!(find("01"), None);
        assert_eq!(suggestion("single-sever"), "did you mean `single-server`?");
    }

    #[test]
    fn names_are_sorted_and_distinct_even_without_their_numbers() {
        assert!(BUILTINS.is_sorted_by(|a, b| a.name < b.name));
        for builtin in BUILTINS.iter().chain(STEPS) {
            assert_eq!(find(builtin.short_name()), Some(builtin));
        }
    }
}
