//! The gateway's own connection to its broker: without it every pump is unheard, whatever the pumps do.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::occurrence::{Occurrence, OccurrenceId};
use crate::alarm::rule::{Condition, Priority, Rules};
use crate::alarm::{Absence, AcknowledgeError, Alarms, Output};
use crate::time::Instant;

/// How long the connection may be missing before it is an alarm: a connection that is made anew at once is none.
pub const BROKER_GRACE: Duration = Duration::from_millis(500);

/// Whether the gateway is connected to its broker, and the alarm when it is not.
#[derive(Debug)]
pub struct Uplink {
    alarms: Alarms,
    down_since: Option<Instant>,
    outages: u64,
}

impl Uplink {
    /// Not connected yet.
    #[must_use]
    pub fn new(rules: &Rules, now: Instant) -> Self {
        let silence_only = Rules::new(Vec::new(), rules.silence, rules.unreviewed);
        Self { alarms: Alarms::new(Arc::new(silence_only)), down_since: Some(now), outages: 0 }
    }

    /// The connection stands, with its subscriptions.
    pub fn on_up(&mut self, now: Instant, out: &mut impl Output) {
        self.down_since = None;
        self.alarms.clear(Condition::COMM_BROKER, now, None, out);
    }

    /// The connection is lost.
    pub fn on_down(&mut self, now: Instant) {
        if self.down_since.is_none() {
            self.down_since = Some(now);
            self.outages += 1;
        }
    }

    /// Raises the alarm when the connection has been missing for too long.
    pub fn on_tick(&mut self, now: Instant, out: &mut impl Output) {
        let Some(since) = self.down_since.filter(|_| self.is_due(now)) else { return };
        let id =
            OccurrenceId { condition: Condition::COMM_BROKER, boot: None, onset: self.outages };
        let absence = Absence {
            id,
            priority: Priority::High,
            parameter: None,
            no_data: None,
            onset_at: since,
        };
        self.alarms.raise_absence(absence, now, out);
    }

    /// When [`Uplink::on_tick`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let raised = self.alarms.active().iter().any(|occurrence| occurrence.present);
        self.down_since.filter(|_| !raised).map(|since| since.plus(BROKER_GRACE))
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next_deadline().is_some_and(|deadline| now >= deadline)
    }

    /// Whether the connection stands.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.down_since.is_none()
    }

    /// Every occurrence that has not ended.
    #[must_use]
    pub fn alarms(&self) -> &[Occurrence] {
        self.alarms.active()
    }

    /// Acknowledges an occurrence as far as it was shown.
    ///
    /// # Errors
    /// It has ended, or changed since the revision named.
    pub fn acknowledge(
        &mut self,
        id: &OccurrenceId,
        revision: u32,
        by: String,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<(), AcknowledgeError> {
        self.alarms.acknowledge(id, revision, by, now, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::AlarmChange;
    use crate::alarm::occurrence::Transition;
    use crate::alarm::starter::starter_rules;
    use crate::frame::Frame;
    use crate::time::ClockMap;

    #[derive(Default)]
    struct Heard(Vec<(Condition, Transition)>);

    impl Output for Heard {
        fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

        fn alarm(&mut self, change: AlarmChange<'_>) {
            self.0.push((change.occurrence.id.condition, change.transition));
        }
    }

    #[test]
    fn a_connection_that_is_missing_for_half_a_second_is_an_alarm_until_it_is_back() {
        let at = Instant::from_millis;
        let mut heard = Heard::default();
        let mut uplink = Uplink::new(&starter_rules(), at(0));
        uplink.on_up(at(100), &mut heard);
        uplink.on_down(at(1_000));
        uplink.on_tick(at(1_499), &mut heard);
        assert!(heard.0.is_empty());
        assert_eq!(uplink.next_deadline(), Some(at(1_500)));
        uplink.on_tick(at(1_500), &mut heard);
        uplink.on_tick(at(9_000), &mut heard);
        uplink.on_up(at(9_500), &mut heard);
        assert_eq!(
            heard.0,
            [
                (Condition::COMM_BROKER, Transition::Raised),
                (Condition::COMM_BROKER, Transition::Ended)
            ]
        );
    }

    #[test]
    fn a_broker_that_was_never_reached_is_an_alarm_too() {
        let mut heard = Heard::default();
        let mut uplink = Uplink::new(&starter_rules(), Instant::from_millis(0));
        uplink.on_tick(Instant::from_millis(500), &mut heard);
        assert_eq!(heard.0, [(Condition::COMM_BROKER, Transition::Raised)]);
    }
}
