//! Pumps, brokers, gateways, displays: numbered things, reached by their number.

use std::ops::{Index, IndexMut};

/// Numbered things. A number that names none is a fault of the simulation and ends it.
#[derive(Debug, Clone, Default)]
pub struct Many<T>(Vec<T>);

impl<T> Many<T> {
    /// So many, each made from its number.
    pub fn new(count: usize, make: impl FnMut(usize) -> T) -> Self {
        Self((0..count).map(make).collect())
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }
}

impl<T, const N: usize> From<[T; N]> for Many<T> {
    fn from(all: [T; N]) -> Self {
        Self(all.into())
    }
}

impl<T> Index<usize> for Many<T> {
    type Output = T;

    fn index(&self, number: usize) -> &T {
        match self.0.get(number) {
            Some(found) => found,
            None => panic!("nothing has the number {number}"),
        }
    }
}

impl<T> IndexMut<usize> for Many<T> {
    fn index_mut(&mut self, number: usize) -> &mut T {
        match self.0.get_mut(number) {
            Some(found) => found,
            None => panic!("nothing has the number {number}"),
        }
    }
}
