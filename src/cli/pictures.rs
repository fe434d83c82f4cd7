//! `--charts` and `--report`: charts and the HTML report.

use std::path::Path;

use super::output::{OutputFile, OutputFolder, claim_output, say};
use super::play::page::{Opening, PAGE, inside};
use super::status::Failure;
use crate::report::chart::plot::Chart;

/// The outputs for charts and the report.
#[derive(Debug)]
pub(super) struct Pictures {
    charts: Option<OutputFolder>,
    page: Option<OutputFile>,
    /// Whether the report is to be without the playground.
    light: bool,
}

impl Pictures {
    /// Checks that both can be written, before hours are spent on their content.
    pub(super) fn prepare(
        charts: Option<&Path>,
        page: Option<&Path>,
        light: bool,
    ) -> Result<Pictures, Failure> {
        [charts, page].into_iter().flatten().try_for_each(claim_output)?;
        Ok(Pictures {
            charts: charts.map(OutputFolder::prepare).transpose()?,
            page: page.map(OutputFile::prepare).transpose()?,
            light,
        })
    }

    /// Draws and writes the charts and the report, if asked for. A program that has the playground puts it into the
    /// report, opened with the scenarios.
    pub(super) fn write(
        &self,
        charts: impl FnOnce() -> Vec<(String, Vec<u8>)>,
        page: impl FnOnce() -> String,
        opened: impl FnOnce() -> Result<Opening, Failure>,
    ) -> Result<(), Failure> {
        if let Some(folder) = &self.charts {
            folder.write(&charts())?;
            if cfg!(not(feature = "charts")) {
                say(
                    "this program was built without the feature `charts`: charts are written as SVG, not as PNG",
                );
            }
        }
        let Some(file) = &self.page else { return Ok(()) };
        let report = page();
        let Some(playground) = PAGE.filter(|_| !self.light) else { return file.write(report) };
        // A report is not lost because the playground cannot hold its scenario.
        match opened() {
            Ok(opening) => file.write(inside(report, playground, &opening)),
            Err(failure) => {
                say(&format!("the report is without the playground: {}", failure.text));
                file.write(report)
            }
        }
    }
}

/// Names and contents of the files of some charts; every name begins with `before`.
pub(super) fn files(before: &str, charts: &[Chart]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for chart in charts {
        let name = format!("{before}{}", chart.name);
        files.push((format!("{name}.svg"), chart.svg().into_bytes()));
        #[cfg(feature = "charts")]
        files.push((format!("{name}.png"), chart.png()));
    }
    files
}
