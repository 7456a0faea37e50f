//! What is kept on disk and for how long: the sections of journal and history.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Keep;
use super::error::Complaint;
use super::file::{FilePath, ranged};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HistoryTable {
    minutes: Option<Minutes>,
    dir: Option<FilePath>,
    hours: Option<Spanned<KeptHours>>,
    max_mib: Option<Spanned<HistoryMebibytes>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct JournalTable {
    dir: Option<FilePath>,
    hours: Option<Spanned<Hours>>,
    max_mib: Option<Spanned<Mebibytes>>,
}

impl HistoryTable {
    /// How far back the preview of a limit looks.
    pub(super) fn preview(&self, default: Duration) -> Duration {
        self.minutes.as_ref().map_or(default, |minutes| minutes.0)
    }
}

ranged!(
    /// Two hours of ten fast channels take some 12 MB a pump.
    Minutes, u64 as "u64", Duration, "minutes of history", 0..=120, Duration::from_mins
);

ranged!(
    /// Ten days of every pump are more than any disk beside a bed.
    Hours, u64 as "u64", Duration, "hours of the journal", 1..=240, Duration::from_hours
);
ranged!(
    /// Below, a pump's share would be too small to be divided.
    Mebibytes, u64 as "u64", u64, "max_mib of the journal", 64..=1_048_576, |mebibytes| mebibytes << 20
);

ranged!(
    /// Three months: a course of treatment with what came before it. 0 keeps none.
    KeptHours, u64 as "u64", Duration, "hours of history", 0..=2_160, Duration::from_hours
);
ranged!(
    /// Below, a few pumps would hardly have an hour.
    HistoryMebibytes, u64 as "u64", u64, "max_mib of the history", 64..=16_777_216, |mebibytes| mebibytes << 20
);

/// How long every sample is kept, when the settings do not say: what a ward round over a weekend asks for.
const HISTORY_AGE: Duration = Duration::from_hours(72);

/// How much, in bytes, when the settings do not say: some 100 pump-days.
const HISTORY_BYTES: u64 = 16_384 << 20;

/// Folder of the history within that of the state, when the settings do not say.
const HISTORY_FOLDER: &str = "history";

/// How long frames are kept, when the settings do not say: until the next day's round.
const JOURNAL_AGE: Duration = Duration::from_hours(24);

/// How much, in bytes, when the settings do not say.
const JOURNAL_BYTES: u64 = 8_192 << 20;

/// Where frames are kept, if they are; without a folder, nothing may be set for it.
pub(super) fn journal(read: JournalTable, file: &str) -> Result<Option<Keep>, Complaint> {
    let JournalTable { dir, hours, max_mib } = read;
    let Some(dir) = dir else {
        let set = [hours.map(|hours| hours.span()), max_mib.map(|max| max.span())];
        return match set.into_iter().flatten().next() {
            None => Ok(None),
            Some(span) => Err(Complaint::new(
                span,
                "nothing is recorded without a folder",
                "set dir under [journal], or remove the section",
            )),
        };
    };
    Ok(Some(Keep {
        dir: dir.in_folder_of(file),
        age_max: hours.map_or(JOURNAL_AGE, |hours| hours.into_inner().0),
        bytes_max: max_mib.map_or(JOURNAL_BYTES, |max| max.into_inner().0),
    }))
}

/// Where every sample is kept: beside the state, unless the settings say otherwise.
pub(super) fn disclosure(
    read: HistoryTable,
    state_dir: Option<&Path>,
    file: &str,
) -> Result<Option<Keep>, Complaint> {
    let HistoryTable { minutes: _, dir, hours, max_mib } = read;
    let dir = dir.map(|dir| dir.in_folder_of(file));
    let Some(dir) = dir.or_else(|| state_dir.map(|dir| dir.join(HISTORY_FOLDER))) else {
        let set = [hours.map(|hours| hours.span()), max_mib.map(|max| max.span())];
        return match set.into_iter().flatten().next() {
            None => Ok(None),
            Some(span) => Err(Complaint::new(
                span,
                "no history is kept without a folder",
                "set dir under [history] or [state], or remove the key",
            )),
        };
    };
    let age_max = hours.map_or(HISTORY_AGE, |hours| hours.into_inner().0);
    let bytes_max = max_mib.map_or(HISTORY_BYTES, |max| max.into_inner().0);
    Ok((!age_max.is_zero()).then_some(Keep { dir, age_max, bytes_max }))
}
