//! What displays get: everything in order, at once, or a word that something is missing.
#![cfg(test)]

mod alarms;

mod missed;

mod proxied;

mod pumps;

mod settings;

mod slow;

mod stalled;

mod storm;

mod ward;

mod wire;
