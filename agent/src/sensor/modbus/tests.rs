//! Plans, decoding and timing of a slave, with a pseudo terminal as the line.

use super::*;
use crate::config::{Settings, SourceSettings};
use ecmo_core::parameter::Parameter;
use ecmo_testkit::Pty;

fn settings(link: &str, keys: &str) -> ModbusSettings {
    let serial = if link.starts_with("tcp") { "" } else { "baud = 19200" };
    let text = format!(
        "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:1\"\n[[source]]\nkind = \"modbus\"\nlink = \"{link}\"\n\
         {serial}\n{keys}"
    );
    let SourceSettings::Modbus(settings) = Settings::parse(&text, "t").unwrap().sources.remove(0)
    else {
        panic!("another kind")
    };
    settings
}

const MAP: &str = r#"
rate_hz = 10
timeout_ms = 50
[[source.channel]]
parameter = "press.drain"
register = 10
type = "i16"
scale = 0.1
invalid = [{ raw = -32000, means = "sensor_off" }]
status = [{ register = 0, bit = 1, means = "sensor_fault" }, { register = 0, bit = 2, means = "questionable" }]
[[source.channel]]
parameter = "flow.blood"
register = 12
type = "f32"
words = "low-first"
unit = "L/min"
range = [-1000, 2000]
[[source.channel]]
parameter = "air.bubble"
register = 0
bit = 0
on_change = true
"#;

#[test]
fn neighbours_are_read_together_and_far_ones_apart() {
    let plan = |gap: u16| {
        let settings = settings("/dev/null", &format!("gap = {gap}\n{MAP}"));
        let requests = Plan::new(&settings).requests;
        requests.iter().map(|request| (request.start, request.count)).collect::<Vec<_>>()
    };
    assert_eq!(plan(0), [(0, 1), (10, 1), (12, 2)]);
    assert_eq!(plan(1), [(0, 1), (10, 4)]);
    assert_eq!(plan(9), [(0, 14)]);
}

#[test]
fn registers_become_readings_by_type_status_and_invalid_words() {
    let settings = settings("/dev/null", &format!("gap = 9\n{MAP}"));
    let plan = Plan::new(&settings);
    let read = |status: u16, press: i16, flow: f32| {
        let mut words = [0_u16; 14];
        words[0] = status;
        words[10] = press.cast_unsigned();
        let bits = flow.to_bits();
        words[12] = u16::try_from(bits & 0xffff).unwrap();
        words[13] = u16::try_from(bits >> 16).unwrap();
        let data = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let outcomes = [Outcome::Data(data)];
        let of = |channel| decode::reading(channel, &plan, &outcomes).unwrap();
        settings.channels.iter().map(of).collect::<Vec<_>>()
    };
    let none = Reading::NoData;
    let value = Reading::Value;
    assert_eq!(read(0, -455, 0.35), [value(-45.5), value(350.0), value(0.0)]);
    assert_eq!(
        read(1, -32000, 3.5),
        [none(NoData::SensorOff), none(NoData::AboveRange), value(1.0)]
    );
    assert_eq!(
        read(2, 100, f32::NAN),
        [none(NoData::SensorFault), none(NoData::SensorFault), value(0.0)]
    );
    assert_eq!(read(4, 100, -2.0)[..2], [Reading::Questionable(10.0), none(NoData::BelowRange)]);
    let refused = [Outcome::Exception(decode::of_exception(2))];
    let reading = decode::reading(&settings.channels[0], &plan, &refused);
    assert_eq!(reading, Some(none(NoData::SensorFault)));
    assert_eq!(decode::reading(&settings.channels[0], &plan, &[Outcome::Open]), None);
}

/// A slave played by the test, at times of the test's choice.
struct Line {
    pty: Pty,
    modbus: Modbus,
    out: Batch,
    now: u64,
}

impl Line {
    fn new() -> Self {
        let pty = Pty::open().unwrap();
        let keys = "rate_hz = 10\ntimeout_ms = 50\n[[source.channel]]\nparameter = \"press.drain\"\nregister = 7\ntype = \"i16\"";
        let modbus = Modbus::new("t", &settings(pty.path().to_str().unwrap(), keys));
        Self { pty, modbus, out: Batch::default(), now: 1000 }
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.modbus.poll(SampleTime::from_millis(self.now), &mut self.out);
            self.now += 1;
        }
    }

    fn request(&mut self) -> Vec<u8> {
        let deadline = Duration::from_secs(5);
        self.pty.read_exactly_sync(8, deadline).unwrap()
    }

    fn answer(&self, value: i16) {
        let [high, low] = value.to_be_bytes();
        let mut bytes = vec![1, 3, 2, high, low];
        bytes.extend(wire::crc(&bytes).to_le_bytes());
        self.pty.write_sync(&bytes).unwrap();
    }

    fn readings(&mut self) -> Vec<Reading> {
        let readings = self.out.samples.iter().map(|sample| sample.reading).collect();
        self.out.clear();
        readings
    }
}

#[test]
fn a_late_answer_on_a_line_is_not_taken_for_the_next_one() {
    let mut line = Line::new();
    line.run(2);
    assert_eq!(line.request()[..6], [1, 3, 0, 7, 0, 1]);
    line.answer(111);
    line.run(2);
    assert_eq!(line.readings(), [Reading::Value(111.0)]);
    line.run(100);
    line.request();
    // The slave is late: its answer comes after the time-out, when the next request would be due.
    line.run(90);
    line.answer(222);
    line.run(60);
    line.request();
    line.answer(333);
    line.run(5);
    let values: Vec<_> = line.readings().into_iter().filter_map(Reading::value).collect();
    assert_eq!(values, [333.0]);
}

#[test]
fn silence_is_told_by_the_rate_and_ends_with_an_answer() {
    let mut line = Line::new();
    line.run(2);
    line.request();
    line.answer(1);
    line.run(2);
    let heard = line.now;
    assert_eq!(line.readings().len(), 1);
    while line.out.samples.is_empty() {
        line.run(1);
    }
    assert!((300..=400).contains(&(line.now - heard)), "{} ms", line.now - heard);
    line.run(1000);
    let told = line.readings();
    assert!((10..=12).contains(&told.len()), "{}", told.len());
    assert!(told.iter().all(|reading| *reading == Reading::NoData(NoData::CommLost)));
}

#[test]
fn a_wrong_check_sum_costs_one_poll_and_is_counted() {
    let mut line = Line::new();
    line.run(2);
    line.request();
    line.pty.write_sync(&[1, 3, 2, 0, 9, 0, 0]).unwrap();
    line.run(5);
    assert_eq!((line.out.refused, line.out.samples.len()), (1, 0));
    line.run(110);
    line.request();
    line.answer(5);
    line.run(5);
    assert_eq!(line.readings(), [Reading::Value(5.0)]);
}

#[test]
fn the_preset_of_the_flow_meter_reads_status_and_values_in_one_request() {
    let text = "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:1\"\n[[source]]\nkind = \"leviflow\"\n\
                link = \"/dev/ttyS9\"\nbubble = \"air.bubble\"\ntemperature = \"temp.return\"\n";
    let SourceSettings::Leviflow(preset) = Settings::parse(text, "t").unwrap().sources.remove(0)
    else {
        panic!("leviflow")
    };
    assert_eq!(preset.0.line.to_string(), "57600 baud 8E1");
    let plan = Plan::new(&preset.0);
    assert_eq!(plan.requests.len(), 1);
    assert_eq!((plan.requests[0].start, plan.requests[0].count), (0, 9));
    let read = |status: u16, flow: i16| {
        let words = [status, flow.cast_unsigned(), 0, 0, 0, 0, 3712, 0, 88];
        let data = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let outcomes = [Outcome::Data(data)];
        let of = |channel| decode::reading(channel, &plan, &outcomes).unwrap();
        preset.0.channels.iter().map(of).collect::<Vec<_>>()
    };
    let parameters: Vec<_> = preset.0.channels.iter().map(|channel| channel.parameter).collect();
    let expected = [
        Parameter::FlowBlood,
        Parameter::FlowAcousticQuality,
        Parameter::TempReturn,
        Parameter::AirBubble,
    ];
    assert_eq!(parameters, expected);
    let value = Reading::Value;
    assert_eq!(read(0, 35), [value(350.0), value(88.0), value(37.12), value(0.0)]);
    assert_eq!(read(4, -20)[0], value(-200.0));
    assert_eq!(read(1, 35)[0], Reading::Questionable(350.0));
    assert_eq!(read(1, 35)[3], value(1.0));
    assert_eq!(read(2, 35)[0], Reading::NoData(NoData::SensorFault));
}
