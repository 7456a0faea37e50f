//! The state on disk: redb's tables, every value with a check sum over it and its key.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, StorageError,
    TableDefinition,
};

/// Name of the file.
pub(super) const FILE: &str = "state.redb";

/// Form of the values; another one is set aside.
const SCHEMA: u64 = 1;

/// Memory for pages: the whole state of the largest unit.
const CACHE_BYTES: usize = 8 << 20;

/// Damaged files that are kept.
const DAMAGED_MAX: u32 = 9;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// What is kept of each pump, by "ward/pump".
const PUMPS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("pumps");

/// Texts of treatments, by "ward/pump".
const TREATMENTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("treatments");

/// Occurrences that ended lately, by a number that goes up.
const ENDED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("ended");

const KEY_SCHEMA: &str = "schema";

const KEY_APPLIED: &str = "applied";

/// Everything that is kept, as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Image {
    /// By "ward/pump".
    pub pumps: BTreeMap<String, Vec<u8>>,
    /// By "ward/pump".
    pub treatments: BTreeMap<String, Vec<u8>>,
    /// By a number that goes up.
    pub ended: BTreeMap<u64, Vec<u8>>,
    /// Number of the audit log up to which it holds everything.
    pub applied: u64,
}

/// Which parts of an image are not on disk.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    pub pumps: Vec<String>,
    pub treatments: Vec<String>,
    pub ended: Vec<u64>,
    /// Everything: the file is another one.
    pub all: bool,
    /// The number that was applied.
    pub applied: bool,
}

impl Dirty {
    pub(super) fn is_clean(&self) -> bool {
        let none = self.pumps.is_empty() && self.treatments.is_empty() && self.ended.is_empty();
        none && !self.all && !self.applied
    }
}

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TablesError {
    /// The file is no state of ours, or damaged.
    #[error("{0}")]
    Damaged(String),
    /// The system refuses.
    #[error("{0}")]
    Failing(String),
}

/// The open file.
#[derive(Debug)]
pub(super) struct Tables {
    path: PathBuf,
    file: (u64, u64),
    database: Database,
}

impl Tables {
    /// Opens the file of a folder, which is made when it is missing, and reads everything. Blocks on the disk.
    ///
    /// # Errors
    /// It is damaged, or cannot be used. With it what could be read all the same.
    pub(super) fn open(dir: &Path) -> Result<(Self, Image), (TablesError, Image)> {
        let failing =
            |error: io::Error| (TablesError::Failing(error.to_string()), Image::default());
        fs::create_dir_all(dir).map_err(failing)?;
        let path = dir.join(FILE);
        // A library that meets what it never wrote may panic: that is damage like any other.
        let opened = catch_unwind(AssertUnwindSafe(|| open(&path)));
        let panicked =
            |_panic| Err((TablesError::Damaged("it cannot be read".to_owned()), Image::default()));
        opened.unwrap_or_else(panicked)
    }

    /// Writes what is new of an image, as a whole or not at all. Blocks on the disk.
    ///
    /// # Errors
    /// The disk fails. Then the file must be opened anew.
    pub(super) fn write(&self, image: &Image, dirty: &Dirty) -> Result<(), TablesError> {
        // A file that somebody removed would be written to nowhere.
        if identity(&self.path) != Some(self.file) {
            return Err(TablesError::Failing(format!("{} is gone", self.path.display())));
        }
        let written = catch_unwind(AssertUnwindSafe(|| write(&self.database, image, dirty)));
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(TablesError::Failing(error.to_string())),
            Err(_panic) => Err(TablesError::Damaged("it cannot be written".to_owned())),
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|on_disk| (on_disk.dev(), on_disk.ino()))
}

/// Moves a damaged file out of the way, so that it is not written over; where it lies now.
///
/// # Errors
/// It cannot be moved.
pub(super) fn set_aside(dir: &Path) -> io::Result<PathBuf> {
    let name = |number: u32| {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        dir.join(format!("{FILE}.damaged{number}"))
    };
    let free = (1..=DAMAGED_MAX).map(name).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| name(DAMAGED_MAX));
    fs::rename(dir.join(FILE), &aside)?;
    Ok(aside)
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

fn of_database(error: &DatabaseError) -> TablesError {
    let text = error.to_string();
    let damaged = matches!(
        error,
        DatabaseError::Storage(StorageError::Corrupted(_))
            | DatabaseError::RepairAborted
            | DatabaseError::UpgradeRequired(_)
    );
    if damaged
        || matches!(error, DatabaseError::Storage(StorageError::Io(system)) if is_damage(system))
    {
        return TablesError::Damaged(text);
    }
    if matches!(error, DatabaseError::DatabaseAlreadyOpen) {
        let what = "another gateway writes there; give each its own dir under [state]";
        return TablesError::Failing(what.to_owned());
    }
    TablesError::Failing(text)
}

type Opened = Result<(Tables, Image), (TablesError, Image)>;

fn open(path: &Path) -> Opened {
    let without = |error: TablesError| (error, Image::default());
    // An empty file is what a full disk leaves of one that was about to be made.
    let database = Builder::new().set_cache_size(CACHE_BYTES).create(path);
    let database = database.map_err(|error| without(of_database(&error)))?;
    let (image, wrong) = read(&database).map_err(|error| {
        let text = error.to_string();
        let system = matches!(&error, redb::Error::Io(system) if !is_damage(system));
        without(if system { TablesError::Failing(text) } else { TablesError::Damaged(text) })
    })?;
    if let Some(wrong) = wrong {
        return Err((TablesError::Damaged(wrong), image));
    }
    let failing = || without(TablesError::Failing(format!("{} is gone", path.display())));
    let file = identity(path).ok_or_else(failing)?;
    Ok((Tables { path: path.to_owned(), file, database }, image))
}

/// Check sum and body of a value.
fn sealed(key: &str, body: &[u8]) -> Vec<u8> {
    let sum = crc32c::crc32c_append(crc32c::crc32c(key.as_bytes()), body);
    [&sum.to_le_bytes(), body].concat()
}

fn unsealed(key: &str, value: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = || format!("the check sum of {key} is wrong");
    let (_sum, body) = value.split_at_checked(4).ok_or_else(wrong)?;
    if sealed(key, body) == value { Ok(body.to_vec()) } else { Err(wrong()) }
}

/// Everything that can be read, and the first thing that cannot.
fn read(database: &Database) -> Result<(Image, Option<String>), redb::Error> {
    // The tables are there from the first time on.
    let making = database.begin_write()?;
    {
        let mut meta = making.open_table(META)?;
        if meta.get(KEY_SCHEMA)?.is_none() {
            meta.insert(KEY_SCHEMA, SCHEMA)?;
        }
        making.open_table(PUMPS)?;
        making.open_table(TREATMENTS)?;
        making.open_table(ENDED)?;
    }
    making.commit()?;
    let reading = database.begin_read()?;
    let meta = reading.open_table(META)?;
    let number = |key| Ok::<_, redb::Error>(meta.get(key)?.map_or(0, |number| number.value()));
    let schema = number(KEY_SCHEMA)?;
    if schema != SCHEMA {
        let what = format!(
            "its form is {schema}, this gateway reads {SCHEMA}: start the gateway that wrote it, or go on from the audit log"
        );
        return Ok((Image::default(), Some(what)));
    }
    let mut image = Image { applied: number(KEY_APPLIED)?, ..Image::default() };
    let mut wrong = None;
    for (definition, into) in [(PUMPS, &mut image.pumps), (TREATMENTS, &mut image.treatments)] {
        for row in reading.open_table(definition)?.iter()? {
            let (key, value) = row?;
            match unsealed(key.value(), value.value()) {
                Ok(body) => drop(into.insert(key.value().to_owned(), body)),
                Err(what) => wrong = Some(what),
            }
        }
    }
    for row in reading.open_table(ENDED)?.iter()? {
        let (key, value) = row?;
        match unsealed(&key.value().to_string(), value.value()) {
            Ok(body) => drop(image.ended.insert(key.value(), body)),
            Err(what) => wrong = Some(what),
        }
    }
    Ok((image, wrong))
}

fn write(database: &Database, image: &Image, dirty: &Dirty) -> Result<(), redb::Error> {
    let writing = database.begin_write()?;
    {
        let texts = [
            (PUMPS, &image.pumps, &dirty.pumps),
            (TREATMENTS, &image.treatments, &dirty.treatments),
        ];
        for (definition, from, keys) in texts {
            let mut table = writing.open_table(definition)?;
            let all = from.keys().filter(|_key| dirty.all);
            for key in all.chain(keys) {
                let Some(body) = from.get(key) else { continue };
                table.insert(key.as_str(), sealed(key, body).as_slice())?;
            }
        }
        let mut table = writing.open_table(ENDED)?;
        let all = image.ended.keys().filter(|_key| dirty.all);
        for key in all.chain(&dirty.ended) {
            match image.ended.get(key) {
                Some(body) => drop(table.insert(*key, sealed(&key.to_string(), body).as_slice())?),
                None => drop(table.remove(*key)?),
            }
        }
        let mut meta = writing.open_table(META)?;
        meta.insert(KEY_SCHEMA, SCHEMA)?;
        meta.insert(KEY_APPLIED, image.applied)?;
    }
    writing.commit()?;
    Ok(())
}
