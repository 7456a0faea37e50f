//! A ring of bins of one width on the absolute grid of the sample clock, and what windows of it say.
//!
//! Bins are numbered by time / width, so two readers who joined at different times fill them alike.

use crate::time::SampleTime;

/// Samples of the bin that is being filled.
#[derive(Debug, Clone, Copy)]
struct Open {
    sum: f32,
    least: f32,
    greatest: f32,
    count: u16,
}

impl Open {
    const EMPTY: Self =
        Self { sum: 0.0, least: f32::INFINITY, greatest: f32::NEG_INFINITY, count: 0 };

    fn add(&mut self, value: f32) -> f32 {
        self.sum += value;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        self.count = self.count.saturating_add(1);
        // Of five samples and more the least and the greatest are left out: a spike of one sample moves no bin.
        if self.count >= 5 {
            let kept = f32::from(self.count.saturating_sub(2));
            let middle = (self.sum - self.least - self.greatest) / kept;
            middle.clamp(self.least, self.greatest)
        } else {
            self.sum / f32::from(self.count)
        }
    }
}

/// The last `N` bins; NaN where nothing is known.
#[derive(Debug, Clone)]
pub(crate) struct Trace<const N: usize> {
    /// Width of a bin in nanoseconds.
    width: u64,
    bins: [f32; N],
    /// Number of the newest bin that a sample fell into.
    newest: Option<u64>,
    open: Open,
    /// The newest value; NaN after a reading without one.
    held: f32,
    /// The last bin for which it stands in where no sample falls.
    held_until: u64,
}

impl<const N: usize> Trace<N> {
    /// Bins of this width in milliseconds.
    pub(crate) const fn new(width_ms: u64) -> Self {
        Self {
            width: width_ms * 1_000_000,
            bins: [f32::NAN; N],
            newest: None,
            open: Open::EMPTY,
            held: f32::NAN,
            held_until: 0,
        }
    }

    /// Forgets everything: another clock.
    pub(crate) fn restart(&mut self) {
        *self = Self { width: self.width, ..Self::new(0) };
    }

    /// Takes a sample, NaN for a reading without a value; it stands in for `carry` nanoseconds where no other comes.
    pub(crate) fn push(&mut self, value: f32, time: SampleTime, carry: u64) {
        let nanos = time.as_nanos();
        let number = nanos / self.width;
        match self.newest {
            Some(newest) if number < newest => return,
            Some(newest) if number == newest => {}
            Some(newest) => self.begin(newest, number),
            None => self.begin(number, number),
        }
        self.held = value;
        self.held_until = nanos.saturating_add(carry) / self.width;
        if !value.is_nan() {
            let mean = self.open.add(value);
            self.put(number, mean);
        }
    }

    /// Opens a bin and fills those between.
    fn begin(&mut self, newest: u64, number: u64) {
        let first = newest.saturating_add(1).max(number.saturating_sub(size(N)));
        for between in first..number {
            let value = if between <= self.held_until { self.held } else { f32::NAN };
            self.put(between, value);
        }
        self.newest = Some(number);
        self.open = Open::EMPTY;
        self.put(number, f32::NAN);
    }

    fn put(&mut self, number: u64, value: f32) {
        if let Some(bin) = self.bins.get_mut(place::<N>(number)) {
            *bin = value;
        }
    }

    /// Number of the bin that a time falls into.
    pub(crate) const fn number(&self, time: SampleTime) -> u64 {
        time.as_nanos() / self.width
    }

    /// One bin; NaN where nothing is known.
    fn bin(&self, number: u64) -> f32 {
        match self.newest {
            Some(newest) if number > newest => {
                if number <= self.held_until {
                    self.held
                } else {
                    f32::NAN
                }
            }
            Some(newest) if newest - number < size(N) => {
                self.bins.get(place::<N>(number)).copied().unwrap_or(f32::NAN)
            }
            Some(_) | None => f32::NAN,
        }
    }

    /// The newest reading if it still stands at this time.
    pub(crate) fn latest(&self, time: SampleTime) -> Option<f32> {
        let known = self.newest.is_some() && self.number(time) <= self.held_until;
        Some(self.held).filter(|held| known && !held.is_nan())
    }

    /// The bins of a window that ends `back` bins before a time, oldest first; NaN where nothing is known.
    pub(crate) fn window(
        &self,
        time: SampleTime,
        back: u64,
        length: u64,
    ) -> impl Iterator<Item = f32> {
        // A window that would begin before the clock lacks bins: whoever counts them holds them against its length.
        let end = self.number(time).saturating_sub(back);
        (end.saturating_sub(length)..end).map(|number| self.bin(number))
    }

    /// Copies what is known of a window; `None` with less than four fifths of it.
    fn known(&self, time: SampleTime, back: u64, length: u64) -> Option<([f32; N], usize)> {
        let mut values = [0.0; N];
        let mut count = 0;
        for value in self.window(time, back, length.min(size(N))) {
            if !value.is_nan()
                && let Some(place) = values.get_mut(count)
            {
                *place = value;
                count += 1;
            }
        }
        (size(count) * 5 >= length * 4 && count > 0).then_some((values, count))
    }

    /// Median of a window; `None` with less than four fifths of it.
    pub(crate) fn median(&self, time: SampleTime, back: u64, length: u64) -> Option<f32> {
        let (mut values, count) = self.known(time, back, length)?;
        median_of(values.get_mut(..count)?)
    }

    /// Mean of what is known of a window; `None` with less than half of it.
    pub(crate) fn mean(&self, time: SampleTime, back: u64, length: u64) -> Option<f32> {
        let (mut sum, mut count, mut known) = (0.0, 0.0, 0_u64);
        for value in self.window(time, back, length) {
            if !value.is_nan() {
                sum += value;
                count += 1.0;
                known += 1;
            }
        }
        (known > 0 && known * 2 >= length).then_some(sum / count)
    }

    /// Least and greatest of a window; `None` with less than four fifths of it.
    pub(crate) fn span(&self, time: SampleTime, back: u64, length: u64) -> Option<(f32, f32)> {
        let (mut least, mut greatest) = (f32::INFINITY, f32::NEG_INFINITY);
        let mut count = 0_u64;
        for value in self.window(time, back, length) {
            if !value.is_nan() {
                least = least.min(value);
                greatest = greatest.max(value);
                count += 1;
            }
        }
        (count > 0 && count * 5 >= length * 4).then_some((least, greatest))
    }
}

/// The middle one of some numbers, the upper of two; `None` of none.
pub(crate) fn median_of(values: &mut [f32]) -> Option<f32> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (_, median, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    Some(*median)
}

/// Place of a bin in a ring.
fn place<const N: usize>(number: u64) -> usize {
    usize::try_from(number % size(N)).unwrap_or(0)
}

/// A length as a bin number.
fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SampleTime {
        SampleTime::from_millis(ms)
    }

    const CARRY: u64 = 125_000_000;

    fn ramp() -> Trace<16> {
        let mut trace = Trace::new(100);
        for tick in 0..20_u8 {
            trace.push(f32::from(tick), at(u64::from(tick) * 100 + 50), CARRY);
        }
        trace
    }

    #[test]
    fn a_window_ends_before_the_bin_of_its_time() {
        let trace = ramp();
        let window: Vec<f32> = trace.window(at(2_000), 0, 4).collect();
        assert_eq!(window, [16.0, 17.0, 18.0, 19.0]);
        assert_eq!(trace.median(at(2_000), 2, 5), Some(15.0));
        assert_eq!(trace.mean(at(2_000), 0, 2), Some(18.5));
        assert_eq!(trace.span(at(2_000), 0, 16), Some((4.0, 19.0)));
    }

    #[test]
    fn a_sample_stands_in_for_one_that_is_late_and_not_for_two() {
        let mut trace = ramp();
        trace.push(30.0, at(2_150), CARRY);
        assert_eq!(trace.median(at(2_200), 0, 3), Some(19.0));
        trace.push(40.0, at(2_450), CARRY);
        let window: Vec<f32> = trace.window(at(2_500), 0, 4).collect();
        assert_eq!(window[..2], [30.0, 30.0][..], "{window:?}");
        assert!(window[2].is_nan() && !window[3].is_nan(), "{window:?}");
    }

    #[test]
    fn a_reading_without_a_value_ends_what_stood_in() {
        let mut trace = ramp();
        assert_eq!(trace.latest(at(2_000)), Some(19.0));
        trace.push(f32::NAN, at(1_960), CARRY);
        assert_eq!(trace.latest(at(2_000)), None);
        assert!(trace.window(at(2_200), 0, 1).all(f32::is_nan));
    }

    #[test]
    fn a_window_needs_four_fifths_of_its_bins() {
        let mut trace: Trace<16> = Trace::new(100);
        for tick in 0..8_u64 {
            trace.push(1.0, at(tick * 100), 0);
        }
        assert_eq!(trace.median(at(1_000), 0, 10), Some(1.0));
        assert_eq!(trace.median(at(1_100), 0, 10), None);
        assert_eq!(trace.median(at(0), 0, 10), None);
    }

    #[test]
    fn a_mean_needs_half_of_its_bins_and_those_before_the_clock_are_none() {
        let mut trace: Trace<16> = Trace::new(100);
        for tick in 0..8_u64 {
            trace.push(1.0, at(tick * 100), 0);
            let known = trace.mean(at(tick * 100 + 100), 0, 10);
            assert_eq!(known.is_some(), tick >= 4, "at {tick}");
        }
    }

    #[test]
    fn one_wild_sample_does_not_move_a_bin_of_ten() {
        let mut trace: Trace<16> = Trace::new(100);
        for tick in 0..10_u64 {
            let value = if tick == 4 { 900.0 } else { 90.0 };
            trace.push(value, at(tick * 10), 0);
        }
        assert_eq!(trace.mean(at(100), 0, 1), Some(90.0));
    }

    #[test]
    fn a_long_gap_and_a_jump_to_the_end_of_the_clock_are_harmless() {
        let mut trace = ramp();
        trace.push(1.0, at(10_000_000), CARRY);
        assert_eq!(trace.median(at(10_000_100), 0, 10), None);
        trace.push(1.0, SampleTime::from_nanos(u64::MAX), u64::MAX);
        trace.push(2.0, at(10), CARRY);
        assert_eq!(trace.latest(SampleTime::from_nanos(u64::MAX)), Some(1.0));
    }

    #[test]
    fn what_is_sent_on_change_only_stands_until_the_next() {
        let mut trace: Trace<16> = Trace::new(1_000);
        trace.push(1.0, at(500), u64::MAX);
        assert_eq!(trace.latest(at(9_000_000)), Some(1.0));
        assert_eq!(trace.median(at(9_000_000), 0, 10), Some(1.0));
        trace.push(0.0, at(9_000_500), u64::MAX);
        assert_eq!(trace.median(at(9_001_000), 0, 3), Some(1.0));
    }
}
