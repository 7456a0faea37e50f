//! Rule sets as TOML files: read and checked here, judged by the core.
//!
//! A profile is refused as a whole, with every problem it has: half a rule set would be silently quiet. Reading order
//! is data order: `error` what is told of a refusal, `reader` values with their places, `words` the vocabulary, then
//! the sections, `check` what must fit together, `document` the whole, `table` how people see it.
//!
//! Every number in the shipped profiles is a proposal that no clinician has signed.

mod error;

mod reader;

mod words;

mod head;

mod bound;

mod limit;

mod composite;

mod silence;

mod group;

mod context;

mod check;

mod document;

mod table;

use ecmo_core::alarm::profile::Profile;

pub use error::{Problem, ProfileError};
pub use table::{in_document, table};

/// The starter profile as text: the one source of its numbers.
pub const STARTER: &str = include_str!("../../../deploy/config/profiles/neonatal-starter.toml");

/// Reads a profile.
///
/// # Errors
/// Everything that is wrong with it: no TOML, unknown or missing keys, impossible numbers, rules that do not fit
/// together, a condition that nothing raises.
pub fn parse(text: &str) -> Result<Profile, ProfileError> {
    document::parse(text)
}

/// The profile that is in force where a site names none: proposals, unreviewed.
///
/// # Panics
/// Never: a test reads the shipped text.
#[must_use]
pub fn starter() -> Profile {
    parse(STARTER).expect("the shipped profile is right")
}
