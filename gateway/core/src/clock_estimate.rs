//! How the agent's monotonic clock lies against the reader's, from probes that went there and back.
//!
//! A probe says two things that no delay can make false: the agent read it after it was sent, and the reader had the answer
//! after it was sent. So the difference of the clocks lies between two bounds, half of the way there and back around
//! their middle. The probe with the narrowest bounds counts, loosened by what the clocks may have drifted since: a wide
//! one never spoils a narrow one, and the truth lies within the uncertainty whatever the delays are.

use core::time::Duration;

use crate::time::{DRIFT_NANOS_PER_SECOND, Instant, SampleTime};

/// Buckets of the window, each with its best probe.
const BUCKETS: usize = 8;

/// Time of one bucket: 8 probes at two a second, so that the window is 64 probes in 32 s.
const BUCKET: Duration = Duration::from_secs(4);

/// Points from which the drift is told, and the time of each: four minutes.
const POINTS: usize = 16;
const POINT: Duration = Duration::from_secs(15);

/// The drift is told when its bound is narrower than this, in parts per million.
const DRIFT_ERROR_MAX_PPM: f64 = 100.0;

/// A way there and back that took longer tells nothing of use.
pub const ROUND_TRIP_MAX: Duration = Duration::from_secs(20);

/// Probes that must have been answered before the estimate counts: the first may have waited in a broker for the agent.
const SETTLED_PROBES: u64 = 4;

/// Probes in a row that contradict what is known, until what is known is given up: a reader that was suspended has lost
/// time, and no clock of an agent jumps within its run.
const CONTRADICTIONS_MAX: u32 = 8;

/// The four times of one probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeTimes {
    /// Sent, by the reader's clock.
    pub sent: Instant,
    /// Read, by the agent's clock.
    pub read: SampleTime,
    /// Answered, by the agent's clock.
    pub answered: SampleTime,
    /// The answer was received, by the reader's clock.
    pub received: Instant,
}

/// Why a probe is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeRefusal {
    /// Its times cannot be: an answer before the question, or more time there than between question and answer.
    Impossible,
    /// It was longer on its way than [`ROUND_TRIP_MAX`].
    Slow,
    /// It contradicts what is known.
    Contradicts,
}

/// What is known of the agent's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffset {
    /// Reader's time less agent's time, in nanoseconds.
    pub offset_ns: i128,
    /// The truth is no further away than this, in nanoseconds.
    pub uncertainty_ns: u64,
    /// The way there and back of the probe that it rests on.
    pub round_trip: Duration,
    /// When that probe was sent.
    pub measured_at: Instant,
}

/// One probe as bounds of the difference (reader less agent) at the time of its sending.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    low: i128,
    high: i128,
    at: Instant,
}

impl Bounds {
    fn width(self, now: Instant) -> i128 {
        self.high - self.low + 2 * drift(now.since(self.at))
    }

    fn middle(self) -> i128 {
        i128::midpoint(self.low, self.high)
    }
}

/// In so many nanoseconds two clocks drift apart by one.
const ONE_DRIFTS_IN: u64 = 1_000_000_000 / DRIFT_NANOS_PER_SECOND;

/// What two clocks may drift apart in a time, rounded up, in nanoseconds.
fn drift(passed: Duration) -> i128 {
    let nanos = u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX);
    i128::from(nanos.div_ceil(ONE_DRIFTS_IN))
}

/// The clock of one run of one agent.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClockEstimate {
    window: [Option<Bounds>; BUCKETS],
    points: [Option<Bounds>; POINTS],
    /// The narrowest of all times, for a window in which none was answered.
    last_good: Option<Bounds>,
    answered: u64,
    /// Whether the drift may be another since it was last told.
    has_new_points: bool,
    contradictions: u32,
}

impl ClockEstimate {
    /// Takes a probe that was answered.
    ///
    /// # Errors
    /// Its times cannot be, it was too long on its way, or it contradicts what is known.
    pub fn observe(&mut self, times: ProbeTimes) -> Result<(), ProbeRefusal> {
        let there = i128::from(times.answered.as_nanos()) - i128::from(times.read.as_nanos());
        let whole = i128::from(times.received.as_nanos()) - i128::from(times.sent.as_nanos());
        if there < 0 || whole < 0 {
            return Err(ProbeRefusal::Impossible);
        }
        if times.received.since(times.sent) > ROUND_TRIP_MAX {
            return Err(ProbeRefusal::Slow);
        }
        let bounds = Bounds {
            low: i128::from(times.sent.as_nanos()) - i128::from(times.read.as_nanos()),
            high: i128::from(times.received.as_nanos()) - i128::from(times.answered.as_nanos()),
            at: times.sent,
        };
        // Drift on the way may make the bounds cross by a little, and by no more.
        let slack = drift(times.received.since(times.sent));
        if bounds.high + slack < bounds.low {
            return Err(ProbeRefusal::Impossible);
        }
        let bounds = Bounds { low: bounds.low - slack, high: bounds.high + slack, ..bounds };
        if self.contradicts(bounds) {
            self.contradictions += 1;
            if self.contradictions < CONTRADICTIONS_MAX {
                return Err(ProbeRefusal::Contradicts);
            }
            *self = Self { has_new_points: true, ..Self::default() };
        }
        self.contradictions = 0;
        self.answered += 1;
        let now = times.received;
        keep(&mut self.window, BUCKET, bounds);
        self.has_new_points |= keep(&mut self.points, POINT, bounds);
        if self.last_good.is_none_or(|good| bounds.width(now) <= good.width(now)) {
            self.last_good = Some(bounds);
        }
        Ok(())
    }

    fn contradicts(&self, bounds: Bounds) -> bool {
        self.best(bounds.at).is_some_and(|best| {
            let apart = drift(bounds.at.since(best.at).max(best.at.since(bounds.at)));
            bounds.high + apart < best.low || bounds.low - apart > best.high
        })
    }

    fn best(&self, now: Instant) -> Option<Bounds> {
        let window = self.window.iter().flatten();
        window.chain(&self.last_good).min_by_key(|bounds| bounds.width(now)).copied()
    }

    /// Where the clocks lie now; `None` until enough probes were answered.
    #[must_use]
    pub fn offset(&self, now: Instant) -> Option<ClockOffset> {
        let best = self.best(now).filter(|_| self.answered >= SETTLED_PROBES)?;
        let width = u64::try_from(best.width(now)).unwrap_or(u64::MAX);
        let round_trip = u64::try_from(best.high - best.low).unwrap_or(u64::MAX);
        Some(ClockOffset {
            offset_ns: best.middle(),
            uncertainty_ns: width.div_ceil(2),
            round_trip: Duration::from_nanos(round_trip),
            measured_at: best.at,
        })
    }

    /// How much older data may be at most than a [`crate::time::ClockMap`] says that was told of every probe; `None` while no
    /// probe was answered. One answer is enough: before the middle of the bounds counts, their whole width may be missing.
    #[must_use]
    pub fn error_max(&self, now: Instant) -> Option<Duration> {
        let width = u64::try_from(self.best(now)?.width(now)).unwrap_or(u64::MAX);
        let settled = self.answered >= SETTLED_PROBES;
        Some(Duration::from_nanos(if settled { width.div_ceil(2) } else { width }))
    }

    /// Whether [`ClockEstimate::drift_ppm`] may tell something new since this was last asked: it takes a regression.
    pub(crate) fn take_new_points(&mut self) -> bool {
        core::mem::take(&mut self.has_new_points)
    }

    /// How fast the agent's clock gains on the reader's, in parts per million, by regression over up to four minutes;
    /// `None` while its bound is wider than 100 parts per million.
    #[must_use]
    pub fn drift_ppm(&self) -> Option<f64> {
        let points = || self.points.iter().flatten();
        let first = points().min_by_key(|point| point.at)?;
        let last = points().max_by_key(|point| point.at)?;
        let nanos =
            |time: Instant| seconds(i128::from(time.as_nanos()) - i128::from(first.at.as_nanos()));
        let span = nanos(last.at);
        let error = seconds(last.high - last.low + first.high - first.low) / 2.0 / span * 1e6;
        if span <= 0.0 || error.is_nan() || error > DRIFT_ERROR_MAX_PPM {
            return None;
        }
        let count = points().fold(0.0, |count, _point| count + 1.0);
        let place = |point: &Bounds| (nanos(point.at), seconds(point.middle() - first.middle()));
        let (x, y) = points().map(place).fold((0.0, 0.0), |(x, y), (dx, dy)| (x + dx, y + dy));
        let (x, y) = (x / count, y / count);
        let (over, under) = points().map(place).fold((0.0, 0.0), |(over, under), (dx, dy)| {
            (over + (dx - x) * (dy - y), under + (dx - x) * (dx - x))
        });
        // The regression is the best guess within what the first and the last point allow.
        let ends = seconds(last.middle() - first.middle()) / span * 1e6;
        Some(-(over / under * 1e6).clamp(ends - error, ends + error))
    }
}

/// Keeps the narrowest probe of its time; whether anything changed.
fn keep<const N: usize>(buckets: &mut [Option<Bounds>; N], each: Duration, bounds: Bounds) -> bool {
    let mut changed = false;
    let each = u64::try_from(each.as_nanos()).unwrap_or(u64::MAX);
    let number = bounds.at.as_nanos() / each;
    let place = usize::try_from(number % N as u64).unwrap_or(0);
    if let Some(bucket) = buckets.get_mut(place) {
        let better = |old: &Bounds| {
            old.at.as_nanos() / each != number || bounds.width(bounds.at) <= old.width(bounds.at)
        };
        if bucket.as_ref().is_none_or(better) {
            *bucket = Some(bounds);
            changed = true;
        }
    }
    // What is older than the window has had its time, although no newer one came to its place.
    for bucket in buckets {
        if bucket.is_some_and(|old| number.saturating_sub(old.at.as_nanos() / each) >= N as u64) {
            *bucket = None;
            changed = true;
        }
    }
    changed
}

#[expect(clippy::cast_precision_loss, reason = "differences of some seconds, exact to nanoseconds")]
fn seconds(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: i128 = 1_000_000;

    fn at(nanos: i128) -> u64 {
        u64::try_from(nanos).unwrap()
    }

    /// A world in which the agent's clock lies so far behind and gains so fast.
    struct World {
        offset: i128,
        gains_ppm: i128,
    }

    impl World {
        fn agent(&self, now: i128) -> i128 {
            now - self.offset + now * self.gains_ppm / 1_000_000
        }

        fn true_offset(&self, now: i128) -> i128 {
            now - self.agent(now)
        }

        fn probe(&self, sent: i128, there: i128, work: i128, back: i128) -> ProbeTimes {
            ProbeTimes {
                sent: Instant::from_nanos(at(sent)),
                read: SampleTime::from_nanos(at(self.agent(sent + there))),
                answered: SampleTime::from_nanos(at(self.agent(sent + there + work))),
                received: Instant::from_nanos(at(sent + there + work + back)),
            }
        }
    }

    #[test]
    fn the_narrowest_probe_counts_and_a_slow_one_does_not_spoil_it() {
        let world = World { offset: -5_000 * MS, gains_ppm: 0 };
        let mut estimate = ClockEstimate::default();
        for (n, (there, back)) in [(1, 1), (300, 1), (1, 300), (50, 50)].into_iter().enumerate() {
            assert_eq!(estimate.offset(Instant::from_nanos(u64::MAX / 2)), None, "not yet");
            let sent = 1_000 * MS + n as i128 * 500 * MS;
            estimate.observe(world.probe(sent, there * MS, 0, back * MS)).unwrap();
        }
        let now = Instant::from_nanos(at(3_000 * MS));
        let offset = estimate.offset(now).unwrap();
        assert_eq!(offset.offset_ns, world.offset);
        // Half of 2 ms, and the drift of 2 s at 500 ppm on each side.
        assert!((2_000_000..2_010_000).contains(&offset.uncertainty_ns), "{offset:?}");
    }

    #[test]
    fn wild_times_are_refused() {
        let world = World { offset: 0, gains_ppm: 0 };
        let mut estimate = ClockEstimate::default();
        let good = |n: i128| world.probe(1_000 * MS + n * 500 * MS, MS, 0, MS);
        for n in 0..4 {
            estimate.observe(good(n)).unwrap();
        }
        let probe = good(4);
        let backwards = ProbeTimes { received: probe.sent, sent: probe.received, ..probe };
        let shrunk = ProbeTimes {
            answered: probe.read,
            read: probe.answered.plus(Duration::from_secs(1)),
            ..probe
        };
        let long_there = ProbeTimes { answered: probe.read.plus(Duration::from_secs(9)), ..probe };
        for wild in [backwards, shrunk, long_there] {
            assert_eq!(estimate.observe(wild), Err(ProbeRefusal::Impossible), "{wild:?}");
        }
        let slow = world.probe(4_000 * MS, 30_000 * MS, 0, MS);
        assert_eq!(estimate.observe(slow), Err(ProbeRefusal::Slow));
        let jumped = World { offset: 100 * MS, gains_ppm: 0 };
        let before = estimate.offset(Instant::from_nanos(at(4_000 * MS)));
        for n in 5..12 {
            let wild = jumped.probe(1_000 * MS + n * 500 * MS, MS, 0, MS);
            assert_eq!(estimate.observe(wild), Err(ProbeRefusal::Contradicts));
        }
        assert_eq!(estimate.offset(Instant::from_nanos(at(4_000 * MS))), before);
        for n in 12..16 {
            estimate.observe(jumped.probe(1_000 * MS + n * 500 * MS, MS, 0, MS)).unwrap();
        }
        let now = Instant::from_nanos(at(10_000 * MS));
        assert_eq!(estimate.offset(now).unwrap().offset_ns, 100 * MS, "what lasts is believed");
    }

    #[test]
    fn the_drift_is_told_once_its_bound_is_narrow() {
        let world = World { offset: 7 * MS, gains_ppm: 200 };
        let mut estimate = ClockEstimate::default();
        for n in 0..480 {
            let sent = 1_000 * MS + n * 500 * MS;
            estimate.observe(world.probe(sent, MS, 0, MS)).unwrap();
            if n == 2 {
                assert_eq!(estimate.drift_ppm(), None);
            }
        }
        let drift = estimate.drift_ppm().unwrap();
        assert!((drift - 200.0).abs() < 5.0, "{drift}");
    }

    proptest! {
        #[test]
        fn the_truth_lies_within_the_uncertainty_whatever_the_delays_and_the_drift(
            offset in -100_000_i128..100_000,
            gains_ppm in -490_i32..=490,
            probes in proptest::collection::vec((0_i128..900, 0_i128..50, 0_i128..900, 100_i128..3_000), 4..80),
        ) {
            let world = World { offset: offset * MS, gains_ppm: gains_ppm.into() };
            let mut estimate = ClockEstimate::default();
            let mut sent = 200_000 * MS;
            for (there, work, back, pause) in probes {
                let taken = estimate.observe(world.probe(sent, there * MS, work * MS, back * MS));
                prop_assert_eq!(taken, Ok(()));
                sent += (there + work + back + pause) * MS;
                if let Some(told) = estimate.offset(Instant::from_nanos(at(sent))) {
                    let error = world.true_offset(sent).abs_diff(told.offset_ns);
                    prop_assert!(error <= u128::from(told.uncertainty_ns), "{} of {:?}", error, told);
                }
                if let Some(drift) = estimate.drift_ppm() {
                    prop_assert!((drift - f64::from(gains_ppm)).abs() <= 2.0 * DRIFT_ERROR_MAX_PPM + 1.0, "{drift}");
                }
            }
        }
    }
}
