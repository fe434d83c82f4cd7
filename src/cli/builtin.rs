//! The scenarios that ship with the program.

use crate::scenario::suggest::did_you_mean;

/// A scenario that needs no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its number and name, as its file is called: `01-single-server`.
    pub name: &'static str,
    /// The scenario itself.
    pub text: &'static str,
}

impl Builtin {
    /// The number before the name: the chapter's step.
    #[must_use]
    pub fn number(&self) -> &'static str {
        self.name.split_once('-').map_or("", |(number, _)| number)
    }

    /// The name without the number: `single-server`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.split_once('-').map_or(self.name, |(_, rest)| rest)
    }
}

macro_rules! builtin {
    ($name:literal) => {
        Builtin { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }
    };
}

/// All of them, in the order of their names.
pub const BUILTINS: &[Builtin] = &[
    builtin!("00-closed"),
    builtin!("00-mm1"),
    builtin!("00-mm4"),
    builtin!("00-ps"),
    builtin!("01-single-server"),
    builtin!("02-database-split-off"),
    builtin!("04-scale-up"),
    builtin!("06-scale-out"),
    builtin!("07-web-server-dies"),
    builtin!("09-primary-and-replicas"),
    builtin!("10-replica-lag"),
    builtin!("12-primary-dies"),
    builtin!("19-scale-out-at-cost"),
    builtin!("19-scale-up-at-cost"),
];

/// The scenario of that name, with or without its number.
#[must_use]
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name || builtin.short_name() == name)
}

/// What to say of a name that is none of them.
#[must_use]
pub fn suggestion(name: &str) -> String {
    let names = BUILTINS.iter().map(Builtin::short_name);
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
        for builtin in BUILTINS {
            assert_eq!(find(builtin.short_name()), Some(builtin));
        }
    }
}
