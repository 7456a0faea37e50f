//! What the settings say of the nurse station: where it lies, and which gateways and pages belong together.

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::PEERS_MAX;
use super::error::Complaint;
use super::file::FilePath;

/// Most other pages that may reach one gateway, beside those of the other gateways.
pub const ORIGINS_MAX: usize = 16;

/// After this time without data a value is withdrawn, when the settings do not say.
const STALE_DEFAULT: Duration = Duration::from_secs(3);

/// What is set for the nurse station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ui {
    /// Folder with the built page; `None`: what the program carries, or a plain page that explains.
    pub dir: Option<PathBuf>,
    /// Where the other gateways of this unit serve, at most [`PEERS_MAX`]: the page may connect to them, and their pages to this
    /// gateway.
    pub gateways: Vec<Origin>,
    /// Other pages that may reach this gateway from a browser, at most [`ORIGINS_MAX`].
    pub origins: Vec<Origin>,
    /// Time without data after which a value is withdrawn, 2 to 10 s.
    pub stale: Duration,
}

impl Default for Ui {
    fn default() -> Self {
        Self { dir: None, gateways: Vec::new(), origins: Vec::new(), stale: STALE_DEFAULT }
    }
}

/// Scheme, host and port, written as a browser writes them: `http://10.0.0.2:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The text; ASCII without spaces, quotes, commas or semicolons.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const SHAPE: &str = "write http://HOST:PORT or https://HOST:PORT, without a path";

impl std::str::FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no origin; {SHAPE}");
        let text_lower = text.to_ascii_lowercase();
        let (scheme, own_port, rest) = [("http", "80"), ("https", "443")]
            .into_iter()
            .find_map(|(scheme, own_port)| {
                let rest = text_lower.strip_prefix(scheme)?.strip_prefix("://")?;
                Some((scheme, own_port, rest))
            })
            .ok_or_else(wrong)?;
        // An IPv6 address holds colons itself: the port is what follows the bracket.
        let split_at = rest.find(']').map_or(0, |bracket| bracket + 1);
        let (bracketed, tail) = rest.split_at_checked(split_at).ok_or_else(wrong)?;
        let (name, port) = tail.split_once(':').unwrap_or((tail, own_port));
        let port: u16 = port
            .parse()
            .ok()
            .filter(|number: &u16| *number != 0 && port == number.to_string())
            .ok_or_else(wrong)?;
        let host = host(bracketed, name).ok_or_else(wrong)?;
        let port = Some(port.to_string()).filter(|port| port != own_port);
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self(format!("{scheme}://{host}{port}")))
    }
}

/// A name, or an IPv6 address in brackets as a browser shortens it.
fn host(bracketed: &str, name: &str) -> Option<String> {
    if bracketed.is_empty() {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        return (!name.is_empty() && name.bytes().all(fine)).then(|| name.to_owned());
    }
    let inner = bracketed.strip_prefix('[')?.strip_suffix(']')?;
    let address: Ipv6Addr = inner.parse().ok()?;
    name.is_empty().then(|| format!("[{address}]"))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UiTable {
    dir: Option<FilePath>,
    gateways: Option<Spanned<Vec<Spanned<String>>>>,
    origins: Option<Spanned<Vec<Spanned<String>>>>,
    stale_ms: Option<Stale>,
}

/// Below 2 s a healthy path looks lost now and then; above 10 s an old number passes for a new one.
#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct Stale(Duration);

impl TryFrom<u64> for Stale {
    type Error = String;

    fn try_from(milliseconds: u64) -> Result<Self, String> {
        if (2_000..=10_000).contains(&milliseconds) {
            return Ok(Self(Duration::from_millis(milliseconds)));
        }
        Err(format!("{milliseconds} is impossible for stale_ms; choose 2000 to 10000"))
    }
}

impl UiTable {
    /// What is set; paths start from the folder of `file`.
    pub(super) fn read(self, file: &str) -> Result<Ui, Complaint> {
        let default = Ui::default();
        Ok(Ui {
            dir: self.dir.map(|dir| dir.in_folder_of(file)),
            gateways: origins(self.gateways, PEERS_MAX, "gateways")?,
            origins: origins(self.origins, ORIGINS_MAX, "origins")?,
            stale: self.stale_ms.map_or(default.stale, |stale| stale.0),
        })
    }
}

fn origins(
    read: Option<Spanned<Vec<Spanned<String>>>>,
    most: usize,
    what: &str,
) -> Result<Vec<Origin>, Complaint> {
    let Some(read) = read else { return Ok(Vec::new()) };
    let (span, texts) = (read.span(), read.into_inner());
    if texts.len() > most {
        let said = format!("{} {what}, at most {most} can be named", texts.len());
        return Err(Complaint::new(span, said, "remove those that no display uses"));
    }
    let mut origins: Vec<Origin> = Vec::with_capacity(texts.len());
    for text in texts {
        let refused = |said: String, todo: &str| Complaint::new(text.span(), said, todo);
        let parsed = text.get_ref().parse::<Origin>();
        let origin =
            parsed.map_err(|_| refused(format!("{:?} is no origin", text.get_ref()), SHAPE))?;
        if origins.contains(&origin) {
            return Err(refused(format!("{} is named twice", origin.as_str()), "remove one"));
        }
        origins.push(origin);
    }
    Ok(origins)
}
