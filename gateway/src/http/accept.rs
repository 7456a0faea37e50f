//! Accepts connections, HTTP/1.1 and HTTP/2 on one port, without TLS or behind a acceptor, with a bound on everything that a client can hold.
//!
//! `axum::serve` is not used: it leaves `TCP_NODELAY` off, has no keep-alive towards a display that froze, and no limit.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::begun::Begun;
use super::sniff;
use crate::metrics::Counter;
use crate::tls::{Acceptor, PeerCertificate, Secured, SecuredStream};

/// Connections that wait for `accept`.
const BACKLOG: u32 = 256;

/// What the kernel holds for a client that does not read. Its own choice grows to 4 MiB: minutes of values.
const SOCKET_SEND_BYTES: u32 = 64 * 1024;

/// What HTTP/2 holds for a stream whose client does not read.
const STREAM_SEND_BYTES: usize = 16 * 1024;

/// What a client may send ahead, on a stream and in all: requests are 64 KiB at most.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// Streams of one connection: a display uses four, a test many displays over one connection.
const STREAMS_MAX: u32 = 128;

/// A frozen client is noticed after twice this.
const PING_PERIOD: Duration = Duration::from_secs(2);

/// Time for the first bytes, and for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Buffer for a request's head; ours are a few hundred bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Pause when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a server may hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; one more is closed at once.
    pub connections_max: usize,
    /// How long requests may take to end after the shutdown began; then they are cut.
    pub drain_max: Duration,
    /// Counts connections that were closed because the most were open.
    pub refused: Counter,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Every connection ended by itself.
    Drained,
    /// So many were cut at the deadline.
    Cut(usize),
}

/// Listens, with small send buffers, so that a display that stalls has little queued ahead of it.
///
/// # Errors
/// The address is taken or not ours.
pub fn listen(bind: SocketAddr) -> io::Result<TcpListener> {
    let socket = match bind {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A gateway that restarts takes its port back at once.
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SOCKET_SEND_BYTES)?;
    socket.bind(bind)?;
    socket.listen(BACKLOG)
}

/// Serves without TLS until `shutdown` is ready, then lets requests end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Served {
    serve_behind(None, listener, router, limits, shutdown).await
}

/// Serves until `shutdown` is ready, then lets requests end; behind an acceptor, where there is one.
pub async fn serve_behind(
    acceptor: Option<Acceptor>,
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Served {
    let entrance = Arc::new(Entrance::new(acceptor));
    let (stopping_tx, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut full = false;
    tokio::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                log_panic(ended);
                full = false;
                continue;
            }
            stream = accept(&listener) => stream,
        };
        if connections.len() >= limits.connections_max {
            limits.refused.increment(1);
            if !full {
                let most = limits.connections_max;
                tracing::warn!(most, "connection refused: the most are open; logged once a burst");
            }
            full = true;
            continue;
        }
        let served = connection(stream, router.clone(), Arc::clone(&entrance), stopping.clone());
        connections.spawn(served);
    }
    drop(listener);
    drop(stopping_tx);
    drain(connections, limits.drain_max).await
}

/// The next connection. An error here is the client's, or passes: it never ends the server.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(%error, "connection gone before it was accepted");
            }
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// How connections are let in, and what they speak then.
struct Entrance {
    acceptor: Option<Acceptor>,
    either: Builder<TokioExecutor>,
    http_1: Builder<TokioExecutor>,
    http_2: Builder<TokioExecutor>,
}

impl Entrance {
    fn new(acceptor: Option<Acceptor>) -> Self {
        let (http_1, http_2) = (builder().http1_only(), builder().http2_only());
        Self { acceptor, either: builder(), http_1, http_2 }
    }
}

/// Somebody who is in, and has begun to speak.
enum Opened {
    Plain(TcpStream),
    Http1(SecuredStream),
    Http2(Begun<SecuredStream>),
}

/// Waits until somebody is in and has begun to speak, and who it is; `None` when that takes too long.
async fn open(
    stream: TcpStream,
    acceptor: Option<&Acceptor>,
) -> Option<(Opened, Option<PeerCertificate>)> {
    let Some(acceptor) = acceptor else {
        return sniff::speaks(&stream, HEAD_TIMEOUT).await.then_some((Opened::Plain(stream), None));
    };
    let Secured { stream, peer, is_http_2 } = acceptor.enter(stream).await?;
    // Hyper itself has a limit for the head of HTTP/1.
    let opened = if is_http_2 {
        Opened::Http2(Begun::within(HEAD_TIMEOUT, stream).await?)
    } else {
        Opened::Http1(stream)
    };
    Some((opened, peer))
}

async fn connection(
    stream: TcpStream,
    router: Router,
    entrance: Arc<Entrance>,
    mut stopping: watch::Receiver<()>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "connection gone before it was served");
        return;
    }
    let opened = tokio::select! {
        opened = open(stream, entrance.acceptor.as_ref()) => opened,
        _stopped = stopping.changed() => None,
    };
    let Some((opened, peer)) = opened else { return };
    let router = match peer {
        Some(peer) => router.layer(Extension(peer)),
        None => router,
    };
    match opened {
        Opened::Plain(stream) => speak(&entrance.either, stream, router, stopping).await,
        Opened::Http1(stream) => speak(&entrance.http_1, stream, router, stopping).await,
        Opened::Http2(stream) => speak(&entrance.http_2, stream, router, stopping).await,
    }
}

/// Answers on a connection to its end.
async fn speak(
    builder: &Builder<TokioExecutor>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    mut stopping: watch::Receiver<()>,
) {
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        // Nothing is ever sent: the error says that the server stops.
        _stopped = stopping.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

async fn drain(mut connections: JoinSet<()>, limit: Duration) -> Served {
    let all_ended = timeout(limit, async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    });
    if all_ended.await.is_ok() {
        return Served::Drained;
    }
    let left = connections.len();
    connections.shutdown().await;
    Served::Cut(left)
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "serving a connection failed");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_PERIOD)
        .keep_alive_timeout(PING_PERIOD)
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_SEND_BYTES);
    builder
}
