//! The synthetic pump of this gateway: read, put in order and judged as any other, by a rule set of one limit.

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Kind, Priority};
use ecmo_core::alarm::occurrence::Transition;
use ecmo_core::alarm::profile::{Applies, Bound, LimitSpec, Profile};
use ecmo_core::alarm::rule::{Gate, Limit, LimitRule, Measure, RuleKey, SensorRules, Side};
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::{BirthWord, Pump};
use ecmo_core::time::{ClockMap, Instant};
use ecmo_proto::topic::{self, Id, Kind as MessageKind};

use super::asking;
use super::ward::REORDER_WINDOW;
use crate::decode::{self, Accepted, Birth, Decoder, FrameBytes};
use crate::ingest::Arrival;

/// What a drill's frames carry.
pub const DRILL_PARAMETER: Parameter = Parameter::PumpSpeed;

/// A drill is a sample of [`DRILL_PARAMETER`] below this, in its unit; the quiet between two is above it (own choice).
pub const DRILL_LIMIT: f32 = 1_000.0;

/// What is raised at the synthetic pump; no display shows it.
const CONDITION: Condition = Condition::PUMP_STOP;

/// Whether a topic is of a synthetic pump, this gateway's or another's. Asked for each message.
pub(super) fn concerns(name: &str) -> bool {
    let rest = name.strip_prefix(topic::PREFIX).and_then(|rest| rest.strip_prefix('/'));
    rest.and_then(|rest| rest.strip_prefix(topic::DRILL)).is_some_and(|rest| rest.starts_with('/'))
}

/// A drill that was decided.
#[derive(Debug, Clone)]
pub(super) struct DrillDecision {
    /// The id under which displays confirm it.
    pub(super) occurrence: Arc<str>,
    /// The revision that they confirm.
    pub(super) revision: u32,
    /// When its sample was taken: the synthetic pump has this process's clock.
    pub(super) sampled: Instant,
}

/// The judge of the synthetic pump.
#[derive(Debug)]
pub(super) struct Drill {
    name: Box<str>,
    pump: Pump,
    decoder: Decoder,
    birth: Option<Arc<Birth>>,
    /// The newest one, and whether a display has confirmed it.
    newest: Option<(DrillDecision, bool)>,
}

/// Hears the one condition that matters.
struct Ear<'a> {
    name: &'a str,
    raised: Option<DrillDecision>,
}

impl Output for Ear<'_> {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        let is_it = change.occurrence.id.condition == CONDITION;
        if let Some(cause) = change.cause.filter(|_| is_it)
            && change.transition == Transition::Raised
        {
            let (name, id) = (self.name, change.occurrence.id);
            self.raised = Some(DrillDecision {
                occurrence: format!("{}/{name}/{id}", topic::DRILL).into(),
                revision: change.occurrence.revision,
                sampled: Instant::from_nanos(cause.sampled.as_nanos()),
            });
        }
    }
}

impl Drill {
    /// The synthetic pump of the gateway of this name; nothing was heard of it yet.
    pub(super) fn new(name: &Id, profile: &Profile, now: Instant) -> Self {
        Self {
            name: name.as_str().into(),
            pump: Pump::new(Arc::new(rules(profile)), REORDER_WINDOW, now),
            decoder: Decoder::default(),
            birth: None,
            newest: None,
        }
    }

    /// Takes a message of a synthetic pump; the drill that it decides. What is another gateway's, or wrong, is nothing: a
    /// drill that does not come through is told by its absence.
    pub(super) fn on_arrival(&mut self, arrival: &Arrival) -> Option<DrillDecision> {
        let parts = topic::parse(&arrival.topic).filter(|parts| *parts.pump == *self.name)?;
        let mut ear = Ear { name: &self.name, raised: None };
        let (now, path) = (arrival.received, asking::path(arrival.path));
        match parts.kind {
            MessageKind::Birth => {
                let birth = decode::birth(&arrival.payload, &self.name).ok()?;
                let word = BirthWord {
                    boot: birth.boot,
                    boot_number: birth.boot_number,
                    paths: birth.paths,
                    channels: &birth.channels,
                    kind: birth.case_kind(),
                    retained: arrival.retained,
                };
                self.pump.on_birth_word(&word, path, now, &mut ear).ok()?;
                self.birth = Some(Arc::new(birth));
            }
            MessageKind::Frame => {
                let bytes = FrameBytes {
                    payload: &arrival.payload,
                    pump: &self.name,
                    retained: arrival.retained,
                    accepted: Accepted::Live,
                    received: arrival.received,
                };
                let birth = self.birth.as_deref();
                let frame = self.decoder.frame(bytes, birth, &mut |_reason, _samples| {}).ok()?;
                self.pump.on_frame_from(path, frame, now, &mut ear).ok()?;
            }
            MessageKind::Status
            | MessageKind::Heartbeat
            | MessageKind::Backfill
            | MessageKind::Request
            | MessageKind::Alarm
            | MessageKind::Action
            | MessageKind::Peer => {}
        }
        let raised = ear.raised;
        self.remember(raised)
    }

    /// Lets frames that overtook others have their turn.
    pub(super) fn on_tick(&mut self, now: Instant) -> Option<DrillDecision> {
        if self.pump.next_deadline().is_none_or(|deadline| now < deadline) {
            return None;
        }
        let mut ear = Ear { name: &self.name, raised: None };
        self.pump.on_tick(now, &mut ear);
        let raised = ear.raised;
        self.remember(raised)
    }

    fn remember(&mut self, raised: Option<DrillDecision>) -> Option<DrillDecision> {
        let decided = raised?;
        self.newest = Some((decided.clone(), false));
        Some(decided)
    }

    /// Whether this is the newest drill.
    pub(super) fn is_newest(&self, occurrence: &str, revision: u32) -> bool {
        let newest = self.newest.as_ref();
        newest.is_some_and(|(it, _)| *it.occurrence == *occurrence && it.revision == revision)
    }

    /// A display that attends has confirmed the newest drill; when its sample was taken, the first time.
    pub(super) fn confirm(&mut self) -> Option<Instant> {
        let (decided, confirmed) = self.newest.as_mut()?;
        let is_first = !std::mem::replace(confirmed, true);
        is_first.then_some(decided.sampled)
    }
}

/// One limit, judged at once and over at once.
fn rules(profile: &Profile) -> Profile {
    let rule = LimitRule {
        key: RuleKey { condition: CONDITION, number: 1 },
        parameter: DRILL_PARAMETER,
        measure: Measure::Value,
        side: Side::Below,
        limit: Limit::Fixed(DRILL_LIMIT),
        hysteresis: 0.0,
        hysteresis_share: 0.0,
        average: Duration::ZERO,
        delay: Duration::ZERO,
        cumulative: false,
        clear_delay: Duration::ZERO,
        priority: Priority::Low,
        kind: Kind::Technical,
        latching: false,
        gate: Gate::Always,
        escalate: None,
    };
    let bound = Bound::Absolute(DRILL_LIMIT);
    let limits = vec![LimitSpec { rule, bound, applies: Applies::default(), span: None }];
    let mut silence = profile.silence;
    // Between two drills its frames may be few: what a real pump's silence means says nothing here.
    silence.frame = Duration::from_hours(24);
    silence.frame_after_hint = silence.frame;
    silence.channel_missing = silence.frame;
    Profile {
        name: "drill".to_owned(),
        limits,
        composites: Vec::new(),
        sensors: SensorRules::default(),
        silence,
        groups: Vec::new(),
        contexts: Vec::new(),
        ..profile.clone()
    }
}

#[cfg(test)]
mod tests;
