//! Alarms that are gone and wait for a person: told to gateways that were not there when they came and went.

use alloc::sync::Arc;

use crate::alarm::action::AlarmRef;
use crate::alarm::condition::{Kind, Priority};
use crate::alarm::occurrence::{Occurrence, Signal};
use crate::alarm::rule::Side;
use crate::alarm::{Alarms, Output};
use crate::parameter::Parameter;
use crate::time::Instant;

/// An alarm that has latched, as another gateway must know it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waiting {
    /// Its name, and how often it has called.
    pub alarm: AlarmRef,
    /// Physiological or technical.
    pub kind: Kind,
    /// How urgent.
    pub priority: Priority,
    /// What it watches.
    pub parameter: Option<Parameter>,
    /// Value furthest beyond the limit.
    pub worst: Option<f32>,
    /// The violated limit and its side.
    pub limit: Option<(Side, f32)>,
    /// When it began, by the reader's clock.
    pub onset_at: Instant,
    /// Whether its limits are a proposal that no clinician has signed.
    pub unreviewed: bool,
}

impl Waiting {
    fn of(one: &Occurrence) -> Self {
        Self {
            alarm: one.named(),
            kind: one.kind,
            priority: one.priority,
            parameter: one.parameter,
            worst: one.worst,
            limit: one.limit,
            onset_at: one.onset_at,
            unreviewed: one.unreviewed,
        }
    }

    /// As an occurrence that waits here. No rule has judged it: a person alone ends it, or its condition returns.
    pub(crate) fn occurrence(self, now: Instant) -> Occurrence {
        let AlarmRef { id, call } = self.alarm;
        let mut new = Occurrence::new(id, self.kind, self.priority, self.onset_at, now);
        new.call = call;
        new.present = false;
        new.latching = true;
        new.parameter = self.parameter;
        new.worst = self.worst;
        new.limit = self.limit;
        new.unreviewed = self.unreviewed;
        new
    }
}

impl Alarms {
    pub(crate) fn waiting(&self, since: Instant) -> impl Iterator<Item = Waiting> {
        // What a gateway misses, or finds by comparing, is its own: another one that was there misses nothing.
        let by_samples = |one: &Occurrence| one.rule > 0 || one.id.condition.sensor().is_some();
        let waits = move |one: &&Occurrence| {
            by_samples(one) && one.signal() == Signal::Latched && one.changed_at <= since
        };
        self.active().iter().filter(waits).map(Waiting::of)
    }

    pub(crate) fn adopt(&mut self, waiting: Waiting, now: Instant, out: &mut impl Output) {
        let rules = Arc::clone(&self.rules);
        self.register.adopt(waiting, &rules, now, out);
    }
}
