//! Ages: how old something is by the gateway's monotonic clock, which is the only clock that dates samples and alarms.

use std::time::Duration;

/// Two clocks drift apart by less than this many parts of a million; what grows faster is delay, not drift.
const DRIFT_PPM: i128 = 500;

/// A point on the gateway's monotonic clock, in nanoseconds. Comparable within one epoch (start of the gateway) only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct GatewayTime(pub(crate) u64);

impl GatewayTime {
    /// Age of this point at `now`; zero when it lies ahead.
    pub(crate) const fn age_at(self, now: Self) -> Duration {
        Duration::from_nanos(now.0.saturating_sub(self.0))
    }
}

/// A point on this display's own monotonic clock, in nanoseconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct LocalTime(pub(crate) u64);

impl LocalTime {
    /// Time passed since `earlier`; zero when `earlier` is later.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Tells the gateway's present time from the times in its messages.
///
/// The message that travelled fastest gives the difference of the clocks. A message that waited somewhere then looks as
/// old as it is: a backlog in the network or in this display cannot pass for fresh data.
#[derive(Debug, Clone, Default)]
pub(crate) struct GatewayClock {
    /// Least (display - gateway) difference, in nanoseconds, and when it was seen.
    least: Option<(i128, LocalTime)>,
    newest: Option<GatewayTime>,
}

impl GatewayClock {
    /// Takes note of a message that the gateway made at `gateway` and that was read at `local`.
    pub(crate) fn observe(&mut self, gateway: GatewayTime, local: LocalTime) {
        let seen = i128::from(local.0) - i128::from(gateway.0);
        let least = self.difference_at(local).map_or(seen, |least| least.min(seen));
        self.least = Some((least, local));
        self.newest = self.newest.max(Some(gateway));
    }

    /// The gateway's time at `local`; `None` before the first message.
    pub(crate) fn now(&self, local: LocalTime) -> Option<GatewayTime> {
        let now = i128::from(local.0) - self.difference_at(local)?;
        // Never before a time that the gateway itself has told.
        let now = GatewayTime(u64::try_from(now.max(0)).unwrap_or(u64::MAX));
        Some(self.newest.map_or(now, |newest| newest.max(now)))
    }

    /// How old the newest message is at `local`; `None` before the first message.
    pub(crate) fn delay(&self, local: LocalTime) -> Option<Duration> {
        Some(self.newest?.age_at(self.now(local)?))
    }

    fn difference_at(&self, local: LocalTime) -> Option<i128> {
        let (least, seen_at) = self.least?;
        let passed = i128::from(local.0.saturating_sub(seen_at.0));
        Some(least + passed * DRIFT_PPM / 1_000_000)
    }
}

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

    const fn local_ms(ms: u64) -> LocalTime {
        LocalTime(ms * 1_000_000)
    }

    const fn gateway_ms(ms: u64) -> GatewayTime {
        GatewayTime(ms * 1_000_000)
    }

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

    #[test]
    fn what_lies_ahead_has_age_zero() {
        assert_eq!(gateway_ms(9).age_at(gateway_ms(3)), Duration::ZERO);
    }

    #[test]
    fn a_message_that_waited_is_as_old_as_it_is() {
        let mut clock = GatewayClock::default();
        assert_eq!(clock.now(local_ms(5)), None);
        clock.observe(gateway_ms(1_000), local_ms(50));
        clock.observe(gateway_ms(2_000), local_ms(1_051));
        assert_eq!(clock.delay(local_ms(1_051)).unwrap().as_millis(), 0);
        // The next one waited 6 s in some buffer.
        clock.observe(gateway_ms(3_000), local_ms(8_050));
        let delay = clock.delay(local_ms(8_050)).unwrap();
        assert!((5_990..=6_000).contains(&delay.as_millis()), "{delay:?}");
    }

    #[test]
    fn a_faster_message_corrects_the_difference_at_once() {
        let mut clock = GatewayClock::default();
        clock.observe(gateway_ms(1_000), local_ms(3_000));
        clock.observe(gateway_ms(3_000), local_ms(3_001));
        assert_eq!(clock.now(local_ms(3_001)), Some(gateway_ms(3_000)));
        let later = clock.now(local_ms(13_001)).unwrap();
        assert!(later <= gateway_ms(13_000) && later >= gateway_ms(12_994), "{later:?}");
    }

    #[test]
    fn time_without_messages_goes_on() {
        let mut clock = GatewayClock::default();
        clock.observe(gateway_ms(1_000), local_ms(0));
        let delay = clock.delay(local_ms(60_000)).unwrap();
        assert!(delay >= Duration::from_millis(59_900), "{delay:?}");
    }
}
