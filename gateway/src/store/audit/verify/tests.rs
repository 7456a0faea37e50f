//! No change of a log passes: every byte, every line, every cut.

use std::fs;
use std::path::Path;

use super::super::files::{Found, Log, path_of};
use super::super::line::{Entry, Kind};
use super::*;

/// Two lines a file.
const FILE_MAX: u64 = 400;

const RECORDS: u64 = 5;

fn entry(number: u64) -> Entry {
    let mut entry = Entry::of_gateway(Kind::Acknowledge, "g", 5, format!("alarm {number}"));
    entry.by = "A. Nurse".to_owned();
    entry
}

/// A log of several files, closed.
fn log_in(dir: &Path) -> u64 {
    let (mut log, found) = Log::open(dir, FILE_MAX, 0).unwrap();
    assert_eq!(found, Found::Whole);
    for number in 1..=RECORDS {
        log.append(&[entry(number)]).unwrap();
    }
    log.note_head().unwrap();
    log.last_number()
}

/// A log and the bytes of its files.
fn written() -> (tempfile::TempDir, Vec<(PathBuf, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(log_in(folder.path()), RECORDS);
    let files: Vec<_> = indices(folder.path())
        .unwrap()
        .into_iter()
        .map(|index| path_of(folder.path(), index))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    assert!(files.len() >= 3, "{}", files.len());
    (folder, files)
}

#[test]
fn a_log_over_several_files_is_one_chain_and_goes_on_after_a_restart() {
    let (folder, files) = written();
    let sound = verify(folder.path()).unwrap();
    assert_eq!((sound.records, sound.files, sound.broken), (RECORDS, files.len(), None));
    let (mut log, found) = Log::open(folder.path(), FILE_MAX, 0).unwrap();
    assert_eq!((found, log.last_number()), (Found::Whole, RECORDS));
    log.append(&[entry(RECORDS + 1), entry(RECORDS + 2)]).unwrap();
    let sound = verify(folder.path()).unwrap();
    assert_eq!((sound.records, sound.broken), (RECORDS + 2, None));
    let mut read = Vec::new();
    super::super::read_after(folder.path(), 4, |number, entry| read.push((number, entry.details)))
        .unwrap();
    let expected: Vec<_> = (5..=7).map(|number| (number, format!("alarm {number}"))).collect();
    assert_eq!(read, expected);
}

#[test]
fn no_changed_byte_of_any_file_passes() {
    let (folder, files) = written();
    for (path, bytes) in &files {
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(path, &changed).unwrap();
            let checked = verify(folder.path()).unwrap();
            let broken = checked.broken.unwrap_or_else(|| panic!("byte {at} passed"));
            let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!((&broken.path, broken.line), (path, line), "byte {at}: {broken:?}");
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(verify(folder.path()).unwrap().broken, None);
}

#[test]
fn no_cut_passes_but_a_torn_line_at_the_very_end_which_is_told() {
    let (folder, files) = written();
    let last = files.len() - 1;
    for (number, (path, bytes)) in files.iter().enumerate() {
        for end in 0..bytes.len() {
            fs::write(path, &bytes[..end]).unwrap();
            let checked = verify(folder.path()).unwrap();
            // The witness knows of every line that was there: a line that is cut off, or torn, is missed.
            assert!(checked.broken.is_some(), "file {number} cut at {end}");
            fs::remove_file(folder.path().join("head")).unwrap();
            let alone = verify(folder.path()).unwrap();
            if number == last {
                let torn =
                    end - bytes[..end].iter().rposition(|it| *it == b'\n').map_or(0, |at| at + 1);
                assert_eq!((alone.torn_bytes, &alone.broken), (torn, &None), "cut at {end}");
            } else {
                assert!(alone.broken.is_some(), "file {number} cut at {end}");
            }
            // A start cuts what is torn, and the log is whole again.
            if number == last {
                let (mut log, found) = Log::open(folder.path(), FILE_MAX, 0).unwrap();
                assert_eq!(matches!(found, Found::Torn(_)), alone.torn_bytes > 0, "cut at {end}");
                log.append(&[entry(99)]).unwrap();
                assert_eq!(verify(folder.path()).unwrap().broken, None, "cut at {end}");
                for index in indices(folder.path()).unwrap().into_iter().skip(files.len()) {
                    fs::remove_file(path_of(folder.path(), index)).unwrap();
                }
            }
            fs::write(path, bytes).unwrap();
            let (log, _found) = Log::open(folder.path(), FILE_MAX, 0).unwrap();
            log.note_head().unwrap();
        }
    }
}

#[test]
fn no_line_or_file_is_removed_doubled_or_moved_unseen() {
    let (folder, files) = written();
    for (path, bytes) in &files {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let mut variants = Vec::new();
        for at in 0..lines.len() {
            let mut without = lines.clone();
            without.remove(at);
            let mut doubled = lines.clone();
            doubled.insert(at, lines[at]);
            variants.extend([without, doubled]);
            if at > 0 {
                let mut moved = lines.clone();
                moved.swap(at - 1, at);
                variants.push(moved);
            }
        }
        for variant in variants {
            fs::write(path, variant.concat()).unwrap();
            assert!(verify(folder.path()).unwrap().broken.is_some(), "{}", path.display());
        }
        fs::remove_file(path).unwrap();
        assert!(verify(folder.path()).unwrap().broken.is_some(), "without {}", path.display());
        fs::write(path, bytes).unwrap();
    }
    let (first, second) = (&files[0], &files[1]);
    fs::write(&first.0, &second.1).unwrap();
    fs::write(&second.0, &first.1).unwrap();
    assert!(verify(folder.path()).unwrap().broken.is_some(), "files exchanged");
}

#[test]
fn a_damaged_log_is_left_as_it_is_and_goes_on_behind_it_with_new_numbers() {
    let (folder, files) = written();
    let (path, bytes) = files.last().unwrap();
    let mut damaged = bytes.clone();
    damaged[20] ^= 1;
    fs::write(path, &damaged).unwrap();
    let (mut log, found) = Log::open(folder.path(), FILE_MAX, 0).unwrap();
    assert!(matches!(found, Found::Damaged(_)), "{found:?}");
    log.append(&[entry(100)]).unwrap();
    assert!(log.last_number() >= RECORDS, "no number is given twice: {}", log.last_number());
    assert_eq!(fs::read(path).unwrap(), damaged);
    let broken = verify(folder.path()).unwrap().broken.unwrap();
    assert_eq!((&broken.path, broken.line), (path, 1));
    // What stands behind the damage is still done again.
    let mut read = Vec::new();
    super::super::read_after(folder.path(), RECORDS - 1, |_, entry| read.push(entry.details))
        .unwrap();
    assert!(read.contains(&"alarm 100".to_owned()), "{read:?}");
}

#[test]
fn a_log_that_is_gone_is_not_written_to_nowhere_and_its_numbers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("audit");
    let (mut log, _) = Log::open(&dir, FILE_MAX, 0).unwrap();
    log.append(&[entry(1), entry(2)]).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "").unwrap();
    assert!(log.append(&[entry(3)]).is_err(), "an open file that has no name any longer");
    fs::remove_file(&dir).unwrap();
    log.append(&[entry(3)]).unwrap();
    assert_eq!(log.last_number(), 3);
    assert!(verify(&dir).unwrap().broken.is_some(), "what is gone is missed");
    drop(log);
    fs::remove_dir_all(&dir).unwrap();
    let (mut log, _) = Log::open(&dir, FILE_MAX, 3).unwrap();
    log.append(&[entry(4)]).unwrap();
    assert_eq!(log.last_number(), 4, "what the state store has applied does not seem new");
}

#[test]
fn a_failed_write_leaves_nothing_and_the_next_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), FILE_MAX, 0).unwrap();
    log.append(&[entry(1)]).unwrap();
    log.write_half(&[1; 30]).unwrap();
    log.append(&[entry(2)]).unwrap();
    let sound = verify(folder.path()).unwrap();
    assert_eq!((sound.records, sound.torn_bytes, sound.broken), (2, 0, None));
}
