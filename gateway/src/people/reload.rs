//! Reads the files of accounts and keys again and again. What was read last and was right stays in force while a file is not.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::accounts::{self, Accounts};
use super::provider::{self, Keys};
use super::sessions::hashed;
use super::{Door, PeopleSettings};

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// One file that is watched.
#[derive(Debug)]
struct Watched<T> {
    path: PathBuf,
    what: &'static str,
    bytes_max: u64,
    /// Whether others than its owner may read it.
    public: bool,
    parse: fn(&str) -> Result<T, String>,
    /// What was found last: the hash of the text, or what was wrong.
    last: Option<Result<[u8; 32], String>>,
}

impl<T> Watched<T> {
    /// What is new and right; what is wrong is told once.
    fn look(&mut self) -> Option<T> {
        let found = self.read();
        let (now, new) = match found {
            Ok(text) => {
                let now = Ok(hashed(&text));
                if self.last.as_ref() == Some(&now) {
                    return None;
                }
                match (self.parse)(&text) {
                    Ok(new) => (now, Some(new)),
                    Err(error) => (Err(error), None),
                }
            }
            Err(error) => (Err(error), None),
        };
        if let Err(error) = &now
            && self.last.as_ref() != Some(&now)
        {
            let path = self.path.display();
            tracing::error!(%path, error, "{} cannot be read; what was read last stays in force", self.what);
        }
        self.last = Some(now);
        new
    }

    fn wrong(&self, error: &str) -> String {
        format!("{}, {}: {error}", self.what, self.path.display())
    }

    fn read(&self) -> Result<String, String> {
        let file = File::open(&self.path).map_err(|error| error.to_string())?;
        let about = file.metadata().map_err(|error| error.to_string())?;
        if about.len() > self.bytes_max {
            return Err(format!("longer than {} bytes", self.bytes_max));
        }
        if !self.public && about.permissions().mode() & 0o077 != 0 && self.last.is_none() {
            let path = self.path.display();
            tracing::warn!(%path, "others may read the accounts and guess at passwords; chmod 600");
        }
        let mut text = String::new();
        let read = file.take(self.bytes_max).read_to_string(&mut text);
        read.map_err(|error| error.to_string()).map(|_bytes| text)
    }
}

/// The files of the settings.
#[derive(Debug)]
pub(super) struct Files {
    accounts: Option<Watched<Accounts>>,
    keys: Option<Watched<Keys>>,
}

impl Files {
    pub(super) fn of(settings: &PeopleSettings) -> Self {
        Self {
            accounts: settings.accounts.clone().map(|path| Watched {
                path,
                what: "the file of accounts",
                bytes_max: accounts::FILE_BYTES_MAX,
                public: false,
                parse: |text| Accounts::parse(text).map_err(|error| error.to_string()),
                last: None,
            }),
            keys: settings.provider.as_ref().map(|provider| Watched {
                path: provider.keys.clone(),
                what: "the file of the identity provider's keys",
                bytes_max: provider::KEYS_BYTES_MAX,
                public: true,
                parse: Keys::parse,
                last: None,
            }),
        }
    }

    /// Looks at all of them, and hands what is new to the door. Waits for the disk.
    pub(super) fn look(&mut self, door: &Door) {
        if let Some(new) = self.accounts.as_mut().and_then(Watched::look) {
            let (count, pin) = (new.listed().count(), new.has_pin());
            tracing::info!(count, pin, "accounts are read");
            door.set_accounts(new);
        }
        if let Some(new) = self.keys.as_mut().and_then(Watched::look) {
            tracing::info!("keys of the identity provider are read");
            door.set_keys(new);
        }
    }
}

/// Reads the files once, to say whether people can come in.
///
/// # Errors
/// The first file that is missing or wrong.
pub fn check(settings: &PeopleSettings) -> Result<(), String> {
    let Files { accounts, keys } = Files::of(settings);
    if let Some(accounts) = accounts {
        accounts
            .read()
            .and_then(|text| (accounts.parse)(&text))
            .map_err(|error| accounts.wrong(&error))?;
    }
    if let Some(keys) = keys {
        keys.read().and_then(|text| (keys.parse)(&text)).map_err(|error| keys.wrong(&error))?;
    }
    Ok(())
}

/// Looks at the files again and again; ends only with the gateway.
pub async fn keep(door: Arc<Door>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let door = Arc::clone(&door);
        // A disk that hangs holds up this and nothing else.
        if let Err(error) = tokio::task::spawn_blocking(move || door.look_at_files()).await {
            tracing::error!(%error, "looking at accounts and keys failed");
        }
    }
}
