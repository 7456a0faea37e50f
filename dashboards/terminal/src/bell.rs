//! The terminal's bell: rings while an alarm sounds. Most terminals ring; whether one does, nobody can know.

use std::io::Write;
use std::time::Duration;

use ecmo_display::Screen;

use crate::age::LocalTime;

/// Time between two rings while an alarm sounds.
const AGAIN: Duration = Duration::from_secs(2);

/// The bell.
#[derive(Debug)]
pub(crate) struct Bell {
    on: bool,
    rang_at: Option<LocalTime>,
}

impl Bell {
    /// A bell that rings, or none.
    pub(crate) const fn new(on: bool) -> Self {
        Self { on, rang_at: None }
    }

    /// Rings when it is time to.
    pub(crate) fn ring(&mut self, screen: &Screen, local: LocalTime) {
        if !self.is_due(screen, local) {
            return;
        }
        // To the terminal itself: lines may go elsewhere. Without one nobody is left to hear it.
        if let Ok(mut terminal) = std::fs::OpenOptions::new().write(true).open("/dev/tty") {
            terminal.write_all(b"\x07").ok();
        }
    }

    fn is_due(&mut self, screen: &Screen, local: LocalTime) -> bool {
        // A screen that hears nobody sounds, too: nothing on it is known to be well.
        let sounds = !screen.is_known() || screen.rows().iter().any(|row| row.sounds());
        if !self.on || !sounds {
            self.rang_at = None;
            return false;
        }
        let due = self.rang_at.is_none_or(|at| local.since(at) >= AGAIN);
        if due {
            self.rang_at = Some(local);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rings_at_once_and_every_two_seconds_while_nothing_is_known_or_an_alarm_sounds() {
        let at = |ms: u64| LocalTime(ms * 1_000_000);
        let screen = Screen::new(1, "");
        let mut bell = Bell::new(true);
        let due: Vec<u64> = (0..45).filter(|tenth| bell.is_due(&screen, at(tenth * 100))).collect();
        assert_eq!(due, [0, 20, 40]);
        assert!(!Bell::new(false).is_due(&screen, at(0)));
    }
}
