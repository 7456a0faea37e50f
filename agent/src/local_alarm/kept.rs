//! What the local alarm needs after a restart without a gateway: the patient's treatment, and what was found while unleased.
//!
//! One file, written whole beside itself and then renamed, on a thread of its own: a disk that hangs holds up nothing, and
//! only the newest state waits for it. A damaged file is told and not believed: the profile's own limits are then in force.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use ecmo_proto::v1::LeasedTreatment;
use prost::Message;

use super::unleased::Entry;

/// Name of the file within the state folder.
const FILE: &str = "local-alarm.state";

/// Longest file, in bytes: every list in it is bounded.
const BYTES_MAX: u64 = 256 * 1024;

/// Bytes of the check sum in front.
const SUM_BYTES: usize = 4;

/// What is kept.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Kept {
    /// The newest treatment that a gateway told.
    #[prost(message, optional, tag = "1")]
    pub treatment: Option<LeasedTreatment>,
    /// What was found while no gateway held the lease, the newest first.
    #[prost(message, repeated, tag = "2")]
    pub unleased: Vec<Entry>,
    /// Agent monotonic time of this state, in nanoseconds.
    #[prost(uint64, tag = "3")]
    pub mono_ns: u64,
    /// Hash of the profile that the gateway ran; 0 when none was told.
    #[prost(fixed64, tag = "4")]
    pub profile_hash: u64,
    /// The pump, as ward and id: another pump's patient is not this one's.
    #[prost(string, tag = "5")]
    pub pump: String,
}

/// Why a kept state is not believed.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It cannot be read.
    #[error("cannot read {}: check its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its check sum is wrong, or it is cut short.
    #[error("{} is damaged: the profile's own limits are in force until a gateway tells the patient's", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It is of another pump.
    #[error("{} is of the pump {pump}: give each pump a state folder of its own", path.display())]
    OtherPump {
        /// The file.
        path: PathBuf,
        /// The pump in it.
        pump: String,
    },
}

/// Reads what an earlier run has kept; `None` when there is nothing.
///
/// # Errors
/// Unreadable, damaged, or of another pump.
pub fn load(folder: &Path, pump: &str) -> Result<Option<Kept>, KeptError> {
    let path = folder.join(FILE);
    let read = |path: &Path| -> io::Result<Vec<u8>> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeptError::Read { path, source }),
    };
    let whole = bytes.split_at_checked(SUM_BYTES).filter(|(sum, body)| {
        bytes.len() as u64 <= BYTES_MAX && *sum == crc32c::crc32c(body).to_le_bytes()
    });
    let kept = whole.and_then(|(_sum, body)| Kept::decode(body).ok());
    match kept {
        None => Err(KeptError::Damaged { path }),
        Some(kept) if kept.pump != pump => Err(KeptError::OtherPump { path, pump: kept.pump }),
        Some(kept) => Ok(Some(kept)),
    }
}

/// Writes what is to survive, durable when this returns.
fn store(folder: &Path, kept: &Kept) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let body = kept.encode_to_vec();
    let new = folder.join(format!("{FILE}.new"));
    let mut file = File::create(&new)?;
    file.write_all(&crc32c::crc32c(&body).to_le_bytes())?;
    file.write_all(&body)?;
    file.sync_all()?;
    fs::rename(&new, folder.join(FILE))?;
    File::open(folder)?.sync_all()
}

/// The newest state that waits to be written.
#[derive(Debug, Default)]
struct Waiting {
    kept: Option<Kept>,
    is_closed: bool,
    has_failed: bool,
}

/// Writes on a thread of its own, the newest state only. What waits is written when it is dropped.
#[derive(Debug)]
pub struct Keeper {
    waiting: Arc<(Mutex<Waiting>, Condvar)>,
}

impl Keeper {
    /// Starts to keep in a folder.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(folder: PathBuf) -> io::Result<Self> {
        let waiting: Arc<(Mutex<Waiting>, Condvar)> = Arc::default();
        let shared = Arc::clone(&waiting);
        thread::Builder::new()
            .name("ecmo-kept".to_owned())
            .spawn(move || keep(&folder, &shared))?;
        Ok(Self { waiting })
    }

    /// Hands over the newest state; never waits for the disk.
    pub fn put(&self, kept: Kept) {
        let (waiting, changed) = &*self.waiting;
        waiting.lock().unwrap_or_else(PoisonError::into_inner).kept = Some(kept);
        changed.notify_one();
    }

    /// Whether the last write failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner).has_failed
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let (waiting, changed) = &*self.waiting;
        waiting.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        changed.notify_one();
    }
}

fn keep(folder: &Path, (waiting, changed): &(Mutex<Waiting>, Condvar)) {
    loop {
        let guard = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = changed
            .wait_while(guard, |waiting| waiting.kept.is_none() && !waiting.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = guard.kept.take() else { return };
        drop(guard);
        let written = store(folder, &kept);
        let mut guard = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let had_failed = std::mem::replace(&mut guard.has_failed, written.is_err());
        drop(guard);
        if let Err(error) = written
            && !had_failed
        {
            let folder = folder.display();
            tracing::error!(%folder, %error, "local alarm state not kept: check disk and permissions");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let treatment = LeasedTreatment { version: 5, patient: 2, ..LeasedTreatment::default() };
        Kept { treatment: Some(treatment), pump: "w/p".to_owned(), ..Kept::default() }
    }

    #[test]
    fn what_is_kept_comes_back_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path(), "w/p").unwrap(), None);
        store(folder.path(), &kept()).unwrap();
        assert_eq!(load(folder.path(), "w/p").unwrap(), Some(kept()));
        assert!(matches!(load(folder.path(), "w/q"), Err(KeptError::OtherPump { .. })));
        let path = folder.path().join(FILE);
        let good = fs::read(&path).unwrap();
        for end in 0..good.len() {
            fs::write(&path, &good[..end]).unwrap();
            assert!(matches!(load(folder.path(), "w/p"), Err(KeptError::Damaged { .. })), "{end}");
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, bad).unwrap();
            assert!(matches!(load(folder.path(), "w/p"), Err(KeptError::Damaged { .. })), "{bit}");
        }
    }

    #[test]
    fn what_waits_is_written_when_the_keeper_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::start(folder.path().join("new")).unwrap();
        keeper.put(kept());
        drop(keeper);
        let soon = core::time::Duration::from_secs(10);
        let read = || match load(&folder.path().join("new"), "w/p").unwrap() {
            Some(kept) => Ok(kept),
            None => Err("nothing yet"),
        };
        let mut found = None;
        ecmo_testkit::eventually_sync(soon, "the state on disk", || {
            found = read().ok();
            found.clone()
        })
        .unwrap();
        assert_eq!(found, Some(kept()));
    }
}
