//! `Monitor`: asks members of other boxes for figures now and then, and raises alerts.
//!
//! It sees what members tell of themselves: the counters of their processes, which are gone after a crash. What users see, it does
//! not know. It makes no calls, so that users meet the same boxes with it and without.

mod book;
mod spec;
mod track;

pub use spec::{AlertSpec, MonitorSpec};
pub use track::Merge;

use crate::kernel::random::{Stream, below};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::{Component, Cx};
use crate::model::gauge::{Gauge, GaugeId};
use crate::model::ledger::LedgerId;
use crate::model::quantity::{Duration, Rate, Share};
use crate::model::rule::{Rule, Summons};
use crate::model::signal::{About, Alarm, ComponentId, Control, Order, Signal};
use crate::model::site::Site;
use crate::model::unit::Unit;

use book::Book;
use track::{Fold, Track};

/// What a monitor counts and measures.
#[rustfmt::skip]
pub const GAUGES: &[Gauge] = &[
    Gauge::time("alert_delay", "Time from the start of an incident, which begins with a fault, until the first alert fires.").less_is_better().in_table(),
    Gauge::count("false_alerts", "Alerts that began to fire outside of any incident.").less_is_better().in_table(),
    Gauge::count("missed", "Incidents in which no alert fired.").less_is_better().in_table(),
    Gauge::count("flaps", "Alerts that began to fire again in the same incident.").less_is_better().in_table(),
];

const ALERT_DELAY: GaugeId = GaugeId::of("alert_delay", GAUGES);
const FALSE_ALERTS: GaugeId = GaugeId::of("false_alerts", GAUGES);
const MISSED: GaugeId = GaugeId::of("missed", GAUGES);
const FLAPS: GaugeId = GaugeId::of("flaps", GAUGES);

/// A member is asked.
const SCRAPE: u16 = 0;
/// The conditions are looked at.
const EVALUATE: u16 = 1;
/// Who watches the monitor looks whether it has been heard of.
const LISTEN: u16 = 2;

/// An alert at run time.
#[derive(Debug)]
struct Alert {
    rule: Rule,
    /// Time for which the condition must hold.
    lasts: SimDuration,
    fold: Fold,
    /// The members that are asked, by their places in the monitor's list.
    asks: Vec<usize>,
    /// What each of them has told.
    tracks: Vec<Track>,
    /// When the last of them has told something.
    heard: SimTime,
    /// Since when the condition holds.
    since: Option<SimTime>,
    calls: Called,
}

/// A monitor in a simulation.
#[derive(Debug)]
struct Monitor {
    scrape: SimDuration,
    evaluate: SimDuration,
    absent: Option<SimDuration>,
    /// All members that are asked.
    members: Vec<ComponentId>,
    alerts: Vec<Alert>,
    /// Who watches it, if anybody does.
    outside: Option<ComponentId>,
    reach: SimDuration,
    book: LedgerId<Book>,
    stream: Option<Stream>,
}

impl Monitor {
    fn new(spec: &MonitorSpec, site: &Site<'_>) -> Monitor {
        let mut members: Vec<ComponentId> = Vec::new();
        let alerts = spec.alert.iter().zip(&spec.rules).map(|(alert, rule)| {
            let fold = Fold::new(rule.figure, alert.merge(), alert.window(), spec.scrape());
            let mut asks: Vec<usize> = Vec::new();
            for id in rule.of.iter().flat_map(|name| site.directory.everyone(name)) {
                let place = members.iter().position(|known| known == id).unwrap_or_else(|| {
                    members.push(*id);
                    members.len() - 1
                });
                if !asks.contains(&place) {
                    asks.push(place);
                }
            }
            let most = spec.samples(alert) as usize;
            let tracks = asks.iter().map(|_| Track::new(most, rule.figure)).collect();
            let calls = Called::of(rule, site);
            let (rule, lasts, heard) = (rule.clone(), alert.lasts(), SimTime::ZERO);
            Alert { rule, lasts, fold, asks, tracks, heard, since: None, calls }
        });
        let alerts = alerts.collect();
        Monitor {
            scrape: spec.scrape(),
            evaluate: spec.evaluate(),
            absent: spec.absent(),
            alerts,
            members,
            outside: spec.absent().map(|_| site.find(&spec::outside(site.group))),
            reach: spec.reach(),
            book: LedgerId::NONE,
            stream: None,
        }
    }

    /// It begins to ask, each member at a moment of its own, and to look at the conditions.
    fn begin(&mut self, cx: &mut Cx<'_>) {
        for alert in &mut self.alerts {
            (alert.since, alert.heard) = (None, cx.now());
            alert.tracks.iter_mut().for_each(Track::clear);
        }
        let stream = self.stream.get_or_insert_with(|| cx.stream("phases"));
        for member in 0..self.members.len() {
            let phase = SimDuration::from_nanos(below(stream, self.scrape.as_nanos()));
            cx.alarm(phase, SCRAPE, About::Number(member as u32));
        }
        let phase = SimDuration::from_nanos(below(stream, self.evaluate.as_nanos()));
        cx.alarm(phase, EVALUATE, About::Nothing);
    }

    fn ask(&mut self, place: u32, cx: &mut Cx<'_>) {
        cx.alarm(self.scrape, SCRAPE, About::Number(place));
        let member = self.members[place as usize];
        if !cx.answers(member) {
            return;
        }
        for alert in &mut self.alerts {
            let Some(track) = alert.asks.iter().position(|asked| *asked == place as usize) else { continue };
            let figure = alert.rule.figure;
            if alert.tracks[track].add(|sample| cx.sample(member, figure, sample)) {
                alert.heard = cx.now();
            }
        }
    }

    fn evaluate(&mut self, cx: &mut Cx<'_>) {
        cx.alarm(self.evaluate, EVALUATE, About::Nothing);
        let now = cx.now();
        let mut holds = false;
        let mut turns: Vec<(usize, Option<String>)> = Vec::new();
        for (place, alert) in self.alerts.iter_mut().enumerate() {
            let value = alert.fold.value(now, &mut alert.tracks);
            let is_true = value.is_some_and(|value| alert.rule.holds_for(value));
            let is_silent = self.absent.is_some_and(|absent| now.since(alert.heard) >= absent);
            alert.since = if is_true { alert.since.or(Some(now)) } else { None };
            let is_long = alert.since.is_some_and(|since| now.since(since) >= alert.lasts);
            holds |= is_true || is_silent;
            match (cx.ledger(self.book).fires(place), is_long || is_silent) {
                (false, true) => {
                    let text = match value.filter(|_| is_true) {
                        Some(value) => {
                            format!("fires: {}, at {}", alert.rule.text, shown(alert.rule.unit, value))
                        }
                        None => format!("fires: no figures for {}", alert.rule.text),
                    };
                    turns.push((place, Some(text)));
                }
                (true, false) if !is_true => turns.push((place, None)),
                _ => {}
            }
        }
        cx.ledger(self.book).find(now, holds);
        for (place, text) in turns {
            let rule = &self.alerts[place].rule;
            match text {
                Some(text) => {
                    cx.note_of(cx.me(), text);
                    cx.ledger(self.book).fire(now, place);
                    self.alerts[place].calls.begin(cx);
                }
                None => {
                    cx.note_of(cx.me(), format!("resolves: {}", rule.text));
                    cx.ledger(self.book).resolve(place);
                    self.call_off(place, cx);
                }
            }
        }
        if self.outside.is_some_and(|outside| cx.reaches(cx.me(), outside)) {
            cx.ledger(self.book).beat = now;
        }
    }

    /// An alert fires no longer: a decision that no alert asks for any more is called off.
    fn call_off(&self, place: usize, cx: &mut Cx<'_>) {
        let Called::Switch(switch) = self.alerts[place].calls else { return };
        let calls_too = |(at, alert): (usize, &Alert)| (alert.calls == Called::Switch(switch)).then_some(at);
        let others: Vec<usize> = self.alerts.iter().enumerate().filter_map(calls_too).collect();
        if !others.into_iter().any(|at| cx.ledger(self.book).fires(at)) {
            Called::tell(switch, Order::CALL_OFF, cx);
        }
    }
}

/// What an alert sets going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    /// Nothing.
    Nobody,
    /// The operation with this place in the scenario's list.
    Operation(u32),
    /// The decision of a switch.
    Switch(ComponentId),
}

impl Called {
    fn of(rule: &Rule, site: &Site<'_>) -> Called {
        match &rule.calls {
            None => Called::Nobody,
            Some(Summons::Operation(operation)) => Called::Operation(*operation),
            Some(Summons::Switch(name)) => Called::Switch(site.find(name)),
        }
    }

    fn begin(self, cx: &mut Cx<'_>) {
        match self {
            Called::Nobody => {}
            Called::Operation(operation) => cx.call_operators(operation),
            Called::Switch(switch) => Called::tell(switch, Order::DECIDE, cx),
        }
    }

    fn tell(switch: ComponentId, code: u16, cx: &mut Cx<'_>) {
        cx.control(switch, SimDuration::ZERO, Control::Order(Order::about(code, cx.me())));
    }
}

/// A value with three significant digits and its unit.
fn shown(unit: Unit, value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    match unit {
        Unit::Seconds => SimDuration::try_from_secs_f64(rounded)
            .map_or_else(String::new, |time| Duration(time).to_string()),
        Unit::Share => Share(rounded).to_string(),
        Unit::PerSecond => Rate(rounded).to_string(),
        Unit::Count | Unit::Usd => rounded.to_string(),
    }
}

impl Component for Monitor {
    fn start(&mut self, cx: &mut Cx<'_>) {
        let (alerts, reach) = (self.alerts.len(), self.reach);
        self.book = cx.open_ledger(|| Book::new(alerts, reach));
        for alert in &self.alerts {
            for place in &alert.asks {
                cx.export(self.members[*place], alert.rule.figure.needs_times());
            }
        }
        self.begin(cx);
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Alarm(Alarm { code: SCRAPE, about: About::Number(place) }) => self.ask(place, cx),
            Signal::Alarm(Alarm { code: EVALUATE, .. }) => self.evaluate(cx),
            Signal::Control(Control::Recover) => self.begin(cx),
            Signal::Control(Control::Crash | Control::Kill | Control::PowerOff | Control::Hang) => {
                let now = cx.now();
                cx.ledger(self.book).find(now, false);
            }
            _ => {}
        }
    }
}

/// Who watches a monitor from outside, and raises all its alerts when it is silent.
#[derive(Debug)]
struct Outside {
    absent: SimDuration,
    evaluate: SimDuration,
    calls: Vec<Called>,
    reach: SimDuration,
    book: LedgerId<Book>,
}

impl Outside {
    fn listen(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        let book = cx.ledger(self.book);
        let (beat, was_silent) = (book.beat, book.is_silent);
        let is_silent = now.since(beat) >= self.absent;
        book.is_silent = is_silent;
        let next = if is_silent { self.evaluate } else { self.absent - now.since(beat) };
        cx.alarm(next, LISTEN, About::Nothing);
        match (was_silent, is_silent) {
            (false, true) => {
                cx.ledger(self.book).find(now, true);
                cx.note_of(cx.me(), "fires: the monitor is silent".to_owned());
                for place in 0..self.calls.len() {
                    if !cx.ledger(self.book).fires(place) {
                        cx.ledger(self.book).fire(now, place);
                        self.calls[place].begin(cx);
                    }
                }
            }
            (true, false) => cx.note_of(cx.me(), "resolves: the monitor is back".to_owned()),
            _ => {}
        }
    }
}

impl Component for Outside {
    fn start(&mut self, cx: &mut Cx<'_>) {
        let (alerts, reach) = (self.calls.len(), self.reach);
        self.book = cx.open_ledger(|| Book::new(alerts, reach));
        cx.alarm(self.absent, LISTEN, About::Nothing);
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        if let Signal::Alarm(Alarm { code: LISTEN, .. }) = signal {
            self.listen(cx);
        }
    }
}
