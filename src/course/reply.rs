//! Answers as students write them: `9.5s`, `graph,key-value,document`, `lb.retries=1`.

use super::exercise::{Ask, Kind};
use super::text::Lang;

/// Longest answer, in bytes.
pub const BYTES_MAX: usize = 400;

/// An answer to one question.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A number, in the base unit.
    Number(f64),
    /// One of the options.
    Choice(String),
    /// All options, the best first.
    Order(Vec<String>),
    /// Changes of keys.
    Fix(Vec<(String, String)>),
    /// A number for each point.
    Curve(Vec<f64>),
}

/// Reads an answer.
///
/// # Errors
/// Why it is none, and what one looks like: in the language of the student.
pub fn read(ask: &Ask, text: &str, lang: Lang) -> Result<Reply, String> {
    let text = text.trim();
    if text.len() > BYTES_MAX {
        return Err(lang.of("the answer is too long", "답이 너무 깁니다").to_owned());
    }
    let found = match &ask.kind {
        Kind::Number(number) => number.unit.read(text).map(Reply::Number),
        Kind::Choice { options, .. } => {
            options.iter().find(|option| *option == text).cloned().map(Reply::Choice)
        }
        Kind::Order { options, .. } => {
            let found: Vec<String> = parts(text).collect();
            let is_each_once =
                found.len() == options.len() && options.iter().all(|option| found.contains(option));
            is_each_once.then_some(Reply::Order(found))
        }
        Kind::Fix(_) => {
            let pair = |part: String| {
                let (key, value) = part.split_once('=')?;
                Some((key.trim().to_owned(), value.trim().to_owned()))
            };
            let found: Option<Vec<(String, String)>> = parts(text).map(pair).collect();
            found.filter(|found| !found.is_empty()).map(Reply::Fix)
        }
        Kind::Curve { points, unit, .. } => {
            let found: Option<Vec<f64>> = parts(text).map(|part| unit.read(&part)).collect();
            let is_whole =
                |found: &Vec<f64>| found.len() == points.len() && found.iter().all(|one| *one > 0.0);
            found.filter(is_whole).map(Reply::Curve)
        }
    };
    found.ok_or_else(|| format!("`{text}`: {}", expected(&ask.kind, lang)))
}

/// The parts between commas.
fn parts(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty())
}

/// What an answer looks like.
fn expected(kind: &Kind, lang: Lang) -> String {
    match (kind, lang) {
        (Kind::Number(number), Lang::En) => {
            format!("expected a number with its unit, such as {}", number.unit.examples())
        }
        (Kind::Number(number), Lang::Ko) => {
            format!("단위를 붙인 수를 쓰세요. 예: {}", number.unit.examples())
        }
        (Kind::Choice { options, .. }, Lang::En) => format!("expected one of {}", options.join(", ")),
        (Kind::Choice { options, .. }, Lang::Ko) => format!("{} 가운데 하나를 쓰세요", options.join(", ")),
        (Kind::Order { options, .. }, Lang::En) => {
            format!("expected each of {} once, the best first", options.join(","))
        }
        (Kind::Order { options, .. }, Lang::Ko) => {
            format!("{} 모두를 가장 좋은 것부터 한 번씩 쓰세요", options.join(","))
        }
        (Kind::Fix(fix), Lang::En) => format!("expected KEY=VALUE, of the keys {}", fix.keys.join(", ")),
        (Kind::Fix(fix), Lang::Ko) => {
            format!("KEY=VALUE 꼴로 쓰세요. 쓸 수 있는 키: {}", fix.keys.join(", "))
        }
        (Kind::Curve { points, unit, .. }, Lang::En) => {
            format!("expected {} numbers with commas between them, such as {}", points.len(), unit.examples())
        }
        (Kind::Curve { points, unit, .. }, Lang::Ko) => {
            format!("수 {}개를 쉼표로 나누어 쓰세요. 예: {}", points.len(), unit.examples())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::exercise::Fix;
    use super::super::samples::exercise;
    use super::*;

    #[test]
    fn answers_are_read_by_the_kind_of_question() {
        let exercise = exercise();
        let of = |ask: usize, text: &str| read(&exercise.asks[ask], text, Lang::En);
        assert_eq!(of(0, "x7.5"), Ok(Reply::Number(7.5)));
        assert!(of(0, "much").unwrap_err().contains("such as x2"));
        assert_eq!(of(1, "queue"), Ok(Reply::Choice("queue".into())));
        assert!(of(1, "luck").unwrap_err().contains("queue, network"));
        let options = || vec!["a".to_owned(), "b".to_owned()];
        let order = Ask { name: "o".into(), kind: Kind::Order { options: options(), lowest: true } };
        assert_eq!(read(&order, "b, a", Lang::En), Ok(Reply::Order(vec!["b".into(), "a".into()])));
        assert!(read(&order, "b,b", Lang::Ko).unwrap_err().contains("한 번씩"));
        let fix = Fix { run: 0, keys: vec!["lb.retries".into()], goals: vec![], reference: vec![] };
        let fix = Ask { name: "f".into(), kind: Kind::Fix(fix) };
        assert_eq!(
            read(&fix, "lb.retries=1", Lang::En),
            Ok(Reply::Fix(vec![("lb.retries".into(), "1".into())]))
        );
        assert!(read(&fix, "more servers", Lang::En).is_err());
        assert!(of(0, &"9".repeat(1000)).is_err());
    }
}
