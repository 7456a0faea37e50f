//! What the proxy's handle and its connections share.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use super::{
    Direction,
    counters::{Counters, DirectionTally, Tally},
    faults::Faults,
};

/// Closing sockets takes microseconds; more means that the proxy's thread is stuck.
const CUT_DEADLINE: Duration = Duration::from_secs(5);

/// One direction: what is wrong with it, and what that did.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) faults: watch::Sender<Faults>,
    pub(super) tally: DirectionTally,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) tally: Tally,
    upstream: Mutex<SocketAddr>,
    refuse: AtomicBool,
    client_to_server: Lane,
    server_to_client: Lane,
    cuts: watch::Sender<u64>,
    connections: Mutex<Connections>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct Connections {
    open: BTreeSet<u64>,
    next: u64,
}

impl State {
    pub(super) fn new(upstream: SocketAddr) -> Self {
        Self {
            tally: Tally::default(),
            upstream: Mutex::new(upstream),
            refuse: AtomicBool::new(false),
            client_to_server: Lane::default(),
            server_to_client: Lane::default(),
            cuts: watch::Sender::new(0),
            connections: Mutex::default(),
            closed: Condvar::new(),
        }
    }

    pub(super) const fn lane(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::ClientToServer => &self.client_to_server,
            Direction::ServerToClient => &self.server_to_client,
        }
    }

    pub(super) fn upstream(&self) -> SocketAddr {
        *lock(&self.upstream)
    }

    pub(super) fn set_upstream(&self, upstream: SocketAddr) {
        *lock(&self.upstream) = upstream;
    }

    pub(super) fn refuses(&self) -> bool {
        self.refuse.load(Ordering::SeqCst)
    }

    pub(super) fn set_refuse(&self, refuse: bool) {
        self.refuse.store(refuse, Ordering::SeqCst);
    }

    pub(super) fn open_count(&self) -> usize {
        lock(&self.connections).open.len()
    }

    /// Enters a connection. Under the same lock as [`State::cut`], so that each connection either
    /// is cut or came later.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        let mut connections = lock(&self.connections);
        let id = connections.next;
        connections.next += 1;
        connections.open.insert(id);
        Open { id, cut: self.cuts.subscribe(), state: Arc::clone(self) }
    }

    /// Cuts what is open and waits until it is closed.
    pub(super) fn cut(&self) -> usize {
        let connections = lock(&self.connections);
        let present = connections.open.clone();
        self.cuts.send_modify(|cuts| *cuts += 1);
        let (connections, late) = self
            .closed
            .wait_timeout_while(connections, CUT_DEADLINE, |connections| {
                !connections.open.is_disjoint(&present)
            })
            .unwrap_or_else(PoisonError::into_inner);
        drop(connections);
        assert!(!late.timed_out(), "the proxy's connections did not close within {CUT_DEADLINE:?}");
        present.len()
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            accepted: self.tally.accepted.get(),
            refused: self.tally.refused.get(),
            upstream_failed: self.tally.upstream_failed.get(),
            cut: self.tally.cut.get(),
            open: u64::try_from(self.open_count()).unwrap_or(u64::MAX),
            client_to_server: self.client_to_server.tally.read(),
            server_to_client: self.server_to_client.tally.read(),
        }
    }
}

/// A connection's entry, from accept until its sockets are closed.
#[derive(Debug)]
pub(super) struct Open {
    id: u64,
    /// Changes when the connection is to be cut.
    pub(super) cut: watch::Receiver<u64>,
    state: Arc<State>,
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.state.connections).open.remove(&self.id);
        self.state.closed.notify_all();
    }
}

/// A panic elsewhere cannot leave these values half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
