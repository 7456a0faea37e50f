//! What a gateway's decisions say: frames that were judged, alarms that changed.

use std::sync::Arc;

use ecmo_core::alarm::occurrence::{Occurrence, Transition};
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::attendance::WardOutput;
use ecmo_core::frame::{BootId, Frame};
use ecmo_core::time::{ClockMap, SampleTime};

use crate::words::About;

/// A frame was judged, in its place.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// Which pump.
    pub pump: usize,
    /// Of which run.
    pub boot: BootId,
    /// Its number.
    pub sequence: u64,
    /// When it was published, by its agent's clock.
    pub published: SampleTime,
}

/// An alarm changed.
#[derive(Debug, Clone)]
pub struct Told {
    /// What it is about.
    pub about: About,
    /// As it is now.
    pub occurrence: Occurrence,
    /// What changed.
    pub transition: Transition,
    /// The frame that decided it, if one did.
    pub frame: Option<(BootId, u64)>,
}

impl Told {
    /// The pump that it is about, if it is about one.
    #[must_use]
    pub const fn pump(&self) -> Option<usize> {
        self.about.pump()
    }
}

/// What the decisions said since anybody looked.
#[derive(Debug, Default)]
pub struct Heard {
    /// Frames that were judged.
    pub judged: Vec<Judged>,
    /// Alarms that changed.
    pub told: Vec<Told>,
}

impl Heard {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.judged.is_empty() && self.told.is_empty()
    }
}

/// Hears what decisions say about something.
pub(super) struct Ear<'a> {
    about: About,
    heard: &'a mut Heard,
    /// Changes from here on are those of the frame that is being judged.
    from: usize,
}

impl<'a> Ear<'a> {
    pub(super) const fn new(about: About, heard: &'a mut Heard) -> Self {
        let from = heard.told.len();
        Self { about, heard, from }
    }

    fn tell(&mut self, about: About, change: &AlarmChange<'_>) {
        let unknown = || change.occurrence.id.boot.map(|boot| (boot, 0));
        self.heard.told.push(Told {
            about,
            occurrence: change.occurrence.clone(),
            transition: change.transition,
            frame: change.cause.and_then(|_cause| unknown()),
        });
    }
}

impl Output for Ear<'_> {
    fn evaluated(&mut self, frame: &Frame, _clock: &ClockMap) {
        let Some(pump) = self.about.pump() else { return };
        let (boot, sequence) = (frame.boot, frame.sequence);
        let published = frame.stamp.published;
        self.heard.judged.push(Judged { pump, boot, sequence, published });
        for told in self.heard.told.iter_mut().skip(self.from) {
            if let Some(frame) = &mut told.frame {
                *frame = (boot, sequence);
            }
        }
        self.from = self.heard.told.len();
    }

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.tell(self.about, &change);
    }
}

impl WardOutput for Ear<'_> {
    fn ward_alarm(&mut self, _ward: &Arc<str>, change: AlarmChange<'_>) {
        self.tell(About::Ward, &change);
    }
}
