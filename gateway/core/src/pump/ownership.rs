//! Who looks after a pump: accepted, offered, rejected, given up; and when nobody answers, the whole ward is asked.

use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use super::Pump;
use crate::alarm::action::{Ask, OfferEnd, Order, OwnershipState, What};
use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::OccurrenceId;
use crate::alarm::{Absence, Output, Refused};
use crate::time::Instant;

/// An offer that nobody answers lapses after this (prop).
pub const OFFER_LASTS: Duration = Duration::from_secs(60);

/// Who looks after a pump, with the times of the reader's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ownership {
    /// Who looks after it.
    pub owner: Option<String>,
    /// Since when.
    pub since: Option<Instant>,
    /// To whom it is offered, and when the offer lapses by itself.
    pub offer: Option<(String, Instant)>,
    /// How the last offer ended; `None` before the first and while one is open.
    pub last_offer: Option<OfferEnd>,
    /// Somebody is asked to take it, and nobody has.
    pub unanswered: bool,
    /// Bed, as people call it; empty when nobody has said.
    pub bed: String,
    /// Goes up with every change.
    pub version: u64,
    /// The action that it comes from; not of the bed.
    pub order: Order,
    /// The action that the bed comes from.
    pub bed_order: Order,
}

impl Ownership {
    /// As an action tells it, without any clock.
    #[must_use]
    pub fn state(&self, now: Instant) -> OwnershipState {
        OwnershipState {
            owner: self.owner.clone(),
            offer: self.offer.as_ref().map(|(to, until)| (to.clone(), until.since(now))),
            last_offer: self.last_offer,
            unanswered: self.unanswered,
            version: self.version,
        }
    }

    /// What it becomes by what a person asks for.
    fn after(&self, ask: Ask<'_>, by: &str, now: Instant) -> Result<OwnershipState, Refused> {
        let before = self.state(now);
        let offered = before.offer.as_ref().is_some_and(|(to, _left)| to == by);
        let version = before.version.saturating_add(1);
        let after = OwnershipState { version, ..before };
        match ask {
            Ask::Accept => Ok(OwnershipState {
                owner: Some(by.into()),
                offer: None,
                last_offer: if offered { Some(OfferEnd::Accepted) } else { None },
                unanswered: false,
                ..after
            }),
            Ask::HandOver { to } => {
                if after.owner.as_ref().is_some_and(|owner| owner != by) {
                    return Err(Refused::NotTheirs);
                }
                Ok(OwnershipState {
                    offer: Some((to.into(), OFFER_LASTS)),
                    last_offer: None,
                    ..after
                })
            }
            Ask::Reject if offered => Ok(OwnershipState {
                offer: None,
                last_offer: Some(OfferEnd::Rejected),
                unanswered: after.unanswered || after.owner.is_none(),
                ..after
            }),
            Ask::Reject if after.owner.as_ref().is_some_and(|owner| owner == by) => {
                Ok(OwnershipState { owner: None, offer: None, unanswered: true, ..after })
            }
            Ask::Reject => Err(Refused::NotTheirs),
            Ask::AssignBed(_)
            | Ask::Acknowledge { .. }
            | Ask::Pause { .. }
            | Ask::Resume { .. }
            | Ask::Shelve { .. }
            | Ask::Unshelve(_) => Err(Refused::Unknown),
        }
    }

    fn become_of(&self, state: &OwnershipState, order: &Order, now: Instant) -> Self {
        let since = if state.owner == self.owner { self.since } else { Some(now) };
        Self {
            since: since.filter(|_since| state.owner.is_some()),
            owner: state.owner.clone(),
            offer: state.offer.as_ref().map(|(to, left)| (to.clone(), now.plus(*left))),
            last_offer: state.last_offer,
            unanswered: state.unanswered,
            bed: self.bed.clone(),
            bed_order: self.bed_order.clone(),
            version: state.version.max(self.version.saturating_add(1)),
            order: order.clone(),
        }
    }
}

impl Pump {
    /// Who looks after the pump.
    #[must_use]
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// The same for a view, without a copy.
    pub(crate) fn shared_ownership(&self) -> Arc<Ownership> {
        Arc::clone(&self.ownership)
    }

    pub(super) fn prepare_ownership(
        &self,
        ask: Ask<'_>,
        by: &str,
        now: Instant,
    ) -> Result<What, Refused> {
        if let Ask::AssignBed(bed) = ask {
            return Ok(What::Bed(bed.into()));
        }
        self.ownership.after(ask, by, now).map(What::Own)
    }

    /// The ownership is this from now on, unless a later action was here before.
    pub(super) fn own(
        &mut self,
        state: &OwnershipState,
        order: &Order,
        now: Instant,
        out: &mut impl Output,
    ) {
        if *order > self.ownership.order {
            self.ownership = Arc::new(self.ownership.become_of(state, order, now));
            self.tell_ownership(now, out);
        }
    }

    /// The pump stands at this bed from now on, unless a later action was here before.
    pub(super) fn assign_bed(&mut self, bed: &str, order: &Order) {
        if *order > self.ownership.bed_order {
            let ownership = Arc::make_mut(&mut self.ownership);
            ownership.bed = bed.into();
            ownership.bed_order = order.clone();
            ownership.version = ownership.version.saturating_add(1);
        }
    }

    /// When the offer lapses by itself.
    pub(super) fn offer_deadline(&self) -> Option<Instant> {
        self.ownership.offer.as_ref().map(|(_to, until)| *until)
    }

    /// An offer that nobody answered in time: the owner keeps the pump, and the whole ward is asked.
    pub(super) fn lapse_offer(&mut self, now: Instant, out: &mut impl Output) {
        if self.offer_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let ownership = Arc::make_mut(&mut self.ownership);
        ownership.offer = None;
        ownership.last_offer = Some(OfferEnd::Lapsed);
        ownership.unanswered = true;
        ownership.version = ownership.version.saturating_add(1);
        self.tell_ownership(now, out);
    }

    pub(super) fn tell_ownership(&mut self, now: Instant, out: &mut impl Output) {
        let condition = Condition::OWNERSHIP_UNANSWERED;
        if !self.ownership.unanswered {
            self.alarms.clear(condition, now, out);
            return;
        }
        // Named by the action that asked, so that every gateway names it alike.
        let id = OccurrenceId { condition, boot: None, onset: self.ownership.order.at };
        let priority = Priority::Low;
        let absence = Absence { id, priority, parameter: None, no_data: None, onset_at: now };
        self.alarms.raise_absence(absence, now, out);
    }
}
