//! Judges one run: its samples go through frames into the gateway's own core, and what the core says is written down.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use anyhow::{Result, anyhow, bail};
use ecmo_core::alarm::condition::{Condition, Kind, Priority};
use ecmo_core::alarm::occurrence::Transition;
use ecmo_core::alarm::rule::Side;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::{BootId, Frame};
use ecmo_core::pump::Pump;
use ecmo_core::time::{ClockMap, Instant};

use crate::rules::RuleBook;
use crate::sealing::{Sealer, TICK, run_time};
use crate::source::{Sample, Source, Subject};

/// The reader's monotonic clock at the start of a run.
const READER_START: Duration = Duration::from_secs(2_000);

/// From publication to the reader: a wired path without a queue.
const PATH: Duration = Duration::from_millis(1);

/// Most deadlines that may fall due between two ticks; more are a deadline that a tick does not settle.
const DEADLINES_MAX: usize = 1_000;

/// One change of one alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Time of the run: of the sample that decided, or, where silence decides, of the decision.
    pub at: Duration,
    /// What is wrong.
    pub condition: Condition,
    /// Physiological or technical.
    pub kind: Kind,
    /// How urgent.
    pub priority: Priority,
    /// Whether the condition is present.
    pub present: bool,
    /// What changed.
    pub transition: Transition,
    /// Whether the condition became present, or more urgent by what was measured: what a person would call an alarm.
    /// That its priority goes up because nobody acknowledges it is none: nobody is there.
    pub raised: bool,
    /// The value as held against the limit.
    pub value: Option<f32>,
    /// The violated limit.
    pub limit: Option<(Side, f32)>,
}

/// What the core said of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Every change, in order.
    pub told: Vec<Told>,
    /// How long the run is.
    pub length: Duration,
}

/// Judges a run from its start to its end.
///
/// # Errors
/// The samples cannot be read, or the core refuses what an agent would send: a defect of this program or of the core.
pub fn judge(source: &mut impl Source, subject: &Subject, rules: &RuleBook) -> Result<Judged> {
    let specs = source.channels();
    let boot = BootId::new(1).ok_or_else(|| anyhow!("boot 0"))?;
    let start = reader_time(Duration::ZERO);
    let mut log = Log::default();
    let pump = rules.pump(subject, start, &mut log);
    let mut bench = Bench { pump, log };
    if bench.pump.on_birth(boot, &specs, subject.kind, false, start, &mut bench.log).is_err() {
        bail!("the core refuses the birth of the run");
    }
    let mut sealer = Sealer::new(boot, &specs);
    let mut waiting = VecDeque::new();
    let (mut batch, mut due) = (Vec::new(), Vec::new());
    let mut now = TICK;
    while let Some(until) = source.advance(&mut batch)? {
        waiting.extend(batch.drain(..));
        while now <= until {
            due.clear();
            while let Some(sample) = waiting.pop_front_if(|sample: &mut Sample| sample.at <= now) {
                due.push(sample);
            }
            sealer.on_tick(now, &due, |frame| bench.deliver(frame, now))?;
            bench.pass(now + TICK)?;
            now += TICK;
        }
    }
    Ok(Judged { told: bench.log.told, length: now.saturating_sub(TICK) })
}

/// The reader's clock at a moment of the run.
fn reader_time(at: Duration) -> Instant {
    Instant::default().plus(READER_START).plus(at)
}

/// The pump, and who writes down what it says.
struct Bench {
    pump: Pump,
    log: Log,
}

impl Bench {
    fn deliver(&mut self, frame: &Frame, now: Duration) -> Result<()> {
        let received = reader_time(now + PATH);
        self.log.now = now;
        self.pump
            .on_frame(frame, received, &mut self.log)
            .map_err(|refusal| anyhow!("the core refuses frame {}: {refusal:?}", frame.sequence))
    }

    /// Lets every deadline pass that falls due before the frames of the tick at `next` arrive.
    fn pass(&mut self, next: Duration) -> Result<()> {
        let arrival = reader_time(next + PATH);
        for _deadline in 0..DEADLINES_MAX {
            let Some(deadline) = self.pump.next_deadline().filter(|deadline| *deadline < arrival)
            else {
                return Ok(());
            };
            self.log.now = deadline.since(reader_time(Duration::ZERO));
            self.pump.on_tick(deadline, &mut self.log);
        }
        bail!("a deadline at {next:?} that a tick does not settle: a defect of the core")
    }
}

/// Writes down what the core says.
#[derive(Debug, Default)]
struct Log {
    now: Duration,
    told: Vec<Told>,
    /// Priority with which each condition is present.
    present: BTreeMap<Condition, Priority>,
}

impl Output for Log {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        let occurrence = change.occurrence;
        let condition = occurrence.id.condition;
        let raised = if occurrence.present {
            let before = self.present.insert(condition, occurrence.priority);
            before.is_none_or(|before| before < occurrence.priority && !occurrence.escalated)
        } else {
            self.present.remove(&condition);
            false
        };
        self.told.push(Told {
            at: change.cause.map_or(self.now, |cause| run_time(cause.sampled)),
            condition,
            kind: occurrence.kind,
            priority: occurrence.priority,
            present: occurrence.present,
            transition: change.transition,
            raised,
            value: occurrence.value,
            limit: occurrence.limit,
        });
    }
}
