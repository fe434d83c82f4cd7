//! A validation as text, and as the tables of `docs/validation.md`.

use std::fmt::Write as _;

use crate::experiment::validate::coverage::{Coverage, Studied};
use crate::experiment::validate::{Held, NotMeasured, Row, Validation, Verdict};

/// The values, worst first, then what was not measured and why.
#[must_use]
pub fn text(found: &Validation) -> String {
    let mut out = verdict(found) + "\n";
    if !found.values.is_empty() {
        out += &format!(
            "\n{:<32} {:<30} {:>12} {:>12} {:>9} {:>6} {:>9}  criterion\n",
            "case", "value", "theory", "measured", "± 95 %", "z", "differs"
        );
    }
    for row in &found.values {
        line(&mut out, row);
    }
    list(&mut out, "cannot be expressed:", &found.not_expressed);
    list(&mut out, "not measured:", &found.not_measured);
    if !found.long.is_empty() {
        write!(out, "\nin part only with --all: {}\n", found.long.join(", ")).expect("a string takes all");
    }
    out
}

/// The outcome in one sentence.
#[must_use]
pub fn verdict(found: &Validation) -> String {
    let values = found.values.len();
    let wrong = found.with(Verdict::Differs);
    let (measured, cases) = (found.measured(), found.cases);
    let rest = match found.not_expressed.len() {
        0 => String::new(),
        1 => "; 1 cannot be expressed".to_owned(),
        more => format!("; {more} cannot be expressed"),
    };
    let unseen = match found.with(Verdict::NotShown) {
        0 => String::new(),
        more => format!(", {more} of them not shown"),
    };
    let rest = unseen + &rest;
    let part = if found.complete { "" } else { "interrupted: " };
    match (values, wrong) {
        (0, _) => format!("{part}nothing was measured, of {cases} case{}{rest}", plural(cases)),
        (_, 0) => format!(
            "{part}theory and simulation agree: {values} value{} of {measured} of {cases} case{}{rest}",
            plural(values),
            plural(cases)
        ),
        _ => format!(
            "{part}theory and simulation differ: {wrong} of {values} value{} of {measured} of {cases} case{}{rest}",
            plural(values),
            plural(cases)
        ),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn line(out: &mut String, row: &Row) {
    let measured = row.measured.map_or("n/a".to_owned(), number);
    let half_width = row.half_width.map_or("-".to_owned(), |half| format!("{half:.1e}"));
    let z = row.z.map_or("-".to_owned(), |z| format!("{z:.2}"));
    let verdict = match row.verdict {
        Verdict::Agrees => "",
        Verdict::Differs => "  DIFFERS",
        Verdict::NotShown => "  not shown: too small a sample",
    };
    writeln!(
        out,
        "{:<32} {:<30} {:>12} {measured:>12} {half_width:>9} {z:>6} {:>9}  {}{verdict}",
        row.case,
        row.value,
        number(row.expected),
        difference(row),
        held(row)
    )
    .expect("a string takes all");
}

fn difference(row: &Row) -> String {
    if row.measured.is_none() { "-".to_owned() } else { format!("{:.2} %", row.difference * 100.0) }
}

fn held(row: &Row) -> String {
    let share = |limit: Option<f64>| limit.map_or(String::new(), |limit| format!("{:.0} %", limit * 100.0));
    match row.held {
        Held::ZAndDifference => format!("|z| < 4 and {}", share(row.limit)),
        Held::Z => "|z| < 4".into(),
        Held::Difference => share(row.limit),
        Held::Exactly => row.limit.map_or("a trial".into(), |limit| format!("to {limit:.1e}")),
        Held::Bound => "at most".into(),
    }
}

/// The number with six significant digits; in exponent form if it is very small or very large.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e7).contains(&size) => format!("{value:.4e}"),
        size => {
            let digits = (5 - libm::floor(libm::log10(size)) as i32).clamp(0, 9) as usize;
            format!("{value:.digits$}")
        }
    }
}

fn list(out: &mut String, title: &str, what: &[NotMeasured]) {
    if !what.is_empty() {
        write!(out, "\n{title}\n").expect("a string takes all");
    }
    for one in what {
        let name = one.value.as_ref().map_or(one.case.clone(), |value| format!("{} {value}", one.case));
        writeln!(out, "  {name}: {}", one.reason).expect("a string takes all");
    }
}

/// The tables of the cases as Markdown.
#[must_use]
pub fn markdown(found: &Validation) -> String {
    let mut out = format!("Seed {}: {}.\n\n", found.seed, verdict(found));
    out += "| case | value | theory | measured | ± 95 % | z | differs | criterion |\n|---|---|---|---|---|---|---|---|\n";
    for row in &found.values {
        let cells = [
            row.case.clone(),
            row.value.clone(),
            number(row.expected),
            row.measured.map_or("n/a".to_owned(), number),
            row.half_width.map_or("-".to_owned(), |half| format!("{half:.1e}")),
            row.z.map_or("-".to_owned(), |z| format!("{z:.2}")),
            difference(row),
            held(row).replace('|', "\\|")
                + match row.verdict {
                    Verdict::Agrees => "",
                    Verdict::Differs => " **DIFFERS**",
                    Verdict::NotShown => " (not shown)",
                },
        ];
        writeln!(out, "| {} |", cells.join(" | ")).expect("a string takes all");
    }
    out += "\nCases that cannot be expressed:\n\n| case | why |\n|---|---|\n";
    for one in &found.not_expressed {
        writeln!(out, "| {} | {} |", one.case, one.reason).expect("a string takes all");
    }
    out += "\nValues of the other cases that are not measured:\n\n| case | value | why |\n|---|---|---|\n";
    for one in &found.not_measured {
        let value = one.value.as_deref().unwrap_or_default();
        writeln!(out, "| {} | {value} | {} |", one.case, one.reason).expect("a string takes all");
    }
    if !found.long.is_empty() {
        write!(out, "\nIn part only with `--all`: {}.\n", found.long.join(", ")).expect("a string takes all");
    }
    out
}

/// The table of a coverage study as text.
#[must_use]
pub fn coverage_text(found: &Studied) -> String {
    let mut out = coverage_verdict(found);
    out += &format!(
        "\n\n{:<16} {:<32} {:>9} {:>9} {:>16}\n",
        "system", "interval of", "measured", "width", "must lie in"
    );
    for one in &found.intervals {
        let range = format!("{:.3} to {:.3}", one.low, one.high);
        let verdict = if one.holds { "" } else { "  MISSES" };
        writeln!(
            out,
            "{:<16} {:<32} {:>9.3} {:>8.1}% {range:>16}{verdict}",
            one.system,
            one.of,
            one.measured,
            one.half_width * 100.0
        )
        .expect("a string takes all");
    }
    out
}

fn coverage_verdict(found: &Studied) -> String {
    let (all, wrong) = (found.intervals.len(), found.intervals.iter().filter(|one| !one.holds).count());
    let Studied { repetitions, trials, .. } = found;
    let size = format!("in {repetitions} repetitions of {trials} trials");
    match wrong {
        0 => format!("all kinds of interval are within their bounds, {size}"),
        _ => format!("{wrong} of {all} kinds of interval are out of bounds, {size}"),
    }
}

/// The table of a coverage study as Markdown.
#[must_use]
pub fn coverage_markdown(found: &Studied) -> String {
    let mut out = format!("Seed {}: {}.\n\n", found.seed, coverage_verdict(found));
    out += "| system | interval of | measured | mean half-width | must lie in |\n|---|---|---|---|---|\n";
    for one in &found.intervals {
        writeln!(
            out,
            "| {} | {} | {:.3}{} | {:.1} % | {:.3} to {:.3}{} |",
            one.system,
            one.of,
            one.measured,
            not_shown(one),
            one.half_width * 100.0,
            one.low,
            one.high,
            if one.holds { "" } else { " **MISSES**" }
        )
        .expect("a string takes all");
    }
    out
}

/// How many of the repetitions that count as right said that they show nothing.
fn not_shown(one: &Coverage) -> String {
    if one.not_shown == 0 { String::new() } else { format!(", {} not shown", one.not_shown) }
}

/// `page`, with `part` between the marks `<!-- begin NAME -->` and `<!-- end NAME -->`; `None` if it has no such marks.
#[must_use]
pub fn within(page: &str, name: &str, part: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let from = page.find(&begin)? + begin.len();
    let to = from + page[from..].find(&end)?;
    Some(format!("{}{part}{}", &page[..from], &page[to..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.0123456789, "0.0123457"),
            (12.5, "12.5000"),
            (995.0, "995.000"),
            (1e8, "1.0000e8"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_part_of_a_page_is_replaced_and_the_rest_stays() {
        let page = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n";
        assert_eq!(within(page, "x", "new\n").unwrap(), page.replace("old", "new"));
        assert_eq!(within(page, "y", "new\n"), None);
    }
}
