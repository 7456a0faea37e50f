//! Waveforms on their way to displays: each frame shared by all who watch its pump, the oldest lost by who reads too slowly.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use ecmo_core::frame::BootId;
use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_core::time::Instant;
use tokio::sync::broadcast;

use super::PumpSlot;

/// Frames of waveforms that a display may be behind: two seconds at 50 frames a second. Beyond, the oldest are lost.
pub const WAVEFORMS_QUEUED_MAX: usize = 128;

/// Which stream carries a frame: its bytes differ by the numbers of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The stream of one pump's waveforms.
    Pump,
    /// The stream of a ward.
    Ward,
}

/// A frame as bytes: what is said of all of it, then block by block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    /// Everything, one after the other.
    pub bytes: Bytes,
    /// Where the head lies in it.
    pub head: Range<usize>,
    /// Where each block lies in it.
    pub blocks: Vec<(Parameter, Range<usize>)>,
}

/// Samples of one frame, with times by the gateway's clock.
#[derive(Debug)]
pub struct WaveformFrame {
    /// The agent's run.
    pub boot: BootId,
    /// Number of the frame within the run.
    pub sequence: u64,
    /// Its blocks.
    pub blocks: Vec<WaveformBlock>,
    in_pump: OnceLock<Laid>,
    in_ward: OnceLock<Laid>,
}

impl WaveformFrame {
    /// A frame that nobody has encoded yet.
    #[must_use]
    pub const fn new(boot: BootId, sequence: u64, blocks: Vec<WaveformBlock>) -> Self {
        Self { boot, sequence, blocks, in_pump: OnceLock::new(), in_ward: OnceLock::new() }
    }

    /// Its bytes on this lane; whoever comes first makes them. Serving side only.
    pub fn laid(&self, lane: Lane, lay: impl FnOnce(&Self) -> Laid) -> &Laid {
        match lane {
            Lane::Pump => self.in_pump.get_or_init(|| lay(self)),
            Lane::Ward => self.in_ward.get_or_init(|| lay(self)),
        }
    }
}

/// Consecutive samples of one parameter.
#[derive(Debug, Clone)]
pub struct WaveformBlock {
    /// What was measured.
    pub parameter: Parameter,
    /// Number of the first sample within boot and channel.
    pub first_index: u64,
    /// When the first sample was taken.
    pub start: Instant,
    /// Time between two samples.
    pub interval: Duration,
    /// The samples.
    pub readings: Vec<Reading>,
}

/// A display's watch of one pump's waveforms.
#[derive(Debug)]
pub struct WaveformWatch {
    slot: Arc<PumpSlot>,
    frames: broadcast::Receiver<Arc<WaveformFrame>>,
}

/// A frame, and how many were lost before it because the display read too slowly.
pub type Taken = (Arc<WaveformFrame>, u64);

impl WaveformWatch {
    /// Begins with the next frame.
    pub(super) fn new(
        slot: Arc<PumpSlot>,
        frames: broadcast::Receiver<Arc<WaveformFrame>>,
    ) -> Self {
        slot.count_watcher(true);
        Self { slot, frames }
    }

    /// The pump.
    #[must_use]
    pub fn slot(&self) -> &Arc<PumpSlot> {
        &self.slot
    }

    /// Waits for the next frame. `None` when the pump is gone.
    pub async fn next(&mut self) -> Option<Taken> {
        let mut lost = 0;
        loop {
            match self.frames.recv().await {
                Ok(frame) => return Some((frame, lost)),
                Err(broadcast::error::RecvError::Lagged(frames)) => lost += frames,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// The next frame, if it is there already.
    pub fn try_next(&mut self) -> Option<Taken> {
        let mut lost = 0;
        loop {
            match self.frames.try_recv() {
                Ok(frame) => return Some((frame, lost)),
                Err(broadcast::error::TryRecvError::Lagged(frames)) => lost += frames,
                Err(
                    broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed,
                ) => return None,
            }
        }
    }
}

impl Drop for WaveformWatch {
    fn drop(&mut self) {
        self.slot.count_watcher(false);
    }
}
