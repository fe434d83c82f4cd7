//! Writes a table as Parquet; only built with the feature `parquet`. Each column holds text, integers, numbers or
//! booleans, and any cell may be empty.

use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use serde_json::Value;

use super::table::Table;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flag,
    Whole,
    Number,
    Text,
}

/// The content of a Parquet file with this table.
///
/// # Errors
/// What the format cannot store, for example a table without columns.
pub fn parquet(table: &Table) -> Result<Vec<u8>> {
    let kinds: Vec<Kind> = table.columns().iter().map(|name| kind(table, name)).collect();
    let fields: Result<Vec<TypePtr>> =
        table.columns().iter().zip(&kinds).map(|(name, kind)| field(name, *kind)).collect();
    let schema = Arc::new(Type::group_type_builder("sweep").with_fields(fields?).build()?);
    // No date and no machine name goes into the file, so that the same table always gives the same bytes.
    let properties = Arc::new(WriterProperties::builder().set_created_by("outgrow".into()).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut rows = writer.next_row_group()?;
    for (name, kind) in table.columns().iter().zip(kinds) {
        let cells: Vec<&Value> =
            table.rows().iter().map(|row| row.get(name).unwrap_or(&Value::Null)).collect();
        match kind {
            Kind::Flag => column::<BoolType>(&mut rows, &cells, |cell| cell.as_bool())?,
            Kind::Whole => column::<Int64Type>(&mut rows, &cells, |cell| cell.as_i64())?,
            Kind::Number => column::<DoubleType>(&mut rows, &cells, |cell| cell.as_f64())?,
            Kind::Text => column::<ByteArrayType>(&mut rows, &cells, |cell| Some(text(cell)))?,
        }
    }
    rows.close()?;
    writer.into_inner()
}

/// The narrowest type that holds all cells of a column; `Number` if all are empty.
fn kind(table: &Table, name: &str) -> Kind {
    let cells = table.rows().iter().filter_map(|row| row.get(name)).filter(|cell| !cell.is_null());
    let kinds = cells.map(|cell| match cell {
        Value::Bool(_) => Kind::Flag,
        Value::Number(number) if number.is_i64() => Kind::Whole,
        // A seed may exceed the integers that Parquet readers support, and a rounded seed is useless. Store it as text.
        Value::Number(number) if number.is_u64() => Kind::Text,
        Value::Number(_) => Kind::Number,
        _ => Kind::Text,
    });
    let wider = |one: Kind, other: Kind| match (one, other) {
        _ if one == other => one,
        (Kind::Whole, Kind::Number) | (Kind::Number, Kind::Whole) => Kind::Number,
        _ => Kind::Text,
    };
    kinds.reduce(wider).unwrap_or(Kind::Number)
}

fn field(name: &str, kind: Kind) -> Result<TypePtr> {
    let (physical, converted) = match kind {
        Kind::Flag => (PhysicalType::BOOLEAN, ConvertedType::NONE),
        Kind::Whole => (PhysicalType::INT64, ConvertedType::NONE),
        Kind::Number => (PhysicalType::DOUBLE, ConvertedType::NONE),
        Kind::Text => (PhysicalType::BYTE_ARRAY, ConvertedType::UTF8),
    };
    let field = Type::primitive_type_builder(name, physical)
        .with_converted_type(converted)
        .with_repetition(Repetition::OPTIONAL)
        .build()?;
    Ok(Arc::new(field))
}

fn text(cell: &Value) -> ByteArray {
    match cell {
        Value::String(text) => text.as_str().into(),
        other => other.to_string().as_str().into(),
    }
}

/// Writes the next column: the values that exist, and for each row whether it has one.
fn column<T: DataType>(
    rows: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    cells: &[&Value],
    read: impl Fn(&Value) -> Option<T::T>,
) -> Result<()> {
    let there: Vec<Option<T::T>> =
        cells.iter().map(|cell| if cell.is_null() { None } else { read(cell) }).collect();
    let levels: Vec<i16> = there.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = there.into_iter().flatten().collect();
    let mut column = rows.next_column()?.expect("the schema has as many columns as the table");
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut table = Table::new(&["point"]);
        for row in [
            json!({ "point": 0, "users.rate": "50/s", "p99": null, "ok": true, "mixed": 1 }),
            json!({ "point": 1, "users.rate": "80/s", "p99": 0.1, "mixed": "x", "whole": 1 }),
            json!({ "point": 2, "users.rate": "90/s", "p99": 3.0, "whole": 2.5 }),
        ] {
            table.push(row.as_object().unwrap().clone());
        }
        let bytes = parquet(&table).unwrap();
        assert_eq!(bytes, parquet(&table).unwrap());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let rows: Vec<Vec<Field>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().into_columns().into_iter().map(|(_, field)| field).collect())
            .collect();
        let text = |text: &str| Field::Str(text.into());
        assert_eq!(rows[0][..4], [Field::Long(0), text("50/s"), Field::Null, Field::Bool(true)]);
        assert_eq!(rows[1][2..5], [Field::Double(0.1), Field::Null, text("x")]);
        assert_eq!(rows[2][4..], [Field::Null, Field::Double(2.5)]);
        let names: Vec<String> = reader
            .get_row_iter(None)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .into_columns()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, table.columns());
    }
}
