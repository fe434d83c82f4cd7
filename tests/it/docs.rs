//! The pages in `docs/` agree with the program. `UPDATE=1 cargo it docs` rewrites those that are generated from it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::SimDuration;
use outgrow::model::simulation::Length;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::handbook::{distributions, expressions};
use outgrow::scenario::load;
use outgrow::scenario::reference::reference;
use outgrow::scenario::schema::schema;
use serde_json::Value;

use crate::golden::{compare, root};

/// A scenario with few keys that reaches every limit with a default: it is overloaded, with retries, writes, more
/// data than memory, and requests beyond the time limit.
const TERSE: &str = r#"
[request.read]
[request.write]
share = 0.25
effect = "write"

[client.users]
sessions = "30/s"
target   = "www"
retry    = { attempts = 3 }

[dns.www]
records = ["web"]

[server.web]
public     = true
rate_limit = { rate = "42/s" }
steps      = [{ cpu = "20ms" }, { query = "db" }, { query = "db", times = 20 }, { query = "memo" }, { call = "jobs" }]

[server.mill]
steps = [{ cpu = "40ms" }]

[database.db]
working_set = "20GiB"
disk        = {}

[cache.memo]
target = "db"

[queue.jobs]
target = "mill"

[autoscaler.up]
target = "mill"
max    = 4

[monitor.watch]
[[monitor.watch.alert]]
on = "throughput > 1/s"
"#;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Fails unless the page has this content. `UPDATE=1` rewrites the page.
pub(crate) fn check_generated(page: &str, content: &str) {
    compare(&root().join(page), content).unwrap_or_else(|message| panic!("{message}"));
}

#[test]
fn the_reference_page_is_made_from_the_types() {
    check_generated("docs/scenarios.md", &reference(KINDS));
}

#[test]
fn the_pages_of_distributions_and_expressions_are_made_from_the_code() {
    check_generated("docs/distributions.md", &distributions());
    check_generated("docs/expressions.md", &expressions(KINDS));
}

#[test]
fn the_page_of_results_is_made_from_the_types() {
    check_generated("docs/result.md", &outgrow::experiment::schema::page());
    let text = serde_json::to_string_pretty(&outgrow::experiment::schema::any()).expect("plain JSON");
    check_generated("docs/result.schema.json", &(text + "\n"));
}

#[test]
fn what_the_page_of_questions_shows_is_sound() {
    let page = read("docs/how-do-i.md");
    let snippets: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(snippets.len() >= 10, "{} snippets", snippets.len());
    for text in snippets {
        let loaded = load("how-do-i.toml", text, &[], &NoFiles, KINDS);
        let loaded = loaded.unwrap_or_else(|found| panic!("{text}\n{}", found.render(false)));
        assert!(loaded.warnings.is_empty(), "{text}\n{}", loaded.warnings.render(false));
    }
}

#[test]
fn the_schema_is_made_from_the_types() {
    let text = serde_json::to_string_pretty(&schema(KINDS)).expect("a schema is plain JSON");
    check_generated("docs/scenario.schema.json", &(text + "\n"));
}

/// Key and default of every row of the tables of defaults in `docs/model.md`.
fn told_defaults() -> Vec<(String, String)> {
    let page = read("docs/model.md");
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split(" | ").collect();
        Some((cells[0].trim_end_matches('`').to_owned(), cells[1].to_owned()))
    };
    page.lines().filter_map(row).collect()
}

/// The same for a content delivery network, which stands in regions.
const FAR: &str = "[network]\nregions = 'aws'\n[request.photo]\nkeys = 1000\nzipf = 0.9\ncacheable = true\n\
                   [client.users]\nrate = '50/s'\ntarget = 'edge'\nregion = 'us-east-1'\n\
                   [cdn.edge]\norigin = 'web'\nregions = ['us-east-1']\n\
                   [server.web]\npublic = true\nregion = 'ap-northeast-2'\nsteps = [{ cpu = '1ms' }]\n";

/// The same for a switch between two sites, of which one is lost at once.
const TWO: &str = "[run]\nduration = '31min'\nwarmup = '0s'\n[client.users]\nrate = '1/s'\ntarget = 'www'\n\
                   [dns.www]\nrecords = ['one', 'two']\n[server.one]\npublic = true\nsteps = [{ query = 'db' }]\n\
                   [server.two]\npublic = true\nsteps = [{ query = 'db' }]\n[database.db]\nreplicas = 1\nreads = 'primary'\n\
                   [switch.over]\nfrom = ['one', 'db.primary']\nto = ['two', 'db.replica-1']\n\
                   [[fault]]\nkind = 'crash'\ntarget = 'one'\nat = '1s'\n";

/// Everything that a short trial of the terse scenario measures with these overrides, as text.
fn measured(overrides: &[(String, String)]) -> String {
    let is_far = overrides.iter().any(|(key, _)| key.starts_with("edge."));
    let is_two = overrides.iter().any(|(key, _)| key.starts_with("over."));
    let text = if is_two { TWO } else { TERSE };
    let loaded = load("terse.toml", if is_far { FAR } else { text }, overrides, &NoFiles, KINDS);
    let scenario = loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario;
    let seconds = if is_two { 31 * 60 } else { 31 };
    let length = Length { warmup: SimDuration::ZERO, measured: SimDuration::from_secs(seconds) };
    let record = build(&scenario, Seed::new(1)).run(length, &mut |_progress| false);
    format!("{:?} {:?} {record:?}", scenario.run, scenario.classes)
}

/// The key of the terse scenario for a key of the page.
fn override_of(key: &str) -> String {
    let names = [("client.", "users."), ("dns.", "www."), ("server.", "web."), ("database.", "db.")];
    let names = names.iter().chain(&[
        ("request.", "request.read."),
        ("cache.", "memo."),
        ("cdn.", "edge."),
        ("queue.", "jobs."),
        ("autoscaler.", "up."),
        ("switch.", "over."),
        ("monitor.", "watch."),
    ]);
    let replaced = |(kind, name): &(&str, &str)| key.strip_prefix(kind).map(|rest| format!("{name}{rest}"));
    let key = names.copied().find_map(|one| replaced(&one)).unwrap_or_else(|| key.to_owned());
    key.replacen("steps.", "steps[1].", 1)
}

#[test]
fn the_defaults_are_those_that_the_page_tells() {
    let plain = measured(&[]);
    for (key, value) in told_defaults() {
        let Some(value) = value.strip_prefix('`').and_then(|value| value.strip_suffix('`')) else { continue };
        // A queue that is controlled never comes to the limit that another key sets.
        // An inner key shows nothing without its outer one.
        let outer = [
            ("server.shed.", "web.shed", "{ codel = {} }"),
            ("server.errors.", "web.errors.share", "10%"),
            ("server.limit.", "web.limit", "{ gradient = {} }"),
            ("server.liveness.", "web.liveness", "{}"),
            ("server.cpu_quota.", "web.cpu_quota.quota", "30ms"),
            ("server.gc.", "web.gc", "{}"),
            ("server.swap.", "web.on_memory", "swap"),
            ("server.sessions.", "web.sessions", "{}"),
            ("cdn.lease", "edge.coalesce", "true"),
            ("request.missing", "request.read.keys", "10"),
            ("cache.ttl_", "memo.ttl", "60s"),
            ("cache.lease", "memo.coalesce", "true"),
            ("cache.virtual_nodes", "memo.nodes", "2"),
            ("client.breaker.", "users.breaker", "{}"),
            ("client.hedge.", "users.hedge.after", "10ms"),
            ("client.throttle.", "users.throttle", "{}"),
            ("autoscaler.cooldown", "up.kind", "step"),
        ];
        let before: Vec<(String, String)> = outer
            .into_iter()
            .filter(|(inner, ..)| key.starts_with(inner))
            .map(|(_, key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let set = [&before[..], &[(override_of(&key), value.to_owned())]].concat();
        let (far, two) = (("edge.origin", "web"), ("over.from[0]", "one"));
        let same = |(key, value): (&str, &str)| measured(&[(key.to_owned(), value.to_owned())]);
        let plain = match (before.is_empty(), key.split('.').next()) {
            (false, _) => &measured(&before),
            (true, Some("cdn")) => &same(far),
            (true, Some("switch")) => &same(two),
            (true, _) => &plain,
        };
        assert!(measured(&set) == *plain, "`{key}` is not {value} by default");
    }
}

#[test]
fn another_value_than_the_default_shows() {
    let plain = measured(&[]);
    for (key, value) in [
        ("users.timeout", "\"29s\""),
        ("users.retry.backoff", "\"99ms\""),
        ("users.requests", "11"),
        ("users.resolvers", "19"),
        ("www.ttl", "5s"),
        ("web.workers", "199"),
        ("web.queue", "9"),
        ("web.db_pool", "9"),
        ("web.memory_per_call", "\"3MiB\""),
        ("db.read", "\"1.2ms\""),
        ("db.commit", "\"3.8ms\""),
        ("db.skew", "0.98"),
        ("db.disk.iops", "2000"),
        ("network.jitter", "0.2"),
        ("memo.op", "\"14us\""),
        ("jobs.ack", "\"6ms\""),
        ("jobs.workers", "5"),
        ("up.every", "3s"),
        ("over.after", "19min"),
    ] {
        assert!(measured(&[(key.to_owned(), value.to_owned())]) != plain, "{key} = {value} changes nothing");
    }
}

#[test]
fn every_default_has_its_row() {
    let told: BTreeSet<String> = told_defaults().into_iter().map(|(key, _)| key).collect();
    let schema = schema(KINDS);
    let mut missing = Vec::new();
    let kinds = ["client", "dns", "server", "database", "cache", "queue", "autoscaler", "switch", "monitor"];
    for kind in kinds {
        let reference = &schema["properties"][kind]["additionalProperties"]["$ref"];
        let name =
            reference.as_str().and_then(|path| path.rsplit('/').next()).expect("a kind has a definition");
        for (key, property) in schema["$defs"][name]["properties"].as_object().into_iter().flatten() {
            let about = property["description"].as_str().unwrap_or_default();
            let has_default = about.contains("Default: ") || !matches!(property["default"], Value::Null);
            let key = format!("{kind}.{key}");
            if has_default && !told.contains(&key) {
                missing.push(key);
            }
        }
    }
    assert!(missing.is_empty(), "docs/model.md has no row for {missing:?}");
}

#[test]
fn the_box_of_the_guide_is_that_of_the_example() {
    let example = read("examples/custom_component.rs");
    let guide = read("docs/adding-a-component.md");
    let added: Vec<&str> = guide.lines().filter_map(|line| line.strip_prefix('+')).collect();
    let start =
        added.iter().position(|line| line.starts_with("/// What a mirror counts.")).expect("the gauges");
    let end = added.iter().position(|line| line.starts_with("pub mod")).expect("the row");
    let code = added[start..end].join("\n");
    assert!(example.ends_with(&(code + "\n")), "the guide and the example differ");
}

#[test]
fn the_cache_of_the_guide_is_that_of_the_source() {
    let (guide, source) = (read("docs/adding-a-component.md"), {
        let files = ["mod.rs", "spec.rs", "gauges.rs"];
        files.map(|file| read(&format!("src/components/cache/{file}"))).concat()
    });
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 4, "the guide shows parts of the cache");
    for block in blocks {
        assert!(source.contains(block), "the guide shows what the source does not have:\n{block}");
    }
}

/// `TRYCMD=overwrite cargo it readme` pastes the program's output.
#[test]
fn the_readme_shows_what_the_program_prints() {
    trycmd::TestCases::new().case("README.md").case("tests/cmd/*.md");
}

#[test]
fn the_scenario_of_the_readme_is_sound() {
    let page = read("README.md");
    let (_, rest) = page.split_once("```toml\n").expect("the page has a scenario");
    let (text, _) = rest.split_once("```").expect("the scenario ends");
    let loaded = load("README.md", text, &[], &NoFiles, KINDS);
    let loaded = loaded.unwrap_or_else(|found| panic!("{}", found.render(false)));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings.render(false));
}

/// All Markdown pages of the project.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned(), "CHANGELOG.md".to_owned()];
    for folder in ["docs", "docs/decisions", "scenarios"] {
        let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        pages.extend(names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")));
    }
    pages.sort();
    pages
}

#[test]
fn links_lead_to_files() {
    for page in pages() {
        let text = read(&page);
        let folder = Path::new(&page).parent().expect("a page is in a folder");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')) {
            let path = target.split('#').next().expect("split gives at least one part");
            assert!(root().join(folder).join(path).exists(), "{page} links to {target}");
        }
    }
}

#[test]
fn the_index_has_every_page() {
    let index = read("docs/README.md");
    for page in pages().iter().filter_map(|page| page.strip_prefix("docs/")) {
        assert!(page == "README.md" || index.contains(&format!("({page})")), "docs/README.md lacks {page}");
    }
}
