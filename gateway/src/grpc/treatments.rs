//! Treatments for displays: read, watched, and changed by people who name themselves and the version that they saw.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::time::Instant;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1;
use ecmo_proto::v1::treatment_service_server::TreatmentService;
use futures_util::stream::{Stream, try_unfold};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::{Extensions, Request, Response, Status};

use super::people::{actor, done};
use super::treatment::{case_entry, context_of, treatment};
use super::{OpenStream, Serving, address, convert, never_seen, ward};
use crate::desk::{DeskError, Standing};
use crate::fanout::{PumpSlot, RuleBook};
use crate::metrics::StreamKind;
use crate::treatment::{ChangeError, Person};

/// How often changes are looked for: a display has them well within a quarter of a second.
const LOOK: Duration = Duration::from_millis(100);

/// Longest time without a message.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The treatment service.
#[derive(Debug)]
pub(super) struct Treatments {
    serving: Serving,
}

impl Treatments {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }

    /// Who acts.
    fn person(&self, who: &Extensions, said: &str) -> Result<Person, Status> {
        let by = actor(&self.serving, who, said)?;
        Person::new(&by).map_err(|error| status(error.into()))
    }

    fn slot(&self, address: &PumpAddress) -> Result<Arc<PumpSlot>, Status> {
        self.serving.registry.get(address).ok_or_else(|| never_seen(address))
    }

    /// Logs a change, and answers with the treatment as it is now.
    fn changed(
        &self,
        action: &'static str,
        by: &Person,
        address: &PumpAddress,
        detail: &str,
        answer: Result<Arc<Standing>, DeskError>,
    ) -> Result<Option<v1::Treatment>, Status> {
        let what = address.to_string();
        let standing = done(action, by.as_str(), &what, detail, answer.map_err(status))?;
        let book = self.slot(address)?.rules();
        Ok(Some(treatment(address, &standing, &book, self.serving.desk.profile())))
    }
}

/// The status that the contract promises for each refusal.
fn status(error: DeskError) -> Status {
    let message = error.to_string();
    match error {
        DeskError::UnknownPump(_) => Status::not_found(message),
        DeskError::NotEvaluable(..) => Status::failed_precondition(message),
        DeskError::NoAnswer(_) | DeskError::NotConfirmed => Status::unavailable(message),
        DeskError::Change(refused) => match refused {
            ChangeError::Version { .. } => Status::aborted(message),
            ChangeError::NoCase | ChangeError::OtherCircuit(_) => {
                Status::failed_precondition(message)
            }
            ChangeError::Invalid(_) => Status::invalid_argument(message),
            ChangeError::UnknownRule(_) | ChangeError::NotDeclared(_) => Status::not_found(message),
        },
    }
}

type Seen = (Arc<Standing>, Arc<RuleBook>);

/// One display's watch. Nothing is queued for it: each message is made when it is due.
#[derive(Debug)]
struct Watch {
    serving: Serving,
    ward: Option<Id>,
    looks: Interval,
    seen: HashMap<PumpAddress, Seen>,
    sent_at: Instant,
    sequence: u64,
    _open: OpenStream,
}

impl Watch {
    async fn next(&mut self) -> Result<v1::WatchTreatmentsResponse, Status> {
        loop {
            self.looks.tick().await;
            let treatments = self.changed();
            let now = self.serving.clock.now();
            let quiet = treatments.is_empty() && self.sequence > 0;
            if quiet && now.since(self.sent_at) < HEARTBEAT {
                continue;
            }
            let sequence = self.sequence;
            self.sequence += 1;
            self.sent_at = now;
            return Ok(v1::WatchTreatmentsResponse {
                treatments,
                now_mono_ns: now.as_nanos(),
                epoch: self.serving.epoch,
                sequence,
            });
        }
    }

    /// Treatments that the display has not seen as they are.
    fn changed(&mut self) -> Vec<v1::Treatment> {
        let mut changed = Vec::new();
        for slot in self.serving.registry.list(self.ward.as_ref()) {
            let (standing, book) = (self.serving.desk.standing(&slot.address), slot.rules());
            let is_same =
                |(stood, ruled): &Seen| Arc::ptr_eq(stood, &standing) && Arc::ptr_eq(ruled, &book);
            if self.seen.get(&slot.address).is_some_and(is_same) {
                continue;
            }
            let profile = self.serving.desk.profile();
            changed.push(treatment(&slot.address, &standing, &book, profile));
            self.seen.insert(slot.address.clone(), (standing, book));
        }
        changed
    }
}

#[tonic::async_trait]
impl TreatmentService for Treatments {
    type WatchTreatmentsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchTreatmentsResponse, Status>> + Send>>;

    async fn get_treatment(
        &self,
        request: Request<v1::GetTreatmentRequest>,
    ) -> Result<Response<v1::GetTreatmentResponse>, Status> {
        let request = request.into_inner();
        let address = address(&request.ward, &request.pump)?;
        let book = self.slot(&address)?.rules();
        let desk = &self.serving.desk;
        let treatment = treatment(&address, &desk.standing(&address), &book, desk.profile());
        Ok(Response::new(v1::GetTreatmentResponse {
            treatment: Some(treatment),
            now_mono_ns: self.serving.clock.now().as_nanos(),
        }))
    }

    async fn watch_treatments(
        &self,
        request: Request<v1::WatchTreatmentsRequest>,
    ) -> Result<Response<Self::WatchTreatmentsStream>, Status> {
        let request = request.into_inner();
        let ward = ward(&request.ward)?;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let open = self.serving.metrics.subscriptions_active(&request.ward);
        let watch = Watch {
            serving: self.serving.clone(),
            ward,
            looks,
            seen: HashMap::new(),
            sent_at: self.serving.clock.now(),
            sequence: 0,
            _open: OpenStream::new(open.get(StreamKind::Treatment)),
        };
        Ok(Response::new(Box::pin(try_unfold(watch, async |mut watch| {
            Ok(Some((watch.next().await?, watch)))
        }))))
    }

    async fn start_treatment(
        &self,
        request: Request<v1::StartTreatmentRequest>,
    ) -> Result<Response<v1::StartTreatmentResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = self.person(&who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let case = case_entry(request.case)?;
        let desk = &self.serving.desk;
        let answer = desk.start(address.clone(), request.version, case, by.clone()).await;
        let treatment = self.changed("start treatment", &by, &address, "", answer)?;
        Ok(Response::new(v1::StartTreatmentResponse { treatment }))
    }

    async fn change_case(
        &self,
        request: Request<v1::ChangeCaseRequest>,
    ) -> Result<Response<v1::ChangeCaseResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = self.person(&who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let case = case_entry(request.case)?;
        let desk = &self.serving.desk;
        let answer = desk.change_case(address.clone(), request.version, case, by.clone()).await;
        let treatment = self.changed("change case", &by, &address, "", answer)?;
        Ok(Response::new(v1::ChangeCaseResponse { treatment }))
    }

    async fn set_limit(
        &self,
        request: Request<v1::SetLimitRequest>,
    ) -> Result<Response<v1::SetLimitResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = self.person(&who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let to =
            request.number.map_or_else(|| "the profile's".to_owned(), |number| number.to_string());
        let detail = format!("{:?} to {to}", request.rule);
        let limit = (request.rule, request.number);
        let why = (by.clone(), request.reason);
        let desk = &self.serving.desk;
        let answer = desk.set_limit(address.clone(), request.version, limit, why).await;
        let treatment = self.changed("set limit", &by, &address, &detail, answer)?;
        Ok(Response::new(v1::SetLimitResponse { treatment }))
    }

    async fn preview_limit(
        &self,
        request: Request<v1::PreviewLimitRequest>,
    ) -> Result<Response<v1::PreviewLimitResponse>, Status> {
        let request = request.into_inner();
        let address = address(&request.ward, &request.pump)?;
        let desk = &self.serving.desk;
        let trial =
            desk.try_limit(&address, &request.rule, request.number).await.map_err(status)?;
        let wanted = &trial.wanted;
        // What lies beyond the sensor's range has no number.
        let finite = |number: f32| number.is_finite().then_some(number);
        Ok(Response::new(v1::PreviewLimitResponse {
            would_alarm: wanted.alarms,
            in_force_alarms: trial.in_force_alarms,
            covered_ns: convert::nanos(wanted.covered),
            without_data_ns: convert::nanos(wanted.without_data),
            lowest: wanted.extremes.and_then(|(low, _high)| finite(low)),
            highest: wanted.extremes.and_then(|(_low, high)| finite(high)),
            unit: trial.parameter.info().unit.to_owned(),
        }))
    }

    async fn start_context(
        &self,
        request: Request<v1::StartContextRequest>,
    ) -> Result<Response<v1::StartContextResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = self.person(&who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let kind = context_of(request.kind)?;
        let detail = format!("{} for {} min", kind.id(), request.minutes);
        let desk = &self.serving.desk;
        let answer = desk.start_context(address.clone(), kind, request.minutes, by.clone()).await;
        let treatment = self.changed("start context", &by, &address, &detail, answer)?;
        Ok(Response::new(v1::StartContextResponse { treatment }))
    }

    async fn end_context(
        &self,
        request: Request<v1::EndContextRequest>,
    ) -> Result<Response<v1::EndContextResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = self.person(&who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let kind = context_of(request.kind)?;
        let answer = self.serving.desk.end_context(address.clone(), kind, &by).await;
        let treatment = self.changed("end context", &by, &address, kind.id(), answer)?;
        Ok(Response::new(v1::EndContextResponse { treatment }))
    }
}
