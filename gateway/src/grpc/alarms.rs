//! Alarms for displays: lists, and what people do to alarms. Their stream has a lane of its own.

use std::time::Duration;

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_proto::topic::Id;
use ecmo_proto::v1;
use ecmo_proto::v1::alarm_service_server::AlarmService;
use futures_util::stream::Pending;
use tonic::{Request, Response, Status};

use super::lanes::in_front;
use super::people::{act, actor, done, name, no_answer, note, reason};
use super::{Serving, address, convert, never_seen, ward};
use crate::action::{Intent, Target};
use crate::actions::Done;
use crate::engine::Report;
use crate::fanout::AlarmUpdate;

/// Longest pause of sounds, in seconds (clinical reference, section 3.2).
const PAUSE_SECONDS_MAX: u32 = 120;

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

/// The alarm that an action was about, as it is now.
fn one_update(done: &Done) -> Result<(AlarmUpdate, bool), Refused> {
    let update = done.applied.updates.first().cloned().ok_or(Refused::Unknown)?;
    Ok((update, done.durable))
}

fn refused(refused: Refused) -> Status {
    match refused {
        Refused::Unknown => {
            Status::not_found("no such alarm: it has ended; look at the present list")
        }
        Refused::Changed { revision } => Status::failed_precondition(format!(
            "the alarm has changed and is now revision {revision}; look at it again"
        )),
        Refused::NeverShelved => Status::failed_precondition(
            "an alarm of high priority, or about air, disconnection or loss of data, is never shelved; pause its sound",
        ),
        Refused::NothingSounds => {
            Status::failed_precondition("nothing signals there; there is no sound to pause")
        }
        Refused::NotTheirs => {
            Status::failed_precondition("somebody else looks after the pump; look at it again")
        }
    }
}

/// The pump that was asked for; `None` for all.
fn pump(id: &str) -> Result<Option<Id>, Status> {
    if id.is_empty() {
        return Ok(None);
    }
    let wrong = |error| Status::invalid_argument(format!("pump: {error}"));
    Id::new(id).map(Some).map_err(wrong)
}

/// What a pause covers.
fn target(
    scope: v1::PauseScope,
    occurrence: String,
    ward: &str,
    pump: &str,
) -> Result<Target, Status> {
    match scope {
        v1::PauseScope::Alarm => Ok(Target::Alarm(occurrence)),
        v1::PauseScope::Pump => Ok(Target::Pump(address(ward, pump)?)),
        v1::PauseScope::Ward => {
            let ward = Id::new(ward);
            let wrong = |error| Status::invalid_argument(format!("ward: {error}"));
            Ok(Target::Ward(ward.map_err(wrong)?))
        }
        v1::PauseScope::Unspecified => {
            Err(Status::invalid_argument("scope: say alarm, pump or ward"))
        }
    }
}

fn report(report: &Report) -> v1::GetAlarmReportResponse {
    let summary = &report.summary;
    let total = &summary.total;
    let priorities = [Priority::Information, Priority::Low, Priority::Medium, Priority::High];
    let raised = priorities.into_iter().zip(total.raised).map(|(priority, raised)| {
        v1::PriorityCount { priority: convert::priority(priority).into(), raised }
    });
    let conditions = report.conditions.iter().map(|(condition, raised, chattering)| {
        let condition = (*condition).to_owned();
        v1::ConditionCount { condition, raised: *raised, chattering: *chattering }
    });
    let hours = summary.covered.as_secs_f64() / 3_600.0;
    v1::GetAlarmReportResponse {
        covered_ns: convert::nanos(summary.covered),
        raised: raised.collect(),
        // In the first minute an average would be a guess.
        per_hour: f64::from(total.alarms()) / hours.max(1.0 / 60.0),
        peak_hour: summary.peak_hour,
        floods: total.floods,
        in_flood: summary.in_flood,
        chattering: total.chattering,
        stale: report.stale,
        reminders: total.reminders,
        escalations: total.escalations,
        conditions: conditions.collect(),
        spikes: report.spikes,
    }
}

#[tonic::async_trait]
impl AlarmService for Alarms {
    type WatchAlarmsStream = Pending<Result<v1::WatchAlarmsResponse, Status>>;

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
        _request: Request<v1::WatchAlarmsRequest>,
    ) -> Result<Response<Self::WatchAlarmsStream>, Status> {
        Err(in_front())
    }

    async fn confirm_alarms(
        &self,
        request: Request<v1::ConfirmAlarmsRequest>,
    ) -> Result<Response<v1::ConfirmAlarmsResponse>, Status> {
        let request = request.into_inner();
        let display = name(&request.display, "display")?;
        let shown = request.shown.into_iter().map(|one| (one.occurrence, one.revision)).collect();
        let confirmed = self.serving.engine.confirm(display, shown).await.map_err(no_answer)?;
        Ok(Response::new(v1::ConfirmAlarmsResponse {
            known: confirmed.known,
            decided_to_confirmed_ns: confirmed.last_took.map(convert::nanos),
            counts: confirmed.counts,
        }))
    }

    async fn acknowledge_alarm(
        &self,
        request: Request<v1::AcknowledgeAlarmRequest>,
    ) -> Result<Response<v1::AcknowledgeAlarmResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let note = note(&request.note)?;
        let (id, revision) = (request.occurrence.clone(), request.revision);
        let intent = Intent::Acknowledge { id, revision };
        let answer = act(&self.serving, intent, (&by, &note)).await?;
        let answer = answer.and_then(|done| one_update(&done)).map_err(refused);
        let (update, durable) = done("acknowledge", &by, &request.occurrence, "", answer)?;
        let alarm = Some(convert::alarm(&update));
        Ok(Response::new(v1::AcknowledgeAlarmResponse { alarm, durable }))
    }

    async fn pause_audio(
        &self,
        request: Request<v1::PauseAudioRequest>,
    ) -> Result<Response<v1::PauseAudioResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        if request.seconds > PAUSE_SECONDS_MAX {
            return Err(Status::invalid_argument("seconds: use 1 to 120, or 0 for 120"));
        }
        let seconds = if request.seconds == 0 { PAUSE_SECONDS_MAX } else { request.seconds };
        let lasts = Duration::from_secs(u64::from(seconds));
        let scope = request.scope();
        let target = target(scope, request.occurrence, &request.ward, &request.pump)?;
        let what = target.to_string();
        let answer = act(&self.serving, Intent::Pause { target, lasts }, (&by, "")).await?;
        let answer = answer.map_err(|error| match (error, scope) {
            (Refused::Unknown, v1::PauseScope::Pump) => {
                Status::not_found("no such pump was ever seen; list the pumps for their names")
            }
            (error, _) => refused(error),
        });
        let paused = done("pause", &by, &what, &format!("{seconds} s"), answer)?;
        Ok(Response::new(v1::PauseAudioResponse {
            paused: paused.applied.count,
            until_mono_ns: paused.applied.until.map_or(0, |until| until.as_nanos()),
            durable: paused.durable,
        }))
    }

    async fn resume_audio(
        &self,
        request: Request<v1::ResumeAudioRequest>,
    ) -> Result<Response<v1::ResumeAudioResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let target = target(request.scope(), request.occurrence, &request.ward, &request.pump)?;
        let what = target.to_string();
        let answer = act(&self.serving, Intent::Resume { target }, (&by, "")).await?;
        let resumed = done("resume", &by, &what, "", answer.map_err(refused))?;
        Ok(Response::new(v1::ResumeAudioResponse {
            resumed: resumed.applied.count,
            durable: resumed.durable,
        }))
    }

    async fn shelve_alarm(
        &self,
        request: Request<v1::ShelveAlarmRequest>,
    ) -> Result<Response<v1::ShelveAlarmResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let reason = reason(&request.reason)?;
        let longest = self.serving.desk.profile().signals.shelve_max.as_secs() / 60;
        let minutes = u64::from(request.minutes);
        if minutes == 0 || minutes > longest {
            return Err(Status::invalid_argument(format!("minutes: use 1 to {longest}")));
        }
        let (id, lasts) = (request.occurrence.clone(), Duration::from_mins(minutes));
        let answer = act(&self.serving, Intent::Shelve { id, lasts }, (&by, &reason)).await?;
        let answer = answer.and_then(|done| one_update(&done)).map_err(refused);
        let why = format!("{minutes} min");
        let (update, durable) = done("shelve", &by, &request.occurrence, &why, answer)?;
        let alarm = Some(convert::alarm(&update));
        Ok(Response::new(v1::ShelveAlarmResponse { alarm, durable }))
    }

    async fn unshelve_alarm(
        &self,
        request: Request<v1::UnshelveAlarmRequest>,
    ) -> Result<Response<v1::UnshelveAlarmResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let not_shelved =
            || Status::not_found("the condition is not shelved there; look at the treatment");
        let condition = Condition::from_id(&request.condition).ok_or_else(not_shelved)?;
        let what = format!("{address}/{condition}");
        let intent = Intent::Unshelve { address, condition };
        let answer = act(&self.serving, intent, (&by, "")).await?;
        let answer = answer.map_err(|_not_shelved| not_shelved());
        let durable = done("unshelve", &by, &what, "", answer)?.durable;
        Ok(Response::new(v1::UnshelveAlarmResponse { durable }))
    }

    async fn get_alarm_report(
        &self,
        request: Request<v1::GetAlarmReportRequest>,
    ) -> Result<Response<v1::GetAlarmReportResponse>, Status> {
        let request = request.into_inner();
        let address = address(&request.ward, &request.pump)?;
        let found = self.serving.engine.report(address.clone()).await.map_err(no_answer)?;
        Ok(Response::new(report(&found.ok_or_else(|| never_seen(&address))?)))
    }

    async fn list_missed_alarms(
        &self,
        request: Request<v1::ListMissedAlarmsRequest>,
    ) -> Result<Response<v1::ListMissedAlarmsResponse>, Status> {
        let request = request.into_inner();
        let (of_ward, of_pump) = (ward(&request.ward)?, pump(&request.pump)?);
        let missed = self.serving.missed.as_ref().ok_or_else(|| {
            Status::unavailable("nothing is recorded here; set dir under [journal] of the gateway")
        })?;
        let missed = missed.list(of_ward.as_ref(), of_pump.as_ref());
        let missed = missed.iter().map(|(address, one)| convert::missed(address, one)).collect();
        Ok(Response::new(v1::ListMissedAlarmsResponse { missed }))
    }
}
