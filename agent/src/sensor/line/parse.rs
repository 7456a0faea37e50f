//! Lines of samples: CSV below a header, or one JSON object a line; what is neither is refused with the reason. Pure.

use super::super::table::{Cell, TIME_COLUMN, cell, nanos};
use crate::config::LineChannel;

/// Longest line that is kept, in bytes: 64 channels with names and digits to spare.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// Reads the lines of one connection.
#[derive(Debug)]
pub struct Parser {
    /// Names of the channels' columns.
    names: Vec<String>,
    /// Columns as the settings name them, for streams without a header.
    fixed: Option<Vec<Column>>,
    columns: Option<Vec<Column>>,
    /// The next line may be the second half of one, and no header shows that it is whole.
    is_torn: bool,
}

/// What a column of the stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Time,
    Channel(usize),
    Unknown,
}

/// One line of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line's own time, in nanoseconds from wherever its clock starts.
    pub nanos: Option<u64>,
    /// What stands in each channel's cell; `None`: the stream has no such column.
    pub cells: Vec<Option<Cell>>,
}

/// Why a line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No text.
    #[error("no UTF-8 text")]
    NoText,
    /// A row without a header.
    #[error(
        "no header came before: send one, or name the columns in the settings (header = [...])"
    )]
    NoHeader,
    /// The first line of a stream that was joined.
    #[error("the first line of a stream may be torn")]
    Torn,
    /// Too few or too many cells.
    #[error("not as many cells as the header has")]
    Width,
    /// A cell that is neither number nor word.
    #[error("a cell is neither a number nor a word for none")]
    Cell,
    /// A time that is none.
    #[error("t_s is no time in seconds")]
    Time,
    /// A header that repeats a column or has no channel.
    #[error("the header repeats a column or names no channel of the settings")]
    Header,
    /// No object of JSON.
    #[error("no JSON object of numbers")]
    Json,
}

impl Parser {
    /// For the channels of a source.
    #[must_use]
    pub fn new(channels: &[LineChannel], header: Option<&[String]>) -> Self {
        let names: Vec<_> = channels.iter().map(|channel| channel.column.clone()).collect();
        let mut parser = Self { names, fixed: None, columns: None, is_torn: false };
        parser.fixed = header.map(|header| header.iter().map(|name| parser.column(name)).collect());
        parser.begin();
        parser
    }

    /// Forgets what an earlier connection said.
    pub fn begin(&mut self) {
        self.columns.clone_from(&self.fixed);
        self.is_torn = self.fixed.is_some();
    }

    /// Reads a line; `Ok(None)` for a header, a remark or an empty line.
    ///
    /// # Errors
    /// A line that is none of these.
    pub fn line(&mut self, bytes: &[u8]) -> Result<Option<Row>, Problem> {
        let text = core::str::from_utf8(bytes).map_err(|_no_text| Problem::NoText)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(None);
        }
        if text.starts_with('{') {
            return self.object(text).map(Some);
        }
        if self.is_header(text) {
            return self.header(text).map(|()| None);
        }
        if core::mem::take(&mut self.is_torn) {
            return Err(Problem::Torn);
        }
        self.row(text).map(Some)
    }

    fn column(&self, name: &str) -> Column {
        match self.names.iter().position(|known| known == name) {
            Some(channel) => Column::Channel(channel),
            None if name == TIME_COLUMN => Column::Time,
            None => Column::Unknown,
        }
    }

    /// A line with the name of a column is a header: no cell of a row can be one.
    fn is_header(&self, text: &str) -> bool {
        text.split(',').any(|name| self.column(name.trim()) != Column::Unknown)
    }

    fn header(&mut self, text: &str) -> Result<(), Problem> {
        self.is_torn = false;
        // The rows that follow belong to this header, right or wrong, and never to the one before.
        self.columns = None;
        let columns: Vec<_> = text.split(',').map(|name| self.column(name.trim())).collect();
        let is_repeated = |(index, column): (usize, &Column)| {
            *column != Column::Unknown
                && columns.iter().skip(index + 1).any(|other| other == column)
        };
        let has_channel = columns.iter().any(|column| matches!(column, Column::Channel(_)));
        if !has_channel || columns.iter().enumerate().any(is_repeated) {
            return Err(Problem::Header);
        }
        self.columns = Some(columns);
        Ok(())
    }

    fn row(&self, text: &str) -> Result<Row, Problem> {
        let columns = self.columns.as_ref().ok_or(Problem::NoHeader)?;
        if text.split(',').count() != columns.len() {
            return Err(Problem::Width);
        }
        let mut row = Row { nanos: None, cells: vec![None; self.names.len()] };
        for (text, column) in text.split(',').zip(columns) {
            match column {
                Column::Time => row.nanos = Some(nanos(text).ok_or(Problem::Time)?),
                Column::Channel(channel) => {
                    if let Some(slot) = row.cells.get_mut(*channel) {
                        *slot = Some(cell(text).ok_or(Problem::Cell)?);
                    }
                }
                Column::Unknown => {}
            }
        }
        Ok(row)
    }

    fn object(&self, text: &str) -> Result<Row, Problem> {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|_no_object| Problem::Json)?;
        let mut row = Row { nanos: None, cells: vec![None; self.names.len()] };
        for (name, value) in &object {
            // As text, so that one parser reads the cells of both forms.
            let text = match value {
                serde_json::Value::Null => "null".to_owned(),
                serde_json::Value::Bool(state) => state.to_string(),
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Array(_) | serde_json::Value::Object(_) => String::from("["),
            };
            match self.column(name) {
                Column::Time => row.nanos = Some(nanos(&text).ok_or(Problem::Time)?),
                Column::Channel(channel) => {
                    if let Some(slot) = row.cells.get_mut(channel) {
                        *slot = Some(cell(&text).ok_or(Problem::Cell)?);
                    }
                }
                Column::Unknown => {}
            }
        }
        if row.cells.iter().all(Option::is_none) { Err(Problem::Json) } else { Ok(row) }
    }
}

/// Cuts bytes into lines with bounded memory.
#[derive(Debug, Default)]
pub struct Splitter {
    line: Vec<u8>,
    is_overlong: bool,
}

impl Splitter {
    /// Takes bytes up to the end of a line. Returns how many were taken, and whether a line is whole.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        if self.line.len() + text.len() > LINE_BYTES_MAX {
            self.is_overlong = true;
            self.line.clear();
        } else if !self.is_overlong {
            self.line.extend_from_slice(text);
        }
        (end.map_or(bytes.len(), |end| end + 1), end.is_some())
    }

    /// The whole line, and the next one begins; `None` when it was too long.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let line = core::mem::take(&mut self.line);
        (!core::mem::take(&mut self.is_overlong)).then_some(line)
    }

    /// Forgets half a line.
    pub fn begin(&mut self) {
        self.line.clear();
        self.is_overlong = false;
    }
}
