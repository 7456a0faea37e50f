//! Certificates that were made here, used as programs use them: TLS in memory, and files in a folder.
#![cfg(test)]

mod folder;

mod handshake;

mod reader;

use std::time::{Duration, SystemTime};

use ecmo_identity::{Identity, Kind};
use ecmo_pki::{Authority, Order, Signed};
use ecmo_proto::topic::{Id, PumpAddress};

const DAY: Duration = Duration::from_hours(24);

/// The wall clock: a certificate holds by it.
#[expect(clippy::disallowed_methods, reason = "a test has no other clock to sign by")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn agent(pump: &str) -> Identity {
    Identity::agent(&PumpAddress { ward: id("nicu"), pump: id(pump) })
}

fn order(identity: Identity) -> Order {
    let serves = matches!(identity.kind, Kind::Broker | Kind::Gateway);
    let hosts = if serves { vec!["127.0.0.1".to_owned(), "broker-a".to_owned()] } else { vec![] };
    Order::for_days(identity, hosts, 30, now()).unwrap()
}

fn authority() -> (Authority, Signed) {
    Authority::make("test", 100, now()).unwrap()
}
