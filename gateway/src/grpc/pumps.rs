//! Pumps for displays: the list of them. Their streams have lanes of their own.

use std::sync::Arc;

use ecmo_proto::v1;
use ecmo_proto::v1::pump_service_server::PumpService;
use futures_util::stream::Pending;
use tonic::{Request, Response, Status};

use super::lanes::in_front;
use super::{Serving, convert, ward};
use crate::fanout::PumpSlot;

/// The pump service.
#[derive(Debug)]
pub(super) struct Pumps {
    serving: Serving,
}

impl Pumps {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }
}

#[tonic::async_trait]
impl PumpService for Pumps {
    type WatchPumpsStream = Pending<Result<v1::WatchPumpsResponse, Status>>;
    type WatchWaveformsStream = Pending<Result<v1::WatchWaveformsResponse, Status>>;
    type WatchWardStream = Pending<Result<v1::WatchWardResponse, Status>>;

    async fn list_pumps(
        &self,
        request: Request<v1::ListPumpsRequest>,
    ) -> Result<Response<v1::ListPumpsResponse>, Status> {
        let ward = ward(&request.get_ref().ward)?;
        let slots = self.serving.registry.list(ward.as_ref());
        let shown = |slot: &Arc<PumpSlot>| convert::pump(slot, &slot.view(), &slot.rules());
        Ok(Response::new(v1::ListPumpsResponse {
            pumps: slots.iter().map(shown).collect(),
            now_mono_ns: self.serving.clock.now().as_nanos(),
            epoch: self.serving.epoch,
            alarm_thread_mono_ns: self.serving.engine.last_round().as_nanos(),
        }))
    }

    async fn watch_pumps(
        &self,
        _request: Request<v1::WatchPumpsRequest>,
    ) -> Result<Response<Self::WatchPumpsStream>, Status> {
        Err(in_front())
    }

    async fn watch_waveforms(
        &self,
        _request: Request<v1::WatchWaveformsRequest>,
    ) -> Result<Response<Self::WatchWaveformsStream>, Status> {
        Err(in_front())
    }

    async fn watch_ward(
        &self,
        _request: Request<v1::WatchWardRequest>,
    ) -> Result<Response<Self::WatchWardStream>, Status> {
        Err(in_front())
    }
}
