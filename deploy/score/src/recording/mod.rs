//! Recordings that were made elsewhere: a folder of tables with what is known of each, read as sources of samples.

mod line;

mod table;

mod spacing;

mod facts;

use core::time::Duration;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ecmo_core::channel::ChannelSpec;
use ecmo_core::parameter::Parameter;

use crate::sealing::{FRAME, TICK};
use crate::source::{Sample, Source, Subject};
use crate::truth::Truth;
use facts::Fault;
use spacing::Spacing;
use table::{Row, Table};

/// Longest recording by its own time; a longer one has its times in another unit than seconds.
const LENGTH_MAX: Duration = Duration::from_secs(31_536_000);

/// A recording, read once from end to end and found to be in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Name of its files without the ending.
    pub name: String,
    /// What the rules are told.
    pub subject: Subject,
    /// What is true of it; `None` for a harmless run.
    pub truth: Option<Truth>,
    /// What its own time is at the start of the run, in nanoseconds.
    origin_nanos: i128,
    table: PathBuf,
    specs: Vec<ChannelSpec>,
}

/// Reads a folder of recordings, in the order of their names; `notices` takes what is ignored or missing.
///
/// # Errors
/// No recording, a table without description or the other way round, or one that is wrong: with file, line and what to do.
pub fn load_folder(folder: &Path, notices: &mut Vec<String>) -> Result<Vec<Recording>> {
    let (tables, facts) = (files(folder, "csv")?, files(folder, "json")?);
    if tables.is_empty() && facts.is_empty() {
        bail!("{}: no recording: put NAME.csv and NAME.json there for each run", folder.display());
    }
    for (one, others, other) in [(&tables, &facts, "json"), (&facts, &tables, "csv")] {
        let lone = one
            .iter()
            .find(|path| others.iter().all(|other| other.file_stem() != path.file_stem()));
        if let Some(lone) = lone {
            bail!("{}: there is no .{other} of the same name beside it: add it", lone.display());
        }
    }
    tables.iter().zip(&facts).map(|(table, facts)| Recording::load(table, facts, notices)).collect()
}

/// The files of a folder with an ending, by name.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path =
            entry.with_context(|| format!("cannot read the folder {}", folder.display()))?.path();
        let has_ending = path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        let is_hidden =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if has_ending && !is_hidden && path.is_file() {
            found.push(path);
        }
    }
    found.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    let twice =
        found.windows(2).find(|pair| matches!(pair, [a, b] if a.file_stem() == b.file_stem()));
    if let Some([_, twice]) = twice {
        bail!(
            "{}: two files of this name that differ in the ending's case: remove one",
            twice.display()
        );
    }
    Ok(found)
}

impl Recording {
    /// Reads a table from end to end, and what is known of it.
    ///
    /// # Errors
    /// A file that is wrong: with its name, the line and what to do.
    pub fn load(table: &Path, facts: &Path, notices: &mut Vec<String>) -> Result<Self> {
        let known = facts::load(facts, notices)?;
        let (specs, first, last) = survey(table, notices)?;
        // The grid of frames lies on whole multiples of their period, so that a run that was written down and read
        // again is cut into the same frames.
        let origin_nanos = first - first.rem_euclid(nanos(FRAME));
        if last - first > nanos(LENGTH_MAX) {
            bail!("{}: longer than a year: t_s must be in seconds", table.display());
        }
        let truth =
            known.fault.map(|fault| truth(fault, first, last, origin_nanos, facts)).transpose()?;
        let stem = table.file_stem().unwrap_or(table.as_os_str());
        Ok(Self {
            name: stem.to_string_lossy().into_owned(),
            subject: known.subject,
            truth,
            origin_nanos,
            table: table.to_owned(),
            specs,
        })
    }

    /// What its own time is at the start of the run, in seconds.
    #[must_use]
    pub fn origin_s(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "for people to read; a file's times were floats before"
        )]
        let nanos = self.origin_nanos as f64;
        nanos / 1e9
    }

    /// Opens it for judgement.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn open(&self) -> Result<Player> {
        Ok(Player {
            table: Table::open(&self.table, &mut Vec::new())?,
            origin_nanos: self.origin_nanos,
            specs: self.specs.clone(),
            row: None,
            now: Duration::ZERO,
            has_ended: false,
        })
    }
}

/// Nanoseconds of a duration.
fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

/// Reads a table to its end: its channels, and its first and last time.
fn survey(path: &Path, notices: &mut Vec<String>) -> Result<(Vec<ChannelSpec>, i128, i128)> {
    let mut table = Table::open(path, notices)?;
    let mut spacings: Vec<(Parameter, Spacing)> =
        table.parameters().map(|parameter| (parameter, Spacing::default())).collect();
    let mut row = Row::default();
    let mut times = None;
    while table.next_row(&mut row)? {
        let (first, _) = times.unwrap_or((row.nanos, row.nanos));
        times = Some((first, row.nanos));
        for (parameter, _) in &row.cells {
            if let Some((_, spacing)) = spacings.iter_mut().find(|(other, _)| other == parameter) {
                spacing.add(row.nanos);
            }
        }
    }
    let Some((first, last)) = times else {
        bail!("{}: no rows: write one line of values for each time", path.display());
    };
    let specs: Vec<ChannelSpec> =
        spacings.iter().filter_map(|(parameter, spacing)| spacing.spec(*parameter)).collect();
    let empty: Vec<&str> = spacings
        .iter()
        .filter(|(parameter, spacing)| spacing.spec(*parameter).is_none())
        .map(|(parameter, _)| parameter.info().id)
        .collect();
    if !empty.is_empty() {
        notices.push(format!(
            "{}: columns without any value are no channels: {}",
            path.display(),
            empty.join(", ")
        ));
    }
    if specs.is_empty() {
        bail!("{}: no values at all: write numbers below the header", path.display());
    }
    Ok((specs, first, last))
}

fn truth(fault: Fault, first: i128, last: i128, origin: i128, path: &Path) -> Result<Truth> {
    if !(first..=last).contains(&fault.onset) {
        bail!(
            "{}: onset_s lies outside the recording: it is seconds on the time of the table",
            path.display()
        );
    }
    let since = |nanos: i128| {
        Duration::from_nanos(u64::try_from((nanos - origin).max(0)).unwrap_or(u64::MAX))
    };
    Ok(Truth {
        begin: since(fault.begin),
        onset: Some(since(fault.onset)),
        end: fault.end.map(since),
        expected: fault.expected,
    })
}

/// A recording that is played.
#[derive(Debug)]
pub struct Player {
    table: Table,
    origin_nanos: i128,
    specs: Vec<ChannelSpec>,
    /// The row that is not due yet.
    row: Option<Row>,
    now: Duration,
    has_ended: bool,
}

impl Player {
    /// Reads the next row; `false` after the last one.
    fn refill(&mut self) -> Result<bool> {
        let mut row = self.row.take().unwrap_or_default();
        if self.table.next_row(&mut row)? {
            self.row = Some(row);
        } else {
            self.has_ended = true;
        }
        Ok(!self.has_ended)
    }
}

impl Source for Player {
    fn channels(&self) -> Vec<ChannelSpec> {
        self.specs.clone()
    }

    fn advance(&mut self, out: &mut Vec<Sample>) -> Result<Option<Duration>> {
        if self.has_ended || (self.row.is_none() && !self.refill()?) {
            return Ok(None);
        }
        self.now += TICK;
        while let Some(row) = &self.row {
            let nanos = u64::try_from(row.nanos - self.origin_nanos).unwrap_or(0);
            let at = Duration::from_nanos(nanos);
            if at > self.now {
                break;
            }
            let sample = |&(parameter, reading)| Sample { parameter, at, reading };
            out.extend(row.cells.iter().map(sample));
            if !self.refill()? {
                break;
            }
        }
        Ok(Some(self.now))
    }
}

#[cfg(test)]
mod tests;
