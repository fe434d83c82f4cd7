//! Every mistake that a user can make in a scenario file has a case: `errors/NAME.toml` is the file of the user, and
//! `errors/NAME.txt` is the message. `UPDATE=1` rewrites the messages. Lines `# --set key=value` at the top of a case
//! are overrides.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outgrow::components::KINDS;
use outgrow::model::spec::{Files, NoFiles};
use outgrow::scenario::error::Diagnostics;
use outgrow::scenario::{Loaded, load};
use proptest::prelude::*;

use crate::golden::scenarios;

/// Longest time until a message, also for hostile texts.
const PATIENCE: Duration = Duration::from_secs(1);

/// The time that this thread has had a core, so that other load of the computer does not count. On systems that do
/// not tell it, the elapsed time.
#[allow(clippy::disallowed_types)] // A test may look at the clock: how long a user waits is what it checks.
fn worked() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    let known = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = known.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// Runs `work` and returns its result. Fails unless it finishes within [`PATIENCE`] in one of three tries: other
/// programs may disturb the caches.
fn in_time<T>(about: &str, work: impl Fn() -> T) -> T {
    let mut took = Duration::MAX;
    for _ in 0..3 {
        let started = worked();
        let done = work();
        took = took.min(worked().saturating_sub(started));
        if took < PATIENCE {
            return done;
        }
    }
    panic!("{took:?} for {}", about.get(..60).unwrap_or(about));
}

/// Files in the folder of the cases.
struct Beside(PathBuf);

impl Files for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.0.join(path)).map_err(|_| format!("there is no {path:?}"))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/errors")
}

fn overrides(text: &str) -> Vec<(String, String)> {
    let sets = text.lines().map_while(|line| line.strip_prefix("# --set "));
    let pair = |set: &str| set.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    sets.map(|set| pair(set).expect("an override is key=value")).collect()
}

fn read(text: &str) -> Result<Loaded, Diagnostics> {
    load("a.toml", text, &[], &NoFiles, KINDS)
}

/// The message to the user: errors, or the warnings of a scenario that can run.
fn shown(name: &str, text: &str) -> String {
    let files = Beside(folder());
    let found = in_time(name, || match load(name, text, &overrides(text), &files, KINDS) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    });
    format!("{}\n", found.render(false))
}

/// The message of the only error of a text.
fn only_error(text: &str) -> String {
    let (found, shown) = in_time(text, || {
        let found = read(text).expect_err("the text is wrong");
        let shown = found.render(true);
        (found, shown)
    });
    assert!(shown.len() < 100_000, "{} bytes of messages", shown.len());
    let [item] = found.items.as_slice() else { panic!("{found}") };
    item.message.clone()
}

#[test]
fn every_mistake_is_explained() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    cases.sort();
    assert!(cases.len() > 40, "{} cases", cases.len());
    let mut different = Vec::new();
    let mut silent = Vec::new();
    for case in cases {
        let name = case.file_name().and_then(|name| name.to_str()).expect("a name in ASCII").to_owned();
        let text = fs::read_to_string(&case).expect("a case");
        let shown = shown(&name, &text);
        if shown.len() <= 1 {
            silent.push(name);
            continue;
        }
        let expected = case.with_extension("txt");
        if update {
            fs::write(&expected, shown).expect("a place for the message");
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            different.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(silent.is_empty(), "nothing is said about {silent:?}");
    assert!(different.is_empty(), "UPDATE=1 accepts what is new:\n\n{}", different.join("\n"));
}

#[test]
fn no_message_is_left_behind() {
    for entry in fs::read_dir(folder()).expect("the folder of the cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            assert!(path.with_extension("toml").exists(), "{} has no case", path.display());
        }
    }
}

/// A smallest scenario that runs.
const SMALL: &str = "[client.users]\nrate = \"1/s\"\ntarget = \"box\"\n[server.box]\npublic = true\n\
                     steps = [{ cpu = \"1ms\" }]\n";

#[test]
fn byte_order_mark_and_crlf_are_fine() {
    for text in [SMALL.to_owned(), format!("\u{feff}{SMALL}"), SMALL.replace('\n', "\r\n")] {
        let loaded = read(&text).unwrap_or_else(|found| panic!("{found}"));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }
}

#[test]
fn a_hostile_text_is_refused_within_a_second() {
    let deep = |levels: usize| format!("{SMALL}x = {}1{}", "[".repeat(levels), "]".repeat(levels));
    let tables = |levels: usize| format!("{SMALL}[{}a]\n", "a.".repeat(levels));
    for text in [deep(100), deep(100_000), deep(1_000_000), tables(100), tables(100_000)] {
        let message = only_error(&text);
        assert_eq!(message, "nested too deeply, at most 80 levels are read");
    }
    let megabytes = format!("x = [{}]", "[[1]],".repeat(10 << 20 >> 3));
    for text in [megabytes, "#".repeat(100 << 20), "x\u{0}".repeat(5 << 20)] {
        let message = only_error(&text);
        assert!(message.ends_with("bytes, at most 4194304 are read"), "{message}");
    }
}

/// Texts with many mistakes, each text of one kind: `share` thousandths of the largest texts that are tried.
fn many_mistakes(share: usize) -> [String; 5] {
    let all =
        |most: usize, one: &dyn Fn(usize) -> String| (0..most * share / 1000).map(one).collect::<String>();
    [
        all(20_000, &|n| format!("[x{n}.y]\n")),
        all(50_000, &|n| format!("k{n} = 1\n")),
        format!("[server.box]\nsteps = [{}]\n", all(20_000, &|_| "{ gpu = 1 },".to_owned())),
        all(1_500, &|n| format!("[client.c{n}]\nrate = \"1/s\"\ntarget = \"d{n}\"\n")),
        all(300_000, &|_| "[\n".to_owned()),
    ]
}

#[test]
fn many_mistakes_are_told_within_a_second() {
    for text in many_mistakes(1000) {
        let (found, shown) = in_time(&text, || told(&text));
        assert!(found.items.len() <= 100 && shown.len() < 1_000_000, "{}", &text[..40]);
    }
}

/// The errors of a text, and the rendered messages.
fn told(text: &str) -> (Diagnostics, String) {
    let found = read(text).expect_err("the text is wrong");
    let shown = found.render(false);
    (found, shown)
}

/// The time that this thread has computed outside the kernel, in steps of 10 ms. The kernel's part is left out,
/// because the cost of new memory differs from machine to machine. On systems that do not tell it, [`worked`].
fn computed() -> Duration {
    let known = fs::read_to_string("/proc/thread-self/stat").ok();
    // The twelfth field after the name, which stands in parentheses.
    let ticks = known.and_then(|text| text.rsplit_once(')')?.1.split_whitespace().nth(11)?.parse().ok());
    ticks.map_or_else(worked, |ticks: u64| Duration::from_millis(10 * ticks))
}

/// The same number of mistakes must take about the same time in one text as in ten texts; quadratic work would take
/// ten times as long. Boxes are left out: each unknown target is compared with all names, and only the limit of a
/// thousand boxes bounds that.
#[test]
fn the_work_grows_no_faster_than_the_mistakes() {
    const TIMES: u32 = 1;
    let least = |text: &str, times: u32| {
        let once = |_| {
            let started = computed();
            (0..times).for_each(|_| drop(told(text)));
            computed().saturating_sub(started)
        };
        (0..3).map(once).min().unwrap_or_default()
    };
    for (few, many) in many_mistakes(100).iter().zip(&many_mistakes(1000)) {
        if many.starts_with("[client") {
            continue;
        }
        // At least 40 ms, because the clock has steps of 10 ms.
        let few = least(few, 10 * TIMES).max(Duration::from_millis(40));
        let took = least(many, TIMES);
        assert!(took < few * 5 / 2, "{took:?}, and {few:?} in ten texts like {}", &many[..40]);
    }
}

/// Numbers and other values that a user may write, one on each line of the file.
const VALUES: &str = include_str!("errors/values.list");

/// Keys that take a number, a quantity or a distribution, one on each line of the file.
const PLACES: &str = include_str!("errors/places.list");

#[test]
fn every_value_at_every_place_is_read_or_refused() {
    let text = "[request.read]\n[client.users]\nrate = '1/s'\ntarget = 'www'\n[dns.www]\nrecords = ['box']\n\
                [server.box]\npublic = true\nsteps = [{ cpu = '1ms' }, { query = 'db' }]\n[database.db]\nread = '1ms'\n";
    for place in PLACES.lines() {
        for value in VALUES.lines() {
            let set = [(place.to_owned(), value.to_owned())];
            match load("a.toml", text, &set, &NoFiles, KINDS) {
                Ok(loaded) => drop(loaded.warnings.render(true)),
                Err(found) => {
                    assert!(!found.items.is_empty(), "{place} = {value} says nothing");
                    assert!(!found.render(false).is_empty());
                }
            }
        }
    }
}

/// The scenarios that ship, as text.
fn shipped() -> Vec<String> {
    scenarios().iter().map(|(_, path)| fs::read_to_string(path).expect("a scenario")).collect()
}

/// Words, numbers and single other characters of a text; together they are the text.
fn tokens(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '%');
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) { rest.find(|c| !is_word(c)) } else { Some(first.len_utf8()) };
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()));
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// A typing error.
#[derive(Clone, Debug)]
enum Slip {
    Delete,
    Double,
    Replace(&'static str),
    CopyFrom(prop::sample::Index),
}

fn slip() -> impl Strategy<Value = Slip> {
    let odd = [
        "",
        "-1",
        "0",
        "nan",
        "inf",
        "1e308",
        "1000000000000",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        "true",
        "\"5ms\"",
        "[[1]]",
        "db",
        "users",
        "run",
        "ms",
        "%",
        "ü",
        "\u{0}",
    ];
    prop_oneof![
        Just(Slip::Delete),
        Just(Slip::Double),
        prop::sample::select(odd.to_vec()).prop_map(Slip::Replace),
        any::<prop::sample::Index>().prop_map(Slip::CopyFrom),
    ]
}

fn damaged(text: &str, slips: &[(prop::sample::Index, Slip)]) -> String {
    // Keep the comments at the top free of typing errors, which would change nothing there.
    let start = text.find("\ntitle").unwrap_or(0);
    let mut tokens = tokens(&text[start..]);
    for (at, slip) in slips {
        let at = at.index(tokens.len());
        match slip {
            Slip::Delete => tokens[at] = "",
            Slip::Double => tokens.insert(at, tokens[at]),
            Slip::Replace(with) => tokens[at] = with,
            Slip::CopyFrom(from) => tokens[at] = tokens[from.index(tokens.len())],
        }
    }
    tokens.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_scenario_is_valid_or_explained(
        which in any::<prop::sample::Index>(),
        slips in prop::collection::vec((any::<prop::sample::Index>(), slip()), 1..4),
    ) {
        let shipped = shipped();
        let text = damaged(&shipped[which.index(shipped.len())], &slips);
        if let Err(found) = in_time(&text, || read(&text)) {
            prop_assert!(found.has_errors());
            for item in &found.items {
                prop_assert!(found.text.get(item.span.clone()).is_some(), "{item:?}");
                prop_assert!(!item.message.is_empty() && !item.message.contains('\n'), "{item:?}");
            }
            prop_assert!(!found.render(false).is_empty());
        }
    }
}
