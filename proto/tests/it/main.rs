//! Holds the contract still: generated code is not stale, old bytes still decode, every name and comment follows the rules.

// The mark tells clippy, too, that these are tests: a panic is how they speak.
#[cfg(test)]
mod comments;
mod generation;
mod golden;
#[cfg(test)]
mod staleness;
