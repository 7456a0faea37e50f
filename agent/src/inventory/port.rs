//! The serial ports of a machine, under the names that stay, and whether they may be opened.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::tcgetattr;

use super::{below, names};

/// Kinds of ports that instruments are connected to: USB adapters, and devices that are one themselves.
const KINDS: &[&str] = &["ttyUSB", "ttyACM"];

/// Where the names are that stay when a device is plugged elsewhere.
const BY_ID: &str = "/dev/serial/by-id";

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPort {
    /// Its name for the settings: one that stays, if it has one.
    pub path: PathBuf,
    /// Its short name, such as `/dev/ttyUSB0`.
    pub device: PathBuf,
    /// Whether it may be opened.
    pub access: PortAccess,
}

/// Whether a port may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortAccess {
    /// It opens, and is a serial line.
    Opens,
    /// The right to it is missing.
    Denied {
        /// The group that has the right, if it is known by name.
        group: Option<String>,
    },
    /// Another program has it for itself.
    Busy,
    /// It is no serial line.
    NoLine,
    /// It cannot be opened for another reason, in words.
    Fails(String),
}

impl PortAccess {
    /// What to know and do, in words.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Opens => "opens".to_owned(),
            Self::Denied { group: Some(group) } => format!(
                "no right to open it: add the agent's user to the group {group} (usermod -a -G {group} USER) and start the \
                 agent again"
            ),
            Self::Denied { group: None } => {
                "no right to open it: give the agent's user the right to read and write it, by a udev rule".to_owned()
            }
            Self::Busy => "another program has it for itself: an agent that runs, or a terminal program".to_owned(),
            Self::NoLine => "no serial line: name the port of the instrument".to_owned(),
            Self::Fails(error) => format!("cannot be opened: {error}"),
        }
    }
}

/// All ports of a machine.
pub(super) fn look(root: &Path) -> Vec<FoundPort> {
    let stay: Vec<(PathBuf, PathBuf)> = names(&below(root, Path::new(BY_ID)), &[""])
        .into_iter()
        .map(|name| Path::new(BY_ID).join(name))
        .filter_map(|path| Some((std::fs::canonicalize(below(root, &path)).ok()?, path)))
        .collect();
    let short = names(&below(root, Path::new("/dev")), KINDS).into_iter();
    let short = short.map(|name| Path::new("/dev").join(name)).filter(|path| {
        let target = std::fs::canonicalize(below(root, path)).ok();
        stay.iter().all(|(known, _)| Some(known) != target.as_ref())
    });
    let named = stay.iter().map(|(target, path)| {
        let device = target
            .strip_prefix(root)
            .map_or_else(|_elsewhere| target.clone(), |inside| Path::new("/").join(inside));
        (path.clone(), device)
    });
    named
        .chain(short.map(|path| (path.clone(), path)))
        .filter_map(|(path, device)| {
            let access = access(root, &below(root, &path)).ok()?;
            Some(FoundPort { path, device, access })
        })
        .collect()
}

/// Whether a port may be opened.
///
/// # Errors
/// It is not there.
pub(super) fn access(root: &Path, path: &Path) -> Result<PortAccess, Errno> {
    // As the agent opens a port that it only listens to; its line is left as it is.
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match open(path, flags, Mode::empty()) {
        Ok(file) if tcgetattr(&file).is_ok() => Ok(PortAccess::Opens),
        Ok(_file) => Ok(PortAccess::NoLine),
        Err(Errno::NOENT) => Err(Errno::NOENT),
        Err(Errno::ACCESS | Errno::PERM) => {
            let owner = std::fs::metadata(path).ok().map(|data| (data.gid(), data.mode()));
            // A group without the right to read would not help.
            let gid = owner.filter(|(_, mode)| mode & 0o040 != 0).map(|(gid, _)| gid);
            Ok(PortAccess::Denied { group: gid.and_then(|gid| group_name(root, gid)) })
        }
        Err(Errno::BUSY) => Ok(PortAccess::Busy),
        Err(error) => Ok(PortAccess::Fails(error.to_string())),
    }
}

/// Name of a group by its number.
pub(super) fn group_name(root: &Path, gid: u32) -> Option<String> {
    let groups = std::fs::read_to_string(below(root, Path::new("/etc/group"))).ok()?;
    groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, _password, number) = (parts.next()?, parts.next()?, parts.next()?);
        (number.parse() == Ok(gid)).then(|| name.to_owned())
    })
}
