//! Frames whose every sample can be told from its parameter and number alone, so that nothing lost, doubled or invented goes
//! unseen.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{Instant, SampleTime};
use ecmo_history::{History, Incoming, OpenError, Opened, Options, Store, Taken};

/// Length of a frame.
pub const FRAME_MS: u64 = 100;

/// Frames in a minute.
pub const MINUTE: u64 = 60_000 / FRAME_MS;

pub const PUMP: &str = "nicu/one";

/// Wall time at which the agent's clock says 0: begin of a window and of ten minutes.
pub const OFFSET_NS: i64 = 1_800_000_000_000_000_000;

/// What is measured, and how many samples a second.
pub const CHANNELS: [(Parameter, u64); 4] = [
    (Parameter::PressDrain, 100),
    (Parameter::FlowBlood, 50),
    (Parameter::SatPost, 1),
    (Parameter::PumpSpeed, 10),
];

/// The sample of a parameter with this number.
pub fn truth(parameter: Parameter, index: u64) -> Reading {
    let mixed =
        (index ^ (parameter.index() as u64) << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let tenths = (mixed % 400) as i32 - 200;
    let value = (f64::from(tenths) * 0.1) as f32;
    match mixed % 211 {
        0 => Reading::NoData(NoData::SensorOff),
        1 => Reading::NoData(NoData::AboveRange),
        2 => Reading::Questionable(value),
        _valid => Reading::Value(value),
    }
}

pub fn boot(number: u64) -> BootId {
    BootId::new(number).unwrap()
}

/// The frame with this number.
pub fn frame(run: u64, sequence: u64) -> Frame {
    let start_ns = sequence * FRAME_MS * 1_000_000;
    let end = SampleTime::from_nanos(start_ns + FRAME_MS * 1_000_000);
    let stamp = FrameStamp { published: end, published_wall_ns: 0, received: Instant::default() };
    let mut frame = Frame::new(boot(run), sequence, stamp);
    for (parameter, rate) in CHANNELS {
        let before = |sequence: u64| (sequence * FRAME_MS * rate).div_ceil(1_000);
        let (first, end) = (before(sequence), before(sequence + 1));
        let interval = Duration::from_nanos(1_000_000_000 / rate);
        let start = SampleTime::from_nanos(first * 1_000_000_000 / rate);
        let readings = (first..end).map(|index| truth(parameter, index));
        frame.push(parameter, first, start, interval, readings);
    }
    frame
}

pub fn options(folder: &Path) -> Options {
    Options::new(folder.to_owned(), Duration::from_hours(72), 1 << 30)
}

pub fn open(folder: &Path) -> Store {
    open_told(folder).0
}

pub fn open_told(folder: &Path) -> (Store, Opened) {
    opened_by(|| Store::open(options(folder), Duration::ZERO))
}

/// A child of another test that was forked and has not begun its program yet holds our locks for a moment: they are waited for.
pub fn opened_by(open: impl Fn() -> Result<(Store, Opened), OpenError>) -> (Store, Opened) {
    for _ in 0..2_000 {
        match open() {
            Err(OpenError::Locked { .. }) => std::thread::sleep(Duration::from_millis(5)),
            other => return other.unwrap(),
        }
    }
    panic!("it stays locked");
}

/// Monotonic time of the gateway when it takes a frame.
pub fn time(sequence: u64) -> Duration {
    Duration::from_millis(sequence * FRAME_MS)
}

/// Hands frames over, one after the other.
pub fn feed(store: &mut Store, run: u64, frames: impl IntoIterator<Item = u64>) -> Taken {
    feed_as(store, run, frames, OFFSET_NS, false)
}

pub fn feed_as(
    store: &mut Store,
    run: u64,
    frames: impl IntoIterator<Item = u64>,
    offset_ns: i64,
    is_late: bool,
) -> Taken {
    let mut sum = Taken::default();
    for sequence in frames {
        let frame = frame(run, sequence);
        let one = Incoming { pump: PUMP, frame: &frame, offset_ns, is_late };
        let now = time(sequence);
        let taken = store.ingest(&[one], now);
        if !is_late {
            store.on_time(now);
        }
        sum.kept += taken.kept;
        sum.repeated += taken.repeated;
        sum.unsure += taken.unsure;
        sum.lost += taken.lost;
    }
    sum
}

/// Identity of a sample: run, parameter, number.
pub type Identity = (u64, Parameter, u64);

/// Everything that is kept: each sample once, at its own time, as it was.
pub fn samples(history: &History) -> BTreeMap<Identity, Reading> {
    samples_at(history, |_run| OFFSET_NS)
}

pub fn samples_at(
    history: &History,
    offset_of: impl Fn(u64) -> i64,
) -> BTreeMap<Identity, Reading> {
    let mut found = BTreeMap::new();
    let Ok(mut waves) = history.waves(PUMP, &[], (i64::MIN, i64::MAX)) else { return found };
    while let Some(pieces) = waves.next_window().unwrap() {
        for piece in pieces {
            let rate = CHANNELS.iter().find(|(one, _)| *one == piece.parameter).unwrap().1;
            for (index, reading) in (piece.first_index..).zip(&piece.readings) {
                let step = (index - piece.first_index) * piece.interval_ns;
                let at_ns = piece.start_ns + step as i64;
                let due_ns = offset_of(piece.boot) + (index * 1_000_000_000 / rate) as i64;
                assert!(at_ns.abs_diff(due_ns) <= 100_000, "{:?} {index}", piece.parameter);
                let identity = (piece.boot, piece.parameter, index);
                assert_eq!(truth(piece.parameter, index), *reading, "{identity:?}");
                assert_eq!(found.insert(identity, *reading), None, "{identity:?} is there twice");
            }
        }
    }
    found
}

/// Samples that these frames hold.
pub fn samples_of(run: u64, frames: impl IntoIterator<Item = u64>) -> Vec<Identity> {
    let mut found = Vec::new();
    for sequence in frames {
        for (block, readings) in frame(run, sequence).blocks() {
            let indexes = block.first_index..block.first_index + readings.len() as u64;
            found.extend(indexes.map(|index| (run, block.parameter, index)));
        }
    }
    found.sort_unstable();
    found
}

pub fn identities(history: &History) -> Vec<Identity> {
    samples(history).into_keys().collect()
}

/// Segment files below a folder, sorted.
pub fn segments(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "seg") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The folder of the pump.
pub fn pump_folder(folder: &Path) -> std::path::PathBuf {
    folder.join("ward-nicu").join("pump-one")
}
