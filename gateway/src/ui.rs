//! The nurse station for browsers: its files from memory, what it must know before it connects, and who may reach the services.

#[cfg(feature = "embedded-ui")]
mod embedded;

mod files;

mod folder;

mod reach;

mod shelf;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use ecmo_proto::DESCRIPTOR_SET;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use serde::Serialize;

use crate::config::Settings;
use shelf::Shelf;

pub use reach::cors;

/// How long the start waits for the folder of the page; then the page comes when it comes.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(2);

/// What the page asks for before it connects, and whenever it connects again.
const SETTINGS_PATH: &str = "/ui/settings.json";

/// The page and what it is told.
#[derive(Debug, Clone)]
pub struct Page {
    shelf: Arc<Shelf>,
    known: Arc<Known>,
    policy: HeaderValue,
}

/// What stays the same while the gateway runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    /// Name of this gateway.
    gateway: String,
    /// Where the others serve.
    gateways: Vec<String>,
    /// Version of this program.
    version: &'static str,
    /// Digest of the messages that it speaks.
    contract: String,
    /// Milliseconds without data after which a value is withdrawn.
    stale_ms: u128,
}

/// What the page is told: what is known, and the build that a page should be of.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    known: &'a Known,
    build: Option<String>,
}

impl Page {
    /// The page that the program carries, if it carries one.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let ui = &settings.ui;
        let shelf = Shelf::default();
        #[cfg(feature = "embedded-ui")]
        match embedded::files() {
            Ok(files) => shelf.lay(files),
            Err(error) => tracing::error!(%error, "the nurse station in this program is not whole"),
        }
        let known = Known {
            gateway: settings.name.to_string(),
            gateways: ui.gateways.iter().map(|it| it.as_str().to_owned()).collect(),
            version: env!("CARGO_PKG_VERSION"),
            contract: contract(),
            stale_ms: ui.stale.as_millis(),
        };
        let policy = reach::policy(&ui.gateways);
        Self { shelf: Arc::new(shelf), known: Arc::new(known), policy }
    }

    /// The page from the folder of the settings, or else the one that the program carries. Without one, the gateway serves
    /// everything else and a plain page that explains; a page that comes into the folder later is served from then on.
    pub async fn open(settings: &Settings) -> Self {
        let page = Self::new(settings);
        let Some(dir) = settings.ui.dir.clone() else { return page };
        match shelf::keep(dir, &page.shelf) {
            Ok(first) => {
                if tokio::time::timeout(FIRST_LOOK_MAX, first).await.is_err() {
                    tracing::warn!("the nurse station's folder is slow; the gateway goes on");
                }
            }
            Err(error) => tracing::error!(%error, "no thread for the nurse station's folder"),
        }
        page
    }

    /// The page, and behind it the services: what is asked by GET or HEAD is the page's, everything else is theirs.
    pub fn router(&self, settings: &Settings, services: Router) -> Router {
        let told = get(settings_json).with_state(self.clone()).layer(cors(&settings.ui));
        let files = get(file).with_state(self.clone()).fallback_service(services);
        Router::new().route(SETTINGS_PATH, told).fallback_service(files)
    }
}

/// Reads a folder once, to say whether it holds a page.
///
/// # Errors
/// Why it does not, and what to do.
pub fn check(dir: &Path) -> Result<(), String> {
    let listed = folder::list(dir).map_err(|error| error.to_string())?;
    folder::read(dir, &listed).map_err(|error| error.to_string()).map(|_files| ())
}

/// Digest of the messages' descriptors, FNV-1a in 64 bits: the build of the page computes the same from the same file.
fn contract() -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let fold = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(PRIME);
    format!("{:016x}", DESCRIPTOR_SET.iter().fold(OFFSET, fold))
}

async fn settings_json(State(page): State<Page>) -> Response {
    let told = Told { known: &page.known, build: page.shelf.build() };
    let Ok(text) = serde_json::to_string(&told) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    const NEVER_KEPT: HeaderValue = HeaderValue::from_static("no-store");
    let head = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, NEVER_KEPT)];
    page.dressed((head, text).into_response())
}

async fn file(State(page): State<Page>, uri: Uri, asked: HeaderMap) -> Response {
    let Some(file) = page.shelf.get(uri.path()) else {
        return match uri.path() {
            "/" if !page.shelf.is_laid() => plain(),
            _ => page.dressed((StatusCode::NOT_FOUND, page.nothing_here()).into_response()),
        };
    };
    let head = [
        (header::CONTENT_TYPE, file.kind),
        (header::CACHE_CONTROL, file.keep),
        (header::ETAG, file.tag.clone()),
    ];
    let known = asked.get_all(header::IF_NONE_MATCH).iter().any(|tags| names(tags, &file.tag));
    if known {
        return page.dressed((StatusCode::NOT_MODIFIED, head).into_response());
    }
    page.dressed((head, file.bytes).into_response())
}

/// Whether a browser says that it has this content already.
fn names(tags: &HeaderValue, tag: &HeaderValue) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let (Ok(tags), Ok(tag)) = (tags.to_str(), tag.to_str()) else { return false };
    tags.split(',').any(|one| bare(one) == tag)
}

/// What stands at `/` when there is no page. Nothing on it may load or run anything.
fn plain() -> Response {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    const NEVER_KEPT: HeaderValue = HeaderValue::from_static("no-store");
    let head = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, NEVER_KEPT)];
    (head, Html(include_str!("ui/plain.html"))).into_response()
}

impl Page {
    fn nothing_here(&self) -> &'static str {
        if self.shelf.is_laid() {
            "There is nothing here; the nurse station is at /\n"
        } else {
            "There is nothing here: this gateway serves no nurse station; / says how to get one\n"
        }
    }

    /// With what a browser must know to keep the page to itself.
    fn dressed(&self, mut answer: Response) -> Response {
        const SENSORS: HeaderName = HeaderName::from_static("permissions-policy");
        const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
        const EMBEDDER: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");
        const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
        let fixed = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (SENSORS, "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()"),
            (OPENER, "same-origin"),
            (EMBEDDER, "require-corp"),
            (RESOURCE, "same-origin"),
        ];
        let head = answer.headers_mut();
        for (name, value) in fixed {
            head.insert(name, HeaderValue::from_static(value));
        }
        head.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_has_the_content_says_so_in_a_list_of_tags() {
        let tag = HeaderValue::from_static("\"a1\"");
        for tags in ["\"a1\"", "W/\"a1\"", "\"b\", \"a1\"", "\"b\",W/\"a1\""] {
            assert!(names(&HeaderValue::from_static(tags), &tag), "{tags}");
        }
        for tags in ["", "a1", "\"a\"", "\"b\", \"a11\"", "*"] {
            assert!(!names(&HeaderValue::from_static(tags), &tag), "{tags}");
        }
    }

    #[test]
    fn the_contract_has_a_digest_of_sixteen_digits() {
        let digest = contract();
        assert!(digest.len() == 16 && digest.bytes().all(|it| it.is_ascii_hexdigit()), "{digest}");
    }
}
