//! `outgrow new`: a scenario file to start from.

use std::path::Path;

use super::Ended;
use super::builtin;
use super::output::{OutputFile, print};
use super::status::{Failure, Status};

/// Write a new scenario file, as a copy of a built-in scenario
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the scenario; the file is called NAME.toml
    name: String,

    /// The built-in scenario to start from
    #[arg(long, value_name = "BUILTIN", default_value = "single-server")]
    from: String,
}

/// Writes the file, unless there is one already.
pub(super) fn run(args: &Args) -> Ended {
    let unknown = || {
        let help = builtin::suggestion(&args.from);
        Failure::usage(format!("there is no built-in scenario `{}`: {help}", args.from))
    };
    let builtin = builtin::find(&args.from).ok_or_else(unknown)?;
    let file = format!("{}.toml", args.name.trim_end_matches(".toml"));
    let path = Path::new(&file);
    // A dangling link counts as an existing file.
    if path.symlink_metadata().is_ok() {
        return Err(Failure::failed(format!("`{file}` exists, and is not overwritten")));
    }
    OutputFile::prepare(path)?.write(standalone(builtin.text))?;
    print(&format!("{file}: a copy of `{}`; try: outgrow run {file}\n", builtin.short_name()))?;
    Ok(Status::Done)
}

/// The text without the line that names the schema, which is not beside the copy.
fn standalone(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with("#:schema")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_names_no_file_that_is_not_there() {
        assert_eq!(standalone("#:schema ../x.json\n# Question: y\n"), "# Question: y\n");
    }
}
