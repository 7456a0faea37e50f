//! Latencies of one series: percentiles of a round, median and best of several rounds.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest latency that is told apart, in nanoseconds: a minute.
const LONGEST_NS: u64 = 60_000_000_000;

/// Latencies of one round, in nanoseconds with three digits.
#[derive(Debug, Clone)]
pub(crate) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3);
        Self(histogram.expect("1 ns to a minute with three digits is possible"))
    }
}

impl Times {
    /// Takes one latency; one beyond a minute counts as a minute.
    pub(crate) fn record(&mut self, nanos: u64) {
        self.0.saturating_record(nanos);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The percentiles.
    pub(crate) fn quantiles(&self) -> Quantiles {
        let at = |quantile| self.0.value_at_quantile(quantile);
        Quantiles {
            count: self.0.len(),
            p50_ns: at(0.50),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: self.0.max(),
        }
    }
}

/// Percentiles of one series, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) count: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p999_ns: u64,
    pub(crate) max_ns: u64,
}

impl Quantiles {
    /// Combines several rounds, each percentile by itself; the count is the sum.
    fn over(rounds: &[Self], choose: impl Fn(Vec<u64>) -> u64) -> Self {
        let of = |pick: fn(&Self) -> u64| choose(rounds.iter().map(pick).collect());
        Self {
            count: rounds.iter().map(|round| round.count).sum(),
            p50_ns: of(|round| round.p50_ns),
            p99_ns: of(|round| round.p99_ns),
            p999_ns: of(|round| round.p999_ns),
            max_ns: of(|round| round.max_ns),
        }
    }

    /// The median over rounds; the upper one of two.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        Self::over(rounds, |mut values| {
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or(0)
        })
    }

    /// The best over rounds.
    pub(crate) fn best(rounds: &[Self]) -> Self {
        Self::over(rounds, |values| values.into_iter().min().unwrap_or(0))
    }
}

/// Nanoseconds as microseconds.
pub(crate) fn micros(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64() * 1e6
}

/// What the median and the best over rounds are of ratios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) best: f64,
}

impl Ratio {
    /// Of `ours` to the sum of both hops, round by round: noise of a round hits numerator and denominator.
    pub(crate) fn of(
        ours: &[Quantiles],
        broker_hop: &[Quantiles],
        stream_hop: &[Quantiles],
        pick: fn(&Quantiles) -> u64,
    ) -> Self {
        let hops = broker_hop.iter().zip(stream_hop);
        let mut ratios: Vec<f64> = ours
            .iter()
            .zip(hops)
            .map(|(ours, (broker, stream))| {
                micros(pick(ours)) / micros(pick(broker) + pick(stream)).max(f64::MIN_POSITIVE)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        Self {
            median: ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN),
            best: ratios.first().copied().unwrap_or(f64::NAN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(value: u64) -> Quantiles {
        Quantiles {
            count: 10,
            p50_ns: value,
            p99_ns: 2 * value,
            p999_ns: 3 * value,
            max_ns: 4 * value,
        }
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        let mut times = Times::default();
        (1..=1_000).for_each(|us| times.record(us * 1_000));
        times.record(u64::MAX);
        let quantiles = times.quantiles();
        assert_eq!((quantiles.count, times.count()), (1_001, 1_001));
        for (got, expected) in [(quantiles.p50_ns, 501_000), (quantiles.p99_ns, 991_000)] {
            assert!(got.abs_diff(expected) <= expected / 500, "{got} is not {expected}");
        }
        assert!(quantiles.max_ns >= LONGEST_NS);
    }

    #[test]
    fn median_and_best_are_taken_of_each_percentile() {
        let rounds = [round(30), round(10), round(20)];
        let median = Quantiles::median(&rounds);
        assert_eq!((median.p50_ns, median.p99_ns, median.count), (20, 40, 30));
        assert_eq!(Quantiles::best(&rounds).p999_ns, 30);
        assert_eq!(Quantiles::median(&[]).p50_ns, 0);
    }

    #[test]
    fn a_ratio_is_taken_within_a_round() {
        let ours = [round(40), round(90), round(20)];
        let hop = [round(10), round(15), round(20)];
        let ratio = Ratio::of(&ours, &hop, &hop, |round| round.p99_ns);
        assert!((ratio.median - 2.0).abs() < 1e-9 && (ratio.best - 0.5).abs() < 1e-9, "{ratio:?}");
        assert!(Ratio::of(&[], &[], &[], |round| round.p50_ns).median.is_nan());
    }
}
