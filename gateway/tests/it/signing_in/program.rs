//! The program at the machine: accounts by its commands, secrets from standard input and in no list of arguments.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ecmo_gateway::people::{Role, edit};

/// Runs `ecmo-gateway people`; exit code and what it said.
fn people(arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ecmo-gateway"))
        .arg("people")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that asks for nothing may be gone already.
    let _gone = child.stdin.take().unwrap().write_all(input.as_bytes()).is_err();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn check(settings: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecmo-gateway"));
    let output = command.args(["check", "--config"]).arg(settings).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn accounts_are_kept_by_commands_and_passwords_come_from_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("gateway.toml");
    std::fs::write(&settings, "[state]\ndir = \"s\"\n[people]\naccounts = \"people.toml\"\n")
        .unwrap();
    let (code, said) = check(&settings);
    assert!(code == Some(2) && said.contains("people.toml"), "nobody could sign in: {said}");
    let place = ["--config", settings.to_str().unwrap()];
    let run = |arguments: &[&str], input: &str| people(&[arguments, &place].concat(), input);
    let (code, said) = run(&["add", "A. Nurse", "--role", "clinician"], "correct horse\n");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(run(&["set-pin"], "482915\n").0, Some(0));
    let (code, said) = run(&["list"], "");
    assert!(
        code == Some(0) && said.contains("clinician  A. Nurse") && said.contains("PIN: set"),
        "{said}"
    );
    assert!(!said.contains("argon2"), "{said}");
    let listed = edit::read(&dir.path().join("people.toml")).unwrap();
    assert_eq!(listed.listed().collect::<Vec<_>>(), [("A. Nurse", Role::Clinician)]);
    assert_eq!(check(&settings).0, Some(0));

    for (arguments, input, what) in [
        (vec!["add", "B", "--role", "clinician"], "short\n", "password"),
        (vec!["add", "B", "--role", "surgeon"], "correct horse\n", "clinician, biomed"),
        (vec!["set-pin"], "0000000\n", "digits"),
        (vec!["remove", "B"], "", "no account"),
    ] {
        let (code, said) = run(&arguments, input);
        assert!(code == Some(2) && said.contains(what), "{arguments:?}: {code:?} {said}");
    }
    assert_eq!(run(&["remove", "a. nurse"], "").0, Some(0));
    assert_eq!(run(&["remove-pin"], "").0, Some(0));
    let (_, said) = run(&["list"], "");
    assert!(!said.contains("Nurse") && said.contains("PIN: none"), "{said}");
}
