//! What systemd says of the units: they are sound, and expose little. And the settings that containers are given.
#![cfg(test)]

use std::path::Path;
use std::process::Command;

use ecmo_gateway::config::Settings;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/systemd");

/// Unit, the name under which it is checked, and the most that it may be exposed, 0 to 10.
const UNITS: [(&str, &str, f32); 2] = [
    ("ecmo-gateway.service", "ecmo-gateway.service", 1.5),
    ("ecmo-agent@.service", "ecmo-agent@pump-1.service", 2.5),
];

fn analyze(arguments: &[&str]) -> (bool, String) {
    let said =
        Command::new("systemd-analyze").args(arguments).output().expect("systemd-analyze starts");
    let words = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
    (said.status.success(), words.into_owned())
}

/// How exposed a unit is, by systemd's own count.
fn exposure(unit: &Path) -> f32 {
    let (_judged, words) =
        analyze(&["security", "--offline=true", "--no-pager", unit.to_str().unwrap()]);
    let line = words.lines().find(|line| line.contains("Overall exposure level")).expect(&words);
    let number = line.rsplit(": ").next().unwrap().split(' ').next().unwrap();
    number.parse().expect(line)
}

#[test]
#[ignore = "needs systemd-analyze; cargo xtask ci runs it"]
fn the_units_are_sound_and_expose_little() {
    let folder = tempfile::tempdir().unwrap();
    for (unit, name, most) in UNITS {
        let path = Path::new(FOLDER).join(unit);
        let found = exposure(&path);
        println!("{unit}: exposure {found}, at most {most}");
        assert!(found <= most, "{unit}: {found} > {most}");
        // Where the programs will be, there is nothing here.
        let text = std::fs::read_to_string(&path).unwrap();
        let text =
            text.lines().map(|line| match line.strip_prefix("ExecStart=/usr/local/bin/ecmo-") {
                Some(_program) => "ExecStart=/bin/true\n".to_owned(),
                None => format!("{line}\n"),
            });
        let copy = folder.path().join(name);
        std::fs::write(&copy, text.collect::<String>()).unwrap();
        let (sound, words) = analyze(&["verify", "--man=no", copy.to_str().unwrap()]);
        assert!(sound && words.trim().is_empty(), "{unit}: {words}");
    }
}

#[test]
#[ignore = "needs systemd-analyze; cargo xtask ci runs it"]
fn a_unit_that_is_open_or_wrong_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("open.service");
    std::fs::write(&unit, "[Service]\nExecStart=/bin/true\nNoSuchKey=1\n").unwrap();
    assert!(exposure(&unit) > 9.0);
    let (_, words) = analyze(&["verify", "--man=no", unit.to_str().unwrap()]);
    assert!(words.contains("NoSuchKey"), "{words}");
}

#[test]
fn the_settings_of_the_ward_in_containers_are_fine() {
    let folder = Path::new(FOLDER).join("../compose");
    let decided = ["gateway-a", "gateway-b"].map(|gateway| {
        let settings = Settings::load(&folder.join(format!("{gateway}.toml"))).unwrap();
        assert_eq!(settings.name.as_str(), gateway);
        assert_eq!(settings.brokers().count(), 2);
        ecmo_gateway::peer::config_digest(&settings, &settings.alarms.in_force())
    });
    assert_eq!(decided[0], decided[1], "both decide by the same settings");
    for pump in ["pump-1", "pump-2"] {
        ecmo_agent::Settings::load(&folder.join(format!("agent-{pump}.toml"))).unwrap();
    }
}

#[test]
fn the_unit_of_the_gateway_watches_the_alarm_thread_and_keeps_its_state() {
    let unit = std::fs::read_to_string(Path::new(FOLDER).join("ecmo-gateway.service")).unwrap();
    for line in [
        "Type=notify",
        "WatchdogSec=2s",
        "Restart=always",
        "StateDirectory=ecmo-gateway",
        "LimitCORE=0",
    ] {
        assert!(unit.lines().any(|each| each == line), "{line}");
    }
}
