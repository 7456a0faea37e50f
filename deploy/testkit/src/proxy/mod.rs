//! A TCP proxy with faults that a test switches while it runs: between agent and broker, broker and
//! gateway, gateway and display.
//!
//! Every byte protocol passes. A stream that begins like MQTT (CONNECT, CONNACK) is also followed
//! packet by packet, so that single PUBLISH packets can suffer; TLS, HTTP and gRPC never begin so.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{oneshot, watch},
};

mod counters;

mod mqtt;

mod publish;

mod faults;

mod state;

mod relay;

pub use counters::{Counters, DirectionCounters};
pub use publish::PublishFaults;

use faults::Faults;
use state::State;

/// Which way the bytes go; the client is the side that opened the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From whoever connected to the proxy, to the upstream address.
    ClientToServer,
    /// From the upstream address to whoever connected.
    ServerToClient,
}

impl Direction {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::ClientToServer, Self::ServerToClient];
}

/// A proxy on 127.0.0.1 in front of one upstream address, with no fault at first. It runs on a
/// thread of its own; dropping it closes the listener and every connection.
///
/// A fault acts on bytes that the proxy reads from then on; what the kernel or the receiver
/// already holds is on its way.
#[derive(Debug)]
pub struct FaultProxy {
    addr: SocketAddr,
    state: Arc<State>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Starts on a free port; it accepts connections when this returns. Nobody needs to listen at
    /// `upstream` yet.
    ///
    /// # Errors
    /// When no socket, runtime or thread can be had.
    pub fn start(upstream: SocketAddr) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .context("cannot bind the proxy to 127.0.0.1:0")?;
        listener.set_nonblocking(true).context("cannot make the proxy's listener non-blocking")?;
        let addr = listener.local_addr().context("cannot read the proxy's address")?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot build the proxy's runtime")?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).context("cannot register the proxy's listener")?
        };
        let state = Arc::new(State::new(upstream));
        let (end, ended) = oneshot::channel();
        let shared = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("fault-proxy".to_owned())
            .spawn(move || run(&runtime, listener, shared, ended))
            .context("cannot start the proxy's thread")?;
        Ok(Self { addr, state, end: Some(end), thread: Some(thread) })
    }

    /// Where clients connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port of [`FaultProxy::addr`].
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Sends new connections elsewhere; present ones stay where they are until they are cut.
    pub fn set_upstream(&self, upstream: SocketAddr) {
        self.state.set_upstream(upstream);
    }

    /// Resets all present connections, on both sides; bytes on their way are lost. They are closed
    /// when this returns. Returns how many there were.
    ///
    /// # Panics
    /// When they do not close within 5 s: the proxy's own thread is stuck.
    pub fn cut(&self) -> usize {
        self.state.cut()
    }

    /// Resets every new connection at once; present ones are left alone.
    pub fn refuse(&self, refuse: bool) {
        self.state.set_refuse(refuse);
    }

    /// Freezes both directions, as [`Faulty::stall`].
    pub fn stall(&self, stall: bool) {
        for direction in Direction::BOTH {
            self.on(direction).stall(stall);
        }
    }

    /// Delays both directions, each by `delay`: a round trip takes twice that.
    pub fn delay(&self, delay: Duration) {
        for direction in Direction::BOTH {
            self.on(direction).delay(delay);
        }
    }

    /// Ends every fault: nothing is refused, stalled, delayed, narrowed or changed any more.
    pub fn heal(&self) {
        self.refuse(false);
        for direction in Direction::BOTH {
            self.state.lane(direction).faults.send_replace(Faults::default());
        }
    }

    /// The faults of one direction.
    #[must_use]
    pub fn on(&self, direction: Direction) -> Faulty<'_> {
        Faulty { faults: &self.state.lane(direction).faults }
    }

    /// What has been done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state.counters()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the proxy has shown itself to the test as broken connections.
            thread.join().ok();
        }
    }
}

/// The faults of one direction of a proxy; each call replaces the value of that fault.
#[derive(Debug, Clone, Copy)]
pub struct Faulty<'a> {
    faults: &'a watch::Sender<Faults>,
}

impl Faulty<'_> {
    /// Freezes: connections stay open, new ones are accepted, nothing is read or forwarded, not
    /// even an end. Afterwards everything arrives late, as from a frozen peer or a cut cable.
    pub fn stall(self, stall: bool) -> Self {
        self.set(|faults| faults.stalled = stall)
    }

    /// Everything read from now on arrives that much later, in order. At most 8 MiB are on their
    /// way on one connection; beyond that the sender is held back.
    pub fn delay(self, delay: Duration) -> Self {
        self.set(|faults| faults.delay = delay)
    }

    /// Limits each connection to this many bytes a second; 0 is unlimited.
    pub fn bandwidth(self, bytes_per_second: u64) -> Self {
        self.set(|faults| faults.bytes_per_second = bytes_per_second)
    }

    /// Flips one bit in every `nth` byte of each connection, wherever it falls; 0 is never.
    pub fn flip_bit_every(self, nth: u64) -> Self {
        self.set(|faults| faults.flip_every_bytes = nth)
    }

    /// Faults on MQTT PUBLISH packets; `PublishFaults::default()` ends them.
    pub fn publish(self, publish: PublishFaults) -> Self {
        self.set(|faults| faults.publish = publish)
    }

    fn set(self, change: impl FnOnce(&mut Faults)) -> Self {
        self.faults.send_modify(change);
        self
    }
}

fn run(runtime: &Runtime, listener: TcpListener, state: Arc<State>, ended: oneshot::Receiver<()>) {
    runtime.block_on(async {
        tokio::select! {
            () = relay::accept(listener, state) => {}
            // Never sent, only dropped: by the handle.
            _ = ended => {}
        }
    });
}
