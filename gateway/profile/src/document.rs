//! The whole text: its sections, one after the other, and the profile that they make.

use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::rule::{SensorRules, SignalRules, SilenceRules};
use toml::de::DeTable;

use crate::check::{self, Parts};
use crate::error::{Problems, ProfileError};
use crate::head::Placed;
use crate::reader::{Table, Value};
use crate::{composite, context, group, limit, silence, words};

/// Greatest version number.
const VERSION_MAX: u32 = 1_000_000;

/// What the shipped profiles show where a signature belongs.
const UNSIGNED: &str = "name, role, date";

/// Name, version and who has signed.
struct Title {
    name: String,
    version: u32,
    reviewed_by: Option<String>,
}

/// Sections that are there once.
struct Sections {
    sensors: Option<SensorRules>,
    silence: Option<SilenceRules>,
    signals: Option<SignalRules>,
}

/// Reads and checks a text.
pub(crate) fn parse(text: &str) -> Result<Profile, ProfileError> {
    let mut problems = Problems::default();
    let profile = match DeTable::parse(text) {
        Ok(root) => read(Table::root(&root), fnv1a_64(text.as_bytes()), &mut problems),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let what = error.message().replace('\n', ", ");
            problems.add(at, "", what, "correct it; neonatal-starter.toml is an example");
            None
        }
    };
    match profile {
        Some(profile) if problems.is_empty() => Ok(profile),
        Some(_) | None => Err(problems.into_error(text)),
    }
}

fn read(mut root: Table<'_>, hash: u64, problems: &mut Problems) -> Option<Profile> {
    let title = title(&mut root, problems);
    let left_out = left_out(&mut root, problems);
    let sections = sections(&mut root, problems);
    let limits = each("limit", limit::read, &mut root, problems);
    let composites = each("composite", composite::read, &mut root, problems);
    let groups = each("group", group::read, &mut root, problems);
    let contexts = each("context", context::read, &mut root, problems);
    root.close(problems);
    // Whether the parts fit together is only asked where each was understood: one that was refused is missing.
    let Sections { sensors, silence, signals } = sections;
    if !problems.is_empty() {
        return None;
    }
    let parts =
        Parts { limits, composites, sensors: sensors?, groups, contexts, left_out: left_out? };
    check::check(&parts, problems);
    let title = title?;
    Some(Profile {
        name: title.name,
        version: title.version,
        reviewed_by: title.reviewed_by,
        hash,
        limits: without_places(parts.limits),
        composites: without_places(parts.composites),
        sensors: parts.sensors,
        silence: silence?,
        signals: signals?,
        groups: without_places(parts.groups),
        contexts: without_places(parts.contexts),
    })
}

fn without_places<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|placed| placed.it).collect()
}

fn title(root: &mut Table<'_>, problems: &mut Problems) -> Option<Title> {
    let name = root
        .required("name", problems)
        .and_then(|value| value.text("the name of the profile in quotes", problems));
    let version =
        root.required("version", problems).and_then(|value| value.whole(VERSION_MAX, problems));
    let reviewed_by = match root.optional("reviewed_by") {
        None => None,
        Some(value) => Some(signature(&value, problems)?),
    };
    Some(Title {
        name: name?.to_owned(),
        version: version?,
        reviewed_by: reviewed_by.map(str::to_owned),
    })
}

/// Who has signed. The example of the shipped profiles signs nothing.
fn signature<'a>(value: &Value<'a>, problems: &mut Problems) -> Option<&'a str> {
    let wanted = "name, role and date of who has signed";
    let text = value.text(wanted, problems)?;
    if text == UNSIGNED {
        value.refuse(problems, "is the example", format!("write {wanted}, or remove the key"));
        return None;
    }
    Some(text)
}

fn left_out(root: &mut Table<'_>, problems: &mut Problems) -> Option<Vec<Placed<Condition>>> {
    let Some(value) = root.optional("left_out") else { return Some(Vec::new()) };
    let list = value.list("conditions", problems)?;
    let named = |value: Value<'_>| {
        let it = words::condition(&value, problems)?;
        Some(Placed { at: value.at, it })
    };
    list.into_iter().map(named).collect()
}

fn sections(root: &mut Table<'_>, problems: &mut Problems) -> Sections {
    let mut section = |key, problems: &mut Problems| {
        root.required(key, problems).and_then(|value| value.table(problems))
    };
    Sections {
        sensors: section("sensors", problems).and_then(|table| silence::sensors(table, problems)),
        silence: section("silence", problems).and_then(|table| silence::silence(table, problems)),
        signals: section("signals", problems).and_then(|table| silence::signals(table, problems)),
    }
}

/// Reads every element of an array of tables; those with problems are missing.
fn each<'a, T>(
    key: &'static str,
    read: fn(Table<'a>, &mut Problems) -> Option<Placed<T>>,
    root: &mut Table<'a>,
    problems: &mut Problems,
) -> Vec<Placed<T>> {
    let Some(value) = root.optional(key) else { return Vec::new() };
    let todo = format!("sections that begin with [[{key}]]");
    let elements = value.list(&todo, problems).unwrap_or_default();
    elements
        .into_iter()
        .filter_map(|element| element.table(problems).and_then(|table| read(table, problems)))
        .collect()
}

/// FNV-1a with 64 bits: tells texts apart, keeps no secret.
fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a_64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_64(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
