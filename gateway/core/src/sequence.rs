//! Puts the frames of one boot in order: gaps, repeats, reorders. Every frame is evaluated once and in its place, or counted.
//!
//! A frame that arrives ahead of its turn waits for the missing one, but never longer than the window: after that the gap
//! is a loss. So a decision does not depend on the order of arrival, and a loss costs at most the window.

use alloc::vec::Vec;
use core::time::Duration;

use crate::frame::Frame;
use crate::time::Instant;

/// Frames that may wait for an earlier one; at 50 frames a second more than a second of them.
pub const HELD_FRAMES_MAX: usize = 64;

/// Sequence numbers behind the newest for which a repeat can be told from a late frame.
const REMEMBERED: u64 = 128;

/// Counts of what happened to the frames of one pump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SequenceCounters {
    /// Evaluated, each in its place.
    pub accepted: u64,
    /// Given up: they never came, or came after the window.
    pub missing: u64,
    /// Came again.
    pub duplicate: u64,
    /// Came out of order and were put in their place.
    pub reordered: u64,
    /// Came after their place had been given up.
    pub late: u64,
}

/// What is to be done with a frame that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It is its turn: evaluate it, then take what waited behind it.
    Due,
    /// It waits for an earlier frame.
    Held,
    /// It was here before.
    Duplicate,
    /// Its place has been given up.
    Late,
}

/// The order of one boot's frames.
#[derive(Debug, Clone)]
pub struct Sequence {
    window: Duration,
    /// Sequence that is due next; `None` before the first frame of a boot.
    next: Option<u64>,
    /// Bit n: the frame `next - 1 - n` was evaluated.
    seen: u128,
    /// Frames ahead of their turn, sorted by sequence.
    held: Vec<Frame>,
    /// Buffers of frames that no longer wait.
    spare: Vec<Frame>,
    /// Counts since the pump is known; they go on over restarts.
    pub counters: SequenceCounters,
}

impl Sequence {
    /// An order that waits at most `window` for a missing frame.
    #[must_use]
    pub const fn new(window: Duration) -> Self {
        Self {
            window,
            next: None,
            seen: 0,
            held: Vec::new(),
            spare: Vec::new(),
            counters: SequenceCounters {
                accepted: 0,
                missing: 0,
                duplicate: 0,
                reordered: 0,
                late: 0,
            },
        }
    }

    /// Forgets the boot; what waited must have been taken before.
    pub fn restart(&mut self) {
        self.next = None;
        self.seen = 0;
        self.spare.append(&mut self.held);
        self.spare.truncate(HELD_FRAMES_MAX);
    }

    /// Sequence of the newest frame that was evaluated.
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.next.map(|next| next.saturating_sub(1))
    }

    /// Decides on a frame that arrived.
    pub fn offer(&mut self, frame: &Frame) -> Offer {
        if frame.sequence == u64::MAX {
            // The last number has no successor, and no agent lives to reach it.
            self.counters.late += 1;
            return Offer::Late;
        }
        let next = *self.next.get_or_insert(frame.sequence);
        if frame.sequence == next {
            // Later ones wait already: this one was overtaken.
            self.counters.reordered += u64::from(!self.held.is_empty());
            self.pass(frame.sequence);
            return Offer::Due;
        }
        if frame.sequence < next {
            let behind = next - 1 - frame.sequence;
            if behind < REMEMBERED && self.seen & (1 << behind) != 0 {
                self.counters.duplicate += 1;
                return Offer::Duplicate;
            }
            if behind < REMEMBERED {
                self.seen |= 1 << behind;
            }
            self.counters.late += 1;
            return Offer::Late;
        }
        match self.held.binary_search_by_key(&frame.sequence, |held| held.sequence) {
            Ok(_waits_already) => {
                self.counters.duplicate += 1;
                Offer::Duplicate
            }
            Err(place) => {
                let mut copy = self
                    .spare
                    .pop()
                    .unwrap_or_else(|| Frame::new(frame.boot, frame.sequence, frame.stamp));
                copy.copy_from(frame);
                if place < self.held.len() {
                    self.counters.reordered += 1;
                }
                self.held.insert(place, copy);
                Offer::Held
            }
        }
    }

    /// Takes the next frame that waited and whose turn has come, because the missing one came or was given up.
    pub fn take_due(&mut self, now: Instant) -> Option<Frame> {
        let first = self.held.first()?;
        let next = self.next.unwrap_or(first.sequence);
        let waited_out = self.deadline().is_some_and(|deadline| now >= deadline);
        if first.sequence != next && !waited_out && self.held.len() <= HELD_FRAMES_MAX {
            return None;
        }
        let frame = self.held.remove(0);
        self.pass(frame.sequence);
        Some(frame)
    }

    /// Takes the next frame that waits, whether its turn has come or not: the boot has ended, nothing earlier will come.
    pub fn take_held(&mut self) -> Option<Frame> {
        if self.held.is_empty() {
            return None;
        }
        let frame = self.held.remove(0);
        self.pass(frame.sequence);
        Some(frame)
    }

    /// Gives back the buffers of a frame that was taken.
    pub fn give_back(&mut self, frame: Frame) {
        if self.spare.len() < HELD_FRAMES_MAX {
            self.spare.push(frame);
        }
    }

    /// When the oldest gap is given up; `None` while nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.held.iter().map(|frame| frame.stamp.received).min().map(|held| held.plus(self.window))
    }

    /// Moves on over a frame that is evaluated now; what lies between is missing.
    fn pass(&mut self, sequence: u64) {
        let next = self.next.unwrap_or(sequence);
        let skipped = sequence.saturating_sub(next);
        self.counters.missing = self.counters.missing.saturating_add(skipped);
        self.counters.accepted += 1;
        self.seen = match u32::try_from(skipped + 1) {
            Ok(shift) if u64::from(shift) < REMEMBERED => (self.seen << shift) | 1,
            _ => 1,
        };
        self.next = Some(sequence.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{BootId, FrameStamp};
    use crate::time::SampleTime;

    const WINDOW: Duration = Duration::from_millis(100);

    fn frame(sequence: u64, received_ms: u64) -> Frame {
        let stamp = FrameStamp {
            published: SampleTime::from_millis(0),
            published_wall_ns: 0,
            received: Instant::from_millis(received_ms),
        };
        Frame::new(BootId::new(1).unwrap(), sequence, stamp)
    }

    /// Offers frames as (sequence, ms) and returns the order of evaluation with the counters.
    fn run(arrivals: &[(u64, u64)]) -> (Vec<u64>, SequenceCounters) {
        let mut order = Sequence::new(WINDOW);
        let mut evaluated = Vec::new();
        for (number, ms) in arrivals {
            let now = Instant::from_millis(*ms);
            while let Some(due) = order.take_due(now) {
                evaluated.push(due.sequence);
                order.give_back(due);
            }
            if order.offer(&frame(*number, *ms)) == Offer::Due {
                evaluated.push(*number);
            }
            while let Some(due) = order.take_due(now) {
                evaluated.push(due.sequence);
            }
        }
        (evaluated, order.counters)
    }

    #[test]
    fn frames_in_order_pass_at_once() {
        let (evaluated, counters) = run(&[(5, 0), (6, 20), (7, 40)]);
        assert_eq!(evaluated, [5, 6, 7]);
        assert_eq!(counters, SequenceCounters { accepted: 3, ..Default::default() });
    }

    #[test]
    fn an_overtaken_frame_is_put_in_its_place() {
        let (evaluated, counters) = run(&[(0, 0), (2, 20), (1, 21), (3, 40)]);
        assert_eq!(evaluated, [0, 1, 2, 3]);
        assert_eq!(counters, SequenceCounters { accepted: 4, reordered: 1, ..Default::default() });
    }

    #[test]
    fn a_missing_frame_is_waited_for_no_longer_than_the_window() {
        let (evaluated, counters) = run(&[(0, 0), (2, 40), (3, 60), (4, 139), (5, 140), (1, 150)]);
        assert_eq!(evaluated, [0, 2, 3, 4, 5]);
        assert_eq!(
            counters,
            SequenceCounters { accepted: 5, missing: 1, late: 1, ..Default::default() }
        );
    }

    #[test]
    fn a_repeat_is_told_from_a_late_frame() {
        let (evaluated, counters) = run(&[
            (0, 0),
            (0, 1),
            (1, 20),
            (3, 40),
            (3, 41),
            (4, 200),
            (2, 210),
            (2, 211),
            (1, 212),
        ]);
        assert_eq!(evaluated, [0, 1, 3, 4]);
        assert_eq!(counters.duplicate, 4);
        assert_eq!(counters.late, 1);
        assert_eq!(counters.missing, 1);
    }

    #[test]
    fn what_waits_is_bounded_and_a_jump_to_the_end_of_numbers_is_harmless() {
        let mut order = Sequence::new(WINDOW);
        assert_eq!(order.offer(&frame(0, 0)), Offer::Due);
        for number in 2..=100 {
            order.offer(&frame(number, 1));
            while let Some(due) = order.take_due(Instant::from_millis(1)) {
                order.give_back(due);
            }
            assert!(order.held.len() <= HELD_FRAMES_MAX);
        }
        assert_eq!(order.counters.missing, 1);
        assert_eq!(order.offer(&frame(u64::MAX, 2)), Offer::Late);
        assert_eq!(order.offer(&frame(u64::MAX - 1, 2)), Offer::Held);
        assert!(order.take_due(Instant::from_millis(500)).is_some());
        assert_eq!(order.offer(&frame(7, 3)), Offer::Late);
    }
}
