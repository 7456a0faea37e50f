//! What people say and do: treatments, limits, contexts, pauses, shelving, reports; and that it survives.
#![cfg(test)]

mod canaries;

mod limits;

mod pauses;

mod reports;

mod restarts;

mod storm;

mod treatments;

use ecmo_proto::v1;
use ecmo_proto::v1::treatment_service_client::TreatmentServiceClient;
use ecmo_testkit::eventually;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::display::{Display, SOON};

/// A baby of 3 kg whose flow limit is 240 mL/min by the starter profile.
pub(crate) fn case() -> v1::Case {
    v1::Case {
        pseudonym: "blue".to_owned(),
        weight_kg: Some(3.0),
        therapy: v1::Therapy::VenoArterial.into(),
        flow_target: Some(300.0),
        indication: v1::Indication::DiaphragmaticHernia.into(),
        ..v1::Case::default()
    }
}

fn nicu() -> String {
    "nicu".to_owned()
}

/// One person at a display.
pub(crate) struct Desk<'a> {
    pub(crate) display: &'a Display,
    pub(crate) pump: String,
}

impl<'a> Desk<'a> {
    pub(crate) fn at(display: &'a Display, pump: &str) -> Self {
        Self { display, pump: pump.to_owned() }
    }

    pub(crate) fn client(&self) -> TreatmentServiceClient<Channel> {
        TreatmentServiceClient::new(self.display.channel.clone())
    }

    pub(crate) async fn treatment(&self) -> v1::Treatment {
        let request = v1::GetTreatmentRequest { ward: nicu(), pump: self.pump.clone() };
        self.client().get_treatment(request).await.unwrap().into_inner().treatment.unwrap()
    }

    pub(crate) async fn start(
        &self,
        case: v1::Case,
        version: u64,
    ) -> Result<v1::Treatment, Status> {
        let request = v1::StartTreatmentRequest {
            ward: nicu(),
            pump: self.pump.clone(),
            case: Some(case),
            by: "A. Doctor".to_owned(),
            version,
        };
        let answer = self.client().start_treatment(request).await;
        answer.map(|answer| answer.into_inner().treatment.unwrap())
    }

    pub(crate) async fn change(
        &self,
        case: v1::Case,
        version: u64,
    ) -> Result<v1::Treatment, Status> {
        let request = v1::ChangeCaseRequest {
            ward: nicu(),
            pump: self.pump.clone(),
            case: Some(case),
            by: "A. Doctor".to_owned(),
            version,
        };
        let answer = self.client().change_case(request).await;
        answer.map(|answer| answer.into_inner().treatment.unwrap())
    }

    pub(crate) async fn set(
        &self,
        rule: &str,
        number: Option<f32>,
        version: u64,
    ) -> Result<v1::Treatment, Status> {
        let request = v1::SetLimitRequest {
            ward: nicu(),
            pump: self.pump.clone(),
            rule: rule.to_owned(),
            number,
            by: "A. Doctor".to_owned(),
            reason: "as agreed on the round".to_owned(),
            version,
        };
        let answer = self.client().set_limit(request).await;
        answer.map(|answer| answer.into_inner().treatment.unwrap())
    }

    pub(crate) async fn declare(
        &self,
        kind: v1::ContextKind,
        minutes: u32,
    ) -> Result<v1::Treatment, Status> {
        let request = v1::StartContextRequest {
            ward: nicu(),
            pump: self.pump.clone(),
            kind: kind.into(),
            minutes,
            by: "A. Nurse".to_owned(),
        };
        let answer = self.client().start_context(request).await;
        answer.map(|answer| answer.into_inner().treatment.unwrap())
    }

    pub(crate) async fn end(&self, kind: v1::ContextKind) -> Result<v1::Treatment, Status> {
        let request = v1::EndContextRequest {
            ward: nicu(),
            pump: self.pump.clone(),
            kind: kind.into(),
            by: "A. Nurse".to_owned(),
        };
        let answer = self.client().end_context(request).await;
        answer.map(|answer| answer.into_inner().treatment.unwrap())
    }

    pub(crate) async fn preview(
        &self,
        rule: &str,
        number: f32,
    ) -> Result<v1::PreviewLimitResponse, Status> {
        let request = v1::PreviewLimitRequest {
            ward: nicu(),
            pump: self.pump.clone(),
            rule: rule.to_owned(),
            number,
        };
        self.client().preview_limit(request).await.map(tonic::Response::into_inner)
    }

    /// Waits until the treatment is so.
    pub(crate) async fn await_treatment(
        &self,
        what: &str,
        is_it: impl Fn(&v1::Treatment) -> bool,
    ) -> v1::Treatment {
        eventually(SOON, what, async || {
            let treatment = self.treatment().await;
            if is_it(&treatment) { Ok(treatment) } else { Err(format!("{treatment:#?}")) }
        })
        .await
        .unwrap()
    }
}

/// Of a treatment, one limit.
pub(crate) fn limit(treatment: &v1::Treatment, rule: &str) -> v1::LimitInForce {
    treatment.limits.iter().find(|limit| limit.rule == rule).unwrap().clone()
}

/// Why a rule cannot be judged, if it cannot.
pub(crate) fn gap(treatment: &v1::Treatment, rule: &str) -> Option<v1::GapReason> {
    treatment.gaps.iter().find(|gap| gap.rule == rule).map(v1::RuleGap::reason)
}

/// Refused so, with something to do in its words.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, words: &str) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(words), "{status}");
}

/// Whether two numbers are the same but for the steps of an f32.
pub(crate) fn near(one: Option<f32>, other: f32) -> bool {
    one.is_some_and(|one| (one - other).abs() < 1e-3)
}
