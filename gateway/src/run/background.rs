//! What goes on beside the services: the directory, waveforms, history, treatments, and the watch over the serving side.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::desk::Desk;
use crate::engine::{EngineOutputs, Waveform};
use crate::fanout::PumpSlot;
use crate::grpc::Serving;
use crate::history::{Batch, Histories};
use crate::http;
use crate::metrics::{Metrics, RuntimeName};
use crate::registry::Registry;

/// How often the serving side's timer is looked at.
const LAG_PERIOD: Duration = Duration::from_millis(50);

/// What goes on beside the services: none of it ends before the gateway does.
pub(super) fn background(
    outputs: EngineOutputs,
    serving: &Serving,
    histories: Arc<Histories>,
) -> JoinSet<&'static str> {
    let mut tasks = JoinSet::new();
    let (registry, metrics) = (Arc::clone(&serving.registry), Arc::clone(&serving.metrics));
    tasks.spawn(direct(outputs.new_pumps, registry, Arc::clone(&metrics)));
    tasks.spawn(pass_waveforms(outputs.waveforms));
    tasks.spawn(keep_history(outputs.history, histories));
    tasks.spawn(keep_treatments(Arc::clone(&serving.desk)));
    tasks.spawn(watch_over(metrics, serving.clock));
    tasks
}

async fn keep_history(mut rows: mpsc::Receiver<Batch>, histories: Arc<Histories>) -> &'static str {
    while let Some(batch) = rows.recv().await {
        histories.take(batch);
    }
    // Without a history there is nothing to keep, and nothing that could end.
    if !histories.is_kept() {
        std::future::pending::<()>().await;
    }
    "history"
}

async fn keep_treatments(desk: Arc<Desk>) -> &'static str {
    desk.run().await;
    "desk"
}

async fn pass_waveforms(mut waveforms: mpsc::Receiver<Waveform>) -> &'static str {
    while let Some((slot, frame)) = waveforms.recv().await {
        slot.pass_waveforms(frame);
    }
    "waveforms"
}

/// Keeps the metrics bounded, and measures how late a timer of the serving side fires: what a busy gateway adds to every
/// view.
async fn watch_over(metrics: Arc<Metrics>, clock: Clock) -> &'static str {
    let lag = metrics.runtime_lag_seconds.get(RuntimeName::Serving).clone();
    let probe = async {
        loop {
            let due = clock.now().plus(LAG_PERIOD);
            tokio::time::sleep_until(clock.deadline(due)).await;
            lag.record(clock.now().since(due).as_secs_f64());
        }
    };
    tokio::select! {
        () = http::upkeep(metrics) => "upkeep",
        () = probe => "probe",
    }
}

/// Gives each new pump its series and its place in the directory.
async fn direct(
    mut new_pumps: mpsc::Receiver<Arc<PumpSlot>>,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
) -> &'static str {
    while let Some(slot) = new_pumps.recv().await {
        slot.set_metrics(metrics.pump(&slot.address));
        tracing::info!(pump = %slot.address, "new pump");
        registry.insert(slot);
    }
    "directory"
}
