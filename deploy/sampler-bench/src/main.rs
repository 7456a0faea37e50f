//! The whole agent at 1 kHz x 8 channels for a while, and what it cost: `cargo xtask bench sampler` runs it.
//!
//! As it ships: the converter's driver on the sampling thread, ring, framer, frames to a real broker, spool on disk, rules at
//! the bedside, log. Only the files of the converter are made for it, and a stopwatch stands before the driver.

mod cost;

mod converter;

mod stopwatch;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ecmo_agent::sampler::Lineup;
use ecmo_agent::sensor::{self, Sensor};
use ecmo_agent::{Manager, Settings, Summary, log};

use cost::{Cost, Used, quantile};
use stopwatch::Stopwatch;

const RATE_HZ: u32 = 1000;
const TICK: Duration = Duration::from_millis(1);

/// Time for connecting and for the first touch of all memory.
const WARM_UP: Duration = Duration::from_secs(2);

/// Longest run in seconds: room is kept for the lateness of every poll.
const SECONDS_MAX: u32 = 600;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [broker, seconds, realtime] = arguments.as_slice() else {
        bail!("usage: ecmo-sampler-bench mqtt://HOST:PORT SECONDS true|false");
    };
    let seconds: u32 = seconds.parse().context("SECONDS")?;
    ensure!((1..=SECONDS_MAX).contains(&seconds), "use 1 to {SECONDS_MAX} seconds");
    let realtime: bool = realtime.parse().context("true or false")?;

    let folder = tempfile::tempdir().context("no folder for the converter and the spool")?;
    converter::plug(folder.path())?;
    let settings = settings(broker, realtime, folder.path())?;
    let _written_at_the_end = log::start();

    let (told, lateness) = mpsc::sync_channel(1);
    let lineup = lineup(&settings, seconds, &told)?;
    ensure!(lineup.tick() == TICK, "the agent chose a tick of {:?}", lineup.tick());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (summary, cost) = runtime.block_on(measure(settings, lineup, seconds))?;

    let mut late_us = lateness.recv().context("the sampler told nothing")?;
    let warm_up = usize::try_from(WARM_UP.as_millis() / TICK.as_millis())?;
    late_us.drain(..warm_up.min(late_us.len()));
    late_us.sort_unstable();
    tell(&late_us, &summary, frames_kept(folder.path())?, &cost);
    Ok(())
}

/// The settings as a person writes them. What they do not name is as the agent ships: the rules at the bedside judge.
fn settings(broker: &str, realtime: bool, folder: &Path) -> Result<Settings> {
    let text = format!(
        "ward = \"bench\"\npump = \"sampler\"\nbroker = \"{broker}\"\n\
         [sampling]\nrealtime = {realtime}\n\
         [spool]\ndir = \"{}\"\n\
         {}",
        spool(folder).display(),
        converter::source(folder, RATE_HZ)
    );
    let settings = Settings::parse(&text, "bench.toml").context("the bench's own settings")?;
    ensure!(settings.local_alarm.enabled, "the rules at the bedside are off");
    Ok(settings)
}

/// The agent's sensors, each behind a stopwatch.
fn lineup(settings: &Settings, seconds: u32, told: &mpsc::SyncSender<Vec<u32>>) -> Result<Lineup> {
    let polls = usize::try_from((seconds + 5) * RATE_HZ)?;
    let sensors = sensor::build(&settings.sources).context("the converter")?;
    let timed =
        |sensor| -> Box<dyn Sensor> { Box::new(Stopwatch::new(sensor, TICK, polls, told.clone())) };
    Lineup::new(sensors.into_iter().map(timed).collect()).context("the converter alone")
}

/// Runs the agent, and looks at what it used once it is warm.
async fn measure(settings: Settings, lineup: Lineup, seconds: u32) -> Result<(Summary, Cost)> {
    let mut cost = None;
    let time = async {
        tokio::time::sleep(WARM_UP).await;
        let begun = Used::now();
        tokio::time::sleep(Duration::from_secs(seconds.into())).await;
        cost = Some(Cost::since(&begun));
    };
    let ran = ecmo_agent::run_lineup(settings, lineup, Manager::default(), time).await;
    let summary = ran.context("the agent")?;
    Ok((summary, cost.context("the agent ended before its time")??))
}

/// Where the agent keeps frames.
fn spool(folder: &Path) -> PathBuf {
    folder.join("spool")
}

/// Frames that are on disk after the end.
fn frames_kept(folder: &Path) -> Result<u64> {
    let (reader, damaged) = ecmo_agent::spool::open(&spool(folder)).context("the spool")?;
    ensure!(damaged == 0, "{damaged} records of the spool are damaged");
    Ok(reader.extents().iter().map(|extent| extent.frames).sum())
}

fn tell(late_us: &[u32], summary: &Summary, frames_kept: u64, cost: &Cost) {
    for (name, per_mille) in [("p50_us", 500), ("p99_us", 990), ("p999_us", 999), ("max_us", 1000)]
    {
        println!("{name} {}", quantile(late_us, per_mille));
    }
    for (name, value) in [
        ("ticks", summary.ticks),
        ("ticks_missed", summary.ticks_missed),
        ("samples", summary.samples),
        ("overruns", summary.overruns),
        ("frames_prepared", summary.frames_prepared),
        ("frames_published", summary.frames_published),
        ("frames_not_judged", summary.frames_not_judged),
        ("frames_kept", frames_kept),
        ("cpu_per_mille", cost.cpu_per_mille),
        ("rss_kb", cost.rss_kb),
        ("rss_peak_kb", cost.rss_peak_kb),
    ] {
        println!("{name} {value}");
    }
    println!("realtime_threads {}", cost.realtime_threads);
}
