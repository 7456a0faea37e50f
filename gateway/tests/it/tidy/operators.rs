//! What operators get: every metric is in a picture or a rule, every alert has its runbook, and cases in which it fires and is quiet.

use std::collections::{BTreeMap, BTreeSet};

use super::names::defined;
use super::source::{files, read, sources};
use super::{demand, noticed};

const RULES: &str = "deploy/prometheus/rules";
const TESTS: &str = "deploy/prometheus/tests";
const RUNBOOKS: &str = "deploy/runbooks";

/// Fires always: its silence is the alarm, so there is no case in which it is quiet.
const ALWAYS: &str = "EcmoWatchdog";

/// What a runbook says, in this order.
const PARTS: [&str; 4] = ["## Symptom", "## Meaning", "## Action", "## Verification"];

/// What follows a key on a line.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.trim().trim_start_matches("- ").strip_prefix(key)?.strip_prefix(": ")
}

/// The alerts of a file of rules, each with the runbook that it names.
fn alerts(rules: &str) -> BTreeMap<&str, Option<&str>> {
    let mut found = BTreeMap::new();
    let mut last = None;
    for line in rules.lines() {
        if let Some(name) = value(line, "alert") {
            last = Some(name);
            found.insert(name, None);
        } else if let (Some(name), Some(url)) = (last, value(line, "runbook_url")) {
            found.insert(name, Some(url));
        }
    }
    found
}

/// Alerts of a file of cases: those that fire in one, and those that are quiet in one.
fn cases(tests: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut fires, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    let mut last = "";
    for line in tests.lines() {
        if let Some(name) = value(line, "alertname") {
            last = name;
        }
        match line.trim() {
            "exp_alerts: []" => quiet.insert(last),
            "exp_alerts:" => fires.insert(last),
            _ => continue,
        };
    }
    (fires, quiet)
}

/// What is missing of each alert. `runbook` gives the text of a runbook, if there is one.
fn incomplete(rules: &str, tests: &str, runbook: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let (fires, quiet) = cases(tests);
    let all = alerts(rules);
    for (name, url) in &all {
        let path = format!("{RUNBOOKS}/{name}.md");
        if *url != Some(path.as_str()) {
            wrong.push(format!("{name}: its runbook_url is {url:?}"));
        }
        let text = runbook(&path).unwrap_or_default();
        let places: Vec<_> = PARTS.iter().map(|part| text.find(part)).collect();
        if !places.iter().all(Option::is_some) || !places.is_sorted() {
            wrong.push(format!("{path}: needs {}", PARTS.join(", ")));
        }
        if !fires.contains(name) {
            wrong.push(format!("{name}: no case in {TESTS} in which it fires"));
        }
        if *name != ALWAYS && !quiet.contains(name) {
            wrong.push(format!("{name}: no case in {TESTS} in which it is quiet"));
        }
    }
    let strangers = fires.union(&quiet).filter(|name| !all.contains_key(*name));
    wrong.extend(strangers.map(|name| format!("{name}: a case, and no such alert")));
    wrong
}

/// Metrics that no text uses.
fn unused(defined: &BTreeSet<&str>, texts: &[String]) -> Vec<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words: BTreeSet<&str> =
        texts.iter().flat_map(|text| text.split(|letter| !is_part(letter))).collect();
    let ends = ["", "_bucket", "_count", "_sum"];
    let is_used =
        |name: &&&str| ends.iter().any(|end| words.contains(format!("{name}{end}").as_str()));
    defined.iter().filter(|name| !is_used(name)).map(|name| (*name).to_owned()).collect()
}

fn all_of(folder: &str, ending: &str) -> Vec<String> {
    files(folder, &[ending]).iter().map(|path| read(path)).collect()
}

#[test]
fn every_metric_is_in_a_picture_or_a_rule() {
    let texts = [all_of("dashboards/grafana", "json"), all_of(RULES, "yml")].concat();
    demand(
        &unused(&defined(sources()), &texts),
        "nobody would see these: put them into a dashboard (dashboards/grafana/*.toml) or a rule, or delete them",
    );
}

#[test]
fn every_alert_has_a_runbook_and_cases_in_which_it_fires_and_is_quiet() {
    let (rules, tests) = (all_of(RULES, "yml").concat(), all_of(TESTS, "yml").concat());
    assert!(alerts(&rules).len() > 20, "the rules are not read as they are written");
    let runbook = |path: &str| std::fs::read_to_string(super::source::root().join(path)).ok();
    demand(&incomplete(&rules, &tests, runbook), "write what is missing");
    let known = alerts(&rules);
    let lonely: Vec<String> = files(RUNBOOKS, &["md"])
        .into_iter()
        .filter(|path| !known.values().any(|url| *url == Some(path.as_str())))
        .collect();
    demand(&lonely, "no alert leads to these");
}

#[test]
fn an_alert_that_lacks_something_is_noticed() {
    let rules = "  - alert: A\n    annotations:\n      runbook_url: deploy/runbooks/A.md\n";
    let tests = "  alertname: A\n  exp_alerts:\n  alertname: A\n  exp_alerts: []\n";
    let whole = |_: &str| Some(PARTS.join("\n"));
    assert_eq!(incomplete(rules, tests, whole), [""; 0]);
    noticed(&incomplete(rules, tests, |_| None), "needs ## Symptom");
    noticed(&incomplete(rules, tests, |_| Some("## Symptom".to_owned())), "needs ## Symptom");
    noticed(&incomplete(&rules.replace("/A.md", "/B.md"), tests, whole), "runbook_url");
    noticed(&incomplete(rules, &tests.replace("exp_alerts:\n", ""), whole), "in which it fires");
    noticed(
        &incomplete(rules, &tests.replace("exp_alerts: []", ""), whole),
        "in which it is quiet",
    );
    let more = format!("{tests}alertname: B\nexp_alerts: []\n");
    noticed(&incomplete(rules, &more, whole), "no such alert");
}

#[test]
fn a_metric_that_nobody_sees_is_noticed() {
    let defined = BTreeSet::from(["ecmo_a_total", "ecmo_b_seconds"]);
    let used = "rate(ecmo_a_total[5m]) ecmo_b_seconds_bucket".to_owned();
    assert!(unused(&defined, &[used]).is_empty());
    noticed(&unused(&defined, &["ecmo_a_totals ecmo_b_seconds_count".to_owned()]), "ecmo_a_total");
}
