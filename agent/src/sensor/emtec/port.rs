//! Opens a serial port for listening only, and reads what has arrived without waiting.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, SpecialCodeIndex, ioctl_tiocexcl,
    ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr,
};

/// Speed of the line; 8 data bits, no parity, 1 stop bit.
const BAUD: u32 = 38_400;

/// An open port. It is open for reading only: nothing in this program can write to the device.
#[derive(Debug)]
pub(super) struct Port {
    file: OwnedFd,
}

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The port is gone.
    Gone(Errno),
}

impl Drop for Port {
    fn drop(&mut self) {
        // Fails when the port is gone, and with it the lock. Without this, another program that had opened the port before
        // would keep the lock alive.
        let _gone_with_the_port = ioctl_tiocnxcl(&self.file).is_ok();
    }
}

impl Port {
    /// Opens and sets the port. Does not wait for a carrier.
    pub(super) fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = open(path, flags, Mode::empty())?;
        // Fails with ENOTTY on anything that is no terminal.
        let mut settings = tcgetattr(&file)?;
        // Two readers would each get a part of the bytes, and wrong numbers could come of it.
        ioctl_tiocexcl(&file)?;
        settings.make_raw();
        // Not part of raw mode: with it the driver itself could send flow-control bytes to the device.
        settings.input_modes -= InputModes::IXOFF | InputModes::IXON | InputModes::IXANY;
        settings.control_modes -= ControlModes::CSIZE
            | ControlModes::PARENB
            | ControlModes::CSTOPB
            | ControlModes::CRTSCTS
            | ControlModes::HUPCL;
        settings.control_modes |= ControlModes::CS8 | ControlModes::CREAD | ControlModes::CLOCAL;
        settings.special_codes[SpecialCodeIndex::VMIN] = 1;
        settings.special_codes[SpecialCodeIndex::VTIME] = 0;
        settings.set_speed(BAUD)?;
        tcsetattr(&file, OptionalActions::Now, &settings)?;
        // What was received before with other settings is not to be trusted.
        tcflush(&file, QueueSelector::IFlush)?;
        Ok(Self { file })
    }

    /// Reads what has arrived.
    pub(super) fn read(&self, buffer: &mut [u8]) -> Read {
        match rustix::io::read(&self.file, buffer) {
            // A terminal that hung up reads as at its end.
            Ok(0) => Read::Gone(Errno::IO),
            Ok(bytes) => Read::Bytes(bytes),
            Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
            Err(error) => Read::Gone(error),
        }
    }
}
