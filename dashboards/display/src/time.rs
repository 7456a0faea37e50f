//! Times: a display's own clock, a gateway's clock, and how one tells the other's present time without being told it late.

use std::time::Duration;

/// Two clocks drift apart by less than this many parts of a million; what grows faster is delay, not drift.
const DRIFT_PPM: i128 = 500;

/// A point on a gateway's monotonic clock, in nanoseconds. Comparable within one epoch (start of the gateway) only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GatewayTime(pub u64);

impl GatewayTime {
    /// Age of this point at `now`; zero when it lies ahead.
    #[must_use]
    pub const fn age_at(self, now: Self) -> Duration {
        Duration::from_nanos(now.0.saturating_sub(self.0))
    }

    /// The same point on a clock that shows so many nanoseconds more.
    #[must_use]
    pub fn moved(self, by: i128) -> Self {
        let moved = i128::from(self.0).saturating_add(by).max(0);
        Self(u64::try_from(moved).unwrap_or(u64::MAX))
    }
}

/// A point on the display's own monotonic clock, in nanoseconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LocalTime(pub u64);

impl LocalTime {
    /// Time passed since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The point so much earlier; the start of the clock where that lies before it.
    #[must_use]
    pub fn before(self, passed: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// The point so much later.
    #[must_use]
    pub fn after(self, passed: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Tells a gateway's present time from the times in its messages.
///
/// The message that travelled fastest gives the difference of the clocks. A message that waited somewhere then looks as
/// old as it is: a backlog in the network or in this display cannot pass for fresh data. A way that was slow from the first
/// message on is told by a question and its answer alone: the answer cannot be older than the question.
#[derive(Debug, Clone, Default)]
pub struct GatewayClock {
    /// Greatest possible (display - gateway) difference, in nanoseconds, and when it was seen.
    most: Option<(i128, LocalTime)>,
    /// Least possible difference, by questions and their answers, and when it was seen.
    least: Option<(i128, LocalTime)>,
    newest: Option<GatewayTime>,
}

impl GatewayClock {
    /// Takes note of a message that the gateway made at `gateway` and that was read at `local`.
    pub fn observe(&mut self, gateway: GatewayTime, local: LocalTime) {
        let seen = i128::from(local.0) - i128::from(gateway.0);
        let most = self.most_at(local).map_or(seen, |most| most.min(seen));
        self.most = Some((most, local));
        self.newest = self.newest.max(Some(gateway));
    }

    /// Takes note of an answer that the gateway made at `gateway` to a question sent at `sent`.
    pub fn answered(&mut self, gateway: GatewayTime, sent: LocalTime, local: LocalTime) {
        self.observe(gateway, local);
        let seen = i128::from(sent.0) - i128::from(gateway.0);
        let least = self.least_at(local).map_or(seen, |least| least.max(seen));
        self.least = Some((least, local));
    }

    /// The latest time that the gateway's clock can show at `local`: ages are counted by it. `None` before the first message.
    #[must_use]
    pub fn now(&self, local: LocalTime) -> Option<GatewayTime> {
        let most = self.most_at(local)?;
        // Two bounds that contradict each other: a clock ran away. The greater age is the safe one.
        let difference = self.least_at(local).map_or(most, |least| least.min(most));
        let now = (i128::from(local.0) - difference).max(0);
        let now = GatewayTime(u64::try_from(now).unwrap_or(u64::MAX));
        // Never before a time that the gateway itself has told.
        Some(self.newest.map_or(now, |newest| newest.max(now)))
    }

    /// How old the newest message is at `local`; `None` before the first message.
    #[must_use]
    pub fn delay(&self, local: LocalTime) -> Option<Duration> {
        Some(self.newest?.age_at(self.now(local)?))
    }

    /// What two clocks of one gateway know together at `local`.
    pub(crate) fn joined(&self, other: &Self, local: LocalTime) -> Self {
        let most = [self.most_at(local), other.most_at(local)].into_iter().flatten().min();
        let least = [self.least_at(local), other.least_at(local)].into_iter().flatten().max();
        Self {
            most: most.map(|most| (most, local)),
            least: least.map(|least| (least, local)),
            newest: self.newest.max(other.newest),
        }
    }

    fn most_at(&self, local: LocalTime) -> Option<i128> {
        let (most, seen_at) = self.most?;
        Some(most + drift(seen_at, local))
    }

    fn least_at(&self, local: LocalTime) -> Option<i128> {
        let (least, seen_at) = self.least?;
        Some(least - drift(seen_at, local))
    }
}

fn drift(from: LocalTime, to: LocalTime) -> i128 {
    i128::from(to.0.saturating_sub(from.0)) * DRIFT_PPM / 1_000_000
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

    #[test]
    fn a_way_that_was_slow_from_the_first_message_on_is_told_by_an_answer() {
        let mut clock = GatewayClock::default();
        clock.observe(gateway_ms(1_000), local_ms(3_000));
        assert_eq!(clock.delay(local_ms(3_000)).unwrap(), Duration::ZERO, "nobody can know");
        // Asked at 3,000, answered by a gateway at 3,010 of its time: 2,010 ms had passed since that message.
        clock.answered(gateway_ms(3_010), local_ms(3_000), local_ms(3_020));
        let age = gateway_ms(1_000).age_at(clock.now(local_ms(3_020)).unwrap());
        assert!((2_010..=2_040).contains(&age.as_millis()), "{age:?}");
    }
}
