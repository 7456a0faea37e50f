//! Samples of one pump into one line a second and parameter: least, mean, greatest, and what is missing. Pure.

use std::collections::BTreeMap;

use crate::age::GatewayTime;
use crate::model::Validity;

/// Most parameters told; a birth names at most 64 channels.
const PARAMETERS_MAX: usize = 64;

const SECOND_NS: u64 = 1_000_000_000;

/// Consecutive samples of one parameter.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) parameter: String,
    pub(crate) first_index: u64,
    pub(crate) values: Vec<f32>,
    /// Empty when every value is valid.
    pub(crate) validity: Vec<Run>,
}

/// How many consecutive samples share one validity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) validity: Validity,
    pub(crate) count: u32,
}

/// One second of one parameter.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct Second {
    pub(crate) parameter: String,
    /// Samples that are measurements.
    pub(crate) samples: u64,
    /// `null` when there was no measurement.
    pub(crate) min: Option<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) max: Option<f64>,
    /// Samples that arrived and are no measurement.
    pub(crate) invalid: u64,
    /// Samples that never arrived.
    pub(crate) missing: u64,
}

#[derive(Debug, Default)]
struct Channel {
    next_index: Option<u64>,
    samples: u32,
    sum: f64,
    least: f64,
    greatest: f64,
    invalid: u64,
    missing: u64,
}

/// Gathers samples until a second of the gateway's time is over.
#[derive(Debug, Default)]
pub(crate) struct Seconds {
    boot: u64,
    epoch: u64,
    since: Option<GatewayTime>,
    channels: BTreeMap<String, Channel>,
    dropped: u64,
}

impl Seconds {
    /// Takes one message; returns the finished second and the frames that were dropped in it.
    pub(crate) fn take(
        &mut self,
        (epoch, boot): (u64, u64),
        blocks: &[Block],
        dropped: u64,
        now: GatewayTime,
    ) -> Option<(Vec<Second>, u64)> {
        // Sample numbers start anew with the agent; gateway time with the gateway. A heartbeat names no boot.
        if epoch != self.epoch || (boot != self.boot && !blocks.is_empty()) {
            *self = Self { epoch, boot, ..Self::default() };
        }
        self.dropped = self.dropped.saturating_add(dropped);
        for block in blocks {
            if self.channels.len() < PARAMETERS_MAX || self.channels.contains_key(&block.parameter)
            {
                self.channels.entry(block.parameter.clone()).or_default().take(block);
            }
        }
        let since = *self.since.get_or_insert(now);
        if now.0.saturating_sub(since.0) < SECOND_NS {
            return None;
        }
        self.since = Some(now);
        let seconds =
            self.channels.iter_mut().map(|(parameter, channel)| channel.finish(parameter));
        Some((seconds.collect(), std::mem::take(&mut self.dropped)))
    }

    /// Forgets where the samples stood: after a lost subscription the next index is no gap of the pump's.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }
}

impl Channel {
    fn take(&mut self, block: &Block) {
        let expected = self.next_index.unwrap_or(block.first_index);
        self.missing = self.missing.saturating_add(block.first_index.saturating_sub(expected));
        let length = u64::try_from(block.values.len()).unwrap_or(u64::MAX);
        self.next_index = Some(block.first_index.saturating_add(length).max(expected));
        let validity = block.validity.iter().flat_map(|run| {
            std::iter::repeat_n(run.validity, usize::try_from(run.count).unwrap_or(usize::MAX))
        });
        // Runs that do not reach the end leave the rest without a validity, which is a fault.
        let unsaid =
            if block.validity.is_empty() { Validity::Valid } else { Validity::SensorFault };
        let validity = validity.chain(std::iter::repeat(unsaid));
        for (value, validity) in block.values.iter().zip(validity) {
            match validity {
                Validity::Valid | Validity::Questionable if value.is_finite() => {
                    self.measured(f64::from(*value));
                }
                Validity::Valid
                | Validity::Questionable
                | Validity::BelowRange
                | Validity::AboveRange
                | Validity::NotMeasured
                | Validity::SensorOff
                | Validity::SensorFault
                | Validity::Calibrating
                | Validity::Stale
                | Validity::Simulated
                | Validity::CommLost => self.invalid = self.invalid.saturating_add(1),
            }
        }
    }

    fn measured(&mut self, value: f64) {
        if self.samples == 0 {
            (self.least, self.greatest) = (value, value);
        }
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        self.sum += value;
        self.samples = self.samples.saturating_add(1);
    }

    fn finish(&mut self, parameter: &str) -> Second {
        let any = self.samples > 0;
        let second = Second {
            parameter: parameter.to_owned(),
            samples: u64::from(self.samples),
            min: any.then_some(self.least),
            mean: any.then(|| self.sum / f64::from(self.samples)),
            max: any.then_some(self.greatest),
            invalid: self.invalid,
            missing: self.missing,
        };
        *self = Self { next_index: self.next_index, ..Self::default() };
        second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first_index: u64, values: &[f32], validity: &[(Validity, u32)]) -> Block {
        Block {
            parameter: "press.drain".to_owned(),
            first_index,
            values: values.to_vec(),
            validity: validity.iter().map(|&(validity, count)| Run { validity, count }).collect(),
        }
    }

    fn second(blocks: &[Block]) -> Second {
        let mut seconds = Seconds::default();
        for block in blocks {
            assert_eq!(seconds.take((1, 1), std::slice::from_ref(block), 0, GatewayTime(5)), None);
        }
        let (mut told, _) = seconds.take((1, 0), &[], 0, GatewayTime(SECOND_NS + 5)).unwrap();
        assert_eq!(told.len(), 1);
        told.remove(0)
    }

    #[test]
    fn a_second_tells_least_mean_greatest_and_what_is_missing() {
        let told = second(&[block(10, &[1.0, 2.0], &[]), block(15, &[6.0], &[])]);
        assert_eq!((told.min, told.mean, told.max), (Some(1.0), Some(3.0), Some(6.0)));
        assert_eq!((told.samples, told.missing, told.invalid), (3, 3, 0));
    }

    #[test]
    fn what_is_no_measurement_is_counted_and_never_averaged() {
        use Validity::{SensorOff, Valid};
        let told = second(&[block(0, &[1.0, 900.0, 5.0, f32::NAN], &[(Valid, 1), (SensorOff, 1)])]);
        assert_eq!((told.mean, told.samples, told.invalid), (Some(1.0), 1, 3));
        let told = second(&[block(0, &[7.0], &[(SensorOff, 1)])]);
        assert_eq!((told.min, told.mean, told.max, told.invalid), (None, None, None, 1));
    }

    #[test]
    fn a_restarted_agent_is_no_gap_and_dropped_frames_are_told() {
        let mut seconds = Seconds::default();
        seconds.take((1, 1), &[block(1_000, &[1.0], &[])], 0, GatewayTime(0));
        seconds.take((1, 2), &[block(0, &[2.0], &[])], 4, GatewayTime(10));
        let (told, dropped) = seconds.take((1, 0), &[], 1, GatewayTime(SECOND_NS + 10)).unwrap();
        assert_eq!((told[0].mean, told[0].missing, dropped), (Some(2.0), 0, 5));
    }

    #[test]
    fn a_hostile_run_length_does_not_hang_the_display() {
        let told = second(&[block(u64::MAX, &[1.0], &[(Validity::Valid, u32::MAX)])]);
        assert_eq!(told.samples, 1);
    }
}
