//! The shape of treatments, previews and reports for programs.

use serde::Serialize;

use super::not_empty;
use crate::age::{GatewayTime, age_ms};
use crate::clock::rfc3339;
use crate::model::{
    Case, ConditionCount, Gap, Limit, LimitChange, Preview, Priority, PumpName, Report, Treatment,
};

/// One treatment.
#[derive(Debug, Serialize)]
pub(crate) struct TreatmentJson<'a> {
    ward: &'a str,
    pump: &'a str,
    version: u64,
    /// Whether it survives a restart of the gateway.
    durable: bool,
    /// True while no clinician has signed the rules.
    unreviewed: bool,
    profile: ProfileJson<'a>,
    case: Option<CaseJson<'a>>,
    /// In `mm[Hg].min/L`.
    membrane_baseline: Option<f32>,
    limits: Vec<LimitJson<'a>>,
    contexts: Vec<ContextJson<'a>>,
    shelved: Vec<ShelvedJson<'a>>,
    gaps: Vec<GapJson<'a>>,
    changes: Vec<ChangeJson<'a>>,
}

#[derive(Debug, Serialize)]
struct ProfileJson<'a> {
    name: &'a str,
    version: u32,
    hash: String,
    reviewed_by: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct CaseJson<'a> {
    pseudonym: &'a str,
    weight_kg: Option<f32>,
    pump_kind: &'static str,
    therapy: &'static str,
    drainage_cannula: Option<&'a str>,
    return_cannula: Option<&'a str>,
    oxygenator: Option<&'a str>,
    oxygenator_flow_min: Option<f32>,
    flow_target: Option<f32>,
    speed_max: Option<f32>,
    circuit_start: Option<String>,
    indication: &'static str,
}

#[derive(Debug, Serialize)]
struct LimitJson<'a> {
    rule: &'a str,
    condition: &'a str,
    parameter: &'a str,
    side: Option<&'static str>,
    number: f32,
    number_unit: &'a str,
    set: bool,
    profile_number: f32,
    limit: Option<f32>,
    unit: &'a str,
    settable: Option<(f32, f32)>,
    priority: &'static str,
    delay_ms: u64,
}

#[derive(Debug, Serialize)]
struct ContextJson<'a> {
    kind: &'static str,
    by: &'a str,
    since: Option<String>,
    left_ms: u64,
}

#[derive(Debug, Serialize)]
struct ShelvedJson<'a> {
    condition: &'a str,
    by: &'a str,
    reason: &'a str,
    left_ms: u64,
}

#[derive(Debug, Serialize)]
struct GapJson<'a> {
    rule: &'a str,
    reason: &'static str,
    parameter: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ChangeJson<'a> {
    rule: &'a str,
    from: f32,
    to: f32,
    by: &'a str,
    reason: &'a str,
    at: Option<String>,
    version: u64,
}

impl<'a> TreatmentJson<'a> {
    /// A treatment at `now`.
    pub(crate) fn new(treatment: &'a Treatment, now: GatewayTime) -> Self {
        let left_ms = |until: GatewayTime| age_ms(now.age_at(until));
        let contexts = treatment.contexts.iter().map(|context| ContextJson {
            kind: context.kind.id(),
            by: &context.by,
            since: rfc3339(context.since_wall_ns),
            left_ms: left_ms(context.until),
        });
        let shelved = treatment.shelved.iter().map(|shelved| ShelvedJson {
            condition: &shelved.condition,
            by: &shelved.by,
            reason: &shelved.reason,
            left_ms: left_ms(shelved.until),
        });
        let profile = &treatment.profile;
        Self {
            ward: &treatment.name.ward,
            pump: &treatment.name.pump,
            version: treatment.version,
            durable: treatment.durable,
            unreviewed: treatment.is_unreviewed(),
            profile: ProfileJson {
                name: &profile.name,
                version: profile.version,
                hash: format!("{:016x}", profile.hash),
                reviewed_by: profile.reviewed_by.as_deref(),
            },
            case: treatment.case.as_ref().map(CaseJson::new),
            membrane_baseline: treatment.membrane_baseline,
            limits: treatment.limits.iter().map(LimitJson::new).collect(),
            contexts: contexts.collect(),
            shelved: shelved.collect(),
            gaps: treatment.gaps.iter().map(GapJson::new).collect(),
            changes: treatment.changes.iter().map(ChangeJson::new).collect(),
        }
    }
}

impl<'a> CaseJson<'a> {
    fn new(case: &'a Case) -> Self {
        Self {
            pseudonym: &case.pseudonym,
            weight_kg: case.weight_kg,
            pump_kind: case.pump_kind.id(),
            therapy: case.therapy.id(),
            drainage_cannula: not_empty(&case.drainage_cannula),
            return_cannula: not_empty(&case.return_cannula),
            oxygenator: not_empty(&case.oxygenator),
            oxygenator_flow_min: case.oxygenator_flow_min,
            flow_target: case.flow_target,
            speed_max: case.speed_max,
            circuit_start: rfc3339(case.circuit_start_wall_ns),
            indication: case.indication.id(),
        }
    }
}

impl<'a> LimitJson<'a> {
    fn new(limit: &'a Limit) -> Self {
        Self {
            rule: &limit.rule,
            condition: &limit.condition,
            parameter: &limit.parameter,
            side: limit.side.map(crate::model::Side::id),
            number: limit.number,
            number_unit: &limit.number_unit,
            set: limit.is_set,
            profile_number: limit.profile_number,
            limit: limit.limit,
            unit: &limit.unit,
            settable: limit.settable,
            priority: limit.priority.id(),
            delay_ms: age_ms(limit.delay),
        }
    }
}

impl<'a> GapJson<'a> {
    fn new(gap: &'a Gap) -> Self {
        let (reason, parameter) = (gap.reason.id(), gap.parameter.as_deref());
        Self { rule: &gap.rule, reason, parameter }
    }
}

impl<'a> ChangeJson<'a> {
    fn new(change: &'a LimitChange) -> Self {
        Self {
            rule: &change.rule,
            from: change.from,
            to: change.to,
            by: &change.by,
            reason: &change.reason,
            at: rfc3339(change.wall_ns),
            version: change.version,
        }
    }
}

/// What a limit would have done.
#[derive(Debug, Serialize)]
pub(crate) struct PreviewJson<'a> {
    rule: &'a str,
    number: f32,
    number_unit: &'a str,
    would_alarm: u32,
    in_force_number: f32,
    in_force_alarms: u32,
    covered_ms: u64,
    without_data_ms: u64,
    lowest: Option<f32>,
    highest: Option<f32>,
    unit: &'a str,
}

impl<'a> PreviewJson<'a> {
    /// A preview of a limit at another number.
    pub(crate) fn new(limit: &'a Limit, number: f32, preview: &'a Preview) -> Self {
        Self {
            rule: &limit.rule,
            number,
            number_unit: &limit.number_unit,
            would_alarm: preview.would_alarm,
            in_force_number: limit.number,
            in_force_alarms: preview.in_force_alarms,
            covered_ms: age_ms(preview.covered),
            without_data_ms: age_ms(preview.without_data),
            lowest: preview.lowest,
            highest: preview.highest,
            unit: &preview.unit,
        }
    }
}

/// The figures of a pump's alarms.
#[derive(Debug, Serialize)]
pub(crate) struct ReportJson<'a> {
    ward: &'a str,
    pump: &'a str,
    covered_ms: u64,
    high: u32,
    medium: u32,
    low: u32,
    information: u32,
    per_hour: f64,
    peak_hour: u32,
    floods: u32,
    in_flood: bool,
    chattering: u32,
    stale: u32,
    reminders: u32,
    escalations: u32,
    spikes: u64,
    conditions: &'a [ConditionCount],
}

impl<'a> ReportJson<'a> {
    /// A report on a pump.
    pub(crate) fn new(name: &'a PumpName, report: &'a Report) -> Self {
        Self {
            ward: &name.ward,
            pump: &name.pump,
            covered_ms: age_ms(report.covered),
            high: report.raised(Priority::High),
            medium: report.raised(Priority::Medium),
            low: report.raised(Priority::Low),
            information: report.raised(Priority::Information),
            per_hour: report.per_hour,
            peak_hour: report.peak_hour,
            floods: report.floods,
            in_flood: report.in_flood,
            chattering: report.chattering,
            stale: report.stale,
            reminders: report.reminders,
            escalations: report.escalations,
            spikes: report.spikes,
            conditions: &report.conditions,
        }
    }
}
