//! What is really so at a pump: its signals, beyond their limits or not, and whether its sensors speak.

use ecmo_core::reading::{NoData, Reading};

use crate::dice::Dice;
use crate::many::Many;
use crate::rules::{Pace, WATCHED};
use crate::time::{MINUTE, Nanos, SECOND};

/// What a sensor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensor {
    /// It measures.
    Measures,
    /// It sends nothing.
    Silent,
    /// It says why it does not measure.
    Says(NoData),
}

/// One watched signal as it really is.
#[derive(Debug, Clone)]
pub struct Signal {
    /// Since when it has been beyond its limit without a pause.
    pub beyond_since: Option<Nanos>,
    /// What its sensor does.
    pub sensor: Sensor,
}

/// Samples whose true time is remembered: of many minutes, far more than anything may be shown for.
const REMEMBERED: u64 = 4_096;

/// Samples of a pump whose code is its own; then the numbers begin again, hours later.
const CODES: u64 = 1 << 20;

/// A code is so many times its value, so that it lies within what the parameter can be and is exact.
const CODE_SCALE: f32 = 1_024.0;

/// The truth of one pump.
#[derive(Debug)]
pub struct Truth {
    pump: usize,
    /// The watched signals.
    pub signals: Many<Signal>,
    samples: u64,
    taken: Many<Nanos>,
    dice: Dice,
}

/// A sample that a code names: of which pump, and when it was really taken; `None` when that was long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coded {
    /// The pump's number.
    pub pump: usize,
    /// Number of the sample among those of the pump.
    pub sample: u64,
}

/// Reads the code of a value.
#[must_use]
pub fn decoded(value: f32) -> Coded {
    let code = whole(value * CODE_SCALE);
    Coded { pump: usize::try_from(code / CODES).unwrap_or(usize::MAX), sample: code % CODES }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "codes are whole and below 2^24; anything else reads as some other code and is found out"
)]
fn whole(value: f32) -> u64 {
    value as u64
}

#[expect(clippy::cast_precision_loss, reason = "below 2^24")]
fn exact(code: u64) -> f32 {
    code as f32
}

impl Truth {
    /// All is well at a pump.
    #[must_use]
    pub fn new(pump: usize, dice: Dice) -> Self {
        let signal = |_place| Signal { beyond_since: None, sensor: Sensor::Measures };
        let remembered = usize::try_from(REMEMBERED).unwrap_or(0);
        Self {
            pump,
            signals: Many::new(WATCHED.len(), signal),
            samples: 0,
            taken: Many::new(remembered, |_place| 0),
            dice,
        }
    }

    /// Samples a watched signal now; `None` when its sensor sends nothing.
    pub fn sample(&mut self, place: usize) -> Option<Reading> {
        let noise = exact(self.dice.below(1_024)) / 1_024.0;
        let signal = &self.signals[place];
        let (good, beyond) = WATCHED.get(place)?.values;
        let value = if signal.beyond_since.is_some() { beyond } else { good };
        match signal.sensor {
            Sensor::Measures => Some(Reading::Value(value + noise - 0.5)),
            Sensor::Says(reason) => Some(Reading::NoData(reason)),
            Sensor::Silent => None,
        }
    }

    /// A sample that says of which pump it is, and when it was taken.
    pub fn sample_code(&mut self, now: Nanos) -> Reading {
        self.samples = (self.samples + 1) % CODES;
        let place = usize::try_from(self.samples % REMEMBERED).unwrap_or(0);
        self.taken[place] = now;
        let pump = u64::try_from(self.pump).unwrap_or(0);
        Reading::Value(exact(pump * CODES + self.samples) / CODE_SCALE)
    }

    /// How old a sample of this pump really is; `None` when it is older than anybody remembers, or was never taken.
    #[must_use]
    pub fn age(&self, sample: u64, now: Nanos) -> Option<Nanos> {
        let behind = (self.samples + CODES - sample) % CODES;
        let place = usize::try_from(sample % REMEMBERED).unwrap_or(0);
        (behind < REMEMBERED).then(|| now.saturating_sub(self.taken[place]))
    }

    /// Another turn of a signal: beyond its limit, or back. Until when it lasts.
    pub fn turn(&mut self, place: usize, pace: Pace, now: Nanos) -> Nanos {
        let delay = WATCHED.get(place).map_or(0, |watched| pace.delay(watched));
        let signal = &mut self.signals[place];
        if signal.beyond_since.take().is_some() {
            return now + self.dice.about(3 * MINUTE);
        }
        signal.beyond_since = Some(now);
        // Some are too short to be told, some just long enough, some last.
        let lasts = match self.dice.below(4) {
            0 => self.dice.below(delay),
            1 => delay + self.dice.below(4 * pace.period),
            _ => self.dice.about(MINUTE),
        };
        now + lasts.max(1)
    }

    /// Another turn of a sensor. Until when it lasts.
    pub fn turn_sensor(&mut self, place: usize, now: Nanos) -> Nanos {
        let signal = &mut self.signals[place];
        if signal.sensor != Sensor::Measures {
            signal.sensor = Sensor::Measures;
            return now + self.dice.about(10 * MINUTE);
        }
        signal.sensor = match self.dice.below(4) {
            0 => Sensor::Says(NoData::SensorOff),
            1 => Sensor::Says(NoData::SensorFault),
            _ => Sensor::Silent,
        };
        now + self.dice.about(20 * SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_which_pump_measured_and_when() {
        let mut truth = Truth::new(5, Dice::new(1));
        for at in 1..6_000 {
            let Reading::Value(value) = truth.sample_code(at * 7) else { panic!("no value") };
            let coded = decoded(value);
            assert_eq!((coded.pump, coded.sample), (5, at));
            assert_eq!(truth.age(coded.sample, at * 7 + 3), Some(3));
        }
        assert_eq!(truth.age(1, 99_999), None, "long ago");
    }
}
