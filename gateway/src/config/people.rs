//! What the settings say of people: where their accounts are, whose tokens are taken, how long a session lasts.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::error::Complaint;
use super::file::{FilePath, ranged};
use crate::people::{PeopleSettings, Provider, Role};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PeopleTable {
    accounts: Option<FilePath>,
    idle_minutes: Option<IdleMinutes>,
    longest_minutes: Option<LongestMinutes>,
    provider: Option<ProviderTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderTable {
    issuer: Word,
    audience: Word,
    keys: FilePath,
    #[serde(default)]
    name_claim: Option<Word>,
    #[serde(default)]
    role_claim: Option<Word>,
    #[serde(default)]
    clinician: Vec<Word>,
    #[serde(default)]
    biomed: Vec<Word>,
    #[serde(default)]
    admin: Vec<Word>,
}

/// A text that is there.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Word(String);

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err("an empty word; write what the identity provider writes".into());
        }
        Ok(Self(text))
    }
}

ranged!(
    /// Below a minute nobody could acknowledge two alarms; half a day is no idleness.
    IdleMinutes, u64 as "u64", Duration, "idle_minutes", 1..=720, Duration::from_mins
);
ranged!(
    /// A day is longer than any shift.
    LongestMinutes, u64 as "u64", Duration, "longest_minutes", 1..=1_440, Duration::from_mins
);

/// How people are asked who they are, where the section is there.
pub(super) fn people(
    read: Option<Spanned<PeopleTable>>,
    state_dir: Option<&Path>,
    file: &str,
) -> Result<Option<PeopleSettings>, Complaint> {
    let Some(read) = read else { return Ok(None) };
    let (span, table) = (read.span(), read.into_inner());
    let PeopleTable { accounts, idle_minutes, longest_minutes, provider } = table;
    let none = accounts.is_none() && provider.is_none();
    if none && idle_minutes.is_none() && longest_minutes.is_none() {
        return Ok(None);
    }
    if none {
        return Err(Complaint::new(
            span,
            "nobody could sign in, so that nobody could acknowledge an alarm",
            "set accounts under [people], or a [people.provider], or remove the section",
        ));
    }
    if state_dir.is_none() {
        return Err(Complaint::new(
            span,
            "without a state folder there is no audit log of what people do",
            "set dir under [state]",
        ));
    }
    Ok(Some(PeopleSettings {
        accounts: accounts.map(|path| path.in_folder_of(file)),
        provider: provider.map(|table| table.read(file)),
        idle: idle_minutes.map_or(PeopleSettings::IDLE, |it| it.0),
        longest: longest_minutes.map_or(PeopleSettings::LONGEST, |it| it.0),
    }))
}

impl ProviderTable {
    fn read(self, file: &str) -> Provider {
        let of = |words: Vec<Word>, role: Role| words.into_iter().map(move |word| (word.0, role));
        let roles = of(self.clinician, Role::Clinician)
            .chain(of(self.biomed, Role::Biomed))
            .chain(of(self.admin, Role::Admin));
        let word =
            |word: Option<Word>, usual: &str| word.map_or_else(|| usual.to_owned(), |it| it.0);
        Provider {
            issuer: self.issuer.0,
            audience: self.audience.0,
            keys: self.keys.in_folder_of(file),
            name_claim: word(self.name_claim, "preferred_username"),
            role_claim: word(self.role_claim, "roles"),
            roles: roles.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::Settings;
    use super::*;

    fn parse(text: &str) -> Result<Option<PeopleSettings>, String> {
        let text = format!("[state]\ndir = \"s\"\n{text}");
        Settings::parse("/etc/ecmo/gateway.toml", &text)
            .map(|settings| settings.people)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn without_the_section_nobody_is_asked() {
        assert_eq!((parse(""), parse("[people]")), (Ok(None), Ok(None)));
        assert_eq!(Settings::default().people, None);
    }

    #[test]
    fn accounts_and_provider_are_read_with_their_paths() {
        let people =
            parse("[people]\naccounts = \"people.toml\"\nidle_minutes = 5").unwrap().unwrap();
        assert_eq!(people.accounts, Some(PathBuf::from("/etc/ecmo/people.toml")));
        assert_eq!(
            (people.idle, people.longest),
            (Duration::from_mins(5), PeopleSettings::LONGEST)
        );
        let provider = "[people.provider]\nissuer = \"https://id\"\naudience = \"a\"\nkeys = \"k.json\"\nclinician = [\"nurse\"]\nadmin = [\"root\"]";
        let provider = parse(provider).unwrap().unwrap().provider.unwrap();
        assert_eq!(provider.keys, PathBuf::from("/etc/ecmo/k.json"));
        assert_eq!(provider.name_claim, "preferred_username");
        let roles = [("nurse".to_owned(), Role::Clinician), ("root".to_owned(), Role::Admin)];
        assert_eq!(provider.roles, roles);
    }

    #[test]
    fn settings_with_which_nobody_could_act_or_nothing_were_written_down_are_refused() {
        for (text, what) in [
            ("[people]\nidle_minutes = 5", "nobody could sign in"),
            ("[people]\nidle_minutes = 0\naccounts = \"a\"", "idle_minutes"),
            ("[people]\nlongest_minutes = 1441\naccounts = \"a\"", "longest_minutes"),
            ("[people]\naccounts = \"\"", "empty path"),
            ("[people]\ncolour = 1", "colour"),
            ("[people.provider]\nissuer = \"i\"\nkeys = \"k\"", "audience"),
            ("[people.provider]\nissuer = \"\"\naudience = \"a\"\nkeys = \"k\"", "empty word"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(what), "{text}: {refused}");
        }
        let without =
            Settings::parse("/g.toml", "[people]\naccounts = \"a\"").unwrap_err().to_string();
        assert!(without.contains("audit log") && without.contains("[state]"), "{without}");
    }
}
