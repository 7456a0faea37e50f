//! The real Mosquitto as a child process: started, frozen, thawed, killed and restarted by a test.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;

use super::PORT_DEADLINE;
use crate::wait::{eventually_sync, free_port};

/// It starts within 50 ms; this covers a machine that is busy building.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// A connection on the same machine takes microseconds.
const CONNECT_DEADLINE: Duration = Duration::from_millis(500);

/// Another process may take a free port before Mosquitto does; not several times in a row.
const PORTS_TRIED: usize = 5;

/// What Mosquitto logs once every listener is open; versions before 2.0 say it too.
const RUNNING: &str = " running";

/// Debian keeps it outside the PATH of ordinary users.
const USUAL_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/// A Mosquitto on 127.0.0.1 with the settings that matter to us; nothing is kept on disk. Its
/// process is killed when this is dropped. The functions block the thread for milliseconds.
#[derive(Debug)]
pub struct Mosquitto {
    program: PathBuf,
    folder: TempDir,
    addr: SocketAddr,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts on a free port; it accepts connections when this returns.
    ///
    /// # Errors
    /// When Mosquitto is not installed, or does not start (says what it logged).
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(settings)
    }

    /// Starts on a free port with these settings for it, which listen on 127.0.0.1 and log information.
    ///
    /// # Errors
    /// When Mosquitto is not installed, or does not start (says what it logged).
    pub fn start_with(settings: impl Fn(u16) -> String) -> anyhow::Result<Self> {
        let mut tried = 1;
        loop {
            let port = free_port()?;
            match Self::start_as(port, &settings(port)) {
                Err(_) if tried < PORTS_TRIED && find().is_ok() => tried += 1,
                started => return started,
            }
        }
    }

    /// Starts on the given port; it accepts connections when this returns.
    ///
    /// # Errors
    /// When Mosquitto is not installed, the port stays taken for 1 s, or it does not start (says
    /// what it logged).
    pub fn start_on(port: u16) -> anyhow::Result<Self> {
        Self::start_as(port, &settings(port))
    }

    fn start_as(port: u16, settings: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for Mosquitto")?;
        std::fs::write(folder.path().join("mosquitto.conf"), settings)
            .context("cannot write Mosquitto's settings")?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut mosquitto = Self { program: find()?, folder, addr, child: None };
        mosquitto.start_again()?;
        Ok(mosquitto)
    }

    /// Where it listens; the same after a restart.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port of [`Mosquitto::addr`].
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.addr.port()
    }

    /// SIGKILL: connections end without a word, sessions and retained messages are lost.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("Mosquitto is not running")?;
        child.kill().context("cannot kill Mosquitto")?;
        child.wait().context("cannot wait for the end of Mosquitto")?;
        Ok(())
    }

    /// SIGSTOP: connections stay open, and new ones are accepted by the kernel, but nothing is
    /// answered. Every thread has stopped when this returns.
    ///
    /// # Errors
    /// When it is not running.
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        let pid = self.signal(Signal::STOP)?;
        // NOWAIT leaves the news for the standard library, which waits for the same child.
        let news = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(pid), news)
            .context("cannot wait for Mosquitto to freeze")?
            .context("Mosquitto neither froze nor ended")?;
        if !status.stopped() {
            bail!("Mosquitto ended instead of freezing:\n{}", self.log());
        }
        Ok(())
    }

    /// SIGCONT: goes on where it was frozen.
    ///
    /// # Errors
    /// When it is not running.
    pub fn thaw(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::CONT).map(drop)
    }

    /// Starts again on the same port, with no memory of the past. Kills it first when it runs.
    ///
    /// # Errors
    /// When the port was taken meanwhile for 1 s, or it does not start (says what it logged).
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.child.is_some() {
            self.kill()?;
        }
        self.start_again()
    }

    /// What it has logged since its last start.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_else(|error| format!("no log: {error}"))
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The process can be no stranger: its number stays taken until we have waited for it.
    fn signal(&mut self, signal: Signal) -> anyhow::Result<Pid> {
        let child = self.child.as_mut().context("Mosquitto is not running")?;
        if let Some(status) = child.try_wait().context("cannot ask after Mosquitto")? {
            self.child = None;
            bail!("Mosquitto has ended by itself ({status}):\n{}", self.log());
        }
        let pid = Pid::from_child(child);
        kill_process(pid, signal).with_context(|| format!("cannot send {signal:?}"))?;
        Ok(pid)
    }

    fn start_again(&mut self) -> anyhow::Result<()> {
        eventually_sync(PORT_DEADLINE, "Mosquitto starts", || {
            self.launch()?;
            let accepting = self.wait_until_accepting();
            if accepting.is_err() {
                // It may have ended by itself: the error above says more.
                self.kill().ok();
            }
            accepting
        })
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        // A file, not a pipe: nobody reads, and a full pipe would stop Mosquitto.
        let log = File::create(self.log_path()).context("cannot make Mosquitto's log")?;
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share Mosquitto's log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    fn wait_until_accepting(&mut self) -> anyhow::Result<()> {
        let ended = eventually_sync(START_DEADLINE, "Mosquitto accepts connections", || {
            let child = self.child.as_mut().ok_or("it was never launched")?;
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return Ok(Some(status));
            }
            // Its own word first: somebody else may listen on that port.
            let log = self.log();
            if !log.contains(RUNNING) {
                return Err(format!("log:\n{log}"));
            }
            TcpStream::connect_timeout(&self.addr, CONNECT_DEADLINE)
                .map(|_| None)
                .map_err(|error| format!("{error}, log:\n{log}"))
        })?;
        match ended {
            Some(status) => bail!("Mosquitto ended at once ({status}):\n{}", self.log()),
            None => Ok(()),
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if self.child.is_some() {
            // A test that failed must not fail a second time here.
            self.kill().ok();
        }
    }
}

/// Small queues on purpose: a test meets their limits, not the machine's memory.
fn settings(port: u16) -> String {
    format!(
        "listener {port} 127.0.0.1\n\
         allow_anonymous true\n\
         set_tcp_nodelay true\n\
         persistence false\n\
         max_packet_size 262144\n\
         max_inflight_messages 100\n\
         max_queued_messages 1000\n\
         max_queued_bytes 8388608\n\
         log_dest stderr\n\
         log_type error\n\
         log_type warning\n\
         log_type notice\n\
         log_type information\n"
    )
}

fn find() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(USUAL_FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join("mosquitto"))
        .find(|program| program.is_file())
        .context(
            "mosquitto is neither in PATH nor in /usr/sbin: install it (Debian: apt-get install \
             mosquitto), or let `cargo xtask ci` do so",
        )
}
