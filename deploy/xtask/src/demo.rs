//! Runs the demo as a newcomer does, with a fault, and checks what arrives at a display and at Prometheus.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::clock::{Start, wait};
use crate::http;
use crate::process::{Background, Project, free_port, output};
use crate::tools;

const PUMPS: usize = 4;
/// Pump 2 stops 8 s after the start.
const FAULT: &str = "pump-stop@2:8";
const CONDITION: &str = "pump.stop";
const SECONDS: u64 = 20;
const WATCH_SECONDS: &str = "18";

/// The promise to a newcomer: something is on the screen at once.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// Before the fault, so that the four pumps are seen while all is well.
const ALL_PUMPS: Duration = Duration::from_secs(7);
const WATCHED: Duration = Duration::from_secs(SECONDS);
/// The demo's own time, and some for its end on a busy machine.
const ENDED: Duration = Duration::from_secs(SECONDS + 15);

/// Words that the demo's last lines must hold: the alarm, and its percentiles for each hop.
const REPORT: [&str; 3] = [CONDITION, "p99", "decided"];

pub(crate) fn check(project: &Project) -> Result<()> {
    tools::ensure_installed(project, &[tools::PROMTOOL])?;
    let (bind, metrics) = (free_port()?, free_port()?);
    let start = Start::now();
    let mut demo = start_demo(project, bind, metrics)?;
    wait("the demo's first line", start, FIRST_LINE, || {
        demo.still_runs()?;
        ensure!(demo.log().contains('\n'), "it has written nothing");
        Ok(())
    })?;
    println!("first line after {:.2} s", start.passed().as_secs_f64());
    let checked = check_running(project, &mut demo, start, bind, metrics);
    let ended = checked.and_then(|()| wait("the demo ends", start, ENDED, || demo.ended()));
    println!("the demo wrote:\n{}", demo.log());
    let status = ended?;
    ensure!(status.success(), "the demo ended with {status}");
    let log = demo.log();
    for word in REPORT {
        ensure!(log.contains(word), "the demo's output does not hold {word:?}");
    }
    Ok(())
}

fn start_demo(project: &Project, bind: u16, metrics: u16) -> Result<Background> {
    let (bind, metrics) = (format!("127.0.0.1:{bind}"), format!("127.0.0.1:{metrics}"));
    let (pumps, seconds) = (PUMPS.to_string(), SECONDS.to_string());
    let arguments = [
        // Building the page would take from the demo's time; step browser opens it.
        "--no-page",
        "--pumps",
        &pumps,
        "--fault",
        FAULT,
        "--for",
        &seconds,
        "--bind",
        &bind,
        "--metrics",
        &metrics,
    ];
    let mut command = project.command(project.built("ecmo-demo"), &arguments);
    Background::start(&mut command, project.scratch()?.join("demo.log"))
}

/// What a display and Prometheus see while the demo runs.
fn check_running(
    project: &Project,
    demo: &mut Background,
    start: Start,
    bind: u16,
    metrics: u16,
) -> Result<()> {
    let gateway = format!("http://127.0.0.1:{bind}");
    wait("the gateway shows every pump", start, ALL_PUMPS, || {
        demo.still_runs()?;
        let arguments = ["--gateway", &gateway, "pumps", "--output", "json"];
        let shown = output(&mut project.command(project.built("ecmoctl"), &arguments))?;
        let error = String::from_utf8_lossy(&shown.stderr);
        has_every_pump(&shown.stdout).with_context(|| format!("ecmoctl: {} {error}", shown.status))
    })?;
    println!("ecmoctl pumps shows {PUMPS} pumps after {:.2} s", start.passed().as_secs_f64());

    let arguments =
        ["--gateway", &gateway, "alarms", "--watch", "--until", CONDITION, "--for", WATCH_SECONDS];
    let mut command = project.command(project.built("ecmoctl"), &arguments);
    let mut watch = Background::start(&mut command, project.scratch()?.join("alarms.log"))?;
    let watched = wait("the alarm arrives", start, WATCHED, || watch.ended());
    println!("ecmoctl alarms wrote:\n{}", watch.log());
    let status = watched?;
    ensure!(status.success(), "ecmoctl alarms --until {CONDITION} ended with {status}");

    check_metrics(project, &http::get(metrics, "/metrics")?)
}

fn has_every_pump(json: &[u8]) -> Result<()> {
    let value: serde_json::Value = serde_json::from_slice(json).context("no JSON")?;
    let pumps = value.as_array().context("no array")?;
    let named =
        pumps.iter().filter(|pump| pump.get("pump").is_some_and(serde_json::Value::is_string));
    let count = named.count();
    ensure!(count == PUMPS && pumps.len() == PUMPS, "{count} pumps of {}", pumps.len());
    Ok(())
}

fn check_metrics(project: &Project, page: &str) -> Result<()> {
    let ours = page.lines().filter(|line| line.starts_with("ecmo_")).count();
    ensure!(ours > 0, "/metrics holds no metric of ours:\n{page}");
    let mut promtool = project
        .command("promtool", &["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start promtool")?;
    let mut input = promtool.stdin.take().context("promtool has an input")?;
    input.write_all(page.as_bytes()).context("promtool does not read")?;
    drop(input);
    let judged = promtool.wait_with_output().context("promtool does not end")?;
    if !judged.status.success() {
        let texts = [judged.stdout, judged.stderr].concat();
        bail!("promtool check metrics:\n{}", String::from_utf8_lossy(&texts));
    }
    println!("promtool accepts {ours} lines of metrics");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_counts_only_with_every_pump_by_name() {
        let list = |names: &[&str]| {
            let pumps: Vec<_> =
                names.iter().map(|name| serde_json::json!({ "pump": name })).collect();
            serde_json::to_vec(&pumps).unwrap()
        };
        assert!(has_every_pump(&list(&["1", "2", "3", "4"])).is_ok());
        assert!(has_every_pump(&list(&["1", "2", "3"])).is_err());
        assert!(has_every_pump(br#"[{"pump":"1"},{"pump":"2"},{"pump":"3"},{"pump":4}]"#).is_err());
        assert!(has_every_pump(b"{}").is_err());
        assert!(has_every_pump(b"").is_err());
    }

    #[test]
    fn a_page_without_our_metrics_is_no_success() {
        let project = Project::find().unwrap();
        assert!(check_metrics(&project, "").is_err());
        assert!(check_metrics(&project, "go_threads 1\n").is_err());
    }
}
