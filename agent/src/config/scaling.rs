//! The way from a device's number to a reading: scale, unit, the site's calibration, the sensor's range. Checked as it is read.

use core::ops::RangeInclusive;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use serde::{Deserialize, Deserializer};

use super::unit::{Conversion, UnknownUnit};

/// From a device's number to the unit of the parameter.
///
/// `gain * ((raw * scale + offset) in the parameter's unit - zero)`, then held against the range.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// What one step of the device's number is worth, in the parameter's unit, calibrated.
    factor: f64,
    /// What 0 is worth, in the parameter's unit, calibrated.
    offset: f64,
    /// What the sensor can measure, in the parameter's unit.
    range: Option<RangeInclusive<f64>>,
}

/// The keys of a scaling; part of the keys of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingKeys<'a> {
    /// Factor to the declared unit.
    pub scale: Option<f64>,
    /// Offset in the declared unit.
    pub offset: Option<f64>,
    /// The declared unit; `None`: the parameter's.
    pub unit: Option<&'a str>,
    /// The site's calibration: factor.
    pub gain: Option<f64>,
    /// The site's calibration: what the device shows at true zero, in the parameter's unit.
    pub zero: Option<f64>,
    /// Low and high end, in the parameter's unit.
    pub range: Option<[f64; 2]>,
}

/// Why a scaling is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScalingError {
    /// A number that is none, or a factor of 0.
    #[error("{key} of {parameter} is {number}: use a finite number{}", if *.is_factor { " that is not 0" } else { "" })]
    Number {
        /// The key.
        key: &'static str,
        /// The channel.
        parameter: &'static str,
        /// The number.
        number: f64,
        /// Whether 0 is refused too.
        is_factor: bool,
    },
    /// A range without an inside.
    #[error("range of {parameter} is [{low}, {high}]: write the lower end first")]
    Range {
        /// The channel.
        parameter: &'static str,
        /// Low end.
        low: f64,
        /// High end.
        high: f64,
    },
    /// The unit.
    #[error(transparent)]
    Unit(#[from] UnknownUnit),
}

impl Scaling {
    /// Checks the keys of a channel.
    ///
    /// # Errors
    /// Numbers that are none, a factor of 0, a range that is turned round, a unit without a way to the parameter's.
    pub fn new(parameter: Parameter, keys: &ScalingKeys<'_>) -> Result<Self, ScalingError> {
        let id = parameter.info().id;
        let number = |key, number: Option<f64>, default: f64, is_factor| {
            let number = number.unwrap_or(default);
            if number.is_finite() && !(is_factor && number.abs() < f64::MIN_POSITIVE) {
                Ok(number)
            } else {
                Err(ScalingError::Number { key, parameter: id, number, is_factor })
            }
        };
        let scale = number("scale", keys.scale, 1.0, true)?;
        let offset = number("offset", keys.offset, 0.0, false)?;
        let gain = number("gain", keys.gain, 1.0, true)?;
        let zero = number("zero", keys.zero, 0.0, false)?;
        let way = match keys.unit {
            Some(unit) => Conversion::of(unit, parameter)?,
            None => Conversion::NONE,
        };
        let range = match keys.range {
            Some([low, high]) if low < high && low.is_finite() && high.is_finite() => {
                Some(low..=high)
            }
            Some([low, high]) => return Err(ScalingError::Range { parameter: id, low, high }),
            None => None,
        };
        Ok(Self {
            factor: gain * way.factor * scale,
            offset: gain * (way.factor * offset + way.offset - zero),
            range,
        })
    }

    /// What the sensor can measure, in the parameter's unit.
    #[must_use]
    pub const fn range(&self) -> Option<&RangeInclusive<f64>> {
        self.range.as_ref()
    }

    /// The reading of a device's number.
    #[must_use]
    pub fn reading(&self, raw: f64) -> Reading {
        let value = raw * self.factor + self.offset;
        match &self.range {
            Some(range) if value < *range.start() => Reading::NoData(NoData::BelowRange),
            Some(range) if value > *range.end() => Reading::NoData(NoData::AboveRange),
            Some(_) | None => Reading::from_number(value),
        }
    }
}

/// Value of one count of a channel whose device may be finer than a display: two digits more than are shown.
#[must_use]
pub fn count_step(parameter: Parameter) -> f64 {
    10f64.powi(-i32::from(parameter.info().decimals) - 2)
}

/// Reads a parameter by its id.
pub(super) fn parameter<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Parameter, D::Error> {
    let id = String::deserialize(deserializer)?;
    Parameter::from_id(&id).ok_or_else(|| {
        let advice = "use ids such as press.drain (gateway/core/src/parameter.rs)";
        serde::de::Error::custom(format!("{id:?} is no parameter id: {advice}"))
    })
}

/// Reads the word for a reason.
pub(super) fn reason<'a, D: Deserializer<'a>>(deserializer: D) -> Result<NoData, D::Error> {
    let word = String::deserialize(deserializer)?;
    NoData::from_word(&word).ok_or_else(|| {
        let words = NoData::WORDS.map(|(word, _)| word).join(", ");
        serde::de::Error::custom(format!("{word:?} is no reason for no value: use one of {words}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: ScalingKeys<'static> =
        ScalingKeys { scale: None, offset: None, unit: None, gain: None, zero: None, range: None };

    #[test]
    fn scale_unit_calibration_and_range_apply_in_this_order() {
        let keys = ScalingKeys {
            scale: Some(0.1),
            offset: Some(-1.0),
            unit: Some("L/min"),
            gain: Some(2.0),
            zero: Some(50.0),
            range: Some([-200.0, 2000.0]),
        };
        let scaling = Scaling::new(Parameter::FlowBlood, &keys).unwrap();
        // 15 * 0.1 - 1 = 0.5 L/min = 500 mL/min; (500 - 50) * 2 = 900.
        assert_eq!(scaling.reading(15.0), Reading::Value(900.0));
        assert_eq!(scaling.reading(25.0), Reading::NoData(NoData::AboveRange));
        assert_eq!(scaling.reading(5.0), Reading::NoData(NoData::BelowRange));
        assert_eq!(scaling.reading(f64::NAN), Reading::NoData(NoData::SensorFault));
    }

    #[test]
    fn numbers_that_cannot_be_are_refused_with_the_key() {
        for (keys, words) in [
            (ScalingKeys { scale: Some(0.0), ..KEYS }, "scale of flow.blood is 0"),
            (ScalingKeys { gain: Some(f64::NAN), ..KEYS }, "gain of flow.blood is NaN"),
            (ScalingKeys { zero: Some(f64::INFINITY), ..KEYS }, "zero of flow.blood is inf"),
            (ScalingKeys { range: Some([2.0, 1.0]), ..KEYS }, "lower end first"),
            (ScalingKeys { unit: Some("kPa"), ..KEYS }, "no way from \"kPa\""),
        ] {
            let error = Scaling::new(Parameter::FlowBlood, &keys).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
