//! The one source of chance: the same seed throws the same dice on every machine and in every build.

/// A generator of our own (`SplitMix64`): its sequence is part of what a seed means, so it never changes.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// Sixty-four bits.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.roll()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `least` to `most`, both possible.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least.saturating_add(self.below(most.saturating_sub(least).saturating_add(1)))
    }

    /// A place in a list of so many; 0 when it is empty.
    pub fn place(&mut self, of: usize) -> usize {
        let of = u64::try_from(of).unwrap_or(u64::MAX);
        usize::try_from(self.below(of)).unwrap_or(0)
    }

    /// Whether something happens that happens so often in a million.
    pub fn chance(&mut self, in_a_million: u64) -> bool {
        self.below(1_000_000) < in_a_million
    }

    /// A time whose mean is `mean`: from a quarter of it to seven quarters.
    pub fn about(&mut self, mean: u64) -> u64 {
        self.between(mean / 4, mean.saturating_mul(7) / 4)
    }

    /// Dice of their own for one part, so that what it throws moves nobody else's.
    pub const fn split(&mut self) -> Self {
        Self(self.roll())
    }
}

/// Every bit of the result depends on every bit of the number.
#[must_use]
pub const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_dice_for_ever() {
        let mut dice = Dice::new(7);
        let thrown: Vec<u64> = (0..3).map(|_| dice.below(1_000)).collect();
        let mut again = Dice::new(7);
        assert_eq!(thrown, (0..3).map(|_| again.below(1_000)).collect::<Vec<_>>());
        assert!((0..1_000).all(|_| (3..=9).contains(&dice.between(3, 9))));
        assert_eq!(dice.below(0), 0);
    }
}
