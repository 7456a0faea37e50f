//! What to ask an agent's spool for, and when. Pure: what is known and a time in, requests out.
//!
//! Missing is what the spool has, by the agent's word, and the journal has not. The newest gap comes first, in pieces, one
//! request at a time a pump. What the spool says is gone is given up for ever. Nothing is asked of an agent that is not heard.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use ecmo_core::time::Instant;
use ecmo_journal::Ranges;
use ecmo_proto::topic::PumpAddress;

use crate::fanout::Completeness;

/// Frames that one request asks for: a minute, so that a request that is lost costs little and newer gaps go before.
pub const FRAMES_PER_REQUEST: u64 = 3_000;

/// Without a part for so long a request counts as lost and is made anew on the next path.
pub const PART_WITHIN: Duration = Duration::from_secs(5);

/// An agent whose last heartbeat is older than this is not asked: three heartbeats.
pub const HEARD_WITHIN: Duration = Duration::from_secs(3);

/// What a spool holds is asked for once it has held it so long: far above the window for frames that were overtaken, so that
/// what is still on its way is not asked for.
pub const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Pumps that are asked at a time: their answers share the gateway's link, and live frames come first.
pub const PUMPS_AT_ONCE: usize = 4;

/// Whole answers without anything new after which a gap is left alone for [`LEFT_ALONE`].
const FRUITLESS_MAX: u32 = 3;

/// How long a gap is left alone that the agent neither fills nor gives up.
const LEFT_ALONE: Duration = Duration::from_mins(1);

/// Runs of one agent that are remembered: what a heartbeat can name, and as many again that are only in the journal.
const BOOTS_MAX: usize = 128;

/// Frames of one run that a spool holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The run.
    pub boot: u64,
    /// From the first to after the last frame.
    pub frames: Range<u64>,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whose agent.
    pub pump: PumpAddress,
    /// Number of the request, for the answer.
    pub number: u64,
    /// The run.
    pub boot: u64,
    /// The frames.
    pub frames: Range<u64>,
    /// How often this pump's requests went unanswered: chooses the path.
    pub attempt: usize,
}

/// Where a frame came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// As it was sampled.
    Live,
    /// From the agent's spool.
    Spool,
}

/// Frames of one run.
#[derive(Debug, Default)]
struct Boot {
    /// What was kept, even if it has gone from the journal since.
    have: Ranges,
    /// What was kept and has gone from the journal because it was the oldest.
    forgotten: Ranges,
    /// What the spool gave up.
    gone: Ranges,
    /// What came from the spool.
    backfilled: Ranges,
    /// What came from the spool and was not judged yet.
    unjudged: Ranges,
    /// What the spool was ever said to hold.
    told: Option<Range<u64>>,
    /// What it holds, as far as that has settled.
    held: Option<Range<u64>>,
    left_alone: Option<(Range<u64>, Instant)>,
    fruitless: u32,
}

impl Boot {
    fn missing(&self) -> Ranges {
        let Some(held) = self.held.clone() else { return Ranges::default() };
        self.have.missing(held).without(&self.gone)
    }

    /// Frames that neither the journal nor the spool has. Of the newest run what lies behind the settled word of the agent
    /// may still be on its way.
    fn lost(&self, is_newest: bool) -> u64 {
        let known = [self.have.hull(), self.told.clone()].into_iter().flatten();
        let known = known.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end));
        let Some(mut known) = known else { return 0 };
        if let Some(held) = self.held.as_ref().filter(|_held| is_newest) {
            known.end = known.end.min(held.end);
        }
        let held: Ranges = self.held.iter().cloned().collect();
        self.have.missing(known).without(&held.without(&self.gone)).count()
    }
}

/// A request that is not answered yet.
#[derive(Debug, Clone)]
struct Pending {
    number: u64,
    boot: u64,
    frames: Range<u64>,
    due: Instant,
    new: u64,
}

/// One pump.
#[derive(Debug, Default)]
struct Pump {
    boots: BTreeMap<u64, Boot>,
    /// The newest first, as the agent says.
    order: Vec<u64>,
    heard_at: Option<Instant>,
    /// What the agent said, not yet settled.
    said: VecDeque<(Instant, Vec<Extent>)>,
    pending: Option<Pending>,
    /// The request before: its parts may still be on their way.
    before: Option<Pending>,
    attempt: usize,
    is_full: bool,
    /// Whether the agent has said what its spool holds since this start.
    is_told: bool,
}

/// The state of all pumps.
#[derive(Debug, Default)]
pub struct Plan {
    pumps: BTreeMap<PumpAddress, Pump>,
    number: u64,
    /// The pump that was asked last: the next one has its turn.
    last: Option<PumpAddress>,
}

impl Plan {
    /// Takes over what the journal had kept of a run before this start.
    pub fn restore(&mut self, pump: &PumpAddress, boot: u64, kept: Restored) {
        let boot = self.boot_mut(pump, boot);
        boot.have.merge(&kept.have);
        boot.have.merge(&kept.forgotten);
        boot.forgotten.merge(&kept.forgotten);
        boot.backfilled.merge(&kept.backfilled);
        boot.unjudged.merge(&kept.backfilled);
    }

    /// Whether a frame is kept, or was.
    #[must_use]
    pub fn has(&self, pump: &PumpAddress, boot: u64, sequence: u64) -> bool {
        let found = self.pumps.get(pump).and_then(|pump| pump.boots.get(&boot));
        found.is_some_and(|boot| boot.have.contains(sequence))
    }

    /// A frame is in the journal now.
    pub fn on_kept(&mut self, pump: &PumpAddress, boot: u64, sequence: u64, source: Source) {
        let frame = sequence..sequence.saturating_add(1);
        let of = self.boot_mut(pump, boot);
        if of.have.insert(frame.clone()) == 0 || source == Source::Live {
            return;
        }
        of.backfilled.insert(frame.clone());
        of.unjudged.insert(frame);
    }

    /// Frames went from the journal because they were the oldest.
    pub fn on_forgotten(&mut self, pump: &PumpAddress, boot: u64, frames: &Ranges) {
        self.boot_mut(pump, boot).forgotten.merge(frames);
    }

    /// The pump's part of the journal has no room for what is older than what it holds, or has again.
    pub fn set_full(&mut self, pump: &PumpAddress, is_full: bool) {
        self.pumps.entry(pump.clone()).or_default().is_full = is_full;
    }

    /// The agent lives, and says what its spool holds, the newest run first; nothing when it has no spool.
    pub fn on_extents(&mut self, address: &PumpAddress, extents: Vec<Extent>, now: Instant) {
        let pump = self.pumps.entry(address.clone()).or_default();
        pump.heard_at = Some(now);
        // Answers to probes come often: one word in each settling time is enough.
        let is_due = pump.said.back().is_none_or(|(at, _)| now.since(*at) >= SETTLED_AFTER / 2);
        if is_due {
            pump.said.push_back((now, extents));
        }
        pump.settle(now);
    }

    /// Takes the head of a part: the frames that may be kept of it. `None` when nothing like it was asked for.
    pub fn on_part(
        &mut self,
        address: &PumpAddress,
        part: &PartHead,
        now: Instant,
    ) -> Option<Range<u64>> {
        let pump = self.pumps.get_mut(address)?;
        let mut asked = pump.pending.iter().chain(&pump.before);
        let asked = asked.find(|one| one.number == part.number && one.boot == part.boot)?;
        let frames = asked.frames.clone();
        let boot = pump.boots.entry(part.boot).or_default();
        for gone in part.gone.iter() {
            boot.gone.insert(gone.start.max(frames.start)..gone.end.min(frames.end));
        }
        if let Some(pending) = pump.pending.as_mut().filter(|one| one.number == part.number) {
            pending.due = now.plus(PART_WITHIN);
            pending.new += part.gone.count();
        }
        Some(frames)
    }

    /// The frames of a part were looked through; so many of them were new. The last part ends the request.
    pub fn on_part_done(&mut self, address: &PumpAddress, part: &PartHead, new: u64, now: Instant) {
        let Some(pump) = self.pumps.get_mut(address) else { return };
        let Some(pending) = pump.pending.as_mut().filter(|one| one.number == part.number) else {
            return;
        };
        pending.new += new;
        if !part.last {
            return;
        }
        let (boot, frames, fruitful) = (pending.boot, pending.frames.clone(), pending.new > 0);
        pump.before = pump.pending.take();
        pump.attempt = 0;
        let boot = pump.boots.entry(boot).or_default();
        boot.fruitless = if fruitful { 0 } else { boot.fruitless + 1 };
        if boot.fruitless >= FRUITLESS_MAX {
            boot.fruitless = 0;
            boot.left_alone = Some((frames, now.plus(LEFT_ALONE)));
        }
    }

    /// The requests that are due now.
    pub fn step(&mut self, now: Instant) -> Vec<Ask> {
        let mut asks = Vec::new();
        let mut busy = 0;
        for pump in self.pumps.values_mut() {
            pump.settle(now);
            if pump.pending.as_ref().is_some_and(|pending| now >= pending.due) {
                pump.before = pump.pending.take();
                pump.attempt += 1;
            }
            busy += usize::from(pump.pending.is_some());
        }
        let after = self.last.clone();
        let behind = |one: &&PumpAddress| after.as_ref().is_none_or(|last| *one > last);
        let mut turn: Vec<PumpAddress> = self.pumps.keys().filter(behind).cloned().collect();
        turn.extend(self.pumps.keys().filter(|one| !behind(one)).cloned());
        for address in turn {
            if busy >= PUMPS_AT_ONCE {
                break;
            }
            let Some(pump) = self.pumps.get_mut(&address) else { continue };
            let Some((boot, frames)) = pump.next(now) else { continue };
            self.number += 1;
            let (number, due) = (self.number, now.plus(PART_WITHIN));
            pump.pending = Some(Pending { number, boot, frames: frames.clone(), due, new: 0 });
            busy += 1;
            let attempt = pump.attempt;
            self.last = Some(address.clone());
            asks.push(Ask { pump: address, number, boot, frames, attempt });
        }
        asks
    }

    /// What came from the spool, of runs in which nothing is missing any more, or was left alone: to be judged now. Each
    /// frame comes once.
    pub fn take_closed(&mut self, address: &PumpAddress) -> Vec<(u64, Ranges)> {
        let Some(pump) = self.pumps.get_mut(address) else { return Vec::new() };
        let asked = pump.pending.as_ref().map(|pending| pending.boot);
        let closed = pump.boots.iter_mut().filter(|(id, boot)| {
            let is_open = boot.left_alone.is_none() && !boot.missing().is_empty();
            !boot.unjudged.is_empty() && asked != Some(**id) && !is_open
        });
        closed.map(|(id, boot)| (*id, std::mem::take(&mut boot.unjudged))).collect()
    }

    /// What was taken could not be judged now: it comes again.
    pub fn put_back(&mut self, address: &PumpAddress, boot: u64, frames: &Ranges) {
        self.boot_mut(address, boot).unjudged.merge(frames);
    }

    /// What the journal has of a pump's frames.
    #[must_use]
    pub fn completeness(&self, address: &PumpAddress, recording: bool) -> Completeness {
        let mut sum = Completeness { recording, ..Completeness::default() };
        let Some(pump) = self.pumps.get(address) else { return sum };
        for (id, boot) in &pump.boots {
            sum.kept += boot.have.count() - boot.forgotten.count();
            sum.missing += boot.missing().count();
            sum.backfilled += boot.backfilled.count();
            let is_newest = pump.order.first() == Some(id);
            sum.lost += if pump.is_told { boot.lost(is_newest) } else { 0 };
        }
        sum
    }

    /// The pumps that are known.
    pub fn pumps(&self) -> impl Iterator<Item = &PumpAddress> {
        self.pumps.keys()
    }

    fn boot_mut(&mut self, address: &PumpAddress, boot: u64) -> &mut Boot {
        if !self.pumps.contains_key(address) {
            self.pumps.insert(address.clone(), Pump::default());
        }
        let pump = self.pumps.get_mut(address).expect("it was just put there");
        pump.make_room(boot);
        pump.boots.entry(boot).or_default()
    }
}

/// What a journal had kept of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// Frames that are there.
    pub have: Ranges,
    /// Those of them that came from the spool.
    pub backfilled: Ranges,
    /// Frames that were there.
    pub forgotten: Ranges,
}

/// The head of a part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHead {
    /// Number of the request.
    pub number: u64,
    /// The run.
    pub boot: u64,
    /// Frames that the spool does not hold.
    pub gone: Ranges,
    /// Whether it ends the answer.
    pub last: bool,
}

impl Pump {
    /// Believes what the agent said long enough ago.
    fn settle(&mut self, now: Instant) {
        let settled = |at: &Instant| now.since(*at) >= SETTLED_AFTER;
        let mut newest = None;
        while self.said.front().is_some_and(|(at, _)| settled(at)) {
            newest = self.said.pop_front();
        }
        let Some((_at, extents)) = newest else { return };
        self.order = extents.iter().map(|extent| extent.boot).collect();
        self.boots.values_mut().for_each(|boot| boot.held = None);
        for extent in extents {
            let boot = self.boots.entry(extent.boot).or_default();
            let told = boot.told.get_or_insert_with(|| extent.frames.clone());
            told.start = told.start.min(extent.frames.start);
            told.end = told.end.max(extent.frames.end);
            boot.held = Some(extent.frames);
        }
        self.is_told = true;
    }

    /// The newest gap that may be asked for now.
    fn next(&mut self, now: Instant) -> Option<(u64, Range<u64>)> {
        let is_heard = self.heard_at.is_some_and(|at| now.since(at) < HEARD_WITHIN);
        if !is_heard || self.pending.is_some() {
            return None;
        }
        for id in &self.order {
            let Some(boot) = self.boots.get_mut(id) else { continue };
            boot.left_alone.take_if(|(_frames, until)| now >= *until);
            let mut missing = boot.missing();
            if let Some((frames, _until)) = &boot.left_alone {
                missing = missing.without(&std::iter::once(frames.clone()).collect());
            }
            if self.is_full {
                // What is older than everything that is kept would push the newer out.
                let oldest = boot.have.hull().map_or(u64::MAX, |hull| hull.start);
                missing = missing.without(&std::iter::once(0..oldest).collect());
            }
            let newest = missing.iter().next_back();
            if let Some(gap) = newest {
                let start = gap.start.max(gap.end.saturating_sub(FRAMES_PER_REQUEST));
                return Some((*id, start..gap.end));
            }
        }
        None
    }

    /// Forgets a run that the spool does not name, when there are too many.
    fn make_room(&mut self, boot: u64) {
        if self.boots.len() < BOOTS_MAX || self.boots.contains_key(&boot) {
            return;
        }
        let spare = self.boots.iter().find(|(_id, boot)| boot.held.is_none()).map(|(id, _)| *id);
        if let Some(spare) = spare {
            self.boots.remove(&spare);
        }
    }
}

#[cfg(test)]
mod tests;
