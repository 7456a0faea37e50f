//! What an agent says of itself, from the wire.

use ecmo_proto::v1 as wire;

use super::text;
use crate::age::GatewayTime;
use crate::model::{
    Agent, AgentPath, ClockEstimate, Instrument, LocalAlarm, PathSeen, Sampling, Spool,
    VerdictDifference,
};

/// Upper bounds of the buckets of lateness, in microseconds; the last bucket has none.
const LATENESS_US: [u64; 11] = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000];

pub(super) fn clock(raw: wire::ClockEstimate) -> ClockEstimate {
    ClockEstimate {
        uncertainty_ns: raw.uncertainty_ns,
        drift_ppm: raw.drift_ppm.filter(|drift| drift.is_finite()),
        round_trip_ns: raw.round_trip_ns,
        wall_difference_ns: raw.wall_difference_ns,
    }
}

pub(super) fn path(raw: &wire::PathView) -> PathSeen {
    PathSeen {
        name: text(&raw.name),
        connected: raw.connected,
        last_frame: raw.last_frame_mono_ns.map(GatewayTime),
    }
}

pub(super) fn agent(raw: &wire::AgentHeartbeat, heard: Option<u64>) -> Agent {
    let clock = raw.wall_clock;
    Agent {
        heard: heard.map(GatewayTime),
        synchronized: clock.and_then(|clock| match clock.quality() {
            wire::ClockQuality::Synchronized => Some(true),
            wire::ClockQuality::FreeRunning => Some(false),
            wire::ClockQuality::Unspecified => None,
        }),
        wall_steps: clock.map_or(0, |clock| clock.steps),
        paths: raw
            .paths
            .iter()
            .map(|path| AgentPath {
                name: text(&path.name),
                up: path.up,
                connections: path.connections,
                frames_dropped: path.frames_dropped,
                echo_us: path.echo_us,
            })
            .collect(),
        sampling: raw.sampling.as_ref().map(sampling),
        spool: raw.spool.as_ref().map(spool),
        local_alarm: raw.local_alarm.as_ref().map(|alarm| LocalAlarm {
            leased: alarm.leased,
            sounding: alarm.sounding,
            failed: alarm.failed,
            behind: alarm.behind,
            leases_lost: alarm.leases_lost,
            present: alarm.present.iter().map(|one| text(&one.condition)).collect(),
        }),
        sources: raw
            .sources
            .iter()
            .map(|source| Instrument {
                device: text(&source.device),
                state: match source.state() {
                    wire::SourceState::Live => "live",
                    wire::SourceState::Silent => "silent",
                    wire::SourceState::Off | wire::SourceState::Unspecified => "off",
                },
                refused: source.refused,
                connections: source.connections,
            })
            .collect(),
    }
}

pub(super) fn verdict_difference(raw: &wire::VerdictDifference) -> VerdictDifference {
    VerdictDifference {
        kind: match raw.kind() {
            wire::VerdictDifferenceKind::Profile | wire::VerdictDifferenceKind::Unspecified => {
                "profile"
            }
            wire::VerdictDifferenceKind::Treatment => "treatment",
            wire::VerdictDifferenceKind::AgentAlone => "agent-alone",
            wire::VerdictDifferenceKind::GatewayAlone => "gateway-alone",
        },
        condition: text(&raw.condition),
        afterwards: raw.afterwards,
    }
}

fn sampling(raw: &wire::Sampling) -> Sampling {
    let all: u64 = raw.lateness.iter().fold(0, |sum, ticks| sum.saturating_add(*ticks));
    let mut within = 0_u64;
    let bound = raw.lateness.iter().zip(LATENESS_US).find_map(|(ticks, bound)| {
        within = within.saturating_add(*ticks);
        let reached = u128::from(within) * 1_000 >= u128::from(all) * 999;
        (all > 0 && reached).then_some(bound)
    });
    Sampling {
        ticks: raw.ticks,
        ticks_missed: raw.ticks_missed,
        overruns: raw.overruns,
        samples: raw.samples,
        lateness_p999_us: bound,
        lateness_max_us: raw.lateness_max_us,
        realtime: raw.realtime,
        memory_locked: raw.memory_locked,
        limitation: text(&raw.limitation),
    }
}

fn spool(raw: &wire::Spool) -> Spool {
    Spool {
        state: match raw.state() {
            wire::SpoolState::Recording => "recording",
            wire::SpoolState::Full => "full",
            wire::SpoolState::Behind => "behind",
            wire::SpoolState::Failed | wire::SpoolState::Unspecified => "failed",
        },
        bytes: raw.bytes,
        frames: raw.extents.iter().fold(0, |sum: u64, extent| {
            sum.saturating_add(extent.end_sequence.saturating_sub(extent.first_sequence))
        }),
        frames_lost: raw.frames_lost,
        records_damaged: raw.records_damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lateness_of_999_ticks_in_a_thousand_is_told_by_its_bucket() {
        let of = |lateness: &[u64]| {
            let raw = wire::Sampling { lateness: lateness.to_vec(), ..Default::default() };
            sampling(&raw).lateness_p999_us
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[999, 0, 0, 1]), Some(10));
        assert_eq!(of(&[998, 0, 0, 2]), Some(100));
        assert_eq!(of(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]), None, "beyond every bound");
    }
}
