//! `--fail-on`: limits on the change from the baseline.

use crate::scenario::expression::Regression;

use super::super::expect::measure;
use super::super::rare::{rarest, times};
use super::super::result::{Answer, RunResult};
use super::{is_too_rare, paired};

/// The verdict on a limit of the change from the baseline.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Regressed {
    /// The limit: `p99(response) +5%`.
    pub that: String,
    /// The design.
    pub design: String,
    /// Fails if the whole interval is beyond the limit, holds if none of it is.
    pub verdict: Answer,
    /// The change relative to the figure of the baseline.
    pub change: Option<f64>,
    /// Half the width of its interval.
    pub half_width: Option<f64>,
    /// The limit as a share.
    pub limit: f64,
    /// The reason why it is not shown, if more trials do not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The verdict on a limit. It uses the interval of the design's value minus the allowed multiple of the baseline's,
/// because the distribution of their ratio would be difficult.
pub(super) fn regressed(
    limit: &Regression,
    design: &str,
    result: &RunResult,
    baseline: &RunResult,
) -> Regressed {
    let mut found = Regressed {
        that: limit.to_string(),
        design: design.to_owned(),
        verdict: Answer::NotShown,
        change: None,
        half_width: None,
        limit: limit.change,
        reason: None,
    };
    let both =
        measure(&limit.metric, result).and_then(|value| Ok((value, measure(&limit.metric, baseline)?)));
    let (value, base) = match both {
        Ok(both) => both,
        Err(reason) => return Regressed { reason: Some(reason), ..found },
    };
    let change = paired(&value, &base, 1.0);
    if let Some(level) = base.mean.filter(|level| *level != 0.0) {
        found.change = change.mean.map(|mean| mean / level.abs());
        found.half_width = change.half_width.map(|half| half / level.abs());
    }
    let beyond = paired(&value, &base, 1.0 + limit.change);
    let Some((low, high)) = beyond.interval() else {
        let reason =
            if beyond.mean.is_some() { "one trial gives no interval" } else { "too little was measured" };
        return Regressed { reason: Some(reason.into()), ..found };
    };
    let (fails, holds) = if limit.change > 0.0 { (low > 0.0, high <= 0.0) } else { (high < 0.0, low >= 0.0) };
    found.verdict = match (fails, holds) {
        (true, _) => Answer::Fails,
        (_, true) => Answer::Holds,
        _ => Answer::NotShown,
    };
    let fault = [baseline, result].into_iter().find_map(|result| rarest(&result.random_faults));
    let reason = match (fault, value.rare) {
        (Some(fault), Some(_)) => Some(format!("the {} {}", fault.fault, times(fault.times))),
        _ if is_too_rare(&limit.metric, &value, &base) => {
            Some("a change takes ten events to show, and fewer were seen".into())
        }
        _ => None,
    };
    if found.verdict == Answer::Holds && reason.is_some() {
        return Regressed { verdict: Answer::NotShown, reason, ..found };
    }
    found
}
