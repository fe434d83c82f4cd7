//! A traced request as Chrome trace events, which Perfetto and `chrome://tracing` open. Each component is a process.
//! Each stay of a call in it is a span, which contains the waits and the work of that stay. Arrows follow the messages.

use serde_json::{Value, json};

use super::spans::{Point, Span, Spans, spans};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::trace::Step;

/// The trace as one JSON object.
///
/// Times are microseconds since the start of the trial. Spans of one thread are nested or disjoint.
///
/// # Panics
/// Never: all keys are strings, and all numbers are finite.
#[must_use]
pub fn chrome(title: &str, steps: &[Step]) -> String {
    let spans = spans(steps);
    let mut events = names(&spans);
    events.extend(spans.all.iter().map(complete));
    events.extend(spans.notes.iter().map(|(at, text)| {
        json!({
            "ph": "i", "s": "t", "name": text, "cat": "note",
            "pid": pid(at.process), "tid": at.lane + 1, "ts": micros(at.at),
        })
    }));
    for (number, path) in spans.arrows.iter().enumerate() {
        events.extend(arrow(number, path));
    }
    let trace = json!({
        "displayTimeUnit": "ms",
        "otherData": { "scenario": title, "version": env!("CARGO_PKG_VERSION") },
        "traceEvents": events,
    });
    serde_json::to_string_pretty(&trace).expect("strings, lists and finite numbers") + "\n"
}

/// The process id; it starts at 1, because Perfetto uses 0 for the idle process.
fn pid(process: usize) -> usize {
    process + 1
}

fn micros(at: SimTime) -> f64 {
    at.as_nanos() as f64 / 1e3
}

/// Events that name and order the processes and their threads.
fn names(spans: &Spans) -> Vec<Value> {
    let mut events = Vec::new();
    let mut name = |what: &str, process: usize, lane: Option<usize>, args: Value| {
        let tid = lane.map_or(0, |lane| lane + 1);
        events.push(json!({ "ph": "M", "name": what, "pid": pid(process), "tid": tid, "args": args }));
    };
    for (process, (component, lanes)) in spans.processes.iter().enumerate() {
        name("process_name", process, None, json!({ "name": component }));
        name("process_sort_index", process, None, json!({ "sort_index": process }));
        for lane in 0..*lanes {
            let label = if lane == 0 { component.clone() } else { format!("{component} ({})", lane + 1) };
            name("thread_name", process, Some(lane), json!({ "name": label }));
        }
    }
    events
}

fn complete(span: &Span) -> Value {
    json!({
        "ph": "X", "name": span.name, "cat": span.category,
        "pid": pid(span.process), "tid": span.lane + 1,
        "ts": micros(span.start),
        // The length is rounded once, from whole nanoseconds. The difference of two rounded times would carry two
        // errors.
        "dur": length(span.end.since(span.start)),
        "args": span.args,
    })
}

fn length(span: SimDuration) -> f64 {
    span.as_nanos() as f64 / 1e3
}

/// The events of an arrow through these points: its start, steps and end.
fn arrow(number: usize, path: &[Point]) -> Vec<Value> {
    let last = path.len() - 1;
    let event = |(at, point): (usize, &Point)| {
        let phase = match at {
            0 => "s",
            _ if at == last => "f",
            _ => "t",
        };
        let mut event = json!({
            "ph": phase, "id": number + 1, "name": "message", "cat": "message",
            "pid": pid(point.process), "tid": point.lane + 1, "ts": micros(point.at),
        });
        if phase == "f" {
            // `e` binds the end to the enclosing span, not to the next one.
            event["bp"] = "e".into();
        }
        event
    };
    path.iter().enumerate().map(event).collect()
}
