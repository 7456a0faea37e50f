//! `ecmo-agent replay FILE`: runs an agent that publishes a recording, once or again and again.

use core::time::Duration;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use ecmo_agent::config::{AtEnd, Brokers, PlaySpeed, Rate, ReplaySettings, SourceSettings};
use ecmo_agent::sensor::replay::Replay;
use ecmo_agent::{BrokerUrl, Settings};
use ecmo_proto::topic::{Id, PumpAddress};

use super::{Exit, fault, of_run, settings_fault, stopped};

/// What is still under way when the last sample is due.
const AFTER_THE_LAST: Duration = Duration::from_secs(1);

/// What is replayed, how fast, and to whom.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The recording: a table as `record` writes it (agent/records/README.md).
    file: PathBuf,
    /// Settings file, for its broker, ward and pump; its sources are not used.
    #[arg(long, env = "ECMO_AGENT_CONFIG", required_unless_present_all = ["broker", "ward", "pump"])]
    config: Option<PathBuf>,
    /// The broker, such as mqtt://127.0.0.1:1883.
    #[arg(long)]
    broker: Option<BrokerUrl>,
    /// The ward.
    #[arg(long)]
    ward: Option<Id>,
    /// The pump.
    #[arg(long)]
    pump: Option<Id>,
    /// How many times faster than life.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Samples per second of a recording without a t_s column.
    #[arg(long)]
    rate_hz: Option<f64>,
    /// Begins again after the last sample, instead of ending.
    #[arg(long = "loop")]
    is_looped: bool,
}

/// Replays until the recording ends or a signal comes.
pub(crate) fn replay(arguments: ReplayArguments) -> Result<(), Exit> {
    let speed = PlaySpeed::try_from(arguments.speed).map_err(settings_fault)?;
    let rate = arguments.rate_hz.map(Rate::try_from).transpose().map_err(settings_fault)?;
    let at_end = if arguments.is_looped { AtEnd::Loop } else { AtEnd::Stop };
    let source = ReplaySettings { file: arguments.file.clone(), rate, speed: Some(speed), at_end };
    let length = Replay::load(&source).map_err(settings_fault)?.length();
    let settings = settings(&arguments, SourceSettings::Replay(source))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
    runtime.block_on(async {
        let signal = stopped().map_err(fault)?;
        let stop = async move {
            if at_end == AtEnd::Loop {
                signal.await;
            } else {
                // Either is the end.
                let _signal_or_end =
                    tokio::time::timeout(length.saturating_add(AFTER_THE_LAST), signal).await;
            }
        };
        ecmo_agent::run(settings, stop).await.map_err(of_run)
    })?;
    Ok(())
}

/// The settings of the file, or the arguments where they are given.
fn settings(arguments: &ReplayArguments, source: SourceSettings) -> Result<Settings, Exit> {
    let file = arguments.config.as_deref().map(Settings::load).transpose();
    let file = file.map_err(settings_fault)?;
    let of = |settings: &Settings| settings.address.clone();
    let ward = arguments.ward.clone().or_else(|| file.as_ref().map(|file| of(file).ward));
    let pump = arguments.pump.clone().or_else(|| file.as_ref().map(|file| of(file).pump));
    let address = ward.zip(pump).map(|(ward, pump)| PumpAddress { ward, pump });
    let address = address.context("name --ward and --pump, or --config").map_err(settings_fault)?;
    match (file, &arguments.broker) {
        (Some(file), broker) => {
            let named = broker.clone().map(Brokers::one);
            let brokers = named.unwrap_or_else(|| file.brokers.clone());
            Ok(Settings { address, brokers, sources: vec![source], ..file })
        }
        (None, Some(broker)) => Ok(Settings::new(address, broker.clone(), source)),
        (None, None) => Err(settings_fault(anyhow::anyhow!("name --broker or --config"))),
    }
}
