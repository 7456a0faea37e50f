//! A treatment as a message: what people said, the limits that follow from it, and what cannot be judged.

use ecmo_core::alarm::profile::{Bound, LimitSpec, Profile};
use ecmo_core::alarm::rule::{Limit, LimitRule, NotEvaluable, RuleKey};
use ecmo_core::alarm::treatment::ContextKind;
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_proto::topic::PumpAddress;
use ecmo_proto::v1;
use tonic::Status;

use super::convert::{limit_side, nanos, priority};
use crate::desk::Standing;
use crate::fanout::RuleBook;
use crate::treatment::{CaseEntry, ContextEntry, Indication};

/// A treatment as displays see it.
pub(super) fn treatment(
    address: &PumpAddress,
    standing: &Standing,
    book: &RuleBook,
    profile: &Profile,
) -> v1::Treatment {
    let record = &standing.record;
    let set = |key| record.number(key);
    let is_declared =
        |it: &&ContextEntry| book.treatment.contexts.iter().any(|known| known.kind == it.kind);
    v1::Treatment {
        ward: address.ward.to_string(),
        pump: address.pump.to_string(),
        version: record.version,
        case: record.case.as_ref().map(case),
        limits: profile
            .limits
            .iter()
            .filter_map(|spec| limit(spec, set(spec.rule.key), book))
            .collect(),
        contexts: record.contexts.iter().filter(is_declared).map(context).collect(),
        changes: record
            .changes
            .iter()
            .map(|change| v1::LimitChange {
                rule: change.key.to_string(),
                from: change.from,
                to: change.to,
                by: change.by.clone(),
                reason: change.reason.clone(),
                wall_ns: change.wall_ns,
                version: change.version,
            })
            .collect(),
        gaps: book.not_evaluable.iter().map(|(key, why)| gap(*key, *why)).collect(),
        shelved: book
            .shelves
            .iter()
            .map(|(condition, shelf)| v1::ShelvedCondition {
                condition: condition.to_string(),
                by: shelf.by.clone(),
                reason: shelf.reason.clone(),
                until_mono_ns: shelf.until.as_nanos(),
            })
            .collect(),
        profile: Some(v1::ProfileInForce {
            name: profile.name.clone(),
            version: profile.version,
            hash: profile.hash,
            reviewed_by: profile.reviewed_by.clone().unwrap_or_default(),
        }),
        membrane_baseline: record.membrane_baseline.or(book.membrane_baseline),
        durable: standing.durable,
    }
}

/// A limit as it is in force; none for a rule that is meant for another circuit.
fn limit(spec: &LimitSpec, set: Option<f32>, book: &RuleBook) -> Option<v1::LimitInForce> {
    let key = spec.rule.key;
    let rule = book.rules.limits().iter().find(|rule| rule.key == key);
    let waits = book.rules.not_evaluable.iter().any(|(waits, _why)| *waits == key);
    if rule.is_none() && !waits {
        return None;
    }
    let shown: &LimitRule = rule.unwrap_or(&spec.rule);
    let unit = shown.parameter.info().unit;
    let profile_number = spec.bound.number();
    let number_unit = match spec.bound {
        Bound::Absolute(_) => unit.to_owned(),
        // UCUM writes a rate for each kg with the time last.
        Bound::PerKg { .. } => match unit.strip_suffix("/min") {
            Some(amount) => format!("{amount}/kg/min"),
            None => format!("{unit}/kg"),
        },
        Bound::OfCase(..) | Bound::OfParameter(..) => "1".to_owned(),
    };
    let in_force = match rule.map(|rule| rule.limit) {
        Some(Limit::Fixed(number)) => Some(number),
        Some(Limit::ShareOf(..)) | None => None,
    };
    Some(v1::LimitInForce {
        rule: key.to_string(),
        condition: key.condition.to_string(),
        parameter: shown.parameter.info().id.to_owned(),
        side: limit_side(shown.side).into(),
        number: set.unwrap_or(profile_number),
        number_unit,
        is_set: set.is_some(),
        profile_number,
        limit: in_force,
        unit: unit.to_owned(),
        settable_low: spec.span.map(|(low, _high)| low),
        settable_high: spec.span.map(|(_low, high)| high),
        priority: priority(shown.priority).into(),
        delay_ns: nanos(shown.delay),
    })
}

fn case(entry: &CaseEntry) -> v1::Case {
    let of = &entry.case;
    v1::Case {
        pseudonym: entry.pseudonym.clone(),
        weight_kg: of.weight_kg,
        pump_kind: of
            .pump_kind
            .map_or(v1::PumpKind::Unspecified, |kind| match kind {
                PumpKind::Centrifugal => v1::PumpKind::Centrifugal,
                PumpKind::Roller => v1::PumpKind::Roller,
            })
            .into(),
        therapy: of
            .therapy
            .map_or(v1::Therapy::Unspecified, |therapy| match therapy {
                Therapy::VenoArterial => v1::Therapy::VenoArterial,
                Therapy::VenoVenous => v1::Therapy::VenoVenous,
            })
            .into(),
        drainage_cannula: entry.drainage_cannula.clone(),
        return_cannula: entry.return_cannula.clone(),
        oxygenator: entry.oxygenator.clone(),
        oxygenator_flow_min: of.oxygenator_flow_min,
        flow_target: of.flow_target,
        speed_max: of.speed_max,
        circuit_start_wall_ns: entry.circuit_start_wall_ns,
        indication: indication(entry.indication).into(),
    }
}

const fn indication(indication: Indication) -> v1::Indication {
    match indication {
        Indication::Unspecified => v1::Indication::Unspecified,
        Indication::DiaphragmaticHernia => v1::Indication::DiaphragmaticHernia,
        Indication::HeartDefect => v1::Indication::HeartDefect,
        Indication::MeconiumAspiration => v1::Indication::MeconiumAspiration,
        Indication::Pneumonia => v1::Indication::Pneumonia,
        Indication::AirLeak => v1::Indication::AirLeak,
        Indication::Pphn => v1::Indication::Pphn,
        Indication::AfterHeartSurgery => v1::Indication::AfterHeartSurgery,
        Indication::Other => v1::Indication::Other,
    }
}

/// A case from a request; its values are checked at the desk.
pub(super) fn case_entry(case: Option<v1::Case>) -> Result<CaseEntry, Status> {
    let wire = case.ok_or_else(|| Status::invalid_argument("case: give one"))?;
    // A number that this gateway does not know may be what a newer display means: it is not taken for "not said".
    let unknown = |what: &str| Status::invalid_argument(format!("{what}: no such value"));
    let pump_kind = match v1::PumpKind::try_from(wire.pump_kind) {
        Ok(v1::PumpKind::Unspecified) => None,
        Ok(v1::PumpKind::Centrifugal) => Some(PumpKind::Centrifugal),
        Ok(v1::PumpKind::Roller) => Some(PumpKind::Roller),
        Err(_) => return Err(unknown("pump_kind")),
    };
    let therapy = match v1::Therapy::try_from(wire.therapy) {
        Ok(v1::Therapy::Unspecified) => None,
        Ok(v1::Therapy::VenoArterial) => Some(Therapy::VenoArterial),
        Ok(v1::Therapy::VenoVenous) => Some(Therapy::VenoVenous),
        Err(_) => return Err(unknown("therapy")),
    };
    let indication = match v1::Indication::try_from(wire.indication) {
        Ok(v1::Indication::Unspecified) => Indication::Unspecified,
        Ok(v1::Indication::DiaphragmaticHernia) => Indication::DiaphragmaticHernia,
        Ok(v1::Indication::HeartDefect) => Indication::HeartDefect,
        Ok(v1::Indication::MeconiumAspiration) => Indication::MeconiumAspiration,
        Ok(v1::Indication::Pneumonia) => Indication::Pneumonia,
        Ok(v1::Indication::AirLeak) => Indication::AirLeak,
        Ok(v1::Indication::Pphn) => Indication::Pphn,
        Ok(v1::Indication::AfterHeartSurgery) => Indication::AfterHeartSurgery,
        Ok(v1::Indication::Other) => Indication::Other,
        Err(_) => return Err(unknown("indication")),
    };
    Ok(CaseEntry {
        pseudonym: wire.pseudonym,
        case: Case {
            pump_kind,
            therapy,
            weight_kg: wire.weight_kg,
            flow_target: wire.flow_target,
            oxygenator_flow_min: wire.oxygenator_flow_min,
            speed_max: wire.speed_max,
        },
        drainage_cannula: wire.drainage_cannula,
        return_cannula: wire.return_cannula,
        oxygenator: wire.oxygenator,
        circuit_start_wall_ns: wire.circuit_start_wall_ns,
        indication,
    })
}

fn context(entry: &ContextEntry) -> v1::Context {
    v1::Context {
        kind: context_kind(entry.kind).into(),
        by: entry.by.clone(),
        since_wall_ns: entry.since_wall_ns,
        until_mono_ns: entry.until.as_nanos(),
    }
}

pub(super) const fn context_kind(kind: ContextKind) -> v1::ContextKind {
    match kind {
        ContextKind::Priming => v1::ContextKind::Priming,
        ContextKind::Cannulation => v1::ContextKind::Cannulation,
        ContextKind::ClampTrial => v1::ContextKind::ClampTrial,
        ContextKind::Wean => v1::ContextKind::Wean,
        ContextKind::CircuitChange => v1::ContextKind::CircuitChange,
        ContextKind::Transport => v1::ContextKind::Transport,
        ContextKind::Suctioning => v1::ContextKind::Suctioning,
        ContextKind::Zeroing => v1::ContextKind::Zeroing,
    }
}

/// A context from a request.
pub(super) fn context_of(wire: i32) -> Result<ContextKind, Status> {
    match v1::ContextKind::try_from(wire) {
        Ok(v1::ContextKind::Priming) => Ok(ContextKind::Priming),
        Ok(v1::ContextKind::Cannulation) => Ok(ContextKind::Cannulation),
        Ok(v1::ContextKind::ClampTrial) => Ok(ContextKind::ClampTrial),
        Ok(v1::ContextKind::Wean) => Ok(ContextKind::Wean),
        Ok(v1::ContextKind::CircuitChange) => Ok(ContextKind::CircuitChange),
        Ok(v1::ContextKind::Transport) => Ok(ContextKind::Transport),
        Ok(v1::ContextKind::Suctioning) => Ok(ContextKind::Suctioning),
        Ok(v1::ContextKind::Zeroing) => Ok(ContextKind::Zeroing),
        Ok(v1::ContextKind::Unspecified) | Err(_) => {
            Err(Status::invalid_argument("kind: say which context"))
        }
    }
}

fn gap(key: RuleKey, why: NotEvaluable) -> v1::RuleGap {
    let reason = match why {
        NotEvaluable::NoWeight => v1::GapReason::NoWeight,
        NotEvaluable::NoFlowTarget => v1::GapReason::NoFlowTarget,
        NotEvaluable::NoOxygenatorMinimum => v1::GapReason::NoOxygenatorMinimum,
        NotEvaluable::NoSpeedMaximum => v1::GapReason::NoSpeedMaximum,
        NotEvaluable::NoTherapy => v1::GapReason::NoTherapy,
        NotEvaluable::NoSensor(_) => v1::GapReason::NoSensor,
        NotEvaluable::TooSlow(_) => v1::GapReason::TooSlow,
        NotEvaluable::NoData(_) => v1::GapReason::NoData,
        NotEvaluable::NoReference => v1::GapReason::NoReference,
    };
    let parameter = why.parameter().map(|it| it.info().id.to_owned()).unwrap_or_default();
    v1::RuleGap { rule: key.to_string(), reason: reason.into(), parameter }
}
