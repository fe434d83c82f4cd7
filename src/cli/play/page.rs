//! The page of the playground, with scenarios in it: alone for `outgrow play`, and inside reports.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::source::{Override, Source};
use super::super::status::Failure;
use crate::scenario::Scenario;

/// The page with the engine in it, which `playground/build.sh` builds before the program.
#[cfg(feature = "playground")]
pub(in super::super) const PAGE: Option<&str> =
    Some(include_str!(env!("OUTGROW_PLAYGROUND", "the path of the page that playground/build.sh has built")));
#[cfg(not(feature = "playground"))]
pub(in super::super) const PAGE: Option<&str> = None;

/// Where the page has its [`Opening`].
const OPENED: &str = "<script type=\"application/json\" id=\"opened\">{}</script>";

/// Greatest size of all files that a scenario names, in bytes: more would make the page slow to open.
const FILES_BYTES_MAX: usize = 1 << 20;

/// Where a report allows nothing but styles.
const POLICY: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"";

/// Opens the page in place of the report when its address ends in one of the page's fragments.
const OPEN: &str = "addEventListener('load', open); addEventListener('hashchange', open);
function open() {
  if (!/^#(play|s=)/.test(location.hash)) return;
  const page = JSON.parse(document.getElementById('playground').textContent);
  document.open();
  document.write(page);
  document.close();
}";

/// A scenario for the page.
#[derive(Debug, serde::Serialize)]
pub(in super::super) struct Opened {
    /// Its path, or the name of a built-in one.
    pub(in super::super) name: String,
    /// Its text, with the overrides in it.
    pub(in super::super) toml: String,
    /// The overrides, for the command that gives the same.
    pub(in super::super) set: Vec<Override>,
    /// The files that it names, by path.
    pub(in super::super) files: BTreeMap<String, String>,
    /// The key that a sweep has varied, and its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) vary: Option<(String, Vec<String>)>,
}

impl Opened {
    /// A scenario with overrides, and the files that it names.
    pub(in super::super) fn of(source: &Source, set: &[Override]) -> Result<Opened, Failure> {
        let (scenario, files) = source.check_keeping(set)?;
        let mut left = FILES_BYTES_MAX;
        for (path, text) in &files {
            left = left.checked_sub(text.len()).ok_or_else(|| {
                let size = text.len() as f64 / f64::from(1 << 20);
                Failure::scenario(format!(
                    "`{}` names `{path}`, which has {size:.1} MiB: a page holds files of 1 MiB in all",
                    source.origin
                ))
            })?;
        }
        let (name, toml) = (source.origin.clone(), scenario.text);
        Ok(Opened { name, toml, set: set.to_vec(), files, vary: None })
    }

    /// A scenario that was read before; `set` gives all that its text has not in the file.
    pub(in super::super) fn again(scenario: &Scenario, set: Vec<Override>) -> Result<Opened, Failure> {
        // The text has the overrides already; seed and number of trials it may not have.
        let opened = Opened::of(&Source::of(scenario), &set)?;
        Ok(Opened { set, ..opened })
    }
}

/// What the page opens with.
#[derive(Debug, Default, serde::Serialize)]
pub(in super::super) struct Opening {
    /// Scenarios besides the built-in ones. The first is shown.
    pub(in super::super) scenarios: Vec<Opened>,
    /// Code of the language; `None` for that of the browser.
    pub(in super::super) language: Option<&'static str>,
    /// Whether the first two scenarios are shown beside each other.
    pub(in super::super) compares: bool,
}

/// The page that opens so; `None` if it has no place for that.
pub(in super::super) fn with(page: &str, opening: &Opening) -> Option<String> {
    let (before, after) = page.split_once(OPENED)?;
    let element = OPENED.replace("{}", &inert(&json!(opening)));
    Some([before, &element, after].concat())
}

/// The report with the page inside, and a section that leads there. The report itself needs no script.
pub(in super::super) fn inside(report: String, page: &str, opening: &Opening) -> String {
    let policy = |text: &str| {
        let start = text.find(POLICY)? + POLICY.len();
        Some(text[start..].split('"').next()?.to_owned())
    };
    let (Some(page), Some(own), Some((before, after))) =
        (with(page, opening), policy(&report), report.split_once("</main>"))
    else {
        return report;
    };
    let before = before.replacen(&own, &policy(&page).unwrap_or(own.clone()), 1);
    let section = "<section aria-labelledby=\"change\">\n<h2 id=\"change\">Change this</h2>\n\
                   <p><a href=\"#play\">The same in the playground</a>: requests as dots, boxes to kill, another \
                   load or design, and the text, in this very file.</p>\n\
                   <noscript><p>The playground needs JavaScript; the report does not.</p></noscript>\n</section>\n";
    let script = format!(
        "<script type=\"application/json\" id=\"playground\">{}</script>\n<script>\n{OPEN}\n</script>\n</body>",
        inert(&json!(page))
    );
    [&before, section, "</main>", &after.replacen("</body>", &script, 1)].concat()
}

/// JSON that may stand in an element of HTML: there nothing but a `<` could end the element.
fn inert(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(name: &str, set: &[Override]) -> Opened {
        Opened::of(&Source::find(name).unwrap(), set).unwrap()
    }

    fn opening(one: Opened) -> Opening {
        Opening { scenarios: vec![one], ..Opening::default() }
    }

    #[test]
    fn a_text_cannot_end_its_element() {
        let page = format!("<body>{OPENED}</body>");
        let mut entry = opened("single-server", &[]);
        entry.toml = "# </script><script>alert(1)".into();
        let page = with(&page, &Opening { language: Some("ko"), ..opening(entry) }).unwrap();
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains("# \\u003c/script>\\u003cscript>alert(1)"), "{page}");
        assert!(page.contains("\"language\":\"ko\""));
        assert_eq!(with("<body></body>", &Opening::default()), None);
    }

    #[test]
    fn a_scenario_has_its_overrides_in_its_text() {
        let set = [("users.users".to_owned(), "70".to_owned())];
        let changed = opened("single-server", &set);
        assert_eq!((changed.name.as_str(), changed.set.as_slice()), ("01-single-server", &set[..]));
        assert!(changed.toml.contains("users      = 70\n"), "{changed:?}");
        let scenario = Source::find("single-server").unwrap().check(&set).unwrap().scenario;
        let more = [("run.seed".into(), "7".into()), ("run.trials".into(), "3".into())];
        let again = Opened::again(&scenario, [&set[..], &more].concat()).unwrap();
        let text = Source::find("single-server").unwrap().check(&again.set).unwrap().scenario.text;
        assert_eq!(again.toml, text, "the command gives the same text");
    }

    #[test]
    fn files_of_more_than_a_mebibyte_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        let text = "[client.u]\ntarget = 's'\ntrace = 't.csv'\n[server.s]\npublic = true\nsteps = [{ cpu = '1ms' }]\n";
        std::fs::write(&path, text).unwrap();
        let of = |lines: usize| {
            let trace: String = (0..lines).map(|line| format!("{line}\n")).collect();
            std::fs::write(folder.path().join("t.csv"), trace).unwrap();
            Opened::of(&Source::find(path.to_str().unwrap()).unwrap(), &[])
        };
        assert_eq!(of(100).unwrap().files.keys().collect::<Vec<_>>(), ["t.csv"]);
        let said = of(200_000).unwrap_err().text;
        assert!(said.contains("names `t.csv`, which has 1.2 MiB: a page holds files of 1 MiB"), "{said}");
    }

    #[test]
    fn a_report_allows_scripts_only_with_the_page_inside() {
        let policy = |allowed| format!("{POLICY}default-src 'none'; {allowed}\">");
        let report = format!("<head>{}</head><body><main>x</main></body>", policy("img-src data:"));
        let page = format!("<head>{}</head><body>{OPENED}</body>", policy("script-src 'unsafe-inline'"));
        let made = inside(report.clone(), &page, &opening(opened("single-server", &[])));
        assert!(made.starts_with(&format!("<head>{}", policy("script-src 'unsafe-inline'"))), "{made}");
        assert!(made.contains("href=\"#play\"") && made.matches("</body>").count() == 1, "{made}");
        assert_eq!(inside(report.clone(), "no page", &Opening::default()), report);
    }
}
