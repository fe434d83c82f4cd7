//! `outgrow new`: a scenario file to start from.

use std::path::Path;

use super::Ended;
use super::builtin;
use super::output::{OutputFile, print};
use super::status::{Failure, Status};

/// A small scenario with a comment on each part.
const BLANK: &str = include_str!("../../templates/blank.toml");

/// The line with which editors find the schema, once it is beside the scenario.
const SCHEMA_LINE: &str = "#:schema ./scenario.schema.json\n";

/// Write a new scenario file, as a copy of a built-in scenario or from a template
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the scenario; the file is called NAME.toml
    name: String,

    /// The built-in scenario to start from
    #[arg(long, value_name = "BUILTIN", default_value = "single-server", conflicts_with = "blank")]
    from: String,

    /// Start from a small template with a comment on each part
    #[arg(long)]
    blank: bool,
}

/// Writes the file, unless there is one already.
pub(super) fn run(args: &Args) -> Ended {
    let file = format!("{}.toml", args.name.trim_end_matches(".toml"));
    let (text, what) = if args.blank {
        let title = Path::new(&file).file_stem().unwrap_or_default().to_string_lossy();
        // A title is a string of TOML, and a file may be called anything.
        let title = title.replace(['"', '\\'], "");
        (BLANK.replace("\"NAME\"", &format!("\"{title}\"")), "a small scenario to change".to_owned())
    } else {
        let unknown = || {
            let help = builtin::suggestion(&args.from);
            Failure::usage(format!("there is no built-in scenario `{}`: {help}", args.from))
        };
        let builtin = builtin::find(&args.from).ok_or_else(unknown)?;
        (standalone(builtin.text), format!("a copy of `{}`", builtin.short_name()))
    };
    let path = Path::new(&file);
    // A dangling link counts as an existing file.
    if path.symlink_metadata().is_ok() {
        return Err(Failure::failed(format!("`{file}` exists, and is not overwritten")));
    }
    OutputFile::prepare(path)?.write(text)?;
    print(&format!("{file}: {what}; try: outgrow run {file}\n"))?;
    Ok(Status::Done)
}

/// The text as a user would write it: the schema beside it, and without what belongs to the course: the place in the book and
/// the tests of the simulator.
fn standalone(text: &str) -> String {
    let scenario = text.split("\n[[check]]\n").next().unwrap_or_default();
    let mut out = String::from(SCHEMA_LINE);
    let kept = |line: &&str| !line.starts_with("#:schema") && !line.starts_with("chapter ");
    for line in scenario.lines().filter(kept) {
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::KINDS;
    use crate::model::spec::NoFiles;

    #[test]
    fn a_copy_keeps_the_schema_and_gives_no_answer_away() {
        let text = "#:schema ../x.json\n# Question: y\n#\n#   users --> web\n# Source: c\n\
                    title = \"t\"\nchapter = \"1.1\"\n\n[[expect]]\nthat = \"x\"\n\n[[check]]\nthat = \"z\"\n";
        let expected = "#:schema ./scenario.schema.json\n# Question: y\n#\n#   users --> web\n# Source: c\ntitle = \"t\"\n\n\
                        [[expect]]\nthat = \"x\"\n";
        assert_eq!(standalone(text), expected);
    }

    #[test]
    fn all_that_is_written_is_sound() {
        let copies = builtin::BUILTINS.iter().map(|builtin| standalone(builtin.text));
        for text in copies.chain([BLANK.to_owned()]) {
            assert!(!text.contains("[[check]]"), "{text}");
            let loaded = crate::scenario::load("a.toml", &text, &[], &NoFiles, KINDS);
            assert!(loaded.is_ok(), "{text}\n{}", loaded.unwrap_err());
        }
    }
}
