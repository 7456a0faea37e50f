//! How long a durable action takes, alone and beside 30 pumps whose state is written: `cargo xtask bench store`.
//!
//! The same folder and the same run tell what a flush of the disk takes by itself. The exit code is 1 when an action takes far
//! longer than a flush: that is our doing, and not the disk's.
#![expect(clippy::unwrap_used, reason = "a bench that cannot begin ends")]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ecmo_core::pump::Kept;
use ecmo_gateway::clock::Clock;
use ecmo_gateway::metrics::Metrics;
use ecmo_gateway::store::audit::{Entry, Kind};
use ecmo_gateway::store::{Opened, Store, StoreParts, open};
use ecmo_proto::topic::{Id, PumpAddress};
use hdrhistogram::Histogram;

/// Actions that are measured of each kind.
const ACTIONS: usize = 2_000;

/// Pumps whose state changes all the time.
const PUMPS: usize = 30;

/// Changes of each pump in a second: an alarm storm.
const CHANGES_PER_SECOND: u32 = 10;

/// Target of the 99th percentile on the machine of the project.
const TARGET: Duration = Duration::from_millis(5);

/// An action may take so many flushes of the same disk, by the 99th percentiles of one run. What is alone waits for one; beside
/// the state it may wait for the flush of its own and that of a transaction of the state, which are two of redb's.
const FLUSHES_MAX: f64 = 12.0;

fn main() {
    let folder = std::env::args().skip_while(|it| it != "--dir").nth(1).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned());
    let folder = tempfile::tempdir_in(&folder).unwrap();
    println!("folder {}, {ACTIONS} actions each, {PUMPS} pumps", folder.path().display());
    println!("{:<42} {:>10} {:>10} {:>10}", "", "p50", "p99", "max");
    let flush = row("fdatasync of 600 bytes, before", &flushes(folder.path()));
    let alone = row("action, alone", &actions(&folder.path().join("alone"), 1, false));
    let beside = row("action, beside 30 pumps", &actions(&folder.path().join("beside"), 1, true));
    let many =
        row("action, 16 people, beside 30 pumps", &actions(&folder.path().join("many"), 16, true));
    let after = row("fdatasync of 600 bytes, after", &flushes(folder.path()));
    let worst = alone.max(beside).max(many);
    let target = if worst <= TARGET { "kept" } else { "NOT kept" };
    println!("target {TARGET:?} at p99: {target} ({worst:?})");
    let share = worst.as_secs_f64() / flush.max(after).as_secs_f64();
    println!("p99 of an action is {share:.1} flushes; at most {FLUSHES_MAX}");
    if share > FLUSHES_MAX {
        std::process::exit(1);
    }
}

fn row(what: &str, took: &Histogram<u64>) -> Duration {
    let at = |quantile| Duration::from_nanos(took.value_at_quantile(quantile));
    let (median, tail, most) = (at(0.5), at(0.99), at(1.0));
    println!("{what:<42} {:>10} {:>10} {:>10}", ms(median), ms(tail), ms(most));
    tail
}

fn ms(took: Duration) -> String {
    format!("{:.2} ms", took.as_secs_f64() * 1e3)
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).unwrap()
}

/// What the disk takes by itself.
fn flushes(folder: &Path) -> Histogram<u64> {
    let mut file = File::create(folder.join("raw")).unwrap();
    let (clock, mut took) = (Clock::start(), histogram());
    for _ in 0..ACTIONS {
        let begun = clock.now();
        file.write_all(&[b'x'; 600]).unwrap();
        file.sync_data().unwrap();
        took.saturating_record(u64::try_from(clock.now().since(begun).as_nanos()).unwrap());
    }
    took
}

fn entry() -> Entry {
    let mut entry = Entry::of_gateway(Kind::Acknowledge, "bench", 1, "an alarm".to_owned());
    entry.by = "A. Nurse".to_owned();
    entry.action = "00".repeat(100);
    entry
}

fn actions(dir: &Path, people: usize, beside: bool) -> Histogram<u64> {
    let (clock, metrics) = (Clock::start(), Arc::new(Metrics::new(&[])));
    let opened = open(&StoreParts { dir, gateway: "bench", clock, metrics: &metrics }).unwrap();
    let Opened { store, mut intake, threads, .. } = opened;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let load = std::thread::spawn(move || {
        let ward = Id::new("nicu").unwrap();
        let pump = |number| PumpAddress {
            ward: ward.clone(),
            pump: Id::new(&format!("p{number}")).unwrap(),
        };
        while beside && !stopped.load(Ordering::Relaxed) {
            for number in 0..PUMPS {
                let mut kept = Kept::default();
                kept.ownership.bed = "x".repeat(600);
                intake.offer(&pump(number), kept);
            }
            std::thread::sleep(Duration::from_secs(1) / CHANGES_PER_SECOND);
        }
    });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let took = runtime.unwrap().block_on(async {
        let each = (0..people).map(|_| tokio::spawn(person(store.clone(), ACTIONS / people)));
        let mut took = histogram();
        for one in each.collect::<Vec<_>>() {
            took.add(one.await.unwrap()).unwrap();
        }
        took
    });
    stop.store(true, Ordering::Relaxed);
    load.join().unwrap();
    threads.stop(clock, Duration::from_secs(2));
    took
}

async fn person(store: Store, actions: usize) -> Histogram<u64> {
    let (clock, mut took) = (Clock::start(), histogram());
    for _ in 0..actions {
        let begun = clock.now();
        let flight = store.begin();
        let written = store.write(vec![entry()]).await;
        assert!(written.is_durable(), "the disk is sound");
        took.saturating_record(u64::try_from(clock.now().since(begun).as_nanos()).unwrap());
        store.landed(flight, written);
    }
    took
}
