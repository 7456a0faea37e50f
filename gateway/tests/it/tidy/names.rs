//! Metric names: written in `metrics.rs` only, and every one that a picture, rule or runbook uses exists there.

use std::collections::BTreeSet;

use super::source::{Source, files, read, sources};
use super::{demand, noticed};

/// `ecmo_<part>_<thing>…`: at least three parts, so that a crate's name is none.
fn is_metric_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let parts = || text.split('_');
    text.starts_with("ecmo_")
        && text.bytes().all(allowed)
        && parts().count() >= 3
        && parts().all(|part| !part.is_empty())
}

fn owns_names(path: &str) -> bool {
    path.ends_with("/src/metrics.rs") || path.contains("/src/metrics/")
}

pub(super) fn defined(files: &[Source]) -> BTreeSet<&str> {
    files
        .iter()
        .filter(|file| owns_names(&file.path))
        .flat_map(|file| file.literals.iter().filter(|(at, _)| file.is_shipped(*at)))
        .map(|(_, text)| text.as_str())
        .filter(|text| is_metric_name(text))
        .collect()
}

/// Names in shipped code outside `metrics.rs`.
fn names_elsewhere(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !owns_names(&file.path)) {
        let names =
            file.literals.iter().filter(|(at, text)| is_metric_name(text) && file.is_shipped(*at));
        found.extend(names.map(|(at, text)| format!("{}: {text}", file.place(*at))));
    }
    found
}

/// Names in a document that no `metrics.rs` defines.
fn unknown_names(path: &str, text: &str, defined: &BTreeSet<&str>) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let known = |name: &str| {
        // What Prometheus adds to the name of a histogram.
        let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        defined.contains(name) || bare.is_some_and(|bare| defined.contains(bare))
    };
    let unknown: BTreeSet<&str> =
        words.filter(|word| is_metric_name(word) && !known(word)).collect();
    unknown.into_iter().map(|name| format!("{path}: {name}")).collect()
}

#[test]
fn metric_names_are_written_only_in_metrics_files() {
    demand(&names_elsewhere(sources()), "name it in metrics.rs and use that");
}

#[test]
fn every_metric_that_a_picture_or_runbook_names_exists() {
    let defined = defined(sources());
    assert!(
        !defined.is_empty(),
        "no metric name was found in any metrics.rs: write names there as whole literals"
    );
    let documents = ["dashboards", "deploy"]
        .map(|folder| files(folder, &["json", "yaml", "yml", "md"]))
        .concat();
    let unknown: Vec<String> =
        documents.iter().flat_map(|path| unknown_names(path, &read(path), &defined)).collect();
    demand(&unknown, "no metrics.rs defines these; correct the name, or write the metric");
}

#[test]
fn a_name_out_of_its_place_is_noticed() {
    let check = |path: &str, text: &str| names_elsewhere(&[Source::new(path, text)]);
    noticed(
        &check("gateway/src/http.rs", "fn f() {\n g(\"ecmo_gateway_frames_total\") }"),
        "http.rs:2",
    );
    assert!(
        check("gateway/src/metrics.rs", "const A: &str = \"ecmo_gateway_frames_total\";")
            .is_empty()
    );
    assert!(
        check("gateway/src/http.rs", "f(\"ecmo_gateway=info\"); // \"ecmo_gateway_x\"").is_empty()
    );
    assert!(
        check("gateway/src/http.rs", "#[cfg(test)] mod t { fn f() { g(\"ecmo_gateway_x\") } }")
            .is_empty()
    );
    assert!(check("gateway/tests/it/http.rs", "f(\"ecmo_gateway_frames_total\")").is_empty());
}

#[test]
fn an_unknown_name_in_a_document_is_noticed() {
    let files = [Source::new(
        "gateway/src/metrics.rs",
        "(\"ecmo_gateway_a_total\", \"ecmo_gateway_b_seconds\")\n#[cfg(test)] mod t { fn f() { g(\"ecmo_gateway_c_total\") } }",
    )];
    let defined = defined(&files);
    let check = |text: &str| unknown_names("dashboards/x.json", text, &defined);
    assert!(
        check(
            "rate(ecmo_gateway_a_total[5m]) ecmo_gateway_b_seconds_bucket ecmo_gateway ecmo-core"
        )
        .is_empty()
    );
    noticed(&check("\"expr\": \"ecmo_gateway_c_total\""), "ecmo_gateway_c_total");
    noticed(&check("ecmo_gateway_a_total_total"), "ecmo_gateway_a_total_total");
}
