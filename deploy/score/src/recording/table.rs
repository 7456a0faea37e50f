//! Reads the table of a recording, row by row: a header of channel ids, a time column, cells that may be empty.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use super::line::{reading, shorten, split};

/// Name of the time column, in seconds.
const TIME_COLUMN: &str = "t_s";

/// Longest line in bytes: some hundred columns; a longer one is no table.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Greatest time in seconds on either side of zero: wall clocks of this century fit.
const TIME_MAX_S: f64 = 1e10;

/// A row: its time and what was sampled.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Row {
    /// Time in nanoseconds, as written: zero is wherever the file has it.
    pub(crate) nanos: i128,
    /// Parameter and reading of each cell that is not empty.
    pub(crate) cells: Vec<(Parameter, Reading)>,
}

/// A table that is read.
#[derive(Debug)]
pub(crate) struct Table {
    path: PathBuf,
    reader: BufReader<File>,
    line: usize,
    bytes: Vec<u8>,
    cells: Vec<String>,
    delimiter: char,
    columns: Vec<Column>,
    last_nanos: Option<i128>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Time,
    Of(Parameter),
    Unknown,
}

impl Table {
    /// Opens a table and reads its header; `notices` takes what is ignored.
    pub(crate) fn open(path: &Path, notices: &mut Vec<String>) -> Result<Self> {
        let file = File::open(path)
            .with_context(|| format!("cannot read {}: check its permissions", path.display()))?;
        let mut table = Self {
            path: path.to_owned(),
            reader: BufReader::with_capacity(256 * 1024, file),
            line: 0,
            bytes: Vec::new(),
            cells: Vec::new(),
            delimiter: ',',
            columns: Vec::new(),
            last_nanos: None,
        };
        let Some(header) = table.next_line()? else {
            bail!(
                "{}: empty: write a header with {TIME_COLUMN} and channel ids, and rows below it",
                path.display()
            );
        };
        table.take_header(&header, notices)?;
        Ok(table)
    }

    /// The parameters that have a column, in the order of the columns.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = Parameter> {
        self.columns.iter().filter_map(|column| match column {
            Column::Of(parameter) => Some(*parameter),
            Column::Time | Column::Unknown => None,
        })
    }

    /// Reads the next row into `row`; `false` after the last one.
    pub(crate) fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        row.cells.clear();
        let Some(text) = self.next_line()? else { return Ok(false) };
        let mut cells = core::mem::take(&mut self.cells);
        let taken =
            split(&text, self.delimiter, &mut cells).and_then(|()| self.take_cells(&cells, row));
        self.cells = cells;
        // The line is used again.
        self.bytes = text.into_bytes();
        taken.map_err(|problem| self.wrong(&problem))?;
        Ok(true)
    }

    fn wrong(&self, problem: &str) -> anyhow::Error {
        anyhow!("{}:{}: {problem}", self.path.display(), self.line)
    }

    /// The next line that is neither empty nor a remark, without its end.
    fn next_line(&mut self) -> Result<Option<String>> {
        loop {
            let mut bytes = core::mem::take(&mut self.bytes);
            bytes.clear();
            let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
            let read = std::io::Read::take(&mut self.reader, limit)
                .read_until(b'\n', &mut bytes)
                .with_context(|| format!("cannot read {}", self.path.display()))?;
            self.line += 1;
            if read == 0 {
                return Ok(None);
            }
            if read >= LINE_BYTES_MAX {
                return Err(
                    self.wrong("the line is longer than 64 KiB: this is no table of samples")
                );
            }
            let mut text = String::from_utf8(bytes).map_err(|_not_text| {
                self.wrong("this is no UTF-8 text: save the table as UTF-8")
            })?;
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
            if self.line == 1 && text.starts_with('\u{feff}') {
                text.remove(0);
            }
            let is_remark = text.trim_start().starts_with('#');
            if text.trim().is_empty() || is_remark {
                self.bytes = text.into_bytes();
                continue;
            }
            return Ok(Some(text));
        }
    }

    fn take_header(&mut self, header: &str, notices: &mut Vec<String>) -> Result<()> {
        let has = |delimiter| header.contains(delimiter);
        self.delimiter = [',', ';', '\t'].into_iter().find(|one| has(*one)).unwrap_or(',');
        let mut names = Vec::new();
        split(header, self.delimiter, &mut names).map_err(|problem| self.wrong(&problem))?;
        let mut unknown = Vec::new();
        for name in &names {
            let id = name.to_ascii_lowercase();
            let column = match Parameter::from_id(&id) {
                Some(parameter) => Column::Of(parameter),
                None if id == TIME_COLUMN => Column::Time,
                None => Column::Unknown,
            };
            if column != Column::Unknown && self.columns.contains(&column) {
                return Err(self.wrong(&format!("column {id:?} stands twice: remove one")));
            }
            if column == Column::Unknown && !name.is_empty() {
                unknown.push(shorten(name));
            }
            self.columns.push(column);
        }
        if !self.columns.contains(&Column::Time) {
            return Err(self
                .wrong(&format!("no column {TIME_COLUMN}: add the time of each row in seconds")));
        }
        if self.parameters().next().is_none() {
            return Err(self.wrong(
                "no column is a channel id such as press.drain: see gateway/core/src/parameter.rs",
            ));
        }
        if !unknown.is_empty() {
            let list = unknown.join(", ");
            notices.push(format!(
                "{}: columns that are no channel ids are ignored: {list}",
                self.path.display()
            ));
        }
        Ok(())
    }

    fn take_cells(&mut self, cells: &[String], row: &mut Row) -> Result<(), String> {
        let surplus = cells.iter().skip(self.columns.len()).any(|cell| !cell.is_empty());
        if cells.len() < self.columns.len() || surplus {
            return Err(format!(
                "{} values for {} columns: write one value a column, empty where there is none",
                cells.len(),
                self.columns.len()
            ));
        }
        for (cell, column) in cells.iter().zip(&self.columns) {
            match column {
                Column::Time => row.nanos = nanos(cell)?,
                Column::Of(parameter) => {
                    let reading = reading(cell)
                        .map_err(|problem| format!("{}: {problem}", parameter.info().id))?;
                    row.cells.extend(reading.map(|reading| (*parameter, reading)));
                }
                Column::Unknown => {}
            }
        }
        if self.last_nanos.is_some_and(|last| row.nanos < last) {
            return Err(format!("{TIME_COLUMN} runs backwards: sort the rows by time"));
        }
        self.last_nanos = Some(row.nanos);
        Ok(())
    }
}

/// Nanoseconds of a time in seconds.
fn nanos(cell: &str) -> Result<i128, String> {
    let wrong =
        || format!("{TIME_COLUMN} {:?} is no time: write seconds as a number", shorten(cell));
    if let Some(nanos) = decimal_nanos(cell) {
        return Ok(nanos);
    }
    let seconds: f64 = cell.parse().map_err(|_no_number| wrong())?;
    nanos_of(seconds).ok_or_else(wrong)
}

/// Nanoseconds of a plain decimal number of seconds, digit by digit: a float cannot tell nanoseconds of a wall clock
/// apart. `None` for any other notation.
fn decimal_nanos(cell: &str) -> Option<i128> {
    let (sign, digits) = match cell.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, cell),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 10
        || fraction.len() > 9
        || !is_plain(whole)
        || !is_plain(fraction)
    {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    Some(sign * (whole * 1_000_000_000 + fraction))
}

/// Nanoseconds of seconds; `None` for what is no time.
pub(crate) fn nanos_of(seconds: f64) -> Option<i128> {
    if !(-TIME_MAX_S..=TIME_MAX_S).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "1e19 at most: i128 holds it")]
    let nanos = (seconds * 1e9).round() as i128;
    Some(nanos)
}
