//! What goes wrong: ways are cut or slow, processes die or freeze, disks fail, wall clocks jump. Each fault ends.

use crate::dice::Dice;
use crate::link::Weather;
use crate::time::{MS, Nanos, SECOND};

macro_rules! kinds {
    ($($variant:ident: $what:literal;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum FaultKind {
            $(#[doc = $what] $variant,)*
        }

        impl FaultKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What it is.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }
        }
    };
}

kinds! {
    BedsideCut: "the way from an agent to a broker is cut";
    BedsideDeaf: "the way from a broker to an agent is cut";
    BedsideStorm: "the way from an agent to a broker loses, doubles, delays, reorders";
    TrunkCut: "the way from a broker to a gateway is cut";
    TrunkDeaf: "the way from a gateway to a broker is cut";
    TrunkStorm: "the way from a broker to a gateway loses, doubles, delays, reorders";
    WardCut: "the way from a gateway to a display is cut";
    WardDeaf: "the way from a display to a gateway is cut";
    WardSlow: "the way from a gateway to a display is slow";
    AgentDies: "an agent dies and starts anew";
    AgentFreezes: "an agent is frozen";
    BrokerDies: "a broker dies and starts anew";
    BrokerFreezes: "a broker is frozen";
    GatewayDies: "a gateway dies and starts anew with what its disk kept";
    GatewayFreezes: "a gateway is frozen";
    DisplayDies: "a display dies and starts anew";
    DisplayFreezes: "a display is frozen";
    ClockSteps: "the wall clock of an agent or a gateway jumps";
    DiskSlow: "the disk of a gateway is slow";
    DiskFails: "the disk of a gateway takes nothing";
    SpoolFails: "the disk of an agent takes nothing";
}

/// A fault that is there.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// Where: a number of a pump, gateway or display, and of a broker or gateway beside it.
    pub at: (usize, usize),
    /// Which start of the process it met; a process that meanwhile started anew is left alone.
    pub met: u32,
}

impl Fault {
    /// How long it lasts.
    #[must_use]
    pub fn lasts(&self, dice: &mut Dice) -> Nanos {
        // Most are short, because most of what is hard lies around the bounds of seconds; some are long.
        match dice.below(8) {
            0 => dice.between(20 * SECOND, 120 * SECOND),
            1 | 2 => dice.between(3 * SECOND, 20 * SECOND),
            _ => dice.between(50 * MS, 4 * SECOND),
        }
    }

    /// Whether it cuts a way.
    #[must_use]
    pub fn cuts(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::BedsideCut
                | FaultKind::BedsideDeaf
                | FaultKind::TrunkCut
                | FaultKind::TrunkDeaf
                | FaultKind::WardCut
                | FaultKind::WardDeaf
        )
    }

    /// The weather that it brings.
    #[must_use]
    pub fn weather(&self, dice: &mut Dice) -> Weather {
        if self.kind == FaultKind::WardSlow {
            let delay = dice.between(10 * MS, 3 * SECOND);
            return Weather { delay, jitter: delay, ..Weather::FAIR };
        }
        Weather {
            delay: dice.between(MS, 300 * MS),
            jitter: dice.between(MS, 700 * MS),
            loss: dice.below(300_000),
            doubled: dice.below(200_000),
            reorders: dice.chance(700_000),
        }
    }
}
