//! Spikes (C11c): a step faster than the quantity can go, back within a second. They are counted, and move no bin.

use core::time::Duration;

use crate::parameter::Parameter;
use crate::time::SampleTime;

/// A step that lasts longer is no spike.
const SPIKE_MAX: Duration = Duration::from_secs(1);

/// How fast a quantity can change: so much a second, and no step smaller than this counts. Reference, section 2.4 C11.
#[derive(Debug, Clone, Copy)]
struct Slew {
    per_second: f32,
    least: f32,
}

/// What is known of a quantity's speed; `None` where nothing is.
fn slew(parameter: Parameter) -> Option<Slew> {
    let pressures = [Parameter::PressDrain, Parameter::PressPre, Parameter::PressPost];
    let temperatures = [Parameter::TempDrain, Parameter::TempReturn];
    if pressures.contains(&parameter) {
        // 20 mmHg is what 2,000 mmHg/s makes in 10 ms, the shortest time between two samples.
        Some(Slew { per_second: 2_000.0, least: 20.0 })
    } else if temperatures.contains(&parameter) {
        Some(Slew { per_second: 1.0, least: 1.0 })
    } else if parameter == Parameter::Hb {
        Some(Slew { per_second: 2.0 / 60.0, least: 2.0 })
    } else {
        None
    }
}

/// A step that may be a spike.
#[derive(Debug, Clone, Copy)]
struct Step {
    from: f32,
    height: f32,
    at: SampleTime,
}

/// Watches one channel for spikes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spikes {
    slew: Option<Slew>,
    last: Option<(f32, SampleTime)>,
    step: Option<Step>,
}

impl Spikes {
    pub(crate) fn new(parameter: Parameter) -> Self {
        Self { slew: slew(parameter), last: None, step: None }
    }

    /// Another clock: what was before is gone.
    pub(crate) fn restart(&mut self) {
        *self = Self { slew: self.slew, last: None, step: None };
    }

    /// Takes a value; whether a spike has just ended.
    pub(crate) fn on_value(&mut self, value: f32, time: SampleTime) -> bool {
        let Some(slew) = self.slew else { return false };
        let last = self.last.replace((value, time));
        if let Some(step) = self.step {
            if time.since(step.at) > SPIKE_MAX {
                self.step = None;
            } else if (value - step.from).abs() < 0.25 * step.height {
                self.step = None;
                return true;
            } else {
                return false;
            }
        }
        if let Some((from, at)) = last {
            let possible = (slew.per_second * time.since(at).as_secs_f32()).max(slew.least);
            let height = (value - from).abs();
            if height > possible {
                self.step = Some(Step { from, height, at: time });
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(parameter: Parameter, samples: &[(u64, f32)]) -> usize {
        let mut spikes = Spikes::new(parameter);
        let ended =
            |(ms, value): &&(u64, f32)| spikes.on_value(*value, SampleTime::from_millis(*ms));
        samples.iter().filter(ended).count()
    }

    #[test]
    fn a_spike_comes_back_within_a_second_and_a_step_does_not() {
        let post = Parameter::PressPost;
        assert_eq!(count(post, &[(0, 90.0), (10, 300.0), (20, 91.0), (30, 90.0)]), 1);
        assert_eq!(count(post, &[(0, 90.0), (10, 300.0), (900, 300.0), (1_100, 90.0)]), 0);
        assert_eq!(count(post, &[(0, 90.0), (10, 30.0), (900, 30.0), (2_000, 31.0)]), 0);
        // A fast pulse is none: 20 mmHg in 10 ms is possible.
        assert_eq!(count(post, &[(0, 90.0), (10, 108.0), (20, 90.0), (30, 108.0)]), 0);
        assert_eq!(count(Parameter::TempReturn, &[(0, 36.5), (1_000, 39.0), (2_000, 36.5)]), 1);
        assert_eq!(count(Parameter::FlowBlood, &[(0, 300.0), (100, 900.0), (200, 300.0)]), 0);
    }

    #[test]
    fn no_number_is_harmful() {
        let numbers = [f32::MAX, f32::MIN, 0.0, -0.0, f32::MIN_POSITIVE];
        let mut spikes = Spikes::new(Parameter::PressPost);
        for (ms, value) in (0..).step_by(10).zip(numbers.iter().cycle().take(50)) {
            spikes.on_value(*value, SampleTime::from_millis(ms));
        }
    }
}
