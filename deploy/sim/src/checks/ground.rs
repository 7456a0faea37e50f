//! From which frame on frames alone decide when a limit raises: the last stretch on its good side that ends every violation.
//!
//! A violation outlives a pause of its samples, however long: a sensor that is off has not recovered. So no number of frames
//! without a gap makes two gateways decide alike, where one of them lacks the samples before the pause.

use std::collections::VecDeque;
use std::time::Duration;

use ecmo_core::frame::{BootId, Frame};
use ecmo_core::time::SampleTime;

use crate::rules::{Pace, Watched};
use crate::time::Nanos;

/// Stretches that are remembered, for a gateway that comes to their frames late.
const REMEMBERED: usize = 16;

/// A stretch on the good side of a limit, by numbers of frames.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// From here on it was long enough.
    from: u64,
    /// The violation that ended it.
    until: u64,
}

/// One watched signal as its agent sent it.
#[derive(Debug)]
pub struct Ground {
    watched: Watched,
    /// A stretch that is longer ends every violation: no limit forgives a pause of more than half of its delay.
    long: Nanos,
    run: Option<BootId>,
    /// The present stretch, as far back as it must reach: numbers of its frames, and when it was sampled.
    good: VecDeque<(u64, SampleTime)>,
    stretches: VecDeque<Stretch>,
}

impl Ground {
    /// Nothing was sent.
    #[must_use]
    pub const fn new(watched: Watched, pace: Pace) -> Self {
        let long = pace.delay(&watched) / 2;
        Self { watched, long, run: None, good: VecDeque::new(), stretches: VecDeque::new() }
    }

    /// The agent has made a frame.
    pub fn on_made(&mut self, frame: &Frame) {
        if self.run.replace(frame.boot) != Some(frame.boot) {
            self.good.clear();
            self.stretches.clear();
        }
        let Watched { parameter, side, limit, .. } = self.watched;
        let mine = frame.blocks().filter(|(block, _)| block.parameter == parameter);
        for (block, readings) in mine {
            for value in readings.iter().filter_map(|reading| reading.value()) {
                self.on_value(frame.sequence, block.start, side.is_violated(value, limit));
            }
        }
    }

    fn on_value(&mut self, sequence: u64, at: SampleTime, violated: bool) {
        let long = Duration::from_nanos(self.long);
        while self.good.get(1).is_some_and(|(_, since)| at.since(*since) > long) {
            self.good.pop_front();
        }
        if !violated {
            self.good.push_back((sequence, at));
            return;
        }
        if let Some((from, _)) = self.good.front().filter(|(_, since)| at.since(*since) > long) {
            if self.stretches.len() >= REMEMBERED {
                self.stretches.pop_front();
            }
            self.stretches.push_back(Stretch { from: *from, until: sequence });
        }
        self.good.clear();
    }

    /// The first of the frames that decide whether the limit raises with this one; `None` where it is not known, or lies before
    /// the run.
    #[must_use]
    pub fn of(&self, boot: BootId, sequence: u64) -> Option<u64> {
        let mut known = self.stretches.iter().rev().filter(|_| self.run == Some(boot));
        known.find(|stretch| stretch.until <= sequence).map(|stretch| stretch.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::WATCHED;
    use crate::time::MS;

    /// What decides at the last of these samples, one a frame: good, beyond, or none.
    fn decided_from(samples: &str) -> Option<u64> {
        let pace = Pace { period: 200 * MS };
        // Half of its delay is four frames.
        let mut ground = Ground::new(WATCHED[1], pace);
        let boot = BootId::new(1);
        ground.run = boot;
        let mut last = 0;
        for (sequence, sample) in (0..).zip(samples.chars()) {
            let at = SampleTime::from_nanos(sequence * pace.period);
            match sample {
                'g' => ground.on_value(sequence, at, false),
                'b' => ground.on_value(sequence, at, true),
                _ => {}
            }
            last = sequence;
        }
        ground.of(boot?, last)
    }

    #[test]
    fn the_last_stretch_that_was_long_enough_decides_however_long_nothing_was_sampled() {
        assert_eq!(decided_from("ggggggggbbbb"), Some(3));
        assert_eq!(decided_from("ggggggggb............................b"), Some(3));
        assert_eq!(decided_from("ggggggggbbggggbbb"), Some(3), "a short one ends no violation");
        assert_eq!(decided_from("ggggggggbbgggggbbb"), Some(10));
        assert_eq!(decided_from("gggg.bb"), Some(0), "a pause belongs to the stretch");
        assert_eq!(decided_from("ggggbbbbb"), None, "who knows what was before the run");
    }
}
