//! The embedded MQTT broker: one binary serves a small site. It has a thread of its own, so that a busy broker never
//! delays the alarm thread.

use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use ecmo_proto::sealed::{BACKFILL_BYTES_MAX, FRAME_BYTES_MAX};
use mqtt5::broker::config::{StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, MqttBroker};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::{FRAMES_PER_SECOND, PUMPS_MAX};

/// Longest packet: a part of a backfill, its topic, and room for what a later version adds. Longer ones end the sender's
/// connection, here and not at the gateway's, where it would cut off every pump.
const PACKET_BYTES_MAX: usize = BACKFILL_BYTES_MAX + FRAME_BYTES_MAX;

/// Every pump twice (an agent that reconnects stands beside its old connection), gateways, and tools.
const CLIENTS_MAX: usize = 2 * PUMPS_MAX + 64;

/// A birth and a status for every pump, and room for pumps that came and went.
const RETAINED_MAX: usize = 4 * PUMPS_MAX;

/// How long an agent's unacknowledged messages wait for it. They are births and statuses, which it sends anew anyway.
const SESSION_EXPIRY: Duration = Duration::from_secs(600);

/// How many of them, and their bytes, per agent.
const QUEUED_MAX: usize = 64;

/// What waits for a client that does not read: the frames of all pumps in a quarter of a second. Frames beyond it are
/// dropped, and missed by their sequence.
const CLIENT_QUEUE_MAX: usize = PUMPS_MAX * FRAMES_PER_SECOND / 4;

/// How long the broker may take to say goodbye to its clients, before their sockets are closed anyway.
const GOODBYE_MAX: Duration = Duration::from_millis(500);

/// How long its own background work may take to end.
const RUNTIME_END_MAX: Duration = Duration::from_secs(1);

/// Why the embedded broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No thread or runtime.
    #[error("cannot start the embedded broker's thread")]
    Thread(#[source] std::io::Error),
    /// The address is taken or not ours.
    #[error(
        "cannot start the embedded broker on {bind}; stop what listens there, or choose another bind under [broker]"
    )]
    Listen {
        /// The address.
        bind: SocketAddr,
        /// The broker's reason.
        #[source]
        source: Box<mqtt5::MqttError>,
    },
    /// The thread ended before it told its address.
    #[error("the embedded broker on {bind} ended before it was ready")]
    Ended {
        /// The address.
        bind: SocketAddr,
    },
    /// Only loopback: whoever reaches the broker may publish as any pump.
    #[error("the embedded broker has no authentication; bind it to 127.0.0.1 instead of {bind}")]
    NotLoopback {
        /// The address.
        bind: SocketAddr,
    },
}

/// A broker that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl EmbeddedBroker {
    /// Starts a broker and waits until it accepts connections. Blocks for some milliseconds.
    ///
    /// # Errors
    /// The address is not loopback, is taken, or the system has no more threads.
    pub fn start(bind: SocketAddr) -> Result<Self, BrokerError> {
        if !bind.ip().is_loopback() {
            return Err(BrokerError::NotLoopback { bind });
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(BrokerError::Thread)?;
        let (ready_tx, ready) = sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("mqtt-broker".to_owned())
            .spawn(move || {
                runtime.block_on(run(bind, &ready_tx, stopped));
                // The port is free once the runtime is gone, with every socket in it.
                runtime.shutdown_timeout(RUNTIME_END_MAX);
            })
            .map_err(BrokerError::Thread)?;
        let address = ready.recv().unwrap_or(Err(BrokerError::Ended { bind }))?;
        tracing::info!(%address, "embedded broker listens");
        Ok(Self { address, running: Some((stop, thread)) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the broker; afterwards the port is free. Blocks until then, at most two seconds.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some((stop, thread)) = self.running.take() else { return };
        // An error says that it has ended by itself, which it logged.
        stop.send(()).ok();
        if thread.join().is_err() {
            tracing::error!(address = %self.address, "embedded broker panicked");
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.end();
    }
}

async fn run(
    bind: SocketAddr,
    ready: &SyncSender<Result<SocketAddr, BrokerError>>,
    stopped: oneshot::Receiver<()>,
) {
    // Each answer is the only one, and who asked may be gone: try_send cannot fail otherwise.
    let mut broker = match MqttBroker::with_config(config(bind)).await {
        Ok(broker) => broker,
        Err(error) => {
            ready.try_send(Err(BrokerError::Listen { bind, source: Box::new(error) })).ok();
            return;
        }
    };
    let address = broker.local_addr().unwrap_or(bind);
    let shutdown = broker.shutdown_handle();
    let mut accepting = broker.ready_receiver();
    let running = broker.run();
    let told = async {
        if accepting.wait_for(|accepts| *accepts).await.is_ok() {
            ready.try_send(Ok(address)).ok();
        }
        // Whether it is sent or dropped: nobody wants the broker any more.
        stopped.await.ok();
    };
    tokio::pin!(running);
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = told => {
            shutdown.shutdown();
            timeout(GOODBYE_MAX, running).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::error!(%address, %error, "embedded broker ended");
    }
}

fn config(bind: SocketAddr) -> BrokerConfig {
    let storage = StorageConfig {
        // The default writes a folder beside the program.
        backend: StorageBackend::Memory,
        max_queued_messages_per_client: QUEUED_MAX,
        max_queued_bytes_per_client: QUEUED_MAX * FRAME_BYTES_MAX,
        ..StorageConfig::default()
    };
    let mut config = BrokerConfig {
        // The default listens on every address.
        bind_addresses: vec![bind],
        max_clients: CLIENTS_MAX,
        max_packet_size: PACKET_BYTES_MAX,
        maximum_qos: 1,
        // It would split one pump's frames among receivers.
        shared_subscription_available: false,
        max_subscriptions_per_client: 256,
        max_retained_messages: RETAINED_MAX,
        max_retained_message_size: FRAME_BYTES_MAX,
        session_expiry_interval: SESSION_EXPIRY,
        client_channel_capacity: CLIENT_QUEUE_MAX,
        sys_topics_enabled: false,
        storage_config: storage,
        ..BrokerConfig::default()
    };
    config.auth_config.allow_anonymous = true;
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn a_stopped_broker_frees_its_port_at_once() {
        let broker = EmbeddedBroker::start(loopback()).unwrap();
        let address = broker.address();
        assert_ne!(address.port(), 0);
        // It never says a word, so that the broker has nobody to say goodbye to.
        let client = std::net::TcpStream::connect(address).unwrap();
        broker.stop();
        let again = EmbeddedBroker::start(address).unwrap();
        assert_eq!(again.address(), address);
        drop(client);
    }

    #[test]
    fn a_taken_port_is_said_with_what_to_do() {
        let taken = std::net::TcpListener::bind(loopback()).unwrap();
        let error = EmbeddedBroker::start(taken.local_addr().unwrap()).unwrap_err();
        assert!(matches!(error, BrokerError::Listen { .. }), "{error:?}");
        assert!(error.to_string().contains("choose another bind"), "{error}");
    }

    #[test]
    fn an_address_open_to_the_network_is_refused() {
        let error = EmbeddedBroker::start("0.0.0.0:0".parse().unwrap()).unwrap_err();
        assert!(matches!(error, BrokerError::NotLoopback { .. }), "{error:?}");
    }
}
