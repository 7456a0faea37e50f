//! A set of numbers as sorted ranges: what is here, what is gone, what is missing. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

/// A set of numbers, such as those of the frames of one boot. Neighbours are merged, so its size follows the number of holes and not that of the frames.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges {
    /// End of each range by its begin; no two touch, none is empty.
    ends: BTreeMap<u64, u64>,
    count: u64,
}

impl Ranges {
    /// Adds a range; how many of its numbers are new.
    pub fn insert(&mut self, range: Range<u64>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let (mut begin, mut end) = (range.start, range.end);
        let mut swallowed = 0;
        // What begins at or before the new end may touch it: at most the ranges within, and one before.
        while let Some((&other_begin, &other_end)) = self.ends.range(..=end).next_back() {
            if other_end < begin {
                break;
            }
            self.ends.remove(&other_begin);
            swallowed += other_end - other_begin;
            begin = begin.min(other_begin);
            end = end.max(other_end);
        }
        self.ends.insert(begin, end);
        let new = (end - begin) - swallowed;
        self.count += new;
        new
    }

    /// Adds every number of another set; how many are new.
    pub fn merge(&mut self, other: &Self) -> u64 {
        other.iter().map(|range| self.insert(range)).sum()
    }

    /// Whether a number is in it.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.ends.range(..=number).next_back().is_some_and(|(_begin, end)| number < *end)
    }

    /// What lies within the bounds and is not in it, in rising order.
    #[must_use]
    pub fn missing(&self, within: Range<u64>) -> Self {
        let mut missing = Self::default();
        let mut at = within.start;
        let before = self.ends.range(..=within.start).next_back();
        if let Some((_begin, end)) = before {
            at = at.max(*end);
        }
        for (begin, end) in self.ends.range(within.start..) {
            if at >= within.end || *begin >= within.end {
                break;
            }
            missing.insert(at..(*begin).min(within.end));
            at = at.max(*end);
        }
        missing.insert(at..within.end);
        missing
    }

    /// The same without the numbers of another set.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = Self::default();
        for range in self.iter() {
            left.merge(&other.missing(range));
        }
        left
    }

    /// How many of the numbers within the bounds are in it.
    #[must_use]
    pub fn count_within(&self, within: Range<u64>) -> u64 {
        let width = within.end.saturating_sub(within.start);
        width - self.missing(within).count()
    }

    /// How many numbers.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many ranges: the memory that it takes.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.ends.len()
    }

    /// The ranges, rising.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Range<u64>> {
        self.ends.iter().map(|(begin, end)| *begin..*end)
    }

    /// From the least number to after the greatest; `None` when there is none.
    #[must_use]
    pub fn hull(&self) -> Option<Range<u64>> {
        let (first, _) = self.ends.first_key_value()?;
        let (_, end) = self.ends.last_key_value()?;
        Some(*first..*end)
    }
}

impl Extend<Range<u64>> for Ranges {
    fn extend<I: IntoIterator<Item = Range<u64>>>(&mut self, ranges: I) {
        for range in ranges {
            self.insert(range);
        }
    }
}

impl FromIterator<Range<u64>> for Ranges {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let mut set = Self::default();
        set.extend(ranges);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(ranges: &[(u64, u64)]) -> Ranges {
        ranges.iter().map(|(begin, end)| *begin..*end).collect()
    }

    fn list(ranges: &Ranges) -> Vec<(u64, u64)> {
        ranges.iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn neighbours_become_one_and_holes_stay() {
        for (given, expected) in [
            (vec![(0, 1), (1, 2), (2, 3)], vec![(0, 3)]),
            (vec![(0, 1), (2, 3), (1, 2)], vec![(0, 3)]),
            (vec![(5, 9), (0, 2), (7, 12)], vec![(0, 2), (5, 12)]),
            (vec![(0, 2), (4, 6), (8, 9), (1, 8)], vec![(0, 9)]),
            (vec![(3, 3)], vec![]),
            (vec![(u64::MAX - 1, u64::MAX)], vec![(u64::MAX - 1, u64::MAX)]),
        ] {
            assert_eq!(list(&set(&given)), expected, "{given:?}");
        }
    }

    #[test]
    fn what_is_missing_lies_within_the_bounds() {
        let held = set(&[(2, 4), (6, 8)]);
        for (within, expected) in [
            (0..10, vec![(0, 2), (4, 6), (8, 10)]),
            (3..7, vec![(4, 6)]),
            (2..4, vec![]),
            (9..12, vec![(9, 12)]),
            (4..4, vec![]),
        ] {
            assert_eq!(list(&held.missing(within.clone())), expected, "{within:?}");
        }
        assert_eq!(list(&held.without(&set(&[(3, 7)]))), [(2, 3), (7, 8)]);
        assert_eq!(held.hull(), Some(2..8));
        assert_eq!(held.count_within(3..7), 2);
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_numbers_whatever_the_order(
            ranges in proptest::collection::vec((0_u64..60, 0_u64..12), 0..30),
            within in (0_u64..70, 0_u64..40),
        ) {
            let (mut held, mut plain) = (Ranges::default(), BTreeSet::new());
            for (begin, width) in ranges {
                let before = plain.len();
                plain.extend(begin..begin + width);
                let new = held.insert(begin..begin + width);
                prop_assert_eq!(new, (plain.len() - before) as u64);
            }
            prop_assert_eq!(held.count(), plain.len() as u64);
            prop_assert!((0..90).all(|number| held.contains(number) == plain.contains(&number)));
            let within = within.0..within.0 + within.1;
            let missing = held.missing(within.clone());
            let is_missing =
                |number: u64| within.contains(&number) && !plain.contains(&number);
            prop_assert!((0..120).all(|number| missing.contains(number) == is_missing(number)));
            let parts: Vec<_> = held.iter().collect();
            prop_assert!(parts.windows(2).all(|two| two[0].end < two[1].start), "{:?}", parts);
        }
    }
}
