//! The real `ecmoctl` against a scripted gateway that speaks the real protocol on a port of its own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test, as the tests do"
)]

mod gateway;

mod fixtures;

mod watchers;

mod desk;

mod once;

mod acting;

mod treating;

mod process;

mod watching;

mod owning;

mod pairs;

mod past;

mod exports;

mod screens;

mod signing_in;
