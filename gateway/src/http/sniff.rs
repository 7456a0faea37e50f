//! Waits until a connection has said whether it speaks HTTP/2, without taking a byte from it.
//!
//! Hyper has no time limit there: a client that sends nothing, or half of the preface, would hold its place for ever.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// What an HTTP/2 client sends first.
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Between two looks at a preface that has come in part; the rest is on its way or never comes.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Whether the connection has begun to speak within `limit`.
pub(super) async fn speaks(stream: &TcpStream, limit: Duration) -> bool {
    timeout(limit, decided(stream)).await.unwrap_or(false)
}

async fn decided(stream: &TcpStream) -> bool {
    let mut bytes = [0; PREFACE.len()];
    loop {
        let Ok(count) = stream.peek(&mut bytes).await else { return false };
        let seen = bytes.get(..count).unwrap_or_default();
        if seen.is_empty() {
            return false;
        }
        if seen.len() == PREFACE.len() || !PREFACE.starts_with(seen) {
            return true;
        }
        sleep(LOOK_AGAIN).await;
    }
}
