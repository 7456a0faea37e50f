//! What goes to the displays, and how: the newest view of each pump, every alarm, waveforms as they come.
//!
//! Whoever hands over never waits. A view takes the place of the one before; an alarm goes into a bounded mailbox, and a
//! display whose mailbox is full is cut off and told so; a waveform that nobody takes in time is lost and counted.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use ecmo_core::alarm::action::Action;
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::{Acknowledgement, Occurrence, Shelf, Transition};
use ecmo_core::alarm::rule::{NotEvaluable, RuleKey, Rules};
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::frame::BootId;
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::Instant;
use ecmo_core::view::View;
use ecmo_proto::topic::{Id, PumpAddress};
use tokio::sync::{broadcast, mpsc};

use crate::decode::{Birth, Heartbeat};
use crate::metrics::PumpMetrics;

/// Alarm changes that a display may be behind: every one of 256 pumps raising four at once. Beyond, it is cut off.
pub const ALARMS_QUEUED_MAX: usize = 1_024;

/// Frames of waveforms that a display may be behind: two seconds at 50 frames a second. Beyond, the oldest are lost.
pub const WAVEFORMS_QUEUED_MAX: usize = 128;

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
    Snapshot(Arc<Vec<AlarmUpdate>>),
    /// One change.
    Change(Arc<AlarmUpdate>),
    /// An alarm as it stands, for displays of other wards: those of its own have it.
    Redirected(Arc<AlarmUpdate>),
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
            Self::Change(update) => update.concerns(ward),
            Self::Redirected(update) => !update.is_of(ward),
            Self::Snapshot(_) | Self::Drill { .. } | Self::Heartbeat => true,
        }
    }
}

/// An item with the time at which the alarm thread made it.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// The item.
    pub item: AlarmItem,
    /// When it was made.
    pub made_at: Instant,
    /// Wall time of the same moment, in nanoseconds since 1970.
    pub wall_ns: i64,
}

/// The alarm thread's end of a mailbox.
#[derive(Debug)]
pub struct AlarmOutlet {
    ward: Option<Id>,
    items: mpsc::Sender<Stamped>,
    cut_off: Arc<AtomicBool>,
}

/// The display's end of a mailbox.
#[derive(Debug)]
pub struct AlarmMailbox {
    items: mpsc::Receiver<Stamped>,
    cut_off: Arc<AtomicBool>,
}

/// Why a mailbox ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxEnd {
    /// The display read too slowly: an alarm found no place.
    CutOff,
    /// The alarm thread has ended.
    Closed,
}

/// The display is gone or was cut off: forget its outlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutletEnd {
    /// The display closed its mailbox.
    Gone,
    /// The mailbox was full.
    CutOff,
}

/// A mailbox for a display that wants one ward, or all.
#[must_use]
pub fn alarm_mailbox(ward: Option<Id>) -> (AlarmOutlet, AlarmMailbox) {
    let (items, received) = mpsc::channel(ALARMS_QUEUED_MAX);
    let cut_off = Arc::new(AtomicBool::new(false));
    (
        AlarmOutlet { ward, items, cut_off: Arc::clone(&cut_off) },
        AlarmMailbox { items: received, cut_off },
    )
}

impl AlarmOutlet {
    /// The ward that the display asked for.
    #[must_use]
    pub const fn ward(&self) -> Option<&Id> {
        self.ward.as_ref()
    }

    /// Hands over without waiting.
    ///
    /// # Errors
    /// The display is gone, or is cut off by this call because its mailbox is full.
    pub fn hand_over(&self, item: &Stamped) -> Result<(), OutletEnd> {
        if !item.item.is_for(self.ward()) {
            return Ok(());
        }
        self.items.try_send(item.clone()).map_err(|refused| match refused {
            mpsc::error::TrySendError::Closed(_) => OutletEnd::Gone,
            mpsc::error::TrySendError::Full(_) => {
                self.cut_off.store(true, Ordering::Release);
                OutletEnd::CutOff
            }
        })
    }
}

impl AlarmMailbox {
    /// Waits for the next item.
    ///
    /// # Errors
    /// The display was cut off, or the alarm thread has ended.
    pub async fn next(&mut self) -> Result<Stamped, MailboxEnd> {
        // What still lies in the mailbox of a display that was cut off is no longer complete.
        if self.is_cut_off() {
            return Err(MailboxEnd::CutOff);
        }
        match self.items.recv().await {
            Some(item) => Ok(item),
            None if self.is_cut_off() => Err(MailboxEnd::CutOff),
            None => Err(MailboxEnd::Closed),
        }
    }

    fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Acquire)
    }
}

/// Samples of one frame, with times by the gateway's clock.
#[derive(Debug, Clone)]
pub struct WaveformFrame {
    /// The agent's run.
    pub boot: BootId,
    /// Number of the frame within the run.
    pub sequence: u64,
    /// Its blocks.
    pub blocks: Vec<WaveformBlock>,
}

/// Consecutive samples of one parameter.
#[derive(Debug, Clone)]
pub struct WaveformBlock {
    /// What was measured.
    pub parameter: Parameter,
    /// Number of the first sample within boot and channel.
    pub first_index: u64,
    /// When the first sample was taken.
    pub start: Instant,
    /// Time between two samples.
    pub interval: Duration,
    /// The samples.
    pub readings: Vec<Reading>,
}

/// What the journal has of one pump's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Completeness {
    /// Frames that are kept.
    pub kept: u64,
    /// Frames that the agent holds and the journal lacks.
    pub missing: u64,
    /// Frames that came from the spool.
    pub backfilled: u64,
    /// Frames that neither has.
    pub lost: u64,
    /// Whether the gateway records.
    pub recording: bool,
}

/// The rules in force at one pump, as the alarm thread judges by them.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBook {
    /// The rules.
    pub rules: Arc<Rules>,
    /// Rules that cannot be judged now, and why.
    pub not_evaluable: Vec<(RuleKey, NotEvaluable)>,
    /// What people have said, as the rules know it; its case with what the birth says where nobody has said more.
    pub treatment: Treatment,
    /// Conditions that are shelved.
    pub shelves: Vec<(Condition, Shelf)>,
    /// Membrane resistance of the circuit when it was new, in mmHg.min/L, once known.
    pub membrane_baseline: Option<f32>,
}

/// What displays can read of one pump. The alarm thread replaces things whole and takes no lock that a reader may hold.
#[derive(Debug)]
pub struct PumpSlot {
    /// Which pump.
    pub address: PumpAddress,
    view: ArcSwap<View>,
    rules: ArcSwap<RuleBook>,
    birth: ArcSwapOption<Birth>,
    completeness: ArcSwapOption<Completeness>,
    heartbeat: ArcSwapOption<(Heartbeat, Instant)>,
    received: AtomicU64,
    rejected: AtomicU64,
    invalid: AtomicU64,
    metrics: OnceLock<Arc<PumpMetrics>>,
    watchers: AtomicUsize,
    waveforms: broadcast::Sender<Arc<WaveformFrame>>,
}

/// A display's watch of one pump's waveforms.
#[derive(Debug)]
pub struct WaveformWatch {
    slot: Arc<PumpSlot>,
    frames: broadcast::Receiver<Arc<WaveformFrame>>,
}

impl WaveformWatch {
    /// Waits for the next frame; also tells how many were lost before it because the display read too slowly.
    /// `None` when the pump is gone.
    pub async fn next(&mut self) -> Option<(Arc<WaveformFrame>, u64)> {
        let mut lost = 0;
        loop {
            match self.frames.recv().await {
                Ok(frame) => return Some((frame, lost)),
                Err(broadcast::error::RecvError::Lagged(frames)) => lost += frames,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for WaveformWatch {
    fn drop(&mut self) {
        self.slot.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PumpSlot {
    /// A slot with its first view and rules.
    #[must_use]
    pub fn new(address: PumpAddress, view: View, rules: RuleBook) -> Self {
        let (waveforms, _nobody_yet) = broadcast::channel(WAVEFORMS_QUEUED_MAX);
        Self {
            address,
            view: ArcSwap::from_pointee(view),
            rules: ArcSwap::from_pointee(rules),
            birth: ArcSwapOption::empty(),
            completeness: ArcSwapOption::empty(),
            heartbeat: ArcSwapOption::empty(),
            received: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            invalid: AtomicU64::new(0),
            metrics: OnceLock::new(),
            watchers: AtomicUsize::new(0),
            waveforms,
        }
    }

    /// Hands in the pump's series, which the serving side makes because that takes a lock; the first call counts.
    pub fn set_metrics(&self, metrics: Arc<PumpMetrics>) {
        // A second call brings the same series.
        let _already_set = self.metrics.set(metrics);
    }

    /// The pump's series, once they are made.
    #[must_use]
    pub fn metrics(&self) -> Option<&Arc<PumpMetrics>> {
        self.metrics.get()
    }

    /// Replaces the view.
    pub fn show(&self, view: View) {
        self.view.store(Arc::new(view));
    }

    /// The newest view.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Replaces the rules.
    pub fn rule(&self, rules: RuleBook) {
        self.rules.store(Arc::new(rules));
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Arc<RuleBook> {
        self.rules.load_full()
    }

    /// Replaces the birth.
    pub fn introduce(&self, birth: Arc<Birth>) {
        self.birth.store(Some(birth));
    }

    /// The newest birth.
    #[must_use]
    pub fn birth(&self) -> Option<Arc<Birth>> {
        self.birth.load_full()
    }

    /// Says what the journal has.
    pub fn complete(&self, completeness: Completeness) {
        self.completeness.store(Some(Arc::new(completeness)));
    }

    /// What the journal has; `None` when nothing is recorded.
    #[must_use]
    pub fn completeness(&self) -> Option<Completeness> {
        self.completeness.load().as_deref().copied()
    }

    /// Replaces what the agent says of itself, and when it was received.
    pub fn hear(&self, heartbeat: Arc<(Heartbeat, Instant)>) {
        self.heartbeat.store(Some(heartbeat));
    }

    /// What the agent last said of itself, and when it was received.
    #[must_use]
    pub fn heartbeat(&self) -> Option<Arc<(Heartbeat, Instant)>> {
        self.heartbeat.load_full()
    }

    /// Counts a frame that arrived.
    pub fn count_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a frame that was refused.
    pub fn count_rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts samples that are no measurement.
    pub fn count_invalid(&self, samples: u64) {
        self.invalid.fetch_add(samples, Ordering::Relaxed);
    }

    /// Frames that arrived.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Frames that were refused.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Samples that are no measurement.
    #[must_use]
    pub fn invalid(&self) -> u64 {
        self.invalid.load(Ordering::Relaxed)
    }

    /// Whether a display watches the waveforms.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Starts to watch the waveforms.
    #[must_use]
    pub fn watch_waveforms(self: &Arc<Self>) -> WaveformWatch {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        WaveformWatch { slot: Arc::clone(self), frames: self.waveforms.subscribe() }
    }

    /// Passes samples to all who watch. Serving side only: it takes a lock that readers hold for a moment.
    pub fn pass_waveforms(&self, frame: Arc<WaveformFrame>) {
        // No receiver is no loss: nobody watches.
        let _nobody_watches = self.waveforms.send(frame);
    }
}
