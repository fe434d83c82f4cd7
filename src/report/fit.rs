//! A fit as text for the terminal: the costs, what the durations at low load add, and whether the model predicts the rest.

use super::number::{estimate, number, percent, seconds, time_ms};
use super::text::{bad, bold, dim, good, paragraph, table};
use crate::experiment::fit::{
    BUSY_MAX, BoxFit, CONDITION_MAX, Check, Estimate, FACTOR_MAX, FULL, Figures, Fit, LowLoad, Miss, Part,
};

/// The names of the percentiles that are compared.
const PERCENTILES: [&str; 3] = ["p50", "p95", "p99"];

/// The whole report, at most a hundred columns wide.
#[must_use]
pub fn text(title: &str, fit: &Fit) -> String {
    let mut out = format!("{}\n", bold(title));
    let held = fit.length_s - fit.used_s;
    let rest = if held > 0.0 { format!("; the last {} are predicted", seconds(held)) } else { String::new() };
    let used =
        format!("fitted to {} of the log in windows of {}{rest}", seconds(fit.used_s), seconds(fit.window_s));
    out.push_str(&format!("{}\n\n", dim(&used)));
    out.push_str(&costs(fit));
    for (label, text) in remarks(fit) {
        out.push_str(&paragraph(&format!("{:<10}", format!("{label}:")), &text));
    }
    if !fit.low.is_empty() {
        out.push_str(&format!("\n{}", low(&fit.low)));
    }
    if let Some(check) = &fit.check {
        out.push_str(&format!("\n{}\n", compared(check, &fit.boxes)));
        let (is_good, sentence) = verdict(check, &fit.boxes);
        let label = if is_good { good("holds:") } else { bad("does not hold:") };
        let first = if is_good { "holds:    " } else { "does not hold: " };
        let colourless = first.trim_end();
        out.push_str(&paragraph(first, &sentence).replacen(colourless, &label, 1));
    }
    out
}

fn costs(fit: &Fit) -> String {
    let mut rows = Vec::new();
    for one in &fit.boxes {
        for (at, cost) in one.costs.iter().enumerate() {
            let name = if at == 0 { one.name.clone() } else { String::new() };
            rows.push(vec![name, cost.work.clone(), time(cost.cpu_s.value), interval(&cost.cpu_s, time)]);
        }
        if let Some(base) = one.base {
            let cores = |cores: f64| format!("{cores:.3} cores");
            rows.push(vec![
                String::new(),
                "(without requests)".into(),
                cores(base.value),
                interval(&base, cores),
            ]);
        }
    }
    table(&["box", "work", "core time", "95 % interval"], 2, &rows)
}

fn time(seconds: f64) -> String {
    time_ms(seconds * 1e3, None)
}

fn interval(of: &Estimate, text: impl Fn(f64) -> String) -> String {
    format!("{} to {}", text(of.low), text(of.high))
}

/// What the reader should know about the costs.
fn remarks(fit: &Fit) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for one in &fit.boxes {
        let name = &one.name;
        let Some(explained) = one.explained else {
            let text = format!(
                "nothing says how busy `{name}` was: its core times are all of the durations at low load, and so at most that; \
                 --cpu {name}=FILE tells them"
            );
            all.push(("note", text));
            continue;
        };
        let windows = one.windows;
        let condition = one.condition.map_or("without end".to_owned(), number);
        all.push((
            "fit",
            format!(
                "the work explains {} of the variation of `{name}` over {windows} windows; condition {condition}",
                percent(explained)
            ),
        ));
        if one.condition.is_none_or(|condition| condition > CONDITION_MAX) && one.costs.len() > 1 {
            let text = format!(
                "the shares of the classes hardly change, so that their costs at `{name}` cannot be told apart (condition {condition}, \
                 more than {CONDITION_MAX}): only their sum is known well; a log in which the mix moves tells them"
            );
            all.push(("warning", text));
        }
        if let Some(base) = one.base {
            let text = format!(
                "{:.3} cores of `{name}` are busy without requests; they count in the table below, but the scenario does not take them \
                 from the requests",
                base.value
            );
            all.push(("note", text));
        }
        if one.lag != 0 {
            let by = seconds(f64::from(one.lag.abs()) * fit.window_s);
            let what = if one.lag > 0 { "later" } else { "earlier" };
            all.push((
                "note",
                format!("the busy times of `{name}` fit best {by} {what}: the clocks differ by that"),
            ));
        }
        if one.left_out > 0 {
            let text = format!(
                "{} windows in which `{name}` was more than {} busy are left out: work that waits is not yet done",
                one.left_out,
                percent(FULL)
            );
            all.push(("note", text));
        }
    }
    all
}

/// The durations at low load.
fn low(low: &[LowLoad]) -> String {
    let row = |one: &LowLoad| {
        let predicted = one.predicted_s.map_or("-".into(), time);
        let wait = if one.wait_s > 0.0 { time(one.wait_s) } else { "-".into() };
        let cv = one.cv.map_or("not told".into(), number);
        vec![one.class.clone(), number(one.requests as f64), time(one.mean_s), predicted, wait, cv]
    };
    let rows: Vec<Vec<String>> = low.iter().map(row).collect();
    let factor = low.iter().map(|one| one.factor).fold(1.0, f64::min);
    let title = format!("at low load, {} of the mean:", percent(factor));
    let header = ["class", "requests", "mean duration", "by core time", "so it waits", "variation"];
    format!("{}\n{}", dim(&title), table(&header, 1, &rows))
}

/// The table of what was measured and what is predicted.
fn compared(check: &Check, boxes: &[BoxFit]) -> String {
    let mut header = vec!["from".to_owned(), "requests/s".into()];
    let has_times = check.parts.iter().any(|part| !part.measured.percentiles_s.is_empty());
    if has_times {
        header.extend(PERCENTILES.map(|name| format!("{name}: measured, predicted")));
    }
    let count = check.parts.first().map_or(0, |part| part.measured.busy.len());
    header.extend(boxes[..count].iter().map(|one| format!("{} busy", one.name)));
    let row = |part: &Part| {
        let Part { from_s, measured, predicted, .. } = part;
        let times = measured.percentiles_s.iter().zip(&predicted.percentiles_s);
        let told = |seconds: &Option<f64>| seconds.map_or("-".into(), time);
        let times = times.map(|(measured, predicted)| format!("{}, {}", told(measured), told(predicted)));
        let busy = measured.busy.iter().zip(&predicted.busy);
        let busy =
            busy.map(|(measured, predicted)| format!("{}, {}", percent(*measured), percent(*predicted)));
        [seconds(*from_s), estimate(measured.rate, None)].into_iter().chain(times).chain(busy).collect()
    };
    let rows: Vec<Vec<String>> = check.parts.iter().map(row).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, 1, &rows)
}

/// Whether the model predicts the rest of the log, and the sentence that says so.
#[must_use]
pub fn verdict(check: &Check, boxes: &[BoxFit]) -> (bool, String) {
    let Some(worst) = check.worst() else {
        return (
            false,
            "nothing of the rest of the log can be compared: it has neither durations nor busy times".into(),
        );
    };
    let Miss { part, at, is_busy, .. } = worst;
    let allowed = format!(
        "percentiles within a factor of {FACTOR_MAX} of their intervals, busy times within {} points",
        100.0 * BUSY_MAX
    );
    let what = if is_busy {
        let (measured, predicted) = (part.measured.busy[at], part.predicted.busy[at]);
        let points = number(100.0 * (predicted - measured).abs());
        let side = if predicted < measured { "less" } else { "more" };
        format!("`{}` is predicted {points} points {side} busy than it was", boxes[at].name)
    } else {
        let seconds = |figures: &Figures| figures.percentiles_s[at].unwrap_or(f64::NAN);
        let (measured, predicted) = (seconds(&part.measured), seconds(&part.predicted));
        let (factor, side) = if predicted < measured {
            (measured / predicted, "too low")
        } else {
            (predicted / measured, "too high")
        };
        format!("{} is predicted {} times {side}", PERCENTILES[at], number(factor))
    };
    let when = format!("from {} to {} of the log", seconds(part.from_s), seconds(part.to_s));
    if check.holds() {
        let sentence =
            format!("what was not used for the fit is predicted: {allowed}; furthest off: {what}, {when}");
        return (true, sentence);
    }
    let cause = cause(worst);
    (false, format!("{what}, {when} (allowed: {allowed}): {cause}"))
}

/// What a miss points at.
fn cause(worst: Miss<'_>) -> &'static str {
    let Miss { part: Part { measured, predicted, .. }, at, is_busy, .. } = worst;
    if !is_busy && measured.busy.is_empty() {
        return "how busy the cores were is not known: --cpu would tell whether they are as busy as predicted";
    }
    let busy_fits = close(measured, predicted);
    match (is_busy, busy_fits) {
        (true, _) => "requests cost something else there than before, or other work ran on the machine",
        (false, true) if predicted.percentiles_s[at] < measured.percentiles_s[at] => {
            "the cores are as busy as predicted, so something else makes requests wait that the scenario does not have"
        }
        (false, true) => {
            "the cores are as busy as predicted, so the scenario makes requests wait for what they do not wait for"
        }
        (false, false) => "the cores are not as busy as predicted either: see the busy times first",
    }
}

fn close(measured: &Figures, predicted: &Figures) -> bool {
    measured
        .busy
        .iter()
        .zip(&predicted.busy)
        .all(|(measured, predicted)| (measured - predicted).abs() <= BUSY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fit::Cost;

    fn figures(percentiles_s: [f64; 3], busy: &[f64]) -> Figures {
        let bounds_s = percentiles_s.map(|at| Some((at, at))).to_vec();
        Figures { rate: 1.0, percentiles_s: percentiles_s.map(Some).to_vec(), bounds_s, busy: busy.to_vec() }
    }

    fn box_of(base: Option<f64>) -> BoxFit {
        let estimate = |value: f64| Estimate { value, low: value * 0.9, high: value * 1.1 };
        BoxFit {
            name: "web".into(),
            capacity: 4.0,
            costs: vec![Cost { work: "view".into(), cpu_s: estimate(0.005) }],
            base: base.map(estimate),
            condition: Some(9.8),
            lag: 0,
            windows: 100,
            left_out: 0,
            explained: Some(0.98),
        }
    }

    fn said(predicted: Figures, measured: Figures) -> (bool, String) {
        let parts = vec![Part { from_s: 70.0, to_s: 100.0, measured, predicted }];
        verdict(&Check { parts }, &[box_of(None)])
    }

    #[test]
    fn a_verdict_names_what_is_off_most_and_what_that_points_at() {
        let (holds, text) = said(figures([0.1, 0.2, 0.3], &[0.5]), figures([0.1, 0.2, 0.33], &[0.52]));
        assert!(holds && text.contains("furthest off: p99 is predicted 1.1 times too low"), "{text}");
        let (holds, text) = said(figures([0.1, 0.2, 0.3], &[0.5]), figures([0.1, 0.2, 0.9], &[0.52]));
        assert!(!holds && text.starts_with("p99 is predicted 3 times too low, from 70 s"), "{text}");
        assert!(text.contains("something else makes requests wait"), "{text}");
        let (_, text) = said(figures([0.1, 0.2, 0.9], &[0.5]), figures([0.1, 0.2, 0.3], &[0.52]));
        assert!(text.contains("wait for what they do not wait for"), "{text}");
        let (_, text) = said(figures([0.1, 0.2, 0.3], &[0.3]), figures([0.1, 0.2, 3.0], &[0.4]));
        assert!(text.contains("not as busy as predicted either"), "{text}");
        let (_, text) = said(figures([0.1, 0.2, 0.3], &[0.3]), figures([0.1, 0.2, 0.3], &[0.4]));
        assert!(
            text.contains("`web` is predicted 10 points less busy") && text.contains("other work ran"),
            "{text}"
        );
        // Without busy times nothing is said of them.
        let (_, text) = said(figures([0.1, 0.2, 0.3], &[]), figures([0.1, 0.2, 0.9], &[]));
        assert!(text.contains("is not known: --cpu would tell"), "{text}");
    }

    #[test]
    fn a_base_load_is_said_to_be_no_part_of_the_scenario() {
        let fit = |base| Fit {
            schema: "",
            version: "",
            used_s: 70.0,
            length_s: 100.0,
            window_s: 1.0,
            boxes: vec![box_of(base)],
            low: Vec::new(),
            settings: Vec::new(),
            check: None,
        };
        let notes = |base| text("a", &fit(base)).contains("0.400 cores of `web` are busy without requests");
        assert!(notes(Some(0.4)) && !notes(None));
    }
}
