//! Holds the walls between the parts: what may use what, where each dangerous thing has its one place, how long a thing may be.
//!
//! Each wall is a test whose message says what to do, and beside it a test that the wall notices a bad sample.
#![cfg(test)]

mod source;

mod documents;
mod names;
mod operators;
mod order;
mod shape;
mod walls;

/// Fails with every finding and what to do about them.
#[track_caller]
fn demand(findings: &[String], advice: &str) {
    assert!(findings.is_empty(), "{advice}:\n  {}", findings.join("\n  "));
}

/// Fails unless the sample of bad code was noticed once, for the reason given.
#[track_caller]
fn noticed(findings: &[String], reason: &str) {
    assert!(
        matches!(findings, [only] if only.contains(reason)),
        "expected one finding with {reason:?}, got {findings:?}"
    );
}
