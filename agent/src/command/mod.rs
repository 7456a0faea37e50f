//! The commands of the program, each in a file of its own, and how they end.

pub(crate) mod run;

pub(crate) mod check;

pub(crate) mod spool;

use ecmo_agent::RunError;

/// Exit code of a fault of the program or the system.
const EXIT_FAULT: u8 = 1;

/// Exit code of settings or arguments that cannot work.
const EXIT_SETTINGS: u8 = 2;

/// An exit code with the reason for it.
pub(crate) type Exit = (u8, anyhow::Error);

/// Settings or arguments cannot work.
fn settings_fault(error: impl Into<anyhow::Error>) -> Exit {
    (EXIT_SETTINGS, error.into())
}

/// The program or the system is at fault.
fn fault(error: impl Into<anyhow::Error>) -> Exit {
    (EXIT_FAULT, error.into())
}

/// Which of both an agent's error is.
fn of_run(error: RunError) -> Exit {
    if error.is_about_settings() { settings_fault(error) } else { fault(error) }
}
