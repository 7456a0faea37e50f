//! Answers `GET /metrics` on a port of this machine, one reader at a time.

use core::convert::Infallible;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::Metrics;
use crate::counters::Counters;

/// How long a reader may take for one connection. The next one waits: a Prometheus asks every few seconds, and asks again.
const CONNECTION_MAX: Duration = Duration::from_secs(2);

/// Time between two looks at the counters.
const FOLLOW_PERIOD: Duration = Duration::from_secs(1);

/// Pause when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What a request may be long, in bytes.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// The text format of Prometheus.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why metrics cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot tell metrics on {bind}: choose another port in [metrics]")]
pub struct CannotListen {
    bind: SocketAddr,
    source: io::Error,
}

/// Serves; the future never ends by itself.
///
/// # Errors
/// The port cannot be had.
pub fn serve(
    bind: SocketAddr,
    metrics: &Metrics,
    counters: &Counters,
) -> Result<impl Future<Output = Infallible>, CannotListen> {
    let cannot = |source| CannotListen { bind, source };
    let listener = std::net::TcpListener::bind(bind).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let listener = TcpListener::from_std(listener).map_err(cannot)?;
    let bound = listener.local_addr().map_err(cannot)?;
    tracing::info!(%bound, "metrics at /metrics");
    Ok(async move {
        let (_answering, _following) =
            tokio::join!(answer_all(listener, metrics, counters), follow(metrics, counters));
        unreachable!("neither of them ends")
    })
}

async fn follow(metrics: &Metrics, counters: &Counters) -> Infallible {
    let mut looks = interval(FOLLOW_PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        metrics.follow(counters);
    }
}

async fn answer_all(listener: TcpListener, metrics: &Metrics, counters: &Counters) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _from)) => {
                if timeout(CONNECTION_MAX, connection(stream, metrics, counters)).await.is_err() {
                    tracing::debug!("a reader of metrics took too long and was cut off");
                }
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a reader of metrics");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, metrics: &Metrics, counters: &Counters) {
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer(request.method(), request.uri().path(), metrics, counters);
        async { Ok::<_, Infallible>(answer) }
    });
    // One answer a connection, so that an idle reader does not keep others away.
    let served = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(REQUEST_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a reader of metrics was not understood");
    }
}

fn answer(method: &Method, path: &str, metrics: &Metrics, counters: &Counters) -> Response<String> {
    let refuse = |status| {
        let mut response = Response::new("ask for GET /metrics\n".to_owned());
        *response.status_mut() = status;
        response
    };
    match (method, path) {
        (&Method::GET, "/metrics") => {
            metrics.follow(counters);
            let mut response = Response::new(metrics.render());
            let format = HeaderValue::from_static(TEXT_FORMAT);
            response.headers_mut().insert(CONTENT_TYPE, format);
            response
        }
        (_, "/metrics") => refuse(StatusCode::METHOD_NOT_ALLOWED),
        (_, _) => refuse(StatusCode::NOT_FOUND),
    }
}
