//! A ward over mutual TLS: real Mosquitto with its settings and rights, the real gateway as a process, an agent, a display; and
//! everybody who does not belong there.
#![cfg(test)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ecmo_agent::Settings as AgentSettings;
use ecmo_identity::{ClientFiles, Identity, Kind, Pair};
use ecmo_pki::Order;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_testkit::program::{Program, built};
use ecmo_testkit::{Mosquitto, eventually};
use hyper_util::rt::TokioIo;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, TlsConfiguration, Transport};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::bedside::RunningAgent;
use crate::display::{Display, SOON};
use crate::tls::{Pki, now};
use crate::whole_path::mosquitto::ecmoctl;

const SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/mosquitto");

fn agent(pump: &str) -> Identity {
    let id = |text| Id::new(text).unwrap();
    Identity::agent(&PumpAddress { ward: id("nicu"), pump: id(pump) })
}

fn service(kind: Kind, name: &str) -> Identity {
    Identity::service(kind, Id::new(name).unwrap())
}

/// The settings of a ward's broker as they are, but for port and folders.
fn broker_settings(pki: &Path, port: u16) -> String {
    let text = std::fs::read_to_string(format!("{SETTINGS}/broker.conf")).unwrap();
    let text = text
        .replace("listener 8883", &format!("listener {port} 127.0.0.1"))
        .replace("/etc/mosquitto/certs", &pki.display().to_string())
        .replace("/etc/mosquitto/ecmo.acl", &format!("{SETTINGS}/ecmo.acl"));
    // By that word the testkit knows that it runs. As another user it could not read a test's folder.
    let text = text.replace("/broker.crt", "/broker-a.crt").replace("/broker.key", "/broker-a.key");
    text + "log_type information\nuser root\n"
}

/// Broker and gateway of a ward.
struct Ward {
    pki: Pki,
    broker: Mosquitto,
    _gateway: Child,
    displays: SocketAddr,
    metrics: SocketAddr,
}

impl Ward {
    async fn start() -> Self {
        let pki = Pki::new();
        pki.issue(service(Kind::Broker, "broker-a"));
        let folder = pki.folder().to_owned();
        let broker = Mosquitto::start_with(|port| broker_settings(&folder, port)).unwrap();
        let text = format!(
            "wards = [\"nicu\"]\n[gateway]\nname = \"gateway-a\"\n[broker]\nurl = \"mqtts://{}\"\n\
             [tls]\nca = \"ca.crt\"\ncertificate = \"gateway-a.crt\"\nkey = \"gateway-a.key\"\n\
             [serve]\nbind = \"127.0.0.1:0\"\n[serve.tls]\ncertificate = \"gateway-a.crt\"\n\
             key = \"gateway-a.key\"\nclient_ca = \"ca.crt\"\n[metrics]\nbind = \"127.0.0.1:0\"\n\
             [drill]\nevery_s = 0\n",
            broker.addr()
        );
        let settings = pki.path("gateway.toml");
        std::fs::write(&settings, text).unwrap();
        let mut gateway = Command::new(env!("CARGO_BIN_EXE_ecmo-gateway"))
            .args(["serve", "--config"])
            .arg(&settings)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(gateway.stdout.take().unwrap()).lines();
        let mut address = async |start: &str, end: &str| -> SocketAddr {
            let line = timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap();
            let url = line.strip_prefix(start).unwrap_or_else(|| panic!("{line}"));
            url.trim_end_matches(end).parse().unwrap()
        };
        let displays = address("displays: https://", "").await;
        let metrics = address("metrics:  http://", "/metrics").await;
        Self { pki, broker, _gateway: gateway, displays, metrics }
    }

    /// An agent whose pump stops after so many seconds.
    fn agent_settings(&self, pump: &str, own: &str, stops_at_s: u32) -> AgentSettings {
        let text = format!(
            "ward = \"nicu\"\npump = \"{pump}\"\nbroker = \"mqtts://{}\"\n[tls]\nca = \"ca.crt\"\n\
             certificate = \"{own}.crt\"\nkey = \"{own}.key\"\n[[source]]\nkind = \"simulated\"\n\
             seed = 1\nfaults = [{{ kind = \"pump-stop\", at_s = {stops_at_s} }}]\n",
            self.broker.addr()
        );
        let path = self.pki.path("agent.toml");
        std::fs::write(&path, text).unwrap();
        AgentSettings::load(&path).unwrap()
    }

    /// The real agent, as a process.
    async fn agent(&self, pump: &str, own: &str, stops_at_s: u32) -> Program {
        let _settings = self.agent_settings(pump, own, stops_at_s);
        let program = tokio::task::spawn_blocking(|| built("ecmo-agent").unwrap()).await.unwrap();
        let mut command = std::process::Command::new(program);
        command.args(["run", "--config"]).arg(self.pki.path("agent.toml"));
        Program::start(command, pump, self.pki.folder()).unwrap()
    }

    /// What ecmoctl says of the pumps, with these arguments before, and its exit code.
    async fn pumps(&self, files: &[(&str, &str)]) -> (Option<i32>, String) {
        let program = tokio::task::spawn_blocking(ecmoctl).await.unwrap();
        let mut command = Command::new(program);
        command.arg("--gateway").arg(format!("https://{}", self.displays));
        for (key, name) in files {
            command.arg(key).arg(self.pki.path(name));
        }
        let output = command.arg("pumps").output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    /// A display's connection, if the gateway lets it in.
    async fn channel(&self, files: &ClientFiles) -> Result<Channel, tonic::transport::Error> {
        let config = Arc::new(files.load(&[b"h2"]).unwrap());
        let connector = tower::service_fn(move |uri: Uri| {
            let connector = TlsConnector::from(Arc::clone(&config));
            async move {
                let address = (uri.host().unwrap(), uri.port_u16().unwrap());
                let stream = TcpStream::connect(address).await?;
                let name = "127.0.0.1".try_into().map_err(std::io::Error::other)?;
                connector.connect(name, stream).await.map(TokioIo::new)
            }
        });
        let url = format!("https://{}", self.displays);
        let endpoint = Endpoint::from_shared(url).unwrap().connect_timeout(SOON);
        endpoint.connect_with_connector(connector).await
    }

    /// Whether a display is served: the refusal may come with the first answer only.
    async fn is_served(&self, files: &ClientFiles) -> bool {
        let Ok(channel) = self.channel(files).await else { return false };
        let mut pumps = Display { channel }.pumps();
        timeout(SOON, pumps.list_pumps(ecmo_proto::v1::ListPumpsRequest::default()))
            .await
            .unwrap()
            .is_ok()
    }

    async fn display(&self) -> Display {
        let own = self.pki.issue(service(Kind::Display, "desk-1"));
        Display { channel: self.channel(&self.pki.client(Some(own))).await.unwrap() }
    }

    /// A client of the broker that is none of ours; its connection, if the broker lets it in.
    async fn enters(&self, files: &ClientFiles) -> Option<(AsyncClient, rumqttc::EventLoop)> {
        let address = self.broker.addr();
        let mut options = MqttOptions::new("x", address.ip().to_string(), address.port());
        let config = TlsConfiguration::Rustls(Arc::new(files.load(&[]).unwrap()));
        options.set_transport(Transport::tls_with_config(config));
        let (client, mut events) = AsyncClient::new(options, 10);
        let entered = async {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => return true,
                    Ok(_) => {}
                    Err(_) => return false,
                }
            }
        };
        timeout(SOON, entered).await.unwrap().then_some((client, events))
    }

    /// Frames that the gateway refused, of whomever.
    async fn rejected(&self) -> u64 {
        let mut stream = TcpStream::connect(self.metrics).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let is_one = |line: &&str| line.starts_with("ecmo_gateway_frames_rejected_total{");
        let count = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        text.lines().filter(is_one).map(count).sum()
    }

    /// Whether somebody with the best of certificates gets in by this version of TLS.
    async fn handshake(&self, at: SocketAddr, version: &str) -> bool {
        let (ca, own) = (self.pki.path("ca.crt"), self.pki.path("desk-1"));
        let mut command = Command::new("openssl");
        command.args(["s_client", "-brief", version, "-verify_return_error", "-connect"]);
        command.arg(at.to_string()).arg("-CAfile").arg(ca);
        command.arg("-cert").arg(own.with_extension("crt"));
        command.arg("-key").arg(own.with_extension("key"));
        command.stdin(Stdio::null()).output().await.unwrap().status.success()
    }
}

/// A certificate that ends after this time.
fn short_lived(pki: &Pki, identity: Identity, lasts: Duration) -> Pair {
    let from = now() - Duration::from_hours(48);
    let order = Order { identity, hosts: vec![], from, until: now() + lasts };
    ecmo_pki::issue(pki.folder(), &order).unwrap().pair
}

fn ended(pki: &Pki, identity: Identity) -> Pair {
    let (from, until) = (now() - Duration::from_hours(48), now() - Duration::from_hours(1));
    ecmo_pki::issue(pki.folder(), &Order { identity, hosts: vec![], from, until }).unwrap().pair
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn frames_and_alarms_cross_a_ward_by_mutual_tls() {
    let ward = Ward::start().await;
    let display = ward.display().await;
    let alarms = display.watch_alarms().await;
    ward.pki.issue(agent("pump-1"));
    let agent = ward.agent("pump-1", "pump-1", 3).await;
    display.await_live("pump-1").await;
    alarms.raised("pump-1", "pump.stop").await;
    // What the gateway says to the agent arrives too: it is heard, and so it is quiet at the bedside.
    display
        .await_pump("pump-1", "leased", |pump| {
            let agent = pump.agent.as_ref();
            agent.and_then(|agent| agent.local_alarm.as_ref()).is_some_and(|it| it.leased)
        })
        .await;
    assert_eq!(agent.log().matches("publishing").count(), 1, "{}", agent.log());
    let ended = tokio::task::spawn_blocking(|| agent.terminate().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(0));
    // The broker knows them by their certificates, and by nothing else.
    let log = ward.broker.log();
    for name in ["pump-1", "gateway-a"] {
        assert!(
            log.contains(&format!(" as {name} (")) && log.contains(&format!("u'{name}'")),
            "{log}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto and openssl; cargo xtask ci runs it"]
async fn neither_broker_nor_gateway_lets_in_who_does_not_belong_there() {
    let ward = Ward::start().await;
    let _display = ward.display().await;
    let (pki, other) = (&ward.pki, Pki::new());
    let pump = pki.client(Some(pki.issue(agent("pump-3"))));
    assert!(ward.enters(&pump).await.is_some());
    let desk = service(Kind::Display, "desk-2");
    let desk_files = pki.client(Some(pki.issue(desk.clone())));
    assert!(ward.is_served(&desk_files).await);
    let nobody = pki.client(None);
    let foreign = |identity| pki.client(Some(other.issue(identity)));
    let past = |name: &str| pki.client(Some(ended(pki, service(Kind::Display, name))));
    for (what, at_broker, at_gateway) in [
        ("no certificate", nobody.clone(), nobody),
        ("another authority", foreign(agent("pump-3")), foreign(desk)),
        ("ended", pki.client(Some(ended(pki, agent("pump-4")))), past("desk-4")),
    ] {
        assert!(ward.enters(&at_broker).await.is_none(), "{what} at the broker");
        assert!(!ward.is_served(&at_gateway).await, "{what} at the gateway");
    }
    assert!(!ward.is_served(&pump).await, "an agent's certificate at the gateway");
    for at in [ward.broker.addr(), ward.displays] {
        assert!(ward.handshake(at, "-tls1_3").await, "{at}");
        assert!(!ward.handshake(at, "-tls1_2").await, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn ecmoctl_sees_a_ward_over_tls_and_says_what_it_lacks() {
    let ward = Ward::start().await;
    let display = ward.display().await;
    ward.pki.issue(agent("pump-1"));
    let _running = RunningAgent::start(ward.agent_settings("pump-1", "pump-1", 3_600));
    display.await_live("pump-1").await;
    let own = [("--ca", "ca.crt"), ("--certificate", "desk-1.crt"), ("--key", "desk-1.key")];
    let (_code, said) = ward.pumps(&own).await;
    assert!(said.contains("pump-1") && said.contains("live"), "{said}");
    let (code, said) = ward.pumps(&own[..1]).await;
    assert_eq!(code, Some(3), "no certificate: {said}");
    let (code, said) = ward.pumps(&[]).await;
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("--ca FILE"), "{said}");
    let (code, said) = ward.pumps(&[("--ca", "desk-1.crt")]).await;
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("is no authority"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn a_pump_cannot_speak_as_its_neighbour() {
    let ward = Ward::start().await;
    let display = ward.display().await;
    let own = ward.pki.issue(agent("pump-3"));
    // By its settings: it does not start, and says what to do.
    let settings = ward.agent_settings("pump-2", "pump-3", 3);
    let refused = ecmo_agent::run(settings, std::future::pending()).await.unwrap_err();
    assert!(refused.is_about_settings());
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(why.contains("\"pump-3\", and not for \"pump-2\"") && why.contains("; use"), "{why}");
    let mut agent = ward.agent("pump-2", "pump-3", 3).await;
    let ended = async || agent.ended().unwrap().and_then(|status| status.code());
    assert_eq!(eventually(SOON, "it ends", ended).await.unwrap(), 2);
    assert!(agent.log().contains("not for \"pump-2\"; use the one"), "{}", agent.log());
    // By force: the broker passes on what is its own, and nothing of its neighbour's.
    let (client, mut events) = ward.enters(&ward.pki.client(Some(own))).await.unwrap();
    let before = ward.rejected().await;
    for pump in ["pump-2", "pump-3"] {
        let topic = format!("ecmo/v1/nicu/{pump}/frame");
        client.publish(topic, QoS::AtLeastOnce, false, "no frame").await.unwrap();
    }
    let mut acknowledged = 0;
    while acknowledged < 2 {
        let event = timeout(SOON, events.poll()).await.unwrap().unwrap();
        acknowledged += u32::from(matches!(event, Event::Incoming(Packet::PubAck(_))));
    }
    // What came first was given out first: once the second is there, the first never comes.
    let arrived = async || Some(ward.rejected().await - before).filter(|count| *count > 0);
    assert_eq!(eventually(SOON, "its own message", arrived).await.unwrap(), 1);
    assert!(display.pump("pump-2").await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Mosquitto; cargo xtask ci runs it"]
async fn fault_f34_a_certificate_that_ends_cuts_no_stream_that_stands() {
    let ward = Ward::start().await;
    let display = ward.display().await;
    let short = short_lived(&ward.pki, agent("pump-1"), Duration::from_secs(8));
    let running = RunningAgent::start(ward.agent_settings("pump-1", "pump-1", 3_600));
    display.await_live("pump-1").await;
    let files = ward.pki.client(Some(short));
    // Its own second session would throw the first one out: another who is new learns it from the clock.
    let until = files.certificate().unwrap().unwrap().not_after;
    let since_1970 = || now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let over = async || (since_1970() > until.unsigned_abs() + 2).then_some(());
    eventually(SOON, "the end of the certificate", over).await.unwrap();
    let seen = display.await_live("pump-1").await;
    let later = async |pump: &ecmo_proto::v1::Pump| pump != &seen;
    eventually(SOON, "newer values", async || {
        let pump = display.pump("pump-1").await?;
        later(&pump).await.then_some(())
    })
    .await
    .unwrap();
    assert!(ward.enters(&files).await.is_none(), "nobody new comes in by it");
    display.await_live("pump-1").await;
    assert_eq!(running.stop().await.connections, 1);
}
