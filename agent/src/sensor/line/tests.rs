//! Lines as people write them, in their time, and every byte that is none.

use super::parse::Problem;
use super::*;
use crate::config::{Settings, SourceSettings};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;

fn settings(from: &Path, keys: &str) -> LinesSettings {
    let text = format!(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:1\"\n[[source]]\nkind = \"line\"\nfrom = \"{}\"\n{keys}\n\
         [[source.channel]]\nparameter = \"press.drain\"\n\
         [[source.channel]]\nparameter = \"flow.blood\"\nunit = \"L/min\"\ncolumn = \"flow\"\nrate_hz = 2\n\
         [[source.channel]]\nparameter = \"air.bubble\"\non_change = true\n",
        from.display()
    );
    let SourceSettings::Line(settings) = Settings::parse(&text, "t").unwrap().sources.remove(0)
    else {
        panic!("another kind")
    };
    settings
}

fn parser() -> Parser {
    let settings = settings(Path::new("/dev/null"), "rate_hz = 10");
    Parser::new(&settings.channels, None)
}

#[test]
fn a_line_is_a_row_a_header_nothing_or_refused() {
    let mut parser = parser();
    let empty = Some(Cell::Empty);
    let number = |number| Some(Cell::Number(number));
    let none = |reason| Some(Cell::NoData(reason));
    for (line, expected) in [
        ("1,2", Err(Problem::NoHeader)),
        ("# a remark", Ok(None)),
        ("t_s,press.drain,flow,other", Ok(None)),
        (
            "1.5, -45 ,0.35,x",
            Ok(Some(Row {
                nanos: Some(1_500_000_000),
                cells: vec![number(-45.0), number(0.35), None],
            })),
        ),
        (
            "2,,---,",
            Ok(Some(Row {
                nanos: Some(2_000_000_000),
                cells: vec![empty, none(NoData::NotMeasured), None],
            })),
        ),
        ("3,sensor_off,1", Err(Problem::Width)),
        ("x,1,2,3", Err(Problem::Time)),
        ("3,1,twelve,3", Err(Problem::Cell)),
        ("press.drain,press.drain", Err(Problem::Header)),
        ("3,1,2,3", Err(Problem::NoHeader)),
        ("air.bubble", Ok(None)),
        ("true", Ok(Some(Row { nanos: None, cells: vec![None, None, number(1.0)] }))),
        (
            r#"{"press.drain": -45.5, "flow": null, "air.bubble": false, "note": [1]}"#,
            Ok(Some(Row {
                nanos: None,
                cells: vec![number(-45.5), none(NoData::NotMeasured), number(0.0)],
            })),
        ),
        (
            r#"{"flow": "sensor_off", "t_s": 7.25}"#,
            Ok(Some(Row {
                nanos: Some(7_250_000_000),
                cells: vec![None, none(NoData::SensorOff), None],
            })),
        ),
        (r#"{"flow": [1]}"#, Err(Problem::Cell)),
        (r#"{"flow": 1"#, Err(Problem::Json)),
        ("{}", Err(Problem::Json)),
    ] {
        assert_eq!(parser.line(line.as_bytes()), expected, "{line}");
    }
    assert_eq!(parser.line(&[0xff, b'1']), Err(Problem::NoText));
}

#[test]
fn the_first_line_of_a_stream_without_a_header_is_taken_for_torn() {
    let settings = settings(Path::new("/dev/null"), "rate_hz = 10");
    let mut parser = Parser::new(&settings.channels, Some(&["press.drain".to_owned()]));
    assert_eq!(parser.line(b"5"), Err(Problem::Torn));
    assert!(matches!(parser.line(b"45"), Ok(Some(_))));
    parser.begin();
    assert_eq!(parser.line(b"5"), Err(Problem::Torn));
}

fn play(text: &str, keys: &str, millis: u64) -> (Vec<(usize, u64, Reading)>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    std::fs::write(&file, text).unwrap();
    let mut source = LineSource::new(&settings(&file, keys));
    assert_eq!(source.source(), SourceKind::Replayed);
    let mut out = Batch::default();
    for now in 0..=millis {
        source.poll(SampleTime::from_millis(1000 + now), &mut out);
    }
    let entry = |sample: super::super::Sample| {
        (sample.channel, sample.time.as_nanos() / 1_000_000 - 1000, sample.reading)
    };
    (out.samples.into_iter().map(entry).collect(), out.refused)
}

#[test]
fn a_file_is_played_in_its_own_time_at_a_multiple_and_again() {
    let text = "t_s,press.drain\n10,1\n10.1,2\nbad line\n10.2,3\n";
    let of_drain = |(samples, refused): (Vec<(usize, u64, Reading)>, u64)| {
        let drain = samples.into_iter().filter(|sample| sample.0 == 0);
        (drain.map(|(_, at, reading)| (at, reading)).collect::<Vec<_>>(), refused)
    };
    let value = Reading::Value;
    let (samples, refused) = of_drain(play(text, "rate_hz = 10", 250));
    assert_eq!(samples, [(0, value(1.0)), (100, value(2.0)), (200, value(3.0))]);
    assert_eq!(refused, 1);
    let (samples, _) = of_drain(play(text, "rate_hz = 10\nspeed = 10\nloop = true", 45));
    let expected = [(0, 1.0), (10, 2.0), (20, 3.0), (30, 1.0), (40, 2.0)];
    assert_eq!(samples, expected.map(|(at, number)| (at, value(number))));
    let (samples, _) = of_drain(play("press.drain\n1\n2\n", "rate_hz = 100", 200));
    assert_eq!(samples[..2], [(0, value(1.0)), (10, value(2.0))]);
    let none = Reading::NoData(NoData::NotMeasured);
    assert!(samples.len() > 5 && samples[2..].iter().all(|(_, reading)| *reading == none));
}

#[test]
fn an_empty_cell_is_no_statement_only_where_the_channel_is_slower_than_the_lines() {
    let mut text = "t_s,press.drain,flow,air.bubble\n0,1,0.5,0\n".to_owned();
    for step in 1..20 {
        text += &format!("{}.{},,,{}\n", step / 10, step % 10, u8::from(step == 7));
    }
    let (samples, _) = play(&text, "rate_hz = 10", 1900);
    let of = |channel| samples.iter().filter(move |sample| sample.0 == channel);
    let none = Reading::NoData(NoData::NotMeasured);
    assert!(of(0).skip(1).take(10).all(|sample| sample.2 == none && sample.1 > 0));
    assert_eq!(of(1).next().unwrap().2, Reading::Value(500.0), "litres become millilitres");
    // 2 a second: the next one is due at 500 ms, and overdue a quarter later.
    assert_eq!(of(1).nth(1).map(|sample| (sample.1, sample.2)), Some((700, none)));
    let bubbles: Vec<_> = of(2).map(|sample| (sample.1, sample.2)).collect();
    let value = Reading::Value;
    assert_eq!(bubbles[..3], [(0, value(0.0)), (700, value(1.0)), (800, value(0.0))]);
}

#[test]
fn a_fifo_without_a_writer_is_off_a_silent_one_lost_and_every_writer_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mut source = LineSource::new(&settings(&path, "rate_hz = 10"));
    assert_eq!(source.source(), SourceKind::Measured);
    let mut now = 1000;
    let mut run = |source: &mut LineSource, millis: u64| {
        let mut out = Batch::default();
        for _ in 0..millis {
            source.poll(SampleTime::from_millis(now), &mut out);
            now += 1;
        }
        let drain = out.samples.iter().filter(|sample| sample.channel == 0);
        (drain.map(|sample| sample.reading).collect::<Vec<_>>(), out.refused)
    };
    let off = Reading::NoData(NoData::SensorOff);
    assert_eq!(run(&mut source, 10).0, [off]);
    let open = || std::fs::File::options().write(true).open(&path).unwrap();
    let mut writer = open();
    writer.write_all(b"press.drain\n1\n2").unwrap();
    assert_eq!(run(&mut source, 20).0, [Reading::Value(1.0)]);
    writer.write_all(b"2\n").unwrap();
    assert_eq!(run(&mut source, 20).0, [Reading::Value(22.0)]);
    let (silent, _) = run(&mut source, 1000);
    assert!(silent.len() > 5);
    assert!(silent.iter().all(|one| *one == Reading::NoData(NoData::CommLost)), "{silent:?}");
    writer.write_all(b"half a li").unwrap();
    drop(writer);
    assert_eq!(run(&mut source, 20).0, [off]);
    let mut writer = open();
    writer.write_all(b"9\npress.drain\n3\n").unwrap();
    assert_eq!(
        run(&mut source, 20),
        (vec![Reading::Value(3.0)], 1),
        "its header counts, not the old one"
    );
}

#[test]
fn a_stream_that_is_played_begins_its_time_anew_with_each_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mut source = LineSource::new(&settings(&path, "rate_hz = 10\nspeed = 2"));
    let mut out = Batch::default();
    let mut now = 1000;
    for _ in 0..2 {
        source.poll(SampleTime::from_millis(now), &mut out);
        let mut writer = std::fs::File::options().write(true).open(&path).unwrap();
        writer.write_all(b"t_s,press.drain\n50,1\n51,2\n").unwrap();
        drop(writer);
        out.clear();
        for _ in 0..3000 {
            now += 1;
            source.poll(SampleTime::from_millis(now), &mut out);
        }
        let drain = out.samples.iter().filter(|sample| sample.channel == 0);
        let values = drain.filter_map(|sample| Some((sample.time, sample.reading.value()?)));
        let values: Vec<_> = values.collect();
        assert_eq!(values.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [1.0, 2.0]);
        assert_eq!(values[1].0.since(values[0].0), Duration::from_millis(500));
    }
}

#[test]
fn an_overlong_line_is_refused_with_bounded_memory_and_the_next_one_read() {
    let text = format!("press.drain\n{}\n7\n", "9".repeat(100_000));
    let (samples, refused) = play(&text, "rate_hz = 10", 50);
    assert_eq!((samples[0].2, refused), (Reading::Value(7.0), 1));
}

#[test]
fn a_line_that_waited_is_as_old_as_it_is() {
    let mut source = LineSource::new(&settings(Path::new("/dev/null"), "rate_hz = 10"));
    let at = SampleTime::from_millis;
    let second = 1_000_000_000;
    assert_eq!(source.timing.on_our_clock(50 * second, at(1000)), at(1000));
    assert_eq!(source.timing.on_our_clock(51 * second, at(2000)), at(2000));
    // Two seconds late: dated where it belongs, but for half a millisecond a second of drift.
    let late = source.timing.on_our_clock(52 * second, at(5000));
    assert!(late < at(3010) && late >= at(3000), "{late:?}");
    // The device's clock was set back: it begins anew.
    assert_eq!(source.timing.on_our_clock(10 * second, at(6000)), at(6000));
}

proptest! {
    #[test]
    fn no_bytes_panic_and_no_line_is_longer_than_it_may_be(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b','), Just(b'{')], 0..600),
        cut in 1usize..50,
    ) {
        let mut parser = parser();
        let mut splitter = Splitter::default();
        prop_assert!(parser.line(b"t_s,press.drain,flow").is_ok());
        for piece in bytes.chunks(cut) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (count, is_whole) = splitter.take(rest);
                rest = &rest[count..];
                if is_whole && let Some(line) = splitter.finish() {
                    prop_assert!(line.len() <= parse::LINE_BYTES_MAX);
                    let _looked_at = parser.line(&line);
                }
            }
        }
    }
}

#[test]
fn lines_of_a_writer_that_has_closed_already_are_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mut source = LineSource::new(&settings(&path, "rate_hz = 10"));
    let mut out = Batch::default();
    source.poll(SampleTime::from_millis(1000), &mut out);
    let mut writer = std::fs::File::options().write(true).open(&path).unwrap();
    writer.write_all(b"press.drain\n-45.5\nnull\n").unwrap();
    drop(writer);
    out.clear();
    source.poll(SampleTime::from_millis(1010), &mut out);
    let drain = out.samples.iter().filter(|sample| sample.channel == 0);
    let none = Reading::NoData;
    assert_eq!(
        drain.map(|sample| sample.reading).collect::<Vec<_>>(),
        [Reading::Value(-45.5), none(NoData::NotMeasured), none(NoData::SensorOff)]
    );
}
