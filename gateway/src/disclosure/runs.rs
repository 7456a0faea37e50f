//! What must be known of a pump's runs to place its samples in wall time: their births, and how their clocks lie.

use std::collections::{BTreeMap, HashMap};

use ecmo_core::time::{ClockMap, Instant, SampleTime};
use ecmo_proto::topic::PumpAddress;

use crate::decode::{self, Birth};

/// Runs of a pump that are remembered: what its spool may still hold.
const RUNS_MAX: usize = 16;

/// One run of one agent.
#[derive(Debug)]
struct Run {
    birth: Birth,
    /// Wall time less the agent's clock, by the agent itself, in nanoseconds.
    by_agent_ns: Option<i64>,
    /// How its clock lies against the gateway's, once a live frame has come.
    map: Option<ClockMap>,
}

/// The runs of all pumps.
#[derive(Debug, Default)]
pub(super) struct Runs(HashMap<PumpAddress, BTreeMap<u64, Run>>);

/// Now, by both clocks of the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) mono: Instant,
    pub(super) wall_ns: i64,
}

impl Runs {
    /// Takes note of a birth.
    pub(super) fn on_birth(&mut self, pump: &PumpAddress, message: &[u8]) {
        let Ok(birth) = decode::birth(message, pump.pump.as_str()) else { return };
        let by_agent = decode::birth_wall_minus_mono_ns(message);
        let by_agent_ns = by_agent.and_then(|offset| i64::try_from(offset).ok());
        let runs = self.0.entry(pump.clone()).or_default();
        let boot = birth.boot.get();
        let map = runs.remove(&boot).and_then(|run| run.map);
        runs.insert(boot, Run { birth, by_agent_ns, map });
        while runs.len() > RUNS_MAX {
            // Numbers of runs are random: any but this one goes, those that were never live first.
            let others = || runs.iter().filter(|(one, _run)| **one != boot);
            let never_live = others().find(|(_one, run)| run.map.is_none());
            let Some(gone) = never_live.or_else(|| others().next()).map(|(one, _run)| *one) else {
                break;
            };
            runs.remove(&gone);
        }
    }

    /// What the samples of a run mean; `None`: its birth has not come.
    pub(super) fn birth(&self, pump: &PumpAddress, boot: u64) -> Option<&Birth> {
        self.0.get(pump)?.get(&boot).map(|run| &run.birth)
    }

    /// The gateway's wall time less the agent's clock for a live frame that was published and received then, in nanoseconds.
    pub(super) fn live_offset_ns(
        &mut self,
        pump: &PumpAddress,
        boot: u64,
        (published, received): (SampleTime, Instant),
        now: Now,
    ) -> Option<i64> {
        let run = self.0.get_mut(pump)?.get_mut(&boot)?;
        let map = run.map.get_or_insert_default();
        map.observe(published, received);
        offset_ns(map, published, received, now)
    }

    /// The same for a frame from the spool: by what is known of the run's clock, else by the agent's own wall clock.
    pub(super) fn late_offset_ns(&self, pump: &PumpAddress, boot: u64, now: Now) -> Option<i64> {
        let run = self.0.get(pump)?.get(&boot)?;
        let Some(map) = &run.map else { return run.by_agent_ns };
        let at = map.to_agent(now.mono)?;
        offset_ns(map, at, now.mono, now)
    }
}

/// The gateway's wall time less the agent's clock, as the map has it.
fn offset_ns(map: &ClockMap, agent: SampleTime, at: Instant, now: Now) -> Option<i64> {
    let reader = map.to_reader(agent, at);
    let age = i64::try_from(now.mono.since(reader).as_nanos()).ok()?;
    let agent_ns = i64::try_from(agent.as_nanos()).ok()?;
    now.wall_ns.checked_sub(age)?.checked_sub(agent_ns)
}
