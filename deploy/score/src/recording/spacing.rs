//! Finds how often a channel was sampled, from the times of its samples.

use core::time::Duration;
use std::collections::BTreeMap;

use ecmo_core::channel::ChannelSpec;
use ecmo_core::parameter::Parameter;

use crate::source::is_edge;

/// Fewer samples tell no period.
const SAMPLES_MIN: u64 = 3;

/// Spacings are told apart to a tenth of a millisecond.
const STEP_NANOS: i128 = 100_000;

/// A channel that may be silent for this many periods is still a sampled one; as the core's own patience.
const PATIENCE_PERIODS: u32 = 3;

/// The core's least patience with a silent channel.
const PATIENCE_MIN: Duration = Duration::from_secs(1);

/// The times of one channel's samples.
#[derive(Debug, Default)]
pub(crate) struct Spacing {
    samples: u64,
    last: Option<i128>,
    /// How often each spacing occurs, in steps.
    counts: BTreeMap<i128, u64>,
}

impl Spacing {
    /// Takes note of a sample.
    pub(crate) fn add(&mut self, nanos: i128) {
        self.samples += 1;
        if let Some(last) = self.last.replace(nanos) {
            *self.counts.entry((nanos - last + STEP_NANOS / 2) / STEP_NANOS).or_default() += 1;
        }
    }

    /// The channel as an agent would declare it; `None` for one without samples.
    ///
    /// Its period is the median of the spacings. A setting or a detector that is written only when it changes has none.
    pub(crate) fn spec(&self, parameter: Parameter) -> Option<ChannelSpec> {
        if self.samples == 0 {
            return None;
        }
        let interval = self.median().filter(|interval| {
            let patience = interval.saturating_mul(PATIENCE_PERIODS).max(PATIENCE_MIN);
            self.samples >= SAMPLES_MIN
                && !(is_written_on_change(parameter) && self.longest() > patience)
        });
        Some(ChannelSpec { parameter, interval })
    }

    fn median(&self) -> Option<Duration> {
        let half = self.counts.values().sum::<u64>().div_ceil(2);
        let mut seen = 0;
        let (steps, _) = self.counts.iter().find(|(_, count)| {
            seen += **count;
            seen >= half
        })?;
        Some(of_steps(*steps)).filter(|interval| !interval.is_zero())
    }

    fn longest(&self) -> Duration {
        self.counts.last_key_value().map_or(Duration::ZERO, |(steps, _)| of_steps(*steps))
    }
}

fn of_steps(steps: i128) -> Duration {
    Duration::from_nanos(u64::try_from(steps.saturating_mul(STEP_NANOS)).unwrap_or(u64::MAX))
}

/// Whether a channel may be written down only when it changes.
fn is_written_on_change(parameter: Parameter) -> bool {
    is_edge(parameter)
        || matches!(
            parameter,
            Parameter::PumpSpeedSet
                | Parameter::PumpFlowSet
                | Parameter::HeaterSet
                | Parameter::GasSweepSet
                | Parameter::GasFdo2Set
                | Parameter::PatientWeight
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(parameter: Parameter, seconds: &[f64]) -> Option<Duration> {
        let mut spacing = Spacing::default();
        for second in seconds {
            spacing.add(crate::recording::table::nanos_of(*second).unwrap());
        }
        spacing.spec(parameter).unwrap().interval
    }

    #[test]
    fn the_period_is_the_median_of_the_spacings() {
        let drain = Parameter::PressDrain;
        for (seconds, millis) in [
            (vec![0.0, 0.01, 0.02, 0.03], 10),
            (vec![0.0, 1.0, 2.0, 60.0, 61.0], 1_000),
            (vec![0.0, 0.999, 2.001, 3.0], 999),
            (vec![5.0, 11.0, 17.0], 6_000),
        ] {
            assert_eq!(
                interval(drain, &seconds),
                Some(Duration::from_millis(millis)),
                "{seconds:?}"
            );
        }
        assert_eq!(interval(drain, &[0.0, 1.0]), None, "two samples tell no period");
        assert_eq!(Spacing::default().spec(drain), None);
    }

    #[test]
    fn what_is_written_on_change_has_no_period_and_what_is_sampled_has_one() {
        let edges = [0.0, 60.0, 61.5];
        let sampled = [0.0, 1.0, 2.0, 3.0, 4.0];
        for parameter in [Parameter::AirBubble, Parameter::PumpSpeedSet] {
            assert_eq!(interval(parameter, &edges), None);
            assert_eq!(interval(parameter, &sampled), Some(Duration::from_secs(1)));
        }
        assert!(
            interval(Parameter::FlowBlood, &edges).is_some(),
            "a gap of a sampled channel is silence"
        );
    }
}
