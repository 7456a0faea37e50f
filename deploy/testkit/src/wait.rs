//! Waiting for a condition with a deadline, instead of sleeping and hoping.

use std::{fmt::Display, net::Ipv4Addr, time::Duration};

use anyhow::{Context, anyhow};
use tokio::time::Instant;

/// Between two looks: short against every deadline in use, long enough not to starve two cores.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// What one look at the world found: an `Option`, or a `Result` whose error says what was seen
/// instead.
pub trait Look {
    /// What was waited for.
    type Found;

    /// The find, or a description of what was there instead.
    ///
    /// # Errors
    /// When the condition does not hold yet.
    fn found(self) -> Result<Self::Found, Option<String>>;
}

impl<T> Look for Option<T> {
    type Found = T;

    fn found(self) -> Result<T, Option<String>> {
        self.ok_or(None)
    }
}

impl<T, E: Display> Look for Result<T, E> {
    type Found = T;

    fn found(self) -> Result<T, Option<String>> {
        self.map_err(|seen| Some(format!("{seen:#}")))
    }
}

/// Looks every few milliseconds until `look` finds something. A look that hangs is ended by the
/// deadline too. Needs a tokio runtime whose time is not paused.
///
/// # Errors
/// At the deadline: `what`, and what was seen last when `look` returns a `Result`.
pub async fn eventually<L: Look>(
    deadline: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> L,
) -> anyhow::Result<L::Found> {
    let end = Instant::now() + deadline;
    let mut seen = None;
    loop {
        match tokio::time::timeout_at(end, look()).await {
            Ok(outcome) => match outcome.found() {
                Ok(found) => return Ok(found),
                Err(instead) => seen = instead.or(seen),
            },
            Err(_) => return Err(late(deadline, what, seen, "; the last look did not return")),
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late(deadline, what, seen, ""));
        }
        tokio::time::sleep(left.min(BETWEEN_LOOKS)).await;
    }
}

/// [`eventually`] for tests without a runtime. It blocks the thread, and cannot end a look that
/// hangs.
///
/// # Errors
/// At the deadline: `what`, and what was seen last when `look` returns a `Result`.
pub fn eventually_sync<L: Look>(
    deadline: Duration,
    what: &str,
    mut look: impl FnMut() -> L,
) -> anyhow::Result<L::Found> {
    let end = Instant::now() + deadline;
    let mut seen = None;
    loop {
        match look().found() {
            Ok(found) => return Ok(found),
            Err(instead) => seen = instead.or(seen),
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late(deadline, what, seen, ""));
        }
        std::thread::sleep(left.min(BETWEEN_LOOKS));
    }
}

fn late(deadline: Duration, what: &str, seen: Option<String>, how: &str) -> anyhow::Error {
    let seen = seen.map(|seen| format!("; last seen: {seen}")).unwrap_or_default();
    anyhow!("not within {deadline:?}: {what}{how}{seen}")
}

/// A TCP port of 127.0.0.1 that nobody listens on now. Another process may take it before the
/// caller does: prefer port 0 wherever the listener can tell its address.
///
/// # Errors
/// When the machine has no free port.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .context("cannot bind 127.0.0.1:0 to find a free port")?;
    Ok(listener.local_addr().context("cannot read the address of the free port")?.port())
}
