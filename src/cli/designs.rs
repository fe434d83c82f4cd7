//! Several designs on one command line: each a scenario with changes of its own.

use std::path::Path;

use super::source::{Override, Source};
use super::status::Failure;
use crate::scenario::suggest::did_you_mean;
use crate::scenario::vary::Vary;

/// A design as the command line gives it.
pub(super) struct Given {
    /// The name of its file, by which options address it; with a number if another one has it too.
    pub(super) file: String,
    /// The name for readers.
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) overrides: Vec<Override>,
    /// The range over which `compare` varies it.
    pub(super) vary: Option<Vary>,
}

impl Given {
    /// Finds the designs, and gives each its own overrides, and its name of `names` or else one that differs from the others.
    pub(super) fn read(
        arguments: &[String],
        overrides: &[Override],
        names: &[String],
    ) -> Result<Vec<Given>, Failure> {
        if arguments.iter().filter(|design| *design == "-").count() > 1 {
            return Err(Failure::usage("stdin can be read only once"));
        }
        let mut given: Vec<Given> = Vec::new();
        for argument in arguments {
            let name = name_of(argument);
            let same = given.iter().filter(|other| other.name == name).count();
            let file = if same == 0 { name.clone() } else { format!("{name} ({})", same + 1) };
            let source = Source::find(argument)?;
            given.push(Given { file, name, source, overrides: Vec::new(), vary: None });
        }
        for (key, value) in overrides {
            let (of, key) = addressed(key, &given)?;
            let set = (key.to_owned(), value.clone());
            for &at in &of {
                given[at].overrides.push(set.clone());
                if of.len() < given.len() {
                    given[at].name += &format!(" {key}={value}");
                }
            }
        }
        rename(&mut given, names)?;
        Ok(given)
    }
}

/// Gives the designs the names of `--name`, or else makes their own names different.
fn rename(given: &mut [Given], names: &[String]) -> Result<(), Failure> {
    if !names.is_empty() && names.len() != given.len() {
        return Err(Failure::usage(format!(
            "--name has {} names, and there are {} designs",
            names.len(),
            given.len()
        )));
    }
    for at in 0..given.len() {
        let name = names.get(at).unwrap_or(&given[at].name).clone();
        let is_taken = given[..at].iter().any(|other| other.name == name);
        if is_taken && !names.is_empty() {
            return Err(Failure::usage(format!("--name gives two designs the name `{name}`")));
        }
        given[at].name = if is_taken { format!("{name} ({})", at + 1) } else { name };
    }
    Ok(())
}

/// The name of a design: that of its file, without folder and extension.
fn name_of(argument: &str) -> String {
    let stem = Path::new(argument).file_stem().and_then(|stem| stem.to_str());
    stem.filter(|_| argument != "-").unwrap_or("stdin").to_owned()
}

/// The designs that an option applies to, and the option without the prefix `DESIGN?`. Without a prefix it applies to
/// all.
pub(super) fn addressed<'t>(text: &'t str, given: &[Given]) -> Result<(Vec<usize>, &'t str), Failure> {
    let before_value = text.split('=').next().unwrap_or_default();
    let Some((name, _)) = before_value.split_once('?') else { return Ok(((0..given.len()).collect(), text)) };
    let rest = &text[name.len() + 1..];
    let number = name.parse().ok().filter(|number| (1..=given.len()).contains(number));
    let at = given.iter().position(|one| one.file == name).or(number.map(|number: usize| number - 1));
    at.map(|at| (vec![at], rest)).ok_or_else(|| {
        let names = given.iter().map(|one| one.file.as_str());
        let help = did_you_mean(name, "there are", names).unwrap_or_default();
        Failure::usage(format!("there is no design `{name}`; {help}"))
    })
}
