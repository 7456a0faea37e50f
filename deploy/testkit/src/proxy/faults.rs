//! The faults of one direction, and the part of them that changes bytes.

use std::time::Duration;

use bytes::BytesMut;

use super::{
    counters::DirectionTally,
    mqtt::{Framer, Handling, Piece},
    publish::{PublishFaults, PublishStage, nth},
};

/// What is wrong with one direction now.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) stalled: bool,
    pub(super) delay: Duration,
    /// 0 is unlimited.
    pub(super) bytes_per_second: u64,
    /// 0 is never.
    pub(super) flip_every_bytes: u64,
    pub(super) publish: PublishFaults,
}

/// Changes the bytes of one direction of one connection.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    framer: Framer,
    publish: PublishStage,
    passed: u64,
    flip_every_bytes: u64,
    flipped: u64,
    tally: &'a DirectionTally,
}

impl<'a> Stage<'a> {
    pub(super) fn new(tally: &'a DirectionTally) -> Self {
        Self {
            framer: Framer::new(),
            publish: PublishStage::default(),
            passed: 0,
            flip_every_bytes: 0,
            flipped: 0,
            tally,
        }
    }

    /// Whether a packet waits for its neighbour.
    pub(super) const fn holds(&self) -> bool {
        self.publish.holds()
    }

    /// Bytes that arrived, under the faults of now. Returns what leaves.
    pub(super) fn bytes(&mut self, bytes: &[u8], faults: &Faults) -> BytesMut {
        let mut out = BytesMut::new();
        if self.publish.faults() != &faults.publish {
            self.publish.set(faults.publish.clone(), &mut out);
        }
        if self.flip_every_bytes != faults.flip_every_bytes {
            self.flip_every_bytes = faults.flip_every_bytes;
            self.passed = 0;
        }
        self.framer.push(bytes);
        let handling = if faults.publish.any() { Handling::Whole } else { Handling::Through };
        while let Some(piece) = self.framer.next(handling) {
            match piece {
                Piece::Packet(packet) => self.publish.packet(packet, self.tally, &mut out),
                Piece::Raw(raw) => out.extend_from_slice(&raw),
            }
        }
        self.flip(&mut out);
        out
    }

    /// The neighbour did not come in time.
    pub(super) fn release(&mut self) -> BytesMut {
        let mut out = BytesMut::new();
        self.publish.release(&mut out);
        self.flip(&mut out);
        out
    }

    /// The stream has ended: everything held leaves, complete or not.
    pub(super) fn end(&mut self) -> BytesMut {
        let mut out = BytesMut::new();
        self.publish.release(&mut out);
        if let Some(rest) = self.framer.rest() {
            out.extend_from_slice(&rest);
        }
        self.flip(&mut out);
        out
    }

    /// The bit moves on from flip to flip, the same way in every run.
    fn flip(&mut self, out: &mut BytesMut) {
        if self.flip_every_bytes == 0 {
            return;
        }
        for byte in out.iter_mut() {
            self.passed += 1;
            if nth(self.passed, self.flip_every_bytes) {
                *byte ^= 1 << (self.flipped % 8);
                self.flipped += 1;
                self.tally.bits_flipped.add(1);
            }
        }
    }
}
