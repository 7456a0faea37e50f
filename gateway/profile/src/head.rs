//! What limits and composites have in common: name, priority, latching, circuit, escalation.

use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::profile::Applies;
use ecmo_core::alarm::rule::RuleKey;

use crate::error::Problems;
use crate::reader::{Table, Value};
use crate::words;

/// Longest delay of any rule.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest delay of a protected condition: later than this the alarm has no use (reference, section 0, fact 5).
const PROTECTED_DELAY_LONGEST: Duration = Duration::from_secs(10);

/// Most rules of one condition.
const RULES_OF_CONDITION_MAX: u32 = 9;

/// Cards to read: no sound may be claimed for them (reference, section 2.4, C12 and C13).
const CARDS: [Condition; 2] = [Condition::BLEEDING_TREND, Condition::PULSE_LOW];

/// What a rule is called and what it does when it raises.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) key: RuleKey,
    pub(crate) priority: Priority,
    pub(crate) latching: bool,
    pub(crate) clear_delay: Duration,
    pub(crate) applies: Applies,
    pub(crate) escalate: Option<Duration>,
}

/// A value with its place in the text.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    /// Where it begins, in bytes.
    pub(crate) at: usize,
    pub(crate) it: T,
}

impl Head {
    /// Reads the keys that every rule has.
    pub(crate) fn read(table: &mut Table<'_>, problems: &mut Problems) -> Option<Self> {
        let condition = table
            .required("condition", problems)
            .and_then(|value| words::condition(&value, problems));
        let number = match table.optional("number") {
            None => Some(1),
            Some(value) => value.whole(RULES_OF_CONDITION_MAX, problems),
        };
        let clear_delay = table
            .required("clear_s", problems)
            .and_then(|value| value.seconds(Duration::ZERO, DELAY_MAX, problems));
        let given = table.required("priority", problems);
        let priority = given.as_ref().and_then(|value| words::priority(value, problems));
        let latching = table.required("latching", problems).and_then(|value| value.flag(problems));
        let applies = applies(table, problems);
        let escalate = table.optional("escalate_s");
        let (condition, priority) = (condition?, priority?);
        if let Some(value) = given {
            check_priority(condition, priority, &value, problems);
        }
        Some(Self {
            key: RuleKey { condition, number: u8::try_from(number?).ok()? },
            priority,
            latching: latching?,
            clear_delay: clear_delay?,
            applies: applies?,
            escalate: match escalate {
                None => None,
                Some(value) => Some(escalation(&value, priority, problems)?),
            },
        })
    }

    /// The condition alone, if it is known; its problems are told by [`Head::read`].
    pub(crate) fn condition(table: &mut Table<'_>) -> Option<Condition> {
        table.optional("condition")?.as_text().and_then(Condition::from_id)
    }

    /// Reads the delay of the rule: a protected condition is told soon.
    pub(crate) fn delay(
        condition: Option<Condition>,
        key: &'static str,
        table: &mut Table<'_>,
        problems: &mut Problems,
    ) -> Option<Duration> {
        let value = table.required(key, problems)?;
        let delay = value.seconds(Duration::ZERO, DELAY_MAX, problems)?;
        let protected = condition.is_some_and(Condition::is_protected);
        if protected && delay > PROTECTED_DELAY_LONGEST {
            let longest = PROTECTED_DELAY_LONGEST.as_secs();
            value.refuse(
                problems,
                "is too long for a condition that nothing may hide",
                format!("write a time of at most {longest} s"),
            );
            return None;
        }
        Some(delay)
    }
}

fn check_priority(
    condition: Condition,
    priority: Priority,
    value: &Value<'_>,
    problems: &mut Problems,
) {
    if condition.is_protected() && priority < Priority::Medium {
        value.refuse(
            problems,
            format!("{condition} must be heard"),
            "give it medium or high priority",
        );
    }
    if CARDS.contains(&condition) && priority > Priority::Information {
        value.refuse(
            problems,
            format!("{condition} is a card to read, because it detects nothing for certain"),
            "write \"information\"",
        );
    }
}

fn applies(table: &mut Table<'_>, problems: &mut Problems) -> Option<Applies> {
    let pump_kind = table.optional("pump_kind");
    let therapy = table.optional("therapy");
    Some(Applies {
        pump_kind: match pump_kind {
            None => None,
            Some(value) => Some(words::pump_kind(&value, problems)?),
        },
        therapy: match therapy {
            None => None,
            Some(value) => Some(words::therapy(&value, problems)?),
        },
    })
}

fn escalation(value: &Value<'_>, priority: Priority, problems: &mut Problems) -> Option<Duration> {
    if priority == Priority::High || priority == Priority::Information {
        let word = words::priority_word(priority);
        value.refuse(
            problems,
            format!("a rule of {word} priority has nothing to escalate to"),
            "remove the key; it is for low and medium priority",
        );
        return None;
    }
    value.seconds(Duration::from_secs(1), DELAY_MAX, problems)
}
