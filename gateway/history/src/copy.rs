//! Copies of a history: made while a gateway writes it, proven before anybody trusts them, put back whole.
//!
//! Segments are only ever written at their end: the bytes up to a segment's last whole record are the same at any later time.
//! A copy names its segments in `manifest`, which is written last: a copy without one was never finished.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ecmo_journal::Reader;

use crate::place::logs_in;
use crate::read::gone;
use crate::verify::{Verified, verify};

/// The list of a copy's segments: for each its bytes and its path within the copy.
const MANIFEST: &str = "manifest";

/// First line of the list.
const TITLE: &str = "ecmo history 1";

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Segments.
    pub segments: usize,
    /// Bytes.
    pub bytes: u64,
    /// What a look through the copy found. Damage that was there before is copied as it is, and told here.
    pub verified: Verified,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Nobody's files are written over.
    #[error("{} is there already: name a folder that is not", .0.display())]
    Exists(PathBuf),
    /// It has no list, or not what its list names.
    #[error("{} is no whole backup: {what}", path.display())]
    NotWhole {
        /// The backup.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// Copies a history into a folder that is not there yet, whether a gateway writes it or not.
///
/// # Errors
/// See [`CopyError`]. What was copied until then stays, without a list.
pub fn backup(from: &Path, to: &Path) -> Result<Copied, CopyError> {
    begin(to)?;
    let mut listed = BTreeMap::new();
    for (_log, folder) in logs_in(from)? {
        let inside = folder.strip_prefix(from).map_err(io::Error::other)?;
        fs::create_dir_all(to.join(inside))?;
        let (reader, _damaged) = Reader::<()>::open(&folder)?;
        let troubled: Vec<PathBuf> = reader.troubles().into_iter().map(|(path, _)| path).collect();
        for segment in reader.segments() {
            let path = segment.path();
            // What cannot be read is copied as it is: somebody may read it yet. Else up to the last whole record.
            let bytes =
                if troubled.iter().any(|one| one == path) { u64::MAX } else { segment.bytes };
            let name = inside.join(path.file_name().unwrap_or_default());
            // A segment that went meanwhile was the oldest.
            let Some(copied) = gone(copy(path, &to.join(&name), bytes))? else { continue };
            listed.insert(name, copied);
        }
        File::open(to.join(inside))?.sync_all()?;
    }
    let verified = verify(to)?;
    write_manifest(to, &listed)?;
    Ok(Copied { segments: listed.len(), bytes: listed.values().sum(), verified })
}

/// Puts a backup into a folder that is not there yet.
///
/// # Errors
/// See [`CopyError`]. The folder is there whole or not at all.
pub fn restore(from: &Path, to: &Path) -> Result<Copied, CopyError> {
    if to.exists() {
        return Err(CopyError::Exists(to.to_owned()));
    }
    let listed = read_manifest(from)?;
    let mut new = to.as_os_str().to_owned();
    new.push(".restoring");
    let new = PathBuf::from(new);
    begin(&new)?;
    for (name, bytes) in &listed {
        if let Some(folder) = name.parent() {
            fs::create_dir_all(new.join(folder))?;
        }
        let copied = copy(&from.join(name), &new.join(name), u64::MAX)?;
        if copied != *bytes {
            let what = format!("{} has {copied} bytes and not {bytes}", name.display());
            return Err(CopyError::NotWhole { path: from.to_owned(), what });
        }
    }
    let verified = verify(&new)?;
    fs::rename(&new, to)?;
    if let Some(above) = to.parent().filter(|above| !above.as_os_str().is_empty()) {
        File::open(above)?.sync_all()?;
    }
    Ok(Copied { segments: listed.len(), bytes: listed.values().sum(), verified })
}

fn begin(folder: &Path) -> Result<(), CopyError> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    fs::create_dir(folder).map_err(|error| {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        if is_there { CopyError::Exists(folder.to_owned()) } else { CopyError::Disk(error) }
    })
}

/// Copies so many bytes of a file, or all there are, and waits for the disk; how many it were.
fn copy(from: &Path, to: &Path, bytes: u64) -> io::Result<u64> {
    let from = File::open(from)?;
    let mut out = File::create_new(to)?;
    let copied = io::copy(&mut from.take(bytes), &mut out)?;
    out.sync_all()?;
    Ok(copied)
}

fn write_manifest(folder: &Path, listed: &BTreeMap<PathBuf, u64>) -> io::Result<()> {
    let mut out = File::create_new(folder.join(MANIFEST))?;
    writeln!(out, "{TITLE}")?;
    for (name, bytes) in listed {
        writeln!(out, "{bytes} {}", name.display())?;
    }
    out.sync_all()?;
    File::open(folder)?.sync_all()
}

fn read_manifest(folder: &Path) -> Result<BTreeMap<PathBuf, u64>, CopyError> {
    let not_whole =
        |what: &str| CopyError::NotWhole { path: folder.to_owned(), what: what.to_owned() };
    let text = fs::read_to_string(folder.join(MANIFEST))
        .map_err(|_unreadable| not_whole("it has no list"))?;
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return Err(not_whole("its list is of another version"));
    }
    let segment = |line: &str| {
        let (bytes, name) = line.split_once(' ')?;
        let name = PathBuf::from(name);
        // A list that somebody made leads nowhere else.
        let is_inside =
            name.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        is_inside.then_some(name).zip(bytes.parse().ok())
    };
    let listed: Option<BTreeMap<PathBuf, u64>> = lines.map(segment).collect();
    listed.ok_or_else(|| not_whole("its list cannot be read"))
}
