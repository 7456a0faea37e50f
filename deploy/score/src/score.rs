//! Judges runs, simulated and recorded, by the same way, and adds their verdicts up.

use core::time::Duration;

use anyhow::{Context, Result};
use ecmo_core::channel::ChannelSpec;

use crate::judge::{Judged, judge};
use crate::plan::{Job, Purpose};
use crate::recording::Recording;
use crate::rules::RuleBook;
use crate::simulated::Circuit;
use crate::source::{Sample, Source, Subject};
use crate::tally::Tally;
use crate::truth::Truth;
use crate::verdict::verdict;
use crate::wave::{Overlay, Wave};
use crate::work::run_all;

/// A simulated run, with the simulated arterial pressure or the recorded one.
pub enum Run {
    /// As simulated.
    Simulated(Circuit),
    /// With the recorded pressure.
    RealPressure(Overlay<Circuit>),
}

impl Run {
    /// Makes ready what a job asks for.
    ///
    /// # Errors
    /// The recorded pressure cannot be read.
    pub fn of(job: &Job) -> Result<Self> {
        let (setup, until) = job.prepare();
        let circuit = Circuit::new(setup, until);
        Ok(match job.purpose {
            Purpose::Fault { .. } | Purpose::Harmless(_) => Self::Simulated(circuit),
            Purpose::RealPressure(_) => {
                Self::RealPressure(Overlay::new(circuit, Wave::recorded()?))
            }
        })
    }

    /// What the rules are told.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.circuit().subject()
    }

    /// What is true of the run so far.
    #[must_use]
    pub fn truth(&self) -> Option<Truth> {
        self.circuit().truth()
    }

    const fn circuit(&self) -> &Circuit {
        match self {
            Self::Simulated(circuit) => circuit,
            Self::RealPressure(overlay) => overlay.inner(),
        }
    }
}

impl Source for Run {
    fn channels(&self) -> Vec<ChannelSpec> {
        match self {
            Self::Simulated(circuit) => circuit.channels(),
            Self::RealPressure(overlay) => overlay.channels(),
        }
    }

    fn advance(&mut self, out: &mut Vec<Sample>) -> Result<Option<Duration>> {
        match self {
            Self::Simulated(circuit) => circuit.advance(out),
            Self::RealPressure(overlay) => overlay.advance(out),
        }
    }
}

/// Judges a simulated run; the truth is known at its end.
///
/// # Errors
/// See [`judge`].
pub fn judge_job(job: &Job, rules: &RuleBook) -> Result<(Judged, Option<Truth>)> {
    let mut run = Run::of(job)?;
    let subject = run.subject();
    let judged = judge(&mut run, &subject, rules).with_context(|| job.name())?;
    Ok((judged, run.truth()))
}

/// Judges a recording.
///
/// # Errors
/// See [`judge`].
pub fn judge_recording(recording: &Recording, rules: &RuleBook) -> Result<Judged> {
    judge(&mut recording.open()?, &recording.subject, rules).with_context(|| recording.name.clone())
}

/// Judges simulated runs.
///
/// # Errors
/// The first run that cannot be judged.
pub fn score_jobs(jobs: &[Job], rules: &RuleBook) -> Result<Tally> {
    let work = |job: &Job| {
        let (judged, truth) = judge_job(job, rules)?;
        let verdict = verdict(&judged, truth.as_ref());
        Ok((verdict, truth))
    };
    let mut tally = Tally::default();
    for (job, (verdict, truth)) in jobs.iter().zip(run_all(jobs, work)?) {
        let fault = match (job.purpose, &truth) {
            (Purpose::Fault { fault, .. }, Some(truth)) => Some((fault.name(), &truth.expected)),
            (Purpose::Fault { .. } | Purpose::Harmless(_) | Purpose::RealPressure(_), _) => None,
        };
        tally.add(&job.name(), fault, &verdict);
    }
    tally.finish();
    Ok(tally)
}

/// Judges recordings. A row of the score is what was expected, because nobody has named the fault.
///
/// # Errors
/// The first recording that cannot be judged.
pub fn score_recordings(recordings: &[Recording], rules: &RuleBook) -> Result<Tally> {
    let work = |recording: &Recording| {
        let judged = judge_recording(recording, rules)?;
        Ok(verdict(&judged, recording.truth.as_ref()))
    };
    let mut tally = Tally::default();
    for (recording, verdict) in recordings.iter().zip(run_all(recordings, work)?) {
        let words = recording.truth.as_ref().map(|truth| (truth.expected.words(), &truth.expected));
        let fault = words.as_ref().map(|(words, expected)| (words.as_str(), *expected));
        tally.add(&recording.name, fault, &verdict);
    }
    tally.finish();
    Ok(tally)
}
