//! Writes simulated runs as recordings: a table and what is known of it, as other people would hand them over.

use core::time::Duration;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use serde_json::{Value, json};

use crate::plan::Job;
use crate::report::priority;
use crate::score::Run;
use crate::source::{Source, Subject};
use crate::truth::{Pattern, Truth};
use crate::work::run_all;

/// Writes every run as NAME.csv and NAME.json into a folder, which is made where it is missing.
///
/// What a table cannot say is written as the nearest it can: a reading beyond range as `inf` or `-inf`, every other reason
/// for no measurement as `nan`, a doubted value as a value.
///
/// # Errors
/// A file cannot be written, or a fault that never comes.
pub fn export(jobs: &[Job], folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    run_all(jobs, |job| write_run(job, folder))?;
    Ok(())
}

fn write_run(job: &Job, folder: &Path) -> Result<()> {
    let mut run = Run::of(job)?;
    let table = folder.join(format!("{}.csv", job.name()));
    let cannot = || format!("cannot write {}", table.display());
    let file = File::create(&table).with_context(cannot)?;
    let mut out = BufWriter::new(file);
    write_table(&mut run, &mut out).with_context(cannot)?;
    out.flush().with_context(cannot)?;
    let truth = run.truth();
    if truth.as_ref().is_some_and(|truth| truth.onset.is_none()) {
        bail!("{}: the fault never comes, so there is no truth to write", job.name());
    }
    let facts = facts(&run.subject(), truth.as_ref());
    let path = folder.join(format!("{}.json", job.name()));
    let text = serde_json::to_string_pretty(&facts).context("the facts are no JSON")?;
    std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
}

fn write_table(source: &mut impl Source, out: &mut impl Write) -> Result<()> {
    let columns: Vec<Parameter> = source.channels().iter().map(|spec| spec.parameter).collect();
    write!(out, "t_s")?;
    for parameter in &columns {
        write!(out, ",{}", parameter.info().id)?;
    }
    writeln!(out)?;
    let mut places = [None; Parameter::COUNT];
    for (place, parameter) in columns.iter().enumerate() {
        if let Some(slot) = places.get_mut(parameter.index()) {
            *slot = Some(place);
        }
    }
    let mut row = RowToWrite { at: Duration::ZERO, cells: vec![None; columns.len()] };
    let mut samples = Vec::new();
    while source.advance(&mut samples)?.is_some() {
        for sample in samples.drain(..) {
            let Some(place) = places.get(sample.parameter.index()).copied().flatten() else {
                continue;
            };
            let taken = row.cells.get(place).is_some_and(Option::is_some);
            if sample.at != row.at || taken {
                if sample.at < row.at {
                    bail!("samples are not in the order of their times");
                }
                row.write(out)?;
                row.at = sample.at;
            }
            if let Some(cell) = row.cells.get_mut(place) {
                *cell = Some(sample.reading);
            }
        }
    }
    row.write(out)
}

/// Samples of one time.
struct RowToWrite {
    at: Duration,
    cells: Vec<Option<Reading>>,
}

impl RowToWrite {
    /// Writes the row, if it holds anything, and empties it.
    fn write(&mut self, out: &mut impl Write) -> Result<()> {
        if self.cells.iter().all(Option::is_none) {
            return Ok(());
        }
        let nanos = format!("{:09}", self.at.subsec_nanos());
        let fraction = nanos.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(out, "{}{point}{fraction}", self.at.as_secs())?;
        for cell in &mut self.cells {
            match cell.take() {
                None => write!(out, ",")?,
                Some(Reading::Value(value) | Reading::Questionable(value)) => {
                    write!(out, ",{value}")?
                }
                Some(Reading::NoData(NoData::AboveRange)) => write!(out, ",inf")?,
                Some(Reading::NoData(NoData::BelowRange)) => write!(out, ",-inf")?,
                Some(Reading::NoData(
                    NoData::NotMeasured
                    | NoData::SensorOff
                    | NoData::SensorFault
                    | NoData::Calibrating
                    | NoData::Stale
                    | NoData::Simulated
                    | NoData::CommLost,
                )) => write!(out, ",nan")?,
            }
        }
        writeln!(out)?;
        Ok(())
    }
}

fn facts(subject: &Subject, truth: Option<&Truth>) -> Value {
    let seconds = |time: Duration| time.as_secs_f64();
    let mut facts = json!({
        "kg": subject.kg,
        "target_ml_min": subject.target_ml_min,
        "kind": subject.kind.map(ecmo_core::case::PumpKind::id),
        "therapy": subject.therapy.map(ecmo_core::case::Therapy::id),
        "oxygenator_flow_min": subject.oxygenator_flow_min,
        "speed_max": subject.speed_max,
        "membrane_baseline": subject.membrane_baseline,
        "harmless": truth.is_none(),
    });
    if let (Some(truth), Some(map)) = (truth, facts.as_object_mut()) {
        let expected = &truth.expected;
        let any_of: Vec<String> = expected.any_of.iter().map(Pattern::to_string).collect();
        map.insert("begin_s".to_owned(), json!(seconds(truth.begin)));
        map.insert("onset_s".to_owned(), json!(truth.onset.map(seconds)));
        map.insert("end_s".to_owned(), json!(truth.end.map(seconds)));
        let expect = json!({
            "any_of": any_of,
            "priority_floor": priority(expected.priority_floor),
            "within_s": seconds(expected.within),
        });
        map.insert("expect".to_owned(), expect);
    }
    facts
}
