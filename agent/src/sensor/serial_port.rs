//! Opens a serial line or a terminal server, reads what has arrived without waiting, and writes only where it may.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, SpecialCodeIndex, ioctl_tiocexcl,
    ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr,
};

use crate::config::{DataBits, LineSettings, Parity, PortAddress, StopBits};

/// Longest wait for a terminal server to accept. A device's thread may wait for less than half of [`super::device::HANG`].
const CONNECT_MAX: Duration = Duration::from_millis(200);

/// Whether anything may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing can be sent: the port is opened for reading only, or its stream closed for writing.
    Listen,
    /// Requests may be sent; which, the driver's allow-list says.
    Ask,
}

/// An open port.
#[derive(Debug)]
pub struct Port(Kind);

#[derive(Debug)]
enum Kind {
    Serial(OwnedFd),
    Tcp(TcpStream),
}

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The port is gone.
    Gone(Errno),
}

impl Drop for Port {
    fn drop(&mut self) {
        let Kind::Serial(file) = &self.0 else { return };
        // Fails when the port is gone, and with it the lock. Without this, another program that had opened the port before
        // would keep the lock alive.
        let _gone_with_the_port = ioctl_tiocnxcl(file).is_ok();
    }
}

impl Port {
    /// Opens a port and sets its line. Does not wait for a carrier; waits a moment for a terminal server.
    ///
    /// # Errors
    /// There is no such port, it is no terminal, somebody else has it, the right to it is missing, or it cannot be set so.
    pub fn open(address: &PortAddress, line: &LineSettings, access: Access) -> Result<Self, Errno> {
        match address {
            PortAddress::Serial(path) => {
                open_serial(path, line, access).map(|file| Self(Kind::Serial(file)))
            }
            PortAddress::Tcp(server) => {
                let stream = open_tcp(server, access).map_err(|error| errno(&error))?;
                Ok(Self(Kind::Tcp(stream)))
            }
        }
    }

    /// Reads what has arrived.
    pub fn read(&self, buffer: &mut [u8]) -> Read {
        match &self.0 {
            Kind::Serial(file) => match rustix::io::read(file, buffer) {
                // A terminal that hung up reads as at its end.
                Ok(0) => Read::Gone(Errno::IO),
                Ok(bytes) => Read::Bytes(bytes),
                Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
                Err(error) => Read::Gone(error),
            },
            Kind::Tcp(stream) => match (&*stream).read(buffer) {
                Ok(0) => Read::Gone(Errno::CONNRESET),
                Ok(bytes) => Read::Bytes(bytes),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
                {
                    Read::Nothing
                }
                Err(error) => Read::Gone(errno(&error)),
            },
        }
    }

    /// Sends bytes without waiting: all of them, or it is an error and the other side may have got a part.
    ///
    /// # Errors
    /// The port may not be written ([`Access::Listen`]), is full, or is gone.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Errno> {
        let count = match &self.0 {
            Kind::Serial(file) => rustix::io::write(file, bytes)?,
            Kind::Tcp(stream) => (&*stream).write(bytes).map_err(|error| errno(&error))?,
        };
        if count == bytes.len() { Ok(()) } else { Err(Errno::AGAIN) }
    }
}

fn errno(error: &std::io::Error) -> Errno {
    // What the standard library makes up itself has no number: its own time-out, for one.
    let own = if error.kind() == ErrorKind::TimedOut { Errno::TIMEDOUT } else { Errno::IO };
    Errno::from_io_error(error).unwrap_or(own)
}

fn open_tcp(server: &SocketAddr, access: Access) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(server, CONNECT_MAX)?;
    stream.set_nonblocking(true)?;
    match access {
        Access::Listen => stream.shutdown(std::net::Shutdown::Write)?,
        Access::Ask => stream.set_nodelay(true)?,
    }
    Ok(stream)
}

fn open_serial(path: &Path, line: &LineSettings, access: Access) -> Result<OwnedFd, Errno> {
    let mode = match access {
        Access::Listen => OFlags::RDONLY,
        Access::Ask => OFlags::RDWR,
    };
    let flags = mode | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
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
        | ControlModes::PARODD
        | ControlModes::CSTOPB
        | ControlModes::CRTSCTS
        | ControlModes::HUPCL;
    settings.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    settings.control_modes |= match line.data_bits {
        DataBits::Seven => ControlModes::CS7,
        DataBits::Eight => ControlModes::CS8,
    };
    match line.parity {
        Parity::None => {}
        Parity::Even => settings.control_modes |= ControlModes::PARENB,
        Parity::Odd => settings.control_modes |= ControlModes::PARENB | ControlModes::PARODD,
    }
    if line.parity != Parity::None {
        // A byte with a wrong check bit is left out instead of being read as another one.
        settings.input_modes |= InputModes::INPCK | InputModes::IGNPAR;
    }
    match line.stop_bits {
        StopBits::One => {}
        StopBits::Two => settings.control_modes |= ControlModes::CSTOPB,
    }
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    settings.set_speed(line.baud)?;
    tcsetattr(&file, OptionalActions::Now, &settings)?;
    // What was received before with other settings is not to be trusted.
    tcflush(&file, QueueSelector::IFlush)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_testkit::{Pty, eventually_sync};

    const LINE: LineSettings = LineSettings::eight_n_one(9600);

    fn serial(pty: &Pty) -> PortAddress {
        PortAddress::Serial(pty.path().to_owned())
    }

    #[test]
    fn a_port_that_listens_cannot_send_whatever_the_program_does() {
        let pty = Pty::open().unwrap();
        let port = Port::open(&serial(&pty), &LINE, Access::Listen).unwrap();
        assert_eq!(port.write(b"Z\r"), Err(Errno::BADF));
        assert_eq!(pty.try_read(10).unwrap(), None);

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = PortAddress::Tcp(listener.local_addr().unwrap());
        let port = Port::open(&address, &LINE, Access::Listen).unwrap();
        assert!(port.write(b"Z\r").is_err());
        let mut sent = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut sent).unwrap();
        assert_eq!(sent, b"");
    }

    #[test]
    fn a_line_is_set_as_asked() {
        let pty = Pty::open().unwrap();
        for (text, line) in [
            ("9600 baud 8N1", LINE),
            (
                "57600 baud 8E1",
                LineSettings { parity: Parity::Even, ..LineSettings::eight_n_one(57_600) },
            ),
            (
                "19200 baud 7O2",
                LineSettings {
                    baud: 19_200,
                    data_bits: DataBits::Seven,
                    parity: Parity::Odd,
                    stop_bits: StopBits::Two,
                },
            ),
        ] {
            assert_eq!(line.to_string(), text);
            let port = Port::open(&serial(&pty), &line, Access::Ask).unwrap();
            let Kind::Serial(file) = &port.0 else { panic!("serial") };
            let set = tcgetattr(file).unwrap();
            assert_eq!(set.input_speed(), line.baud);
            // A pseudo terminal keeps all of it but the size of a byte and the parity, which it has not.
            let two = set.control_modes.contains(ControlModes::CSTOPB);
            assert_eq!(two, line.stop_bits == StopBits::Two, "{text}");
        }
    }

    #[test]
    fn what_is_sent_arrives_and_a_terminal_server_that_goes_is_noticed() {
        let pty = Pty::open().unwrap();
        let port = Port::open(&serial(&pty), &LINE, Access::Ask).unwrap();
        port.write(b"ask").unwrap();
        assert_eq!(pty.read_exactly_sync(3, Duration::from_secs(5)).unwrap(), b"ask");

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = PortAddress::Tcp(listener.local_addr().unwrap());
        let port = Port::open(&address, &LINE, Access::Listen).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(port.read(&mut buffer), Read::Nothing);
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"abc").unwrap();
        let read = |buffer: &mut [u8]| match port.read(buffer) {
            Read::Nothing => Err("nothing"),
            read @ (Read::Bytes(_) | Read::Gone(_)) => Ok(read),
        };
        let soon = Duration::from_secs(5);
        let first = eventually_sync(soon, "bytes", || read(&mut buffer)).unwrap();
        assert_eq!((first, &buffer[..3]), (Read::Bytes(3), &b"abc"[..]));
        drop(server);
        let last = eventually_sync(soon, "the end", || read(&mut buffer)).unwrap();
        assert!(matches!(last, Read::Gone(_)), "{last:?}");
    }
}
