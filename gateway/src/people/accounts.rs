//! The file of local accounts and of the break-glass PIN: names, roles, hashes. Read as a whole or refused as a whole.

pub mod edit;

use serde::{Deserialize, Serialize};

use super::password;
use super::{NAME_CHARS_MAX, Role, name_of, same_name};

/// Most accounts of a site.
pub const ACCOUNTS_MAX: usize = 512;

/// Longest file, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Why a file of accounts is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AccountsError(pub(super) String);

/// One account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) role: Role,
    /// Argon2id, as a PHC string.
    pub(super) password: String,
}

// A hash that stands in a log can be guessed at in peace.
impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Account({:?}, {})", self.name, self.role.word())
    }
}

/// The PIN.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreakGlass {
    pin: String,
}

/// Everybody who may sign in here.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    #[serde(rename = "account", skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    break_glass: Option<BreakGlass>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pin = self.break_glass.is_some();
        formatter
            .debug_struct("Accounts")
            .field("accounts", &self.accounts)
            .field("pin", &pin)
            .finish()
    }
}

impl Accounts {
    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// It is no such file, two accounts have one name, a hash cannot be checked.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let read: Self =
            toml::from_str(text).map_err(|error| AccountsError(error.message().to_owned()))?;
        if read.accounts.len() > ACCOUNTS_MAX {
            return Err(AccountsError(format!("more than {ACCOUNTS_MAX} accounts")));
        }
        for (number, account) in read.accounts.iter().enumerate() {
            let of = |what: &str| AccountsError(format!("account {:?}: {what}", account.name));
            if name_of(&account.name).as_deref() != Some(&account.name) {
                let what = format!(
                    "a name has 1 to {NAME_CHARS_MAX} printable characters, none around it"
                );
                return Err(of(&what));
            }
            if read.accounts.iter().take(number).any(|other| same_name(&other.name, &account.name))
            {
                return Err(of("the name is there twice"));
            }
            password::check_form(&account.password).map_err(of)?;
        }
        if let Some(BreakGlass { pin }) = &read.break_glass {
            password::check_form(pin).map_err(|what| AccountsError(format!("the PIN: {what}")))?;
        }
        Ok(read)
    }

    /// The account of a name, however it is written.
    pub(super) fn find(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| same_name(&account.name, name.trim()))
    }

    /// The hash of the PIN, if there is one.
    pub(super) fn pin(&self) -> Option<&str> {
        self.break_glass.as_ref().map(|glass| glass.pin.as_str())
    }

    /// Names and roles, in the order of the file.
    pub fn listed(&self) -> impl Iterator<Item = (&str, Role)> {
        self.accounts.iter().map(|account| (account.name.as_str(), account.role))
    }

    /// Whether there is a PIN.
    #[must_use]
    pub const fn has_pin(&self) -> bool {
        self.break_glass.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(accounts: &[(&str, &str)]) -> String {
        let each = accounts.iter().map(|(name, role)| {
            format!(
                "[[account]]\nname = {name:?}\nrole = {role:?}\npassword = {:?}\n",
                password::NOBODYS
            )
        });
        each.collect()
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        let accounts =
            Accounts::parse(&file(&[("A. Nurse", "clinician"), ("Émile", "admin")])).unwrap();
        assert_eq!(accounts.find(" a. nurse ").unwrap().role, Role::Clinician);
        assert_eq!(accounts.find("émile").unwrap().name, "Émile");
        assert!(accounts.find("A.Nurse").is_none() && !accounts.has_pin());
        assert_eq!(Accounts::parse("").unwrap(), Accounts::default());
    }

    #[test]
    fn a_file_with_a_mistake_is_refused_as_a_whole() {
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for (text, what) in [
            (file(&[("Ann", "clinician"), ("ANN", "viewer")]), "twice"),
            (file(&[("Ann", "surgeon")]), "surgeon"),
            (file(&[("", "viewer")]), "printable"),
            (file(&[(" Ann", "viewer")]), "printable"),
            (file(&[("Ann (Break-Glass)", "viewer")]), "printable"),
            (file(&[(&long, "viewer")]), "printable"),
            (file(&[("Ann", "viewer")]).replace("argon2id", "argon2i"), "hash"),
            (format!("{}colour = 1", file(&[("Ann", "viewer")])), "colour"),
            ("[break_glass]\npin = \"1234\"".to_owned(), "PIN"),
            ("[[account]]\nname = \"Ann\"\nrole = \"viewer\"".to_owned(), "password"),
        ] {
            let refused = Accounts::parse(&text).unwrap_err().to_string();
            assert!(refused.contains(what), "{text}: {refused}");
        }
    }

    #[test]
    fn a_hash_stands_in_no_log() {
        let text =
            format!("{}[break_glass]\npin = {:?}", file(&[("Ann", "viewer")]), password::NOBODYS);
        let said = format!("{:?}", Accounts::parse(&text).unwrap());
        assert!(said.contains("Ann") && !said.contains("argon2"), "{said}");
    }
}
