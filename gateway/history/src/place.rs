//! Where the parts of a history lie in its folder.

use std::io;
use std::path::{Path, PathBuf};

/// Marks of the folders, so that no id can be taken for a path.
const WARD_MARK: &str = "ward-";
const PUMP_MARK: &str = "pump-";

/// The log of events, and the tail.
pub(crate) const EVENTS: &str = "events";
pub(crate) const TAIL: &str = "tail";

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    Tail,
    Events,
    Pump,
}

/// Every log of a history, with its folder.
pub(crate) fn logs_in(dir: &Path) -> io::Result<Vec<(Log, PathBuf)>> {
    let mut logs = Vec::new();
    for (log, name) in [(Log::Tail, TAIL), (Log::Events, EVENTS)] {
        let folder = dir.join(name);
        if folder.is_dir() {
            logs.push((log, folder));
        }
    }
    let pumps = pumps_in(dir)?;
    logs.extend(pumps.iter().filter_map(|pump| Some((Log::Pump, folder_of(dir, pump)?))));
    if logs.is_empty() {
        let what = format!("{} holds no history", dir.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, what));
    }
    Ok(logs)
}

/// The folder of a pump; `None`: that is no "ward/pump".
pub(crate) fn folder_of(dir: &Path, pump: &str) -> Option<PathBuf> {
    let (ward, name) = pump.split_once('/')?;
    (is_id(ward) && is_id(name))
        .then(|| dir.join(format!("{WARD_MARK}{ward}")).join(format!("{PUMP_MARK}{name}")))
}

fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(allowed)
}

/// The pumps that have a folder, as "ward/pump".
pub(crate) fn pumps_in(dir: &Path) -> io::Result<Vec<String>> {
    let mut pumps = Vec::new();
    for ward in std::fs::read_dir(dir)? {
        let ward = ward?;
        let Some(id) = id_in(&ward.file_name(), WARD_MARK) else { continue };
        for pump in std::fs::read_dir(ward.path())? {
            let Some(pump) = id_in(&pump?.file_name(), PUMP_MARK) else { continue };
            pumps.push(format!("{id}/{pump}"));
        }
    }
    pumps.sort();
    Ok(pumps)
}

fn id_in(name: &std::ffi::OsStr, mark: &str) -> Option<String> {
    let id = name.to_str()?.strip_prefix(mark)?;
    is_id(id).then(|| id.to_owned())
}
