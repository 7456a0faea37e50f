//! Who gets in, and who does not: two ends of TLS that speak to each other in memory.

use std::path::Path;
use std::sync::Arc;

use ecmo_identity::rustls::pki_types::ServerName;
use ecmo_identity::rustls::{ClientConnection, Error, ProtocolVersion, ServerConnection};
use ecmo_identity::{ClientFiles, Identity, Kind, Pair, ServerFiles};
use ecmo_pki::{Authority, Order, Signed};

use super::{DAY, agent, authority, id, now, order};

/// Files of a site.
struct Site {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Site {
    fn new() -> Self {
        let (folder, (authority, signed)) = (tempfile::tempdir().unwrap(), authority());
        let site = Self { folder, authority };
        site.put("ca", &signed);
        let broker = order(Identity::service(Kind::Broker, id("broker-a")));
        site.put("broker-a", &site.authority.sign(&broker).unwrap());
        site
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, signed: &Signed) -> Pair {
        let pair = self.pair(name);
        std::fs::write(&pair.certificate, &signed.certificate).unwrap();
        std::fs::write(&pair.key, &signed.key).unwrap();
        pair
    }

    fn pair(&self, name: &str) -> Pair {
        let at = |ending: &str| self.path(&format!("{name}.{ending}"));
        Pair { certificate: at("crt"), key: at("key") }
    }

    fn sign(&self, name: &str, order: &Order) -> Pair {
        self.put(name, &self.authority.sign(order).unwrap())
    }

    fn server(&self, own: &str) -> ServerFiles {
        let client_ca = Some(self.path("ca.crt"));
        ServerFiles { own: self.pair(own), client_ca, client_optional: false }
    }

    fn client(&self, own: Option<Pair>) -> ClientFiles {
        ClientFiles { ca: self.path("ca.crt"), own }
    }
}

/// Speaks until both are content, or one is not; the version, and whether a certificate was shown.
fn speak(
    client: &ClientFiles,
    server: &ServerFiles,
    host: &'static str,
) -> Result<(ProtocolVersion, bool), Error> {
    let name = ServerName::try_from(host).unwrap();
    let mut one = ClientConnection::new(Arc::new(client.load(&[]).unwrap()), name).unwrap();
    let mut two = ServerConnection::new(Arc::new(server.load(&[]).unwrap())).unwrap();
    while one.is_handshaking() || two.is_handshaking() || one.wants_write() {
        let mut bytes = Vec::new();
        while one.wants_write() {
            one.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            two.read_tls(&mut rest).unwrap();
            two.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while two.wants_write() {
            two.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            one.read_tls(&mut rest).unwrap();
            one.process_new_packets()?;
        }
    }
    Ok((two.protocol_version().unwrap(), two.peer_certificates().is_some()))
}

#[test]
fn those_whom_the_authority_has_signed_get_in_by_tls_1_3() {
    let site = Site::new();
    let pump = site.sign("pump-1", &order(agent("pump-1")));
    let (client, server) = (site.client(Some(pump)), site.server("broker-a"));
    for host in ["127.0.0.1", "broker-a"] {
        assert_eq!(speak(&client, &server, host), Ok((ProtocolVersion::TLSv1_3, true)));
    }
}

#[test]
fn nobody_else_gets_in() {
    let site = Site::new();
    let server = site.server("broker-a");
    let pump = site.sign("pump-1", &order(agent("pump-1")));
    let (foreign, _) = authority();
    let forged = site.put("forged", &foreign.sign(&order(agent("pump-1"))).unwrap());
    let ended = Order { from: now() - 9 * DAY, until: now() - DAY, ..order(agent("pump-1")) };
    let ended = site.sign("ended", &ended);
    let early = Order { from: now() + DAY, until: now() + 9 * DAY, ..order(agent("pump-1")) };
    let early = site.sign("early", &early);
    // It may serve and not connect.
    let broker = site.pair("broker-a");
    for (what, own) in [
        ("nobody", None),
        ("forged", Some(forged)),
        ("ended", Some(ended)),
        ("early", Some(early)),
        ("a broker", Some(broker)),
    ] {
        let ended = speak(&site.client(own), &server, "127.0.0.1");
        assert!(ended.is_err(), "{what}: {ended:?}");
    }
    let optional = ServerFiles { client_optional: true, ..server.clone() };
    assert_eq!(
        speak(&site.client(None), &optional, "127.0.0.1"),
        Ok((ProtocolVersion::TLSv1_3, false))
    );
    assert!(speak(&site.client(Some(site.pair("forged"))), &optional, "127.0.0.1").is_err());

    // The other way round: whom a client believes.
    let client = site.client(Some(pump));
    assert!(speak(&client, &server, "broker-b").is_err(), "another host");
    let as_server = ServerFiles { own: site.pair("pump-1"), ..server.clone() };
    assert!(speak(&client, &as_server, "127.0.0.1").is_err(), "an agent that serves");
    let other = ClientFiles { ca: site.path("other.crt"), ..client };
    std::fs::write(&other.ca, authority().1.certificate).unwrap();
    assert!(speak(&other, &server, "127.0.0.1").is_err(), "another authority");
}

#[test]
fn files_that_do_not_go_together_say_what_to_do() {
    let site = Site::new();
    let pump = site.sign("pump-1", &order(agent("pump-1")));
    let words = |files: &ClientFiles| files.load(&[]).unwrap_err().to_string();
    let mixed = Pair { key: site.pair("broker-a").key, ..pump.clone() };
    assert!(words(&site.client(Some(mixed))).contains("made together"));
    let no_key = Pair { key: pump.certificate.clone(), ..pump.clone() };
    assert!(words(&site.client(Some(no_key))).contains("holds no private key"));
    let no_certificate = Pair { certificate: pump.key.clone(), ..pump.clone() };
    assert!(words(&site.client(Some(no_certificate))).contains("holds no certificate"));
    let leaf = ClientFiles { ca: pump.certificate.clone(), own: None };
    assert!(words(&leaf).contains("is no authority"));
    let nowhere = ClientFiles { ca: Path::new("/nowhere/ca.crt").to_owned(), own: None };
    assert!(words(&nowhere).contains("/nowhere/ca.crt"));
}
