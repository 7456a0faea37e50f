//! The files of a built page, whole in memory: what is not in the list cannot be asked for, and no request waits for a disk.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderValue;

/// The page itself; everything else is asked for by it.
pub(super) const INDEX: &str = "index.html";

/// What the build says of itself.
const BUILD: &str = "build.json";

/// Files with a hash of their content in their name lie here: they never change.
const HASHED: &str = "assets/";

/// Longest name of a build.
const BUILD_CHARS_MAX: usize = 64;

/// Why files are no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPage {
    /// The first file is missing.
    #[error("there is no {INDEX}; build the page with `npm run build` in dashboards/nurse-station")]
    NoIndex,
    /// A file that the first one needs is missing: the build is not finished, or was copied in part.
    #[error("{INDEX} needs {0}, which is not there; build or copy the page again")]
    Lacks(String),
}

/// One file, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) bytes: Bytes,
    pub(super) kind: HeaderValue,
    /// Changes with the content.
    pub(super) tag: HeaderValue,
    pub(super) keep: HeaderValue,
}

/// A whole page.
#[derive(Debug)]
pub(super) struct Files {
    by_path: BTreeMap<String, File>,
    build: Option<String>,
}

impl Files {
    /// Takes path and content of each file; paths are relative and separated by `/`.
    ///
    /// # Errors
    /// The first file, or one that it needs, is missing.
    pub(super) fn new(found: impl IntoIterator<Item = (String, Bytes)>) -> Result<Self, NoPage> {
        let by_path: BTreeMap<String, File> = found
            .into_iter()
            .map(|(path, bytes)| {
                let file = File {
                    kind: kind(&path),
                    tag: tag(&bytes),
                    keep: HeaderValue::from_static(keep(&path)),
                    bytes,
                };
                (path, file)
            })
            .collect();
        let index = by_path.get(INDEX).ok_or(NoPage::NoIndex)?;
        let text = String::from_utf8_lossy(&index.bytes);
        if let Some(lacked) = needed(&text).find(|path| !by_path.contains_key(*path)) {
            return Err(NoPage::Lacks(lacked.to_owned()));
        }
        let build = by_path.get(BUILD).and_then(|file| build(&file.bytes));
        Ok(Self { by_path, build })
    }

    /// The file of a path as it stands in a request, such as `/` or `/assets/index-4f2a.js`.
    pub(super) fn get(&self, path: &str) -> Option<&File> {
        let path = path.strip_prefix('/')?;
        self.by_path.get(if path.is_empty() { INDEX } else { path })
    }

    /// Name of the build, when it says one.
    pub(super) fn build(&self) -> Option<&str> {
        self.build.as_deref()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.by_path.len()
    }
}

/// Files with a hashed name that the first file names.
fn needed(index: &str) -> impl Iterator<Item = &str> {
    index.split(['"', '\'']).filter_map(|text| {
        let path = text.trim_start_matches("./").trim_start_matches('/');
        path.starts_with(HASHED).then_some(path)
    })
}

fn build(json: &[u8]) -> Option<String> {
    let read: serde_json::Value = serde_json::from_slice(json).ok()?;
    let name = read.get("build")?.as_str()?;
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let possible = (1..=BUILD_CHARS_MAX).contains(&name.len()) && name.bytes().all(fine);
    possible.then(|| name.to_owned())
}

fn tag(bytes: &[u8]) -> HeaderValue {
    let text = format!("\"{}\"", blake3::hash(bytes).to_hex());
    // Hexadecimal digits in quotes are always a header.
    HeaderValue::try_from(text).unwrap_or_else(|_impossible| HeaderValue::from_static("\"\""))
}

/// How long a browser may keep it. The page itself is never kept: one that opens without a gateway would look alive.
fn keep(path: &str) -> &'static str {
    if path == INDEX {
        "no-store"
    } else if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn kind(path: &str) -> HeaderValue {
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    HeaderValue::from_static(match end {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "wav" => "audio/wav",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(found: &[(&str, &str)]) -> Result<Files, NoPage> {
        let owned = |(path, text): &(&str, &str)| {
            ((*path).to_owned(), Bytes::copy_from_slice(text.as_bytes()))
        };
        Files::new(found.iter().map(owned))
    }

    #[test]
    fn only_what_is_in_the_list_is_found() {
        let files = files(&[("index.html", "a"), ("assets/b-1.js", "b")]).unwrap();
        assert_eq!(files.get("/").unwrap().bytes, "a");
        assert_eq!(files.get("/index.html").unwrap().bytes, "a");
        assert_eq!(files.get("/assets/b-1.js").unwrap().bytes, "b");
        for path in
            ["", "index.html", "//", "//index.html", "/assets", "/assets/", "/../index.html"]
        {
            assert!(files.get(path).is_none(), "{path}");
        }
    }

    #[test]
    fn half_a_build_is_no_page() {
        assert_eq!(files(&[("a.js", "")]).unwrap_err(), NoPage::NoIndex);
        let index = "<script src=\"/assets/a-1.js\"></script><link href='./assets/b-2.css'>";
        let lacks = files(&[("index.html", index), ("assets/a-1.js", "")]).unwrap_err();
        assert_eq!(lacks, NoPage::Lacks("assets/b-2.css".into()));
        let all = [("index.html", index), ("assets/a-1.js", ""), ("assets/b-2.css", "")];
        assert_eq!(files(&all).unwrap().count(), 3);
    }

    #[test]
    fn the_build_has_the_name_that_it_gives_itself_or_none() {
        let build = |json: &str| {
            let files = files(&[("index.html", ""), ("build.json", json)]).unwrap();
            files.build().map(str::to_owned)
        };
        assert_eq!(build("{\"build\": \"4f2a\", \"contract\": \"1\"}").as_deref(), Some("4f2a"));
        for wrong in ["", "{}", "{\"build\": 1}", "{\"build\": \"\"}", "{\"build\": \"a b\"}"] {
            assert_eq!(build(wrong), None, "{wrong}");
        }
        assert_eq!(build(&format!("{{\"build\": \"{}\"}}", "a".repeat(65))), None);
    }

    #[test]
    fn only_what_never_changes_is_kept_by_browsers() {
        assert_eq!(keep("index.html"), "no-store");
        assert!(keep("assets/a-1.js").ends_with("immutable"));
        assert_eq!(keep("favicon.svg"), "no-cache");
        assert_ne!(tag(b"a"), tag(b"b"));
    }
}
