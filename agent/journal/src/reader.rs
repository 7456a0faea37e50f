//! Reads a log from any thread while it is written: what is there, and its records.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::format::RECORDS_AT;
use crate::pick::Pick;
use crate::scan::Scan;
use crate::segment::{Digest, Segment, Trouble, segments_in};

/// The segments, shared by the writer and its readers. Held for moments only, never while the disk is waited for.
#[derive(Debug)]
pub(crate) struct Shared<D>(Arc<Mutex<VecDeque<Segment<D>>>>);

impl<D> Clone for Shared<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D> Shared<D> {
    pub(crate) fn new(segments: VecDeque<Segment<D>>) -> Self {
        Self(Arc::new(Mutex::new(segments)))
    }

    pub(crate) fn segments(&self) -> MutexGuard<'_, VecDeque<Segment<D>>> {
        // Nothing in here can panic half way, so a poisoned list is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a log while it is written. Cheap to clone; every scan has a file handle of its own.
#[derive(Debug)]
pub struct Reader<D> {
    pub(crate) shared: Shared<D>,
}

impl<D> Clone for Reader<D> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

/// A segment at one moment.
#[derive(Debug, Clone)]
pub struct View<D> {
    /// Its id: rises with time.
    pub segment: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Its records.
    pub records: u64,
    /// What the caller notes of it.
    pub digest: D,
    path: Arc<Path>,
    seed: u32,
    end: u64,
}

impl<D: Digest> Reader<D> {
    /// Reads a log as it is now, whether a process writes it or not; changes nothing and takes no lock. Also tells how many
    /// records were found damaged, missing or torn, which the last one is while it is being written.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn open(folder: &Path) -> io::Result<(Self, u64)> {
        let (mut segments, mut damaged) = (VecDeque::new(), 0);
        for (id, path) in segments_in(folder)? {
            let loaded = Segment::load(id, &path);
            damaged += loaded.missing;
            segments.push_back(loaded.segment);
        }
        Ok((Self { shared: Shared::new(segments) }, damaged))
    }

    /// The segments, the oldest first.
    #[must_use]
    pub fn segments(&self) -> Vec<View<D>> {
        self.shared.segments().iter().map(View::new).collect()
    }

    /// The segments whose digest is as wanted, the oldest first.
    #[must_use]
    pub fn segments_where(&self, mut is_wanted: impl FnMut(&D) -> bool) -> Vec<View<D>> {
        let segments = self.shared.segments();
        segments.iter().filter(|segment| is_wanted(&segment.digest)).map(View::new).collect()
    }

    /// The segments of which something is wanted, with that instead of their digest, the oldest first. It holds the writer
    /// up while it runs.
    #[must_use]
    pub fn segments_with<T>(&self, mut wanted: impl FnMut(&D) -> Option<T>) -> Vec<View<T>> {
        let segments = self.shared.segments();
        let views = segments.iter().filter_map(|segment| {
            wanted(&segment.digest).map(|wanted| View::with(segment, wanted))
        });
        views.collect()
    }

    /// The segments that cannot be read, and why.
    #[must_use]
    pub fn troubles(&self) -> Vec<(PathBuf, Trouble)> {
        let segments = self.shared.segments();
        let troubled = segments.iter().filter_map(|one| Some((one.path.clone(), one.trouble?)));
        troubled.collect()
    }

    /// Something of every digest, the oldest segment first, without cloning them. It holds the writer up while it runs.
    #[must_use]
    pub fn digests<T>(&self, mut look: impl FnMut(&D) -> T) -> Vec<T> {
        self.shared.segments().iter().map(|segment| look(&segment.digest)).collect()
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.segments().iter().map(|segment| segment.file_bytes).sum()
    }
}

impl<D: Digest> View<D> {
    fn new(segment: &Segment<D>) -> Self {
        Self::with(segment, segment.digest.clone())
    }
}

impl<T> View<T> {
    fn with<D>(segment: &Segment<D>, digest: T) -> Self {
        Self {
            segment: segment.id,
            bytes: segment.file_bytes,
            records: segment.records,
            digest,
            path: Arc::from(segment.path.as_path()),
            seed: segment.seed,
            end: segment.end,
        }
    }

    /// The records from a place on, such as one that [`Digest::add`] was told; 0 for all. Blocks on the disk.
    ///
    /// # Errors
    /// The file cannot be opened; [`io::ErrorKind::NotFound`] when it went because it was the oldest.
    pub fn scan(&self, at: u64) -> io::Result<Scan> {
        let from = at.max(RECORDS_AT as u64);
        Ok(Scan::new(File::open(&self.path)?, self.seed, from, self.end.max(from)))
    }

    /// Reads single records by their places. Blocks on the disk.
    ///
    /// # Errors
    /// As [`View::scan`].
    pub fn pick(&self) -> io::Result<Pick> {
        Ok(Pick::new(File::open(&self.path)?, self.seed))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
