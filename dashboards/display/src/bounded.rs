//! A map of the newest entries only: memory of a display is bounded whatever gateways send.

use std::collections::{BTreeMap, VecDeque};

/// Keeps at most so many keys; the one that was put in first goes first.
#[derive(Debug, Clone)]
pub(crate) struct Bounded<K, V> {
    max: usize,
    values: BTreeMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Ord + Clone, V> Bounded<K, V> {
    /// Empty.
    pub(crate) const fn new(max: usize) -> Self {
        Self { max, values: BTreeMap::new(), order: VecDeque::new() }
    }

    /// Puts a value in the place of the one before.
    pub(crate) fn put(&mut self, key: K, value: V) {
        if self.values.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        while self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }

    /// The value of a key.
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.values.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut kept = Bounded::new(2);
        for number in 0..3 {
            kept.put(number, number * 10);
        }
        kept.put(1, 11);
        assert_eq!([0, 1, 2].map(|number| kept.get(&number).copied()), [None, Some(11), Some(20)]);
    }
}
