//! The program as a person calls it: what it prints and with which code it ends.

use std::path::Path;
use std::process::{Command, Output};

use crate::tables::{HARMLESS, STOPPED, console, write};

fn score(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecmo-score")).args(arguments).output().unwrap()
}

fn recordings(folder: &Path) -> (Option<i32>, String, String) {
    let output = score(&["--recordings", &folder.to_string_lossy()]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_exit_code_tells_reached_from_missed_from_impossible() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "stop", &console(180, 120, 1_000), STOPPED);
    let (code, out, err) = recordings(folder.path());
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("Every target is reached.") && err.contains("notice: "), "{out}{err}");

    // Nothing stops, and yet something had to be said; and what is called harmless is not.
    write(folder.path(), "nothing", &console(180, 1_000, 1_000), STOPPED);
    write(folder.path(), "wrong", &console(180, 120, 1_000), HARMLESS);
    let (code, out, err) = recordings(folder.path());
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("- pump.stop: nothing missed"), "{out}");
    assert!(out.contains("false alarm: wrong at 121.010 s: pump.stop (high)"), "{out}");

    write(folder.path(), "broken", "t_s,press.drain\n0,1\n1,x\n", HARMLESS);
    let (code, out, err) = recordings(folder.path());
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("broken.csv:3: press.drain: \"x\" is no number"), "{err}");
}

#[test]
fn one_run_is_told_moment_by_moment() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "stop", &console(180, 120, 1_000), STOPPED);
    let output = score(&["--recordings", &folder.path().to_string_lossy(), "--explain", "stop"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for words in ["120.010 s  --- true onset", "ALARM pump.stop Raised, high", "outcome: Caught"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn wrong_arguments_are_refused_with_the_usage() {
    for arguments in [["--fault", "pump_stop"], ["--runs", "0"], ["--explain", "99999"]] {
        let output = score(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}
