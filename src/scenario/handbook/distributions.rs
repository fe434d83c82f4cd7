//! The page of distributions, in Markdown: parameters, moments, percentiles and a picture of an example of each.

use crate::kernel::random::Seed;
use crate::model::quantity::Dist;

/// Number of samples behind percentiles and pictures.
const SAMPLES: usize = 200_000;

/// Width of a picture in characters.
const BARS: usize = 40;

/// Heights of the bars of a picture.
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// An entry of the page.
struct Entry {
    /// Its name in `dist`; empty for a plain duration.
    name: &'static str,
    /// An example as a scenario writes it.
    example: &'static str,
    /// Its parameters and their ranges.
    parameters: &'static str,
    /// Mean and coefficient of variation by the parameters.
    moments: &'static str,
    /// What it is like and what it is for.
    about: &'static str,
}

const ENTRIES: [Entry; 11] = [
    Entry {
        name: "",
        example: "10ms",
        parameters: "a duration",
        moments: "mean: itself; cv 0",
        about: "The same time for every call. The table `dist = \"constant\"` does not exist: write the duration.",
    },
    Entry {
        name: "uniform",
        example: r#"{ dist = "uniform", min = "5ms", max = "15ms" }"#,
        parameters: "`min`, `max`",
        moments: "mean (min + max) / 2; cv (max - min) / (√3 (min + max))",
        about: "Every time between two limits is as likely.",
    },
    Entry {
        name: "exponential",
        example: r#"{ dist = "exponential", mean = "10ms" }"#,
        parameters: "`mean`",
        moments: "mean; cv 1",
        about: "No memory: the time still to go does not depend on the time gone by. The work of queueing theory's M/M/1.",
    },
    Entry {
        name: "erlang",
        example: r#"{ dist = "erlang", mean = "10ms", k = 4 }"#,
        parameters: "`mean`, `k` from 1 to 1000",
        moments: "mean; cv 1 / √k",
        about: "The sum of `k` exponential times: several steps one after the other.",
    },
    Entry {
        name: "gamma",
        example: r#"{ dist = "gamma", mean = "10ms", cv = 0.5 }"#,
        parameters: "`mean`, `cv` from 0.01 to 100",
        moments: "mean; cv",
        about: "By mean and coefficient of variation (standard deviation / mean), with a light tail. Close to a normal \
                distribution for a small `cv`, but never negative.",
    },
    Entry {
        name: "lognormal",
        example: r#"{ dist = "lognormal", mean = "10ms", cv = 1.5 }"#,
        parameters: "`mean`, `cv` from 0.01 to 100",
        moments: "mean; cv",
        about: "By mean and coefficient of variation, with a tail heavier than exponential: response times of systems that \
                were measured often look like it. Above a `cv` of 2.5 a warning says that intervals are too short.",
    },
    Entry {
        name: "hyperexponential",
        example: r#"{ dist = "hyperexponential", mean = "10ms", cv = 2.0 }"#,
        parameters: "`mean`, `cv` from 1 to 100",
        moments: "mean; cv",
        about: "Two kinds of calls, short and long, each exponential and each with half of the work.",
    },
    Entry {
        name: "pareto",
        example: r#"{ dist = "pareto", mean = "10ms", shape = 2.5 }"#,
        parameters: "`mean`, `shape` above 1",
        moments: "mean; cv 1 / √(shape (shape - 2)), **infinite up to a shape of 2**",
        about: "A heavy tail: P(X > x) falls as x to the power of -shape. The wait of calls behind such work has an infinite \
                variance up to a shape of 3: intervals of its mean are then not valid, and a warning says so.",
    },
    Entry {
        name: "weibull",
        example: r#"{ dist = "weibull", mean = "10ms", shape = 0.7 }"#,
        parameters: "`mean`, `shape` from 0.1 to 1000",
        moments: "mean; cv by the gamma function, 1 for shape 1",
        about: "A shape of 1 is exponential, less is more variable, more is less. Times to failure are often given by it.",
    },
    Entry {
        name: "empirical",
        example: r#"{ dist = "empirical", quantiles = [["0%", "1ms"], ["50%", "5ms"], ["99%", "40ms"], ["100%", "80ms"]] }"#,
        parameters: "`quantiles`: pairs of a share and a time, both ascending",
        moments: "of straight lines between the quantiles",
        about: "Measured percentiles. What lies below the first is as long as the first, what lies above the last as long as \
                the last.",
    },
    Entry {
        name: "empirical",
        example: r#"{ dist = "empirical", file = "times.csv", column = "duration_ms" }"#,
        parameters: "`file`; `column`: name, or number from 1; `unit` of plain numbers",
        moments: "of the samples",
        about: "Measured times, one a line, beside the scenario; each is drawn as often as it stands there. The unit of plain \
                numbers is `unit`, else what the name of the column says, else seconds.",
    },
];

/// The page: each distribution with its parameters, moments, and an example with percentiles and a picture.
#[must_use]
pub fn distributions() -> String {
    let mut page = String::from(
        "# Distributions\n\n\
         Wherever a scenario takes a time of work, of thinking or between failures, it takes a plain duration, which is the same \
         every time, or a table that names a distribution. *cv* is the coefficient of variation: standard deviation / mean. What \
         matters for a queue is the mean and the cv: behind one core in order of arrival, the wait grows with (1 + cv²) / 2.\n\n\
         Percentiles and pictures are of 200,000 samples of the example; a picture shows how often each time occurs, from 0 to \
         the 99th percentile. This page is made from the code.\n",
    );
    ENTRIES.iter().for_each(|entry| page.push_str(&section(entry)));
    page
}

fn section(entry: &Entry) -> String {
    let Entry { name, example, parameters, moments, about } = entry;
    let title = match *name {
        "" => "A plain duration".to_owned(),
        name if example.contains("file =") => format!("`{name}`, from a file"),
        name => format!("`{name}`"),
    };
    let quoted = if name.is_empty() { format!("\"{example}\"") } else { (*example).to_owned() };
    let mut out = format!(
        "\n## {title}\n\n{about}\n\n- Parameters: {parameters}\n- Moments: {moments}\n\n```toml\nsteps = [{{ cpu = {quoted} }}]\n```\n"
    );
    let dist: Dist = example.parse().expect("an example is a distribution");
    if !dist.is_unread() {
        out.push_str(&figures(&dist));
    }
    out
}

/// The moments and percentiles of an example, and its picture where the times differ.
fn figures(dist: &Dist) -> String {
    let variate = dist.variate();
    let mut rng = Seed::new(1).stream("handbook", "distributions");
    let mut secs = Vec::with_capacity(SAMPLES);
    variate.sample_many(SAMPLES, &mut rng, |sample| secs.push(sample));
    secs.sort_by(f64::total_cmp);
    let ms = |secs: f64| {
        let text = format!("{:.2}", secs * 1e3);
        format!("{} ms", text.trim_end_matches('0').trim_end_matches('.'))
    };
    let at = |share: f64| secs[((SAMPLES as f64 * share) as usize).min(SAMPLES - 1)];
    let cv = format!("{:.2}", variate.cv2().sqrt());
    let mut out = format!(
        "\n| mean | cv | p50 | p95 | p99 |\n|---|---|---|---|---|\n| {} | {cv} | {} | {} | {} |\n",
        ms(variate.mean()),
        ms(at(0.5)),
        ms(at(0.95)),
        ms(at(0.99))
    );
    if !variate.is_constant() {
        out.push_str(&format!(
            "\n```text\n{}\n0{:>width$}\n```\n",
            picture(&secs, at(0.99)),
            ms(at(0.99)),
            width = BARS - 1
        ));
    }
    out
}

/// A bar for each stretch of time from 0 to `most`, as high as the share of the samples there.
fn picture(secs: &[f64], most: f64) -> String {
    let mut counts = [0_usize; BARS];
    for sample in secs.iter().filter(|sample| **sample < most) {
        counts[((sample / most * BARS as f64) as usize).min(BARS - 1)] += 1;
    }
    let highest = counts.iter().max().copied().unwrap_or(1).max(1);
    let bar = |count: usize| match count {
        0 => HEIGHTS[0],
        count => HEIGHTS[(count * 8).div_ceil(highest)],
    };
    counts.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_distribution_of_the_schema_is_on_the_page() {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = <Dist as schemars::JsonSchema>::json_schema(&mut generator).to_value().to_string();
        let names: Vec<&str> =
            schema.split("\"const\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.len() >= 9, "{schema}");
        for name in names {
            assert!(ENTRIES.iter().any(|entry| entry.name == name), "{name} is not on the page");
        }
    }

    #[test]
    fn a_picture_is_as_wide_as_its_axis() {
        let page = distributions();
        let lines: Vec<&str> = page.lines().collect();
        for at in (0..lines.len()).filter(|at| lines[*at] == "```text") {
            assert_eq!((lines[at + 1].chars().count(), lines[at + 2].chars().count()), (BARS, BARS));
        }
    }
}
