//! Faults on any byte stream, with plain sockets: what a gRPC display would meet.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use ecmo_testkit::{Direction, FaultProxy, eventually, free_port};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use super::{QUIET, SOON};

/// Two joined sockets with a proxy between them.
struct Joined {
    proxy: FaultProxy,
    listener: TcpListener,
    client: TcpStream,
    server: TcpStream,
}

async fn joined() -> anyhow::Result<Joined> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = FaultProxy::start(listener.local_addr()?)?;
    let client = TcpStream::connect(proxy.addr()).await?;
    let (server, _) = timeout(SOON, listener.accept()).await??;
    Ok(Joined { proxy, listener, client, server })
}

async fn read(stream: &mut TcpStream, count: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    timeout(SOON, stream.read_exact(&mut bytes)).await??;
    Ok(bytes)
}

async fn nothing_arrives(stream: &mut TcpStream) -> bool {
    timeout(QUIET, stream.read_u8()).await.is_err()
}

/// How the connection ended, when it has.
async fn end(stream: &mut TcpStream) -> anyhow::Result<Option<ErrorKind>> {
    match timeout(SOON, stream.read(&mut [0])).await? {
        Ok(0) => Ok(None),
        Ok(_) => anyhow::bail!("a byte instead of the end"),
        Err(error) => Ok(Some(error.kind())),
    }
}

#[tokio::test]
async fn without_faults_every_byte_passes_both_ways_and_so_does_the_end() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let sent: Vec<u8> = preface.iter().copied().chain((0..=255).cycle().take(200_000)).collect();
    let expected = sent.clone();
    let echo = tokio::spawn(async move {
        let seen = read(&mut server, 200_024).await.unwrap();
        server.write_all(&seen).await.unwrap();
        (end(&mut server).await.unwrap(), server)
    });
    let (mut from, mut to) = client.split();
    let mut seen = vec![0; sent.len()];
    let (wrote, read) =
        timeout(SOON, async { tokio::join!(to.write_all(&sent), from.read_exact(&mut seen)) })
            .await
            .unwrap();
    wrote.unwrap();
    read.unwrap();
    assert!(seen == expected);
    client.shutdown().await.unwrap();
    let (ended, server) = echo.await.unwrap();
    assert_eq!(ended, None);
    drop(server);
    assert_eq!(end(&mut client).await.unwrap(), None);
    eventually(SOON, "the connection is gone", async || (proxy.counters().open == 0).then_some(()))
        .await
        .unwrap();
    let counters = proxy.counters();
    assert_eq!((counters.accepted, counters.cut), (1, 0));
    assert_eq!(counters.client_to_server.bytes, 200_024);
    assert_eq!(counters.server_to_client.bytes, 200_024);
}

#[tokio::test]
async fn a_cut_resets_both_sides_of_every_present_connection_and_spares_later_ones() {
    let Joined { proxy, mut client, mut server, listener } = joined().await.unwrap();
    let mut second = TcpStream::connect(proxy.addr()).await.unwrap();
    let (mut second_server, _) = listener.accept().await.unwrap();
    assert_eq!(proxy.cut(), 2);
    for stream in [&mut client, &mut server, &mut second, &mut second_server] {
        assert_eq!(end(stream).await.unwrap(), Some(ErrorKind::ConnectionReset));
    }
    let counters = proxy.counters();
    assert_eq!((counters.cut, counters.open), (2, 0));
    let mut third = TcpStream::connect(proxy.addr()).await.unwrap();
    let (mut third_server, _) = listener.accept().await.unwrap();
    third.write_all(b"on").await.unwrap();
    assert_eq!(read(&mut third_server, 2).await.unwrap(), b"on");
    assert_eq!((proxy.cut(), proxy.cut()), (1, 0));
}

#[tokio::test]
async fn a_cut_ends_a_stalled_connection_too() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    proxy.stall(true);
    client.write_all(b"never").await.unwrap();
    assert_eq!(proxy.cut(), 1);
    assert_eq!(end(&mut client).await.unwrap(), Some(ErrorKind::ConnectionReset));
    assert_eq!(end(&mut server).await.unwrap(), Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn refusing_resets_new_connections_and_leaves_present_ones_alone() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    proxy.refuse(true);
    // The reset may come before connect returns.
    let refused = match TcpStream::connect(proxy.addr()).await {
        Ok(mut refused) => end(&mut refused).await.unwrap(),
        Err(error) => Some(error.kind()),
    };
    assert_eq!(refused, Some(ErrorKind::ConnectionReset));
    client.write_all(b"on").await.unwrap();
    assert_eq!(read(&mut server, 2).await.unwrap(), b"on");
    let counters = proxy.counters();
    assert_eq!((counters.accepted, counters.refused), (1, 1));
}

#[tokio::test]
async fn a_stall_holds_bytes_and_the_end_back_and_loses_none() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    proxy.stall(true);
    client.write_all(b"held").await.unwrap();
    server.write_all(b"back").await.unwrap();
    client.shutdown().await.unwrap();
    assert!(nothing_arrives(&mut server).await);
    assert!(nothing_arrives(&mut client).await);
    proxy.stall(false);
    assert_eq!(read(&mut server, 4).await.unwrap(), b"held");
    assert_eq!(read(&mut client, 4).await.unwrap(), b"back");
    assert_eq!(end(&mut server).await.unwrap(), None);
}

#[tokio::test]
async fn a_stalled_peer_takes_a_bounded_amount() {
    let Joined { proxy, mut client, server: _server, listener: _listener } =
        joined().await.unwrap();
    proxy.stall(true);
    let megabyte = vec![0; 1 << 20];
    let written = timeout(SOON, async {
        let mut written = 0;
        while let Ok(result) = timeout(QUIET, client.write_all(&megabyte)).await {
            result.unwrap();
            written += 1;
        }
        written
    })
    .await
    .unwrap();
    assert!(written < 64, "{written} MiB went into a stalled connection");
}

#[tokio::test]
async fn one_direction_stalls_while_the_other_flows() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    proxy.on(Direction::ServerToClient).stall(true);
    client.write_all(b"there").await.unwrap();
    assert_eq!(read(&mut server, 5).await.unwrap(), b"there");
    server.write_all(b"back").await.unwrap();
    assert!(nothing_arrives(&mut client).await);
    proxy.heal();
    assert_eq!(read(&mut client, 4).await.unwrap(), b"back");
}

#[tokio::test]
async fn a_delay_postpones_each_direction_without_narrowing_it() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    let delay = Duration::from_millis(100);
    proxy.delay(delay);
    let start = Instant::now();
    client.write_all(b"p").await.unwrap();
    read(&mut server, 1).await.unwrap();
    assert!(start.elapsed() >= delay, "{:?} there", start.elapsed());
    server.write_all(b"p").await.unwrap();
    read(&mut client, 1).await.unwrap();
    assert!(start.elapsed() >= 2 * delay, "{:?} there and back", start.elapsed());
    // 100 chunks one after the other would take 10 s.
    let start = Instant::now();
    let sent = vec![1; 100 * 4096];
    let (wrote, seen) = tokio::join!(client.write_all(&sent), read(&mut server, sent.len()));
    wrote.unwrap();
    assert_eq!(seen.unwrap(), sent);
    assert!(start.elapsed() < 20 * delay, "{:?} for 100 chunks", start.elapsed());
}

#[tokio::test]
async fn a_narrow_line_takes_its_time() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    proxy.on(Direction::ClientToServer).bandwidth(100_000);
    let start = Instant::now();
    client.write_all(&[1; 30_000]).await.unwrap();
    read(&mut server, 30_000).await.unwrap();
    // The last slice is written before its time is waited for.
    assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
}

#[tokio::test]
async fn one_bit_in_every_hundredth_byte_is_flipped() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    proxy.on(Direction::ServerToClient).flip_bit_every(100);
    server.write_all(&[0; 1000]).await.unwrap();
    let seen = read(&mut client, 1000).await.unwrap();
    let damaged: Vec<usize> = (0..1000).filter(|index| seen[*index] != 0).collect();
    assert_eq!(damaged, [99, 199, 299, 399, 499, 599, 699, 799, 899, 999]);
    assert!(damaged.iter().all(|index| seen[*index].count_ones() == 1));
    client.write_all(&[0; 1000]).await.unwrap();
    assert_eq!(read(&mut server, 1000).await.unwrap(), [0; 1000]);
    let counters = proxy.counters();
    assert_eq!(counters.server_to_client.bits_flipped, 10);
    assert_eq!(counters.client_to_server.bits_flipped, 0);
}

#[tokio::test]
async fn a_new_upstream_serves_new_connections_only() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    proxy.set_upstream(other.local_addr().unwrap());
    let mut moved = TcpStream::connect(proxy.addr()).await.unwrap();
    let (mut moved_server, _) = timeout(SOON, other.accept()).await.unwrap().unwrap();
    moved.write_all(b"new").await.unwrap();
    assert_eq!(read(&mut moved_server, 3).await.unwrap(), b"new");
    client.write_all(b"old").await.unwrap();
    assert_eq!(read(&mut server, 3).await.unwrap(), b"old");
}

#[tokio::test]
async fn a_missing_upstream_closes_the_connection_and_is_counted() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
    let proxy = FaultProxy::start(nobody).unwrap();
    let ended = match TcpStream::connect(proxy.addr()).await {
        Ok(mut client) => end(&mut client).await.unwrap(),
        Err(error) => Some(error.kind()),
    };
    assert_eq!(ended, Some(ErrorKind::ConnectionReset));
    assert_eq!(proxy.counters().upstream_failed, 1);
}

#[tokio::test]
async fn a_reset_on_one_side_is_a_reset_on_the_other() {
    let Joined { proxy: _proxy, client, mut server, listener: _listener } = joined().await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(end(&mut server).await.unwrap(), Some(ErrorKind::ConnectionReset));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_proxy_closes_everything_and_frees_its_port() {
    let Joined { proxy, mut client, mut server, listener: _listener } = joined().await.unwrap();
    let addr = proxy.addr();
    drop(proxy);
    for stream in [&mut client, &mut server] {
        assert_eq!(timeout(SOON, stream.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    }
    // A process that another test spawns right now holds a copy of the listener for a moment.
    eventually(SOON, "the port is free", async || TcpListener::bind(addr).await).await.unwrap();
}

#[test]
fn a_proxy_needs_no_runtime_of_the_test() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap()).unwrap();
    let client = std::net::TcpStream::connect(proxy.addr()).unwrap();
    let (server, _) = listener.accept().unwrap();
    std::io::Write::write_all(&mut &client, b"on").unwrap();
    server.set_read_timeout(Some(SOON)).unwrap();
    let mut seen = [0; 2];
    std::io::Read::read_exact(&mut &server, &mut seen).unwrap();
    assert_eq!(&seen, b"on");
    assert_eq!(proxy.cut(), 1);
}
