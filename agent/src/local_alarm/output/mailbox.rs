//! What sounds now, for one output: the newest word replaces what was not heard yet.

use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::local_alarm::sound::Sound;

/// What an output finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// Goes up with each change.
    pub(super) number: u64,
    /// What sounds; `None`: nothing.
    pub(super) sound: Option<Sound>,
    /// The agent ends: the last word.
    pub(super) is_last: bool,
}

#[derive(Debug, Default)]
struct Inner {
    word: Word,
    has_failed: bool,
}

/// Holds one word.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Mailbox {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here can panic half way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the word if it is another one.
    pub(super) fn put(&self, sound: Option<Sound>) {
        let mut inner = self.inner();
        if inner.word.sound != sound {
            inner.word.sound = sound;
            inner.word.number += 1;
            self.changed.notify_all();
        }
    }

    /// Says that the agent ends, quietly.
    pub(super) fn close(&self) {
        let mut inner = self.inner();
        inner.word.number += 1;
        (inner.word.sound, inner.word.is_last) = (None, true);
        self.changed.notify_all();
    }

    /// The word as it is.
    pub(super) fn word(&self) -> Word {
        self.inner().word
    }

    /// Waits for another word than the one with this number; at most `patience`.
    pub(super) fn wait(&self, number: u64, patience: Duration) -> Word {
        let inner = self.inner();
        let same = |inner: &mut Inner| inner.word.number == number;
        let (inner, _timeout) = self
            .changed
            .wait_timeout_while(inner, patience, same)
            .unwrap_or_else(PoisonError::into_inner);
        inner.word
    }

    /// Takes note of how it went; tells of a failure once until it works again.
    pub(super) fn note(&self, output: &'static str, result: Result<(), String>) {
        let had_failed = std::mem::replace(&mut self.inner().has_failed, result.is_err());
        match result {
            Err(why) if !had_failed => {
                tracing::error!(output, why, "local alarm output failed; it is tried again");
            }
            Ok(()) if had_failed => tracing::info!(output, "local alarm output works again"),
            Ok(()) | Err(_) => {}
        }
    }

    /// Whether it failed the last time.
    pub(super) fn has_failed(&self) -> bool {
        self.inner().has_failed
    }
}
