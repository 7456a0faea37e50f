//! What goes to the displays, and how: the newest view of each pump, every alarm, waveforms as they come.
//!
//! Whoever hands over never waits. A view takes the place of the one before; an alarm goes into a bounded mailbox, and a
//! display whose mailbox is full is cut off and told so; a waveform that nobody takes in time is lost and counted.

mod encoded;

mod ended;

mod mailbox;

mod waveform;

mod slot;

#[cfg(test)]
pub(crate) mod sample;

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::action::Action;
use ecmo_core::alarm::occurrence::{Acknowledgement, Occurrence, Transition};
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};

pub use encoded::Encoded;
pub use ended::{ENDED_MAX, Ended, Seen};
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
    /// The ward of a condition of the gateway itself; `None` where it concerns every ward, and for a pump.
    pub ward: Option<Arc<str>>,
    /// Name of the gateway that decided it.
    pub gateway: Arc<str>,
    /// The occurrence as it was then.
    pub occurrence: Occurrence,
    /// What changed; `None` in lists and snapshots.
    pub transition: Option<Transition>,
    /// Wall time of the onset, in nanoseconds since 1970; for people.
    pub onset_wall_ns: i64,
    /// What the path took for the deciding sample.
    pub path: PathTimes,
    /// Displays of every ward are given it, because none of its own ward has confirmed it in time.
    pub redirected: bool,
}

impl AlarmUpdate {
    /// The id under which displays know the occurrence: unique over all pumps and gateways.
    #[must_use]
    pub fn id(&self) -> String {
        let (gateway, occurrence) = (&self.gateway, &self.occurrence.id);
        match (&self.address, &self.ward) {
            (Some(address), _) => format!("{address}/{occurrence}"),
            (None, Some(ward)) => format!("{ward}/@{gateway}/{occurrence}"),
            (None, None) => format!("/@{gateway}/{occurrence}"),
        }
    }

    /// The ward that it is about; `None` for every ward.
    #[must_use]
    pub fn of_ward(&self) -> Option<&str> {
        let of_pump = self.address.as_ref().map(|address| address.ward.as_str());
        of_pump.or(self.ward.as_deref())
    }

    /// The occurrence as its acknowledgement of this call left it, when that ended it.
    #[must_use]
    pub fn acknowledged(&self, action: &Action, call: u32, at: Instant) -> Self {
        let mut ended = self.clone();
        ended.transition = Some(Transition::Acknowledged);
        let worst = ended.occurrence.worst;
        let Action { order, by, note, .. } = action.clone();
        ended.occurrence.acknowledged = Some(Acknowledgement { by, note, at, worst, call, order });
        ended.occurrence.revision = ended.occurrence.revision.saturating_add(1);
        ended.occurrence.changed_at = at;
        ended
    }

    /// Whether a display that asked for one ward, or all, wants it. What the gateway lacks concerns every ward, and so does
    /// what nobody in its own ward has confirmed.
    #[must_use]
    pub fn concerns(&self, ward: Option<&Id>) -> bool {
        self.redirected || self.is_of(ward)
    }

    fn is_of(&self, ward: Option<&Id>) -> bool {
        match (self.of_ward(), ward) {
            (Some(own), Some(ward)) => own == ward.as_str(),
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
    /// An alarm as it stands, for displays of other wards: those of its own have it.
    Redirected(Arc<Listed>),
    /// The synthetic alarm, to be confirmed in silence.
    Drill {
        /// The id under which it is to be confirmed.
        occurrence: Arc<str>,
        /// The revision to be confirmed.
        revision: u32,
    },
    /// The alarm thread lives.
    Heartbeat,
}

impl AlarmItem {
    /// Whether a display that asked for one ward, or all, gets it.
    fn is_for(&self, ward: Option<&Id>) -> bool {
        match self {
            Self::Change(update) => update.value().concerns(ward),
            Self::Redirected(update) => !update.value().is_of(ward),
            Self::Snapshot(_) | Self::Drill { .. } | Self::Heartbeat => true,
        }
    }
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
