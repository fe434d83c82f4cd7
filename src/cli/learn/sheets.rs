//! What a lecturer prints: a worksheet, its answer sheet, and slides, each as one HTML file.

use askama::Template;

use super::super::output::{OutputFile, print};
use super::super::progress::Steps;
use super::super::status::{Failure, Status};
use super::super::{Ended, interrupt};
use super::bench::Bench;
use super::{Folder, Of, student_of};
use crate::course::Course;
use crate::course::exercise::{Ask, Exercise, Kind, Variant};
use crate::course::grade::Lab as _;
use crate::course::measure::{self, Measured};
use crate::course::text::Lang;
use crate::course::words;
use crate::experiment::runner::Progress as _;
use crate::report::chart::escaped;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Sheet {
    /// Tables to fill in.
    Worksheet,
    /// Keys, measured values, and what to say to wrong answers.
    Answers,
    /// A question, a chart and an explanation for each exercise.
    Slides,
}

/// Options of `outgrow learn export`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to write
    #[arg(value_enum, default_value = "worksheet")]
    sheet: Sheet,

    /// The file
    #[arg(short, long, value_name = "FILE.html", default_value = "sheet.html")]
    output: std::path::PathBuf,

    /// Only exercises of this section, as in 1.4
    #[arg(long, value_name = "SECTION")]
    section: Option<String>,

    #[command(flatten)]
    of: Of,
}

#[derive(Template)]
#[template(path = "course.html")]
struct Page {
    lang: &'static str,
    title: String,
    about: Vec<String>,
    kind: &'static str,
    parts: Vec<Part>,
    version: &'static str,
}

struct Part {
    title: String,
    blocks: Vec<Block>,
}

/// A piece of a part. Text, options and cells are HTML from [`prose`]; the template escapes the rest; SVG comes escaped.
enum Block {
    Text(String),
    Options(String, Vec<String>),
    Code(String),
    Picture(String),
    Table(Vec<&'static str>, Vec<Vec<String>>),
    Foot(String),
}

/// Writes a sheet.
pub(super) fn export(args: &Args) -> Ended {
    let folder = Folder::find(&args.of.course())?;
    let course = folder.course()?;
    let output = OutputFile::prepare(&args.output)?;
    let student = args.of.student.as_deref().map(student_of).transpose()?;
    let lang = args.of.lang();
    interrupt::watch()?;
    let exercises: Vec<&Exercise> = course
        .exercises
        .iter()
        .filter(|one| args.section.as_ref().is_none_or(|section| *section == one.section))
        .collect();
    if exercises.is_empty() {
        return Err(Failure::usage("no exercise is of that section"));
    }
    let steps = Steps::new(false);
    let bench = Bench::new(&course, folder.shelf(), 0);
    let mut parts = Vec::new();
    for one in exercises {
        steps.now(one.id.clone());
        let variant = student.map_or(Variant { set: 0, seed: 1 }, |student| one.variant(student));
        match args.sheet {
            Sheet::Worksheet => parts.push(worksheet(one, variant, lang)),
            Sheet::Answers => parts.push(answers(one, &bench, lang).map_err(Failure::failed)?),
            Sheet::Slides => {
                parts.extend(slides(one, variant, (&folder, &bench), &steps, lang).map_err(Failure::failed)?)
            }
        }
        if steps.interrupted() {
            steps.clear();
            return Ok(Status::Interrupted);
        }
    }
    steps.clear();
    let page = Page {
        lang: lang.code(),
        title: title(&course, args.sheet, lang),
        about: about(args.sheet, student, lang),
        kind: match args.sheet {
            Sheet::Worksheet => "worksheet",
            Sheet::Answers => "answers",
            Sheet::Slides => "slides",
        },
        parts,
        version: env!("CARGO_PKG_VERSION"),
    };
    let html = page.render().map_err(|error| Failure::failed(error.to_string()))?;
    output.write(html + "\n")?;
    print(&format!("{}\n", args.output.display()))?;
    Ok(Status::Done)
}

fn title(course: &Course, sheet: Sheet, lang: Lang) -> String {
    let what = match sheet {
        Sheet::Worksheet => lang.of("worksheet", "학습지"),
        Sheet::Answers => lang.of("answer sheet", "정답지"),
        Sheet::Slides => lang.of("slides", "슬라이드"),
    };
    format!("{}: {what}", course.title(lang))
}

fn about(sheet: Sheet, student: Option<&str>, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    if sheet == Sheet::Worksheet {
        let name = lang.of("Name and number", "이름과 학번");
        lines.push(format!("{name}: {}", student.unwrap_or("______________________")));
    }
    lines
}

/// Prose as HTML: escaped, with what stands in backquotes as code.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (at, part) in text.split('`').enumerate() {
        let part = escaped(part);
        html.push_str(&if at % 2 == 1 { format!("<code>{part}</code>") } else { part });
    }
    html
}

/// What can be chosen in a question.
fn options(ask: &Ask) -> &[String] {
    match &ask.kind {
        Kind::Choice { options, .. } | Kind::Order { options, .. } | Kind::Curve { points: options, .. } => {
            options
        }
        Kind::Fix(fix) => &fix.keys,
        Kind::Number(_) => &[],
    }
}

/// The question of a variant, and a table to fill in.
fn worksheet(exercise: &Exercise, variant: Variant, lang: Lang) -> Part {
    let text = exercise.text(lang);
    let numbers = exercise.numbers(variant, &Default::default());
    let filled = |text: &str| numbers.fill(text).unwrap_or_else(|_| text.to_owned());
    let header = match lang {
        Lang::En => vec!["question", "my prediction", "measured", "off by"],
        Lang::Ko => vec!["질문", "나의 예측", "측정", "차이"],
    };
    let name = |ask: &Ask| prose(&filled(text.asks.get(&ask.name).unwrap_or(&ask.name)));
    let option = |option: &String| prose(&filled(text.options.get(option).unwrap_or(option)));
    let rows = exercise.predictions().map(|ask| vec![name(ask), String::new(), String::new(), String::new()]);
    let mut blocks = vec![Block::Text(prose(&filled(&text.question))), Block::Table(header, rows.collect())];
    for ask in exercise.asks.iter().filter(|ask| !options(ask).is_empty()) {
        let all = options(ask).iter().map(&option).collect();
        blocks.push(Block::Options(name(ask), all));
    }
    blocks.push(Block::Code(format!("outgrow learn {}", exercise.id)));
    Part { title: format!("{}  {}", exercise.section, filled(&text.title)), blocks }
}

/// The keys of every set of parameters, and what to say to wrong answers.
fn answers(exercise: &Exercise, bench: &Bench<'_>, lang: Lang) -> Result<Part, String> {
    let text = exercise.text(lang);
    let mut rows = Vec::new();
    let mut last = Measured { values: Default::default(), fingerprint: String::new() };
    for set in 0..exercise.vary.len() {
        let variant = Variant { set, seed: 1 };
        if exercise.fix().is_none() {
            last = bench.measured(exercise, variant)?;
        }
        let numbers = exercise.numbers(variant, &last.values);
        // What is chosen is the same for all.
        for ask in exercise.asks.iter().filter(|ask| set == 0 || !matches!(ask.kind, Kind::Choice { .. })) {
            let name = numbers.fill(text.asks.get(&ask.name).unwrap_or(&ask.name))?;
            let (key, formula, measured) = match &ask.kind {
                Kind::Number(number) => {
                    let measured = number.measured.as_ref().map(|formula| {
                        let value = numbers.formula(formula).unwrap_or(f64::NAN);
                        number.unit.shown(value, numbers.half_width(formula))
                    });
                    let key = number.unit.shown(number.key(&numbers)?, None);
                    (key, number.formula.clone().unwrap_or_default(), measured.unwrap_or_default())
                }
                Kind::Choice { answer, .. } => {
                    (numbers.fill(&text.options[answer])?, String::new(), String::new())
                }
                Kind::Fix(fix) => {
                    let shown = |(key, value): &(String, String)| format!("{key}={value}");
                    let keys: Vec<String> = fix.reference.iter().map(shown).collect();
                    (keys.join(", "), fix.goals.join(", "), String::new())
                }
                Kind::Order { options, .. } | Kind::Curve { points: options, .. } => {
                    let value = |name: &String| {
                        let value = last.values.get(name)?;
                        Some(format!("{name} {}", value.unit.shown(value.mean, None)))
                    };
                    let all: Vec<String> = options.iter().filter_map(value).collect();
                    (all.join(", "), String::new(), String::new())
                }
            };
            let parameters: Vec<String> =
                exercise.vary[set].iter().map(|(name, text)| format!("{name} = {text}")).collect();
            rows.push(
                [parameters.join(", "), name, key, formula, measured].map(|cell| prose(&cell)).to_vec(),
            );
        }
    }
    let header = match lang {
        Lang::En => vec!["parameters", "question", "key", "formula", "measured"],
        Lang::Ko => vec!["매개변수", "질문", "정답", "공식", "측정"],
    };
    let numbers = exercise.numbers(Variant { set: exercise.vary.len() - 1, seed: 1 }, &last.values);
    let mut blocks = vec![Block::Table(header, rows)];
    let wrong: Result<Vec<Vec<String>>, String> =
        text.wrong.iter().map(|(name, wrong)| Ok(vec![prose(name), prose(&numbers.fill(wrong)?)])).collect();
    let header = match lang {
        Lang::En => vec!["misconception", "what to say"],
        Lang::Ko => vec!["오개념", "해 줄 말"],
    };
    blocks.push(Block::Table(header, wrong?));
    blocks.push(Block::Text(prose(&numbers.fill(&text.explain)?)));
    Ok(Part { title: format!("{}  {}", exercise.section, numbers.fill(&text.title)?), blocks })
}

/// The question; then the chart that says most, and the explanation.
fn slides(
    exercise: &Exercise,
    variant: Variant,
    (folder, bench): (&Folder, &Bench<'_>),
    steps: &Steps,
    lang: Lang,
) -> Result<[Part; 2], String> {
    let text = exercise.text(lang);
    let picture = measure::picture(exercise, variant, folder.shelf(), steps)?;
    let measured = match exercise.fix() {
        Some(_) => Measured { values: Default::default(), fingerprint: String::new() },
        None => bench.measured(exercise, variant)?,
    };
    let numbers = exercise.numbers(variant, &measured.values);
    let title = format!("{}  {}", exercise.section, numbers.fill(&text.title)?);
    let mut asked = vec![Block::Text(prose(&numbers.fill(&text.question)?))];
    for ask in exercise.predictions().filter(|ask| !options(ask).is_empty()) {
        let name = numbers.fill(text.asks.get(&ask.name).unwrap_or(&ask.name))?;
        let option = |option: &String| numbers.fill(text.options.get(option).unwrap_or(option));
        let all: Result<Vec<String>, String> = options(ask).iter().map(option).collect();
        asked.push(Block::Options(prose(&name), all?.iter().map(|one| prose(one)).collect()));
    }
    let mut told = Vec::new();
    if let Some(picture) = picture {
        let command = words::command(exercise, &picture.run, variant);
        told.extend([
            Block::Picture(picture.svg),
            Block::Foot(format!("{command}  {}", picture.fingerprint)),
        ]);
    }
    told.push(Block::Text(prose(&numbers.fill(&text.explain)?)));
    Ok([Part { title: title.clone(), blocks: asked }, Part { title, blocks: told }])
}
