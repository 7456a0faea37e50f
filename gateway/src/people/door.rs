//! Where people come in: checks passwords off the serving threads, opens and finds sessions, takes tokens of the provider.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Semaphore;

use super::accounts::Accounts;
use super::attempts::{At, Attempts};
use super::password::{self, NOBODYS, PASSWORD_BYTES_MAX};
use super::provider::{self, Keys};
use super::reload::Files;
use super::sessions::{Lasts, Session, Sessions, hashed};
use super::{BREAK_GLASS_MARK, Identity, PeopleSettings, Person, Role, Way, name_of, same_name};
use crate::clock::Clock;

/// People whose passwords wait to be checked, one at a time; one more is told to come again.
const WAITING_MAX: usize = 16;

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name cannot be recorded.
    #[error("name: give 1 to 48 printable characters, without (break-glass)")]
    Name,
    /// Name and password do not fit, or the PIN is another one.
    #[error("name and password, or the PIN, are not right")]
    Wrong,
    /// There is no PIN.
    #[error("this site has set no PIN; ecmo-gateway people set-pin sets one")]
    NoPin,
    /// Too many attempts.
    #[error("too many attempts; try again in {} s", .0.as_secs() + 1)]
    Wait(Duration),
    /// Too many people at once.
    #[error("too many people sign in at once; try again")]
    Busy,
    /// The system fails.
    #[error("signing in fails: {0}")]
    Failed(String),
}

/// A session that was opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// To be given back with each call.
    pub token: String,
    /// Who it is.
    pub caller: Caller,
}

// A token that stands in a log is one that can be used.
impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Opened").field("caller", &self.caller).finish_non_exhaustive()
    }
}

/// Who calls, and how long that holds: without use, and in any case; `None` where no session of this gateway ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub identity: Identity,
    /// For how long.
    pub left: Option<(Duration, Duration)>,
}

/// Why a token that was given is not taken, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your session or token is not taken: {0}")]
pub struct Stranger(String);

/// The door.
#[derive(Debug)]
pub struct Door {
    clock: Clock,
    settings: PeopleSettings,
    files: Mutex<Files>,
    accounts: ArcSwap<Accounts>,
    keys: ArcSwapOption<Keys>,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
    waiting: Arc<Semaphore>,
    /// One hash at a time: whatever knocks, the other cores are the alarms'.
    checking: Arc<Semaphore>,
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Door {
    /// Opens it with what the files hold now; a file that is not right is told, and looked at again. Waits for the disk.
    #[must_use]
    pub fn open(settings: &PeopleSettings, clock: Clock) -> Self {
        let door = Self {
            clock,
            files: Mutex::new(Files::of(settings)),
            accounts: ArcSwap::default(),
            keys: ArcSwapOption::empty(),
            sessions: Mutex::new(Sessions::new(Lasts {
                idle: settings.idle,
                longest: settings.longest,
            })),
            attempts: Mutex::new(Attempts::new()),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            checking: Arc::new(Semaphore::new(1)),
            settings: settings.clone(),
        };
        door.look_at_files();
        door
    }

    pub(super) fn look_at_files(&self) {
        locked(&self.files).look(self);
    }

    pub(super) fn set_accounts(&self, accounts: Accounts) {
        self.accounts.store(Arc::new(accounts));
    }

    pub(super) fn set_keys(&self, keys: Keys) {
        self.keys.store(Some(Arc::new(keys)));
    }

    /// Whether there is a break-glass PIN.
    #[must_use]
    pub fn has_pin(&self) -> bool {
        self.accounts.load().has_pin()
    }

    /// Lets somebody in by name and password.
    ///
    /// # Errors
    /// Why not. It takes as long for a name that is not known.
    pub async fn sign_in(&self, name: &str, secret: &str) -> Result<Opened, Refusal> {
        let name = name_of(name).ok_or(Refusal::Name)?;
        let accounts = self.accounts.load_full();
        let account = accounts.find(&name);
        let hash = account.map_or(NOBODYS, |account| &account.password);
        let fits = self.fits(At::Name(&name), secret, hash).await?;
        let account = account.filter(|_| fits).ok_or(Refusal::Wrong)?;
        let (name, role) = (account.name.clone(), account.role);
        self.opened(Person { name, role, way: Way::Account }, hashed(hash))
    }

    /// Lets somebody in by the PIN, under a name that nothing proves and that says so.
    ///
    /// # Errors
    /// Why not.
    pub async fn break_glass(&self, name: &str, pin: &str) -> Result<Opened, Refusal> {
        let name = name_of(name).ok_or(Refusal::Name)?;
        let accounts = self.accounts.load_full();
        let hash = accounts.pin().ok_or(Refusal::NoPin)?;
        if !self.fits(At::Pin, pin, hash).await? {
            return Err(Refusal::Wrong);
        }
        let name = format!("{name} {BREAK_GLASS_MARK}");
        self.opened(Person { name, role: Role::Viewer, way: Way::BreakGlass }, hashed(hash))
    }

    /// Whether a secret is that of a hash: counted before, computed one at a time, off the threads that serve.
    async fn fits(&self, at: At<'_>, secret: &str, hash: &str) -> Result<bool, Refusal> {
        if secret.len() > PASSWORD_BYTES_MAX {
            return Err(Refusal::Wrong);
        }
        let waiting = Arc::clone(&self.waiting);
        let place = waiting.try_acquire_owned().map_err(|_full| Refusal::Busy)?;
        locked(&self.attempts).take(at, self.clock.now()).map_err(Refusal::Wait)?;
        let failed = |error: String| Refusal::Failed(error);
        let checking = Arc::clone(&self.checking);
        let turn = checking.acquire_owned().await.map_err(|closed| failed(closed.to_string()))?;
        let (secret, hash) = (secret.to_owned(), hash.to_owned());
        let checked = tokio::task::spawn_blocking(move || {
            // Whoever hangs up meanwhile holds the place until this has ended: hashes never run side by side.
            let _held = (place, turn);
            password::verify(&secret, &hash)
        });
        let fits = checked.await.map_err(|error| failed(error.to_string()))?;
        if fits {
            locked(&self.attempts).give_back(at);
        }
        Ok(fits)
    }

    fn opened(&self, person: Person, proof: [u8; 32]) -> Result<Opened, Refusal> {
        let now = self.clock.now();
        let mut sessions = locked(&self.sessions);
        let token = sessions.open(person.clone(), proof, now).map_err(Refusal::Failed)?;
        let left = sessions.find(&token, now, true).map(|session| sessions.left(&session, now));
        Ok(Opened { token, caller: Caller { identity: Identity::Person(person), left } })
    }

    /// Ends the session of a token; who it was, if it was one.
    pub fn sign_out(&self, token: &str) -> Option<Person> {
        locked(&self.sessions).end(token)
    }

    /// Who calls with a token, or without. `used`: the session goes on by that.
    ///
    /// # Errors
    /// A token was given that is not taken.
    pub fn identify(&self, token: Option<&str>, used: bool) -> Result<Caller, Stranger> {
        let Some(token) = token else {
            return Ok(Caller { identity: Identity::Nobody, left: None });
        };
        if token.contains('.') {
            let identity = Identity::Person(self.of_provider(token)?);
            return Ok(Caller { identity, left: None });
        }
        let now = self.clock.now();
        let over = || Stranger("the session is over; sign in again".to_owned());
        let mut sessions = locked(&self.sessions);
        let session = sessions.find(token, now, used).ok_or_else(over)?;
        let Some(person) = self.still(&session) else {
            sessions.end(token);
            return Err(over());
        };
        let left = Some(sessions.left(&session, now));
        Ok(Caller { identity: Identity::Person(person), left })
    }

    /// The person of a session, while what they proved is still so; with the role of now.
    fn still(&self, session: &Session) -> Option<Person> {
        let accounts = self.accounts.load();
        let Person { name, way, .. } = &session.person;
        let (hash, role) = match way {
            Way::BreakGlass => (accounts.pin()?, session.person.role),
            Way::Account | Way::Provider => {
                let account = accounts.find(name)?;
                (account.password.as_str(), account.role)
            }
        };
        (hashed(hash) == session.proof).then(|| Person { role, ..session.person.clone() })
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of these centuries are exact")]
    fn of_provider(&self, token: &str) -> Result<Person, Stranger> {
        let none =
            || Stranger("this gateway takes no tokens of an identity provider; sign in".to_owned());
        let provider = self.settings.provider.as_ref().ok_or_else(none)?;
        let keys = self.keys.load();
        let no_keys = || Stranger("the identity provider's keys are not known here yet".to_owned());
        let keys = keys.as_ref().ok_or_else(no_keys)?;
        let now_s = (self.clock.wall_ns() / 1_000_000) as f64 / 1e3;
        let person = provider::verify(token, (provider, keys), now_s);
        let person = person.map_err(|error| Stranger(error.to_string()))?;
        // One name in the log is one person.
        if self.accounts.load().listed().any(|(name, _role)| same_name(name, &person.name)) {
            return Err(Stranger(
                "a local account has the same name; rename one of them".to_owned(),
            ));
        }
        Ok(person)
    }
}
