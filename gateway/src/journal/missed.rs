//! What was missed while a pump's frames did not arrive: found by the gateway's rules afterwards, or by the agent's at the time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::occurrence::OccurrenceId;
use ecmo_core::frame::BootId;
use ecmo_core::parameter::Parameter;
use ecmo_proto::topic::{Id, PumpAddress};

use super::compare;
use crate::decode::{SpoolReport, Unleased};

/// Missed alarms of one pump that are kept.
pub const MISSED_MAX: usize = 256;

/// Alarms of one pump that were raised live and are remembered, so that they do not count as missed.
const RAISED_MAX: usize = 512;

/// An alarm that would have been raised if the frames had arrived in time.
#[derive(Debug, Clone, PartialEq)]
pub struct MissedAlarm {
    /// The occurrence as it would have been.
    pub id: OccurrenceId,
    /// How urgent.
    pub priority: Priority,
    /// Wall time of the onset, in nanoseconds since 1970; for people.
    pub onset_wall_ns: i64,
    /// Wall time at which it was gone; `None` when it was present at the end of what was missed.
    pub end_wall_ns: Option<i64>,
    /// Value furthest beyond the limit.
    pub worst: Option<f32>,
    /// The violated limit.
    pub limit: Option<f32>,
    /// What it watches.
    pub parameter: Option<Parameter>,
    /// Whether the gateway's rules found it.
    pub found_by_gateway: bool,
    /// Whether the agent's rules found it at the time.
    pub found_by_agent: bool,
    /// Whether the agent sounded for it.
    pub sounded: bool,
}

/// One pump.
#[derive(Debug, Default)]
struct OfPump {
    /// The newest first.
    missed: VecDeque<MissedAlarm>,
    raised: VecDeque<OccurrenceId>,
}

/// What was missed at every pump. The alarm thread never comes here.
#[derive(Debug, Default)]
pub struct Missed {
    pumps: Mutex<HashMap<PumpAddress, OfPump>>,
}

impl Missed {
    /// An alarm was raised live.
    pub fn on_raised(&self, pump: &PumpAddress, id: OccurrenceId) {
        let mut pumps = self.lock();
        let of = pumps.entry(pump.clone()).or_default();
        if of.raised.len() >= RAISED_MAX {
            of.raised.pop_front();
        }
        of.raised.push_back(id);
    }

    /// Adds what was found; whether something is new. What was raised live was not missed.
    pub fn add(&self, pump: &PumpAddress, found: Vec<MissedAlarm>) -> bool {
        let mut pumps = self.lock();
        let of = pumps.entry(pump.clone()).or_default();
        let mut is_new = false;
        for one in found {
            if of.raised.contains(&one.id) {
                continue;
            }
            if let Some(known) = of.missed.iter_mut().find(|known| known.id == one.id) {
                known.merge(one);
                continue;
            }
            is_new = true;
            let place = of.missed.iter().position(|known| known.onset_wall_ns <= one.onset_wall_ns);
            of.missed.insert(place.unwrap_or(of.missed.len()), one);
            of.missed.truncate(MISSED_MAX);
        }
        is_new
    }

    /// Adds what the agent says that its own rules found; whether something is new.
    pub fn add_of_agent(&self, pump: &PumpAddress, report: &SpoolReport) -> bool {
        let found = report.unleased.iter().filter_map(|one| of_agent(one, report));
        let found: Vec<_> = found.collect();
        !found.is_empty() && self.add(pump, found)
    }

    /// What was missed at one pump, a ward, or all; for each pump the newest first.
    #[must_use]
    pub fn list(&self, ward: Option<&Id>, pump: Option<&Id>) -> Vec<(PumpAddress, MissedAlarm)> {
        let pumps = self.lock();
        let asked = pumps.iter().filter(|(address, _)| {
            ward.is_none_or(|ward| address.ward == *ward)
                && pump.is_none_or(|pump| address.pump == *pump)
        });
        let mut all: Vec<_> = asked
            .flat_map(|(address, of)| of.missed.iter().map(|one| (address.clone(), one.clone())))
            .collect();
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.onset_wall_ns));
        all
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PumpAddress, OfPump>> {
        // Nothing in here can panic half way.
        self.pumps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MissedAlarm {
    /// Two words about one occurrence: the gateway's numbers, and who found it.
    fn merge(&mut self, other: Self) {
        let by_agent = (self.found_by_agent || other.found_by_agent, self.sounded || other.sounded);
        if other.found_by_gateway {
            *self = other;
        } else if self.end_wall_ns.is_none() && !self.found_by_gateway {
            self.end_wall_ns = other.end_wall_ns;
        }
        (self.found_by_agent, self.sounded) = by_agent;
    }
}

fn of_agent(one: &Unleased, report: &SpoolReport) -> Option<MissedAlarm> {
    let condition = Condition::from_id(&one.condition)?;
    let boot = BootId::new(one.boot)?;
    let wall =
        |mono: u64| i64::try_from(i128::from(mono) + report.wall_minus_mono_ns).unwrap_or(i64::MAX);
    Some(MissedAlarm {
        id: OccurrenceId { condition, boot: Some(boot), onset: one.onset },
        priority: compare::priority(one.priority),
        onset_wall_ns: wall(one.onset),
        end_wall_ns: one.end_mono_ns.map(wall),
        worst: None,
        limit: None,
        parameter: None,
        found_by_gateway: false,
        found_by_agent: true,
        sounded: one.sounded,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::time::SampleTime;

    fn pump() -> PumpAddress {
        PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new("p1").unwrap() }
    }

    fn report(onsets: &[u64]) -> SpoolReport {
        let unleased = onsets.iter().map(|onset| Unleased {
            condition: "flow.low".into(),
            boot: 7,
            onset: *onset,
            end_mono_ns: None,
            priority: 3,
            sounded: true,
        });
        let unleased = unleased.collect();
        SpoolReport {
            boot: 7,
            sent: SampleTime::default(),
            wall_minus_mono_ns: 1_000,
            extents: None,
            rules: None,
            leases_lost: 0,
            unleased,
        }
    }

    fn found(onset: u64) -> MissedAlarm {
        let id = OccurrenceId { condition: Condition::FLOW_LOW, boot: BootId::new(7), onset };
        MissedAlarm {
            id,
            priority: Priority::High,
            onset_wall_ns: i64::try_from(onset).unwrap() + 1_000,
            end_wall_ns: Some(99),
            worst: Some(0.1),
            limit: Some(0.2),
            parameter: None,
            found_by_gateway: true,
            found_by_agent: false,
            sounded: false,
        }
    }

    #[test]
    fn what_both_found_is_one_and_what_was_raised_live_was_not_missed() {
        let missed = Missed::default();
        missed.on_raised(&pump(), found(5).id);
        assert!(missed.add_of_agent(&pump(), &report(&[3, 5])));
        assert!(!missed.add_of_agent(&pump(), &report(&[3, 5])), "nothing new");
        assert!(missed.add(&pump(), vec![found(3), found(5), found(9)]));
        let listed = missed.list(None, None);
        let onsets: Vec<_> = listed.iter().map(|(_, one)| one.id.onset).collect();
        assert_eq!(onsets, [9, 3], "the newest first");
        let both = &listed[1].1;
        assert!(both.found_by_gateway && both.found_by_agent && both.sounded);
        assert_eq!(both.worst, Some(0.1));
        assert!(missed.list(Some(&Id::new("picu").unwrap()), None).is_empty());
    }

    #[test]
    fn the_list_of_a_pump_is_bounded_and_keeps_the_newest() {
        let missed = Missed::default();
        missed.add(&pump(), (0..300).map(found).collect());
        let listed = missed.list(None, None);
        assert_eq!(listed.len(), MISSED_MAX);
        assert_eq!(listed[0].1.id.onset, 299);
    }
}
