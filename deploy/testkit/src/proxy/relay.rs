//! Carries the bytes: accepts, connects upstream, then reads, delays and writes each direction.

use std::{io, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Direction,
    counters::DirectionTally,
    faults::{Faults, Stage},
    state::{Lane, Open, State},
};

/// More than any test opens; beyond it connections are refused and counted.
const MAX_CONNECTIONS: usize = 1024;

/// A loopback connection takes microseconds; a listener with a full backlog does not answer.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// One read, and the largest unit of the queue between reader and writer.
const CHUNK_BYTES: usize = 4096;

/// With [`CHUNK_BYTES`] at most 8 MiB wait in one direction of one connection: 1,500 frames a
/// second for a second of delay. When full, the reader stops and the sender feels it.
const QUEUE_CHUNKS: usize = 2048;

/// How long a packet waits for the neighbour it is to be swapped with.
const SWAP_DEADLINE: Duration = Duration::from_secs(1);

/// After a failed accept (no descriptors left): do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A line of limited width is served in this many slices a second.
const SLICES_PER_SECOND: u64 = 50;

/// Bytes on their way.
struct Chunk {
    /// When they may leave; `None` is now: a timer already due would cost up to a millisecond.
    due: Option<Instant>,
    bytes: Bytes,
}

/// Why a reader wakes up.
enum Wake {
    Bytes(usize),
    FaultsChanged,
    NeighbourLate,
}

/// Serves until dropped.
pub(super) async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if state.refuses() || state.open_count() >= MAX_CONNECTIONS {
            state.tally.refused.add(1);
            reset_on_close(&client);
            continue;
        }
        state.tally.accepted.add(1);
        connections.spawn(connection(state.open(), Arc::clone(&state), client));
    }
}

/// One connection, from accept to close. `open` comes first because parameters are dropped in
/// reverse: the sockets are closed when the entry goes.
async fn connection(open: Open, state: Arc<State>, mut client: TcpStream) {
    // Not given up half way when cut: the server would see an end, not a reset.
    let server = timeout(CONNECT_DEADLINE, TcpStream::connect(state.upstream())).await;
    let Ok(Ok(mut server)) = server else {
        state.tally.upstream_failed.add(1);
        return reset_on_close(&client);
    };
    let mut cut = open.cut.clone();
    let orderly = tokio::select! {
        biased;
        _ = cut.changed() => {
            state.tally.cut.add(1);
            false
        }
        ended = both(&state, &mut client, &mut server) => ended.is_ok(),
    };
    if !orderly {
        reset_on_close(&client);
        reset_on_close(&server);
    }
}

/// Ends when both directions have ended in order, or with the first that broke.
async fn both(state: &State, client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(
        carry(state.lane(Direction::ClientToServer), from_client, to_server),
        carry(state.lane(Direction::ServerToClient), from_server, to_client),
    )?;
    Ok(())
}

async fn carry(lane: &Lane, from: ReadHalf<'_>, to: WriteHalf<'_>) -> io::Result<()> {
    let (queue, chunks) = mpsc::channel(QUEUE_CHUNKS);
    tokio::try_join!(
        read(from, queue, lane.faults.subscribe(), &lane.tally),
        write(to, chunks, lane.faults.subscribe(), &lane.tally),
    )?;
    Ok(())
}

async fn read(
    mut from: ReadHalf<'_>,
    queue: mpsc::Sender<Chunk>,
    mut faults: watch::Receiver<Faults>,
    tally: &DirectionTally,
) -> io::Result<()> {
    let mut stage = Stage::new(tally);
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut neighbour_due = Instant::now();
    loop {
        moving(&mut faults).await?;
        let held = stage.holds();
        let wake = tokio::select! {
            count = from.read(&mut buffer) => Wake::Bytes(count?),
            changed = faults.changed() => {
                changed.map_err(io::Error::other)?;
                Wake::FaultsChanged
            }
            () = sleep_until(neighbour_due), if held => Wake::NeighbourLate,
        };
        let now = faults.borrow_and_update().clone();
        let out = match wake {
            Wake::Bytes(0) => {
                let last = stage.end();
                return enqueue(&queue, last, now.delay).await;
            }
            Wake::Bytes(count) => stage.bytes(buffer.get(..count).unwrap_or_default(), &now),
            Wake::FaultsChanged => stage.bytes(&[], &now),
            Wake::NeighbourLate => stage.release(),
        };
        if stage.holds() && !held {
            neighbour_due = Instant::now() + SWAP_DEADLINE;
        }
        enqueue(&queue, out, now.delay).await?;
    }
}

async fn enqueue(queue: &mpsc::Sender<Chunk>, out: BytesMut, delay: Duration) -> io::Result<()> {
    let due = (!delay.is_zero()).then(|| Instant::now() + delay);
    let mut out = out.freeze();
    while !out.is_empty() {
        let bytes = out.split_to(out.len().min(CHUNK_BYTES));
        queue.send(Chunk { due, bytes }).await.map_err(io::Error::other)?;
    }
    Ok(())
}

async fn write(
    mut to: WriteHalf<'_>,
    mut chunks: mpsc::Receiver<Chunk>,
    mut faults: watch::Receiver<Faults>,
    tally: &DirectionTally,
) -> io::Result<()> {
    while let Some(Chunk { due, mut bytes }) = chunks.recv().await {
        if let Some(due) = due {
            sleep_until(due).await;
        }
        while bytes.has_remaining() {
            moving(&mut faults).await?;
            let bytes_per_second = faults.borrow_and_update().bytes_per_second;
            let slice = bytes.get(..slice_bytes(bytes_per_second, bytes.len()));
            let written = tokio::select! {
                biased;
                // A stall may begin while the receiver takes nothing.
                changed = faults.changed() => {
                    changed.map_err(io::Error::other)?;
                    continue;
                }
                written = to.write(slice.unwrap_or(&bytes)) => written?,
            };
            bytes.advance(written);
            tally.bytes.add(u64::try_from(written).unwrap_or(u64::MAX));
            if let Some(pause) = pause(bytes_per_second, written) {
                sleep(pause).await;
            }
        }
    }
    moving(&mut faults).await?;
    to.shutdown().await
}

/// Waits while the direction is stalled; also the end of the stream is not passed on.
async fn moving(faults: &mut watch::Receiver<Faults>) -> io::Result<()> {
    faults.wait_for(|faults| !faults.stalled).await.map(drop).map_err(io::Error::other)
}

/// How much of `waiting` bytes goes at once on a line of this width.
fn slice_bytes(bytes_per_second: u64, waiting: usize) -> usize {
    if bytes_per_second == 0 {
        return waiting;
    }
    usize::try_from(bytes_per_second / SLICES_PER_SECOND).unwrap_or(usize::MAX).clamp(1, waiting)
}

/// How long a line of this width is busy with what was written.
fn pause(bytes_per_second: u64, written: usize) -> Option<Duration> {
    let nanos = u64::try_from(written).ok()?.checked_mul(1_000_000_000)?;
    nanos.checked_div(bytes_per_second).map(Duration::from_nanos)
}

/// The peer shall see a broken connection, not an end.
fn reset_on_close(stream: &TcpStream) {
    // It fails on a socket that is gone already; then there is nothing to reset.
    stream.set_zero_linger().ok();
}
