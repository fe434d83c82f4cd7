//! `outgrow sweep plan`: the job file of each engine, the words that arrive at the program through its quotes, and the page
//! that shows them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::docs::check_generated;
use crate::golden::{compare, root};

/// Engines, with the ends of their files.
const ENGINES: [(&str, &str); 6] = [
    ("slurm", "sh"),
    ("parallel", "sh"),
    ("snakemake", "smk"),
    ("kubernetes", "yaml"),
    ("aws-batch", "sh"),
    ("hyperqueue", "sh"),
];

/// The page with the plans.
const PAGE: &str = "docs/clusters.md";

fn plan(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    let arguments = [&["sweep", "plan"], arguments].concat();
    command.args(arguments).current_dir(folder).output().expect("the program starts")
}

#[track_caller]
fn text(folder: &Path, arguments: &[&str]) -> String {
    let output = plan(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("all output is text")
}

/// A folder with a scenario in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("scenarios/00-mm1.toml"), folder.path().join("mine.toml")).unwrap();
    folder
}

#[test]
fn the_job_of_each_engine_is_as_it_was() {
    let folder = folder();
    for (engine, end) in ENGINES {
        let options =
            ["mine.toml", "--vary", "users.rate=20/s..95/s:200", "--trials", "2", "--duration", "2min"];
        let more = ["--warmup", "10s", "--shards", "8", "--workers", "4", "--quiet", "--engine", engine];
        let text = text(folder.path(), &[&options[..], &more].concat());
        let golden = root().join(format!("tests/golden/engines/{engine}.{end}"));
        compare(&golden, &text).unwrap_or_else(|message| panic!("{message}"));
    }
}

#[test]
fn a_plan_says_what_it_costs_and_refuses_what_no_engine_can_do() {
    let folder = folder();
    let options = ["mine.toml", "--vary", "users.rate=20/s..95/s:20", "--duration", "20s", "--engine"];
    let said = |more: &[&str]| {
        let output = plan(folder.path(), &[&options[..], more].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = said(&["slurm", "--warmup", "1s", "--workers", "3"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("20 points in 12 shards: about ") && told.contains("of point 10"), "{told}");
    assert!(said(&["aws-batch", "--shards", "1"]).1.contains("at least two jobs"));
    assert!(said(&["cron"]).1.contains("possible values: slurm"));
    assert_eq!(said(&["slurm", "--set", "box.cores=0"]).0, Some(3));
    let stdin = plan(folder.path(), &["-", "--vary", "box.cores=1,2", "--engine", "slurm"]);
    assert!(String::from_utf8_lossy(&stdin.stderr).contains("give the scenario as a file"));
    // A warm-up that does not fit is cut once, and not in every shard.
    let cut = text(folder.path(), &[&options[..], &["slurm", "-q"]].concat());
    assert!(cut.contains("--duration 20s --warmup 2s"), "{cut}");
}

#[test]
fn the_files_that_a_scenario_names_go_with_it() {
    let folder = folder();
    let traced = |name: &str| {
        let own = fs::read_to_string(folder.path().join("mine.toml")).unwrap();
        let (head, tail) = own.split_once("rate ").expect("a rate of arrivals");
        let (_, tail) = tail.split_once('\n').unwrap();
        fs::write(folder.path().join("traced.toml"), format!("{head}trace = \"{name}\"\n{tail}")).unwrap();
    };
    fs::create_dir(folder.path().join("deep")).unwrap();
    let arrivals: String = (0..4000).map(|at| format!("{}\n", f64::from(at) / 10.0)).collect();
    fs::write(folder.path().join("log.csv"), &arrivals).unwrap();
    fs::write(folder.path().join("deep/log.csv"), &arrivals).unwrap();
    let options = ["traced.toml", "--vary", "box.cores=1,2", "--quiet", "--engine"];
    traced("log.csv");
    let kubernetes = text(folder.path(), &[&options[..], &["kubernetes"]].concat());
    assert!(kubernetes.contains("--from-file=traced.toml --from-file=log.csv\n"), "{kubernetes}");
    let aws = text(folder.path(), &[&options[..], &["aws-batch"]].concat());
    assert!(aws.contains("for file in traced.toml log.csv; do"), "{aws}");
    traced("deep/log.csv");
    let output = plan(folder.path(), &[&options[..], &["kubernetes"]].concat());
    assert!(String::from_utf8_lossy(&output.stderr).contains("names `deep/log.csv`"));
    text(folder.path(), &[&options[..], &["slurm"]].concat());
}

#[cfg(unix)]
mod quotes {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// What the user sets; each quote and blank must arrive. Braces and dollars mean something to some engines.
    const SET: &str = r#"title=a b'c"d {shard} $(JOB) $HOME $$"#;

    /// The words of the sweep without shard and output.
    fn words(scenario: &str) -> Vec<String> {
        let words = ["sweep", scenario, "--vary", "users.rate=20/s,30/s", "--set", SET, "--jobs", "1"];
        words.map(str::to_owned).to_vec()
    }

    fn stub(folder: &Path, name: &str, script: &str) {
        let path = folder.join("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A folder with a program that notes its words instead of simulating, and engines that run one task.
    fn stage() -> tempfile::TempDir {
        let folder = folder();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let noting = "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done >> words\necho >> words\n";
        stub(folder.path(), "outgrow", noting);
        stub(folder.path(), "sbatch", "#!/bin/sh\n[ \"$1\" = --parsable ] && echo 7 || sh\n");
        stub(folder.path(), "parallel", "#!/bin/bash\nshard 2\n");
        stub(folder.path(), "hq", "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\"\n");
        stub(
            folder.path(),
            "aws",
            "#!/bin/sh\n[ \"$2\" = register-job-definition ] && cat > definition || true\n",
        );
        folder
    }

    /// The programs of the stage before those of the machine.
    fn search_path(folder: &Path) -> std::ffi::OsString {
        let mut path = folder.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        path
    }

    fn job(folder: &Path, engine: &str) -> String {
        let mut options = words("mine.toml");
        options.remove(0);
        options.extend(["--engine", engine, "--shards", "2", "--out", "my parts", "-q"].map(str::to_owned));
        text(folder, &options.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn runs(folder: &Path, shell: &str, script: &str, variables: &[(&str, &str)]) {
        fs::write(folder.join("job file"), script).unwrap();
        let mut command = Command::new(shell);
        command
            .arg("job file")
            .current_dir(folder)
            .env("PATH", search_path(folder))
            .envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The words of each call of the program since the last time.
    fn noted(folder: &Path) -> Vec<Vec<String>> {
        let text = fs::read_to_string(folder.join("words")).unwrap();
        fs::remove_file(folder.join("words")).unwrap();
        text.trim_end().split("\n\n").map(|call| call.lines().map(str::to_owned).collect()).collect()
    }

    fn part(shard: &str, folder: &str) -> Vec<String> {
        [words("mine.toml"), ["--shard", shard, "--out", folder].map(str::to_owned).to_vec()].concat()
    }

    fn merge(table: &str, folder: &str) -> Vec<String> {
        ["sweep", "merge", table, folder].map(str::to_owned).to_vec()
    }

    #[test]
    fn arrive_through_the_scripts_of_slurm_parallel_and_hyperqueue() {
        let stage = stage();
        let folder = stage.path();
        let slurm = job(folder, "slurm");
        runs(folder, "sh", &slurm, &[("SLURM_ARRAY_TASK_ID", "1")]);
        assert_eq!(noted(folder), [part("env", "my parts/")]);
        let mut alone = Command::new("sh");
        alone.arg("job file").current_dir(folder).env("PATH", search_path(folder));
        alone.env_remove("SLURM_ARRAY_TASK_ID");
        assert!(alone.status().unwrap().success());
        assert_eq!(noted(folder), [merge("all.csv", "my parts/")]);
        for (engine, shell, shard) in [("parallel", "bash", "2/2"), ("hyperqueue", "sh", "env")] {
            runs(folder, shell, &job(folder, engine), &[]);
            assert_eq!(noted(folder), [part(shard, "my parts/"), merge("all.csv", "my parts/")], "{engine}");
        }
    }

    #[test]
    fn arrive_through_the_strings_of_snakemake() {
        let stage = stage();
        let folder = stage.path();
        let text = job(folder, "snakemake");
        let strings = text.lines().filter_map(|line| line.trim().strip_prefix("shell: "));
        let lines: Vec<String> = strings.map(|string| serde_json::from_str(string).unwrap()).collect();
        // What Snakemake does: names in braces are replaced, and doubled braces are single ones.
        let line = |line: &String| {
            let held = line.replace("{{", "\u{1}").replace("}}", "\u{2}").replace("{wildcards.shard}", "002");
            assert!(!held.contains(['{', '}']), "{line}");
            held.replace('\u{1}', "{").replace('\u{2}', "}")
        };
        lines.iter().for_each(|text| runs(folder, "bash", &line(text), &[]));
        assert_eq!(noted(folder), [merge("all.csv", "my parts/"), part("002/2", "my parts/")]);
    }

    #[test]
    fn arrive_through_the_lists_of_kubernetes() {
        let folder = folder();
        let text = job(folder.path(), "kubernetes");
        let lists = text.lines().filter_map(|line| line.trim().strip_prefix("command: "));
        let commands: Vec<Vec<String>> = lists.map(|list| serde_json::from_str(list).unwrap()).collect();
        let plain = |words: &Vec<String>| words[1..].iter().map(|word| word.replace("$$", "$")).collect();
        let commands: Vec<Vec<String>> = commands.iter().map(plain).collect();
        assert_eq!(commands, [part("env", "/parts/"), merge("-", "/parts/")]);
        assert!(text.contains("--from-file=mine.toml"), "{text}");
    }

    #[test]
    fn arrive_through_the_script_in_json_in_a_script_of_aws_batch() {
        let stage = stage();
        let folder = stage.path();
        runs(folder, "sh", &job(folder, "aws-batch"), &[("QUEUE", "q"), ("TO", "s3://b/x")]);
        let text = fs::read_to_string(folder.join("definition")).unwrap();
        let definition: serde_json::Value = serde_json::from_str(&text).unwrap();
        let command: Vec<&str> =
            definition["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(command[..2], ["sh", "-c"]);
        runs(folder, "sh", command[2], &[("TO", "s3://b/x")]);
        assert_eq!(noted(folder), [part("env", "parts/")]);
    }
}

#[test]
fn the_page_shows_what_the_program_prints() {
    let folder = folder();
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let mut out = String::new();
    let mut rest = page.as_str();
    let mut shown = 0;
    // A block follows the command that prints it: ``` `outgrow sweep plan ...` ``` and then a block of code.
    while let Some((before, after)) = rest.split_once("<!-- plan -->\n```sh\n$ outgrow sweep plan ") {
        let (command, after) = after.split_once('\n').expect("a line");
        let (_, after) = after.split_once("```\n").expect("the block ends");
        let arguments: Vec<&str> = command.split(' ').chain(["--quiet"]).collect();
        let printed = text(folder.path(), &arguments);
        out += &format!("{before}<!-- plan -->\n```sh\n$ outgrow sweep plan {command}\n{printed}```\n");
        rest = after;
        shown += 1;
    }
    assert_eq!(shown, ENGINES.len(), "every engine is shown");
    check_generated(PAGE, &(out + rest));
}
