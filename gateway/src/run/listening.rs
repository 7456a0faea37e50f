//! The two ports: where displays are served, with or without TLS, and where metrics are read.

use std::net::SocketAddr;
use std::sync::Arc;

use ecmo_identity::ServerTls;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{CONNECTIONS_PER_DISPLAY, DRAIN, METRICS_CONNECTIONS_MAX, StartError};
use crate::config::Serve;
use crate::http::{self, Limits};
use crate::metrics::Metrics;
use crate::tls::Acceptor;

/// What displays find at their port.
pub(super) struct ForDisplays {
    pub(super) listener: TcpListener,
    pub(super) router: axum::Router,
    pub(super) displays_max: usize,
    pub(super) tls: Option<Arc<ServerTls>>,
}

/// Serves displays and scrapes until the gateway ends.
pub(super) fn serve(
    tasks: &mut JoinSet<&'static str>,
    displays: ForDisplays,
    (metrics_listener, metrics): (TcpListener, Arc<Metrics>),
    stopping: &watch::Receiver<bool>,
) {
    let limits = |connections_max| Limits {
        connections_max,
        drain_max: DRAIN,
        refused: metrics.connections_refused.clone(),
    };
    let for_displays = limits(displays.displays_max * CONNECTIONS_PER_DISPLAY);
    let for_metrics = limits(METRICS_CONNECTIONS_MAX);
    let refused = metrics.secured.handshakes_refused.clone();
    let acceptor = displays.tls.clone().map(|tls| Acceptor::new(tls, refused));
    let scrapes = http::metrics_router(metrics);
    let until_end = until(stopping.clone());
    tasks.spawn(async move {
        let ForDisplays { listener, router, .. } = displays;
        http::serve_behind(acceptor, listener, router, for_displays, until_end).await;
        "display server"
    });
    let until_end = until(stopping.clone());
    tasks.spawn(async move {
        http::serve(metrics_listener, scrapes, for_metrics, until_end).await;
        "metrics server"
    });
}

/// Listens for displays.
pub(super) fn listen_for_displays(serve: &Serve) -> Result<(TcpListener, SocketAddr), StartError> {
    // Settings that were read from a file cannot say so; those of a program that starts a gateway can.
    if serve.is_exposed() && !serve.insecure {
        return Err(StartError::Exposed { bind: serve.bind });
    }
    listen(serve.bind, "serve")
}

/// Listens there; the socket, and the address with the port that was free.
pub(super) fn listen(
    bind: SocketAddr,
    section: &'static str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let taken = |source| StartError::Listen { bind, section, source };
    let listener = http::listen(bind).map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok((listener, address))
}

async fn until(mut stopping: watch::Receiver<bool>) {
    // The sender lives as long as the gateway; if it is gone, the gateway is too.
    let _gateway_gone = stopping.wait_for(|stopping| *stopping).await.is_err();
}
