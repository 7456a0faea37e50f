//! One direction of a way between two hosts: it delays, loses, doubles and reorders, or is cut.

use crate::dice::Dice;
use crate::time::{MS, Nanos};

/// How a way behaves now.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Least delay.
    pub delay: Nanos,
    /// Most that comes on top, at random.
    pub jitter: Nanos,
    /// Messages lost, in a million.
    pub loss: u64,
    /// Messages that come twice, in a million.
    pub doubled: u64,
    /// Whether a message may overtake another.
    pub reorders: bool,
}

impl Weather {
    /// A good local network.
    pub const FAIR: Self =
        Self { delay: MS / 2, jitter: 2 * MS, loss: 0, doubled: 0, reorders: false };
}

/// One direction of a way.
#[derive(Debug, Clone)]
pub struct Link {
    /// How it behaves while it is not cut.
    pub weather: Weather,
    /// How many faults cut it now; it carries nothing while any does.
    pub cuts: u32,
    /// When the newest message arrives: without reordering none comes before it.
    newest: Nanos,
}

impl Default for Link {
    fn default() -> Self {
        Self { weather: Weather::FAIR, cuts: 0, newest: 0 }
    }
}

impl Link {
    /// When a message that leaves now arrives: never, once, or twice.
    pub fn carry(&mut self, now: Nanos, may_be_lost: bool, dice: &mut Dice) -> [Option<Nanos>; 2] {
        let Weather { loss, doubled, .. } = self.weather;
        if self.cuts > 0 || (may_be_lost && loss > 0 && dice.chance(loss)) {
            return [None, None];
        }
        let first = self.arrival(now, dice);
        let again = (doubled > 0 && dice.chance(doubled)).then(|| self.arrival(now, dice));
        [Some(first), again]
    }

    /// When a message arrives on a connection that keeps the order and loses nothing; `None` when it is cut.
    pub fn carry_in_order(&mut self, now: Nanos, dice: &mut Dice) -> Option<Nanos> {
        if self.cuts > 0 {
            return None;
        }
        let at = now + self.weather.delay + dice.below(self.weather.jitter + 1);
        self.newest = self.newest.max(at);
        Some(self.newest)
    }

    fn arrival(&mut self, now: Nanos, dice: &mut Dice) -> Nanos {
        let at = now + self.weather.delay + dice.below(self.weather.jitter + 1);
        if self.weather.reorders {
            return at;
        }
        self.newest = self.newest.max(at);
        self.newest
    }
}

/// Both directions.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// From the agent's side to the display's side, where the data goes.
    pub there: Link,
    /// Back.
    pub back: Link,
}
