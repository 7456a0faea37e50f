//! What instruments could be connected to this machine, and what is in the way: ports, rights, converters.
//!
//! Everything is looked up below a root folder, so that it is the same for a real machine and for a constructed tree.

mod port;

mod iio;

use std::path::{Path, PathBuf};

pub use iio::FoundConverter;
pub use port::{FoundPort, PortAccess};

use crate::config::{CdiFormat, LineSettings, ModbusSettings, PortAddress, SourceSettings};
use crate::sensor::emtec;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// Serial ports, by their names that stay where they have one.
    pub ports: Vec<FoundPort>,
    /// Analog-to-digital converters of the Industrial I/O subsystem.
    pub converters: Vec<FoundConverter>,
}

/// Looks what is there below a root folder, `/` for this machine. Each port is opened for reading for a moment; nothing is
/// set, read or sent.
#[must_use]
pub fn look(root: &Path) -> Inventory {
    Inventory { ports: port::look(root), converters: iio::look(root) }
}

/// A port that the settings use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedPort {
    /// Where it is.
    pub address: PortAddress,
    /// How its line is set.
    pub line: LineSettings,
    /// What may be sent on it, in words.
    pub sends: &'static str,
}

fn of_modbus(settings: &ModbusSettings) -> UsedPort {
    UsedPort {
        address: settings.link.clone(),
        line: settings.line,
        sends: "requests to read (function codes 1 to 4)",
    }
}

impl UsedPort {
    /// The port of a source; `None` when it has none.
    #[must_use]
    pub fn of(source: &SourceSettings) -> Option<Self> {
        match source {
            // A converter has no port; lines come from a file or server that may not be there yet.
            SourceSettings::Simulated(_)
            | SourceSettings::Replay(_)
            | SourceSettings::Line(_)
            | SourceSettings::Iio(_) => None,
            SourceSettings::Modbus(settings) => Some(of_modbus(settings)),
            SourceSettings::Leviflow(settings) => Some(of_modbus(&settings.0)),
            SourceSettings::Emtec(settings) => Some(Self {
                address: settings.port.clone(),
                line: emtec::LINE,
                sends: "nothing: opened for reading only",
            }),
            SourceSettings::Cdi(settings) => Some(Self {
                address: settings.port.clone(),
                line: settings.line,
                sends: match (&settings.format, settings.format.sends()) {
                    (_, false) => "nothing: opened for reading only",
                    (CdiFormat::Packet { .. }, true) => "an answer K or N to each packet",
                    (CdiFormat::Ascii { .. }, true) => "the request <X08Z36> for each line",
                },
            }),
        }
    }

    /// What to know and do about it, in words: whether it is there and may be opened.
    #[must_use]
    pub fn advice(&self, root: &Path) -> String {
        match &self.address {
            PortAddress::Tcp(_) => {
                "not tried: a terminal server may serve one at a time, and that is the agent"
                    .to_owned()
            }
            PortAddress::Serial(path) => match port::access(root, &below(root, path)) {
                Ok(access) => access.advice(),
                Err(error) => format!("not there ({error}): plug it in, or see ecmo-agent sensors"),
            },
        }
    }
}

/// An absolute path below a root.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The names in a folder that begin with one of some words, sorted; none when there is no such folder.
fn names(folder: &Path, begins: &[&str]) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter(|name| begins.iter().any(|begin| name.starts_with(begin))).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests;
