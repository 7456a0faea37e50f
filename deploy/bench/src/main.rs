//! The yardstick: measures our latency beside that of a raw broker hop and a raw gRPC hop, in one run.

mod args;

mod clock;

mod series;

mod pace;

mod crossing;

mod plan;

mod frames;

mod background;

mod machine;

mod mqtt;

mod views;

mod display;

mod beside;

mod turns;

mod l0;

mod t0;

mod gateway;

mod ours;

mod report;

mod delivery;

mod work;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use ecmo_testkit::{EmbeddedBroker, Mosquitto};

use args::{Arguments, BrokerKind, Command, Delivery, Latency};
use machine::Machine;
use ours::Scene;
use plan::Plan;
use report::{Report, Round, Summary};

/// Where the reports go unless told otherwise.
const JSON: &str = "target/bench/latency.json";
const DELIVERY_JSON: &str = "target/bench/delivery.json";

fn main() -> ExitCode {
    let ran = match Arguments::parse().command {
        Command::Latency(settings) => latency(settings),
        Command::Delivery(settings) => delivery(settings),
        Command::Work(settings) => work::run(&settings).map(|()| None),
        Command::Beside(settings) => beside::run(settings).map(|()| None),
    };
    match ran {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(missed)) => {
            eprintln!("ecmo-bench: {missed}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("ecmo-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs to the end, or until it is asked to stop.
fn block_on<T>(measured: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            measured = measured => measured,
            asked = asked_to_stop() => asked.and_then(|()| bail!("interrupted")),
        }
    })
}

/// Runs, prints and writes; tells what the exit code must say.
fn delivery(settings: Delivery) -> anyhow::Result<Option<String>> {
    let program = gateway::find(settings.gateway.as_deref())?;
    let broker = Broker::start(settings.broker)?;
    let load_before = machine::load();
    let measured = block_on(delivery::measure(&settings, &program, broker.address()))?;
    let path = settings.json.clone().unwrap_or_else(|| PathBuf::from(DELIVERY_JSON));
    let report = delivery::Report {
        promises: delivery::promises(&measured),
        measured,
        machine: Machine::here(),
        broker: broker.describe(),
        load_before,
        load_after: machine::load(),
        settings,
    };
    println!("{}", delivery::table(&report));
    write_json(&path, &report)?;
    Ok(delivery::failed(&report))
}

/// Runs, prints and writes; tells what the exit code must say.
fn latency(settings: Latency) -> anyhow::Result<Option<String>> {
    let program = gateway::find(settings.gateway.as_deref())?;
    let broker = Broker::start(settings.broker)?;
    let load_before = machine::load();
    let rounds = block_on(measure(&settings, &program, broker.address()))?;
    let path = settings.json.clone().unwrap_or_else(|| PathBuf::from(JSON));
    let report = Report {
        summary: Summary::of(&rounds),
        rounds,
        machine: Machine::here(),
        broker: broker.describe(),
        load_before,
        load_after: machine::load(),
        settings,
    };
    println!("{}", report::table(&report));
    write_json(&path, &report)?;
    let complete = report.summary.is_complete();
    Ok((!complete).then(|| "alarms were lost or invented; see the counts above".to_owned()))
}

/// Raw hops and our path take turns, so that what else the machine does hits all alike.
async fn measure(
    settings: &Latency,
    program: &Path,
    broker: SocketAddr,
) -> anyhow::Result<Vec<Round>> {
    let plan = Plan::of(settings);
    let mut rounds = Vec::new();
    for number in 1..=settings.rounds {
        // Both hops at once: on our path frames and alarms share the machine too, and a machine that sleeps between two
        // alarms would make the stream hop look slower than it is.
        let (l0, t0) = tokio::join!(l0::measure(broker, &plan, number), t0::measure(&plan));
        let l0 = l0.context("L0, the raw broker hop")?;
        let t0 = t0.context("T0, the raw stream hop")?;
        let alone = Scene::default();
        let ours = ours::measure(program, broker, &plan, number, &alone).await;
        let ours = ours.context("our path")?;
        let round = Round {
            broker_hop: l0.times.quantiles(),
            stream_hop: t0.times.quantiles(),
            ours: ours.times.quantiles(),
            accepted: ours.parts.accepted.quantiles(),
            decided: ours.parts.decided.quantiles(),
            delivered: ours.parts.delivered.quantiles(),
            pacing: l0.lateness.quantiles(),
            counts: ours.counts,
            frame_bytes: l0.frame_bytes,
            message_bytes: t0.message_bytes,
        };
        println!(
            "round {number} of {}: p99 L0 {:.0} us, T0 {:.0} us, ours {:.0} us; load average {}",
            settings.rounds,
            series::micros(round.broker_hop.p99_ns),
            series::micros(round.stream_hop.p99_ns),
            series::micros(round.ours.p99_ns),
            machine::load()
        );
        rounds.push(round);
    }
    println!();
    Ok(rounds)
}

fn write_json(path: &Path, report: &impl serde::Serialize) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let text = serde_json::to_string_pretty(report).context("the report is no JSON")?;
    std::fs::write(path, text + "\n")
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// Waits for SIGINT or SIGTERM: then everything that was started is dropped, and with it ended.
async fn asked_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// The broker of a run; ended when dropped.
#[derive(Debug)]
enum Broker {
    Mosquitto(Mosquitto),
    Embedded(EmbeddedBroker),
}

impl Broker {
    fn start(wanted: Option<BrokerKind>) -> anyhow::Result<Self> {
        match wanted {
            Some(BrokerKind::Mosquitto) => Mosquitto::start().map(Self::Mosquitto),
            Some(BrokerKind::Embedded) => EmbeddedBroker::start(None).map(Self::Embedded),
            None => Mosquitto::start().map(Self::Mosquitto).or_else(|error| {
                eprintln!("no Mosquitto, so the embedded broker is measured: {error:#}");
                EmbeddedBroker::start(None).map(Self::Embedded)
            }),
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Mosquitto(broker) => broker.addr(),
            Self::Embedded(broker) => broker.addr(),
        }
    }

    /// Which broker, with its version where it tells one.
    fn describe(&self) -> String {
        match self {
            Self::Mosquitto(broker) => version_of(&broker.log())
                .map_or_else(|| "mosquitto".to_owned(), |version| format!("mosquitto {version}")),
            Self::Embedded(_) => "embedded (mqtt5), on threads of the bench".to_owned(),
        }
    }
}

/// The version in Mosquitto's log: "mosquitto version 2.0.11 starting".
fn version_of(log: &str) -> Option<&str> {
    log.split_once("mosquitto version ")?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_log() {
        let log = "1795376422: mosquitto version 2.0.11 starting\n1: Config loaded\n";
        assert_eq!(version_of(log), Some("2.0.11"));
        assert_eq!(version_of("nothing"), None);
    }
}
