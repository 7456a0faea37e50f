//! What people said, on disk: read at the start, written with each change, tried again until it succeeds.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_proto::topic::PumpAddress;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Desk, Standing};
use crate::metrics::{Metrics, StateError};
use crate::treatment::{Damaged, Record, Stamp, Store};

/// How long a person waits for the disk.
const WRITE_MAX: Duration = Duration::from_secs(2);

/// How often the references of the membranes are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks between two tries of a disk that fails.
const LOOKS_PER_TRY: u32 = 5;

/// The record of one pump and who may change it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) standing: ArcSwap<Standing>,
    /// One change at a time.
    pub(super) turn: Mutex<()>,
    /// Held by whoever writes the file, also when nobody waits for him any longer: a slow write never overtakes a later one.
    file: Arc<Mutex<()>>,
    /// The file may hold something else than the record.
    owed: AtomicBool,
}

impl Place {
    pub(super) fn new(standing: Standing) -> Self {
        Self {
            standing: ArcSwap::from_pointee(standing),
            turn: Mutex::default(),
            file: Arc::default(),
            owed: AtomicBool::new(false),
        }
    }

    /// The record must be written again.
    pub(super) fn owe(&self) {
        self.owed.store(true, Ordering::Release);
    }
}

/// What people had said before the gateway started.
#[derive(Debug, Default)]
pub struct Restored {
    /// By pump, as the desk keeps it.
    pub standing: HashMap<PumpAddress, Standing>,
    /// By pump, as the rules know it.
    pub treatments: HashMap<PumpAddress, Treatment>,
    /// Whether a pump of which nobody has said anything counts as durable.
    pub durable: bool,
}

/// Reads what people had said. Whatever fails is told and counted; the gateway starts all the same, because a pump that
/// nobody watches is worse than one with the profile's own limits. Blocks on the disk.
#[must_use]
pub fn restore(store: Option<&Store>, profile: &Profile, at: Stamp, metrics: &Metrics) -> Restored {
    let Some(store) = store else {
        tracing::warn!(
            "nothing that people say about treatments survives a restart; set dir under [state]"
        );
        return Restored::default();
    };
    let read_errors = metrics.state_errors.get(StateError::Read);
    let found = match store.restore() {
        Ok(found) => found,
        Err(error) => {
            read_errors.increment(1);
            let why = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, why, "treatments are not restored: enter them anew");
            return Restored::default();
        }
    };
    let mut restored = Restored { durable: true, ..Restored::default() };
    for Damaged { address, path, aside, why } in found.damaged {
        read_errors.increment(1);
        let (path, aside) = (path.display(), aside.map(|aside| aside.display().to_string()));
        tracing::error!(%path, aside, why, "a treatment is not restored: enter it anew");
        if let Some(address) = address {
            let lost = Standing { record: Record::default(), durable: false };
            restored.standing.insert(address, lost);
        }
    }
    for (address, record) in found.records {
        let written = record.version;
        let record = record.resumed(at, profile);
        if record.version != written {
            tracing::warn!(pump = %address, "the profile no longer allows every limit that was set");
        }
        tracing::info!(pump = %address, version = record.version, "treatment restored");
        restored.treatments.insert(address.clone(), record.treatment());
        restored.standing.insert(address, Standing { durable: record.version == written, record });
    }
    restored
}

impl Desk {
    /// Writes a record; whether it is on disk now.
    pub(super) async fn keep(
        &self,
        place: &Arc<Place>,
        address: &PumpAddress,
        record: &Record,
    ) -> bool {
        let Some(store) = self.parts.store.clone() else { return false };
        let (whose, what, file) = (address.clone(), record.clone(), Arc::clone(&place.file));
        let writing = async move {
            let mine = file.lock_owned().await;
            let write = move || {
                let _mine = mine;
                store.write(&whose, &what)
            };
            tokio::task::spawn_blocking(write).await
        };
        let failed = match timeout(WRITE_MAX, writing).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                Some(format!("{error}: {}", source.unwrap_or_default()))
            }
            Ok(Err(panicked)) => Some(panicked.to_string()),
            Err(_elapsed) => Some(format!("the disk takes longer than {WRITE_MAX:?}")),
        };
        let was_owed = place.owed.swap(failed.is_some(), Ordering::AcqRel);
        if failed.is_some() {
            self.parts.metrics.state_errors.get(StateError::Write).increment(1);
        }
        // One line tells of a disk that fails, the counter of each try.
        if let Some(why) = failed.as_ref().filter(|_| !was_owed) {
            tracing::warn!(pump = %address, why, "what people said is in force and not durable");
        }
        failed.is_none()
    }

    /// Keeps the references of the membranes, and tries again what could not be written. Never ends.
    pub async fn run(&self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for look in 0_u32.. {
            looks.tick().await;
            let tries = look % LOOKS_PER_TRY == 0;
            for slot in self.parts.registry.list(None) {
                let place = self.place(&slot.address);
                // Somebody changes it: the next look is soon.
                let Ok(_turn) = place.turn.try_lock() else { continue };
                let standing = place.standing.load_full();
                let book = slot.rules();
                let found =
                    standing.record.with_baseline(book.treatment.circuit, book.membrane_baseline);
                let record = found.clone().unwrap_or_else(|| standing.record.clone());
                let undone = record.version > 0 && !standing.durable;
                let owed = undone || place.owed.load(Ordering::Acquire);
                let due = found.is_some() || (tries && owed);
                let durable = if due && self.parts.store.is_some() {
                    self.keep(&place, &slot.address, &record).await
                } else {
                    standing.durable
                };
                if found.is_some() || durable != standing.durable {
                    place.standing.store(Arc::new(Standing { record, durable }));
                }
            }
        }
    }
}
