//! `ecmoctl agent` for programs.

use serde::Serialize;

use crate::age::{GatewayTime, age_ms};
use crate::model::{AgentPath, Instrument, LocalAlarm, Pump, Sampling, Spool, VerdictDifference};

/// The agent of a pump at some time.
#[derive(Debug, Serialize)]
pub(crate) struct AgentJson<'a> {
    ward: &'a str,
    pump: &'a str,
    device: &'a str,
    agent_version: &'a str,
    /// How the gateway hears it.
    gateway_paths: Vec<PathJson<'a>>,
    clock: Option<ClockJson>,
    /// Age of its last heartbeat; null before the first, and then nothing below is known.
    heartbeat_age_ms: Option<u64>,
    wall_clock_synchronized: Option<bool>,
    wall_clock_steps: Option<u64>,
    agent_paths: Option<&'a [AgentPath]>,
    sampling: Option<&'a Sampling>,
    spool: Option<&'a Spool>,
    local_alarm: Option<&'a LocalAlarm>,
    sources: Option<&'a [Instrument]>,
    /// How its verdict differs from the gateway's; null while it does not.
    verdict_difference: Option<&'a VerdictDifference>,
}

#[derive(Debug, Serialize)]
struct PathJson<'a> {
    name: &'a str,
    connected: bool,
    last_frame_age_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ClockJson {
    uncertainty_ns: u64,
    round_trip_ns: u64,
    drift_ppm: Option<f64>,
    wall_difference_ns: Option<i64>,
}

impl<'a> AgentJson<'a> {
    /// The agent of a pump at `now`.
    pub(crate) fn new(pump: &'a Pump, now: GatewayTime) -> Self {
        let agent = pump.agent.as_ref();
        let age = |at: GatewayTime| age_ms(at.age_at(now));
        Self {
            ward: &pump.name.ward,
            pump: &pump.name.pump,
            device: &pump.device,
            agent_version: &pump.agent_version,
            gateway_paths: pump
                .paths
                .iter()
                .map(|path| PathJson {
                    name: &path.name,
                    connected: path.connected,
                    last_frame_age_ms: path.last_frame.map(age),
                })
                .collect(),
            clock: pump.clock.map(|clock| ClockJson {
                uncertainty_ns: clock.uncertainty_ns,
                round_trip_ns: clock.round_trip_ns,
                drift_ppm: clock.drift_ppm,
                wall_difference_ns: clock.wall_difference_ns,
            }),
            heartbeat_age_ms: agent.and_then(|agent| agent.heard).map(age),
            wall_clock_synchronized: agent.and_then(|agent| agent.synchronized),
            wall_clock_steps: agent.map(|agent| agent.wall_steps),
            agent_paths: agent.map(|agent| agent.paths.as_slice()),
            sampling: agent.and_then(|agent| agent.sampling.as_ref()),
            spool: agent.and_then(|agent| agent.spool.as_ref()),
            local_alarm: agent.and_then(|agent| agent.local_alarm.as_ref()),
            sources: agent.map(|agent| agent.sources.as_slice()),
            verdict_difference: pump.verdict_difference.as_ref(),
        }
    }
}
