//! The agent from its sensors to a real broker.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "all of it is test code; a panic is a failed test"
)]

mod backfill;

mod bedside;

mod defects;

mod emtec;

mod gateway;

mod lifecycle;

mod mosquitto;

mod paths;

mod program;

mod replay;

mod requests;

mod spool;

mod stream;

mod time;

mod ward;
