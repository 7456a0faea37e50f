//! The program `ecmo-agent`: arguments, log, command, exit code.

mod command;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use command::spool::SpoolCommand;
use tracing_subscriber::EnvFilter;

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
    /// Tells what is kept on disk, also while an agent runs; changes nothing.
    Spool {
        /// Settings file.
        #[arg(long, env = "ECMO_AGENT_CONFIG")]
        config: PathBuf,
        /// What is wanted; the extent when nothing is said.
        #[command(subcommand)]
        wanted: Option<SpoolCommand>,
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
        Command::Run { config } => command::run::run(&config),
        Command::Check { config } => command::check::check(&config),
        Command::Spool { config, wanted } => {
            command::spool::spool(&config, &wanted.unwrap_or(SpoolCommand::Extent))
        }
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
