//! One `[[limit]]`: a parameter, a limit, its delays.

use std::time::Duration;

use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::profile::{Bound, LimitSpec};
use ecmo_core::alarm::rule::{Gate, Limit, LimitRule, Measure, Side};

use crate::bound::{self, Settable, Subject};
use crate::error::Problems;
use crate::head::{Head, Placed};
use crate::reader::{Table, Value};
use crate::words;

/// Longest average: more would hide a fall.
const AVERAGE_MAX: Duration = Duration::from_secs(60);

/// Longest average of a condition that nothing may hide: it adds to the delay.
const PROTECTED_AVERAGE_MAX: Duration = Duration::from_secs(1);

/// Fastest speed that may open a gate, in rev/min.
const FASTER_THAN_MAX: f32 = 6_000.0;

/// Greatest hysteresis as a share of the limit.
const HYSTERESIS_SHARE_MAX: f32 = 1.0;

/// Reads a limit; `None` when it has a problem.
pub(crate) fn read(mut table: Table<'_>, problems: &mut Problems) -> Option<Placed<LimitSpec>> {
    let at = table.at();
    let head = Head::read(&mut table, problems);
    let subject = subject(&mut table, problems);
    let read = bound::read(subject, &mut table, problems);
    let settable = table.optional("settable").map(|value| Settable::read(value, problems));
    let times = times(&mut table, problems);
    let gate = table
        .required("when", problems)
        .and_then(|value| gate(Head::condition(&mut table), &value, problems));
    let hysteresis = hysteresis(&mut table, problems);
    table.close(problems);
    let (head, subject, read) = (head?, subject?, read?);
    let span = match settable {
        None => None,
        Some(settable) => Some(settable?.of(&read, subject, problems)?),
    };
    let hysteresis = hysteresis?;
    check_hysteresis(subject, &read, hysteresis, problems)?;
    let (average, delay, cumulative) = times?;
    let rule = LimitRule {
        key: head.key,
        parameter: subject.parameter,
        measure: subject.measure,
        side: read.side,
        limit: placeholder(read.bound),
        hysteresis: hysteresis.0,
        hysteresis_share: hysteresis.1,
        average,
        delay,
        cumulative,
        clear_delay: head.clear_delay,
        priority: head.priority,
        kind: head.key.condition.kind(),
        latching: head.latching,
        gate: gate?,
        escalate: head.escalate,
    };
    Some(Placed { at, it: LimitSpec { rule, bound: read.bound, applies: head.applies, span } })
}

/// What stands in a rule until a case resolves its bound.
const fn placeholder(bound: Bound) -> Limit {
    match bound {
        Bound::OfParameter(parameter, share) => Limit::ShareOf(parameter, share),
        Bound::Absolute(_) | Bound::PerKg { .. } | Bound::OfCase(..) => {
            Limit::Fixed(bound.number())
        }
    }
}

fn subject(table: &mut Table<'_>, problems: &mut Problems) -> Option<Subject> {
    let parameter =
        table.required("parameter", problems).and_then(|value| words::parameter(&value, problems));
    let from = table.optional("distance_from");
    let parameter = parameter?;
    let Some(value) = from else { return Some(Subject { parameter, measure: Measure::Value }) };
    let other = words::parameter(&value, problems)?;
    let measurable = !bound::is_detector(parameter) && other.info().unit == parameter.info().unit;
    if other == parameter || !measurable {
        value.refuse(
            problems,
            format!("there is no distance between {} and this", parameter.info().id),
            "name another parameter in the same unit",
        );
        return None;
    }
    Some(Subject { parameter, measure: Measure::DistanceFrom(other) })
}

/// Average, delay, and whether violated time adds up.
fn times(table: &mut Table<'_>, problems: &mut Problems) -> Option<(Duration, Duration, bool)> {
    let condition = Head::condition(table);
    let average_max = match condition {
        Some(condition) if condition.is_protected() => PROTECTED_AVERAGE_MAX,
        Some(_) | None => AVERAGE_MAX,
    };
    let average = match table.optional("average_s") {
        None => Some(Duration::ZERO),
        Some(value) => value.seconds(Duration::ZERO, average_max, problems),
    };
    let cumulative = match table.optional("cumulative") {
        None => Some(false),
        Some(value) => value.flag(problems),
    };
    let delay = Head::delay(condition, "delay_s", table, problems);
    Some((average?, delay?, cumulative?))
}

/// When it is judged: a condition that nothing may hide does not wait for a pump that turns.
fn gate(condition: Option<Condition>, value: &Value<'_>, problems: &mut Problems) -> Option<Gate> {
    let gate = any_gate(value, problems)?;
    let hides = matches!(gate, Gate::Running | Gate::FasterThan(_));
    if hides && condition.is_some_and(Condition::is_protected) {
        value.refuse(
            problems,
            "would hide a condition while the pump stands",
            "write \"always\" or \"meant_to_run\"",
        );
        return None;
    }
    Some(gate)
}

fn any_gate(value: &Value<'_>, problems: &mut Problems) -> Option<Gate> {
    if value.as_text().is_some() {
        let known = |text: &str| match text {
            "always" => Some(Gate::Always),
            "running" => Some(Gate::Running),
            "meant_to_run" => Some(Gate::MeantToRun),
            _ => None,
        };
        let all = || {
            ["always", "running", "meant_to_run", "{ faster_than_rpm = 1000 }"]
                .map(str::to_owned)
                .to_vec()
        };
        return value.word("time to judge", known, all, problems);
    }
    let mut table = value.table(problems)?;
    let speed = table
        .required("faster_than_rpm", problems)
        .and_then(|value| value.number_within(0.0, FASTER_THAN_MAX, problems));
    table.close(problems);
    speed.map(Gate::FasterThan)
}

/// In the parameter's unit, and as a share of the limit.
fn hysteresis(table: &mut Table<'_>, problems: &mut Problems) -> Option<(f32, f32)> {
    let [absolute, share] = [("hysteresis", f32::MAX), ("hysteresis_share", HYSTERESIS_SHARE_MAX)]
        .map(|(key, most)| match table.optional(key) {
            None => Some(0.0),
            Some(value) => {
                let number = value.number("a number from 0", problems)?;
                if number < 0.0 {
                    value.refuse(problems, "is negative", "write a distance from 0");
                    return None;
                }
                if number > most {
                    value.refuse(problems, "is no share", format!("write at most {most}"));
                    return None;
                }
                Some(number)
            }
        });
    Some((absolute?, share?))
}

/// Refuses a hysteresis with which the condition could never end.
fn check_hysteresis(
    subject: Subject,
    read: &bound::Read<'_>,
    (absolute, share): (f32, f32),
    problems: &mut Problems,
) -> Option<()> {
    let (low, high) = subject.possible();
    let number = match read.bound {
        Bound::Absolute(number) => number,
        Bound::PerKg { .. } | Bound::OfCase(..) | Bound::OfParameter(..) => {
            if absolute < high - low {
                return Some(());
            }
            read.value.refuse(
                problems,
                "with this hysteresis the condition never ends",
                "lessen hysteresis",
            );
            return None;
        }
    };
    let distance = absolute + share * number.abs();
    let ends = match read.side {
        Side::Below => number + distance <= high,
        Side::Above => number - distance >= low,
    };
    if !ends {
        read.value.refuse(
            problems,
            format!("with a hysteresis of {distance} the condition never ends"),
            "lessen hysteresis or hysteresis_share",
        );
        return None;
    }
    Some(())
}
