//! The real program, asked to check settings.
#![cfg(test)]

use std::process::{Command, Output};

fn check(text: &str) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    let program = env!("CARGO_BIN_EXE_ecmo-gateway");
    let output = Command::new(program).args(["check", "--config"]).arg(&path).output().unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

#[test]
fn settings_that_cannot_work_end_the_check_with_2_and_say_file_line_and_what_to_do() {
    for (text, line, words) in [
        ("[serve]\nbindd = \"127.0.0.1:8080\"\n", 2, &["bindd", "bind"][..]),
        ("\n\n[serv]\n", 3, &["serv", "serve"]),
        ("[alarms]\nsilence_ms = 1\n", 2, &["200 to 10000"]),
        ("[broker]\nurl = \"http://x\"\n", 2, &["mqtt://HOST:PORT"]),
        ("[broker]\nurl = \"mqtt://host:0\"\n", 2, &["mqtt://HOST:PORT"]),
        ("[[alarms.rule]]\nid = \"pump.stop\"\n", 1, &["unknown field `rule`", "profile"]),
        ("\n[alarms]\nprofile = \"nowhere.toml\"\n", 3, &["nowhere.toml", "readable profile"]),
        ("[[pump]]\nward = \"a b\"\npump = \"p1\"\n", 2, &["no id", "letters"]),
        ("[serve\n", 1, &[]),
    ] {
        let (output, said) = check(text);
        assert_eq!(output.status.code(), Some(2), "{text}: {said}");
        assert!(said.contains(&format!("gateway.toml:{line}")), "{text}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
    }
}

#[test]
fn a_profile_that_cannot_work_ends_the_check_with_2_and_says_every_problem_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (path, profile) = (folder.path().join("gateway.toml"), folder.path().join("own.toml"));
    std::fs::write(&path, "[alarms]\nprofile = \"own.toml\"\n").unwrap();
    let check = |text: &str| {
        std::fs::write(&profile, text).unwrap();
        let program = env!("CARGO_BIN_EXE_ecmo-gateway");
        Command::new(program).args(["check", "--config"]).arg(&path).output().unwrap()
    };
    let starter = ecmo_profile::STARTER;
    assert_eq!(check(starter).status.code(), Some(0));
    let line = 1 + starter.lines().position(|line| line == "delay_s = 3.0").unwrap();
    let broken = starter.replacen("delay_s = 3.0", "delay_s = -3.0", 1);
    let refused = check(&broken.replacen("version = 1", "version = \"one\"", 1));
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains(&format!("own.toml:{line}:")) && said.contains("delay_s"), "{said}");
    assert!(said.contains("version") && said.lines().count() >= 2, "{said}");
}

#[test]
fn settings_that_work_are_called_fine() {
    let (output, said) = check("wards = [\"nicu\"]\n[broker]\nurl = \"mqtt://127.0.0.1:1883\"\n");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(String::from_utf8(output.stdout).unwrap().ends_with(": fine\n"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let program = env!("CARGO_BIN_EXE_ecmo-gateway");
    let output = Command::new(program).args(["check", "--config", "/nowhere/a.toml"]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nowhere/a.toml"));
}
