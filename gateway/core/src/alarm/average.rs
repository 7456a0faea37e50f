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
    pub(crate) fn add(&mut self, value: f32, time: SampleTime, window: Duration) -> f32 {
        let width = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX) / SLICES;
        if width == 0 || !value.is_finite() {
            // A reading beyond the sensor's range says more than any mean of what came before.
            return value;
        }
        let number = time.as_nanos() / width;
        let place = usize::try_from(number % SLICES).unwrap_or(0);
        if let Some(slice) = self.slices.get_mut(place) {
            if slice.number != number {
                *slice = Slice { number, sum: 0.0, count: 0 };
            }
            slice.sum += value;
            slice.count = slice.count.saturating_add(1);
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

    #[test]
    fn a_pulsating_value_is_judged_by_its_mean() {
        let mut average = Average::default();
        let mut mean = 0.0;
        for tick in 0..300_u64 {
            let value = if tick % 2 == 0 { -90.0 } else { -70.0 };
            mean = average.add(value, SampleTime::from_millis(tick * 10), SECOND);
        }
        assert!((mean + 80.0).abs() < 0.5, "{mean}");
    }

    #[test]
    fn what_is_older_than_the_window_is_gone() {
        let mut average = Average::default();
        average.add(500.0, SampleTime::from_millis(0), SECOND);
        assert!((average.add(10.0, SampleTime::from_millis(1_000), SECOND) - 10.0).abs() < 1e-6);
        assert!((average.add(20.0, SampleTime::from_millis(90_000), SECOND) - 20.0).abs() < 1e-6);
    }

    #[test]
    fn beyond_range_is_not_averaged_and_does_not_spoil_the_mean() {
        let mut average = Average::default();
        average.add(1.0, SampleTime::from_millis(0), SECOND);
        assert!(average.add(f32::INFINITY, SampleTime::from_millis(10), SECOND).is_infinite());
        assert!((average.add(1.0, SampleTime::from_millis(20), SECOND) - 1.0).abs() < 1e-6);
    }
}
