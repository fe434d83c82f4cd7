//! Charts and the report as users get them: the same files each time, and a page that a browser opens without
//! complaint.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::golden::{compare, root};

/// A title that would run as a script if it were not escaped.
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

/// Runs the program in a folder. Panics unless it ends with one of these exit codes.
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

/// The report of a scenario with a hostile title and of a shipped one.
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
    assert_eq!(one.len(), 10, "five charts, each as SVG and as PNG");
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

/// A sweep of six points, for its charts.
const SWEEP: [&str; 10] = [
    "sweep",
    "queue.toml",
    "--vary",
    "users.rate=20/s,50/s,150/s",
    "--vary",
    "box.cores=1,2",
    "--trials",
    "3",
    "--duration",
    "30s",
];

/// The files in `folder` after the sweep: report, table, and charts with their names.
fn swept(folder: &Path, more: &[&str]) -> (String, String, Vec<(String, Vec<u8>)>) {
    let out = ["-q", "--report", "p.html", "--charts", "c"];
    outgrow(folder, &[more, &out[..]].concat(), &[0]);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let paths = fs::read_dir(folder.join("c")).unwrap().map(|entry| entry.unwrap().path());
    let mut charts: Vec<(String, Vec<u8>)> =
        paths.map(|path| (name(&path), fs::read(path).unwrap())).collect();
    charts.sort();
    (read("p.html"), read("t.csv"), charts)
}

/// A folder with the scenario that [`SWEEP`] sweeps.
fn queue() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(root().join("scenarios/00-mm1.toml")).unwrap();
    let title = text.lines().find(|line| line.starts_with("title")).unwrap();
    let text = text.replace(title, "title = \"<script>alert(1)</script>\"");
    fs::write(folder.path().join("queue.toml"), text).unwrap();
    folder
}

#[test]
fn a_sweep_in_one_piece_or_in_parts_has_the_same_charts_and_page() {
    let folder = queue();
    let folder = folder.path();
    let whole = swept(folder, &[&SWEEP[..], &["--out", "t.csv", "--jobs", "1"]].concat());
    let (page, table, charts) = &whole;
    check_page(page);
    let names: Vec<&str> = charts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["latency.png", "latency.svg", "throughput.png", "throughput.svg"]);
    let svg = |at: usize| String::from_utf8(charts[at].1.clone()).unwrap();
    for words in ["users.rate (1/s)", "cores=1", "cores=2", "users.rate=150/s, box.cores=2"] {
        assert!(svg(3).contains(words), "{words}");
    }
    // 150/s overload one core, which serves 100/s, so that its times are meaningless.
    assert!(svg(1).contains("of 6 points are left out") && !svg(1).contains(">10 s<"));
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(page.contains("1 of 6 points have no steady state"));
    let command = "outgrow sweep queue.toml --vary users.rate=20/s,50/s,150/s --vary box.cores=1,2 ";
    assert!(page.contains(command) && !page.contains("--jobs"));
    // The report has the numbers of the table.
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<std::collections::BTreeMap<String, String>> =
        reader.deserialize().map(Result::unwrap).collect();
    for row in &rows {
        let cell = |end: &str| row[&format!("throughput_rps{end}")].parse::<f64>().unwrap();
        let shown = |value| outgrow::report::number::number(value);
        let cell = format!("{} ({} to {})", shown(cell("")), shown(cell("_low")), shown(cell("_high")));
        assert!(
            page.matches(&format!(">{cell}</td>")).count() >= 2,
            "behind the chart, and in the list: {cell}"
        );
    }

    let again = swept(folder, &[&SWEEP[..], &["--out", "t.csv", "--jobs", "3"]].concat());
    assert!(whole == again, "threads leave a trace");
    for (part, out) in [("1/2", "a.csv"), ("2/2", "b.csv")] {
        outgrow(folder, &[&SWEEP[..], &["-q", "--shard", part, "--out", out]].concat(), &[0]);
    }
    let merge = ["sweep", "merge", "t.csv", "a.csv", "b.csv", "--report", "p.html", "--charts", "c"];
    outgrow(folder, &merge, &[0]);
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(read("p.html") == page.as_bytes() && read("c/latency.png") == charts[0].1, "parts leave a trace");
    // The report says so if the scenario is missing.
    fs::remove_file(folder.join("queue.toml")).unwrap();
    outgrow(folder, &merge, &[0]);
    assert!(fs::read_to_string(folder.join("p.html")).unwrap().contains("queue.toml is not shown"));
}

#[test]
fn a_sweep_without_a_number_has_bars_and_one_of_many_lines_none() {
    let folder = tempfile::tempdir().unwrap();
    let quick = ["--trials", "2", "--duration", "20s", "--set", "run.warmup=1s", "--out", "t.csv"];
    let texts = ["sweep", "mm1", "--vary", "title=\"a<b\",\"c\""];
    let (page, _, charts) = swept(folder.path(), &[&texts[..], &quick].concat());
    check_page(&page);
    let svg = String::from_utf8(charts.last().unwrap().1.clone()).unwrap();
    assert!(svg.contains("title=a&lt;b") || svg.contains("title=a&#60;b"), "{svg}");

    let folder = tempfile::tempdir().unwrap();
    let many = ["sweep", "mm1", "--vary", "run.seed=1..8", "--vary", "users.rate=1/s..8/s:8"];
    let output = outgrow(folder.path(), &[&many[..], &quick, &["-q", "--charts", "c"]].concat(), &[0]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("it would have 8 lines"));
}

#[test]
fn a_page_that_cannot_be_written_is_known_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    for option in ["--report", "--charts"] {
        // The run would take minutes.
        let run = ["run", "mm1", "--duration", "300h", option, "none/there/x"];
        let output = outgrow(folder.path(), &run, &[1]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"));
    }
}

/// The tags of a page: the texts between `<` and `>`.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

/// Checks that a report loads nothing from elsewhere, that its headings are in order, and that its pictures have
/// descriptions.
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
    let within = ["url(#tip", "url(data:font/otf;base64,"].map(|inside| page.matches(inside).count());
    assert_eq!(page.matches("url(").count(), within.iter().sum::<usize>(), "all is in the page");
    assert_eq!(within[1], 2, "both weights of the font");
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
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{ids:?}");
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "#{target} leads nowhere");
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
    let diagram = text.split("class=\"diagram wide\"").nth(1).unwrap().split("</svg>").next().unwrap();
    assert!(diagram.contains("address?") && diagram.contains("class=\"on\""), "a name is asked");
    assert!(diagram.contains("/s</text>"), "arrows have rates");
    // Each chart has a table with its numbers.
    assert_eq!(text.matches("<figure>").count(), text.matches("<summary aria-label=\"Table: ").count());
    // The report is the same each time.
    assert!(text == page(folder.path()));
}

/// The path of Chromium, under one of its usual names; `None` if it is not installed.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

/// Opens a page in a window of this width. Returns the stderr of the browser and the network log.
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
    // A screenshot of an empty page would be smaller.
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
        // The console also has a message about everything that the policy of the page blocks.
        let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
        // The browser makes requests of its own, for example for the time; those do not belong to a page.
        let is_request = |line: &&str| line.contains("\"url\":\"http") && line.contains("\"initiator\":");
        let of_page =
            log.lines().filter(is_request).filter(|line| !line.contains("\"initiator\":\"not an origin\""));
        let requests: Vec<&str> = of_page.collect();
        assert!(requests.is_empty(), "{requests:?}");
    }
}
