//! Each dangerous thing has its one place: network libraries, the map of pumps, metrics, the clock; and the crates their rank.

use super::source::{Source, files, leading_word, read, sources, words};
use super::{demand, noticed};

/// A word or path of code, and the only places in shipped code that may use it.
struct Wall {
    word: &'static str,
    homes: &'static [&'static str],
}

/// The tools that set up brokers, load and pictures around the product; not part of it.
const TESTKIT: &str = "deploy/testkit/";
const BENCH: &str = "deploy/bench/";
const DEMO: &str = "deploy/demo/";
const OUTAGE: &str = "deploy/outage/";
const KILLS: &str = "deploy/kills/";
const SIM: &str = "deploy/sim/";

const TONIC: &[&str] = &[
    "gateway/src/grpc",
    "gateway/src/http.rs",
    "dashboards/terminal/src/client",
    TESTKIT,
    BENCH,
    DEMO,
    KILLS,
];
const TLS: &[&str] =
    &["gateway/identity", "gateway/pki", "gateway/src/tls", "dashboards/terminal/src/client"];
const METRICS: &[&str] = &["gateway/src/metrics", "agent/src/metrics"];

/// Messages stay at the edges: inside, the gateway works with types that cannot be wrong.
const MESSAGES: &[&str] = &[
    "gateway/decode/src/",
    "gateway/src/decode",
    "gateway/src/request",
    "gateway/src/action/wire",
    "gateway/src/grpc",
    "agent/src/",
    "dashboards/",
    TESTKIT,
    BENCH,
    DEMO,
    OUTAGE,
    KILLS,
    SIM,
];

const WALLS: &[Wall] = &[
    Wall { word: "ecmo_proto::v1", homes: MESSAGES },
    Wall { word: "rumqttc", homes: &["gateway/src/ingest", "agent/src/publish", TESTKIT, BENCH] },
    Wall { word: "rtime_clock", homes: &["agent/src/wall_clock"] },
    Wall { word: "mqtt5", homes: &["gateway/src/broker", TESTKIT] },
    Wall { word: "tonic", homes: TONIC },
    Wall { word: "tonic_web", homes: TONIC },
    Wall { word: "tonic_health", homes: TONIC },
    Wall { word: "tonic_reflection", homes: TONIC },
    Wall { word: "rustls", homes: TLS },
    Wall { word: "tokio_rustls", homes: TLS },
    Wall { word: "rcgen", homes: &["gateway/pki"] },
    Wall { word: "tower_http", homes: &["gateway/src/ui/reach"] },
    Wall { word: "dashmap", homes: &["gateway/src/registry"] },
    Wall { word: "metrics_exporter_prometheus", homes: METRICS },
];

fn over_the_wall(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for wall in WALLS.iter().filter(|wall| !at_home(&file.path, wall.homes)) {
            found.extend(words(&file.shipped, wall.word).map(|at| {
                format!("{}: {} belongs to {}", file.place(at), wall.word, wall.homes.join(", "))
            }));
        }
    }
    found
}

/// Whether a path is a home: a folder, or a module as one file or as a folder.
fn at_home(path: &str, homes: &[&str]) -> bool {
    homes.iter().any(|home| path.starts_with(home))
}

/// The crate `metrics`, as opposed to a module of that name, and its macros.
fn metrics_elsewhere(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !at_home(&file.path, METRICS)) {
        let own_module = imports(&file.shipped, &["crate", "super", "self"], "metrics");
        for at in words(&file.shipped, "metrics") {
            let before = file.shipped[..at].trim_end();
            let from_root = before.ends_with("::") && !ends_with_path(before);
            let alone = !before.ends_with("::") && !own_module;
            let declared = before.ends_with("mod");
            if file.shipped[at..].starts_with("metrics::") && !declared && (alone || from_root) {
                found.push(format!("{}: the crate metrics", file.place(at)));
            }
        }
        for name in [
            "counter",
            "gauge",
            "histogram",
            "describe_counter",
            "describe_gauge",
            "describe_histogram",
        ] {
            let uses = words(&file.shipped, name)
                .filter(|at| file.shipped[at + name.len()..].starts_with("!("));
            found.extend(uses.map(|at| format!("{}: {name}!", file.place(at))));
        }
    }
    found
}

/// Whether something stands before the `::` at the end.
fn ends_with_path(before: &str) -> bool {
    let path = before.trim_end_matches("::");
    path.ends_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '>' | '$'))
}

/// Whether a `use` that begins with one of `starts` brings in `name`.
fn imports(code: &str, starts: &[&str], name: &str) -> bool {
    words(code, "use").any(|at| {
        let statement = &code[at + 3..];
        let tree = &statement[..statement.find(';').unwrap_or(statement.len())];
        starts.contains(&leading_word(tree)) && words(tree, name).next().is_some()
    })
}

/// Reads of a clock outside `clock.rs`. Tokio's own clock is allowed: waiting for a deadline needs it.
fn clock_reads(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !is_clock(&file.path)) {
        let code = &file.shipped;
        for read in [
            "Instant::now",
            "SystemTime::now",
            "Zoned::now",
            "Timestamp::now",
            "clock_gettime",
            "elapsed",
        ] {
            for at in words(code, read) {
                let of_tokio = code[..at].ends_with("tokio::time::")
                    || (!code[..at].ends_with("std::time::")
                        && imports(code, &["tokio"], "time")
                        && !imports(code, &["std"], "Instant"));
                // `self.elapsed()` is a method of our own.
                let call = read != "elapsed"
                    || (code[..at].ends_with('.') && !code[..at].ends_with("self."));
                if call && !(of_tokio && matches!(read, "Instant::now" | "elapsed")) {
                    found.push(format!("{}: {read}", file.place(at)));
                }
            }
        }
    }
    found
}

fn is_clock(path: &str) -> bool {
    path.ends_with("/src/clock.rs") || path.contains("/src/clock/")
}

/// What makes the core impure: `std`, or a crate that does not only decide.
fn impure(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("gateway/core/src/")) {
        if file.path.ends_with("/lib.rs") && !file.code.contains("#![cfg_attr(not(test), no_std)]")
        {
            found.push(format!("{}: lacks #![cfg_attr(not(test), no_std)]", file.path));
        }
        found.extend(words(&file.shipped, "std").map(|at| format!("{}: std", file.place(at))));
    }
    found
}

/// Which of our crates a crate may depend on; everything in `deploy/` may use all of them.
const RANKS: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("gateway/core", &[]),
    ("gateway/profile", &["ecmo-core"]),
    ("gateway/decode", &["ecmo-proto", "ecmo-core"]),
    ("agent/circuit", &["ecmo-core"]),
    ("agent/journal", &[]),
    ("agent/notify", &[]),
    (
        "agent",
        &[
            "ecmo-proto",
            "ecmo-core",
            "ecmo-profile",
            "ecmo-decode",
            "ecmo-circuit",
            "ecmo-identity",
            "ecmo-journal",
            "ecmo-notify",
        ],
    ),
    ("gateway/history", &["ecmo-core", "ecmo-journal"]),
    ("gateway/export", &["ecmo-core"]),
    ("gateway/identity", &["ecmo-proto"]),
    ("gateway/pki", &["ecmo-identity"]),
    (
        "gateway",
        &[
            "ecmo-proto",
            "ecmo-core",
            "ecmo-profile",
            "ecmo-decode",
            "ecmo-journal",
            "ecmo-history",
            "ecmo-identity",
            "ecmo-notify",
            "ecmo-pki",
        ],
    ),
    ("dashboards/display", &["ecmo-proto"]),
    (
        "dashboards/terminal",
        &["ecmo-proto", "ecmo-core", "ecmo-display", "ecmo-export", "ecmo-identity"],
    ),
];

/// Dependencies, for shipped code, of one manifest that its rank forbids.
fn forbidden_dependencies(crate_folder: &str, manifest: &str, allowed: &[&str]) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let tables = manifest
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(|targets| targets.values().filter_map(toml::Value::as_table))
        .chain([&manifest]);
    let names = tables.flat_map(|table| {
        ["dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(|kind| table.get(kind)?.as_table())
            .flat_map(|dependencies| dependencies.keys())
    });
    let core = crate_folder == "gateway/core";
    names
        .filter(|name| core || (name.starts_with("ecmo") && !allowed.contains(&name.as_str())))
        .map(|name| format!("{crate_folder}/Cargo.toml: {name}"))
        .collect()
}

#[test]
fn each_library_is_used_only_in_its_place() {
    demand(
        &over_the_wall(sources()),
        "call the module that owns the library, or add there what you need",
    );
}

#[test]
fn metrics_are_recorded_only_through_the_metrics_module() {
    demand(
        &metrics_elsewhere(sources()),
        "add a method to metrics.rs, which keeps the names and handles",
    );
}

#[test]
fn only_clock_files_read_a_clock() {
    demand(
        &clock_reads(sources()),
        "time is an argument: take it from the caller, who has it from clock.rs",
    );
}

#[test]
fn the_core_only_decides() {
    demand(
        &impure(sources()),
        "the core takes data and a time and returns data: use core or alloc",
    );
}

#[test]
fn crates_depend_only_on_crates_below_them() {
    let mut wrong = Vec::new();
    for (folder, allowed) in RANKS {
        wrong.extend(forbidden_dependencies(
            folder,
            &read(&format!("{folder}/Cargo.toml")),
            allowed,
        ));
    }
    let ranked =
        |path: &str| RANKS.iter().any(|(folder, _)| path == format!("{folder}/Cargo.toml"));
    let manifests = files("", &["toml"]).into_iter();
    wrong.extend(manifests.filter(|path| {
        path.ends_with("/Cargo.toml") && !path.starts_with("deploy/") && !ranked(path)
    }));
    demand(
        &wrong,
        "the core depends on nothing, the contract on no decision, no part on a later one; a new crate gets its rank here",
    );
}

#[test]
fn a_library_out_of_its_place_is_noticed() {
    let check = |path: &str, text: &str| over_the_wall(&[Source::new(path, text)]);
    for (path, text) in [
        ("gateway/src/fanout.rs", "use rumqttc::Client;"),
        ("gateway/src/registry.rs", "use ecmo_proto::v1::Frame;"),
        ("agent/src/sampler.rs", "fn f() { rumqttc::x() }"),
        ("gateway/src/http.rs", "use mqtt5::broker;"),
        ("gateway/src/fanout.rs", "use tonic::Status;"),
        ("gateway/src/lib.rs", "use tonic_web::GrpcWebLayer;"),
        ("dashboards/terminal/src/table.rs", "fn f(s: tonic::Status) {}"),
        ("gateway/src/watchdog.rs", "use dashmap::DashMap;"),
        ("gateway/src/http.rs", "use metrics_exporter_prometheus::PrometheusHandle;"),
    ] {
        noticed(&check(path, text), " belongs to ");
    }
    for (path, text) in [
        ("gateway/src/ingest.rs", "use rumqttc::Client; use ecmo_proto::topic;"),
        ("gateway/src/ingest/session.rs", "use rumqttc::Client;"),
        ("gateway/src/grpc/watch.rs", "use tonic::Status;"),
        ("gateway/src/fanout.rs", "// as tonic does\nlet a = \"tonic\"; let tonic_like = 1;"),
        ("gateway/tests/it/slow.rs", "use tonic::Status;"),
    ] {
        assert!(check(path, text).is_empty(), "{path}: {text}");
    }
}

#[test]
fn metrics_out_of_their_place_are_noticed() {
    let check = |text: &str| metrics_elsewhere(&[Source::new("gateway/src/decode.rs", text)]);
    for bad in [
        "use metrics::Counter;",
        "fn f() { ::metrics::x() }",
        "fn f() { counter!(\"a\") }",
        "metrics::gauge(1)",
    ] {
        noticed(&check(bad), "decode.rs:1");
    }
    for fine in [
        "use crate::metrics::Metrics;",
        "use crate::{clock, metrics::{self, Metrics}}; fn f() { metrics::g() }",
        "fn f(m: &crate::metrics::Metrics, x: X) { x.metrics.add(1) }",
    ] {
        assert_eq!(check(fine), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn a_clock_read_elsewhere_is_noticed() {
    let check = |path: &str, text: &str| clock_reads(&[Source::new(path, text)]);
    for bad in [
        "fn f() { std::time::Instant::now(); }",
        "use std::time::Instant; fn f() { Instant::now(); }",
        "use tokio::time; fn f() { std::time::Instant::now(); }",
        "use tokio::time::sleep; use std::time::Instant; fn f() { Instant::now(); }",
        "fn f() { SystemTime::now(); }",
        "use std::time::Instant; fn f(i: Instant) { i.elapsed(); }",
        "use tokio::time; fn f() { jiff::Timestamp::now(); }",
    ] {
        noticed(&check("gateway/src/watchdog.rs", bad), "watchdog.rs:1");
        assert!(check("gateway/src/clock.rs", bad).is_empty());
    }
    for fine in [
        "use tokio::time::{Instant, sleep_until}; fn f() { Instant::now(); }",
        "fn f() { tokio::time::Instant::now(); }",
        "struct S { elapsed: u64 }",
        "fn f(&self) { self.elapsed() }",
    ] {
        assert_eq!(check("gateway/src/watchdog.rs", fine), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn an_impure_core_is_noticed() {
    let check = |path: &str, text: &str| impure(&[Source::new(path, text)]);
    noticed(&check("gateway/core/src/lib.rs", "//! Core."), "lacks");
    noticed(&check("gateway/core/src/pump.rs", "use std::time::Instant;"), "std");
    noticed(&check("gateway/core/src/pump.rs", "extern crate std;"), "std");
    assert!(
        check("gateway/core/src/pump.rs", "use core::fmt; #[cfg(test)] mod t { use std::fs; }")
            .is_empty()
    );
}

#[test]
fn a_crate_above_its_rank_is_noticed() {
    let manifest = "[dependencies]\necmo-gateway.workspace = true\nbytes = \"1\"\n[dev-dependencies]\necmo-testkit.workspace = true";
    noticed(&forbidden_dependencies("agent", manifest, &["ecmo-proto"]), "ecmo-gateway");
    let hidden = "[target.'cfg(unix)'.dependencies]\nlibc = \"1\"";
    noticed(&forbidden_dependencies("gateway/core", hidden, &[]), "libc");
    let fine = "[dependencies]\n[dev-dependencies]\nproptest = \"1\"";
    assert!(forbidden_dependencies("gateway/core", fine, &[]).is_empty());
}
