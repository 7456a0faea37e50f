//! Every metric of the agent. No other module names a metric.
//!
//! Stages count into [`Counters`], which cost nanoseconds and allocate nothing; [`Metrics`] reads them when somebody asks. A
//! stage with a number of its own that is no count adds a name in `name.rs` and takes a [`Gauge`] handle from here.

pub mod name;

mod serve;

use std::sync::{Mutex, PoisonError};

use metrics::{Histogram, Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::clock;
use crate::counters::{BucketCount, Counters, Summary};
use name::{Kind, Name};

pub use metrics::{Counter, Gauge};
pub use serve::{CannotListen, serve};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// Labels of a series.
type Labels = &'static [(&'static str, &'static str)];

/// A series that follows a counter of the agent.
type Followed = (Name, Labels, fn(&Summary) -> u64);

/// Why a live frame is not sent.
const FULL: Labels = &[("reason", "full")];
const OLD: Labels = &[("reason", "old")];
const OVERSIZE: Labels = &[("reason", "oversize")];
const STOPPED: Labels = &[("reason", "stopped")];

/// Which series follows which counter.
const FOLLOWED: &[Followed] = &[
    (name::SAMPLES, &[], |summary| summary.samples),
    (name::TICKS, &[], |summary| summary.ticks),
    (name::TICKS_MISSED, &[], |summary| summary.ticks_missed),
    (name::OVERRUNS, &[], |summary| summary.overruns),
    (name::SAMPLES_OVERRUN, &[], |summary| summary.samples_overrun),
    (name::LINES_REFUSED, &[], |summary| summary.lines_refused),
    (name::SAMPLES_NOT_FINITE, &[], |summary| summary.samples_not_finite),
    (name::SAMPLES_NOT_FITTING, &[], |summary| summary.samples_not_fitting),
    (name::FRAMES_PREPARED, &[], |summary| summary.frames_prepared),
    (name::FRAMES_PUBLISHED, &[], |summary| summary.frames_published),
    (name::FRAMES_DROPPED, FULL, |summary| summary.frames_dropped_full),
    (name::FRAMES_DROPPED, OLD, |summary| summary.frames_dropped_old),
    (name::FRAMES_DROPPED, OVERSIZE, |summary| summary.frames_dropped_oversize),
    (name::FRAMES_DROPPED, STOPPED, |summary| summary.frames_dropped_stopped),
    (name::CONNECTIONS, &[], |summary| summary.connections),
    (name::CONNECTION_FAILURES, &[], |summary| summary.connection_failures),
];

/// The metrics of one agent run.
pub struct Metrics {
    // Not the global recorder: several agents may run in one process.
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    followed: Vec<Counter>,
    jitter: Histogram,
    jitter_max: Gauge,
    realtime: Gauge,
    memory_locked: Gauge,
    cpu: Counter,
    /// Until when the certificate holds, in seconds since 1970.
    pub certificate_until: Gauge,
    /// What the histogram holds already.
    told: Mutex<Vec<BucketCount>>,
}

impl Metrics {
    /// Describes every metric; all start at 0.
    #[must_use]
    pub fn new() -> Self {
        let mut builder = PrometheusBuilder::new();
        for name in name::ALL {
            if let Kind::Histogram(buckets) = name.kind {
                builder = builder
                    .set_buckets_for_metric(Matcher::Full(name.text.to_owned()), buckets)
                    .expect("the buckets are not empty");
            }
        }
        let recorder = builder.build_recorder();
        for name in name::ALL {
            let (text, help) = (name.text.into(), name.help.into());
            match name.kind {
                Kind::Counter => recorder.describe_counter(text, None, help),
                Kind::Gauge => recorder.describe_gauge(text, None, help),
                Kind::Histogram(_) => recorder.describe_histogram(text, None, help),
            }
        }
        let gauge = |name: &Name| recorder.register_gauge(&key(name, &[]), &METADATA);
        let counter =
            |name: &Name, labels| recorder.register_counter(&key(name, labels), &METADATA);
        let version = &[("version", env!("CARGO_PKG_VERSION"))];
        recorder.register_gauge(&key(&name::BUILD_INFO, version), &METADATA).set(1.0);
        Self {
            followed: FOLLOWED.iter().map(|(name, labels, _)| counter(name, labels)).collect(),
            jitter: recorder.register_histogram(&key(&name::JITTER_SECONDS, &[]), &METADATA),
            jitter_max: gauge(&name::JITTER_MAX),
            realtime: gauge(&name::REALTIME),
            memory_locked: gauge(&name::MEMORY_LOCKED),
            cpu: counter(&name::CPU, &[]),
            certificate_until: gauge(&name::CERTIFICATE_UNTIL),
            told: Mutex::default(),
            handle: recorder.handle(),
            recorder,
        }
    }

    /// A gauge that a stage sets by itself. Keep it.
    pub fn gauge(&self, name: &Name, labels: Labels) -> Gauge {
        self.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    /// Takes over what was counted since the last call. Called each second: the exporter keeps every new value of a histogram
    /// until it is sorted in, and a thousand ticks are few.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a lateness need no 53 bits")]
    pub fn follow(&self, counters: &Counters) {
        let summary = counters.summary();
        for (series, (_, _, read)) in self.followed.iter().zip(FOLLOWED) {
            series.absolute(read(&summary));
        }
        let buckets = counters.lateness.buckets();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.resize(buckets.len(), BucketCount::default());
        for (bucket, told) in buckets.iter().zip(told.iter_mut()) {
            let ticks = bucket.ticks - told.ticks;
            if ticks > 0 {
                // The mean of the bucket for each of its ticks: buckets and sum come out exactly.
                let mean_ns = (bucket.sum_ns - told.sum_ns) as f64 / ticks as f64;
                self.jitter.record_many(mean_ns / 1e9, usize::try_from(ticks).unwrap_or(0));
            }
            *told = *bucket;
        }
        drop(told);
        self.jitter_max.set(counters.lateness.max_us() as f64 / 1e6);
        let flag = |is_so| if is_so { 1.0 } else { 0.0 };
        if let Some(footing) = counters.footing.get() {
            self.realtime.set(flag(footing.realtime));
            self.memory_locked.set(flag(footing.memory_locked));
        }
        self.cpu.absolute(clock::cpu_time().as_secs());
        self.handle.run_upkeep();
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn key(name: &Name, labels: &[(&'static str, &'static str)]) -> Key {
    let labels: Vec<Label> =
        labels.iter().map(|(key, value)| Label::from_static_parts(key, value)).collect();
    Key::from_parts(name.text, labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn value(metrics: &Metrics, series: &str) -> f64 {
        let text = metrics.render();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in:\n{text}")).parse().unwrap()
    }

    #[test]
    fn every_series_is_there_from_the_start() {
        let metrics = Metrics::new();
        metrics.follow(&Counters::default());
        let text = metrics.render();
        for name in name::ALL {
            // A histogram that was never filled has no series; its first ticks come within milliseconds.
            let is_there = text.contains(&format!("# TYPE {}", name.text));
            assert!(is_there || matches!(name.kind, Kind::Histogram(_)), "{}", name.text);
        }
    }

    #[test]
    fn buckets_and_sum_of_the_jitter_are_those_that_were_counted() {
        let (metrics, counters) = (Metrics::new(), Counters::default());
        for (late_us, times) in [(7, 3), (40, 2), (999, 1), (30_000, 1)] {
            (0..times).for_each(|_| counters.lateness.add(Duration::from_micros(late_us)));
            // Between any two: nothing is told twice.
            metrics.follow(&counters);
        }
        metrics.follow(&counters);
        let bucket = |bound| {
            value(&metrics, &format!("ecmo_agent_sample_jitter_seconds_bucket{{le=\"{bound}\"}}"))
        };
        for (bound, ticks) in [
            ("0.00001", 3.0),
            ("0.000025", 3.0),
            ("0.00005", 5.0),
            ("0.001", 6.0),
            ("0.025", 6.0),
            ("+Inf", 7.0),
        ] {
            assert!((bucket(bound) - ticks).abs() < 0.5, "{bound}: {}", bucket(bound));
        }
        let sum = value(&metrics, "ecmo_agent_sample_jitter_seconds_sum");
        assert!((sum - 0.031_100).abs() < 1e-6, "{sum}");
        assert!((value(&metrics, "ecmo_agent_sample_jitter_max_seconds") - 0.03).abs() < 1e-9);
    }

    #[test]
    fn counters_are_followed_and_a_stage_sets_a_gauge_of_its_own() {
        let (metrics, counters) = (Metrics::new(), Counters::default());
        counters.samples.add(5);
        counters.frames_dropped_old.add(2);
        metrics.follow(&counters);
        assert!((value(&metrics, "ecmo_agent_samples_total") - 5.0).abs() < 1e-9);
        let dropped = "ecmo_agent_frames_dropped_total{reason=\"old\"}";
        assert!((value(&metrics, dropped) - 2.0).abs() < 1e-9);
        metrics.gauge(&name::REALTIME, &[]).set(1.0);
        assert!((value(&metrics, "ecmo_agent_sample_realtime") - 1.0).abs() < 1e-9);
    }
}
