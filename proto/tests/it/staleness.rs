//! The generated Rust that is checked in is what the `.proto` files say today.

use std::fs;
use std::path::{Path, PathBuf};

use crate::generation;

const COMMAND: &str = "cargo xtask generate";

/// Files whose bytes differ, or that only one of the two folders has.
fn stale_files(checked_in: &Path, fresh: &Path) -> Vec<String> {
    let mut names: Vec<_> = names(checked_in).into_iter().chain(names(fresh)).collect();
    names.sort();
    names.dedup();
    names.retain(|name| fs::read(checked_in.join(name)).ok() != fs::read(fresh.join(name)).ok());
    names
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn generated_code_is_what_the_proto_files_say() {
    let fresh = scratch("generated");
    generation::generate(&fresh).expect("the .proto files compile");
    let stale = stale_files(&generation::source_dir().join("src/gen"), &fresh);
    assert!(stale.is_empty(), "proto/src/gen is stale: {stale:?}. Run `{COMMAND}` and commit it.");
}

#[test]
fn one_other_byte_or_a_file_too_many_is_stale() {
    let (left, right) = (scratch("stale-left"), scratch("stale-right"));
    for folder in [&left, &right] {
        fs::write(folder.join("same.rs"), "same").unwrap();
        fs::write(folder.join("changed.rs"), "one").unwrap();
    }
    fs::write(right.join("changed.rs"), "two").unwrap();
    fs::write(right.join("new.rs"), "").unwrap();
    assert_eq!(stale_files(&left, &right), ["changed.rs", "new.rs"]);
}
