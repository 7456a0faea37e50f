//! How long a thing may be, how a file begins, and what is never left behind.

use super::source::{Source, closing_brace, leading_word, sources, words};
use super::{demand, noticed};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

fn long_files(files: &[Source]) -> Vec<String> {
    let lines = |file: &Source| file.text.lines().count();
    files
        .iter()
        .filter(|file| lines(file) > FILE_LINES_MAX)
        .map(|file| format!("{}: {} lines", file.path, lines(file)))
        .collect()
}

/// Functions whose body has too many lines of code; comments and empty lines are free.
fn long_functions(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for at in words(&file.shipped, "fn") {
            let rest = &file.shipped[at + 2..];
            let name = leading_word(rest);
            let Some(open) = body_start(rest).filter(|_| !name.is_empty()) else { continue };
            let body = &rest[open + 1..closing_brace(rest, open)];
            let lines = body.lines().filter(|line| !line.trim().is_empty()).count();
            if lines > FUNCTION_LINES_MAX {
                found.push(format!("{}: `{name}` has {lines} lines", file.place(at)));
            }
        }
    }
    found
}

/// The brace after a signature; `None` when the signature ends without a body.
fn body_start(signature: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let end = signature.find(|letter| {
        depth += i32::from(matches!(letter, '(' | '[')) - i32::from(matches!(letter, ')' | ']'));
        depth == 0 && matches!(letter, '{' | ';')
    })?;
    signature[end..].starts_with('{').then_some(end)
}

fn without_first_line(files: &[Source]) -> Vec<String> {
    let says_its_job = |file: &Source| {
        file.text
            .strip_prefix("//! ")
            .and_then(|rest| rest.lines().next())
            .is_some_and(|sentence| sentence.split_whitespace().count() > 1)
    };
    files.iter().filter(|file| !says_its_job(file)).map(|file| file.path.clone()).collect()
}

/// `#[ignore…]` without a reason that begins with "needs".
fn silent_ignores(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for at in words(&file.code, "ignore") {
            let start = file.code[..at].rfind("#[").unwrap_or(at);
            if file.code[start..at].contains(']') || start == at {
                continue;
            }
            let end = at + file.code[at..].find(']').unwrap_or(0);
            let reasoned = file
                .literals
                .iter()
                .any(|(place, text)| (at..end).contains(place) && text.starts_with("needs "));
            if !reasoned {
                found.push(file.place(at));
            }
        }
    }
    found
}

fn left_behind(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for name in ["todo", "unimplemented", "dbg"] {
            let uses =
                words(&file.code, name).filter(|at| file.code[at + name.len()..].starts_with('!'));
            found.extend(uses.map(|at| format!("{}: {name}!", file.place(at))));
        }
    }
    found
}

#[test]
fn no_file_is_longer_than_500_lines() {
    demand(&long_files(sources()), "one file, one job: split it");
}

#[test]
fn no_function_is_longer_than_70_lines() {
    demand(&long_functions(sources()), "a function is read at one glance: give its steps names");
}

#[test]
fn every_file_says_its_job_in_its_first_line() {
    demand(
        &without_first_line(sources()),
        "begin the file with `//! ` and a sentence that says which job it has",
    );
}

#[test]
fn an_ignored_test_says_what_it_needs() {
    demand(
        &silent_ignores(sources()),
        "write #[ignore = \"needs Mosquitto; cargo xtask ci runs it\"], with the tool that is missing elsewhere; a test \
         is ignored for nothing else",
    );
}

#[test]
fn nothing_unfinished_is_left_behind() {
    demand(&left_behind(sources()), "write it or take it away");
}

#[test]
fn what_is_too_long_is_noticed() {
    let body = |lines: usize| "    step(); // a } in a comment\n\n".repeat(lines);
    let function =
        |lines: usize| format!("fn f<'a>(x: [u8; 2], open: char)\nwhere\n{{\n{}}}", body(lines));
    let check = |text: &str| long_functions(&[Source::new("x/src/a.rs", text)]);
    assert!(check(&function(70)).is_empty());
    noticed(&check(&function(71)), "`f` has 71 lines");
    noticed(&check(&format!("trait T {{ fn g(&self); }} {}", function(71))), "`f`");
    assert!(check(&format!("#[cfg(test)] mod tests {{ {} }}", function(71))).is_empty());

    let file = |lines: usize| [Source::new("x/src/a.rs", &"a\n".repeat(lines))];
    assert!(long_files(&file(500)).is_empty());
    noticed(&long_files(&file(501)), "501 lines");
}

#[test]
fn a_file_without_a_job_is_noticed() {
    let check = |text: &str| without_first_line(&[Source::new("x/src/a.rs", text)]);
    assert!(check("//! Reads frames.\n").is_empty());
    for bad in ["", "// Reads frames.\n", "use a;\n//! Reads frames.\n", "//! \nfn a() {}"] {
        noticed(&check(bad), "x/src/a.rs");
    }
}

#[test]
fn what_is_ignored_in_silence_or_left_behind_is_noticed() {
    let ignores = |text: &str| silent_ignores(&[Source::new("x/tests/it/a.rs", text)]);
    assert!(
        ignores("#[ignore = \"needs root; cargo xtask ci runs it\"] fn a() {} // #[ignore]")
            .is_empty()
    );
    assert!(ignores("#[test] fn ignore() {} let x = \"#[ignore]\";").is_empty());
    for bad in [
        "#[ignore]",
        "#[ignore = \"flaky\"]",
        "#[cfg_attr(unix, ignore)]",
        "#[ignore = \"slow\"] f(\"needs \")",
    ] {
        noticed(&ignores(bad), "x/tests/it/a.rs:1");
    }
    let left = |text: &str| left_behind(&[Source::new("x/src/a.rs", text)]);
    assert!(left("// todo!()\nfn todo() {} let s = \"dbg!\";").is_empty());
    noticed(&left("fn a() { todo!() }"), "todo!");
    noticed(&left("fn a() {\n unimplemented!(\"b\") }"), "a.rs:2");
    noticed(&left("dbg!(1)"), "dbg!");
}
