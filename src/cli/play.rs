//! `outgrow play`: a page that runs scenarios in a browser.

use std::fs;
use std::path::PathBuf;

use super::output::{OutputFile, claim_input, claim_output, print};
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, key_and_value};
use crate::components::KINDS;
use crate::model::spec::NoFiles;
use crate::scenario;

/// The page with the engine in it, which `playground/build.sh` builds before the program.
#[cfg(feature = "playground")]
const PAGE: Option<&str> =
    Some(include_str!(env!("OUTGROW_PLAYGROUND", "the path of the page that playground/build.sh has built")));
#[cfg(not(feature = "playground"))]
const PAGE: Option<&str> = None;

/// Where the page has the scenarios of the command line: a list of objects with `name` and `toml`.
const OPENED: &str = "<script type=\"application/json\" id=\"opened\">[]</script>";

/// Write a page that runs scenarios in a browser, without a server or a network
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Paths of scenarios, names of built-in ones, or - for stdin; the page opens with the first one
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "play.html")]
    output: PathBuf,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value, requires = "scenarios")]
    overrides: Vec<Override>,

    /// The page that playground/build.sh has built, for a program that was built without it
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// Writes the page.
pub(super) fn run(args: &Args) -> Ended {
    claim_output(&args.output)?;
    let page = page(args)?;
    let opened = args.scenarios.iter().map(|argument| entry(argument, &args.overrides));
    let opened = opened.collect::<Result<Vec<_>, Failure>>()?;
    let Some(page) = with(&page, &opened) else {
        let path = args.page.as_deref().unwrap_or_else(|| "".as_ref()).display();
        return Err(Failure::failed(format!("`{path}` is not the page that playground/build.sh builds")));
    };
    OutputFile::prepare(&args.output)?.write(page)?;
    print(&format!("{}: open it in a browser\n", args.output.display()))?;
    Ok(Status::Done)
}

/// The page without scenarios of a command line.
fn page(args: &Args) -> Result<String, Failure> {
    let Some(path) = &args.page else {
        let help = "this program was built without the playground: outgrow play --page FILE, with the file \
                    target/playground/play.html that playground/build.sh builds";
        return PAGE.map(str::to_owned).ok_or_else(|| Failure::failed(help));
    };
    claim_input(path).map_err(Failure::failed)?;
    fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("cannot read `{}`: {error}", path.display())))
}

/// A scenario for the page, with the overrides in its text.
fn entry(argument: &str, overrides: &[Override]) -> Result<serde_json::Value, Failure> {
    let source = Source::find(argument)?;
    let found = source.load(overrides)?;
    if scenario::load(&source.origin, &found.text, &[], &NoFiles, KINDS).is_err() {
        let message = format!("`{argument}` names files, and a page has none");
        return Err(Failure::scenario(message));
    }
    Ok(serde_json::json!({ "name": source.origin, "toml": found.text }))
}

/// The page with these scenarios; `None` if it has no place for them.
fn with(page: &str, opened: &[serde_json::Value]) -> Option<String> {
    let (before, after) = page.split_once(OPENED)?;
    // In HTML nothing but a `<` could end the element.
    let list = serde_json::to_string(opened).expect("lists of strings").replace('<', "\\u003c");
    let element = OPENED.replace("[]", &list);
    Some([before, &element, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_its_element() {
        let page = format!("<body>{OPENED}</body>");
        let entry = serde_json::json!({ "name": "a.toml", "toml": "# </script><script>alert(1)" });
        let page = with(&page, &[entry]).unwrap();
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains("# \\u003c/script>\\u003cscript>alert(1)"), "{page}");
        assert_eq!(with("<body></body>", &[]), None);
    }

    #[test]
    fn a_scenario_has_its_overrides_in_its_text() {
        let changed = entry("single-server", &[("users.users".into(), "70".into())]).unwrap();
        assert_eq!(changed["name"], "01-single-server");
        assert!(changed["toml"].as_str().unwrap().contains("users      = 70\n"), "{changed}");
    }
}
