//! Who people are and what they may do: accounts, sessions, tokens of an identity provider, the break-glass PIN. It knows no wire.

pub mod policy;

pub mod accounts;

pub mod provider;

mod attempts;

mod password;

mod sessions;

pub mod door;

mod reload;

use std::path::PathBuf;
use std::time::Duration;

pub use accounts::{AccountsError, edit};
pub use door::{Door, Opened, Refusal, Stranger};
pub use policy::Role;
pub use provider::Provider;
pub use reload::{check, keep};

/// Longest name of an account or of a person of an identity provider, in characters: with what marks a break-glass session it
/// stays below the longest name of an action.
pub const NAME_CHARS_MAX: usize = 48;

/// What stands behind the name of a person who came in by the PIN. No other name may hold it.
const BREAK_GLASS_MARK: &str = "(break-glass)";

/// How a gateway is told to ask people who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleSettings {
    /// File of accounts and PIN; `None`: there are none.
    pub accounts: Option<PathBuf>,
    /// Whose tokens are taken; `None`: nobody's.
    pub provider: Option<Provider>,
    /// A session ends after so long without use, 1 to 720 minutes.
    pub idle: Duration,
    /// A session ends after so long in any case, 1 minute to 24 hours.
    pub longest: Duration,
}

impl PeopleSettings {
    /// A session ends after so long without use, when the settings do not say: a bedside is left alone for less.
    pub const IDLE: Duration = Duration::from_mins(15);

    /// A session ends after so long in any case, when the settings do not say: a long shift.
    pub const LONGEST: Duration = Duration::from_hours(12);

    /// With a file of accounts and the usual times.
    #[must_use]
    pub const fn of_accounts(file: PathBuf) -> Self {
        Self { accounts: Some(file), provider: None, idle: Self::IDLE, longest: Self::LONGEST }
    }
}

/// How a person proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A local account and its password.
    Account,
    /// A token of the identity provider.
    Provider,
    /// The site's PIN: the name is only said.
    BreakGlass,
}

/// A person whom the gateway knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that is recorded.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How that is known.
    pub way: Way,
}

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Nobody has signed in, or the session is over.
    Nobody,
    /// A fixed display, by the name in its certificate: it looks, and does nothing for anybody.
    Display(String),
    /// A person.
    Person(Person),
}

/// A name as it may be recorded: trimmed; `None` for one that is empty, too long, not printable, or marked as a PIN's.
fn name_of(text: &str) -> Option<String> {
    let text = text.trim();
    let fine = (1..=NAME_CHARS_MAX).contains(&text.chars().count())
        && !text.chars().any(char::is_control)
        && !text.to_lowercase().contains(BREAK_GLASS_MARK);
    fine.then(|| text.to_owned())
}

/// Whether two names are one person's as people read them.
fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
