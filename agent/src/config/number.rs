//! Numbers in settings that cannot be out of range, because they are checked as they are read.

use core::time::Duration;

use serde::Deserialize;

/// A number in the settings that is out of its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{number} is no {what}: use {low} to {high}")]
pub struct OutOfRange {
    number: f64,
    what: &'static str,
    low: f64,
    high: f64,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $low:literal to $high:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
        #[serde(try_from = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The number.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = OutOfRange;

            fn try_from(number: f64) -> Result<Self, OutOfRange> {
                // NaN is in no range.
                if ($low..=$high).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(OutOfRange { number, what: $what, low: $low, high: $high })
                }
            }
        }
    )*};
}

numbers! {
    /// Pump speed, in rev/min.
    Speed: "pump speed in rev/min", 0.0 to 6000.0;
    /// Weight of a simulated patient, in kg.
    Weight: "weight in kg of a simulated patient", 2.0 to 5.0;
    /// How many times faster than life slow processes run.
    PaceFactor: "pace", 1.0 to 1000.0;
    /// Samples per second.
    Rate: "rate in samples per second", 0.01 to 1000.0;
    /// A span of time, in seconds; at most a year.
    Seconds: "time in seconds", 0.0 to 31_536_000.0;
    /// KiB of backfill per second.
    BackfillKib: "backfill rate in KiB/s", 8.0 to 102_400.0;
    /// Time between two frames, in milliseconds.
    FrameMillis: "frame period in milliseconds", 5.0 to 1000.0;
    /// How long the spool keeps a frame, in hours.
    SpoolHours: "time in hours to keep frames", 0.01 to 8760.0;
    /// Size of the spool, in MiB.
    SpoolMib: "size of the spool in MiB", 4.0 to 1_048_576.0;
    /// Time between two waits for the disk, in milliseconds.
    SyncMillis: "time in milliseconds between two syncs", 10.0 to 60_000.0;
}

impl Seconds {
    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }
}

impl BackfillKib {
    /// In bytes per second.
    #[must_use]
    pub const fn bytes_per_s(self) -> f64 {
        self.0 * 1024.0
    }
}

impl FrameMillis {
    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_out_of_range_says_which_numbers_are_right() {
        for number in [-1.0, 6000.1, f64::NAN, f64::INFINITY] {
            let error = Speed::try_from(number).unwrap_err().to_string();
            assert!(error.contains("use 0 to 6000"), "{error}");
        }
        assert!(Speed::try_from(6000.0).is_ok());
        assert_eq!(Seconds::try_from(1.5).unwrap().duration(), Duration::from_millis(1500));
    }
}
