//! What was kept, from messages to this display's words.

use std::sync::Arc;

use ecmo_export::{Cell, Stretch};
use ecmo_proto::v1 as wire;

use crate::model::{Bucket, PastAlarm, PastGap, PastSample, PumpName, Trend, TrendSeries};

/// A trend.
pub(crate) fn trend(name: PumpName, answer: wire::QueryTrendResponse) -> Trend {
    Trend {
        name,
        from_ns: answer.from_wall_ns,
        width_ns: i64::try_from(answer.width_ns).unwrap_or(i64::MAX),
        series: answer.series.into_iter().map(series).collect(),
        gaps: answer.gaps.iter().map(past_gap).collect(),
        damaged: answer.damaged_records,
    }
}

fn series(of: wire::TrendSeries) -> TrendSeries {
    let numbers = of.count.iter().zip(&of.min).zip(&of.max).zip(&of.mean);
    let buckets = numbers.map(|(((count, min), max), mean)| {
        let bucket = Bucket { count: *count, min: *min, max: *max, mean: *mean };
        (bucket.count > 0).then_some(bucket)
    });
    let absences = of.absences.iter().map(|absence| {
        let place = usize::try_from(absence.bucket).unwrap_or(usize::MAX);
        (place, absence.reasons().map(validity_word).collect())
    });
    TrendSeries {
        buckets: buckets.collect(),
        absences: absences.collect(),
        parameter: of.parameter,
        unit: of.unit,
    }
}

/// A time without samples.
pub(crate) fn past_gap(gap: &wire::HistoryGap) -> PastGap {
    use wire::HistoryGapReason as Reason;
    let reason = match gap.reason() {
        Reason::Unspecified => "unknown",
        Reason::NotRunning => "not_running",
        Reason::NotReceived => "not_received",
        Reason::AgentRestarted => "agent_restarted",
        Reason::NotRecorded => "not_recorded",
        Reason::ClockSet => "clock_set",
        Reason::Damaged => "damaged",
    };
    PastGap { from_ns: gap.from_wall_ns, to_ns: gap.to_wall_ns, reason }
}

/// The samples of a block.
pub(crate) fn stretch(block: &wire::HistoryBlock) -> Stretch {
    let mut validity = block.validity.iter().flat_map(|run| {
        std::iter::repeat_n(run.validity(), usize::try_from(run.count).unwrap_or(usize::MAX))
    });
    let all_valid = block.validity.is_empty();
    let cells = block.values.iter().map(|value| {
        let said = if all_valid { Some(wire::Validity::Valid) } else { validity.next() };
        let said = said.unwrap_or(wire::Validity::Unspecified);
        let is_value = matches!(said, wire::Validity::Valid | wire::Validity::Questionable);
        Cell { value: is_value.then_some(*value), validity: validity_word(said) }
    });
    Stretch {
        cells: cells.collect(),
        parameter: Arc::from(block.parameter.as_str()),
        boot: block.boot_id,
        first_index: block.first_index,
        start_ns: block.start_wall_ns,
        interval_ns: block.interval_ns,
        is_late: block.backfilled,
    }
}

/// All samples of some messages, in the order of time.
pub(crate) fn samples(messages: &[wire::ReadWaveformResponse]) -> Vec<PastSample> {
    let mut samples = Vec::new();
    for block in messages.iter().flat_map(|message| &message.blocks) {
        let of = stretch(block);
        let step_ns = i64::try_from(of.interval_ns).unwrap_or(i64::MAX);
        let mut at_ns = of.start_ns;
        for (index, cell) in (of.first_index..).zip(&of.cells) {
            samples.push(PastSample {
                at_ns,
                parameter: Arc::clone(&of.parameter),
                value: cell.value,
                validity: cell.validity,
                boot: of.boot,
                index,
                backfilled: of.is_late,
            });
            at_ns = at_ns.saturating_add(step_ns);
        }
    }
    samples.sort_by(|one, other| (one.at_ns, &one.parameter).cmp(&(other.at_ns, &other.parameter)));
    samples
}

/// A revision of an alarm; `None` for one that cannot be read.
pub(crate) fn past_alarm(revision: wire::AlarmRevision) -> Option<PastAlarm> {
    use wire::AlarmTransition as Step;
    let alarm = revision.alarm?;
    let transition = match alarm.transition() {
        Step::Unspecified => "",
        Step::Raised => "raised",
        Step::Returned => "returned",
        Step::Worsened => "worsened",
        Step::Latched => "latched",
        Step::Acknowledged => "acknowledged",
        Step::DataLost => "data lost",
        Step::DataBack => "data back",
        Step::RuleChanged => "rule changed",
        Step::AudioChanged => "sound changed",
        Step::Reminded => "reminded",
        Step::Ended => "ended",
    };
    Some(PastAlarm { at_ns: revision.at_wall_ns, transition, alarm: super::alarm(alarm) })
}

const fn validity_word(validity: wire::Validity) -> &'static str {
    match validity {
        wire::Validity::Unspecified => "unspecified",
        wire::Validity::Valid => "valid",
        wire::Validity::Questionable => "questionable",
        wire::Validity::BelowRange => "below_range",
        wire::Validity::AboveRange => "above_range",
        wire::Validity::NotMeasured => "not_measured",
        wire::Validity::SensorOff => "sensor_off",
        wire::Validity::SensorFault => "sensor_fault",
        wire::Validity::Calibrating => "calibrating",
        wire::Validity::Stale => "stale",
        wire::Validity::Simulated => "simulated",
        wire::Validity::CommLost => "comm_lost",
    }
}
