//! Plays the burst of the priority that sounds through a configured player, again and again as the priority demands.

use core::time::Duration;

use super::RETRY;
use super::child::{Look, Running};
use super::mailbox::{Mailbox, Word};
use crate::local_alarm::burst::{Burst, burst};

/// How much longer than the burst a player may take (own proposal).
const PLAYER_EXTRA: Duration = Duration::from_secs(2);

/// Plays until the last word.
pub(super) fn run(mailbox: &Mailbox, player: &[String]) {
    let mut word = Word::default();
    while !word.is_last {
        let Some(burst) = word.sound.and_then(|sound| burst(sound.priority)) else {
            word = mailbox.wait(word.number, Duration::MAX);
            continue;
        };
        let played = play(mailbox, player, burst, word);
        let pause = match &played {
            Ok(()) => burst.every.saturating_sub(burst.length()),
            Err(_) => RETRY,
        };
        mailbox.note("tone", played);
        let next = mailbox.wait(word.number, pause);
        word = next;
    }
}

/// Plays one burst; breaks off when something else sounds, or nothing.
fn play(mailbox: &Mailbox, player: &[String], burst: Burst, word: Word) -> Result<(), String> {
    let timeout = burst.length() + PLAYER_EXTRA;
    let mut running = Running::start(player, &[], &burst.wav(), timeout)?;
    loop {
        if let Look::Ended(result) = running.look() {
            return result;
        }
        if mailbox.word().number != word.number {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_alarm::sound::{Reason, Sound};
    use ecmo_core::alarm::condition::Priority;
    use ecmo_testkit::eventually_sync;
    use std::sync::Arc;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_player_gets_the_burst_of_the_priority_and_one_that_hangs_is_given_up_at_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let heard = folder.path().join("heard.wav");
        // Takes the burst, then never ends.
        let script = format!("cat > {0}.part; mv {0}.part {0}; exec sleep 1000", heard.display());
        let player = ["/bin/sh", "-c", &script].map(str::to_owned);
        let mailbox = Arc::new(Mailbox::default());
        let shared = Arc::clone(&mailbox);
        std::thread::spawn(move || run(&shared, &player));
        for priority in [Priority::Low, Priority::High] {
            mailbox.put(Some(Sound { priority, reason: Reason::Unattended }));
            let expected = burst(priority).unwrap().wav();
            eventually_sync(SOON, "the burst", || {
                let bytes = std::fs::read(&heard).unwrap_or_default();
                if bytes == expected { Ok(()) } else { Err(bytes.len()) }
            })
            .unwrap();
        }
        mailbox.close();
    }
}
