//! Treatments as the display knows them: what people have said at one pump, the limits that follow, and the figures of
//! its alarms.

use std::time::Duration;

use crate::age::GatewayTime;
use crate::model::alarm::{Priority, Side};
use crate::model::pump::{ContextKind, PumpKind, PumpName};

words! {
    /// Where the blood returns to.
    Therapy {
        /// Not said.
        Unknown = "unknown",
        /// Veno-arterial.
        VenoArterial = "VA",
        /// Veno-venous.
        VenoVenous = "VV",
    }
}

words! {
    /// Why a patient is treated.
    Indication {
        /// Not said.
        Unknown = "unknown",
        /// Congenital diaphragmatic hernia.
        DiaphragmaticHernia = "diaphragmatic_hernia",
        /// Congenital heart defect.
        HeartDefect = "heart_defect",
        /// Meconium aspiration.
        MeconiumAspiration = "meconium_aspiration",
        /// Pneumonia.
        Pneumonia = "pneumonia",
        /// Air leak.
        AirLeak = "air_leak",
        /// Persistent pulmonary hypertension of the newborn.
        Pphn = "pphn",
        /// After heart surgery.
        AfterHeartSurgery = "after_heart_surgery",
        /// Another.
        Other = "other",
    }
}

words! {
    /// Why a rule cannot be judged.
    GapReason {
        /// Something that this display does not know.
        Unknown = "unknown",
        /// Nobody has entered a weight.
        NoWeight = "no_weight",
        /// Nobody has entered a flow target.
        NoFlowTarget = "no_flow_target",
        /// Nobody has entered the oxygenator's least flow.
        NoOxygenatorMinimum = "no_oxygenator_minimum",
        /// Nobody has entered the greatest speed.
        NoSpeedMaximum = "no_speed_maximum",
        /// Nobody has said where the blood returns to.
        NoTherapy = "no_therapy",
        /// The agent delivers no such channel.
        NoSensor = "no_sensor",
        /// The channel is too slow for the rule.
        TooSlow = "too_slow",
        /// The channel has no measurement now.
        NoData = "no_data",
        /// Not steady for long enough yet.
        NoReference = "no_reference",
    }
}

/// What people have said about the treatment at one pump, and the rules that follow from it.
#[derive(Debug, Clone)]
pub(crate) struct Treatment {
    pub(crate) name: PumpName,
    /// Raised by every change that a person makes; 0 while nobody has entered anything.
    pub(crate) version: u64,
    pub(crate) case: Option<Case>,
    /// In the order of the profile.
    pub(crate) limits: Vec<Limit>,
    pub(crate) contexts: Vec<Context>,
    /// The newest first.
    pub(crate) changes: Vec<LimitChange>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) shelved: Vec<Shelved>,
    pub(crate) profile: Profile,
    /// Membrane resistance of the circuit when it was new, in `mm[Hg].min/L`.
    pub(crate) membrane_baseline: Option<f32>,
    /// Whether it survives a restart of the gateway.
    pub(crate) durable: bool,
}

/// The profile in force.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) version: u32,
    /// Fingerprint of its text.
    pub(crate) hash: u64,
    /// `None` while nobody has signed it.
    pub(crate) reviewed_by: Option<String>,
}

/// One treatment without an identity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) pseudonym: String,
    /// In kg.
    pub(crate) weight_kg: Option<f32>,
    pub(crate) pump_kind: PumpKind,
    pub(crate) therapy: Therapy,
    pub(crate) drainage_cannula: String,
    pub(crate) return_cannula: String,
    pub(crate) oxygenator: String,
    /// In mL/min.
    pub(crate) oxygenator_flow_min: Option<f32>,
    /// In mL/min.
    pub(crate) flow_target: Option<f32>,
    /// In {rev}/min.
    pub(crate) speed_max: Option<f32>,
    /// Nanoseconds since 1970 UTC; 0 while it is not known.
    pub(crate) circuit_start_wall_ns: i64,
    pub(crate) indication: Indication,
}

/// What a person names of a case; `None` keeps what is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CaseEdit {
    pub(crate) pseudonym: Option<String>,
    /// In kg.
    pub(crate) weight_kg: Option<f32>,
    pub(crate) pump_kind: Option<PumpKind>,
    pub(crate) therapy: Option<Therapy>,
    pub(crate) drainage_cannula: Option<String>,
    pub(crate) return_cannula: Option<String>,
    pub(crate) oxygenator: Option<String>,
    /// In mL/min.
    pub(crate) oxygenator_flow_min: Option<f32>,
    /// In mL/min.
    pub(crate) flow_target: Option<f32>,
    /// In {rev}/min.
    pub(crate) speed_max: Option<f32>,
    /// Nanoseconds since 1970 UTC.
    pub(crate) circuit_start_wall_ns: Option<i64>,
    pub(crate) indication: Option<Indication>,
}

/// A limit as it is in force.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    pub(crate) rule: String,
    pub(crate) condition: String,
    pub(crate) parameter: String,
    pub(crate) side: Option<Side>,
    /// The number that the limit is made of, in `number_unit`.
    pub(crate) number: f32,
    pub(crate) number_unit: String,
    /// Whether a person has set it.
    pub(crate) is_set: bool,
    pub(crate) profile_number: f32,
    /// In `unit`; `None` while it cannot be made, or changes with another parameter.
    pub(crate) limit: Option<f32>,
    pub(crate) unit: String,
    /// Least and greatest number that may be set; `None` when it may not be set.
    pub(crate) settable: Option<(f32, f32)>,
    pub(crate) priority: Priority,
    pub(crate) delay: Duration,
}

/// A change of one limit.
#[derive(Debug, Clone)]
pub(crate) struct LimitChange {
    pub(crate) rule: String,
    pub(crate) from: f32,
    pub(crate) to: f32,
    pub(crate) by: String,
    pub(crate) reason: String,
    /// Nanoseconds since 1970 UTC.
    pub(crate) wall_ns: i64,
    pub(crate) version: u64,
}

/// A context that is declared now.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) kind: ContextKind,
    pub(crate) by: String,
    /// Nanoseconds since 1970 UTC.
    pub(crate) since_wall_ns: i64,
    pub(crate) until: GatewayTime,
}

/// A rule that cannot be judged now.
#[derive(Debug, Clone)]
pub(crate) struct Gap {
    pub(crate) rule: String,
    pub(crate) reason: GapReason,
    /// What is missing or too slow.
    pub(crate) parameter: Option<String>,
}

/// A condition that is shelved.
#[derive(Debug, Clone)]
pub(crate) struct Shelved {
    pub(crate) condition: String,
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) until: GatewayTime,
}

/// What a limit would have done over the data that the gateway still holds.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    pub(crate) would_alarm: u32,
    pub(crate) in_force_alarms: u32,
    pub(crate) covered: Duration,
    pub(crate) without_data: Duration,
    /// Least value, in `unit`.
    pub(crate) lowest: Option<f32>,
    /// Greatest value, in `unit`.
    pub(crate) highest: Option<f32>,
    pub(crate) unit: String,
}

/// How good the alarms of a pump were as alarms.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) covered: Duration,
    /// Alarms raised, by priority.
    pub(crate) raised: Vec<(Priority, u32)>,
    pub(crate) per_hour: f64,
    pub(crate) peak_hour: u32,
    pub(crate) floods: u32,
    pub(crate) in_flood: bool,
    pub(crate) chattering: u32,
    pub(crate) stale: u32,
    pub(crate) reminders: u32,
    pub(crate) escalations: u32,
    /// The most frequent first.
    pub(crate) conditions: Vec<ConditionCount>,
    pub(crate) spikes: u64,
}

/// Alarms of one condition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct ConditionCount {
    pub(crate) condition: String,
    pub(crate) raised: u32,
    pub(crate) chattering: u32,
}

impl Treatment {
    /// Whether no clinician has signed the rules.
    pub(crate) const fn is_unreviewed(&self) -> bool {
        self.profile.reviewed_by.is_none()
    }

    /// A limit by its rule.
    pub(crate) fn limit(&self, rule: &str) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.rule == rule)
    }
}

impl Report {
    /// Alarms raised with one priority.
    pub(crate) fn raised(&self, priority: Priority) -> u32 {
        let counts = self.raised.iter().filter(|(each, _)| *each == priority);
        counts.map(|(_, raised)| *raised).fold(0, u32::saturating_add)
    }

    /// Alarms raised, without cards.
    pub(crate) fn alarms(&self) -> u32 {
        [Priority::High, Priority::Medium, Priority::Low]
            .into_iter()
            .map(|priority| self.raised(priority))
            .fold(0, u32::saturating_add)
    }
}
