//! The shape of trends and past alarms for programs.

use serde::Serialize;

use crate::model::{Bucket, PastAlarm, PastGap, Trend, TrendSeries};

/// A trend.
#[derive(Debug, Serialize)]
pub(crate) struct TrendJson<'a> {
    ward: &'a str,
    pump: &'a str,
    from_wall_ns: i64,
    width_ns: i64,
    series: Vec<SeriesJson<'a>>,
    gaps: Vec<GapJson>,
    damaged_records: u64,
}

#[derive(Debug, Serialize)]
struct SeriesJson<'a> {
    parameter: &'a str,
    unit: &'a str,
    buckets: Vec<Option<BucketJson>>,
    absences: Vec<AbsenceJson<'a>>,
}

#[derive(Debug, Serialize)]
struct AbsenceJson<'a> {
    bucket: usize,
    reasons: &'a [&'static str],
}

#[derive(Debug, Serialize)]
struct BucketJson {
    count: u64,
    min: f32,
    mean: f32,
    max: f32,
}

#[derive(Debug, Serialize)]
struct GapJson {
    from_wall_ns: i64,
    to_wall_ns: i64,
    reason: &'static str,
}

impl<'a> TrendJson<'a> {
    /// A trend.
    pub(crate) fn new(trend: &'a Trend) -> Self {
        Self {
            ward: &trend.name.ward,
            pump: &trend.name.pump,
            from_wall_ns: trend.from_ns,
            width_ns: trend.width_ns,
            series: trend.series.iter().map(SeriesJson::new).collect(),
            gaps: trend.gaps.iter().map(GapJson::new).collect(),
            damaged_records: trend.damaged,
        }
    }
}

impl<'a> SeriesJson<'a> {
    fn new(series: &'a TrendSeries) -> Self {
        let bucket =
            |Bucket { count, min, max, mean }: Bucket| BucketJson { count, min, mean, max };
        let absences = series.absences.iter();
        Self {
            parameter: &series.parameter,
            unit: &series.unit,
            buckets: series.buckets.iter().map(|one| one.map(bucket)).collect(),
            absences: absences
                .map(|(bucket, reasons)| AbsenceJson { bucket: *bucket, reasons })
                .collect(),
        }
    }
}

impl GapJson {
    const fn new(gap: &PastGap) -> Self {
        Self { from_wall_ns: gap.from_ns, to_wall_ns: gap.to_ns, reason: gap.reason }
    }
}

/// A revision of an alarm.
#[derive(Debug, Serialize)]
pub(crate) struct PastAlarmJson<'a> {
    at_wall_ns: i64,
    occurrence: &'a str,
    condition: &'a str,
    priority: &'static str,
    revision: u32,
    transition: &'static str,
}

impl<'a> PastAlarmJson<'a> {
    /// A revision.
    pub(crate) fn new(past: &'a PastAlarm) -> Self {
        Self {
            at_wall_ns: past.at_ns,
            occurrence: &past.alarm.occurrence,
            condition: &past.alarm.condition,
            priority: past.alarm.priority.id(),
            revision: past.alarm.revision,
            transition: past.transition,
        }
    }
}
