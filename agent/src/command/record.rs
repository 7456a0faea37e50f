//! `ecmo-agent record FILE`: writes the samples of the settings' sources into a table until a signal comes.

use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, anyhow};
use ecmo_agent::record::Table;
use ecmo_agent::sampler::Lineup;
use ecmo_agent::{Settings, clock};

use super::{Exit, fault, of_run, settings_fault, stopped};

/// How often rows are handed to the disk, and forced onto it: a power cut costs what was sampled since, and the two seconds
/// that a row waits for samples that are dated back.
const TO_DISK: Duration = Duration::from_secs(1);

/// Most parts that wait for the disk, one a second: a disk that stands still for longer ends the recording, and says so.
const PARTS_MAX: usize = 60;

/// Records until a signal comes. An existing file is never overwritten.
pub(crate) fn record(config: &Path, file: &Path) -> Result<(), Exit> {
    let settings = Settings::load(config).map_err(settings_fault)?;
    let mut lineup = ecmo_agent::lineup(&settings).map_err(of_run)?;
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .with_context(|| format!("cannot make {}: choose a new file name", file.display()))
        .map_err(settings_fault)?;
    let remark = format!("{}: {:?}, {}", settings.address, lineup.source(), lineup.device());
    out.write_all(Table::head(&remark, lineup.channels()).as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))
        .map_err(fault)?;
    lineup.start().context("cannot start the thread of an instrument").map_err(fault)?;

    let stop = Arc::new(AtomicBool::new(false));
    let (parts, waiting) = sync_channel(PARTS_MAX);
    let writer = thread::spawn(move || write(&mut out, &waiting));
    let should_stop = Arc::clone(&stop);
    let sampler = thread::spawn(move || sample(&mut lineup, &parts, &should_stop));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
    runtime.block_on(async {
        let signal = stopped().map_err(fault)?;
        let mut signal = core::pin::pin!(signal);
        // A recording that ended by itself (disk full) is noticed within a second.
        while !sampler.is_finished() && tokio::time::timeout(TO_DISK, &mut signal).await.is_err() {}
        Ok::<_, Exit>(())
    })?;
    stop.store(true, Ordering::Relaxed);
    let sampled =
        sampler.join().map_err(|_panic| fault(anyhow!("the sampling thread panicked")))?;
    let written = writer.join().map_err(|_panic| fault(anyhow!("the writing thread panicked")))?;
    written.with_context(|| format!("cannot write {}", file.display())).map_err(fault)?;
    let late = sampled.map_err(fault)?;
    tracing::info!(file = %file.display(), samples_late = late, "recorded");
    Ok(())
}

/// Samples until it should stop; returns how many samples came too late for their row.
fn sample(
    lineup: &mut Lineup,
    parts: &SyncSender<String>,
    should_stop: &AtomicBool,
) -> anyhow::Result<u64> {
    let mut table = Table::new(lineup.channels());
    let mut deadline = clock::now();
    let mut to_disk = deadline.plus(TO_DISK);
    while !should_stop.load(Ordering::Relaxed) {
        deadline = deadline.plus(lineup.tick()).max(clock::now());
        clock::sleep_until(deadline);
        table.add(lineup.poll(deadline).batch);
        if deadline >= to_disk {
            to_disk = deadline.plus(TO_DISK);
            let rows = table.rows(deadline);
            parts
                .try_send(rows)
                .map_err(|_full| anyhow!("the disk does not keep up or is full"))?;
        }
    }
    parts.send(table.rest()).context("the disk does not take the last rows")?;
    Ok(table.late)
}

/// Writes parts until the sampler ends. Each is on the disk before the next one is taken.
fn write(out: &mut File, waiting: &Receiver<String>) -> std::io::Result<()> {
    while let Ok(part) = waiting.recv() {
        out.write_all(part.as_bytes())?;
        out.sync_data()?;
    }
    out.sync_all()
}
