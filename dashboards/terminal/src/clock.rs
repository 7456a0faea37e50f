//! The only reader of the clocks: a monotonic one for ages and waiting, the wall clock as a label for people.

use std::time::Instant;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use crate::age::LocalTime;

/// This display's clock; its monotonic time counts from its making.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts counting.
    #[expect(clippy::disallowed_methods, reason = "this file is the reader of the clock")]
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Monotonic time since the start.
    pub(crate) fn now(self) -> LocalTime {
        LocalTime(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Wall time; a label for people, nothing is decided by it.
    #[expect(clippy::unused_self, reason = "one clock for both, so that a caller holds one thing")]
    pub(crate) fn wall(self) -> Zoned {
        Zoned::now()
    }

    /// Wall time in nanoseconds since 1970 UTC; for what a person dates with "now".
    pub(crate) fn wall_ns(self) -> i64 {
        i64::try_from(self.wall().timestamp().as_nanosecond()).unwrap_or(i64::MAX)
    }
}

/// The wall time that a gateway told, in this display's time zone; `None` when it told none.
pub(crate) fn local_wall(wall_ns: i64) -> Option<Zoned> {
    if wall_ns == 0 {
        return None;
    }
    let stamp = Timestamp::from_nanosecond(i128::from(wall_ns)).ok()?;
    Some(stamp.to_zoned(TimeZone::system()))
}

/// A wall time as `14:03:07`.
pub(crate) fn clock_text(wall: &Zoned) -> String {
    format!("{:02}:{:02}:{:02}", wall.hour(), wall.minute(), wall.second())
}

/// The wall time that a gateway told as `2026-01-02 14:03`, in this display's time zone; `at an unknown time` when it told
/// none.
pub(crate) fn date_text(wall_ns: i64) -> String {
    local_wall(wall_ns).map_or_else(
        || "at an unknown time".to_owned(),
        |wall| format!("{} {:02}:{:02}", wall.date(), wall.hour(), wall.minute()),
    )
}

/// A gateway's wall time as RFC 3339 in UTC, to the millisecond; `None` when it told none.
pub(crate) fn rfc3339(wall_ns: i64) -> Option<String> {
    if wall_ns == 0 {
        return None;
    }
    let stamp = Timestamp::from_nanosecond(i128::from(wall_ns)).ok()?;
    Some(format!("{stamp:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_is_written_for_programs_and_its_absence_stays_absent() {
        assert_eq!(rfc3339(1_700_000_000_123_456_789).unwrap(), "2023-11-14T22:13:20.123Z");
        assert_eq!(rfc3339(0), None);
        assert!(local_wall(0).is_none());
        assert_eq!(date_text(0), "at an unknown time");
    }
}
