//! The brokers that the settings name, where they listen, and what is read from them.

use std::sync::Arc;

use ecmo_identity::ClientTls;
use tokio::sync::mpsc;

use super::StartError;
use crate::config::{Broker, BrokerAddress, Settings};
use crate::ingest;
use crate::metrics::{BrokerPath, Label as _};

/// Starts the embedded broker, if the settings ask for it.
#[cfg(feature = "embedded-broker")]
pub(super) async fn embedded(
    settings: &Settings,
) -> Result<Option<crate::broker::EmbeddedBroker>, StartError> {
    let bind = settings.brokers().find_map(|broker| match broker {
        Broker::Embedded { bind } => Some(*bind),
        Broker::External(_) => None,
    });
    let Some(bind) = bind else { return Ok(None) };
    // It blocks until it listens.
    let started = tokio::task::spawn_blocking(move || crate::broker::EmbeddedBroker::start(bind));
    Ok(Some(started.await??))
}

/// The brokers in the order of the settings, the embedded one where it listens.
pub(super) fn broker_addresses(
    settings: &Settings,
    embedded_at: Option<&BrokerAddress>,
) -> Result<Vec<BrokerAddress>, StartError> {
    let address = |broker: &Broker| match broker {
        Broker::External(address) => Ok(address.clone()),
        Broker::Embedded { .. } => embedded_at.cloned().ok_or(StartError::NoEmbeddedBroker),
    };
    settings.brokers().map(address).collect()
}

/// All of them, for a line of log.
pub(super) fn all(brokers: &[BrokerAddress]) -> String {
    brokers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What the alarm thread reads and publishes at each of them.
pub(super) fn to_read(
    settings: &Settings,
    brokers: &[BrokerAddress],
    outbound: Vec<ingest::Outbound>,
    others: &mpsc::Sender<ingest::Arrival>,
    tls: Option<&Arc<ClientTls>>,
) -> Vec<(ingest::Options, ingest::Outbound)> {
    let options = brokers.iter().zip(BrokerPath::ALL).map(|(broker, path)| ingest::Options {
        broker: broker.clone(),
        tls: tls.filter(|_| broker.tls).cloned(),
        wards: settings.wards.clone(),
        path: *path,
        gateway: settings.name.clone(),
        others: others.clone(),
    });
    options.zip(outbound).collect()
}

/// The path over each of them.
pub(super) fn paths_of(brokers: &[BrokerAddress]) -> Vec<BrokerPath> {
    BrokerPath::ALL.iter().copied().take(brokers.len()).collect()
}
