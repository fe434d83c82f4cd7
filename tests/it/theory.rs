//! Theory: the simulator against cases whose answers are known exactly. `-- --nocapture` prints what was measured.

mod cases;
mod closed_forms;
mod exact;
mod expected;
mod measure;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use outgrow::stats::interval::t_quantile_975;

use cases::{CLOSED_FORMS_ONLY, Case, EXACT, NOT_EXPRESSIBLE, NOT_MEASURED, families};
use expected::{Expected, expected};
use measure::{Quantity, Sample};

/// |z| from here on is no accident: with 30 trials one test in 2500 would fail by chance, and the seeds are fixed.
const Z_MAX: f64 = 4.0;

/// The relative difference that a sample of the size the data file asks for must not exceed.
const DIFFERENCE_MAX: f64 = 0.02;

/// The same where that size is beyond reach.
const DIFFERENCE_MAX_SLOW: f64 = 0.05;
const SLOW: f64 = 3e7;

/// A standard error, relative to the value, that shows nothing any more.
const BLIND: f64 = 0.06;

/// One line of the table, and whether it holds.
struct Verdict {
    line: String,
    holds: bool,
    /// The sample was large enough to hold the relative difference against its limit.
    strict: bool,
}

/// What the trials say of one expected value.
fn judge(id: &str, asked: &(&str, Quantity), expected: &Expected, sample: &Sample, index: usize) -> Verdict {
    let (key, moments) = (asked.0, &sample.moments[index]);
    let exact = expected.values[key];
    let error = moments.sd() / (moments.count() as f64).sqrt();
    let difference = moments.mean() - exact;
    // Where every trial gives the same number, what is left is rounding.
    let z = difference / error.max(1e-7 * exact.abs());
    let half_width = t_quantile_975(moments.count() as f64 - 1.0) * error;
    // Levels at a moment are not counted in requests.
    let needed = expected.samples_for_1pct.get(key).filter(|_| !matches!(asked.1, Quantity::InsideAt(..)));
    let strict = match needed {
        Some(needed) => sample.requests as f64 >= *needed,
        None => half_width <= 0.01 * exact.abs(),
    };
    let limit =
        if needed.is_some_and(|needed| *needed > SLOW) { DIFFERENCE_MAX_SLOW } else { DIFFERENCE_MAX };
    let relative = difference / exact;
    let holds = z.abs() < Z_MAX && error < BLIND * exact.abs() && (!strict || relative.abs() < limit);
    let line = format!(
        "{id:<32} {key:<30} {exact:>12.6} {:>12.6} {half_width:>10.2e} {z:>6.2} {:>7.2} % {}{}",
        moments.mean(),
        relative * 100.0,
        if strict { "z and difference" } else { "z" },
        if holds { "" } else { "  DIFFERS" },
    );
    Verdict { line, holds, strict }
}

fn run(case: &Case) -> Vec<Verdict> {
    let expected = expected(case.id);
    let asked: Vec<_> =
        case.quantities.iter().filter(|(key, _)| expected.values.contains_key(*key)).copied().collect();
    assert!(!asked.is_empty(), "{} measures nothing", case.id);
    let scenario = measure::scenario(case.id, &case.text);
    let quantities: Vec<_> = asked.iter().map(|(_, quantity)| *quantity).collect();
    let sample = measure::sample(&scenario, case.trials, &quantities);
    (0..asked.len()).map(|index| judge(case.id, &asked[index], &expected, &sample, index)).collect()
}

#[test]
fn simulation_and_theory_agree() {
    let mut table = String::from(
        "case                             quantity                              exact     measured     ± 95 %      z  difference  rule\n",
    );
    let (mut wrong, mut strict) = (Vec::new(), BTreeSet::new());
    for (family, cases) in families() {
        writeln!(table, "-- {family}").expect("a string takes all");
        for case in &cases {
            for verdict in run(case) {
                writeln!(table, "{}", verdict.line).expect("a string takes all");
                if verdict.strict {
                    strict.insert(case.id);
                }
                if !verdict.holds {
                    wrong.push(verdict.line);
                }
            }
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(strict.len() >= 30, "too few cases have samples large enough: {strict:?}");
}

/// Every case of the data file is measured, or has its reason why not; so has every value of a case that is measured.
#[test]
fn no_case_is_forgotten() {
    let all: Vec<Case> = families().into_iter().flat_map(|(_, cases)| cases).collect();
    let measured: BTreeSet<&str> = all.iter().map(|case| case.id).collect();
    let mut known: Vec<&str> = measured.iter().copied().collect();
    known.extend(EXACT.iter().chain(CLOSED_FORMS_ONLY));
    known.extend(NOT_EXPRESSIBLE.iter().map(|(id, _)| id));
    known.sort_unstable();
    let mut ids: Vec<String> = expected::ids();
    ids.sort_unstable();
    assert_eq!(known, ids);
    for id in measured {
        for key in expected(id).values.keys() {
            let mut quantities = all.iter().filter(|case| case.id == id).flat_map(|case| &case.quantities);
            let excused = NOT_MEASURED.iter().any(|(of, what, _)| (*of == id || *of == "*") && what == key);
            assert!(excused != quantities.any(|(name, _)| name == key), "{id}: {key} is measured or excused");
        }
    }
}
