//! One display: its lease, how it does, and whether it attends.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Instant;

/// How long a lease holds from its last renewal (prop).
pub const LEASE: Duration = Duration::from_secs(3);

/// A display paints when the newest message that it has painted is younger than this (prop).
pub const PAINTED_WITHIN: Duration = Duration::from_secs(3);

/// A display that is lost is told of for so long; then it is taken for one that is gone for good (prop).
pub const LOST_FOR: Duration = Duration::from_mins(10);

/// Whether a display can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioOutput {
    /// Alarms are heard.
    On,
    /// The browser or system does not let it sound.
    Blocked,
    /// It has none, it was switched off, or it says nothing of it.
    None,
}

/// How a display does, in its own words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Health {
    /// When the newest message that it has painted was made, by the reader's clock; `None` for none of this start.
    pub painted: Option<Instant>,
    /// Pictures a second.
    pub frames_per_second: f32,
    /// From the arrival of a message to its picture, in milliseconds.
    pub lag_ms: u32,
    /// Whether alarms are heard.
    pub audio: AudioOutput,
    /// Whether a person can see it.
    pub visible: bool,
}

/// What a display does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisplayState {
    /// Holds its lease and paints.
    Attends,
    /// Holds its lease and does not paint: frozen, hidden or behind.
    NotPainting,
    /// Its lease ran out without a goodbye.
    Lost,
}

/// A display that took a lease.
#[derive(Debug, Clone)]
pub struct Display {
    /// Its name.
    pub name: Arc<str>,
    /// Wards that it attends; empty for all.
    pub wards: Vec<Arc<str>>,
    /// What it last said of itself.
    pub health: Health,
    /// When its lease ends.
    pub lease_until: Instant,
    hidden_since: Option<Instant>,
    /// Since when it has attended without a break, as of its last word.
    attends_since: Option<Instant>,
    has_attended: bool,
}

impl Display {
    /// A display that takes its first lease.
    pub(super) fn new(name: Arc<str>, wards: Vec<Arc<str>>, health: Health, now: Instant) -> Self {
        let mut display = Self {
            name,
            wards,
            health,
            lease_until: now,
            hidden_since: None,
            attends_since: None,
            has_attended: false,
        };
        display.renew(health, now);
        display
    }

    /// Renews the lease.
    pub(super) fn renew(&mut self, health: Health, now: Instant) {
        let attended = self.state(now) == DisplayState::Attends;
        self.health = health;
        self.lease_until = now.plus(LEASE);
        self.hidden_since = (!health.visible).then(|| self.hidden_since.unwrap_or(now));
        let attends = self.state(now) == DisplayState::Attends;
        let since = self.attends_since.filter(|_| attended).unwrap_or(now);
        self.attends_since = attends.then_some(since);
        self.has_attended |= attends;
    }

    /// What it does now.
    #[must_use]
    pub fn state(&self, now: Instant) -> DisplayState {
        if now >= self.lease_until {
            DisplayState::Lost
        } else if self.paints(now) {
            DisplayState::Attends
        } else {
            DisplayState::NotPainting
        }
    }

    /// Whether it attends a ward, or any for `None`.
    #[must_use]
    pub fn attends(&self, ward: Option<&str>, now: Instant) -> bool {
        self.state(now) == DisplayState::Attends && ward.is_none_or(|ward| self.is_of(ward))
    }

    /// Since when it attends without a break; `None` while it does not.
    #[must_use]
    pub fn attends_since(&self, now: Instant) -> Option<Instant> {
        self.attends_since.filter(|_| self.state(now) == DisplayState::Attends)
    }

    /// Whether a ward is one of its own.
    #[must_use]
    pub fn is_of(&self, ward: &str) -> bool {
        self.wards.is_empty() || self.wards.iter().any(|own| **own == *ward)
    }

    fn paints(&self, now: Instant) -> bool {
        // A message of the future was never painted.
        let recent = |at: Instant| at <= now && now.since(at) < PAINTED_WITHIN;
        self.health.visible && self.health.painted.is_some_and(recent)
    }

    /// Since when it is lost, if it is: one that has attended, and whose lease ran out or that paints no longer.
    pub(super) fn lost_since(&self, now: Instant) -> Option<Instant> {
        if !self.has_attended {
            return None;
        }
        let hidden = self.hidden_since.map(|since| since.plus(PAINTED_WITHIN));
        let frozen = self.health.painted.map(|at| at.plus(PAINTED_WITHIN));
        let earliest = [Some(self.lease_until), hidden, frozen].into_iter().flatten().min()?;
        (now >= earliest).then_some(earliest)
    }

    /// Whether it need no longer be remembered.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let gone = if self.has_attended { LOST_FOR } else { Duration::ZERO };
        now >= self.lease_until && now.since(self.lost_since(now).unwrap_or(now)) >= gone
    }
}
