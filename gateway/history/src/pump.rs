//! One pump as it is written: chunks that are open, the log behind them, and gaps.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecmo_core::frame::Frame;
use ecmo_journal::{AppendError, Journal, OpenError, Ranges};

use crate::chunk::{Chunk, Head, WINDOW_NS, reach, wall_ns};
use crate::gap::{Gap, GapReason};
use crate::index::{CHUNK, Entry, GAP, Index, Kind, SUMMARY};
use crate::summary::Summary;

/// Chunks that are open at a time: live ones, ones from the spool, and ones that the disk does not take now.
const OPEN_MAX: usize = 16;

/// A chunk to which nothing came for so long is closed.
const IDLE: Duration = Duration::from_secs(12);

/// A chunk is open no longer than this, so that what it needs of the tail is still there.
const OPEN_FOR: Duration = Duration::from_secs(30);

/// Chunks after which a summary is written: ten minutes of a pump that is live.
const SUMMARY_CHUNKS: usize = 60;

/// Less time without frames than this is no gap; nor is less than three times what is usual.
const GAP_NS_MIN: i64 = 2_000_000_000;

/// A wall clock that moved by more than this against the agent's was set.
const CLOCK_SET_NS: i64 = 1_000_000_000;

/// Runs of which it is remembered what was kept.
const BOOTS_MAX: usize = 256;

/// What readers see of a pump beside its log. Held for as long as a chunk takes to be written: what is in both at once, or
/// in neither, nobody sees.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<Parts>);

/// A chunk that is open.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) chunk: Chunk,
    begun: Duration,
    touched: Duration,
    /// It takes no more; it waits for the disk.
    is_closed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) open: Vec<Open>,
    pub(crate) summary: Summary,
}

impl Live {
    pub(crate) fn parts(&self) -> MutexGuard<'_, Parts> {
        // Nothing in here can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far the live frames of a pump reach.
#[derive(Debug, Clone, Copy)]
struct Reached {
    boot: u64,
    to_ns: i64,
    offset_ns: i64,
    /// Distance of the last two frames.
    usual_ns: i64,
}

/// One pump as it is written.
#[derive(Debug)]
pub(crate) struct PumpLog {
    pub(crate) journal: Journal<Index>,
    pub(crate) live: Arc<Live>,
    seen: BTreeMap<u64, Ranges>,
    reached: Option<Reached>,
    /// Why the next gap is one, if it is known.
    excuse: Option<GapReason>,
    /// Gaps that the disk did not take yet.
    owed: Vec<Gap>,
    /// Samples that were lost to the disk.
    pub(crate) lost: u64,
    pub(crate) errors: u64,
}

impl PumpLog {
    /// Goes on with what is in the log.
    pub(crate) fn open(journal: Journal<Index>) -> Self {
        let mut seen: BTreeMap<u64, Ranges> = BTreeMap::new();
        let reader = journal.reader();
        for frames in reader.digests(|index| index.frames.clone()) {
            for (boot, frames) in frames {
                seen.entry(boot).or_default().merge(&frames);
            }
        }
        let live = Arc::new(Live::default());
        let mut pump = Self {
            journal,
            live,
            seen,
            reached: None,
            excuse: None,
            owed: Vec::new(),
            lost: 0,
            errors: 0,
        };
        if pump.restore().is_err() {
            pump.errors += 1;
        }
        pump
    }

    /// Sums up again what no summary holds, and finds how far the live frames reach.
    fn restore(&mut self) -> io::Result<()> {
        let reader = self.journal.reader();
        let mut parts = self.live.parts();
        let mut newest: Option<Head> = None;
        let segments = reader.segments_with(|index| Some(index.entries.clone()));
        'log: for segment in segments.iter().rev() {
            let mut pick = segment.pick()?;
            for entry in segment.digest.iter().rev() {
                match entry.kind {
                    Kind::Summary => break 'log,
                    Kind::Gap => {}
                    Kind::Chunk => {
                        let Some(record) = pick.record(entry.at)? else { continue };
                        let Some((head, rows)) = Chunk::rows(record.payload) else { continue };
                        parts.summary.add(head.window(), rows);
                        let is_newer = newest.as_ref().is_none_or(|one| one.to_ns < head.to_ns);
                        newest = if is_newer && !head.is_late { Some(head) } else { newest };
                    }
                }
            }
        }
        if newest.is_none() {
            newest = newest_chunk(&segments)?;
        }
        self.reached = newest.map(|head| Reached {
            boot: head.boot,
            to_ns: head.to_ns,
            offset_ns: head.offset_ns,
            usual_ns: 0,
        });
        Ok(())
    }

    /// Whether a frame is kept already.
    pub(crate) fn has(&self, frame: &Frame) -> bool {
        self.seen.get(&frame.boot.get()).is_some_and(|seen| seen.contains(frame.sequence))
    }

    /// Why the next gap is one.
    pub(crate) const fn excuse(&mut self, reason: GapReason) {
        self.excuse = Some(reason);
    }

    /// Takes a frame in, once; false: it was there already.
    pub(crate) fn add(
        &mut self,
        frame: &Frame,
        offset_ns: i64,
        is_late: bool,
        now: Duration,
    ) -> bool {
        if self.has(frame) {
            return false;
        }
        let boot = frame.boot.get();
        self.seen.entry(boot).or_default().insert(frame.sequence..frame.sequence.saturating_add(1));
        while self.seen.len() > BOOTS_MAX {
            // The least run but this one: which one hardly matters, because runs end.
            let Some(least) = self.seen.keys().find(|one| **one != boot).copied() else { break };
            self.seen.remove(&least);
        }
        if !is_late {
            self.look_for_gap(frame, offset_ns, now);
        }
        self.gather(frame, offset_ns, is_late, now);
        true
    }

    fn gather(&mut self, frame: &Frame, offset_ns: i64, is_late: bool, now: Duration) {
        let mut parts = self.live.parts();
        let (boot, from) = (frame.boot.get(), reach(frame).0);
        let fits = |open: &Open| {
            let head = &open.chunk.head;
            let window = wall_ns(from, head.offset_ns).div_euclid(WINDOW_NS);
            !open.is_closed
                && (head.boot, head.is_late) == (boot, is_late)
                && head.offset_ns.abs_diff(offset_ns) < CLOCK_SET_NS.unsigned_abs()
                && head.window() == window
        };
        if let Some(open) = parts.open.iter_mut().find(|open| fits(open)) {
            open.chunk.add(frame);
            open.touched = now;
            open.is_closed = open.chunk.is_full();
            let is_full = open.is_closed;
            drop(parts);
            if is_full {
                self.write(now);
            }
            return;
        }
        // A new window: the one before is complete, but for what comes late.
        for open in &mut parts.open {
            open.is_closed |= open.chunk.head.is_late == is_late;
        }
        let mut chunk = Chunk::new(frame, offset_ns, is_late);
        chunk.add(frame);
        parts.open.push(Open { chunk, begun: now, touched: now, is_closed: false });
        drop(parts);
        self.write(now);
    }

    /// Notes a gap between this live frame and the one before.
    fn look_for_gap(&mut self, frame: &Frame, offset_ns: i64, now: Duration) {
        let (from, to) = reach(frame);
        let (from_ns, to_ns) = (wall_ns(from, offset_ns), wall_ns(to, offset_ns));
        let boot = frame.boot.get();
        let Some(before) = self.reached else {
            self.reached = Some(Reached { boot, to_ns, offset_ns, usual_ns: 0 });
            self.excuse = None;
            return;
        };
        let apart = from_ns.saturating_sub(before.to_ns);
        let is_set = before.boot == boot
            && offset_ns.abs_diff(before.offset_ns) >= CLOCK_SET_NS.unsigned_abs();
        let is_gap = apart >= GAP_NS_MIN.max(before.usual_ns.saturating_mul(3));
        if is_gap {
            let by_itself = if is_set {
                GapReason::ClockSet
            } else if before.boot == boot {
                GapReason::NotReceived
            } else {
                GapReason::AgentRestarted
            };
            let reason = self.excuse.unwrap_or(by_itself);
            self.owed.push(Gap { from_ns: before.to_ns, to_ns: from_ns, reason });
            // What was before the gap and what comes after it are no one chunk, else the gap would be within it.
            self.live
                .parts()
                .open
                .iter_mut()
                .for_each(|open| open.is_closed |= !open.chunk.head.is_late);
            self.write(now);
        }
        self.excuse = None;
        let usual_ns = if is_gap { before.usual_ns } else { apart.max(0) };
        // A clock that was set back goes on from where it was set to.
        let to_ns = if is_set { to_ns } else { to_ns.max(before.to_ns) };
        self.reached = Some(Reached { boot, to_ns, offset_ns, usual_ns });
    }

    /// Closes what has been open or idle for long, and writes what is closed.
    pub(crate) fn on_time(&mut self, now: Duration) {
        let mut waits = !self.owed.is_empty();
        for open in &mut self.live.parts().open {
            open.is_closed |= now.saturating_sub(open.touched) >= IDLE
                || now.saturating_sub(open.begun) >= OPEN_FOR;
            waits |= open.is_closed;
        }
        if waits {
            self.write(now);
        }
        self.journal.evict_if_due(now);
    }

    /// Writes everything, closed or not.
    pub(crate) fn close(&mut self, now: Duration) {
        self.live.parts().open.iter_mut().for_each(|open| open.is_closed = true);
        self.write(now);
    }

    /// Writes what is closed, the oldest first. What the disk does not take waits, as long as there is room.
    fn write(&mut self, now: Duration) {
        let live = Arc::clone(&self.live);
        let mut parts = live.parts();
        while let Some(at) = parts.open.iter().position(|open| open.is_closed) {
            let Some(open) = parts.open.get(at) else { break };
            match self.journal.append(now, CHUNK, &open.chunk.encode()) {
                Ok(_place) => {
                    let Open { chunk, .. } = parts.open.remove(at);
                    let rows = chunk.columns.iter().map(|column| (column.parameter, column.row));
                    parts.summary.add(chunk.head.window(), rows);
                }
                Err(error) => {
                    self.errors += u64::from(!matches!(error, AppendError::Waiting));
                    break;
                }
            }
        }
        while parts.open.len() > OPEN_MAX {
            let Open { chunk, .. } = parts.open.remove(0);
            self.give_up(&chunk);
        }
        self.write_gaps(now);
        self.write_summary(&mut parts, now);
    }

    /// A chunk that the disk did not take for too long: its time is a gap, and its frames may come again.
    fn give_up(&mut self, chunk: &Chunk) {
        self.lost += chunk.samples() as u64;
        let Head { boot, from_ns, to_ns, ref frames, .. } = chunk.head;
        if let Some(seen) = self.seen.get_mut(&boot) {
            *seen = seen.without(frames);
        }
        match self.owed.last_mut() {
            Some(last)
                if last.reason == GapReason::NotRecorded
                    && from_ns.saturating_sub(last.to_ns) < GAP_NS_MIN =>
            {
                last.to_ns = last.to_ns.max(to_ns);
            }
            _another => self.owed.push(Gap { from_ns, to_ns, reason: GapReason::NotRecorded }),
        }
    }

    fn write_gaps(&mut self, now: Duration) {
        while let Some(gap) = self.owed.first() {
            if self.journal.append(now, GAP, &gap.encode()).is_err() {
                break;
            }
            self.owed.remove(0);
        }
        // A disk that fails for days while an agent flaps: the oldest are joined, none is dropped.
        while self.owed.len() > OPEN_MAX
            && let [first, second, ..] = self.owed.as_mut_slice()
        {
            second.from_ns = first.from_ns.min(second.from_ns);
            second.to_ns = first.to_ns.max(second.to_ns);
            self.owed.remove(0);
        }
    }

    fn write_summary(&mut self, parts: &mut Parts, now: Duration) {
        if parts.summary.chunks < SUMMARY_CHUNKS {
            return;
        }
        if self.journal.append(now, SUMMARY, &parts.summary.encode()).is_ok() {
            parts.summary = Summary::default();
        }
    }
}

/// The newest chunk of live frames in the newest segments, whatever summary follows it.
fn newest_chunk(segments: &[ecmo_journal::View<Vec<Entry>>]) -> io::Result<Option<Head>> {
    for segment in segments.iter().rev().take(2) {
        let mut pick = segment.pick()?;
        for entry in segment.digest.iter().rev().filter(|entry| entry.kind == Kind::Chunk) {
            let Some(record) = pick.record(entry.at)? else { continue };
            let head = Head::decode(&mut crate::bytes::Cursor::new(record.payload));
            if let Some(head) = head.filter(|head| !head.is_late) {
                return Ok(Some(head));
            }
        }
    }
    Ok(None)
}

/// Opens the log of a pump.
pub(crate) fn open(
    disk: Box<dyn ecmo_journal::Disk>,
    options: ecmo_journal::Options,
    now: Duration,
) -> Result<PumpLog, OpenError> {
    Journal::open_on(disk, options, now).map(PumpLog::open)
}
