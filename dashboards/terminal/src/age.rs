//! Ages in words and numbers. How old something is, is counted by the gateway's monotonic clock, which alone dates samples and alarms.

use std::time::Duration;

pub(crate) use ecmo_display::{GatewayTime, LocalTime};

/// An age in words that a glance can take in: `0.4 s`, `14 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`. Always cut, never
/// rounded up.
pub(crate) fn age_text(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..10 => format!("{seconds}.{} s", age.subsec_millis() / 100),
        10..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        7_200..172_800 => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// Whole milliseconds of an age, for programs.
pub(crate) fn age_ms(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_cut_and_carry_their_unit() {
        for (ms, text) in [
            (0, "0.0 s"),
            (999, "0.9 s"),
            (9_999, "9.9 s"),
            (14_900, "14 s"),
            (119_999, "119 s"),
            (125_000, "2 min 05 s"),
            (7_620_000, "2 h 07 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(age_text(Duration::from_millis(ms)), text);
        }
    }
}
