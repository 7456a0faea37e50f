//! The files of the audit log: one chain over all of them, appended and flushed, begun anew at a size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::line::{self, Entry, Link};

/// Ending of the files.
const ENDING: &str = ".jsonl";

/// Where the chain stood a short time ago: what is cut off at the end behind it is noticed.
const HEAD: &str = "head";

/// What was found at the end of a log that is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or a whole log.
    Whole,
    /// The last line was torn; so many bytes were cut.
    Torn(u64),
    /// The last file is damaged; it is left as it is, and another one begins.
    Damaged(String),
}

/// The log, open for appending.
#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    /// Size from which a new file is begun, in bytes.
    file_max: u64,
    index: u32,
    /// Bytes of the file that are confirmed.
    len: u64,
    last: Link,
    /// `None` after a failure: nothing of what the file held in memory is trusted.
    file: Option<File>,
}

/// Name of a file.
pub(super) fn path_of(dir: &Path, index: u32) -> PathBuf {
    dir.join(format!("{index:06}{ENDING}"))
}

/// Numbers of the files of a folder, in order. A folder that is not there holds none.
pub(super) fn indices(dir: &Path) -> io::Result<Vec<u32>> {
    use io::ErrorKind::{NotADirectory, NotFound};
    let listed = match fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in listed {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(ENDING));
        found.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// Lines of a file's bytes, without their line feeds, and what stands behind the last line feed.
pub(super) fn lines(bytes: &[u8]) -> (impl Iterator<Item = &[u8]>, &[u8]) {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (whole, tail) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    (whole.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line)), tail)
}

impl Log {
    /// Opens the log of a folder, which is made when it is missing; a torn line at its end is cut. Its next number is greater
    /// than `known`, also where the log was lost: what the state store has applied must not seem to be new.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(super) fn open(dir: &Path, file_max: u64, known: u64) -> io::Result<(Self, Found)> {
        fs::create_dir_all(dir)?;
        let index = indices(dir)?.last().copied();
        let mut log = Self {
            dir: dir.to_owned(),
            file_max,
            index: index.unwrap_or(0),
            len: 0,
            last: Link { number: known, ..Link::START },
            file: None,
        };
        let Some(index) = index else {
            log.begin()?;
            return Ok((log, Found::Whole));
        };
        let path = path_of(dir, index);
        let bytes = fs::read(&path)?;
        let (found, len, last) = scan(&bytes);
        // A file without a line of its own follows the one before.
        log.last = match last {
            Some(last) => last,
            None => log.end_of_earlier(index)?,
        };
        log.last.number = log.last.number.max(known);
        if let Found::Damaged(_) = found {
            log.begin()?;
            return Ok((log, found));
        }
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        if let Found::Torn(_) = found {
            file.set_len(len)?;
            file.sync_all()?;
        }
        (log.len, log.file) = (len, Some(file));
        Ok((log, found))
    }

    /// Where the chain ends before a file.
    fn end_of_earlier(&self, index: u32) -> io::Result<Link> {
        for earlier in indices(&self.dir)?.into_iter().rev().filter(|earlier| *earlier < index) {
            if let (_, _, Some(last)) = scan(&fs::read(path_of(&self.dir, earlier))?) {
                return Ok(last);
            }
        }
        Ok(Link::START)
    }

    /// Begins the next file.
    fn begin(&mut self) -> io::Result<()> {
        self.file = None;
        fs::create_dir_all(&self.dir)?;
        let index = self.index.saturating_add(1);
        let path = path_of(&self.dir, index);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        // The new name is in the folder, and the folder is what must reach the disk.
        File::open(&self.dir)?.sync_all()?;
        (self.index, self.len, self.file) = (index, 0, Some(file));
        Ok(())
    }

    /// The file that is written: the one that is open, or after a failure as much of it as was confirmed.
    fn writable(&mut self) -> io::Result<()> {
        let path = path_of(&self.dir, self.index);
        if let Some(file) = &self.file {
            // A log that somebody removed would be written to nowhere.
            let same = |on_disk: fs::Metadata| {
                file.metadata().is_ok_and(|ours| {
                    (ours.ino(), ours.dev()) == (on_disk.ino(), on_disk.dev())
                })
            };
            if !fs::metadata(&path).is_ok_and(same) {
                self.file = None;
            }
        }
        if self.file.is_none() {
            match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) if file.metadata()?.len() >= self.len => {
                    file.set_len(self.len)?;
                    file.sync_all()?;
                    self.file = Some(file);
                }
                // What was confirmed is gone: the gap stays visible.
                Ok(_) => self.begin()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.begin()?,
                Err(error) => return Err(error),
            }
        }
        if self.len >= self.file_max {
            self.begin()?;
        }
        Ok(())
    }

    /// Appends entries; when this returns they survive a power cut. Blocks on the disk.
    ///
    /// # Errors
    /// The disk is full, read-only, gone or failing: none of the entries is in the log.
    pub(super) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut last = self.last;
        for entry in entries {
            last = line::seal(entry, &last, &mut bytes).map_err(io::Error::other)?;
        }
        let written = self.writable().and_then(|()| self.write(&bytes));
        if written.is_ok() {
            self.len = self.len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            self.last = last;
        } else if let Some(file) = self.file.take() {
            // After a failed flush the system may hold as clean what never reached the disk: the file is opened anew and
            // cut where it was confirmed. What cannot be cut now is cut then.
            let _cut_later = file.set_len(self.len).is_err();
        }
        written
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(self.len))?;
        file.write_all(bytes)?;
        file.sync_data()
    }

    /// Number of the last line.
    pub(super) const fn last_number(&self) -> u64 {
        self.last.number
    }

    /// Writes down where the chain stands, for `verify`. It is a witness and no promise: it is not flushed.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn note_head(&self) -> io::Result<()> {
        let beside = self.dir.join("head.tmp");
        fs::write(&beside, format!("{} {}\n", self.last.number, line::hex(&self.last.sum)))?;
        fs::rename(&beside, self.dir.join(HEAD))
    }
}

/// What the witness says: number and sum; `None` without one that can be read.
pub(super) fn head(dir: &Path) -> Option<Link> {
    let mut text = String::new();
    File::open(dir.join(HEAD)).ok()?.take(256).read_to_string(&mut text).ok()?;
    let (number, sum) = text.strip_suffix('\n')?.split_once(' ')?;
    let sum = line::from_hex(sum)?.try_into().ok()?;
    Some(Link { number: number.parse().ok()?, sum })
}

/// Reads one file by itself: what its end is, how many bytes of it are good, and where the chain stands.
fn scan(bytes: &[u8]) -> (Found, u64, Option<Link>) {
    let (whole, tail) = lines(bytes);
    let (mut good, mut last, mut damaged) = (0_u64, None::<Link>, None);
    for (at, one) in whole.enumerate() {
        let checked = last.map_or_else(|| line::check_first(one), |last| line::check(one, &last));
        if let Err(fault) = &checked
            && damaged.is_none()
        {
            damaged = Some(format!("line {}: {fault}", at + 1));
        }
        // Numbers behind a damaged line are taken all the same, and must not be given again.
        if let Some(link) = checked.ok().or_else(|| line::check_first(one).ok()) {
            last = Some(Link { number: link.number.max(last.map_or(0, |it| it.number)), ..link });
        }
        good += u64::try_from(one.len()).unwrap_or(u64::MAX).saturating_add(1);
    }
    if let Some(why) = damaged {
        return (Found::Damaged(why), good, last);
    }
    if tail.is_empty() {
        return (Found::Whole, good, last);
    }
    if line::lacks_line_feed(tail) {
        return (Found::Damaged("its last line feed was changed".to_owned()), good, last);
    }
    (Found::Torn(u64::try_from(tail.len()).unwrap_or(u64::MAX)), good, last)
}

/// The entries behind a number, in order, as far as the files can be read; `take` gets each. A damaged line is passed over:
/// `verify` tells of it, and what stands behind it still counts.
///
/// # Errors
/// A file cannot be read.
pub(super) fn read_after(
    dir: &Path,
    after: u64,
    mut take: impl FnMut(u64, Entry),
) -> io::Result<()> {
    let mut from = Vec::new();
    for index in indices(dir)?.into_iter().rev() {
        let bytes = fs::read(path_of(dir, index))?;
        let first = lines(&bytes).0.find_map(|one| line::check_first(one).ok());
        from.push(bytes);
        if first.is_some_and(|first| first.number <= after.saturating_add(1)) {
            break;
        }
    }
    for bytes in from.iter().rev() {
        let sound = lines(bytes).0.filter(|one| line::check_first(one).is_ok());
        for (number, entry) in sound.filter_map(line::read).filter(|(number, _)| *number > after) {
            take(number, entry);
        }
    }
    Ok(())
}

#[cfg(test)]
impl Log {
    /// What a write leaves that fails on its way.
    pub(super) fn write_half(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)?;
        self.file = None;
        Ok(())
    }
}
