//! The dark theme of charts: CSS rules that replace each colour of an SVG by one that suits a dark background.

use super::super::chart::colours;

/// The rules, for the style sheet of a page.
pub(super) fn dark_charts() -> String {
    let rule = |(light, dark): (u32, u32)| {
        format!(
            "  .chart [fill=\"#{light:06X}\"] {{ fill: #{dark:06X}; }}\n  .chart [stroke=\"#{light:06X}\"] {{ stroke: #{dark:06X}; }}\n"
        )
    };
    let rules: String = colours().into_iter().map(rule).collect();
    format!("@media screen and (prefers-color-scheme: dark) {{\n{rules}}}\n")
}
