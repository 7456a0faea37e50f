//! The HTTP side: accepts connections, and answers health and metrics. Page and gRPC are merged in by the caller.

mod accept;

mod begun;

mod sniff;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use tokio::sync::Semaphore;

use crate::metrics::Metrics;

pub use accept::{Limits, Served, listen, serve, serve_behind};

/// How often histogram values must be sorted into their buckets.
const UPKEEP_PERIOD: Duration = Duration::from_secs(5);

/// Scrapes at a time; each takes milliseconds and a thread.
const SCRAPES_MAX: usize = 2;

/// Why the gateway is not ready, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady(pub String);

/// Health: `/healthz`, `/readyz`. `ready` is asked at every request; it must not wait.
pub fn router(ready: impl Fn() -> Result<(), NotReady> + Send + Sync + 'static) -> Router {
    let ready = Arc::new(ready);
    Router::new().route("/healthz", get(async || "alive\n")).route(
        "/readyz",
        get(async move || match ready() {
            Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
            Err(NotReady(why)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        }),
    )
}

/// `/metrics`, for a port of its own. Rendering happens on a blocking thread, at most two at a time.
pub fn metrics_router(metrics: Arc<Metrics>) -> Router {
    let scrapes = Arc::new(Semaphore::new(SCRAPES_MAX));
    let scrape = async move || scrape(metrics, scrapes).await;
    Router::new().route("/metrics", get(scrape)).route("/healthz", get(async || "alive\n"))
}

/// Keeps the memory of histograms bounded while nobody scrapes. Runs until it is dropped.
pub async fn upkeep(metrics: Arc<Metrics>) {
    let mut period = tokio::time::interval(UPKEEP_PERIOD);
    period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        let metrics = Arc::clone(&metrics);
        if let Err(error) = tokio::task::spawn_blocking(move || metrics.run_upkeep()).await {
            tracing::error!(%error, "upkeep of metrics failed");
        }
    }
}

async fn scrape(metrics: Arc<Metrics>, scrapes: Arc<Semaphore>) -> Response {
    let Ok(permit) = scrapes.try_acquire_owned() else {
        let why = "two scrapes are running already; scrape less often\n";
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    };
    let rendered = tokio::task::spawn_blocking(move || {
        let text = metrics.render();
        drop(permit);
        text
    });
    match rendered.await {
        Ok(text) => {
            const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");
            ([(header::CONTENT_TYPE, TEXT)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "rendering metrics failed");
            (StatusCode::INTERNAL_SERVER_ERROR, "rendering failed\n").into_response()
        }
    }
}
