//! A display as the tests use it: lists pumps, and hears alarms in the background with the time of each. It panics where the
//! gateway does not answer: that is the end of the test.
#![expect(
    clippy::missing_panics_doc,
    reason = "a display of a test panics when the gateway does not answer"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_client::AlarmServiceClient;
use ecmo_proto::v1::display_service_client::DisplayServiceClient;
use ecmo_proto::v1::history_service_client::HistoryServiceClient;
use ecmo_proto::v1::pump_service_client::PumpServiceClient;
use ecmo_proto::v1::watch_alarms_response::Update;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use crate::wait::eventually;

/// Longest wait for anything that should happen soon.
pub const SOON: Duration = Duration::from_secs(15);

/// The promise: what is lost is told to the displays within it.
pub const PROMISE: Duration = Duration::from_secs(1);

/// One display with a connection of its own.
#[derive(Debug, Clone)]
pub struct Display {
    /// Its connection.
    pub channel: Channel,
}

impl Display {
    /// Connects as most displays do.
    pub async fn connect(gateway: SocketAddr) -> Self {
        Self::with_windows(gateway, 1 << 20).await
    }

    /// A display that takes so few bytes ahead of its reading.
    pub async fn with_windows(gateway: SocketAddr, bytes: u32) -> Self {
        let endpoint =
            Endpoint::from_shared(format!("http://{gateway}")).expect("the gateway answers");
        let endpoint = endpoint
            .tcp_nodelay(true)
            .initial_stream_window_size(bytes)
            .initial_connection_window_size(1 << 20);
        Self { channel: endpoint.connect().await.expect("the gateway answers") }
    }

    /// The service of what was kept.
    #[must_use]
    pub fn history(&self) -> HistoryServiceClient<Channel> {
        HistoryServiceClient::new(self.channel.clone())
    }

    /// The service of the pumps.
    #[must_use]
    pub fn pumps(&self) -> PumpServiceClient<Channel> {
        PumpServiceClient::new(self.channel.clone())
    }

    /// The service of the alarms.
    #[must_use]
    pub fn alarms(&self) -> AlarmServiceClient<Channel> {
        AlarmServiceClient::new(self.channel.clone())
    }

    /// Every pump, with the time of the answer.
    pub async fn list(&self) -> v1::ListPumpsResponse {
        self.pumps()
            .list_pumps(v1::ListPumpsRequest::default())
            .await
            .expect("the gateway answers")
            .into_inner()
    }

    /// One pump, if it is known.
    pub async fn pump(&self, name: &str) -> Option<v1::Pump> {
        self.list().await.pumps.into_iter().find(|pump| pump.pump == name)
    }

    /// Waits until the pump is shown so.
    pub async fn await_pump(
        &self,
        name: &str,
        what: &str,
        mut is_it: impl FnMut(&v1::Pump) -> bool,
    ) -> v1::Pump {
        eventually(SOON, &format!("{name}: {what}"), async || {
            let pump = self.pump(name).await.ok_or_else(|| "not listed".to_owned())?;
            if is_it(&pump) { Ok(pump) } else { Err(format!("{pump:#?}")) }
        })
        .await
        .expect("the gateway answers")
    }

    /// Waits until frames of the pump arrive.
    pub async fn await_live(&self, name: &str) -> v1::Pump {
        self.await_pump(name, "live", |pump| pump.link() == v1::LinkState::Live).await
    }

    /// Every occurrence that has not ended.
    pub async fn list_alarms(&self) -> Vec<v1::Alarm> {
        let request = v1::ListAlarmsRequest::default();
        self.alarms().list_alarms(request).await.expect("the gateway answers").into_inner().alarms
    }

    /// The stream of the alarms of a ward, or all.
    pub async fn alarm_stream(&self, ward: &str) -> Streaming<v1::WatchAlarmsResponse> {
        let display = "a test".to_owned();
        let request = v1::WatchAlarmsRequest {
            ward: ward.to_owned(),
            display,
            ..v1::WatchAlarmsRequest::default()
        };
        self.alarms().watch_alarms(request).await.expect("the gateway answers").into_inner()
    }

    /// Watches the alarms of all wards.
    pub async fn watch_alarms(&self) -> AlarmLog {
        AlarmLog::new(self.alarm_stream("").await).await
    }

    /// The waveforms of a pump of the ward nicu.
    pub async fn waveforms(&self, pump: &str) -> Streaming<v1::WatchWaveformsResponse> {
        let request = v1::WatchWaveformsRequest {
            ward: "nicu".to_owned(),
            pump: pump.to_owned(),
            ..v1::WatchWaveformsRequest::default()
        };
        self.pumps().watch_waveforms(request).await.expect("the gateway answers").into_inner()
    }

    /// The service of the displays.
    #[must_use]
    pub fn displays(&self) -> DisplayServiceClient<Channel> {
        DisplayServiceClient::new(self.channel.clone())
    }

    /// Acknowledges an alarm as far as this revision.
    ///
    /// # Errors
    /// As the gateway answers.
    pub async fn acknowledge(
        &self,
        alarm: &v1::Alarm,
        revision: u32,
        by: &str,
    ) -> Result<v1::Alarm, Code> {
        let occurrence = alarm.occurrence.clone();
        let (by, note) = (by.to_owned(), "seen".to_owned());
        let request = v1::AcknowledgeAlarmRequest { occurrence, revision, by, note };
        let answer = self.alarms().acknowledge_alarm(request).await;
        answer
            .map(|answer| answer.into_inner().alarm.expect("the gateway answers"))
            .map_err(|status| status.code())
    }
}

/// The reading of a parameter.
#[must_use]
pub fn reading<'a>(pump: &'a v1::Pump, parameter: &str) -> Option<&'a v1::Reading> {
    pump.readings.iter().find(|reading| reading.parameter == parameter)
}

/// The value of a parameter, when there is one now.
#[must_use]
pub fn value(pump: &v1::Pump, parameter: &str) -> Option<f32> {
    reading(pump, parameter).and_then(|reading| reading.value)
}

/// Whether the newest value of a parameter is this one.
#[must_use]
pub fn shows(pump: &v1::Pump, parameter: &str, number: f32) -> bool {
    value(pump, parameter).is_some_and(|value| (value - number).abs() < 0.01)
}

/// A message with the time at which the display had it.
#[derive(Debug, Clone)]
pub struct Told {
    /// When.
    pub at: Instant,
    /// What.
    pub message: v1::WatchAlarmsResponse,
}

#[derive(Debug, Default)]
struct Heard {
    told: Vec<Told>,
    end: Option<Status>,
}

/// Everything that one stream of alarms has told.
#[derive(Debug)]
pub struct AlarmLog {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

/// Nothing in here can panic half way.
fn lock(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Drop for AlarmLog {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl AlarmLog {
    /// Reads a stream; returns once the snapshot is there.
    pub async fn new(stream: Streaming<v1::WatchAlarmsResponse>) -> Self {
        Self::passing_on(stream, None).await
    }

    /// The same, and passes each message on.
    pub(crate) async fn passing_on(
        mut stream: Streaming<v1::WatchAlarmsResponse>,
        to: Option<mpsc::Sender<v1::WatchAlarmsResponse>>,
    ) -> Self {
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let hears = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            loop {
                let message = stream.message().await;
                let at = Instant::now();
                if let (Some(to), Ok(Some(message))) = (&to, &message) {
                    // Nobody listens any longer when the test ends.
                    let _gone = to.try_send(message.clone());
                }
                let mut heard = lock(&hears);
                match message {
                    Ok(Some(message)) => heard.told.push(Told { at, message }),
                    Ok(None) => return,
                    Err(status) => {
                        heard.end = Some(status);
                        return;
                    }
                }
            }
        });
        let log = Self { heard, task };
        eventually(SOON, "the snapshot", async || log.told().first().cloned())
            .await
            .expect("the gateway answers");
        log
    }

    /// Every message so far.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        lock(&self.heard).told.clone()
    }

    /// How the stream ended, if it did with an error.
    #[must_use]
    pub fn end(&self) -> Option<Status> {
        lock(&self.heard).end.clone()
    }

    /// Every change of an alarm, in order, without the snapshot.
    #[must_use]
    pub fn changes(&self) -> Vec<(Instant, v1::Alarm)> {
        let change = |told: Told| match told.message.update {
            Some(Update::Alarm(alarm)) => Some((told.at, alarm)),
            Some(Update::Snapshot(_) | Update::Heartbeat(_) | Update::Drill(_)) | None => None,
        };
        self.told().into_iter().filter_map(change).collect()
    }

    /// Waits for a change, the first that fits.
    pub async fn change(
        &self,
        what: &str,
        is_it: impl Fn(&v1::Alarm) -> bool,
    ) -> (Instant, v1::Alarm) {
        eventually(SOON, what, async || {
            let changes = self.changes();
            let found = changes.iter().find(|(_, alarm)| is_it(alarm)).cloned();
            found.ok_or_else(|| {
                let line = |alarm: &v1::Alarm| {
                    let v1::Alarm { pump, condition, revision, present, .. } = alarm;
                    format!("{pump} {condition} r{revision} present {present}")
                };
                changes.iter().map(|(_, alarm)| line(alarm)).collect::<Vec<_>>().join("; ")
            })
        })
        .await
        .expect("the gateway answers")
    }

    /// Waits until the condition of the pump is raised.
    pub async fn raised(&self, pump: &str, condition: &str) -> (Instant, v1::Alarm) {
        self.change(&format!("{pump} {condition} raised"), |alarm| {
            alarm.pump == pump && alarm.condition == condition && alarm.present
        })
        .await
    }

    /// Waits until the condition of the pump has ended.
    pub async fn ended(&self, pump: &str, condition: &str) -> (Instant, v1::Alarm) {
        self.change(&format!("{pump} {condition} ended"), |alarm| {
            alarm.pump == pump
                && alarm.condition == condition
                && alarm.signal() == v1::SignalPresence::Off
        })
        .await
    }
}
