//! What a person does, from the wish to the confirmation: resolved, written down, in force, told to the other gateways.
//!
//! The alarm thread resolves and checks it without changing anything; the audit log makes it durable; only then it is in force.
//! A disk that fails holds nobody up: the action is in force all the same, and is told as not durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::{Action, OfferEnd, Order, OwnershipState, What};
use ecmo_proto::topic::PumpAddress;
use tokio::sync::mpsc;

use crate::action::wire::{self, TreatmentRecord};
use crate::action::{ActionRecord, Applied, Intent, Prepared};
use crate::clock::Clock;
use crate::engine::{EngineHandle, NoAnswer};
use crate::store::audit::{Entry, Kind, Written, hex};
use crate::store::{Flight, Store, state};
use crate::treatment::Stamp;

/// Where actions go that other gateways must hear of: the pump and the sealed message.
pub type PeerOutlet = mpsc::Sender<(PumpAddress, Bytes)>;

/// What came of an action.
#[derive(Debug, Clone)]
pub struct Done {
    /// What took effect.
    pub applied: Applied,
    /// Whether it survives a restart of the gateway.
    pub durable: bool,
}

/// What actions need.
#[derive(Debug)]
pub struct ActionsParts {
    /// The clock.
    pub clock: Clock,
    /// The way to the alarm thread.
    pub engine: EngineHandle,
    /// What survives; `None`: nothing is durable.
    pub store: Option<Store>,
    /// Name of this gateway.
    pub gateway: String,
    /// Changes with each start.
    pub epoch: u64,
    /// The greatest order that is known from before.
    pub order: u64,
    /// Where other gateways hear of it, if there are any.
    pub peers: Option<PeerOutlet>,
}

/// Takes what people do.
#[derive(Debug)]
pub struct Actions {
    parts: ActionsParts,
    last_order: AtomicU64,
    last_number: AtomicU64,
}

/// Who, and what they added or why.
type Person = (String, String);

impl Actions {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(parts: ActionsParts) -> Self {
        let last_order = AtomicU64::new(parts.order);
        Self { parts, last_order, last_number: AtomicU64::default() }
    }

    /// What survives, if anything does.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.parts.store.as_ref()
    }

    /// The order of the next action: by the wall clock, and greater than every one that is known.
    pub fn next_order(&self, wall_ns: i64) -> Order {
        let wall = u64::try_from(wall_ns).unwrap_or(0);
        let next = |last: u64| wall.max(last.saturating_add(1));
        let advance = |last| Some(next(last));
        let last = self.last_order.fetch_update(Ordering::AcqRel, Ordering::Acquire, advance);
        Order { at: next(last.unwrap_or_default()), gateway: self.parts.gateway.clone() }
    }

    /// Takes note of the order of another gateway's action: those of this one are greater from now on.
    pub fn observe(&self, order: &Order) {
        self.last_order.fetch_max(order.at, Ordering::AcqRel);
    }

    /// A name for the next action.
    pub fn next_id(&self) -> String {
        let number = self.last_number.fetch_add(1, Ordering::AcqRel) + 1;
        format!("{}-{:016x}-{number}", self.parts.gateway, self.parts.epoch)
    }

    /// Does what a person asks for, in a task of its own: a display that goes away must not leave half of it.
    ///
    /// # Errors
    /// The alarm thread does not answer; or, inside, it is refused.
    pub async fn act(
        self: &Arc<Self>,
        intent: Intent,
        person: Person,
    ) -> Result<Result<Done, Refused>, NoAnswer> {
        let actions = Arc::clone(self);
        let acting = tokio::spawn(async move { actions.act_now(intent, person).await });
        // The task ends early only with the gateway.
        acting.await.unwrap_or(Err(NoAnswer))
    }

    async fn act_now(
        &self,
        intent: Intent,
        (by, note): Person,
    ) -> Result<Result<Done, Refused>, NoAnswer> {
        let prepared = match self.parts.engine.prepare(intent.clone(), by.clone()).await? {
            Ok(prepared) => prepared,
            Err(refused) => {
                let entry = self.refusal(&intent, (&by, &note), refused, String::new());
                if let Some(store) = &self.parts.store {
                    store.note(entry);
                }
                return Ok(Err(refused));
            }
        };
        let wall_ns = self.parts.clock.wall_ns();
        let order = self.next_order(wall_ns);
        let details = details(&intent);
        let record = |Prepared { address, what, named }| {
            let action = Action { order: order.clone(), by: by.clone(), note: note.clone(), what };
            let record = ActionRecord { id: self.next_id(), wall_ns, address, action };
            let mut entry = entry(kind(&intent), &record, details.clone());
            // The state may not be on disk yet that the action is about.
            let now = self.parts.clock.now();
            entry.state = state::named_alarms(named, Stamp { now, wall_ns });
            (record, entry)
        };
        let (records, entries): (Vec<ActionRecord>, Vec<Entry>) =
            prepared.into_iter().map(record).unzip();
        let (flight, written) = self.write(entries).await;
        let applied = self.parts.engine.apply(records.clone()).await;
        if let Ok(Err(refused)) = &applied {
            self.take_back(&intent, &records, *refused).await;
        }
        if let (Some(store), Some(flight)) = (&self.parts.store, flight) {
            store.landed(flight, written);
        }
        let applied = match applied? {
            Ok(applied) => applied,
            Err(refused) => return Ok(Err(refused)),
        };
        records
            .iter()
            .for_each(|record| self.tell(record.address.as_ref(), || wire::action(record)));
        Ok(Ok(Done { applied, durable: written.is_durable() }))
    }

    async fn write(&self, entries: Vec<Entry>) -> (Option<Flight>, Written) {
        let Some(store) = &self.parts.store else { return (None, Written::Never) };
        let flight = store.begin();
        (Some(flight), store.write(entries).await)
    }

    /// What was written down changed meanwhile and is refused: a restart must not do it.
    async fn take_back(&self, intent: &Intent, records: &[ActionRecord], refused: Refused) {
        let Some(store) = &self.parts.store else { return };
        let refusal = |record: &ActionRecord| {
            let person = (record.action.by.as_str(), record.action.note.as_str());
            self.refusal(intent, person, refused, record.id.clone())
        };
        store.write(records.iter().map(refusal).collect()).await;
    }

    fn refusal(
        &self,
        intent: &Intent,
        (by, note): (&str, &str),
        refused: Refused,
        of: String,
    ) -> Entry {
        let wall_ns = self.parts.clock.wall_ns();
        let details = format!("{}: {refused:?}", details(intent));
        let mut entry = Entry::of_gateway(Kind::Refused, &self.parts.gateway, wall_ns, details);
        (entry.by, entry.note, entry.refused) = (by.to_owned(), note.to_owned(), of);
        entry
    }

    /// Notes that a person was refused, when there is time.
    pub fn note_refusal(
        &self,
        address: Option<&PumpAddress>,
        person: (&str, &str),
        details: String,
    ) {
        self.note(Kind::Refused, address, person, details);
    }

    /// Notes what happened with a person, when there is time.
    pub fn note(
        &self,
        kind: Kind,
        address: Option<&PumpAddress>,
        (by, note): (&str, &str),
        details: String,
    ) {
        let Some(store) = &self.parts.store else { return };
        let wall_ns = self.parts.clock.wall_ns();
        let mut entry = Entry::of_gateway(kind, &self.parts.gateway, wall_ns, details);
        (entry.by, entry.note) = (by.to_owned(), note.to_owned());
        if let Some(address) = address {
            (entry.ward, entry.pump) = (address.ward.to_string(), address.pump.to_string());
        }
        store.note(entry);
    }

    /// Tells the other gateways. What finds no room they ask for, because their digests differ.
    fn tell(&self, address: Option<&PumpAddress>, message: impl FnOnce() -> Bytes) {
        // Alarms about the displays of a ward are the gateway's own.
        let address = address.filter(|address| !address.pump.is_reserved());
        let (Some(peers), Some(address)) = (&self.parts.peers, address) else { return };
        if peers.try_send((address.clone(), message())).is_err() {
            tracing::warn!(pump = %address, "an action found no room on its way to other gateways");
        }
    }

    /// Takes an action of another gateway: in force, and written down when there is time.
    ///
    /// # Errors
    /// The alarm thread has no room for it: it is not taken, and comes again.
    pub fn merge(&self, record: ActionRecord) -> Result<(), NoAnswer> {
        self.observe(&record.action.order);
        let entry = entry(kind_of(&record.action.what), &record, "of another gateway".to_owned());
        self.parts.engine.merge(record)?;
        if let Some(store) = &self.parts.store {
            store.note(entry);
        }
        Ok(())
    }

    /// Writes down something said about a treatment: what it was, and what it is.
    pub async fn write_treatment(
        &self,
        kind: Kind,
        record: &TreatmentRecord,
        old: Option<String>,
        details: String,
    ) -> (Option<Flight>, Written) {
        let mut entry = Entry::of_gateway(kind, &record.order.gateway, record.wall_ns, details);
        (entry.by, entry.note) = (record.by.clone(), record.note.clone());
        (entry.ward, entry.pump) =
            (record.address.ward.to_string(), record.address.pump.to_string());
        (entry.old, entry.new) = (old, Some(record.record.clone()));
        entry.action = hex(&wire::treatment(record));
        self.write(vec![entry]).await
    }

    /// A treatment that was written down is not in force: a restart must not bring it.
    pub async fn take_treatment_back(&self, record: &TreatmentRecord, why: &str) {
        let Some(store) = &self.parts.store else { return };
        let details = format!("treatment: {why}");
        let wall_ns = self.parts.clock.wall_ns();
        let mut entry = Entry::of_gateway(Kind::Refused, &self.parts.gateway, wall_ns, details);
        (entry.by, entry.refused) = (record.by.clone(), record.id.clone());
        store.write(vec![entry]).await;
    }

    /// Tells the other gateways of a treatment that is in force.
    pub fn tell_treatment(&self, record: &TreatmentRecord) {
        self.tell(Some(&record.address), || wire::treatment(record));
    }
}

fn entry(kind: Kind, record: &ActionRecord, details: String) -> Entry {
    let Action { order, by, note, what } = &record.action;
    let mut entry = Entry::of_gateway(kind, &order.gateway, record.wall_ns, details);
    (entry.by, entry.note) = (by.clone(), note.clone());
    if let Some(address) = &record.address {
        (entry.ward, entry.pump) = (address.ward.to_string(), address.pump.to_string());
    }
    entry.new = Some(said(what));
    entry.action = hex(&wire::action(record));
    entry
}

/// What a person asked for, in words.
fn details(intent: &Intent) -> String {
    match intent {
        Intent::Acknowledge { id, revision } => format!("{id} as of revision {revision}"),
        Intent::Pause { target, lasts } => format!("{target} for {} s", lasts.as_secs()),
        Intent::Resume { target } => target.to_string(),
        Intent::Shelve { id, lasts } => format!("{id} for {} s", lasts.as_secs()),
        Intent::Unshelve { address, condition } => format!("{address}/{condition}"),
        Intent::Accept { address } | Intent::Reject { address } => address.to_string(),
        Intent::HandOver { address, to } => format!("{address} to {to:?}"),
        Intent::AssignBed { address, bed } => format!("{address} at bed {bed:?}"),
    }
}

/// What an action makes so, in words.
fn said(what: &What) -> String {
    match what {
        What::Acknowledge(alarm) | What::AcknowledgeEnded(alarm) => {
            format!("{} up to call {}", alarm.id, alarm.call)
        }
        What::Pause { alarms, left, .. } => {
            format!("{} alarms quiet for {} s", alarms.len(), left.as_secs())
        }
        What::Resume { alarms, .. } => format!("{} alarms heard again", alarms.len()),
        What::Shelve { condition, left } if left.is_zero() => format!("{condition} not shelved"),
        What::Shelve { condition, left } => format!("{condition} shelved for {} s", left.as_secs()),
        What::Own(state) => owned(state),
        What::Bed(bed) => format!("at bed {bed:?}"),
    }
}

fn owned(state: &OwnershipState) -> String {
    let owner = state.owner.as_deref().unwrap_or("nobody");
    let offer = state.offer.as_ref().map(|(to, _left)| format!(", offered to {to:?}"));
    let ended = match state.last_offer {
        None => "",
        Some(OfferEnd::Accepted) => ", offer accepted",
        Some(OfferEnd::Rejected) => ", offer rejected",
        Some(OfferEnd::Lapsed) => ", offer lapsed",
    };
    let asked = if state.unanswered { ", the ward is asked" } else { "" };
    format!("owner {owner:?}{}{ended}{asked}", offer.unwrap_or_default())
}

const fn kind(intent: &Intent) -> Kind {
    match intent {
        Intent::Acknowledge { .. } => Kind::Acknowledge,
        Intent::Pause { .. } => Kind::Pause,
        Intent::Resume { .. } => Kind::Resume,
        Intent::Shelve { .. } => Kind::Shelve,
        Intent::Unshelve { .. } => Kind::Unshelve,
        Intent::Accept { .. } => Kind::Accept,
        Intent::HandOver { .. } => Kind::HandOver,
        Intent::Reject { .. } => Kind::Reject,
        Intent::AssignBed { .. } => Kind::AssignBed,
    }
}

const fn kind_of(what: &What) -> Kind {
    match what {
        What::Acknowledge(_) | What::AcknowledgeEnded(_) => Kind::Acknowledge,
        What::Pause { .. } => Kind::Pause,
        What::Resume { .. } => Kind::Resume,
        What::Shelve { left, .. } if left.is_zero() => Kind::Unshelve,
        What::Shelve { .. } => Kind::Shelve,
        What::Own(_) => Kind::Own,
        What::Bed(_) => Kind::AssignBed,
    }
}
