//! Tests of the history on disk.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    unreachable_pub,
    reason = "all of it is test code; a panic is a failed test"
)]

mod circuit;

#[path = "../../../../agent/journal/tests/it/double.rs"]
mod double;

mod backfill;
mod crash;
mod damage;
mod disk;
mod events;
mod gaps;
mod keeping;
mod trends;
