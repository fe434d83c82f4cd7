//! What a switch counts and measures.

use crate::model::gauge::{Gauge, GaugeId};
use crate::model::switching;

/// The figures of a switch. The times are those of switches that were made: they begin with the loss of the site.
pub const GAUGES: &[Gauge] = &[
    Gauge::count(switching::MADE, "Times that the other site took over."),
    Gauge::time(switching::TOOK, "Time from the loss of a site until the other one has taken over.")
        .less_is_better(),
    Gauge::time(switching::NOTICED, "Time from the loss of a site until the decision for the switch began.")
        .less_is_better(),
    Gauge::time(switching::DECIDED, "Time from then until it was taken, pauses included.").less_is_better(),
    Gauge::time(switching::BOOT, "Time for which the steps of a switch waited for machines.")
        .less_is_better(),
    Gauge::time(switching::STEPS[0], "Time that the step \"db\" took.").less_is_better(),
    Gauge::time(switching::STEPS[1], "Time that the step \"dns\" took.").less_is_better(),
    Gauge::time(switching::PAUSED, "Time of a switch in which something that it needs was not there.")
        .less_is_better(),
    Gauge::count(switching::PAUSES, "Times that a decision or a step could not go on.").less_is_better(),
    Gauge::count("called_off", "Decisions that were called off."),
];

pub(super) const SWITCHES: GaugeId = GaugeId::of(switching::MADE, GAUGES);
pub(super) const SWITCH: GaugeId = GaugeId::of(switching::TOOK, GAUGES);
pub(super) const NOTICED: GaugeId = GaugeId::of(switching::NOTICED, GAUGES);
pub(super) const DECIDED: GaugeId = GaugeId::of(switching::DECIDED, GAUGES);
pub(super) const BOOT: GaugeId = GaugeId::of(switching::BOOT, GAUGES);
/// Of each step, by its place.
pub(super) const STEPS: [GaugeId; 2] =
    [GaugeId::of(switching::STEPS[0], GAUGES), GaugeId::of(switching::STEPS[1], GAUGES)];
pub(super) const PAUSED: GaugeId = GaugeId::of(switching::PAUSED, GAUGES);
pub(super) const PAUSES: GaugeId = GaugeId::of(switching::PAUSES, GAUGES);
pub(super) const CALLED_OFF: GaugeId = GaugeId::of("called_off", GAUGES);
