//! Tables as other people write them: slow, sparse, without half of the channels; the truth is in the table's own time.

use std::fmt::Write as _;
use std::path::Path;

use ecmo_score::recording::load_folder;
use ecmo_score::rules::RuleBook;
use ecmo_score::score::{judge_recording, score_recordings};

/// A console's record, once a second: the pump stops at `stop`, its channels end at `silent`.
pub(crate) fn console(seconds: u32, stop: u32, silent: u32) -> String {
    let mut table =
        "t_s,pump.speed,pump.speed.set,flow.blood,press.drain,press.pre,press.post,remark\n"
            .to_owned();
    for second in 0..seconds {
        let runs = second < stop;
        let wobble = [0, 1, -1, 2][usize::try_from(second % 4).unwrap()];
        let set = if second == 0 { "2400" } else { "" };
        let row = match (second < silent, runs) {
            (false, _) => ",,,,,,".to_owned(),
            (true, true) => format!(
                "{},{set},{},{},{},{},",
                2_400 + wobble,
                350 + 10 * wobble,
                -30 + wobble,
                130 + wobble,
                120 - wobble
            ),
            (true, false) => {
                format!("0,{set},{},{},{},{},", wobble, 5 + wobble, 40 + wobble, 40 - wobble)
            }
        };
        _ = writeln!(table, "{}.250,{row}", 1_000 + second);
    }
    table
}

pub(crate) const STOPPED: &str = r#"{"kg": 3, "target_ml_min": 350, "kind": "centrifugal", "therapy": "VA", "harmless": false,
    "onset_s": 1120.25, "end_s": null,
    "expect": {"any_of": ["pump.stop"], "priority_floor": "high", "within_s": 2.5}}"#;

pub(crate) const HARMLESS: &str =
    r#"{"kg": 3, "target_ml_min": 350, "kind": "centrifugal", "therapy": "VA", "harmless": true}"#;

pub(crate) fn write(folder: &Path, name: &str, table: &str, facts: &str) {
    std::fs::write(folder.join(format!("{name}.csv")), table).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), facts).unwrap();
}

#[test]
fn a_stop_in_a_slow_table_is_caught_at_the_sample_that_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "stop", &console(180, 120, 1_000), STOPPED);
    let recordings = load_folder(folder.path(), &mut Vec::new()).unwrap();
    let judged = judge_recording(&recordings[0], &RuleBook::shipped()).unwrap();
    let stop = judged.told.iter().find(|told| told.condition.to_string() == "pump.stop").unwrap();
    // The run begins at 1000.24 s, on a whole frame; the stop is seen at 1120.25 s and lasts at 1121.25 s.
    assert_eq!(stop.at.as_millis(), 121_010);
    let tally = score_recordings(&recordings, &RuleBook::shipped()).unwrap();
    assert_eq!(tally.rows["pump.stop"].delays[0].as_millis(), 1_000);
}

#[test]
fn a_table_that_falls_silent_is_a_fault_of_its_sensors_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "silent", &console(180, 1_000, 120), HARMLESS);
    let recordings = load_folder(folder.path(), &mut Vec::new()).unwrap();
    let judged = judge_recording(&recordings[0], &RuleBook::shipped()).unwrap();
    let raised: Vec<(u128, String)> = judged
        .told
        .iter()
        .filter(|told| told.raised)
        .map(|told| (told.at.as_secs().into(), told.condition.to_string()))
        .collect();
    assert!(!raised.is_empty(), "silence is never quiet");
    for (second, condition) in &raised {
        // The last rows are those of 1119.25 s; three periods later the channels count as silent.
        assert!((121..=124).contains(second), "{second} {condition}");
        assert!(
            condition.starts_with("sensor.fault.") || condition == "comm.console_silent",
            "{condition}"
        );
    }
}

#[test]
fn a_healthy_table_raises_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "healthy", &console(600, 1_000, 1_000), HARMLESS);
    let mut notices = Vec::new();
    let recordings = load_folder(folder.path(), &mut notices).unwrap();
    assert!(notices.iter().any(|notice| notice.ends_with("ignored: remark")), "{notices:?}");
    let tally = score_recordings(&recordings, &RuleBook::shipped()).unwrap();
    assert_eq!(tally.false_alarms, []);
    assert!(tally.is_reached());
}
