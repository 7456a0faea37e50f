//! The writer of a log: opens it, appends, syncs, and lets the oldest segment go.

use core::time::Duration;
use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;

use crate::disk::{Disk, Files, Handle};
use crate::format::{self, PAYLOAD_BYTES_MAX, RECORD_OVERHEAD, RECORDS_AT, Record, SegmentHeader};
use crate::options::Options;
use crate::outcome::{AppendError, Counts, OpenError, Place, State};
use crate::reader::{Reader, Shared};
use crate::segment::{Condition, Digest, Loaded, Segment, segment_name, segments_in};

/// Name of the file that says that a process writes the log.
const LOCK_NAME: &str = "lock";

/// The writer of a log. See the [crate](crate).
#[derive(Debug)]
pub struct Journal<D> {
    options: Options,
    disk: Box<dyn Disk>,
    /// Held as long as the log is open.
    _lock: File,
    shared: Shared<D>,
    active: Option<Box<dyn Handle>>,
    /// Age base of the log when the active segment began, in this run at the latest.
    active_since_ns: u64,
    /// Files that were left and not synced yet.
    unsynced: Vec<Box<dyn Handle>>,
    /// Segments that were there at opening: the process before may have died before it synced them.
    inherited: Vec<PathBuf>,
    is_folder_unsynced: bool,
    next_number: u64,
    next_segment: u64,
    /// Number of the first record that no sync covers.
    first_unsynced: u64,
    /// Age base of the log when it was opened, and the caller's time then.
    stamp_base_ns: u64,
    opened: Duration,
    last_sync: Duration,
    retry_at: Duration,
    state: State,
    counts: Counts,
    evicted: Vec<D>,
    buffer: Vec<u8>,
}

impl<D: Digest> Journal<D> {
    /// Opens a log on the file system, or makes it. `now` is the caller's monotonic time, as in all other calls.
    ///
    /// # Errors
    /// Another process has it, or the disk does not let it be read.
    pub fn open(options: Options, now: Duration) -> Result<Self, OpenError> {
        Self::open_on(Box::new(Files), options, now)
    }

    /// As [`Journal::open`], on something that stands for the disk; reading is done from the file system all the same.
    ///
    /// # Errors
    /// Another process has it, or the disk does not let it be read.
    pub fn open_on(
        disk: Box<dyn Disk>,
        options: Options,
        now: Duration,
    ) -> Result<Self, OpenError> {
        let folder = options.folder.clone();
        let of_disk = |source| OpenError::Io { folder: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(of_disk)?;
        let lock = File::create(folder.join(LOCK_NAME)).map_err(of_disk)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { folder }),
            Err(TryLockError::Error(source)) => return Err(of_disk(source)),
        }
        let mut journal = Self {
            disk,
            _lock: lock,
            shared: Shared::new(VecDeque::new()),
            active: None,
            active_since_ns: 0,
            unsynced: Vec::new(),
            inherited: Vec::new(),
            is_folder_unsynced: true,
            next_number: 0,
            next_segment: 0,
            first_unsynced: 0,
            stamp_base_ns: 0,
            opened: now,
            last_sync: now,
            retry_at: Duration::ZERO,
            state: State::Recording,
            counts: Counts::default(),
            evicted: Vec::new(),
            buffer: Vec::new(),
            options,
        };
        journal.load().map_err(of_disk)?;
        Ok(journal)
    }

    /// Reads what is there, and finishes or goes on with segments that a crash left.
    fn load(&mut self) -> io::Result<()> {
        let found = segments_in(&self.options.folder)?;
        let last = found.last().map(|(id, _)| *id);
        for (id, path) in found {
            self.next_segment = id.saturating_add(1);
            let mut loaded = Segment::<D>::load(id, &path);
            if loaded.segment.trouble.is_some() {
                // What cannot be read goes with what was written before it, and not sooner.
                loaded.segment.last_stamp_ns = self.stamp_base_ns;
            }
            // What lies between two segments is missing as much as what lies in one; before the first one it just went.
            let first = loaded.segment.first_number.filter(|_| self.next_number > 0);
            let between = first.map_or(0, |first| first.saturating_sub(self.next_number));
            self.counts.damaged += loaded.missing + between;
            self.next_number = self.next_number.max(loaded.segment.next_number.unwrap_or(0));
            self.stamp_base_ns = self.stamp_base_ns.max(loaded.segment.last_stamp_ns);
            if loaded.segment.file_bytes <= RECORDS_AT as u64 && Some(id) != last {
                // A segment that a crash left before its first record.
                self.disk.remove(&path)?;
                continue;
            }
            self.adopt(loaded, Some(id) == last);
        }
        self.first_unsynced = self.next_number;
        self.active_since_ns = self.stamp_base_ns;
        Ok(())
    }

    /// Takes a segment over: the last one is written on if it is short, others get the footer that they lack.
    fn adopt(&mut self, loaded: Loaded<D>, is_last: bool) {
        let Loaded { mut segment, condition, missing: _ } = loaded;
        let is_short = segment.end < self.options.segment_bytes;
        let goes_on = is_last && is_short && condition != Condition::Broken;
        if goes_on || condition == Condition::Open {
            // A disk that cannot be written now may be later: what is there can be read all the same.
            if let Ok(mut handle) = self.disk.open_end(&segment.path, segment.end) {
                segment.file_bytes = segment.end;
                if goes_on {
                    self.active = Some(handle);
                } else {
                    finish(&mut segment, handle.as_mut());
                    self.unsynced.push(handle);
                }
            }
        }
        self.inherited.push(segment.path.clone());
        self.shared.segments().push_back(segment);
    }

    /// Hands a record to the operating system. It is there after the end of this process; after a power loss it is there
    /// once a sync came after it. Never waits for a sync.
    ///
    /// # Errors
    /// The record is not kept; see [`AppendError`]. After [`AppendError::Full`] and [`AppendError::Failed`] the disk is
    /// left alone for [`Options::retry_after`].
    pub fn append(
        &mut self,
        now: Duration,
        kind: u8,
        payload: &[u8],
    ) -> Result<Place, AppendError> {
        if payload.len() > PAYLOAD_BYTES_MAX || kind > format::KIND_MAX {
            return Err(AppendError::Unfit { bytes: payload.len(), kind });
        }
        self.begin_segment_if_due(now, payload.len())?;
        loop {
            match self.try_append(now, kind, payload) {
                Ok(place) => {
                    self.state = State::Recording;
                    self.counts.appended += 1;
                    return Ok(place);
                }
                Err(error) if is_full(&error) && self.active.is_some() => {
                    if !self.evict_for_others() {
                        return Err(self.wait(now, error));
                    }
                }
                Err(error) => return Err(self.wait(now, error)),
            }
        }
    }

    /// Begins a new segment if the next record of this length would have one; says whether it did. A caller that wants
    /// something at the head of every segment calls this first and appends it then.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn begin_segment_if_due(
        &mut self,
        now: Duration,
        payload_bytes: usize,
    ) -> Result<bool, AppendError> {
        if self.state != State::Recording && now < self.retry_at {
            return Err(AppendError::Waiting);
        }
        let bytes = (payload_bytes + RECORD_OVERHEAD) as u64;
        self.evict_old(now, bytes);
        let end = self.shared.segments().back().map_or(0, |segment| segment.end);
        // A segment is longer than its limit only by its first record.
        let has_room = end == RECORDS_AT as u64 || end + bytes <= self.options.segment_bytes;
        let written_ns = u128::from(self.stamp_ns(now).saturating_sub(self.active_since_ns));
        let is_young = written_ns < self.options.segment_for.as_nanos();
        if self.active.is_some() && has_room && is_young {
            return Ok(false);
        }
        self.finish_active();
        loop {
            match self.begin_segment() {
                Ok(()) => {
                    self.active_since_ns = self.stamp_ns(now);
                    return Ok(true);
                }
                Err(error) if is_full(&error) && self.evict_for_others() => {}
                Err(error) => return Err(self.wait(now, error)),
            }
        }
    }

    /// Waits until everything that was appended is durable.
    ///
    /// # Errors
    /// The disk fails: what was appended since the last success is [unsure](Counts::unsure), and goes on in a new segment.
    pub fn sync(&mut self, now: Duration) -> Result<(), AppendError> {
        self.last_sync = now;
        let result = self.sync_all();
        match result {
            Ok(()) => {
                self.first_unsynced = self.next_number;
                Ok(())
            }
            Err(error) => {
                self.counts.unsure += self.next_number - self.first_unsynced;
                self.first_unsynced = self.next_number;
                // The kernel may have dropped pages of these files: they are never written again.
                (self.active, self.state) = (None, State::Failed);
                self.unsynced.clear();
                self.inherited.clear();
                self.retry_at = now + self.options.retry_after;
                Err(AppendError::Failed(error))
            }
        }
    }

    /// Syncs if something waits for it and the last sync is long enough ago. Call it often.
    ///
    /// # Errors
    /// As [`Journal::sync`].
    pub fn sync_if_due(&mut self, now: Duration) -> Result<(), AppendError> {
        let waits = self.first_unsynced < self.next_number || self.is_folder_unsynced;
        if waits && now.saturating_sub(self.last_sync) >= self.options.sync_every {
            return self.sync(now);
        }
        Ok(())
    }

    /// Gives the log another bound, in bytes; what is too much goes with the next append.
    pub const fn set_bytes_max(&mut self, bytes: u64) {
        self.options.bytes_max = bytes;
    }

    /// Lets go what is too old or too much, for a log to which nothing is appended.
    pub fn evict_if_due(&mut self, now: Duration) {
        let age_max = self.options.age_max.as_nanos();
        let last_ns = self.shared.segments().back().map(|last| last.last_stamp_ns);
        let is_old = |last_ns| u128::from(self.stamp_ns(now).saturating_sub(last_ns)) > age_max;
        if self.active.is_some() && last_ns.is_some_and(is_old) {
            self.finish_active();
        }
        self.evict_old(now, 0);
    }

    /// Number of the first record that a power loss may still take.
    #[must_use]
    pub const fn first_unsynced(&self) -> u64 {
        self.first_unsynced
    }

    /// Whether it records.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// What it counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The digests of the segments that went since the last call.
    #[must_use]
    pub fn take_evicted(&mut self) -> Vec<D> {
        std::mem::take(&mut self.evicted)
    }

    /// Reads the log from any thread.
    #[must_use]
    pub fn reader(&self) -> Reader<D> {
        Reader { shared: self.shared.clone() }
    }

    /// Age base of a record that comes now.
    fn stamp_ns(&self, now: Duration) -> u64 {
        let open = u64::try_from(now.saturating_sub(self.opened).as_nanos()).unwrap_or(u64::MAX);
        self.stamp_base_ns.saturating_add(open)
    }

    fn try_append(&mut self, now: Duration, kind: u8, payload: &[u8]) -> io::Result<Place> {
        let stamp_ns = self.stamp_ns(now);
        let record = Record { number: self.next_number, stamp_ns, kind, payload };
        let (segment, seed, at) = {
            let segments = self.shared.segments();
            let last = segments.back().ok_or_else(|| io::Error::other("no segment"))?;
            (last.id, last.seed, last.end)
        };
        let handle = self.active.as_mut().ok_or_else(|| io::Error::other("no segment"))?;
        self.buffer.clear();
        format::encode_record(record, seed, &mut self.buffer);
        if let Err(error) = handle.write_all(&self.buffer) {
            // Half a record at the end is harmless, but nothing may follow it as if it were whole.
            if handle.cut(at).is_err() {
                self.active = None;
            }
            return Err(error);
        }
        if let Some(last) = self.shared.segments().back_mut() {
            last.add(at, &record);
        }
        self.next_number += 1;
        Ok(Place { segment, at, number: record.number })
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let (id, seed) = (self.next_segment, fastrand::u32(..));
        let path = self.options.folder.join(segment_name(id));
        // An attempt that failed has its number used up: its file may be there.
        self.next_segment += 1;
        let mut handle = self.disk.create(&path)?;
        self.is_folder_unsynced = true;
        if let Err(error) = handle.write_all(&SegmentHeader { id, seed }.encode()) {
            drop(handle);
            // If it cannot be removed either, it is found and removed at the next opening.
            self.disk.remove(&path).unwrap_or(());
            return Err(error);
        }
        self.active = Some(handle);
        self.shared.segments().push_back(Segment::new(id, path, seed));
        Ok(())
    }

    /// Leaves the active segment with a footer.
    fn finish_active(&mut self) {
        let Some(mut handle) = self.active.take() else { return };
        let last = self.shared.segments().back().cloned();
        if let Some(mut segment) = last {
            finish(&mut segment, handle.as_mut());
            if let Some(last) = self.shared.segments().back_mut() {
                last.file_bytes = segment.file_bytes;
            }
        }
        self.unsynced.push(handle);
    }

    fn sync_all(&mut self) -> io::Result<()> {
        while let Some(path) = self.inherited.last() {
            match self.disk.sync_file(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            self.inherited.pop();
        }
        for handle in &mut self.unsynced {
            handle.sync()?;
        }
        self.unsynced.clear();
        if let Some(active) = &mut self.active {
            active.sync()?;
        }
        if self.is_folder_unsynced {
            self.disk.sync_folder(&self.options.folder)?;
            self.is_folder_unsynced = false;
        }
        Ok(())
    }

    /// The state after an error, and the error in our words.
    fn wait(&mut self, now: Duration, error: io::Error) -> AppendError {
        self.retry_at = now + self.options.retry_after;
        if is_full(&error) {
            self.state = State::Full;
            return AppendError::Full;
        }
        self.state = State::Failed;
        self.active = None;
        AppendError::Failed(error)
    }

    /// Lets segments go that are too old, or in the way of this many bytes.
    fn evict_old(&mut self, now: Duration, bytes: u64) {
        let age_max = u64::try_from(self.options.age_max.as_nanos()).unwrap_or(u64::MAX);
        let oldest_ns = self.stamp_ns(now).saturating_sub(age_max);
        let mut total = self.reader().bytes();
        while let Some((file_bytes, last_stamp_ns)) = self.oldest() {
            let is_too_old = last_stamp_ns < oldest_ns;
            if (!is_too_old && total + bytes <= self.options.bytes_max) || !self.evict() {
                return;
            }
            total = total.saturating_sub(file_bytes);
        }
    }

    /// Lets the oldest segment go because the disk is full; not below the floor.
    fn evict_for_others(&mut self) -> bool {
        let total = self.reader().bytes();
        let left = self.oldest().map(|(bytes, _)| total.saturating_sub(bytes));
        left.is_some_and(|left| left >= self.options.floor_bytes) && self.evict()
    }

    /// Length and last stamp of the oldest segment, unless it is being written.
    fn oldest(&self) -> Option<(u64, u64)> {
        let segments = self.shared.segments();
        let is_written = segments.len() == 1 && self.active.is_some();
        segments
            .front()
            .filter(|_| !is_written)
            .map(|oldest| (oldest.file_bytes, oldest.last_stamp_ns))
    }

    fn evict(&mut self) -> bool {
        let Some(path) = self.shared.segments().front().map(|oldest| oldest.path.clone()) else {
            return false;
        };
        match self.disk.remove(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return false,
        }
        let oldest = self.shared.segments().pop_front();
        self.is_folder_unsynced = true;
        if let Some(oldest) = oldest {
            self.counts.evicted += oldest.records;
            self.evicted.push(oldest.digest);
        }
        true
    }
}

/// Writes a footer. Without one the segment is scanned at the next opening, so that an error costs time and nothing else.
fn finish<D: Digest>(segment: &mut Segment<D>, handle: &mut dyn Handle) {
    let Some(footer) = segment.footer() else { return };
    match handle.write_all(&footer) {
        Ok(()) => segment.file_bytes = segment.end + footer.len() as u64,
        Err(_) => handle.cut(segment.end).unwrap_or(()),
    }
}

/// Whether there is no room, as opposed to a disk that fails.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
