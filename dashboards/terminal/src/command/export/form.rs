//! Makes a Parquet or `.vital` file of what has come. It reads one message at a time, and the file appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ecmo_export::{About, ExportError, Stretch, Survey, Table, Vital, Void};

use super::files::{Mark, beside, body, messages};
use crate::args::ExportFormat;
use crate::command::CommandError;
use crate::convert;

/// Writes the file of a mark that is complete.
pub(super) fn write(file: &Path, mark: &Mark) -> Result<(), CommandError> {
    let part = body(file, mark.format);
    let new = beside(file, "new");
    let formed = match mark.format {
        // It is written as it comes.
        ExportFormat::Csv => return Ok(()),
        ExportFormat::Parquet => table(&part, &new, mark),
        ExportFormat::Vital => vital(&part, &new, mark),
    };
    formed.map_err(|error| match error {
        ExportError::Disk(error) => CommandError::File(error),
        ExportError::Table(error) => CommandError::File(io::Error::other(error)),
    })?;
    std::fs::rename(new, file).map_err(CommandError::File)
}

fn about(mark: &Mark) -> About {
    let Mark { subject, from_ns, to_ns, .. } = mark;
    About { subject: subject.clone(), from_ns: *from_ns, to_ns: *to_ns, voids: Vec::new() }
}

fn voids(message: &ecmo_proto::v1::ReadWaveformResponse) -> impl Iterator<Item = Void> {
    message.gaps.iter().map(convert::past_gap).map(|gap| Void {
        from_ns: gap.from_ns,
        to_ns: gap.to_ns,
        reason: gap.reason.to_owned(),
    })
}

fn stretches(message: &ecmo_proto::v1::ReadWaveformResponse) -> Vec<Stretch> {
    message.blocks.iter().map(convert::stretch).collect()
}

fn table(part: &Path, new: &Path, mark: &Mark) -> Result<(), ExportError> {
    let mut table = Table::new(BufWriter::new(File::create(new)?))?;
    let mut about = about(mark);
    for message in messages(part)? {
        let message = message?;
        about.voids.extend(voids(&message));
        table.add(&stretches(&message))?;
    }
    let (_rows, out) = table.finish(&about)?;
    durable(out)
}

fn vital(part: &Path, new: &Path, mark: &Mark) -> Result<(), ExportError> {
    let (mut about, mut survey) = (about(mark), Survey::default());
    for message in messages(part)? {
        let message = message?;
        about.voids.extend(voids(&message));
        stretches(&message).iter().for_each(|stretch| survey.add(stretch));
    }
    let out = BufWriter::new(File::create(new)?);
    let mut vital = Vital::new(out, survey, &about)?;
    for message in messages(part)? {
        for stretch in stretches(&message?) {
            vital.add(&stretch)?;
        }
    }
    durable(vital.finish()?)
}

/// Waits for the disk: what it was made of goes next.
fn durable(mut out: BufWriter<File>) -> Result<(), ExportError> {
    out.flush()?;
    Ok(out.get_ref().sync_all()?)
}
