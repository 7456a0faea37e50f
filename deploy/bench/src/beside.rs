//! A display in a process of its own, beside those that are measured: frozen, or too slow. And what that process runs.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::args::Process;
use crate::display::{alarms, channel};
use crate::views::{Seen, Views};

/// How long it may take to have its snapshots, and to end.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What it writes once it has its snapshots.
const READY: &str = "ready";

/// What the display beside the others does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// It is stopped once it has its snapshots: its connection stays, and nobody reads.
    Frozen,
    /// It reads the ward so slowly that most of it must be dropped.
    Slow,
}

/// Runs as that process, until its input ends.
pub(crate) fn run(settings: Process) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(watch_all(settings))?;
    println!("{} {} {}", seen.views, seen.waves, seen.dropped);
    Ok(())
}

async fn watch_all(settings: Process) -> anyhow::Result<Seen> {
    let (tell, stopping) = watch::channel(false);
    std::thread::spawn(move || {
        // The end of the input is all that is waited for.
        let _end = std::io::stdin().lock().lines().count();
        tell.send_replace(true);
    });
    let channel = channel(settings.url).await?;
    let mut stream = alarms(channel.clone(), settings.ward.clone()).await?;
    let pause = Duration::from_millis(settings.pause_ms);
    let views = Views { pause, ..Views::ward(0..settings.pumps) };
    let beside = views.open(channel, settings.ward, stopping.clone()).await?;
    println!("{READY}");
    std::io::stdout().flush().context("nobody listens")?;
    let mut stopped = stopping;
    loop {
        tokio::select! {
            message = stream.message() => {
                if message?.is_none() {
                    bail!("the gateway ended the alarms");
                }
            }
            _told = stopped.wait_for(|stopping| *stopping) => break,
        }
    }
    match beside {
        Some(beside) => beside.await.context("the views panicked")?,
        None => Ok(Seen::default()),
    }
}

/// The running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Display {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    is_frozen: bool,
}

impl Display {
    /// Starts it; it has its snapshots, and is frozen if it is to be, when this returns.
    pub(crate) async fn start(
        what: Beside,
        url: &str,
        ward: &str,
        pumps: u32,
    ) -> anyhow::Result<Self> {
        let program: PathBuf = std::env::current_exe().context("cannot find this program")?;
        let mut command = Command::new(program);
        command.args(["beside", "--url", url, "--ward", ward, "--pumps", &pumps.to_string()]);
        if what == Beside::Slow {
            command.args(["--pause-ms", "20"]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a display of its own")?;
        let output = child.stdout.take().context("the display has an output")?;
        let mut lines = BufReader::new(output).lines();
        let first =
            timeout(ANSWER_MAX, lines.next_line()).await.context("no display in time")??;
        if first.as_deref() != Some(READY) {
            bail!("the display beside the others did not start");
        }
        let display = Self { child, lines, is_frozen: what == Beside::Frozen };
        if display.is_frozen {
            display.signal(Signal::STOP)?;
        }
        Ok(display)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.context("the display beside the others ended unasked")?;
        kill_process(id, signal).with_context(|| format!("cannot send {signal:?}"))
    }

    /// Ends it and tells what it has seen; nothing of one that is frozen.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Seen> {
        if self.is_frozen {
            self.child.kill().await.context("cannot end the frozen display")?;
            return Ok(Seen::default());
        }
        drop(self.child.stdin.take());
        let line = timeout(ANSWER_MAX, self.lines.next_line()).await;
        let line = line.context("the display beside the others does not end")??;
        let line = line.context("the display beside the others failed")?;
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next().and_then(Result::ok).context("a strange word");
        Ok(Seen { views: next()?, waves: next()?, dropped: next()? })
    }
}
