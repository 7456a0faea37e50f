//! An alarm that waits for a person, as a gateway tells others of it.

use ecmo_core::alarm::Waiting;
use ecmo_core::alarm::rule::Side;
use ecmo_proto::v1;

use super::decision::{kind, name, priority};
use crate::decode::WaitingAt;

/// As it is told.
#[must_use]
pub(super) fn said(one: &WaitingAt) -> v1::WaitingAlarm {
    let Waiting { alarm, worst, limit, parameter, unreviewed, .. } = one.waiting;
    let side = match limit {
        None => v1::LimitSide::Unspecified,
        Some((Side::Below, _)) => v1::LimitSide::Below,
        Some((Side::Above, _)) => v1::LimitSide::Above,
    };
    v1::WaitingAlarm {
        ward: one.address.ward.to_string(),
        pump: one.address.pump.to_string(),
        alarm: Some(name(alarm.id, alarm.call)),
        kind: kind(one.waiting.kind).into(),
        priority: priority(one.waiting.priority).into(),
        parameter: parameter.map(|of| of.info().id.to_owned()).unwrap_or_default(),
        worst,
        limit: limit.map(|(_side, limit)| limit),
        limit_side: side.into(),
        onset_wall_ns: one.onset_wall_ns,
        unreviewed,
    }
}
