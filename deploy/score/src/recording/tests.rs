//! Tests of reading recordings: what is accepted, what is refused and with which words.
#![cfg(test)]

use super::*;
use ecmo_core::reading::{NoData, Reading};

const HARMLESS: &str =
    r#"{"kg": 3, "target_ml_min": 350, "kind": "centrifugal", "therapy": "VA", "harmless": true}"#;

fn load(table: &str, facts: &str) -> (Result<Recording>, Vec<String>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (csv, json) = (folder.path().join("r.csv"), folder.path().join("r.json"));
    std::fs::write(&csv, table).unwrap();
    std::fs::write(&json, facts).unwrap();
    let mut notices = Vec::new();
    let recording = Recording::load(&csv, &json, &mut notices);
    (recording, notices, folder)
}

fn play(table: &str) -> Vec<(u64, &'static str, Reading)> {
    let (recording, _, _folder) = load(table, HARMLESS);
    let mut player = recording.unwrap().open().unwrap();
    let mut samples = Vec::new();
    let mut now = Duration::ZERO;
    loop {
        let from = samples.len();
        let Some(until) = player.advance(&mut samples).unwrap() else { break };
        assert!(samples[from..].iter().all(|sample| sample.at <= until && sample.at + TICK > now));
        now = until;
    }
    let entry = |sample: &Sample| {
        let millis = u64::try_from(sample.at.as_millis()).unwrap();
        (millis, sample.parameter.info().id, sample.reading)
    };
    samples.iter().map(entry).collect()
}

#[test]
fn an_awkward_table_is_read_as_it_is_meant() {
    let table = "\u{feff}# made elsewhere\r\n\"t_s\", press.drain ,note,FLOW.BLOOD\r\n\
                 10.00,-30.5,begin,\"350\"\r\n\r\n10.01,,,nan\r\n10.02,-31,,,\r\n10.05,-inf,,355\r\n";
    let value = Reading::Value;
    let expected = [
        (0, "press.drain", value(-30.5)),
        (0, "flow.blood", value(350.0)),
        (10, "flow.blood", Reading::NoData(NoData::NotMeasured)),
        (20, "press.drain", value(-31.0)),
        (50, "press.drain", Reading::NoData(NoData::BelowRange)),
        (50, "flow.blood", value(355.0)),
    ];
    assert_eq!(play(table), expected);
    let (_, notices, _folder) = load(table, HARMLESS);
    assert!(notices.iter().any(|notice| notice.ends_with("are ignored: note")), "{notices:?}");
}

#[test]
fn times_may_begin_anywhere_and_frames_lie_on_whole_periods() {
    for (first, second, millis) in
        [("-0.5", "-0.49", [0, 10]), ("1790000000.01", "1790000000.03", [10, 30])]
    {
        let played = play(&format!("t_s;press.drain\n{first};1\n{second};2\n"));
        let times: Vec<u64> = played.iter().map(|(at, _, _)| *at).collect();
        assert_eq!(times, millis, "{first}");
    }
}

#[test]
fn channels_are_declared_with_the_rate_that_they_have() {
    let mut table = "t_s,press.drain,sat.drain,air.bubble,hb\n".to_owned();
    for tick in 0..500 {
        let sat = if tick % 100 == 0 { "75" } else { "" };
        let bubble = if tick == 0 || tick == 400 { "0" } else { "" };
        table += &format!("{}.{:02},-30,{sat},{bubble},\n", tick / 100, tick % 100);
    }
    let (recording, notices, _folder) = load(&table, HARMLESS);
    let specs: Vec<_> = recording
        .unwrap()
        .specs
        .iter()
        .map(|spec| (spec.parameter.info().id, spec.interval.map(|interval| interval.as_millis())))
        .collect();
    assert_eq!(
        specs,
        [("press.drain", Some(10)), ("sat.drain", Some(1_000)), ("air.bubble", None)]
    );
    assert!(notices.iter().any(|notice| notice.ends_with("no channels: hb")), "{notices:?}");
}

#[test]
fn a_table_that_is_wrong_is_refused_with_line_and_what_to_do() {
    for (table, words) in [
        ("", "empty: write a header"),
        ("press.drain\n1\n", "r.csv:1: no column t_s"),
        ("t_s,remark\n1,2\n", "r.csv:1: no column is a channel id"),
        ("t_s,press.drain,press.drain\n", "r.csv:1: column \"press.drain\" stands twice"),
        ("t_s,press.drain\n", "no rows: write"),
        ("t_s,press.drain\n1,\n2,\n", "no values at all"),
        ("t_s,press.drain\n1,2\n0.5,3\n", "r.csv:3: t_s runs backwards: sort"),
        ("t_s,press.drain\nx,2\n", "r.csv:2: t_s \"x\" is no time"),
        ("t_s,press.drain\n,2\n", "r.csv:2: t_s \"\" is no time"),
        ("t_s,press.drain\nnan,2\n", "r.csv:2: t_s \"nan\" is no time"),
        ("t_s,press.drain\n1\n", "r.csv:2: 1 values for 2 columns"),
        ("t_s,press.drain\n1,2,3\n", "r.csv:2: 3 values for 2 columns"),
        ("t_s,press.drain\n1,--\n", "r.csv:2: press.drain: \"--\" is no number"),
        ("t_s,press.drain\n0,1\n31536001,1\n", "longer than a year"),
    ] {
        let (recording, _, _folder) = load(table, HARMLESS);
        let error = format!("{:#}", recording.unwrap_err());
        assert!(error.contains(words), "{table:?}: {error}");
    }
}

#[test]
fn the_truth_lies_on_the_time_of_the_table() {
    let facts = r#"{"harmless": false, "onset_s": 100.5, "end_s": null,
        "expect": {"any_of": "pump.stop", "priority_floor": "high", "within_s": 0.5}}"#;
    let table = "t_s,press.drain\n100.01,1\n101,2\n";
    let (recording, _, _folder) = load(table, facts);
    let truth = recording.unwrap().truth.unwrap();
    assert_eq!(
        (truth.begin, truth.onset),
        (Duration::from_millis(500), Some(Duration::from_millis(500)))
    );
    assert_eq!(truth.end, None);
    let (recording, _, _folder) = load(table, &facts.replace("100.5", "99"));
    assert!(recording.unwrap_err().to_string().contains("onset_s lies outside the recording"));
}

#[test]
fn a_folder_holds_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let error = |folder: &Path| format!("{:#}", load_folder(folder, &mut Vec::new()).unwrap_err());
    assert!(error(folder.path()).contains("no recording: put NAME.csv and NAME.json"));
    std::fs::write(folder.path().join("b.csv"), "t_s,press.drain\n0,1\n1,2\n").unwrap();
    assert!(error(folder.path()).contains("b.csv: there is no .json of the same name"));
    std::fs::write(folder.path().join("b.json"), HARMLESS).unwrap();
    std::fs::write(folder.path().join("a.JSON"), HARMLESS).unwrap();
    assert!(error(folder.path()).contains("a.JSON: there is no .csv of the same name"));
    std::fs::write(folder.path().join("a.csv"), "t_s,press.drain\n0,1\n1,2\n").unwrap();
    let recordings = load_folder(folder.path(), &mut Vec::new()).unwrap();
    let names: Vec<&str> = recordings.iter().map(|recording| recording.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(error(&folder.path().join("gone")).contains("cannot read the folder"));
}

proptest::proptest! {
    #[test]
    fn any_table_is_refused_or_played_without_panic(
        text in "(\u{feff}|#x\n)?(t_s,press.drain|t_s;air.bubble;x|t_s)\r?\n([0-9.,;\"\n -]|nan|inf|1e9|.){0,80}",
    ) {
        let (recording, _, _folder) = load(&text, HARMLESS);
        if let Ok(recording) = recording {
            let mut player = recording.open().unwrap();
            let mut samples = Vec::new();
            // A table may span a year; what is played is in order all the same.
            for _tick in 0..2_000 {
                if player.advance(&mut samples).unwrap().is_none() {
                    break;
                }
            }
            proptest::prop_assert!(samples.is_sorted_by_key(|sample| sample.at));
        }
    }

    #[test]
    fn every_value_is_read_as_it_was_written(value in proptest::num::f32::NORMAL, nanos in 0_u64..10_000_000_000) {
        let table = format!("t_s,press.drain\n0,1\n{}.{:09},{value}\n", nanos / 1_000_000_000, nanos % 1_000_000_000);
        let (recording, _, _folder) = load(&table, HARMLESS);
        let mut player = recording.unwrap().open().unwrap();
        let mut samples = Vec::new();
        while player.advance(&mut samples).unwrap().is_some() {}
        let last = samples.last().unwrap();
        proptest::prop_assert_eq!(last.reading, Reading::Value(value));
        proptest::prop_assert_eq!(last.at, Duration::from_nanos(nanos));
    }
}
