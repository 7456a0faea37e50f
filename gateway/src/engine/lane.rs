//! The alarm lane's end on the alarm thread: stamps what is handed over, remembers what ended, begins with a snapshot.

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::time::Instant;

use crate::clock::Clock;
use crate::fanout::{
    AlarmItem, AlarmOutlet, AlarmUpdate, Encoded, Ended, Handed, Listed, OutletEnd, Remembered,
    Snapshot, Stamped,
};

/// How long a list of what is active serves displays that join, when nothing changes: values in it are older by that, and
/// say so (prop). Two hundred displays that come back at once cost the alarm thread a few lists and not two hundred.
const LIST_AGE_MAX: Duration = Duration::from_millis(100);

/// The displays that watch alarms, and what they must be told when they come back.
#[derive(Debug)]
pub(super) struct AlarmLane {
    clock: Clock,
    outlets: Vec<AlarmOutlet>,
    ended: Ended,
    /// What is active, and when it was listed; `None` since something changed.
    listed: Option<(Arc<[Listed]>, Instant)>,
    stamped_at: Instant,
}

impl AlarmLane {
    /// Nobody watches yet, and nothing has ended.
    #[must_use]
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            outlets: Vec::new(),
            ended: Ended::new(clock.wall_ns()),
            listed: None,
            stamped_at: Instant::default(),
        }
    }

    /// Takes over what an earlier start remembered of what ended.
    pub(super) fn restore(&mut self, remembered: Remembered) {
        self.ended.restore(remembered);
    }

    /// Whether a list of what is active is at hand that is new enough for a display that joins.
    pub(super) fn is_listed(&self, now: Instant) -> bool {
        self.listed.as_ref().is_some_and(|(_, at)| now.since(*at) <= LIST_AGE_MAX)
    }

    /// Adds a display and gives it the snapshot first; `fresh` is all that is active now, most urgent first, unless the list
    /// at hand does.
    pub(super) fn watch(&mut self, outlet: AlarmOutlet, fresh: Option<Vec<AlarmUpdate>>) {
        let now = self.clock.now();
        let alarms: Arc<[Listed]> = match (fresh, &self.listed) {
            (None, Some((listed, _))) => Arc::clone(listed),
            (fresh, _) => {
                let listed: Arc<[Listed]> =
                    fresh.unwrap_or_default().into_iter().map(Encoded::new).collect();
                self.listed = Some((Arc::clone(&listed), now));
                listed
            }
        };
        let (ended, ended_incomplete) = match outlet.seen() {
            Some(seen) => self.ended.since(seen, outlet.ward()),
            None => (Vec::new(), false),
        };
        let snapshot = Snapshot { alarms, ended, ended_incomplete };
        let first = self.stamp(AlarmItem::Snapshot(snapshot));
        if outlet.hand_over(&first).is_ok() {
            self.outlets.push(outlet);
        }
    }

    /// Hands one change to every display, then remembers it if it is the last one of its occurrence; how many displays were
    /// cut off.
    pub(super) fn change(&mut self, update: AlarmUpdate) -> u64 {
        self.listed = None;
        let has_ended = update.occurrence.has_ended();
        let update = Arc::new(Encoded::new(update));
        let item = self.stamp(AlarmItem::Change(Arc::clone(&update)));
        let cut_off = self.hand_over(&item);
        if has_ended {
            let Stamped { made_at, wall_ns, .. } = item.value();
            self.ended.remember(update, *made_at, *wall_ns);
        }
        cut_off
    }

    /// Tells every display that the alarm thread lives; how many were cut off.
    pub(super) fn heartbeat(&mut self) -> u64 {
        let item = self.stamp(AlarmItem::Heartbeat);
        self.hand_over(&item)
    }

    /// Each item is later than the one before: the time of the newest that a display had tells all that it had.
    fn stamp(&mut self, item: AlarmItem) -> Handed {
        let made_at = self.clock.now().max(self.stamped_at.plus(Duration::from_nanos(1)));
        self.stamped_at = made_at;
        Arc::new(Encoded::new(Stamped { item, made_at, wall_ns: self.clock.wall_ns() }))
    }

    fn hand_over(&mut self, item: &Handed) -> u64 {
        let mut cut_off = 0;
        self.outlets.retain(|outlet| match outlet.hand_over(item) {
            Ok(()) => true,
            Err(OutletEnd::Gone) => false,
            Err(OutletEnd::CutOff) => {
                cut_off += 1;
                false
            }
        });
        cut_off
    }
}
