//! A unit of real programs, read by a real Prometheus: every query says something, and what fails reaches a receiver.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::receiver::Receiver;
use super::{dashboard, query};
use crate::clock::{Start, wait};
use crate::http;
use crate::mosquitto::{self, Mosquitto};
use crate::process::{Background, Project, free_port, output};

/// Every server listens, every pump is live.
const READY: Duration = Duration::from_secs(20);

/// Rates and quantiles need some scrapes.
const ANSWERED: Duration = Duration::from_secs(45);

/// From a dead agent to the call: stale, scraped, five seconds of patience, routed.
const CALLED: Duration = Duration::from_secs(30);

/// As short as a busy machine allows: what is checked are queries, not times.
const SCRAPE: &str = "1s";
const RATE_INTERVAL: &str = "15s";

/// The pump that is lost, and the one that stops.
const LOST: &str = "pump-1";
const STOPPED: &str = "pump-2";

/// What runs; killed when dropped.
struct Unit {
    brokers: [Mosquitto; 2],
    gateway: Background,
    metrics: u16,
    displays: u16,
    folder: PathBuf,
}

pub(super) fn check(project: &Project) -> Result<()> {
    let folder = project.scratch()?.join("monitoring");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot empty the folder of the unit")?;
    }
    fs::create_dir_all(&folder).context("cannot make the folder of the unit")?;
    let mut unit = Unit::start(project, folder)?;
    let receiver = Receiver::start()?;
    let (_alertmanager, alerts) = alertmanager(project, &unit.folder, receiver.port)?;
    let agent_metrics = free_port()?;
    let prometheus = Prometheus::start(project, &unit, agent_metrics, alerts)?;
    // What happens before the first scrape is in no rate.
    let scraped = r#"ecmo_gateway_build_info{job="ecmo-gateway"}"#;
    wait("the gateway is scraped", Start::now(), READY, || query::ask(prometheus.port, scraped))?;

    let metrics = format!("[metrics]\nbind = \"127.0.0.1:{agent_metrics}\"\n");
    let lost = unit.agent(project, LOST, &metrics)?;
    let fault = "faults = [{ kind = \"pump-stop\", at_s = 3 }]\n";
    let _stopped = unit.agent(project, STOPPED, fault)?;
    wait("a case is entered", Start::now(), READY, || {
        unit.gateway.still_runs()?;
        unit.enter_case(project)
    })?;
    let _display = unit.display(project)?;
    prometheus.every_query_says_something(project)?;

    // The dead-man's switch, and a pump with a treatment that is gone.
    drop(lost);
    let start = Start::now();
    let alarm = [
        "\"status\":\"firing\"",
        "EcmoPumpStreamStale",
        LOST,
        "deploy/runbooks/EcmoPumpStreamStale.md",
    ];
    wait("the page arrives", start, CALLED, || receiver.heard("/pages", &alarm))?;
    wait("the switch is pressed", start, CALLED, || receiver.heard("/alive", &["EcmoWatchdog"]))?;
    println!("the receiver was called {:.1} s after the agent died", start.passed().as_secs_f64());
    ensure!(receiver.heard("/tickets", &["EcmoPumpStreamStale"]).is_err(), "a page is no ticket");
    Ok(())
}

impl Unit {
    fn start(project: &Project, folder: PathBuf) -> Result<Self> {
        let brokers = [mosquitto::start(project)?, mosquitto::start(project)?];
        let (displays, metrics) = (free_port()?, free_port()?);
        let [one, two] = brokers.each_ref().map(|broker| broker.address);
        let settings = format!(
            "[broker]\nurl = \"mqtt://{one}\"\nsecond_url = \"mqtt://{two}\"\n[serve]\nbind = \"127.0.0.1:{displays}\"\n\
             [metrics]\nbind = \"127.0.0.1:{metrics}\"\n[state]\ndir = \"state\"\n[journal]\ndir = \"journal\"\n[drill]\nevery_s = 1\n"
        );
        let path = write(&folder, "gateway.toml", &settings)?;
        let arguments = ["serve", "--config", &path];
        let mut command = project.command(project.built("ecmo-gateway"), &arguments);
        let mut gateway = Background::start(&mut command, folder.join("gateway.log"))?;
        wait("the gateway serves", Start::now(), READY, || {
            gateway.still_runs()?;
            http::get(metrics, "/healthz")
        })?;
        Ok(Self { brokers, gateway, metrics, displays, folder })
    }

    fn agent(&self, project: &Project, pump: &str, more: &str) -> Result<Background> {
        let [one, two] = self.brokers.each_ref().map(|broker| broker.address);
        let (tables, source) = if more.starts_with('[') { (more, "") } else { ("", more) };
        let settings = format!(
            "ward = \"nicu\"\npump = \"{pump}\"\nbrokers = [\"mqtt://{one}\", \"mqtt://{two}\"]\n{tables}\
             [spool]\ndir = \"spool-{pump}\"\n[[source]]\nkind = \"simulated\"\n{source}"
        );
        let path = write(&self.folder, &format!("{pump}.toml"), &settings)?;
        let mut command = project.command(project.built("ecmo-agent"), &["run", "--config", &path]);
        Background::start(&mut command, self.folder.join(format!("{pump}.log")))
    }

    fn enter_case(&self, project: &Project) -> Result<()> {
        let (gateway, pump) = (self.url(), format!("nicu/{LOST}"));
        let arguments = [
            "--gateway",
            &gateway,
            "case",
            "start",
            &pump,
            "--pseudonym",
            "K7",
            "--weight",
            "3.2",
            "--therapy",
            "VA",
            "--flow-target",
            "350",
            "--by",
            "Ann",
        ];
        let said = output(&mut project.command(project.built("ecmoctl"), &arguments))?;
        ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        Ok(())
    }

    fn display(&self, project: &Project) -> Result<Background> {
        let gateway = self.url();
        let arguments = ["--gateway", &gateway, "alarms", "--watch", "--seen", "--bell"];
        let mut command = project.command(project.built("ecmoctl"), &arguments);
        Background::start(&mut command, self.folder.join("display.log"))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.displays)
    }
}

fn alertmanager(project: &Project, folder: &Path, receiver: u16) -> Result<(Background, u16)> {
    let text = fs::read_to_string(project.root.join("deploy/alertmanager/alertmanager.yml"))?;
    ensure!(text.contains("127.0.0.1:9099"), "the receiver's address has changed");
    let text = text.replace("127.0.0.1:9099", &format!("127.0.0.1:{receiver}"));
    let settings = write(folder, "alertmanager.yml", &text)?;
    let port = free_port()?;
    let data = folder.join("alertmanager");
    let arguments = [
        format!("--config.file={settings}"),
        format!("--storage.path={}", data.display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        // Alone: no gossip, and no port for it.
        "--cluster.listen-address=".to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = project.command(tools_name(project), &arguments);
    let mut program = Background::start(&mut command, folder.join("alertmanager.log"))?;
    wait("Alertmanager is ready", Start::now(), READY, || {
        program.still_runs()?;
        http::get(port, "/-/ready")
    })?;
    Ok((program, port))
}

/// As Debian names it, or as its makers do.
fn tools_name(project: &Project) -> &'static str {
    let debian = "prometheus-alertmanager";
    if project.has(debian) { debian } else { "alertmanager" }
}

struct Prometheus {
    _program: Background,
    port: u16,
}

impl Prometheus {
    fn start(project: &Project, unit: &Unit, agent: u16, alertmanager: u16) -> Result<Self> {
        let port = free_port()?;
        let from = project.root.join(super::FOLDER);
        let text = fs::read_to_string(from.join("prometheus.yml")).context("no prometheus.yml")?;
        let rules = format!("{}/rules/", from.display());
        let targets = unit.folder.join("targets");
        fs::create_dir_all(&targets).context("cannot make targets")?;
        for (name, port) in [("gateway", unit.metrics), ("agent", agent), ("prometheus", port)] {
            write(&targets, &format!("{name}.yml"), &format!("- targets: ['127.0.0.1:{port}']\n"))?;
        }
        let text = text
            .replace("_interval: 5s", &format!("_interval: {SCRAPE}"))
            .replace("scrape_timeout: 4s", &format!("scrape_timeout: {SCRAPE}"))
            .replace("rules/", &rules)
            .replace("127.0.0.1:9093", &format!("127.0.0.1:{alertmanager}"));
        let settings = write(&unit.folder, "prometheus.yml", &text)?;
        let arguments = [
            format!("--config.file={settings}"),
            format!("--storage.tsdb.path={}", unit.folder.join("tsdb").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // What fires before Alertmanager is found is sent again, by default after a minute.
            "--rules.alert.resend-delay=5s".to_owned(),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = project.command("prometheus", &arguments);
        let mut program = Background::start(&mut command, unit.folder.join("prometheus.log"))?;
        wait("Prometheus is ready", Start::now(), READY, || {
            program.still_runs()?;
            http::get(port, "/-/ready")
        })
        .with_context(|| program.log())?;
        Ok(Self { _program: program, port })
    }

    /// Each panel's query, each recording rule, and each selector of each alert.
    fn every_query_says_something(&self, project: &Project) -> Result<()> {
        let mut queries = dashboard::queries(project)?;
        let rules: Value = serde_json::from_str(&http::get(self.port, "/api/v1/rules")?)?;
        let groups = rules
            .pointer("/data/groups")
            .and_then(Value::as_array)
            .context("no groups of rules")?;
        let of_groups = groups.iter().filter_map(|group| group.get("rules")?.as_array()).flatten();
        for rule in of_groups {
            let text = |key| rule.get(key).and_then(Value::as_str);
            let name = text("name").context("a rule without a name")?.to_owned();
            let expr = text("query").context("a rule without a query")?;
            // A rule that alerts is silent where all is well; what it looks at must be there.
            let asked = match text("type") {
                Some("alerting") => query::selectors(expr),
                _ => vec![expr.to_owned()],
            };
            queries.extend(asked.into_iter().map(|expr| (name.clone(), expr)));
        }
        let count = queries.len();
        let start = Start::now();
        wait("every query says something", start, ANSWERED, || {
            // Whoever answered once need not be asked again.
            queries.retain(|(_place, expr)| {
                query::ask(self.port, &query::filled(expr, RATE_INTERVAL)).is_err()
            });
            let silent = queries.iter().map(|(place, expr)| format!("\n  {place}: {expr}"));
            let silent: String = silent.collect();
            ensure!(silent.is_empty(), "{} of {count} say nothing:{silent}", queries.len());
            Ok(())
        })?;
        println!("{count} queries say something after {:.1} s", start.passed().as_secs_f64());
        Ok(())
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<String> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.to_string_lossy().into_owned())
}
