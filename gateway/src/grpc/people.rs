//! What people say of themselves and their reasons, and the log of what they did.

use std::sync::atomic::{AtomicU64, Ordering};

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::{Action, Order};
use tonic::Status;

use super::Serving;
use crate::action::{ActionRecord, Applied, Intent, Prepared};
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

/// The last order that was given: each is greater than the one before, whatever the wall clock does.
static LAST_ORDER: AtomicU64 = AtomicU64::new(0);

fn next_order(wall_ns: i64) -> u64 {
    let wall = u64::try_from(wall_ns).unwrap_or(0);
    let next = |last: u64| wall.max(last.saturating_add(1));
    let last =
        LAST_ORDER.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
    next(last.unwrap_or(0))
}

/// Does what a person asks for: resolved first, then in force. It is kept in memory only.
pub(super) async fn act(
    serving: &Serving,
    intent: Intent,
    (by, note): (&str, &str),
) -> Result<Result<Applied, Refused>, Status> {
    let prepared = serving.engine.prepare(intent, by.to_owned()).await.map_err(no_answer)?;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(refused) => return Ok(Err(refused)),
    };
    let wall_ns = serving.clock.wall_ns();
    let at = next_order(wall_ns);
    let record = |Prepared { address, what }| {
        let order = Order { at, gateway: String::new() };
        let action = Action { order, by: by.to_owned(), note: note.to_owned(), what };
        ActionRecord { id: at.to_string(), wall_ns, address, action }
    };
    let records = prepared.into_iter().map(record).collect();
    serving.engine.apply(records).await.map_err(no_answer)
}
