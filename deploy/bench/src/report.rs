//! The table and the JSON of a run.

use std::fmt::Write;

use serde::Serialize;

use crate::args::Latency;
use crate::machine::Machine;
use crate::ours::Counts;
use crate::series::{Quantiles, Ratio, micros};

/// Ours against both hops, at p99.
pub(crate) const RATIO_MAX: f64 = 1.5;

/// From the gateway's acceptance of a frame to its alarm, p99 in nanoseconds.
const DECIDED_MAX_NS: u64 = 50_000;

/// One round.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) broker_hop: Quantiles,
    pub(crate) stream_hop: Quantiles,
    pub(crate) ours: Quantiles,
    pub(crate) accepted: Quantiles,
    pub(crate) decided: Quantiles,
    pub(crate) delivered: Quantiles,
    pub(crate) pacing: Quantiles,
    pub(crate) counts: Counts,
    pub(crate) frame_bytes: usize,
    pub(crate) message_bytes: usize,
}

/// A run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) settings: Latency,
    pub(crate) machine: Machine,
    pub(crate) broker: String,
    pub(crate) load_before: String,
    pub(crate) load_after: String,
    pub(crate) rounds: Vec<Round>,
    pub(crate) summary: Summary,
}

/// One series over all rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) series: &'static str,
    pub(crate) median: Quantiles,
    pub(crate) best: Quantiles,
}

/// What the rounds come to.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) lines: Vec<Line>,
    pub(crate) ratio_p50: Ratio,
    pub(crate) ratio_p99: Ratio,
    pub(crate) ratio_p999: Ratio,
    pub(crate) ratio_reached: bool,
    pub(crate) decided_p99_ns: u64,
    pub(crate) decided_reached: bool,
    pub(crate) lost: u64,
    pub(crate) invented: u64,
}

/// What a round says about one series.
type Pick = fn(&Round) -> Quantiles;

/// Names of the series, in the order of the table.
const SERIES: [(&str, Pick); 7] = [
    ("L0 broker hop", |round| round.broker_hop),
    ("T0 stream hop", |round| round.stream_hop),
    ("ours", |round| round.ours),
    ("  published-accepted", |round| round.accepted),
    ("  accepted-decided", |round| round.decided),
    ("  decided-display", |round| round.delivered),
    ("pacing (in L0)", |round| round.pacing),
];

impl Summary {
    pub(crate) fn of(rounds: &[Round]) -> Self {
        let series = |pick: Pick| rounds.iter().map(pick).collect::<Vec<_>>();
        let lines = SERIES.map(|(name, pick)| {
            let values = series(pick);
            Line {
                series: name,
                median: Quantiles::median(&values),
                best: Quantiles::best(&values),
            }
        });
        let (ours, broker, stream) = (
            series(|round| round.ours),
            series(|round| round.broker_hop),
            series(|round| round.stream_hop),
        );
        let ratio = |pick| Ratio::of(&ours, &broker, &stream, pick);
        let decided_p99_ns = Quantiles::median(&series(|round| round.decided)).p99_ns;
        let ratio_p99 = ratio(|round| round.p99_ns);
        let lost = rounds.iter().map(|round| round.counts.lost).sum();
        let invented = rounds.iter().map(|round| round.counts.invented).sum();
        // What did not arrive was not measured: percentiles of the rest would flatter.
        let is_complete = lost == 0 && invented == 0;
        Self {
            lines: lines.into(),
            ratio_p50: ratio(|round| round.p50_ns),
            ratio_p99,
            ratio_p999: ratio(|round| round.p999_ns),
            ratio_reached: is_complete && ratio_p99.median <= RATIO_MAX,
            decided_p99_ns,
            decided_reached: is_complete && decided_p99_ns <= DECIDED_MAX_NS,
            lost,
            invented,
        }
    }

    /// Whether every alarm arrived, and none that no frame asked for.
    pub(crate) const fn is_complete(&self) -> bool {
        self.lost == 0 && self.invented == 0
    }
}

/// The report for people.
pub(crate) fn table(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _cannot_fail = write_table(&mut text, report);
    text
}

fn write_table(out: &mut String, report: &Report) -> std::fmt::Result {
    let (settings, machine, summary) = (&report.settings, &report.machine, &report.summary);
    writeln!(
        out,
        "{} pumps x {} frames/s, {} displays, {} rounds of {} s; version {} ({})",
        settings.pumps,
        settings.rate,
        settings.displays,
        settings.rounds,
        settings.seconds,
        machine.version,
        machine.profile
    )?;
    writeln!(out, "{}, {} cores, kernel {}", machine.processor, machine.cores, machine.kernel)?;
    writeln!(
        out,
        "broker: {}; load average before {}, after {}",
        report.broker, report.load_before, report.load_after
    )?;
    if let Some(round) = report.rounds.last() {
        let (frame, message) = (round.frame_bytes, round.message_bytes);
        writeln!(
            out,
            "frame {frame} bytes on average, alarm of T0 {message} bytes; all times from the intended send time"
        )?;
    }
    writeln!(
        out,
        "\n{:22}{:>9}{:>9}{:>9}{:>9}   {:>9}{:>9}{:>9}{:>9}",
        "us", "p50", "p99", "p99.9", "max", "p50", "p99", "p99.9", "count"
    )?;
    writeln!(out, "{:22}{:>36}   {:>27}", "", "median of rounds", "best of rounds")?;
    for Line { series, median, best } in &summary.lines {
        writeln!(
            out,
            "{series:22}{:>9.1}{:>9.1}{:>9.1}{:>9.1}   {:>9.1}{:>9.1}{:>9.1}{:>9}",
            micros(median.p50_ns),
            micros(median.p99_ns),
            micros(median.p999_ns),
            micros(median.max_ns),
            micros(best.p50_ns),
            micros(best.p99_ns),
            micros(best.p999_ns),
            median.count
        )?;
    }
    let Summary { ratio_p50, ratio_p99, ratio_p999, .. } = summary;
    writeln!(out, "\nours / (L0 + T0), taken within each round: median, best")?;
    for (name, ratio) in [("p50", ratio_p50), ("p99", ratio_p99), ("p99.9", ratio_p999)] {
        writeln!(out, "{name:22}{:>9.2}{:>9.2}", ratio.median, ratio.best)?;
    }
    write_counts(out, report)?;
    if !summary.is_complete() {
        return writeln!(out, "\ntargets: not judged, because alarms were lost or invented");
    }
    writeln!(
        out,
        "\nours p99 <= {RATIO_MAX} x (L0 p99 + T0 p99): {} ({:.2})",
        word(summary.ratio_reached),
        ratio_p99.median
    )?;
    writeln!(
        out,
        "accepted-decided p99 <= {:.0} us: {} ({:.1} us)",
        micros(DECIDED_MAX_NS),
        word(summary.decided_reached),
        micros(summary.decided_p99_ns)
    )
}

fn write_counts(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "\nalarm changes at each display")?;
    for (number, round) in (1..).zip(&report.rounds) {
        let counts = &round.counts;
        write!(
            out,
            "round {number}: expected {}, received {} to {}, lost {}, invented {}; frames {} and {} missing",
            counts.expected_per_display,
            counts.received_min,
            counts.received_max,
            counts.lost,
            counts.invented,
            counts.frames_received,
            counts.frames_missing
        )?;
        match counts.gateway_processor_ms {
            Some(ms) => writeln!(out, "; gateway used {ms} ms of processor")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

pub(crate) const fn word(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(p99_ns: u64) -> Quantiles {
        Quantiles { count: 1, p50_ns: p99_ns / 2, p99_ns, p999_ns: p99_ns * 2, max_ns: p99_ns * 3 }
    }

    fn round(ours_p99_ns: u64, lost: u64) -> Round {
        Round {
            broker_hop: quantiles(100_000),
            stream_hop: quantiles(300_000),
            ours: quantiles(ours_p99_ns),
            accepted: quantiles(1),
            decided: quantiles(60_000),
            delivered: quantiles(1),
            pacing: quantiles(1),
            counts: Counts {
                expected_per_display: 4,
                received_min: 4 - lost,
                received_max: 4,
                lost,
                invented: 0,
                data_revisions: 0,
                frames_missing: 0,
                frames_received: 9,
                gateway_processor_ms: None,
            },
            frame_bytes: 200,
            message_bytes: 250,
        }
    }

    fn report(rounds: Vec<Round>) -> Report {
        use crate::args::{Arguments, Command};
        use clap::Parser;
        let Command::Latency(settings) =
            Arguments::try_parse_from(["ecmo-bench", "latency"]).unwrap().command
        else {
            panic!("another command")
        };
        Report {
            settings,
            machine: Machine::here(),
            broker: "embedded".to_owned(),
            load_before: "1".to_owned(),
            load_after: "2".to_owned(),
            summary: Summary::of(&rounds),
            rounds,
        }
    }

    #[test]
    fn the_target_is_judged_by_the_median_ratio() {
        let reached = report(vec![round(500_000, 0), round(600_000, 0), round(9_000_000, 0)]);
        assert!(reached.summary.ratio_reached && reached.summary.is_complete());
        let text = table(&reached);
        assert!(text.contains("(L0 p99 + T0 p99): reached (1.50)"), "{text}");
        assert!(text.contains("<= 50 us: MISSED (60.0 us)"), "{text}");
        let missed = report(vec![round(700_000, 0)]);
        assert!(table(&missed).contains("(L0 p99 + T0 p99): MISSED (1.75)"));
    }

    #[test]
    fn a_lost_alarm_is_no_complete_run() {
        let lossy = report(vec![round(1, 0), round(1, 2)]);
        assert!(!lossy.summary.is_complete());
        let text = table(&lossy);
        assert!(text.contains("received 2 to 4, lost 2"), "{text}");
        assert!(text.contains("not judged") && !text.contains("reached"), "{text}");
        assert!(!lossy.summary.ratio_reached && !lossy.summary.decided_reached);
    }
}
