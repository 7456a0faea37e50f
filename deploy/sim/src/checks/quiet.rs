//! I9: an agent is quiet only while a gateway has just judged its data and somebody is shown what is found in it.

use ecmo_agent::lease::LEASE;
use ecmo_core::frame::BootId;
use ecmo_core::time::SampleTime;

use super::{Invariant, Verdict, Violation};
use crate::many::Many;
use crate::time::{MS, Nanos};

/// Whether a gateway's alarms are confirmed is looked at in its rounds.
const ROUND: Nanos = 500 * MS;

/// What gateways have done for one agent.
#[derive(Debug)]
pub struct Heard {
    /// The newest data that each has judged, and of which run, by the agent's clock. One that was frozen comes to the run before
    /// while another judges the present one: what it judges takes nothing from that.
    judged: Many<Option<(BootId, SampleTime)>>,
    /// When each last ran and had no high alarm of the pump that had waited for a display for too long.
    attended_at: Many<Option<Nanos>>,
}

impl Heard {
    /// Nothing yet.
    #[must_use]
    pub fn new(gateways: usize) -> Self {
        let (judged, attended_at) = (Many::new(gateways, |_| None), Many::new(gateways, |_| None));
        Self { judged, attended_at }
    }

    /// A gateway judged a frame.
    pub fn on_judged(&mut self, gateway: usize, boot: BootId, published: SampleTime) {
        let before = self.judged[gateway].filter(|(of, _)| *of == boot).map(|(_, at)| at);
        let newest = before.map_or(published, |before| before.max(published));
        self.judged[gateway] = Some((boot, newest));
    }

    /// A gateway runs, and no alarm of the pump waits there for too long.
    pub fn on_attended(&mut self, gateway: usize, now: Nanos) {
        self.attended_at[gateway] = Some(now);
    }

    /// I9, of an agent that is quiet.
    ///
    /// # Errors
    /// No gateway has judged data that is young enough, or each has an alarm that nobody was shown.
    pub fn check(&self, pump: usize, boot: BootId, clock: SampleTime, now: Nanos) -> Verdict {
        let judged = self.judged.iter().flatten().filter(|(of, _)| *of == boot);
        let judged = judged.map(|(_, at)| *at).max();
        let wrong = |what: &str| {
            Err(Violation::new(Invariant::Quiet, now, format!("agent {pump} is quiet, and {what}")))
        };
        if judged.is_none_or(|at| clock >= at.plus(LEASE)) {
            return wrong("no gateway has judged its data in time");
        }
        let lease = u64::try_from(LEASE.as_nanos()).unwrap_or(0);
        let recent = |at: &Nanos| now.saturating_sub(*at) <= lease + 2 * ROUND;
        if !self.attended_at.iter().flatten().any(recent) {
            return wrong("no gateway has shown its alarms to anybody");
        }
        Ok(())
    }
}
