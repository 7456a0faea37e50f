//! Publishes birth, status, live frames, heartbeats and backfill over MQTT, and hears what gateways ask. The only place that
//! knows the MQTT client.
//!
//! Every frame goes to every path. A path is a broker with a queue, a connection and a wait of its own; paths share nothing
//! that one of them could hold up.

mod acks;

mod backlog;

mod backoff;

mod bucket;

mod inbox;

mod part;

mod pulse;

mod seen;

mod answers;

mod path;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecmo_identity::ClientTls;
use ecmo_proto::sealed::{BACKFILL_BYTES_MAX, FRAME_BYTES_MAX};
use ecmo_proto::topic::PumpAddress;
use tokio::sync::watch;

pub use self::part::Archive;

use self::bucket::Bucket;
use self::part::BIRTH_BYTES_MAX;
use self::path::Path;
use crate::birth::Announcer;
use crate::clock;
use crate::config::{BrokerUrl, Brokers};
use crate::counters::Counters;
use crate::heartbeat::{Heart, PathState, Vitals};
use crate::lease::Lease;
use crate::queue::Outlets;
use crate::wall_clock::WallClock;

/// Longest packet in both directions; the client's default of 10 KiB would refuse a long birth.
pub const PACKET_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a packet besides its payload, at most: fixed header, topic, packet id.
const PACKET_HEAD_BYTES_MAX: usize = 512;

const _: () = assert!(
    FRAME_BYTES_MAX + PACKET_HEAD_BYTES_MAX < PACKET_BYTES_MAX
        && BACKFILL_BYTES_MAX + PACKET_HEAD_BYTES_MAX < PACKET_BYTES_MAX,
    "everything that is published fits a packet"
);

/// What a publisher is made of.
#[derive(Debug)]
pub struct Publication {
    /// Where to publish.
    pub brokers: Brokers,
    /// Who the agent is at brokers with TLS; without it, none of them can be reached.
    pub tls: Option<Arc<ClientTls>>,
    /// What the agent says of itself.
    pub announcer: Announcer,
    /// Where frames come from: one queue for each broker.
    pub outlets: Outlets,
    /// What the parts of the agent tell in heartbeats.
    pub vitals: Vitals,
    /// What is known of the wall clock; the publisher keeps looking at it.
    pub wall_clock: Arc<WallClock>,
    /// Where leases are kept.
    pub lease: Arc<Lease>,
    /// What keeps frames; `None` without a spool.
    pub archive: Option<Arc<dyn Archive>>,
    /// Bytes of backfill per second, over all paths; above 0.
    pub backfill_bytes_per_s: u64,
    /// What is counted.
    pub counters: Arc<Counters>,
}

/// Publishes what one agent samples.
#[derive(Debug)]
pub struct Publisher {
    paths: Vec<Path>,
    shared: Arc<Shared>,
}

/// Why an agent cannot be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the birth has {0} bytes, at most {BIRTH_BYTES_MAX} can be sent: shorten names or remove a [[source]]"
)]
pub struct BirthTooLong(usize);

/// What the paths of one agent share; nothing in it is held while anything waits.
#[derive(Debug)]
struct Shared {
    announcer: Announcer,
    heart: Heart,
    wall_clock: Arc<WallClock>,
    lease: Arc<Lease>,
    archive: Option<Arc<dyn Archive>>,
    bucket: Mutex<Bucket>,
    counters: Arc<Counters>,
}

impl Publisher {
    /// A publisher that connects when it runs.
    ///
    /// # Errors
    /// The birth would not fit what a receiver accepts.
    pub fn new(publication: Publication) -> Result<Self, BirthTooLong> {
        let Publication { brokers, tls, outlets, vitals, wall_clock, .. } = publication;
        wall_clock.look();
        let announcer = publication.announcer.with_paths(brokers.count());
        let bytes = announcer.birth(clock::stamp(), wall_clock.quality()).len();
        if bytes > BIRTH_BYTES_MAX {
            return Err(BirthTooLong(bytes));
        }
        let ends = brokers.paths().zip(outlets.queues());
        let (ends, states): (Vec<_>, Vec<_>) = ends
            .map(|((name, broker), queue)| {
                let state = Arc::new(PathState::new(name, Arc::clone(queue)));
                ((broker.clone(), Arc::clone(&state)), state)
            })
            .unzip();
        let heart = Heart {
            pump: announcer.pump().to_owned(),
            boot_id: announcer.boot_id(),
            vitals,
            wall_clock: Arc::clone(&wall_clock),
            paths: states,
        };
        let address = announcer.topics().address.clone();
        let shared = Arc::new(Shared {
            announcer,
            heart,
            wall_clock,
            lease: publication.lease,
            archive: publication.archive,
            bucket: Mutex::new(Bucket::new(publication.backfill_bytes_per_s)),
            counters: publication.counters,
        });
        let path = |(broker, state): (BrokerUrl, Arc<PathState>)| Path {
            client_id: client_id(&broker, &address, state.name()),
            tls: tls.clone().filter(|_| broker.is_secured()),
            broker,
            state,
            shared: Arc::clone(&shared),
            pulse: Mutex::default(),
        };
        Ok(Self { paths: ends.into_iter().map(path).collect(), shared })
    }

    /// Connects every path, publishes, and connects again after every loss, until `stop` is true or its sender is gone.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let run = async |path: Option<&Path>| {
            if let Some(path) = path {
                path.run(stop.clone()).await;
            }
        };
        let paths = async { tokio::join!(run(self.paths.first()), run(self.paths.get(1))) };
        tokio::select! {
            ((), ()) = paths => {}
            () = self.shared.wall_clock.watch() => {}
        }
    }
}

/// The id of a session. Where the broker knows us by our certificate, it takes the common name, whatever we say: it is said, so
/// that both sides log the same. One session a broker: the settings name none twice.
fn client_id(broker: &BrokerUrl, address: &PumpAddress, path: &str) -> String {
    if broker.is_secured() {
        return address.pump.to_string();
    }
    // Ids hold no colon, so no two agents and no two paths have one client id. Some brokers refuse a slash.
    format!("ecmo-agent:{}:{}:{path}", address.ward, address.pump)
}

/// What is behind a lock. Nothing that is done under one can panic half way, so a poisoned one is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
