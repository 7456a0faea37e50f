//! A rule set as data, as a site keeps it, and what a treatment makes of it: the rules in force at one pump.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::alarm::condition::{Condition, Priority};
use crate::alarm::rule::{
    CompositeRule, Group, Limit, LimitRule, NotEvaluable, RuleKey, Rules, SensorRules, Side,
    SignalRules, SilenceRules,
};
use crate::alarm::treatment::{ContextKind, Treatment};
use crate::case::{Case, PumpKind, Therapy};
use crate::parameter::Parameter;

/// A number that is entered with the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseNumber {
    /// Intended blood flow, in mL/min.
    FlowTarget,
    /// Least blood flow of the oxygenator, in mL/min.
    OxygenatorFlowMin,
    /// Greatest speed of the pump, in rev/min.
    SpeedMax,
}

impl CaseNumber {
    fn of(self, case: &Case) -> Result<f32, NotEvaluable> {
        match self {
            Self::FlowTarget => case.flow_target.ok_or(NotEvaluable::NoFlowTarget),
            Self::OxygenatorFlowMin => {
                case.oxygenator_flow_min.ok_or(NotEvaluable::NoOxygenatorMinimum)
            }
            Self::SpeedMax => case.speed_max.ok_or(NotEvaluable::NoSpeedMaximum),
        }
    }
}

/// Where a limit's number comes from; its first part is what a person may set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A number in the parameter's unit.
    Absolute(f32),
    /// So much for each kg of weight; with a second number in the parameter's unit that must be violated too.
    PerKg {
        /// In the parameter's unit for each kg.
        per_kg: f32,
        /// In the parameter's unit; stands alone while no weight is known.
        and: Option<f32>,
    },
    /// A share of a number of the case.
    OfCase(CaseNumber, f32),
    /// A share of another parameter's newest value.
    OfParameter(Parameter, f32),
}

impl Bound {
    /// The number that a person may set.
    #[must_use]
    pub const fn number(self) -> f32 {
        match self {
            Self::Absolute(number)
            | Self::PerKg { per_kg: number, .. }
            | Self::OfCase(_, number)
            | Self::OfParameter(_, number) => number,
        }
    }

    const fn with_number(self, number: f32) -> Self {
        match self {
            Self::Absolute(_) => Self::Absolute(number),
            Self::PerKg { and, .. } => Self::PerKg { per_kg: number, and },
            Self::OfCase(of, _) => Self::OfCase(of, number),
            Self::OfParameter(of, _) => Self::OfParameter(of, number),
        }
    }

    fn resolve(self, side: Side, case: &Case) -> Result<Limit, NotEvaluable> {
        match self {
            Self::Absolute(number) => Ok(Limit::Fixed(number)),
            Self::PerKg { per_kg, and } => match (case.weight_kg, and) {
                (Some(kg), None) => Ok(Limit::Fixed(per_kg * kg)),
                (None, Some(alone)) => Ok(Limit::Fixed(alone)),
                (None, None) => Err(NotEvaluable::NoWeight),
                // Both must be violated: the one further out decides.
                (Some(kg), Some(and)) => Ok(Limit::Fixed(side.worse(per_kg * kg, and))),
            },
            Self::OfCase(of, share) => Ok(Limit::Fixed(of.of(case)? * share)),
            Self::OfParameter(of, share) => Ok(Limit::ShareOf(of, share)),
        }
    }
}

/// For which circuits a rule is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applies {
    /// Only for this kind of pump.
    pub pump_kind: Option<PumpKind>,
    /// Only for this therapy.
    pub therapy: Option<Therapy>,
}

impl Applies {
    /// Whether it is meant for a case; an error where the case does not say.
    ///
    /// A pump whose kind nobody has said is judged as either: a missed stop is worse than a false one.
    fn to(self, case: &Case) -> Result<bool, NotEvaluable> {
        if let (Some(wanted), Some(given)) = (self.pump_kind, case.pump_kind)
            && wanted != given
        {
            return Ok(false);
        }
        if let (Some(wanted), Some(given)) = (self.therapy, case.therapy)
            && wanted != given
        {
            return Ok(false);
        }
        if self.therapy.is_some() && case.therapy.is_none() {
            return Err(NotEvaluable::NoTherapy);
        }
        Ok(true)
    }
}

/// A limit as a profile has it. `rule.limit` is a placeholder: the bound says where the number comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitSpec {
    /// Everything but the number.
    pub rule: LimitRule,
    /// Where the number comes from.
    pub bound: Bound,
    /// For which circuits.
    pub applies: Applies,
    /// Least and greatest number that an operator may set; `None`: not to be set.
    pub span: Option<(f32, f32)>,
}

/// A composite as a profile has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CompositeSpec {
    /// The rule.
    pub rule: CompositeRule,
    /// For which circuits.
    pub applies: Applies,
}

/// What a context does to one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Which condition.
    pub condition: Condition,
    /// Its priority is at most this; never below medium for a protected condition.
    pub priority: Option<Priority>,
    /// Added to its delay; at most [`PROTECTED_DELAY_MAX`] for a protected condition.
    pub delay: Duration,
}

/// A context as a profile has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextSpec {
    /// Which context.
    pub kind: ContextKind,
    /// How long it may be declared at once.
    pub longest: Duration,
    /// What it does.
    pub effects: Vec<Effect>,
}

/// The most that contexts may add to the delay of a protected condition: the grace that a trainer grants an abnormal
/// clamp combination before effects begin (reference, section 2.5).
pub const PROTECTED_DELAY_MAX: Duration = Duration::from_secs(3);

/// A rule set as a site keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Who has signed it; `None` marks every alarm as unreviewed.
    pub reviewed_by: Option<String>,
    /// Fingerprint of its text.
    pub hash: u64,
    /// Limits.
    pub limits: Vec<LimitSpec>,
    /// Composites.
    pub composites: Vec<CompositeSpec>,
    /// Rules about sensors.
    pub sensors: SensorRules,
    /// Rules about absence.
    pub silence: SilenceRules,
    /// Rules about signals.
    pub signals: SignalRules,
    /// First-out groups.
    pub groups: Vec<Group>,
    /// Contexts.
    pub contexts: Vec<ContextSpec>,
}

impl Profile {
    /// The rules that a treatment has in force.
    #[must_use]
    pub fn resolve(&self, treatment: &Treatment) -> Rules {
        let case = &treatment.case;
        let mut not_evaluable = Vec::new();
        let mut limits = Vec::new();
        for spec in &self.limits {
            let key = spec.rule.key;
            let bound = treatment
                .overrides
                .iter()
                .find(|set| set.key == key)
                .map_or(spec.bound, |set| spec.bound.with_number(set.number));
            match spec.applies.to(case).and_then(|applies| {
                applies.then(|| bound.resolve(spec.rule.side, case)).transpose()
            }) {
                Ok(Some(limit)) => limits.push(LimitRule { limit, ..spec.rule.clone() }),
                Ok(None) => {}
                Err(reason) => not_evaluable.push((key, reason)),
            }
        }
        let mut composites = Vec::new();
        for spec in &self.composites {
            match spec.applies.to(case) {
                Ok(true) => composites.push(spec.rule.clone()),
                Ok(false) => {}
                Err(reason) => not_evaluable.push((spec.rule.key, reason)),
            }
        }
        for rule in &mut limits {
            let softer = self.softer(rule.key.condition, treatment);
            (rule.priority, rule.delay) = softer.of(rule.priority, rule.delay);
        }
        for rule in &mut composites {
            let softer = self.softer(rule.key.condition, treatment);
            (rule.priority, rule.hold) = softer.of(rule.priority, rule.hold);
        }
        let unreviewed = self.reviewed_by.is_none();
        let mut rules = Rules::new(limits, composites, self.silence, self.signals, unreviewed);
        rules.not_evaluable = not_evaluable;
        rules.sensors = self.sensors.clone();
        rules.groups.clone_from(&self.groups);
        rules
    }

    /// What all declared contexts together do to a condition.
    fn softer(&self, condition: Condition, treatment: &Treatment) -> Softer {
        let specs = treatment.contexts.iter().filter_map(|context| self.context(context.kind));
        let effects = specs.flat_map(|spec| &spec.effects);
        let mut softer = Softer { most: Priority::High, delay: Duration::ZERO };
        for effect in effects.filter(|effect| effect.condition == condition) {
            softer.most = softer.most.min(effect.priority.unwrap_or(Priority::High));
            softer.delay = softer.delay.saturating_add(effect.delay);
        }
        if condition.is_protected() {
            softer.most = softer.most.max(Priority::Medium);
            softer.delay = softer.delay.min(PROTECTED_DELAY_MAX);
        }
        softer
    }

    /// What a context does.
    #[must_use]
    pub fn context(&self, kind: ContextKind) -> Option<&ContextSpec> {
        self.contexts.iter().find(|spec| spec.kind == kind)
    }

    /// The limit of a key.
    #[must_use]
    pub fn limit(&self, key: RuleKey) -> Option<&LimitSpec> {
        self.limits.iter().find(|spec| spec.rule.key == key)
    }
}

/// What contexts do to a rule.
#[derive(Debug, Clone, Copy)]
struct Softer {
    /// The most urgent that it may be.
    most: Priority,
    /// Added to its delay.
    delay: Duration,
}

impl Softer {
    fn of(self, priority: Priority, delay: Duration) -> (Priority, Duration) {
        (priority.min(self.most), delay.saturating_add(self.delay))
    }
}
