//! The displays of a gateway: leases, confirmations, and its own alarms about them, all judged by the core.

use std::sync::Arc;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::occurrence::{Occurrence, Signal};
use ecmo_core::attendance::{AttendWord, AudioOutput, HandedOver, Health};
use ecmo_core::pump::Link;
use ecmo_core::time::Instant;

use super::{Ear, Gateway};
use crate::breaks::Break;
use crate::net::Net;
use crate::stream::{Packet, Painted};
use crate::words::{self, About, WARD};

/// Pictures a second of a simulated display.
const FRAMES_PER_SECOND: f32 = 1.0;

impl Gateway {
    /// Takes note of what was handed to the displays.
    pub(super) fn answer_for(&mut self, about: About, one: &Occurrence, now: Instant) {
        let id = words::occurrence_id(about, &self.name, one);
        let is_about_this = one.id.condition == Condition::DELIVERY_UNCONFIRMED;
        let handed_over = HandedOver {
            id: &id,
            ward: (about != About::Gateway).then_some(WARD),
            revision: one.revision,
            covers_from: one.covers_from,
            must_be_seen: one.priority == Priority::High && !is_about_this,
            signals: matches!(one.signal(), Signal::On | Signal::Latched),
            is_over: one.has_ended(),
        };
        self.attendance.on_alarm(handed_over, now);
    }

    /// Answers for alarms that were there before: nobody has seen them yet in this start of the gateway.
    pub(super) fn answer_for_restored(&mut self, now: Instant) {
        for pump in 0..self.known.len() {
            for one in self.known[pump].pump.alarms().to_vec() {
                self.answer_for(About::Pump(pump), &one, now);
            }
        }
    }

    /// Judges the gateway and its displays.
    pub(super) fn attend(&mut self, now: Instant, net: &mut Net) {
        self.uplink.on_attended(self.attendance.attending(None, now) > 0);
        self.uplink.on_undelivered(self.attendance.overdue(now));
        self.uplink.on_tick(now, &mut Ear::new(About::Gateway, &mut self.heard));
        self.attendance.on_tick(now, &mut Ear::new(About::Ward, &mut self.heard));
        // There is one ward: its displays have what a display of another ward would be given now.
        drop(self.attendance.take_redirects(now));
        self.plan_uplink_timer(net);
    }

    /// Whether somebody must watch the ward: one of its pumps lives, is expected, or has an alarm that is not over.
    pub(super) fn watch_ward(&mut self, now: Instant) {
        let is_due = |pump: &ecmo_core::pump::Pump| {
            matches!(pump.link(now), Link::Live | Link::NeverSeen) || !pump.alarms().is_empty()
        };
        let due = self.known.iter().any(|known| is_due(&known.pump));
        let wards = due.then(|| Arc::from(WARD)).into_iter().collect();
        self.attendance.set_wards(wards, now);
    }

    /// A display takes or renews its lease, and says up to where it has painted what came from here.
    pub(super) fn take_lease(&mut self, display: usize, painted: Option<Painted>, now: Instant) {
        let painted = painted.filter(|painted| painted.epoch == u64::from(self.starts));
        let health = Health {
            painted: painted.map(|painted| Instant::from_nanos(painted.mono_ns)),
            frames_per_second: FRAMES_PER_SECOND,
            lag_ms: 0,
            audio: AudioOutput::On,
            visible: true,
        };
        let wards = vec![Arc::from(WARD)];
        let word = AttendWord { display: Arc::clone(&self.names[display]), wards, health };
        // There is room for each of them.
        let _taken = self.attendance.attend(word, now);
    }

    /// A display has shown these; it is told which of them do not count yet.
    pub(super) fn confirm(&mut self, display: usize, shown: Vec<(String, u32)>, net: &mut Net) {
        let now = self.clock.instant(net.now);
        let waited = self.attendance.overdue(now).is_some();
        let name = Arc::clone(&self.names[display]);
        let mut uncounted = shown;
        uncounted.retain(|(occurrence, revision)| {
            let taken = self.attendance.confirm(&name, occurrence, *revision, None, now);
            taken.known && !taken.counts
        });
        if !uncounted.is_empty() {
            net.to_display(self.number, display, Packet::Uncounted(uncounted));
        }
        if waited {
            // What was seen no longer waits.
            self.attend(now, net);
        }
    }

    /// Whether a high alarm of a pump has waited for a display for too long: its agent must not be quiet.
    #[must_use]
    pub fn has_unheard(&self, pump: usize, now: Instant) -> bool {
        self.attendance.is_unheard(&self.known[pump].address, now)
    }

    /// What it makes of that for its leases.
    pub(super) fn is_unheard(&self, pump: usize, now: Instant) -> bool {
        self.has_unheard(pump, now) && self.planted != Some(Break::UnheardIsQuiet)
    }
}
