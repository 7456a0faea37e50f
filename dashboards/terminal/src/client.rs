//! The only file that speaks gRPC: calls and subscriptions of one gateway, with a bound on every wait.

use std::time::Duration;

use ecmo_proto::v1 as wire;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use wire::alarm_service_client::AlarmServiceClient;
use wire::latency_service_client::LatencyServiceClient;
use wire::pump_service_client::PumpServiceClient;
use wire::watch_alarms_response::Update;

use crate::age::GatewayTime;
use crate::convert;
use crate::model::{Alarm, Hop, Pump, PumpName};
use crate::waveform::{Block, Run};

/// Longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Longest wait for an answer, and for the first answer to a subscription. A gateway on a ward's network answers in
/// milliseconds; with the connection this keeps a one-shot command below 5 s.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A frozen gateway gives no transport error by itself: this ping notices it, also between two calls.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Small, so that a display that reads slowly finds out soon, instead of reading minutes of old frames.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// Room for the streams of one connection.
const CONNECTION_WINDOW_BYTES: u32 = 2 * STREAM_WINDOW_BYTES;

/// Largest message read: 64 pumps of 64 readings and 64 alarms stay below it.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why a call or a subscription failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{url:?} is no gateway address: use http://HOST:PORT, such as http://127.0.0.1:8080")]
    Url { url: String },
    #[error(
        "cannot connect to the gateway at {url}; is ecmo-gateway running there? (--gateway, ECMO_GATEWAY)"
    )]
    Connect { url: String, source: tonic::transport::Error },
    #[error("the gateway at {url} did not answer {what} within {} s; it may be frozen or cut off", within.as_secs())]
    NoAnswer { url: String, what: &'static str, within: Duration },
    #[error("{what}: nothing of that name: {message}")]
    NotFound { what: &'static str, message: String },
    #[error("{what}: cut off, this display read too slowly or the gateway is full: {message}")]
    CutOff { what: &'static str, message: String },
    #[error("{what}: refused: {message}")]
    Refused { what: &'static str, message: String },
    #[error("{what}: failed: {message} ({code})")]
    Failed { what: &'static str, code: &'static str, message: String },
    #[error("{what}: the gateway ended the stream")]
    Ended { what: &'static str },
    #[error("{what}: nothing from the gateway for {:.1} s", silence.as_secs_f64())]
    Silent { what: &'static str, silence: Duration },
    #[error("{what}: message {expected} never came, {got} did")]
    Gap { what: &'static str, expected: u64, got: u64 },
}

impl ClientError {
    /// The error with its causes, in one line.
    pub(crate) fn chain(&self) -> String {
        let mut parts = vec![self.to_string()];
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Layers of the transport repeat each other.
            let part = error.to_string();
            if parts.last() != Some(&part) {
                parts.push(part);
            }
            cause = error.source();
        }
        parts.join(": ")
    }
}

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

/// One gateway.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    url: String,
    endpoint: Endpoint,
    channel: Channel,
}

impl Gateway {
    /// A gateway by its address; connects at the first call.
    pub(crate) fn new(url: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::Url { url: url.to_owned() };
        // Without this, a name without a scheme would be taken for a path.
        if !url.starts_with("http://") {
            return Err(bad());
        }
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_described_by_the_hint| bad())?
            .connect_timeout(CONNECT_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        Ok(Self { url: url.to_owned(), channel: endpoint.connect_lazy(), endpoint })
    }

    /// The address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connects now, so that a gateway that is not there is told as that and not as a failed call.
    pub(crate) async fn connect(mut self) -> Result<Self, ClientError> {
        self.channel = self.fresh_channel().await?;
        Ok(self)
    }

    async fn fresh_channel(&self) -> Result<Channel, ClientError> {
        let connected = tokio::time::timeout(CONNECT_MAX, self.endpoint.connect()).await;
        let within = CONNECT_MAX;
        let what = "the connection";
        let silent = |_elapsed| ClientError::NoAnswer { url: self.url.clone(), what, within };
        connected
            .map_err(silent)?
            .map_err(|source| ClientError::Connect { url: self.url.clone(), source })
    }

    /// Waits for an answer, but not for ever.
    async fn answer<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, ClientError> {
        match tokio::time::timeout(ANSWER_MAX, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(refused(what, &status)),
            Err(_elapsed) => {
                Err(ClientError::NoAnswer { url: self.url.clone(), what, within: ANSWER_MAX })
            }
        }
    }

    fn pumps_client(channel: Channel) -> PumpServiceClient<Channel> {
        PumpServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    fn alarms_client(channel: Channel) -> AlarmServiceClient<Channel> {
        AlarmServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Every pump of a ward, or of all.
    pub(crate) async fn list_pumps(&self, ward: &str) -> Result<PumpsUpdate, ClientError> {
        let mut client = Self::pumps_client(self.channel.clone());
        let call = client.list_pumps(timed(wire::ListPumpsRequest { ward: ward.to_owned() }));
        let answer = self.answer("list pumps", call).await?;
        Ok(PumpsUpdate {
            pumps: answer.pumps.into_iter().map(convert::pump).collect(),
            now: GatewayTime(answer.now_mono_ns),
            epoch: answer.epoch,
            sequence: 0,
            alarm_round: GatewayTime(answer.alarm_thread_mono_ns),
        })
    }

    /// Every active alarm of a ward, or of all; by priority, then onset.
    pub(crate) async fn list_alarms(&self, ward: &str) -> Result<AlarmsAnswer, ClientError> {
        let mut client = Self::alarms_client(self.channel.clone());
        let call = client.list_alarms(timed(wire::ListAlarmsRequest { ward: ward.to_owned() }));
        let answer = self.answer("list alarms", call).await?;
        let mut alarms: Vec<Alarm> =
            answer.alarms.into_iter().map(convert::alarm).filter(Alarm::is_active).collect();
        alarms.sort_by_key(Alarm::listed);
        Ok(AlarmsAnswer { alarms, now: GatewayTime(answer.now_mono_ns) })
    }

    /// Every hop, and how many measurements were impossible.
    pub(crate) async fn latency(&self) -> Result<(Vec<Hop>, u64), ClientError> {
        let mut client = LatencyServiceClient::new(self.channel.clone());
        let call = client.get_latency(timed(wire::GetLatencyRequest {}));
        let answer = self.answer("get latency", call).await?;
        Ok((answer.hops.into_iter().map(convert::hop).collect(), answer.discarded))
    }

    /// Tells which revisions this display has shown; how long the last known one took from its decision to this
    /// confirmation, in nanoseconds by the gateway's clock.
    pub(crate) async fn confirm(
        &self,
        display: &str,
        shown: &[ShownAlarm],
    ) -> Result<Option<u64>, ClientError> {
        let shown = shown.iter().cloned().map(|alarm| wire::ShownAlarm {
            occurrence: alarm.occurrence,
            revision: alarm.revision,
        });
        let request =
            wire::ConfirmAlarmsRequest { display: display.to_owned(), shown: shown.collect() };
        let mut client = Self::alarms_client(self.channel.clone());
        let answer = self.answer("confirm alarms", client.confirm_alarms(timed(request))).await?;
        Ok(answer.decided_to_confirmed_ns)
    }

    /// Acknowledges one occurrence as far as it was shown; true when that survives a restart of the gateway.
    pub(crate) async fn acknowledge(
        &self,
        shown: ShownAlarm,
        by: &str,
    ) -> Result<bool, ClientError> {
        let request = wire::AcknowledgeAlarmRequest {
            occurrence: shown.occurrence,
            revision: shown.revision,
            by: by.to_owned(),
        };
        let mut client = Self::alarms_client(self.channel.clone());
        let call = client.acknowledge_alarm(timed(request));
        Ok(self.answer("acknowledge alarm", call).await?.durable)
    }

    /// Opens subscriptions to pumps.
    pub(crate) fn watch_pumps(&self, ward: &str, interval_ms: u32) -> Open<PumpsUpdate> {
        const WHAT: &str = "watch pumps";
        let (gateway, ward) = (self.clone(), ward.to_owned());
        Box::new(move || {
            let (gateway, ward) = (gateway.clone(), ward.clone());
            Box::pin(async move {
                let mut client = Self::pumps_client(gateway.fresh_channel().await?);
                let call = client.watch_pumps(wire::WatchPumpsRequest { ward, interval_ms });
                let stream = gateway.answer(WHAT, call).await?;
                Ok(stream.map(|message| message.map(pumps_update).map_err(lost(WHAT))).boxed())
            })
        })
    }

    /// Opens subscriptions to alarms; their connection carries nothing else, so that no backlog delays them.
    pub(crate) fn watch_alarms(&self, ward: &str, display: &str) -> Open<AlarmsUpdate> {
        const WHAT: &str = "watch alarms";
        let (gateway, ward, display) = (self.clone(), ward.to_owned(), display.to_owned());
        Box::new(move || {
            let (gateway, ward, display) = (gateway.clone(), ward.clone(), display.clone());
            Box::pin(async move {
                let mut client = Self::alarms_client(gateway.fresh_channel().await?);
                let call = client.watch_alarms(wire::WatchAlarmsRequest { ward, display });
                let stream = gateway.answer(WHAT, call).await?;
                Ok(stream.map(|message| message.map(alarms_update).map_err(lost(WHAT))).boxed())
            })
        })
    }

    /// Opens subscriptions to the samples of one pump.
    pub(crate) fn watch_waveforms(&self, name: &PumpName) -> Open<WaveformsUpdate> {
        const WHAT: &str = "watch waveforms";
        let (gateway, name) = (self.clone(), name.clone());
        Box::new(move || {
            let (gateway, PumpName { ward, pump }) = (gateway.clone(), name.clone());
            Box::pin(async move {
                let mut client = Self::pumps_client(gateway.fresh_channel().await?);
                let parameters = Vec::new();
                let request = wire::WatchWaveformsRequest { ward, pump, parameters };
                let stream = gateway.answer(WHAT, client.watch_waveforms(request)).await?;
                Ok(stream.map(|message| message.map(waveforms_update).map_err(lost(WHAT))).boxed())
            })
        })
    }
}

/// How long the gateway may work on an answer: longer than this display waits, so that which of the two gives up first,
/// and with it the message, is no race.
const GATEWAY_MAY_TAKE: Duration = Duration::from_millis(2_500);

const _: () = assert!(GATEWAY_MAY_TAKE.as_millis() > ANSWER_MAX.as_millis());

/// A request that the gateway may drop once nobody waits for it any more.
fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(GATEWAY_MAY_TAKE);
    request
}

fn lost(what: &'static str) -> impl Fn(Status) -> ClientError {
    move |status| refused(what, &status)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "other codes are told by their name")]
fn refused(what: &'static str, status: &Status) -> ClientError {
    let message = status.message().to_owned();
    match status.code() {
        Code::NotFound => ClientError::NotFound { what, message },
        Code::ResourceExhausted => ClientError::CutOff { what, message },
        Code::FailedPrecondition | Code::InvalidArgument => ClientError::Refused { what, message },
        code => ClientError::Failed { what, code: code.description(), message },
    }
}

fn pumps_update(raw: wire::WatchPumpsResponse) -> PumpsUpdate {
    PumpsUpdate {
        pumps: raw.pumps.into_iter().map(convert::pump).collect(),
        now: GatewayTime(raw.now_mono_ns),
        epoch: raw.epoch,
        sequence: raw.sequence,
        alarm_round: GatewayTime(raw.alarm_thread_mono_ns),
    }
}

fn alarms_update(raw: wire::WatchAlarmsResponse) -> AlarmsUpdate {
    AlarmsUpdate {
        update: match raw.update {
            Some(Update::Snapshot(snapshot)) => {
                AlarmUpdate::Snapshot(snapshot.alarms.into_iter().map(convert::alarm).collect())
            }
            Some(Update::Alarm(alarm)) => AlarmUpdate::Alarm(Box::new(convert::alarm(alarm))),
            Some(Update::Heartbeat(heartbeat)) => AlarmUpdate::Heartbeat(heartbeat.wall_ns),
            // A newer gateway's kind of message: it proves life and nothing more.
            None => AlarmUpdate::Heartbeat(0),
        },
        now: GatewayTime(raw.now_mono_ns),
        epoch: raw.epoch,
        sequence: raw.sequence,
    }
}

fn waveforms_update(raw: wire::WatchWaveformsResponse) -> WaveformsUpdate {
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
