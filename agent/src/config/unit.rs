//! Units a device may speak, and the way from each to the unit of a parameter. What is not listed is refused, never guessed.

use ecmo_core::parameter::Parameter;

/// From one unit (a UCUM code) to another: times the factor, plus the offset. All are exact by definition, or to seven digits.
const CONVERSIONS: &[(&str, &str, f64, f64)] = &[
    ("L/min", "mL/min", 1000.0, 0.0),
    ("mL/s", "mL/min", 60.0, 0.0),
    ("kPa", "mm[Hg]", 7.500_617, 0.0),
    ("hPa", "mm[Hg]", 0.750_061_7, 0.0),
    ("mbar", "mm[Hg]", 0.750_061_7, 0.0),
    ("Pa", "mm[Hg]", 0.007_500_617, 0.0),
    ("cm[H2O]", "mm[Hg]", 0.735_559_2, 0.0),
    ("bar", "kPa", 100.0, 0.0),
    ("mbar", "kPa", 0.1, 0.0),
    ("1", "%", 100.0, 0.0),
    ("g/L", "g/dL", 0.1, 0.0),
    ("K", "Cel", 1.0, -273.15),
    ("[degF]", "Cel", 5.0 / 9.0, -160.0 / 9.0),
    ("{rev}/s", "{rev}/min", 60.0, 0.0),
    ("Hz", "/min", 60.0, 0.0),
    ("mA", "A", 0.001, 0.0),
    ("mW", "W", 0.001, 0.0),
    ("kW", "W", 1000.0, 0.0),
    ("s", "min", 1.0 / 60.0, 0.0),
    ("h", "min", 60.0, 0.0),
    ("g", "kg", 0.001, 0.0),
];

/// A conversion: `value * factor + offset` is in the unit of the parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Conversion {
    /// Factor; finite and not 0.
    pub(super) factor: f64,
    /// Offset in the unit of the parameter; finite.
    pub(super) offset: f64,
}

impl Conversion {
    /// Nothing to convert.
    pub(super) const NONE: Self = Self { factor: 1.0, offset: 0.0 };

    /// The way from a unit to the unit of a parameter.
    ///
    /// # Errors
    /// No such way is known.
    pub(super) fn of(unit: &str, parameter: Parameter) -> Result<Self, UnknownUnit> {
        let own = parameter.info().unit;
        if unit == own {
            return Ok(Self::NONE);
        }
        let found = CONVERSIONS.iter().find(|(from, to, _, _)| *from == unit && *to == own);
        found.map(|(_, _, factor, offset)| Self { factor: *factor, offset: *offset }).ok_or_else(
            || UnknownUnit { unit: unit.to_owned(), parameter: parameter.info().id, own },
        )
    }
}

/// A unit that cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no way from {unit:?} to {own:?}, the unit of {parameter}: use {}", known(own))]
pub struct UnknownUnit {
    unit: String,
    parameter: &'static str,
    own: &'static str,
}

/// The units that lead to a unit, in words.
fn known(own: &str) -> String {
    let to_own = CONVERSIONS.iter().filter(|(_, to, _, _)| *to == own);
    let names = to_own.map(|(from, _, _, _)| format!(", {from:?}")).collect::<String>();
    format!("{own:?}{names}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_converted_or_refused_with_those_that_are_known() {
        for (unit, parameter, raw, expected) in [
            ("L/min", Parameter::FlowBlood, 0.35, 350.0),
            ("mL/min", Parameter::FlowBlood, 350.0, 350.0),
            ("kPa", Parameter::PressDrain, -10.0, -75.006_17),
            ("K", Parameter::TempReturn, 310.15, 37.0),
            ("[degF]", Parameter::TempReturn, 98.6, 37.0),
            ("1", Parameter::SatDrain, 0.7, 70.0),
        ] {
            let way = Conversion::of(unit, parameter).unwrap();
            let value: f64 = raw * way.factor + way.offset;
            assert!((value - expected).abs() < 1e-6, "{unit}: {value}");
        }
        let error = Conversion::of("psi", Parameter::PressDrain).unwrap_err().to_string();
        assert!(error.contains("use \"mm[Hg]\", \"kPa\""), "{error}");
        assert!(Conversion::of("mm[Hg]", Parameter::FlowBlood).is_err());
    }

    #[test]
    fn every_conversion_leads_to_the_unit_of_a_parameter() {
        for (from, to, factor, offset) in CONVERSIONS {
            assert!(Parameter::ALL.iter().any(|parameter| parameter.info().unit == *to), "{to}");
            assert!(from != to && factor.is_finite() && *factor > 0.0 && offset.is_finite());
        }
    }
}
