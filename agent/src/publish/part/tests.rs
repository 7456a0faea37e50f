//! Tests of the parts of an answer: every frame that was asked for is sent once or told as gone.

use std::collections::BTreeSet;

use ecmo_proto::v1::{BackfillRequest, Frame};
use proptest::prelude::*;

use super::*;

/// Frames in memory, all of one size.
#[derive(Debug)]
struct Memory {
    sequences: BTreeSet<u64>,
    frame_bytes: usize,
    birth: Birth,
}

impl Archive for Memory {
    fn birth(&self, boot_id: u64) -> io::Result<Option<Birth>> {
        Ok((boot_id == 1).then(|| self.birth.clone()))
    }

    fn read(&self, boot_id: u64, range: Range<u64>, bytes_max: usize) -> io::Result<Kept> {
        let mut kept = Kept { next: range.end, frames: Vec::new() };
        let mut bytes = 0;
        for sequence in self.sequences.range(range).filter(|_| boot_id == 1) {
            bytes += self.frame_bytes;
            if bytes > bytes_max && !kept.frames.is_empty() {
                kept.next = *sequence;
                break;
            }
            let pump = "x".repeat(self.frame_bytes);
            let mut frame = Frame { pump, boot_id, sequence: *sequence, ..Frame::default() };
            kept.frames.push((*sequence, FrameBody::new(&mut frame)));
        }
        Ok(kept)
    }
}

/// All parts of an answer.
fn answer(archive: &Memory, boot_id: u64, range: Range<u64>) -> Vec<Backfill> {
    let request = BackfillRequest {
        number: 5,
        boot_id,
        first_sequence: range.start,
        end_sequence: range.end,
    };
    let mut open = Open { gateway: "g".into(), next: range.start, request, is_first: true };
    let mut parts = Vec::new();
    loop {
        let part = make(archive, "p", &open).unwrap();
        let read: Backfill = sealed::open(&part.bytes).expect("a part that a receiver accepts");
        assert_eq!((read.number, read.boot_id, read.gateway.as_str()), (5, boot_id, "g"));
        assert_eq!((read.last, read.frames.len() as u64), (part.next.is_none(), part.frames));
        assert_eq!(read.birth.is_some(), open.is_first && boot_id == 1);
        parts.push(read);
        let Some(next) = part.next else { return parts };
        assert!(next > open.next, "an answer goes on");
        (open.next, open.is_first) = (next, false);
    }
}

/// Sequences of the frames, and of what is gone.
fn told(parts: &[Backfill]) -> (Vec<u64>, Vec<u64>) {
    let sealed = parts.iter().flat_map(|part| &part.frames);
    let frames = sealed.map(|frame| sealed::open::<Frame>(frame).unwrap());
    let sequences = frames.map(|frame| {
        assert!(frame.historical && frame.publish_mono_ns == 0);
        frame.sequence
    });
    let gone = parts.iter().flat_map(|part| &part.gone);
    (sequences.collect(), gone.flat_map(|gone| gone.first_sequence..gone.end_sequence).collect())
}

proptest! {
    #[test]
    fn every_frame_is_sent_once_or_told_as_gone(
        sequences in proptest::collection::btree_set(0..2000u64, 0..600),
        start in 0..1500u64,
        length in 0..1500u64,
        frame_bytes in prop_oneof![Just(0), Just(300), Just(30_000)],
    ) {
        let archive = Memory { sequences, frame_bytes, birth: Birth::default() };
        let range = start..start + length;
        let parts = answer(&archive, 1, range.clone());
        let (sent, gone) = told(&parts);
        let expected: Vec<_> = archive.sequences.range(range.clone()).copied().collect();
        prop_assert_eq!(&sent, &expected);
        let mut all = [sent, gone].concat();
        all.sort_unstable();
        prop_assert_eq!(all, range.collect::<Vec<_>>());
        let longest = parts.iter().flat_map(|part| &part.frames).map(bytes::Bytes::len).max().unwrap_or(0);
        for part in &parts {
            let bytes: usize = part.frames.iter().map(bytes::Bytes::len).sum();
            prop_assert!(bytes <= (PART_BYTES + PART_FRAMES_MAX * 27).max(longest), "{bytes}");
        }
    }
}

#[test]
fn the_longest_birth_and_frame_fit_and_a_longer_birth_is_left_out() {
    let with_birth = |bytes| Memory {
        sequences: (0..3).collect(),
        frame_bytes: FRAME_BYTES_MAX - 100,
        birth: Birth { device: "x".repeat(bytes), ..Birth::default() },
    };
    assert_eq!(answer(&with_birth(BIRTH_BYTES_MAX - 10), 1, 0..3).len(), 3);
    let request = BackfillRequest { boot_id: 1, end_sequence: 3, ..BackfillRequest::default() };
    let open = Open { gateway: "g".into(), next: 0, request, is_first: true };
    let part = make(&with_birth(BIRTH_BYTES_MAX), "p", &open).unwrap();
    assert!(sealed::open::<Backfill>(&part.bytes).unwrap().birth.is_none());
}

#[test]
fn an_unknown_run_is_gone_as_a_whole_however_long_it_was() {
    let archive = Memory { sequences: (0..9).collect(), frame_bytes: 1, birth: Birth::default() };
    let parts = answer(&archive, 2, 0..u64::MAX);
    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(part.gone, [SequenceRange { first_sequence: 0, end_sequence: u64::MAX }]);
    assert!(part.frames.is_empty() && part.last);
    // A range that ends before it begins asks for nothing.
    #[expect(clippy::reversed_empty_ranges, reason = "a gateway may send anything")]
    let nothing = answer(&archive, 1, 5..2);
    assert_eq!(told(&nothing), (vec![], vec![]));
}

#[test]
fn an_archive_that_does_not_move_on_is_an_error_and_nothing_is_told_as_gone() {
    #[derive(Debug)]
    struct Stuck;
    impl Archive for Stuck {
        fn birth(&self, _boot_id: u64) -> io::Result<Option<Birth>> {
            Ok(None)
        }
        fn read(&self, _: u64, range: Range<u64>, _: usize) -> io::Result<Kept> {
            Ok(Kept { next: range.start, frames: Vec::new() })
        }
    }
    let request = BackfillRequest { boot_id: 1, end_sequence: 3, ..BackfillRequest::default() };
    let open = Open { gateway: "g".into(), next: 0, request, is_first: true };
    assert!(make(&Stuck, "p", &open).is_err());
}
