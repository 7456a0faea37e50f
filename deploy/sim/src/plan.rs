//! What a seed makes: how many of what, at which pace, and which faults visit them.

use crate::dice::Dice;
use crate::faults::{Fault, FaultKind};
use crate::rules::Pace;
use crate::time::{MINUTE, MS, Nanos, SECOND};

/// The world of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Pumps, 1 to 6.
    pub pumps: usize,
    /// Brokers, 1 or 2.
    pub brokers: usize,
    /// Gateways, 1 or 2.
    pub gateways: usize,
    /// Gateways of each display.
    pub displays: Vec<Vec<usize>>,
    /// How fast frames come.
    pub pace: Pace,
    /// Which faults come, with the mean time between two of a kind.
    pub faults: Vec<(FaultKind, Nanos)>,
    /// Mean time between two things that somebody at a display does.
    pub people: Nanos,
}

impl Plan {
    /// The world of a seed.
    #[must_use]
    pub fn of(dice: &mut Dice) -> Self {
        let gateways = 1 + dice.place(2);
        let pumps = 1 + dice.place(6);
        let brokers = 1 + dice.place(2);
        let displays = (0..=dice.place(3)).map(|_| {
            let both = gateways > 1 && dice.chance(600_000);
            if both { vec![0, 1] } else { vec![dice.place(gateways)] }
        });
        let displays = displays.collect();
        let period = match dice.below(8) {
            0 => 200 * MS,
            1 | 2 => 400 * MS,
            _ => 800 * MS,
        };
        // A calm world finds what only order and time can break; a stormy one, what faults together break.
        let storm = dice.below(4);
        let faults = FaultKind::ALL.iter().filter(|_| dice.below(4) < storm);
        let faults = faults.copied().collect::<Vec<_>>();
        let faults = faults.into_iter().map(|kind| (kind, dice.between(MINUTE, 20 * MINUTE)));
        Self {
            pumps,
            brokers,
            gateways,
            displays,
            pace: Pace { period },
            faults: faults.collect(),
            people: dice.between(10 * SECOND, 120 * SECOND),
        }
    }
}

impl Fault {
    /// A fault of a kind, somewhere.
    #[must_use]
    pub fn somewhere(kind: FaultKind, plan: &Plan, dice: &mut Dice) -> Self {
        let pump = dice.place(plan.pumps);
        let broker = dice.place(plan.brokers);
        let gateway = dice.place(plan.gateways);
        let display = dice.place(plan.displays.len());
        let at = match kind {
            FaultKind::BedsideCut | FaultKind::BedsideDeaf | FaultKind::BedsideStorm => {
                (pump, broker)
            }
            FaultKind::TrunkCut | FaultKind::TrunkDeaf | FaultKind::TrunkStorm => (gateway, broker),
            FaultKind::WardCut | FaultKind::WardDeaf | FaultKind::WardSlow => (display, gateway),
            FaultKind::AgentDies | FaultKind::AgentFreezes | FaultKind::SpoolFails => (pump, 0),
            FaultKind::BrokerDies | FaultKind::BrokerFreezes => (broker, 0),
            FaultKind::GatewayDies
            | FaultKind::GatewayFreezes
            | FaultKind::DiskSlow
            | FaultKind::DiskFails => (gateway, 0),
            FaultKind::DisplayDies | FaultKind::DisplayFreezes => (display, 0),
            FaultKind::ClockSteps => {
                // The hosts in a row: agents, then gateways.
                (dice.place(plan.pumps + plan.gateways), 0)
            }
        };
        Self { kind, at, met: 0 }
    }
}
