//! The log on disk: crashes, damage, full disks, retention, and what a reader sees.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    unreachable_pub,
    reason = "all of it is test code; a panic is a failed test"
)]

mod log;

mod double;

mod damage;

mod retention;

mod segments;

mod disk;

mod crash;

mod power;
