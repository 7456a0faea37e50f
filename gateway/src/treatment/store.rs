//! Records of an earlier gateway, one file a pump: read once, then put away.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ecmo_proto::topic::{Id, PumpAddress};

use super::file;
use super::record::Record;

/// Ending of the files.
const ENDING: &str = ".treatment.toml";

/// Longest file that is read: a full record takes a third of it.
const BYTES_MAX: u64 = 64 * 1024;

/// Folder of the files that were read.
const IMPORTED: &str = "imported";

/// Damaged files of one pump that are kept.
const DAMAGED_MAX: u32 = 9;

/// Why something is not kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used.
    #[error("cannot use the folder {}; make it writable or correct dir under [state]", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file cannot be put away.
    #[error("cannot move {}", path.display())]
    Move {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A file that cannot be read. It was set aside, so that what is entered next does not destroy it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Whose it is by its name; `None` where the name is no pump's.
    pub address: Option<PumpAddress>,
    /// The file.
    pub path: PathBuf,
    /// Where it lies now; `None` where it could not be moved.
    pub aside: Option<PathBuf>,
    /// What is wrong.
    pub why: String,
}

/// What a folder held.
#[derive(Debug, Default)]
pub struct Restored {
    /// The records, by pump.
    pub records: HashMap<PumpAddress, Record>,
    /// Files that were set aside.
    pub damaged: Vec<Damaged>,
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// A folder; it need not be there.
    #[must_use]
    pub const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Reads every record. Blocks on the disk.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn restore(&self) -> Result<Restored, StoreError> {
        let folder = |source| StoreError::Folder { dir: self.dir.clone(), source };
        let mut restored = Restored::default();
        let listed = match fs::read_dir(&self.dir) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(restored),
            Err(error) => return Err(folder(error)),
        };
        for entry in listed {
            let path = entry.map_err(folder)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let Some(name) = name.filter(|name| name.ends_with(ENDING)) else { continue };
            let read = read_bounded(&path).map_err(|error| error.to_string());
            match read.and_then(|text| file::read(&text)) {
                Ok((address, record)) if name == file_name(&address) => {
                    restored.records.insert(address, record);
                }
                Ok((address, _record)) => {
                    let why = format!("it is of {address}, which its name is not");
                    restored.damaged.push(set_aside(path, why));
                }
                Err(why) => restored.damaged.push(set_aside(path, why)),
            }
        }
        Ok(restored)
    }

    /// Moves the file of a record that is kept elsewhere by now into the folder `imported`. Blocks on the disk.
    ///
    /// # Errors
    /// It cannot be moved; then it is read again at the next start, which changes nothing.
    pub fn put_away(&self, address: &PumpAddress) -> Result<(), StoreError> {
        let (path, away) = (self.dir.join(file_name(address)), self.dir.join(IMPORTED));
        let moved = fs::create_dir_all(&away)
            .and_then(|()| fs::rename(&path, away.join(file_name(address))));
        moved.map_err(|source| StoreError::Move { path, source })
    }
}

/// Ids hold no `@`, so a name is of one pump, and no `/`, so it lies in the folder.
fn file_name(address: &PumpAddress) -> String {
    format!("{}@{}{ENDING}", address.ward, address.pump)
}

fn address_of(name: &str) -> Option<PumpAddress> {
    let (ward, pump) = name.strip_suffix(ENDING)?.split_once('@')?;
    Some(PumpAddress { ward: Id::new(ward).ok()?, pump: Id::new(pump).ok()? })
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(io::Error::other(format!("it is longer than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn set_aside(path: PathBuf, why: String) -> Damaged {
    let name = |number: u32| {
        let mut name = path.clone().into_os_string();
        name.push(if number == 1 { ".damaged".to_owned() } else { format!(".damaged-{number}") });
        PathBuf::from(name)
    };
    let free = (1..=DAMAGED_MAX).map(name).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| name(DAMAGED_MAX));
    let moved = fs::rename(&path, &aside).is_ok();
    let address = path.file_name().and_then(|name| address_of(&name.to_string_lossy()));
    Damaged { address, path, aside: moved.then_some(aside), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(pump: &str) -> PumpAddress {
        PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new(pump).unwrap() }
    }

    fn record(version: u64) -> Record {
        Record { version, ..Record::default() }
    }

    /// What an earlier gateway left.
    fn write(dir: &Path, pump: &str, version: u64) {
        let text = record(version).to_text(&address(pump)).unwrap();
        fs::write(dir.join(file_name(&address(pump))), text).unwrap();
    }

    #[test]
    fn what_an_earlier_gateway_left_is_read_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = Store::new(folder.path().join("not/there"));
        assert!(nothing.restore().unwrap().records.is_empty());
        let store = Store::new(folder.path().to_owned());
        for (pump, version) in [("p1", 2), ("p2", 5), ("..", 9)] {
            write(folder.path(), pump, version);
        }
        let restored = store.restore().unwrap();
        let version = |pump| restored.records[&address(pump)].version;
        assert_eq!((version("p1"), version("p2"), version("..")), (2, 5, 9));
        assert!(restored.damaged.is_empty());
        restored.records.keys().for_each(|address| store.put_away(address).unwrap());
        assert!(store.restore().unwrap().records.is_empty());
        assert_eq!(fs::read_dir(folder.path().join(IMPORTED)).unwrap().count(), 3);
        assert!(store.put_away(&address("p1")).is_err(), "it is gone");
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_told_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        for round in 1..=3 {
            write(folder.path(), "p1", 1);
            let path = folder.path().join(file_name(&address("p1")));
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, &text[..text.len() - 3]).unwrap();
            let restored = store.restore().unwrap();
            assert!(restored.records.is_empty());
            let [damaged] = &restored.damaged[..] else { panic!("{restored:?}") };
            assert!(damaged.why.contains("check sum") && !path.exists(), "{damaged:?}");
            assert_eq!(damaged.address, Some(address("p1")));
            assert!(damaged.aside.as_ref().unwrap().exists());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), round);
        }
    }

    #[test]
    fn what_is_no_text_too_long_or_of_another_pump_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().to_owned());
        let write = |pump, bytes: &[u8]| {
            fs::write(folder.path().join(file_name(&address(pump))), bytes).unwrap();
        };
        write("p1", &[0xff; 9]);
        write("p2", &vec![b'x'; 70_000]);
        let of_another = record(1).to_text(&address("p9")).unwrap();
        write("p3", of_another.as_bytes());
        let restored = store.restore().unwrap();
        assert!(restored.records.is_empty());
        assert_eq!(restored.damaged.len(), 3);
    }

    #[test]
    fn a_folder_that_is_a_file_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, "").unwrap();
        assert!(Store::new(path).restore().unwrap_err().to_string().contains("[state]"));
    }
}
