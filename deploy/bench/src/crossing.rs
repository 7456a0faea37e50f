//! When the pressure of which pump crosses its limit, and which alarm change belongs to which crossing.

use std::collections::BTreeSet;

/// The condition that is raised: a plain limit, judged sample by sample, whose delays the bench sets to zero.
pub(crate) const CONDITION: &str = "pre.high.alarm";

/// Once a second each pump is above the limit for half a second; the pumps take turns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crossings {
    /// Pumps that take turns.
    pub(crate) pumps: u32,
    /// Frames of one pump in a second.
    pub(crate) rate: u32,
    /// Sequence of the first frame that is measured.
    pub(crate) first: u64,
    /// Frames of one pump that are measured.
    pub(crate) frames: u64,
}

/// One second of one pump: the frame that crosses, and the one that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crossing {
    pub(crate) pump: u32,
    /// Sequence of the first frame above the limit.
    pub(crate) raise: u64,
    /// Sequence of the first frame that is back.
    pub(crate) clear: u64,
}

impl Crossings {
    /// Where a pump's seconds begin, so that the pumps do not cross together.
    fn shift(&self, pump: u32) -> u64 {
        u64::from(pump) * u64::from(self.rate) / u64::from(self.pumps.max(1))
    }

    /// The crossing of the second that a frame is in; `None` outside whole seconds.
    fn around(&self, pump: u32, sequence: u64) -> Option<Crossing> {
        let period = u64::from(self.rate);
        let begin = self.first + self.shift(pump);
        let cycle = sequence.checked_sub(begin)? / period;
        let clear = begin + (cycle + 1) * period;
        let is_whole = clear < self.first + self.frames;
        is_whole.then_some(Crossing { pump, raise: clear - period / 2, clear })
    }

    /// Whether a frame is above the limit.
    pub(crate) fn is_high(&self, pump: u32, sequence: u64) -> bool {
        self.around(pump, sequence).is_some_and(|crossing| sequence >= crossing.raise)
    }

    /// The crossing that a frame above the limit belongs to.
    pub(crate) fn of(&self, pump: u32, sequence: u64) -> Option<Crossing> {
        self.around(pump, sequence).filter(|crossing| sequence >= crossing.raise)
    }

    /// Every crossing of every pump.
    pub(crate) fn all(&self) -> BTreeSet<Crossing> {
        (0..self.pumps)
            .flat_map(|pump| {
                let frames = self.first..self.first + self.frames;
                frames.filter_map(move |sequence| self.of(pump, sequence))
            })
            .collect()
    }
}

/// The onset of an occurrence as its id tells it: time of the first sample above the limit, by the pump's clock, in
/// nanoseconds. The id is `ward/pump/condition/boot-onset`, the last two in hexadecimal digits.
pub(crate) fn onset_ns(occurrence: &str) -> Option<u64> {
    let mut levels = occurrence.rsplit('/');
    let (run, condition) = (levels.next()?, levels.next()?);
    if condition != CONDITION {
        return None;
    }
    let (_boot, onset) = run.split_once('-')?;
    u64::from_str_radix(onset, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CROSSINGS: Crossings = Crossings { pumps: 30, rate: 50, first: 50, frames: 500 };

    #[test]
    fn each_pump_crosses_once_a_second_and_comes_back_before_the_end() {
        let all = CROSSINGS.all();
        assert_eq!(all.len(), 30 * 9);
        for crossing in &all {
            assert!(crossing.raise >= 50 && crossing.clear < 550, "{crossing:?}");
            assert_eq!(crossing.clear - crossing.raise, 25);
            for (sequence, high) in [
                (crossing.raise - 1, false),
                (crossing.raise, true),
                (crossing.clear - 1, true),
                (crossing.clear, false),
            ] {
                assert_eq!(CROSSINGS.is_high(crossing.pump, sequence), high, "{sequence}");
            }
            assert_eq!(CROSSINGS.of(crossing.pump, crossing.raise + 3), Some(*crossing));
        }
    }

    #[test]
    fn no_frame_is_high_outside_the_measured_ones() {
        for pump in 0..30 {
            assert!((0..50).chain(549..700).all(|sequence| !CROSSINGS.is_high(pump, sequence)));
        }
    }

    #[test]
    fn an_onset_is_read_from_the_id_of_our_condition_only() {
        assert_eq!(onset_ns("w/pump-01/pre.high.alarm/0000000000000abc-ff"), Some(255));
        for other in
            ["w/p/pump.stop/0000000000000abc-ff", "w/p/pre.high.alarm/0abc", "", "pre.high.alarm"]
        {
            assert_eq!(onset_ns(other), None, "{other}");
        }
    }
}
