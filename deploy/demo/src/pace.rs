//! How this display does, as measured: pictures a second, and from a message to its lines. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use ecmo_display::LocalTime;
use ecmo_proto::v1;

/// Over so much of the past.
const WINDOW: Duration = Duration::from_secs(4);

/// Pictures of the window, at most: in a storm of alarms the pace is as good as this.
const PICTURES_MAX: usize = 1_024;

/// When pictures were printed, and how long after their message.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    pictures: VecDeque<(LocalTime, Duration)>,
}

impl Pace {
    /// The message that arrived then is on the terminal now.
    pub(crate) fn painted(&mut self, arrived: LocalTime, now: LocalTime) {
        if self.pictures.len() >= PICTURES_MAX {
            self.pictures.pop_front();
        }
        self.pictures.push_back((now, now.since(arrived)));
    }

    /// What this display tells of itself: lines on a terminal, with no sound.
    pub(crate) fn health(&mut self, painted: (u64, u64), now: LocalTime) -> v1::DisplayHealth {
        self.pictures.retain(|(at, _took)| now.since(*at) <= WINDOW);
        let count = u16::try_from(self.pictures.len()).unwrap_or(u16::MAX);
        let longest = self.pictures.iter().map(|(_at, took)| *took).max().unwrap_or_default();
        v1::DisplayHealth {
            painted_epoch: painted.0,
            painted_mono_ns: painted.1,
            frames_per_second: f32::from(count) / WINDOW.as_secs_f32(),
            lag_ms: u32::try_from(longest.as_millis()).unwrap_or(u32::MAX),
            audio: v1::AudioOutput::None.into(),
            visible: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_what_was_measured_and_that_nothing_is_heard() {
        let at = |ms: u64| LocalTime(ms * 1_000_000);
        let mut pace = Pace::default();
        pace.painted(at(0), at(500));
        for ms in [4_000, 5_000, 6_000] {
            pace.painted(at(ms), at(ms + 3));
        }
        let health = pace.health((7, 9), at(6_004));
        assert_eq!((health.frames_per_second, health.lag_ms), (0.75, 3));
        assert_eq!((health.painted_epoch, health.painted_mono_ns), (7, 9));
        assert_eq!(health.audio(), v1::AudioOutput::None);
        assert!(pace.health((7, 9), at(60_000)).frames_per_second < 0.1);
    }
}
