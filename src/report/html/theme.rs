//! The colours of charts in a dark theme: rules that replace each colour that an SVG has by one for dark paper.

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
