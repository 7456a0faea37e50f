//! What is known of a segment without reading it: its boots, their frames, and marks to begin reading at.

use bytes::BufMut;
use ecmo_journal::{Digest, Record};

use super::record::{Entry, take};

/// Version of the encoded index; another one is not read, and the segment is scanned instead.
const VERSION: u64 = 1;

/// Least bytes between two marks: what is read in vain at most.
const MARK_BYTES: u64 = 256 * 1024;

/// The boots of one segment, in the order in which they wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    pub(super) boots: Vec<BootPart>,
}

/// What one boot has in one segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct BootPart {
    pub(super) boot_id: u64,
    /// 0 when its birth is not in the segment.
    pub(super) boot_number: u64,
    /// Place of its birth; 0 is none.
    pub(super) birth_at: u64,
    pub(super) frames: u64,
    pub(super) first_sequence: u64,
    pub(super) end_sequence: u64,
    pub(super) first_wall_ns: i64,
    pub(super) last_wall_ns: i64,
    /// Sequence and place of frames, rising.
    pub(super) marks: Vec<(u64, u64)>,
}

impl Index {
    pub(super) fn boot(&self, boot_id: u64) -> Option<&BootPart> {
        self.boots.iter().find(|part| part.boot_id == boot_id)
    }

    fn part(&mut self, boot_id: u64) -> &mut BootPart {
        let at = self.boots.iter().rposition(|part| part.boot_id == boot_id);
        let at = at.unwrap_or_else(|| {
            self.boots.push(BootPart { boot_id, ..BootPart::default() });
            self.boots.len() - 1
        });
        self.boots.get_mut(at).expect("it was found or pushed just now")
    }
}

impl BootPart {
    /// Where to begin to read a sequence.
    pub(super) fn place(&self, sequence: u64) -> u64 {
        let after = self.marks.partition_point(|(marked, _)| *marked <= sequence);
        self.marks.get(after.saturating_sub(1)).map_or(0, |(_, at)| *at)
    }

    /// Whether it has frames between both.
    pub(super) const fn overlaps(&self, first: u64, end: u64) -> bool {
        self.frames > 0 && self.first_sequence < end && first < self.end_sequence
    }

    fn add_frame(&mut self, at: u64, sequence: u64, wall_ns: i64) {
        if self.frames == 0 {
            (self.first_sequence, self.first_wall_ns) = (sequence, wall_ns);
        }
        self.frames += 1;
        self.end_sequence = sequence.saturating_add(1);
        self.last_wall_ns = wall_ns;
        if self.marks.last().is_none_or(|(_, marked)| at - marked >= MARK_BYTES) {
            self.marks.push((sequence, at));
        }
    }
}

impl Digest for Index {
    fn add(&mut self, at: u64, record: &Record<'_>) {
        match Entry::read(record.kind, record.payload) {
            Some(Entry::Birth { boot_id, boot_number, birth: _ }) => {
                let part = self.part(boot_id);
                (part.boot_number, part.birth_at) = (boot_number, at);
            }
            Some(Entry::Frame { boot_id, sequence, wall_ns, body: _ }) => {
                self.part(boot_id).add_frame(at, sequence, wall_ns);
            }
            None => {}
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u64_le(VERSION);
        for part in &self.boots {
            for number in part.numbers() {
                out.put_u64_le(number);
            }
            for (sequence, at) in &part.marks {
                out.put_u64_le(*sequence);
                out.put_u64_le(*at);
            }
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, mut rest) = take(bytes)?;
        let mut index = Self::default();
        while version == VERSION && !rest.is_empty() {
            let (part, behind) = BootPart::decode(rest)?;
            index.boots.push(part);
            rest = behind;
        }
        (version == VERSION).then_some(index)
    }
}

impl BootPart {
    /// Everything but the marks, and their count.
    fn numbers(&self) -> [u64; 9] {
        [
            self.boot_id,
            self.boot_number,
            self.birth_at,
            self.frames,
            self.first_sequence,
            self.end_sequence,
            self.first_wall_ns.cast_unsigned(),
            self.last_wall_ns.cast_unsigned(),
            self.marks.len() as u64,
        ]
    }

    fn decode(mut rest: &[u8]) -> Option<(Self, &[u8])> {
        let mut number = || {
            let (number, behind) = take(rest)?;
            rest = behind;
            Some(number)
        };
        let mut part = Self {
            boot_id: number()?,
            boot_number: number()?,
            birth_at: number()?,
            frames: number()?,
            first_sequence: number()?,
            end_sequence: number()?,
            first_wall_ns: number()?.cast_signed(),
            last_wall_ns: number()?.cast_signed(),
            marks: Vec::new(),
        };
        for _mark in 0..number()? {
            part.marks.push((number()?, number()?));
        }
        Some((part, rest))
    }
}
