//! The log: written to standard error by a thread of its own, so that whoever reads there may be slow or stuck.

use std::io::{self, IsTerminal as _};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Most lines that wait for the reader; more are dropped. An agent writes some lines at each change, not at each frame: a
/// second of all sources, brokers and the disk failing at once is below a tenth of it. Room for them is taken at the start.
const LINES_WAITING_MAX: usize = 1024;

/// Starts the log; `RUST_LOG` sets what is logged, else what is worth a note. What is left is written when the guard is dropped.
///
/// # Panics
/// This process has a log already.
pub fn start() -> WorkerGuard {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    let builder = NonBlockingBuilder::default().buffered_lines_limit(LINES_WAITING_MAX).lossy(true);
    let (log, written_at_the_end) = builder.finish(io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(log)
        .with_ansi(io::stderr().is_terminal())
        .init();
    written_at_the_end
}
