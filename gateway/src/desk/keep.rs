//! What people said about treatments, as it survives: read at the start, written down with each change, told when it is not.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::{Mutex as Held, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use ecmo_core::alarm::action::Order;
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::treatment::Treatment;
use ecmo_proto::topic::PumpAddress;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use super::{Desk, Said, Standing};
use crate::action::wire::{self, TreatmentRecord};
use crate::metrics::{Metrics, StateError};
use crate::store::audit::{Entry, Kind, Ticket, Written, hex};
use crate::store::{Flight, Store};
use crate::treatment::{Damaged, Earlier, Record, Stamp};

/// How often the references of the membranes are looked at, and whether what was owed is durable.
const LOOK: Duration = Duration::from_secs(1);

/// Looks between two tries of what found no room.
const LOOKS_PER_TRY: u32 = 5;

/// What is not on disk of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    Nothing,
    /// It waits in the log.
    Waits(Ticket),
    /// It must be written once more.
    Writing,
}

/// The record of one pump and who may change it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) standing: ArcSwap<Standing>,
    /// One change at a time.
    pub(super) turn: Mutex<()>,
    owed: Held<Owed>,
}

impl Place {
    pub(super) fn new(standing: Standing) -> Self {
        let undone = standing.record.version > 0 && !standing.durable;
        let owed = if undone { Owed::Writing } else { Owed::Nothing };
        Self {
            standing: ArcSwap::from_pointee(standing),
            turn: Mutex::default(),
            owed: Held::new(owed),
        }
    }

    fn owed(&self) -> Owed {
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owe(&self, written: Written) {
        let owed = match written {
            Written::Durable(_) => Owed::Nothing,
            Written::Later(ticket) => Owed::Waits(ticket),
            Written::Never => Owed::Writing,
        };
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = owed;
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

/// Brings what was kept in force again, with what an earlier gateway left in files. Whatever fails is told and counted; the
/// gateway starts all the same, because a pump that nobody watches is worse than one with the profile's own limits.
pub async fn restore(
    (store, dir): (&Store, &Path),
    mut kept: HashMap<PumpAddress, Record>,
    (gateway, profile): (&str, &Profile),
    at: Stamp,
    metrics: &Metrics,
) -> Restored {
    let durable = store.write(Vec::new()).await.is_durable();
    let mut restored = Restored { durable, ..Restored::default() };
    import((store, dir), &mut kept, gateway, (at, metrics), &mut restored).await;
    for (address, record) in kept {
        let written = record.version;
        let record = record.resumed(at, profile);
        if record.version != written {
            tracing::warn!(pump = %address, "the profile no longer allows every limit that was set");
        }
        tracing::info!(pump = %address, version = record.version, "treatment restored");
        restored.treatments.insert(address.clone(), record.treatment());
        let durable = record.version == written;
        restored.standing.insert(address, Standing { durable, record, order: Order::default() });
    }
    restored
}

/// Takes over the files of an earlier gateway.
async fn import(
    (store, dir): (&Store, &Path),
    kept: &mut HashMap<PumpAddress, Record>,
    gateway: &str,
    (at, metrics): (Stamp, &Metrics),
    restored: &mut Restored,
) {
    let read_errors = metrics.state_errors.get(StateError::Read);
    let earlier = Earlier::new(dir.to_owned());
    let found = match earlier.restore() {
        Ok(found) => found,
        Err(error) => {
            // The store in the same folder has counted it.
            let why = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, why, "files of treatments cannot be read");
            return;
        }
    };
    for Damaged { address, path, aside, why } in found.damaged {
        read_errors.increment(1);
        let (path, aside) = (path.display(), aside.map(|aside| aside.display().to_string()));
        tracing::error!(%path, aside, why, "a treatment is not taken over: enter it anew");
        if let Some(address) = address.filter(|address| !kept.contains_key(address)) {
            let lost =
                Standing { record: Record::default(), durable: false, order: Order::default() };
            restored.standing.insert(address, lost);
        }
    }
    for (address, record) in found.records {
        if !kept.contains_key(&address) {
            let Ok(text) = record.to_text(&address) else { continue };
            let told = TreatmentRecord {
                id: format!("{gateway}-imported-{}-{address}", at.wall_ns).replace('/', "-"),
                wall_ns: at.wall_ns,
                address: address.clone(),
                order: Order {
                    at: u64::try_from(at.wall_ns).unwrap_or(0),
                    gateway: gateway.to_owned(),
                },
                by: String::new(),
                note: String::new(),
                version: record.version,
                patient: record.patient,
                record: text.clone(),
            };
            let mut entry = Entry::of_gateway(Kind::Imported, gateway, at.wall_ns, String::new());
            (entry.ward, entry.pump) = (address.ward.to_string(), address.pump.to_string());
            (entry.new, entry.action) = (Some(text.clone()), hex(&wire::treatment(&told)));
            kept.insert(address.clone(), record);
            let flight = store.begin();
            let written = store.write(vec![entry]).await;
            store.keep_treatment(&address, text);
            store.landed(flight, written);
            if !written.is_durable() {
                // The file stays where it is, and is read again.
                continue;
            }
            tracing::info!(pump = %address, "treatment taken over from its file");
        }
        if let Err(error) = earlier.put_away(&address) {
            tracing::warn!(%error, "it is read again at the next start");
        }
    }
}

impl Desk {
    /// Writes a record down; what is to be ended with it.
    pub(super) async fn keep(
        &self,
        place: &Place,
        (address, before, record): (&PumpAddress, &Record, &Record),
        said: &Said,
    ) -> Result<(TreatmentRecord, Option<Flight>, Written), String> {
        let wall_ns = self.stamp().wall_ns;
        let old = if before.version > 0 { Some(before.to_text(address)?) } else { None };
        let told = TreatmentRecord {
            id: self.parts.actions.next_id(),
            wall_ns,
            address: address.clone(),
            order: self.parts.actions.next_order(wall_ns),
            by: said.by.clone(),
            note: said.note.clone(),
            version: record.version,
            patient: record.patient,
            record: record.to_text(address)?,
        };
        let details = said.what.clone();
        let writing = self.parts.actions.write_treatment(said.kind, &told, old, details);
        let (flight, written) = writing.await;
        place.owe(written);
        Ok((told, flight, written))
    }

    /// What was written down is in force and offered to the state.
    pub(super) fn land(&self, told: &TreatmentRecord, flight: Option<Flight>, written: Written) {
        if let (Some(store), Some(flight)) = (self.parts.actions.store(), flight) {
            store.keep_treatment(&told.address, told.record.clone());
            store.landed(flight, written);
        }
    }

    /// Keeps the references of the membranes, and tells when what could not be written is durable. Never ends.
    pub async fn run(&self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for look in 0_u32.. {
            looks.tick().await;
            for slot in self.parts.registry.list(None) {
                let place = self.place(&slot.address);
                // Somebody changes it: the next look is soon.
                let Ok(_turn) = place.turn.try_lock() else { continue };
                let standing = place.standing.load_full();
                let book = slot.rules();
                let found =
                    standing.record.with_baseline(book.treatment.circuit, book.membrane_baseline);
                let record = found.clone().unwrap_or_else(|| standing.record.clone());
                let tries = look % LOOKS_PER_TRY == 0 && place.owed() == Owed::Writing;
                let durable = if found.is_some() || tries {
                    self.keep_again(&place, &slot.address, &standing.record, &record).await
                } else {
                    standing.durable || self.is_settled(place.owed())
                };
                if found.is_some() || durable != standing.durable {
                    let order = standing.order.clone();
                    place.standing.store(Arc::new(Standing { record, durable, order }));
                }
            }
        }
    }

    fn is_settled(&self, owed: Owed) -> bool {
        match owed {
            Owed::Waits(ticket) => {
                self.parts.actions.store().is_some_and(|store| store.is_settled(ticket))
            }
            Owed::Nothing | Owed::Writing => false,
        }
    }

    /// Writes down what the gateway itself found, or what found no room; whether it is durable.
    async fn keep_again(
        &self,
        place: &Place,
        address: &PumpAddress,
        before: &Record,
        record: &Record,
    ) -> bool {
        if self.parts.actions.store().is_none() {
            return false;
        }
        let said = Said::of_gateway();
        match self.keep(place, (address, before, record), &said).await {
            Ok((told, flight, written)) => {
                self.land(&told, flight, written);
                written.is_durable()
            }
            Err(why) => {
                tracing::error!(pump = %address, why, "a treatment cannot be written");
                false
            }
        }
    }
}
