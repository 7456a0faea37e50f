//! Samples as one Parquet table: a row a sample, in the order of time.
//!
//! ```text
//! time        INT64, timestamp in nanoseconds, UTC      parameter, unit, code   text (code may be null)
//! value       FLOAT, null where there is none           validity                text: "valid", or why there is none
//! boot, index INT64 unsigned: identity of the sample    backfilled              boolean
//! ```
//!
//! What is true of the whole file stands in its metadata: `ecmo.subject`, `ecmo.from_ns`, `ecmo.to_ns`, `ecmo.parameters` and
//! `ecmo.gaps`, the last two as JSON.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use serde_json::json;

use crate::error::ExportError;
use crate::stretch::{About, Cell, Stretch, code_of, unit};

/// Rows of a group: what is in memory at once, some 50 MB.
pub const ROWS_MAX: usize = 500_000;

const SCHEMA: &str = "message samples {
    REQUIRED INT64 time (TIMESTAMP(NANOS, true));
    REQUIRED BYTE_ARRAY parameter (STRING);
    REQUIRED BYTE_ARRAY unit (STRING);
    OPTIONAL BYTE_ARRAY code (STRING);
    OPTIONAL FLOAT value;
    REQUIRED BYTE_ARRAY validity (STRING);
    REQUIRED INT64 boot (INTEGER(64, false));
    REQUIRED INT64 index (INTEGER(64, false));
    REQUIRED BOOLEAN backfilled;
}";

/// Rows that are not written yet, column by column.
#[derive(Debug, Default)]
struct Columns {
    time: Vec<i64>,
    parameter: Vec<ByteArray>,
    unit: Vec<ByteArray>,
    code: Vec<ByteArray>,
    has_code: Vec<i16>,
    value: Vec<f32>,
    has_value: Vec<i16>,
    validity: Vec<ByteArray>,
    boot: Vec<i64>,
    index: Vec<i64>,
    backfilled: Vec<bool>,
}

/// Writes one table.
pub struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Columns,
    names: BTreeMap<Arc<str>, Names>,
    words: BTreeMap<&'static str, ByteArray>,
    rows: u64,
}

/// What stands in each row of one parameter.
#[derive(Debug, Clone)]
struct Names {
    parameter: ByteArray,
    unit: ByteArray,
    code: Option<ByteArray>,
}

impl Names {
    fn new(parameter: &str) -> Self {
        Self {
            parameter: ByteArray::from(parameter),
            unit: ByteArray::from(unit(parameter)),
            code: code_of(parameter).map(ByteArray::from),
        }
    }
}

impl<W: Write + Send> Table<W> {
    /// Begins a table.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(out: W) -> Result<Self, ExportError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("ecmo-export".to_owned());
        // Each row has another time: a dictionary of them would be the column itself.
        for rising in ["time", "index"] {
            let column = ColumnPath::from(rising);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        Ok(Self {
            writer,
            columns: Columns::default(),
            names: BTreeMap::new(),
            words: BTreeMap::new(),
            rows: 0,
        })
    }

    /// Adds stretches that begin in one part of time: their samples are put in the order of time, and behind all that were added
    /// before.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, stretches: &[Stretch]) -> Result<(), ExportError> {
        let cells = stretches
            .iter()
            .flat_map(|of| (0..of.cells.len()).map(move |place| (of.at_ns(place), of, place)));
        let mut rows: Vec<(i64, &Stretch, usize)> = cells.collect();
        rows.sort_by(|(at, of, _), (other_at, other, _)| {
            (at, &of.parameter).cmp(&(other_at, &other.parameter))
        });
        for (at_ns, of, place) in rows {
            let Some(cell) = of.cells.get(place) else { continue };
            let known = self.names.entry(Arc::clone(&of.parameter));
            let names = known.or_insert_with_key(|id| Names::new(id));
            let word = self.words.entry(cell.validity);
            let word = word.or_insert_with_key(|word| ByteArray::from(*word));
            self.columns.put_names(names, word);
            self.columns.put_sample((at_ns, cell), of, place);
            if self.columns.time.len() >= ROWS_MAX {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let columns = std::mem::take(&mut self.columns);
        if columns.time.is_empty() {
            return Ok(());
        }
        self.rows += columns.time.len() as u64;
        let mut group = self.writer.next_row_group()?;
        put::<Int64Type>(&mut group, &columns.time, None)?;
        put::<ByteArrayType>(&mut group, &columns.parameter, None)?;
        put::<ByteArrayType>(&mut group, &columns.unit, None)?;
        put::<ByteArrayType>(&mut group, &columns.code, Some(&columns.has_code))?;
        put::<FloatType>(&mut group, &columns.value, Some(&columns.has_value))?;
        put::<ByteArrayType>(&mut group, &columns.validity, None)?;
        put::<Int64Type>(&mut group, &columns.boot, None)?;
        put::<Int64Type>(&mut group, &columns.index, None)?;
        put::<BoolType>(&mut group, &columns.backfilled, None)?;
        group.close()?;
        Ok(())
    }

    /// Ends the table with what is true of all of it; how many rows it has, and what it was written to.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self, about: &About) -> Result<(u64, W), ExportError> {
        self.flush()?;
        let parameters: Vec<_> = self
            .names
            .keys()
            .map(|id| json!({ "id": &**id, "unit": unit(id), "code": code_of(id) }))
            .collect();
        let gaps: Vec<_> = about
            .joined()
            .iter()
            .map(|one| json!({ "from_ns": one.from_ns, "to_ns": one.to_ns, "reason": one.reason }))
            .collect();
        let notes = [
            ("ecmo.subject", about.subject.clone()),
            ("ecmo.from_ns", about.from_ns.to_string()),
            ("ecmo.to_ns", about.to_ns.to_string()),
            ("ecmo.parameters", json!(parameters).to_string()),
            ("ecmo.gaps", json!(gaps).to_string()),
        ];
        for (key, value) in notes {
            self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        let rows = self.rows;
        Ok((rows, self.writer.into_inner()?))
    }
}

impl Columns {
    fn put_names(&mut self, names: &Names, validity: &ByteArray) {
        self.parameter.push(names.parameter.clone());
        self.unit.push(names.unit.clone());
        self.has_code.push(i16::from(names.code.is_some()));
        self.code.extend(names.code.clone());
        self.validity.push(validity.clone());
    }

    fn put_sample(&mut self, (at_ns, cell): (i64, &Cell), of: &Stretch, place: usize) {
        self.time.push(at_ns);
        self.has_value.push(i16::from(cell.value.is_some()));
        self.value.extend(cell.value);
        self.boot.push(of.boot.cast_signed());
        self.index.push(of.first_index.saturating_add(place as u64).cast_signed());
        self.backfilled.push(of.is_late);
    }
}

/// Writes the next column of a group; `has` says where an optional one has a value.
fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    has: Option<&[i16]>,
) -> Result<(), ExportError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, has, None)?;
    column.close()?;
    Ok(())
}
