//! Serves the streams whose bytes are shared, in front of the generated services, which serve everything else.

use std::convert::Infallible;
use std::pin::Pin;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Context, Poll, Service, http};
use tonic::server::NamedService;

use super::{Serving, alarm_lane, pump_lane, ward_lane, wave_lane, wire};

type Answering =
    Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send + 'static>>;

/// A generated service behind the streams that it does not serve itself.
#[derive(Debug, Clone)]
pub(super) struct Lanes<S> {
    serving: Serving,
    inner: S,
}

impl<S> Lanes<S> {
    pub(super) const fn new(serving: Serving, inner: S) -> Self {
        Self { serving, inner }
    }
}

impl<S: NamedService> NamedService for Lanes<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Lanes<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Answering {
        let serving = self.serving.clone();
        match request.uri().path() {
            "/ecmo.v1.AlarmService/WatchAlarms" => Box::pin(async move {
                Ok(wire::serve(request, |asked| alarm_lane::open(&serving, asked)).await)
            }),
            "/ecmo.v1.PumpService/WatchPumps" => Box::pin(async move {
                Ok(wire::serve(request, |asked| pump_lane::open(&serving, &asked)).await)
            }),
            "/ecmo.v1.PumpService/WatchWaveforms" => Box::pin(async move {
                Ok(wire::serve(request, |asked| wave_lane::open(&serving, &asked)).await)
            }),
            "/ecmo.v1.PumpService/WatchWard" => Box::pin(async move {
                Ok(wire::serve(request, |asked| ward_lane::open(&serving, &asked)).await)
            }),
            _unary => Box::pin(self.inner.call(request)),
        }
    }
}

/// What the generated service says of a stream that is served in front of it, and so never asked of it.
pub(super) fn in_front() -> Status {
    Status::internal("this stream is served elsewhere; this is a defect of the gateway")
}
