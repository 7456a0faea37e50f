//! An MQTT broker inside the test's process, on a runtime of its own, that can really be stopped.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::mpsc::{SyncSender, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, anyhow};
use mqtt5::broker::{BrokerConfig, MqttBroker, config::StorageBackend};
use tokio::{runtime::Runtime, sync::oneshot};

use super::PORT_DEADLINE;
use crate::wait::eventually_sync;

/// Far above the largest message of the contract, far below what would hide a runaway one.
const MAX_PACKET_BYTES: usize = 1 << 20;

/// The broker binds and is ready within milliseconds; this covers a machine that is busy building.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// The broker itself gives its connections 5 s to end.
const STOP_DEADLINE: Duration = Duration::from_secs(6);

/// Ending the runtime closes every socket; it only waits for the worker threads.
const END_DEADLINE: Duration = Duration::from_secs(2);

/// Two workers: a stuck connection must not stop the others.
const WORKERS: usize = 2;

/// A broker on 127.0.0.1 for MQTT 3.1.1 and 5: anonymous, sessions and retained messages in memory
/// only, so that they are gone after a stop. Killed when dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    addr: SocketAddr,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    end: oneshot::Sender<Ending>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Ending {
    /// Sessions are closed in order.
    Stop,
    /// All sockets close as when the process dies.
    Kill,
}

impl EmbeddedBroker {
    /// Starts a broker that accepts connections when this returns; `None` lets the system choose
    /// the port. Blocks the thread for milliseconds.
    ///
    /// # Errors
    /// When the port stays taken for 1 s, or the broker is not ready within 10 s.
    pub fn start(port: Option<u16>) -> anyhow::Result<Self> {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
        let (addr, running) = start_on(addr)?;
        Ok(Self { addr, running: Some(running) })
    }

    /// Where it listens; the same after a restart.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port of [`EmbeddedBroker::addr`].
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Stops in order. When this returns every socket is closed and the port is free, save for a
    /// millisecond while this program spawns a process; a start on that port waits for it.
    ///
    /// # Errors
    /// When it is not running, or its thread panicked.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.end(Ending::Stop)
    }

    /// Ends at once, as when the broker's process is killed. The port is as free as after a stop.
    ///
    /// # Errors
    /// When it is not running, or its thread panicked.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.end(Ending::Kill)
    }

    /// Starts again on the same port, with no memory of sessions or retained messages. Kills it
    /// first when it runs.
    ///
    /// # Errors
    /// When the port was taken meanwhile for 1 s, or the broker is not ready within 10 s.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.running.is_some() {
            self.kill()?;
        }
        let (_, running) = start_on(self.addr)?;
        self.running = Some(running);
        Ok(())
    }

    fn end(&mut self, ending: Ending) -> anyhow::Result<()> {
        let Running { end, thread } = self.running.take().context("the broker is not running")?;
        // An error means that the thread has ended by itself; join says how.
        end.send(ending).ok();
        thread.join().map_err(|_| anyhow!("the broker's thread panicked"))
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        if self.running.is_some() {
            // A test that failed must not fail a second time here.
            self.kill().ok();
        }
    }
}

fn start_on(addr: SocketAddr) -> anyhow::Result<(SocketAddr, Running)> {
    eventually_sync(PORT_DEADLINE, "the broker starts", || spawn(addr))
}

fn spawn(addr: SocketAddr) -> anyhow::Result<(SocketAddr, Running)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("test-broker-worker")
        .enable_all()
        .build()
        .context("cannot build the broker's runtime")?;
    let (started, start) = sync_channel(1);
    let (end, ending) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("test-broker".to_owned())
        .spawn(move || run(runtime, addr, &started, ending))
        .context("cannot start the broker's thread")?;
    let addr = start
        .recv_timeout(START_DEADLINE)
        .context("the broker said nothing while starting")?
        .with_context(|| format!("cannot start the broker on {addr}"))?;
    Ok((addr, Running { end, thread }))
}

fn run(
    runtime: Runtime,
    addr: SocketAddr,
    started: &SyncSender<anyhow::Result<SocketAddr>>,
    ending: oneshot::Receiver<Ending>,
) {
    runtime.block_on(async {
        match serve(addr, started, ending).await {
            Ok(()) => {}
            // Full or closed: the test has its answer already, or is gone.
            Err(error) => drop(started.try_send(Err(error))),
        }
    });
    // Whatever the broker left running: without its runtime no task lives and no socket is open.
    runtime.shutdown_timeout(END_DEADLINE);
}

async fn serve(
    addr: SocketAddr,
    started: &SyncSender<anyhow::Result<SocketAddr>>,
    mut ending: oneshot::Receiver<Ending>,
) -> anyhow::Result<()> {
    let mut broker = MqttBroker::with_config(config(addr)).await?;
    let addr = broker.local_addr().context("the broker has no listener")?;
    let stop = broker.shutdown_handle();
    let mut ready = broker.ready_receiver();
    let mut run = std::pin::pin!(broker.run());
    tokio::select! {
        ended = &mut run => return ended.context("the broker ended before it was ready"),
        ready = ready.wait_for(|ready| *ready) => drop(ready.context("the broker gave up")?),
    }
    started.send(Ok(addr)).context("the test is gone")?;
    let ending = tokio::select! {
        ended = &mut run => return ended.context("the broker ended by itself"),
        ending = &mut ending => ending,
    };
    match ending {
        Ok(Ending::Stop) => {
            stop.shutdown();
            tokio::time::timeout(STOP_DEADLINE, run).await??;
        }
        // An error means that the handle was leaked: nobody can want more from this broker.
        Ok(Ending::Kill) | Err(_) => {}
    }
    Ok(())
}

fn config(addr: SocketAddr) -> BrokerConfig {
    let mut config = BrokerConfig {
        // The default listens on every interface.
        bind_addresses: vec![addr],
        // The default is one above what the protocol allows.
        max_packet_size: MAX_PACKET_BYTES,
        ..BrokerConfig::default()
    };
    config.auth_config.allow_anonymous = true;
    // The default writes into the working directory.
    config.storage_config.backend = StorageBackend::Memory;
    config
}
