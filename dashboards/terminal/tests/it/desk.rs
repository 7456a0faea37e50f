//! The scripted gateway where people act: treatments with their versions, refusals, answers that stay away.

use std::fmt::Debug;

use ecmo_proto::v1::treatment_service_server::TreatmentService;
use ecmo_proto::v1::*;
use tonic::{Request, Response, Status};

use crate::gateway::{Answers, Gateway, ago_ms};

/// A treatment at version 7 with one limit that may be set and one that may not, a context and a gap.
pub(crate) fn treatment() -> Treatment {
    let limit = |rule: &str, number, settable: Option<(f32, f32)>| LimitInForce {
        rule: rule.to_owned(),
        condition: "flow.low".to_owned(),
        parameter: "flow.blood".to_owned(),
        side: LimitSide::Below.into(),
        number,
        number_unit: "mL/kg/min".to_owned(),
        profile_number: number,
        limit: Some(number * 3.2),
        unit: "mL/min".to_owned(),
        settable_low: settable.map(|(low, _)| low),
        settable_high: settable.map(|(_, high)| high),
        priority: AlarmPriority::Medium.into(),
        delay_ns: 3_000_000_000,
        ..LimitInForce::default()
    };
    Treatment {
        ward: "nicu".to_owned(),
        pump: "pump-1".to_owned(),
        version: 7,
        case: Some(Case {
            pseudonym: "neo-7".to_owned(),
            weight_kg: Some(3.2),
            therapy: Therapy::VenoArterial.into(),
            ..Case::default()
        }),
        limits: vec![limit("flow.low", 80.0, Some((60.0, 120.0))), limit("flow.fixed", 5.0, None)],
        gaps: vec![RuleGap {
            rule: "flow.low#2".to_owned(),
            reason: GapReason::NoFlowTarget.into(),
            ..RuleGap::default()
        }],
        profile: Some(ProfileInForce {
            name: "neonatal-starter".to_owned(),
            version: 1,
            ..ProfileInForce::default()
        }),
        durable: true,
        ..Treatment::default()
    }
}

/// A change of the limit by somebody else, which made version 8.
pub(crate) fn changed_by_bo() -> Treatment {
    let mut changed = treatment();
    changed.version = 8;
    changed.changes = vec![LimitChange {
        rule: "flow.low".to_owned(),
        from: 80.0,
        to: 75.0,
        by: "Bo".to_owned(),
        reason: "stable".to_owned(),
        wall_ns: 1_700_000_000_000_000_000,
        version: 8,
    }];
    changed
}

impl Gateway {
    /// Notes what a person asks for, and does what the script says about it.
    pub(crate) async fn act(&self, request: &impl Debug) -> Result<(), Status> {
        let (refusal, swallows) = {
            let mut script = self.script();
            script.acts.push(format!("{request:?}"));
            (script.refusal.clone(), script.swallows_answers)
        };
        if swallows {
            std::future::pending::<()>().await;
        }
        refusal.map_or(Ok(()), Err)
    }

    /// An alarm that has not ended.
    pub(crate) fn alarm(&self, occurrence: &str) -> Result<Alarm, Status> {
        let script = self.script();
        let found = script.alarms.iter().find(|alarm| alarm.occurrence == occurrence);
        found.cloned().ok_or_else(|| Status::not_found("it has ended"))
    }

    /// Changes the treatment as the real desk does: only the version that was seen.
    async fn change(
        &self,
        request: &impl Debug,
        version: Option<u64>,
        change: impl FnOnce(&mut Treatment),
    ) -> Result<Treatment, Status> {
        self.act(request).await?;
        let mut script = self.script();
        if let Some(meanwhile) = script.meanwhile.take() {
            script.treatment = meanwhile;
        }
        if version.is_some_and(|version| version != script.treatment.version) {
            return Err(Status::aborted("another version"));
        }
        change(&mut script.treatment);
        script.treatment.version += 1;
        Ok(script.treatment.clone())
    }
}

#[tonic::async_trait]
impl TreatmentService for Gateway {
    async fn get_treatment(
        &self,
        request: Request<GetTreatmentRequest>,
    ) -> Result<Response<GetTreatmentResponse>, Status> {
        let request = request.into_inner();
        if request.pump == "pump-9" {
            return Err(Status::not_found("pump pump-9 was never seen: is its agent on?"));
        }
        let treatment = Some(self.script().treatment.clone());
        Ok(Response::new(GetTreatmentResponse { treatment, now_mono_ns: self.now() }))
    }

    type WatchTreatmentsStream = Answers<WatchTreatmentsResponse>;

    async fn watch_treatments(
        &self,
        _request: Request<WatchTreatmentsRequest>,
    ) -> Result<Response<Self::WatchTreatmentsStream>, Status> {
        Err(Status::unimplemented("no command watches treatments"))
    }

    async fn start_treatment(
        &self,
        request: Request<StartTreatmentRequest>,
    ) -> Result<Response<StartTreatmentResponse>, Status> {
        let request = request.into_inner();
        let (version, case) = (Some(request.version), request.case.clone());
        let treatment = self.change(&request, version, |present| present.case = case).await?;
        Ok(Response::new(StartTreatmentResponse { treatment: Some(treatment) }))
    }

    async fn change_case(
        &self,
        request: Request<ChangeCaseRequest>,
    ) -> Result<Response<ChangeCaseResponse>, Status> {
        let request = request.into_inner();
        let (version, case) = (Some(request.version), request.case.clone());
        let treatment = self.change(&request, version, |present| present.case = case).await?;
        Ok(Response::new(ChangeCaseResponse { treatment: Some(treatment) }))
    }

    async fn set_limit(
        &self,
        request: Request<SetLimitRequest>,
    ) -> Result<Response<SetLimitResponse>, Status> {
        let request = request.into_inner();
        let set = |treatment: &mut Treatment| {
            let limit = treatment.limits.iter_mut().find(|limit| limit.rule == request.rule);
            let limit = limit.unwrap();
            limit.number = request.number.unwrap_or(limit.profile_number);
            limit.is_set = request.number.is_some();
            limit.limit = Some(limit.number * 3.2);
        };
        let treatment = self.change(&request, Some(request.version), set).await?;
        Ok(Response::new(SetLimitResponse { treatment: Some(treatment) }))
    }

    async fn preview_limit(
        &self,
        _request: Request<PreviewLimitRequest>,
    ) -> Result<Response<PreviewLimitResponse>, Status> {
        Ok(Response::new(PreviewLimitResponse {
            would_alarm: 2,
            covered_ns: 1_800_000_000_000,
            unit: "mL/min".to_owned(),
            ..PreviewLimitResponse::default()
        }))
    }

    async fn start_context(
        &self,
        request: Request<StartContextRequest>,
    ) -> Result<Response<StartContextResponse>, Status> {
        let request = request.into_inner();
        let context = Context {
            kind: request.kind,
            by: request.by.clone(),
            since_wall_ns: 1_700_000_000_000_000_000,
            until_mono_ns: ago_ms(0) + u64::from(request.minutes) * 60_000_000_000,
        };
        let declare = |treatment: &mut Treatment| treatment.contexts = vec![context];
        let treatment = self.change(&request, None, declare).await?;
        Ok(Response::new(StartContextResponse { treatment: Some(treatment) }))
    }

    async fn end_context(
        &self,
        request: Request<EndContextRequest>,
    ) -> Result<Response<EndContextResponse>, Status> {
        let end = |treatment: &mut Treatment| treatment.contexts.clear();
        let treatment = self.change(&request.into_inner(), None, end).await?;
        Ok(Response::new(EndContextResponse { treatment: Some(treatment) }))
    }
}
