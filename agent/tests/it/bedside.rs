//! A publisher without a sampling thread: the test says when there is a frame, and what the disk holds.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ecmo_agent::config::{Brokers, PumpKind, SimulatedSettings, SourceSettings};
use ecmo_agent::counters::Counters;
use ecmo_agent::frame::{Boot, Framer};
use ecmo_agent::lease::Lease;
use ecmo_agent::publish::{Archive, Publication, Publisher};
use ecmo_agent::queue::Outlets;
use ecmo_agent::sampler::Lineup;
use ecmo_agent::spool::Part;
use ecmo_agent::{birth::Announcer, clock, sensor};
use ecmo_proto::sealed::FrameBody;
use ecmo_proto::v1;
use prost::Message;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::ward::{SOON, address};

/// Time between two frames.
const PERIOD: Duration = Duration::from_millis(20);

/// What is published by hand.
pub struct Bedside {
    pub boot: Boot,
    pub lease: Arc<Lease>,
    pub counters: Arc<Counters>,
    outlets: Outlets,
    framer: Framer,
    lineup: Lineup,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Bedside {
    pub fn start(pump: &str, brokers: &[SocketAddr], archive: Option<Arc<dyn Archive>>) -> Self {
        let url = |broker: &SocketAddr| format!("mqtt://{broker}").parse().unwrap();
        let mut urls = brokers.iter().map(url);
        let first = Brokers::one(urls.next().unwrap());
        let brokers = urls.fold(first, Brokers::and);
        let boot = Boot::new(address(pump));
        let source = SourceSettings::Simulated(SimulatedSettings::healthy(1));
        let lineup = Lineup::new(sensor::build(&[source]).unwrap()).unwrap();
        let (lease, counters) = (Arc::<Lease>::default(), Arc::<Counters>::default());
        let outlets = Outlets::new(brokers.count());
        let publisher = Publisher::new(Publication {
            brokers,
            tls: None,
            announcer: Announcer::new(
                &boot,
                &lineup,
                PumpKind::Centrifugal,
                PERIOD,
                Arc::default(),
            ),
            outlets: outlets.clone(),
            vitals: Default::default(),
            wall_clock: Arc::default(),
            lease: Arc::clone(&lease),
            archive,
            backfill_bytes_per_s: 100 * 1024 * 1024,
            counters: Arc::clone(&counters),
        });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(publisher.unwrap().run(stopped));
        let framer = Framer::new(&boot, lineup.channels(), PERIOD);
        Self { boot, lease, counters, outlets, framer, lineup, stop, task }
    }

    /// Samples and publishes for a time, on the runtime: nothing here is real-time.
    pub async fn sample_for(&mut self, lasts: Duration) {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let begin = clock::now();
        while clock::now().since(begin) < lasts {
            ticks.tick().await;
            let tick = self.lineup.poll(clock::now());
            self.framer.on_tick(tick, &self.counters, |frame| {
                self.outlets.push(&frame, &self.counters);
            });
        }
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(SOON, self.task).await.expect("it stops").unwrap();
    }
}

/// An archive that makes up its frames: whichever sequences it is said to hold.
#[derive(Debug)]
pub struct Disk {
    pub boot_id: u64,
    pub end: u64,
    pub missing: BTreeSet<u64>,
}

/// Bytes of a frame of eight channels, about.
const FRAME_BYTES: usize = 120;

impl Archive for Disk {
    fn read(&self, boot_id: u64, range: Range<u64>, bytes_max: usize) -> io::Result<Part> {
        let most = bytes_max / FRAME_BYTES;
        let held = range.start..range.end.min(if boot_id == self.boot_id { self.end } else { 0 });
        let sequences = held.filter(|sequence| !self.missing.contains(sequence));
        let frames: Vec<_> = sequences
            .take(most)
            .map(|sequence| {
                let block = v1::SampleBlock { counts: vec![1; 90], ..Default::default() };
                let blocks = vec![block];
                let mut frame = v1::Frame { boot_id, sequence, blocks, ..Default::default() };
                (sequence, FrameBody::new(&mut frame))
            })
            .collect();
        let is_all = frames.len() < most;
        let next = if is_all { range.end } else { frames.last().map_or(range.end, |(n, _)| n + 1) };
        let is_ours = boot_id == self.boot_id;
        let birth = v1::Birth { boot_id, device: "disk".into(), ..Default::default() };
        let birth = if is_ours { birth.encode_to_vec().into() } else { Default::default() };
        Ok(Part { birth, frames, gone: Vec::new(), next, is_last: next >= range.end })
    }
}
