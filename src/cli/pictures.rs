//! `--charts` and `--report`: charts and the HTML report.

use std::path::Path;

use super::output::{OutputFile, OutputFolder, claim_output, say};
use super::status::Failure;
use crate::report::chart::plot::Chart;

/// The outputs for charts and the report.
#[derive(Debug)]
pub(super) struct Pictures {
    charts: Option<OutputFolder>,
    page: Option<OutputFile>,
}

impl Pictures {
    /// Checks that both can be written, before hours are spent on their content.
    pub(super) fn prepare(charts: Option<&Path>, page: Option<&Path>) -> Result<Pictures, Failure> {
        [charts, page].into_iter().flatten().try_for_each(claim_output)?;
        Ok(Pictures {
            charts: charts.map(OutputFolder::prepare).transpose()?,
            page: page.map(OutputFile::prepare).transpose()?,
        })
    }

    /// Draws and writes the charts and the report, if asked for.
    pub(super) fn write(
        &self,
        charts: impl FnOnce() -> Vec<(String, Vec<u8>)>,
        page: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if let Some(folder) = &self.charts {
            folder.write(&charts())?;
            if cfg!(not(feature = "charts")) {
                say(
                    "this program was built without the feature `charts`: charts are written as SVG, not as PNG",
                );
            }
        }
        self.page.as_ref().map_or(Ok(()), |file| file.write(page()))
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
