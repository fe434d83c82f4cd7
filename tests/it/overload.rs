//! The table of docs/overload.md: the same overload with one cure at a time, recomputed. `UPDATE=1` writes it anew, in both
//! languages.

use std::fs;
use std::ops::Range;

use outgrow::cli::builtin;
use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::{TrialRecord, Window};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::load;

use crate::golden::{compare, root};

/// The scenario.
const NAME: &str = "23-metastable";

/// The trigger, and the time after it that is looked at, in seconds.
const TRIGGER: Range<f64> = 20.0..30.0;
const AFTER: Range<f64> = 60.0..105.0;

/// Share of the requests that is answered again when the service has recovered.
const RECOVERED: f64 = 0.95;

/// A cure: what it is called in English and in Korean, and the overrides that make it.
type Cure = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const CURES: &[Cure] = &[
    ("nothing", "없음", &[]),
    ("no retries", "재시도 없음", &[("users.retry.attempts", "1")]),
    (
        "exponential backoff with full jitter",
        "지수 백오프와 지터",
        &[("users.retry.backoff", "1s"), ("users.retry.factor", "2"), ("users.retry.jitter", "full")],
    ),
    ("retry budget, a share", "재시도 예산(비율)", &[("users.retry.budget", "20%")]),
    ("retry budget, tokens", "재시도 예산(토큰)", &[("users.retry.budget", "{ kind = \"tokens\" }")]),
    (
        "retry budget, concurrency",
        "재시도 예산(동시 실행)",
        &[("users.retry.budget", "{ kind = \"concurrency\" }")],
    ),
    ("a line of 300 places", "대기열 300자리", &[("shop.queue", "300")]),
    ("newest first", "최신 먼저(LIFO)", &[("shop.queue_order", "lifo")]),
    ("newest first while the line is long", "적응형 LIFO", &[("shop.queue_order", "adaptive")]),
    ("calls older than 1 s dropped", "1초 넘은 요청 버림", &[("shop.shed", "{ age = \"1s\" }")]),
    ("controlled delay", "CoDel", &[("shop.shed", "{ codel = {} }")]),
    ("100 calls inside", "동시 요청 100개 제한", &[("shop.limit", "{ calls = 100 }")]),
    ("a limit by gradient", "기울기 방식 동시성 제한", &[("shop.limit", "{ gradient = {} }")]),
    ("a rate limit of 900/s", "초당 900개 속도 제한", &[("shop.rate_limit", "{ rate = \"900/s\" }")]),
    (
        "a deadline that travels",
        "전달되는 마감 시한",
        &[("users.propagate", "true"), ("shop.propagate", "true")],
    ),
    ("users who say that they have gone", "포기를 알리는 사용자", &[("users.cancel", "true")]),
    ("twice the machine", "두 배의 서버", &[("shop.cores", "2"), ("shop.workers", "2")]),
];

/// What a cure does.
struct Effect {
    during: f64,
    after: f64,
    p99_ms: Option<f64>,
    attempts: f64,
    recovered_s: Option<f64>,
}

fn play(set: &[(&str, &str)]) -> TrialRecord {
    let text = builtin::find(NAME).expect("a built-in scenario").text;
    let overrides: Vec<(String, String)> =
        set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let scenario =
        load(NAME, text, &overrides, &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}")).scenario;
    build(&scenario, Seed::new(scenario.run.seed)).run(scenario.length(), &mut |_| false)
}

/// Answers a second in a part of the time.
fn goodput(windows: &[Window], part: &Range<f64>) -> f64 {
    let inside = |window: &&Window| {
        window.start_s >= part.start - 1e-6 && window.start_s + window.length_s <= part.end + 1e-6
    };
    let inside: Vec<&Window> = windows.iter().filter(inside).collect();
    inside.iter().map(|window| window.ok).sum::<u64>() as f64
        / inside.iter().map(|window| window.length_s).sum::<f64>()
}

fn effect(record: &TrialRecord) -> Effect {
    let windows = &record.windows;
    let ends: u64 = record.classes.iter().map(|class| class.outcomes.iter().sum::<u64>()).sum();
    let attempts: u64 = record.classes.iter().map(|class| class.attempts).sum();
    let lags = |window: &&Window| {
        window.start_s >= TRIGGER.end && (window.ok as f64) < RECOVERED * window.issued as f64
    };
    let last = windows.iter().filter(lags).map(|window| window.start_s + window.length_s).next_back();
    let end = windows.last().map_or(0.0, |window| window.start_s + window.length_s);
    let recovered = last.unwrap_or(TRIGGER.end);
    let later = windows.iter().filter(|window| window.start_s >= AFTER.start);
    Effect {
        during: goodput(windows, &TRIGGER),
        after: goodput(windows, &AFTER),
        p99_ms: later.filter_map(|window| window.p99).max().map(|nanos| nanos as f64 / 1e6),
        attempts: attempts as f64 / ends as f64,
        recovered_s: (recovered < end - 1.0).then_some(recovered - TRIGGER.end),
    }
}

fn rows(effects: &[Effect], korean: bool) -> String {
    let mut page = String::new();
    for ((english, other, set), effect) in CURES.iter().zip(effects) {
        let &Effect { during, after, p99_ms, attempts, recovered_s } = effect;
        let name = if korean { other } else { english };
        let keys: Vec<String> = set.iter().map(|(key, value)| format!("`{key}={value}`")).collect();
        let never = if korean { "회복 안 됨" } else { "never" };
        let recovered = recovered_s.map_or(never.to_owned(), |s| format!("{s:.0} s"));
        let p99 = p99_ms.map_or("-".to_owned(), |ms| {
            if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
        });
        page += &format!(
            "| {name} | {during:.0}/s | {after:.0}/s | {p99} | {attempts:.2} | {recovered} | {} |\n",
            keys.join(", ")
        );
    }
    page
}

/// Replaces the rows of the table in a page.
fn with_rows(page: &str, rows: &str) -> String {
    let (start, end) = ("<!-- cures -->\n", "<!-- end of cures -->");
    let (before, rest) = page.split_once(start).expect("the page has a place for the table");
    let (old, after) = rest.split_once(end).expect("the table ends");
    let head: String = old.lines().take(2).map(|line| format!("{line}\n")).collect();
    format!("{before}{start}{head}{rows}{end}{after}")
}

/// What the pages conclude from the table.
fn says_what_holds(effects: &[Effect]) {
    let of = |name: &str| CURES.iter().zip(effects).find(|(cure, _)| cure.0 == name).expect(name).1;
    let load = 380.0;
    assert!(of("nothing").recovered_s.is_none() && of("nothing").after < 1.0);
    for ((name, ..), effect) in CURES.iter().zip(effects).skip(1) {
        assert!(effect.recovered_s.is_some() && effect.after > RECOVERED * load, "{name} brings it back");
    }
    // All that a machine of 1000 a second can do at a fifth of its speed.
    let door = [
        "a line of 300 places",
        "newest first",
        "newest first while the line is long",
        "calls older than 1 s dropped",
        "controlled delay",
        "100 calls inside",
        "a limit by gradient",
    ];
    for name in door {
        assert!((195.0..=205.0).contains(&of(name).during), "{name} saves what the slow machine can do");
    }
    for name in [
        "no retries",
        "retry budget, a share",
        "a deadline that travels",
        "users who say that they have gone",
    ] {
        assert!(of(name).during < 140.0 && of(name).recovered_s < Some(3.0), "{name} saves the time after");
    }
    let slow =
        ["exponential backoff with full jitter", "a rate limit of 900/s"].map(|name| of(name).recovered_s);
    assert!(slow[0] > Some(4.0) && slow[1] > slow[0], "they take their time: {slow:?}");
    assert!(of("twice the machine").during > 375.0, "it loses nothing");
}

#[test]
fn the_table_of_cures_is_recomputed() {
    let effects: Vec<Effect> = CURES.iter().map(|(_, _, set)| effect(&play(set))).collect();
    says_what_holds(&effects);
    for (path, korean) in [("docs/overload.md", false), ("docs/overload.ko.md", true)] {
        let page = fs::read_to_string(root().join(path)).expect(path);
        compare(&root().join(path), &with_rows(&page, &rows(&effects, korean)))
            .unwrap_or_else(|why| panic!("{why}"));
    }
}
