//! How long the hops take.

use ecmo_proto::v1;
use ecmo_proto::v1::latency_service_server::LatencyService;
use tonic::{Request, Response, Status};

use super::Serving;

/// The latency service.
#[derive(Debug)]
pub(super) struct Latency {
    serving: Serving,
}

impl Latency {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }
}

#[tonic::async_trait]
impl LatencyService for Latency {
    async fn get_latency(
        &self,
        _request: Request<v1::GetLatencyRequest>,
    ) -> Result<Response<v1::GetLatencyResponse>, Status> {
        let snapshot = self.serving.latencies.snapshot();
        let hops = snapshot
            .hops
            .into_iter()
            .map(|hop| v1::HopLatency {
                hop: hop.hop.name().to_owned(),
                count: hop.count,
                p50_ns: hop.p50_ns,
                p99_ns: hop.p99_ns,
                p999_ns: hop.p999_ns,
                max_ns: hop.max_ns,
            })
            .collect();
        Ok(Response::new(v1::GetLatencyResponse { hops, discarded: snapshot.discarded }))
    }
}
