//! Tests of the settings: what is read, and what each wrong line says.

use super::*;

const GOOD: &str = r#"
ward = "nicu"
pump = "pump-1"
broker = "mqtt://127.0.0.1:1883"

[[source]]
kind = "simulated"
seed = 7
faults = [{ kind = "pump-stop", at_s = 5, for_s = 2.5 }]
"#;

#[test]
fn settings_are_read_with_their_defaults() {
    let settings = Settings::parse(GOOD, "a.toml").unwrap();
    assert_eq!(settings.address.to_string(), "nicu/pump-1");
    assert_eq!(settings.frame_period, FRAME_PERIOD_DEFAULT);
    let fault = Fault {
        kind: FaultKind::PumpStop,
        at: Duration::from_secs(5),
        lasts: Some(Duration::from_millis(2500)),
    };
    let by_hand =
        Settings::simulated(settings.address.clone(), "mqtt://127.0.0.1:1883".parse().unwrap(), 7);
    assert_eq!(settings, by_hand.with_fault(fault));
}

#[test]
fn how_to_sample_and_where_to_tell_are_read() {
    let tables =
        "[sampling]\ntick_us = 500\nrealtime = true\ncpu = 1\n[metrics]\nbind = \"[::1]:9464\"\n";
    let settings = Settings::parse(GOOD, "a.toml").unwrap();
    assert_eq!((settings.sampling, settings.metrics), (SamplingSettings::default(), None));
    let settings = Settings::parse(&format!("{GOOD}{tables}"), "a.toml").unwrap();
    let tick = Some(Duration::from_micros(500));
    let sampling = SamplingSettings { tick, realtime: Some(true), cpu: Some(1) };
    assert_eq!(settings.sampling, sampling);
    assert_eq!(settings.metrics.unwrap().bind, "[::1]:9464".parse().unwrap());
}

#[test]
fn two_brokers_are_two_named_paths() {
    let list = "brokers = [\"mqtt://a.example\", \"mqtt://b.example:1884\"]";
    let text = GOOD.replace("broker = \"mqtt://127.0.0.1:1883\"", list);
    let settings = Settings::parse(&text, "a.toml").unwrap();
    let paths: Vec<_> =
        settings.brokers.paths().map(|(name, url)| format!("{name} {url}")).collect();
    assert_eq!(paths, ["a mqtt://a.example:1883", "b mqtt://b.example:1884"]);
    assert_eq!(settings.brokers.count(), 2);
}

/// Files that need not be there: reading settings opens none.
const TLS: &str = "\n[tls]\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\n[[source]]";

#[test]
fn two_brokers_by_tls_are_two_and_the_files_lie_beside_the_settings() {
    let text = GOOD.replacen("\n[[source]]", TLS, 1);
    let parse = |brokers: &str| {
        let text = text.replace("broker = \"mqtt://127.0.0.1:1883\"", brokers);
        Settings::parse(&text, "a.toml").map_err(|error| error.to_string())
    };
    let settings = parse("brokers = [\"mqtts://a\", \"mqtt://a:8883\"]").unwrap();
    assert_eq!(settings.tls.unwrap().certificate, std::path::Path::new("b"));
    // Both sessions would have the name of the certificate.
    let refused = parse("brokers = [\"mqtts://a\", \"mqtts://a:8883\"]").unwrap_err();
    assert!(refused.starts_with("a.toml:4: ") && refused.contains("the same broker"), "{refused}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let secured = text.replace("mqtt://", "mqtts://");
    std::fs::write(&path, secured).unwrap();
    let settings = Settings::load(&path).unwrap();
    assert_eq!(settings.tls.clone().unwrap().ca, folder.path().join("a"));
    let missing = crate::tls::open(&settings).unwrap_err().to_string();
    assert!(missing.contains(&folder.path().join("b").display().to_string()), "{missing}");
    let without = Settings { tls: None, ..settings };
    assert!(crate::tls::open(&without).unwrap_err().to_string().contains("under [tls]"));
}

#[test]
fn a_wrong_line_is_refused_with_its_number_and_what_to_do() {
    for (find, replace, line, words) in [
        ("ward = \"nicu\"", "ward = \"ni cu\"", 2, "letters, digits"),
        ("ward = \"nicu\"", "ward = \"_drill\"", 2, "kept for the system"),
        ("pump = \"pump-1\"", "pump = \"_ward\"", 3, "kept for the system"),
        ("pump = \"pump-1\"", "pump = 1", 3, "expected a string"),
        ("pump = \"pump-1\"\n", "", 1, "missing key \"pump\""),
        ("mqtt://127", "http://127", 4, "use mqtt://host:port"),
        ("\"mqtt://127.0.0.1:1883\"", "[]", 4, "0 brokers: use 1 or 2"),
        ("\"mqtt://127.0.0.1:1883\"", "[\"mqtt://a\", \"b\"]", 4, "use mqtt://host:port"),
        ("\"mqtt://127.0.0.1:1883\"", "7", 4, "use mqtt://host:port"),
        ("broker = \"mqtt://127.0.0.1:1883\"\n", "", 1, "missing key \"brokers\""),
        ("\n[[source]]", "brokers = [\"mqtt://b\"]\n[[source]]", 1, "duplicate key \"brokers\""),
        ("mqtt://127", "mqtts://127", 4, "set ca, certificate and key under [tls]"),
        ("\n[[source]]", TLS, 6, "no broker is reached by it"),
        ("\n[[source]]", "[tls]\nca = \"a\"\n[[source]]", 5, "missing key \"certificate\""),
        ("\n[[source]]", "foo = 1\n[[source]]", 5, "unknown key \"foo\", expected one of"),
        ("\n[[source]]", "frame_period_ms = 1\n[[source]]", 5, "use 5 to 1000"),
        ("\n[[source]]", "sampling.tick_us = 100\n[[source]]", 5, "use 500 to 20000"),
        ("\n[[source]]", "sampling.realtime = 1\n[[source]]", 5, "expected a boolean"),
        ("\n[[source]]", "sampling.core = 1\n[[source]]", 5, "unknown key \"core\""),
        ("\n[[source]]", "metrics.bind = \"0.0.0.0:1\"\n[[source]]", 5, "use 127.0.0.1:port"),
        ("\n[[source]]", "pump_kind = \"piston\"\n[[source]]", 5, "\"centrifugal\""),
        ("\"simulated\"", "\"simulator\"", 7, "\"simulated\", \"replay\", \"emtec\""),
        ("\"simulated\"", "\"replay\"", 9, "unknown key \"faults\", expected one of"),
        ("seed = 7", "seed = -7", 8, "invalid value"),
        ("seed = 7", "speed_rpm = 9000", 8, "use 0 to 6000"),
        ("seed = 7", "sead = 7", 8, "unknown key \"sead\""),
        ("pump-stop", "pump-halt", 9, "use one of pump-stop, pump-speed-unknown"),
        ("pump-stop", "recirculation", 6, "a VA circuit cannot have recirculation"),
        ("seed = 7", "therapy = \"va\"", 6, "use \"VA\" or \"VV\""),
        ("seed = 7", "weight_kg = 70", 8, "use 2 to 5"),
        ("seed = 7", "pace = 0", 8, "use 1 to 1000"),
        ("at_s = 5", "at_s = -5", 9, "use 0 to 31536000"),
        ("at_s = 5", "at_s = nan", 9, "use 0 to 31536000"),
        ("[[source]]", "[source", 6, ""),
    ] {
        let text = GOOD.replacen(find, replace, 1);
        assert_ne!(text, GOOD, "{find}");
        let error = Settings::parse(&text, "a.toml").unwrap_err().to_string();
        assert!(error.starts_with(&format!("a.toml:{line}: ")), "{replace}: {error}");
        assert!(error.contains(words), "{replace}: {error}");
    }
}

#[test]
fn a_simulated_pump_is_of_the_kind_that_the_agent_names() {
    use ecmo_core::case::{PumpKind as Kind, Therapy};
    let text = GOOD
        .replace("\n[[source]]", "pump_kind = \"roller\"\n[[source]]")
        .replace("seed = 7", "therapy = \"VV\"\nweight_kg = 2.5\npace = 60");
    let settings = Settings::parse(&text, "a.toml").unwrap();
    let [SourceSettings::Simulated(simulated)] = settings.sources.as_slice() else {
        panic!("{settings:?}");
    };
    assert_eq!((simulated.kind, simulated.therapy), (Kind::Roller, Therapy::VenoVenous));
    assert!((simulated.weight_kg - 2.5).abs() < 1e-9 && (simulated.pace - 60.0).abs() < 1e-9);
}

#[test]
fn no_source_and_too_many_are_refused() {
    let (head, source) = GOOD.split_at(GOOD.find("[[source]]").unwrap());
    for text in [format!("{head}source = []"), format!("{head}{}", source.repeat(9))] {
        let error = Settings::parse(&text, "a.toml").unwrap_err().to_string();
        assert!(error.contains("use 1 to 8 [[source]] tables"), "{error}");
    }
    assert!(Settings::parse(head, "a.toml").unwrap_err().to_string().contains("\"source\""));
}

#[test]
fn a_source_without_what_it_needs_is_refused() {
    let head = &GOOD[..GOOD.find("[[source]]").unwrap()];
    for (kind, key) in [("replay", "file"), ("emtec", "port")] {
        let text = format!("{head}[[source]]\nkind = \"{kind}\"\n");
        let error = Settings::parse(&text, "a.toml").unwrap_err().to_string();
        assert!(error.contains(&format!("missing key \"{key}\"")), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_or_far_too_long_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    assert!(Settings::load(&path).unwrap_err().to_string().contains("agent.toml"));
    std::fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert!(Settings::load(&path).unwrap_err().to_string().contains("no settings"));
}

#[test]
fn the_examples_are_read_and_their_recording_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config");
    for (name, simulated, replay, emtec, cdi) in [
        ("agent-simulated.toml", 1, 0, 0, 0),
        ("agent-replay.toml", 0, 1, 0, 0),
        ("agent-emtec.toml", 0, 0, 1, 0),
        ("agent-cdi550.toml", 0, 0, 1, 1),
        ("agent-modbus.toml", 0, 0, 0, 0),
        ("agent-leviflow.toml", 0, 0, 0, 0),
        ("agent-line.toml", 0, 0, 0, 0),
        ("agent-iio.toml", 0, 0, 0, 0),
    ] {
        let settings = Settings::load(&folder.join(name)).unwrap();
        let mut counts = (0, 0, 0, 0);
        for source in &settings.sources {
            match source {
                SourceSettings::Simulated(_) => counts.0 += 1,
                SourceSettings::Replay(replay) => {
                    counts.1 += 1;
                    assert!(replay.file.exists(), "{}", replay.file.display());
                }
                SourceSettings::Emtec(_) => counts.2 += 1,
                SourceSettings::Cdi(_) => counts.3 += 1,
                SourceSettings::Modbus(_)
                | SourceSettings::Leviflow(_)
                | SourceSettings::Line(_)
                | SourceSettings::Iio(_) => {}
            }
        }
        assert_eq!(counts, (simulated, replay, emtec, cdi), "{name}");
    }
}

#[test]
fn a_spool_is_read_with_its_defaults_and_refused_out_of_its_bounds() {
    let with = |keys: &str| Settings::parse(&format!("{GOOD}[spool]\n{keys}"), "a.toml");
    let spool = with("dir = \"s\"\n").unwrap().spool.unwrap();
    assert_eq!(spool, SpoolSettings::in_folder("s".into()));
    assert_eq!(spool.age_max, Duration::from_secs(86_400));
    assert_eq!((spool.bytes_max, spool.backfill_bytes_per_s), (4 << 30, 200 * 1024));
    assert_eq!(spool.sync_every, Duration::from_secs(1));
    let spool = with("dir = \"s\"\nhours = 0.5\nmax_mib = 8\nsync_ms = 100\n").unwrap();
    assert_eq!(spool.spool.unwrap().age_max, Duration::from_secs(1800));
    for (keys, words) in [
        ("hours = 1\n", "missing key \"dir\""),
        ("dir = \"s\"\nmax_mib = 1\n", "use 4 to 1048576"),
        ("dir = \"s\"\nsync_ms = 0\n", "use 10 to 60000"),
        ("dir = \"s\"\nfolder = 1\n", "unknown key \"folder\""),
    ] {
        let error = with(keys).unwrap_err().to_string();
        assert!(error.contains(words), "{keys}: {error}");
    }
    assert_eq!(Settings::parse(GOOD, "a.toml").unwrap().spool, None);
}
