//! Reads the source tree; blanks what is no code, so that a word in a comment or a text is never taken for code.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// One Rust file. The three texts have the same length and lines.
pub(super) struct Source {
    /// From the root of the project, with `/`.
    pub(super) path: String,
    /// As it is.
    pub(super) text: String,
    /// Comments, texts and characters blanked.
    pub(super) code: String,
    /// As `code`, with tests blanked too: what runs at a bedside.
    pub(super) shipped: String,
    /// The texts, with the place of their first quote.
    pub(super) literals: Vec<(usize, String)>,
    /// Where its tests are.
    tests: Vec<Range<usize>>,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, literals) = mask(text);
        let whole = 0..code.len();
        let tests = if is_test(path) { vec![whole] } else { test_items(&code) };
        let mut shipped = code.clone();
        for range in &tests {
            shipped.replace_range(range.clone(), &blank(&code[range.clone()]));
        }
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped, literals, tests }
    }

    /// Whether a place lies outside all tests.
    pub(super) fn is_shipped(&self, at: usize) -> bool {
        !self.tests.iter().any(|range| range.contains(&at))
    }

    /// `path:line` of a place, for a message.
    pub(super) fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path, self.text[..at].matches('\n').count() + 1)
    }
}

/// The root of the project.
pub(super) fn root() -> PathBuf {
    let gateway = Path::new(env!("CARGO_MANIFEST_DIR"));
    gateway.parent().expect("the gateway lies in the project").to_owned()
}

/// Every Rust file that people write.
pub(super) fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let files = files("", &["rs"]);
        assert!(
            files.len() > 20,
            "only {} Rust files found below {}",
            files.len(),
            root().display()
        );
        files.iter().map(|path| Source::new(path, &read(path))).collect()
    })
}

/// The text of a file that must exist.
pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Files below a folder by extension, sorted; without what programs made.
pub(super) fn files(folder: &str, extensions: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !matches!(name, "target" | "node_modules" | "gen" | ".git" | "dist") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

fn is_test(path: &str) -> bool {
    ["/tests/", "/benches/", "/examples/"].iter().any(|folder| path.contains(folder))
        || path.ends_with("/tests.rs")
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Places of a word that stands alone.
pub(super) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let alone = move |at: &usize| {
        let before = code[..*at].bytes().next_back();
        let after = code[at + word.len()..].bytes().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    };
    code.match_indices(word).map(|(at, _)| at).filter(alone)
}

/// The word that begins at the first letter of a text.
pub(super) fn leading_word(text: &str) -> &str {
    let text = text.trim_start();
    &text[..text.bytes().position(|byte| !is_word(byte)).unwrap_or(text.len())]
}

/// Where the brace that opens at `open` is closed.
pub(super) fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    code.len()
}

fn blank(code: &str) -> String {
    code.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }).collect()
}

/// Every item marked `#[cfg(test)]` or `#[cfg(all(test, …))]`; a whole file marked so within.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("[cfg(") {
        let attribute_end = start + code[start..].find(']').unwrap_or(0);
        let condition = &code[start..attribute_end];
        if words(condition, "test").next().is_none() || words(condition, "not").next().is_some() {
            continue;
        }
        if code[..start].ends_with("#!") {
            found.push(0..code.len());
            continue;
        }
        let item = &code[attribute_end..];
        let end = match item.find(['{', ';']) {
            Some(at) if item[at..].starts_with('{') => closing_brace(code, attribute_end + at) + 1,
            Some(at) => attribute_end + at + 1,
            None => code.len(),
        };
        found.push(start - 1..end.min(code.len()));
    }
    found
}

/// Blanks comments, texts and characters; returns the texts beside.
fn mask(text: &str) -> (String, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let mut code: Vec<u8> = bytes.to_vec();
    let mut literals = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let after_word = start > 0 && is_word(bytes[start - 1]);
        if text.as_bytes()[at..].starts_with(b"//") {
            at = find(bytes, at, b"\n");
        } else if bytes[at..].starts_with(b"/*") {
            at = comment_end(bytes, at);
        } else if let Some((open, close)) = raw_text(bytes, at).filter(|_| !after_word) {
            let end = find(bytes, open, &close);
            literals.push((start, text[open..end].to_owned()));
            at = (end + close.len()).min(bytes.len());
        } else if bytes[at] == b'"' {
            at = quoted_end(bytes, at, b'"');
            literals.push((start, text[start + 1..(at - 1).max(start + 1)].to_owned()));
        } else if let Some(end) = character_end(text, at) {
            at = end;
        } else {
            at += 1;
            continue;
        }
        code[start..at].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    // Offsets are bytes: a letter outside ASCII, in code, becomes as many places as it has bytes.
    code.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = b'?');
    (String::from_utf8(code).expect("only ASCII is left"), literals)
}

fn find(bytes: &[u8], from: usize, wanted: &[u8]) -> usize {
    let found = bytes[from..].windows(wanted.len()).position(|window| window == wanted);
    found.map_or(bytes.len(), |at| from + at)
}

fn comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// For `r"`, `r#"`, `br#"`, `cr"`: where the text begins and what ends it.
fn raw_text(bytes: &[u8], start: usize) -> Option<(usize, Vec<u8>)> {
    let prefix = usize::from(matches!(bytes[start], b'b' | b'c'));
    if bytes.get(start + prefix) != Some(&b'r') {
        return None;
    }
    let hashes = bytes[start + prefix + 1..].iter().take_while(|byte| **byte == b'#').count();
    let quote = start + prefix + 1 + hashes;
    let close = [b"\"".as_slice(), "#".repeat(hashes).as_bytes()].concat();
    (bytes.get(quote) == Some(&b'"')).then_some((quote + 1, close))
}

fn quoted_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The end of a character such as `'{'` or `'\''`; `None` for a lifetime.
fn character_end(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?.strip_prefix('\'')?;
    if rest.starts_with('\\') {
        return Some(quoted_end(text.as_bytes(), start, b'\''));
    }
    let letter = rest.chars().next()?;
    rest[letter.len_utf8()..].starts_with('\'').then(|| start + letter.len_utf8() + 2)
}

#[test]
fn what_is_no_code_is_blanked_and_keeps_its_place() {
    for (text, code) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("b\"{", g)"#, r"f(      , g)"),
        (r###"f(r#"b"{"#, g)"###, "f(        , g)"),
        (r##"f(br"\", g)"##, "f(     , g)"),
        ("r#type = 1", "r#type = 1"),
        ("'{' 'a b<'a>", "    'a b<'a>"),
        (r"'\'' '\u{7b}' x", "              x"),
        ("'ä' x", "     x"),
        ("br", "br"),
    ] {
        assert_eq!(mask(text).0, code, "{text}");
    }
    assert_eq!(mask(r##"f("one", r#"two"#)"##).1, [(2, "one".into()), (9, "two".into())]);
}

#[test]
fn tests_are_no_shipped_code() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { {} } }\n#[cfg(all(test, unix))]\nuse c;\n#[cfg(not(test))]\nfn d() {}";
    let source = Source::new("agent/src/x.rs", text);
    let left: Vec<&str> = source.shipped.split_whitespace().collect();
    assert_eq!(left.join(" "), "fn a() {} #[cfg(not(test))] fn d() {}");
    assert!(source.is_shipped(0) && !source.is_shipped(text.find("fn b").unwrap()));
    assert!(Source::new("agent/tests/it/x.rs", text).shipped.trim().is_empty());
    assert!(
        Source::new("agent/src/x.rs", "//! A.\n#![cfg(test)]\nfn a() {}").shipped.trim().is_empty()
    );
}
