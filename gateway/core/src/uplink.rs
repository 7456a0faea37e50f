//! What the gateway must say of itself: no connection to its broker, too slow, an alarm that no display has confirmed, a
//! drill that did not come through, a disk that keeps nothing, another gateway that is silent or differs.

mod budget;

mod drill;

mod peer;

mod recording;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::condition::{Condition, Priority};
use crate::alarm::occurrence::{Occurrence, OccurrenceId};
use crate::alarm::profile::Profile;
use crate::alarm::rule::Rules;
use crate::alarm::{Absence, Alarms, Output};
use crate::damage::Damage;
use crate::path::Path;
use crate::pump::PATHS_WHOLE_FOR;
use crate::time::Instant;

/// How long the connection may be missing before it is an alarm: a connection that is made anew at once is none.
pub const BROKER_GRACE: Duration = Duration::from_millis(500);

/// How long what people do may not be durable before it is an alarm (prop): a slow disk catches up within it.
pub const STATE_GRACE: Duration = Duration::from_secs(2);

pub use budget::{BUDGET, Hop, Tallies};
pub use drill::{CONFIRMED_WITHIN, DECIDED_WITHIN, SENT_WITHIN};
pub use peer::{DIFFERS_AFTER, PEER_BACK_AFTER, PEER_LOST_AFTER, PEERS_MAX, PeerHeard, PeerWord};
pub use recording::{RECORDING_CLEAR, RECORDING_GRACE};

use budget::Budgets;
use drill::Drill;
use peer::Peers;
use recording::Recording;

/// Whether the gateway does what it is there for, and the alarms when it does not.
#[derive(Debug)]
pub struct Uplink {
    alarms: Alarms,
    /// Conditions raised so far: names the next occurrence.
    raised: u64,
    down_since: Option<Instant>,
    /// Since when some paths are up and some are not, or all are; `None` while none is.
    partial_since: Option<Instant>,
    whole_since: Option<Instant>,
    budgets: Budgets,
    /// Since when the oldest high alarm waits that no display has confirmed in time.
    undelivered_since: Option<Instant>,
    recording: Recording,
    /// Since when what people do is not durable.
    not_durable_since: Option<Instant>,
    peers: Peers,
    drill: Drill,
    /// Damaged frames of senders that are not known.
    damage: Damage,
    /// Whether a display attends.
    attended: bool,
}

impl Uplink {
    /// Not connected yet.
    #[must_use]
    pub fn new(profile: &Profile, now: Instant) -> Self {
        let unreviewed = profile.reviewed_by.is_none();
        let (silence, signals) = (profile.silence, profile.signals);
        let rules = Rules::new(Vec::new(), Vec::new(), silence, signals, unreviewed);
        Self {
            alarms: Alarms::new(Arc::new(rules), now),
            raised: 0,
            down_since: Some(now),
            partial_since: None,
            whole_since: None,
            budgets: Budgets::default(),
            undelivered_since: None,
            recording: Recording::default(),
            not_durable_since: None,
            peers: Peers::default(),
            drill: Drill::default(),
            damage: Damage::default(),
            attended: false,
        }
    }

    /// The connection stands, with its subscriptions.
    pub fn on_up(&mut self, now: Instant, out: &mut impl Output) {
        self.down_since = None;
        self.drill.on_up(now);
        self.alarms.clear(Condition::COMM_BROKER, now, out);
    }

    /// The connection is lost.
    pub fn on_down(&mut self, now: Instant) {
        self.down_since.get_or_insert(now);
    }

    /// So many of the connections to brokers stand, of so many that there are.
    pub fn on_paths(&mut self, up: usize, of: usize, now: Instant, out: &mut impl Output) {
        if up == 0 {
            self.on_down(now);
        } else {
            self.on_up(now, out);
        }
        self.partial_since = (up > 0 && up < of).then(|| self.partial_since.unwrap_or(now));
        self.whole_since = (up == of && of > 0).then(|| self.whole_since.unwrap_or(now));
    }

    fn judge_paths(&mut self, now: Instant, out: &mut impl Output) {
        let condition = Condition::COMM_REDUNDANCY_LOST;
        if let Some(since) = self.partial_since.filter(|since| now >= since.plus(BROKER_GRACE)) {
            self.follow(condition, Priority::Low, Some(since), now, out);
        }
        if self.whole_since.is_some_and(|since| now >= since.plus(PATHS_WHOLE_FOR)) {
            self.alarms.clear(condition, now, out);
        }
    }

    fn paths_deadline(&self) -> Option<Instant> {
        if self.is_present(Condition::COMM_REDUNDANCY_LOST) {
            self.whole_since.map(|since| since.plus(PATHS_WHOLE_FOR))
        } else {
            self.partial_since.map(|since| since.plus(BROKER_GRACE))
        }
    }

    /// What hops took since the last time.
    pub fn on_tallies(&mut self, tallies: &Tallies, now: Instant) {
        self.budgets.add(tallies, now);
    }

    /// What a hop took, once.
    pub fn on_hop(&mut self, hop: Hop, took: Duration, now: Instant) {
        let mut tallies = Tallies::default();
        tallies.note(hop, took);
        self.budgets.add(&tallies, now);
    }

    /// What a hop took for an alarm, which may break its budget alone. It does not count as a measure: see
    /// [`Uplink::on_hop`].
    pub fn on_alarm_hop(&mut self, hop: Hop, took: Duration, now: Instant) {
        self.budgets.on_alarm(hop, took, now);
    }

    /// Since when the oldest high alarm waits that no display has confirmed in time; `None` when none does.
    pub const fn on_undelivered(&mut self, since: Option<Instant>) {
        self.undelivered_since = since;
    }

    /// Whether a display attends, whatever its ward.
    pub const fn on_attended(&mut self, attended: bool) {
        self.attended = attended;
    }

    /// Drills are to be sent, once in each of these times; zero: there are none.
    pub fn expect_drills(&mut self, every: Duration) {
        self.drill.expect(every);
    }

    /// A drill was sent: its frame crosses the limit.
    pub fn on_drill_sent(&mut self, now: Instant) {
        self.drill.on_sent(self.attended, now);
    }

    /// The drill was decided.
    pub fn on_drill_decided(&mut self, now: Instant) {
        self.drill.on_decided(self.attended, now);
    }

    /// A display that attends has confirmed the drill.
    pub fn on_drill_confirmed(&mut self) {
        self.drill.on_confirmed();
    }

    /// Drills that were missed, ever.
    #[must_use]
    pub const fn drill_failures(&self) -> u64 {
        self.drill.failures()
    }

    /// Another gateway must be there from now on, whether it was ever heard or not.
    pub fn expect_peer(&mut self, name: Arc<str>, now: Instant) {
        self.peers.expect(name, now);
    }

    /// Another gateway was heard.
    pub fn on_peer(&mut self, heard: &PeerHeard, now: Instant) {
        self.peers.on_heard(heard, now);
    }

    /// A damaged frame came over a path at a place where no pump is known: whoever sends it, it is told once for all.
    pub fn on_damaged(&mut self, path: Path, now: Instant) {
        self.damage.on_tick(now);
        self.damage.note(path, now);
    }

    /// What people do is durable, or could not be written.
    pub fn on_state(&mut self, durable: bool, now: Instant) {
        self.not_durable_since = (!durable).then(|| self.not_durable_since.unwrap_or(now));
    }

    /// What arrives can be kept now, or cannot.
    pub fn on_recording(&mut self, keeps: bool, now: Instant) {
        self.recording.on_word(keeps, now);
    }

    /// Raises what is due: no connection for too long, a budget missed, an alarm that nobody has seen; recalls what nobody
    /// acknowledges. To be called at [`Uplink::next_deadline`], and about once a second for the budgets.
    pub fn on_tick(&mut self, now: Instant, out: &mut impl Output) {
        self.alarms.on_tick(now, out);
        if let Some(since) = self.down_since.filter(|since| now >= since.plus(BROKER_GRACE)) {
            self.follow(Condition::COMM_BROKER, Priority::High, Some(since), now, out);
        }
        self.judge_paths(now, out);
        for hop in Hop::ALL {
            // With too few measures to say, what was said stays.
            if let Some(missed) = self.budgets.is_missed(hop, now) {
                self.follow(hop.condition(), hop.priority(), missed.then_some(now), now, out);
            }
        }
        self.peers.on_tick(now);
        self.drill.on_tick(self.attended, now);
        self.damage.on_tick(now);
        let not_durable = self.not_durable_since;
        let not_durable = not_durable.filter(|since| now >= since.plus(STATE_GRACE));
        for (condition, priority, since) in [
            (Condition::DELIVERY_UNCONFIRMED, Priority::High, self.undelivered_since),
            (Condition::GATEWAY_RECORDING, Priority::Medium, self.recording.is_failed(now)),
            (Condition::GATEWAY_STATE, Priority::Medium, not_durable),
            (Condition::GATEWAY_PEER_LOST, Priority::Low, self.peers.lost_since()),
            (Condition::GATEWAY_CONFIG_DIFFERS, Priority::Medium, self.peers.differs_since(now)),
            (Condition::DRILL_MISSED, Priority::Medium, self.drill.missed_since()),
            (Condition::COMM_DAMAGED, Priority::Low, self.damage.since()),
        ] {
            self.follow(condition, priority, since, now, out);
        }
    }

    /// Lets a condition be present since then, or end.
    fn follow(
        &mut self,
        condition: Condition,
        priority: Priority,
        since: Option<Instant>,
        now: Instant,
        out: &mut impl Output,
    ) {
        let present = self.is_present(condition);
        match since {
            Some(onset_at) if !present => {
                self.raised += 1;
                let id = OccurrenceId { condition, boot: None, onset: self.raised };
                let absence = Absence { id, priority, parameter: None, no_data: None, onset_at };
                self.alarms.raise_absence(absence, now, out);
            }
            None if present => self.alarms.clear(condition, now, out),
            Some(_) | None => {}
        }
    }

    /// When [`Uplink::on_tick`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let down = self.down_since.map(|since| since.plus(BROKER_GRACE));
        let down = down.filter(|_| !self.is_present(Condition::COMM_BROKER));
        let (drill, damage) = (self.drill.deadline(), self.damage.deadline());
        [down, self.paths_deadline(), drill, damage, self.alarms.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn is_present(&self, condition: Condition) -> bool {
        let active = self.alarms.active();
        active.iter().any(|one| one.present && one.id.condition == condition)
    }

    /// Whether the last drill was missed.
    #[must_use]
    pub fn has_missed_drill(&self) -> bool {
        self.is_present(Condition::DRILL_MISSED)
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
mod tests;
