//! What an agent tells of itself each second, and in answer to a probe: how it does, whatever its sampling does.
//!
//! The heartbeat is put together where it is published, never by the sampling thread: an agent that lives and does not sample
//! must not look like a dead one, and a dead one not like one that does not sample. Each part of the agent that has
//! something to tell gives a question to [`Vitals`]; a question is answered without waiting.

use core::time::Duration;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use ecmo_proto::sealed::{self, HEARTBEAT_BYTES_MAX};
use ecmo_proto::v1::{AgentHeartbeat, AgentPath, LocalAlarm, ProbeEcho, Sampling, Source, Spool};

use crate::clock::Stamp;
use crate::counters::{Counter, Counters};
use crate::queue::FrameQueue;
use crate::wall_clock::WallClock;

/// A question to a part of the agent. It is asked on the thread that publishes live frames: it must not wait.
pub type Question<T> = Box<dyn Fn() -> T + Send + Sync>;

/// What the parts of an agent tell of themselves.
pub struct Vitals {
    /// How the sampling thread keeps its pace; `None` when it does not say.
    pub sampling: Question<Option<Sampling>>,
    /// What is kept on disk; `None` without a spool.
    pub spool: Question<Option<Spool>>,
    /// What the agent's own rules say; `None` when it runs none.
    pub local_alarm: Question<Option<LocalAlarm>>,
    /// The instruments, in the order of the settings.
    pub sources: Question<Vec<Source>>,
}

impl Default for Vitals {
    /// Nobody tells anything.
    fn default() -> Self {
        Self {
            sampling: Box::new(|| None),
            spool: Box::new(|| None),
            local_alarm: Box::new(|| None),
            sources: Box::new(Vec::new),
        }
    }
}

impl fmt::Debug for Vitals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vitals").finish_non_exhaustive()
    }
}

/// One path as the others see it: how its connection does.
#[derive(Debug)]
pub struct PathState {
    name: &'static str,
    queue: Arc<FrameQueue>,
    is_up: AtomicBool,
    connections: Counter,
    /// Frames that waited too long or were too long.
    frames_given_up: Counter,
    /// Microseconds and one more; 0 before the first echo.
    echo_us_plus_one: AtomicU64,
}

impl PathState {
    /// A path that is not connected.
    #[must_use]
    pub fn new(name: &'static str, queue: Arc<FrameQueue>) -> Self {
        Self {
            name,
            queue,
            is_up: AtomicBool::new(false),
            connections: Counter::default(),
            frames_given_up: Counter::default(),
            echo_us_plus_one: AtomicU64::new(0),
        }
    }

    /// Its name in the settings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What waits for it.
    #[must_use]
    pub fn queue(&self) -> &FrameQueue {
        &self.queue
    }

    /// Its connection was accepted.
    pub fn note_connection(&self) {
        self.connections.add(1);
    }

    /// Birth and status were acknowledged, and frames are published from now on.
    pub fn note_up(&self) {
        self.is_up.store(true, Ordering::Relaxed);
    }

    /// Its connection is gone.
    pub fn note_down(&self) {
        self.is_up.store(false, Ordering::Relaxed);
    }

    /// A frame was given up: too old, or too long.
    pub fn note_given_up(&self) {
        self.frames_given_up.add(1);
    }

    /// The agent's own heartbeat came back.
    pub fn note_echo(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.echo_us_plus_one.store(micros.saturating_add(1), Ordering::Relaxed);
    }

    fn told(&self) -> AgentPath {
        AgentPath {
            name: self.name.to_owned(),
            up: self.is_up.load(Ordering::Relaxed),
            connections: self.connections.get(),
            frames_dropped: self.queue.dropped() + self.frames_given_up.get(),
            echo_us: self.echo_us_plus_one.load(Ordering::Relaxed).checked_sub(1),
        }
    }
}

/// Puts heartbeats together, for every path.
#[derive(Debug)]
pub struct Heart {
    /// Pump id.
    pub pump: String,
    /// The agent run.
    pub boot_id: u64,
    /// What the parts of the agent tell.
    pub vitals: Vitals,
    /// What is known of the wall clock.
    pub wall_clock: Arc<WallClock>,
    /// The paths, in the order of the settings.
    pub paths: Vec<Arc<PathState>>,
}

impl Heart {
    /// A sealed heartbeat of this moment. One that would be too long leaves without its lists, which is counted: that the
    /// agent lives is worth more than what it tells.
    #[must_use]
    pub fn beat(
        &self,
        sequence: u64,
        now: Stamp,
        echoes: Vec<ProbeEcho>,
        counters: &Counters,
    ) -> Bytes {
        let mut heartbeat = AgentHeartbeat {
            pump: self.pump.clone(),
            boot_id: self.boot_id,
            sequence,
            mono_ns: now.mono.as_nanos(),
            wall_ns: now.wall_ns,
            wall_clock: self.wall_clock.told(),
            sampling: (self.vitals.sampling)(),
            paths: self.paths.iter().map(|path| path.told()).collect(),
            spool: (self.vitals.spool)(),
            local_alarm: (self.vitals.local_alarm)(),
            sources: (self.vitals.sources)(),
            echoes,
            crc32c: 0,
        };
        let sealed = sealed::seal(&heartbeat);
        if sealed.len() <= HEARTBEAT_BYTES_MAX {
            return sealed;
        }
        counters.heartbeats_shortened.add(1);
        heartbeat.sources.clear();
        if let Some(spool) = &mut heartbeat.spool {
            spool.extents.truncate(1);
        }
        if let Some(alarm) = &mut heartbeat.local_alarm {
            alarm.present.clear();
            alarm.unleased.clear();
        }
        sealed::seal(&heartbeat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::time::SampleTime;
    use ecmo_proto::v1::SpoolExtent;

    const NOW: Stamp = Stamp { mono: SampleTime::from_millis(3), wall_ns: 4 };

    fn heart(vitals: Vitals) -> Heart {
        let paths = vec![Arc::new(PathState::new("a", Arc::default()))];
        Heart { pump: "p".into(), boot_id: 9, vitals, wall_clock: Arc::default(), paths }
    }

    #[test]
    fn a_heartbeat_tells_what_is_known_and_nothing_else() {
        let heart = heart(Vitals::default());
        let counters = Counters::default();
        let echo = ProbeEcho { number: 8, ..ProbeEcho::default() };
        let open = |bytes: Bytes| sealed::open::<AgentHeartbeat>(&bytes).unwrap();
        let first = open(heart.beat(0, NOW, vec![echo.clone()], &counters));
        assert_eq!((first.pump.as_str(), first.boot_id, first.sequence), ("p", 9, 0));
        assert_eq!((first.mono_ns, first.wall_ns, first.echoes), (3_000_000, 4, vec![echo]));
        assert_eq!((first.wall_clock, first.sampling, first.spool), (None, None, None));
        assert_eq!((first.paths[0].up, first.paths[0].echo_us), (false, None));

        let path = &heart.paths[0];
        path.note_connection();
        path.note_up();
        path.note_echo(Duration::ZERO);
        path.note_given_up();
        heart.wall_clock.look();
        let second = open(heart.beat(1, NOW, Vec::new(), &counters));
        let told = &second.paths[0];
        assert_eq!((told.up, told.connections, told.frames_dropped), (true, 1, 1));
        assert_eq!(told.echo_us, Some(0), "an echo in no time is not no echo");
        assert!(second.wall_clock.is_some());
        path.note_down();
        assert!(!open(heart.beat(2, NOW, Vec::new(), &counters)).paths[0].up);
    }

    #[test]
    fn a_heartbeat_that_would_be_too_long_leaves_without_its_lists() {
        let vitals = Vitals {
            sources: Box::new(|| {
                vec![Source { device: "x".repeat(20_000), ..Source::default() }; 2]
            }),
            spool: Box::new(|| {
                let extents = vec![SpoolExtent { boot_id: 1, ..SpoolExtent::default() }; 64];
                Some(Spool { frames_lost: 5, extents, ..Spool::default() })
            }),
            ..Vitals::default()
        };
        let counters = Counters::default();
        let bytes = heart(vitals).beat(0, NOW, Vec::new(), &counters);
        let heartbeat = sealed::open::<AgentHeartbeat>(&bytes).unwrap();
        let spool = heartbeat.spool.unwrap();
        assert_eq!((spool.frames_lost, spool.extents.len()), (5, 1));
        assert_eq!(counters.summary().heartbeats_shortened, 1);
    }
}
