//! The files of counts, moments and response times.

use std::fmt::Write as _;

use crate::import::clock::{SECOND, shown};
use crate::import::counts::{Moments, Series, period_text, seconds};
use crate::import::latency::Latency;

use super::{Origin, begin, boxes, client_table, head, header, number, rounded, run_table};

/// The rate of a load that no file has, requests a second.
const RATE: f64 = 10.0;

/// A load of counts with its classes.
#[derive(Clone, Debug)]
pub struct Load<'a> {
    /// The counts by period.
    pub series: &'a Series,
    /// Names of the classes; none for a load without.
    pub classes: &'a [String],
    /// Whether the times count from 1970.
    pub dated: bool,
}

impl Load<'_> {
    fn moment(&self, ns: i64) -> String {
        if self.dated { shown(ns) } else { format!("{} s", seconds(ns)) }
    }

    /// From when to when it is.
    #[must_use]
    pub fn span(&self) -> String {
        let end = self.series.zero_ns + self.series.values.len() as i64 * self.series.period_ns;
        format!("from {} to {}", self.moment(self.series.zero_ns), self.moment(end))
    }

    /// When the highest period begins.
    #[must_use]
    pub fn peak_at(&self) -> String {
        self.moment(self.series.zero_ns + self.series.peak().1 as i64 * self.series.period_ns)
    }

    fn length_s(&self) -> u64 {
        let length = self.series.values.len() as i64 * self.series.period_ns;
        (length as u64).div_ceil(SECOND as u64).max(1)
    }

    /// The trace with its header.
    #[must_use]
    pub fn trace(&self, origin: &Origin) -> String {
        let mut text = header(origin);
        let series = self.series;
        let requests = number(series.requests());
        writeln!(text, "# {requests} requests, {}", self.span()).expect("a string takes all");
        begin(&mut text, &self.moment(series.zero_ns));
        writeln!(text, "# every: {}s", seconds(series.period_ns)).expect("a string takes all");
        let value = if series.is_rate { "rate" } else { "count" };
        let class = if self.classes.is_empty() { "" } else { ",class" };
        writeln!(text, "t_s,{value}{class}").expect("a string takes all");
        for (index, values) in series.values.iter().enumerate() {
            let t = seconds(index as i64 * series.period_ns);
            match self.classes {
                [] => writeln!(text, "{t},{}", values[0]).expect("a string takes all"),
                classes => {
                    for (class, value) in classes.iter().zip(values).filter(|(_, value)| **value > 0.0) {
                        writeln!(text, "{t},{value},{class}").expect("a string takes all");
                    }
                }
            }
        }
        text
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self, name: &str, origin: &Origin) -> String {
        let mut text = head(name, origin);
        let length_s = self.length_s();
        run_table(&mut text, length_s);
        let (peak, index) = self.series.peak();
        let period = period_text(self.series.period_ns);
        let load = format!("{} requests, {}, by {period}", number(self.series.requests()), self.span());
        let at_s = index as f64 * self.series.period_ns as f64 / SECOND as f64;
        client_table(&mut text, name, &super::busiest(at_s, length_s), &load, !self.classes.is_empty());
        let all = self.series.requests();
        for (class, name) in self.classes.iter().enumerate() {
            let requests = self.series.requests_of(class);
            let share = rounded((requests * 100.0 / all.max(1.0)).max(1e-6));
            writeln!(text, "[request.{name}]\nshare = {share}  # measured: {} requests\n", number(requests))
                .expect("a string takes all");
        }
        boxes(&mut text, peak, &format!("the busiest {period}"));
        text
    }
}

/// The trace of moments: sorted, the first at a whole second or at its own time.
#[must_use]
pub fn moments_trace(moments: &Moments, origin: &Origin) -> String {
    let mut at_ns = moments.at_ns.clone();
    at_ns.sort_unstable();
    let zero = moments_zero(moments, &at_ns);
    let mut text = header(origin);
    writeln!(text, "# {} requests", at_ns.len()).expect("a string takes all");
    if moments.dated {
        begin(&mut text, &shown(zero));
    }
    text.push_str("t_s\n");
    for at in at_ns {
        writeln!(text, "{}", seconds(at - zero)).expect("a string takes all");
    }
    text
}

fn moments_zero(moments: &Moments, sorted: &[i64]) -> i64 {
    if moments.dated { sorted.first().map_or(0, |first| first.div_euclid(SECOND) * SECOND) } else { 0 }
}

/// The scenario of moments.
#[must_use]
pub fn moments_scenario(name: &str, moments: &Moments, origin: &Origin) -> String {
    let mut at_ns = moments.at_ns.clone();
    at_ns.sort_unstable();
    let zero = moments_zero(moments, &at_ns);
    let length_s = at_ns.last().map_or(0, |last| (last - zero) / SECOND) as u64 + 1;
    let mut text = head(name, origin);
    run_table(&mut text, length_s);
    let (peak, at) = moments_peak(&at_ns);
    let part = super::busiest((at - zero) as f64 / SECOND as f64, length_s);
    client_table(&mut text, name, &part, &format!("{} requests, each at its moment", at_ns.len()), false);
    boxes(&mut text, peak, "the busiest 10 s");
    text
}

/// Requests a second over the highest ten seconds of sorted moments, and when they begin.
#[must_use]
pub fn moments_peak(sorted: &[i64]) -> (f64, i64) {
    let mut most = (0.0, 0);
    let mut first = 0;
    for (index, at) in sorted.iter().enumerate() {
        while at - sorted[first] >= 10 * SECOND {
            first += 1;
        }
        let rate = (index - first + 1) as f64 / 10.0;
        if rate > most.0 {
            most = (rate, sorted[first]);
        }
    }
    most
}

/// The scenario of response times: a service that answers after one of them, however many ask.
#[must_use]
pub fn latency_scenario(name: &str, latency: &Latency, origin: &Origin) -> String {
    let mut text = head(name, origin);
    run_table(&mut text, 120);
    text = text.replace("# measured: the length of the trace", "# assumed: long enough for a p99");
    text = text
        .replace("# assumed: the trace begins with an empty service", "# assumed: there is no queue to fill");
    let (rate, why) = match latency.rate {
        Some(rate) => (rate, "measured: the rate of the test"),
        None => (RATE, "assumed: the file has no rate"),
    };
    let of = latency.count.map_or_else(String::new, |count| format!(" of {count} requests"));
    let longest = latency.quantiles.last().map_or(0.0, |(_, seconds)| *seconds);
    write!(
        text,
        "[client.users]\n\
         target = \"service\"  # assumed: the service alone\n\
         rate = \"{}/s\"  # {why}\n\
         timeout = \"{}s\"  # assumed: longer than the slowest answer\n\n\
         # The response times hold the waiting of the day when they were measured. So this box is another party's service: it\n\
         # answers with these times at any load. For a service of your own, give `cpu`, and let the waiting follow from the load.\n\
         [server.service]\n\
         public = true\n\
         workers = {}  # assumed: more than are busy at once\n\
         steps = [\n  \
           {{ wait = {} }},  # measured: response times{of}\n\
         ]\n",
        rounded(rate),
        (longest.ceil() as u64 + 1).max(30),
        ((rate * longest * 2.0).ceil() as u64).clamp(200, 1_000_000),
        latency.table(),
    )
    .expect("a string takes all");
    text
}
