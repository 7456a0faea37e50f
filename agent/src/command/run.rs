//! `ecmo-agent run`: samples and publishes until a signal comes.

use std::path::Path;

use ecmo_agent::Settings;
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, fault, of_run, settings_fault};

/// Runs until a signal comes.
pub(crate) fn run(config: &Path) -> Result<(), Exit> {
    let settings = Settings::load(config).map_err(settings_fault)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
    let summary = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
        let stop = async move {
            tokio::select! {
                _signal = interrupt.recv() => {}
                _signal = terminate.recv() => {}
            }
            tracing::info!("stopping");
        };
        ecmo_agent::run(settings, stop).await.map_err(of_run)
    })?;
    let counts = summary.entries().into_iter().map(|(name, count)| format!("{name}={count}"));
    tracing::info!(counts = counts.collect::<Vec<_>>().join(" "), "stopped");
    Ok(())
}
