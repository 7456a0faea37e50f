//! Tests of the flow meter's driver: flipped bits, half lines, floods, table changes, silence; on a real terminal.

use ecmo_testkit::{Pty, eventually_sync};

use super::*;
use crate::sensor::Sample;
use crate::sensor::status::SourceState;

/// The vectors of the maker's manual.
const VECTORS: [&str; 8] = [
    "00 00 100 0.99 7195 7193 6897 +41",
    "00 04 100 1.00 -3588 -3590 -3589 +43",
    "00 40 100 1.00 0 0 0 +43",
    "00 24 34 0.99 ------- ------- ------- +43",
    "00 E0 --- ---- ------- ------- ------- +35",
    "00 40 75 1.01 ^^^^^^ ^^^^^^ ^^^^^^ +29",
    "00 40 75 1.01 vvvvvvv vvvvvvv vvvvvvv +29",
    "1A 41 --- ---- ------- ------- ------- +77",
];

fn understood(bytes: &[u8]) -> Vec<[Reading; CHANNELS]> {
    let mut assembler = Assembler::new(LINE_BYTES_MAX);
    let mut lines = Vec::new();
    assembler.take(b"\r\n", |_| {});
    assembler.take(bytes, |found| lines.extend(understand(found)));
    lines
}

#[test]
fn a_flipped_bit_changes_a_value_only_where_it_makes_another_digit() {
    let (mut flips, mut wrong) = (0, 0);
    for end in ["\r\n", "\n\r"] {
        for vector in VECTORS {
            let line = format!("{vector}{end}").into_bytes();
            let [before] = understood(&line)[..] else { panic!("{vector}") };
            for (at, bit) in (0..line.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut flipped = line.clone();
                flipped[at] ^= 1 << bit;
                flips += 1;
                for after in understood(&flipped) {
                    for (before, after) in before.into_iter().zip(after) {
                        let Some(value) = after.value() else { continue };
                        let was = before.value();
                        if was == Some(value) {
                            continue;
                        }
                        // Unavoidable: the line has no check sum. A digit became another one, or a blank at the edge of
                        // its number.
                        let is_digit = line[at].is_ascii_digit();
                        let stays = flipped[at].is_ascii_digit() || flipped[at] == b' ';
                        assert!(is_digit && stays, "{}", String::from_utf8_lossy(&flipped));
                        assert!(was.is_some(), "no value comes from a line that had none");
                        wrong += 1;
                    }
                }
            }
        }
    }
    // All flips of all vectors; the manual for users names this figure.
    assert_eq!((flips, wrong), (FLIPS, WRONG));
}

/// Flipped bits that were tried, and those of them that gave another value.
const FLIPS: usize = 5008;
const WRONG: usize = 194;

/// A driver on a line, polled by hand; its time is the test's.
struct Bench {
    pty: Pty,
    emtec: Emtec,
    now: SampleTime,
    out: Batch,
}

impl Bench {
    fn new() -> Self {
        let pty = Pty::open().unwrap();
        let emtec = Emtec::new(PortAddress::Serial(pty.path().to_owned()));
        let now = SampleTime::from_millis(10_000);
        let mut bench = Self { pty, emtec, now, out: Batch::default() };
        bench.step(Duration::ZERO);
        bench.feed("\r\n");
        bench
    }

    fn step(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.emtec.poll(self.now, &mut self.out);
    }

    fn feed(&self, text: &str) {
        self.pty.write_sync(text.as_bytes()).unwrap();
    }

    fn flows(&self) -> Vec<Sample> {
        self.out.samples.iter().copied().filter(|sample| sample.channel == 0).collect()
    }

    /// Feeds and polls, without letting time pass, until so many samples of the flow were delivered.
    fn until_flows(&mut self, text: &str, count: usize) -> Vec<Sample> {
        self.out.clear();
        self.feed(text);
        eventually_sync(Duration::from_secs(10), "samples", || {
            self.step(Duration::ZERO);
            if self.flows().len() >= count { Ok(()) } else { Err(format!("{:?}", self.out)) }
        })
        .unwrap();
        self.flows()
    }
}

#[test]
fn after_a_table_change_three_blank_strings_are_not_measured_and_not_a_lost_connection() {
    let mut bench = Bench::new();
    let first = "00 04 100 1.00 500 500 500 +40\r\n";
    let flows = bench.until_flows(first, 1);
    assert_eq!(flows[0].reading, Reading::Value(500.0));
    for blank in ["\r\n", "\r\n", "                              \r\n"] {
        bench.step(PERIOD);
        let flows = bench.until_flows(blank, 1);
        assert_eq!(flows[0].reading, Reading::NoData(NoData::NotMeasured));
    }
    bench.step(PERIOD);
    let flows = bench.until_flows("00 08 100 1.00 510 500 500 +40\r\n", 1);
    assert_eq!(flows[0].reading, Reading::Value(510.0));
    assert_eq!(bench.out.refused, 0);
    assert_eq!(bench.emtec.link().state, SourceState::Live);
}

#[test]
fn a_flood_keeps_the_newest_lines_counts_the_rest_and_its_times_rise() {
    let mut bench = Bench::new();
    let flood: String = (0..60).map(|flow| format!("00 00 100 1.00 {flow} 0 0 +40\r\n")).collect();
    bench.feed(&flood);
    bench.out.clear();
    let mut taken = 0;
    eventually_sync(Duration::from_secs(10), "the flood", || {
        bench.step(Duration::ZERO);
        taken = bench.flows().len() + usize::try_from(bench.out.refused).unwrap();
        if taken >= 60 { Ok(()) } else { Err(taken.to_string()) }
    })
    .unwrap();
    let flows = bench.flows();
    assert_eq!(taken, 60);
    assert_eq!(flows.last().unwrap().reading, Reading::Value(59.0));
    assert!(flows.windows(2).all(|pair| pair[1].time > pair[0].time));
}

#[test]
fn silence_is_told_after_three_lines_that_did_not_come_and_its_end_at_once() {
    let mut bench = Bench::new();
    bench.until_flows("00 00 100 1.00 7 7 7 +40\r\n", 1);
    bench.out.clear();
    bench.step(SILENCE - Duration::from_millis(1));
    assert!(bench.out.samples.is_empty());
    bench.step(Duration::from_millis(1));
    assert_eq!(bench.flows()[0].reading, Reading::NoData(NoData::CommLost));
    assert_eq!(bench.emtec.link().state, SourceState::Silent);
    let flows = bench.until_flows("00 00 100 1.00 8 8 8 +40\r\n", 1);
    assert_eq!(flows.last().unwrap().reading, Reading::Value(8.0));
    bench.step(Duration::ZERO);
    assert_eq!(bench.emtec.link(), Link { state: SourceState::Live, connections: 1 });
}

#[test]
fn nothing_can_be_sent_to_the_meter() {
    let mut bench = Bench::new();
    for byte in 0..=u8::MAX {
        assert!(!bench.emtec.connection.write(&[byte]), "{byte}");
    }
    assert_eq!(bench.pty.try_read(10).unwrap(), None);
}
