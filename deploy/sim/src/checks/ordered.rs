//! I4: the frames of one run are judged in strictly increasing order, each once, and every gap is told.

use ecmo_core::frame::BootId;

use super::{Invariant, Verdict, Violation};
use crate::gateway::Judged;
use crate::time::Nanos;

/// How far one gateway has come with one pump.
#[derive(Debug, Clone, Copy, Default)]
pub struct Order {
    newest: Option<(BootId, u64)>,
    /// Frames between those that were judged.
    pub gaps: u64,
    /// Frames that were judged.
    pub judged: u64,
    /// First frame of the stretch without a gap that lasts until now.
    pub whole_from: u64,
}

impl Order {
    /// The newest frame that was judged.
    #[must_use]
    pub const fn newest(&self) -> Option<(BootId, u64)> {
        self.newest
    }

    /// I4, of a frame that was judged. The bound is none: not one frame is out of order.
    ///
    /// # Errors
    /// It was judged before, or a later one was.
    pub fn check_next(&mut self, gateway: usize, judged: &Judged, now: Nanos) -> Verdict {
        self.judged += 1;
        let before = self.newest.replace((judged.boot, judged.sequence));
        let Some((_, newest)) = before.filter(|(boot, _)| *boot == judged.boot) else {
            self.whole_from = judged.sequence;
            return Ok(());
        };
        if judged.sequence <= newest {
            let what = format!(
                "gateway {gateway} judges frame {} of pump {} after frame {newest}",
                judged.sequence, judged.pump
            );
            return Err(Violation::new(Invariant::Ordered, now, what));
        }
        let gap = judged.sequence - newest - 1;
        if gap > 0 {
            self.gaps += gap;
            self.whole_from = judged.sequence;
        }
        Ok(())
    }

    /// I4, of what is told of gaps.
    ///
    /// # Errors
    /// Fewer or more frames are told as missing than there are gaps.
    pub fn check_gaps(&self, gateway: usize, pump: usize, told: u64, now: Nanos) -> Verdict {
        if told == self.gaps {
            return Ok(());
        }
        let what = format!(
            "gateway {gateway} tells {told} frames of pump {pump} as missing; there are {} in its gaps",
            self.gaps
        );
        Err(Violation::new(Invariant::Ordered, now, what))
    }
}
