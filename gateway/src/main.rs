//! Arguments, settings, run, exit code.

mod command;

mod pki;

use std::io::IsTerminal as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use ecmo_gateway::Gateway;
use ecmo_gateway::config::Settings;
use ecmo_gateway::journal::inspect;
use ecmo_gateway::store::audit;
use ecmo_gateway::supervision;
use ecmo_notify::Manager;
use pki::PkiCommand;

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
        /// Folder of the built nurse station, dashboards/nurse-station/dist; goes before dir under [ui].
        #[arg(long)]
        ui_dir: Option<PathBuf>,
    },
    /// Looks into the journal while no gateway runs: extent, verify, or frames of a pump.
    Journal {
        /// Settings file (TOML) of the gateway.
        #[arg(long)]
        config: PathBuf,
        /// What is wanted.
        #[command(subcommand)]
        wanted: Option<JournalCommand>,
    },
    /// Looks into the audit log of what people did, whether a gateway runs or not.
    Audit {
        /// What is wanted.
        #[command(subcommand)]
        wanted: AuditCommand,
    },
    /// Adds, removes and lists accounts of people, and sets the break-glass PIN, whether a gateway runs or not.
    People {
        /// What is wanted.
        #[command(subcommand)]
        wanted: command::PeopleCommand,
    },
    /// Makes certificates for a trial, and shows what stands in one.
    Pki {
        /// What is wanted.
        #[command(subcommand)]
        wanted: PkiCommand,
    },
    /// Reads and checks a settings file, and the alarm profile, the nurse station and the accounts that it names, and starts nothing.
    Check {
        /// Settings file (TOML).
        #[arg(long)]
        config: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Checks the whole chain; prints what is sound and the first place that is broken, and exits with 1 when there is one.
    Verify {
        /// Settings file (TOML) of the gateway.
        #[arg(long, conflicts_with = "dir", required_unless_present = "dir")]
        config: Option<PathBuf>,
        /// Folder of the log, such as state/audit.
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Prints which frames are kept of each pump and run, and the holes between them.
    Extent,
    /// Reads every record; exit code 1 when one is damaged or doubled.
    Verify,
    /// Prints the identity of each block of samples: pump, run, frame, channel, first sample, count.
    Frames {
        /// The pump, by its id or as WARD/PUMP.
        pump: String,
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
        Command::Journal { config, wanted } => {
            journal(&Settings::load(&config)?, wanted.unwrap_or(JournalCommand::Extent))
        }
        Command::Audit { wanted: AuditCommand::Verify { config, dir } } => {
            let of_settings = |config: PathBuf| -> anyhow::Result<PathBuf> {
                let state = Settings::load(&config)?.state_dir;
                Ok(audit::folder(&state.context("no dir under [state] in the settings")?))
            };
            let dir = match dir {
                Some(dir) => dir,
                None => of_settings(config.context("name a folder or a settings file")?)?,
            };
            verify(&dir)
        }
        Command::People { wanted } => command::people(wanted),
        Command::Pki { wanted } => pki::run(wanted),
        Command::Check { config } => {
            let settings = Settings::load(&config)?;
            if let Some(people) = &settings.people {
                ecmo_gateway::people::check(people)
                    .map_err(|what| anyhow::anyhow!("[people] {what}"))?;
            }
            if let Some(dir) = &settings.ui.dir {
                ecmo_gateway::ui::check(dir).map_err(|what| anyhow::anyhow!("[ui] dir: {what}"))?;
            }
            println!("{}: fine", config.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve { config, ui_dir } => {
            let mut settings =
                config.map_or_else(|| Ok(Settings::default()), |it| Settings::load(&it))?;
            settings.ui.dir = ui_dir.or(settings.ui.dir);
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            let manager = Manager::from_environment().context("cannot start")?;
            runtime.block_on(serve(&settings, &manager))
        }
    }
}

/// Checks an audit log.
fn verify(dir: &Path) -> anyhow::Result<ExitCode> {
    let log = || format!("cannot read the audit log {}", dir.display());
    anyhow::ensure!(dir.is_dir(), "there is no folder {}", dir.display());
    let checked = audit::verify(dir).with_context(log)?;
    writeln!(std::io::stdout().lock(), "{}: {checked}", dir.display())?;
    Ok(if checked.broken.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks into the journal.
fn journal(settings: &Settings, wanted: JournalCommand) -> anyhow::Result<ExitCode> {
    let keep = settings.journal.as_ref().context("no dir under [journal] in the settings")?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match wanted {
        JournalCommand::Extent => inspect::write_extents(&inspect::open(keep, None)?, &mut out)?,
        JournalCommand::Frames { pump } => {
            inspect::write_samples(&inspect::open(keep, Some(&pump))?, &mut out)?;
        }
        JournalCommand::Verify => {
            let mut wrong = 0;
            for log in inspect::open(keep, None)? {
                let inspect::Check { frames, doubled, damaged } = log.verify()?;
                writeln!(out, "{} frames={frames} doubled={doubled} damaged={damaged}", log.pump)?;
                wrong += doubled + damaged;
            }
            out.flush()?;
            return Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(settings: &Settings, manager: &Manager) -> anyhow::Result<ExitCode> {
    let mut gateway = Gateway::start(settings).await?;
    let brokers: String =
        gateway.broker_addresses().iter().map(|broker| format!("broker:   {broker}\n")).collect();
    let addresses = format!(
        "displays: {}\nmetrics:  http://{}/metrics\n{brokers}",
        gateway.url(),
        gateway.metrics_address(),
    );
    // Whoever reads them may have gone away; that must not end a gateway, as println! would.
    let mut stdout = std::io::stdout();
    let _reader_gone =
        stdout.write_all(addresses.as_bytes()).and_then(|()| stdout.flush()).is_err();
    let last_round = gateway.last_round();
    let code = tokio::select! {
        () = supervision::follow(manager, last_round) => ExitCode::FAILURE,
        () = asked_to_stop()? => ExitCode::SUCCESS,
        failed = gateway.failed() => {
            tracing::error!(part = failed, "a part has ended; the gateway ends too");
            ExitCode::FAILURE
        }
    };
    manager.stopping();
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
