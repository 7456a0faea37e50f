//! An agent that samples 8 channels at 1 kHz for a while, and tells what it cost: `cargo xtask bench sampler` runs it.
//!
//! It is the whole agent: sampling thread, ring, framer, queue, and frames to a real broker. The source makes one system call
//! for each channel and tick, to an attribute in sysfs, as a driver of an analogue-digital converter is read there.

#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to tell")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc;
use std::time::Duration;

use ecmo_agent::config::{SamplingSettings, Settings};
use ecmo_agent::sampler::Lineup;
use ecmo_agent::sensor::{Batch, Channel, Sensor, SourceKind};
use ecmo_agent::{Manager, clock};
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::SampleTime;
use ecmo_proto::topic::{Id, PumpAddress};

const RATE_HZ: f64 = 1000.0;
const TICK: Duration = Duration::from_millis(1);

/// Time for connecting and for the first touch of all memory.
const WARM_UP: Duration = Duration::from_secs(2);

/// Attributes of the loopback interface that are whole numbers: each Linux has them.
const FILES: [&str; 8] =
    ["addr_len", "ifindex", "iflink", "link_mode", "mtu", "netdev_group", "tx_queue_len", "type"];

/// Eight attributes of sysfs, read at each poll. It also notes how late each poll begins.
struct Sysfs {
    files: Vec<File>,
    channels: Vec<Channel>,
    due: Option<SampleTime>,
    late_ns: Vec<u64>,
    told: mpsc::SyncSender<Vec<u64>>,
}

impl Sysfs {
    fn new(polls: usize, told: mpsc::SyncSender<Vec<u64>>) -> Self {
        let open = |name: &&str| File::open(format!("/sys/class/net/lo/{name}")).unwrap();
        let parameters = Parameter::ALL.iter().filter(|parameter| {
            // Edge channels make a frame of their own at each change, which is another load.
            !Channel::new(**parameter, RATE_HZ, 1.0).is_edge()
        });
        let channel = |parameter: &Parameter| Channel::new(*parameter, RATE_HZ, 1.0);
        Self {
            files: FILES.iter().map(open).collect(),
            channels: parameters.take(FILES.len()).map(channel).collect(),
            due: None,
            late_ns: Vec::with_capacity(polls),
            told,
        }
    }
}

impl Sensor for Sysfs {
    fn device(&self) -> &str {
        "8 attributes of sysfs"
    }

    fn source(&self) -> SourceKind {
        SourceKind::Measured
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        // Against the tick that follows the one before: ticks that are left out count as the lateness that they are.
        let late = clock::now().since(self.due.unwrap_or(now));
        self.due = Some(now.plus(TICK));
        if self.late_ns.len() < self.late_ns.capacity() {
            self.late_ns.push(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
        }
        for (channel, file) in self.files.iter().enumerate() {
            let mut text = [0; 32];
            let length = file.read_at(&mut text, 0).unwrap();
            let text = std::str::from_utf8(text.get(..length).unwrap()).unwrap();
            out.push(channel, now, Reading::Value(text.trim().parse().unwrap()));
        }
    }
}

impl Drop for Sysfs {
    fn drop(&mut self) {
        // Nobody listens when the bench has failed already.
        let _or_failed = self.told.send(std::mem::take(&mut self.late_ns));
    }
}

/// What the process had used at one moment.
struct Used {
    at: SampleTime,
    cpu: Duration,
}

impl Used {
    fn now() -> Self {
        Self { at: clock::now(), cpu: clock::cpu_time() }
    }
}

/// A line of `/proc/self/status`, in kB.
fn memory_kb(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// The value that so many of 1000 are not above.
fn quantile_us(sorted_ns: &[u64], per_mille: usize) -> u64 {
    let at = (sorted_ns.len() * per_mille).div_ceil(1000).saturating_sub(1);
    sorted_ns.get(at).copied().unwrap_or(0) / 1000
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [broker, seconds, realtime] = arguments.as_slice() else {
        eprintln!("usage: sampler_bench mqtt://HOST:PORT SECONDS true|false");
        std::process::exit(2);
    };
    let seconds: u32 = seconds.parse().unwrap();
    let id = |text| Id::new(text).unwrap();
    let address = PumpAddress { ward: id("bench"), pump: id("sampler") };
    let mut settings = Settings::simulated(address, broker.parse().unwrap(), 0);
    let realtime = Some(realtime.parse().unwrap());
    settings.sampling = SamplingSettings { tick: Some(TICK), realtime, cpu: None };

    let polls = usize::try_from(seconds + 10).unwrap() * 1000;
    let (told, lateness) = mpsc::sync_channel(1);
    let lineup = Lineup::new(vec![Box::new(Sysfs::new(polls, told))]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (summary, begun, ended, memory) = runtime.block_on(async {
        let (mut begun, mut ended, mut memory) = (None, None, (0, 0));
        let time = async {
            tokio::time::sleep(WARM_UP).await;
            begun = Some(Used::now());
            tokio::time::sleep(Duration::from_secs(seconds.into())).await;
            ended = Some(Used::now());
            memory = (memory_kb("VmRSS"), memory_kb("VmHWM"));
        };
        let ran = ecmo_agent::run_lineup(settings, lineup, Manager::default(), time).await;
        (ran.unwrap(), begun.unwrap(), ended.unwrap(), memory)
    });
    let warm_up = usize::try_from(WARM_UP.as_millis() / TICK.as_millis()).unwrap();
    let mut late_ns: Vec<u64> = lateness.recv().unwrap().into_iter().skip(warm_up).collect();
    late_ns.sort_unstable();
    let (cpu, time) = (ended.cpu.saturating_sub(begun.cpu), ended.at.since(begun.at));
    for (name, value) in [
        ("p50_us", quantile_us(&late_ns, 500)),
        ("p99_us", quantile_us(&late_ns, 990)),
        ("p999_us", quantile_us(&late_ns, 999)),
        ("max_us", quantile_us(&late_ns, 1000)),
        ("ticks", summary.ticks),
        ("ticks_missed", summary.ticks_missed),
        ("samples", summary.samples),
        ("overruns", summary.overruns),
        ("frames_prepared", summary.frames_prepared),
        ("frames_published", summary.frames_published),
        ("cpu_per_mille", u64::try_from(cpu.as_nanos() * 1000 / time.as_nanos().max(1)).unwrap()),
        ("rss_kb", memory.0),
        ("rss_peak_kb", memory.1),
    ] {
        println!("{name} {value}");
    }
}
