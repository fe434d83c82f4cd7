//! Monitors that ask some of the boxes, and operators whom they call.

use outgrow::components::KINDS;
use outgrow::scenario::load;

use super::Generator;

/// Conditions on the answers of a box.
const ANSWERS: [&str; 6] = [
    "error_rate > 1%",
    "availability < 99%",
    "p99(response) > 20ms",
    "mean(response) > 5ms",
    "throughput < 50/s",
    "p50(response) >= 0ms",
];

impl Generator {
    /// Writes at the end a monitor of some boxes, and what an alert of it sets going, where the loader accepts them.
    pub(super) fn watch(&mut self) {
        let wanted = self.monitors.one_in(2);
        let names: Vec<String> = self.boxes.iter().map(|drawn| drawn.name.clone()).collect();
        let (on, name) = (self.monitors.pick(&ANSWERS), self.monitors.name(&names));
        let (lasts, merge) =
            (self.monitors.pick(&["0s", "500ms"]), self.monitors.pick(&["", "merge = \"average\"\n"]));
        let absent = self.monitors.pick(&["", "\nabsent = \"2s\""]);
        let of = if self.monitors.one_in(2) { format!("of = \"{name}\"\n") } else { String::new() };
        let (to, calls) = (self.monitors.whole(1, 6), self.monitors.one_in(2));
        let place = self.monitors.below(6) as usize;
        let region = match self.regions.get(place % self.regions.len().max(1)) {
            Some(region) => format!("\nregion = \"{region}\""),
            None => String::new(),
        };
        if !wanted || self.draft.timeless {
            return;
        }
        let alert = "[[monitor.watch.alert]]\nwindow = \"1s\"\n";
        let mut parts = vec![
            format!("[monitor.watch]\nscrape = \"250ms\"\nevaluate = \"200ms\"{absent}{region}\n"),
            format!("{alert}on = \"{on}\"\nfor = \"{lasts}\"\n{of}{merge}"),
            format!("{alert}on = \"{on}\"\nfor = \"{lasts}\"\n{of}"),
            format!("{alert}on = \"utilisation({name}) > 20%\"\n"),
            format!("{alert}on = \"queue_len({name}) > 1\"\n"),
        ];
        for name in names.iter().filter(|_| calls) {
            parts.push(format!(
                "[[operation]]\nname = \"more\"\nkind = \"scale\"\ntarget = \"{name}\"\nto = {to}\nafter = \"300ms\"\nstart = \"50ms\"\n\
                 boot = \"50ms\"\n{alert}on = \"queue_len({name}) >= 0\"\ncalls = \"more\"\n"
            ));
        }
        for part in parts {
            let whole = format!("{}{part}", self.text);
            if load("monitors.toml", &whole, &[], &self.trace, KINDS).is_ok() {
                self.text = whole;
            }
        }
    }
}
