//! What goes to the displays, and how: the newest view of each pump, every alarm, waveforms as they come.
//!
//! Whoever hands over never waits. A view takes the place of the one before; an alarm goes into a bounded mailbox, and a
//! display whose mailbox is full is cut off and told so; a waveform that nobody takes in time is lost and counted.

mod encoded;

mod ended;

mod mailbox;

mod waveform;

mod slot;

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::occurrence::{Acknowledgement, Occurrence, Transition};
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};

pub use encoded::Encoded;
pub use ended::{ENDED_MAX, Ended, Remembered, Seen};
pub use mailbox::{
    ALARMS_QUEUED_MAX, AlarmMailbox, AlarmOutlet, MailboxEnd, OutletEnd, alarm_mailbox,
};
pub use slot::{Completeness, PumpSlot, RuleBook, Shown};
pub use waveform::{
    Laid, Lane, Taken, WAVEFORMS_QUEUED_MAX, WaveformBlock, WaveformFrame, WaveformWatch,
};

/// An alarm change as displays get it.
#[derive(Debug, Clone)]
pub struct AlarmUpdate {
    /// The pump; `None` for a condition of the gateway itself.
    pub address: Option<PumpAddress>,
    /// The occurrence as it was then.
    pub occurrence: Occurrence,
    /// What changed; `None` in lists and snapshots.
    pub transition: Option<Transition>,
    /// Wall time of the onset, in nanoseconds since 1970; for people.
    pub onset_wall_ns: i64,
    /// What the path took for the deciding sample.
    pub path: PathTimes,
}

impl AlarmUpdate {
    /// The id under which displays know the occurrence: unique over all pumps.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.address {
            Some(address) => format!("{address}/{}", self.occurrence.id),
            None => format!("//{}", self.occurrence.id),
        }
    }

    /// The occurrence as its acknowledgement left it, when that ended it.
    #[must_use]
    pub fn acknowledged(&self, by: String, note: String, at: Instant) -> Self {
        let mut ended = self.clone();
        ended.transition = Some(Transition::Acknowledged);
        let worst = ended.occurrence.worst;
        ended.occurrence.acknowledged = Some(Acknowledgement { by, note, at, worst });
        ended.occurrence.revision = ended.occurrence.revision.saturating_add(1);
        ended.occurrence.changed_at = at;
        ended
    }

    /// Whether a display that asked for one ward, or all, wants it. What the gateway lacks concerns every ward.
    #[must_use]
    pub fn concerns(&self, ward: Option<&Id>) -> bool {
        match (&self.address, ward) {
            (Some(address), Some(ward)) => address.ward == *ward,
            (None, _) | (_, None) => true,
        }
    }
}

/// Times between the hops before the decision; `None` where they cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathTimes {
    /// By the agent's clock.
    pub sampled_to_published: Option<Duration>,
    /// By two wall clocks.
    pub published_to_received: Option<Duration>,
    /// By the gateway's clock.
    pub received_to_decided: Option<Duration>,
}

/// What a display gets through its mailbox.
#[derive(Debug, Clone)]
pub enum AlarmItem {
    /// Every occurrence that has not ended; the first item of every subscription.
    Snapshot(Snapshot),
    /// One change.
    Change(Arc<Listed>),
    /// The alarm thread lives.
    Heartbeat,
}

/// An occurrence as many displays get it: as a change, in their snapshots, among what ended.
pub type Listed = Encoded<AlarmUpdate>;

/// What a display begins with. The occurrences are shared by all who join at about the same time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Every occurrence of every ward that has not ended, most urgent first.
    pub alarms: Arc<[Listed]>,
    /// What ended since the display had seen everything, the newest first; of its ward.
    pub ended: Vec<Arc<Listed>>,
    /// Set when more ended than is remembered.
    pub ended_incomplete: bool,
}

/// An item with the time at which the alarm thread made it.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// The item.
    pub item: AlarmItem,
    /// When it was made: later than every item before it.
    pub made_at: Instant,
    /// Wall time of the same moment, in nanoseconds since 1970.
    pub wall_ns: i64,
}

/// An item on its way to every display: one for all of them.
pub type Handed = Arc<Encoded<Stamped>>;
