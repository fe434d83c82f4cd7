//! `Table`: rows of named cells, written as CSV that any reader takes without options.
//!
//! Column names contain the unit, numbers are plain, and a field is empty if nothing was measured. Text is UTF-8, lines
//! end with LF. Reading a table back loses nothing: each number has as many digits as it takes to tell it apart.

use serde_json::{Map, Value};

/// One row: cells by column name, in order. A cell is text, a number, a boolean, or `null`.
pub type Row = Map<String, Value>;

/// Rows that share columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Row>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(columns: &[&str]) -> Table {
        Table { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// Appends a row. New columns are added after the known ones and are empty in earlier rows.
    pub fn push(&mut self, row: Row) {
        for (at, name) in row.keys().enumerate() {
            // A shortcut: most rows have the same columns as the row before, in the same places.
            if self.columns.get(at) != Some(name) && !self.columns.contains(name) {
                self.columns.push(name.clone());
            }
        }
        self.rows.push(row);
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows. A cell that a row lacks is empty.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The table as CSV with a header.
    ///
    /// # Panics
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns).expect("memory takes all");
        for row in &self.rows {
            let fields = self.columns.iter().map(|name| field(row.get(name)));
            writer.write_record(fields).expect("every record has a field a column");
        }
        let bytes = writer.into_inner().expect("memory takes all");
        String::from_utf8(bytes).expect("text and numbers are UTF-8")
    }
}

fn field(cell: Option<&Value>) -> String {
    match cell {
        None | Some(Value::Null) => String::new(),
        // Spreadsheets take such a text for a formula.
        Some(Value::String(text)) if text.starts_with(['=', '+', '@', '-']) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        // Both pandas and R read capital letters as a boolean.
        Some(&Value::Bool(flag)) => if flag { "TRUE" } else { "FALSE" }.to_owned(),
        Some(other) => other.to_string(),
    }
}

/// Writes a part of a result into a row. A figure becomes its mean and the ends of its 95 % interval: `NAME`,
/// `NAME_low` and `NAME_high`. An object becomes the columns of its parts, `NAME_PART`. A list is left out.
pub fn flatten(name: &str, part: &Value, row: &mut Row) {
    match part {
        Value::Object(parts) if parts.contains_key("trials") => figure(name, parts, row),
        Value::Object(parts) => {
            for (key, part) in parts {
                let name = if name.is_empty() { key.clone() } else { format!("{name}_{key}") };
                flatten(&name, part, row);
            }
        }
        Value::Array(_) => {}
        single => {
            row.insert(name.to_owned(), single.clone());
        }
    }
}

fn figure(name: &str, figure: &Map<String, Value>, row: &mut Row) {
    let number = |key: &str| figure.get(key).and_then(Value::as_f64);
    let (mean, half_width) = (number("mean"), number("half_width"));
    let end = |key: &str, sign: f64| number(key).or_else(|| Some(mean? + sign * half_width?));
    row.insert(name.to_owned(), mean.into());
    row.insert(format!("{name}_low"), end("low", -1.0).into());
    row.insert(format!("{name}_high"), end("high", 1.0).into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: Value) -> Row {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn rows_may_lack_columns_and_bring_new_ones() {
        let mut table = Table::new(&["a"]);
        assert_eq!(table.csv(), "a\n");
        table.push(row(json!({ "a": 1, "b": 0.1 })));
        table.push(row(json!({ "b": null, "c": "x, \"y\"\n", "a": 5.0 })));
        table.push(row(json!({ "c": true })));
        assert_eq!(table.csv(), "a,b,c\n1,0.1,\n5.0,,\"x, \"\"y\"\"\n\"\n,,TRUE\n");
    }

    #[test]
    fn figures_have_an_interval_and_parts_a_longer_name() {
        let mut cells = Row::new();
        let part = json!({
            "rate_rps": { "mean": 10.0, "half_width": 2.0, "trials": [8.0, 12.0] },
            "response_ms": { "p99": { "mean": 7.0, "half_width": 2.0, "low": 6.0, "high": 10.0, "trials": [] } },
            "lost": { "mean": null, "half_width": null, "trials": [null] },
            "kind": "server",
            "list": [1],
        });
        flatten("", &part, &mut cells);
        let expected = json!({
            "rate_rps": 10.0, "rate_rps_low": 8.0, "rate_rps_high": 12.0,
            "response_ms_p99": 7.0, "response_ms_p99_low": 6.0, "response_ms_p99_high": 10.0,
            "lost": null, "lost_low": null, "lost_high": null,
            "kind": "server",
        });
        assert_eq!(Value::Object(cells), expected);
    }
}
