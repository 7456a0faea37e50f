//! The shape of missed alarms for programs.

use serde::Serialize;

use crate::model::MissedAlarm;

/// A missed alarm.
#[derive(Debug, Serialize)]
pub(crate) struct MissedJson<'a> {
    occurrence: &'a str,
    ward: &'a str,
    pump: &'a str,
    condition: &'a str,
    priority: &'static str,
    onset_wall_ns: i64,
    end_wall_ns: Option<i64>,
    worst: Option<f32>,
    limit: Option<f32>,
    unit: &'a str,
    found_by_gateway: bool,
    found_by_agent: bool,
    sounded: bool,
}

impl<'a> MissedJson<'a> {
    /// A missed alarm.
    pub(crate) fn new(missed: &'a MissedAlarm) -> Self {
        Self {
            occurrence: &missed.occurrence,
            ward: &missed.name.ward,
            pump: &missed.name.pump,
            condition: &missed.condition,
            priority: missed.priority.id(),
            onset_wall_ns: missed.onset_wall_ns,
            end_wall_ns: missed.end_wall_ns,
            worst: missed.worst,
            limit: missed.limit,
            unit: &missed.unit,
            found_by_gateway: missed.found_by_gateway,
            found_by_agent: missed.found_by_agent,
            sounded: missed.sounded,
        }
    }
}
