//! Whether the samples of each channel come as often as its birth says (operations reference, F40).

use core::time::Duration;

use crate::parameter::Parameter;
use crate::time::SampleTime;

/// Sample time over which a rate is measured, and least samples that it must hold.
const WINDOW: Duration = Duration::from_secs(2);
const SAMPLES_MIN: u32 = 10;

/// A pause in the samples of a channel after which the measure begins anew: silence is told by the channel.
const PAUSE: Duration = Duration::from_millis(500);

/// A channel that sends at this rate or more seldom is not judged: one that is sent on change is repeated so often.
const INTERVAL_MAX: Duration = Duration::from_secs(1);

/// Deviation that is allowed: a fifth.
const SHARE: u128 = 5;

/// One measure that is under way.
#[derive(Debug, Clone, Copy)]
struct Measure {
    first: SampleTime,
    newest: SampleTime,
    samples: u64,
}

/// The rates of all channels.
#[derive(Debug)]
pub(super) struct Rates {
    measures: [Option<Measure>; Parameter::COUNT],
    wrong: [bool; Parameter::COUNT],
    next_sequence: Option<u64>,
}

impl Rates {
    pub(super) const fn new() -> Self {
        Self {
            measures: [None; Parameter::COUNT],
            wrong: [false; Parameter::COUNT],
            next_sequence: None,
        }
    }

    /// A frame is judged: after one that is missing, every measure begins anew.
    pub(super) fn on_frame(&mut self, sequence: u64) {
        if self.next_sequence.is_some_and(|next| next != sequence) {
            self.measures = [None; Parameter::COUNT];
        }
        self.next_sequence = sequence.checked_add(1);
    }

    /// Samples of a channel came, from `start` on, whose time between two is `nominal` by the birth. Whether the rate was
    /// found wrong, when a measure has ended.
    pub(super) fn on_samples(
        &mut self,
        parameter: Parameter,
        start: SampleTime,
        samples: usize,
        nominal: Option<Duration>,
    ) -> Option<bool> {
        let nominal = nominal.filter(|nominal| *nominal < INTERVAL_MAX)?;
        let samples = u64::try_from(samples).unwrap_or(u64::MAX);
        let place = parameter.index();
        let measure = self.measures.get_mut(place)?;
        let begun = Measure { first: start, newest: start, samples };
        let Some(under_way) = measure else {
            *measure = Some(begun);
            return None;
        };
        let pause = PAUSE.max(nominal.saturating_mul(SAMPLES_MIN));
        if start < under_way.newest || start.since(under_way.newest) > pause {
            *under_way = begun;
            return None;
        }
        let passed = start.since(under_way.first);
        if passed < WINDOW.max(nominal.saturating_mul(SAMPLES_MIN)) {
            under_way.newest = start;
            under_way.samples = under_way.samples.saturating_add(samples);
            return None;
        }
        let sampled = nominal.as_nanos() * u128::from(under_way.samples);
        let wrong = sampled.abs_diff(passed.as_nanos()) * SHARE > passed.as_nanos();
        *under_way = begun;
        self.say(parameter, wrong);
        Some(wrong)
    }

    /// The agent has started anew: what was wrong is wrong until it is measured again.
    pub(super) fn restart(&mut self) {
        self.measures = [None; Parameter::COUNT];
        self.next_sequence = None;
    }

    /// The rate of a channel was wrong before a restart of the reader.
    pub(super) fn resume(&mut self, parameter: Parameter) {
        self.say(parameter, true);
    }

    /// Nobody sends the channel any more.
    pub(super) fn forget(&mut self, parameter: Parameter) {
        self.say(parameter, false);
    }

    fn say(&mut self, parameter: Parameter, wrong: bool) {
        if let Some(told) = self.wrong.get_mut(parameter.index()) {
            *told = wrong;
        }
    }

    /// Whether any channel's rate is wrong.
    pub(super) fn any_wrong(&self) -> bool {
        self.wrong.contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: Parameter = Parameter::FlowBlood;

    /// Frames each 20 ms for some time, with so many samples in each; the verdicts.
    fn run(
        rates: &mut Rates,
        frames: core::ops::Range<u64>,
        samples: impl Fn(u64) -> usize,
    ) -> alloc::vec::Vec<bool> {
        let nominal = Some(Duration::from_millis(10));
        frames
            .filter_map(|frame| {
                rates.on_frame(frame);
                match samples(frame) {
                    0 => None,
                    some => {
                        rates.on_samples(FLOW, SampleTime::from_millis(frame * 20), some, nominal)
                    }
                }
            })
            .collect()
    }

    #[test]
    fn fault_f40_half_or_double_the_rate_is_found_in_two_seconds_and_a_healthy_one_is_not() {
        for (what, samples, wrong) in [
            ("healthy", (|_| 2) as fn(u64) -> usize, false),
            ("half", |_| 1, true),
            ("double", |_| 4, true),
            ("a tenth less", |frame| if frame % 5 == 0 { 1 } else { 2 }, false),
            ("a quarter less", |frame| if frame % 2 == 0 { 1 } else { 2 }, true),
            ("bunched", |frame| if frame % 10 == 0 { 20 } else { 0 }, false),
        ] {
            let verdicts = run(&mut Rates::new(), 0..111, samples);
            assert_eq!(verdicts, [wrong], "{what}");
        }
    }

    #[test]
    fn losses_and_pauses_begin_the_measure_anew() {
        let mut rates = Rates::new();
        assert_eq!(run(&mut rates, 0..90, |_| 1), []);
        assert_eq!(run(&mut rates, 91..190, |_| 1), [], "a frame is missing");
        let mut rates = Rates::new();
        let paused = |frame| if (50..90).contains(&frame) { 0 } else { 2 };
        assert_eq!(run(&mut rates, 0..180, paused), [], "the channel was silent");
        assert_eq!(run(&mut rates, 180..200, |_| 2), [false]);
    }

    #[test]
    fn a_slow_channel_and_one_that_is_sent_on_change_are_not_judged() {
        let mut rates = Rates::new();
        for second in 0..60 {
            let at = SampleTime::from_millis(second * 1_000);
            assert_eq!(rates.on_samples(FLOW, at, 7, Some(Duration::from_secs(1))), None);
            assert_eq!(rates.on_samples(FLOW, at, 7, None), None);
        }
    }
}
