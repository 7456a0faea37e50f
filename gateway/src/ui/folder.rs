//! Reads a built page from its folder: plain files alone, with a bound on their number, depth and size.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use super::files::{Files, NoPage};

/// Most files; a build has some thirty.
const FILES_MAX: usize = 512;

/// Most folders inside one another.
const DEPTH_MAX: usize = 8;

/// Largest file, in bytes: fonts and code are below 1 MB.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// All files together, in bytes; they stay in memory.
const PAGE_BYTES_MAX: u64 = 32 << 20;

/// Why a folder holds no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// The system's reason.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// What cannot be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not what a build makes.
    #[error("{0}; name the folder that the build of the page made, dist")]
    Beyond(String),
    /// A file changed while it was read.
    #[error("{0} changes while it is read; it is tried again")]
    Changing(String),
    /// The files are no page.
    #[error(transparent)]
    NoPage(#[from] NoPage),
}

/// One file as the folder lists it: when one of these differs, the page was built anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    path: String,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// Lists the plain files. Links are left out, so that nothing outside of the folder is ever served; so are hidden files.
///
/// # Errors
/// The folder cannot be read, or holds more than a page.
pub(super) fn list(dir: &Path) -> Result<Vec<Listed>, FolderError> {
    let mut found = Vec::new();
    list_into(dir, "", 0, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let all: u64 = found.iter().map(|file| file.bytes).sum();
    if all > PAGE_BYTES_MAX {
        let said = format!(
            "{} holds {} MiB, at most {} are served",
            dir.display(),
            all >> 20,
            PAGE_BYTES_MAX >> 20
        );
        return Err(FolderError::Beyond(said));
    }
    Ok(found)
}

fn list_into(
    dir: &Path,
    inside: &str,
    depth: usize,
    found: &mut Vec<Listed>,
) -> Result<(), FolderError> {
    let beyond = |what: String| FolderError::Beyond(format!("{} {what}", dir.display()));
    let unread = |source| FolderError::Read { path: dir.to_owned(), source };
    if depth > DEPTH_MAX {
        return Err(beyond(format!("lies more than {DEPTH_MAX} folders deep")));
    }
    for entry in fs::read_dir(dir).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        // Of the entry itself, not of what a link leads to.
        let data = entry.metadata().map_err(unread)?;
        if data.is_dir() {
            list_into(&entry.path(), &format!("{inside}{name}/"), depth + 1, found)?;
        } else if data.is_file() {
            if found.len() == FILES_MAX {
                return Err(beyond(format!("holds more than {FILES_MAX} files")));
            }
            if data.len() > FILE_BYTES_MAX {
                return Err(beyond(format!("holds {name}, {} MiB", data.len() >> 20)));
            }
            let path = format!("{inside}{name}");
            found.push(Listed { path, bytes: data.len(), modified: data.modified().ok() });
        }
    }
    Ok(())
}

/// Reads what was listed.
///
/// # Errors
/// A file is gone, has another length now, or the files are no page.
pub(super) fn read(dir: &Path, listed: &[Listed]) -> Result<Files, FolderError> {
    let mut found = Vec::with_capacity(listed.len());
    for Listed { path, bytes, .. } in listed {
        let place = dir.join(path);
        let unread = |source| FolderError::Read { path: place.clone(), source };
        let mut content = Vec::new();
        let file = fs::File::open(&place).map_err(unread)?;
        let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(unread)?;
        if u64::try_from(read) != Ok(*bytes) {
            return Err(FolderError::Changing(path.clone()));
        }
        found.push((path.clone(), Bytes::from(content)));
    }
    Ok(Files::new(found)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, path: &str, text: &str) {
        let place = dir.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    fn paths(dir: &Path) -> Vec<String> {
        list(dir).unwrap().into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn plain_files_are_listed_links_pipes_and_hidden_files_are_not() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(dir.path(), "index.html", "");
        write(dir.path(), "assets/deep/a.js", "");
        write(dir.path(), ".secret", "");
        write(outside.path(), "key.pem", "");
        std::os::unix::fs::symlink(outside.path(), dir.path().join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("key.pem"), dir.path().join("key.pem"))
            .unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("assets/round")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket.js")).unwrap();
        assert_eq!(paths(dir.path()), ["assets/deep/a.js", "index.html"]);
        let link = outside.path().join("current");
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        assert_eq!(paths(&link).len(), 2, "the folder itself may be a link");
    }

    #[test]
    fn more_than_a_page_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "large.js", "");
        let large = fs::File::options().write(true).open(dir.path().join("large.js")).unwrap();
        large.set_len(FILE_BYTES_MAX).unwrap();
        assert!(list(dir.path()).is_ok());
        large.set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(list(dir.path()).unwrap_err().to_string().contains("large.js"));
        large.set_len(FILE_BYTES_MAX).unwrap();
        for number in 0..4 {
            let path = dir.path().join(format!("{number}.js"));
            fs::File::create(path).unwrap().set_len(FILE_BYTES_MAX).unwrap();
        }
        assert!(list(dir.path()).unwrap_err().to_string().contains("40 MiB"));

        let dir = tempfile::tempdir().unwrap();
        (0..FILES_MAX).for_each(|number| write(dir.path(), &format!("{number}"), ""));
        assert!(list(dir.path()).is_ok());
        write(dir.path(), "one more", "");
        assert!(list(dir.path()).unwrap_err().to_string().contains("512 files"));

        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &format!("{}b", "a/".repeat(DEPTH_MAX)), "");
        assert!(list(dir.path()).is_ok());
        write(dir.path(), &format!("{}b", "a/".repeat(DEPTH_MAX + 1)), "");
        assert!(list(dir.path()).unwrap_err().to_string().contains("folders deep"));
    }

    #[test]
    fn a_file_that_changed_or_went_after_it_was_listed_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "index.html", "a");
        let listed = list(dir.path()).unwrap();
        assert!(read(dir.path(), &listed).is_ok());
        write(dir.path(), "index.html", "ab");
        let changed = read(dir.path(), &listed).unwrap_err();
        assert!(matches!(changed, FolderError::Changing(_)), "{changed}");
        fs::remove_file(dir.path().join("index.html")).unwrap();
        assert!(matches!(read(dir.path(), &listed).unwrap_err(), FolderError::Read { .. }));
        assert!(matches!(list(&dir.path().join("none")).unwrap_err(), FolderError::Read { .. }));
    }
}
