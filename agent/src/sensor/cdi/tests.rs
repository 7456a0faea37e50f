//! Tests of the monitor's driver on a real terminal; its time is the test's.

use ecmo_testkit::{Pty, eventually_sync};

use super::*;
use crate::sensor::Sample;
use crate::sensor::status::SourceState;

const INTERVAL: Duration = Duration::from_secs(6);

/// A packet as the monitor sends it: values are the field's index, the arterial saturation as given.
fn packet(sequence: u8, subcommand: u8, saturation: &str) -> Vec<u8> {
    let field = |index: usize| match index {
        0 => "00  7.41".to_owned(),
        4 => format!("04  {saturation}"),
        3 | 12 => format!("{index:02X}  36.5"),
        17 => "11  12.5".to_owned(),
        _other => format!("{index:02X}  {}", index + 20),
    };
    let fields: Vec<_> = (0..value::FIELDS).map(field).collect();
    let data = format!("123456 10:20:{sequence:02}\t{}", fields.join("\t"));
    let packet =
        Packet { device: b'X', sequence, command: b'A', subcommand, data: data.as_bytes() };
    packet.encode().unwrap()
}

fn settings(pty: &Pty, keys: &str) -> CdiSettings {
    toml::from_str(&format!("port = \"{}\"\n{keys}", pty.path().display())).unwrap()
}

struct Bench {
    pty: Pty,
    cdi: Cdi,
    now: SampleTime,
    out: Batch,
}

impl Bench {
    fn new(keys: &str) -> Self {
        let pty = Pty::open().unwrap();
        let cdi = Cdi::new(&settings(&pty, keys));
        let mut bench =
            Self { pty, cdi, now: SampleTime::from_millis(100_000), out: Batch::default() };
        bench.step(Duration::ZERO);
        bench
    }

    fn step(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.cdi.poll(self.now, &mut self.out);
    }

    /// Feeds bytes and a mark behind them, and polls without letting time pass until the mark was refused.
    fn feed(&mut self, bytes: &[u8], mark: &[u8]) -> Vec<Sample> {
        self.out.clear();
        self.pty.write_sync(bytes).unwrap();
        self.step(Duration::ZERO);
        let before = self.out.refused;
        self.pty.write_sync(mark).unwrap();
        eventually_sync(Duration::from_secs(10), "the mark", || {
            self.step(Duration::ZERO);
            if self.out.refused > before { Ok(()) } else { Err(format!("{:?}", self.out)) }
        })
        .unwrap();
        self.out.refused -= 1;
        self.out.samples.clone()
    }

    fn saturation(&mut self, bytes: &[u8]) -> Option<Reading> {
        let place = self.cdi.channels.iter().position(|c| c.parameter == Parameter::SatPost);
        let samples = self.feed(bytes, MARK);
        let mut of = samples.into_iter().filter(|sample| Some(sample.channel) == place);
        let found = of.next().map(|sample| sample.reading);
        assert!(of.next().is_none(), "one at most");
        found
    }
}

/// A whole packet that is refused by its check sum: what came before it was read.
const MARK: &[u8] = b"\x02X00000DA000\x03";

#[test]
fn every_quantity_that_is_a_parameter_arrives_in_its_unit() {
    let mut bench = Bench::new("mode = \"packet\"");
    let samples = bench.feed(&packet(1, b'0', "98"), MARK);
    let got: Vec<_> = samples
        .iter()
        .map(|s| (bench.cdi.channels[s.channel].parameter.info().id, s.reading.value().unwrap()))
        .collect();
    let expected = [
        ("ph.post", 7.41),
        ("pco2.post", 21.0),
        ("po2.post", 22.0),
        ("temp.return", 36.5),
        ("sat.post", 98.0),
        ("pco2.pre", 30.0),
        ("po2.pre", 31.0),
        ("temp.drain", 36.5),
        ("sat.drain", 33.0),
        ("hct", 36.0),
        ("hb", 12.5),
    ];
    assert_eq!(got, expected);
}

#[test]
fn dashes_blanks_marks_and_recalibrations_are_told_as_what_they_are() {
    let mut bench = Bench::new("mode = \"packet\"");
    for (sequence, subcommand, text, expected) in [
        (1, b'0', "98", Reading::Value(98.0)),
        (2, b'1', "97", Reading::Value(97.0)),
        (3, b'2', "96", Reading::Value(96.0)),
        (4, b'3', "95", Reading::NoData(NoData::Calibrating)),
        (5, b'0', "---", Reading::NoData(NoData::SensorFault)),
        (6, b'0', "   ", Reading::NoData(NoData::NotMeasured)),
        (7, b'0', "140", Reading::NoData(NoData::SensorFault)),
    ] {
        let reading = bench.saturation(&packet(sequence, subcommand, text));
        assert_eq!(reading, Some(expected), "{text}");
    }
    for other in [
        Packet { device: b'X', sequence: 8, command: b'S', subcommand: b'7', data: b"12" },
        Packet { device: b'X', sequence: 9, command: b'E', subcommand: b'0', data: b"12" },
        Packet { device: b'X', sequence: 9, command: b'A', subcommand: b'7', data: b"12" },
    ] {
        assert_eq!(bench.saturation(&other.encode().unwrap()), None);
    }
    assert_eq!(bench.out.refused, 0, "what is not ours is no fault");
}

/// What bytes say of the arterial saturation to a reader that has read nothing before.
fn saturation_of(chunks: &[&[u8]]) -> Vec<Reading> {
    let fields = vec![(0x04, Parameter::SatPost)];
    let mut reader = PacketReader::new(fields, Reply::Never);
    let (mut readings, mut found) = (Vec::new(), Vec::new());
    for byte in chunks.iter().flat_map(|chunk| chunk.iter()) {
        let now = SampleTime::from_millis(1000);
        let taken = reader.take(*byte, now, INTERVAL, GasUnit::MmHg, &mut readings);
        if let Some(Ok(_told)) = taken.found {
            found.extend(&readings);
        }
    }
    found
}

#[test]
fn no_flipped_bit_and_no_half_packet_ever_becomes_another_value() {
    let good = packet(1, b'0', "98");
    for (at, bit) in (0..good.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << bit;
        let found = saturation_of(&[&flipped, MARK]);
        // A letter of a hexadecimal number may become a small one: that says the same.
        let is_same = flipped.eq_ignore_ascii_case(&good) && found == [Reading::Value(98.0)];
        assert!(found.is_empty() || is_same, "{}", String::from_utf8_lossy(&flipped));
    }
    let other = packet(2, b'0', "11");
    // From where on both are the same, the first half and the other's second are the whole packet.
    let same = good.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    for cut in 1..good.len() - same {
        let found = saturation_of(&[&good[..cut], &other[cut..], &good[cut..], &other]);
        assert_eq!(found, [Reading::Value(11.0)], "{cut}: only the whole packet counts");
    }
}

#[test]
fn a_packet_that_comes_again_is_a_repetition_at_once_and_stale_later() {
    let mut bench = Bench::new("mode = \"packet\"");
    let good = packet(1, b'0', "98");
    assert_eq!(bench.saturation(&good), Some(Reading::Value(98.0)));
    assert_eq!(bench.saturation(&good), None);
    bench.step(INTERVAL);
    assert_eq!(bench.saturation(&good), Some(Reading::NoData(NoData::Stale)));
    assert_eq!(bench.saturation(&packet(2, b'0', "98")), Some(Reading::Value(98.0)));
}

#[test]
fn silence_is_told_after_three_intervals_and_unplugging_at_once() {
    let mut bench = Bench::new("mode = \"packet\"");
    bench.saturation(&packet(1, b'0', "98"));
    let reasons =
        |out: &Batch| out.samples.iter().filter_map(|s| s.reading.no_data()).collect::<Vec<_>>();
    bench.out.clear();
    bench.step(INTERVAL * 3);
    assert!(bench.out.samples.is_empty());
    bench.step(SILENCE_MARGIN);
    assert_eq!(reasons(&bench.out), [NoData::CommLost; 11]);
    assert_eq!(bench.cdi.link().state, SourceState::Silent);
    bench.step(INTERVAL);
    assert_eq!(reasons(&bench.out), [NoData::CommLost; 22], "again at the channels' own rate");
    assert_eq!(bench.saturation(&packet(2, b'0', "97")), Some(Reading::Value(97.0)));
    bench.step(Duration::ZERO);
    assert_eq!(bench.cdi.link().state, SourceState::Live);

    let Bench { pty, mut cdi, now, mut out } = bench;
    out.clear();
    // In the middle of a packet.
    pty.write_sync(&packet(3, b'0', "96")[..40]).unwrap();
    pty.unplug().unwrap();
    eventually_sync(Duration::from_secs(10), "off", || {
        cdi.poll(now, &mut out);
        if out.samples.is_empty() { Err("nothing") } else { Ok(()) }
    })
    .unwrap();
    assert_eq!(reasons(&out), [NoData::SensorOff; 11]);
    assert_eq!(cdi.link().state, SourceState::Off);
}

#[test]
fn a_flood_is_bounded_and_times_rise() {
    let mut bench = Bench::new("mode = \"packet\"");
    let flood: Vec<u8> = (0..10).flat_map(|n| packet(n, b'0', "98")).collect();
    let samples = bench.feed(&flood, MARK);
    assert_eq!(samples.len(), 10 * 11);
    for channel in 0..11 {
        let of = samples.iter().filter(|sample| sample.channel == channel);
        let times: Vec<_> = of.map(|sample| sample.time).collect();
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]));
    }
    let garbage: Vec<u8> = (0..=255).cycle().take(3000).collect();
    assert!(bench.feed(&garbage, MARK).is_empty());
}

#[test]
fn a_monitor_that_is_only_listened_to_gets_no_byte() {
    let mut bench = Bench::new("mode = \"packet\"");
    bench.saturation(&packet(1, b'0', "98"));
    for byte in 0..=u8::MAX {
        assert!(!bench.cdi.connection.write(&[byte]));
    }
    assert_eq!(bench.pty.try_read(10).unwrap(), None);
}

#[test]
fn a_monitor_that_wants_answers_gets_exactly_those_of_the_list() {
    let mut bench = Bench::new("mode = \"packet\"\nreply = true");
    bench.saturation(&packet(0x2C, b'0', "98"));
    let mut sent = Vec::new();
    eventually_sync(Duration::from_secs(5), "answers", || {
        sent.extend(bench.pty.try_read(100).unwrap().unwrap_or_default());
        if sent.len() >= 28 { Ok(()) } else { Err(sent.len().to_string()) }
    })
    .unwrap();
    let (first, second) = sent.split_at(15);
    assert!(first.starts_with(b"\x02A2C000FK0A0") && second.starts_with(b"\x02A00000DN0"));
    for answer in [first, second] {
        assert!(Allowed::check(answer.to_vec()).is_some());
    }
    bench.step(INTERVAL * 10);
    assert_eq!(bench.pty.try_read(10).unwrap(), None, "nothing unasked");
}

/// A line that is refused by its width.
const TEXT_MARK: &[u8] = b"mark\r";

#[test]
fn lines_of_text_are_read_and_asked_for_only_when_told_to() {
    let keys = "mode = \"ascii\"\ncolumns = [\"-\", \"sat.post\", \"hb\"]";
    let mut bench = Bench::new(keys);
    let lines: &[u8] =
        b"torn\t9\r37C Temp Data\rTime\taSO2\tHgb\r10:00:00\t98\t12.5\r10:00:06\t--\t\r";
    let readings: Vec<_> =
        bench.feed(lines, TEXT_MARK).iter().map(|sample| sample.reading).collect();
    let (fault, none) = (NoData::SensorFault, NoData::NotMeasured);
    assert_eq!(
        readings,
        [Reading::Value(98.0), Reading::Value(12.5), Reading::NoData(fault), Reading::NoData(none)]
    );
    assert_eq!(bench.out.refused, 0);
    bench.step(INTERVAL);
    assert_eq!(bench.pty.try_read(10).unwrap(), None);

    let mut bench = Bench::new(&format!("{keys}\nrequest = true"));
    let soon = Duration::from_secs(5);
    assert_eq!(bench.pty.read_exactly_sync(8, soon).unwrap(), b"<X08Z36>");
    bench.step(INTERVAL - Duration::from_millis(1));
    assert_eq!(bench.pty.try_read(10).unwrap(), None);
    bench.step(Duration::from_millis(1));
    assert_eq!(bench.pty.read_exactly_sync(8, soon).unwrap(), b"<X08Z36>");
}
