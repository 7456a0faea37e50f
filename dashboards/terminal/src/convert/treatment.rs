//! Treatments, previews and reports of the wire into checked types, and what a person enters into messages.

use std::time::Duration;

use ecmo_proto::v1 as wire;

use super::{context_kind, priority, pump_kind, side, text, text_or_none};
use crate::age::GatewayTime;
use crate::model::{
    Case, CaseEdit, ConditionCount, Context, ContextKind, Gap, GapReason, Indication, Limit,
    LimitChange, Preview, Profile, PumpKind, PumpName, Report, Shelved, Therapy, Treatment,
};

/// One treatment.
pub(crate) fn treatment(raw: wire::Treatment) -> Treatment {
    Treatment {
        name: PumpName { ward: text(&raw.ward), pump: text(&raw.pump) },
        version: raw.version,
        case: raw.case.as_ref().map(case),
        limits: raw.limits.iter().map(limit).collect(),
        contexts: raw.contexts.iter().map(context).collect(),
        changes: raw.changes.iter().map(change).collect(),
        gaps: raw.gaps.iter().map(gap).collect(),
        shelved: raw.shelved.iter().map(shelved).collect(),
        profile: profile(raw.profile.unwrap_or_default()),
        membrane_baseline: finite(raw.membrane_baseline),
        durable: raw.durable,
    }
}

fn finite(value: Option<f32>) -> Option<f32> {
    value.filter(|value| value.is_finite())
}

/// A profile that is not told is one that nobody has signed.
fn profile(raw: wire::ProfileInForce) -> Profile {
    Profile {
        name: if raw.name.is_empty() { "unknown".to_owned() } else { text(&raw.name) },
        version: raw.version,
        hash: raw.hash,
        reviewed_by: text_or_none(&raw.reviewed_by),
    }
}

fn case(raw: &wire::Case) -> Case {
    Case {
        pseudonym: text(&raw.pseudonym),
        weight_kg: finite(raw.weight_kg),
        pump_kind: pump_kind(raw.pump_kind),
        therapy: match wire::Therapy::try_from(raw.therapy) {
            Ok(wire::Therapy::VenoArterial) => Therapy::VenoArterial,
            Ok(wire::Therapy::VenoVenous) => Therapy::VenoVenous,
            Ok(wire::Therapy::Unspecified) | Err(_) => Therapy::Unknown,
        },
        drainage_cannula: text(&raw.drainage_cannula),
        return_cannula: text(&raw.return_cannula),
        oxygenator: text(&raw.oxygenator),
        oxygenator_flow_min: finite(raw.oxygenator_flow_min),
        flow_target: finite(raw.flow_target),
        speed_max: finite(raw.speed_max),
        circuit_start_wall_ns: raw.circuit_start_wall_ns,
        indication: indication(raw.indication),
    }
}

fn indication(raw: i32) -> Indication {
    match wire::Indication::try_from(raw) {
        Ok(wire::Indication::DiaphragmaticHernia) => Indication::DiaphragmaticHernia,
        Ok(wire::Indication::HeartDefect) => Indication::HeartDefect,
        Ok(wire::Indication::MeconiumAspiration) => Indication::MeconiumAspiration,
        Ok(wire::Indication::Pneumonia) => Indication::Pneumonia,
        Ok(wire::Indication::AirLeak) => Indication::AirLeak,
        Ok(wire::Indication::Pphn) => Indication::Pphn,
        Ok(wire::Indication::AfterHeartSurgery) => Indication::AfterHeartSurgery,
        Ok(wire::Indication::Other) => Indication::Other,
        Ok(wire::Indication::Unspecified) | Err(_) => Indication::Unknown,
    }
}

const fn raw_indication(indication: Indication) -> wire::Indication {
    match indication {
        Indication::Unknown => wire::Indication::Unspecified,
        Indication::DiaphragmaticHernia => wire::Indication::DiaphragmaticHernia,
        Indication::HeartDefect => wire::Indication::HeartDefect,
        Indication::MeconiumAspiration => wire::Indication::MeconiumAspiration,
        Indication::Pneumonia => wire::Indication::Pneumonia,
        Indication::AirLeak => wire::Indication::AirLeak,
        Indication::Pphn => wire::Indication::Pphn,
        Indication::AfterHeartSurgery => wire::Indication::AfterHeartSurgery,
        Indication::Other => wire::Indication::Other,
    }
}

/// A limit that the gateway does not say to be settable within two numbers is fixed.
fn limit(raw: &wire::LimitInForce) -> Limit {
    Limit {
        rule: text(&raw.rule),
        condition: text(&raw.condition),
        parameter: text(&raw.parameter),
        side: side(raw.side),
        number: raw.number,
        number_unit: text(&raw.number_unit),
        is_set: raw.is_set,
        profile_number: raw.profile_number,
        limit: finite(raw.limit),
        unit: text(&raw.unit),
        settable: finite(raw.settable_low).zip(finite(raw.settable_high)),
        priority: priority(raw.priority),
        delay: Duration::from_nanos(raw.delay_ns),
    }
}

fn context(raw: &wire::Context) -> Context {
    Context {
        kind: context_kind(raw.kind),
        by: text(&raw.by),
        since_wall_ns: raw.since_wall_ns,
        until: GatewayTime(raw.until_mono_ns),
    }
}

fn change(raw: &wire::LimitChange) -> LimitChange {
    LimitChange {
        rule: text(&raw.rule),
        from: raw.from,
        to: raw.to,
        by: text(&raw.by),
        reason: text(&raw.reason),
        wall_ns: raw.wall_ns,
        version: raw.version,
    }
}

fn gap(raw: &wire::RuleGap) -> Gap {
    Gap {
        rule: text(&raw.rule),
        reason: match wire::GapReason::try_from(raw.reason) {
            Ok(wire::GapReason::NoWeight) => GapReason::NoWeight,
            Ok(wire::GapReason::NoFlowTarget) => GapReason::NoFlowTarget,
            Ok(wire::GapReason::NoOxygenatorMinimum) => GapReason::NoOxygenatorMinimum,
            Ok(wire::GapReason::NoSpeedMaximum) => GapReason::NoSpeedMaximum,
            Ok(wire::GapReason::NoTherapy) => GapReason::NoTherapy,
            Ok(wire::GapReason::NoSensor) => GapReason::NoSensor,
            Ok(wire::GapReason::TooSlow) => GapReason::TooSlow,
            Ok(wire::GapReason::NoData) => GapReason::NoData,
            Ok(wire::GapReason::NoReference) => GapReason::NoReference,
            Ok(wire::GapReason::Unspecified) | Err(_) => GapReason::Unknown,
        },
        parameter: text_or_none(&raw.parameter),
    }
}

fn shelved(raw: &wire::ShelvedCondition) -> Shelved {
    Shelved {
        condition: text(&raw.condition),
        by: text(&raw.by),
        reason: text(&raw.reason),
        until: GatewayTime(raw.until_mono_ns),
    }
}

/// What a limit would have done.
pub(crate) fn preview(raw: &wire::PreviewLimitResponse) -> Preview {
    Preview {
        would_alarm: raw.would_alarm,
        in_force_alarms: raw.in_force_alarms,
        covered: Duration::from_nanos(raw.covered_ns),
        without_data: Duration::from_nanos(raw.without_data_ns),
        lowest: finite(raw.lowest),
        highest: finite(raw.highest),
        unit: text(&raw.unit),
    }
}

/// The figures of a pump's alarms.
pub(crate) fn report(raw: &wire::GetAlarmReportResponse) -> Report {
    Report {
        covered: Duration::from_nanos(raw.covered_ns),
        raised: raw.raised.iter().map(|one| (priority(one.priority), one.raised)).collect(),
        per_hour: raw.per_hour,
        peak_hour: raw.peak_hour,
        floods: raw.floods,
        in_flood: raw.in_flood,
        chattering: raw.chattering,
        stale: raw.stale,
        reminders: raw.reminders,
        escalations: raw.escalations,
        conditions: raw
            .conditions
            .iter()
            .map(|one| ConditionCount {
                condition: text(&one.condition),
                raised: one.raised,
                chattering: one.chattering,
            })
            .collect(),
        spikes: raw.spikes,
    }
}

/// A case with what a person has named; everything else stays as the gateway sent it, also what is not known here.
pub(crate) fn edited(mut raw: wire::Case, edit: &CaseEdit) -> wire::Case {
    let put = |place: &mut String, text: &Option<String>| {
        if let Some(text) = text {
            place.clone_from(text);
        }
    };
    put(&mut raw.pseudonym, &edit.pseudonym);
    put(&mut raw.drainage_cannula, &edit.drainage_cannula);
    put(&mut raw.return_cannula, &edit.return_cannula);
    put(&mut raw.oxygenator, &edit.oxygenator);
    raw.weight_kg = edit.weight_kg.or(raw.weight_kg);
    raw.oxygenator_flow_min = edit.oxygenator_flow_min.or(raw.oxygenator_flow_min);
    raw.flow_target = edit.flow_target.or(raw.flow_target);
    raw.speed_max = edit.speed_max.or(raw.speed_max);
    raw.circuit_start_wall_ns = edit.circuit_start_wall_ns.unwrap_or(raw.circuit_start_wall_ns);
    if let Some(kind) = edit.pump_kind {
        raw.pump_kind = i32::from(match kind {
            PumpKind::Unknown => wire::PumpKind::Unspecified,
            PumpKind::Centrifugal => wire::PumpKind::Centrifugal,
            PumpKind::Roller => wire::PumpKind::Roller,
        });
    }
    if let Some(therapy) = edit.therapy {
        raw.therapy = i32::from(match therapy {
            Therapy::Unknown => wire::Therapy::Unspecified,
            Therapy::VenoArterial => wire::Therapy::VenoArterial,
            Therapy::VenoVenous => wire::Therapy::VenoVenous,
        });
    }
    if let Some(indication) = edit.indication {
        raw.indication = raw_indication(indication).into();
    }
    raw
}

/// A context's kind for a message.
pub(crate) const fn raw_context(kind: ContextKind) -> wire::ContextKind {
    match kind {
        ContextKind::Unknown => wire::ContextKind::Unspecified,
        ContextKind::Priming => wire::ContextKind::Priming,
        ContextKind::Cannulation => wire::ContextKind::Cannulation,
        ContextKind::ClampTrial => wire::ContextKind::ClampTrial,
        ContextKind::Wean => wire::ContextKind::Wean,
        ContextKind::CircuitChange => wire::ContextKind::CircuitChange,
        ContextKind::Transport => wire::ContextKind::Transport,
        ContextKind::Suctioning => wire::ContextKind::Suctioning,
        ContextKind::Zeroing => wire::ContextKind::Zeroing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Priority;

    #[test]
    fn a_treatment_that_says_nothing_is_unsigned_and_lasts_for_no_restart() {
        let empty = treatment(wire::Treatment::default());
        assert!(empty.is_unreviewed() && !empty.durable && empty.case.is_none());
        let limit = limit(&wire::LimitInForce {
            limit: Some(f32::NAN),
            settable_low: Some(1.0),
            ..wire::LimitInForce::default()
        });
        assert_eq!((limit.limit, limit.settable), (None, None), "no NaN, no half of a range");
        assert_eq!(limit.priority, Priority::High, "a priority that is not said is high");
    }

    #[test]
    fn a_change_of_a_case_keeps_what_is_not_named() {
        let before = wire::Case {
            pseudonym: "neo-7".to_owned(),
            weight_kg: Some(3.2),
            therapy: wire::Therapy::VenoArterial.into(),
            // Of a newer gateway.
            indication: 99,
            circuit_start_wall_ns: 5,
            ..wire::Case::default()
        };
        let edit = CaseEdit { flow_target: Some(360.0), ..CaseEdit::default() };
        let after = edited(before.clone(), &edit);
        assert_eq!(after, wire::Case { flow_target: Some(360.0), ..before.clone() });
        assert_eq!(edited(before.clone(), &CaseEdit::default()), before);
        let all = CaseEdit {
            pseudonym: Some("neo-8".to_owned()),
            weight_kg: Some(2.5),
            pump_kind: Some(PumpKind::Roller),
            therapy: Some(Therapy::VenoVenous),
            indication: Some(Indication::Pphn),
            ..CaseEdit::default()
        };
        let read = case(&edited(before, &all));
        assert_eq!((read.pseudonym.as_str(), read.weight_kg), ("neo-8", Some(2.5)));
        assert_eq!((read.pump_kind, read.therapy), (PumpKind::Roller, Therapy::VenoVenous));
        assert_eq!((read.indication, read.circuit_start_wall_ns), (Indication::Pphn, 5));
    }

    #[test]
    fn every_context_and_indication_survives_the_way_to_the_gateway_and_back() {
        for kind in ContextKind::ALL {
            assert_eq!(context_kind(raw_context(*kind).into()), *kind);
        }
        for each in Indication::ALL {
            assert_eq!(indication(raw_indication(*each).into()), *each);
        }
    }
}
