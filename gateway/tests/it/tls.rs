//! The acceptor for displays, and the settings for it: who is let in, who is not, and who cannot hold it shut.
#![cfg(test)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::routing::get;
use axum::{Extension, Router};
use ecmo_gateway::config::Settings;
use ecmo_gateway::http::{self, Limits};
use ecmo_gateway::metrics::{BrokerPath, Metrics};
use ecmo_gateway::tls::{Acceptor, HANDSHAKES_MAX, Own, PeerCertificate};
use ecmo_identity::{ClientFiles, Identity, Kind, Look, Pair};
use ecmo_pki::Order;
use ecmo_proto::topic::{Id, PumpAddress};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const DEADLINE: Duration = Duration::from_secs(15);

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn service(kind: Kind, name: &str) -> Identity {
    Identity::service(kind, id(name))
}

fn agent(pump: &str) -> Identity {
    Identity::agent(&PumpAddress { ward: id("nicu"), pump: id(pump) })
}

/// A folder with an authority, a gateway's certificate, and those of whoever comes.
pub(crate) struct Pki(tempfile::TempDir);

impl Pki {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        ecmo_pki::make_authority(folder.path(), "test", 100, now()).unwrap();
        let pki = Self(folder);
        pki.issue(service(Kind::Gateway, "gateway-a"));
        pki
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn issue(&self, identity: Identity) -> Pair {
        let serves = matches!(identity.kind, Kind::Gateway | Kind::Broker);
        let hosts = if serves { vec!["127.0.0.1".to_owned()] } else { vec![] };
        let order = Order::for_days(identity, hosts, 30, now()).unwrap();
        ecmo_pki::issue(self.0.path(), &order).unwrap().pair
    }

    pub(crate) fn client(&self, own: Option<Pair>) -> ClientFiles {
        ClientFiles { ca: self.path("ca.crt"), own }
    }

    fn settings(&self, text: &str) -> Result<Settings, String> {
        let path = self.path("gateway.toml");
        std::fs::write(&path, text).unwrap();
        Settings::load(&path).map_err(|error| error.to_string())
    }
}

#[expect(clippy::disallowed_methods, reason = "certificates hold by the wall clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

const SERVE: &str = "[serve]\nbind = \"0.0.0.0:0\"\n[serve.tls]\ncertificate = \"gateway-a.crt\"\nkey = \"gateway-a.key\"\n";

/// A server behind an acceptor, which says who asks.
struct Server {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    own: Own,
}

impl Server {
    fn start(pki: &Pki, more: &str) -> Self {
        let metrics = Arc::new(Metrics::new(&[BrokerPath::A]));
        let settings = pki.settings(&format!("{SERVE}{more}")).unwrap();
        let own = Own::open(&settings, &metrics).unwrap();
        let acceptor = Acceptor::new(
            own.displays.clone().unwrap(),
            metrics.secured.handshakes_refused.clone(),
        );
        let who = async |peer: Option<Extension<PeerCertificate>>| {
            peer.map_or_else(
                || "nobody".to_owned(),
                |Extension(PeerCertificate { name, kind })| format!("{} {name}", kind.word()),
            )
        };
        let listener = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            connections_max: 1_000,
            drain_max: Duration::from_millis(300),
            refused: metrics.connections_refused.clone(),
        };
        let router = Router::new().route("/who", get(who));
        let never = std::future::pending();
        tokio::spawn(http::serve_behind(Some(acceptor), listener, router, limits, never));
        Self { address, metrics, own }
    }

    async fn connect(
        &self,
        files: &ClientFiles,
        protocol: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let connector = TlsConnector::from(Arc::new(files.load(&[protocol]).unwrap()));
        timeout(DEADLINE, connector.connect("127.0.0.1".try_into().unwrap(), stream)).await?
    }

    /// Whom the server sees; `None` when it lets nobody in.
    async fn sees(&self, files: &ClientFiles) -> Option<String> {
        let mut stream = self.connect(files, b"http/1.1").await.ok()?;
        ask(&mut stream).await
    }

    fn refused(&self, reason: &str) -> u64 {
        let start = format!("ecmo_gateway_handshakes_refused_total{{reason=\"{reason}\"}} ");
        let text = self.metrics.render();
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
    }
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> Option<String> {
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    let mut bytes = [0; 1024];
    let told = timeout(DEADLINE, async {
        while !answer.contains("\r\n\r\n") {
            match stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => answer += std::str::from_utf8(&bytes[..count]).unwrap(),
            }
        }
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    });
    told.await.unwrap()
}

#[tokio::test]
async fn a_request_knows_the_certificate_of_its_connection() {
    let pki = Pki::new();
    let server = Server::start(&pki, "client_ca = \"ca.crt\"\nclient_optional = true\n");
    let display = pki.client(Some(pki.issue(service(Kind::Display, "desk-1"))));
    let monitor = pki.client(Some(pki.issue(service(Kind::Monitor, "prometheus"))));
    let gateway = pki.client(Some(pki.issue(service(Kind::Gateway, "gateway-b"))));
    assert_eq!(server.sees(&display).await.as_deref(), Some("display desk-1"));
    assert_eq!(server.sees(&monitor).await.as_deref(), Some("monitor prometheus"));
    assert_eq!(server.sees(&gateway).await.as_deref(), Some("gateway gateway-b"));
    assert_eq!(server.sees(&pki.client(None)).await.as_deref(), Some("nobody"));
    assert_eq!(["timeout", "tls", "identity"].map(|reason| server.refused(reason)), [0; 3]);
}

#[tokio::test]
async fn without_a_displays_certificate_of_the_site_nobody_is_served() {
    let pki = Pki::new();
    let server = Server::start(&pki, "client_ca = \"ca.crt\"\n");
    let display = pki.issue(service(Kind::Display, "desk-1"));
    assert!(server.sees(&pki.client(Some(display))).await.is_some());
    assert_eq!(server.sees(&pki.client(None)).await, None);
    let other = Pki::new();
    let forged = other.issue(service(Kind::Display, "desk-2"));
    assert_eq!(server.sees(&pki.client(Some(forged))).await, None);
    assert_eq!(server.refused("identity"), 0);
    // A bedside computer that was taken over is no display; a broker shows none to clients.
    let pump = pki.client(Some(pki.issue(agent("pump-1"))));
    assert_eq!(server.sees(&pump).await, None);
    assert_eq!(server.refused("identity"), 1);
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, plain.read_to_end(&mut answer)).await.unwrap().ok();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn handshakes_that_stall_lose_their_place_and_keep_no_display_out() {
    let pki = Pki::new();
    let server = Server::start(&pki, "client_ca = \"ca.crt\"\n");
    let display = pki.client(Some(pki.issue(service(Kind::Display, "desk-1"))));
    let mut standing = server.connect(&display, b"http/1.1").await.unwrap();
    assert!(ask(&mut standing).await.is_some());
    let mut stalled = Vec::new();
    for _ in 0..3 * HANDSHAKES_MAX {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The head of a handshake that never goes on.
        stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        stalled.push(stream);
    }
    // Who is in feels nothing; who comes is let in once the first ones have lost their places.
    assert!(ask(&mut standing).await.is_some());
    ecmo_testkit::eventually(DEADLINE, "a display is let in", async || server.sees(&display).await)
        .await
        .unwrap();
    for mut stream in stalled {
        let mut rest = Vec::new();
        timeout(DEADLINE, stream.read_to_end(&mut rest)).await.unwrap().ok();
    }
    assert!(server.refused("timeout") >= 3 * HANDSHAKES_MAX as u64);
    assert!(ask(&mut standing).await.is_some());
}

#[tokio::test]
async fn who_is_in_and_says_nothing_or_half_a_hello_loses_its_place() {
    let pki = Pki::new();
    let server = Server::start(&pki, "");
    let loses_its_place = async |protocol: &[u8], hello: &[u8]| {
        let begun = Instant::now();
        let mut stream = server.connect(&pki.client(None), protocol).await.unwrap();
        stream.write_all(hello).await.unwrap();
        let mut rest = Vec::new();
        let closed = timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "{protocol:?} {hello:?}");
        assert!(begun.elapsed() >= Duration::from_secs(2), "not before a slow one could speak");
    };
    tokio::join!(
        loses_its_place(b"h2", b""),
        loses_its_place(b"h2", b"PRI * HTTP/2.0\r\n"),
        loses_its_place(b"http/1.1", b""),
        loses_its_place(b"http/1.1", b"GET /who HTTP/1.1\r\nhost:"),
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_the_next_and_cuts_nobody() {
    let pki = Pki::new();
    let server = Server::start(&pki, "");
    let anybody = pki.client(None);
    let shown =
        |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut standing = server.connect(&anybody, b"http/1.1").await.unwrap();
    let first = shown(&standing);
    let tls = server.own.displays.clone().unwrap();
    // The certificate first: for a moment it does not fit the key.
    let files = ["gateway-a.crt", "gateway-a.key"].map(|name| pki.path(name));
    let before = files.clone().map(|path| std::fs::read(path).unwrap());
    for path in &files {
        std::fs::remove_file(path).unwrap();
    }
    pki.issue(service(Kind::Gateway, "gateway-a"));
    let new_key = std::fs::read(&files[1]).unwrap();
    std::fs::write(&files[1], &before[1]).unwrap();
    assert!(matches!(tls.look(), Look::Refused(_)));
    let between = server.connect(&anybody, b"http/1.1").await.unwrap();
    assert_eq!(shown(&between), first);
    std::fs::write(&files[1], new_key).unwrap();
    assert!(matches!(tls.look(), Look::Renewed));
    let next = server.connect(&anybody, b"http/1.1").await.unwrap();
    assert_ne!(shown(&next), first);
    assert_eq!(ask(&mut standing).await.as_deref(), Some("nobody"));
}

#[test]
fn beyond_this_machine_displays_are_served_by_tls_or_by_a_risk_that_is_named() {
    let pki = Pki::new();
    let refused = pki.settings("[serve]\nbind = \"0.0.0.0:8080\"\n").unwrap_err();
    assert!(refused.contains("gateway.toml:2: ") && refused.contains("[serve.tls]"), "{refused}");
    let metrics = Metrics::new(&[BrokerPath::A]);
    let said = |metrics: &Metrics, side: &str| {
        let line = format!("ecmo_gateway_unprotected{{side=\"{side}\"}} 1");
        metrics.render().contains(&line)
    };
    let secured = pki.settings(SERVE).unwrap();
    Own::open(&secured, &metrics).unwrap();
    assert!(!said(&metrics, "displays") && !said(&metrics, "brokers"));
    let text =
        "[broker]\nurl = \"mqtt://10.0.0.1\"\n[serve]\nbind = \"0.0.0.0:1\"\ninsecure = true\n";
    Own::open(&pki.settings(text).unwrap(), &metrics).unwrap();
    assert!(said(&metrics, "displays") && said(&metrics, "brokers"));
    assert!(pki.settings("[serve]\nbind = \"127.0.0.1:0\"\n").is_ok());
}

#[test]
fn a_certificate_that_does_not_fit_the_settings_is_refused_with_what_to_do() {
    let pki = Pki::new();
    pki.issue(agent("pump-1"));
    let with = |name: &str, own: &str, url: &str| {
        pki.settings(&format!(
            "[gateway]\nname = \"{name}\"\n[broker]\nurl = \"{url}\"\n[tls]\nca = \"ca.crt\"\n\
             certificate = \"{own}.crt\"\nkey = \"{own}.key\"\n"
        ))
    };
    let fine = with("gateway-a", "gateway-a", "mqtts://broker-a").unwrap();
    let brokers: Vec<_> = fine.brokers().cloned().collect();
    assert!(format!("{brokers:?}").contains("port: 8883"), "{brokers:?}");
    for (result, words) in [
        (with("gateway-b", "gateway-a", "mqtts://a"), "\"gateway-a\", and not for \"gateway-b\""),
        (with("pump-1", "pump-1", "mqtts://a"), "agent:nicu:pump-1, and not for urn:ecmo:gateway"),
        (with("gateway-a", "gateway-a", "mqtt://127.0.0.1"), "no broker is reached by it"),
        (with("gateway-a", "nobody", "mqtts://a"), "nobody.crt"),
        (with("gateway-a", "gateway-a", "mqtts://[::1]"), "IPv6"),
        (pki.settings(&format!("{SERVE}client_optional = true\n")), "client_optional without"),
        (pki.settings(&SERVE.replace("a.key", "a.crt")), "holds no private key"),
    ] {
        let error = result.unwrap_err();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("gateway.toml:") && error.contains("; "), "{error}");
    }
}
