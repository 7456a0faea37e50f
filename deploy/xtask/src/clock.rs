//! The only reader of the clock, and waiting with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Time between two looks; short beside every limit that is checked here.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A point in time from which durations are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start(Instant);

impl Start {
    #[expect(clippy::disallowed_methods, reason = "this is the clock of the crate")]
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn passed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Looks until `look` finds something; fails at `limit` after `start` with `what` and the last reason.
pub(crate) fn wait<T>(
    what: &str,
    start: Start,
    limit: Duration,
    mut look: impl FnMut() -> Result<T>,
) -> Result<T> {
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(reason) if start.passed() > limit => {
                bail!("{what}: not within {:.1} s; {reason:#}", limit.as_secs_f64())
            }
            Err(_not_yet) => std::thread::sleep(LOOK_EVERY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn waiting_ends_when_it_is_found_and_fails_with_the_last_reason() {
        let mut looks = 0;
        let found = wait("third look", Start::now(), Duration::from_secs(10), || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(anyhow!("only {looks}")) }
        });
        assert_eq!(found.unwrap(), 3);
        let never = wait::<()>("never", Start::now(), Duration::ZERO, || {
            std::thread::sleep(Duration::from_millis(1));
            Err(anyhow!("nothing there"))
        });
        assert!(never.unwrap_err().to_string().contains("never: not within 0.0 s; nothing there"));
    }
}
