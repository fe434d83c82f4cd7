//! A traced request as text, one line for each event.

use crate::model::trace::TraceLine;

/// The listing: time since the start of the trial, time since the line before, component, event.
#[must_use]
pub fn listing(lines: &[TraceLine]) -> String {
    let width = lines.iter().map(|line| line.component.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    let mut before = lines.first().map(|line| line.at);
    for line in lines {
        let passed = before.map_or(0.0, |before| line.at.since(before).as_millis_f64());
        let passed = if passed > 0.0 { format!("+{passed:.3} ms") } else { String::new() };
        let at = line.at.to_string();
        out.push_str(&format!("{at:>14} {passed:>14}  {:width$}  {}\n", line.component, line.text));
        before = Some(line.at);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimTime;

    #[test]
    fn each_line_says_when_where_and_what() {
        let line = |nanos: u64, component: &str, text: &str| TraceLine {
            at: SimTime::from_nanos(nanos),
            component: component.into(),
            text: text.into(),
        };
        let lines = [line(1_000_000_000, "users", "sends"), line(1_020_000_000, "box", "receives")];
        assert_eq!(
            listing(&lines),
            "     1.000000s                 users  sends\n     1.020000s     +20.000 ms  box    receives\n"
        );
        assert_eq!(listing(&[]), "");
    }
}
