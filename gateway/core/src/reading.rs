//! A value, or the reason for none. Absence is a value here: never 0, NaN or an old number.

/// One sample of one parameter, in the parameter's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// A measurement.
    Value(f32),
    /// A measurement that the device doubts; judged like any other, because a missed alarm is worse than a false one.
    Questionable(f32),
    /// No measurement, and why.
    NoData(NoData),
}

/// Why there is no measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoData {
    /// Below what the sensor can measure: violates any low limit.
    BelowRange,
    /// Above what the sensor can measure: violates any high limit.
    AboveRange,
    /// The device does not measure now.
    NotMeasured,
    /// The sensor is unplugged or off.
    SensorOff,
    /// The sensor reports a fault, or sends what no sensor can measure.
    SensorFault,
    /// The sensor is being zeroed or calibrated.
    Calibrating,
    /// The device repeats an old value.
    Stale,
    /// The device is in a simulation mode: the value is not the patient's.
    Simulated,
    /// Nothing is heard from the device.
    CommLost,
}

impl NoData {
    /// Every reason, with the word for it in settings, tables and lines of samples.
    pub const WORDS: [(&'static str, Self); 9] = [
        ("below_range", Self::BelowRange),
        ("above_range", Self::AboveRange),
        ("not_measured", Self::NotMeasured),
        ("sensor_off", Self::SensorOff),
        ("sensor_fault", Self::SensorFault),
        ("calibrating", Self::Calibrating),
        ("stale", Self::Stale),
        ("simulated", Self::Simulated),
        ("comm_lost", Self::CommLost),
    ];

    /// The word for the reason.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BelowRange => "below_range",
            Self::AboveRange => "above_range",
            Self::NotMeasured => "not_measured",
            Self::SensorOff => "sensor_off",
            Self::SensorFault => "sensor_fault",
            Self::Calibrating => "calibrating",
            Self::Stale => "stale",
            Self::Simulated => "simulated",
            Self::CommLost => "comm_lost",
        }
    }

    /// The reason of a word, in whatever case it is written.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        found.map(|(_, reason)| *reason)
    }
}

impl Reading {
    /// A reading from a number: NaN and infinities are a sensor's fault, never a value.
    #[must_use]
    pub fn from_number(number: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what f32 cannot hold is refused below"
        )]
        let value = number as f32;
        if value.is_finite() { Self::Value(value) } else { Self::NoData(NoData::SensorFault) }
    }

    /// The measurement, doubted or not.
    #[must_use]
    pub const fn value(self) -> Option<f32> {
        match self {
            Self::Value(value) | Self::Questionable(value) => Some(value),
            Self::NoData(_) => None,
        }
    }

    /// Why there is no measurement.
    #[must_use]
    pub const fn no_data(self) -> Option<NoData> {
        match self {
            Self::Value(_) | Self::Questionable(_) => None,
            Self::NoData(reason) => Some(reason),
        }
    }

    /// The number that a limit is held against: beyond-range readings lie beyond every limit; other absences have none.
    #[must_use]
    pub const fn against_limits(self) -> Option<f32> {
        match self {
            Self::Value(value) | Self::Questionable(value) => Some(value),
            Self::NoData(NoData::BelowRange) => Some(f32::NEG_INFINITY),
            Self::NoData(NoData::AboveRange) => Some(f32::INFINITY),
            Self::NoData(
                NoData::NotMeasured
                | NoData::SensorOff
                | NoData::SensorFault
                | NoData::Calibrating
                | NoData::Stale
                | NoData::Simulated
                | NoData::CommLost,
            ) => None,
        }
    }

    /// Whether the reading tells something about the world; if not, a sensor alarm is due.
    #[must_use]
    pub const fn is_informative(self) -> bool {
        self.against_limits().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bit_pattern_becomes_a_value_that_is_no_number(bits in any::<u64>()) {
            let reading = Reading::from_number(f64::from_bits(bits));
            prop_assert!(reading.value().is_none_or(f32::is_finite));
            prop_assert!(reading.value().is_some() != reading.no_data().is_some());
        }
    }

    #[test]
    fn every_reason_has_a_word_that_leads_back_to_it() {
        for (word, reason) in NoData::WORDS {
            assert_eq!(reason.word(), word);
            assert_eq!(NoData::from_word(&word.to_uppercase()), Some(reason));
        }
        assert_eq!(NoData::from_word("fine"), None);
    }

    #[test]
    fn what_f32_cannot_hold_is_a_fault() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
            assert_eq!(Reading::from_number(number), Reading::NoData(NoData::SensorFault));
        }
    }

    #[test]
    fn beyond_range_violates_limits_and_other_absences_say_nothing() {
        assert_eq!(Reading::NoData(NoData::AboveRange).against_limits(), Some(f32::INFINITY));
        assert_eq!(Reading::NoData(NoData::BelowRange).against_limits(), Some(f32::NEG_INFINITY));
        assert!(!Reading::NoData(NoData::SensorOff).is_informative());
        assert!(Reading::Questionable(3.0).is_informative());
    }
}
