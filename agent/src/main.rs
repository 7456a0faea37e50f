//! The program `ecmo-agent`: arguments, settings, run, exit code.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ecmo_agent::{RunError, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Exit code of a fault of the program or the system.
const EXIT_FAULT: u8 = 1;

/// Exit code of settings or arguments that cannot work.
const EXIT_SETTINGS: u8 = 2;

/// Samples one pump's sensors and publishes frames over MQTT. Sends no command to any device. Not a medical device.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 stopped when asked, or the settings are right; 1 fault of the program or the \
                  system; 2 settings or arguments that cannot work.\nLogs go to standard error; RUST_LOG sets what is \
                  logged, such as RUST_LOG=debug."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Samples and publishes until SIGINT or SIGTERM.
    Run {
        /// Settings file.
        #[arg(long, env = "ECMO_AGENT_CONFIG")]
        config: PathBuf,
    },
    /// Checks the settings and prints what would be sampled; starts nothing and opens no port.
    Check {
        /// Settings file.
        #[arg(long, env = "ECMO_AGENT_CONFIG")]
        config: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    // A thread of its own writes the log and drops lines when it cannot: whoever reads standard error may be slow or
    // stuck, and the sampling thread logs too. What is left is written when the guard is dropped.
    let (log, _written_at_the_end) = tracing_appender::non_blocking(std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(log)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let end = match arguments.command {
        Command::Run { config } => run(&config),
        Command::Check { config } => check(&config),
    };
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            // The causes are printed once, here.
            eprintln!("ecmo-agent: {error:#}");
            ExitCode::from(code)
        }
    }
}

/// An exit code with the reason for it.
type Exit = (u8, anyhow::Error);

fn settings_fault(error: impl Into<anyhow::Error>) -> Exit {
    (EXIT_SETTINGS, error.into())
}

fn fault(error: impl Into<anyhow::Error>) -> Exit {
    (EXIT_FAULT, error.into())
}

fn of_run(error: RunError) -> Exit {
    if error.is_about_settings() { settings_fault(error) } else { fault(error) }
}

/// Runs until a signal comes.
fn run(config: &Path) -> Result<(), Exit> {
    let settings = Settings::load(config).map_err(settings_fault)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
    let summary = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
        let stop = async move {
            tokio::select! {
                _signal = interrupt.recv() => {}
                _signal = terminate.recv() => {}
            }
            tracing::info!("stopping");
        };
        ecmo_agent::run(settings, stop).await.map_err(of_run)
    })?;
    let counts = summary.entries().into_iter().map(|(name, count)| format!("{name}={count}"));
    tracing::info!(counts = counts.collect::<Vec<_>>().join(" "), "stopped");
    Ok(())
}

/// Prints what would be sampled.
fn check(config: &Path) -> Result<(), Exit> {
    let settings = Settings::load(config).map_err(settings_fault)?;
    let lineup = ecmo_agent::lineup(&settings).map_err(of_run)?;
    println!("pump     {}", settings.address);
    for (name, broker) in settings.brokers.paths() {
        println!("path {name}   {broker}");
    }
    println!("device   {}", lineup.device());
    println!("source   {:?}", lineup.source());
    println!("frames   every {} ms", settings.frame_period.as_millis());
    println!("{:<24} {:<12} {:>10}  {:<10} name", "channel", "unit", "rate", "step");
    for channel in lineup.channels() {
        let info = channel.parameter.info();
        let rate = if channel.rate_hz > 0.0 {
            format!("{:.4} Hz", channel.rate_hz)
        } else {
            "on change".to_owned()
        };
        println!(
            "{:<24} {:<12} {rate:>10}  {:<10} {}",
            info.id, info.unit, channel.scale, info.name
        );
    }
    Ok(())
}
