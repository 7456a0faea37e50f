//! Starts a configured program at each change of what sounds: one at a time, each for a limited time.

use core::time::Duration;

use super::RETRY;
use super::child::{Look, Running};
use super::mailbox::{Mailbox, Word};

/// How long a run may go on once there is something newer to say (own proposal).
const HURRY: Duration = Duration::from_millis(200);

/// What is started.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) words: Vec<String>,
    pub(super) timeout: Duration,
    pub(super) pump: String,
}

impl Command {
    /// Tells each change until the last word. What sounds when the agent begins is nothing, and is not told.
    pub(super) fn run(&self, mailbox: &Mailbox) {
        let mut told = Word::default();
        let mut is_told = true;
        loop {
            let patience = if is_told { Duration::MAX } else { RETRY };
            let word = mailbox.wait(told.number, patience);
            if word.sound == told.sound && is_told {
                told = word;
            } else {
                let result = self.tell(word, mailbox);
                is_told = result.is_ok();
                told = word;
                mailbox.note("command", result);
            }
            if word.is_last {
                return;
            }
        }
    }

    fn tell(&self, word: Word, mailbox: &Mailbox) -> Result<(), String> {
        let state = if word.sound.is_some() { "sounding" } else { "quiet" };
        let environment = [
            ("ECMO_ALARM_STATE", state.to_owned()),
            ("ECMO_ALARM_PRIORITY", word.sound.map_or(String::new(), |it| priority(it.priority))),
            ("ECMO_ALARM_CONDITION", word.sound.map_or(String::new(), |it| it.reason.to_string())),
            ("ECMO_PUMP", self.pump.clone()),
        ];
        let mut running = Running::start(&self.words, &environment, &[], self.timeout)?;
        let mut is_hurried = false;
        loop {
            if let Look::Ended(result) = running.look() {
                return result;
            }
            if !is_hurried && mailbox.word().number != word.number {
                is_hurried = true;
                running.hurry(HURRY);
            }
        }
    }
}

fn priority(priority: ecmo_core::alarm::condition::Priority) -> String {
    use ecmo_core::alarm::condition::Priority;
    let word = match priority {
        Priority::Information => "information",
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_alarm::sound::{Reason, Sound};
    use ecmo_core::alarm::condition::{Condition, Priority};
    use ecmo_testkit::eventually_sync;
    use std::sync::Arc;

    const SOON: Duration = Duration::from_secs(10);

    fn stop(priority: Priority) -> Option<Sound> {
        Some(Sound { priority, reason: Reason::Condition(Condition::PUMP_STOP) })
    }

    /// A thread that runs a shell script at each change; the script is the test's, no shell is ours.
    fn start(script: &str, timeout: Duration) -> Arc<Mailbox> {
        let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let command = Command { words, timeout, pump: "w/p".to_owned() };
        let mailbox = Arc::new(Mailbox::default());
        let shared = Arc::clone(&mailbox);
        std::thread::spawn(move || command.run(&shared));
        mailbox
    }

    fn await_text(path: &std::path::Path, expected: &str) {
        eventually_sync(SOON, expected, || {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            if text == expected { Ok(()) } else { Err(text) }
        })
        .unwrap();
    }

    #[test]
    fn each_change_is_told_with_state_priority_condition_and_pump() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!(
            "echo $ECMO_ALARM_STATE $ECMO_ALARM_PRIORITY $ECMO_ALARM_CONDITION $ECMO_PUMP >> {}",
            log.display()
        );
        let mailbox = start(&script, SOON);
        mailbox.put(stop(Priority::High));
        await_text(&log, "sounding high pump.stop w/p\n");
        mailbox.close();
        await_text(&log, "sounding high pump.stop w/p\nquiet w/p\n");
    }

    #[test]
    fn one_that_hangs_is_killed_for_what_is_newer_and_told_as_failed() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!(
            "echo $ECMO_ALARM_PRIORITY >> {}; [ \"$ECMO_ALARM_PRIORITY\" != low ] || sleep 1000",
            log.display()
        );
        // Its own time would be longer than the test.
        let mailbox = start(&script, Duration::from_secs(900));
        mailbox.put(stop(Priority::Low));
        await_text(&log, "low\n");
        mailbox.put(stop(Priority::High));
        await_text(&log, "low\nhigh\n");
        mailbox.close();
    }

    #[test]
    fn one_that_fails_is_told_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // Fails the first time only.
        let script = format!("echo x >> {0}; [ $(wc -l < {0}) -gt 1 ]", log.display());
        let mailbox = start(&script, SOON);
        mailbox.put(stop(Priority::Medium));
        let failed = |expected| {
            eventually_sync(SOON, "the failure", || {
                let has_failed = mailbox.has_failed();
                if has_failed == expected { Ok(()) } else { Err(has_failed) }
            })
            .unwrap();
        };
        failed(true);
        failed(false);
        await_text(&log, "x\nx\n");
        mailbox.close();
    }
}
