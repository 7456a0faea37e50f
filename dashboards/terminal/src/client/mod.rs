//! The only module that speaks gRPC: calls and subscriptions of one gateway, with a bound on every wait.

use std::time::Duration;

use ecmo_proto::v1 as wire;
use futures_util::stream::StreamExt;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Response, Status};
use tower::Service;
use wire::alarm_service_client::AlarmServiceClient;
use wire::latency_service_client::LatencyServiceClient;
use wire::pump_service_client::PumpServiceClient;

use crate::age::GatewayTime;
use crate::convert;
use crate::model::{Alarm, Hop, PumpName};

mod error;

mod updates;

mod people;

mod care;

mod displays;

mod owners;

mod past;

mod identity;

mod secured;

mod tokens;

pub(crate) use care::TreatmentAnswer;
pub(crate) use displays::Attended;
pub(crate) use ecmo_display::Shown as ShownAlarm;
pub(crate) use error::ClientError;
pub(crate) use owners::OwnAct;
pub(crate) use people::PauseTarget;
pub(crate) use secured::Secured;
pub(crate) use tokens::Tokens;
pub(crate) use updates::{
    AlarmsAnswer, Numbered, Open, PumpsUpdate, Subscription, WaveformsUpdate,
};

use error::refused;
use tokens::Pass;
use updates::waveforms_update;

/// Longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Longest wait for an answer, and for the first answer to a subscription. A gateway on a ward's network answers in
/// milliseconds; with the connection this keeps a one-shot command below 5 s.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Longest wait for the answer to a change: the gateway writes it to its disk first.
const CHANGE_MAX: Duration = Duration::from_secs(5);

/// A frozen gateway gives no transport error by itself: this ping notices it, also between two calls.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Small, so that a display that reads slowly finds out soon, instead of reading minutes of old frames.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// Room for the streams of one connection.
const CONNECTION_WINDOW_BYTES: u32 = 2 * STREAM_WINDOW_BYTES;

/// Largest message read: 64 pumps of 64 readings and 64 alarms stay below it.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Until when a display has seen everything of a gateway, as it is at the time of each subscription.
pub(crate) type Seen = tokio::sync::watch::Receiver<Option<wire::SeenUntil>>;

/// A connection with what proves who calls.
type Link = InterceptedService<Channel, Pass>;

/// One gateway.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    url: String,
    endpoint: Endpoint,
    secured: Option<Secured>,
    channel: Link,
    pass: Pass,
}

impl Gateway {
    /// A gateway by its address; connects at the first call.
    pub(crate) fn new(
        url: &str,
        secured: Option<&Secured>,
        tokens: &Tokens,
    ) -> Result<Self, ClientError> {
        let bad = || ClientError::Url { url: url.to_owned() };
        let is_secured = url.starts_with("https://");
        // Without this, a name without a scheme would be taken for a path.
        if !is_secured && !url.starts_with("http://") {
            return Err(bad());
        }
        if is_secured && secured.is_none() {
            return Err(ClientError::NoAuthority { url: url.to_owned() });
        }
        let secured = secured.filter(|_| is_secured).cloned();
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_described_by_the_hint| bad())?
            .connect_timeout(CONNECT_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        let channel = match secured.clone() {
            None => endpoint.connect_lazy(),
            Some(secured) => endpoint.connect_with_connector_lazy(connector(secured)),
        };
        let pass = tokens.pass(url);
        let channel = InterceptedService::new(channel, pass.clone());
        Ok(Self { url: url.to_owned(), endpoint, secured, channel, pass })
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

    async fn fresh_channel(&self) -> Result<Link, ClientError> {
        let connecting = async {
            match self.secured.clone() {
                None => self.endpoint.connect().await,
                Some(secured) => self.endpoint.connect_with_connector(connector(secured)).await,
            }
        };
        let connected = tokio::time::timeout(CONNECT_MAX, connecting).await;
        let within = CONNECT_MAX;
        let what = "the connection";
        let silent = |_elapsed| ClientError::NoAnswer { url: self.url.clone(), what, within };
        let channel = connected
            .map_err(silent)?
            .map_err(|source| ClientError::Connect { url: self.url.clone(), source })?;
        Ok(InterceptedService::new(channel, self.pass.clone()))
    }

    /// Waits for an answer, but not for ever.
    async fn answer<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, ClientError> {
        self.answer_within(ANSWER_MAX, what, call).await
    }

    /// Waits for the answer to what a person changes.
    async fn changed<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, ClientError> {
        self.answer_within(CHANGE_MAX, what, call).await
    }

    async fn answer_within<T>(
        &self,
        within: Duration,
        what: &'static str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, ClientError> {
        match tokio::time::timeout(within, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(refused(what, &status)),
            Err(_elapsed) => Err(ClientError::NoAnswer { url: self.url.clone(), what, within }),
        }
    }

    fn pumps_client(channel: Link) -> PumpServiceClient<Link> {
        PumpServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    fn alarms_client(channel: Link) -> AlarmServiceClient<Link> {
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

    /// Opens subscriptions to pumps.
    pub(crate) fn watch_pumps(
        &self,
        ward: &str,
        interval_ms: u32,
    ) -> Open<wire::WatchPumpsResponse> {
        const WHAT: &str = "watch pumps";
        let (gateway, ward) = (self.clone(), ward.to_owned());
        Box::new(move || {
            let (gateway, ward) = (gateway.clone(), ward.clone());
            Box::pin(async move {
                let mut client = Self::pumps_client(gateway.fresh_channel().await?);
                let call = client.watch_pumps(wire::WatchPumpsRequest { ward, interval_ms });
                let stream = gateway.answer(WHAT, call).await?;
                Ok(stream.map(|message| message.map_err(lost(WHAT))).boxed())
            })
        })
    }

    /// Opens subscriptions to alarms; their connection carries nothing else, so that no backlog delays them. What ended since
    /// `seen` comes with each snapshot.
    pub(crate) fn watch_alarms(
        &self,
        ward: &str,
        display: &str,
        seen: &Seen,
    ) -> Open<wire::WatchAlarmsResponse> {
        const WHAT: &str = "watch alarms";
        let (gateway, ward, display) = (self.clone(), ward.to_owned(), display.to_owned());
        let seen = seen.clone();
        Box::new(move || {
            let seen_until = *seen.borrow();
            let (gateway, ward, display) = (gateway.clone(), ward.clone(), display.clone());
            Box::pin(async move {
                let mut client = Self::alarms_client(gateway.fresh_channel().await?);
                let request = wire::WatchAlarmsRequest { ward, display, seen_until };
                let call = client.watch_alarms(request);
                let stream = gateway.answer(WHAT, call).await?;
                Ok(stream.map(|message| message.map_err(lost(WHAT))).boxed())
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

/// Connects within TLS each time that it is asked.
fn connector(
    secured: Secured,
) -> impl Service<Uri, Response = TokioIo<TlsStream<TcpStream>>, Error = std::io::Error, Future: Send>
+ Send {
    tower::service_fn(move |uri: Uri| secured.clone().connect(uri, CONNECT_MAX))
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
