//! Turns a reading into a count and its validity. What does not fit is told as such, never cut to fit.

use ecmo_core::reading::{NoData, Reading};
use ecmo_proto::v1::Validity;

use crate::counters::Counters;

/// Count and validity of a reading; the count is 0 where there is no value.
pub(super) fn encode(
    reading: Reading,
    scale: f64,
    offset: f64,
    counters: &Counters,
) -> (i32, Validity) {
    let (value, validity) = match reading {
        Reading::Value(value) => (value, Validity::Valid),
        Reading::Questionable(value) => (value, Validity::Questionable),
        Reading::NoData(reason) => return (0, absence(reason)),
    };
    let count = ((f64::from(value) - offset) / scale).round();
    if !count.is_finite() && !value.is_finite() {
        counters.samples_not_finite.add(1);
        return (0, Validity::SensorFault);
    }
    if count > f64::from(i32::MAX) {
        counters.samples_not_fitting.add(1);
        return (0, Validity::AboveRange);
    }
    if count < f64::from(i32::MIN) {
        counters.samples_not_fitting.add(1);
        return (0, Validity::BelowRange);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within the bounds of i32")]
    let count = count as i32;
    (count, validity)
}

/// Why there is no value, in the words of the contract.
const fn absence(reason: NoData) -> Validity {
    match reason {
        NoData::BelowRange => Validity::BelowRange,
        NoData::AboveRange => Validity::AboveRange,
        NoData::NotMeasured => Validity::NotMeasured,
        NoData::SensorOff => Validity::SensorOff,
        NoData::SensorFault => Validity::SensorFault,
        NoData::Calibrating => Validity::Calibrating,
        NoData::Stale => Validity::Stale,
        NoData::Simulated => Validity::Simulated,
        NoData::CommLost => Validity::CommLost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_fit_is_beyond_range_and_what_is_no_number_a_fault() {
        let counters = Counters::default();
        let value = Reading::Value;
        for (reading, scale, expected) in [
            (value(51.56), 0.01, (5156, Validity::Valid)),
            (value(-0.05), 0.1, (-1, Validity::Valid)),
            (Reading::Questionable(7.0), 1.0, (7, Validity::Questionable)),
            (value(3e9), 1.0, (0, Validity::AboveRange)),
            (value(-3e9), 1.0, (0, Validity::BelowRange)),
            (value(f32::MAX), 1e-300, (0, Validity::AboveRange)),
            (value(f32::NAN), 1.0, (0, Validity::SensorFault)),
            (value(f32::INFINITY), 1.0, (0, Validity::SensorFault)),
            (Reading::NoData(NoData::CommLost), 1.0, (0, Validity::CommLost)),
        ] {
            assert_eq!(encode(reading, scale, 0.0, &counters), expected, "{reading:?}");
        }
        let summary = counters.summary();
        assert_eq!((summary.samples_not_fitting, summary.samples_not_finite), (3, 2));
    }

    #[test]
    fn every_absence_keeps_its_reason_and_none_becomes_a_value() {
        for reason in [
            NoData::BelowRange,
            NoData::AboveRange,
            NoData::NotMeasured,
            NoData::SensorOff,
            NoData::SensorFault,
            NoData::Calibrating,
            NoData::Stale,
            NoData::Simulated,
            NoData::CommLost,
        ] {
            let (count, validity) = encode(Reading::NoData(reason), 1.0, 0.0, &Counters::default());
            assert_eq!(count, 0);
            let name = validity.as_str_name().replace("VALIDITY_", "").replace('_', "");
            assert_eq!(name, format!("{reason:?}").to_uppercase());
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back_to_within_half_a_count(value in -1e6f32..1e6, decimals in 0i32..4) {
            let scale = 10f64.powi(-decimals);
            let (count, validity) = encode(Reading::Value(value), scale, 5.0, &Counters::default());
            prop_assert_eq!(validity, Validity::Valid);
            prop_assert!((f64::from(count) * scale + 5.0 - f64::from(value)).abs() <= scale * 0.500_001);
        }
    }
}
