//! The commands about people: adds, removes and lists accounts, sets and removes the break-glass PIN.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use ecmo_gateway::config::Settings;
use ecmo_gateway::people::{Role, edit};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Where the accounts are.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Place {
    /// Settings file (TOML) of the gateway, which names the file of accounts under [people].
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// The file of accounts.
    #[arg(long, global = true)]
    file: Option<PathBuf>,
}

/// What is done with accounts. A running gateway takes changes within two seconds.
#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// Adds an account, or gives one that is there another role and password. The password is asked for, or read from the first
    /// line of a standard input that is no terminal; never an argument.
    Add {
        /// Name of the person, as it is recorded with what they do.
        name: String,
        /// What they may do: viewer, clinician, biomed, admin.
        #[arg(long, value_parser = role)]
        role: Role,
        #[command(flatten)]
        place: Place,
    },
    /// Removes an account; its sessions end.
    Remove {
        /// Name of the person.
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Prints names and roles.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Sets the break-glass PIN, asked for as a password is: with it anybody acknowledges, pauses and resumes for five minutes.
    SetPin {
        #[command(flatten)]
        place: Place,
    },
    /// Removes the PIN.
    RemovePin {
        #[command(flatten)]
        place: Place,
    },
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| "use viewer, clinician, biomed or admin".to_owned())
}

impl Place {
    fn accounts(self) -> anyhow::Result<PathBuf> {
        if let Some(file) = self.file {
            return Ok(file);
        }
        let config = self.config.context("name a file of accounts or a settings file")?;
        let people = Settings::load(&config)?.people;
        people
            .and_then(|people| people.accounts)
            .context("no accounts under [people] in the settings")
    }
}

/// Does what is wanted.
///
/// # Errors
/// The file cannot be read or written, or what was given cannot be taken.
pub(crate) fn people(wanted: PeopleCommand) -> anyhow::Result<ExitCode> {
    match wanted {
        PeopleCommand::Add { name, role, place } => {
            let file = place.accounts()?;
            edit::add(&file, &name, role, &secret("Password")?)?;
        }
        PeopleCommand::Remove { name, place } => {
            let was_there = edit::remove(&place.accounts()?, &name)?;
            anyhow::ensure!(was_there, "there is no account {name:?}; people list names them");
        }
        PeopleCommand::List { place } => {
            let all = edit::read(&place.accounts()?)?;
            let mut out = std::io::stdout().lock();
            for (name, role) in all.listed() {
                writeln!(out, "{:<10} {name}", role.word())?;
            }
            writeln!(out, "break-glass PIN: {}", if all.has_pin() { "set" } else { "none" })?;
        }
        PeopleCommand::SetPin { place } => edit::set_pin(&place.accounts()?, &secret("PIN")?)?,
        PeopleCommand::RemovePin { place } => edit::remove_pin(&place.accounts()?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A secret: typed twice without an echo, or the first line of what comes from elsewhere.
fn secret(what: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return line();
    }
    let first = typed(what)?;
    anyhow::ensure!(first == typed(&format!("{what} again"))?, "they differ; nothing was changed");
    Ok(first)
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read standard input")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn typed(what: &str) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    eprint!("{what}: ");
    let before = tcgetattr(&stdin).context("cannot ask without an echo")?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent).context("cannot ask without an echo")?;
    let line = line();
    tcsetattr(&stdin, OptionalActions::Now, &before).context("cannot bring the echo back")?;
    eprintln!();
    line
}
