//! Starts the history where one is to be kept.

use std::sync::Arc;

use super::StartError;
use crate::clock::Clock;
use crate::config::Settings;
use crate::disclosure::{Disclosed, DisclosureParts, DisclosureThread};
use crate::grpc;
use crate::journal::Outtake;
use crate::metrics::Metrics;

/// Starts the history's thread, if the settings name a folder. It opens what is there by itself: nobody waits for it.
pub(super) fn start(
    settings: &Settings,
    (clock, metrics): (Clock, &Arc<Metrics>),
    outtake: Outtake,
    disclosed: Option<Disclosed>,
) -> Result<Option<DisclosureThread>, StartError> {
    let Some((keep, disclosed)) = settings.disclosure.clone().zip(disclosed) else {
        tracing::info!(
            "no [history] dir and no [state] dir: what was measured cannot be looked up"
        );
        return Ok(None);
    };
    let parts = DisclosureParts {
        clock,
        metrics: Arc::clone(metrics),
        keep,
        outtake,
        disclosed,
        write_alarm: grpc::write_alarm,
    };
    DisclosureThread::start(parts).map(Some).map_err(StartError::Thread)
}
