//! What a settings file may say, and how a refusal reads.

use super::*;

/// The text is refused at this line, with these words, and with something to do.
fn refused(text: &str, line: usize, words: &str) {
    let error = Settings::parse("site.toml", text).unwrap_err().to_string();
    let place = format!("site.toml:{line}: ");
    assert!(error.starts_with(&place) && error.contains(words), "{text}\ngave: {error}");
    let todo = error.split_once("; ").map_or("", |(_, todo)| todo);
    assert!(todo.len() > 5 && !error.contains('\n'), "says what to do, in one line: {error}");
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = Settings::parse("site.toml", "").unwrap();
    assert!(settings.wards.is_empty() && settings.pumps.is_empty());
    assert_eq!(settings.serve, Settings::default().serve);
    assert_eq!(settings.broker, Settings::default().broker);
    assert_eq!(settings.alarms, Settings::default().alarms);
    assert_eq!((settings.state_dir, settings.history), (None, Duration::from_mins(30)));
}

#[test]
fn every_key_is_read() {
    let settings = Settings::parse(
        "/etc/ecmo/site.toml",
        r#"
        wards = ["nicu", "picu"]
        [gateway]
        name = "east"
        [peer]
        expected = ["west"]
        [drill]
        every_s = 1
        [broker]
        url = "mqtt://broker.example:2883"
        [serve]
        bind = "0.0.0.0:0"
        displays_max = 20
        insecure = true
        [metrics]
        bind = "127.0.0.1:0"
        [alarms]
        silence_ms = 500
        [state]
        dir = "state"
        [journal]
        dir = "kept"
        hours = 48
        max_mib = 100
        [ui]
        dir = "page"
        gateways = ["http://10.0.0.2:8080"]
        origins = ["https://Desk.example:443"]
        stale_ms = 5000

        [history]
        minutes = 5
        dir = "all"
        hours = 100
        max_mib = 200
        [[pump]]
        ward = "nicu"
        pump = "p1"
        "#,
    )
    .unwrap();
    assert_eq!(settings.wards.len(), 2);
    assert_eq!(settings.name.as_str(), "east");
    assert_eq!(settings.peers, [Id::new("west").unwrap()]);
    assert_eq!(settings.drill, Duration::from_secs(1));
    let broker = BrokerAddress { host: "broker.example".into(), port: 2883, tls: false };
    assert_eq!(settings.broker, Broker::External(broker));
    let bind = "0.0.0.0:0".parse().unwrap();
    assert_eq!(settings.serve, Serve { bind, displays_max: 20, tls: None, insecure: true });
    assert_eq!(settings.metrics_bind, "127.0.0.1:0".parse().unwrap());
    assert_eq!(settings.alarms.silence, Some(Duration::from_millis(500)));
    assert_eq!(settings.state_dir.as_deref(), Some(Path::new("/etc/ecmo/state")));
    assert_eq!(settings.history, Duration::from_mins(5));
    let kept = settings.journal.unwrap();
    assert!(kept.dir.ends_with("kept"));
    assert_eq!((kept.age_max, kept.bytes_max), (Duration::from_hours(48), 100 << 20));
    let all = settings.disclosure.unwrap();
    assert!(all.dir.ends_with("all"));
    assert_eq!((all.age_max, all.bytes_max), (Duration::from_hours(100), 200 << 20));
    let ui = settings.ui;
    assert_eq!(ui.dir.as_deref(), Some(Path::new("/etc/ecmo/page")));
    let texts = |origins: &[Origin]| -> Vec<String> {
        origins.iter().map(|origin| origin.as_str().to_owned()).collect()
    };
    assert_eq!(texts(&ui.gateways), ["http://10.0.0.2:8080"]);
    assert_eq!(texts(&ui.origins), ["https://desk.example"]);
    assert_eq!(ui.stale, Duration::from_secs(5));
    assert_eq!(settings.pumps.first().unwrap().to_string(), "nicu/p1");
}

#[test]
fn an_origin_is_kept_as_a_browser_writes_it_and_anything_else_is_refused() {
    for (written, kept) in [
        ("http://a:8080", "http://a:8080"),
        ("HTTP://A.Example:80", "http://a.example"),
        ("https://a:80", "https://a:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[0:0::1]", "http://[::1]"),
    ] {
        let origin: Origin = written.parse().unwrap();
        assert_eq!(origin.as_str(), kept, "{written}");
    }
    for wrong in [
        "",
        "*",
        "null",
        "a:8080",
        "ftp://a",
        "http://",
        "http://a/",
        "http://a:0",
        "http://a:",
        "http://a:+1",
        "http://a:080",
        "http://a:99999",
        "http://u@a",
        "http://a b",
        "http://a;b",
        "http://a'b",
        "http://a,b",
        "http://*.a",
        "http://::1",
        "http://[::1",
        "http://[::1]a",
        "http://[zz]",
        "http://a?b",
        "http://a#b",
        "http://\u{e4}",
    ] {
        assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
    }
    refused("[ui]\ngateways = [\"http://a:1\",\n \"b:2\"]", 3, "\"b:2\" is no origin");
    refused("[ui]\norigins = [\"http://a\", \"http://A:80\"]", 2, "http://a is named twice");
    let many = |count: usize| (0..count).map(|it| format!("\"http://a:{}\"", it + 1));
    let many = |count: usize| many(count).collect::<Vec<_>>().join(",");
    refused(&format!("[ui]\ngateways = [{}]", many(PEERS_MAX + 1)), 2, "at most 4");
    refused(&format!("[ui]\norigins = [{}]", many(ORIGINS_MAX + 1)), 2, "at most 16");
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    refused("ward = [\"nicu\"]", 1, "unknown field `ward`");
    refused("\n[broker]\nurll = \"embedded\"", 3, "unknown field `urll`");
    refused("[serve]\nbind = \"127.0.0.1:0\"\ntsl = true", 3, "unknown field `tsl`");
    refused("[alarms]\nsilence = 800", 2, "unknown field `silence`");
    refused("[state]\nfolder = \"x\"", 2, "unknown field `folder`");
    refused("[history]\ndays = 3", 2, "unknown field `days`");
    refused("[[alarms.rule]]\nid = \"x\"", 1, "unknown field `rule`");
    refused("[[pump]]\nward = \"a\"\npump = \"b\"\nbed = 4", 4, "unknown field `bed`");
}

#[test]
fn the_history_lies_beside_the_state_unless_the_settings_say_otherwise() {
    let of = |text: &str| Settings::parse("/etc/ecmo/gateway.toml", text).unwrap().disclosure;
    let beside = of("[state]\ndir = \"state\"").unwrap();
    assert_eq!(beside.dir, Path::new("/etc/ecmo/state/history"));
    assert_eq!(beside.age_max, Duration::from_hours(72));
    let own = of("[state]\ndir = \"state\"\n[history]\ndir = \"x\"").unwrap();
    assert_eq!(own.dir, Path::new("/etc/ecmo/x"));
    assert_eq!(of("[state]\ndir = \"state\"\n[history]\nhours = 0"), None);
    assert_eq!(of(""), None);
}

#[test]
fn an_impossible_value_is_refused_with_its_line() {
    refused("\n\n[alarms]\nsilence_ms = 100", 4, "100 is impossible for silence_ms");
    refused("[alarms]\nsilence_ms = 10001", 2, "10001 is impossible");
    refused("[alarms]\nsilence_ms = -1", 2, "");
    refused("[alarms]\nsilence_ms = \"fast\"", 2, "invalid type");
    refused("[serve]\ndisplays_max = 0", 2, "0 is impossible for displays_max");
    refused("[serve]\nbind = \"localhost:80\"", 2, "no address to listen on");
    refused("[serve]\nbind = \"127.0.0.1:99999\"", 2, "no address to listen on");
    refused("[journal]\nhours = 3", 2, "without a folder");
    refused("[journal]\ndir = \"a\"\nmax_mib = 1", 3, "1 is impossible for max_mib");
    refused("[ui]\nstale_ms = 1999", 2, "1999 is impossible for stale_ms");
    refused("[ui]\nstale_ms = 10001", 2, "10001 is impossible");
    refused("[ui]\ndir = \"\"", 2, "an empty path");
    refused("[ui]\nfolder = \"x\"", 2, "unknown field `folder`");
    refused("[history]\nhours = 3", 2, "no history is kept without a folder");
    refused("[history]\ndir = \"a\"\nhours = 2161", 3, "2161 is impossible for hours of history");
    refused("[history]\ndir = \"a\"\nmax_mib = 1", 3, "1 is impossible for max_mib");
    refused("[history]\nminutes = 121", 2, "121 is impossible for minutes of history");
    refused("[state]\ndir = \"\"", 2, "an empty path");
    refused("[alarms]\nprofile = \" \"", 2, "an empty path");
    refused("wards = [\"nicu\",\n \"a b\"]", 2, "\"a b\" is no id");
    refused("wards = []", 1, "wards is empty");
    refused("wards = [\"a\",\n \"a\"]", 2, "ward a is named twice");
    refused("wards = 7 8", 1, "");
}

#[test]
fn ids_that_the_system_keeps_for_itself_are_refused_for_wards_pumps_and_gateways() {
    refused("wards = [\"nicu\",\n \"_drill\"]", 2, "kept for the system");
    refused("[[pump]]\nward = \"nicu\"\npump = \"_ward\"", 3, "kept for the system");
    refused("[[pump]]\nward = \"_gateways\"\npump = \"p\"", 2, "kept for the system");
    refused("[gateway]\nname = \"_a\"", 2, "kept for the system");
    refused("[gateway]\nname = \"a b\"", 2, "is no id");
    refused("[peer]\nexpected = [\"_a\"]", 2, "kept for the system");
}

#[test]
fn other_gateways_are_named_once_and_never_this_one() {
    let peers = |text: &str| Settings::parse("f", text).unwrap().peers;
    assert_eq!(peers(""), []);
    assert_eq!(peers("[peer]\nexpected = []"), []);
    refused("[peer]\nexpected = true", 2, "invalid type");
    refused("[peer]\nexpected = [\"gateway\"]", 2, "own name");
    refused("[gateway]\nname = \"a\"\n[peer]\nexpected = [\"b\", \"a\"]", 4, "own name");
    refused("[peer]\nexpected = [\"b\", \"b\"]", 2, "named twice");
    refused("[peer]\nexpected = [\"a\", \"b\", \"c\", \"d\", \"e\"]", 2, "at most 4");
    refused("[drill]\nevery_s = 3601", 2, "3601 is impossible");
    assert_eq!(Settings::parse("f", "[drill]\nevery_s = 0").unwrap().drill, Duration::ZERO);
}

#[test]
fn a_broker_that_cannot_be_meant_is_refused() {
    for url in
        ["", "mqtt://", "mqtt://host:0", "mqtt://host:x", "host:1883", "mqtt://h/x", "mqtt://::1"]
    {
        refused(&format!("[broker]\nurl = {url:?}"), 2, "is no broker");
    }
    refused("[broker]\nurl = \"mqtts://host\"", 2, "TLS");
    refused("[broker]\nurl = \"mqtt://me:secret@host\"", 2, "password");
    refused("[broker]\nurl = \"mqtt://h\"\nbind = \"127.0.0.1:1\"", 3, "for the embedded broker");
}

#[test]
fn a_second_broker_is_another_than_the_first_and_one_of_them_may_be_embedded() {
    let two = "[broker]\nurl = \"mqtt://a\"\nsecond_url = \"mqtt://b\"";
    let settings = Settings::parse("f", two).unwrap();
    let names: Vec<String> = settings
        .brokers()
        .map(|broker| match broker {
            Broker::External(address) => address.to_string(),
            Broker::Embedded { .. } => "embedded".to_owned(),
        })
        .collect();
    assert_eq!(names, ["mqtt://a:1883", "mqtt://b:1883"]);
    refused("[broker]\nurl = \"mqtt://a\"\nsecond_url = \"mqtt://a:1883\"", 3, "the same");
    refused("[broker]\nsecond_url = \"embedded\"", 2, "the same");
    refused("[broker]\nsecond_url = \"b\"", 2, "is no broker");
    if cfg!(feature = "embedded-broker") {
        let mixed =
            "[broker]\nurl = \"mqtt://a\"\nsecond_url = \"embedded\"\nbind = \"127.0.0.1:7\"";
        let settings = Settings::parse("f", mixed).unwrap();
        let embedded = Broker::Embedded { bind: "127.0.0.1:7".parse().unwrap() };
        assert_eq!(settings.second_broker, Some(embedded));
    }
}

#[test]
fn a_broker_url_may_leave_out_the_port_and_may_be_ipv6() {
    for (url, host, port) in [
        ("mqtt://host", "host", 1883),
        ("mqtt://10.0.0.1:2", "10.0.0.1", 2),
        ("mqtt://[::1]:3", "[::1]", 3),
        ("mqtt://[fe80::1]", "[fe80::1]", 1883),
    ] {
        let settings = Settings::parse("f", &format!("[broker]\nurl = {url:?}")).unwrap();
        let address = BrokerAddress { host: host.into(), port, tls: false };
        assert_eq!(settings.broker, Broker::External(address), "{url}");
    }
}

#[cfg(feature = "embedded-broker")]
#[test]
fn an_embedded_broker_open_to_the_network_is_refused() {
    refused("[broker]\nbind = \"0.0.0.0:1883\"", 2, "no authentication");
    refused("[broker]\nurl = \"embedded\"\nbind = \"10.1.1.1:1883\"", 3, "no authentication");
    let loopback = Settings::parse("f", "[broker]\nbind = \"[::1]:0\"").unwrap();
    assert_eq!(loopback.broker, Broker::Embedded { bind: "[::1]:0".parse().unwrap() });
}

#[test]
fn two_of_one_kind_are_refused() {
    refused("[[pump]]\nward=\"w\"\npump=\"p\"\n[[pump]]\nward=\"w\"\npump=\"p\"", 4, "named twice");
    refused(
        "[serve]\nbind = \"127.0.0.1:8080\"\n[metrics]\nbind = \"127.0.0.1:8080\"",
        4,
        "already taken",
    );
}

#[test]
fn an_expected_pump_of_an_unwatched_ward_is_refused() {
    refused("wards=[\"a\"]\n[[pump]]\nward=\"b\"\npump=\"p\"", 2, "does not watch");
}

#[test]
fn a_profile_is_read_from_the_folder_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (site, profile) = (folder.path().join("site.toml"), folder.path().join("own.toml"));
    std::fs::write(&site, "[alarms]\nsilence_ms = 300\nprofile = \"own.toml\"\n").unwrap();
    let missing = Settings::load(&site).unwrap_err().to_string();
    assert!(missing.starts_with(&format!("{}:3: ", site.display())), "{missing}");
    assert!(missing.contains("own.toml") && missing.contains("; name a readable"), "{missing}");

    let own = ecmo_profile::STARTER.replace("neonatal starter", "our own");
    std::fs::write(&profile, &own).unwrap();
    let alarms = Settings::load(&site).unwrap().alarms;
    let in_force = alarms.in_force();
    assert_eq!(in_force.name, "our own");
    assert_eq!(in_force.silence.frame, Duration::from_millis(300));
    assert_eq!(alarms.profile.silence.frame, Duration::from_millis(800));

    let line = 1 + own.lines().position(|line| line == "below_per_kg = 80.0").unwrap();
    let broken = own.replacen("below_per_kg = 80.0", "below_per_kilo = 80.0", 1);
    std::fs::write(&profile, broken.replacen("delay_s = 3.0", "delay_s = -3.0", 1)).unwrap();
    let refused = Settings::load(&site).unwrap_err().to_string();
    let place = format!("{}:{line}:", profile.display());
    assert!(refused.contains(&place) && refused.contains("below_per_kilo"), "{refused}");
    assert!(refused.lines().count() > 1, "every problem has its line: {refused}");
    assert!(refused.lines().all(|line| line.contains("; ")), "says what to do: {refused}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Settings::load(Path::new("/no/such.toml")).unwrap_err().to_string();
    assert!(error.contains("/no/such.toml") && error.contains("--config"), "{error}");
}

#[test]
fn the_example_file_holds_the_defaults_and_every_key() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config/gateway.toml"));
    let settings = Settings::load(path).unwrap();
    let defaults = Settings::default();
    assert_eq!(settings.broker, defaults.broker);
    assert_eq!(settings.serve, defaults.serve);
    assert_eq!(settings.metrics_bind, defaults.metrics_bind);
    assert_eq!((settings.name, settings.peers), (defaults.name, defaults.peers));
    assert_eq!(settings.drill, defaults.drill);
    assert_eq!(settings.alarms, defaults.alarms);
    assert_eq!((settings.state_dir, settings.history), (defaults.state_dir, defaults.history));
    let text = std::fs::read_to_string(path).unwrap();
    for key in [
        "wards",
        "name",
        "expected",
        "every_s",
        "url",
        "second_url",
        "bind",
        "displays_max",
        "insecure",
        "ca",
        "certificate",
        "key",
        "client_ca",
        "client_optional",
        "silence_ms",
        "profile",
        "dir",
        "minutes",
        "hours",
        "max_mib",
        "ward",
        "pump",
    ] {
        let said = text.lines().any(|line| {
            line.trim_start_matches("# ").split_once('=').is_some_and(|(k, _)| k.trim() == key)
        });
        assert!(said, "{key} is missing in the example");
    }
}

#[test]
fn the_commented_keys_of_the_example_file_are_right_too() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config/gateway.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let uncommented: String = text
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_toml(rest)).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let settings = Settings::parse(path, &uncommented).unwrap();
    assert!(!settings.wards.is_empty() && !settings.pumps.is_empty());
    assert!(settings.state_dir.is_some() && settings.journal.is_some());
    assert!(settings.second_broker.is_some() && !settings.peers.is_empty());
}

/// Whether a comment is a key or a section that is switched off.
fn is_toml(comment: &str) -> bool {
    comment.starts_with("[[")
        || comment.split_once(" = ").is_some_and(|(key, _)| {
            key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
}
