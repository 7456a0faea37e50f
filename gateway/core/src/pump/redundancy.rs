//! Whether the frames of a pump come over both of its paths, and what each path says of its agent.

use core::time::Duration;

use super::Presence;
use crate::path::{Path, PerPath};
use crate::time::Instant;

/// A path without a frame for this long, while the other one brings them, is lost (own proposal).
pub const PATH_LOST_AFTER: Duration = Duration::from_secs(2);

/// Both paths must bring frames for this long until the loss is over (operations reference, F6).
pub const PATHS_WHOLE_FOR: Duration = Duration::from_secs(5);

/// What comes over which path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Redundancy {
    /// The birth says that every frame goes to two brokers.
    expected: bool,
    /// Whether the reader itself is connected; `None` for a path that it does not read.
    connected: PerPath<Option<bool>>,
    heard: PerPath<Option<Instant>>,
    /// Frames on both paths could not be expected before.
    from: Instant,
    both_since: Option<Instant>,
    lost: bool,
    /// It was lost before a restart of the reader, and was not judged since.
    restored: bool,
}

impl Redundancy {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            expected: false,
            connected: PerPath { a: None, b: None },
            heard: PerPath { a: None, b: None },
            from: now,
            both_since: None,
            lost: false,
            restored: false,
        }
    }

    /// A birth says over how many paths frames come.
    pub(super) fn expect(&mut self, paths: u32) {
        self.expected = paths >= 2;
    }

    /// It was lost before a restart of the reader: the birth will say whether frames are still to come over both.
    pub(super) fn resume(&mut self) {
        self.expected = true;
        self.restored = !self.lost;
    }

    /// Expects frames on both paths from now on.
    pub(super) fn expect_from(&mut self, now: Instant) {
        self.from = now;
        self.both_since = None;
    }

    /// The agent has started anew.
    pub(super) fn restart(&mut self, now: Instant) {
        self.heard = PerPath::default();
        self.expect_from(now);
    }

    /// The reader's own connection changed.
    pub(super) fn on_link(&mut self, path: Path, up: bool, now: Instant) {
        *self.connected.get_mut(path) = Some(up);
        self.expect_from(now);
    }

    /// A frame of the present run came, whether it was here before or not.
    pub(super) fn on_frame(&mut self, path: Path, now: Instant) {
        let heard = self.heard.get_mut(path);
        let paused = heard.is_none_or(|at| now.since(at) > PATH_LOST_AFTER);
        *heard = Some(now);
        if paused {
            self.both_since = None;
        }
        let recent = |at: &Option<Instant>| at.is_some_and(|at| now.since(at) <= PATH_LOST_AFTER);
        if self.both_since.is_none() && self.heard.each().into_iter().all(recent) {
            self.both_since = Some(now);
        }
    }

    /// When the last frame came over a path.
    pub(super) const fn heard(&self, path: Path) -> Option<Instant> {
        *self.heard.get(path)
    }

    /// Whether the reader is connected to a path; `None` for one that it does not read.
    pub(super) const fn connected(&self, path: Path) -> Option<bool> {
        *self.connected.get(path)
    }

    /// A loss is told only where the reader is connected to both: its own connection is told once, for all pumps.
    fn is_judged(&self) -> bool {
        self.expected && self.connected.a == Some(true) && self.connected.b == Some(true)
    }

    fn oldest(&self) -> Instant {
        let [a, b] = self.heard.each().map(|at| at.map_or(self.from, |at| at.max(self.from)));
        a.min(b)
    }

    /// When [`Redundancy::verdict`] may change if nothing arrives before.
    pub(super) fn deadline(&self, live: bool) -> Option<Instant> {
        match (self.lost, self.is_judged() && live) {
            (false, true) => {
                let whole = self.both_since.filter(|_since| self.restored);
                let lost = self.oldest().plus(PATH_LOST_AFTER);
                Some(whole.map_or(lost, |since| since.plus(PATHS_WHOLE_FOR).min(lost)))
            }
            (true, true) => Some(self.both_since?.plus(PATHS_WHOLE_FOR)),
            (_, false) => None,
        }
    }

    /// What is to be told now: `Some(true)` that redundancy is lost, `Some(false)` that it is back.
    pub(super) fn verdict(&mut self, now: Instant, live: bool) -> Option<bool> {
        if !self.expected {
            return self.take_lost().then_some(false);
        }
        if !self.is_judged() || !live {
            return None;
        }
        if now >= self.oldest().plus(PATH_LOST_AFTER) {
            self.both_since = None;
            self.restored = false;
            return (!core::mem::replace(&mut self.lost, true)).then_some(true);
        }
        let whole = self.both_since.is_some_and(|since| now >= since.plus(PATHS_WHOLE_FOR));
        (whole && self.take_lost()).then_some(false)
    }

    fn take_lost(&mut self) -> bool {
        core::mem::take(&mut self.lost) | core::mem::take(&mut self.restored)
    }
}

/// What each path says of the agent, and when it said it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Presences {
    said: PerPath<Option<(Presence, Instant)>>,
}

impl Presences {
    /// The word of one path. Any path knows that the agent was stopped; that it is gone must be said by each.
    pub(super) fn now(&self) -> Presence {
        let said = || self.said.each().into_iter().flatten().map(|(presence, _at)| *presence);
        if said().any(|presence| presence == Presence::Stopped) {
            Presence::Stopped
        } else if said().any(|presence| presence == Presence::Online) {
            Presence::Online
        } else {
            said().next().unwrap_or(Presence::Online)
        }
    }

    /// A path says something.
    pub(super) fn say(&mut self, path: Path, presence: Presence, now: Instant) {
        *self.said.get_mut(path) = Some((presence, now));
    }

    /// A frame came: it refutes that the agent is gone from its path, or was stopped, if that was said some time ago. The
    /// last frames before the end may come after the word about it.
    pub(super) fn on_frame(&mut self, path: Path, now: Instant, hint: Duration) {
        for of in Path::ALL {
            let said = self.said.get_mut(of);
            let refuted = match said {
                None => of == path,
                Some((Presence::Online, _at)) => false,
                Some((Presence::Offline, at)) => of == path && now.since(*at) >= hint,
                Some((Presence::Stopped, at)) => now.since(*at) >= hint,
            };
            if refuted {
                *said = Some((Presence::Online, now));
            }
        }
    }

    /// The reader has lost a path: that the agent was there says nothing any more.
    pub(super) fn lose(&mut self, path: Path) {
        let said = self.said.get_mut(path);
        if said.is_some_and(|(presence, _at)| presence == Presence::Online) {
            *said = None;
        }
    }

    /// The agent has started anew: what was said is of the run before.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }
}
