//! The composites of one pump at a point of the grid: what each finds, held and followed like a limit.

use alloc::sync::Arc;
use core::time::Duration;

use crate::alarm::composite::{Composite, Evidence, Finding, Memory, Scene};
use crate::alarm::hold::{Delays, Hold, Look, Onset, Verdict};
use crate::alarm::measure::Shown;
use crate::alarm::occurrence::Occurrence;
use crate::alarm::rule::{CompositeRule, NotEvaluable, RuleKey};
use crate::alarm::{Alarms, Moment, Output};

/// The state of one composite rule.
#[derive(Debug)]
pub(super) struct CompositeState {
    pub(super) memory: Memory,
    pub(super) hold: Hold,
    /// What the newest finding says, or why there is none.
    pub(super) evidence: Option<Evidence>,
    pub(super) unknown: Option<NotEvaluable>,
    /// Present before a restart, and judged by what was before it: that it is absent is not believed until it was found again.
    pub(super) unproven: bool,
}

impl CompositeState {
    pub(super) fn new(rule: &CompositeRule) -> Self {
        let memory = Memory::new(&rule.composite);
        let unknown = Some(NotEvaluable::NoReference);
        Self { memory, hold: Hold::new(), evidence: None, unknown, unproven: false }
    }

    /// It was present before a restart of the reader, as the occurrence says.
    pub(super) fn resume(&mut self, occurrence: &Occurrence, is_measured_by_before: bool) {
        self.hold = Hold::present();
        self.unproven = is_measured_by_before;
        self.evidence = occurrence.parameter.map(|parameter| Evidence {
            parameter,
            value: occurrence.value.unwrap_or(f32::NAN),
            limit: occurrence.limit,
            priority: Some(occurrence.priority),
        });
    }
}

impl Alarms {
    /// Judges the composites at a point of the grid.
    pub(crate) fn on_grid(
        &mut self,
        scene: &Scene<'_>,
        moment: &Moment<'_>,
        out: &mut impl Output,
    ) {
        let rules = Arc::clone(&self.rules);
        let at = Onset { boot: moment.boot, time: scene.tick };
        for (place, rule) in rules.composites().iter().enumerate() {
            let Some(state) = self.composites.get_mut(place) else { break };
            let condition = rule.key.condition;
            let (raise, clear) = (rule.hold, rule.clear_delay);
            let delays = Delays { raise, clear, cumulative: false, dip: Duration::ZERO };
            let lag = lag_of(&rule.composite);
            let finding = match state.memory.judge(&rule.composite, scene) {
                // With the fault for its measure, everything looks as usual.
                Finding::Absent if state.unproven => Finding::Unknown(NotEvaluable::NoReference),
                finding @ (Finding::Absent | Finding::Present(_) | Finding::Unknown(_)) => finding,
            };
            let (verdict, evidence) = match finding {
                Finding::Unknown(reason) => {
                    state.unknown = Some(reason);
                    state.hold.interrupt();
                    if state.hold.is_present() {
                        let number = rule.key.number;
                        let it =
                            |one: &Occurrence| one.id.condition == condition && one.rule == number;
                        self.register.set_last_known(it, true, moment.now, out);
                    }
                    continue;
                }
                Finding::Absent => {
                    let look = Look { violated: false, recovered: true, at, lag };
                    (state.hold.step(delays, look), state.evidence)
                }
                Finding::Present(evidence) => {
                    state.evidence = Some(evidence);
                    if core::mem::take(&mut state.unproven) {
                        self.register
                            .find_mut(condition)
                            .into_iter()
                            .for_each(|it| it.orphan = false);
                    }
                    let look = Look { violated: true, recovered: false, at, lag };
                    (state.hold.step(delays, look), Some(evidence))
                }
            };
            state.unknown = None;
            if verdict == Verdict::Clear {
                let cause = Some(moment.cause(scene.tick));
                self.settle(condition, moment.now, cause, out);
                continue;
            }
            let Some(evidence) = evidence else { continue };
            // As of the limits: what is undecided is what was known before.
            let is_judged = moment.fresh && !state.hold.is_undecided();
            if state.hold.is_present() {
                let shown = Shown::by(rule, &evidence);
                self.follow(condition, verdict, shown, scene.tick, moment, out);
                if is_judged {
                    let it = |one: &Occurrence| {
                        one.id.condition == condition && one.rule == rule.key.number
                    };
                    self.register.set_last_known(it, false, moment.now, out);
                }
            }
        }
    }

    /// Why composites cannot be judged now.
    pub(crate) fn unknown_composites(&self) -> impl Iterator<Item = (RuleKey, NotEvaluable)> + '_ {
        let states = self.rules.composites().iter().zip(&self.composites);
        states.filter_map(|(rule, state)| Some((rule.key, state.unknown?)))
    }

    /// Membrane resistance of the circuit when it was new, once known, in mmHg.min/L.
    #[must_use]
    pub(crate) fn membrane_baseline(&self) -> Option<f32> {
        self.composites.iter().find_map(|state| state.memory.membrane_baseline())
    }
}

/// Half of the time over which a composite looks at how it is now: one beat of the heart where pressures and flow are
/// compared in their means.
const fn lag_of(composite: &Composite) -> Duration {
    match composite {
        Composite::ReturnObstruction(_) | Composite::DrainObstruction(_) => {
            Duration::from_millis(250)
        }
        Composite::PumpNoFlow(_)
        | Composite::Disconnection(_)
        | Composite::PostFall(_)
        | Composite::Clotting(_)
        | Composite::Chatter(_)
        | Composite::AirEntrainment(_)
        | Composite::Recirculation(_)
        | Composite::GasFailure(_)
        | Composite::Depleting(_)
        | Composite::BleedingTrend(_)
        | Composite::PulseLow(_) => Duration::ZERO,
    }
}
