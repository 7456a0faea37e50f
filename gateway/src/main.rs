//! Arguments, settings, run, exit code.

use std::io::IsTerminal as _;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use ecmo_gateway::Gateway;
use ecmo_gateway::config::Settings;

/// Joins the pumps of a ward, detects alarm conditions, serves displays. Research software, not a medical device.
///
/// Exit codes: 0 ended on request, or the settings are right; 1 fault of the program or the system; 2 settings or
/// arguments that cannot work.
#[derive(Debug, Parser)]
#[command(version, about, long_about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway until SIGINT or SIGTERM.
    Serve {
        /// Settings file (TOML); without it the built-in settings: embedded broker, everything on loopback.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Reads and checks a settings file and the alarm profile that it names, and starts nothing.
    Check {
        /// Settings file (TOML).
        #[arg(long)]
        config: PathBuf,
    },
}

/// Exit code of settings or arguments that cannot work.
const EXIT_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("info"));
    // A terminal that is stopped, or a log that is full, must not hold up an alarm: lines are dropped instead.
    let (log, _flushed_at_the_end) = tracing_appender::non_blocking(std::io::stderr());
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(log).init();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ecmo-gateway: {error:#}");
            ExitCode::from(EXIT_SETTINGS)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Check { config } => {
            Settings::load(&config)?;
            println!("{}: fine", config.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve { config } => {
            let settings =
                config.map_or_else(|| Ok(Settings::default()), |it| Settings::load(&it))?;
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            runtime.block_on(serve(&settings))
        }
    }
}

async fn serve(settings: &Settings) -> anyhow::Result<ExitCode> {
    let mut gateway = Gateway::start(settings).await?;
    let brokers: String =
        gateway.broker_addresses().iter().map(|broker| format!("broker:   {broker}\n")).collect();
    let addresses = format!(
        "displays: http://{}\nmetrics:  http://{}/metrics\n{brokers}",
        gateway.address(),
        gateway.metrics_address(),
    );
    // Whoever reads them may have gone away; that must not end a gateway, as println! would.
    let mut stdout = std::io::stdout();
    let _reader_gone =
        stdout.write_all(addresses.as_bytes()).and_then(|()| stdout.flush()).is_err();
    let code = tokio::select! {
        () = asked_to_stop()? => ExitCode::SUCCESS,
        failed = gateway.failed() => {
            tracing::error!(part = failed, "a part has ended; the gateway ends too");
            ExitCode::FAILURE
        }
    };
    gateway.stop().await;
    Ok(code)
}

/// Waits for SIGINT or SIGTERM.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
