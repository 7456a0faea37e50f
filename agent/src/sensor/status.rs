//! What an instrument's connection does, readable by every thread without waiting.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Whether an instrument delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// Samples come.
    Live,
    /// Connected, and nothing is heard.
    Silent,
    /// Not connected, the port is gone, or the driver hangs.
    Off,
}

/// The connection of an instrument at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Whether it delivers.
    pub state: SourceState,
    /// Times that it was connected since the start.
    pub connections: u64,
}

impl Link {
    /// The connection of a source that is part of this program.
    pub const BUILT_IN: Self = Self { state: SourceState::Live, connections: 1 };

    /// The connection of an instrument that was not looked for yet.
    pub const NONE_YET: Self = Self { state: SourceState::Off, connections: 0 };
}

/// A [`Link`] that one thread writes and others read.
#[derive(Debug)]
pub(super) struct SharedLink {
    state: AtomicU8,
    connections: AtomicU64,
}

impl SharedLink {
    pub(super) const fn new(link: Link) -> Self {
        Self {
            state: AtomicU8::new(number(link.state)),
            connections: AtomicU64::new(link.connections),
        }
    }

    /// Relaxed, here and below: the numbers order nothing else, and a reader may be one poll behind.
    pub(super) fn set(&self, link: Link) {
        self.state.store(number(link.state), Ordering::Relaxed);
        self.connections.store(link.connections, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Link {
        let state = match self.state.load(Ordering::Relaxed) {
            LIVE => SourceState::Live,
            SILENT => SourceState::Silent,
            // OFF; nothing else is stored.
            _off => SourceState::Off,
        };
        Link { state, connections: self.connections.load(Ordering::Relaxed) }
    }
}

const LIVE: u8 = 0;
const SILENT: u8 = 1;
const OFF: u8 = 2;

const fn number(state: SourceState) -> u8 {
    match state {
        SourceState::Live => LIVE,
        SourceState::Silent => SILENT,
        SourceState::Off => OFF,
    }
}

/// The state of one source of the settings. The sampling thread writes it after each poll; anybody may read it.
#[derive(Debug)]
pub struct SourceStatus {
    device: String,
    link: SharedLink,
    refused: AtomicU64,
    lost: AtomicU64,
}

impl SourceStatus {
    /// The state of a device that was not polled yet.
    #[must_use]
    pub const fn new(device: String) -> Self {
        Self {
            device,
            link: SharedLink::new(Link::NONE_YET),
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// The device in words a biomedical engineer knows.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Its connection as of the last poll.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link.get()
    }

    /// Lines or packets that could not be understood, since the agent started.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Samples that its thread took and could not hand over, since the agent started.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Notes what one poll told.
    pub fn note(&self, link: Link, refused: u64, lost: u64) {
        self.link.set(link);
        self.refused.fetch_add(refused, Ordering::Relaxed);
        self.lost.fetch_add(lost, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_the_last_connection_and_the_sum_of_what_was_lost() {
        let status = SourceStatus::new("flow meter".to_owned());
        assert_eq!(status.link(), Link::NONE_YET);
        for state in [SourceState::Silent, SourceState::Live, SourceState::Off] {
            let link = Link { state, connections: 3 };
            status.note(link, 2, 1);
            assert_eq!(status.link(), link);
        }
        assert_eq!((status.device(), status.refused(), status.lost()), ("flow meter", 6, 3));
    }
}
