//! A receiver of Alertmanager's webhooks: keeps what it is sent, by path.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const PATIENCE: Duration = Duration::from_secs(5);

/// Listens until the program ends.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) port: u16,
    calls: Arc<Mutex<Vec<(String, String)>>>,
}

impl Receiver {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the receiver")?;
        let port = listener.local_addr().context("no address")?.port();
        let calls: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let kept = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let taken = stream.context("no connection").and_then(take);
                match taken {
                    Ok(call) => kept.lock().unwrap_or_else(PoisonError::into_inner).push(call),
                    Err(error) => eprintln!("the receiver was not called right: {error:#}"),
                }
            }
        });
        Ok(Self { port, calls })
    }

    /// An error unless this path was called with these words.
    pub(super) fn heard(&self, path: &str, words: &[&str]) -> Result<()> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |(at, body): &&(String, String)| {
            at == path && words.iter().all(|word| body.contains(word))
        };
        ensure!(calls.iter().any(|call| fits(&call)), "{path} was not called with {words:?}");
        Ok(())
    }
}

fn take(mut stream: TcpStream) -> Result<(String, String)> {
    stream.set_read_timeout(Some(PATIENCE)).context("no time limit")?;
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        if let Some(call) = whole(&String::from_utf8_lossy(&bytes)) {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).context("cannot answer")?;
            return Ok(call);
        }
        let count = stream.read(&mut part).context("cannot read")?;
        ensure!(count > 0, "it ends too soon");
        bytes.extend_from_slice(part.get(..count).unwrap_or_default());
    }
}

/// Path and body, when all of it has come.
fn whole(text: &str) -> Option<(String, String)> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let path = head.split(' ').nth(1)?;
    (body.len() >= length).then(|| (path.to_owned(), body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_taken_when_all_of_it_has_come() {
        let head = "POST /pages HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(whole(head), None);
        assert_eq!(whole(&format!("{head}1234")), None);
        let call = ("/pages".to_owned(), "12345".to_owned());
        assert_eq!(whole(&format!("{head}12345")), Some(call));
        assert_eq!(whole("POST / HTTP/1.1\r\n\r\n"), None);
    }
}
