//! The output file of a sweep's table, and its format.

use std::path::Path;

use serde_json::json;

use super::super::journal::Header;
use super::super::output::{OutputFile, claim_output};
use super::super::status::Failure;
use crate::report;
pub(super) use crate::report::table::Table;

/// A format of tables, from the extension of the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
    Parquet,
}

/// A file for a table.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) file: OutputFile,
    pub(super) format: Format,
}

impl Target {
    /// Checks that the file can be written, and that the program has its format.
    pub(super) fn prepare(path: &Path) -> Result<Target, Failure> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let format = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Format::Csv,
            Some("json") => Format::Json,
            Some("parquet") => Format::Parquet,
            _ => {
                let shown = path.display();
                let folder = match extension {
                    None => format!("; the folder of all parts would be `{shown}/`"),
                    Some(_) => String::new(),
                };
                return Err(Failure::usage(format!(
                    "`{shown}` does not say its format: name it .csv, .json or .parquet{folder}"
                )));
            }
        };
        if format == Format::Parquet && cfg!(not(feature = "parquet")) {
            return Err(Failure::usage(
                "this program was built without Parquet: --out FILE.csv, or build it with \
                 `cargo install --path . --features parquet`",
            ));
        }
        claim_output(path)?;
        Ok(Target { file: OutputFile::prepare(path)?, format })
    }
}

/// The content of the file: the table in this format.
pub(super) fn render(format: Format, header: &Header, table: &Table) -> Result<Vec<u8>, Failure> {
    match format {
        Format::Csv => Ok(table.csv().into_bytes()),
        Format::Json => {
            let plan = &header.plan;
            let scenario = json!({ "title": plan.title, "file": header.file, "sha256": plan.sha256 });
            let vary = plan.vary.iter().map(|(key, values)| json!({ "key": key, "values": values }));
            let vary = json!(vary.collect::<Vec<_>>());
            Ok(report::sweep::json(&scenario, &plan.version, &vary, table).into_bytes())
        }
        Format::Parquet => parquet(table),
    }
}

#[cfg(feature = "parquet")]
fn parquet(table: &Table) -> Result<Vec<u8>, Failure> {
    report::parquet::parquet(table).map_err(|error| Failure::failed(format!("no Parquet: {error}")))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &Table) -> Result<Vec<u8>, Failure> {
    unreachable!("a file of this format is refused before the sweep")
}
