//! What is to happen, in the order of its time; of two things at the same time, the one that was planned first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Nanos;

/// When an event is to happen; the event itself lies still in its place. One number, so that two are compared at once: its time,
/// below that the order of planning, below that its place. The greatest of the reversed ones comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Planned(Reverse<u128>);

/// Bits of the place: so many events are never planned at once.
const PLACE_BITS: u32 = 24;

/// Bits of the place and of the order of planning below the time: a year of a large world plans fewer.
const BELOW_TIME: u32 = 64;

impl Planned {
    fn new(at: Nanos, number: u64, place: usize) -> Self {
        let place = u64::try_from(place).unwrap_or(u64::MAX);
        let below = (number << PLACE_BITS) | place;
        Self(Reverse((u128::from(at) << BELOW_TIME) | u128::from(below)))
    }

    const fn at(self) -> Nanos {
        (self.0.0 >> BELOW_TIME) as u64
    }

    const fn place(self) -> usize {
        (self.0.0 as usize) & ((1 << PLACE_BITS) - 1)
    }
}

/// The events to come.
#[derive(Debug)]
pub struct Queue<E> {
    planned: BinaryHeap<Planned>,
    events: Vec<Option<E>>,
    free: Vec<usize>,
    number: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { planned: BinaryHeap::new(), events: Vec::new(), free: Vec::new(), number: 0 }
    }
}

impl<E> Queue<E> {
    /// Plans an event.
    pub fn push(&mut self, at: Nanos, event: E) {
        self.number += 1;
        let place = self.free.pop().unwrap_or(self.events.len());
        match self.events.get_mut(place) {
            Some(free) => *free = Some(event),
            None => self.events.push(Some(event)),
        }
        self.planned.push(Planned::new(at, self.number, place));
    }

    /// The next event, with its time.
    pub fn pop(&mut self) -> Option<(Nanos, E)> {
        let next = self.planned.pop()?;
        let event = self.events.get_mut(next.place())?.take()?;
        self.free.push(next.place());
        Some((next.at(), event))
    }

    /// How many are planned.
    #[must_use]
    pub fn len(&self) -> usize {
        self.planned.len()
    }

    /// Whether nothing is planned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.planned.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_planned_first_comes_first_at_the_same_time() {
        let mut queue = Queue::default();
        for (at, name) in [(5, "c"), (1, "a"), (5, "d"), (1, "b")] {
            queue.push(at, name);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, name)| name).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }
}
