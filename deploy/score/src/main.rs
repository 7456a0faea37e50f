//! `cargo xtask score`: how often, how fast and how wrongly the alarm rules speak.

mod clock;

mod args;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use ecmo_score::explain::explain;
use ecmo_score::export::export;
use ecmo_score::plan::{Job, Purpose, Wish, plan};
use ecmo_score::recording::{Recording, load_folder};
use ecmo_score::report::{false_alarm_list, report};
use ecmo_score::rules::RuleBook;
use ecmo_score::score::{judge_job, judge_recording, score_jobs, score_recordings};
use ecmo_score::tally::Tally;

use args::Arguments;
use clock::Start;

/// Where the table goes, from the project's root.
const DOCUMENT: &str = "gateway/docs/alarm-score.md";

/// Exit code for arguments, files or a run that cannot be judged; clap uses it too.
const EXIT_CANNOT: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let start = Start::now();
    match run(&arguments) {
        Ok(is_reached) => {
            eprintln!("took {:.1} s", start.passed().as_secs_f64());
            if is_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(EXIT_CANNOT)
        }
    }
}

/// Does what was asked for; whether every target is reached.
fn run(arguments: &Arguments) -> Result<bool> {
    let rules = match &arguments.profile {
        Some(path) => RuleBook::load(path)?,
        None => RuleBook::shipped(),
    };
    if let Some(folder) = &arguments.recordings {
        return recorded(folder, arguments, &rules);
    }
    let jobs = plan(&wish(arguments));
    if arguments.list {
        for job in &jobs {
            println!("{:32} {}", job.name(), job.circuit());
        }
        return Ok(true);
    }
    if let Some(number) = &arguments.explain {
        return explain_job(number, &jobs, &rules);
    }
    if let Some(folder) = &arguments.export {
        let jobs = exported(jobs, arguments);
        export(&jobs, folder)?;
        println!("{} runs written to {}", jobs.len(), folder.display());
        return Ok(true);
    }
    let tally = score_jobs(&jobs, &rules)?;
    let text = report(&heading(arguments, &rules, &tally), &tally);
    print!("{text}");
    if arguments.write {
        let path = document();
        std::fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("written to {DOCUMENT}");
    } else {
        print!("\n{}", false_alarm_list(&tally));
    }
    Ok(tally.is_reached())
}

fn wish(arguments: &Arguments) -> Wish {
    Wish {
        runs: usize::try_from(arguments.fault_runs()).unwrap_or(usize::MAX),
        hours: arguments.free_hours(),
        seed: arguments.seed,
        quick: arguments.is_short(),
        fault: arguments.fault,
    }
}

/// The runs that are written: no more with a fault than were asked for.
fn exported(mut jobs: Vec<Job>, arguments: &Arguments) -> Vec<Job> {
    if let Some(most) = arguments.runs {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        jobs.retain(|job| job.number <= most || !matches!(job.purpose, Purpose::Fault { .. }));
    }
    jobs
}

fn explain_job(number: &str, jobs: &[Job], rules: &RuleBook) -> Result<bool> {
    let wanted = number.split('-').next().and_then(|digits| digits.parse::<usize>().ok());
    let Some(job) = jobs.iter().find(|job| Some(job.number) == wanted) else {
        bail!("there is no run {number:?}: 1 to {}, see --list", jobs.len());
    };
    let (judged, truth) = judge_job(job, rules)?;
    print!("{}", explain(&job.name(), &job.circuit(), &judged, truth.as_ref()));
    Ok(true)
}

fn recorded(folder: &Path, arguments: &Arguments, rules: &RuleBook) -> Result<bool> {
    let mut notices = Vec::new();
    let recordings = load_folder(folder, &mut notices)?;
    for notice in &notices {
        eprintln!("notice: {notice}");
    }
    if let Some(name) = &arguments.explain {
        return explain_recording(name, &recordings, rules);
    }
    let tally = score_recordings(&recordings, rules)?;
    let heading = format!(
        "# Alarm score of recordings\n\n- recordings: {} in {}\n- rules: {}\n",
        recordings.len(),
        folder.display(),
        rules.name()
    );
    print!("{}", report(&heading, &tally));
    print!("\n{}", false_alarm_list(&tally));
    Ok(tally.is_reached())
}

fn explain_recording(name: &str, recordings: &[Recording], rules: &RuleBook) -> Result<bool> {
    let Some(recording) = recordings.iter().find(|recording| recording.name == name) else {
        bail!("there is no recording {name:?} in the folder");
    };
    let judged = judge_recording(recording, rules)?;
    let from = format!("times count from {} s on the time of the table", recording.origin_s());
    print!("{}", explain(name, &from, &judged, recording.truth.as_ref()));
    Ok(true)
}

fn heading(arguments: &Arguments, rules: &RuleBook, tally: &Tally) -> String {
    let faults: u64 = tally.rows.values().map(|row| row.total).sum();
    let mut command = "cargo xtask score".to_owned();
    if arguments.quick {
        command.push_str(" --quick");
    } else {
        command.push_str(&format!(
            " --runs {} --hours {}",
            arguments.fault_runs(),
            arguments.free_hours()
        ));
    }
    if let Some(fault) = arguments.fault {
        command.push_str(&format!(" --fault {fault}"));
    }
    format!(
        "# Alarm score\n\nHow often, how fast and how wrongly the alarm rules speak, held against simulated circuits whose truth is known.\n\
         Simulated truth is no clinical evidence: it shows what the rules do, not what a ward will see.\n\n\
         - command: `{command} --seed {}`, version {}\n\
         - rules: {}\n\
         - runs with a fault: {faults}; without: {}; hours without a fault: {:.1}\n",
        arguments.seed,
        env!("CARGO_PKG_VERSION"),
        rules.name(),
        tally.harmless_runs,
        tally.fault_free.as_secs_f64() / 3_600.0
    )
}

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(DOCUMENT)
}
