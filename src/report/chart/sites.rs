//! Switches between sites as bars of their parts.

use super::super::number::time_ms;
use super::plot::{Axis, Bar, Bars, Body, Chart, Table, Unit};
use super::{about, brief, briefs};
use crate::experiment::expect::gauge_of;
use crate::experiment::result::RunResult;
use crate::model::switching::{BOOT, DECIDED, NOTICED, STEPS, TOOK};
use crate::scenario::expression::Stat;

/// A switch: its name, and each part that it has with its mean length in seconds.
type Made = (String, Vec<(&'static str, f64)>);

/// The chart; `None` if no site took over from another.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    let made = switches(result);
    let whole = |parts: &[(&str, f64)]| parts.iter().map(|(_, length)| length).sum::<f64>();
    let (name, parts) = made.iter().max_by(|one, other| whole(&one.1).total_cmp(&whole(&other.1)))?;
    let (longest, most) = parts.iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let told = briefs(&[whole(parts) * 1e3, most * 1e3]);
    let title =
        format!("{name} moved the users after {}: {} of it {}", told[0], told[1], longest.replace('_', " "));
    let all = parts_of_all();
    let colour = |part: &str| all.iter().position(|known| *known == part).unwrap_or(0);
    let legend = all.iter().enumerate().filter(|(_, part)| {
        made.iter().any(|(_, parts)| parts.iter().any(|(one, length)| one == *part && *length > 0.0))
    });
    let bar = |(name, parts): &Made| Bar {
        label: name.clone(),
        parts: parts.iter().map(|(part, length)| (*length, colour(part))).collect(),
        interval: None,
        note: brief(whole(parts) * 1e3),
    };
    let rows = made.iter().flat_map(|(name, parts)| {
        let row = |(part, length): &(&str, f64)| {
            vec![name.clone(), part.replace('_', " "), time_ms(length * 1e3, None)]
        };
        parts.iter().map(row).collect::<Vec<Vec<String>>>()
    });
    Some(Chart {
        name: TOOK.into(),
        alt: format!("Each switch between sites as a bar of its parts. {title}."),
        title,
        subtitle: about(result, "from the loss of a site, mean over trials"),
        table: Table::new([TOOK, "part", "length"], rows.collect()),
        body: Body::Bars(Bars {
            axis: Axis::linear("time after the loss (s)", Unit::Seconds),
            legend: legend.map(|(colour, part)| (part.replace('_', " "), colour)).collect(),
            rows: made.iter().map(bar).collect(),
        }),
    })
}

/// The names of all parts, in order.
fn parts_of_all() -> Vec<&'static str> {
    [&[NOTICED, DECIDED, BOOT][..], &STEPS].concat()
}

/// The switches that were made, with the parts that they have.
fn switches(result: &RunResult) -> Vec<Made> {
    let mean =
        |gauge: &str, of: &str| gauge_of(result, gauge, of).and_then(|gauge| gauge.figure(Stat::Mean).mean);
    let made = result.components.iter().filter(|(name, _)| mean(TOOK, name).is_some());
    let with_parts = |name: &str| {
        let part = |part: &'static str| Some((part, mean(part, name).filter(|length| *length > 0.0)?));
        (name.to_owned(), parts_of_all().into_iter().filter_map(part).collect())
    };
    made.map(|(name, _)| with_parts(name)).collect()
}
