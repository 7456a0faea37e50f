//! Bytes into a checked heartbeat. The message is kept whole for displays; what decisions need stands beside it.

use ecmo_core::alarm::condition::Condition;
use ecmo_core::frame::BootId;
use ecmo_core::pump::SpoolWord;
use ecmo_core::reconcile::RuleSet;
use ecmo_core::time::{Instant, SampleTime};
use ecmo_proto::sealed;
use ecmo_proto::v1;

use super::shorten;

/// Most entries of the lists in a heartbeat; one with more is refused, because displays would have to carry it.
const PATHS_MAX: usize = 4;
const EXTENTS_MAX: usize = 64;
const SOURCES_MAX: usize = 64;
const ECHOES_MAX: usize = 16;
const BUCKETS_MAX: usize = 16;
const CONDITIONS_MAX: usize = 256;

/// Why a heartbeat is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeartbeatRejected {
    /// Too long, damaged, or no heartbeat.
    Seal,
    /// Kept by the broker: it says how things were.
    Retained,
    /// The pump in it is not the topic's.
    Identity,
    /// Without a boot.
    Boot,
    /// A list is longer than any agent needs.
    Schema,
}

impl HeartbeatRejected {
    /// For the log.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Retained => "retained",
            Self::Identity => "identity",
            Self::Boot => "boot",
            Self::Schema => "schema",
        }
    }
}

/// The agent's answer to a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// Who probed.
    pub gateway: String,
    /// Number of the probe.
    pub number: u64,
    /// The time of sending, as it came with the probe.
    pub sent: Instant,
    /// When the agent read it.
    pub read: SampleTime,
}

/// What an agent has counted since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AgentCounts {
    /// Samples that were delivered.
    pub samples: u64,
    /// Batches of samples that were lost between two threads.
    pub overruns: u64,
    /// Ticks that were left out.
    pub ticks_missed: u64,
    /// Frames that were dropped on all paths together.
    pub frames_dropped: u64,
    /// Frames that the spool could not keep.
    pub frames_lost: u64,
    /// Jumps of its wall clock.
    pub clock_steps: u64,
}

/// What the agent's own rules find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalVerdict {
    /// Its rules.
    pub rules: RuleSet,
    /// Conditions that are present, as far as they are known here.
    pub present: Vec<Condition>,
    /// How many conditions it names that are not: the agent is newer than the gateway.
    pub unknown: u64,
}

/// A heartbeat that has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Heartbeat {
    /// The agent's run.
    pub boot: BootId,
    /// Agent monotonic time at which it was handed to the network.
    pub sent: SampleTime,
    /// Whether the agent keeps its frames.
    pub spool: SpoolWord,
    /// Frames that its spool holds, of all boots.
    pub spooled_frames: u64,
    /// Whether its wall clock follows a time service; `None` when it cannot ask.
    pub synchronized: Option<bool>,
    /// Greatest lateness of a tick since the agent started, in microseconds.
    pub lateness_max_us: u64,
    /// What it has counted.
    pub counts: AgentCounts,
    /// Answers to probes.
    pub echoes: Vec<Echo>,
    /// What its own rules find; `None` when it runs none.
    pub local: Option<LocalVerdict>,
    message: v1::AgentHeartbeat,
}

impl Heartbeat {
    /// The message as displays get it: checked, with its texts made safe, without echoes.
    #[must_use]
    pub const fn message(&self) -> &v1::AgentHeartbeat {
        &self.message
    }
}

/// Checks a heartbeat.
///
/// # Errors
/// Retained, too long, damaged, of another pump than its topic, without a boot, or with lists without end.
pub fn heartbeat(
    payload: &[u8],
    pump: &str,
    retained: bool,
) -> Result<Heartbeat, HeartbeatRejected> {
    if retained {
        return Err(HeartbeatRejected::Retained);
    }
    let mut wire: v1::AgentHeartbeat =
        sealed::open(payload).map_err(|_refused| HeartbeatRejected::Seal)?;
    if wire.pump != pump {
        return Err(HeartbeatRejected::Identity);
    }
    let boot = BootId::new(wire.boot_id).ok_or(HeartbeatRejected::Boot)?;
    if !is_bounded(&wire) {
        return Err(HeartbeatRejected::Schema);
    }
    let echo = |echo: v1::ProbeEcho| Echo {
        gateway: echo.gateway,
        number: echo.number,
        sent: Instant::from_nanos(echo.sent_mono_ns),
        read: SampleTime::from_nanos(echo.received_mono_ns),
    };
    let echoes = std::mem::take(&mut wire.echoes).into_iter().map(echo).collect();
    make_safe(&mut wire);
    let synchronized = wire.wall_clock.as_ref().map(|clock| match clock.quality() {
        v1::ClockQuality::Synchronized => Some(true),
        v1::ClockQuality::FreeRunning => Some(false),
        v1::ClockQuality::Unspecified => None,
    });
    Ok(Heartbeat {
        boot,
        sent: SampleTime::from_nanos(wire.mono_ns),
        spool: wire.spool.as_ref().map_or(SpoolWord::Absent, |spool| match spool.state() {
            v1::SpoolState::Recording => SpoolWord::Records,
            v1::SpoolState::Unspecified
            | v1::SpoolState::Full
            | v1::SpoolState::Failed
            | v1::SpoolState::Behind => SpoolWord::DoesNot,
        }),
        spooled_frames: spooled(&wire),
        synchronized: synchronized.flatten(),
        lateness_max_us: wire.sampling.as_ref().map_or(0, |sampling| sampling.lateness_max_us),
        counts: counts(&wire),
        local: wire.local_alarm.as_ref().map(local),
        echoes,
        message: wire,
    })
}

fn is_bounded(wire: &v1::AgentHeartbeat) -> bool {
    let spool = wire.spool.as_ref();
    let alarm = wire.local_alarm.as_ref();
    wire.paths.len() <= PATHS_MAX
        && wire.sources.len() <= SOURCES_MAX
        && wire.echoes.len() <= ECHOES_MAX
        && spool.is_none_or(|spool| spool.extents.len() <= EXTENTS_MAX)
        && wire.sampling.as_ref().is_none_or(|it| it.lateness.len() <= BUCKETS_MAX)
        && alarm.is_none_or(|alarm| {
            alarm.present.len() <= CONDITIONS_MAX && alarm.unleased.len() <= CONDITIONS_MAX
        })
}

/// Makes the texts of a stranger fit for a terminal.
fn make_safe(wire: &mut v1::AgentHeartbeat) {
    let paths = wire.paths.iter_mut().map(|path| &mut path.name);
    let sources = wire.sources.iter_mut().map(|source| &mut source.device);
    let limitation = wire.sampling.iter_mut().map(|sampling| &mut sampling.limitation);
    let conditions = wire.local_alarm.iter_mut().flat_map(|alarm| {
        let present = alarm.present.iter_mut().map(|one| &mut one.condition);
        present.chain(alarm.unleased.iter_mut().map(|one| &mut one.condition))
    });
    for text in paths.chain(sources).chain(limitation).chain(conditions) {
        *text = shorten(text);
    }
}

fn local(alarm: &v1::LocalAlarm) -> LocalVerdict {
    let v1::LocalAlarm { profile_hash, treatment_version, .. } = *alarm;
    let named = alarm.present.len();
    let present: Vec<Condition> =
        alarm.present.iter().filter_map(|one| Condition::from_id(&one.condition)).collect();
    let unknown = u64::try_from(named - present.len()).unwrap_or(u64::MAX);
    LocalVerdict { rules: RuleSet { profile_hash, treatment_version }, present, unknown }
}

fn spooled(wire: &v1::AgentHeartbeat) -> u64 {
    let extents = wire.spool.iter().flat_map(|spool| &spool.extents);
    extents.fold(0, |sum: u64, extent| {
        sum.saturating_add(extent.end_sequence.saturating_sub(extent.first_sequence))
    })
}

fn counts(wire: &v1::AgentHeartbeat) -> AgentCounts {
    let sampling = wire.sampling.as_ref();
    AgentCounts {
        samples: sampling.map_or(0, |it| it.samples),
        overruns: sampling.map_or(0, |it| it.overruns),
        ticks_missed: sampling.map_or(0, |it| it.ticks_missed),
        frames_dropped: wire
            .paths
            .iter()
            .fold(0, |sum: u64, path| sum.saturating_add(path.frames_dropped)),
        frames_lost: wire.spool.as_ref().map_or(0, |spool| spool.frames_lost),
        clock_steps: wire.wall_clock.as_ref().map_or(0, |clock| clock.steps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(change: impl FnOnce(&mut v1::AgentHeartbeat)) -> bytes::Bytes {
        let mut wire = v1::AgentHeartbeat {
            pump: "p1".into(),
            boot_id: 7,
            mono_ns: 99,
            ..v1::AgentHeartbeat::default()
        };
        change(&mut wire);
        sealed::seal(&wire)
    }

    #[test]
    fn a_heartbeat_gives_what_decisions_need_and_keeps_the_rest_for_displays() {
        let extent = v1::SpoolExtent {
            boot_id: 7,
            first_sequence: 10,
            end_sequence: 25,
            ..v1::SpoolExtent::default()
        };
        let bytes = sealed(|wire| {
            wire.spool = Some(v1::Spool {
                state: v1::SpoolState::Full.into(),
                extents: vec![extent],
                ..v1::Spool::default()
            });
            wire.sources.push(v1::Source { device: "meter\u{1b}[2J".into(), ..Default::default() });
            wire.echoes.push(v1::ProbeEcho {
                gateway: "g".into(),
                number: 3,
                sent_mono_ns: 4,
                received_mono_ns: 5,
            });
        });
        let taken = heartbeat(&bytes, "p1", false).unwrap();
        assert_eq!((taken.boot.get(), taken.sent.as_nanos()), (7, 99));
        assert_eq!((taken.spool, taken.spooled_frames), (SpoolWord::DoesNot, 15));
        assert_eq!((taken.echoes[0].number, taken.echoes[0].read.as_nanos()), (3, 5));
        assert!(taken.message().echoes.is_empty());
        assert_eq!(taken.message().sources[0].device, "meter[2J", "no escape reaches a terminal");
    }

    #[test]
    fn what_the_agents_rules_find_is_taken_and_conditions_that_nobody_knows_are_counted() {
        let none = heartbeat(&sealed(|_| {}), "p1", false).unwrap();
        assert_eq!(none.local, None);
        let present = ["pump.stop", "pump.sings", "sensor.fault.flow.blood"]
            .map(|condition| v1::LocalCondition { condition: condition.to_owned(), onset: 1 });
        let bytes = sealed(|wire| {
            wire.local_alarm = Some(v1::LocalAlarm {
                profile_hash: 5,
                treatment_version: 2,
                present: present.to_vec(),
                ..v1::LocalAlarm::default()
            });
        });
        let local = heartbeat(&bytes, "p1", false).unwrap().local.unwrap();
        assert_eq!(local.rules, RuleSet { profile_hash: 5, treatment_version: 2 });
        let names: Vec<_> = local.present.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["pump.stop", "sensor.fault.flow.blood"]);
        assert_eq!(local.unknown, 1);
    }

    #[test]
    fn a_heartbeat_against_the_contract_is_refused() {
        let refused = |bytes: &[u8], pump, retained| heartbeat(bytes, pump, retained).unwrap_err();
        let good = sealed(|_| {});
        assert_eq!(refused(&good, "p2", false), HeartbeatRejected::Identity);
        assert_eq!(refused(&good, "p1", true), HeartbeatRejected::Retained);
        assert_eq!(refused(&good[1..], "p1", false), HeartbeatRejected::Seal);
        assert_eq!(refused(&sealed(|it| it.boot_id = 0), "p1", false), HeartbeatRejected::Boot);
        let endless = sealed(|it| it.sources = vec![v1::Source::default(); SOURCES_MAX + 1]);
        assert_eq!(refused(&endless, "p1", false), HeartbeatRejected::Schema);
    }
}
