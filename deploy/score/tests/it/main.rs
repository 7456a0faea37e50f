//! Checks the score from outside: plans, the way out to recordings and back, other people's tables, exit codes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "all of it is test code; a panic is a failed test"
)]

mod plans;

mod round_trip;

mod tables;

mod program;
