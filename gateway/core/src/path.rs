//! The two independent ways from an agent to the reader, and something kept for each.

/// One of two independent ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    /// The first, or only one.
    A,
    /// The second.
    B,
}

impl Path {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];
}

/// One thing for each path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerPath<T> {
    /// Of the first.
    pub a: T,
    /// Of the second.
    pub b: T,
}

impl<T> PerPath<T> {
    /// That of one path.
    #[must_use]
    pub const fn get(&self, path: Path) -> &T {
        match path {
            Path::A => &self.a,
            Path::B => &self.b,
        }
    }

    /// That of one path, to be changed.
    pub const fn get_mut(&mut self, path: Path) -> &mut T {
        match path {
            Path::A => &mut self.a,
            Path::B => &mut self.b,
        }
    }

    /// Both.
    pub fn each(&self) -> [&T; 2] {
        [&self.a, &self.b]
    }
}
