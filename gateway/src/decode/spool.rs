//! What an agent says of its spool, and what comes from there: heartbeats and parts of backfills, checked.

use std::ops::Range;

use bytes::Bytes;
use ecmo_core::reconcile::RuleSet;
use ecmo_core::time::SampleTime;
use ecmo_proto::sealed::{self, FRAME_BYTES_MAX};
use ecmo_proto::v1;
use prost::Message;

/// Most runs that are taken from a heartbeat; the contract allows no more.
const EXTENTS_MAX: usize = 64;

/// Most occurrences that are taken from a heartbeat; the contract allows no more.
pub const OCCURRENCES_MAX: usize = 64;

/// What a heartbeat says of the spool and of alarms that no gateway heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolReport {
    /// The agent's run.
    pub boot: u64,
    /// Agent monotonic time at which it said so.
    pub sent: SampleTime,
    /// Wall time less monotonic time, in nanoseconds.
    pub wall_minus_mono_ns: i128,
    /// Frames that the spool holds, by run, the newest run first; `None` when the agent has no spool.
    pub extents: Option<Vec<(u64, Range<u64>)>>,
    /// The rules that it judges by; `None` when it runs none.
    pub rules: Option<RuleSet>,
    /// Times that it lost the lease since it started.
    pub leases_lost: u64,
    /// Occurrences that the agent's own rules found while no gateway held the lease.
    pub unleased: Vec<Unleased>,
}

/// An occurrence that the agent's own rules found while no gateway held the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unleased {
    /// Condition id.
    pub condition: String,
    /// The run.
    pub boot: u64,
    /// Onset within the run.
    pub onset: u64,
    /// When it was gone, by the agent's monotonic clock in nanoseconds; `None` while it is present.
    pub end_mono_ns: Option<u64>,
    /// Priority as on the wire.
    pub priority: u32,
    /// Whether the agent sounded for it.
    pub sounded: bool,
}

/// A part of an answer to a backfill request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Number of the request.
    pub number: u64,
    /// The run whose frames these are.
    pub boot: u64,
    /// The birth of that run, as a message.
    pub birth: Option<Vec<u8>>,
    /// Frames that were checked, with their sequence.
    pub frames: Vec<(u64, Bytes)>,
    /// Frames that are not what they must be.
    pub refused: u64,
    /// Frames that the spool does not hold.
    pub gone: Vec<Range<u64>>,
    /// Whether it ends the answer.
    pub last: bool,
}

/// Reads a heartbeat; `None` when it is damaged or of another pump.
#[must_use]
pub fn spool_report(payload: &[u8], pump: &str) -> Option<SpoolReport> {
    let wire: v1::AgentHeartbeat = sealed::open(payload).ok()?;
    if wire.pump != pump || wire.boot_id == 0 {
        return None;
    }
    let extents = wire.spool.map(|spool| {
        let held = spool.extents.into_iter().take(EXTENTS_MAX);
        let held = held.map(|one| (one.boot_id, one.first_sequence..one.end_sequence));
        held.filter(|(boot, frames)| *boot != 0 && !frames.is_empty()).collect()
    });
    let local = wire.local_alarm.as_ref();
    let rules = local.map(|local| RuleSet {
        profile_hash: local.profile_hash,
        treatment_version: local.treatment_version,
    });
    let leases_lost = local.map_or(0, |local| local.leases_lost);
    let unleased = wire.local_alarm.map(|local| local.unleased).unwrap_or_default();
    let unleased = unleased.into_iter().take(OCCURRENCES_MAX).map(|one| Unleased {
        condition: one.condition,
        boot: one.boot_id,
        onset: one.onset,
        end_mono_ns: one.end_mono_ns,
        priority: one.priority,
        sounded: one.sounded,
    });
    Some(SpoolReport {
        boot: wire.boot_id,
        sent: SampleTime::from_nanos(wire.mono_ns),
        wall_minus_mono_ns: i128::from(wire.wall_ns) - i128::from(wire.mono_ns),
        extents,
        rules,
        leases_lost,
        unleased: unleased.collect(),
    })
}

/// Reads a part of an answer to this gateway and checks each of its frames; `None` when it is damaged, of another pump or
/// for another gateway.
#[must_use]
pub fn backfill(payload: &[u8], pump: &str, gateway: &str) -> Option<Part> {
    let wire: v1::Backfill = sealed::open(payload).ok()?;
    if wire.pump != pump || wire.gateway != gateway || wire.boot_id == 0 {
        return None;
    }
    let boot = wire.boot_id;
    let birth = wire.birth.filter(|birth| birth.pump == pump && birth.boot_id == boot);
    let (mut frames, mut refused) = (Vec::with_capacity(wire.frames.len()), 0);
    let mut opened = v1::Frame::default();
    for bytes in wire.frames {
        let is_right = bytes.len() <= FRAME_BYTES_MAX
            && sealed::open_into(&bytes, &mut opened).is_ok()
            && opened.pump == pump
            && opened.boot_id == boot
            && opened.historical;
        if is_right {
            frames.push((opened.sequence, bytes));
        } else {
            refused += 1;
        }
    }
    Some(Part {
        number: wire.number,
        boot,
        birth: birth.map(|birth| birth.encode_to_vec()),
        frames,
        refused,
        gone: wire.gone.into_iter().map(|gone| gone.first_sequence..gone.end_sequence).collect(),
        last: wire.last,
    })
}

/// A sealed request for frames of one run, to whichever run lives.
#[must_use]
pub fn backfill_request(
    pump: &str,
    gateway: &str,
    number: u64,
    boot: u64,
    frames: Range<u64>,
) -> Bytes {
    let ask = v1::BackfillRequest {
        number,
        boot_id: boot,
        first_sequence: frames.start,
        end_sequence: frames.end,
    };
    sealed::seal(&v1::Request {
        pump: pump.to_owned(),
        boot_id: 0,
        gateway: gateway.to_owned(),
        ask: Some(v1::request::Ask::Backfill(ask)),
        crc32c: 0,
    })
}

/// Identity of the samples of one block: channel, number of the first one, how many.
pub type SampleSpan = (u32, u64, usize);

/// Which samples a sealed frame holds; `None` when it is damaged.
#[must_use]
pub fn sample_spans(sealed: &[u8]) -> Option<Vec<SampleSpan>> {
    let wire: v1::Frame = sealed::open(sealed).ok()?;
    let spans = wire.blocks.iter();
    Some(spans.map(|block| (block.channel, block.first_index, block.counts.len())).collect())
}

/// Wall time less monotonic time of a live frame, or of a birth, in nanoseconds; `None` when it does not say.
#[must_use]
pub fn wall_minus_mono_ns(sealed_frame: &[u8]) -> Option<i128> {
    let wire: v1::Frame = sealed::open(sealed_frame).ok()?;
    let said = wire.publish_mono_ns > 0 && wire.publish_wall_ns > 0;
    said.then(|| i128::from(wire.publish_wall_ns) - i128::from(wire.publish_mono_ns))
}

/// As [`wall_minus_mono_ns`], of a birth.
#[must_use]
pub fn birth_wall_minus_mono_ns(message: &[u8]) -> Option<i128> {
    let wire = v1::Birth::decode(message).ok()?;
    Some(i128::from(wire.wall_ns) - i128::from(wire.mono_ns))
}
