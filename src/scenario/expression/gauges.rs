//! Gauges in expressions: `retries(lb)`, `max(pool_wait(web))`, and `retries` alone where only one box has it.

use std::ops::Range;

use super::names::ComponentName;
use super::parser::{Parser, error};
use super::{ExpressionError, Metric, Stat};
use crate::model::gauge::{Gauge, Sort};
use crate::scenario::suggest::with_article;

/// Figures that every component has.
const OF_ALL: [&str; 2] = ["utilisation", "queue_len"];

impl Parser<'_, '_> {
    /// What follows the name of a gauge: the component in brackets, or nothing where only one box has such a gauge.
    /// `None` when no box has it.
    pub(super) fn gauge(
        &mut self,
        word: &str,
        span: Range<usize>,
    ) -> Result<Option<Metric>, ExpressionError> {
        if !self.names.gauges().contains(&word) {
            return Ok(None);
        }
        let of = |component: &ComponentName, gauge: Gauge| {
            Ok(Some(Metric::Gauge { gauge, of: component.name.clone(), stat: Stat::usual(&gauge) }))
        };
        self.skip_spaces();
        if self.rest().starts_with('(') {
            let name = self.component(word)?;
            let component = self.names.component(&name).expect("a component that was read is known");
            return match component.gauge(word) {
                Some(gauge) => of(component, gauge),
                None => Err(ExpressionError {
                    help: Some(figures_of(component)),
                    ..error(span, format!("`{name}` has no `{word}`"))
                }),
            };
        }
        let boxes = self.names.boxes_with(word);
        match (boxes.as_slice(), boxes.first().and_then(|one| one.gauge(word))) {
            ([one], Some(gauge)) => of(one, gauge),
            _ => {
                let each: Vec<String> = boxes.iter().map(|one| format!("{word}({})", one.name)).collect();
                let help = Some(format!("name one of them: {}", each.join(", ")));
                Err(ExpressionError { help, ..error(span, format!("several boxes have `{word}`")) })
            }
        }
    }

    /// Whether a word that is also a metric of the whole system means a gauge here: a component follows, or several boxes
    /// have the gauge and it is none of which all of them together have a sum or a share.
    pub(super) fn is_of_one_box(&self, word: &str) -> bool {
        let boxes = self.names.boxes_with(word);
        let adds_up = |gauge: Gauge| matches!(gauge.sort, Sort::Count | Sort::Share);
        let is_sum = boxes.first().and_then(|one| one.gauge(word)).is_none_or(adds_up);
        let is_named = self.rest().trim_start().starts_with('(') && !boxes.is_empty();
        is_named || (boxes.len() > 1 && !is_sum)
    }

    /// What follows `mean(` or `max(`, whose name is `stat_name`, when it is a gauge; `None` when no box has it.
    pub(super) fn stat_of_gauge(
        &mut self,
        stat: Stat,
        stat_name: &str,
        word: &str,
        span: Range<usize>,
    ) -> Result<Option<Metric>, ExpressionError> {
        let Some(Metric::Gauge { gauge, of, .. }) = self.gauge(word, span.clone())? else { return Ok(None) };
        let help = match (gauge.sort, stat) {
            (Sort::Time | Sort::Level, Stat::Mean | Stat::Max) => {
                self.take(")")?;
                return Ok(Some(Metric::Gauge { gauge, of, stat }));
            }
            (Sort::Time | Sort::Level, _) => format!("there are: mean({word}({of})), max({word}({of}))"),
            (Sort::Count | Sort::Share, _) => format!("write {word}({of})"),
        };
        let message = format!("`{word}` is {} and has no {stat_name}", with_article(gauge.sort.name()));
        Err(ExpressionError { help: Some(help), ..error(span, message) })
    }

    /// What the component has that follows a name that is no metric, if one follows.
    pub(super) fn figures_of_what_follows(&self) -> Option<String> {
        let name = self.rest().trim_start().strip_prefix('(')?.split(')').next()?;
        self.names.component(name.trim()).map(figures_of)
    }
}

/// Tells which figures a component has.
fn figures_of(component: &ComponentName) -> String {
    let own = component.gauges.iter().map(|gauge| gauge.name);
    let names: Vec<&str> = own.chain(OF_ALL).collect();
    format!("`{}` is {}; it has {}", component.name, with_article(component.kind), names.join(", "))
}
