//! What was kept of a pump, as this display shows it.

use super::{Alarm, PumpName};

/// A time, in nanoseconds since 1970, by the gateway's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from_ns: i64,
    pub(crate) to_ns: i64,
}

/// Samples of one bucket; `None` where there is no value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) count: u64,
    pub(crate) min: f32,
    pub(crate) max: f32,
    pub(crate) mean: f32,
}

/// One parameter over a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrendSeries {
    pub(crate) parameter: String,
    pub(crate) unit: String,
    pub(crate) buckets: Vec<Option<Bucket>>,
    /// Why a bucket has samples without a value, by its place.
    pub(crate) absences: Vec<(usize, Vec<&'static str>)>,
}

/// A time without samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PastGap {
    pub(crate) from_ns: i64,
    pub(crate) to_ns: i64,
    pub(crate) reason: &'static str,
}

/// A trend of some parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trend {
    pub(crate) name: PumpName,
    pub(crate) from_ns: i64,
    pub(crate) width_ns: i64,
    pub(crate) series: Vec<TrendSeries>,
    pub(crate) gaps: Vec<PastGap>,
    pub(crate) damaged: u64,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PastSample {
    pub(crate) at_ns: i64,
    pub(crate) parameter: std::sync::Arc<str>,
    /// `None` where the sample is no measurement.
    pub(crate) value: Option<f32>,
    pub(crate) validity: &'static str,
    pub(crate) boot: u64,
    pub(crate) index: u64,
    pub(crate) backfilled: bool,
}

/// A revision of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PastAlarm {
    pub(crate) at_ns: i64,
    pub(crate) transition: &'static str,
    pub(crate) alarm: Alarm,
}
