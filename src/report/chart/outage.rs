//! An outage of writes as a bar of its parts.

use super::super::number::{estimate, time_ms};
use super::plot::{Axis, Bar, Bars, Body, Chart, Table, Unit};
use super::{about, brief, briefs};
use crate::experiment::result::{Figure, RunResult};

/// The chart; `None` if there was no outage.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    let data = result.metrics.data.as_ref()?;
    let parts: Vec<(String, &Figure)> =
        data.outage_s.as_ref()?.iter().map(|(name, figure)| (name.replace('_', " "), figure)).collect();
    let length = |figure: &Figure| figure.mean.unwrap_or(0.0);
    let whole: f64 = parts.iter().map(|(_, figure)| length(figure)).sum();
    if whole <= 0.0 {
        return None;
    }
    let (longest, most) = parts.iter().max_by(|a, b| length(a.1).total_cmp(&length(b.1)))?;
    let told = briefs(&[whole * 1e3, length(most) * 1e3]);
    let title = format!(
        "No write for {}: {} of it to {longest}; {} acknowledged writes lost",
        told[0],
        told[1],
        data.lost_writes.mean.map_or("unknown".into(), |lost| estimate(lost, data.lost_writes.half_width)),
    );
    let shown: Vec<(usize, &(String, &Figure))> =
        parts.iter().enumerate().filter(|(_, part)| length(part.1) > 0.0).collect();
    let times: Vec<f64> = shown.iter().map(|(_, part)| length(part.1) * 1e3).collect();
    let legend = shown.iter().zip(briefs(&times));
    let legend = legend.map(|((colour, (name, _)), time)| (format!("{name} {time}"), *colour));
    let bars = Bars {
        axis: Axis::linear("time after the last acknowledged write (s)", Unit::Seconds),
        legend: legend.collect(),
        rows: vec![Bar {
            label: "no write".into(),
            parts: shown.iter().map(|(colour, (_, figure))| (length(figure), *colour)).collect(),
            interval: None,
            note: brief(whole * 1e3),
        }],
    };
    let row = |(name, figure): &(String, &Figure)| {
        vec![
            name.clone(),
            figure
                .mean
                .map_or(String::new(), |mean| time_ms(mean * 1e3, figure.half_width.map(|half| half * 1e3))),
        ]
    };
    Some(Chart {
        name: "outage".into(),
        alt: format!("The outage as a bar of its parts. {title}."),
        title,
        subtitle: about(result, "the longest outage of each trial, mean over trials"),
        table: Table::new(["part", "length"], parts.iter().map(row).collect()),
        body: Body::Bars(bars),
    })
}
