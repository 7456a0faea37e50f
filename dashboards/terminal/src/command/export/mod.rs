//! `ecmoctl export`: every sample of a time into a file, part by part; an export that was stopped can be gone on with.

mod files;

mod form;

use std::path::Path;

use ecmo_core::parameter::Parameter;

use self::files::{Files, Mark};
use crate::args::{ExportArgs, ExportFormat};
use crate::command::{CommandError, Context, signalled};
use crate::model::Span;
use crate::output::Printer;
use crate::verdict::Verdict;
use crate::words::damage_line;

/// Length of a part: what is in memory at once, and what is asked for again after a stop.
const PART_NS: i64 = 60_000_000_000;

/// Runs the command.
pub(crate) async fn run(context: Context, args: ExportArgs) -> Result<Verdict, CommandError> {
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
            found = gateway.past(&args.pump, &parameters, span) => found?,
            () = signalled() => return Ok(stopped(&printer)),
        };
        files.add(&found, &mut mark, end_ns).map_err(CommandError::File)?;
        tell(&printer, &mark, &mut told);
    }
    if mark.format != ExportFormat::Csv {
        printer.note(&format!("writing {}", args.file.display()));
        let (file, mark) = (args.file.clone(), mark.clone());
        let forming = tokio::task::spawn_blocking(move || form::write(&file, &mark));
        tokio::select! {
            formed = forming => match formed {
                Ok(formed) => formed?,
                Err(ended) => return Err(CommandError::File(std::io::Error::other(ended))),
            },
            () = signalled() => return Ok(stopped(&printer)),
        }
    }
    files.finish(&args.file, &mark).map_err(CommandError::File)?;
    damage_line(mark.damaged).iter().for_each(|line| printer.note(line));
    printer.note(&format!("{} samples in {}", mark.samples, args.file.display()));
    if mark.format != ExportFormat::Csv {
        printer.note(&format!("{} is called {} in it", mark.pump, mark.subject));
    }
    Ok(if mark.samples > 0 { Verdict::Fine } else { Verdict::NoData })
}

fn stopped(printer: &Printer) -> Verdict {
    printer.note("stopped; the same command with --resume goes on from here");
    Verdict::NotShown
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
    if args.resume {
        let mark = Mark::read(&args.file).map_err(|unreadable| {
            CommandError::Usage(format!("there is nothing to go on with: {unreadable}"))
        })?;
        fits(&mark, args)?;
        let files = Files::go_on(&args.file, &mark).map_err(CommandError::File)?;
        return Ok((files, mark));
    }
    let Span { from_ns, to_ns } = args.span.span(now_ns);
    if from_ns >= to_ns {
        return Err(CommandError::Usage("the time is empty: begin before the end".to_owned()));
    }
    let format = args.format.unwrap_or_else(|| ExportFormat::of(&args.file));
    if format == ExportFormat::Csv && args.subject.is_some() {
        return Err(CommandError::Usage(
            "a CSV file names no pump, so that nothing stands for it: leave --subject out"
                .to_owned(),
        ));
    }
    let mut mark = Mark {
        format,
        // By chance and not from the name, which anybody who knows the wards could find again.
        subject: args
            .subject
            .clone()
            .unwrap_or_else(|| format!("subject-{:08x}", fastrand::u32(..))),
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
    let files = Files::begin(&args.file, &mut mark).map_err(CommandError::File)?;
    Ok((files, mark))
}

impl ExportFormat {
    /// The form that the end of a file's name says; CSV where it says none.
    fn of(file: &Path) -> Self {
        match file.extension().and_then(|end| end.to_str()) {
            Some("parquet") => Self::Parquet,
            Some("vital") => Self::Vital,
            Some(_) | None => Self::Csv,
        }
    }
}

/// What was said again must be what was said then.
fn fits(mark: &Mark, args: &ExportArgs) -> Result<(), CommandError> {
    let ids: Vec<&str> = args.parameters.iter().map(|one| one.info().id).collect();
    let same_time = !args.span.is_fixed()
        || args.span.span(0) == Span { from_ns: mark.from_ns, to_ns: mark.to_ns };
    let same = mark.pump == args.pump.to_string()
        && (ids.is_empty() || mark.parameters == ids)
        && args.format.is_none_or(|format| format == mark.format)
        && args.subject.as_ref().is_none_or(|subject| *subject == mark.subject);
    if same && same_time {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "this file was begun for {} and other parameters, another time or another form; choose another file",
        mark.pump
    )))
}
