//! Who looks after which pump: accepted, handed over, rejected; and at which bed it stands.

use ecmo_core::alarm::Refused;
use ecmo_proto::topic::PumpAddress;
use ecmo_proto::v1;
use ecmo_proto::v1::ownership_service_server::OwnershipService;
use tonic::{Request, Response, Status};

use super::people::{act, actor, bed, done, name};
use super::{Serving, address, convert, never_seen};
use crate::action::Intent;

/// The ownership service.
#[derive(Debug)]
pub(super) struct Owners {
    serving: Serving,
}

impl Owners {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }

    /// Does it, logs it, and answers with the ownership as it is now, and whether it is durable.
    async fn act(
        &self,
        action: &'static str,
        (address, by): (&PumpAddress, &str),
        intent: Intent,
        detail: &str,
    ) -> Result<(Option<v1::Ownership>, bool), Status> {
        let answer = act(&self.serving, intent, (by, "")).await?;
        let answer = answer.map_err(|error| refused(error, address));
        let done = done(action, by, &address.to_string(), detail, answer)?;
        Ok((done.applied.ownership.as_ref().map(convert::ownership), done.durable))
    }
}

/// The status that the contract promises for each refusal.
fn refused(refused: Refused, address: &PumpAddress) -> Status {
    match refused {
        Refused::Unknown => never_seen(address),
        Refused::NotTheirs => Status::failed_precondition(
            "somebody else looks after the pump, or it was not offered to you; look at it again",
        ),
        Refused::Changed { .. } | Refused::NeverShelved | Refused::NothingSounds => {
            Status::failed_precondition(
                "somebody else has just changed who looks after the pump; look at it again",
            )
        }
    }
}

#[tonic::async_trait]
impl OwnershipService for Owners {
    async fn accept_pump(
        &self,
        request: Request<v1::AcceptPumpRequest>,
    ) -> Result<Response<v1::AcceptPumpResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let intent = Intent::Accept { address: address.clone() };
        let (ownership, durable) = self.act("accept", (&address, &by), intent, "").await?;
        Ok(Response::new(v1::AcceptPumpResponse { ownership, durable }))
    }

    async fn hand_over_pump(
        &self,
        request: Request<v1::HandOverPumpRequest>,
    ) -> Result<Response<v1::HandOverPumpResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let to = name(&request.to, "to")?;
        let address = address(&request.ward, &request.pump)?;
        let intent = Intent::HandOver { address: address.clone(), to: to.clone() };
        let (ownership, durable) = self.act("hand over", (&address, &by), intent, &to).await?;
        Ok(Response::new(v1::HandOverPumpResponse { ownership, durable }))
    }

    async fn reject_pump(
        &self,
        request: Request<v1::RejectPumpRequest>,
    ) -> Result<Response<v1::RejectPumpResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let address = address(&request.ward, &request.pump)?;
        let intent = Intent::Reject { address: address.clone() };
        let (ownership, durable) = self.act("reject", (&address, &by), intent, "").await?;
        Ok(Response::new(v1::RejectPumpResponse { ownership, durable }))
    }

    async fn assign_bed(
        &self,
        request: Request<v1::AssignBedRequest>,
    ) -> Result<Response<v1::AssignBedResponse>, Status> {
        let (_head, who, request) = request.into_parts();
        let by = actor(&self.serving, &who, &request.by)?;
        let bed = bed(&request.bed)?;
        let address = address(&request.ward, &request.pump)?;
        let intent = Intent::AssignBed { address: address.clone(), bed: bed.clone() };
        let (ownership, durable) = self.act("assign bed", (&address, &by), intent, &bed).await?;
        Ok(Response::new(v1::AssignBedResponse { ownership, durable }))
    }
}
