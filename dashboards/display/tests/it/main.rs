//! Screens against gateways of a model: what a display shows after any loss, and what it never shows.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test, as the tests do"
)]

mod messages;

mod watcher;

mod model;

mod joining;

mod merging;

mod aging;

mod confirming;
