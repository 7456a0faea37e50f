//! Lets go of what a site no longer wants to keep, while no gateway writes: what is too old, or all samples of one pump.

use core::time::Duration;
use std::fs;
use std::io;

use ecmo_journal::OpenError;

use crate::options::Options;
use crate::place::{TAIL, folder_of};
use crate::store::Store;

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Bytes on disk before.
    pub before: u64,
    /// Bytes on disk after.
    pub after: u64,
}

/// Why nothing went.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// A gateway writes it, or the disk.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such pump.
    #[error("nothing is kept of pump {0}: check its name")]
    UnknownPump(String),
    /// The disk.
    #[error("cannot remove what should go")]
    Disk(#[from] io::Error),
}

/// Lets segments go that are older than the options say, in time for which the history was open.
///
/// # Errors
/// See [`PruneError`].
pub fn prune(options: Options) -> Result<Pruned, PruneError> {
    let bound = options.clone();
    // First with no bound, so that what is there is counted before anything goes.
    let wide = Options {
        age_max: Duration::MAX,
        events_age_max: Duration::MAX,
        bytes_max: u64::MAX,
        events_bytes_max: u64::MAX,
        ..options
    };
    let (mut store, opened) = Store::open(wide, Duration::ZERO)?;
    store.close(Duration::ZERO);
    drop(store);
    let (mut store, _opened) = Store::open(bound, Duration::ZERO)?;
    store.close(Duration::ZERO);
    Ok(Pruned { before: opened.bytes, after: store.counts().bytes })
}

/// Removes all samples of a pump. Its alarms stay until they are too old.
///
/// # Errors
/// See [`PruneError`].
pub fn forget(options: Options, pump: &str) -> Result<Pruned, PruneError> {
    let unknown = || PruneError::UnknownPump(pump.to_owned());
    let dir = options.folder.clone();
    let folder = folder_of(&dir, pump).filter(|folder| folder.is_dir()).ok_or_else(unknown)?;
    let (mut store, opened) = Store::open(options.clone(), Duration::ZERO)?;
    // All of the tail is in chunks then, those of the other pumps too: without it nothing comes back.
    store.close(Duration::ZERO);
    fs::remove_dir_all(folder)?;
    fs::remove_dir_all(dir.join(TAIL))?;
    drop(store);
    let (store, _opened) = Store::open(options, Duration::ZERO)?;
    Ok(Pruned { before: opened.bytes, after: store.counts().bytes })
}
