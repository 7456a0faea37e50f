//! The HTTP side with real connections, polite and not.
#![cfg(test)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use ecmo_gateway::config::Settings;
use ecmo_gateway::http::{self, Limits, NotReady, Served};
use ecmo_gateway::metrics::{BrokerPath, Metrics};
use ecmo_gateway::ui::Page;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

const DEADLINE: Duration = Duration::from_secs(15);

/// What an HTTP/2 client says first, with empty settings.
const H2_HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

struct Server {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Served>,
}

impl Server {
    fn start(router: Router, connections_max: usize) -> Self {
        let metrics = Arc::new(Metrics::new(&[BrokerPath::A]));
        let listener = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let limits = Limits {
            connections_max,
            drain_max: Duration::from_millis(300),
            refused: metrics.connections_refused.clone(),
        };
        let task = tokio::spawn(http::serve(listener, router, limits, async {
            stopped.await.ok();
        }));
        Self { address, metrics, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Head and body of one answer over HTTP/1.1.
    async fn get(&self, path: &str) -> String {
        ask(self.connect().await, path).await
    }

    async fn stop(self) -> Served {
        self.stop.send(()).unwrap();
        timeout(DEADLINE, self.task).await.unwrap().unwrap()
    }
}

async fn ask(mut stream: TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

/// Whether the server closes, reading what it says until then.
async fn closes(stream: &mut TcpStream) -> bool {
    let mut sink = [0; 1024];
    let closed = timeout(DEADLINE, async {
        while !matches!(stream.read(&mut sink).await, Ok(0) | Err(_)) {}
    });
    closed.await.is_ok()
}

fn health() -> Router {
    let settings = Settings::default();
    http::router(|| Ok(())).merge(Page::new(&settings).router(&settings, Router::new()))
}

#[tokio::test]
async fn page_and_health_answer_over_http_1() {
    let server = Server::start(health(), 10);
    let page = server.get("/").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Not a medical device"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    assert!(server.get("/healthz").await.ends_with("alive\n"));
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(server.get("/nothing").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn not_ready_says_why_and_ready_again_says_so() {
    let ready = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&ready);
    let router = http::router(move || {
        let is_ready = asked.load(Ordering::Relaxed);
        is_ready.then_some(()).ok_or_else(|| NotReady("no broker is connected".to_owned()))
    });
    let server = Server::start(router, 10);
    let answer = server.get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.ends_with("no broker is connected\n"), "{answer}");
    ready.store(true, Ordering::Relaxed);
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn http_2_without_tls_is_answered_on_the_same_port() {
    let server = Server::start(health(), 10);
    let mut stream = server.connect().await;
    // In two parts, as a network may cut it.
    stream.write_all(&H2_HELLO[..9]).await.unwrap();
    tokio::task::yield_now().await;
    stream.write_all(&H2_HELLO[9..]).await.unwrap();
    let mut head = [0; 9];
    timeout(DEADLINE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(head[3], 4, "a SETTINGS frame");
    assert!(server.get("/healthz").await.ends_with("alive\n"));
}

#[tokio::test]
async fn metrics_are_rendered_in_prometheus_text() {
    let metrics = Arc::new(Metrics::new(&[BrokerPath::A]));
    metrics.latency_discarded.increment(3);
    let server = Server::start(http::metrics_router(metrics), 10);
    let answer = server.get("/metrics").await;
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("\necmo_gateway_latency_discarded_total 3\n"), "{answer}");
}

#[tokio::test]
async fn a_client_that_says_nothing_or_half_a_hello_loses_its_place() {
    let server = Server::start(health(), 10);
    let loses_its_place = async |hello: &[u8]| {
        let begun = Instant::now();
        let mut stream = server.connect().await;
        stream.write_all(hello).await.unwrap();
        assert!(closes(&mut stream).await, "{hello:?}");
        assert!(begun.elapsed() >= Duration::from_secs(2), "not before a slow one could speak");
    };
    tokio::join!(
        loses_its_place(b""),
        loses_its_place(b"P"),
        loses_its_place(&H2_HELLO[..23]),
        loses_its_place(b"GET /healthz HTTP/1.1\r\nhost:"),
    );
}

#[tokio::test]
async fn a_frozen_http_2_client_is_let_go() {
    let server = Server::start(health(), 10);
    let mut stream = server.connect().await;
    stream.write_all(H2_HELLO).await.unwrap();
    // It reads, and never answers the server's pings: as good as frozen.
    let begun = Instant::now();
    assert!(closes(&mut stream).await);
    let took = begun.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(8)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn one_connection_above_the_most_is_refused_and_counted_until_one_ends() {
    let server = Server::start(health(), 2);
    let (first, second) = (server.connect().await, server.connect().await);
    let mut third = server.connect().await;
    assert!(closes(&mut third).await);
    assert!(server.metrics.render().contains("\necmo_gateway_connections_refused_total 1\n"));
    assert!(ask(first, "/healthz").await.ends_with("alive\n"));
    ecmo_testkit::eventually(DEADLINE, "a free place", async || {
        let mut stream = server.connect().await;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .ok();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok();
        answer.ends_with("alive\n").then_some(())
    })
    .await
    .unwrap();
    drop(second);
}

/// A route that says when it is asked, and answers when it is told.
fn slow_route() -> (Router, oneshot::Receiver<()>, oneshot::Sender<()>) {
    let (begun_tx, begun) = oneshot::channel();
    let (go, gone) = oneshot::channel::<()>();
    let ends = Arc::new(std::sync::Mutex::new(Some((begun_tx, gone))));
    let slow = async move || {
        let (begun, gone) = ends.lock().unwrap().take().unwrap();
        begun.send(()).unwrap();
        gone.await.ok();
        "done"
    };
    (Router::new().route("/slow", get(slow)), begun, go)
}

#[tokio::test]
async fn a_shutdown_lets_a_request_end_and_frees_the_port() {
    let (router, begun, go) = slow_route();
    let server = Server::start(router, 10);
    let address = server.address;
    let mut idle = server.connect().await;
    let asked = tokio::spawn(ask(server.connect().await, "/slow"));
    timeout(DEADLINE, begun).await.unwrap().unwrap();
    let stopped = tokio::spawn(server.stop());
    assert!(closes(&mut idle).await, "the shutdown has begun");
    go.send(()).unwrap();
    assert_eq!(stopped.await.unwrap(), Served::Drained);
    assert!(asked.await.unwrap().ends_with("done"));
    http::listen(address).unwrap();
}

#[tokio::test]
async fn a_request_without_end_is_cut_at_the_deadline() {
    let (router, begun, _never) = slow_route();
    let server = Server::start(router, 10);
    let asked = tokio::spawn(ask(server.connect().await, "/slow"));
    timeout(DEADLINE, begun).await.unwrap().unwrap();
    assert_eq!(server.stop().await, Served::Cut(1));
    assert!(!asked.await.is_ok_and(|answer| answer.contains("done")));
}
