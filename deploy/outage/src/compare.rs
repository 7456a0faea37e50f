//! What the agent's spool holds against what the gateway's journal holds, sample by sample.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use ecmo_agent::spool::{self, SpoolReader};
use ecmo_gateway::config::Keep;
use ecmo_gateway::journal::inspect;
use ecmo_proto::v1::Frame;
use prost::Message;

/// Bytes of frames that are read at once.
const PART_BYTES: usize = 4 << 20;

/// Frames in a second.
const FRAMES_PER_SECOND: u64 = 50;

/// Samples of one block: channel, number of the first one, how many.
type Span = (u32, u64, usize);

/// Blocks by run and frame.
type Frames = BTreeMap<(u64, u64), BTreeSet<Span>>;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Runs of the agent.
    pub(crate) runs: usize,
    pub(crate) frames: usize,
    pub(crate) samples: u64,
    /// In the spool, and not in the journal, or other.
    pub(crate) missing: Vec<(u64, u64)>,
    /// In the journal more than once.
    pub(crate) doubled: u64,
    /// In the journal, and torn off the spool by a kill.
    pub(crate) torn: usize,
    /// Neither here nor there, by the numbers of the frames around them.
    pub(crate) lost: u64,
    /// Frames of the last run behind the last one in the journal: sent when the agent was stopped.
    pub(crate) tail: usize,
}

/// Compares. Neither agent nor gateway may run.
pub(crate) fn compare(spool: &Path, keep: &Keep) -> Result<Comparison> {
    let (reader, _damaged) = spool::open(spool).context("cannot open the spool")?;
    let spooled = of_spool(&reader)?;
    let (kept, doubled) = of_journal(keep)?;
    let newest = reader.extents().first().map(|extent| extent.boot_id).unwrap_or_default();
    let newest_kept = kept.keys().filter(|(boot, _)| *boot == newest).map(|(_, one)| *one).max();
    let mut found = Comparison { doubled, frames: spooled.len(), ..Comparison::default() };
    for (key, spans) in &spooled {
        found.samples += spans.iter().map(|(_, _, count)| *count as u64).sum::<u64>();
        let is_tail = key.0 == newest && newest_kept.is_none_or(|kept| key.1 > kept);
        if is_tail {
            found.tail += 1;
        } else if kept.get(key) != Some(spans) {
            found.missing.push(*key);
        }
    }
    found.torn = kept.keys().filter(|key| !spooled.contains_key(*key)).count();
    let mut ends: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for (boot, sequence) in spooled.keys().chain(kept.keys()).collect::<BTreeSet<_>>() {
        let (count, end) = ends.entry(*boot).or_default();
        (*count, *end) = (*count + 1, (*end).max(sequence + 1));
    }
    found.runs = ends.len();
    found.lost = ends.values().map(|(count, end)| end - count).sum();
    Ok(found)
}

impl Comparison {
    /// Says what was found, and whether it may be so after so many kills of the agent.
    pub(crate) fn judge(&self, kills: u64) -> Result<()> {
        println!(
            "runs {} · frames {} · samples {} · missing {} · doubled {} · torn off the spool {} · lost at kills {} · tail {}",
            self.runs,
            self.frames,
            self.samples,
            self.missing.len(),
            self.doubled,
            self.torn,
            self.lost,
            self.tail
        );
        ensure!(self.frames > 0, "the spool is empty: nothing was tried");
        let first = self.missing.first();
        ensure!(first.is_none(), "{} frames are missing, first {first:?}", self.missing.len());
        ensure!(self.doubled == 0, "{} frames are doubled", self.doubled);
        let most = FRAMES_PER_SECOND * kills.max(1);
        ensure!(self.torn as u64 <= most, "the spool lost more than a second at a kill");
        ensure!(self.lost <= most, "more than a second is lost at a kill");
        ensure!(self.tail as u64 <= 2 * FRAMES_PER_SECOND, "{} frames behind the end", self.tail);
        Ok(())
    }
}

fn of_spool(reader: &SpoolReader) -> Result<Frames> {
    let mut frames = Frames::new();
    for extent in reader.extents() {
        let mut next = extent.first_sequence;
        loop {
            let part = reader.read(extent.boot_id, next..extent.end_sequence, PART_BYTES)?;
            for (sequence, body) in &part.frames {
                let frame = Frame::decode(body.bytes().as_ref()).context("a frame of the spool")?;
                let spans = frame.blocks.iter();
                let spans = spans.map(|one| (one.channel, one.first_index, one.counts.len()));
                frames.insert((extent.boot_id, *sequence), spans.collect());
            }
            next = part.next;
            if part.is_last {
                break;
            }
        }
    }
    Ok(frames)
}

/// The journal's frames, and how many are doubled.
fn of_journal(keep: &Keep) -> Result<(Frames, u64)> {
    let (mut frames, mut doubled) = (Frames::new(), 0);
    for log in inspect::open(keep, None).context("cannot open the journal")? {
        let check = log.verify()?;
        ensure!(check.damaged == 0, "{} records of the journal are damaged", check.damaged);
        doubled += check.doubled;
        for one in log.samples()? {
            let spans = frames.entry((one.boot, one.sequence)).or_default();
            // The same samples in another frame would be doubled too.
            doubled += u64::from(!spans.insert((one.channel, one.first_index, one.count)));
        }
    }
    let mut seen: BTreeMap<(u64, u32), BTreeMap<u64, u64>> = BTreeMap::new();
    for ((boot, _sequence), spans) in &frames {
        for (channel, first, count) in spans {
            let of = seen.entry((*boot, *channel)).or_default();
            doubled += u64::from(of.insert(*first, *count as u64).is_some());
        }
    }
    for spans in seen.values() {
        let pairs = spans.iter().zip(spans.iter().skip(1));
        doubled +=
            pairs.filter(|((first, count), (next, _))| *first + *count > **next).count() as u64;
    }
    Ok((frames, doubled))
}
