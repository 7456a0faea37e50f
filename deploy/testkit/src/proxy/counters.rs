//! What the proxy has done, so that a test can show that its fault really happened.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the proxy's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connections accepted and not refused.
    pub accepted: u64,
    /// Connections closed at once: by [`refuse`](super::FaultProxy::refuse), or beyond 1024.
    pub refused: u64,
    /// Connections closed because nobody answered at the upstream address.
    pub upstream_failed: u64,
    /// Connections closed by [`cut`](super::FaultProxy::cut).
    pub cut: u64,
    /// Connections open now.
    pub open: u64,
    /// From clients to the upstream address.
    pub client_to_server: DirectionCounters,
    /// From the upstream address to clients.
    pub server_to_client: DirectionCounters,
}

/// Counts of one direction since the proxy's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirectionCounters {
    /// Bytes written to the receiver.
    pub bytes: u64,
    /// Bits flipped anywhere in the stream.
    pub bits_flipped: u64,
    /// PUBLISH packets that matched the topic suffix while PUBLISH faults were on.
    pub matched: u64,
    /// PUBLISH packets left out.
    pub dropped: u64,
    /// PUBLISH packets sent a second time.
    pub duplicated: u64,
    /// Pairs of PUBLISH packets swapped.
    pub reordered: u64,
    /// PUBLISH packets with a bit flipped in the payload.
    pub payloads_corrupted: u64,
}

/// One count that several threads see.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The running counts behind [`DirectionCounters`].
#[derive(Debug, Default)]
pub(super) struct DirectionTally {
    pub(super) bytes: Count,
    pub(super) bits_flipped: Count,
    pub(super) matched: Count,
    pub(super) dropped: Count,
    pub(super) duplicated: Count,
    pub(super) reordered: Count,
    pub(super) payloads_corrupted: Count,
}

impl DirectionTally {
    pub(super) fn read(&self) -> DirectionCounters {
        DirectionCounters {
            bytes: self.bytes.get(),
            bits_flipped: self.bits_flipped.get(),
            matched: self.matched.get(),
            dropped: self.dropped.get(),
            duplicated: self.duplicated.get(),
            reordered: self.reordered.get(),
            payloads_corrupted: self.payloads_corrupted.get(),
        }
    }
}

/// The running counts behind [`Counters`].
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) accepted: Count,
    pub(super) refused: Count,
    pub(super) upstream_failed: Count,
    pub(super) cut: Count,
}
