//! Delivery: many displays, a frozen one, all at once, too much input; and what it costs. One run, its own raw hops beside it.

mod report;

mod storm;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use crate::args::Delivery;
use crate::beside::Beside;
use crate::gateway::Memory;
use crate::ours::{Counts, Measured, Scene};
use crate::plan::Plan;
use crate::series::{Quantiles, Times, micros};
use crate::turns::{TURN_SECONDS, Turns};
use crate::views::{Seen, Views};
use crate::{l0, ours, t0};

pub(crate) use report::{Report, failed, promises, table};

/// The rated input.
const PUMPS: u32 = 30;
const RATE: u32 = 50;

/// Displays for which the way is measured.
const SIZES: [u32; 3] = [1, 20, 200];

/// Displays beside the frozen one, and at twice the rated input.
const HEALTHY: u32 = 20;

/// Displays of which the memory is told.
const DISPLAYS_OF_MEMORY: u32 = 50;

/// Pumps whose waveforms each display watches, where it does.
const WAVES: u32 = 4;

/// The way to so many displays, beside the raw hops to as many.
#[derive(Debug, Serialize)]
pub(crate) struct Size {
    pub(crate) displays: u32,
    pub(crate) broker_hop: Quantiles,
    pub(crate) stream_hop: Quantiles,
    pub(crate) ours: Quantiles,
    pub(crate) counts: Counts,
    pub(crate) delivered: usize,
}

/// The way to the healthy displays with and without a frozen one.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Pair {
    pub(crate) without: Quantiles,
    pub(crate) with: Quantiles,
}

/// Displays that watch everything.
#[derive(Debug, Serialize)]
pub(crate) struct Full {
    pub(crate) pumps: u32,
    pub(crate) displays: u32,
    pub(crate) ours: Quantiles,
    pub(crate) counts: Counts,
    pub(crate) delivered: usize,
    pub(crate) memory: Option<Memory>,
    /// What the displays saw besides.
    pub(crate) seen: Seen,
    /// What a display saw that watches all waveforms and reads too slowly.
    pub(crate) slow: Option<Seen>,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) sizes: Vec<Size>,
    pub(crate) pairs: Vec<Pair>,
    /// Alarms that were lost and invented in the pairs.
    pub(crate) pairs_lost: u64,
    pub(crate) pairs_invented: u64,
    /// Until the last of all displays had its snapshots, in nanoseconds, for each time that they came at once.
    pub(crate) storms_ns: Vec<u64>,
    pub(crate) twice: Full,
    pub(crate) rated: Full,
}

/// Where and on what it is measured.
#[derive(Debug)]
struct Bench<'a> {
    program: &'a Path,
    broker: SocketAddr,
    seconds: u32,
    round: u32,
}

impl Bench<'_> {
    const fn plan(&self, pumps: u32, displays: u32) -> Plan {
        Plan { pumps, rate: RATE, displays, seconds: self.seconds }
    }

    async fn ours(&mut self, plan: &Plan, scene: &Scene) -> anyhow::Result<Measured> {
        // A ward of its own for each: the broker keeps the births of those before.
        self.round += 1;
        ours::measure(self.program, self.broker, plan, self.round, scene).await
    }

    async fn size(&mut self, displays: u32) -> anyhow::Result<Size> {
        let plan = self.plan(PUMPS, displays);
        let (l0, t0) =
            tokio::join!(l0::measure(self.broker, &plan, self.round), t0::measure(&plan));
        let l0 = l0.context("L0, the raw broker hop")?;
        let t0 = t0.context("T0, the raw stream hop")?;
        let ours = self.ours(&plan, &Scene::default()).await?;
        let size = Size {
            displays,
            broker_hop: l0.times.quantiles(),
            stream_hop: t0.times.quantiles(),
            ours: ours.times.quantiles(),
            counts: ours.counts,
            delivered: ours.delivered,
        };
        println!("{displays} displays: p99 {:.0} us", micros(size.ours.p99_ns));
        Ok(size)
    }

    async fn full(&mut self, pumps: u32, displays: u32, slow: bool) -> anyhow::Result<Full> {
        let beside = slow.then_some(Beside::Slow);
        let scene = Scene { views: Views::ward(0..WAVES), beside, turns: None };
        let ours = self.ours(&self.plan(pumps, displays), &scene).await?;
        let full = Full {
            pumps,
            displays,
            ours: ours.times.quantiles(),
            counts: ours.counts,
            delivered: ours.delivered,
            memory: ours.memory,
            seen: ours.seen,
            slow: ours.beside,
        };
        println!(
            "{pumps} pumps, {displays} displays with waveforms: p99 {:.0} us",
            micros(full.ours.p99_ns)
        );
        Ok(full)
    }

    /// Both turns of a pair follow each other, and which is first changes.
    async fn pairs(&mut self, count: u32) -> anyhow::Result<(Vec<Pair>, u64, u64)> {
        let plan = Plan { seconds: 2 * count * TURN_SECONDS, ..self.plan(PUMPS, HEALTHY) };
        let scene = Scene { turns: Some(Turns(2 * count)), ..Scene::default() };
        let ours = self.ours(&plan, &scene).await?;
        let mut turns = (0..).zip(ours.turns.iter().map(Times::quantiles));
        let mut pairs = Vec::new();
        while let (Some((number, one)), Some((_, other))) = (turns.next(), turns.next()) {
            let is_first_beside = Turns::is_beside(number);
            let (without, with) = if is_first_beside { (other, one) } else { (one, other) };
            pairs.push(Pair { without, with });
        }
        println!("{} turns beside a frozen display, and as many without", pairs.len());
        Ok((pairs, ours.counts.lost, ours.counts.invented))
    }
}

/// Measures everything, one after the other.
pub(crate) async fn measure(
    settings: &Delivery,
    program: &Path,
    broker: SocketAddr,
) -> anyhow::Result<Found> {
    let mut bench = Bench { program, broker, seconds: settings.seconds(), round: 0 };
    let mut sizes = Vec::new();
    for displays in SIZES {
        let size = bench.size(displays).await;
        sizes.push(size.with_context(|| format!("{displays} displays"))?);
    }
    let pairs = bench.pairs(settings.pairs()).await.context("beside a frozen display")?;
    let (pairs, pairs_lost, pairs_invented) = pairs;
    let most = SIZES.into_iter().max().unwrap_or(1);
    let plan = bench.plan(PUMPS, most);
    let storms_ns = storm::measure(program, broker, &plan).await.context("all at once")?;
    let twice = bench.full(2 * PUMPS, HEALTHY, true).await.context("twice the rated input")?;
    let rated = bench.full(PUMPS, DISPLAYS_OF_MEMORY, false).await.context("the rated input")?;
    println!();
    Ok(Found { sizes, pairs, pairs_lost, pairs_invented, storms_ns, twice, rated })
}
