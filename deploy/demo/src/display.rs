//! The demo's display: attends, prints the alarms as any display would, confirms what it printed, and says how long the way took.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_display::{Change, LinkId, LocalTime, Row, Screen};
use ecmo_proto::topic::PumpAddress;
use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_client::AlarmServiceClient;
use ecmo_proto::v1::display_service_client::DisplayServiceClient;
use ecmo_proto::v1::latency_service_client::LatencyServiceClient;
use ecmo_proto::v1::pump_service_client::PumpServiceClient;
use ecmo_proto::v1::treatment_service_client::TreatmentServiceClient;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

use crate::pace::Pace;
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

/// Its only link.
const LINK: LinkId = LinkId(0);

/// How often its lease is renewed, which holds for three seconds.
const RENEW: Duration = Duration::from_secs(1);

/// Whether a row is printed, and so confirmed. That this display makes no sound is said before the first line, and no alarm of it:
/// a reader would look for a fault of the pumps.
fn is_printed(row: &Row) -> bool {
    row.key.condition != "display.silent"
}

/// What this display knows while it watches.
struct Watching {
    screen: Screen,
    started: Instant,
    renewed_at: Option<Instant>,
    pace: Pace,
}

impl Watching {
    fn new() -> Self {
        Self {
            screen: Screen::new(1, ""),
            started: Instant::now(),
            renewed_at: None,
            pace: Pace::default(),
        }
    }

    fn now(&self) -> LocalTime {
        LocalTime(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A connection to the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Display {
    /// What was printed about alarms that were raised, to be printed again at the end.
    raised: Arc<Mutex<Vec<String>>>,
    alarms: AlarmServiceClient<Channel>,
    displays: DisplayServiceClient<Channel>,
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
            displays: DisplayServiceClient::new(calls.clone()),
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
        let mut watching = Watching::new();
        loop {
            let heard = &mut false;
            let Err(lost) = self.watch_once(&mut watching, heard).await;
            watching.screen.on_lost(LINK, watching.now());
            failures = if *heard { 0 } else { failures + 1 };
            if failures >= FAILURES_MAX {
                return Err(lost);
            }
            println!("DISPLAY lost the gateway: {lost:#}; treat every pump as unknown");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn watch_once(
        &mut self,
        watching: &mut Watching,
        heard: &mut bool,
    ) -> anyhow::Result<Infallible> {
        let asked = v1::WatchAlarmsRequest {
            ward: String::new(),
            display: NAME.to_owned(),
            seen_until: watching.screen.seen_until(LINK),
        };
        let mut stream = self.alarms.watch_alarms(asked).await?.into_inner();
        loop {
            let message = tokio::time::timeout(SILENCE_MAX, stream.message())
                .await
                .context("no heartbeat")??
                .context("the stream has ended")?;
            *heard = true;
            let arrived = watching.now();
            watching.screen.on_alarms(LINK, message, watching.now());
            let needs = watching.screen.needs_resubscribe(LINK).alarms;
            anyhow::ensure!(needs.is_none(), "a message is missing: {needs:?}");
            self.print(watching, arrived).await?;
            self.attend(watching).await;
        }
    }

    /// Prints what became of alarms, and confirms what was printed. Drills are confirmed, too, and never printed.
    async fn print(&mut self, watching: &mut Watching, arrived: LocalTime) -> anyhow::Result<()> {
        let mut changes = watching.screen.take_changes().0;
        changes.retain(|change| is_printed(change.row()));
        for change in &changes {
            println!("{}", report::alarm(&change.row().alarm));
        }
        let picture = watching.screen.picture();
        watching.screen.painted(&picture, is_printed);
        watching.pace.painted(arrived, watching.now());
        let shown = watching.screen.take_confirmations(LINK);
        let confirmed_ns = if shown.is_empty() { None } else { self.confirm(shown).await? };
        for change in &changes {
            let alarm = &change.row().alarm;
            let way = report::way(alarm, confirmed_ns);
            if let Some(way) = &way {
                println!("{way}");
            }
            if let Change::New(Row { alarm, .. }) = change {
                self.keep_raised(alarm, way);
            }
        }
        Ok(())
    }

    async fn confirm(&mut self, shown: Vec<ecmo_display::Shown>) -> anyhow::Result<Option<u64>> {
        let shown = shown
            .into_iter()
            .map(|one| v1::ShownAlarm { occurrence: one.occurrence, revision: one.revision });
        let request = v1::ConfirmAlarmsRequest { display: NAME.to_owned(), shown: shown.collect() };
        let answer = self.alarms.confirm_alarms(request).await?.into_inner();
        Ok(answer.decided_to_confirmed_ns)
    }

    fn keep_raised(&self, alarm: &v1::Alarm, way: Option<String>) {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        if raised.len() < RAISED_MAX {
            let lines: Vec<String> = [report::alarm(alarm)].into_iter().chain(way).collect();
            raised.push(lines.join("\n"));
        }
    }

    /// Renews the lease with proof of what was printed. A gateway that does not take it is told of by the alarm that it raises.
    async fn attend(&mut self, watching: &mut Watching) {
        if watching.renewed_at.is_some_and(|at| at.elapsed() < RENEW) {
            return;
        }
        let Some((epoch, newest)) = watching.screen.painted_until(LINK) else { return };
        let sent = watching.now();
        watching.renewed_at = Some(Instant::now());
        let request = v1::AttendWardsRequest {
            display: NAME.to_owned(),
            wards: Vec::new(),
            health: Some(watching.pace.health((epoch, newest.0), sent)),
        };
        if let Ok(answer) = self.displays.attend_wards(request).await {
            let answer = answer.into_inner();
            let now = watching.now();
            watching.screen.on_answer(LINK, answer.epoch, answer.now_mono_ns, sent, now);
        }
    }

    /// Says goodbye, so that nobody wonders where this display is.
    pub(crate) async fn leave(&mut self) {
        let request = v1::LeaveWardsRequest { display: NAME.to_owned() };
        // The gateway ends with the demo anyway.
        self.displays.leave_wards(request).await.ok();
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
