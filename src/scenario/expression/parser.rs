//! Reads expressions by recursive descent. An error says where and why a text is not an expression.

use std::ops::Range;

use super::{
    COMPARISONS, Comparison, Expectation, ExpressionError, Metric, Names, Near, PLAIN, Regression, STATS,
    Stat, Unit, helps,
};
use crate::kernel::time::SimDuration;
use crate::model::quantity::{Duration, QuantityError, Rate, Share, nearest};

/// Reads one expectation, such as `p99(response.read) < 200ms` or, shorter, `p99.read < 200ms`.
///
/// # Errors
/// If the text is malformed, or names a class or component that does not exist.
pub fn parse(text: &str, names: &Names) -> Result<Expectation, ExpressionError> {
    Parser::new(text, names).expectation()
}

/// Reads a metric alone, such as `p99(response.read)` or `lost_writes`.
///
/// # Errors
/// If the text is malformed, or names a class or component that does not exist.
pub fn parse_metric(text: &str, names: &Names) -> Result<Metric, ExpressionError> {
    let mut parser = Parser::new(text, names);
    let metric = parser.metric()?;
    let rest = parser.trimmed(parser.at..parser.end);
    if rest.is_empty() {
        return Ok(metric);
    }
    let message = format!("expected the end, found {}", parser.rest_or_end());
    Err(ExpressionError { help: Some(format!("a metric alone: {metric}")), ..error(rest, message) })
}

/// Reads metrics with commas between them: `rto, lost_writes, p99(response.post)`.
///
/// # Errors
/// If one of its parts is not a metric.
pub fn parse_metrics(text: &str, names: &Names) -> Result<Vec<Metric>, ExpressionError> {
    let mut at = 0;
    let mut metrics = Vec::new();
    for part in text.split(',') {
        let start = at;
        at += part.len() + 1;
        let of_text = |error: ExpressionError| ExpressionError {
            span: start + error.span.start..start + error.span.end,
            ..error
        };
        metrics.push(parse_metric(part, names).map_err(of_text)?);
    }
    Ok(metrics)
}

/// Reads the surroundings of a value of this metric, `9.6s ± 0.2s`; `+-` means the same as `±`.
///
/// # Errors
/// If the text does not hold two quantities of the metric's unit, or the second one is 0.
pub fn parse_near(text: &str, metric: &Metric) -> Result<Near, ExpressionError> {
    let names = Names::default();
    let sign = ["±", "+-"].into_iter().find_map(|sign| Some((text.find(sign)?, sign.len())));
    let Some((at, length)) = sign else {
        let message = format!("expected a value and its tolerance, found {text:?}");
        return Err(ExpressionError {
            help: Some("for example: near = \"9.6s ± 0.2s\"".into()),
            ..error(0..text.len(), message)
        });
    };
    let part =
        |range: Range<usize>| Parser { text, at: range.start, end: range.end, names: &names }.bound(metric);
    let (value, tolerance) = (part(0..at)?, part(at + length..text.len())?);
    if tolerance <= 0.0 {
        return Err(error(at + length..text.len(), "a tolerance must be above 0"));
    }
    Ok(Near { value, tolerance })
}

/// Reads a service level objective, a list of expectations: `p99 < 300ms, errors < 0.1%`.
///
/// # Errors
/// If one of its parts is not an expectation.
pub fn parse_slo(text: &str, names: &Names) -> Result<Vec<Expectation>, ExpressionError> {
    let mut at = 0;
    let mut parts = Vec::new();
    for part in text.split(',') {
        let end = at + part.len();
        parts.push(Parser { text, at, end, names }.expectation()?);
        at = end + 1;
    }
    Ok(parts)
}

/// Reads a limit on the change against a baseline: `p99(response) +5%`, `goodput -2%`.
///
/// # Errors
/// If the text is malformed, or names a class or component that does not exist.
pub fn parse_fail_on(text: &str, names: &Names) -> Result<Regression, ExpressionError> {
    let mut parser = Parser::new(text, names);
    let metric = parser.metric()?;
    Ok(Regression { metric, change: parser.change()? })
}

/// Reads a span of simulated time, `3min..4min`: its start and its end, both since the start of the measured time.
///
/// # Errors
/// If the text is not a span, or the span does not end after its start.
pub fn parse_span_of_time(text: &str) -> Result<(SimDuration, SimDuration), ExpressionError> {
    let Some(dots) = text.find("..") else {
        return Err(error(0..text.len(), format!("expected a span such as \"3min..4min\", found {text:?}")));
    };
    let moment = |range: Range<usize>| {
        let time = text[range.clone()].parse::<Duration>();
        time.map(|time| time.0).map_err(|reason| wrong_quantity(range, reason))
    };
    let (start, end) = (moment(0..dots)?, moment(dots + 2..text.len())?);
    if start >= end {
        return Err(error(0..text.len(), format!("the span {text:?} does not end after its start")));
    }
    Ok((start, end))
}

pub(super) fn error(span: Range<usize>, message: impl Into<String>) -> ExpressionError {
    ExpressionError { span, message: message.into(), help: None }
}

fn wrong_quantity(span: Range<usize>, reason: QuantityError) -> ExpressionError {
    ExpressionError { span, message: reason.message, help: reason.help }
}

/// A position in the text, which moves on as the text is read.
pub(super) struct Parser<'t, 'n> {
    text: &'t str,
    at: usize,
    end: usize,
    pub(super) names: &'n Names,
}

impl<'t, 'n> Parser<'t, 'n> {
    fn new(text: &'t str, names: &'n Names) -> Parser<'t, 'n> {
        Parser { text, at: 0, end: text.len(), names }
    }

    fn expectation(mut self) -> Result<Expectation, ExpressionError> {
        let metric = self.metric()?;
        let comparison = self.comparison(&metric)?;
        let bound = self.bound(&metric)?;
        Ok(Expectation { metric, comparison, bound })
    }

    fn metric(&mut self) -> Result<Metric, ExpressionError> {
        let (word, span) = self.word();
        if let Some((_, stat)) = STATS.iter().find(|(name, _)| *name == word) {
            return self.response(*stat, word);
        }
        if let Some((_, metric)) = PLAIN.iter().find(|(name, _)| *name == word)
            && !self.is_of_one_box(word)
        {
            if self.names.is_whole && metric.is_of_data() && self.names.boxes_with(word).is_empty() {
                return Err(helps::without_data(&metric.to_string(), span, self.names.has_data()));
            }
            return Ok(metric.clone());
        }
        if let Some(metric) = self.gauge(word, span.clone())? {
            return Ok(metric);
        }
        match word {
            "availability" => Ok(Metric::Availability(self.class()?)),
            "error_rate" => Ok(Metric::ErrorRate(self.class()?)),
            "errors" => Ok(Metric::ErrorRate(self.class()?)),
            "utilisation" => Ok(Metric::Utilisation(self.component(word)?)),
            "queue_len" => Ok(Metric::QueueLen(self.component(word)?)),
            _ => Err(self.unknown_metric(word, span)),
        }
    }

    fn unknown_metric(&self, word: &str, span: Range<usize>) -> ExpressionError {
        if word.is_empty() {
            return ExpressionError {
                help: Some("for example: p99(response) < 300ms".into()),
                ..error(span, format!("expected a metric, found {}", self.rest_or_end()))
            };
        }
        let stats = STATS.map(|(name, _)| name);
        let compound: &[&str] = &["availability", "error_rate", "utilisation", "queue_len"];
        let plain = PLAIN.map(|(name, _)| name);
        let gauges = self.names.gauges();
        let known = [&stats, compound, &plain, &["errors"], &gauges, &["response"]].concat();
        let help = match (helps::of_synonym(word), nearest(word, &known), self.figures_of_what_follows()) {
            (Some(help), ..) => help.to_owned(),
            (_, Some("response"), _) => "response times need a figure: p99(response)".into(),
            (_, Some(name), _) => format!("did you mean \"{name}\"?"),
            (_, None, Some(figures)) => figures,
            (_, None, None) => {
                format!("there are: p99(response), {}", [compound, &plain, &gauges].concat().join(", "))
            }
        };
        ExpressionError { help: Some(help), ..error(span, format!("unknown metric \"{word}\"")) }
    }

    /// Reads what follows the name of a statistic: `(response)` or `(response.read)`.
    fn response(&mut self, stat: Stat, name: &str) -> Result<Metric, ExpressionError> {
        self.skip_spaces();
        if !self.rest().starts_with('(') {
            return Ok(Metric::Response { stat, class: self.class()? });
        }
        let of_response = |error: ExpressionError| ExpressionError {
            help: Some(format!("for example: {name}(response) < 300ms")),
            ..error
        };
        self.take("(").map_err(of_response)?;
        let (word, span) = self.word();
        if let Some(metric) = self.stat_of_gauge(stat, name, word, span.clone())? {
            return Ok(metric);
        }
        if word != "response" {
            return Err(of_response(error(span, format!("expected response, found \"{word}\""))));
        }
        let class = self.class()?;
        self.take(")")?;
        Ok(Metric::Response { stat, class })
    }

    /// Reads `.read`, if a point follows.
    fn class(&mut self) -> Result<Option<String>, ExpressionError> {
        if !self.rest().starts_with('.') {
            return Ok(None);
        }
        self.at += 1;
        let (word, span) = self.word();
        let classes: Vec<&str> = self.names.classes.iter().map(String::as_str).collect();
        known("request class", word, span, &classes).map(Some)
    }

    /// Reads `(web)`, after the metric `of`.
    pub(super) fn component(&mut self, of: &str) -> Result<String, ExpressionError> {
        self.take("(").map_err(|error| ExpressionError {
            help: Some(format!("{of} is of one component: {of}(web)")),
            ..error
        })?;
        let length = self.rest().find(')').unwrap_or(self.rest().len());
        let span = self.trimmed(self.at..self.at + length);
        let names: Vec<&str> =
            self.names.components.iter().map(|component| component.name.as_str()).collect();
        let name = known("component", &self.text[span.clone()], span, &names)?;
        self.at += length;
        self.take(")")?;
        Ok(name)
    }

    fn comparison(&mut self, metric: &Metric) -> Result<Comparison, ExpressionError> {
        self.skip_spaces();
        let found = COMPARISONS.iter().find(|(sign, _)| self.rest().starts_with(sign));
        let Some((sign, comparison)) = found else {
            let message = format!("expected <, <=, > or >=, found {}", self.rest_or_end());
            let help = helps::instead_of_equality(metric, self.rest());
            return Err(ExpressionError { help, ..error(self.trimmed(self.at..self.end), message) });
        };
        self.at += sign.len();
        Ok(*comparison)
    }

    /// Reads the rest as a quantity in a unit that suits the metric. Returns it in the metric's base unit.
    fn bound(&mut self, metric: &Metric) -> Result<f64, ExpressionError> {
        let span = self.trimmed(self.at..self.end);
        let text = &self.text[span.clone()];
        if let Some(joint) = helps::joint(text) {
            let start = span.start + joint.start;
            let found = self.text[start..span.end].to_owned();
            return Err(ExpressionError {
                help: Some(helps::ONE_CONDITION.to_owned()),
                ..error(start..span.start + joint.end, format!("expected the end, found {found:?}"))
            });
        }
        let bound = match metric.unit() {
            Unit::Seconds => text.parse::<Duration>().map(|time| time.0.as_secs_f64()),
            Unit::Share => text.parse::<Share>().map(|share| share.0),
            Unit::PerSecond => text.parse::<Rate>().map(|rate| rate.0),
            Unit::Count => return self.number(text, span, "a plain number such as 50"),
            Unit::Usd => return self.number(without_currency(text), span, "an amount such as $3.50"),
        };
        bound.map_err(|reason| wrong_quantity(span, reason))
    }

    /// Reads the rest as a relative change with its sign, `+5%`.
    fn change(&mut self) -> Result<f64, ExpressionError> {
        let span = self.trimmed(self.at..self.end);
        let text = &self.text[span.clone()];
        let size = text.strip_prefix(['+', '-']).and_then(|rest| rest.strip_suffix('%'));
        let Some(size) = size else {
            let message = format!("expected a change such as +5%, found {}", self.rest_or_end());
            return Err(error(span, message));
        };
        let size = self.number(size.trim(), span.clone(), "a change such as +5%")? / 100.0;
        let falls = text.starts_with('-');
        if size == 0.0 {
            return Err(error(span, "a change of 0% is not a limit"));
        }
        if falls && size > 1.0 {
            return Err(error(span, "nothing falls by more than 100%"));
        }
        Ok(if falls { -size } else { size })
    }

    /// The value of a decimal literal without a sign, which stands somewhere in `span`. `inf` and `nan`, which Rust
    /// would accept, are errors.
    fn number(&self, literal: &str, span: Range<usize>, expected: &str) -> Result<f64, ExpressionError> {
        let plain = literal.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let value = literal.parse().ok().filter(|value: &f64| plain && value.is_finite());
        let found = &self.text[span.clone()];
        value.ok_or_else(|| error(span, format!("expected {expected}, found {found:?}")))
    }

    /// Reads the next word of letters, digits, `_` and `-`. Returns the word and its bytes; both empty if something
    /// else follows.
    fn word(&mut self) -> (&'t str, Range<usize>) {
        self.skip_spaces();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let span = self.at..self.at + length;
        self.at = span.end;
        (&self.text[span.clone()], span)
    }

    pub(super) fn take(&mut self, sign: &str) -> Result<(), ExpressionError> {
        self.skip_spaces();
        if !self.rest().starts_with(sign) {
            let message = format!("expected \"{sign}\", found {}", self.rest_or_end());
            return Err(error(self.trimmed(self.at..self.end), message));
        }
        self.at += sign.len();
        Ok(())
    }

    pub(super) fn skip_spaces(&mut self) {
        self.at = self.end - self.rest().trim_start().len();
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..self.end]
    }

    /// The rest in quotes, or "the end", for messages.
    fn rest_or_end(&self) -> String {
        let rest = self.rest().trim();
        if rest.is_empty() { "the end".into() } else { format!("{rest:?}") }
    }

    /// The range without the spaces around it.
    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let text = &self.text[range.clone()];
        let start = range.end - text.trim_start().len();
        start..start + text.trim().len()
    }
}

/// The name, if it is one of `names`; otherwise an error with a suggestion.
fn known(what: &str, name: &str, span: Range<usize>, names: &[&str]) -> Result<String, ExpressionError> {
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    let help = match nearest(name, names) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None if names.is_empty() => format!("the scenario names no {what}"),
        None => format!("there are: {}", names.join(", ")),
    };
    Err(ExpressionError { help: Some(help), ..error(span, format!("unknown {what} \"{name}\"")) })
}

/// An amount in dollars without its currency: `$3`, `3 USD` and `3` are all "3".
fn without_currency(text: &str) -> &str {
    let text = text.strip_prefix('$').or_else(|| text.strip_suffix('$')).unwrap_or(text);
    text.strip_suffix("USD").unwrap_or(text).trim()
}

#[cfg(test)]
mod tests;
