//! `ecmo-agent spool`: what is kept on disk, what is missing, and the samples as a recording.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use ecmo_agent::Settings;
use ecmo_agent::spool::{self, SpoolReader};
use ecmo_proto::v1::{Birth, Channel, Frame, SampleBlock, Validity};
use prost::Message;

use super::{Exit, fault, settings_fault};

/// Bytes of frames that are read at once.
const PART_BYTES: usize = 1024 * 1024;

/// Rows of a recording are held back this long, because samples of different channels arrive out of order.
const HOLD_NS: u64 = 2_000_000_000;

const NS_PER_S: i64 = 1_000_000_000;

/// What is wanted of the spool.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SpoolCommand {
    /// Prints which frames of which runs are there.
    Extent,
    /// Prints which frames are missing between those that are there.
    Gaps,
    /// Writes the samples of one run as CSV, which a replay source reads.
    Export {
        /// The file; it must not exist.
        file: PathBuf,
        /// The run, as `extent` prints it; the newest when it is not given.
        #[arg(long, value_parser = boot_id)]
        boot: Option<u64>,
    },
    /// Reads every record and says whether all are right.
    Verify,
}

fn boot_id(text: &str) -> Result<u64, std::num::ParseIntError> {
    u64::from_str_radix(text, 16)
}

/// Does what is wanted.
pub(crate) fn spool(config: &Path, wanted: &SpoolCommand) -> Result<(), Exit> {
    let settings = Settings::load(config).map_err(settings_fault)?;
    let Some(settings) = settings.spool else {
        return Err(settings_fault(anyhow::anyhow!("no [spool] in the settings: add one")));
    };
    let folder = settings.folder;
    let (reader, damaged) = spool::open(&folder)
        .with_context(|| format!("cannot read the spool in {}", folder.display()))
        .map_err(fault)?;
    match wanted {
        SpoolCommand::Extent => extent(&reader, damaged),
        SpoolCommand::Gaps => gaps(&reader).map_err(fault)?,
        SpoolCommand::Export { file, boot } => export(&reader, *boot, file).map_err(fault)?,
        SpoolCommand::Verify => verify(&reader).map_err(fault)?,
    }
    Ok(())
}

fn extent(reader: &SpoolReader, damaged: u64) {
    println!("{} bytes, {damaged} records damaged, missing or torn", reader.bytes());
    println!(
        "{:<16} {:>6} {:>12} {:>12} {:>10}  first and last frame (UTC)",
        "boot", "run", "first", "end", "frames"
    );
    for extent in reader.extents() {
        println!(
            "{:016x} {:>6} {:>12} {:>12} {:>10}  {} {}",
            extent.boot_id,
            extent.boot_number,
            extent.first_sequence,
            extent.end_sequence,
            extent.frames,
            utc(extent.first_wall_ns),
            utc(extent.last_wall_ns),
        );
    }
}

fn gaps(reader: &SpoolReader) -> anyhow::Result<()> {
    println!("{:<16} {:>12} {:>12}  between the frames of (UTC)", "boot", "first", "end");
    for extent in reader.extents() {
        for hole in reader.holes(extent.boot_id)? {
            let (first, end) = (hole.sequences.start, hole.sequences.end);
            let (after, before) = (utc(hole.after_wall_ns), utc(hole.before_wall_ns));
            println!("{:016x} {first:>12} {end:>12}  {after} {before}", extent.boot_id);
        }
    }
    Ok(())
}

fn verify(reader: &SpoolReader) -> anyhow::Result<()> {
    let check = reader.verify()?;
    println!(
        "{} segments, {} bytes, {} records right, {} damaged, missing or torn",
        check.segments, check.bytes, check.records, check.damaged
    );
    anyhow::ensure!(check.damaged == 0, "records are damaged: see above; the others can be read");
    Ok(())
}

/// Writes one run as a recording.
fn export(reader: &SpoolReader, boot: Option<u64>, file: &Path) -> anyhow::Result<()> {
    let extents = reader.extents();
    let extent = extents
        .iter()
        .find(|extent| boot.is_none_or(|boot| boot == extent.boot_id))
        .context("no such run in the spool: see `ecmo-agent spool extent`")?;
    let out = File::create_new(file).with_context(|| format!("cannot make {}", file.display()))?;
    let mut table = Table {
        out: BufWriter::new(out),
        channels: Vec::new(),
        rows: BTreeMap::new(),
        first_ns: None,
        written_ns: None,
        late: 0,
    };
    let (mut next, mut lost) = (extent.first_sequence, 0);
    loop {
        let part = reader.read(extent.boot_id, next..extent.end_sequence, PART_BYTES)?;
        if table.channels.is_empty() && !part.frames.is_empty() {
            table.begin(Birth::decode(part.birth.as_ref())?.channels)?;
        }
        for (_, body) in &part.frames {
            table.add(&Frame::decode(body.bytes().as_ref())?)?;
        }
        lost += part.gone.iter().map(|gone| gone.end - gone.start).sum::<u64>();
        next = part.next;
        if part.is_last {
            break;
        }
    }
    table.write_before(u64::MAX)?;
    table.out.flush()?;
    println!(
        "{}: run {:016x}, {lost} frames missing, {} samples left out because they came too late",
        file.display(),
        extent.boot_id,
        table.late
    );
    Ok(())
}

/// A recording that is being written: one row for each time at which something was sampled.
#[derive(Debug)]
struct Table {
    out: BufWriter<File>,
    channels: Vec<Channel>,
    rows: BTreeMap<u64, Vec<Option<f64>>>,
    first_ns: Option<u64>,
    written_ns: Option<u64>,
    late: u64,
}

impl Table {
    fn begin(&mut self, channels: Vec<Channel>) -> std::io::Result<()> {
        write!(self.out, "t_s")?;
        for channel in &channels {
            write!(self.out, ",{}", channel.id)?;
        }
        writeln!(self.out)?;
        self.channels = channels;
        Ok(())
    }

    fn add(&mut self, frame: &Frame) -> std::io::Result<()> {
        self.write_before(frame.start_mono_ns.saturating_sub(HOLD_NS))?;
        for block in &frame.blocks {
            let at = usize::try_from(block.channel).unwrap_or(usize::MAX);
            let Some(channel) = self.channels.get(at) else { continue };
            let (scale, offset, width) = (channel.scale, channel.offset, self.channels.len());
            let begin = frame.start_mono_ns + u64::from(block.start_us) * 1000;
            let validity = validities(block);
            for ((index, count), validity) in (0..).zip(&block.counts).zip(validity) {
                let time = (begin + index * u64::from(block.interval_us) * 1000) / 1000 * 1000;
                if self.written_ns.is_some_and(|written| time <= written) {
                    self.late += 1;
                    continue;
                }
                let row = self.rows.entry(time).or_insert_with(|| vec![None; width]);
                let is_value = matches!(validity, Validity::Valid | Validity::Questionable);
                let value = is_value.then(|| f64::from(*count) * scale + offset);
                if let Some(cell) = row.get_mut(at) {
                    *cell = value;
                }
            }
        }
        Ok(())
    }

    /// Writes the rows before a time.
    fn write_before(&mut self, end_ns: u64) -> std::io::Result<()> {
        let later = self.rows.split_off(&end_ns);
        for (time, row) in std::mem::replace(&mut self.rows, later) {
            let first = *self.first_ns.get_or_insert(time);
            let micros = (time - first) / 1000;
            write!(self.out, "{}.{:06}", micros / 1_000_000, micros % 1_000_000)?;
            for (value, channel) in row.iter().zip(&self.channels) {
                match value {
                    Some(value) => write!(self.out, ",{value:.*}", decimals(channel.scale))?,
                    None => write!(self.out, ",")?,
                }
            }
            writeln!(self.out)?;
            self.written_ns = Some(time);
        }
        Ok(())
    }
}

/// The validity of each count of a block; without runs all are valid.
fn validities(block: &SampleBlock) -> impl Iterator<Item = Validity> {
    let runs = block.validity.iter().flat_map(|run| {
        let count = usize::try_from(run.count).unwrap_or(0);
        std::iter::repeat_n(run.validity(), count)
    });
    let rest = if block.validity.is_empty() { Validity::Valid } else { Validity::NotMeasured };
    runs.chain(std::iter::repeat(rest))
}

/// Digits behind the point that one count needs; at most 6.
fn decimals(scale: f64) -> usize {
    (0..6)
        .find(|digits| {
            let steps = scale * 10f64.powi(i32::try_from(*digits).unwrap_or(0));
            (steps - steps.round()).abs() < 1e-6 && steps.round() >= 1.0
        })
        .unwrap_or(6)
}

/// A wall time in UTC, by the rule of the Gregorian calendar.
fn utc(wall_ns: i64) -> String {
    let seconds = wall_ns.div_euclid(NS_PER_S);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years begin in March, so that the leap day is the last one; 400 years have 146,097 days.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!(
        "{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        year + era * 400 + carry,
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_895_999, "2026-11-28T19:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds * NS_PER_S), text);
        }
    }

    #[test]
    fn a_value_has_the_digits_of_its_step() {
        for (scale, digits) in
            [(1.0, 0), (0.1, 1), (0.25, 2), (0.001, 3), (1.0 / 3.0, 6), (10.0, 0)]
        {
            assert_eq!(decimals(scale), digits, "{scale}");
        }
    }
}
