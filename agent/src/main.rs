//! The program `ecmo-agent`: arguments, log, command, exit code.

mod command;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use command::spool::SpoolCommand;

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
    /// Checks the settings and prints what would be sampled and whether its ports open; starts nothing, sends nothing.
    Check {
        /// Settings file.
        #[arg(long, env = "ECMO_AGENT_CONFIG")]
        config: PathBuf,
        /// Folder that stands for the root of the machine.
        #[arg(long, default_value = "/", hide = true)]
        root: PathBuf,
    },
    /// Lists the serial ports and converters that are found, whether they open, and what to do if not.
    Sensors {
        /// Settings file; with it, the ports that it names are told too.
        #[arg(long, env = "ECMO_AGENT_CONFIG")]
        config: Option<PathBuf>,
        /// Folder that stands for the root of the machine.
        #[arg(long, default_value = "/", hide = true)]
        root: PathBuf,
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
    /// Writes the samples of the settings' sources into a table until SIGINT or SIGTERM; publishes nothing.
    Record {
        /// The table, a new file.
        file: PathBuf,
        /// Settings file.
        #[arg(long, env = "ECMO_AGENT_CONFIG")]
        config: PathBuf,
    },
    /// Publishes a recording in its own time, or faster, as replayed data.
    Replay(command::replay::ReplayArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The sampling thread logs too, and must not wait for whoever reads it.
    let _written_at_the_end = ecmo_agent::log::start();
    let end = match arguments.command {
        Command::Run { config } => command::run::run(&config),
        Command::Spool { config, wanted } => {
            command::spool::spool(&config, &wanted.unwrap_or(SpoolCommand::Extent))
        }
        Command::Check { config, root } => command::check::check(&config, &root),
        Command::Record { file, config } => command::record::record(&config, &file),
        Command::Replay(arguments) => command::replay::replay(arguments),
        Command::Sensors { config, root } => command::sensors::sensors(config.as_deref(), &root),
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
