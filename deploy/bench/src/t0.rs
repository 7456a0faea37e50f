//! T0, the raw gRPC hop: a plain tonic server hands an alarm to every display, at the pace at which ours come.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_server::{AlarmService, AlarmServiceServer};
use ecmo_proto::v1::watch_alarms_response::Update;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::background::Background;
use crate::clock;
use crate::crossing::CONDITION;
use crate::display::Displays;
use crate::pace::{Event, Pacer, Schedule};
use crate::plan::{LEAD_NS, Plan};
use crate::series::Times;
use crate::views::Views;

/// Messages that a display may be behind; the gateway's own bound.
const QUEUED_MAX: usize = 1_024;

/// How long the last messages may take.
const TAIL_MAX: Duration = Duration::from_secs(10);

type Item = Result<v1::WatchAlarmsResponse, Status>;

/// The displays' mailboxes.
type Outlets = Arc<Mutex<Vec<mpsc::Sender<Item>>>>;

/// What one round measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// From the intended sending to each display.
    pub(crate) times: Times,
    /// Length of a message, in bytes.
    pub(crate) message_bytes: usize,
}

/// Measures one round.
pub(crate) async fn measure(plan: &Plan) -> anyhow::Result<Measured> {
    let outlets = Outlets::default();
    let (_server, address) = serve(Arc::clone(&outlets)).await?;
    let url = format!("http://{address}");
    let displays = Displays::connect(&url, "", plan.displays, &Views::default()).await?;
    let warm = plan.warm_changes();
    let count = warm + plan.measured_changes();
    let schedule = Schedule {
        start_ns: clock::now_ns() + LEAD_NS,
        sources: plan.pumps,
        rate: Plan::CHANGES_PER_SECOND,
    };
    let message_bytes = message(schedule.event(warm)).encoded_len();
    let pacer = Pacer::start(schedule, count, move |event| {
        let message = message(event);
        let outlets = outlets.lock().unwrap_or_else(PoisonError::into_inner);
        for outlet in outlets.iter() {
            // A full or closed mailbox loses the message, which the count at the end shows.
            let _counted_at_the_end = outlet.try_send(Ok(message.clone()));
        }
    })?;
    pacer.finish().await?;
    let expected = usize::try_from(count * u64::from(plan.displays))?;
    displays.wait(expected, TAIL_MAX).await;
    let (received, _nothing_else) = displays.finish().await?;
    let arrived: usize = received.iter().map(Vec::len).sum();
    ensure!(arrived == expected, "{arrived} of {expected} messages came through the raw stream");
    let mut times = Times::default();
    let measured_from = schedule.event(warm).intended_ns;
    for one in received.iter().flatten().filter(|one| one.alarm.onset_mono_ns >= measured_from) {
        times.record(one.at_ns.saturating_sub(one.alarm.onset_mono_ns));
    }
    Ok(Measured { times, message_bytes })
}

/// Starts the server on threads of its own, as many as the gateway has for its displays.
async fn serve(outlets: Outlets) -> anyhow::Result<(Background, SocketAddr)> {
    let threads = Background::start("raw-server", None)?;
    let (told, tells) = tokio::sync::oneshot::channel();
    threads.spawn(async move {
        let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into())?.with_nodelay(Some(true));
        // Nobody waits any more when the round was given up.
        let _round_given_up = told.send(incoming.local_addr()?);
        let service = AlarmServiceServer::new(RawHop { outlets });
        Server::builder().add_service(service).serve_with_incoming(incoming).await?;
        anyhow::Ok(())
    });
    let address = tells.await.context("the raw gRPC server does not start")?;
    Ok((threads, address))
}

/// An alarm as large as ours, that carries when it was to be sent.
fn message(event: Event) -> v1::WatchAlarmsResponse {
    let alarm = v1::Alarm {
        occurrence: format!(
            "bench-1/pump-001/{CONDITION}/{:016x}-{:x}",
            u64::MAX / 3,
            event.intended_ns
        ),
        revision: 1,
        ward: "bench-1".to_owned(),
        pump: "pump-001".to_owned(),
        condition: CONDITION.to_owned(),
        kind: v1::AlarmKind::Physiological.into(),
        priority: v1::AlarmPriority::High.into(),
        present: true,
        signal: v1::SignalPresence::On.into(),
        parameter: "press.pre".to_owned(),
        value: Some(400.0),
        worst: Some(400.0),
        limit: Some(350.0),
        limit_side: v1::LimitSide::Above.into(),
        unit: "mm[Hg]".to_owned(),
        onset_mono_ns: event.intended_ns,
        onset_wall_ns: 1_800_000_000_000_000_000,
        changed_mono_ns: event.intended_ns,
        latency: Some(v1::PathLatency {
            sampled_to_published_ns: Some(20_000_000),
            published_to_received_ns: Some(200_000),
            received_to_decided_ns: Some(20_000),
        }),
        unreviewed: true,
        ..v1::Alarm::default()
    };
    v1::WatchAlarmsResponse {
        sequence: event.sequence,
        epoch: u64::MAX / 3,
        now_mono_ns: event.intended_ns,
        update: Some(Update::Alarm(alarm)),
    }
}

/// The service without anything behind it.
#[derive(Debug)]
struct RawHop {
    outlets: Outlets,
}

fn not_here<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the raw hop only watches"))
}

#[tonic::async_trait]
impl AlarmService for RawHop {
    type WatchAlarmsStream = ReceiverStream<Item>;

    async fn watch_alarms(
        &self,
        _request: Request<v1::WatchAlarmsRequest>,
    ) -> Result<Response<Self::WatchAlarmsStream>, Status> {
        let (outlet, mailbox) = mpsc::channel(QUEUED_MAX);
        let first = v1::WatchAlarmsResponse {
            update: Some(Update::Snapshot(v1::AlarmSnapshot::default())),
            ..v1::WatchAlarmsResponse::default()
        };
        outlet.try_send(Ok(first)).map_err(|_full| Status::internal("a new mailbox is full"))?;
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner).push(outlet);
        Ok(Response::new(ReceiverStream::new(mailbox)))
    }

    async fn list_alarms(
        &self,
        _request: Request<v1::ListAlarmsRequest>,
    ) -> Result<Response<v1::ListAlarmsResponse>, Status> {
        not_here()
    }

    async fn confirm_alarms(
        &self,
        _request: Request<v1::ConfirmAlarmsRequest>,
    ) -> Result<Response<v1::ConfirmAlarmsResponse>, Status> {
        not_here()
    }

    async fn acknowledge_alarm(
        &self,
        _request: Request<v1::AcknowledgeAlarmRequest>,
    ) -> Result<Response<v1::AcknowledgeAlarmResponse>, Status> {
        not_here()
    }

    async fn pause_audio(
        &self,
        _request: Request<v1::PauseAudioRequest>,
    ) -> Result<Response<v1::PauseAudioResponse>, Status> {
        not_here()
    }

    async fn resume_audio(
        &self,
        _request: Request<v1::ResumeAudioRequest>,
    ) -> Result<Response<v1::ResumeAudioResponse>, Status> {
        not_here()
    }

    async fn shelve_alarm(
        &self,
        _request: Request<v1::ShelveAlarmRequest>,
    ) -> Result<Response<v1::ShelveAlarmResponse>, Status> {
        not_here()
    }

    async fn unshelve_alarm(
        &self,
        _request: Request<v1::UnshelveAlarmRequest>,
    ) -> Result<Response<v1::UnshelveAlarmResponse>, Status> {
        not_here()
    }

    async fn get_alarm_report(
        &self,
        _request: Request<v1::GetAlarmReportRequest>,
    ) -> Result<Response<v1::GetAlarmReportResponse>, Status> {
        not_here()
    }

    async fn list_missed_alarms(
        &self,
        _request: Request<v1::ListMissedAlarmsRequest>,
    ) -> Result<Response<v1::ListMissedAlarmsResponse>, Status> {
        Err(Status::unimplemented("a yardstick"))
    }
}
