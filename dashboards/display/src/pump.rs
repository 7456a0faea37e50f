//! One pump as it may be shown: the freshest word of any gateway, with its age.

use std::sync::Arc;
use std::time::Duration;

use ecmo_proto::v1;

use crate::lane::LinkId;
use crate::link::Link;
use crate::time::{GatewayTime, LocalTime};

/// A value that is older than this is not live any more: it is shown with its age. (prop)
pub const VALUE_LIVE_MAX: Duration = Duration::from_millis(1_500);

/// A value that is older than this is not shown. (prop)
pub const VALUE_SHOWN_MAX: Duration = Duration::from_secs(3);

/// How fresh something is; the greater the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// It holds now.
    Live,
    /// It is older than [`VALUE_LIVE_MAX`], or may be by what its gateway knows: to be shown with its age.
    Late,
    /// It is older than [`VALUE_SHOWN_MAX`], or nobody knows: never to be shown as a value of now.
    Stale,
}

impl Freshness {
    /// How fresh something of this age is.
    #[must_use]
    pub fn of(age: Option<Duration>) -> Self {
        match age {
            Some(age) if age <= VALUE_LIVE_MAX => Self::Live,
            Some(age) if age <= VALUE_SHOWN_MAX => Self::Late,
            Some(_) | None => Self::Stale,
        }
    }
}

/// One pump as it may be shown.
#[derive(Debug, Clone)]
pub struct PumpView {
    /// The gateway whose word it is.
    pub link: LinkId,
    /// What that gateway says; its times are of that gateway's clock.
    pub pump: Arc<v1::Pump>,
    /// That gateway's time now, by which ages are counted.
    pub now: GatewayTime,
    /// Whether the link's word holds now; else everything is the last known.
    pub known: bool,
    /// Age of the newest frame; absent when there was none.
    pub age: Option<Duration>,
    /// How fresh it is as a whole. A single reading may be older: see [`PumpView::reading`].
    pub freshness: Freshness,
}

impl PumpView {
    /// How fresh one of its readings is. A reading without a value that holds is stale.
    #[must_use]
    pub fn reading(&self, reading: &v1::Reading) -> Freshness {
        let holds =
            self.known && self.pump.link() == v1::LinkState::Live && reading.value.is_some();
        let age = reading.sampled_mono_ns.map(|sampled| GatewayTime(sampled).age_at(self.now));
        if holds { self.freshness.max(Freshness::of(age)) } else { Freshness::Stale }
    }
}

/// A pump by what one link says.
pub(crate) fn view(id: LinkId, link: &Link, pump: &Arc<v1::Pump>, local: LocalTime) -> PumpView {
    let known = link.pumps_known(local);
    let now = link.pumps.clock.now(local).unwrap_or_default();
    let age = pump.last_frame_mono_ns.map(|frame| GatewayTime(frame).age_at(now));
    let arrives = known && pump.link() == v1::LinkState::Live;
    let freshness = if arrives { Freshness::of(age) } else { Freshness::Stale };
    let freshness = if pump.age_unproven { freshness.max(Freshness::Late) } else { freshness };
    PumpView { link: id, pump: Arc::clone(pump), now, known, age, freshness }
}

/// Whether one view is to be shown rather than another: known before unknown, then the fresher one.
pub(crate) fn is_better(one: &PumpView, other: &PumpView) -> bool {
    let order = |view: &PumpView| (!view.known, view.freshness, view.age.unwrap_or(Duration::MAX));
    order(one) < order(other)
}
