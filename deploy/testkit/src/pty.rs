//! A pseudo terminal: the test holds the device's end, the driver under test opens the other as a
//! serial line.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    os::unix::{
        ffi::OsStringExt,
        fs::{OpenOptionsExt, symlink},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};

use crate::wait::{eventually, eventually_sync};

/// More than one line of any device needs; a writer that waits longer has no reader.
const WRITE_DEADLINE: Duration = Duration::from_secs(5);

/// One read takes at most this many bytes: the size of a terminal's own buffer.
const READ_BYTES: usize = 4096;

/// Both ends of a serial line. Raw from the start: nothing is echoed, no byte is changed.
///
/// The driver's end is also held open here, so that bytes written before the driver opens the line
/// are kept, and its close and reopen lose nothing. The line is unplugged when this is dropped.
#[derive(Debug)]
pub struct Pty {
    master: File,
    slave: PathBuf,
    link: Option<PathBuf>,
    _kept_open: File,
}

impl Pty {
    /// Opens a new line.
    ///
    /// # Errors
    /// When the system has no pseudo terminal left.
    pub fn open() -> anyhow::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .context("cannot open a pseudo terminal")?;
        grantpt(&master).context("cannot grant the pseudo terminal")?;
        unlockpt(&master).context("cannot unlock the pseudo terminal")?;
        let name = ptsname(&master, Vec::new()).context("cannot name the pseudo terminal")?;
        let slave = PathBuf::from(std::ffi::OsString::from_vec(name.into_bytes()));
        let no_controlling_terminal = i32::try_from(OFlags::NOCTTY.bits())?;
        let kept_open = File::options()
            .read(true)
            .write(true)
            .custom_flags(no_controlling_terminal)
            .open(&slave)
            .with_context(|| format!("cannot open {}", slave.display()))?;
        let mut settings = tcgetattr(&kept_open).context("cannot read the line's settings")?;
        settings.make_raw();
        tcsetattr(&kept_open, OptionalActions::Now, &settings)
            .context("cannot make the line raw")?;
        rustix::io::ioctl_fionbio(&master, true).context("cannot make the master non-blocking")?;
        Ok(Self { master: File::from(master), slave, link: None, _kept_open: kept_open })
    }

    /// Opens a new line reachable under a name of the test's choice, so that a device can be
    /// unplugged and come back under the same name, as with `/dev/serial/by-id`.
    ///
    /// # Errors
    /// As [`Pty::open`]; and when `link` cannot be made.
    pub fn open_at(link: &Path) -> anyhow::Result<Self> {
        let mut pty = Self::open()?;
        symlink(&pty.slave, link)
            .with_context(|| format!("cannot link {} to the line", link.display()))?;
        pty.link = Some(link.to_owned());
        Ok(pty)
    }

    /// What the driver opens: the chosen name, or the terminal's own.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.slave)
    }

    /// The device sends bytes. Waits while the line is full.
    ///
    /// # Errors
    /// When the driver takes nothing for 5 s, or the line fails.
    pub async fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = eventually(WRITE_DEADLINE, "the line takes bytes", async || {
                self.try_write(rest).transpose()
            })
            .await??;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// [`Pty::write`] for tests without a runtime.
    ///
    /// # Errors
    /// As [`Pty::write`].
    pub fn write_sync(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = eventually_sync(WRITE_DEADLINE, "the line takes bytes", || {
                self.try_write(rest).transpose()
            })??;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// The device receives exactly `count` bytes.
    ///
    /// # Errors
    /// When they do not arrive within `deadline` (says what did), or the line fails.
    pub async fn read_exactly(&self, count: usize, deadline: Duration) -> anyhow::Result<Vec<u8>> {
        let mut read = Vec::new();
        eventually(deadline, "bytes from the driver", async || self.read_more(&mut read, count))
            .await??;
        Ok(read)
    }

    /// [`Pty::read_exactly`] for tests without a runtime.
    ///
    /// # Errors
    /// As [`Pty::read_exactly`].
    pub fn read_exactly_sync(&self, count: usize, deadline: Duration) -> anyhow::Result<Vec<u8>> {
        let mut read = Vec::new();
        eventually_sync(deadline, "bytes from the driver", || self.read_more(&mut read, count))??;
        Ok(read)
    }

    /// `Ok(Ok(()))` when `count` bytes are there, `Ok(Err(_))` when the line failed for good.
    fn read_more(&self, read: &mut Vec<u8>, count: usize) -> Result<io::Result<()>, String> {
        while read.len() < count {
            match self.try_read(count - read.len()) {
                Ok(Some(bytes)) => read.extend(bytes),
                Ok(None) => return Err(format!("{} of {count} bytes: {read:?}", read.len())),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    /// Sends what fits now; `None` when the line is full.
    ///
    /// # Errors
    /// When the line fails.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        when_ready((&self.master).write(bytes))
    }

    /// What the driver has sent by now, at most `limit` bytes; `None` when that is nothing.
    ///
    /// # Errors
    /// When the line fails.
    pub fn try_read(&self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; limit.min(READ_BYTES)];
        let count = when_ready((&self.master).read(&mut bytes))?;
        Ok(count.map(|count| {
            bytes.truncate(count);
            bytes
        }))
    }

    /// Pulls the plug: the driver reads a hang-up, and its name is gone. So does dropping.
    ///
    /// # Errors
    /// When the chosen name was removed by somebody else.
    pub fn unplug(mut self) -> anyhow::Result<()> {
        let Some(link) = self.link.take() else { return Ok(()) };
        if let Err(error) = std::fs::remove_file(&link) {
            bail!("cannot remove {}: {error}", link.display());
        }
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            // The test's temporary folder may be gone already.
            std::fs::remove_file(link).ok();
        }
    }
}

fn when_ready<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
