//! The gateway's own connection to its broker: without it every pump is unheard, whatever the pumps do.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::{Occurrence, OccurrenceId};
use crate::alarm::profile::Profile;
use crate::alarm::rule::Rules;
use crate::alarm::{Absence, Alarms, Output};
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
    pub fn new(profile: &Profile, now: Instant) -> Self {
        let unreviewed = profile.reviewed_by.is_none();
        let (silence, signals) = (profile.silence, profile.signals);
        let rules = Rules::new(Vec::new(), Vec::new(), silence, signals, unreviewed);
        Self { alarms: Alarms::new(Arc::new(rules), now), down_since: Some(now), outages: 0 }
    }

    /// The connection stands, with its subscriptions.
    pub fn on_up(&mut self, now: Instant, out: &mut impl Output) {
        self.down_since = None;
        self.alarms.clear(Condition::COMM_BROKER, now, out);
    }

    /// The connection is lost.
    pub fn on_down(&mut self, now: Instant) {
        if self.down_since.is_none() {
            self.down_since = Some(now);
            self.outages += 1;
        }
    }

    /// Raises the alarm when the connection has been missing for too long, and recalls what nobody acknowledges.
    pub fn on_tick(&mut self, now: Instant, out: &mut impl Output) {
        self.alarms.on_tick(now, out);
        if self.down_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let id =
            OccurrenceId { condition: Condition::COMM_BROKER, boot: None, onset: self.outages };
        let absence = Absence {
            id,
            priority: Priority::High,
            parameter: None,
            no_data: None,
            onset_at: self.down_since.unwrap_or(now),
        };
        self.alarms.raise_absence(absence, now, out);
    }

    /// When [`Uplink::on_tick`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.down_deadline().into_iter().chain(self.alarms.next_deadline()).min()
    }

    fn down_deadline(&self) -> Option<Instant> {
        let raised = self.alarms.active().iter().any(|occurrence| occurrence.present);
        self.down_since.filter(|_| !raised).map(|since| since.plus(BROKER_GRACE))
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

    /// The alarms, for what a person does to their signals.
    pub fn alarms_mut(&mut self) -> &mut Alarms {
        &mut self.alarms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::AlarmChange;
    use crate::alarm::occurrence::Transition;
    use crate::alarm::rule::{SensorRules, SignalRules, SilenceRules};
    use crate::frame::Frame;
    use crate::time::ClockMap;

    fn profile() -> Profile {
        let second = Duration::from_secs(1);
        Profile {
            name: "test".into(),
            version: 1,
            reviewed_by: None,
            hash: 0,
            limits: Vec::new(),
            composites: Vec::new(),
            sensors: SensorRules::default(),
            silence: SilenceRules {
                frame: second,
                frame_after_hint: second,
                frame_clear: second,
                channel: second,
                channel_missing: second,
                channel_clear: second,
                calibrating: second,
                console: second,
                duplicate_clear: second,
                skew: (second, second),
                skew_delay: second,
            },
            signals: SignalRules {
                pause_max: second,
                reminder: Duration::from_secs(60),
                shelve_max: second,
                group_window: second,
            },
            groups: Vec::new(),
            contexts: Vec::new(),
        }
    }

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
        let mut uplink = Uplink::new(&profile(), at(0));
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
        let mut uplink = Uplink::new(&profile(), Instant::from_millis(0));
        uplink.on_tick(Instant::from_millis(500), &mut heard);
        assert_eq!(heard.0, [(Condition::COMM_BROKER, Transition::Raised)]);
    }
}
