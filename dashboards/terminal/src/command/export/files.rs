//! The files of an export while it goes on: what has come, the gaps, and a mark of how far it is.
//!
//! A CSV file grows as it will be. The other forms have an end that tells of all before it: what comes waits in `FILE.part` as
//! messages with their length, and becomes the file once it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ecmo_proto::v1::ReadWaveformResponse;
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::args::ExportFormat;
use crate::clock::rfc3339;
use crate::convert;
use crate::model::{PastGap, PastSample};

/// Longest message that is read back: what a gateway may send.
const MESSAGE_BYTES_MAX: u64 = 64 << 20;

/// How far an export is: kept beside the file until it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) format: ExportFormat,
    /// What stands for the pump in the file.
    pub(super) subject: String,
    pub(super) pump: String,
    pub(super) parameters: Vec<String>,
    pub(super) from_ns: i64,
    pub(super) to_ns: i64,
    /// Where the next part begins.
    pub(super) next_ns: i64,
    /// Length of both files up to there.
    pub(super) bytes: u64,
    pub(super) gap_bytes: u64,
    pub(super) samples: u64,
    pub(super) damaged: u64,
}

impl Mark {
    /// The mark beside a file.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let path = beside(file, "resume.json");
        let unreadable = || format!("{} cannot be read", path.display());
        let text = std::fs::read_to_string(&path).map_err(|_error| unreadable())?;
        serde_json::from_str(&text).map_err(|_error| unreadable())
    }
}

/// The files of an export.
pub(super) struct Files {
    body: File,
    gaps: File,
    mark: PathBuf,
}

/// A path with another end behind its own.
pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

/// Where what comes is put.
pub(super) fn body(file: &Path, format: ExportFormat) -> PathBuf {
    match format {
        ExportFormat::Csv => file.to_owned(),
        ExportFormat::Parquet | ExportFormat::Vital => beside(file, "part"),
    }
}

impl Files {
    /// Makes the files; nobody's file is written over.
    pub(super) fn begin(file: &Path, mark: &mut Mark) -> io::Result<Self> {
        let new = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
        let place = new(file)?;
        let body = match mark.format {
            ExportFormat::Csv => place,
            ExportFormat::Parquet | ExportFormat::Vital => new(&body(file, mark.format))?,
        };
        let gaps = new(&beside(file, "gaps.csv"))?;
        let mut files = Self { body, gaps, mark: beside(file, "resume.json") };
        if mark.format == ExportFormat::Csv {
            writeln!(
                files.body,
                "time,wall_ns,parameter,unit,value,validity,boot,index,backfilled"
            )?;
        }
        writeln!(files.gaps, "from,to,from_wall_ns,to_wall_ns,reason")?;
        files.note(mark)?;
        Ok(files)
    }

    /// Opens the files where the mark says; what is behind it was written after it.
    pub(super) fn go_on(file: &Path, mark: &Mark) -> io::Result<Self> {
        Ok(Self {
            body: cut(&body(file, mark.format), mark.bytes)?,
            gaps: cut(&beside(file, "gaps.csv"), mark.gap_bytes)?,
            mark: beside(file, "resume.json"),
        })
    }

    /// Writes a part, and then how far it is.
    pub(super) fn add(
        &mut self,
        found: &[ReadWaveformResponse],
        mark: &mut Mark,
        end_ns: i64,
    ) -> io::Result<()> {
        let mut out = BufWriter::new(&mut self.body);
        if mark.format == ExportFormat::Csv {
            for sample in &convert::samples(found) {
                writeln!(out, "{}", sample_line(sample))?;
            }
        } else {
            for message in found {
                out.write_all(&message.encode_length_delimited_to_vec())?;
            }
        }
        out.flush()?;
        drop(out);
        for gap in found.iter().flat_map(|message| &message.gaps).map(convert::past_gap) {
            writeln!(self.gaps, "{}", gap_line(&gap))?;
        }
        let blocks = found.iter().flat_map(|message| &message.blocks);
        mark.samples += blocks.map(|block| block.values.len() as u64).sum::<u64>();
        mark.damaged += found.iter().map(|message| message.damaged_records).max().unwrap_or(0);
        mark.next_ns = end_ns;
        self.note(mark)
    }

    fn note(&mut self, mark: &mut Mark) -> io::Result<()> {
        mark.bytes = self.body.stream_position()?;
        mark.gap_bytes = self.gaps.stream_position()?;
        // Written beside and moved, so that a stop leaves the one before or the new one.
        let new = beside(&self.mark, "new");
        std::fs::write(&new, serde_json::to_string(mark)?)?;
        std::fs::rename(new, &self.mark)
    }

    /// Takes away what was needed to go on.
    pub(super) fn finish(self, file: &Path, mark: &Mark) -> io::Result<()> {
        std::fs::remove_file(&self.mark)?;
        if mark.format != ExportFormat::Csv {
            std::fs::remove_file(body(file, mark.format))?;
        }
        Ok(())
    }
}

/// Opens a file that goes on at this length.
fn cut(path: &Path, bytes: u64) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() < bytes {
        return Err(io::Error::other("the file is shorter than what was written into it"));
    }
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// The messages that wait in a file, in the order in which they came.
pub(super) fn messages(
    path: &Path,
) -> io::Result<impl Iterator<Item = io::Result<ReadWaveformResponse>>> {
    let mut bytes = BufReader::new(File::open(path)?);
    Ok(std::iter::from_fn(move || next_message(&mut bytes).transpose()))
}

fn next_message(bytes: &mut impl Read) -> io::Result<Option<ReadWaveformResponse>> {
    let broken = || io::Error::other("what has come cannot be read back: export it anew");
    let mut length = 0_u64;
    for place in 0..10 {
        let mut byte = [0];
        if bytes.read(&mut byte)? == 0 {
            return if place == 0 { Ok(None) } else { Err(broken()) };
        }
        length |= u64::from(byte[0] & 0x7f) << (7 * place).min(63);
        if byte[0] < 0x80 {
            break;
        }
    }
    if length > MESSAGE_BYTES_MAX {
        return Err(broken());
    }
    let mut message = Vec::new();
    bytes.take(length).read_to_end(&mut message)?;
    if message.len() as u64 != length {
        return Err(broken());
    }
    ReadWaveformResponse::decode(message.as_slice()).map(Some).map_err(|_not_one| broken())
}

fn sample_line(sample: &PastSample) -> String {
    let known = ecmo_core::parameter::Parameter::from_id(&sample.parameter);
    let unit = known.map_or("", |one| one.info().unit);
    let value = sample.value.map_or_else(String::new, |value| value.to_string());
    format!(
        "{},{},{},{unit},{value},{},{:016x},{},{}",
        rfc3339(sample.at_ns).unwrap_or_default(),
        sample.at_ns,
        sample.parameter,
        sample.validity,
        sample.boot,
        sample.index,
        u8::from(sample.backfilled),
    )
}

fn gap_line(gap: &PastGap) -> String {
    let time = |at_ns| rfc3339(at_ns).unwrap_or_default();
    format!(
        "{},{},{},{},{}",
        time(gap.from_ns),
        time(gap.to_ns),
        gap.from_ns,
        gap.to_ns,
        gap.reason
    )
}
