//! A summary of samples: least, greatest, sum, count, and which reasons for no value there were. Summaries add up.

use ecmo_core::reading::{NoData, Reading};

use crate::bytes::{Cursor, put_number, put_signed};
use crate::value::{code_of, reason_of, step, steps_of, value_of};

/// The samples of one parameter in some time, summed up. Adding two summaries gives the summary of both.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Row {
    /// Samples with a value, doubted ones among them.
    pub count: u64,
    /// Least value; meaningless without a value.
    pub min: f32,
    /// Greatest value; meaningless without a value.
    pub max: f32,
    /// Sum of the values.
    pub sum: f64,
    /// A bit for each reason for no value, by its code; bit 1 for doubted values.
    absent: u32,
}

impl Row {
    /// Of no samples.
    pub(crate) const EMPTY: Self = Self { count: 0, min: 0.0, max: 0.0, sum: 0.0, absent: 0 };

    /// Takes a sample in.
    pub fn add(&mut self, reading: Reading) {
        let code = code_of(reading);
        if code > 0 {
            self.absent |= 1 << code;
        }
        if let Some(value) = reading.value() {
            self.merge(&Self {
                count: 1,
                min: value,
                max: value,
                sum: f64::from(value),
                absent: 0,
            });
        }
    }

    /// Takes another summary in.
    pub fn merge(&mut self, other: &Self) {
        self.absent |= other.absent;
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            (self.min, self.max) = (other.min, other.max);
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.count += other.count;
    }

    /// Mean of the values; `None` without one.
    #[must_use]
    pub fn mean(&self) -> Option<f32> {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let mean = self.sum / self.count as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a mean of f32 values fits an f32")]
        let mean = (mean as f32).clamp(self.min, self.max.max(self.min));
        (self.count > 0).then_some(mean)
    }

    /// The reasons for samples without a value.
    pub fn reasons(&self) -> impl Iterator<Item = NoData> {
        let absent = self.absent;
        (2..32).filter(move |code| absent & (1 << code) != 0).filter_map(reason_of)
    }

    /// Whether a value was doubted.
    #[must_use]
    pub const fn is_doubted(&self) -> bool {
        self.absent & 2 != 0
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_number(out, u64::from(self.absent));
        put_number(out, self.count);
        if self.count == 0 {
            return;
        }
        match self.counted() {
            Some((code, min, max, sum)) => {
                out.push(code);
                put_signed(out, min);
                put_signed(out, max - min);
                put_signed(out, sum);
            }
            None => {
                out.push(u8::MAX);
                out.extend(self.min.to_le_bytes());
                out.extend(self.max.to_le_bytes());
                out.extend(self.sum.to_le_bytes());
            }
        }
    }

    /// In multiples of a step, where the sum is one too but for rounding.
    fn counted(&self) -> Option<(u8, i64, i64, i64)> {
        let (code, times) = steps_of(&[self.min, self.max])?;
        let [min, max] = times.as_slice() else { return None };
        let step = step(code)?;
        let sum = (self.sum / step).round();
        let is_near = (sum * step - self.sum).abs() <= 1e-6 * step && sum.abs() < 1e15;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be below 1e15")]
        is_near.then_some((code, i64::from(*min), i64::from(*max), sum as i64))
    }

    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Option<Self> {
        let absent = u32::try_from(cursor.number()?).ok()?;
        let count = cursor.number()?;
        if count == 0 {
            return Some(Self { absent, ..Self::default() });
        }
        let code = cursor.byte()?;
        let (min, max, sum) = if code == u8::MAX {
            (cursor.single()?, cursor.single()?, cursor.float()?)
        } else {
            let step = step(code)?;
            let min = cursor.signed()?;
            let max = min.checked_add(cursor.signed()?)?;
            let value = |times| i32::try_from(times).ok().map(|times| value_of(times, step));
            #[expect(clippy::cast_precision_loss, reason = "written only below 1e15")]
            let sum = cursor.signed()? as f64 * step;
            (value(min)?, value(max)?, sum)
        };
        Some(Self { count, min, max, sum, absent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(values: &[f32]) -> Row {
        let mut row = Row::default();
        values.iter().for_each(|value| row.add(Reading::Value(*value)));
        row
    }

    proptest! {
        #[test]
        fn rows_add_up_to_the_row_of_all(values in proptest::collection::vec(-500_i16..500, 1..60), at in 0_usize..60) {
            let values: Vec<f32> = values.into_iter().map(|one| value_of(one.into(), 0.1)).collect();
            let (before, after) = values.split_at(at.min(values.len()));
            let mut sum = row(before);
            sum.merge(&row(after));
            let whole = row(&values);
            prop_assert_eq!((sum.count, sum.min, sum.max), (whole.count, whole.min, whole.max));
            prop_assert!((sum.sum - whole.sum).abs() < 1e-6);
            let mut out = Vec::new();
            whole.encode(&mut out);
            let back = Row::decode(&mut Cursor::new(&out)).unwrap();
            prop_assert_eq!((back.count, back.min, back.max), (whole.count, whole.min, whole.max));
            prop_assert!((back.sum - whole.sum).abs() < 1e-6);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _any = Row::decode(&mut Cursor::new(&bytes));
        }
    }

    #[test]
    fn a_sample_without_a_value_leaves_its_reason_and_no_number() {
        let mut row = row(&[3.0]);
        row.add(Reading::NoData(NoData::SensorOff));
        row.add(Reading::NoData(NoData::AboveRange));
        row.add(Reading::Questionable(9.0));
        assert_eq!((row.count, row.min, row.max), (2, 3.0, 9.0));
        assert_eq!(row.mean(), Some(6.0));
        assert!(row.is_doubted());
        assert_eq!(row.reasons().collect::<Vec<_>>(), [NoData::AboveRange, NoData::SensorOff]);
        assert_eq!(Row::default().mean(), None);
    }
}
