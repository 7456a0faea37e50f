//! Where the number of a limit comes from, and whether a measurement can ever reach it.

use ecmo_core::alarm::profile::{Bound, CaseNumber};
use ecmo_core::alarm::rule::{Measure, Side};
use ecmo_core::parameter::Parameter;

use crate::error::Problems;
use crate::reader::{Table, Value};
use crate::words;

/// The keys of which a limit has exactly one.
const BOUND_KEYS: [&str; 7] =
    ["below", "above", "below_per_kg", "above_per_kg", "below_share_of", "above_share_of", "is"];

/// Weights that a case may have, in kg.
const WEIGHTS_KG: [f32; 2] = [0.3, 10.0];

/// Greatest share of another number.
const SHARE_MAX: f32 = 2.0;

/// A detector says 0 or 1; between them its limit lies.
const DETECTOR_LIMIT: f32 = 0.5;

/// Unit of detectors.
const DETECTOR_UNIT: &str = "{bool}";

/// The word of a number of the case.
pub(crate) const fn case_word(number: CaseNumber) -> &'static str {
    match number {
        CaseNumber::FlowTarget => "flow_target",
        CaseNumber::OxygenatorFlowMin => "oxygenator_flow_min",
        CaseNumber::SpeedMax => "speed_max",
    }
}

const CASE_NUMBERS: [CaseNumber; 3] =
    [CaseNumber::FlowTarget, CaseNumber::OxygenatorFlowMin, CaseNumber::SpeedMax];

const fn case_unit(number: CaseNumber) -> &'static str {
    match number {
        CaseNumber::FlowTarget | CaseNumber::OxygenatorFlowMin => "mL/min",
        CaseNumber::SpeedMax => "{rev}/min",
    }
}

/// Whether a parameter is a detector, which has no limit but a state.
pub(crate) fn is_detector(parameter: Parameter) -> bool {
    parameter.info().unit == DETECTOR_UNIT
}

/// What is judged, with what is known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) parameter: Parameter,
    pub(crate) measure: Measure,
}

impl Subject {
    /// The least and greatest number that can be measured.
    pub(crate) fn possible(self) -> (f32, f32) {
        let info = self.parameter.info();
        match self.measure {
            Measure::Value => (info.possible_low, info.possible_high),
            Measure::DistanceFrom(_) => (0.0, info.possible_high - info.possible_low),
        }
    }

    /// Refuses a limit that no measurement can ever violate.
    fn check(
        self,
        side: Side,
        limits: &[f32],
        value: &Value<'_>,
        problems: &mut Problems,
    ) -> Option<()> {
        let (low, high) = self.possible();
        let reachable = |limit: f32| match side {
            Side::Below => limit > low && limit <= high,
            Side::Above => limit >= low && limit < high,
        };
        let Some(never) = limits.iter().find(|limit| !reachable(**limit)) else { return Some(()) };
        let info = self.parameter.info();
        value.refuse(
            problems,
            format!("{} can never lie beyond {never} {}", info.id, info.unit),
            format!("choose a limit within what is possible, {low} to {high}"),
        );
        None
    }
}

/// A bound that was read, with its place for later complaints.
#[derive(Debug)]
pub(crate) struct Read<'a> {
    pub(crate) side: Side,
    pub(crate) bound: Bound,
    pub(crate) value: Value<'a>,
}

/// Reads the one key that says where the limit lies.
pub(crate) fn read<'a>(
    subject: Option<Subject>,
    table: &mut Table<'a>,
    problems: &mut Problems,
) -> Option<Read<'a>> {
    let given = BOUND_KEYS.map(|key| (key, table.optional(key)));
    let and = [Side::Below, Side::Above].map(|side| (side, table.optional(and_key(side))));
    let mut present = given.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let choices = BOUND_KEYS.join(", ");
    let Some((key, value)) = present.next() else {
        problems.add(
            table.at(),
            table.key("below"),
            "no limit is given",
            format!("add one of {choices}"),
        );
        return None;
    };
    if let Some((_key, second)) = present.next() {
        second.refuse(problems, "is a second limit of one rule", "make it a rule of its own");
        return None;
    }
    let subject = subject?;
    if is_detector(subject.parameter) != (key == "is") {
        let (what, todo) = if key == "is" {
            ("is for detectors", "write below or above")
        } else {
            ("is for measurements, and this is a detector", "write is = true or is = false")
        };
        value.refuse(problems, what, todo);
        return None;
    }
    let (side, bound) = match key {
        "below" | "above" => absolute(side_of(key), subject, &value, problems)?,
        "below_per_kg" | "above_per_kg" => {
            return per_kg(side_of(key), subject, value, and, problems);
        }
        "is" => {
            let side = if value.flag(problems)? { Side::Above } else { Side::Below };
            (side, Bound::Absolute(DETECTOR_LIMIT))
        }
        _share => (side_of(key), share(subject, &value, problems)?),
    };
    refuse_and(and, problems)?;
    Some(Read { side, bound, value })
}

const fn and_key(side: Side) -> &'static str {
    match side {
        Side::Below => "and_below",
        Side::Above => "and_above",
    }
}

fn side_of(key: &str) -> Side {
    if key.starts_with("below") { Side::Below } else { Side::Above }
}

fn refuse_and(and: [(Side, Option<Value<'_>>); 2], problems: &mut Problems) -> Option<()> {
    let mut right = Some(());
    for value in and.into_iter().filter_map(|(_side, value)| value) {
        value.refuse(
            problems,
            "does not go with this limit",
            "use and_below with below_per_kg, and_above with above_per_kg, or remove it",
        );
        right = None;
    }
    right
}

fn absolute(
    side: Side,
    subject: Subject,
    value: &Value<'_>,
    problems: &mut Problems,
) -> Option<(Side, Bound)> {
    let number = value.number(&wanted(subject), problems)?;
    if matches!(subject.measure, Measure::DistanceFrom(_)) && side == Side::Below {
        value.refuse(problems, "a distance is never too small", "write above");
        return None;
    }
    subject.check(side, &[number], value, problems)?;
    Some((side, Bound::Absolute(number)))
}

fn wanted(subject: Subject) -> String {
    format!("a number in {}", subject.parameter.info().unit)
}

fn per_kg<'a>(
    side: Side,
    subject: Subject,
    value: Value<'a>,
    and: [(Side, Option<Value<'a>>); 2],
    problems: &mut Problems,
) -> Option<Read<'a>> {
    if subject.measure != Measure::Value || subject.parameter.info().unit != "mL/min" {
        value.refuse(
            problems,
            "only flows in mL/min have limits by weight",
            "write below or above",
        );
        return None;
    }
    let number = value.number("a number in mL/kg/min", problems);
    let mut alone = None;
    for (and_side, and_value) in and {
        let Some(and_value) = and_value else { continue };
        if and_side != side {
            refuse_and([(side, None), (and_side, Some(and_value))], problems)?;
            continue;
        }
        let number = and_value.number(&wanted(subject), problems)?;
        subject.check(side, &[number], &and_value, problems)?;
        alone = Some(number);
    }
    let number = number?;
    check_per_kg(subject, side, number, &value, problems)?;
    Some(Read { side, bound: Bound::PerKg { per_kg: number, and: alone }, value })
}

fn check_per_kg(
    subject: Subject,
    side: Side,
    number: f32,
    value: &Value<'_>,
    problems: &mut Problems,
) -> Option<()> {
    subject.check(side, &WEIGHTS_KG.map(|kg| number * kg), value, problems)
}

fn share(subject: Subject, value: &Value<'_>, problems: &mut Problems) -> Option<Bound> {
    let mut table = value.table(problems)?;
    let case = table.optional("case");
    let parameter = table.optional("parameter");
    let share =
        table.required("share", problems).and_then(|value| positive_share(&value, problems));
    table.close(problems);
    let unit = subject.parameter.info().unit;
    let refuse_unit = |of: &Value<'_>, problems: &mut Problems| {
        let wanted = format!("name a number in {unit}");
        of.refuse(problems, "has another unit than what is judged", wanted);
        None
    };
    if subject.measure != Measure::Value {
        value.refuse(problems, "a distance has no share as its limit", "write above");
        return None;
    }
    match (case, parameter) {
        (Some(of), None) => {
            let known = |text: &str| CASE_NUMBERS.into_iter().find(|one| case_word(*one) == text);
            let all = || CASE_NUMBERS.into_iter().map(|one| case_word(one).to_owned()).collect();
            let number = of.word("number of the case", known, all, problems)?;
            if case_unit(number) != unit {
                return refuse_unit(&of, problems);
            }
            Some(Bound::OfCase(number, share?))
        }
        (None, Some(of)) => {
            let other = words::parameter(&of, problems)?;
            if other.info().unit != unit || other == subject.parameter {
                return refuse_unit(&of, problems);
            }
            Some(Bound::OfParameter(other, share?))
        }
        (Some(_), Some(_)) | (None, None) => {
            value.refuse(problems, "needs one source", "name either case or parameter");
            None
        }
    }
}

fn positive_share(value: &Value<'_>, problems: &mut Problems) -> Option<f32> {
    let share = value.number_within(0.0, SHARE_MAX, problems)?;
    if share > 0.0 {
        return Some(share);
    }
    value.refuse(problems, "a share of 0 is never reached", format!("write up to {SHARE_MAX}"));
    None
}

/// What an operator may set, as it is written: the least and the greatest number.
#[derive(Debug)]
pub(crate) struct Settable<'a> {
    value: Value<'a>,
    ends: [(f32, Value<'a>); 2],
}

impl<'a> Settable<'a> {
    /// Reads two numbers, the least first.
    pub(crate) fn read(value: Value<'a>, problems: &mut Problems) -> Option<Self> {
        let todo = "write two numbers, the least first, as [-70.0, -30.0]";
        let ends = value.list("two numbers", problems)?;
        let [least, most] = ends.as_slice() else {
            value.refuse(problems, "is no span", todo);
            return None;
        };
        let [from, to] = [least, most].map(|end| end.number("a number", problems));
        let (from, to) = (from?, to?);
        if from > to {
            value.refuse(problems, format!("{from} is greater than {to}"), todo);
            return None;
        }
        let ends = [(from, least.clone()), (to, most.clone())];
        Some(Self { value, ends })
    }

    /// The span, if it holds the limit's own number and each end is a limit itself.
    pub(crate) fn of(
        self,
        read: &Read<'_>,
        subject: Subject,
        problems: &mut Problems,
    ) -> Option<(f32, f32)> {
        let Self { value, ends } = self;
        let [(least, _), (most, _)] = ends;
        if is_detector(subject.parameter) {
            value.refuse(problems, "a detector has nothing to set", "remove the key");
            return None;
        }
        let number = read.bound.number();
        if number < least || number > most {
            value.refuse(
                problems,
                format!("does not contain the limit itself, {number}"),
                "widen the span or change the limit",
            );
            return None;
        }
        for (end, value) in &ends {
            match read.bound {
                Bound::Absolute(_) => subject.check(read.side, &[*end], value, problems)?,
                Bound::PerKg { .. } => check_per_kg(subject, read.side, *end, value, problems)?,
                Bound::OfCase(..) | Bound::OfParameter(..) => {
                    positive_share(value, problems)?;
                }
            }
        }
        Some((least, most))
    }
}
