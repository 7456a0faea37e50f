//! The documents: those that exist, what they link to, and that every promised number names what holds it.

use std::collections::BTreeSet;
use std::fs;

use super::source::{Source, files, leading_word, read, root, sources, words};
use super::{demand, noticed};

/// Traps of the reference on the field.
const TRAPS: u8 = 16;

const SPECIFICATION: &str = "gateway/docs/specification.md";

/// Where readers are sent.
const DOCUMENTS: [&str; 5] =
    ["README.md", "LICENSE", "proto/README.md", "gateway/docs/architecture.md", SPECIFICATION];

/// The parts of the project, and what tools demand at the top.
const TOP_LEVEL: [&str; 15] = [
    "Cargo.toml",
    "proto",
    "gateway",
    "agent",
    "deploy",
    "dashboards",
    "README.md",
    "Cargo.lock",
    "LICENSE",
    ".gitignore",
    ".cargo",
    ".clippy.toml",
    ".rustfmt.toml",
    ".ci",
    ".github",
];

/// What git, builds and editors leave there on a person's own machine.
const TOLERATED: [&str; 5] = [".git", "target", ".idea", ".vscode", ".DS_Store"];

/// Programs whose call may hold a promise.
const COMMANDS: [&str; 4] = ["cargo xtask ", "cargo bench ", "cargo test ", "cargo clippy "];

fn strangers(names: &[String]) -> Vec<String> {
    let known = |name: &str| TOP_LEVEL.contains(&name) || TOLERATED.contains(&name);
    names.iter().filter(|name| !known(name)).cloned().collect()
}

/// Names of functions that check something: in tests, benches, or test modules beside the code.
fn checking_functions(files: &[Source]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files {
        for at in words(&file.code, "fn") {
            if !file.is_shipped(at) {
                found.insert(leading_word(&file.code[at + 2..]).to_owned());
            }
        }
    }
    found
}

/// Rows of tables whose last column is "held by", with their line number.
fn held_rows(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut rows = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(row) = line.trim().strip_prefix('|') else {
            inside = false;
            continue;
        };
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        let last = cells.last().copied().unwrap_or_default();
        if last.eq_ignore_ascii_case("held by") {
            inside = true;
        } else if inside
            && !(last.contains('-') && last.chars().all(|letter| matches!(letter, '-' | ':')))
        {
            rows.push((number, cells));
        }
    }
    rows
}

/// Rows whose last column names neither a check that exists nor "none".
fn unheld_rows(text: &str, checks: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (line, cells) in held_rows(text) {
        let holder = cells.last().copied().unwrap_or_default();
        let names: Vec<&str> = holder.split('`').skip(1).step_by(2).collect();
        if cells.len() < 3 || (names.is_empty() && !holder.starts_with("none")) {
            wrong.push(format!(
                "line {line}: names neither a test, a bench nor \"none\": {holder:?}"
            ));
        }
        let exists = |name: &str| {
            let function = name.rsplit("::").next().unwrap_or(name);
            checks.contains(function)
                || COMMANDS.iter().any(|command| format!("{name} ").starts_with(command))
        };
        let missing = names.into_iter().filter(|name| !exists(name));
        wrong.extend(missing.map(|name| format!("line {line}: `{name}` does not exist")));
    }
    wrong
}

/// Targets of relative links in Markdown.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = |target: &&str| !target.contains("://") && !target.starts_with(['#', '<']);
    targets.filter(local).map(|target| target.split('#').next().unwrap_or(target))
}

#[test]
fn the_top_level_holds_the_seven_parts_and_what_tools_demand() {
    let entries = fs::read_dir(root()).unwrap();
    let names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    demand(
        &strangers(&names),
        "everything finds its home in proto, gateway, agent, deploy or dashboards; move these",
    );
}

#[test]
fn the_documents_that_readers_are_sent_to_exist() {
    let missing: Vec<String> = DOCUMENTS
        .iter()
        .filter(|path| {
            fs::read_to_string(root().join(path)).map_or(true, |text| text.trim().is_empty())
        })
        .map(|path| (*path).to_owned())
        .collect();
    demand(&missing, "write these documents");
}

#[test]
fn every_link_in_a_document_leads_somewhere() {
    let mut broken = Vec::new();
    for path in files("", &["md"]) {
        let folder = root().join(&path).parent().unwrap().to_owned();
        let text = read(&path);
        let dead = links(&text).filter(|target| !folder.join(target).exists());
        broken.extend(dead.map(|target| format!("{path}: {target}")));
    }
    demand(&broken, "correct these links");
}

#[test]
fn every_promised_number_names_the_test_or_bench_that_holds_it() {
    let Ok(text) = fs::read_to_string(root().join(SPECIFICATION)) else {
        panic!("write {SPECIFICATION}: a table with the columns promise | value | held by");
    };
    assert!(
        !held_rows(&text).is_empty(),
        "{SPECIFICATION} has no row in a table promise | value | held by"
    );
    demand(
        &unheld_rows(&text, &checking_functions(sources())),
        "in gateway/docs/specification.md, name in backticks the test or bench function, or the command, that holds the \
         number; or write \"none\" and why",
    );
}

#[test]
fn every_threat_and_hazard_names_tests_that_exist_or_says_none() {
    let checks = checking_functions(sources());
    for document in ["deploy/docs/hazards.md", "deploy/docs/threat-model.md"] {
        let text = read(document);
        assert!(held_rows(&text).len() > 5, "{document} is not read as it is written");
        demand(&unheld_rows(&text, &checks), &format!("in {document}, name what holds it"));
    }
}

#[test]
fn a_stranger_at_the_top_is_noticed() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert!(strangers(&names(&["Cargo.toml", "target", ".git"])).is_empty());
    noticed(&strangers(&names(&["gateway", "notes.txt"])), "notes.txt");
}

#[test]
fn a_promise_that_nothing_holds_is_noticed() {
    let files = [
        Source::new("x/src/a.rs", "fn shipped() {}\n#[cfg(test)] mod t { #[test] fn beside() {} }"),
        Source::new("x/tests/it/b.rs", "#[test] fn silence_is_noticed() {}"),
    ];
    let checks = checking_functions(&files);
    let check = |holder: &str| {
        unheld_rows(
            &format!("| promise | value | held by |\n|---|---:|---|\n| a | 1 s | {holder} |\n"),
            &checks,
        )
    };
    for fine in [
        "`beside`",
        "`it::b::silence_is_noticed`",
        "none: needs hardware",
        "`cargo xtask bench latency`",
        "`beside`, `cargo bench -p x`",
    ] {
        assert_eq!(check(fine), Vec::<String>::new(), "{fine}");
    }
    for (bad, reason) in [
        ("", "names neither"),
        ("beside", "names neither"),
        ("`shipped`", "does not exist"),
        ("`gone`", "does not exist"),
        ("`beside` and `gone`", "`gone` does not exist"),
        ("`rm -r`", "does not exist"),
    ] {
        noticed(&check(bad), reason);
    }
    assert!(held_rows("| a | b |\n|---|---|\n| 1 | 2 |").is_empty());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text = "[a](b.md) [c](https://example.org) [d](#e) [f](g/h.md#i) ![j](k.png)";
    assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "g/h.md", "k.png"]);
}

/// Faults and traps whose row does not name a test that bears their number.
fn unnumbered(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut traps = BTreeSet::new();
    for (line, cells) in held_rows(text) {
        let (promise, holder) = (cells.first(), cells.last().copied().unwrap_or_default());
        let Some((numbers, _rest)) = promise.and_then(|promise| promise.split_once(':')) else {
            continue;
        };
        for number in numbers.split(", ") {
            let (kind, digits) = match number.strip_prefix('F') {
                Some(digits) => ("fault_f", digits),
                None => ("trap_", number),
            };
            let Ok(number) = digits.parse::<u8>() else { continue };
            let named = format!("{kind}{number:02}_");
            if kind == "trap_" {
                traps.insert(number);
            }
            if !holder.contains(&named) {
                wrong.push(format!("line {line}: no test `{named}...`"));
            }
        }
    }
    let missing = (1..=TRAPS).filter(|number| !traps.contains(number));
    wrong.extend(missing.map(|number| format!("trap {number} has no row")));
    wrong
}

#[test]
fn each_fault_and_each_trap_names_a_test_that_bears_its_number() {
    let text = read(SPECIFICATION);
    demand(&unnumbered(&text), "name a test of each fault and trap by its number");
    let row = |row: &str| format!("| promise | held by |\n|---|---|\n{row}\n");
    for wrong in
        ["| F7: x | `fault_f08_y` |", "| 3: x | `trap_13_y` |", "| F19, F20: x | `fault_f19_y` |"]
    {
        let found = unnumbered(&row(wrong));
        assert!(found.iter().any(|it| it.contains("line 3")), "{wrong}: {found:?}");
    }
}
