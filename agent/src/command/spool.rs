//! `ecmo-agent spool`: what is kept on disk, what is missing, and the samples as a recording.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use ecmo_agent::Settings;
use ecmo_agent::record::Table;
use ecmo_agent::sensor::{Batch, Channel};
use ecmo_agent::spool::{self, SpoolReader};
use ecmo_core::parameter::Parameter;
use ecmo_core::time::{Instant, SampleTime};
use ecmo_decode::{Decoder, KeptFrame};
use ecmo_proto::sealed::FrameBody;
use ecmo_proto::v1;
use prost::Message;

use super::{Exit, fault, settings_fault};

/// Bytes of frames that are read at once.
const PART_BYTES: usize = 1024 * 1024;

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

/// Writes one run as a recording, its reasons for missing values included.
fn export(reader: &SpoolReader, boot: Option<u64>, file: &Path) -> anyhow::Result<()> {
    let extents = reader.extents();
    let extent = extents
        .iter()
        .find(|extent| boot.is_none_or(|boot| boot == extent.boot_id))
        .context("no such run in the spool: see `ecmo-agent spool extent`")?;
    let out = File::create_new(file).with_context(|| format!("cannot make {}", file.display()))?;
    let mut out = BufWriter::new(out);
    let mut table: Option<(Run, Table)> = None;
    let (mut decoder, mut batch) = (Decoder::default(), Batch::default());
    let (mut next, mut lost, mut unread) = (extent.first_sequence, 0, 0_u64);
    loop {
        let part = reader.read(extent.boot_id, next..extent.end_sequence, PART_BYTES)?;
        if table.is_none() && !part.frames.is_empty() {
            let run = Run::of(&part.birth)?;
            let remark = format!("run {:016x} of {}", extent.boot_id, run.pump);
            out.write_all(Table::head(&remark, &run.channels).as_bytes())?;
            let rows = Table::new(&run.channels);
            table = Some((run, rows));
        }
        if let Some((run, rows)) = &mut table {
            for (_sequence, body) in &part.frames {
                let newest = run.samples(&mut decoder, body, &mut batch);
                unread += u64::from(newest.is_none());
                rows.add(&batch);
                out.write_all(rows.rows(newest.unwrap_or_default()).as_bytes())?;
            }
        }
        lost += part.gone.iter().map(|gone| gone.end - gone.start).sum::<u64>();
        next = part.next;
        if part.is_last {
            break;
        }
    }
    let mut late = 0;
    if let Some((_run, mut rows)) = table {
        out.write_all(rows.rest().as_bytes())?;
        late = rows.late;
    }
    out.flush()?;
    println!(
        "{}: run {:016x}, {lost} frames missing, {unread} not readable, {late} samples left out because they came too late",
        file.display(),
        extent.boot_id,
    );
    Ok(())
}

/// What is needed to read the frames of one run.
struct Run {
    pump: String,
    birth: ecmo_decode::Birth,
    channels: Vec<Channel>,
}

impl Run {
    fn of(birth: &[u8]) -> anyhow::Result<Self> {
        let wire = v1::Birth::decode(birth).context("the run's birth is no birth")?;
        let checked = ecmo_decode::birth(birth, &wire.pump)
            .map_err(|fault| anyhow::anyhow!("the run's birth cannot be read: {fault:?}"))?;
        let known = wire.channels.iter().filter_map(|channel| {
            let parameter = Parameter::from_id(&channel.id)?;
            Some(Channel::new(parameter, channel.rate_hz, channel.scale))
        });
        Ok(Self { channels: known.collect(), pump: wire.pump, birth: checked })
    }

    /// The samples of a frame, and the time of the newest; `None` for a frame that cannot be read.
    fn samples(
        &self,
        decoder: &mut Decoder,
        body: &FrameBody,
        batch: &mut Batch,
    ) -> Option<SampleTime> {
        batch.clear();
        let (finished, received) = (SampleTime::default(), Instant::default());
        let kept = KeptFrame { body, finished, received };
        let frame = decoder.kept(kept, &self.birth, &mut |_fault, _samples| {}).ok()?;
        let mut newest = SampleTime::default();
        for (block, readings) in frame.blocks() {
            let is_it = |channel: &Channel| channel.parameter == block.parameter;
            let Some(at) = self.channels.iter().position(is_it) else { continue };
            for (index, reading) in readings.iter().enumerate() {
                let time = block.time_of(index);
                newest = newest.max(time);
                batch.push(at, time, *reading);
            }
        }
        Some(newest)
    }
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
}
