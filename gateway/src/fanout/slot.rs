//! What displays can read of one pump, replaced whole by the alarm thread.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::Shelf;
use ecmo_core::alarm::rule::{NotEvaluable, RuleKey, Rules};
use ecmo_core::alarm::treatment::Treatment;
use ecmo_core::time::Instant;
use ecmo_core::view::View;
use ecmo_proto::topic::PumpAddress;
use tokio::sync::broadcast;

use super::waveform::{WAVEFORMS_QUEUED_MAX, WaveformFrame, WaveformWatch};
use crate::decode::{Birth, Heartbeat};
use crate::metrics::PumpMetrics;

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

/// One version of what is shown of a pump, with the bytes that all displays share.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The view.
    pub view: Arc<View>,
    /// The rules in force.
    pub rules: Arc<RuleBook>,
    /// Both, as displays get them.
    pub bytes: Bytes,
}

impl Shown {
    /// Whether it is of this view and these rules.
    #[must_use]
    fn is_of(&self, view: &Arc<View>, rules: &Arc<RuleBook>) -> bool {
        Arc::ptr_eq(&self.view, view) && Arc::ptr_eq(&self.rules, rules)
    }
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
    /// The newest version that a display was sent. Serving side only: the alarm thread never takes this lock.
    shown: Mutex<Option<Shown>>,
    waveforms: broadcast::Sender<Arc<WaveformFrame>>,
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
            shown: Mutex::new(None),
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

    /// The newest version, if it is not the one that the display has; encoded once for all displays. Serving side only.
    pub fn shown(
        &self,
        known: Option<&Shown>,
        encode: impl FnOnce(&Self, &View, &RuleBook) -> Bytes,
    ) -> Option<Shown> {
        let newest = (self.view(), self.rules());
        if known.is_some_and(|known| known.is_of(&newest.0, &newest.1)) {
            return None;
        }
        // Nothing in here panics half way: what is there is whole.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // Read again under the lock: an older version must not take the place of a newer one.
        let (view, rules) = (self.view(), self.rules());
        if let Some(shown) = shown.as_ref().filter(|shown| shown.is_of(&view, &rules)) {
            return Some(shown.clone());
        }
        let bytes = encode(self, &view, &rules);
        let fresh = Shown { view, rules, bytes };
        *shown = Some(fresh.clone());
        Some(fresh)
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

    pub(super) fn count_watcher(&self, more: bool) {
        if more {
            self.watchers.fetch_add(1, Ordering::Relaxed);
        } else {
            self.watchers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Starts to watch the waveforms.
    #[must_use]
    pub fn watch_waveforms(self: &Arc<Self>) -> WaveformWatch {
        WaveformWatch::new(Arc::clone(self), self.waveforms.subscribe())
    }

    /// Passes samples to all who watch. Serving side only: it takes a lock that readers hold for a moment.
    pub fn pass_waveforms(&self, frame: Arc<WaveformFrame>) {
        // No receiver is no loss: nobody watches.
        let _nobody_watches = self.waveforms.send(frame);
    }
}
