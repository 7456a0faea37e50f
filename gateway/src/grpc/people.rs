//! What people say of themselves and their reasons, and the log of what they did.

use tonic::Status;

use crate::engine::NoAnswer;

/// Longest name of a display or a person, in characters.
const NAME_CHARS_MAX: usize = 64;

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

/// What a person adds, or nothing.
pub(super) fn note(text: &str) -> Result<String, Status> {
    printable(text, "note", 0, NOTE_CHARS_MAX)
}

/// Why a person does something.
pub(super) fn reason(text: &str) -> Result<String, Status> {
    printable(text, "reason", 1, NOTE_CHARS_MAX)
}

/// Logs what a person did, or was refused, and passes it on.
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
