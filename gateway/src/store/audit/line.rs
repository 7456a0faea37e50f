//! One line of the audit log: what it says, how it is sealed to the line before, and how it is checked.

use serde::{Deserialize, Serialize};

/// Bytes of a sum.
const SUM: usize = blake3::OUT_LEN;

/// What stands between the body of a line and its sum.
const BEFORE_SUM: &[u8] = b",\"sum\":\"";

/// What ends a line, without its line feed.
const AFTER_SUM: &[u8] = b"\"}";

/// What was done, or what happened to the store itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An alarm was acknowledged.
    Acknowledge,
    /// Sound was paused.
    Pause,
    /// Pauses were ended.
    Resume,
    /// A condition was shelved.
    Shelve,
    /// The shelving of a condition was ended.
    Unshelve,
    /// A pump was accepted.
    Accept,
    /// A pump was offered to somebody.
    HandOver,
    /// An offer was rejected, or a pump given up.
    Reject,
    /// A bed was named.
    AssignBed,
    /// The ownership of a pump is another one; for an action of another gateway, which says what follows only.
    Own,
    /// Something was said about a treatment: case, limit, context.
    Treatment,
    /// The gateway noted the reference of a membrane, or took back what the profile no longer allows.
    TreatmentByGateway,
    /// What a person asked for was refused.
    Refused,
    /// A person signed in.
    SignIn,
    /// A person signed out.
    SignOut,
    /// Somebody came in by the break-glass PIN; what they do then bears the mark in the name.
    BreakGlass,
    /// A gateway began to write here.
    Started,
    /// Records of the time before the store were taken over.
    Imported,
    /// A damaged store was set aside and begun anew.
    SetAside,
    /// The end of the log was torn by a crash, and cut: it held nothing that was confirmed.
    TornTail,
    /// The log before this line is damaged; it is left as it is.
    Damaged,
    /// Records found no room while the disk failed: they are in no log.
    Lost,
}

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was done.
    pub kind: Kind,
    /// When, in nanoseconds since 1970 UTC; for people.
    pub wall_ns: i64,
    /// Who: as they signed in, or as they named themselves where nobody is asked; empty for the gateway itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// What they added, or why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Ward id; empty where it is about no pump.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ward: String,
    /// Pump id; empty where it is about no pump.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pump: String,
    /// Name of the gateway that took it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    /// What it was about, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
    /// What was so before, where that makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is so now, where that makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Id of the action that this is about, where it is another record's: that one was refused, and is not done again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub refused: String,
    /// The alarms that the action names, as they stood then, in hex; empty where it names none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// The sealed action in hex, as it is done again after a crash; empty where there is nothing to do again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub action: String,
}

impl Entry {
    /// An entry of the gateway itself.
    #[must_use]
    pub fn of_gateway(kind: Kind, gateway: &str, wall_ns: i64, details: String) -> Self {
        Self {
            kind,
            wall_ns,
            by: String::new(),
            note: String::new(),
            ward: String::new(),
            pump: String::new(),
            gateway: gateway.to_owned(),
            details,
            old: None,
            new: None,
            refused: String::new(),
            state: String::new(),
            action: String::new(),
        }
    }

    /// The sealed action; `None` where there is none, or it is no hex.
    #[must_use]
    pub fn action_bytes(&self) -> Option<Vec<u8>> {
        if self.action.is_empty() { None } else { from_hex(&self.action) }
    }
}

/// A line without its sum.
#[derive(Serialize, Deserialize)]
struct Body<E> {
    number: u64,
    prev: String,
    #[serde(flatten)]
    entry: E,
}

/// The fields that every line has, whatever a later version adds.
#[derive(Deserialize)]
struct Head {
    number: u64,
    prev: String,
}

/// A place in the chain: what the next line is sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// Number of the line; 0 before the first.
    pub number: u64,
    /// Its sum; zeros before the first.
    pub sum: [u8; SUM],
}

impl Link {
    /// Before the first line.
    pub(super) const START: Self = Self { number: 0, sum: [0; SUM] };
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not have the form of a line.
    #[error("it is no line of the log")]
    Form,
    /// Its sum is not that of its bytes.
    #[error("its sum is wrong: it was changed after it was written")]
    Sum,
    /// It does not follow the line before by its number.
    #[error(
        "its number is {found}, and {expected} was expected: a line is missing, doubled or in the wrong place"
    )]
    Number {
        /// The number that should stand there.
        expected: u64,
        /// The number that stands there.
        found: u64,
    },
    /// It was sealed to another line than the one before.
    #[error("it does not belong behind the line before")]
    Chain,
}

/// Appends the line of an entry, with its line feed; where the chain ends then.
///
/// # Errors
/// The entry cannot be written as JSON; none is known.
pub(super) fn seal(entry: &Entry, after: &Link, out: &mut Vec<u8>) -> Result<Link, String> {
    let number = after.number.saturating_add(1);
    let body = serde_json::to_vec(&Body { number, prev: hex(&after.sum), entry })
        .map_err(|error| error.to_string())?;
    let body = body.strip_suffix(b"}").unwrap_or(&body);
    let sum = *blake3::hash(body).as_bytes();
    out.extend_from_slice(body);
    out.extend_from_slice(BEFORE_SUM);
    out.extend_from_slice(hex(&sum).as_bytes());
    out.extend_from_slice(AFTER_SUM);
    out.push(b'\n');
    Ok(Link { number, sum })
}

/// Body and sum of a line without its line feed; `None` when it has not the form.
fn split(line: &[u8]) -> Option<(&[u8], [u8; SUM])> {
    let rest = line.strip_suffix(AFTER_SUM)?;
    let (rest, sum) = rest.split_at_checked(rest.len().checked_sub(2 * SUM)?)?;
    let body = rest.strip_suffix(BEFORE_SUM)?;
    let sum = from_hex(std::str::from_utf8(sum).ok()?)?;
    Some((body, sum.try_into().ok()?))
}

/// Checks a line by itself; where the chain would stand, and the sum of the line before by its word.
fn alone(line: &[u8]) -> Result<(Link, Vec<u8>), Fault> {
    let (body, sum) = split(line).ok_or(Fault::Form)?;
    if *blake3::hash(body).as_bytes() != sum {
        return Err(Fault::Sum);
    }
    let head: Head = serde_json::from_slice(line).map_err(|_other| Fault::Form)?;
    Ok((Link { number: head.number, sum }, from_hex(&head.prev).ok_or(Fault::Form)?))
}

/// Checks a line, without its line feed, behind another; where the chain stands then.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(line: &[u8], after: &Link) -> Result<Link, Fault> {
    let (link, prev) = alone(line)?;
    let expected = after.number.saturating_add(1);
    if link.number != expected {
        return Err(Fault::Number { expected, found: link.number });
    }
    if prev != after.sum {
        return Err(Fault::Chain);
    }
    Ok(link)
}

/// Checks a line whose predecessor lies in another file.
///
/// # Errors
/// What is wrong with it by itself.
pub(super) fn check_first(line: &[u8]) -> Result<Link, Fault> {
    alone(line).map(|(link, _prev)| link)
}

/// Whether these bytes are a whole line and one byte that is no line feed: then they are no torn line.
pub(super) fn lacks_line_feed(bytes: &[u8]) -> bool {
    bytes.split_last().is_some_and(|(_other, line)| check_first(line).is_ok())
}

/// What a checked line says; `None` for what a later version wrote.
pub(super) fn read(line: &[u8]) -> Option<(u64, Entry)> {
    let body: Body<Entry> = serde_json::from_slice(line).ok()?;
    Some((body.number, body.entry))
}

/// Bytes as lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text cannot fail.
        let _never = write!(text, "{byte:02x}").is_err();
        text
    })
}

/// Bytes of lower-case hex; `None` for anything else, so that no other text stands for the same bytes.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(details: &str) -> Entry {
        let mut entry = Entry::of_gateway(Kind::Acknowledge, "g", 5, details.to_owned());
        entry.by = "A. \"Nurse\"\u{2028}é".to_owned();
        entry.action = "00ff".to_owned();
        entry
    }

    #[test]
    fn a_line_says_what_was_written_and_follows_the_one_before() {
        let mut out = Vec::new();
        let first = seal(&entry("a\nb"), &Link::START, &mut out).unwrap();
        let second = seal(&entry("c"), &first, &mut out).unwrap();
        let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 3, "one line feed a record, whatever it says");
        assert_eq!(check(lines[0], &Link::START), Ok(first));
        assert_eq!(check(lines[1], &first), Ok(second));
        assert_eq!(read(lines[0]), Some((1, entry("a\nb"))));
        assert_eq!(check(lines[1], &second), Err(Fault::Number { expected: 3, found: 2 }));
        assert_eq!(check(lines[1], &Link { sum: [7; SUM], ..first }), Err(Fault::Chain));
        assert_eq!(entry("").action_bytes(), Some(vec![0, 255]));
    }

    #[test]
    fn hex_of_other_letters_stands_for_nothing() {
        for text in ["0", "0g", "FF", " 0", "é"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
        assert_eq!(from_hex(&hex(&[0, 171, 255])), Some(vec![0, 171, 255]));
    }
}
