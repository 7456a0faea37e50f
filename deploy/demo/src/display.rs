//! The demo's display: watches the alarms as any display would, confirms each, and says how long its way took.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_proto::topic::PumpAddress;
use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_client::AlarmServiceClient;
use ecmo_proto::v1::latency_service_client::LatencyServiceClient;
use ecmo_proto::v1::pump_service_client::PumpServiceClient;
use ecmo_proto::v1::treatment_service_client::TreatmentServiceClient;
use ecmo_proto::v1::watch_alarms_response::Update;
use tonic::transport::{Channel, Endpoint};

use crate::report;

/// The name under which it confirms.
const NAME: &str = "demo";

/// How long the gateway may take to answer a call.
const CALL_MAX: Duration = Duration::from_secs(2);

/// The gateway's heartbeat comes each second; without one for so long it is lost.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// Alarms that are printed again at the end.
const RAISED_MAX: usize = 32;

/// Pause before the gateway is watched again.
const PAUSE: Duration = Duration::from_millis(200);

/// Attempts to enter a case, with a pause after each: a pump that starts is known within a second.
const ENTER_TRIES: u32 = 25;

/// Attempts without a message after which the gateway is given up.
const FAILURES_MAX: u32 = 5;

/// A connection to the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Display {
    /// What was printed about alarms that were raised, to be printed again at the end.
    raised: Arc<Mutex<Vec<String>>>,
    alarms: AlarmServiceClient<Channel>,
    pumps: PumpServiceClient<Channel>,
    latency: LatencyServiceClient<Channel>,
    treatments: TreatmentServiceClient<Channel>,
}

impl Display {
    /// Connects.
    ///
    /// # Errors
    /// Nobody answers there.
    pub(crate) async fn connect(url: String) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(url.clone())?
            .tcp_nodelay(true)
            .connect_timeout(CALL_MAX)
            .timeout(CALL_MAX);
        let calls = endpoint.connect().await.with_context(|| format!("cannot reach {url}"))?;
        // A stream goes on for ever; the timeout is for calls.
        let streams = Endpoint::from_shared(url)?.tcp_nodelay(true).connect_timeout(CALL_MAX);
        Ok(Self {
            raised: Arc::default(),
            alarms: AlarmServiceClient::new(streams.connect().await?),
            pumps: PumpServiceClient::new(calls.clone()),
            latency: LatencyServiceClient::new(calls.clone()),
            treatments: TreatmentServiceClient::new(calls),
        })
    }

    /// Prints every alarm change and confirms it. A lost gateway is told, and watched again.
    ///
    /// # Errors
    /// The gateway stays lost.
    pub(crate) async fn watch(mut self) -> anyhow::Result<()> {
        let mut failures = 0;
        loop {
            let heard = &mut false;
            let Err(lost) = self.watch_once(heard).await;
            failures = if *heard { 0 } else { failures + 1 };
            if failures >= FAILURES_MAX {
                return Err(lost);
            }
            println!("DISPLAY lost the gateway: {lost:#}; treat every pump as unknown");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn watch_once(&mut self, heard: &mut bool) -> anyhow::Result<Infallible> {
        let asked = v1::WatchAlarmsRequest {
            ward: String::new(),
            display: NAME.to_owned(),
            seen_until: None,
        };
        let mut stream = self.alarms.watch_alarms(asked).await?.into_inner();
        loop {
            let message = tokio::time::timeout(SILENCE_MAX, stream.message())
                .await
                .context("no heartbeat")??
                .context("the stream has ended")?;
            *heard = true;
            let Some(Update::Alarm(alarm)) = message.update else { continue };
            let request = v1::ConfirmAlarmsRequest {
                display: NAME.to_owned(),
                shown: vec![v1::ShownAlarm {
                    occurrence: alarm.occurrence.clone(),
                    revision: alarm.revision,
                }],
            };
            let confirmed = self.alarms.confirm_alarms(request).await?.into_inner();
            let line = report::alarm(&alarm, confirmed.decided_to_confirmed_ns);
            println!("{line}");
            let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
            if alarm.revision == 1 && raised.len() < RAISED_MAX {
                raised.push(line);
            }
        }
    }

    /// What was printed about the first alarms that were raised.
    pub(crate) fn raised(&self) -> Vec<String> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Enters the case of a pump, as a ward does when a treatment begins; the pump appears within a moment.
    ///
    /// # Errors
    /// The gateway refuses it, or does not know the pump in time.
    pub(crate) async fn enter(&mut self, pump: &PumpAddress, case: &Case) -> anyhow::Result<()> {
        let (ward, pump) = (pump.ward.to_string(), pump.pump.to_string());
        let entered = v1::Case {
            pseudonym: format!("demo {pump}"),
            weight_kg: case.weight_kg,
            pump_kind: match case.pump_kind {
                Some(PumpKind::Centrifugal) => v1::PumpKind::Centrifugal,
                Some(PumpKind::Roller) => v1::PumpKind::Roller,
                None => v1::PumpKind::Unspecified,
            }
            .into(),
            therapy: match case.therapy {
                Some(Therapy::VenoArterial) => v1::Therapy::VenoArterial,
                Some(Therapy::VenoVenous) => v1::Therapy::VenoVenous,
                None => v1::Therapy::Unspecified,
            }
            .into(),
            oxygenator_flow_min: case.oxygenator_flow_min,
            flow_target: case.flow_target,
            speed_max: case.speed_max,
            ..v1::Case::default()
        };
        let request = v1::StartTreatmentRequest {
            ward,
            pump,
            case: Some(entered),
            by: NAME.to_owned(),
            version: 0,
        };
        for _ in 0..ENTER_TRIES {
            match self.treatments.start_treatment(request.clone()).await {
                Err(status) if status.code() == tonic::Code::NotFound => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done.map(|_entered| ()).context("the gateway refuses a case"),
            }
        }
        anyhow::bail!("the gateway does not know {}", request.pump)
    }

    /// Every pump.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub(crate) async fn pumps(&mut self) -> anyhow::Result<Vec<v1::Pump>> {
        Ok(self.pumps.list_pumps(v1::ListPumpsRequest::default()).await?.into_inner().pumps)
    }

    /// Every hop.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub(crate) async fn latency(&mut self) -> anyhow::Result<v1::GetLatencyResponse> {
        Ok(self.latency.get_latency(v1::GetLatencyRequest {}).await?.into_inner())
    }
}
