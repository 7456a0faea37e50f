//! Reads a recording: CSV with a header of parameter ids, an optional time column, remarks, and gaps that stay gaps.

use core::time::Duration;
use std::path::{Path, PathBuf};

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;

use super::table::{self, TIME_COLUMN};

/// Longest recording, in bytes: a day of one 125 Hz channel.
const FILE_BYTES_MAX: u64 = 96 * 1024 * 1024;

/// Most digits behind the point that are kept.
const DECIMALS_MAX: u32 = 6;

/// Greatest time of a recording: a year, in nanoseconds.
const TIME_MAX_NANOS: u64 = 31_536_000 * 1_000_000_000;

/// A recording, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The columns.
    pub columns: Vec<Column>,
    /// Time of each row after the first one; `None`: the rows have no times of their own.
    pub times: Option<Vec<Duration>>,
    /// The readings, row by row; `None` where a cell is empty.
    values: Vec<Option<Reading>>,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What was measured.
    pub parameter: Parameter,
    /// Most digits behind the point in the file.
    pub decimals: u32,
}

/// Why a recording is refused.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("cannot read the recording {}: check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is too long.
    #[error("{}: {bytes} bytes, at most {FILE_BYTES_MAX} are read: cut the recording", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// A line is wrong.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong and what to do.
        problem: Problem,
    },
    /// There is nothing to play.
    #[error("{}: no samples: add at least two lines of values below the header", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The rate is missing or given twice.
    #[error("{}: {problem}", path.display())]
    Rate {
        /// The file.
        path: PathBuf,
        /// What to do.
        problem: &'static str,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A column of the header is no parameter.
    #[error(
        "column {0:?} is no parameter id: use ids such as press.drain (gateway/core/src/parameter.rs)"
    )]
    UnknownColumn(String),
    /// A column stands twice.
    #[error("column {0:?} stands twice: remove one")]
    RepeatedColumn(String),
    /// The header names no parameter.
    #[error("the header names no parameter: add one column at least")]
    NoColumn,
    /// Too few or too many values.
    #[error(
        "{found} values for {expected} columns: write one value a column, empty where there is none"
    )]
    Width {
        /// Values in the line.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// Something that is no number.
    #[error("{0:?} is no number: write a number, nan for no measurement, or nothing")]
    Number(String),
    /// A time that is missing, runs backwards or is absurd.
    #[error(
        "time {0:?} is not after the one before: sort the lines; times are seconds, 0 to 31536000"
    )]
    Time(String),
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// Unreadable, too long, empty, or a line that is wrong: with file, line and what to do.
    pub fn load(path: &Path) -> Result<Self, RecordingError> {
        let read = |source| RecordingError::Read { path: path.to_owned(), source };
        let bytes = std::fs::metadata(path).map_err(read)?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(RecordingError::TooLong { path: path.to_owned(), bytes });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(read)?, path)
    }

    /// Reads the text of a recording; `path` stands in errors.
    ///
    /// # Errors
    /// Empty, or a line that is wrong: with file, line and what to do.
    pub fn parse(text: &str, path: &Path) -> Result<Self, RecordingError> {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.starts_with('#'));
        let wrong = |line, problem| RecordingError::Line { path: path.to_owned(), line, problem };
        let empty = || RecordingError::Empty { path: path.to_owned() };

        let (number, header) = lines.find(|(_, line)| !line.is_empty()).ok_or_else(empty)?;
        let mut rows = Rows::of_header(header).map_err(|problem| wrong(number, problem))?;
        // An empty line is a gap where there is one column, and a slip at the end of the file.
        let end = text.trim_end().lines().count();
        for (number, line) in lines.take_while(|(number, _)| *number <= end) {
            rows.add(line).map_err(|problem| wrong(number, problem))?;
        }
        let recording = rows.finish();
        if recording.len() < 2 {
            return Err(empty());
        }
        Ok(recording)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.columns.len().max(1)
    }

    /// Whether there is no row; never true for a recording that was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The readings of a row, in the order of the columns; `None` after the last row.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<&[Option<Reading>]> {
        self.values.chunks_exact(self.columns.len().max(1)).nth(index)
    }
}

/// Rows as they are read.
struct Rows {
    columns: Vec<Column>,
    times: Option<Vec<Duration>>,
    first_nanos: Option<u64>,
    last_nanos: Option<u64>,
    values: Vec<Option<Reading>>,
}

impl Rows {
    fn of_header(header: &str) -> Result<Self, Problem> {
        let mut names = header.split(',').map(str::trim).peekable();
        let has_times = names.next_if_eq(&TIME_COLUMN).is_some();
        let mut columns = Vec::<Column>::new();
        for name in names {
            let parameter = Parameter::from_id(name)
                .ok_or_else(|| Problem::UnknownColumn(name.chars().take(64).collect()))?;
            if columns.iter().any(|column| column.parameter == parameter) {
                return Err(Problem::RepeatedColumn(name.to_owned()));
            }
            columns.push(Column { parameter, decimals: 0 });
        }
        if columns.is_empty() {
            return Err(Problem::NoColumn);
        }
        let times = has_times.then(Vec::new);
        Ok(Self { columns, times, first_nanos: None, last_nanos: None, values: Vec::new() })
    }

    fn add(&mut self, line: &str) -> Result<(), Problem> {
        let expected = self.columns.len() + usize::from(self.times.is_some());
        let found = line.split(',').count();
        if found != expected {
            return Err(Problem::Width { found, expected });
        }
        let mut cells = line.split(',').map(str::trim);
        if let Some(times) = &mut self.times {
            let cell = cells.next().unwrap_or_default();
            let wrong = || Problem::Time(cell.chars().take(64).collect());
            let time = table::nanos(cell).ok_or_else(wrong)?;
            let is_later = self.last_nanos.is_none_or(|last| time > last);
            if time > TIME_MAX_NANOS || !is_later {
                return Err(wrong());
            }
            self.last_nanos = Some(time);
            let first = *self.first_nanos.get_or_insert(time);
            times.push(Duration::from_nanos(time - first));
        }
        for (cell, column) in cells.zip(&mut self.columns) {
            self.values.push(value(cell)?);
            column.decimals = column.decimals.max(decimals(cell));
        }
        Ok(())
    }

    fn finish(self) -> Recording {
        Recording { columns: self.columns, times: self.times, values: self.values }
    }
}

/// The reading of a cell; `None` for an empty one.
fn value(cell: &str) -> Result<Option<Reading>, Problem> {
    let wrong = || Problem::Number(cell.chars().take(64).collect());
    table::cell(cell).map(table::Cell::reading).ok_or_else(wrong)
}

/// Digits behind the point of a cell.
fn decimals(cell: &str) -> u32 {
    if cell.contains(['e', 'E']) {
        return DECIMALS_MAX;
    }
    let number = cell.trim_end_matches(table::DOUBT);
    let digits = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    u32::try_from(digits).unwrap_or(DECIMALS_MAX).min(DECIMALS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::reading::NoData;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Recording, String> {
        Recording::parse(text, Path::new("r.csv")).map_err(|error| error.to_string())
    }

    #[test]
    fn remarks_times_and_gaps_are_read() {
        let text = "# made up\nt_s, pt.abp,flow.blood\n# in between\n1.5,70.25,\n2.0,nan,350\n\n";
        let recording = read(text).unwrap();
        let ids: Vec<_> = recording
            .columns
            .iter()
            .map(|column| (column.parameter.info().id, column.decimals))
            .collect();
        assert_eq!(ids, [("pt.abp", 2), ("flow.blood", 0)]);
        assert_eq!(recording.times, Some(vec![Duration::ZERO, Duration::from_millis(500)]));
        let value = |value| Some(Reading::Value(value));
        let gap = Some(Reading::NoData(NoData::NotMeasured));
        assert_eq!(recording.row(0), Some(&[value(70.25), None][..]));
        assert_eq!(recording.row(1), Some(&[gap, value(350.0)][..]));
        assert_eq!(recording.row(2), None);
    }

    #[test]
    fn an_empty_line_between_values_is_a_gap_of_a_single_column() {
        let recording = read("pt.abp\n70\n\n71\n").unwrap();
        assert_eq!(recording.len(), 3);
        assert_eq!(recording.row(1), Some(&[None][..]));
    }

    #[test]
    fn a_wrong_line_is_refused_with_its_number_and_what_to_do() {
        for (text, words) in [
            ("pt.abx\n1\n2\n", "r.csv:1: column \"pt.abx\" is no parameter id: use ids"),
            ("pt.abp,pt.abp\n1,2\n", "r.csv:1: column \"pt.abp\" stands twice"),
            ("t_s\n1\n2\n", "r.csv:1: the header names no parameter"),
            ("# a\npt.abp\n1\n2,3\n", "r.csv:4: 2 values for 1 columns"),
            ("pt.abp\n1\nx\n", "r.csv:3: \"x\" is no number: write"),
            ("pt.abp\n1\ninfinity\n", "r.csv:3: \"infinity\" is no number"),
            ("pt.abp\n1\n1e39\n", "r.csv:3: \"1e39\" is no number"),
            ("t_s,pt.abp\n1,2\n1,3\n", "r.csv:3: time \"1\" is not after"),
            ("t_s,pt.abp\n1,2\nnan,3\n", "r.csv:3: time \"nan\""),
            ("t_s,pt.abp\n-1,2\n", "r.csv:2: time \"-1\""),
            ("t_s,pt.abp\n1e300,2\n", "r.csv:2: time \"1e300\""),
            ("", "r.csv: no samples"),
            ("pt.abp\n1\n", "r.csv: no samples"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_file_that_is_missing_or_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone.csv");
        assert!(Recording::load(&path).unwrap_err().to_string().contains("gone.csv"));
        std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
        assert!(Recording::load(&path).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_without_panic(text in "(t_s,)?(pt.abp|flow.blood)?(\n|[0-9.,#-]|.)*") {
            if let Ok(recording) = read(&text) {
                prop_assert!(recording.len() >= 2);
            }
        }

        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec((-900i32..9000, 0i32..3000), 2..50)) {
            let mut text = "pt.abp,flow.blood\n".to_owned();
            for (pressure, flow) in &rows {
                text += &format!("{}.{:02},{flow}\n", pressure / 100, (pressure % 100).abs());
            }
            let recording = read(&text).unwrap();
            prop_assert_eq!(recording.len(), rows.len());
            for (index, (_, flow)) in rows.iter().enumerate() {
                let row = recording.row(index).unwrap();
                #[expect(clippy::cast_precision_loss, reason = "below 2 to the 24")]
                let expected = *flow as f32;
                prop_assert_eq!(row[1], Some(Reading::Value(expected)));
            }
        }
    }
}
