//! The order of modules in `lib.rs` is the order in which data flows: a module uses only earlier ones.

use std::collections::BTreeMap;

use super::source::{Source, closing_brace, files, leading_word, sources, words};
use super::{demand, noticed};

/// The modules that one crate root declares, in order, and what it exports again from them.
struct Root<'a> {
    file: &'a Source,
    modules: Vec<String>,
    exported: BTreeMap<String, String>,
}

impl<'a> Root<'a> {
    fn new(file: &'a Source) -> Self {
        let mut exported = BTreeMap::new();
        for at in words(&file.shipped, "use") {
            let statement = &file.shipped[at + 3..];
            let tree = &statement[..statement.find(';').unwrap_or(statement.len())];
            let tree = tree.trim().trim_start_matches("crate::").trim_start_matches("self::");
            let names = tree.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            for name in names.skip(1).filter(|name| !name.is_empty()) {
                exported.insert(name.to_owned(), leading_word(tree).to_owned());
            }
        }
        Self { file, modules: modules(&file.shipped), exported }
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|each| each == module)
    }

    /// The module that a name at the crate root stands for.
    fn owner(&self, name: &str) -> Option<usize> {
        self.place(name).or_else(|| self.place(self.exported.get(name)?))
    }
}

/// Names after `mod` outside all braces.
fn modules(code: &str) -> Vec<String> {
    let mut inside = 0;
    let mut found = Vec::new();
    for at in words(code, "mod") {
        if at < inside {
            continue;
        }
        let name = leading_word(&code[at + 3..]);
        let after = code[at + 3..].trim_start()[name.len()..].trim_start();
        if after.starts_with('{') {
            inside = closing_brace(code, at + code[at..].find('{').unwrap_or(0));
        }
        if after.starts_with(['{', ';']) {
            found.push(name.to_owned());
        }
    }
    found
}

/// What a file names of its crate's root, with the place: `crate::a`, `crate::{a, b}`, `super::a` where that is the root.
fn root_names(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let supers = "super::".repeat(depth);
    let starts = words(code, "crate")
        .map(|at| (at, "crate::".len()))
        .filter(|(at, _)| code[*at..].starts_with("crate::"))
        .chain(words(code, "super").filter_map(|at| {
            let alone = !code[..at].ends_with("super::");
            (alone && code[at..].starts_with(&supers)).then_some((at, supers.len()))
        }));
    for (at, length) in starts {
        let rest = &code[at + length..];
        if rest.starts_with("super::") {
            continue;
        }
        if rest.starts_with('{') {
            let group = &rest[1..closing_brace(rest, 0)];
            found.extend(group_heads(group).map(|name| (at, name.to_owned())));
        } else if rest.starts_with('*') {
            found.push((at, "*".to_owned()));
        } else {
            found.push((at, leading_word(rest).to_owned()));
        }
    }
    found
}

/// First words of `a::b, c::{d, e}, f`.
fn group_heads(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    group
        .split(move |letter| {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            letter == ',' && depth == 0
        })
        .map(leading_word)
        .filter(|name| !name.is_empty())
}

/// Wrong uses within one crate; `folder` is its `src/`, `files` are the files below it.
fn check(folder: &str, files: &[&Source]) -> Vec<String> {
    let is_root =
        |path: &str| path == format!("{folder}lib.rs") || path == format!("{folder}main.rs");
    let roots: Vec<Root<'_>> =
        files.iter().filter(|file| is_root(&file.path)).map(|file| Root::new(file)).collect();
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| !is_root(&file.path)) {
        let inner = file.path.trim_start_matches(folder).trim_end_matches(".rs");
        let levels: Vec<&str> = inner.split('/').filter(|level| *level != "mod").collect();
        let module = levels[0];
        if module == "bin" {
            continue;
        }
        let Some((root, own)) = roots.iter().find_map(|root| Some((root, root.place(module)?)))
        else {
            wrong.push(format!("{}: no `mod {module};` declares it", file.path));
            continue;
        };
        for (at, name) in root_names(&file.shipped, levels.len()) {
            match root.owner(&name) {
                Some(used) if used <= own => {}
                Some(_) => wrong.push(format!(
                    "{}: `{module}` uses `{name}`, which {} declares later",
                    file.place(at),
                    root.file.path
                )),
                None => wrong.push(format!(
                    "{}: `{module}` uses `{name}` of {}, which comes after all modules",
                    file.place(at),
                    root.file.path
                )),
            }
        }
    }
    wrong
}

#[test]
fn a_module_uses_only_modules_that_are_declared_before_it() {
    let mut wrong = Vec::new();
    let mut crates = 0;
    for manifest in files("", &["toml"]).iter().filter(|path| path.ends_with("/Cargo.toml")) {
        let folder = manifest.replace("Cargo.toml", "src/");
        let files: Vec<&Source> =
            sources().iter().filter(|file| file.path.starts_with(&folder)).collect();
        crates += usize::from(!files.is_empty());
        wrong.extend(check(&folder, &files));
    }
    assert!(crates >= 9, "only {crates} crates were found");
    demand(
        &wrong,
        "data flows one way. Hand the thing over from the later module, move what both need to an earlier one, or, \
         when the order in lib.rs is not the order of the data, correct that",
    );
}

#[test]
fn a_use_against_the_order_is_noticed() {
    let root = "pub mod clock;\n\npub mod ingest;\n\npub mod fanout;\npub use fanout::Display;\npub fn run() {}\n\
                #[cfg(test)] mod later { mod nested; }";
    let check_one = |path: &str, text: &str| {
        let files = [Source::new("x/src/lib.rs", root), Source::new(path, text)];
        check("x/src/", &files.iter().collect::<Vec<_>>())
    };
    for fine in
        ["use crate::clock::Clock;", "use crate::{clock, ingest::Bytes};", "use super::clock;"]
    {
        assert_eq!(check_one("x/src/ingest.rs", fine), Vec::<String>::new(), "{fine}");
    }
    for backward in [
        "use crate::fanout::Fanout;",
        "fn f() { crate::fanout::send() }",
        "use crate::{clock::{self, Clock}, fanout};",
        "use super::fanout;",
        "use crate::Display;",
    ] {
        noticed(&check_one("x/src/ingest.rs", backward), "declares later");
    }
    noticed(&check_one("x/src/ingest/session.rs", "use super::super::fanout::Fanout;"), "later");
    noticed(&check_one("x/src/ingest.rs", "use crate::run;"), "after all modules");
    noticed(&check_one("x/src/ingest.rs", "use super::*;"), "after all modules");
    noticed(&check_one("x/src/orphan.rs", ""), "no `mod orphan;`");
    assert_eq!(check_one("x/src/ingest/session.rs", "use super::Queue;"), Vec::<String>::new());
    let test_only = "#[cfg(test)] mod tests { use crate::fanout::Fanout; }";
    assert_eq!(check_one("x/src/ingest.rs", test_only), Vec::<String>::new());
}
