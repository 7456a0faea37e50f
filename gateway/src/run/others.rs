//! Starts what a gateway does beside others: the talk with them, and the drill.

use std::sync::Arc;

use bytes::Bytes;
use ecmo_proto::topic::PumpAddress;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::config::Settings;
use crate::drill::{self, DrillParts};
use crate::grpc::Serving;
use crate::ingest::{Arrival, Requests};
use crate::peer::{self, PeerParts};

/// What people did here, on its way to other gateways: a busy second of a whole unit. What finds no room shows in the digest.
pub(super) const TOLD_MAX: usize = 256;

/// The ways between this gateway and others.
pub(super) struct Ways {
    /// The way out, over every broker.
    pub(super) requests: Requests,
    /// What other gateways say.
    pub(super) heard: mpsc::Receiver<Arrival>,
    /// What people did here.
    pub(super) told: mpsc::Receiver<(PumpAddress, Bytes)>,
}

/// Starts both.
pub(super) fn start(
    tasks: &mut JoinSet<&'static str>,
    settings: &Settings,
    serving: &Serving,
    ways: Ways,
) {
    let Ways { requests, heard, told } = ways;
    tasks.spawn(drill::run(DrillParts {
        clock: serving.clock,
        engine: serving.engine.clone(),
        requests: requests.clone(),
        name: settings.name.clone(),
        every: settings.drill,
    }));
    tasks.spawn(peer::run(PeerParts {
        clock: serving.clock,
        metrics: Arc::clone(&serving.metrics),
        engine: serving.engine.clone(),
        actions: Arc::clone(&serving.actions),
        desk: Arc::clone(&serving.desk),
        requests,
        heard,
        told,
        name: settings.name.clone(),
        epoch: serving.epoch,
        config: peer::config_digest(settings, &settings.alarms.in_force()),
        expected: settings.peers.clone(),
    }));
}
