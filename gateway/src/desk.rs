//! Where people change treatments: one change at a time for each pump, written down, then put in force.
//!
//! A change is checked, written to the audit log, and handed to the alarm thread, which never waits for a disk. When the disk
//! fails the change is in force all the same, and everybody is told that it is not durable: a limit that a person needs now must
//! not wait for a disk. What could not be written is written as soon as the disk lets it.

mod keep;

mod said;

mod trial;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ecmo_core::alarm::action::Order;
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::rule::{NotEvaluable, RuleKey};
use ecmo_core::alarm::treatment::ContextKind;
use ecmo_proto::topic::PumpAddress;

use crate::action::wire::TreatmentRecord;
use crate::actions::Actions;
use crate::clock::Clock;
use crate::engine::{EngineHandle, NoAnswer};
use crate::fanout::PumpSlot;
use crate::history::Histories;
use crate::registry::Registry;
use crate::store::audit::Kind;
use crate::treatment::{CaseEntry, ChangeError, Person, Record, Stamp};

use keep::Place;

pub use keep::{Restored, restore};
pub use trial::LimitTrial;

/// Why a person does not get what they ask for.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The pump was never seen.
    #[error("no pump {0} was ever seen; list the pumps for their names")]
    UnknownPump(PumpAddress),
    /// The change is refused.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The rule cannot be tried.
    #[error("the rule {0} cannot be judged: {id}; complete the case first", id = .1.id())]
    NotEvaluable(RuleKey, NotEvaluable),
    /// The alarm thread took no command; nothing has changed.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The alarm thread has the command and did not say that it is done.
    #[error(
        "the change is on its way, and the alarm thread has not confirmed it; look at the treatment again"
    )]
    NotConfirmed,
}

/// What people have said about a pump's treatment, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The record.
    pub record: Record,
    /// Whether it survives a restart of the gateway.
    pub durable: bool,
    /// The change that it comes from; the least after a restart.
    pub order: Order,
}

/// What is said with a change, for the audit log.
#[derive(Debug, Clone)]
struct Said {
    kind: Kind,
    by: String,
    note: String,
    what: String,
}

impl Said {
    fn new(by: &Person, note: &str, what: String) -> Self {
        Self { kind: Kind::Treatment, by: by.as_str().to_owned(), note: note.to_owned(), what }
    }

    fn of_gateway() -> Self {
        let what = "membrane's reference, or what found no room before".to_owned();
        Self { kind: Kind::TreatmentByGateway, by: String::new(), note: String::new(), what }
    }
}

/// What the desk works with.
#[derive(Debug)]
pub struct DeskParts {
    /// The clock.
    pub clock: Clock,
    /// The rules of the site.
    pub profile: Arc<Profile>,
    /// The way to the alarm thread.
    pub engine: EngineHandle,
    /// The pumps.
    pub registry: Arc<Registry>,
    /// What the values were.
    pub histories: Arc<Histories>,
    /// Where it is written down and told to other gateways.
    pub actions: Arc<Actions>,
    /// What is known from before.
    pub standing: HashMap<PumpAddress, Standing>,
    /// Whether a pump of which nobody has said anything counts as durable.
    pub durable: bool,
}

/// The desk.
#[derive(Debug)]
pub struct Desk {
    parts: DeskParts,
    places: Mutex<HashMap<PumpAddress, Arc<Place>>>,
}

impl Desk {
    /// A desk that knows what was restored.
    #[must_use]
    pub fn new(mut parts: DeskParts) -> Self {
        let restored = std::mem::take(&mut parts.standing);
        let places = restored.into_iter().map(|(address, it)| (address, Arc::new(Place::new(it))));
        Self { places: Mutex::new(places.collect()), parts }
    }

    /// The rules of the site.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.parts.profile
    }

    /// What people have said about a pump.
    #[must_use]
    pub fn standing(&self, address: &PumpAddress) -> Arc<Standing> {
        self.place(address).standing.load_full()
    }

    fn place(&self, address: &PumpAddress) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        // Displays ask for every pump ten times a second: an address is copied only for a new one.
        if let Some(known) = places.get(address) {
            return Arc::clone(known);
        }
        let nobody_yet = Standing {
            record: Record::default(),
            durable: self.parts.durable,
            order: Order::default(),
        };
        let place = Arc::new(Place::new(nobody_yet));
        places.insert(address.clone(), Arc::clone(&place));
        place
    }

    fn slot(&self, address: &PumpAddress) -> Result<Arc<PumpSlot>, DeskError> {
        let known = self.parts.registry.get(address);
        known.ok_or_else(|| DeskError::UnknownPump(address.clone()))
    }

    fn stamp(&self) -> Stamp {
        Stamp { now: self.parts.clock.now(), wall_ns: self.parts.clock.wall_ns() }
    }

    /// Begins the treatment of a new patient.
    ///
    /// # Errors
    /// The pump was never seen, the version is older, a value is out of range, or the alarm thread does not answer.
    pub async fn start(
        self: &Arc<Self>,
        address: PumpAddress,
        seen: u64,
        case: CaseEntry,
        by: Person,
    ) -> Result<Arc<Standing>, DeskError> {
        let said = Said::new(&by, "", "treatment of a new patient".to_owned());
        self.change(address, said, move |record, at| record.start(seen, case, &by, at)).await
    }

    /// Replaces the case of the same patient.
    ///
    /// # Errors
    /// As [`Desk::start`]; or nobody has started a treatment.
    pub async fn change_case(
        self: &Arc<Self>,
        address: PumpAddress,
        seen: u64,
        case: CaseEntry,
        by: Person,
    ) -> Result<Arc<Standing>, DeskError> {
        let said = Said::new(&by, "", "case".to_owned());
        self.change(address, said, move |record, at| record.change_case(seen, case, &by, at)).await
    }

    /// Sets a limit, or takes back what was set; `person` is who, and why.
    ///
    /// # Errors
    /// As [`Desk::change_case`]; or an unknown rule, or a number that the site does not allow.
    pub async fn set_limit(
        self: &Arc<Self>,
        address: PumpAddress,
        seen: u64,
        (rule, number): (String, Option<f32>),
        (by, reason): (Person, String),
    ) -> Result<Arc<Standing>, DeskError> {
        let slot = self.slot(&address)?;
        let profile = Arc::clone(&self.parts.profile);
        let to = number.map_or_else(|| "the profile's".to_owned(), |number| number.to_string());
        let said = Said::new(&by, &reason, format!("limit {rule} to {to}"));
        self.change(address, said, move |record, at| {
            if number.is_some() {
                let key = record.check_limit(&rule, number, &profile)?;
                check_circuit(&slot, key)?;
            }
            record.set_limit(seen, (&rule, number), (&by, &reason), at, &profile)
        })
        .await
    }

    /// Declares a context.
    ///
    /// # Errors
    /// The pump was never seen, the profile does not allow it, or the alarm thread does not answer.
    pub async fn start_context(
        self: &Arc<Self>,
        address: PumpAddress,
        kind: ContextKind,
        minutes: u32,
        by: Person,
    ) -> Result<Arc<Standing>, DeskError> {
        let profile = Arc::clone(&self.parts.profile);
        let said = Said::new(&by, "", format!("context {} for {minutes} min", kind.id()));
        let make =
            move |record: &Record, at| record.start_context(kind, minutes, &by, at, &profile);
        self.change(address, said, make).await
    }

    /// Ends a context before its time.
    ///
    /// # Errors
    /// The pump was never seen, the context is not declared, or the alarm thread does not answer.
    pub async fn end_context(
        self: &Arc<Self>,
        address: PumpAddress,
        kind: ContextKind,
        by: &Person,
    ) -> Result<Arc<Standing>, DeskError> {
        let said = Said::new(by, "", format!("context {} ended", kind.id()));
        self.change(address, said, move |record, at| record.end_context(kind, at)).await
    }

    /// Takes the record of another gateway, where it is newer by patient, version and order, as far as the profile allows it.
    /// Whether it was newer.
    ///
    /// # Errors
    /// The pump was never seen, the text is damaged, or the alarm thread does not answer.
    pub async fn adopt(self: &Arc<Self>, told: TreatmentRecord) -> Result<bool, DeskError> {
        self.parts.actions.observe(&told.order);
        let read = Record::from_text(&told.record).map_err(ChangeError::Invalid)?;
        let (address, record) = read;
        if address != told.address {
            return Err(ChangeError::Invalid("the record is of another pump".to_owned()).into());
        }
        let said = Said {
            kind: Kind::Treatment,
            by: told.by,
            note: told.note,
            what: format!("of gateway {}", told.order.gateway),
        };
        let desk = Arc::clone(self);
        let order = told.order;
        let adopting = tokio::spawn(async move {
            desk.slot(&address)?;
            let place = desk.place(&address);
            let _turn = place.turn.lock().await;
            let before = place.standing.load_full();
            let age = |record: &Record| (record.patient, record.version);
            if (age(&record), &order) <= (age(&before.record), &before.order) {
                return Ok(false);
            }
            let record = record.resumed(desk.stamp(), &desk.parts.profile);
            let standing = (before.as_ref(), record, Some(order));
            desk.put_in_force(&place, &address, standing, &said).await.map(|_standing| true)
        });
        adopting.await.unwrap_or(Err(DeskError::NotConfirmed))
    }

    /// Makes a change in a task of its own: a display that goes away must not leave half of it.
    async fn change(
        self: &Arc<Self>,
        address: PumpAddress,
        said: Said,
        make: impl FnOnce(&Record, Stamp) -> Result<Record, ChangeError> + Send + 'static,
    ) -> Result<Arc<Standing>, DeskError> {
        let desk = Arc::clone(self);
        let changing = tokio::spawn(async move {
            desk.slot(&address)?;
            let place = desk.place(&address);
            let _turn = place.turn.lock().await;
            let before = place.standing.load_full();
            let record = make(&before.record, desk.stamp()).inspect_err(|refused| {
                let person = (said.by.as_str(), said.note.as_str());
                let what = format!("{address}, {}: {refused}", said.what);
                desk.parts.actions.note_refusal(Some(&address), person, what);
            })?;
            desk.put_in_force(&place, &address, (&before, record, None), &said).await
        });
        // The task ends early only with the gateway.
        changing.await.unwrap_or(Err(DeskError::NotConfirmed))
    }

    /// Writes a record down and puts it in force; `order` is that of another gateway's record.
    async fn put_in_force(
        &self,
        place: &Place,
        address: &PumpAddress,
        (before, record, order): (&Standing, Record, Option<Order>),
        said: &Said,
    ) -> Result<Arc<Standing>, DeskError> {
        let kept = self.keep(place, (address, &before.record, &record), said).await;
        let (told, flight, written) = kept.map_err(ChangeError::Invalid)?;
        let taken = match self.parts.engine.treat(address.clone(), record.treatment()) {
            Ok(taken) => taken,
            Err(no_answer) => {
                self.parts.actions.take_treatment_back(&told, &no_answer.to_string()).await;
                return Err(no_answer.into());
            }
        };
        if record.patient != before.record.patient {
            self.parts.histories.forget(address);
        }
        let is_own = order.is_none();
        let order = order.unwrap_or_else(|| told.order.clone());
        let standing = Arc::new(Standing { record, durable: written.is_durable(), order });
        place.standing.store(Arc::clone(&standing));
        let taken = taken.await;
        self.land(&told, flight, written);
        match taken {
            Ok(Ok(())) => {
                if is_own {
                    self.parts.actions.tell_treatment(&told);
                }
                Ok(standing)
            }
            Ok(Err(_unknown)) => Err(DeskError::UnknownPump(address.clone())),
            Err(NoAnswer) => Err(DeskError::NotConfirmed),
        }
    }
}

/// A rule that the circuit does not have cannot be set: nobody would see that it does nothing.
fn check_circuit(slot: &PumpSlot, key: RuleKey) -> Result<(), ChangeError> {
    let book = slot.rules();
    let in_force = book.rules.limits().iter().any(|rule| rule.key == key);
    let waits = book.rules.not_evaluable.iter().any(|(waits, _reason)| *waits == key);
    if in_force || waits { Ok(()) } else { Err(ChangeError::OtherCircuit(key)) }
}
