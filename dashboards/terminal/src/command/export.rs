//! `ecmoctl export`: every sample of a time into a file, part by part; an export that was stopped can be gone on with.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ecmo_core::parameter::Parameter;
use serde::{Deserialize, Serialize};

use crate::args::{ExportArgs, ExportFormat};
use crate::clock::rfc3339;
use crate::command::{CommandError, Context, signalled};
use crate::model::{PastGap, PastSample, PumpName, Samples, Span};
use crate::output::Printer;
use crate::verdict::Verdict;
use crate::words::damage_line;

/// Length of a part: what is in memory at once, and what is asked for again after a stop.
const PART_NS: i64 = 60_000_000_000;

/// How far an export is: kept beside the file until it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    pump: String,
    parameters: Vec<String>,
    from_ns: i64,
    to_ns: i64,
    /// Where the next part begins.
    next_ns: i64,
    /// Length of both files up to there.
    bytes: u64,
    gap_bytes: u64,
    samples: u64,
    damaged: u64,
}

/// The files of an export.
struct Files {
    samples: File,
    gaps: File,
    mark: PathBuf,
}

/// Runs the command.
pub(crate) async fn run(context: Context, args: ExportArgs) -> Result<Verdict, CommandError> {
    let ExportFormat::Csv = args.format;
    let now_ns = context.clock.wall_ns();
    let Context { gateway, printer, .. } = context;
    // First, so that a gateway that is not there leaves no files behind.
    let gateway = gateway.connect().await?;
    let (mut files, mut mark) = begin(&args, now_ns)?;
    let parameters: Vec<Parameter> =
        mark.parameters.iter().filter_map(|id| Parameter::from_id(id)).collect();
    let mut told = None;
    while mark.next_ns < mark.to_ns {
        let end_ns = mark.next_ns.saturating_add(PART_NS).min(mark.to_ns);
        let span = Span { from_ns: mark.next_ns, to_ns: end_ns };
        let found = tokio::select! {
            found = gateway.samples(&args.pump, &parameters, span) => found?,
            () = signalled() => {
                printer.note("stopped; the same command with --resume goes on from here");
                return Ok(Verdict::NotShown);
            }
        };
        files.add(&found, &mut mark, end_ns).map_err(CommandError::File)?;
        tell(&printer, &mark, &mut told);
    }
    std::fs::remove_file(&files.mark).map_err(CommandError::File)?;
    damage_line(mark.damaged).iter().for_each(|line| printer.note(line));
    printer.note(&format!("{} samples in {}", mark.samples, args.file.display()));
    Ok(if mark.samples > 0 { Verdict::Fine } else { Verdict::NoData })
}

/// Says each whole percent, once.
fn tell(printer: &Printer, mark: &Mark, told: &mut Option<i128>) {
    let of = |to_ns: i64| i128::from(to_ns) - i128::from(mark.from_ns);
    let percent = of(mark.next_ns) * 100 / of(mark.to_ns).max(1);
    if *told != Some(percent) {
        *told = Some(percent);
        printer.note(&format!("{percent} %, {} samples", mark.samples));
    }
}

/// Begins an export, or goes on with one.
fn begin(args: &ExportArgs, now_ns: i64) -> Result<(Files, Mark), CommandError> {
    let mark_file = beside(&args.file, "resume.json");
    let gap_file = beside(&args.file, "gaps.csv");
    if args.resume {
        let mark = read_mark(&mark_file)?;
        fits(&mark, args)?;
        let files = Files {
            samples: cut(&args.file, mark.bytes).map_err(CommandError::File)?,
            gaps: cut(&gap_file, mark.gap_bytes).map_err(CommandError::File)?,
            mark: mark_file,
        };
        return Ok((files, mark));
    }
    let Span { from_ns, to_ns } = args.span.span(now_ns);
    if from_ns >= to_ns {
        return Err(CommandError::Usage("the time is empty: begin before the end".to_owned()));
    }
    // Nobody's file is written over.
    let new = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
    let mut files = Files {
        samples: new(&args.file).map_err(CommandError::File)?,
        gaps: new(&gap_file).map_err(CommandError::File)?,
        mark: mark_file,
    };
    let mut mark = Mark {
        pump: args.pump.to_string(),
        parameters: args.parameters.iter().map(|one| one.info().id.to_owned()).collect(),
        from_ns,
        to_ns,
        next_ns: from_ns,
        bytes: 0,
        gap_bytes: 0,
        samples: 0,
        damaged: 0,
    };
    files.head(&mut mark).map_err(CommandError::File)?;
    Ok((files, mark))
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

fn read_mark(path: &Path) -> Result<Mark, CommandError> {
    let nothing = || {
        CommandError::Usage(format!(
            "there is nothing to go on with: {} cannot be read",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|_unreadable| nothing())?;
    serde_json::from_str(&text).map_err(|_unreadable| nothing())
}

/// What was said again must be what was said then.
fn fits(mark: &Mark, args: &ExportArgs) -> Result<(), CommandError> {
    let named: PumpName = args.pump.clone();
    let ids: Vec<&str> = args.parameters.iter().map(|one| one.info().id).collect();
    let same_time = !args.span.is_fixed()
        || args.span.span(0) == Span { from_ns: mark.from_ns, to_ns: mark.to_ns };
    let same = mark.pump == named.to_string() && (ids.is_empty() || mark.parameters == ids);
    if same && same_time {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "this file was begun for {} and other parameters or another time; choose another file",
        mark.pump
    )))
}

/// Opens a file that goes on at this length; what is behind it was written after the last mark.
fn cut(path: &Path, bytes: u64) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() < bytes {
        return Err(io::Error::other("the file is shorter than what was written into it"));
    }
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

impl Files {
    fn head(&mut self, mark: &mut Mark) -> io::Result<()> {
        writeln!(self.samples, "time,wall_ns,parameter,unit,value,validity,boot,index,backfilled")?;
        writeln!(self.gaps, "from,to,from_wall_ns,to_wall_ns,reason")?;
        self.note(mark)
    }

    /// Writes a part, and then how far it is.
    fn add(&mut self, found: &Samples, mark: &mut Mark, end_ns: i64) -> io::Result<()> {
        let mut out = BufWriter::new(&mut self.samples);
        for sample in &found.samples {
            writeln!(out, "{}", sample_line(sample))?;
        }
        out.flush()?;
        drop(out);
        for gap in &found.gaps {
            writeln!(self.gaps, "{}", gap_line(gap))?;
        }
        mark.samples += found.samples.len() as u64;
        mark.damaged += found.damaged;
        mark.next_ns = end_ns;
        self.note(mark)
    }

    fn note(&mut self, mark: &mut Mark) -> io::Result<()> {
        mark.bytes = self.samples.stream_position()?;
        mark.gap_bytes = self.gaps.stream_position()?;
        // Written beside and moved, so that a stop leaves the one before or the new one.
        let new = beside(&self.mark, "new");
        std::fs::write(&new, serde_json::to_string(mark)?)?;
        std::fs::rename(new, &self.mark)
    }
}

fn sample_line(sample: &PastSample) -> String {
    let unit = Parameter::from_id(&sample.parameter).map_or("", |one| one.info().unit);
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
