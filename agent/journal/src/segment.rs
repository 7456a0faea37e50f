//! One segment as it is known in memory, how it is read when the log is opened, and its footer.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::format::{
    self, FOOTER_KIND, RECORD_OVERHEAD, RECORDS_AT, Record, RecordHeader, SegmentHeader,
    TRAILER_BYTES,
};
use crate::scan::Scan;

/// End of a segment's name.
const SEGMENT_END: &str = ".seg";

/// Numbers in a footer before the caller's digest.
const FOOTER_NUMBERS: usize = 4;

/// What the caller wants to know of a segment without reading it, such as an index. It is kept in the segment's footer.
pub trait Digest: Clone + Default + Send {
    /// Takes note of a record and its place in the segment.
    fn add(&mut self, at: u64, record: &Record<'_>);

    /// Bytes to be kept; at most half of a payload's [limit](crate::PAYLOAD_BYTES_MAX), else the segment is scanned instead.
    fn encode(&self) -> Vec<u8>;

    /// From these bytes; `None`: they are of another version, and the segment is scanned.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl Digest for () {
    fn add(&mut self, _at: u64, _record: &Record<'_>) {}

    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(())
    }
}

/// Why a segment cannot be read. It is left as it is until it is the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Another version of this program wrote it.
    Version(u32),
    /// Both copies of its header are damaged.
    Header,
    /// The disk does not let it be read.
    Disk,
}

/// A segment.
#[derive(Debug, Clone)]
pub(crate) struct Segment<D> {
    pub(crate) id: u64,
    pub(crate) path: PathBuf,
    pub(crate) seed: u32,
    /// Where the records end.
    pub(crate) end: u64,
    /// Length of the file.
    pub(crate) file_bytes: u64,
    pub(crate) records: u64,
    /// Number of the first record; `None` without a record.
    pub(crate) first_number: Option<u64>,
    /// Number after the last record; `None` without a record.
    pub(crate) next_number: Option<u64>,
    pub(crate) last_stamp_ns: u64,
    pub(crate) digest: D,
    pub(crate) trouble: Option<Trouble>,
}

/// A segment as it was found.
#[derive(Debug)]
pub(crate) struct Loaded<D> {
    pub(crate) segment: Segment<D>,
    pub(crate) condition: Condition,
    pub(crate) missing: u64,
}

/// What a segment was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It has a right footer.
    Finished,
    /// It has none: the last one, or a crash left it.
    Open,
    /// Its header is damaged or the disk fails in it: it is left as it is until it is the oldest.
    Broken,
}

impl<D: Digest> Segment<D> {
    pub(crate) fn new(id: u64, path: PathBuf, seed: u32) -> Self {
        let (end, file_bytes) = (RECORDS_AT as u64, RECORDS_AT as u64);
        let (records, first_number, next_number, last_stamp_ns) = (0, None, None, 0);
        let digest = D::default();
        Self {
            id,
            path,
            seed,
            end,
            file_bytes,
            records,
            first_number,
            next_number,
            last_stamp_ns,
            digest,
            trouble: None,
        }
    }

    /// Takes note of a record at `at`.
    pub(crate) fn add(&mut self, at: u64, record: &Record<'_>) {
        self.records += 1;
        self.first_number.get_or_insert(record.number);
        self.next_number = Some(record.number.saturating_add(1));
        self.last_stamp_ns = self.last_stamp_ns.max(record.stamp_ns);
        self.digest.add(at, record);
        self.end = at + (record.payload.len() + RECORD_OVERHEAD) as u64;
        self.file_bytes = self.file_bytes.max(self.end);
    }

    /// Footer and trailer; `None` when the digest is too long to be kept.
    pub(crate) fn footer(&self) -> Option<Vec<u8>> {
        let digest = self.digest.encode();
        if digest.len() > format::PAYLOAD_BYTES_MAX / 2 {
            return None;
        }
        let (number, stamp_ns) = (self.next_number?, self.last_stamp_ns);
        let mut payload = Vec::with_capacity(FOOTER_NUMBERS * 8 + digest.len());
        for field in [self.records, self.first_number?, number, stamp_ns] {
            payload.extend(field.to_le_bytes());
        }
        payload.extend(digest);
        let record = Record { number, stamp_ns, kind: FOOTER_KIND, payload: &payload };
        let mut bytes = Vec::new();
        format::encode_record(record, self.seed, &mut bytes);
        format::encode_trailer(self.end, self.seed, &mut bytes);
        Some(bytes)
    }

    /// Reads a segment: by its footer if it has one, else record by record. A disk that fails here costs this segment only.
    pub(crate) fn load(id: u64, path: &Path) -> Loaded<D> {
        let mut segment = Self::new(id, path.to_owned(), 0);
        let (condition, missing) = match segment.read(path) {
            Ok(found) => found,
            Err(_) => {
                segment.trouble = Some(Trouble::Disk);
                (Condition::Broken, 1)
            }
        };
        Loaded { segment, condition, missing }
    }

    /// Fills in what the file says; its condition, and how many records are missing.
    fn read(&mut self, path: &Path) -> io::Result<(Condition, u64)> {
        let file = File::open(path)?;
        self.file_bytes = file.metadata()?.len();
        let head = RECORDS_AT.min(usize::try_from(self.file_bytes).unwrap_or(RECORDS_AT));
        let head = read_exactly(&file, 0, head)?;
        let header = SegmentHeader::decode(&head);
        let Some(header) = header.filter(|header| header.id == self.id) else {
            let foreign = SegmentHeader::foreign_version(&head).map(Trouble::Version);
            self.trouble = Some(foreign.unwrap_or(Trouble::Header));
            return Ok((Condition::Broken, u64::from(self.file_bytes > RECORDS_AT as u64)));
        };
        self.seed = header.seed;
        if let Some(finished) = self.by_footer(&file)? {
            *self = finished;
            return Ok((Condition::Finished, 0));
        }
        let mut scan = Scan::new(file, self.seed, self.end, self.file_bytes);
        while let Some((at, record)) = scan.next_record()? {
            self.add(at, &record);
        }
        self.end = scan.right_end().max(RECORDS_AT as u64);
        Ok((Condition::Open, scan.missing()))
    }

    /// What the footer says; `None` when there is none or it is damaged.
    fn by_footer(&self, file: &File) -> io::Result<Option<Self>> {
        let Some(trailer_at) = self.file_bytes.checked_sub(TRAILER_BYTES as u64) else {
            return Ok(None);
        };
        let trailer = read_exactly(file, trailer_at, TRAILER_BYTES)?;
        let footer_at = format::decode_trailer(&trailer, self.seed)
            .filter(|at| (RECORDS_AT as u64..trailer_at).contains(at));
        let Some(footer_at) = footer_at else { return Ok(None) };
        let Some(bytes) = usize::try_from(trailer_at - footer_at)
            .ok()
            .filter(|bytes| *bytes <= format::PAYLOAD_BYTES_MAX)
        else {
            return Ok(None);
        };
        let record = read_exactly(file, footer_at, bytes)?;
        Ok(self.decoded(footer_at, &record))
    }

    fn decoded(&self, footer_at: u64, record: &[u8]) -> Option<Self> {
        let header = RecordHeader::decode(record, self.seed)?;
        if header.kind != FOOTER_KIND || header.record_bytes() != record.len() {
            return None;
        }
        let payload = header.payload(record, self.seed)?;
        let digest = D::decode(payload.get(FOOTER_NUMBERS * 8..)?)?;
        Some(Self {
            end: footer_at,
            records: format::u64_at(payload, 0)?,
            first_number: Some(format::u64_at(payload, 8)?),
            next_number: Some(format::u64_at(payload, 16)?),
            last_stamp_ns: format::u64_at(payload, 24)?,
            digest,
            path: self.path.clone(),
            ..*self
        })
    }
}

/// Reads this many bytes.
fn read_exactly(file: &File, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let mut read = vec![0; bytes];
    file.read_exact_at(&mut read, at)?;
    Ok(read)
}

/// Name of a segment's file.
pub(crate) fn segment_name(id: u64) -> String {
    format!("{id:016x}{SEGMENT_END}")
}

/// The segments of a folder, the oldest first.
pub(crate) fn segments_in(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let id = name.and_then(|name| name.strip_suffix(SEGMENT_END));
        if let Some(id) = id.and_then(|id| u64::from_str_radix(id, 16).ok()) {
            found.push((id, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}
