//! What people say about a treatment: case, limits, contexts. Each change names the version that it rests on.

use ecmo_proto::v1 as wire;
use wire::treatment_service_client::TreatmentServiceClient;

use super::{ClientError, Gateway, Link, MESSAGE_BYTES_MAX, timed};
use crate::age::GatewayTime;
use crate::convert;
use crate::model::{CaseEdit, ContextKind, Preview, PumpName, Treatment};

/// A treatment at a time.
#[derive(Debug, Clone)]
pub(crate) struct TreatmentAnswer {
    pub(crate) treatment: Treatment,
    pub(crate) now: GatewayTime,
    /// As it came, so that a change keeps what this display does not know.
    raw_case: Option<wire::Case>,
}

impl TreatmentAnswer {
    fn new(raw: Option<wire::Treatment>, name: PumpName, now: GatewayTime) -> Self {
        let raw = raw.unwrap_or_default();
        let raw_case = raw.case.clone();
        Self { raw_case, treatment: Treatment { name, ..convert::treatment(raw) }, now }
    }

    /// As it is after a change. The answer to one tells no time of the gateway: `now` stays that of what was read before.
    fn after(&self, raw: Option<wire::Treatment>) -> Self {
        Self::new(raw, self.treatment.name.clone(), self.now)
    }

    fn ids(&self) -> (String, String) {
        let PumpName { ward, pump } = self.treatment.name.clone();
        (ward, pump)
    }
}

impl Gateway {
    fn treatments_client(&self) -> TreatmentServiceClient<Link> {
        TreatmentServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// The treatment at a pump.
    pub(crate) async fn treatment(&self, name: &PumpName) -> Result<TreatmentAnswer, ClientError> {
        let PumpName { ward, pump } = name.clone();
        let mut client = self.treatments_client();
        let call = client.get_treatment(timed(wire::GetTreatmentRequest { ward, pump }));
        let answer = self.answer("get treatment", call).await?;
        let now = GatewayTime(answer.now_mono_ns);
        Ok(TreatmentAnswer::new(answer.treatment, name.clone(), now))
    }

    /// Begins the treatment of a new patient.
    pub(crate) async fn start_case(
        &self,
        seen: &TreatmentAnswer,
        edit: &CaseEdit,
        by: &str,
    ) -> Result<TreatmentAnswer, ClientError> {
        let (ward, pump) = seen.ids();
        let case = Some(convert::edited(wire::Case::default(), edit));
        let version = seen.treatment.version;
        let request = wire::StartTreatmentRequest { ward, pump, case, by: by.to_owned(), version };
        let mut client = self.treatments_client();
        let answer = self.changed("start case", client.start_treatment(request)).await?;
        Ok(seen.after(answer.treatment))
    }

    /// Changes the case of the same patient; what is not named stays.
    pub(crate) async fn change_case(
        &self,
        seen: &TreatmentAnswer,
        edit: &CaseEdit,
        by: &str,
    ) -> Result<TreatmentAnswer, ClientError> {
        let (ward, pump) = seen.ids();
        let case = Some(convert::edited(seen.raw_case.clone().unwrap_or_default(), edit));
        let version = seen.treatment.version;
        let request = wire::ChangeCaseRequest { ward, pump, case, by: by.to_owned(), version };
        let mut client = self.treatments_client();
        let answer = self.changed("change case", client.change_case(request)).await?;
        Ok(seen.after(answer.treatment))
    }

    /// Sets a limit, or takes back what was set where there is no number.
    pub(crate) async fn set_limit(
        &self,
        seen: &TreatmentAnswer,
        rule: &str,
        number: Option<f32>,
        by: &str,
        reason: &str,
    ) -> Result<TreatmentAnswer, ClientError> {
        let (ward, pump) = seen.ids();
        let request = wire::SetLimitRequest {
            ward,
            pump,
            rule: rule.to_owned(),
            number,
            by: by.to_owned(),
            reason: reason.to_owned(),
            version: seen.treatment.version,
        };
        let mut client = self.treatments_client();
        let answer = self.changed("set limit", client.set_limit(request)).await?;
        Ok(seen.after(answer.treatment))
    }

    /// What a limit would have done over the data that the gateway still holds; changes nothing.
    pub(crate) async fn preview_limit(
        &self,
        name: &PumpName,
        rule: &str,
        number: f32,
    ) -> Result<Preview, ClientError> {
        let PumpName { ward, pump } = name.clone();
        let request = wire::PreviewLimitRequest { ward, pump, rule: rule.to_owned(), number };
        let mut client = self.treatments_client();
        // Half an hour of data is judged for it.
        let answer = self.changed("preview limit", client.preview_limit(request)).await?;
        Ok(convert::preview(&answer))
    }

    /// Declares a context; one that is declared already is prolonged or cut short.
    pub(crate) async fn start_context(
        &self,
        seen: &TreatmentAnswer,
        kind: ContextKind,
        minutes: u32,
        by: &str,
    ) -> Result<TreatmentAnswer, ClientError> {
        let (ward, pump) = seen.ids();
        let kind = convert::raw_context(kind).into();
        let request = wire::StartContextRequest { ward, pump, kind, minutes, by: by.to_owned() };
        let mut client = self.treatments_client();
        let answer = self.changed("start context", client.start_context(request)).await?;
        Ok(seen.after(answer.treatment))
    }

    /// Ends a context before its time.
    pub(crate) async fn end_context(
        &self,
        seen: &TreatmentAnswer,
        kind: ContextKind,
        by: &str,
    ) -> Result<TreatmentAnswer, ClientError> {
        let (ward, pump) = seen.ids();
        let kind = convert::raw_context(kind).into();
        let request = wire::EndContextRequest { ward, pump, kind, by: by.to_owned() };
        let mut client = self.treatments_client();
        let answer = self.changed("end context", client.end_context(request)).await?;
        Ok(seen.after(answer.treatment))
    }
}
