//! A running mean over a fixed time in constant space: ten slices, the oldest thrown away as a whole.

use core::time::Duration;

use crate::time::SampleTime;

const SLICES: u64 = 10;

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    /// Number of the slice since the clock's start; tells whether its content is of the present round.
    number: u64,
    sum: f32,
    count: u16,
}

/// A mean over the last window, exact to a tenth of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Average {
    slices: [Slice; 10],
}

impl Average {
    /// Adds a sample and returns the mean over the window that ends with it; the sample itself for a window of zero.
    ///
    /// A reading beyond the sensor's range is judged as it is, and counts in the mean as the end of what is possible:
    /// left out, the samples beside it would tell of a milder world.
    pub(crate) fn add(
        &mut self,
        value: f32,
        possible: (f32, f32),
        time: SampleTime,
        window: Duration,
    ) -> f32 {
        let width = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX) / SLICES;
        if width == 0 || value.is_nan() {
            return value;
        }
        let number = time.as_nanos() / width;
        let place = usize::try_from(number % SLICES).unwrap_or(0);
        if let Some(slice) = self.slices.get_mut(place) {
            if slice.number != number {
                *slice = Slice { number, sum: 0.0, count: 0 };
            }
            slice.sum += value.clamp(possible.0, possible.1);
            slice.count = slice.count.saturating_add(1);
        }
        if value.is_infinite() {
            return value;
        }
        let recent = self
            .slices
            .iter()
            .filter(|slice| slice.count > 0 && number.wrapping_sub(slice.number) < SLICES);
        let (sum, count) = recent.fold((0.0, 0.0), |(sum, count), slice| {
            (sum + slice.sum, count + f32::from(slice.count))
        });
        if count > 0.0 { sum / count } else { value }
    }

    /// Forgets everything: the samples to come are of another boot's clock.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const POSSIBLE: (f32, f32) = (-700.0, 400.0);

    #[test]
    fn a_pulsating_value_is_judged_by_its_mean() {
        let mut average = Average::default();
        let mut mean = 0.0;
        for tick in 0..300_u64 {
            let value = if tick % 2 == 0 { -90.0 } else { -70.0 };
            mean = average.add(value, POSSIBLE, SampleTime::from_millis(tick * 10), SECOND);
        }
        assert!((mean + 80.0).abs() < 0.5, "{mean}");
    }

    #[test]
    fn what_is_older_than_the_window_is_gone() {
        let mut average = Average::default();
        average.add(500.0, POSSIBLE, SampleTime::from_millis(0), SECOND);
        assert!(
            (average.add(10.0, POSSIBLE, SampleTime::from_millis(1_000), SECOND) - 10.0).abs()
                < 1e-6
        );
        assert!(
            (average.add(20.0, POSSIBLE, SampleTime::from_millis(90_000), SECOND) - 20.0).abs()
                < 1e-6
        );
    }

    #[test]
    fn beyond_range_is_judged_as_it_is_and_pulls_the_mean() {
        let mut average = Average::default();
        let mut judged = 0.0;
        for tick in 0..200_u64 {
            // A third of the beats lies below what the sensor can measure.
            let value = if tick % 3 == 0 { f32::NEG_INFINITY } else { -60.0 };
            judged = average.add(value, POSSIBLE, SampleTime::from_millis(tick * 10), SECOND);
            assert!(judged < -75.0 || tick < 1, "{judged} at {tick}");
        }
        assert!(judged < -200.0, "{judged}");
        assert!(average.add(f32::NAN, POSSIBLE, SampleTime::from_millis(2_010), SECOND).is_nan());
        let after = average.add(-60.0, POSSIBLE, SampleTime::from_millis(9_000), SECOND);
        assert!((after + 60.0).abs() < 1e-3, "{after}");
    }
}
