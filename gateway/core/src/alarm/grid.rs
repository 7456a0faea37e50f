//! The composites of one pump at a point of the grid: what each finds, held and followed like a limit.

use alloc::sync::Arc;

use crate::alarm::composite::{Evidence, Finding, Memory, Scene};
use crate::alarm::hold::{Delays, Hold, Look, Onset, Verdict};
use crate::alarm::measure::Shown;
use crate::alarm::occurrence::Occurrence;
use crate::alarm::rule::{CompositeRule, NotEvaluable, RuleKey};
use crate::alarm::{Alarms, Moment, Output, Recovered};

/// The state of one composite rule.
#[derive(Debug)]
pub(super) struct CompositeState {
    pub(super) memory: Memory,
    pub(super) hold: Hold,
    /// What the newest finding says, or why there is none.
    pub(super) evidence: Option<Evidence>,
    pub(super) unknown: Option<NotEvaluable>,
}

impl CompositeState {
    pub(super) fn new(rule: &CompositeRule) -> Self {
        let memory = Memory::new(&rule.composite);
        let unknown = Some(NotEvaluable::NoReference);
        Self { memory, hold: Hold::new(), evidence: None, unknown }
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
        let mut recovered = Recovered::default();
        for (place, rule) in rules.composites().iter().enumerate() {
            let Some(state) = self.composites.get_mut(place) else { break };
            let condition = rule.key.condition;
            let delays = Delays { raise: rule.hold, clear: rule.clear_delay, cumulative: false };
            let finding = state.memory.judge(&rule.composite, scene);
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
                    let look = Look { violated: false, recovered: true, at };
                    (state.hold.step(delays, look), state.evidence)
                }
                Finding::Present(evidence) => {
                    state.evidence = Some(evidence);
                    let look = Look { violated: true, recovered: false, at };
                    (state.hold.step(delays, look), Some(evidence))
                }
            };
            state.unknown = None;
            if verdict == Verdict::Clear {
                recovered.add(condition);
            }
            let Some(evidence) = evidence else { continue };
            if state.hold.is_present() {
                let shown = Shown::by(rule, &evidence);
                self.follow(condition, verdict, shown, scene.tick, moment, out);
                if moment.fresh {
                    let it = |one: &Occurrence| {
                        one.id.condition == condition && one.rule == rule.key.number
                    };
                    self.register.set_last_known(it, false, moment.now, out);
                }
            }
        }
        self.settle_all(recovered, scene.tick, moment, out);
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
