//! The scripted gateway's services for displays and for who looks after a pump.

use ecmo_proto::v1::display_service_server::DisplayService;
use ecmo_proto::v1::ownership_service_server::OwnershipService;
use ecmo_proto::v1::*;
use tonic::{Request, Response, Status};

use crate::gateway::Gateway;

#[tonic::async_trait]
impl DisplayService for Gateway {
    async fn attend_wards(
        &self,
        request: Request<AttendWardsRequest>,
    ) -> Result<Response<AttendWardsResponse>, Status> {
        self.while_silent().await;
        self.script().attended.push(request.into_inner());
        Ok(Response::new(AttendWardsResponse {
            lease_ms: 3_000,
            now_mono_ns: self.now(),
            epoch: 1,
            state: DisplayState::Attends.into(),
        }))
    }

    async fn leave_wards(
        &self,
        request: Request<LeaveWardsRequest>,
    ) -> Result<Response<LeaveWardsResponse>, Status> {
        self.script().left.push(request.into_inner().display);
        Ok(Response::new(LeaveWardsResponse {}))
    }

    async fn list_displays(
        &self,
        _request: Request<ListDisplaysRequest>,
    ) -> Result<Response<ListDisplaysResponse>, Status> {
        let displays = self.script().displays.clone();
        Ok(Response::new(ListDisplaysResponse { displays, now_mono_ns: self.now() }))
    }

    async fn list_confirmations(
        &self,
        _request: Request<ListConfirmationsRequest>,
    ) -> Result<Response<ListConfirmationsResponse>, Status> {
        let alarms = self.script().confirmations.clone();
        Ok(Response::new(ListConfirmationsResponse { alarms }))
    }
}

#[tonic::async_trait]
impl OwnershipService for Gateway {
    async fn accept_pump(
        &self,
        request: Request<AcceptPumpRequest>,
    ) -> Result<Response<AcceptPumpResponse>, Status> {
        let request = request.into_inner();
        self.act(&request).await?;
        let mut script = self.script();
        script.ownership.owner = request.by;
        let (ownership, durable) = (Some(script.ownership.clone()), script.treatment.durable);
        Ok(Response::new(AcceptPumpResponse { ownership, durable }))
    }

    async fn hand_over_pump(
        &self,
        request: Request<HandOverPumpRequest>,
    ) -> Result<Response<HandOverPumpResponse>, Status> {
        let request = request.into_inner();
        self.act(&request).await?;
        let mut script = self.script();
        if script.ownership.owner != request.by {
            let owner = &script.ownership.owner;
            return Err(Status::failed_precondition(format!("{owner} looks after it")));
        }
        script.ownership.offered_to = request.to;
        let (ownership, durable) = (Some(script.ownership.clone()), script.treatment.durable);
        Ok(Response::new(HandOverPumpResponse { ownership, durable }))
    }

    async fn reject_pump(
        &self,
        request: Request<RejectPumpRequest>,
    ) -> Result<Response<RejectPumpResponse>, Status> {
        self.act(&request.into_inner()).await?;
        let mut script = self.script();
        script.ownership.offered_to = String::new();
        script.ownership.last_offer = OfferEnd::Rejected.into();
        let (ownership, durable) = (Some(script.ownership.clone()), script.treatment.durable);
        Ok(Response::new(RejectPumpResponse { ownership, durable }))
    }

    async fn assign_bed(
        &self,
        request: Request<AssignBedRequest>,
    ) -> Result<Response<AssignBedResponse>, Status> {
        let request = request.into_inner();
        self.act(&request).await?;
        let mut script = self.script();
        script.ownership.bed = request.bed;
        let (ownership, durable) = (Some(script.ownership.clone()), script.treatment.durable);
        Ok(Response::new(AssignBedResponse { ownership, durable }))
    }
}
