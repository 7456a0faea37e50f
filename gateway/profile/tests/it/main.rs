//! What the profile crate promises: the shipped profiles, every refusal, no panic, a current table in the documents.

mod any_text;

mod blank;

mod document;

mod refusals;

mod refused_parts;

mod starter;

use ecmo_profile::{STARTER, parse};

/// The starter profile with one change, made at its first place after a line.
fn changed(after: &str, from: &str, to: &str) -> String {
    let start = STARTER.find(after).unwrap_or_else(|| panic!("the starter lacks {after:?}"));
    let (before, rest) = STARTER.split_at(start);
    assert!(rest.contains(from), "the starter lacks {from:?} after {after:?}");
    format!("{before}{}", rest.replacen(from, to, 1))
}

/// Why a text is refused, one problem a line.
fn refusal(text: &str) -> String {
    parse(text).expect_err("the text is wrong").to_string()
}

/// A change of the starter: after which line, from what, to what; and how the one message about it ends.
type Case = (&'static str, &'static str, &'static str, &'static str);

/// Checks that changes of the starter are refused, each with its message.
fn all_refused(cases: &[Case]) {
    for (after, from, to, message) in cases {
        let text = changed(after, from, to);
        let told = refusal(&text);
        assert!(told.lines().any(|line| line.ends_with(message)), "{to}\n{told}");
    }
}
