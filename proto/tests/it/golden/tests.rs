//! Compares the recordings of every release with the values they were made from.

use std::fs;
use std::path::PathBuf;

use super::{Golden, file, releases, to_hex};

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| u8::try_from(letter.to_digit(16).expect("a hexadecimal digit")).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn recorded(release: &str, name: &str) -> Vec<u8> {
    let file = file(release, name);
    from_hex(&fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!("{}: {error}; run `cargo run -p ecmo-proto --example golden`", file.display())
    }))
}

/// What has changed since the bytes were recorded; `None` when nothing has.
fn change(expected: &Golden, bytes: &[u8]) -> Option<String> {
    match expected.decode_alike(bytes) {
        Err(error) => Some(format!("no longer decodes: {error}")),
        Ok(decoded) if decoded != *expected => {
            Some(format!("decodes to {decoded:#?}\ninstead of {expected:#?}"))
        }
        Ok(_) => {
            let encoded = expected.encode();
            (encoded != bytes)
                .then(|| format!("encodes to\n{}instead of\n{}", to_hex(&encoded), to_hex(bytes)))
        }
    }
}

#[test]
fn bytes_of_every_release_decode_to_their_values_and_encode_to_themselves() {
    for (release, messages) in releases() {
        for (name, expected) in messages {
            let change = change(&expected, &recorded(release, name));
            assert!(
                change.is_none(),
                "{name} of release {release} {}\nPrograms of that release are in use: undo the change of the contract.",
                change.unwrap_or_default()
            );
        }
    }
}

#[test]
fn every_recorded_file_is_checked() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut on_disk: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .flat_map(|release| fs::read_dir(release.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    let mut checked: Vec<PathBuf> = releases()
        .iter()
        .flat_map(|(release, messages)| messages.iter().map(|(name, _)| file(release, name)))
        .collect();
    on_disk.sort();
    checked.sort();
    assert_eq!(on_disk, checked);
}

#[test]
fn one_damaged_bit_in_a_recording_is_noticed() {
    for (release, messages) in releases() {
        for (name, expected) in messages {
            let bytes = recorded(release, name);
            for bit in 0..bytes.len() * 8 {
                let mut damaged = bytes.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(change(&expected, &damaged).is_some(), "bit {bit} of {name} of {release}");
            }
        }
    }
}

#[test]
fn the_version_being_built_has_golden_bytes() {
    let (newest, _) = releases().pop().unwrap();
    assert_eq!(newest, env!("CARGO_PKG_VERSION"), "record golden bytes of this version");
}
