//! What a pump's agent says of itself, and how the gateway hears it.

use crate::age::GatewayTime;

/// The agent's clock against the gateway's, by probes; times in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ClockEstimate {
    pub(crate) uncertainty_ns: u64,
    pub(crate) drift_ppm: Option<f64>,
    pub(crate) round_trip_ns: u64,
    pub(crate) wall_difference_ns: Option<i64>,
}

/// One way of the frames to the gateway.
#[derive(Debug, Clone)]
pub(crate) struct PathSeen {
    pub(crate) name: String,
    /// Whether the gateway is connected to its broker.
    pub(crate) connected: bool,
    pub(crate) last_frame: Option<GatewayTime>,
}

/// One connection of the agent.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct AgentPath {
    pub(crate) name: String,
    pub(crate) up: bool,
    pub(crate) connections: u64,
    pub(crate) frames_dropped: u64,
    pub(crate) echo_us: Option<u64>,
}

/// How the agent samples; counts since it started.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Sampling {
    pub(crate) ticks: u64,
    pub(crate) ticks_missed: u64,
    pub(crate) overruns: u64,
    pub(crate) samples: u64,
    /// Bound below which 99.9 % of ticks were late, in microseconds; `None` beyond the greatest bound or without a tick.
    pub(crate) lateness_p999_us: Option<u64>,
    pub(crate) lateness_max_us: u64,
    pub(crate) realtime: bool,
    pub(crate) memory_locked: bool,
    pub(crate) limitation: String,
}

/// What the agent keeps on disk.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Spool {
    /// recording, full, failed or behind.
    pub(crate) state: &'static str,
    pub(crate) bytes: u64,
    pub(crate) frames: u64,
    pub(crate) frames_lost: u64,
    pub(crate) records_damaged: u64,
}

/// What the agent judges by itself.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct LocalAlarm {
    /// Whether a gateway holds the lease: the agent is quiet.
    pub(crate) leased: bool,
    pub(crate) sounding: bool,
    /// Whether an output or the disk failed the last time: it may not be heard.
    pub(crate) failed: bool,
    /// Whether frames come faster than they are judged.
    pub(crate) behind: bool,
    pub(crate) leases_lost: u64,
    pub(crate) present: Vec<String>,
}

/// One instrument.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Instrument {
    pub(crate) device: String,
    /// live, silent or off.
    pub(crate) state: &'static str,
    pub(crate) refused: u64,
    pub(crate) connections: u64,
}

/// What the agent last said of itself.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) heard: Option<GatewayTime>,
    /// Whether its wall clock follows a time service; `None` when it cannot ask.
    pub(crate) synchronized: Option<bool>,
    pub(crate) wall_steps: u64,
    pub(crate) paths: Vec<AgentPath>,
    pub(crate) sampling: Option<Sampling>,
    pub(crate) spool: Option<Spool>,
    pub(crate) local_alarm: Option<LocalAlarm>,
    pub(crate) sources: Vec<Instrument>,
}

/// How the verdict of the agent's own rules differs from the gateway's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct VerdictDifference {
    /// profile, treatment, agent-alone or gateway-alone.
    pub(crate) kind: &'static str,
    /// The condition that one side alone finds; empty where the rules differ.
    pub(crate) condition: String,
    /// Whether it was found afterwards, in frames that had not arrived in time.
    pub(crate) afterwards: bool,
}
