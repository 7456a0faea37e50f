//! A ward in the history: cost of writing, size on disk, time of a question and of a start: `cargo xtask bench history`.
//!
//! Writing is measured with every pump in frames of 20 ms, as they arrive. The days are written in frames of a second by one
//! pump, and its finished segments are linked into the folders of the others: a start reads them as it would read others.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a bench measures, and one that cannot begin ends"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;
use ecmo_history::{Incoming, Options, Store, TrendQuery};

/// Waveforms of a pump, and their samples a second.
const WAVES: usize = 8;
const WAVE_RATE: u64 = 100;

/// Wall time less the agent's clock.
const OFFSET_NS: i64 = 1_800_000_000_000_000_000;

/// Most of one core that writing may take, and what is far beyond it.
const SHARE_MAX: f64 = 0.15;
const SHARE_FAR: f64 = 0.3;

/// Most that a question and a start may take on the machine of the project.
const QUERY_MAX: Duration = Duration::from_millis(100);
const START_MAX: Duration = Duration::from_secs(5);

struct Settings {
    pumps: usize,
    hours: u64,
    seconds: u64,
    folder: PathBuf,
}

fn settings() -> Settings {
    let value = |name: &str| std::env::args().skip_while(|it| it != name).nth(1);
    let number = |name: &str, default: u64| value(name).map_or(default, |it| it.parse().unwrap());
    let quick = std::env::args().any(|it| it == "--quick");
    let folder = value("--dir").map(PathBuf::from);
    Settings {
        pumps: number("--pumps", 30) as usize,
        hours: number("--hours", if quick { 2 } else { 72 }),
        seconds: number("--seconds", if quick { 20 } else { 120 }),
        folder: folder.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned()),
    }
}

/// A signal of a circuit: pulse, ripple and noise, in the steps of its instrument.
struct Signals {
    random: fastrand::Rng,
}

impl Signals {
    fn wave(&mut self, channel: usize, index: u64) -> f32 {
        let at = index as f64 / WAVE_RATE as f64;
        let noise = self.random.f64() + self.random.f64() - 1.0;
        let pulse = (at * 2.3 * std::f64::consts::TAU).sin() * 12.0;
        let ripple = (at * 11.0 * std::f64::consts::TAU).sin() * 2.0;
        let level = 80.0 + channel as f64 * 10.0 + (at / 900.0).sin() * 15.0;
        (((level + pulse + ripple + noise * 0.3) * 10.0).round() * 0.1) as f32
    }

    fn numeric(&mut self, channel: usize, index: u64) -> f32 {
        let drift = (index as f64 / 600.0 + channel as f64).sin() * 4.0;
        let noise = f64::from(self.random.i8(-1..=1));
        ((60.0 + drift).round() + noise) as f32
    }

    /// A frame of all channels from this sample of the waveforms on.
    fn frame(&mut self, sequence: u64, samples: u64) -> Frame {
        let first = sequence * samples;
        let start = SampleTime::from_nanos(first * 1_000_000_000 / WAVE_RATE);
        let end = SampleTime::from_nanos((first + samples) * 1_000_000_000 / WAVE_RATE);
        let stamp = FrameStamp {
            published: end,
            published_wall_ns: 0,
            received: ecmo_core::time::Instant::default(),
        };
        let mut frame = Frame::new(BootId::new(1).unwrap(), sequence, stamp);
        for (channel, parameter) in Parameter::ALL.iter().enumerate() {
            if channel < WAVES {
                let interval = Duration::from_nanos(1_000_000_000 / WAVE_RATE);
                let indexes = first..first + samples;
                let readings: Vec<_> =
                    indexes.map(|index| Reading::Value(self.wave(channel, index))).collect();
                frame.push(*parameter, first, start, interval, readings);
            } else {
                // One a second, spread over its frames.
                let slot = (channel as u64 * 2) % WAVE_RATE / samples * samples;
                if first % WAVE_RATE == slot {
                    let index = first / WAVE_RATE;
                    let reading = Reading::Value(self.numeric(channel, index));
                    frame.push(*parameter, index, start, Duration::ZERO, [reading]);
                }
            }
        }
        frame
    }
}

fn cpu() -> Duration {
    let spec = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spec.tv_sec as u64, spec.tv_nsec as u32)
}

fn options(folder: &Path) -> Options {
    Options::new(folder.to_owned(), Duration::from_hours(96), 1 << 40)
}

/// Share of a core that writing takes, and bytes a second and pump of the tail.
fn write_cost(settings: &Settings, folder: &Path) -> f64 {
    let mut store = Store::open(options(folder), Duration::ZERO).unwrap().0;
    let names: Vec<String> = (0..settings.pumps).map(|pump| format!("nicu/p{pump}")).collect();
    let mut signals = Signals { random: fastrand::Rng::with_seed(1) };
    let (mut spent, mut longest) = (Duration::ZERO, Duration::ZERO);
    for round in 0..settings.seconds * 50 {
        let frames: Vec<Frame> = names.iter().map(|_| signals.frame(round, 2)).collect();
        let incoming: Vec<Incoming<'_>> = names
            .iter()
            .zip(&frames)
            .map(|(pump, frame)| Incoming { pump, frame, offset_ns: OFFSET_NS, is_late: false })
            .collect();
        let now = Duration::from_millis(round * 20);
        let (begun, wall) = (cpu(), Instant::now());
        store.ingest(&incoming, now);
        if round % 10 == 0 {
            store.on_time(now);
        }
        spent += cpu() - begun;
        longest = longest.max(wall.elapsed());
    }
    let begun = cpu();
    store.close(Duration::from_secs(settings.seconds));
    spent += cpu() - begun;
    println!("  longest round {longest:?}, disk among it");
    spent.as_secs_f64() / settings.seconds as f64
}

/// Writes days of one pump; samples of it.
fn write_days(settings: &Settings, folder: &Path) -> u64 {
    let mut store = Store::open(options(folder), Duration::ZERO).unwrap().0;
    let mut signals = Signals { random: fastrand::Rng::with_seed(2) };
    let mut samples = 0;
    for second in 0..settings.hours * 3_600 {
        let frame = signals.frame(second, WAVE_RATE);
        samples += frame.blocks().map(|(_block, readings)| readings.len() as u64).sum::<u64>();
        let one = Incoming { pump: "nicu/p0", frame: &frame, offset_ns: OFFSET_NS, is_late: false };
        store.ingest(&[one], Duration::from_secs(second));
    }
    store.close(Duration::from_secs(settings.hours * 3_600));
    samples
}

/// Gives the same days to the other pumps: finished segments are linked, the last one is copied.
fn multiply(settings: &Settings, folder: &Path) {
    let ward = folder.join("ward-nicu");
    let mut files: Vec<PathBuf> = std::fs::read_dir(ward.join("pump-p0"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect();
    files.sort();
    let last = files.pop().unwrap();
    for pump in 1..settings.pumps {
        let other = ward.join(format!("pump-p{pump}"));
        std::fs::create_dir_all(&other).unwrap();
        for file in &files {
            std::fs::hard_link(file, other.join(file.file_name().unwrap())).unwrap();
        }
        std::fs::copy(&last, other.join(last.file_name().unwrap())).unwrap();
    }
}

/// The middle time of a trend over all hours.
fn query(settings: &Settings, store: &Store) -> Duration {
    let history = store.history();
    let to_ns = OFFSET_NS + settings.hours as i64 * 3_600_000_000_000;
    let mut took: Vec<Duration> = (0..30)
        .map(|round| {
            let query = TrendQuery {
                pump: format!("nicu/p{}", round % settings.pumps),
                parameters: Parameter::ALL.iter().step_by(3).take(5).copied().collect(),
                from_ns: OFFSET_NS,
                to_ns,
                buckets: 800,
            };
            let begun = Instant::now();
            let trend = history.trend(&query).unwrap();
            let took = begun.elapsed();
            let samples: u64 =
                trend.series.iter().flat_map(|one| &one.rows).map(|row| row.count).sum();
            assert!(samples > 0 && trend.damaged == 0);
            took
        })
        .collect();
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap()
}

fn kept(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "NOT kept" }
}

fn main() {
    let settings = settings();
    let root = tempfile::tempdir_in(&settings.folder).unwrap();
    let numerics = Parameter::COUNT - WAVES;
    println!(
        "{} pumps, {WAVES} waveforms at {WAVE_RATE} Hz and {numerics} numerics at 1 Hz each",
        settings.pumps
    );
    println!("writing {} s of every pump in frames of 20 ms", settings.seconds);
    let share = write_cost(&settings, &root.path().join("cost"));
    println!(
        "  {:.1} % of one core; at most {:.0} %: {}",
        share * 100.0,
        SHARE_MAX * 100.0,
        kept(share <= SHARE_MAX)
    );

    println!("writing {} h of one pump", settings.hours);
    let days = root.path().join("days");
    let begun = Instant::now();
    let samples = write_days(&settings, &days);
    let took = begun.elapsed();
    let store = Store::open(options(&days), Duration::ZERO).unwrap().0;
    let bytes = store.history().extents().iter().map(|extent| extent.bytes).sum::<u64>();
    drop(store);
    let per_day = bytes as f64 / settings.hours as f64 * 24.0;
    println!(
        "  {samples} samples in {took:.1?}: {:.0} a second",
        samples as f64 / took.as_secs_f64()
    );
    println!(
        "  {bytes} bytes: {:.3} a sample, 1 : {:.1} against f32, {:.1} MB a pump and day",
        bytes as f64 / samples as f64,
        samples as f64 * 4.0 / bytes as f64,
        per_day / 1e6
    );

    multiply(&settings, &days);
    let begun = Instant::now();
    let store = Store::open(options(&days), Duration::ZERO).unwrap().0;
    let start = begun.elapsed();
    println!(
        "start with {} h of {} pumps: {start:.2?}; at most {START_MAX:?}: {}",
        settings.hours,
        settings.pumps,
        kept(start <= START_MAX)
    );
    let median = query(&settings, &store);
    println!(
        "trend of {} h x 5 parameters in 800 buckets: {median:.2?} (median of 30); at most {QUERY_MAX:?}: {}",
        settings.hours,
        kept(median <= QUERY_MAX)
    );
    if share > SHARE_FAR {
        std::process::exit(1);
    }
}
