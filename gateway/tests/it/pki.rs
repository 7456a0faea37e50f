//! `ecmo-gateway pki` as a person uses it.
#![cfg(test)]

use std::process::Command;

fn pki(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecmo-gateway"));
    let output = command.arg("pki").args(arguments).output().unwrap();
    let said =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn certificates_for_a_trial_are_made_and_shown_and_none_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("pki").display().to_string();
    let dir = dir.as_str();
    let (code, said) = pki(&["agent", "nicu", "pump-1", "--dir", dir]);
    assert_eq!(code, Some(2));
    assert!(said.contains("pki authority"), "{said}");
    let (code, said) = pki(&["authority", "--dir", dir, "--site", "ward 3"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("(3650 days left)") && said.contains("ca.key"), "{said}");
    let made: [&[&str]; 5] = [
        &["agent", "nicu", "pump-1"],
        &["broker", "broker-a", "--host", "10.0.0.1", "--host", "broker-a"],
        &["gateway", "gateway-a", "--host", "10.0.0.2"],
        &["display", "desk-1", "--days", "20"],
        &["monitor", "prometheus"],
    ];
    for words in made {
        let arguments = [words, &["--dir", dir]].concat();
        assert_eq!(pki(&arguments).0, Some(0), "{words:?}");
        let (code, said) = pki(&arguments);
        assert_eq!(code, Some(2), "{words:?}");
        assert!(said.contains("nothing is overwritten"), "{said}");
    }
    let path = |name: &str| format!("{dir}/{name}.crt");
    let (code, said) = pki(&["show", &path("pump-1"), &path("broker-a"), &path("desk-1")]);
    assert_eq!(code, Some(0), "{said}");
    for words in [
        "urn:ecmo:agent:nicu:pump-1",
        "(397 days left)",
        "reached at 10.0.0.1, broker-a",
        "urn:ecmo:display:desk-1",
        "ends within thirty days",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    for (words, expected) in [
        (&["broker", "b"][..], "--host"),
        (&["agent", "nicu", "_ward"], "kept for the system"),
        (&["display", "d", "--days", "900"], "1 to 825"),
        (&["display", "d", "--host", "x"], "leave out --host"),
    ] {
        let (code, said) = pki(&[words, &["--dir", dir]].concat());
        assert_eq!(code, Some(2), "{words:?}");
        assert!(said.contains(expected), "{said}");
    }
    let key = format!("{dir}/pump-1.key");
    let (code, said) = pki(&["show", &key]);
    assert_eq!(code, Some(2));
    assert!(said.contains("holds no certificate"), "{said}");
}
