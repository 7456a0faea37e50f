//! How long each hop takes: one high-dynamic-range histogram a hop, wait-free for writers and readers alike.
//!
//! The histogram is made of atomic counters, 128 to each doubling, so that percentiles are at most 0.8 % too high. The
//! `hdrhistogram` crate's recorder was not used here: it shows its last values only when it records again, and a hop
//! like the delivery of an alarm is idle for hours after the one value that matters. A test holds the two side by side.

use std::sync::atomic::{AtomicU64, Ordering};

use ecmo_core::time::Instant;

/// A part of the path from sensor to display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hop {
    /// Oldest sample of the frame taken → frame handed to the network; the agent's clock.
    SampledToPublished,
    /// Frame handed to the network → read by the gateway; two wall clocks, so only as good as they agree.
    PublishedToReceived,
    /// Frame read → rules evaluated.
    ReceivedToDecided,
    /// Alarm decided → handed to the displays' mailboxes.
    DecidedToHandedOver,
    /// Alarm decided → the first display says that it is shown.
    DecidedToConfirmed,
    /// Sample taken → the first display says that the alarm is shown.
    SampledToConfirmed,
}

impl Hop {
    /// Every hop, in the order of the path.
    pub const ALL: [Self; 6] = [
        Self::SampledToPublished,
        Self::PublishedToReceived,
        Self::ReceivedToDecided,
        Self::DecidedToHandedOver,
        Self::DecidedToConfirmed,
        Self::SampledToConfirmed,
    ];

    /// The hop's name, for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SampledToPublished => "sampled_to_published",
            Self::PublishedToReceived => "published_to_received",
            Self::ReceivedToDecided => "received_to_decided",
            Self::DecidedToHandedOver => "decided_to_handed_over",
            Self::DecidedToConfirmed => "decided_to_confirmed",
            Self::SampledToConfirmed => "sampled_to_confirmed",
        }
    }
}

/// Longest believable latency, in nanoseconds. More comes from a stepped clock, not from a path.
pub const LATENCY_NS_MAX: u64 = 10_000_000_000;

/// Values below this have a counter each; every doubling above has half as many.
const EXACT: u64 = 256;

/// Bits of [`EXACT`].
const EXACT_BITS: u32 = EXACT.trailing_zeros();

/// Counters of one histogram.
const COUNTERS: usize = counter_of(LATENCY_NS_MAX) + 1;

const _: () = assert!(COUNTERS == 3_478, "28 KiB a hop");

/// The histograms of all hops. Shared: every method takes `&self` and never waits.
#[derive(Debug)]
pub struct Latencies {
    sampled_to_published: Histogram,
    published_to_received: Histogram,
    received_to_decided: Histogram,
    decided_to_handed_over: Histogram,
    decided_to_confirmed: Histogram,
    sampled_to_confirmed: Histogram,
    discarded: AtomicU64,
}

/// What was measured so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Every hop, in the order of the path.
    pub hops: Vec<HopSnapshot>,
    /// Measurements that were impossible and left out.
    pub discarded: u64,
}

/// What was measured of one hop. The percentiles mean nothing when `count` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HopSnapshot {
    /// The hop.
    pub hop: Hop,
    /// Number of measurements.
    pub count: u64,
    /// Median, in nanoseconds.
    pub p50_ns: u64,
    /// 99th percentile, in nanoseconds.
    pub p99_ns: u64,
    /// 99.9th percentile, in nanoseconds.
    pub p999_ns: u64,
    /// Greatest, in nanoseconds; exact.
    pub max_ns: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            sampled_to_published: Histogram::new(),
            published_to_received: Histogram::new(),
            received_to_decided: Histogram::new(),
            decided_to_handed_over: Histogram::new(),
            decided_to_confirmed: Histogram::new(),
            sampled_to_confirmed: Histogram::new(),
            discarded: AtomicU64::new(0),
        }
    }
}

impl Latencies {
    /// Counts one measurement; one that is negative or above [`LATENCY_NS_MAX`] is discarded and counted as such.
    ///
    /// Returns the latency in seconds for the operators' histogram, or `None` when it was discarded.
    pub fn record(&self, hop: Hop, nanos: i64) -> Option<f64> {
        match u64::try_from(nanos) {
            Ok(nanos) if nanos <= LATENCY_NS_MAX => {
                self.of(hop).record(nanos);
                Some(std::time::Duration::from_nanos(nanos).as_secs_f64())
            }
            Ok(_) | Err(_) => {
                self.discarded.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// As [`Self::record`], between two points of the gateway's clock.
    pub fn record_between(&self, hop: Hop, from: Instant, to: Instant) -> Option<f64> {
        // Two clocks of 63 bits differ by less than 64 bits; what does not fit is discarded as too long.
        let nanos = i128::from(to.as_nanos()) - i128::from(from.as_nanos());
        self.record(hop, i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// Number of measurements that were left out.
    #[must_use]
    pub fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }

    /// What was measured so far, of every hop.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let hops = Hop::ALL.into_iter().map(|hop| self.of(hop).snapshot(hop)).collect();
        Snapshot { hops, discarded: self.discarded() }
    }

    const fn of(&self, hop: Hop) -> &Histogram {
        match hop {
            Hop::SampledToPublished => &self.sampled_to_published,
            Hop::PublishedToReceived => &self.published_to_received,
            Hop::ReceivedToDecided => &self.received_to_decided,
            Hop::DecidedToHandedOver => &self.decided_to_handed_over,
            Hop::DecidedToConfirmed => &self.decided_to_confirmed,
            Hop::SampledToConfirmed => &self.sampled_to_confirmed,
        }
    }
}

#[derive(Debug)]
struct Histogram {
    counters: Box<[AtomicU64]>,
    max: AtomicU64,
}

impl Histogram {
    fn new() -> Self {
        let counters = std::iter::repeat_with(AtomicU64::default).take(COUNTERS).collect();
        Self { counters, max: AtomicU64::new(0) }
    }

    fn record(&self, nanos: u64) {
        if let Some(counter) = self.counters.get(counter_of(nanos)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.max.fetch_max(nanos, Ordering::Relaxed);
    }

    /// Reads while others write: the counters are copied first, so that the percentiles fit the count.
    fn snapshot(&self, hop: Hop) -> HopSnapshot {
        let counts: Vec<u64> =
            self.counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect();
        let count = counts.iter().sum();
        let max_ns = self.max.load(Ordering::Relaxed);
        let percentile = |per_mille: u64| percentile(&counts, count, per_mille).min(max_ns);
        HopSnapshot {
            hop,
            count,
            p50_ns: percentile(500),
            p99_ns: percentile(990),
            p999_ns: percentile(999),
            max_ns,
        }
    }
}

/// The counter that a value belongs to.
#[expect(clippy::cast_possible_truncation, reason = "at most 64 doublings of 256 counters")]
const fn counter_of(nanos: u64) -> usize {
    let bits = u64::BITS - nanos.leading_zeros();
    let shift = bits.saturating_sub(EXACT_BITS);
    (shift as u64 * (EXACT / 2) + (nanos >> shift)) as usize
}

/// The greatest value that belongs to a counter.
const fn greatest_of(counter: u64) -> u64 {
    let half = EXACT / 2;
    if counter < EXACT {
        return counter;
    }
    let shift = counter / half - 1;
    let step = counter - shift * half;
    ((step + 1) << shift) - 1
}

/// The value that so many thousandths of the measurements do not exceed.
fn percentile(counts: &[u64], count: u64, per_mille: u64) -> u64 {
    let rank = (u128::from(count) * u128::from(per_mille)).div_ceil(1_000).max(1);
    let mut seen = 0_u128;
    for (counter, in_it) in (0_u64..).zip(counts) {
        seen += u128::from(*in_it);
        if seen >= rank {
            return greatest_of(counter);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(latencies: &Latencies, hop: Hop) -> HopSnapshot {
        latencies.snapshot().hops.into_iter().find(|snapshot| snapshot.hop == hop).unwrap()
    }

    #[test]
    fn percentiles_agree_with_hdrhistogram() {
        let latencies = Latencies::default();
        let mut oracle =
            hdrhistogram::Histogram::<u64>::new_with_bounds(1, LATENCY_NS_MAX, 4).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            // From nanoseconds to seconds, as dense in each doubling.
            let doubling = random.u32(0..=32);
            let nanos = random.u64(1..2 << doubling);
            latencies.record(Hop::ReceivedToDecided, i64::try_from(nanos).unwrap());
            oracle.record(nanos).unwrap();
        }
        let ours = of(&latencies, Hop::ReceivedToDecided);
        assert_eq!(ours.count, 100_000);
        for (quantile, ours) in [(0.5, ours.p50_ns), (0.99, ours.p99_ns), (0.999, ours.p999_ns)] {
            let theirs = oracle.value_at_quantile(quantile);
            let per_mille = ours * 1_000 / theirs;
            assert!((999..=1_008).contains(&per_mille), "{quantile}: {ours} against {theirs}");
        }
    }

    #[test]
    fn every_value_belongs_to_a_counter_whose_greatest_is_at_most_a_percent_above() {
        let mut value = 0_u64;
        while value <= LATENCY_NS_MAX {
            let counter = counter_of(value);
            let greatest = greatest_of(u64::try_from(counter).unwrap());
            assert!(counter < COUNTERS && greatest >= value, "{value}");
            assert!((greatest - value) * 127 <= value, "{value} reads as {greatest}");
            value += 1 + value / 97;
        }
    }

    #[test]
    fn what_no_path_can_take_is_discarded_and_counted() {
        let latencies = Latencies::default();
        assert_eq!(latencies.record(Hop::PublishedToReceived, -1), None);
        assert_eq!(latencies.record(Hop::PublishedToReceived, 10_000_000_001), None);
        assert_eq!(latencies.record(Hop::PublishedToReceived, i64::MAX), None);
        assert_eq!(latencies.record(Hop::PublishedToReceived, i64::MIN), None);
        let (early, late) = (Instant::from_millis(5), Instant::from_millis(7));
        assert_eq!(latencies.record_between(Hop::PublishedToReceived, late, early), None);
        assert_eq!(latencies.snapshot().discarded, 5);
        assert_eq!(of(&latencies, Hop::PublishedToReceived).count, 0);
        assert_eq!(latencies.record_between(Hop::PublishedToReceived, early, late), Some(0.002));
        assert_eq!(latencies.record(Hop::PublishedToReceived, 10_000_000_000), Some(10.0));
    }

    #[test]
    fn one_value_is_seen_at_once_and_shown_exactly() {
        let latencies = Latencies::default();
        latencies.record(Hop::DecidedToConfirmed, 123_456_789);
        let shown = of(&latencies, Hop::DecidedToConfirmed);
        assert_eq!((shown.count, shown.p50_ns, shown.max_ns), (1, 123_456_789, 123_456_789));
    }

    #[test]
    fn a_hop_without_measurements_says_so() {
        let snapshot = Latencies::default().snapshot();
        assert_eq!(snapshot.hops.len(), Hop::ALL.len());
        assert!(snapshot.hops.iter().all(|hop| hop.count == 0 && hop.p999_ns == 0));
    }

    #[test]
    fn threads_that_record_at_once_lose_nothing() {
        let latencies = Latencies::default();
        std::thread::scope(|scope| {
            for thread in 0..4_i64 {
                let latencies = &latencies;
                scope.spawn(move || {
                    for value in 0..10_000 {
                        latencies.record(Hop::ReceivedToDecided, value * (thread + 1));
                    }
                });
            }
            for _ in 0..10 {
                let shown = of(&latencies, Hop::ReceivedToDecided);
                assert!(shown.p50_ns <= shown.p99_ns && shown.count <= 40_000);
            }
        });
        let shown = of(&latencies, Hop::ReceivedToDecided);
        assert_eq!((shown.count, shown.max_ns), (40_000, 39_996));
        assert!(shown.p50_ns < 20_000, "{shown:?}");
    }
}
