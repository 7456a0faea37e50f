//! Alarms for displays: a snapshot, every change in order, a heartbeat from the alarm thread itself.

use std::pin::Pin;

use ecmo_core::alarm::AcknowledgeError;
use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_server::AlarmService;
use ecmo_proto::v1::watch_alarms_response::Update;
use futures_util::stream::{Stream, try_unfold};
use tonic::{Request, Response, Status};

use super::{OpenStream, Serving, convert, ward};
use crate::engine::NoAnswer;
use crate::fanout::{AlarmItem, AlarmMailbox, MailboxEnd, Stamped};
use crate::metrics::StreamKind;

/// Longest name of a display or a person, in characters.
const NAME_CHARS_MAX: usize = 64;

/// The alarm service.
#[derive(Debug)]
pub(super) struct Alarms {
    serving: Serving,
}

impl Alarms {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }
}

/// One display's watch.
#[derive(Debug)]
struct Watch {
    mailbox: AlarmMailbox,
    epoch: u64,
    sequence: u64,
    _open: OpenStream,
}

impl Watch {
    async fn next(&mut self) -> Result<v1::WatchAlarmsResponse, Status> {
        let stamped = self.mailbox.next().await.map_err(|end| match end {
            MailboxEnd::CutOff => Status::resource_exhausted(
                "this display read alarms too slowly and was cut off; watch again for a snapshot",
            ),
            MailboxEnd::Closed => {
                Status::unavailable("the gateway is ending; treat every pump as unknown")
            }
        })?;
        let sequence = self.sequence;
        self.sequence += 1;
        Ok(response(&stamped, sequence, self.epoch))
    }
}

fn response(stamped: &Stamped, sequence: u64, epoch: u64) -> v1::WatchAlarmsResponse {
    let update = match &stamped.item {
        AlarmItem::Snapshot(alarms) => {
            let alarms = alarms.iter().map(convert::alarm).collect();
            Update::Snapshot(v1::AlarmSnapshot { alarms })
        }
        AlarmItem::Change(update) => Update::Alarm(convert::alarm(update)),
        AlarmItem::Heartbeat => Update::Heartbeat(v1::Heartbeat { wall_ns: stamped.wall_ns }),
    };
    v1::WatchAlarmsResponse {
        sequence,
        epoch,
        now_mono_ns: stamped.made_at.as_nanos(),
        update: Some(update),
    }
}

fn no_answer(error: NoAnswer) -> Status {
    Status::unavailable(error.to_string())
}

/// A name that a person gave; it is shown to others.
fn name(text: &str, what: &str) -> Result<String, Status> {
    let name = text.trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    if !fits || name.chars().any(char::is_control) {
        return Err(Status::invalid_argument(format!(
            "{what}: give a name of 1 to {NAME_CHARS_MAX} printable characters"
        )));
    }
    Ok(name.to_owned())
}

#[tonic::async_trait]
impl AlarmService for Alarms {
    type WatchAlarmsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchAlarmsResponse, Status>> + Send>>;

    async fn list_alarms(
        &self,
        request: Request<v1::ListAlarmsRequest>,
    ) -> Result<Response<v1::ListAlarmsResponse>, Status> {
        let ward = ward(&request.get_ref().ward)?;
        let alarms = self.serving.engine.list(ward).await.map_err(no_answer)?;
        Ok(Response::new(v1::ListAlarmsResponse {
            alarms: alarms.iter().map(convert::alarm).collect(),
            now_mono_ns: self.serving.clock.now().as_nanos(),
            epoch: self.serving.epoch,
        }))
    }

    async fn watch_alarms(
        &self,
        request: Request<v1::WatchAlarmsRequest>,
    ) -> Result<Response<Self::WatchAlarmsStream>, Status> {
        let request = request.into_inner();
        let ward = ward(&request.ward)?;
        if !request.display.is_empty() {
            let watcher = name(&request.display, "display")?;
            tracing::info!(display = watcher, "watches alarms");
        }
        let open = self.serving.metrics.subscriptions_active(&request.ward);
        let watch = Watch {
            mailbox: self.serving.engine.watch(ward).map_err(no_answer)?,
            epoch: self.serving.epoch,
            sequence: 0,
            _open: OpenStream::new(open.get(StreamKind::Alarm)),
        };
        Ok(Response::new(Box::pin(try_unfold(watch, async |mut watch| {
            Ok(Some((watch.next().await?, watch)))
        }))))
    }

    async fn confirm_alarms(
        &self,
        request: Request<v1::ConfirmAlarmsRequest>,
    ) -> Result<Response<v1::ConfirmAlarmsResponse>, Status> {
        let request = request.into_inner();
        name(&request.display, "display")?;
        let shown = request.shown.into_iter().map(|one| (one.occurrence, one.revision)).collect();
        let confirmed = self.serving.engine.confirm(shown).await.map_err(no_answer)?;
        Ok(Response::new(v1::ConfirmAlarmsResponse {
            known: confirmed.known,
            decided_to_confirmed_ns: confirmed.last_took.map(convert::nanos),
        }))
    }

    async fn acknowledge_alarm(
        &self,
        request: Request<v1::AcknowledgeAlarmRequest>,
    ) -> Result<Response<v1::AcknowledgeAlarmResponse>, Status> {
        let request = request.into_inner();
        let by = name(&request.by, "by")?;
        let answer = self.serving.engine.acknowledge(request.occurrence, request.revision, by);
        let update = answer.await.map_err(no_answer)?.map_err(|refused| match refused {
            AcknowledgeError::Unknown => {
                Status::not_found("no such alarm: it has ended; look at the present list")
            }
            AcknowledgeError::Changed { revision } => Status::failed_precondition(format!(
                "the alarm has changed and is now revision {revision}; look at it again"
            )),
        })?;
        // Kept in memory only: a display must not take it for safe.
        Ok(Response::new(v1::AcknowledgeAlarmResponse {
            alarm: Some(convert::alarm(&update)),
            durable: false,
        }))
    }
}
