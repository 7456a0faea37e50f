//! Trends, gaps and alarms of the past as text.

use crate::clock::{local_wall, rfc3339};
use crate::format::{NO_VALUE, table};
use crate::model::{Bucket, PastAlarm, PastGap, PumpName, Trend, TrendSeries};

use super::{condition_text, priority_label};

/// A time as `2026-01-02 14:03:07`, in this display's time zone.
pub(crate) fn second_text(wall_ns: i64) -> String {
    local_wall(wall_ns).map_or_else(
        || "unknown time".to_owned(),
        |at| format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second()),
    )
}

/// Begin of a bucket.
fn begin_ns(trend: &Trend, place: usize) -> i64 {
    let place = i64::try_from(place).unwrap_or(i64::MAX);
    trend.from_ns.saturating_add(trend.width_ns.saturating_mul(place))
}

fn places(trend: &Trend) -> usize {
    trend.series.first().map_or(0, |series| series.buckets.len())
}

fn at(series: &TrendSeries, place: usize) -> Option<Bucket> {
    series.buckets.get(place).copied().flatten()
}

fn why(series: &TrendSeries, place: usize) -> String {
    let found = series.absences.iter().find(|(bucket, _reasons)| *bucket == place);
    found.map_or_else(String::new, |(_bucket, reasons)| reasons.join(" "))
}

/// A trend as a table: a line a bucket, least, mean and greatest of each parameter; what is not there is said, never drawn on.
pub(crate) fn trend_lines(trend: &Trend) -> Vec<String> {
    let mut head = vec!["FROM".to_owned()];
    head.extend(trend.series.iter().map(|one| format!("{} [{}]", one.parameter, one.unit)));
    let mut rows = vec![head];
    for place in 0..places(trend) {
        let mut row = vec![second_text(begin_ns(trend, place))];
        row.extend(trend.series.iter().map(|series| {
            let absent = why(series, place);
            match at(series, place) {
                Some(Bucket { min, mean, max, .. }) => {
                    format!("{min:.1} {mean:.1} {max:.1} {absent}").trim_end().to_owned()
                }
                None => format!("{NO_VALUE} {absent}").trim_end().to_owned(),
            }
        }));
        rows.push(row);
    }
    let mut lines = vec![format!(
        "{}: least, mean, greatest in {:.0} s each",
        trend.name,
        seconds(trend.width_ns)
    )];
    lines.extend(table(&rows));
    lines.extend(trend.gaps.iter().map(gap_line));
    lines.extend(damage_line(trend.damaged));
    lines
}

#[expect(clippy::cast_precision_loss, reason = "seconds for a person")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

fn gap_line(gap: &PastGap) -> String {
    let (from, to) = (second_text(gap.from_ns), second_text(gap.to_ns));
    format!("no samples from {from} to {to}: {}", gap.reason.replace('_', " "))
}

/// What is said of records that cannot be read; `None` when there are none.
pub(crate) fn damage_line(damaged: u64) -> Option<String> {
    (damaged > 0).then(|| format!("{damaged} records are damaged: what was in them is missing"))
}

/// A trend as CSV: a line for each bucket and parameter.
pub(crate) fn trend_csv(trend: &Trend) -> Vec<String> {
    let mut lines = vec!["time,parameter,unit,count,min,mean,max,absent".to_owned()];
    for place in 0..places(trend) {
        let time = rfc3339(begin_ns(trend, place)).unwrap_or_default();
        for series in &trend.series {
            let (id, unit, why) = (&series.parameter, &series.unit, why(series, place));
            lines.push(match at(series, place) {
                Some(Bucket { count, min, max, mean }) => {
                    format!("{time},{id},{unit},{count},{min},{mean},{max},{why}")
                }
                None => format!("{time},{id},{unit},0,,,,{why}"),
            });
        }
    }
    lines
}

/// A revision of an alarm as a line.
pub(crate) fn past_alarm_line(name: &PumpName, past: &PastAlarm) -> String {
    let PastAlarm { at_ns, transition, alarm } = past;
    format!(
        "{}  {name}  {}  {}  {transition}",
        second_text(*at_ns),
        priority_label(alarm.priority),
        condition_text(&alarm.condition),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend() -> Trend {
        let bucket = Bucket { count: 60, min: 1.0, max: 3.0, mean: 2.0 };
        Trend {
            name: PumpName { ward: "nicu".into(), pump: "p1".into() },
            from_ns: 1_767_358_800_000_000_000,
            width_ns: 60_000_000_000,
            series: vec![TrendSeries {
                parameter: "flow.blood".into(),
                unit: "mL/min".into(),
                buckets: vec![Some(bucket), None],
                absences: vec![(1, vec!["sensor_off"])],
            }],
            gaps: vec![PastGap { from_ns: 0, to_ns: 60, reason: "not_running" }],
            damaged: 2,
        }
    }

    #[test]
    fn a_bucket_without_a_value_is_no_number_and_says_why() {
        let lines = trend_lines(&trend());
        assert!(lines[2].ends_with("1.0 2.0 3.0"), "{lines:?}");
        assert!(lines[3].ends_with("--- sensor_off"), "{lines:?}");
        assert!(lines[4].starts_with("no samples") && lines[4].ends_with("not running"));
        assert!(lines[5].starts_with("2 records are damaged"));
        assert_eq!(
            trend_csv(&trend()),
            [
                "time,parameter,unit,count,min,mean,max,absent",
                "2026-01-02T13:00:00.000Z,flow.blood,mL/min,60,1,2,3,",
                "2026-01-02T13:01:00.000Z,flow.blood,mL/min,0,,,,sensor_off",
            ]
        );
    }
}
