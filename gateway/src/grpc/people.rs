//! What people say of themselves and their reasons, and the log of what they did.

use ecmo_core::alarm::Refused;
use tonic::{Extensions, Status};

use super::Serving;
use crate::action::Intent;
use crate::actions::Done;
use crate::engine::NoAnswer;
use crate::people::Identity;

/// Longest name of a display or a person, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Longest name of a bed, in characters.
const BED_CHARS_MAX: usize = 32;

/// Longest note or reason, in characters.
const NOTE_CHARS_MAX: usize = 256;

pub(super) fn no_answer(error: NoAnswer) -> Status {
    Status::unavailable(error.to_string())
}

fn printable(text: &str, what: &str, least: usize, most: usize) -> Result<String, Status> {
    let text = text.trim();
    if (least..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Status::invalid_argument(format!("{what}: give {least} to {most} printable characters")))
}

/// A name that a person gave; it is shown to others.
pub(super) fn name(text: &str, what: &str) -> Result<String, Status> {
    printable(text, what, 1, NAME_CHARS_MAX)
}

/// Who acts: where the gateway asks people who they are, the person who has signed in, and nobody else; otherwise the name as it
/// is said.
pub(super) fn actor(serving: &Serving, who: &Extensions, said: &str) -> Result<String, Status> {
    if serving.door.is_none() {
        return name(said, "by");
    }
    // Whoever is not signed in was stopped before; this holds even if he was not.
    let Some(Identity::Person(person)) = who.get::<Identity>() else {
        return Err(Status::unauthenticated("sign in first"));
    };
    let said = said.trim();
    if said.is_empty() || said == person.name {
        return Ok(person.name.clone());
    }
    let details = format!("signed in, and said to be {said:?}");
    serving.actions.note_refusal(None, (&person.name, ""), details);
    Err(Status::permission_denied(format!(
        "by: you are signed in as {:?}; leave the name out, or sign in as who you are",
        person.name
    )))
}

/// What a person adds, or nothing.
pub(super) fn note(text: &str) -> Result<String, Status> {
    printable(text, "note", 0, NOTE_CHARS_MAX)
}

/// Why a person does something.
pub(super) fn reason(text: &str) -> Result<String, Status> {
    printable(text, "reason", 1, NOTE_CHARS_MAX)
}

/// A bed, as people call it, or none.
pub(super) fn bed(text: &str) -> Result<String, Status> {
    printable(text, "bed", 0, BED_CHARS_MAX)
}

/// Logs what a person did, or was refused, and passes it on. What they typed as note or reason is for the audit log alone: it
/// could name a patient, and this log goes to operators.
pub(super) fn done<T>(
    action: &'static str,
    by: &str,
    what: &str,
    detail: &str,
    answer: Result<T, Status>,
) -> Result<T, Status> {
    match &answer {
        Ok(_) => tracing::info!(target: "action", action, by, what, detail, "done"),
        Err(status) => {
            let why = status.message();
            tracing::info!(target: "action", action, by, what, detail, why, "refused");
        }
    }
    answer
}

/// Does what a person asks for: resolved, written down, in force.
pub(super) async fn act(
    serving: &Serving,
    intent: Intent,
    (by, note): (&str, &str),
) -> Result<Result<Done, Refused>, Status> {
    serving.actions.act(intent, (by.to_owned(), note.to_owned())).await.map_err(no_answer)
}
