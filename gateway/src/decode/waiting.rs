//! An alarm that waits for a person at another gateway, checked.

use ecmo_core::alarm::Waiting;
use ecmo_core::alarm::action::AlarmRef;
use ecmo_core::alarm::condition::{Condition, Kind, Priority};
use ecmo_core::alarm::occurrence::OccurrenceId;
use ecmo_core::alarm::rule::Side;
use ecmo_core::frame::BootId;
use ecmo_core::parameter::Parameter;
use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1;

use crate::metrics::PeerRejected;

/// Most alarms that are read of one word.
const WAITING_MAX: usize = 64;

/// An alarm that waits, with the wall time of its onset.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingAt {
    /// The pump.
    pub address: PumpAddress,
    /// The alarm; when it began is said by the wall time.
    pub waiting: Waiting,
    /// Nanoseconds since 1970 UTC.
    pub onset_wall_ns: i64,
}

/// What another gateway tells.
///
/// # Errors
/// Too many, or one with a field that is impossible.
pub(super) fn read(told: Vec<v1::WaitingAlarm>) -> Result<Vec<WaitingAt>, PeerRejected> {
    if told.len() > WAITING_MAX {
        return Err(PeerRejected::Content);
    }
    told.into_iter().map(|one| read_one(&one).ok_or(PeerRejected::Content)).collect()
}

fn read_one(told: &v1::WaitingAlarm) -> Option<WaitingAt> {
    let address = PumpAddress { ward: Id::new(&told.ward).ok()?, pump: Id::new(&told.pump).ok()? };
    let named = told.alarm.as_ref()?;
    let id = OccurrenceId {
        condition: Condition::from_id(&named.condition)?,
        boot: BootId::new(named.boot_id),
        onset: named.onset,
    };
    let kind = match told.kind() {
        v1::AlarmKind::Physiological => Kind::Physiological,
        v1::AlarmKind::Technical => Kind::Technical,
        v1::AlarmKind::Unspecified => return None,
    };
    let priority = match told.priority() {
        v1::AlarmPriority::Information => Priority::Information,
        v1::AlarmPriority::Low => Priority::Low,
        v1::AlarmPriority::Medium => Priority::Medium,
        v1::AlarmPriority::High => Priority::High,
        v1::AlarmPriority::Unspecified => return None,
    };
    let parameter = match told.parameter.as_str() {
        "" => None,
        id => Some(Parameter::from_id(id)?),
    };
    let limit = match (told.limit_side(), told.limit) {
        (v1::LimitSide::Below, Some(limit)) => Some((Side::Below, limit)),
        (v1::LimitSide::Above, Some(limit)) => Some((Side::Above, limit)),
        (v1::LimitSide::Unspecified, _) | (_, None) => None,
    };
    let numbers = [told.worst, told.limit];
    if named.call == 0 || numbers.into_iter().flatten().any(|number| !number.is_finite()) {
        return None;
    }
    let waiting = Waiting {
        alarm: AlarmRef { id, call: named.call },
        kind,
        priority,
        parameter,
        worst: told.worst,
        limit,
        onset_at: Instant::default(),
        unreviewed: told.unreviewed,
    };
    Some(WaitingAt { address, waiting, onset_wall_ns: told.onset_wall_ns })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn waits() -> WaitingAt {
        let id = |text| Id::new(text).unwrap();
        let of =
            OccurrenceId { condition: Condition::AIR_ARTERIAL, boot: BootId::new(5), onset: 77 };
        WaitingAt {
            address: PumpAddress { ward: id("nicu"), pump: id("pump-1") },
            waiting: Waiting {
                alarm: AlarmRef { id: of, call: 3 },
                kind: Kind::Physiological,
                priority: Priority::High,
                parameter: Some(Parameter::AirBubble),
                worst: Some(2.0),
                limit: Some((Side::Above, 0.5)),
                onset_at: Instant::default(),
                unreviewed: true,
            },
            onset_wall_ns: 1_700_000_000_000_000_000,
        }
    }

    fn told() -> v1::WaitingAlarm {
        let sealed = crate::request::peer_heartbeat(&super::super::peer::tests::word());
        let word: v1::PeerHeartbeat = ecmo_proto::sealed::open(&sealed).unwrap();
        word.waiting.into_iter().next().unwrap()
    }

    #[test]
    fn what_is_impossible_is_refused() {
        let spoilt = |spoil: fn(&mut v1::WaitingAlarm)| {
            let mut told = told();
            spoil(&mut told);
            read(vec![told])
        };
        for (what, found) in [
            ("pump", spoilt(|it| it.pump = "a/b".to_owned())),
            ("no name", spoilt(|it| it.alarm = None)),
            ("condition", spoilt(|it| it.alarm.as_mut().unwrap().condition = "x".to_owned())),
            ("call", spoilt(|it| it.alarm.as_mut().unwrap().call = 0)),
            ("priority", spoilt(|it| it.priority = 99)),
            ("parameter", spoilt(|it| it.parameter = "x".to_owned())),
            ("worst", spoilt(|it| it.worst = Some(f32::NAN))),
        ] {
            assert_eq!(found, Err(PeerRejected::Content), "{what}");
        }
        let many = vec![told(); WAITING_MAX + 1];
        assert_eq!(read(many), Err(PeerRejected::Content));
    }
}
