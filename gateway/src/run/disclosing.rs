//! Starts the history where one is to be kept.

use std::sync::Arc;

use super::StartError;
use crate::clock::Clock;
use crate::config::Settings;
use crate::disclosure::{Disclosed, DisclosureParts, DisclosureThread};
use crate::grpc;
use crate::journal::{self, Feeder, Intake};
use crate::metrics::Metrics;

/// The history that was started, and the ways to it; nothing, where none is kept.
#[derive(Default)]
pub(super) struct Past {
    /// The alarm thread's end.
    pub(super) intake: Option<Intake>,
    /// The journal's end, for what comes from spools.
    pub(super) feeder: Option<Feeder>,
    /// Where questions find it.
    pub(super) disclosed: Option<Disclosed>,
    /// To be ended.
    pub(super) thread: Option<DisclosureThread>,
}

/// Starts the history's thread, if the settings name a folder. It opens what is there by itself: nobody waits for it.
pub(super) fn start(
    settings: &Settings,
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> Result<Past, StartError> {
    let Some(keep) = settings.disclosure.clone() else {
        tracing::info!(
            "no [history] dir and no [state] dir: what was measured cannot be looked up"
        );
        return Ok(Past::default());
    };
    let (intake, outtake) = journal::intake(metrics.history.dropped.clone());
    let disclosed = Disclosed::default();
    let thread = DisclosureThread::start(DisclosureParts {
        clock,
        metrics: Arc::clone(metrics),
        keep,
        outtake,
        disclosed: Arc::clone(&disclosed),
        write_alarm: grpc::write_alarm,
    });
    Ok(Past {
        feeder: Some(intake.feeder()),
        intake: Some(intake),
        disclosed: Some(disclosed),
        thread: Some(thread.map_err(StartError::Thread)?),
    })
}
