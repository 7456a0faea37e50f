//! What answers and subscriptions tell, and the wire's messages as that.

use ecmo_proto::v1 as wire;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use wire::watch_alarms_response::Update;

use super::ClientError;
use crate::age::GatewayTime;
use crate::convert;
use crate::model::{Alarm, Pump};
use crate::waveform::{Block, Run};

/// A message that is numbered within its subscription, from 0, by one.
pub(crate) trait Numbered {
    /// The number.
    fn sequence(&self) -> u64;
}

/// Messages of one subscription.
pub(crate) type Subscription<T> = BoxStream<'static, Result<T, ClientError>>;

/// Opens a subscription anew, each time on a connection of its own.
pub(crate) type Open<T> =
    Box<dyn Fn() -> BoxFuture<'static, Result<Subscription<T>, ClientError>> + Send + Sync>;

/// What `ListPumps` and `WatchPumps` tell.
#[derive(Debug, Clone)]
pub(crate) struct PumpsUpdate {
    pub(crate) pumps: Vec<Pump>,
    pub(crate) now: GatewayTime,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    /// When the alarm thread last finished a round.
    pub(crate) alarm_round: GatewayTime,
}

/// What `ListAlarms` tells.
#[derive(Debug, Clone)]
pub(crate) struct AlarmsAnswer {
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) now: GatewayTime,
}

/// One message of `WatchAlarms`.
#[derive(Debug, Clone)]
pub(crate) struct AlarmsUpdate {
    pub(crate) update: AlarmUpdate,
    pub(crate) now: GatewayTime,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}

/// What a message of `WatchAlarms` carries.
#[derive(Debug, Clone)]
pub(crate) enum AlarmUpdate {
    /// Everything active.
    Snapshot(Vec<Alarm>),
    /// One revision.
    Alarm(Box<Alarm>),
    /// Proof of life, with the gateway's wall time in nanoseconds since 1970 UTC.
    Heartbeat(i64),
}

/// One message of `WatchWaveforms`.
#[derive(Debug, Clone)]
pub(crate) struct WaveformsUpdate {
    pub(crate) blocks: Vec<Block>,
    pub(crate) boot: u64,
    /// Frames lost because this display read too slowly.
    pub(crate) dropped: u64,
    pub(crate) now: GatewayTime,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}

/// One revision that was shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ShownAlarm {
    pub(crate) occurrence: String,
    pub(crate) revision: u32,
}

impl Numbered for PumpsUpdate {
    fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Numbered for AlarmsUpdate {
    fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Numbered for WaveformsUpdate {
    fn sequence(&self) -> u64 {
        self.sequence
    }
}

pub(super) fn pumps_update(raw: wire::WatchPumpsResponse) -> PumpsUpdate {
    PumpsUpdate {
        pumps: raw.pumps.into_iter().map(convert::pump).collect(),
        now: GatewayTime(raw.now_mono_ns),
        epoch: raw.epoch,
        sequence: raw.sequence,
        alarm_round: GatewayTime(raw.alarm_thread_mono_ns),
    }
}

pub(super) fn alarms_update(raw: wire::WatchAlarmsResponse) -> AlarmsUpdate {
    AlarmsUpdate {
        update: match raw.update {
            Some(Update::Snapshot(snapshot)) => {
                AlarmUpdate::Snapshot(snapshot.alarms.into_iter().map(convert::alarm).collect())
            }
            Some(Update::Alarm(alarm)) => AlarmUpdate::Alarm(Box::new(convert::alarm(alarm))),
            Some(Update::Heartbeat(heartbeat)) => AlarmUpdate::Heartbeat(heartbeat.wall_ns),
            // A drill, or a newer gateway's kind of message: it proves life and nothing more.
            Some(Update::Drill(_)) | None => AlarmUpdate::Heartbeat(0),
        },
        now: GatewayTime(raw.now_mono_ns),
        epoch: raw.epoch,
        sequence: raw.sequence,
    }
}

pub(super) fn waveforms_update(raw: wire::WatchWaveformsResponse) -> WaveformsUpdate {
    let block = |block: wire::WaveformBlock| Block {
        parameter: block.parameter,
        first_index: block.first_index,
        values: block.values,
        validity: block
            .validity
            .iter()
            .map(|run| Run { validity: convert::validity(run.validity), count: run.count })
            .collect(),
    };
    WaveformsUpdate {
        blocks: raw.blocks.into_iter().map(block).collect(),
        boot: raw.boot_id,
        dropped: raw.dropped,
        now: GatewayTime(raw.now_mono_ns),
        epoch: raw.epoch,
        sequence: raw.sequence,
    }
}
