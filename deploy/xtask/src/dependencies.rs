//! What deploy/deny.toml says of licences, sources and forbidden crates, held without cargo-deny: that takes longer to build
//! than everything of ours.

#![cfg(test)]

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{Project, output};

const SETTINGS: &str = "deploy/deny.toml";

/// Where crates may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Whether an expression of licences can be satisfied: one of its alternatives, and all parts of that.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Brackets only occur as (A OR B) AND C here: each part of an AND must have an alternative that is allowed.
    let has_one = |part: &str| part.split(" OR ").any(|one| allowed.contains(&words(one)));
    match expression.contains('(') {
        true => words(&plain).split(" AND ").all(has_one),
        false => words(&plain)
            .split(" OR ")
            .any(|one| words(one).split(" AND ").all(|part| allowed.contains(&part.to_owned()))),
    }
}

fn wrong(packages: &[Value], settings: &toml::Table) -> Vec<String> {
    let list =
        |section: &str, key: &str| settings[section][key].as_array().expect("a list").clone();
    let text = |value: &toml::Value| value.as_str().map(str::to_owned);
    let allowed: Vec<String> = list("licenses", "allow").iter().filter_map(text).collect();
    let denied = list("bans", "deny");
    let denied: Vec<&str> = denied.iter().filter_map(|one| one["name"].as_str()).collect();
    let mut found = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_allowed(licence, &allowed) {
            found.push(format!("{name}: licence {licence}"));
        }
        if denied.contains(&name) {
            found.push(format!("{name}: is denied"));
        }
        if package["source"].as_str().is_some_and(|source| source != REGISTRY) {
            found.push(format!("{name}: comes from {}", package["source"]));
        }
    }
    found
}

fn read(project: &Project) -> Result<(Vec<Value>, toml::Table)> {
    let settings = std::fs::read_to_string(project.root.join(SETTINGS)).context(SETTINGS)?;
    let listed =
        output(&mut project.cargo_command(&["metadata", "--format-version", "1", "--locked"]))?;
    let listed: Value = serde_json::from_slice(&listed.stdout).context("no list of crates")?;
    let packages = listed["packages"].as_array().context("no crates")?.clone();
    Ok((packages, settings.parse()?))
}

#[test]
fn every_crate_has_a_licence_that_is_allowed_and_comes_from_where_it_may() {
    let (packages, settings) = read(&Project::find().unwrap()).unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    let found = wrong(&packages, &settings);
    assert!(found.is_empty(), "decide on these in {SETTINGS}:\n  {}", found.join("\n  "));
}

#[test]
fn a_crate_that_may_not_come_in_is_noticed() {
    let (_packages, settings) = read(&Project::find().unwrap()).unwrap();
    let package = |name: &str, licence: &str, source: &str| serde_json::json!({"name": name, "license": licence, "source": source});
    for good in
        ["MIT OR GPL-3.0", "MIT/Apache-2.0", "(GPL-3.0 OR MIT) AND Unicode-3.0", "MIT AND ISC"]
    {
        assert_eq!(wrong(&[package("a", good, REGISTRY)], &settings), [""; 0], "{good}");
    }
    for bad in [
        package("a", "GPL-3.0", REGISTRY),
        package("a", "MIT AND GPL-3.0", REGISTRY),
        package("a", "(GPL-3.0 OR LGPL-3.0) AND MIT", REGISTRY),
        package("openssl-sys", "MIT", REGISTRY),
        package("a", "MIT", "git+https://example.org/a"),
    ] {
        assert_eq!(wrong(std::slice::from_ref(&bad), &settings).len(), 1, "{bad}");
    }
}
