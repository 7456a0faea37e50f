//! Joins the stages: broker, alarm thread, directory, displays, metrics. Starts them in order and ends them in order.

mod background;

mod brokers;

mod disclosing;

mod listening;

mod others;

mod people;

mod recording;

mod storing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::actions::{Actions, ActionsParts, PeerOutlet};
use crate::clock::Clock;
use crate::config::{BrokerAddress, Settings};
use crate::desk::{self, Desk, DeskParts};
use crate::disclosure::{Disclosed, DisclosureThread};
use crate::engine::{Engine, EngineHandle, EngineParts};
use crate::grpc::{self, Serving};
use crate::history::Histories;
use crate::http::{self, NotReady};
use crate::ingest;
use crate::journal::{self, JournalThread};
use crate::latency::Latencies;
use crate::metrics::Metrics;
use crate::request::Asker;
use crate::store::{Store, StoreThreads};
use crate::tls::{self, Own};
use crate::ui::Page;

use background::background;
#[cfg(feature = "embedded-broker")]
use brokers::embedded;
use brokers::{all, broker_addresses, paths_of, to_read};
use listening::{ForDisplays, listen, listen_for_displays, serve};
use others::Ways;
use recording::Recording;
use storing::Stored;

/// How long displays may take to end their requests when the gateway ends.
const DRAIN: Duration = Duration::from_millis(500);

/// How long the journal may take to write what it has when the gateway ends.
const JOURNAL_END: Duration = Duration::from_secs(1);

/// How long the state store may take to write what it has when the gateway ends.
const STORE_END: Duration = Duration::from_secs(1);

/// A round of the alarm thread older than this means that it hangs.
const ROUND_AGE_MAX: Duration = Duration::from_secs(1);

/// Connections to the metrics port: two scrapers and a person.
const METRICS_CONNECTIONS_MAX: usize = 8;

/// Connections a display may have: two streams, and calls beside them.
const CONNECTIONS_PER_DISPLAY: usize = 4;

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The embedded broker does not start.
    #[cfg(feature = "embedded-broker")]
    #[error(transparent)]
    Broker(#[from] crate::broker::BrokerError),
    /// This program was built without the embedded broker.
    #[error("this gateway was built without the embedded broker; set url under [broker] to one")]
    NoEmbeddedBroker,
    /// An address is taken or not ours.
    #[error(
        "cannot listen on {bind}; stop what listens there, or choose another bind under [{section}]"
    )]
    Listen {
        /// The address.
        bind: SocketAddr,
        /// Where it is set.
        section: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("cannot start the alarm thread")]
    Thread(#[source] std::io::Error),
    /// The services cannot be offered.
    #[error(transparent)]
    Services(#[from] grpc::ServeError),
    /// Displays beyond this machine, and neither TLS nor a word that takes the risk.
    #[error(
        "{bind} is open to the network, and nothing there is encrypted or asks who comes; set certificate and key under \
         [serve.tls], bind to 127.0.0.1, or take the risk by insecure = true under [serve]"
    )]
    Exposed {
        /// The address.
        bind: SocketAddr,
    },
    /// A certificate or key is of no use.
    #[error(transparent)]
    Certificate(#[from] ecmo_identity::FileError),
    /// A helper thread ended.
    #[error("the start was interrupted")]
    Interrupted(#[from] JoinError),
}

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    scheme: &'static str,
    metrics_address: SocketAddr,
    broker_addresses: Vec<BrokerAddress>,
    latencies: Arc<Latencies>,
    engine: Engine,
    journal: Option<JournalThread>,
    disclosure: Option<DisclosureThread>,
    store: Option<StoreThreads>,
    clock: Clock,
    tasks: JoinSet<&'static str>,
    stop: watch::Sender<bool>,
    #[cfg(feature = "embedded-broker")]
    broker: Option<crate::broker::EmbeddedBroker>,
}

impl Gateway {
    /// Starts everything; when this returns, displays can connect.
    ///
    /// # Errors
    /// An address is taken, a setting names what does not exist, or the system gives no thread.
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        let (listener, address) = listen_for_displays(&settings.serve)?;
        let (metrics_listener, metrics_address) = listen(settings.metrics_bind, "metrics")?;
        #[cfg(feature = "embedded-broker")]
        let broker = embedded(settings).await?;
        #[cfg(feature = "embedded-broker")]
        let embedded_at = broker.as_ref().map(|broker| BrokerAddress::from(broker.address()));
        #[cfg(not(feature = "embedded-broker"))]
        let embedded_at = None;
        let broker_addresses = broker_addresses(settings, embedded_at.as_ref())?;

        let clock = Clock::start();
        let paths = paths_of(&broker_addresses);
        let metrics = Arc::new(storing::described(Metrics::new(&paths), settings));
        let own = Own::open(settings, &metrics)?;
        let (requests, outbound) = ingest::requests(&paths, &metrics);
        let (others, heard) = mpsc::channel(ingest::OTHERS_QUEUED_MAX);
        let ((told, to_tell), latencies) = (mpsc::channel(others::TOLD_MAX), Arc::default());
        let mut stored = storing::open(settings, clock, &metrics).await?;
        let (intake, outtake) = journal::intake(metrics.journal_dropped.clone());
        let past = disclosing::start(settings, clock, &metrics)?;
        let parts = EngineParts {
            clock,
            metrics: Arc::clone(&metrics),
            latencies: Arc::clone(&latencies),
            brokers: to_read(settings, &broker_addresses, outbound, &others, own.brokers.as_ref()),
            requests: requests.clone(),
            asker: Asker::new(),
            restored: std::mem::take(&mut stored.restored),
            journal: settings.journal.is_some().then_some(intake),
            disclosure: past.intake,
            state: stored.intake.take(),
        };
        let (engine, mut outputs) = Engine::start(settings, parts).map_err(StartError::Thread)?;
        stored.store.iter().for_each(Store::redone);
        let kept = (outtake, &mut outputs);
        let journal =
            recording::start(settings, (clock, &metrics), kept, requests.clone(), past.feeder)?;

        let histories = Arc::new(Histories::new(settings.history));
        let shared = (clock, Arc::clone(&metrics), Arc::clone(&latencies));
        let people = People::new(&histories, &mut stored, told, past.disclosed);
        let mut serving = serve_from(settings, shared, &engine.handle, people, journal.as_ref());
        let mut tasks = background(outputs, &serving, histories);
        serving.door = people::open(settings, clock, &mut tasks).await?;
        others::start(&mut tasks, settings, &serving, Ways { requests, heard, told: to_tell });
        storing::run(&mut tasks, stored.store, engine.handle.clone(), clock);
        let journal = journal.map(|journal| journal.run(&mut tasks, engine.handle.clone()));
        let router = for_displays(settings, serving, &engine.handle).await?;
        tasks.spawn(tls::watch(own.clone(), Arc::clone(&metrics), clock));

        let (stop, stopping) = watch::channel(false);
        let displays_max = settings.serve.displays_max;
        let displays = ForDisplays { listener, router, displays_max, tls: own.displays };
        serve(&mut tasks, displays, (metrics_listener, metrics), &stopping);
        tracing::info!(%address, %metrics_address, brokers = %all(&broker_addresses), "gateway serves displays");
        Ok(Self {
            address,
            scheme: if settings.serve.tls.is_some() { "https" } else { "http" },
            metrics_address,
            broker_addresses,
            latencies,
            engine,
            journal,
            disclosure: past.thread,
            store: stored.threads,
            clock,
            tasks,
            stop,
            #[cfg(feature = "embedded-broker")]
            broker,
        })
    }

    /// Where displays are served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a display writes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where metrics are served.
    #[must_use]
    pub const fn metrics_address(&self) -> SocketAddr {
        self.metrics_address
    }

    /// The first of the brokers that are read.
    ///
    /// # Panics
    /// Never: there is one at least.
    #[must_use]
    pub fn broker_address(&self) -> &BrokerAddress {
        self.broker_addresses.first().expect("settings name at least one broker")
    }

    /// The brokers that are read, in the order of the settings.
    #[must_use]
    pub fn broker_addresses(&self) -> &[BrokerAddress] {
        &self.broker_addresses
    }

    /// Tells when the alarm thread last finished a round; for whoever watches over it.
    pub fn last_round(&self) -> impl Fn() -> ecmo_core::time::Instant + use<> {
        let engine = self.engine.handle.clone();
        move || engine.last_round()
    }

    /// Histograms of the hops.
    #[must_use]
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// Waits until a part ends although nobody asked for it, and names it. Such a gateway must not go on: its displays
    /// would show a state that nobody keeps.
    pub async fn failed(&mut self) -> &'static str {
        let mut look = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                ended = self.tasks.join_next() => match ended {
                    Some(Ok(name)) => return name,
                    Some(Err(_)) => return "a task that panicked",
                    None => return "every task",
                },
                _ = look.tick() => {
                    if self.engine.has_ended() {
                        return "alarm thread";
                    }
                    if self.journal.as_ref().is_some_and(JournalThread::has_ended) {
                        return "journal thread";
                    }
                    if self.store.as_ref().is_some_and(StoreThreads::has_ended) {
                        return "a thread of the state store";
                    }
                }
            }
        }
    }

    /// Ends everything: displays first, then the alarm thread, then the broker. Takes at most four seconds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let (engine, journal, store) = (self.engine, self.journal, self.store);
        let disclosure = self.disclosure;
        let clock = self.clock;
        let ending = tokio::task::spawn_blocking(move || {
            engine.stop();
            if let Some(journal) = journal {
                journal.stop(clock, JOURNAL_END);
            }
            if let Some(disclosure) = disclosure {
                disclosure.stop(clock, JOURNAL_END);
            }
            if let Some(store) = store {
                store.stop(clock, STORE_END);
            }
        });
        if let Err(error) = ending.await {
            tracing::error!(%error, "ending the alarm thread failed");
        }
        // Both servers end within the drain; the other tasks have nothing left to do.
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN * 2, drained).await.is_err() {
            self.tasks.abort_all();
        }
        #[cfg(feature = "embedded-broker")]
        if let Some(broker) = self.broker.take()
            && let Err(error) = tokio::task::spawn_blocking(move || broker.stop()).await
        {
            tracing::error!(%error, "ending the embedded broker failed");
        }
    }
}

/// What displays may ask for: services, page, health.
async fn for_displays(
    settings: &Settings,
    serving: Serving,
    engine: &EngineHandle,
) -> Result<axum::Router, StartError> {
    let ready = readiness(engine.clone(), serving.clock);
    let services = grpc::router(serving, &settings.ui).await?;
    let page = Page::open(settings).await.router(settings, services);
    Ok(http::router(ready).merge(page))
}

/// Whether the gateway can tell the truth about the pumps.
fn readiness(engine: EngineHandle, clock: Clock) -> impl Fn() -> Result<(), NotReady> {
    move || {
        let age = clock.now().since(engine.last_round());
        if age > ROUND_AGE_MAX {
            return Err(NotReady(format!("the alarm thread hangs since {} ms", age.as_millis())));
        }
        if !engine.is_linked() {
            return Err(NotReady("no connection to the broker".to_owned()));
        }
        Ok(())
    }
}

/// What people did and do.
struct People {
    histories: Arc<Histories>,
    store: Option<Store>,
    /// The greatest order of an action that is known from before.
    order: u64,
    said: desk::Restored,
    /// What other gateways must hear of.
    told: PeerOutlet,
    /// What was kept, where something is.
    disclosed: Option<Disclosed>,
}

impl People {
    fn new(
        histories: &Arc<Histories>,
        stored: &mut Stored,
        told: PeerOutlet,
        disclosed: Option<Disclosed>,
    ) -> Self {
        Self {
            histories: Arc::clone(histories),
            store: stored.store.clone(),
            order: stored.order,
            said: std::mem::take(&mut stored.said),
            told,
            disclosed,
        }
    }
}

/// What the services work with.
fn serve_from(
    settings: &Settings,
    (clock, metrics, latencies): (Clock, Arc<Metrics>, Arc<Latencies>),
    engine: &EngineHandle,
    people: People,
    journal: Option<&Recording>,
) -> Serving {
    let epoch = fastrand::u64(1..);
    let actions = Arc::new(Actions::new(ActionsParts {
        clock,
        engine: engine.clone(),
        store: people.store,
        gateway: settings.name.to_string(),
        epoch,
        order: people.order,
        peers: Some(people.told),
    }));
    let registry = Arc::default();
    let desk = Arc::new(Desk::new(DeskParts {
        clock,
        profile: settings.alarms.in_force(),
        engine: engine.clone(),
        registry: Arc::clone(&registry),
        histories: people.histories,
        actions: Arc::clone(&actions),
        standing: people.said.standing,
        durable: people.said.durable,
    }));
    let missed = journal.map(|journal| Arc::clone(&journal.missed));
    let disclosed = people.disclosed;
    let engine = engine.clone();
    let door = None;
    Serving {
        clock,
        epoch,
        registry,
        engine,
        actions,
        metrics,
        desk,
        latencies,
        missed,
        disclosed,
        door,
    }
}
