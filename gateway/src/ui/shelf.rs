//! The page that is served now, and the one before it: a page that is open asks for its own files after a new one was laid out.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::oneshot;

use super::files::{File, Files};
use super::folder::{self, Listed};

/// How often the folder is looked at. A new page is taken when two looks agree, so that none is taken while it is copied.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Laid {
    now: Arc<Files>,
    before: Option<Arc<Files>>,
}

/// Where requests find files, without waiting for anybody.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    laid: ArcSwapOption<Laid>,
}

impl Shelf {
    /// Puts a page in front of the one that is there.
    pub(super) fn lay(&self, files: Files) {
        let before = self.laid.load().as_deref().map(|laid| Arc::clone(&laid.now));
        self.laid.store(Some(Arc::new(Laid { now: Arc::new(files), before })));
    }

    /// The file of a path, from this page or the one before; only this page's own first file is ever given.
    pub(super) fn get(&self, path: &str) -> Option<File> {
        let laid = self.laid.load();
        let Laid { now, before } = laid.as_deref()?;
        now.get(path).or_else(|| before.as_ref()?.get(path)).cloned()
    }

    /// Name of the build that is served now.
    pub(super) fn build(&self) -> Option<String> {
        self.laid.load().as_deref()?.now.build().map(str::to_owned)
    }

    /// Whether there is a page.
    pub(super) fn is_laid(&self) -> bool {
        self.laid.load().is_some()
    }
}

/// What one look at the folder saw: its files, or why there are none.
type Look = Result<Vec<Listed>, String>;

/// Reads the page from its folder, and again whenever it is replaced, on a thread of its own: a disk that hangs holds up nothing
/// else. What cannot be read leaves the page that is there. The receiver hears of the first look.
///
/// # Errors
/// The system gives no thread.
pub(super) fn keep(dir: PathBuf, shelf: &Arc<Shelf>) -> std::io::Result<oneshot::Receiver<()>> {
    let (told, first) = oneshot::channel();
    let shelf = Arc::downgrade(shelf);
    std::thread::Builder::new().name("page".to_owned()).spawn(move || {
        let mut seen = look(&dir);
        take(&dir, &seen, &shelf);
        // Whoever waited may have gone on.
        let _gone_on = told.send(()).is_err();
        let mut taken = seen.clone();
        while shelf.strong_count() > 0 {
            std::thread::sleep(LOOK_PERIOD);
            let now = look(&dir);
            if now == seen && now != taken {
                take(&dir, &now, &shelf);
                taken = now.clone();
            }
            seen = now;
        }
    })?;
    Ok(first)
}

fn look(dir: &Path) -> Look {
    folder::list(dir).map_err(|error| error.to_string())
}

fn take(dir: &Path, look: &Look, shelf: &Weak<Shelf>) {
    let Some(shelf) = shelf.upgrade() else { return };
    let read = look
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|listed| folder::read(dir, listed).map_err(|error| error.to_string()));
    match read {
        Ok(files) => {
            let build = files.build().unwrap_or("unnamed");
            tracing::info!(dir = %dir.display(), build, files = files.count(), "nurse station is served");
            shelf.lay(files);
        }
        Err(reason) if shelf.is_laid() => {
            tracing::warn!(
                reason,
                "the nurse station's folder has no page; the one from before is served"
            );
        }
        Err(reason) => {
            tracing::error!(reason, "no nurse station is served; everything else is");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn page(script: &str) -> Files {
        let index = format!("<script src=\"/{script}\">");
        Files::new([("index.html".into(), index.into()), (script.into(), Bytes::new())]).unwrap()
    }

    #[test]
    fn an_open_page_finds_its_files_until_the_second_page_after_it() {
        let shelf = Shelf::default();
        assert!(!shelf.is_laid() && shelf.get("/").is_none());
        for (script, gone, kept) in [
            ("assets/a.js", "/assets/c.js", "/assets/a.js"),
            ("assets/b.js", "/assets/c.js", "/assets/a.js"),
            ("assets/c.js", "/assets/a.js", "/assets/b.js"),
        ] {
            shelf.lay(page(script));
            let index = shelf.get("/").unwrap();
            assert!(String::from_utf8_lossy(&index.bytes).contains(script));
            assert!(shelf.get(&format!("/{script}")).is_some() && shelf.get(kept).is_some());
            assert!(shelf.get(gone).is_none(), "{gone}");
        }
    }
}
