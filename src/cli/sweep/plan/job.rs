//! `Job`: a sweep in shards, as the text that an engine reads. Words of the user stand in the quotes of that text: those of
//! a shell, of YAML, of JSON or of Python, and sometimes of two of them.

use std::path::Path;

use askama::Template;

use super::{Engine, pattern};
use crate::scenario::command::quoted;

/// Where the parts are in the containers of Kubernetes.
const MOUNTED: &str = "/parts/";

/// A sweep in shards.
pub(super) struct Job {
    pub(super) points: usize,
    pub(super) shards: usize,
    /// Shards at once.
    pub(super) workers: usize,
    /// Threads of a shard.
    pub(super) jobs: usize,
    /// The scenario, as it was named.
    pub(super) scenario: String,
    /// The options of the sweep as words, without shard and output.
    pub(super) options: Vec<String>,
    /// The folder of the parts, with a separator at its end.
    pub(super) folder: String,
    /// The file of the whole table.
    pub(super) table: String,
    pub(super) image: String,
    /// The scenario's file and those that it names; `None` for a built-in scenario.
    pub(super) files: Option<Vec<String>>,
}

/// What the templates print: texts are in the quotes of their engine.
struct Texts {
    points: usize,
    shards: usize,
    workers: usize,
    jobs: usize,
    digits: usize,
    sweep: String,
    merge: String,
    folder: String,
    table: String,
    part: String,
    image: String,
    files: Option<String>,
}

#[derive(Template)]
#[template(path = "engines/slurm.sh", escape = "none")]
struct Slurm {
    job: Texts,
}

#[derive(Template)]
#[template(path = "engines/kubernetes.yaml", escape = "none")]
struct Kubernetes {
    job: Texts,
}

#[derive(Template)]
#[template(path = "engines/aws-batch.sh", escape = "none")]
struct AwsBatch {
    job: Texts,
}

#[derive(Template)]
#[template(path = "engines/parallel.sh", escape = "none")]
struct Parallel {
    job: Texts,
}

#[derive(Template)]
#[template(path = "engines/snakemake.smk", escape = "none")]
struct Snakemake {
    job: Texts,
}

#[derive(Template)]
#[template(path = "engines/hyperqueue.sh", escape = "none")]
struct Hyperqueue {
    job: Texts,
}

impl Job {
    /// The text for an engine.
    pub(super) fn text(&self, engine: Engine) -> String {
        let rendered = match engine {
            Engine::Slurm => Slurm { job: self.shell() }.render(),
            Engine::Kubernetes => Kubernetes { job: self.kubernetes() }.render(),
            Engine::AwsBatch => AwsBatch { job: self.aws_batch() }.render(),
            Engine::Parallel => Parallel { job: self.shell() }.render(),
            Engine::Snakemake => Snakemake { job: self.snakemake() }.render(),
            Engine::Hyperqueue => Hyperqueue { job: self.shell() }.render(),
        };
        rendered.expect("writing into a string does not fail").trim_end().to_owned() + "\n"
    }

    /// The words of the sweep, for a scenario of this name.
    fn words(&self, scenario: &str) -> Vec<String> {
        let head = ["outgrow", "sweep", scenario].map(str::to_owned);
        head.into_iter().chain(self.options.iter().cloned()).collect()
    }

    /// The name of the scenario where its files lie in the working folder.
    fn lone_scenario(&self) -> String {
        let name = Path::new(&self.scenario).file_name().filter(|_| self.files.is_some());
        name.map_or_else(|| self.scenario.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// For a script of a shell.
    fn shell(&self) -> Texts {
        let (part, digits) = pattern(self.shards);
        let (table, folder) = (quoted(&self.table), quoted(&self.folder));
        Texts {
            points: self.points,
            shards: self.shards,
            workers: self.workers,
            jobs: self.jobs,
            digits,
            sweep: shell_line(&self.words(&self.scenario)),
            merge: format!("outgrow sweep merge {table} {folder}"),
            part: format!("{folder}{part}"),
            table,
            folder,
            image: self.image.clone(),
            files: self.files.as_deref().map(shell_line),
        }
    }

    /// For YAML, of which JSON is a part. Kubernetes replaces `$(NAME)` in commands, and `$$` by `$`.
    fn kubernetes(&self) -> Texts {
        let command = |words: &[&str]| json(&words).replace('$', "$$");
        let sweep = self.words(&self.lone_scenario());
        let sweep: Vec<&str> = sweep.iter().map(String::as_str).collect();
        let from = |file: &String| quoted(&format!("--from-file={file}"));
        let files = self.files.as_ref().map(|files| files.iter().map(from).collect::<Vec<_>>().join(" "));
        Texts {
            sweep: command(&[&sweep[..], &["--shard", "env", "--out", MOUNTED]].concat()),
            merge: command(&["outgrow", "sweep", "merge", "-", MOUNTED]),
            image: json(&self.image),
            files,
            ..self.shell()
        }
    }

    /// For a script of a shell with a script of a shell inside, as a string of JSON.
    fn aws_batch(&self) -> Texts {
        let fetch = match &self.files {
            Some(_) => "aws s3 cp --recursive \"$TO/scenario\" . && ",
            None => "",
        };
        let sweep = shell_line(&self.words(&self.lone_scenario()));
        let inner = format!(
            "{fetch}aws s3 cp --recursive \"$TO/parts\" parts/; {sweep} --shard env --out parts/; code=$?; \
             aws s3 cp --recursive parts/ \"$TO/parts\" && exit $code"
        );
        Texts { sweep: json(&inner), image: json(&self.image), ..self.shell() }
    }

    /// For strings of Python, whose braces Snakemake replaces.
    fn snakemake(&self) -> Texts {
        let command = |line: &str| line.replace('{', "{{").replace('}', "}}");
        let texts = self.shell();
        let out = format!("/{} --out {}", self.shards, texts.folder);
        let sweep = format!("{} --shard {{wildcards.shard}}{}", command(&texts.sweep), command(&out));
        Texts {
            sweep: json(&sweep),
            merge: json(&command(&texts.merge)),
            table: json(&self.table),
            part: json(&format!("{}{}", self.folder, pattern(self.shards).0)),
            ..texts
        }
    }
}

/// Words as a line of a shell.
fn shell_line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Text as JSON, which is a string of YAML and of Python too.
fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("strings are JSON")
}
