//! What single rules cannot show: rules named twice, warnings beyond alarms, conditions that nothing raises, groups
//! that would quiet what is more urgent than its cause.

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::profile::{Applies, Bound, CompositeSpec, ContextSpec, LimitSpec};
use ecmo_core::alarm::rule::{Group, RuleKey, SensorRules};
use ecmo_core::case::{PumpKind, Therapy};

use crate::error::Problems;
use crate::head::Placed;
use crate::words;

/// Warnings with the alarms that they come before.
const FAMILIES: [(Condition, Condition); 5] = [
    (Condition::FLOW_LOW, Condition::FLOW_VERY_LOW),
    (Condition::DRAIN_LOW_WARN, Condition::DRAIN_LOW_ALARM),
    (Condition::PRE_HIGH_WARN, Condition::PRE_HIGH_ALARM),
    (Condition::POST_HIGH_WARN, Condition::POST_HIGH_ALARM),
    (Condition::BATTERY_LOW, Condition::BATTERY_CRITICAL),
];

/// Every rule of a profile, with its place.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) limits: Vec<Placed<LimitSpec>>,
    pub(crate) composites: Vec<Placed<CompositeSpec>>,
    pub(crate) sensors: SensorRules,
    pub(crate) groups: Vec<Placed<Group>>,
    pub(crate) contexts: Vec<Placed<ContextSpec>>,
    /// Conditions that the profile leaves to others on purpose.
    pub(crate) left_out: Vec<Placed<Condition>>,
}

/// What the checks need of a limit or a composite.
#[derive(Debug, Clone, Copy)]
struct Rule {
    at: usize,
    section: &'static str,
    key: RuleKey,
    applies: Applies,
    priority: Priority,
}

/// Notes everything that does not fit together.
pub(crate) fn check(parts: &Parts, problems: &mut Problems) {
    let rules = rules(parts);
    named_twice(&rules, problems);
    contexts_twice(&parts.contexts, problems);
    warnings(&parts.limits, problems);
    coverage(&rules, &parts.left_out, problems);
    for group in &parts.groups {
        urgency(group, &rules, &parts.sensors, problems);
    }
}

fn rules(parts: &Parts) -> Vec<Rule> {
    let limits = parts.limits.iter().map(|limit| Rule {
        at: limit.at,
        section: "limit",
        key: limit.it.rule.key,
        applies: limit.it.applies,
        priority: limit.it.rule.priority,
    });
    let composites = parts.composites.iter().map(|composite| Rule {
        at: composite.at,
        section: "composite",
        key: composite.it.rule.key,
        applies: composite.it.applies,
        priority: composite.it.rule.priority,
    });
    limits.chain(composites).collect()
}

fn named_twice(rules: &[Rule], problems: &mut Problems) {
    for (place, rule) in rules.iter().enumerate() {
        if rules.iter().take(place).any(|earlier| earlier.key == rule.key) {
            problems.add(
                rule.at,
                format!("{}.condition", rule.section),
                format!("the rule {} is there twice", rule.key),
                "remove one, or give this one another number, such as number = 2",
            );
        }
    }
}

fn contexts_twice(contexts: &[Placed<ContextSpec>], problems: &mut Problems) {
    for (place, context) in contexts.iter().enumerate() {
        let kind = context.it.kind;
        if contexts.iter().take(place).any(|earlier| earlier.it.kind == kind) {
            problems.add(
                context.at,
                "context.kind",
                format!("the context {} is there twice", kind.id()),
                "merge the two",
            );
        }
    }
}

fn warnings(limits: &[Placed<LimitSpec>], problems: &mut Problems) {
    for warning in limits {
        for alarm in limits.iter().filter(|alarm| comes_before(&warning.it, &alarm.it)) {
            compare(warning, alarm, problems);
        }
    }
}

/// Whether one limit is the warning of the other, on the same scale.
fn comes_before(warning: &LimitSpec, alarm: &LimitSpec) -> bool {
    let [mild, severe] = [warning, alarm].map(|spec| spec.rule.key.condition);
    let related = FAMILIES.contains(&(mild, severe))
        || (mild == severe && warning.rule.priority < alarm.rule.priority);
    let same_source = match (warning.bound, alarm.bound) {
        (Bound::Absolute(_), Bound::Absolute(_)) | (Bound::PerKg { .. }, Bound::PerKg { .. }) => {
            true
        }
        (Bound::OfCase(one, _), Bound::OfCase(other, _)) => one == other,
        (Bound::OfParameter(one, _), Bound::OfParameter(other, _)) => one == other,
        (
            Bound::Absolute(_) | Bound::PerKg { .. } | Bound::OfCase(..) | Bound::OfParameter(..),
            _,
        ) => false,
    };
    related
        && same_source
        && warning.rule.parameter == alarm.rule.parameter
        && warning.rule.measure == alarm.rule.measure
        && warning.rule.side == alarm.rule.side
        && circuits().any(|(pump, therapy)| {
            is_for(warning.applies, pump, therapy) && is_for(alarm.applies, pump, therapy)
        })
}

fn compare(warning: &Placed<LimitSpec>, alarm: &Placed<LimitSpec>, problems: &mut Problems) {
    let side = warning.it.rule.side;
    let [mild, severe] = [&warning.it, &alarm.it].map(|spec| spec.bound.number());
    let [mild_key, severe_key] = [&warning.it, &alarm.it].map(|spec| spec.rule.key);
    if side.excess(mild, severe) > 0.0 {
        problems.add(
            warning.at,
            "limit",
            format!("the warning {mild_key} at {mild} lies beyond {severe_key} at {severe}"),
            "bring it inside, or move the other limit out",
        );
        return;
    }
    let [mild_span, severe_span] = [&warning.it, &alarm.it].map(|spec| {
        let number = spec.bound.number();
        spec.span.unwrap_or((number, number))
    });
    let furthest = side.worse(mild_span.0, mild_span.1);
    let nearest =
        if side.excess(severe_span.0, severe_span.1) > 0.0 { severe_span.1 } else { severe_span.0 };
    if side.excess(furthest, nearest) > 0.0 {
        problems.add(
            warning.at,
            "limit.settable",
            format!(
                "an operator could set {mild_key} to {furthest}, beyond {severe_key} at {nearest}"
            ),
            "keep the two spans apart",
        );
    }
}

/// Every circuit that a case may describe.
fn circuits() -> impl Iterator<Item = (PumpKind, Therapy)> {
    PumpKind::ALL
        .into_iter()
        .flat_map(|pump| Therapy::ALL.into_iter().map(move |therapy| (pump, therapy)))
}

fn is_for(applies: Applies, pump: PumpKind, therapy: Therapy) -> bool {
    applies.pump_kind.is_none_or(|wanted| wanted == pump)
        && applies.therapy.is_none_or(|wanted| wanted == therapy)
}

/// A condition without a rule would be silently quiet: refused unless the profile says so, a protected one always.
fn coverage(rules: &[Rule], left_out: &[Placed<Condition>], problems: &mut Problems) {
    for condition in Condition::ALL.iter().copied().filter(|one| words::has_rules(*one)) {
        let of_it = || rules.iter().filter(|rule| rule.key.condition == condition);
        let named = left_out.iter().find(|named| named.it == condition);
        match (named, of_it().next()) {
            (Some(named), _) if condition.is_protected() => problems.add(
                named.at,
                "left_out",
                format!("{condition} cannot be left out: nothing may hide it"),
                "take it out and give it a rule",
            ),
            (Some(named), Some(_rule)) => problems.add(
                named.at,
                "left_out",
                format!("{condition} is left out and has a rule"),
                "take it out here, or remove the rule",
            ),
            (None, None) => problems.add(
                0,
                "limit",
                format!("no rule raises {condition}"),
                "add a [[limit]] or [[composite]] for it, or name it in left_out",
            ),
            (Some(_), None) | (None, Some(_)) => {}
        }
        let is_for_all = |rule: &Rule| rule.applies == Applies::default();
        if let (true, Some(rule)) = (condition.is_protected(), of_it().next())
            && !of_it().any(is_for_all)
        {
            problems.add(
                rule.at,
                rule.section,
                format!("{condition} has no rule that holds for every pump and therapy"),
                "add one without pump_kind and therapy",
            );
        }
    }
}

/// Refuses a follower that could be more urgent than what quiets it. Contexts and escalation are the core's care.
fn urgency(group: &Placed<Group>, rules: &[Rule], sensors: &SensorRules, problems: &mut Problems) {
    for leader in &group.it.leaders {
        let Some((least, _most)) = urgencies(*leader, rules, sensors) else { continue };
        for follower in &group.it.followers {
            let Some((_least, most)) = urgencies(*follower, rules, sensors) else { continue };
            if most <= least {
                continue;
            }
            problems.add(
                group.at,
                "group.followers",
                format!(
                    "{leader} of {} priority would quiet {follower} of {} priority",
                    words::priority_word(least),
                    words::priority_word(most)
                ),
                "let only a cause lead that is at least as urgent",
            );
            return;
        }
    }
}

/// The least and the most urgent that a condition can be; `None` where the profile has nothing that raises it.
fn urgencies(
    condition: Condition,
    rules: &[Rule],
    sensors: &SensorRules,
) -> Option<(Priority, Priority)> {
    if let Some(sensor) = condition.sensor() {
        let priority = sensors.priority(sensor);
        return Some((priority, priority));
    }
    if condition == Condition::CLOCK_SKEW {
        return Some((Priority::Low, Priority::Medium));
    }
    if condition == Condition::GATEWAY_OVERLOAD {
        return Some((Priority::Medium, Priority::Medium));
    }
    if !words::has_rules(condition) {
        return Some((Priority::High, Priority::High));
    }
    let of_it = || rules.iter().filter(|rule| rule.key.condition == condition);
    let least = of_it().map(|rule| rule.priority).min()?;
    let most = of_it().map(|rule| rule.priority).max()?;
    Some((least, most))
}
