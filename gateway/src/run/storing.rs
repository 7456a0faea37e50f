//! Opens what survives, brings it back, and watches whether what people do reaches the disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::StartError;
use crate::clock::Clock;
use crate::config::Settings;
use crate::desk;
use crate::engine::{self, EngineHandle};
use crate::metrics::{Folder, Metrics};
use crate::peer;
use crate::store::state::StateIntake;
use crate::store::{self, Store, StoreParts, StoreThreads};
use crate::treatment::Stamp;

/// How often it is looked whether everything reaches the disk.
const LOOK: Duration = Duration::from_millis(200);

/// What was opened and brought back; nothing, where nothing survives.
#[derive(Default)]
pub(super) struct Stored {
    /// For the alarm thread.
    pub(super) restored: engine::Restored,
    /// For the desk.
    pub(super) said: desk::Restored,
    /// The way to the store.
    pub(super) store: Option<Store>,
    /// The alarm thread's end.
    pub(super) intake: Option<StateIntake>,
    /// The greatest order that is known.
    pub(super) order: u64,
    /// To be ended.
    pub(super) threads: Option<StoreThreads>,
}

/// Metrics that tell by which settings is decided, and which disks must have room.
pub(super) fn described(metrics: Metrics, settings: &Settings) -> Metrics {
    metrics.set_config(peer::config_digest(settings, &settings.alarms.in_force()));
    let journal = settings.journal.as_ref().map(|journal| &journal.dir);
    for (folder, dir) in [(Folder::State, settings.state_dir.as_ref()), (Folder::Journal, journal)]
    {
        if let Some(dir) = dir {
            metrics.set_folder(folder, dir);
        }
    }
    metrics
}

/// Opens the store, before the first frame is judged.
pub(super) async fn open(
    settings: &Settings,
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> Result<Stored, StartError> {
    let Some(dir) = settings.state_dir.clone() else {
        tracing::warn!("nothing that people do or say survives a restart; set dir under [state]");
        return Ok(Stored::default());
    };
    let opened = opened(dir.clone(), settings, clock, metrics).await?;
    let at = Stamp { now: clock.now(), wall_ns: clock.wall_ns() };
    let profile = settings.alarms.in_force();
    let place = (&opened.store, dir.as_path());
    let of = (settings.name.as_str(), profile.as_ref());
    let mut said = desk::restore(place, opened.treatments, of, at, metrics).await;
    let (pumps, redone) = (opened.kept.len(), opened.redo.len());
    tracing::info!(pumps, redone, "what was kept is in force again");
    let treatments = std::mem::take(&mut said.treatments);
    let restored =
        engine::Restored { treatments, kept: opened.kept, ended: opened.ended, redo: opened.redo };
    Ok(Stored {
        restored,
        said,
        store: Some(opened.store),
        intake: Some(opened.intake),
        order: opened.order,
        threads: Some(opened.threads),
    })
}

async fn opened(
    dir: PathBuf,
    settings: &Settings,
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> Result<store::Opened, StartError> {
    let (gateway, metrics) = (settings.name.to_string(), Arc::clone(metrics));
    let opening =
        move || store::open(&StoreParts { dir: &dir, gateway: &gateway, clock, metrics: &metrics });
    tokio::task::spawn_blocking(opening).await?.map_err(StartError::Thread)
}

/// Goes on from what was restored, which the alarm thread has offered by now, and watches over the store.
pub(super) fn run(
    tasks: &mut JoinSet<&'static str>,
    store: Option<Store>,
    engine: EngineHandle,
    clock: Clock,
) {
    if let Some(store) = store {
        store.redone();
        tasks.spawn(watch(store, engine, clock));
    }
}

/// Tells the alarm thread whether what people do is durable. Never ends.
async fn watch(store: Store, engine: EngineHandle, clock: Clock) -> &'static str {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut since = clock.now();
    let mut told = None;
    loop {
        looks.tick().await;
        let durable = store.is_durable(clock.now(), &mut since);
        if told != Some(durable) && engine.state_durable(durable).is_ok() {
            told = Some(durable);
        }
    }
}
