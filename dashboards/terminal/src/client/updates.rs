//! What answers and subscriptions tell, and the wire's messages as that.

use ecmo_proto::v1 as wire;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

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

/// What `ListPumps` tells.
#[derive(Debug, Clone)]
pub(crate) struct PumpsUpdate {
    pub(crate) pumps: Vec<Pump>,
    pub(crate) now: GatewayTime,
    /// When the alarm thread last finished a round.
    pub(crate) alarm_round: GatewayTime,
}

/// What `ListAlarms` tells.
#[derive(Debug, Clone)]
pub(crate) struct AlarmsAnswer {
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) now: GatewayTime,
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

impl Numbered for wire::WatchPumpsResponse {
    fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Numbered for wire::WatchAlarmsResponse {
    fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Numbered for WaveformsUpdate {
    fn sequence(&self) -> u64 {
        self.sequence
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
