//! The words that a profile may use: conditions, parameters, priorities, pumps, therapies, contexts.

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::treatment::ContextKind;
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::parameter::Parameter;

use crate::error::Problems;
use crate::reader::Value;

/// Every priority, the least urgent first.
const PRIORITIES: [Priority; 4] =
    [Priority::Information, Priority::Low, Priority::Medium, Priority::High];

/// Conditions that are the absence of something, or that the gateway finds in itself: no limit and no composite raises
/// them, and no context touches them.
const ABSENCES: [Condition; 26] = [
    Condition::COMM_STALE,
    Condition::COMM_CONSOLE_SILENT,
    Condition::COMM_BROKER,
    Condition::COMM_REDUNDANCY_LOST,
    Condition::COMM_DAMAGED,
    Condition::AGENT_NOT_SAMPLING,
    Condition::AGENT_RECORDING,
    Condition::ALARM_VERDICT_DIFFERS,
    Condition::SENSOR_RATE,
    Condition::SOURCE_DUPLICATE,
    Condition::CLOCK_SKEW,
    Condition::GATEWAY_OVERLOAD,
    Condition::GATEWAY_RECORDING,
    Condition::GATEWAY_STATE,
    Condition::GATEWAY_PEER_LOST,
    Condition::GATEWAY_CONFIG_DIFFERS,
    Condition::LATENCY_AGENT,
    Condition::LATENCY_NETWORK,
    Condition::LATENCY_DISPLAY,
    Condition::DRILL_MISSED,
    Condition::DISPLAY_NONE,
    Condition::DISPLAY_SILENT,
    Condition::DISPLAY_LOST,
    Condition::OWNERSHIP_UNANSWERED,
    Condition::ALARM_MISSED,
    Condition::DELIVERY_UNCONFIRMED,
];

/// Whether rules raise the condition, not silence and not the gateway itself.
pub(crate) fn has_rules(condition: Condition) -> bool {
    condition.sensor().is_none() && !ABSENCES.contains(&condition)
}

/// The word of a priority.
pub(crate) const fn priority_word(priority: Priority) -> &'static str {
    match priority {
        Priority::Information => "information",
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
    }
}

fn conditions_with_rules() -> Vec<String> {
    Condition::ALL
        .iter()
        .filter(|condition| has_rules(**condition))
        .map(Condition::to_string)
        .collect()
}

/// A condition that rules raise.
pub(crate) fn condition(value: &Value<'_>, problems: &mut Problems) -> Option<Condition> {
    let condition = value.word("condition", Condition::from_id, conditions_with_rules, problems)?;
    if has_rules(condition) {
        return Some(condition);
    }
    value.refuse(
        problems,
        format!("{condition} is decided by silence or by the gateway itself, not by a rule"),
        "set its times in [silence]; a sensor's priority in [sensors]",
    );
    None
}

/// Any condition, or several by their beginning: `sat.*`, `sensor.fault.*`.
pub(crate) fn conditions(value: &Value<'_>, problems: &mut Problems) -> Option<Vec<Condition>> {
    let known = |text: &str| match text.strip_suffix(".*") {
        Some(Condition::SENSOR_FAULT_FAMILY) => {
            Some(Parameter::ALL.iter().copied().map(Condition::sensor_fault).collect())
        }
        Some(beginning) => {
            let below = |condition: &Condition| {
                condition.family().strip_prefix(beginning).is_some_and(|rest| rest.starts_with('.'))
            };
            let found: Vec<_> = Condition::ALL.iter().copied().filter(below).collect();
            (!found.is_empty()).then_some(found)
        }
        None => Condition::from_id(text).map(|condition| vec![condition]),
    };
    let listed = || {
        let mut all: Vec<String> = Condition::ALL.iter().map(Condition::to_string).collect();
        all.push(format!("{}.*", Condition::SENSOR_FAULT_FAMILY));
        all
    };
    value.word("condition", known, listed, problems)
}

/// A parameter.
pub(crate) fn parameter(value: &Value<'_>, problems: &mut Problems) -> Option<Parameter> {
    let all = || Parameter::ALL.iter().map(|parameter| parameter.info().id.to_owned()).collect();
    value.word("parameter", Parameter::from_id, all, problems)
}

/// A priority.
pub(crate) fn priority(value: &Value<'_>, problems: &mut Problems) -> Option<Priority> {
    let known = |text: &str| PRIORITIES.into_iter().find(|one| priority_word(*one) == text);
    let all = || PRIORITIES.into_iter().map(|one| priority_word(one).to_owned()).collect();
    value.word("priority", known, all, problems)
}

/// A kind of pump.
pub(crate) fn pump_kind(value: &Value<'_>, problems: &mut Problems) -> Option<PumpKind> {
    let all = || PumpKind::ALL.into_iter().map(|kind| kind.id().to_owned()).collect();
    value.word("pump kind", PumpKind::from_id, all, problems)
}

/// A therapy.
pub(crate) fn therapy(value: &Value<'_>, problems: &mut Problems) -> Option<Therapy> {
    let all = || Therapy::ALL.into_iter().map(|therapy| therapy.id().to_owned()).collect();
    value.word("therapy", Therapy::from_id, all, problems)
}

/// A context.
pub(crate) fn context(value: &Value<'_>, problems: &mut Problems) -> Option<ContextKind> {
    let all = || ContextKind::ALL.into_iter().map(|kind| kind.id().to_owned()).collect();
    value.word("context", ContextKind::from_id, all, problems)
}
