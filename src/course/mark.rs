//! Marks: an answer beside its key, and the misconception that a wrong answer betrays.

use super::exercise::{Exercise, Kind, Number, Variant};
use super::formula;
use super::measure::Measured;
use super::reply::Reply;
use super::text::{Numbers, Value};

/// The mark of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// From 0 to 1.
    pub share: f64,
    /// The key as text.
    pub key: String,
    /// Answer over key, where both are numbers above 0.
    pub ratio: Option<f64>,
    /// The name of the misconception, of which the texts say more.
    pub misconception: Option<String>,
}

/// Marks an answer. A cure is not marked here, because it must be simulated.
///
/// # Errors
/// If the exercise has no key: its author must mend it.
pub fn mark(
    exercise: &Exercise,
    ask: usize,
    reply: &Reply,
    variant: Variant,
    measured: &Measured,
) -> Result<Mark, String> {
    let numbers = exercise.numbers(variant, &measured.values);
    match (&exercise.asks[ask].kind, reply) {
        (Kind::Number(number), Reply::Number(said)) => marked(number, *said, &numbers),
        (Kind::Choice { answer, .. }, Reply::Choice(said)) => {
            let right = said == answer;
            Ok(Mark {
                share: f64::from(u8::from(right)),
                key: answer.clone(),
                ratio: None,
                misconception: (!right).then(|| said.clone()),
            })
        }
        (Kind::Order { options, lowest }, Reply::Order(said)) => {
            let right = sorted(options, *lowest, &numbers);
            Ok(Mark { share: tau(&right, said), key: right.join(","), ratio: None, misconception: None })
        }
        (Kind::Curve { points, unit, tolerance }, Reply::Curve(said)) => {
            let keys: Vec<Value> =
                points.iter().filter_map(|point| numbers.values.get(point.as_str()).copied()).collect();
            let shown: Vec<String> = keys.iter().map(|key| unit.shown(key.mean, None)).collect();
            let errors = keys.iter().zip(said).map(|(key, said)| libm::log(said / key.mean).abs());
            let error = errors.sum::<f64>() / keys.len() as f64;
            Ok(Mark {
                share: by_distance(error, *tolerance),
                key: shown.join(", "),
                ratio: None,
                misconception: None,
            })
        }
        _ => Err(format!("`{}` is not answered so", exercise.asks[ask].name)),
    }
}

fn marked(number: &Number, said: f64, numbers: &Numbers) -> Result<Mark, String> {
    let key = number.key(numbers)?;
    let tolerance = number.tolerance.around(key);
    let share = by_distance((said - key).abs(), tolerance);
    let mut misconception = None;
    if share < 1.0 {
        for (condition, name) in &number.wrong {
            let condition = condition.trim();
            let of = |name: &str| if name == "key" { Some(key) } else { numbers.value(name) };
            let bound = formula::value(condition.get(1..).unwrap_or_default(), &of)?;
            let fits = match condition.as_bytes().first() {
                Some(b'<') => said < bound,
                Some(b'>') => said > bound,
                _ => (said - bound).abs() <= number.tolerance.around(bound).min((key - bound).abs() / 2.0),
            };
            if fits {
                misconception = Some(name.clone());
                break;
            }
        }
    }
    let ratio = (key > 0.0 && said > 0.0).then(|| said / key);
    Ok(Mark { share, key: number.unit.shown(key, None), ratio, misconception })
}

/// 1 within the tolerance, ½ within twice the tolerance, else 0. A little more is allowed, so that the edge does not depend on
/// rounding.
fn by_distance(distance: f64, tolerance: f64) -> f64 {
    match distance {
        near if near <= tolerance * (1.0 + 1e-9) => 1.0,
        middle if middle <= 2.0 * tolerance * (1.0 + 1e-9) => 0.5,
        _ => 0.0,
    }
}

/// The names by their measured values, the best first.
fn sorted(options: &[String], lowest: bool, numbers: &Numbers) -> Vec<String> {
    let of = |name: &String| numbers.values.get(name.as_str()).map_or(f64::NAN, |value| value.mean);
    let mut right = options.to_vec();
    right.sort_by(|a, b| if lowest { of(a).total_cmp(&of(b)) } else { of(b).total_cmp(&of(a)) });
    right
}

/// Kendall's rank correlation (M. G. Kendall, "A new measure of rank correlation", Biometrika 30, 1938), from 0 for no better than
/// chance to 1 for the right order.
fn tau(right: &[String], said: &[String]) -> f64 {
    let at = |name: &String| said.iter().position(|one| one == name);
    let mut agree = 0_i32;
    let mut pairs = 0_i32;
    for (first, one) in right.iter().enumerate() {
        for other in &right[first + 1..] {
            agree += if at(one) < at(other) { 1 } else { -1 };
            pairs += 1;
        }
    }
    f64::from(agree.max(0)) / f64::from(pairs.max(1))
}

#[cfg(test)]
mod tests {
    use super::super::samples::exercise;
    use super::super::text::Unit;
    use super::*;

    fn measured() -> Measured {
        let value = |mean| Value { mean, half_width: None, unit: Unit::Time };
        Measured {
            values: [("once".into(), value(0.05)), ("twice".into(), value(0.4))].into(),
            fingerprint: String::new(),
        }
    }

    fn of(said: f64) -> Mark {
        let variant = Variant { set: 0, seed: 1 };
        mark(&exercise(), 0, &Reply::Number(said), variant, &measured()).unwrap()
    }

    #[test]
    fn a_number_is_right_half_right_or_tells_what_was_thought() {
        assert_eq!((of(8.0).share, of(8.0).key.as_str()), (1.0, "x8"));
        assert_eq!((of(10.4).share, of(10.41).share, of(12.8).share, of(12.9).share), (1.0, 0.5, 0.5, 0.0));
        assert_eq!(of(2.0).misconception.as_deref(), Some("linear"));
        assert_eq!(of(40.0).misconception.as_deref(), Some("much"));
        assert_eq!(of(20.0).misconception, None);
        assert_eq!(of(2.0).ratio, Some(0.25));
    }

    #[test]
    fn an_order_is_marked_by_its_pairs() {
        let names = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        assert_eq!(tau(&names("abcd"), &names("abcd")), 1.0);
        assert_eq!(tau(&names("abcd"), &names("dcba")), 0.0);
        assert!((tau(&names("abcd"), &names("abdc")) - 4.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_choice_is_right_or_names_itself() {
        let variant = Variant { set: 0, seed: 1 };
        let of =
            |said: &str| mark(&exercise(), 1, &Reply::Choice(said.into()), variant, &measured()).unwrap();
        assert_eq!((of("queue").share, of("queue").misconception), (1.0, None));
        assert_eq!((of("network").share, of("network").misconception.as_deref()), (0.0, Some("network")));
    }
}
