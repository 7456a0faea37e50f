//! TLS settings that follow their files: what is new is taken for the next connection, and no connection that stands is cut.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::{ClientConfig, ServerConfig};

use crate::files::{ClientFiles, FileError, ServerFiles, certificate, read};
use crate::remaining::Remaining;

/// How often the files are looked at: a certificate that is put there counts within this time.
pub const LOOK_PERIOD: Duration = Duration::from_secs(10);

/// What is made of the files, and until when the own certificate holds, in seconds since 1970.
pub type Made<C> = (C, i64);

/// Makes settings of the files as they are now.
type Make<C> = Box<dyn Fn() -> Result<Made<C>, FileError> + Send + Sync>;

/// Settings that follow their files.
pub struct Kept<C> {
    paths: Vec<PathBuf>,
    make: Make<C>,
    current: ArcSwap<C>,
    not_after: AtomicI64,
    /// The bytes of the files when they were last looked at.
    seen: Mutex<Vec<Vec<u8>>>,
}

impl<C> std::fmt::Debug for Kept<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Kept").field("paths", &self.paths).finish_non_exhaustive()
    }
}

/// What a look at the files found.
#[derive(Debug)]
pub enum Look {
    /// Nothing new.
    Same,
    /// Another certificate or key; it is in use from now on.
    Renewed,
    /// Something new that is of no use; what was in use stays. Told once for each state of the files.
    Refused(FileError),
}

impl<C> Kept<C> {
    /// Settings of these files; `make` reads them.
    ///
    /// # Errors
    /// A file is of no use.
    pub fn open(
        paths: Vec<PathBuf>,
        make: impl Fn() -> Result<Made<C>, FileError> + Send + Sync + 'static,
    ) -> Result<Self, FileError> {
        // Before they are read for use: what changes in between is found by the next look.
        let seen = bytes(&paths)?;
        let (current, not_after) = make()?;
        Ok(Self {
            paths,
            make: Box::new(make),
            current: ArcSwap::from_pointee(current),
            not_after: AtomicI64::new(not_after),
            seen: Mutex::new(seen),
        })
    }

    /// The settings for the next connection. Never waits.
    #[must_use]
    pub fn current(&self) -> Arc<C> {
        self.current.load_full()
    }

    /// Until when the own certificate holds, in seconds since 1970.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.not_after.load(Ordering::Relaxed)
    }

    /// Looks at the files. Blocks on the disk: never on a thread that must not wait.
    pub fn look(&self) -> Look {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match bytes(&self.paths) {
            Ok(bytes) if bytes == *seen => return Look::Same,
            Ok(bytes) => bytes,
            // Half way through being replaced, or gone: told once.
            Err(_) if seen.is_empty() => return Look::Same,
            Err(error) => {
                seen.clear();
                return Look::Refused(error);
            }
        };
        *seen = bytes;
        match (self.make)() {
            Ok((current, not_after)) => {
                self.current.store(Arc::new(current));
                self.not_after.store(not_after, Ordering::Relaxed);
                Look::Renewed
            }
            Err(error) => Look::Refused(error),
        }
    }
}

/// Settings of who connects.
pub type ClientTls = Kept<ClientConfig>;

/// Settings of who serves.
pub type ServerTls = Kept<ServerConfig>;

impl ClientTls {
    /// Settings that follow these files; `protocols` are offered by ALPN.
    ///
    /// # Errors
    /// A file is of no use.
    pub fn of(files: ClientFiles, protocols: &'static [&'static [u8]]) -> Result<Self, FileError> {
        Self::open(files.paths(), move || {
            let not_after = files.certificate()?.map_or(i64::MAX, |own| own.not_after);
            Ok((files.load(protocols)?, not_after))
        })
    }
}

impl ServerTls {
    /// Settings that follow these files; `protocols` are taken by ALPN.
    ///
    /// # Errors
    /// A file is of no use.
    pub fn of(files: ServerFiles, protocols: &'static [&'static [u8]]) -> Result<Self, FileError> {
        Self::open(files.paths(), move || {
            Ok((files.load(protocols)?, certificate(&files.own.certificate)?.not_after))
        })
    }
}

/// What was told of a certificate's end, so that each step is told once.
#[derive(Debug, Default)]
pub struct Told(Option<Remaining>);

impl Told {
    /// What is to be told now, if anything; both in seconds since 1970.
    pub fn next(&mut self, not_after: i64, now: i64) -> Option<&'static str> {
        let remaining = Remaining::of(not_after, now);
        let is_new = self.0.replace(remaining) != Some(remaining);
        remaining.warning().filter(|_| is_new)
    }
}

fn bytes(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, FileError> {
    paths.iter().map(|path| read(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_towards_the_end_is_told_once() {
        let mut told = Told::default();
        let mut next = |left_s| told.next(100_000_000 + left_s, 100_000_000).is_some();
        let day = crate::remaining::DAY_S;
        let steps = [40, 29, 28, 6, 5, 1, 0, -1, 300, 20].map(|days| next(days * day));
        assert_eq!(steps, [false, true, false, true, false, true, true, false, false, true]);
    }

    #[test]
    fn what_is_new_is_taken_and_what_is_of_no_use_is_told_once_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("one");
        let from = path.clone();
        let make = move || {
            let bytes = read(&from)?;
            let refused = || FileError::NoCertificate { path: from.clone() };
            let text = String::from_utf8(bytes).ok().filter(|text| text != "bad");
            text.map(|text| (text.clone(), i64::try_from(text.len()).unwrap())).ok_or_else(refused)
        };
        let kept = Kept::open(vec![path.clone()], make).unwrap();
        let state = || (kept.current().as_str().to_owned(), kept.not_after());
        assert!(matches!(kept.look(), Look::Same));
        write("three");
        assert!(matches!(kept.look(), Look::Renewed));
        assert_eq!(state(), ("three".to_owned(), 5));
        write("bad");
        assert!(matches!(kept.look(), Look::Refused(FileError::NoCertificate { .. })));
        assert!(matches!(kept.look(), Look::Same));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(kept.look(), Look::Refused(FileError::Read { .. })));
        assert!(matches!(kept.look(), Look::Same));
        assert_eq!(state(), ("three".to_owned(), 5));
        write("four");
        assert!(matches!(kept.look(), Look::Renewed));
        assert_eq!(state(), ("four".to_owned(), 4));
    }
}
