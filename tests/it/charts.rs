//! Charts and the report as users get them: files of the program, the same each time, and a page that a browser opens
//! without a complaint.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::golden::{compare, root};

/// A title that would be a program if anybody forgot to escape it.
const HOSTILE: &str = r#"
title   = "<script>alert(1)</script> & \"quoted\" 'x' ]]> -->"
chapter = "<b>9</b>"

[run]
duration = "20s"
warmup   = "2s"
trials   = 3

[client.users]
rate   = "60/s"
target = "www"

[dns.www]
records = ["web", "api"]

[server.web]
public = true
count  = 3
cores  = 1
steps  = [{ cpu = { dist = "exponential", mean = "4ms" } }, { query = "db" }]

[server.api]
public = true
cores  = 1
steps  = [{ cpu = { dist = "exponential", mean = "9ms" } }, { call = "web" }, { query = "db" }]

[database.db]
on = "api"

[[expect]]
that = "p99(response) < 300ms"
"#;

/// Runs the program in a folder; panics unless it ends with one of these.
fn outgrow(folder: &Path, arguments: &[&str], codes: &[i32]) -> Output {
    let output =
        Command::new(env!("CARGO_BIN_EXE_outgrow")).args(arguments).current_dir(folder).output().unwrap();
    let code = output.status.code();
    assert!(
        code.is_some_and(|code| codes.contains(&code)),
        "{code:?} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The page of a hostile scenario and of one that ships.
fn page(folder: &Path) -> String {
    fs::write(folder.join("hostile.toml"), HOSTILE).unwrap();
    let run = ["run", "hostile.toml", "--quiet", "--report", "page.html", "--charts", "charts"];
    outgrow(folder, &run, &[0, 4]);
    fs::read_to_string(folder.join("page.html")).unwrap()
}

#[test]
fn the_picture_of_the_readme_is_what_its_command_draws() {
    let folder = tempfile::tempdir().unwrap();
    let run = ["run", "primary-dies", "--trials", "5", "--quiet", "--charts", "charts"];
    outgrow(folder.path(), &run, &[0, 4]);
    let drawn = fs::read_to_string(folder.path().join("charts/timeline.svg")).unwrap();
    compare(&root().join("docs/images/primary-dies.svg"), &drawn)
        .unwrap_or_else(|message| panic!("{message}"));
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(
        page.contains("docs/images/primary-dies.svg")
            && page.contains("outgrow run primary-dies --trials 5 --charts")
    );
}

#[test]
fn charts_are_the_same_files_with_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let draw = |jobs: &str| {
        let run =
            ["run", "mm1", "--trials", "3", "--duration", "40s", "-q", "--charts", jobs, "--jobs", jobs];
        outgrow(folder.path(), &run, &[0, 4]);
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder.path().join(jobs)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let content = |path: &PathBuf| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap());
        files.iter().map(content).collect::<Vec<_>>()
    };
    let one = draw("1");
    assert_eq!(one.len(), 8, "four charts, each as SVG and as PNG");
    assert!(one == draw("2"));
}

#[test]
fn several_scenarios_have_one_page_and_charts_of_their_own_names() {
    let folder = tempfile::tempdir().unwrap();
    let run = [
        "run",
        "mm1",
        "ps",
        "--trials",
        "2",
        "--duration",
        "20s",
        "-q",
        "--charts",
        "c",
        "--report",
        "p.html",
    ];
    outgrow(folder.path(), &run, &[0, 4]);
    assert!(
        folder.path().join("c/1-00-mm1-timeline.svg").is_file()
            && folder.path().join("c/2-00-ps-timeline.png").is_file()
    );
    let text = fs::read_to_string(folder.path().join("p.html")).unwrap();
    check_page(&text);
    assert!(text.contains("<h1>2 scenarios</h1>") && text.contains("id=\"verdict-2\""));
}

#[test]
fn designs_and_capacities_have_charts_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let common = ["--trials", "3", "--duration", "1min", "-q", "--report", "p.html", "--charts"];
    let compare = ["compare", "mm1", "ps", "--vary", "users.rate=40/s,60/s,75/s"];
    let capacity = ["capacity", "mm1", "--slo", "p99 < 300ms"];
    for (command, folder_name, names) in [
        (&compare[..], "compare", &["designs", "throughput", "latency"][..]),
        (&capacity[..], "capacity", &["capacity"]),
    ] {
        outgrow(folder.path(), &[command, &common[..], &[folder_name]].concat(), &[0]);
        for name in names {
            let svg = fs::read_to_string(folder.path().join(format!("{folder_name}/{name}.svg"))).unwrap();
            assert!(svg.contains("role=\"img\""));
        }
        let text = fs::read_to_string(folder.path().join("p.html")).unwrap();
        check_page(&text);
        assert!(text.contains(&format!("outgrow {folder_name} mm1")));
        assert_eq!(text.matches("<figure>").count(), names.len());
    }
}

#[test]
fn a_page_that_cannot_be_written_is_known_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    for option in ["--report", "--charts"] {
        // It would take minutes.
        let run = ["run", "mm1", "--duration", "300h", option, "none/there/x"];
        let output = outgrow(folder.path(), &run, &[1]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"));
    }
}

/// The elements of a page: what stands between `<` and `>`.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

/// What holds of every report: it asks for nothing, its headings are in order, its pictures have words.
fn check_page(page: &str) {
    let tags = tags(page);
    let is = |tag: &str, name: &str| tag.split([' ', '\n']).next() == Some(name);
    for banned in ["script", "img", "iframe", "object", "embed", "base", "form", "image", "use"] {
        assert!(!tags.iter().any(|tag| is(tag, banned)), "a report has no <{banned}>");
    }
    for (at, _) in page.match_indices("http") {
        let rest = &page[at..];
        let allowed =
            ["http-equiv", "http://www.w3.org/2000/svg"].iter().any(|known| rest.starts_with(known));
        assert!(allowed, "{}", rest.chars().take(60).collect::<String>());
    }
    assert!(!page.contains("url(") || page.matches("url(").count() == page.matches("url(#tip)").count());
    assert!(page.contains("Content-Security-Policy") && page.contains("default-src 'none'"));
    let levels: Vec<u32> =
        tags.iter().filter_map(|tag| tag.strip_prefix('h')?.get(..1)?.parse().ok()).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    for landmark in ["header", "nav aria-label=\"Contents\"", "main id=\"main\" tabindex=\"-1\"", "footer"] {
        assert!(tags.contains(&landmark), "{landmark} is missing");
    }
    let pictures: Vec<&&str> = tags.iter().filter(|tag| is(tag, "svg")).collect();
    assert!(!pictures.is_empty());
    for picture in pictures {
        assert!(picture.contains("role=\"img\"") && picture.contains("aria-label=\""), "{picture}");
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let ids: Vec<&&str> = ids.iter().filter(|id| **id != "tip").collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{ids:?}");
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.iter().any(|id| **id == target), "#{target} leads nowhere");
    }
    for name in ["section", "figure", "table", "details", "div", "ul", "li", "svg", "g", "text", "main"] {
        let opened = tags.iter().filter(|tag| is(tag, name)).count();
        let closed = tags.iter().filter(|tag| **tag == format!("/{name}")).count();
        assert_eq!(opened, closed, "<{name}> is not closed as often as it is opened");
    }
}

#[test]
fn the_page_is_sound_and_escapes_what_the_scenario_says() {
    let folder = tempfile::tempdir().unwrap();
    let text = page(folder.path());
    check_page(&text);
    assert!(text.contains("&#60;script&#62;alert(1)&#60;/script&#62; &#38;"), "the title is escaped");
    assert!(text.contains("outgrow run hostile.toml --seed 1 --trials 3"));
    for heading in ["Verdict", "Why", "Diagram", "Charts", "Tables", "Scenario", "How to get the same again"]
    {
        assert!(text.contains(&format!(">{heading}</h2>")), "{heading} is missing");
    }
    // Each chart has its numbers.
    assert_eq!(text.matches("<figure>").count(), text.matches("<summary>Numbers behind the chart").count());
    // The same page each time.
    assert!(text == page(folder.path()));
}

/// Chromium, as Debian and others name it.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

/// Opens a page with a window of this width; gives back what the browser says on stderr and the network log.
fn open(browser: &Path, folder: &Path, width: u32) -> (String, String) {
    let (shot, log) = (format!("{width}.png"), format!("{width}.json"));
    let profile = folder.join(format!("profile-{width}"));
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--hide-scrollbars",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--log-net-log={}", folder.join(&log).display()))
        .arg(format!("--window-size={width},2000"))
        .arg(format!("--screenshot={}", folder.join(&shot).display()))
        .arg(format!("file://{}", folder.join("page.html").display()))
        .output()
        .unwrap();
    let picture = fs::read(folder.join(&shot)).expect("a screenshot");
    assert_eq!(picture[16..20], width.to_be_bytes(), "the picture is as wide as the window");
    // An empty page of one colour packs into less.
    assert!(picture.len() > 20_000, "{} bytes", picture.len());
    let log = fs::read_to_string(folder.join(&log)).unwrap_or_default();
    (String::from_utf8_lossy(&output.stderr).into_owned(), log)
}

#[test]
fn a_browser_opens_the_page_without_a_complaint_or_a_request() {
    let Some(browser) = chromium() else {
        eprintln!("skipped: there is no chromium here; on Debian: apt-get install chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    page(folder.path());
    for width in [400, 1280] {
        let (said, log) = open(&browser, folder.path(), width);
        // Whatever the policy of the page blocks is told on the console too.
        let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
        // A browser asks for things of its own, such as the time; those have no page behind them.
        let is_request = |line: &&str| line.contains("\"url\":\"http") && line.contains("\"initiator\":");
        let of_page =
            log.lines().filter(is_request).filter(|line| !line.contains("\"initiator\":\"not an origin\""));
        let requests: Vec<&str> = of_page.collect();
        assert!(requests.is_empty(), "{requests:?}");
    }
}
