//! Fetches a page over plain HTTP, so that no other program is needed for it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

const PATIENCE: Duration = Duration::from_secs(5);

/// Far above any page that is fetched here.
const BYTES_MAX: u64 = 16 << 20;

/// The body of `http://127.0.0.1:<port><path>`.
pub(crate) fn get(port: u16, path: &str) -> Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(PATIENCE)).context("no time limit")?;
    // HTTP/1.0: the server closes at the end, and sends no chunks.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").context("cannot ask")?;
    let mut answer = String::new();
    stream
        .take(BYTES_MAX)
        .read_to_string(&mut answer)
        .with_context(|| format!("no page {path}"))?;
    body(&answer).map(str::to_owned).with_context(|| format!("http://{address}{path}"))
}

fn body(answer: &str) -> Result<&str> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        bail!("the answer has no end of its head: {answer:?}");
    };
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.split(' ').nth(1) == Some("200"), "the answer is {status:?}");
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding");
    ensure!(!chunked, "the server sends chunks although HTTP/1.0 has none");
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_good_answer_is_a_page() {
        assert_eq!(body("HTTP/1.1 200 OK\r\na: b\r\n\r\nhello\n").unwrap(), "hello\n");
        for bad in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 404 Not Found\r\n\r\n200",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        ] {
            assert!(body(bad).is_err(), "{bad:?}");
        }
    }
}
