//! One `[[context]]`: for how long it may be declared, and what it softens. It switches nothing off.

use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::profile::{ContextSpec, Effect, PROTECTED_DELAY_MAX};

use crate::error::Problems;
use crate::head::Placed;
use crate::reader::{Table, Value};
use crate::words;

/// Longest declaration: a shift and its handover.
const CONTEXT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Shortest declaration.
const CONTEXT_MIN: Duration = Duration::from_secs(60);

/// Reads a context; `None` when it has a problem.
pub(crate) fn read(mut table: Table<'_>, problems: &mut Problems) -> Option<Placed<ContextSpec>> {
    let at = table.at();
    let kind = table.required("kind", problems).and_then(|value| words::context(&value, problems));
    let longest = table
        .required("longest_min", problems)
        .and_then(|value| value.minutes(CONTEXT_MIN, CONTEXT_MAX, problems));
    let list = table
        .required("effects", problems)
        .and_then(|value| value.filled_list("what the context does", problems));
    table.close(problems);
    let (kind, longest, list) = (kind?, longest?, list?);
    let mut effects: Vec<Effect> = Vec::new();
    for value in list {
        for effect in self::effects(&value, longest, problems).unwrap_or_default() {
            if effects.iter().any(|earlier| earlier.condition == effect.condition) {
                let what = format!("names {} twice", effect.condition);
                value.refuse(problems, what, "say once what this context does to it");
            }
            effects.push(effect);
        }
    }
    Some(Placed { at, it: ContextSpec { kind, longest, effects } })
}

/// Reads one line of `effects`: the same for one or several conditions.
fn effects(value: &Value<'_>, longest: Duration, problems: &mut Problems) -> Option<Vec<Effect>> {
    let mut table = value.table(problems)?;
    let names = table
        .required("conditions", problems)
        .and_then(|value| value.filled_list("conditions", problems));
    let priority = table.optional("priority");
    let delay = table.optional("delay_s");
    table.close(problems);
    if priority.is_none() && delay.is_none() {
        value.refuse(problems, "does nothing", "add priority, delay_s, or both");
        return None;
    }
    let most = match &priority {
        None => None,
        Some(value) => Some(lowered(value, problems)?),
    };
    let added = match &delay {
        None => Duration::ZERO,
        Some(value) => {
            let added = value.seconds(Duration::ZERO, longest, problems)?;
            if added == longest {
                value.refuse(
                    problems,
                    "is as long as the context, which would switch the alarm off",
                    "write less than longest_min",
                );
                return None;
            }
            added
        }
    };
    let mut effects = Vec::new();
    for name in names? {
        let condition = words::condition(&name, problems)?;
        check_protected(condition, (most, priority.as_ref()), (added, delay.as_ref()), problems);
        effects.push(Effect { condition, priority: most, delay: added });
    }
    Some(effects)
}

/// A priority that is still an alarm.
fn lowered(value: &Value<'_>, problems: &mut Problems) -> Option<Priority> {
    let priority = words::priority(value, problems)?;
    let (what, todo) = match priority {
        Priority::Low | Priority::Medium => return Some(priority),
        Priority::Information => ("a context makes no alarm silent", "write \"low\""),
        Priority::High => ("nothing lies above high", "write \"low\" or \"medium\""),
    };
    value.refuse(problems, what, todo);
    None
}

/// Refuses what would hide a condition that nothing may hide.
fn check_protected(
    condition: Condition,
    (most, priority): (Option<Priority>, Option<&Value<'_>>),
    (added, delay): (Duration, Option<&Value<'_>>),
    problems: &mut Problems,
) {
    if !condition.is_protected() {
        return;
    }
    if let (Some(most), Some(value)) = (most, priority)
        && most < Priority::Medium
    {
        value.refuse(
            problems,
            format!("no context lowers {condition} below medium"),
            "write \"medium\", or take the condition out",
        );
    }
    if let Some(value) = delay
        && added > PROTECTED_DELAY_MAX
    {
        let longest = PROTECTED_DELAY_MAX.as_secs();
        value.refuse(
            problems,
            format!("no context delays {condition} by more than {longest} s"),
            format!("write at most {longest}, or take the condition out"),
        );
    }
}
