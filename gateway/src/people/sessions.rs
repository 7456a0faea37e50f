//! Sessions: who has signed in, by the hash of a random token, in memory alone; bounded in number and in time. Pure but for chance.

use std::collections::HashMap;
use std::time::Duration;

use ecmo_core::time::Instant;
use ring::rand::{SecureRandom, SystemRandom};

use super::{Person, Way};

/// Most sessions at a time: every display of the largest unit, twice. One more ends the one that was used the longest ago.
const SESSIONS_MAX: usize = 1_024;

/// How long a break-glass session lasts, used or not.
const BREAK_GLASS: Duration = Duration::from_mins(5);

/// What a token begins with, so that one that leaked into a text is recognised.
const PREFIX: &str = "ecmo-";

/// Bytes of chance in a token.
const TOKEN_BYTES: usize = 32;

/// Hash of a token.
type Key = [u8; 32];

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Who.
    pub(super) person: Person,
    /// What was proved: it ends when the account or the PIN is another one.
    pub(super) proof: Key,
    began: Instant,
    used: Instant,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lasts {
    /// Without use.
    pub(super) idle: Duration,
    /// In any case.
    pub(super) longest: Duration,
}

impl Lasts {
    const fn of(self, way: Way) -> Self {
        match way {
            Way::BreakGlass => Self { idle: BREAK_GLASS, longest: BREAK_GLASS },
            Way::Account | Way::Provider => self,
        }
    }
}

impl Session {
    /// What is left without use, and in any case.
    pub(super) fn left(&self, lasts: Lasts, now: Instant) -> (Duration, Duration) {
        let lasts = lasts.of(self.person.way);
        let left = lasts.longest.saturating_sub(now.since(self.began));
        (lasts.idle.saturating_sub(now.since(self.used)).min(left), left)
    }
}

/// The sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    lasts: Lasts,
    open: HashMap<Key, Session>,
}

/// What a session is known by: the token itself is nowhere kept.
pub(super) fn hashed(text: &str) -> Key {
    *blake3::hash(text.as_bytes()).as_bytes()
}

impl Sessions {
    pub(super) fn new(lasts: Lasts) -> Self {
        Self { lasts, open: HashMap::new() }
    }

    /// Opens one; its token.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub(super) fn open(
        &mut self,
        person: Person,
        proof: Key,
        now: Instant,
    ) -> Result<String, String> {
        let mut bytes = [0; TOKEN_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_none| "the system gives no random bytes")?;
        let token = bytes.iter().fold(PREFIX.to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let lasts = self.lasts;
        self.open.retain(|_key, session| !session.left(lasts, now).0.is_zero());
        if self.open.len() >= SESSIONS_MAX {
            let oldest = self.open.iter().min_by_key(|(_key, session)| session.used);
            if let Some(oldest) = oldest.map(|(key, _session)| *key) {
                self.open.remove(&oldest);
            }
        }
        self.open.insert(hashed(&token), Session { person, proof, began: now, used: now });
        Ok(token)
    }

    /// The session of a token. `used`: it goes on by that.
    pub(super) fn find(&mut self, token: &str, now: Instant, used: bool) -> Option<Session> {
        let session = self.open.get_mut(&hashed(token))?;
        if session.left(self.lasts, now).0.is_zero() {
            self.end(token);
            return None;
        }
        if used {
            session.used = now;
        }
        Some(session.clone())
    }

    /// Ends the session of a token; who it was.
    pub(super) fn end(&mut self, token: &str) -> Option<Person> {
        self.open.remove(&hashed(token)).map(|session| session.person)
    }

    /// How long a session lasts yet, without use and in any case.
    pub(super) fn left(&self, session: &Session, now: Instant) -> (Duration, Duration) {
        session.left(self.lasts, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    const NOW: Instant = Instant::from_millis(2_592_000_000);
    const LASTS: Lasts = Lasts { idle: Duration::from_mins(15), longest: Duration::from_hours(1) };

    fn person(way: Way) -> Person {
        Person { name: "Ann".to_owned(), role: Role::Clinician, way }
    }

    fn after(minutes: u64) -> Instant {
        NOW.plus(Duration::from_mins(minutes))
    }

    #[test]
    fn a_session_ends_without_use_and_at_its_longest_whatever_is_done() {
        let mut sessions = Sessions::new(LASTS);
        let token = sessions.open(person(Way::Account), [0; 32], NOW).unwrap();
        for minute in [14, 28, 42, 56] {
            assert!(sessions.find(&token, after(minute), true).is_some(), "{minute}");
        }
        assert!(sessions.find(&token, after(60), true).is_none(), "an hour is the longest");
        let token = sessions.open(person(Way::Account), [0; 32], NOW).unwrap();
        assert!(sessions.find(&token, after(14), false).is_some(), "looking is no use");
        assert!(sessions.find(&token, after(15), true).is_none());
    }

    #[test]
    fn a_break_glass_session_lasts_five_minutes_used_or_not() {
        let mut sessions = Sessions::new(LASTS);
        let token = sessions.open(person(Way::BreakGlass), [0; 32], NOW).unwrap();
        assert!(sessions.find(&token, after(4), true).is_some());
        assert!(sessions.find(&token, after(5), true).is_none());
    }

    #[test]
    fn tokens_are_long_never_twice_the_same_and_never_kept() {
        let mut sessions = Sessions::new(LASTS);
        let tokens: Vec<_> =
            (0..100).map(|_| sessions.open(person(Way::Account), [0; 32], NOW).unwrap()).collect();
        let mut each = tokens.clone();
        each.sort_unstable();
        each.dedup();
        assert!(each.len() == 100 && each.iter().all(|token| token.len() == 5 + 64));
        let held = format!("{sessions:?}");
        assert!(tokens.iter().all(|token| !held.contains(token.as_str())));
        for other in ["", "ecmo-", &tokens[0][..68], &tokens[0].to_uppercase()] {
            assert!(sessions.find(other, NOW, true).is_none(), "{other}");
        }
    }

    #[test]
    fn one_too_many_ends_the_one_that_was_used_the_longest_ago() {
        let mut sessions = Sessions::new(LASTS);
        let first = sessions.open(person(Way::Account), [0; 32], NOW).unwrap();
        for _ in 0..SESSIONS_MAX {
            sessions.open(person(Way::Account), [0; 32], after(1)).unwrap();
        }
        assert!(sessions.find(&first, after(1), true).is_none());
        assert_eq!(sessions.open.len(), SESSIONS_MAX);
        // What has ended makes room by itself.
        sessions.open(person(Way::Account), [0; 32], after(59)).unwrap();
        assert_eq!(sessions.open.len(), 1);
    }

    #[test]
    fn whoever_signs_out_is_out() {
        let mut sessions = Sessions::new(LASTS);
        let token = sessions.open(person(Way::Account), [0; 32], NOW).unwrap();
        assert!(sessions.end(&token).is_some() && sessions.end(&token).is_none());
        assert!(sessions.find(&token, NOW, true).is_none());
    }
}
