//! Starts the journal where one is to be kept, and brings its notices to the alarm thread.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::StartError;
use crate::clock::Clock;
use crate::config::{PUMPS_MAX, Settings};
use crate::engine::{EngineHandle, EngineOutputs};
use crate::ingest::Requests;
use crate::journal::{Feeder, JournalParts, JournalThread, Missed, Notice, Outtake};
use crate::metrics::Metrics;

/// Notices of missed alarms on their way to the alarm thread; one a pump is enough.
const NOTICES_MAX: usize = PUMPS_MAX;

/// The journal that was started, and what comes out of it.
pub(super) struct Recording {
    thread: JournalThread,
    pub(super) missed: Arc<Missed>,
    notices: mpsc::Receiver<Notice>,
}

/// Starts the journal, if the settings name a folder.
pub(super) fn start(
    settings: &Settings,
    (clock, metrics): (Clock, &Arc<Metrics>),
    (outtake, outputs): (Outtake, &mut EngineOutputs),
    requests: Requests,
    history: Option<Feeder>,
) -> Result<Option<Recording>, StartError> {
    let Some(keep) = settings.journal.clone() else {
        tracing::info!("no [journal] dir: frames are not recorded, and none is asked for again");
        return Ok(None);
    };
    let (notices, noticed) = mpsc::channel(NOTICES_MAX);
    // The engine's outputs are taken apart later: what stays there is a channel that nobody fills.
    let (_nobody, empty) = mpsc::channel(1);
    let missed = Arc::new(Missed::default());
    let thread = JournalThread::start(JournalParts {
        clock,
        metrics: Arc::clone(metrics),
        keep,
        pumps: settings.pumps.len(),
        outtake,
        parts: std::mem::replace(&mut outputs.backfill, empty),
        requests,
        profile: settings.alarms.in_force(),
        missed: Arc::clone(&missed),
        notices,
        history,
    });
    let thread = thread.map_err(StartError::Thread)?;
    Ok(Some(Recording { thread, missed, notices: noticed }))
}

impl Recording {
    /// Brings notices to the alarm thread from now on; the thread, to be ended.
    pub(super) fn run(
        self,
        tasks: &mut JoinSet<&'static str>,
        engine: EngineHandle,
    ) -> JournalThread {
        tasks.spawn(note_missed(self.notices, engine));
        self.thread
    }
}

/// Tells the alarm thread where something was missed.
async fn note_missed(mut notices: mpsc::Receiver<Notice>, engine: EngineHandle) -> &'static str {
    while let Some(notice) = notices.recv().await {
        let (address, told) = match notice {
            Notice::Missed(address) => (address.clone(), engine.note_missed(address).await),
            Notice::Differs(address, difference) => {
                (address.clone(), engine.note_difference(address, difference).await)
            }
        };
        // The list and the log hold it; a notice that the alarm thread has no room for comes with the next one.
        if told.is_err() {
            tracing::warn!(pump = %address, "a notice of what was judged afterwards found no room");
        }
    }
    "notices"
}
