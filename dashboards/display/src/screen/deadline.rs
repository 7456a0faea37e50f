//! When the screen changes next although nothing comes.

use std::time::Duration;

use crate::lane::{LATE_AFTER, LOST_AFTER};
use crate::link::Link;
use crate::pump::{VALUE_LIVE_MAX, VALUE_SHOWN_MAX};
use crate::screen::Screen;
use crate::time::{GatewayTime, LocalTime};

/// The clocks of a display and a gateway may drift apart by so much of the time that is waited for, and a little more.
const SLACK: Duration = Duration::from_micros(10);

impl Screen {
    /// When a link becomes late or lost, or a value late or stale, if nothing comes until then; `None` when nothing can.
    #[must_use]
    pub fn next_deadline(&self) -> Option<LocalTime> {
        let left = self.links.iter().filter_map(|link| left(link, self.now)).min()?;
        let drift = left / 1_000;
        Some(self.now.after(left.saturating_add(drift).saturating_add(SLACK)))
    }
}

/// How long until something of a link changes.
fn left(link: &Link, local: LocalTime) -> Option<Duration> {
    let until = |age: Duration, bounds: [Duration; 2]| {
        bounds.into_iter().filter(|bound| *bound >= age).map(|bound| bound - age).min()
    };
    let lanes = [&link.alarms, &link.pumps];
    let lanes = lanes.into_iter().filter_map(|lane| lane.silence(local));
    let lanes = lanes.filter_map(|silence| until(silence, [LATE_AFTER, LOST_AFTER]));
    let now = link.pumps.clock.now(local);
    let known = link.pumps_known(local);
    let pumps = link.by_pump.values().filter(|_| known);
    let frames = pumps.flat_map(|pump| {
        let readings = pump.readings.iter().filter_map(|reading| reading.sampled_mono_ns);
        pump.last_frame_mono_ns.into_iter().chain(readings)
    });
    let ages = frames.filter_map(|at| Some(GatewayTime(at).age_at(now?)));
    let values = ages.filter_map(|age| until(age, [VALUE_LIVE_MAX, VALUE_SHOWN_MAX]));
    lanes.chain(values).chain(link.restores(local)).min()
}
