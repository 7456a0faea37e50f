//! Disks that are full, broken or forgetful, on top of real files.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ecmo_journal::{Disk, Files, Handle};

/// What a disk does next, and what it would keep if the power failed.
#[derive(Debug, Default)]
pub struct Conduct {
    /// Bytes that still fit; `None`: as many as there are.
    pub room: Option<u64>,
    /// Every write and sync fails.
    pub is_broken: bool,
    /// Every sync fails.
    pub fails_sync: bool,
    /// Length that is durable, and length now, of each file.
    pub files: HashMap<PathBuf, (u64, u64)>,
}

/// A disk of this conduct.
#[derive(Debug, Clone, Default)]
pub struct Double(pub Arc<Mutex<Conduct>>);

#[derive(Debug)]
struct DoubleHandle {
    path: PathBuf,
    conduct: Arc<Mutex<Conduct>>,
    file: Box<dyn Handle>,
}

fn broken() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl Double {
    pub fn boxed(&self) -> Box<dyn Disk> {
        Box::new(self.clone())
    }

    fn handle(&self, path: &Path, file: Box<dyn Handle>) -> Box<dyn Handle> {
        let (path, conduct) = (path.to_owned(), Arc::clone(&self.0));
        Box::new(DoubleHandle { path, conduct, file })
    }
}

impl Disk for Double {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Handle>> {
        if self.0.lock().unwrap().is_broken {
            return Err(broken());
        }
        self.0.lock().unwrap().files.insert(path.to_owned(), (0, 0));
        Ok(self.handle(path, Files.create(path)?))
    }

    fn open_end(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Handle>> {
        let file = Files.open_end(path, bytes)?;
        let mut conduct = self.0.lock().unwrap();
        let known = conduct.files.get(path).map_or(bytes, |(durable, _)| *durable);
        conduct.files.insert(path.to_owned(), (known.min(bytes), bytes));
        drop(conduct);
        Ok(self.handle(path, file))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let bytes = std::fs::metadata(path)?.len();
        let mut conduct = self.0.lock().unwrap();
        conduct.room = conduct.room.map(|room| room + bytes);
        conduct.files.remove(path);
        Files.remove(path)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let mut conduct = self.0.lock().unwrap();
        if conduct.is_broken || conduct.fails_sync {
            return Err(broken());
        }
        if let Some((durable, now)) = conduct.files.get_mut(path) {
            *durable = *now;
        }
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.0.lock().unwrap().fails_sync {
            return Err(broken());
        }
        Files.sync_folder(folder)
    }
}

impl Handle for DoubleHandle {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut conduct = self.conduct.lock().unwrap();
        if conduct.is_broken {
            return Err(broken());
        }
        let room = conduct.room.unwrap_or(u64::MAX);
        let fitting = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.file.write_all(&bytes[..fitting])?;
        conduct.room = conduct.room.map(|room| room - fitting as u64);
        if let Some((_, now)) = conduct.files.get_mut(&self.path) {
            *now += fitting as u64;
        }
        if fitting < bytes.len() { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let mut conduct = self.conduct.lock().unwrap();
        if conduct.is_broken {
            return Err(broken());
        }
        let mut freed = 0;
        if let Some((_, now)) = conduct.files.get_mut(&self.path) {
            freed = *now - bytes;
            *now = bytes;
        }
        conduct.room = conduct.room.map(|room| room + freed);
        self.file.cut(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut conduct = self.conduct.lock().unwrap();
        if conduct.is_broken || conduct.fails_sync {
            return Err(broken());
        }
        if let Some((durable, now)) = conduct.files.get_mut(&self.path) {
            *durable = *now;
        }
        Ok(())
    }
}
