//! The settings of the spool: where frames are kept, for how long, and how fast they are sent again.

use core::time::Duration;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::number::{BackfillKib, SpoolHours, SpoolMib, SyncMillis};

/// A day: a weekend's outage is longer, and the size of a bedside computer's disk is what speaks against more.
const HOURS_DEFAULT: f64 = 24.0;

/// More than a day of eight channels at 1 kHz.
const MIB_DEFAULT: f64 = 4096.0;

/// What a power loss may cost, in milliseconds.
const SYNC_MS_DEFAULT: f64 = 1000.0;

/// Ten times the live stream of eight channels at 1 kHz, and a fiftieth of a 100 Mbit/s link.
const BACKFILL_KIB_PER_S_DEFAULT: f64 = 200.0;

/// Bytes of a MiB and a KiB.
const MIB: f64 = 1024.0 * 1024.0;
const KIB: f64 = 1024.0;

/// How frames are kept on disk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "SpoolKeys")]
pub struct SpoolSettings {
    /// The folder; of one agent only.
    pub folder: PathBuf,
    /// How long a frame is kept, in time for which the agent ran.
    pub age_max: Duration,
    /// Most bytes on disk.
    pub bytes_max: u64,
    /// What a power loss may cost.
    pub sync_every: Duration,
    /// Most bytes of old frames that are sent in a second.
    pub backfill_bytes_per_s: u64,
}

impl SpoolSettings {
    /// A spool in this folder with the defaults for everything else.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        SpoolKeys {
            dir: folder,
            hours: None,
            max_mib: None,
            sync_ms: None,
            backfill_kib_per_s: None,
        }
        .into()
    }

    /// Lets a relative path count from a folder.
    pub(super) fn below(&mut self, folder: &Path) {
        self.folder = folder.join(&self.folder);
    }
}

/// The spool's table as it stands in the settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpoolKeys {
    dir: PathBuf,
    hours: Option<SpoolHours>,
    max_mib: Option<SpoolMib>,
    sync_ms: Option<SyncMillis>,
    backfill_kib_per_s: Option<BackfillKib>,
}

impl From<SpoolKeys> for SpoolSettings {
    fn from(keys: SpoolKeys) -> Self {
        let hours = keys.hours.map_or(HOURS_DEFAULT, SpoolHours::get);
        let sync_ms = keys.sync_ms.map_or(SYNC_MS_DEFAULT, SyncMillis::get);
        let kib_per_s =
            keys.backfill_kib_per_s.map_or(BACKFILL_KIB_PER_S_DEFAULT, BackfillKib::get);
        Self {
            folder: keys.dir,
            age_max: Duration::from_secs_f64(hours * 3600.0),
            bytes_max: whole(keys.max_mib.map_or(MIB_DEFAULT, SpoolMib::get) * MIB),
            sync_every: Duration::from_secs_f64(sync_ms / 1000.0),
            backfill_bytes_per_s: whole(kib_per_s * KIB),
        }
    }
}

/// Whole bytes of a number that was checked to be in its range.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "every range is above 0 and below 2^53"
)]
const fn whole(bytes: f64) -> u64 {
    bytes as u64
}
